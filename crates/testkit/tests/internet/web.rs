//! What web servers show and answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
};
use testkit::internet::{
    Aia, Answer, Certificate, Door, Internet, Scheme, Weakness, Web, trusted_pem,
};

/// Longer than any answer here takes.
const PATIENCE: Duration = Duration::from_secs(5);
/// For what must not come.
const SILENCE: Duration = Duration::from_millis(50);

/// A web server and its two ports.
struct Site {
    web: Web,
    internet: Internet,
}

impl Site {
    fn new() -> Self {
        let internet = Internet::start();
        Self { web: internet.web(), internet }
    }

    fn socket(&self, scheme: Scheme) -> SocketAddr {
        let ports = self.internet.ports();
        let port = if scheme == Scheme::Https { ports.https } else { ports.http };
        SocketAddr::from((self.web.address(), port))
    }

    /// What it shows for `name`: how many certificates, and what a browser says of them.
    fn shown(&self, name: &str) -> Result<(usize, Result<(), Error>), Error> {
        let witness = Arc::new(Witness::new());
        let (mut client, mut stream) = self.client(name, Arc::clone(&witness));
        while client.is_handshaking() {
            if let Err(error) = client.complete_io(&mut stream) {
                let inner = error.get_ref().and_then(|it| it.downcast_ref::<Error>());
                return Err(inner.cloned().unwrap_or_else(|| Error::General(error.to_string())));
            }
        }
        let seen = witness.seen.lock().unwrap().take();
        Ok(seen.unwrap())
    }

    fn client(&self, name: &str, witness: Arc<Witness>) -> (ClientConnection, TcpStream) {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().dangerous();
        let config = config.with_custom_certificate_verifier(witness).with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let client = ClientConnection::new(Arc::new(config), name).unwrap();
        let stream = TcpStream::connect(self.socket(Scheme::Https)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        (client, stream)
    }

    /// What it answers to a request.
    fn answer(&self, scheme: Scheme, target: &str) -> String {
        let request = format!("GET {target} HTTP/1.1\r\nHost: Shop.example:81\r\n\r\n");
        let mut text = String::new();
        if scheme == Scheme::Https {
            let (client, stream) = self.client("shop.example", Arc::new(Witness::new()));
            let mut stream = StreamOwned::new(client, stream);
            stream.write_all(request.as_bytes()).unwrap();
            _ = stream.read_to_string(&mut text);
        } else {
            let mut stream = TcpStream::connect(self.socket(scheme)).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            stream.read_to_string(&mut text).unwrap();
        }
        text
    }
}

/// Takes every certificate, and remembers what a browser would say.
#[derive(Debug)]
struct Witness {
    browser: Arc<WebPkiServerVerifier>,
    seen: Mutex<Option<(usize, Result<(), Error>)>>,
}

impl Witness {
    fn new() -> Self {
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(trusted_pem().as_bytes()) {
            roots.add(root.unwrap()).unwrap();
        }
        assert_eq!(roots.len(), 2);
        let provider = Arc::new(ring::default_provider());
        let browser = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        Self { browser: browser.build().unwrap(), seen: Mutex::default() }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let says = self.browser.verify_server_cert(end_entity, others, name, ocsp, now);
        *self.seen.lock().unwrap() = Some((1 + others.len(), says.map(drop)));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.browser.supported_verify_schemes()
    }
}

#[test]
#[rustfmt::skip] // One case a line.
fn a_browser_says_of_each_certificate_what_is_wrong_with_it() {
    type Says = fn(&Result<(), Error>) -> bool;
    let is_good: Says = |it| it.is_ok();
    let is_expired: Says = |it| matches!(it, Err(Error::InvalidCertificate(CertificateError::ExpiredContext { .. })));
    let is_early: Says = |it| matches!(it, Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { .. })));
    let is_other: Says = |it| matches!(it, Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })));
    let is_unknown: Says = |it| matches!(it, Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
    let is_bad: Says = Result::is_err;
    let table = [
        (Certificate::good(),                        1, is_good),
        (Certificate::Good { days: 45, age: 44 },    1, is_good),
        (Certificate::Good { days: 6, age: 3 },      1, is_good),
        (Certificate::Chained,                       2, is_good),
        (Certificate::Expired,                       1, is_expired),
        (Certificate::NotYetValid,                   1, is_early),
        (Certificate::OtherName,                     1, is_other),
        (Certificate::Default,                       1, is_other),
        (Certificate::SelfSigned,                    1, is_unknown),
        (Certificate::UnknownIssuer,                 1, is_unknown),
        (Certificate::Incomplete(Aia::Named),        1, is_unknown),
        (Certificate::Incomplete(Aia::Missing),      1, is_unknown),
        (Certificate::Weak(Weakness::ShortKey),      1, is_good),
        (Certificate::Weak(Weakness::Sha1),          1, is_bad),
        (Certificate::Weak(Weakness::Md5),           1, is_bad),
    ];
    let site = Site::new();
    for (certificate, length, says) in table {
        site.web.show("shop.example", certificate.clone());
        let (seen, said) = site.shown("shop.example").unwrap();
        assert_eq!(seen, length, "{certificate:?}");
        assert!(says(&said), "{certificate:?}: {said:?}");
    }
}

