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
    use super::*;

    #[test]
    fn a_machine_without_roots_is_reported_and_one_that_can_be_read_is_enough() {
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let none = RootCertStore::empty();
        assert_eq!(Trust::new(vec![], &none, &crypto).unwrap_err(), NoRoots);

        let garbage = CertificateDer::from(vec![0x30, 0x00]);
        assert_eq!(Trust::new(vec![garbage.clone()], &none, &crypto).unwrap_err(), NoRoots);

        let key = rcgen::KeyPair::generate().unwrap();
        let root = rcgen::CertificateParams::new([]).unwrap().self_signed(&key).unwrap();
        Trust::new(vec![garbage, root.der().clone()], &none, &crypto).unwrap();
    }
}
