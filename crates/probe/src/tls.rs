//! The TLS handshake with one address, as a browser that wants a name would make it.
//!
//! A full handshake each time, and nothing after it unless somebody asked for the
//! connection: no resumption. What is wrong with a certificate is an answer; that
//! nobody answered is not. The address is judged by the guard and then connected
//! to as it is.

mod certificate;
mod trust;
mod witness;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rules::probe::{TlsObservation, TlsVerdict, Unreached};
use rules::{Clock, DomainName};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::ProbeError;
use crate::guard::Guard;
use crate::nat64::Nat64;
use trust::{NoRoots, Trust};
use witness::Witness;

/// How long connecting may take, and how long the handshake after it.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long closing may take; what was seen counts anyway.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection after its handshake.
pub(crate) type Connection = TlsStream<TcpStream>;

/// What all handshakes share.
pub(crate) struct Tls {
    guard: Guard,
    port: u16,
    crypto: Arc<CryptoProvider>,
    config: ClientConfig,
    extra_roots: RootCertStore,
    trust: OnceCell<Trust>,
    nat64: Arc<Nat64>,
    clock: Arc<dyn Clock>,
}

impl Tls {
    pub(crate) fn new(
        guard: Guard,
        port: u16,
        extra: Vec<CertificateDer<'static>>,
        nat64: Arc<Nat64>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProbeError> {
        let mut extra_roots = RootCertStore::empty();
        for (root, number) in extra.into_iter().zip(1..) {
            extra_roots.add(root).map_err(|source| ProbeError::BadRoot { number, source })?;
        }
        let crypto = Arc::new(ring::default_provider());
        let config = config(&crypto);
        let trust = OnceCell::new();
        Ok(Self { guard, port, crypto, config, extra_roots, trust, nat64, clock })
    }

    /// Check what `address` presents for `name`.
    pub(crate) async fn check(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        let (observation, stream) = self.visit(name, address).await;
        if let Some(mut stream) = stream {
            // The server may be gone already.
            let _ = timeout(GOODBYE, stream.shutdown()).await;
        }
        observation
    }

    /// Connect to `address` for `name`, as far as a browser would.
    ///
    /// # Errors
    ///
    /// What was seen there instead of a certificate that it trusts.
    pub(crate) async fn connect(
        &self,
        name: &DomainName,
        address: IpAddr,
    ) -> Result<Connection, TlsObservation> {
        match self.visit(name, address).await {
            (TlsObservation::Presented { verdict: TlsVerdict::Trusted, .. }, Some(stream)) => {
                Ok(stream)
            }
            (observation, _) => Err(observation),
        }
    }

    /// What `address` presents for `name`, and the connection where there is one.
    async fn visit(
        &self,
        name: &DomainName,
        address: IpAddr,
    ) -> (TlsObservation, Option<Connection>) {
        let target = SocketAddr::new(address, self.port);
        if let Err(refusal) = self.guard.check(target) {
            return (TlsObservation::Forbidden { detail: refusal.to_string() }, None);
        }
        let Ok(server_name) = ServerName::try_from(name.as_str().to_owned()) else {
            return (
                no_answer(Unreached::Broken, format!("`{name}` is not a name to ask for")),
                None,
            );
        };
        let Ok(trust) = self.trust().await else {
            return (
                no_answer(
                    Unreached::Broken,
                    "there are no trusted roots on this machine".to_owned(),
                ),
                None,
            );
        };
        match timeout(PATIENCE, self.connect_to(target)).await {
            Ok(Ok(stream)) => self.shake_hands(trust, server_name, stream).await,
            Ok(Err(error)) => (no_answer(unreached(&error), crate::plain(&error)), None),
            Err(_) => (
                no_answer(Unreached::Silent, format!("no answer within {} s", PATIENCE.as_secs())),
                None,
            ),
        }
    }

    /// A connection to `target`; by the network's NAT64 where it has no IPv4 itself.
    async fn connect_to(&self, target: SocketAddr) -> io::Result<TcpStream> {
        let connected = TcpStream::connect(target).await;
        let is_cut_off = |error: &io::Error| error.kind() == io::ErrorKind::NetworkUnreachable;
        if connected.as_ref().is_err_and(is_cut_off)
            && let Some(behind) = self.nat64.behind(target.ip()).await
        {
            return TcpStream::connect((behind, target.port())).await;
        }
        connected
    }

    /// The roots, read from disk by the first handshake; while there are none,
    /// by each.
    async fn trust(&self) -> Result<&Trust, NoRoots> {
        let load = async || {
            let (extra, crypto) = (self.extra_roots.clone(), self.crypto.clone());
            let loaded = tokio::task::spawn_blocking(move || Trust::load(&extra, &crypto)).await;
            loaded.unwrap_or(Err(NoRoots))
        };
        self.trust.get_or_try_init(load).await
    }

    async fn shake_hands(
        &self,
        trust: &Trust,
        name: ServerName<'static>,
        stream: TcpStream,
    ) -> (TlsObservation, Option<Connection>) {
        // Our closing message is small, and would wait for the answer to the data before it.
        let _ = stream.set_nodelay(true);
        let witness = Arc::new(Witness::new(self.crypto.signature_verification_algorithms));
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(witness.clone());

        let connect = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream);
        let (failure, stream) = match timeout(PATIENCE, connect).await {
            Ok(Ok(stream)) => (None, Some(stream)),
            Ok(Err(error)) => (Some(without_certificate(&error)), None),
            Err(_) => (
                Some(no_answer(
                    Unreached::Silent,
                    format!("no handshake within {} s", PATIENCE.as_secs()),
                )),
                None,
            ),
        };
        (self.report(trust, &witness, &name, failure), stream)
    }

