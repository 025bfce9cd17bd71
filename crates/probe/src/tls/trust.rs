//! Who is trusted, and what a browser would say about a chain of certificates.

use std::sync::Arc;

use rules::probe::TlsVerdict;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::certificate::{Certificate, Weakness};

/// The roots, ready to judge chains.
#[derive(Debug)]
pub(super) struct Trust(Arc<WebPkiServerVerifier>);

/// There is no root to trust: nothing can be said about any chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRoots;

impl Trust {
    /// Trust the roots in the system's store, and `extra`. Reads many files.
    pub(super) fn load(
        extra: &RootCertStore,
        crypto: &Arc<CryptoProvider>,
    ) -> Result<Self, NoRoots> {
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::debug!(%error, "some of the system's trusted roots cannot be read");
        }
        Self::new(system.certs, extra, crypto)
    }

    /// Trust those of `system` that can be read, and `extra`.
    fn new(
        system: Vec<CertificateDer<'static>>,
        extra: &RootCertStore,
        crypto: &Arc<CryptoProvider>,
    ) -> Result<Self, NoRoots> {
        let mut roots = extra.clone();
        roots.add_parsable_certificates(system);
        WebPkiServerVerifier::builder_with_provider(roots.into(), crypto.clone())
            .build()
            .map(Self)
            .map_err(|_| NoRoots)
    }

    /// What a browser would say at `now` of `chain`, presented for `name` and read as `certificate`.
    ///
    /// The chain is judged before the name, as webpki does: a certificate for
    /// other names is reported as that only where nothing else is wrong with it, or that it is weak.
    ///
    /// As in browsers, no known issuer comes before weak, and weak before the dates. A weak
    /// certificate of another than the server counts only where webpki found no way around it.
    pub(super) fn judge(
        &self,
        chain: &[CertificateDer<'_>],
        certificate: &Certificate,
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> TlsVerdict {
        let Some((end_entity, others)) = chain.split_first() else {
            return TlsVerdict::Bad;
        };
        let error = self.0.verify_server_cert(end_entity, others, name, &[], now).err();
        let said = error.as_ref().map_or(TlsVerdict::Trusted, verdict);
        let counts = match certificate.weakness {
            Weakness::None => false,
            Weakness::Others => is_refused_signature(error.as_ref()),
            Weakness::Own => {
                said != TlsVerdict::UnknownIssuer || is_refused_signature(error.as_ref())
            }
        };
        match said {
            TlsVerdict::OtherName => TlsVerdict::OtherName,
            _ if error.is_some() && certificate.is_its_own_issuer => TlsVerdict::SelfSigned,
            _ if counts && !covers(end_entity, name) => TlsVerdict::OtherName,
            _ if counts => TlsVerdict::Weak,
            said => said,
        }
    }
}

/// Whether a certificate is for `name` (RFC 9525).
fn covers(certificate: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    ParsedCertificate::try_from(certificate).is_ok_and(|it| verify_server_name(&it, name).is_ok())
}

/// Whether a signature was not accepted: its algorithm, the key that made it, or itself.
fn is_refused_signature(error: Option<&Error>) -> bool {
    use CertificateError::{
        BadSignature, UnsupportedSignatureAlgorithmContext,
        UnsupportedSignatureAlgorithmForPublicKeyContext,
    };
    let Some(Error::InvalidCertificate(fault)) = error else { return false };
    matches!(
        fault,
        BadSignature
            | UnsupportedSignatureAlgorithmContext { .. }
            | UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    )
}

fn verdict(error: &Error) -> TlsVerdict {
    let Error::InvalidCertificate(fault) = error else {
        return TlsVerdict::Bad;
    };
    match fault {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsVerdict::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsVerdict::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsVerdict::OtherName
        }
        // A known issuer of the same name that did not sign it, is not its issuer.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsVerdict::UnknownIssuer
        }
        _ => TlsVerdict::Bad,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SanType};

    use super::super::certificate;
    use super::TlsVerdict::{
        Expired, NotYetValid, OtherName, SelfSigned, Trusted, UnknownIssuer, Weak,
    };
    use super::*;

    type Chain<'a> = &'a [&'a [u8]];

    /// The last year of the certificates in `tests/weak` is 2126.
    const YEAR: u64 = 365 * 24 * 60 * 60;

    fn trust(roots: &[&[u8]]) -> Trust {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let other = CertificateParams::new([]).unwrap();
        let other = other.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let roots = roots.iter().map(|der| CertificateDer::from(der.to_vec()));
        let roots = [other.der().clone()].into_iter().chain(roots).collect();
        Trust::new(roots, &RootCertStore::empty(), &crypto).unwrap()
    }

    fn judged(trust: &Trust, chain: &[&[u8]], name: &str, years: u64) -> TlsVerdict {
        let chain: Vec<_> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
        let certificate = certificate::read(&chain).unwrap();
        let name = ServerName::try_from(name).unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(years * YEAR));
        trust.judge(&chain, &certificate, &name, now)
    }

    #[test]
    fn a_machine_without_roots_is_reported_and_one_that_can_be_read_is_enough() {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let none = RootCertStore::empty();
        assert_eq!(Trust::new(vec![], &none, &crypto).unwrap_err(), NoRoots);

        let garbage = CertificateDer::from(vec![0x30, 0x00]);
        assert_eq!(Trust::new(vec![garbage.clone()], &none, &crypto).unwrap_err(), NoRoots);

        let key = KeyPair::generate().unwrap();
        let root = CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        Trust::new(vec![garbage, root.der().clone()], &none, &crypto).unwrap();
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn weak_is_said_where_a_browser_says_it_first() {
        macro_rules! der {
            ($name:literal) => { &include_bytes!(concat!("../../tests/weak/", $name, ".der"))[..] };
        }
        let [root, good, sha1, md5, pss] = [der!("root"), der!("good"), der!("sha1"), der!("md5"), der!("pss-sha1")];
        let rsa1024 = der!("rsa1024");
        let (by_sha1, below_sha1) = (der!("authority-sha1"), der!("below-sha1"));
        let (by_1024, below_1024) = (der!("authority-rsa1024"), der!("below-rsa1024"));
        let table: [(&str, Chain<'_>, &str, u64, TlsVerdict); 19] = [
            ("good",                                      &[good],                         "a.test", 100, Trusted),
            ("a root's own signature does not count",     &[good, root],                   "a.test", 100, Trusted),
            ("SHA-1",                                     &[sha1],                         "a.test", 100, Weak),
            ("SHA-1, with the root",                      &[sha1, root],                   "a.test", 100, Weak),
            ("MD5",                                       &[md5],                          "a.test", 100, Weak),
            ("SHA-1 in RSASSA-PSS",                       &[pss],                          "a.test", 100, Weak),
            ("RSA of 1024 bits",                          &[rsa1024],                      "a.test", 100, Weak),
            ("an authority by SHA-1",                     &[below_sha1, by_sha1],          "a.test", 100, Weak),
            ("an authority of 1024 bits",                 &[below_1024, by_1024],          "a.test", 100, Weak),
            ("a weak one that nobody needs",              &[good, by_sha1, by_1024],       "a.test", 100, Trusted),
            ("a weak one that is not the fault",          &[good, by_sha1],                "a.test", 200, Expired),
            ("weak, and for another name",                &[sha1],                         "b.test", 100, OtherName),
            ("a weak authority, and another name",        &[below_sha1, by_sha1],          "b.test", 100, OtherName),
            ("a weak key, and another name",              &[rsa1024],                      "b.test", 100, OtherName),
            ("weak, and over",                            &[sha1],                         "a.test", 200, Weak),
            ("weak, and not begun",                       &[rsa1024],                      "a.test", 1,   Weak),
            ("over",                                      &[good],                         "a.test", 200, Expired),
            ("not begun",                                 &[good],                         "a.test", 1,   NotYetValid),
            ("its issuer is missing",                     &[below_sha1],                   "a.test", 100, UnknownIssuer),
        ];
        let known = trust(&[root]);
        for (shows, chain, name, years, want) in table {
            assert_eq!(judged(&known, chain, name, years), want, "{shows}");
        }
        let unknown = trust(&[]);
        assert_eq!(judged(&unknown, &[sha1], "a.test", 100), UnknownIssuer, "that comes first");
        assert_eq!(judged(&unknown, &[sha1, root], "a.test", 100), UnknownIssuer, "its root too");
        assert_eq!(judged(&unknown, &[root], "a.test", 100), SelfSigned);
    }

    /// The rules of RFC 9525, 6.3, and what it leaves out: partial wildcards and common names.
    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_certificate_covers() {
        let table = [
            ("example.com",        "example.com",         Trusted),
            ("EXAMPLE.com",        "example.com",         Trusted),
            ("example.com",        "www.example.com",     OtherName),
            ("www.example.com",    "example.com",         OtherName),
            ("example.com",        "xexample.com",        OtherName),
            ("*.example.com",      "a.example.com",       Trusted),
            ("*.EXAMPLE.com",      "a.example.com",       Trusted),
            ("*.example.com",      "xn--bcher-kva.example.com", Trusted),
            ("*.example.com",      "example.com",         OtherName),
            ("*.example.com",      "a.b.example.com",     OtherName),
            ("*.example.com",      "a.example.net",       OtherName),
            ("a*.example.com",     "ab.example.com",      OtherName),
            ("*b.example.com",     "ab.example.com",      OtherName),
            ("a*c.example.com",    "abc.example.com",     OtherName),
            ("xn--*.example.com",  "xn--bcher-kva.example.com", OtherName),
            ("a.*.example.com",    "a.b.example.com",     OtherName),
            ("*.*.example.com",    "a.b.example.com",     OtherName),
            ("*",                  "example.com",         OtherName),
            ("xn--bcher-kva.test", "xn--bcher-kva.test",  Trusted),
            ("bcher-kva.test",     "xn--bcher-kva.test",  OtherName),
        ];
        let key = KeyPair::generate().unwrap();
        for (pattern, name, want) in table {
            let mut params = CertificateParams::new([]).unwrap();
            params.subject_alt_names = vec![SanType::DnsName(pattern.try_into().unwrap())];
            let authority = rcgen::CertifiedIssuer::self_signed(authority(), &key).unwrap();
            let shown = params.signed_by(&key, &authority).unwrap();
            let verdict = judged(&trust(&[authority.der()]), &[shown.der()], name, 60);
            assert_eq!(verdict, want, "{pattern} for {name}");
        }
    }

    fn authority() -> CertificateParams {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "authority");
        params
    }
}
