//! A certificate verifier that accepts every chain and remembers it.
//!
//! A check needs to see what is wrong, not only that something is: the chain is
//! judged after the handshake, by [`super::trust`], and so is whether the server
//! proved that the key is its own. A connection is handed on as good only where both are.

use std::sync::OnceLock;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// What one server presented in one handshake.
#[derive(Debug)]
pub(super) struct Witness {
    algorithms: WebPkiSupportedAlgorithms,
    chain: OnceLock<Vec<CertificateDer<'static>>>,
    proof: OnceLock<bool>,
}

impl Witness {
    pub(super) fn new(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { algorithms, chain: OnceLock::new(), proof: OnceLock::new() }
    }

    /// The certificates, the server's own first; `None` before there were any.
    pub(super) fn chain(&self) -> Option<&[CertificateDer<'static>]> {
        self.chain.get().map(Vec::as_slice)
    }

    /// Whether the server proved that it has the key; `None` where the handshake
    /// ended before that.
    pub(super) fn has_proved(&self) -> Option<bool> {
        self.proof.get().copied()
    }

    /// A key that is too weak for us proves nothing, and whoever ignores certificates goes on.
    fn remember(&self, proof: &Result<HandshakeSignatureValid, Error>) -> HandshakeSignatureValid {
        self.proof.get_or_init(|| proof.is_ok());
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = || [end_entity].into_iter().chain(intermediates);
        self.chain.get_or_init(|| chain().map(|one| one.clone().into_owned()).collect());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.remember(&verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.algorithms,
        )))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.remember(&verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.algorithms,
        )))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
