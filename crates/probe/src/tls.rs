//! The TLS handshake with one address, as a browser that wants a name would make it.
//!
//! A full handshake each time, and nothing after it unless somebody asked for the
//! connection: no resumption. What is wrong with a certificate is an answer; that
//! nobody answered is not. The address is judged by the guard and then connected
//! to as it is, in [`crate::connector`].

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
use crate::connector::{Connector, NotReached, seconds, unreached};
use trust::{NoRoots, Trust};
use witness::Witness;

/// How long closing may take; what was seen counts anyway.
const GOODBYE: Duration = Duration::from_secs(1);

/// A connection after its handshake.
pub(crate) type Connection = TlsStream<TcpStream>;

/// One handshake.
struct Handshake {
    name: ServerName<'static>,
    witness: Arc<Witness>,
    /// The connection, else how it failed.
    ended: Result<Connection, Box<TlsObservation>>,
}

/// What all handshakes share.
pub(crate) struct Tls {
    connector: Connector,
    port: u16,
    crypto: Arc<CryptoProvider>,
    config: ClientConfig,
    extra_roots: RootCertStore,
    trust: OnceCell<Trust>,
    clock: Arc<dyn Clock>,
}

impl Tls {
    pub(crate) fn new(
        connector: Connector,
        port: u16,
        extra: Vec<CertificateDer<'static>>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ProbeError> {
        let mut extra_roots = RootCertStore::empty();
        for (root, number) in extra.into_iter().zip(1..) {
            extra_roots.add(root).map_err(|source| ProbeError::BadRoot { number, source })?;
        }
        let crypto = Arc::new(ring::default_provider());
        let config = config(&crypto);
        let trust = OnceCell::new();
        Ok(Self { connector, port, crypto, config, extra_roots, trust, clock })
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

    /// Connect to `address` for `name`, whatever certificate it presents.
    ///
    /// # Errors
    ///
    /// Why there is no connection.
    pub(crate) async fn connect_unjudged(
        &self,
        name: &DomainName,
        address: IpAddr,
    ) -> Result<Connection, TlsObservation> {
        let stream = self.connector.connect(SocketAddr::new(address, self.port)).await?;
        self.shake_hands(server_name(name)?, stream).await.ended.map_err(|failure| *failure)
    }

    /// How connections are made.
    pub(crate) fn connector(&self) -> &Connector {
        &self.connector
    }

    /// The port that they are made to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How long an answer may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.connector.timeout
    }

    /// What `address` presents for `name`, and the connection where there is one.
    async fn visit(
        &self,
        name: &DomainName,
        address: IpAddr,
    ) -> (TlsObservation, Option<Connection>) {
        let seen = async {
            let name = server_name(name)?;
            let stream = self.connector.connect(SocketAddr::new(address, self.port)).await?;
            let trust = self.trust().await.map_err(|NoRoots| {
                let detail = "there are no trusted roots on this machine";
                no_answer(Unreached::Broken, detail.to_owned())
            })?;
            let handshake = self.shake_hands(name, stream).await;
            Ok((self.report(trust, &handshake), handshake.ended.ok()))
        };
        seen.await.unwrap_or_else(|observation| (observation, None))
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

    async fn shake_hands(&self, name: ServerName<'static>, stream: TcpStream) -> Handshake {
        let witness = Arc::new(Witness::new(self.crypto.signature_verification_algorithms));
        let mut config = self.config.clone();
        config.dangerous().set_certificate_verifier(witness.clone());

        let connect = TlsConnector::from(Arc::new(config)).connect(name.clone(), stream);
        let ended = if let Ok(ended) = timeout(self.timeout(), connect).await {
            ended.map_err(|error| Box::new(without_certificate(&error)))
        } else {
            let detail = format!("no handshake within {}", seconds(self.timeout()));
            Err(Box::new(no_answer(Unreached::Silent, detail)))
        };
        Handshake { name, witness, ended }
    }

    /// What was presented, else how the handshake failed.
    ///
    /// A certificate whose key the server did not show to have is not its own; but one that is too
    /// weak for us to let it be shown is what it is.
    fn report(&self, trust: &Trust, handshake: &Handshake) -> TlsObservation {
        let failure = || match &handshake.ended {
            Ok(_) => no_certificate("it presented none".to_owned()),
            Err(failure) => (**failure).clone(),
        };
        let Some(chain) = handshake.witness.chain() else { return failure() };
        let Some(certificate) = certificate::read(chain) else {
            return no_certificate("what it presented is not a readable certificate".to_owned());
        };
        let verdict = trust.judge(chain, &certificate, &handshake.name, self.now());
        let verdict = match (handshake.witness.has_proved(), verdict) {
            (_, TlsVerdict::Weak) | (Some(true), _) => verdict,
            (Some(false), _) => TlsVerdict::Bad,
            (None, _) => return failure(),
        };
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
        (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
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

impl From<NotReached> for TlsObservation {
    fn from(failure: NotReached) -> Self {
        match failure {
            NotReached::Forbidden { detail } => Self::Forbidden { detail },
            NotReached::NoAnswer { how, detail } => no_answer(how, detail),
        }
    }
}

/// What the handshake is made for.
///
/// # Errors
///
/// It cannot be.
fn server_name(name: &DomainName) -> Result<ServerName<'static>, NotReached> {
    ServerName::try_from(name.as_str().to_owned()).map_err(|_| NotReached::NoAnswer {
        how: Unreached::Broken,
        detail: format!("`{name}` is not a name to ask for"),
    })
}

fn no_answer(how: Unreached, detail: String) -> TlsObservation {
    TlsObservation::NoAnswer { how, detail }
}

fn no_certificate(detail: String) -> TlsObservation {
    TlsObservation::NoCertificate { detail }
}

#[cfg(test)]
mod tests {
    use rules::clock::ManualClock;
    use rustls::client::danger::ServerCertVerifier as _;

    use super::*;
    use crate::guard::{Guard, Private};

    /// A server that speaks no algorithm of ours may end the handshake after its certificate.
    #[test]
    fn what_was_presented_before_a_handshake_broke_off_counts_where_that_is_weak() {
        let weak = CertificateDer::from(&include_bytes!("../tests/weak/sha1.der")[..]);
        let good = CertificateDer::from(&include_bytes!("../tests/weak/good.der")[..]);
        let root = CertificateDer::from(&include_bytes!("../tests/weak/root.der")[..]);
        let guard = Guard::new(Private::Forbidden, []);
        let connector = Connector::new(guard, Arc::default(), Duration::ZERO);
        let now = rules::Time::default() + Duration::from_hours(24 * 365 * 100);
        let clock = Arc::new(ManualClock::at(now));
        let tls = Tls::new(connector, 443, vec![root], clock).unwrap();
        let trust = Trust::load(&tls.extra_roots, &tls.crypto).unwrap();
        let report = |der: &CertificateDer<'_>| {
            let name = ServerName::try_from("a.test").unwrap();
            let witness = Arc::new(Witness::new(tls.crypto.signature_verification_algorithms));
            witness.verify_server_cert(der, &[], &name, &[], tls.now()).unwrap();
            let ended = Err(Box::new(no_certificate("it broke off".to_owned())));
            tls.report(&trust, &Handshake { name, witness, ended })
        };
        let TlsObservation::Presented { verdict, .. } = report(&weak) else { panic!("nothing") };
        assert_eq!(verdict, TlsVerdict::Weak);
        assert_eq!(report(&good), no_certificate("it broke off".to_owned()));
    }
}
