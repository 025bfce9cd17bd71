//! Reading certificates as they were presented, for people.

use rules::Time;
use rules::plain::words;
use rules::probe::Presented;
use rustls::pki_types::CertificateDer;
use sha2::{Digest as _, Sha256};
use x509_parser::oid_registry::{OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS, Oid, asn1_rs::oid};
use x509_parser::prelude::{
    AlgorithmIdentifier, FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name,
};
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AttributeTypeAndValue;

/// Fewer bits of an RSA key are too few (CA/Browser Forum, baseline requirements 6.1.5).
const RSA_BITS: usize = 2048;

/// Signatures over a digest that can be forged: MD2, MD4, MD5 and SHA-1, with RSA, DSA and ECDSA
/// (RFC 3279); the last two are old names of two of them.
const FORGEABLE: [Oid<'static>; 8] = [
    oid!(1.2.840.113549.1.1.2),
    oid!(1.2.840.113549.1.1.3),
    oid!(1.2.840.113549.1.1.4),
    oid!(1.2.840.113549.1.1.5),
    oid!(1.2.840.10040.4.3),
    oid!(1.2.840.10045.4.1),
    oid!(1.3.14.3.2.25),
    oid!(1.3.14.3.2.29),
];

/// SHA-1 as the digest of a signature that names it apart (RSASSA-PSS, RFC 4055).
const SHA1: Oid<'static> = oid!(1.3.14.3.2.26);

/// What is read of a chain of certificates.
#[derive(Debug)]
pub(super) struct Certificate {
    /// For people and for the rules.
    pub(super) presented: Presented,
    /// Whether it names itself as its issuer.
    pub(super) is_its_own_issuer: bool,
    /// Where its chain is too weak for a browser.
    pub(super) weakness: Weakness,
}

/// Where a chain has a key or a signature that is too weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weakness {
    /// Nowhere.
    None,
    /// In another certificate than the server's own, which a browser may not need.
    Others,
    /// In the server's own.
    Own,
}

/// Read a chain, the server's own certificate first; `None` where that is not one.
pub(super) fn read(chain: &[CertificateDer<'_>]) -> Option<Certificate> {
    let parsed: Vec<Option<X509Certificate<'_>>> = chain
        .iter()
        .map(|der| X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate))
        .collect();
    let own = parsed.first()?.as_ref()?;
    let last = parsed.last()?.as_ref();
    let validity = own.validity();
    let valid = (seconds(validity.not_before.timestamp()), seconds(validity.not_after.timestamp()));
    let presented = Presented {
        fingerprint: fingerprint(chain.first()?),
        chain: parsed.iter().map(|one| one.as_ref().map_or_else(unreadable, subject)).collect(),
        last_issuer: last.filter(|last| !is_its_own_issuer(last)).map(|last| text(last.issuer())),
        issuer_url: last.and_then(issuer_url),
        ..Presented::new(&text(own.issuer()), valid, names(own))
    };
    let weakness = if is_weak(own) {
        Weakness::Own
    } else if parsed.iter().flatten().any(is_weak) {
        Weakness::Others
    } else {
        Weakness::None
    };
    Some(Certificate { presented, is_its_own_issuer: is_its_own_issuer(own), weakness })
}

fn is_its_own_issuer(certificate: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == certificate.subject().as_raw()
}

fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    digest.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat()
}

/// Whether a browser refuses its key or its signature. What an own key signed proves nothing, so its
/// signature counts for nobody.
fn is_weak(certificate: &X509Certificate<'_>) -> bool {
    let key = certificate.public_key().parsed();
    let has_weak_key = matches!(&key, Ok(PublicKey::RSA(key)) if key.key_size() < RSA_BITS);
    has_weak_key
        || !is_its_own_issuer(certificate) && is_forgeable(&certificate.signature_algorithm)
}

fn is_forgeable(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    FORGEABLE.contains(&algorithm.algorithm)
        || matches!(
            SignatureAlgorithm::try_from(algorithm),
            Ok(SignatureAlgorithm::RSASSA_PSS(pss)) if *pss.hash_algorithm_oid() == SHA1
        )
}

/// Where the certificate of its issuer is (AIA, RFC 5280, 4.2.2.1).
fn issuer_url(certificate: &X509Certificate<'_>) -> Option<String> {
    let access = certificate.extensions().iter().find_map(|it| match it.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    })?;
    access.iter().find_map(|it| match &it.access_location {
        GeneralName::URI(url) if it.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS => {
            Some(words(url))
        }
        _ => None,
    })
}

/// Whose certificate it is, for people: some have no subject, and are known by their names alone.
fn subject(certificate: &X509Certificate<'_>) -> String {
    let subject = text(certificate.subject());
    if !subject.is_empty() {
        return subject;
    }
    names(certificate).into_iter().next().unwrap_or_else(|| "no subject".to_owned())
}

fn unreadable() -> String {
    "not a readable certificate".to_owned()
}

fn seconds(seconds: i64) -> Time {
    Time::from_millis(seconds.saturating_mul(1000))
}

/// Organisation and common name: `Let's Encrypt, R11`; else the whole name.
fn text(name: &X509Name<'_>) -> String {
    let value = |attribute: &AttributeTypeAndValue<'_>| attribute.as_str().ok().map(str::to_owned);
    let organisation = name.iter_organization().find_map(value);
    let common = name.iter_common_name().find_map(value);
    let text = match (organisation, common) {
        (Some(organisation), Some(common)) if organisation != common => {
            format!("{organisation}, {common}")
        }
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => name.to_string(),
    };
    words(&text)
}

/// The names that it covers: those of its subjectAltName, never its common name
/// (RFC 9525).
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let dns = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(words(name)),
        _ => None,
    };
    extension.value.general_names.iter().filter_map(dns).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn issued_by(entries: &[(DnType, &str)]) -> String {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, text) in entries {
            params.distinguished_name.push(kind.clone(), *text);
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        read(&[certificate.der().clone()]).unwrap().presented.issuer
    }

    #[test]
    fn an_issuer_is_reported_by_organisation_and_common_name() {
        use DnType::{CommonName, CountryName, OrganizationName};
        let (org, cn) = ((OrganizationName, "Let's Encrypt"), (CommonName, "R11"));
        assert_eq!(
            issued_by(&[(CountryName, "US"), org.clone(), cn.clone()]),
            "Let's Encrypt, R11"
        );
        assert_eq!(issued_by(&[cn]), "R11");
        assert_eq!(issued_by(&[org.clone(), (CommonName, "Let's Encrypt")]), "Let's Encrypt");
        assert_eq!(issued_by(&[(CountryName, "US")]), "C=US");
        assert_eq!(issued_by(&[(CommonName, "a\u{1b}[2Jb\n")]), "a\\u001b[2Jb\\n");
    }

    #[test]
    fn what_is_no_certificate_is_not_read() {
        assert!(read(&[]).is_none());
        assert!(read(&[CertificateDer::from(&b""[..])]).is_none());
        assert!(read(&[CertificateDer::from(&b"\x30\x03\x02\x01\x01"[..])]).is_none());
    }
}