    /// What was presented, else how the handshake failed.
    ///
    /// A certificate whose key the server did not show to have is not its own.
    fn report(
        &self,
        trust: &Trust,
        witness: &Witness,
        name: &ServerName<'_>,
        failure: Option<TlsObservation>,
    ) -> TlsObservation {
        let (Some(chain), Some(has_proved)) = (witness.chain(), witness.has_proved()) else {
            return failure.unwrap_or_else(|| no_certificate("it presented none".to_owned()));
        };
        let Some(certificate) = chain.first().and_then(|der| certificate::read(der)) else {
            return no_certificate("what it presented is not a readable certificate".to_owned());
        };
        let verdict = trust.judge(chain, certificate.is_its_own_issuer, name, self.now());
        let verdict = if has_proved { verdict } else { TlsVerdict::Bad };
        TlsObservation::Presented { certificate: certificate.presented, verdict }
    }

    fn now(&self) -> UnixTime {
        let millis = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        UnixTime::since_unix_epoch(Duration::from_millis(millis))
    }
}

/// What every handshake begins with; its verifier is replaced for each.
fn config(crypto: &Arc<CryptoProvider>) -> ClientConfig {
    let nobody = Arc::new(Witness::new(crypto.signature_verification_algorithms));
    let mut config = ClientConfig::builder_with_provider(crypto.clone())
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(nobody)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config
}

/// How a handshake failed before there was a certificate.
fn without_certificate(error: &io::Error) -> TlsObservation {
    use rustls::Error;
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::AlertReceived(alert)), _) => {
            no_certificate(format!("it answered with the alert `{}`", alert_name(*alert)))
        }
        (Some(Error::InvalidMessage(_)), _) => {
            no_certificate("the server does not speak TLS".to_owned())
        }
        (Some(Error::InvalidCertificate(_)), _) => {
            no_certificate("what it presented is not a readable certificate".to_owned())
        }
        (Some(error), _) => no_certificate(format!("no handshake is possible: {error}")),
        (None, io::ErrorKind::UnexpectedEof) => {
            no_certificate("it closed the connection without a certificate".to_owned())
        }
        (None, _) => no_answer(unreached(error), crate::plain(error)),
    }
}

/// An alert as RFC 8446 names it, where it is one that servers without a fitting
/// certificate send.
fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::AccessDenied => "access_denied".to_owned(),
        AlertDescription::HandshakeFailure => "handshake_failure".to_owned(),
        AlertDescription::InternalError => "internal_error".to_owned(),
        AlertDescription::ProtocolVersion => "protocol_version".to_owned(),
        AlertDescription::UnrecognisedName => "unrecognized_name".to_owned(),
        other => u8::from(other).to_string(),
    }
}

/// How a connection failed.
fn unreached(error: &io::Error) -> Unreached {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Unreached::Refused,
        io::ErrorKind::TimedOut => Unreached::Silent,
        _ => Unreached::Broken,
    }
}

fn no_answer(how: Unreached, detail: String) -> TlsObservation {
    TlsObservation::NoAnswer { how, detail }
}

fn no_certificate(detail: String) -> TlsObservation {
    TlsObservation::NoCertificate { detail }
}
