//! Reading a certificate as it was presented, for people.

use rules::Time;
use rules::plain::words;
use rules::probe::Presented;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};
use x509_parser::x509::AttributeTypeAndValue;

/// What is read of a certificate.
#[derive(Debug)]
pub(super) struct Certificate {
    /// For people and for the rules.
    pub(super) presented: Presented,
    /// Whether it names itself as its issuer.
    pub(super) is_its_own_issuer: bool,
}

/// Read a certificate; `None` where it is not one.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    Some(Certificate {
        presented: Presented::new(
            &issuer(certificate.issuer()),
            (seconds(validity.not_before.timestamp()), seconds(validity.not_after.timestamp())),
            names(&certificate),
        ),
        is_its_own_issuer: certificate.issuer().as_raw() == certificate.subject().as_raw(),
    })
}

fn seconds(seconds: i64) -> Time {
    Time::from_millis(seconds.saturating_mul(1000))
}

/// Organisation and common name: `Let's Encrypt, R11`; else the whole name.
fn issuer(name: &X509Name<'_>) -> String {
    let text = |attribute: &AttributeTypeAndValue<'_>| attribute.as_str().ok().map(str::to_owned);
    let organisation = name.iter_organization().find_map(text);
    let common = name.iter_common_name().find_map(text);
    let issuer = match (organisation, common) {
        (Some(organisation), Some(common)) if organisation != common => {
            format!("{organisation}, {common}")
        }
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => name.to_string(),
    };
    words(&issuer)
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
        read(certificate.der()).unwrap().presented.issuer
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
        assert!(read(b"").is_none());
        assert!(read(b"\x30\x03\x02\x01\x01").is_none());
    }
}