#[test]
fn a_handshake_can_end_without_a_certificate() {
    use rustls::AlertDescription::{InternalError, UnrecognisedName};
    let site = Site::new();
    let ends_with = |certificate| {
        site.web.show("shop.example", certificate);
        site.shown("shop.example").unwrap_err()
    };
    assert_eq!(ends_with(Certificate::Alert), Error::AlertReceived(UnrecognisedName));
    assert_eq!(ends_with(Certificate::InternalError), Error::AlertReceived(InternalError));
    assert!(matches!(ends_with(Certificate::Close), Error::General(_)));
}

#[test]
fn names_are_shown_their_own_a_wildcards_or_the_servers_certificate() {
    let site = Site::new();
    site.web.show("shop.example", Certificate::good());
    site.web.show("*.wild.example", Certificate::good());
    let is_good = |name| site.shown(name).unwrap().1.is_ok();
    assert!(is_good("shop.example") && is_good("a.wild.example"));
    assert!(!is_good("other.example") && !is_good("a.b.wild.example"));
    assert_eq!(site.web.hellos().len(), 4);
    site.web.otherwise(Certificate::Alert);
    assert!(site.shown("other.example").is_err());
}

#[test]
fn two_addresses_can_show_different_certificates() {
    let first = Site::new();
    let second = Site { web: first.internet.web(), internet: Internet::start() };
    first.web.show("shop.example", Certificate::good());
    assert!(first.shown("shop.example").unwrap().1.is_ok());
    assert_ne!(first.web.address(), second.web.address());
}

#[test]
#[rustfmt::skip] // One case a line.
fn a_name_answers_what_it_was_told_to() {
    let table = [
        (Answer::Status(200),                               "/",                        "HTTP/1.1 200 ", "A page"),
        (Answer::Status(503),                               "/",                        "HTTP/1.1 503 ", "A page"),
        (Answer::Redirect("https://shop.example/".into()),  "/x",                       "HTTP/1.1 301 ", "location: https://shop.example/"),
        (Answer::Hops(2),                                   "/x",                       "HTTP/1.1 301 ", "location: /hop/1"),
        (Answer::Hops(2),                                   "/hop/1",                   "HTTP/1.1 301 ", "location: /hop/2"),
        (Answer::Hops(2),                                   "/hop/2",                   "HTTP/1.1 200 ", "A page"),
        (Answer::Proof(7),                                  "/?async_check_dns_nonce=a","HTTP/1.1 200 ", r#""id":7"#),
        (Answer::Proof(7),                                  "/",                        "HTTP/1.1 200 ", "A page"),
        (Answer::Close,                                     "/",                        "",              ""),
    ];
    let site = Site::new();
    for scheme in [Scheme::Http, Scheme::Https] {
        for (answer, target, status, part) in &table {
            site.web.answer(scheme, "shop.example", answer.clone());
            let said = site.answer(scheme, target);
            assert!(said.starts_with(status) && said.contains(part), "{answer:?} {target}: {said}");
            assert_eq!(said.is_empty(), *answer == Answer::Close);
        }
    }
    let requests = site.web.requests();
    assert_eq!((requests.len(), requests[2].target.as_str(), requests[0].name.as_str()), (18, "/x", "shop.example"));
}

#[test]
fn its_clock_can_be_wrong() {
    let site = Site::new();
    let date = || {
        let said = site.answer(Scheme::Http, "/");
        let date = said.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
        httpdate::parse_http_date(date).unwrap()
    };
    let right = date();
    site.web.clock_ahead(3600);
    let ahead = date().duration_since(right).unwrap();
    assert!((3600..3700).contains(&ahead.as_secs()));
}

#[test]
fn a_port_can_be_closed_silent_or_filtered_and_open_again() {
    let site = Site::new();
    for scheme in [Scheme::Http, Scheme::Https] {
        let socket = site.socket(scheme);
        let connect = || TcpStream::connect_timeout(&socket, SILENCE);
        site.web.door(scheme, Door::Closed);
        assert_eq!(connect().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        site.web.door(scheme, Door::Filtered);
        assert_eq!(connect().unwrap_err().kind(), ErrorKind::TimedOut);
        site.web.door(scheme, Door::Silent);
        let mut stream = connect().unwrap();
        stream.set_read_timeout(Some(SILENCE)).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n").unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        site.web.door(scheme, Door::Open);
        drop(connect().unwrap());
    }
}
