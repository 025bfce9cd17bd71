//! The web server, visited by a client that judges certificates as a browser does.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use sandbox::web::{Answer, Settings, Web};
use sandbox::{Certificate, Validity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::PATIENCE;

async fn web() -> Web {
    Web::start(Settings::default()).await.expect("loopback has free ports")
}

/// A browser that trusts this CA alone.
pub(crate) fn browser(ca_pem: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

/// Why a visit failed.
#[derive(Debug)]
pub(crate) enum VisitError {
    Tls(TlsError),
    Io(ErrorKind),
}

pub(crate) async fn visit(
    ca_pem: &str,
    address: SocketAddr,
    name: &str,
) -> Result<TlsStream<TcpStream>, VisitError> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let tcp = TcpStream::connect(address).await.map_err(|error| VisitError::Io(error.kind()))?;
    let shaken =
        timeout(PATIENCE, browser(ca_pem).connect(name, tcp)).await.expect("the handshake ends");
    shaken.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
            Some(tls) => VisitError::Tls(tls.clone()),
            None => VisitError::Io(error.kind()),
        }
    })
}

/// What `name` answers to a request.
async fn page(web: &Web, name: &str, path: &str) -> String {
    let mut tls = visit(&web.ca_pem(), web.https_address(), name).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {name}\r\n\r\n");
    tls.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    tls.read_to_string(&mut page).await.unwrap();
    page
}

async fn visit_error(web: &Web, name: &str) -> VisitError {
    visit(&web.ca_pem(), web.https_address(), name).await.expect_err("the browser refuses")
}

#[tokio::test]
async fn a_valid_certificate_is_accepted_and_the_page_is_served() {
    let web = web().await;
    web.set("shop.test", Certificate::valid());
    web.set("old.test", Certificate::expiring());
    visit(&web.ca_pem(), web.https_address(), "old.test").await.unwrap();

    let page = page(&web, "Shop.test", "/").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");

    let visits = web.visits();
    assert_eq!(visits[1].name.as_deref(), Some("shop.test"));
    assert_eq!(visits[1].certificate, Some(Certificate::valid()));
}

#[tokio::test]
async fn bad_certificates_are_refused_for_their_own_reason() {
    use CertificateError::{
        ExpiredContext, NotValidForNameContext, NotValidYetContext, UnknownIssuer,
    };

    let web = web().await;
    web.set("expired.test", Certificate::Expired);
    web.set("early.test", Certificate::NotYetValid);
    web.set("other.test", Certificate::OtherName);
    web.set("selfsigned.test", Certificate::SelfSigned);
    let day = Duration::from_hours(24);
    web.set("over.test", Certificate::Valid(Validity { lifetime: day, elapsed: 2 * day }));

    let refused = async |name| match visit_error(&web, name).await {
        VisitError::Tls(TlsError::InvalidCertificate(error)) => error,
        other => panic!("{name}: {other:?}"),
    };
    assert!(matches!(refused("expired.test").await, ExpiredContext { .. }));
    assert!(matches!(refused("over.test").await, ExpiredContext { .. }));
    assert!(matches!(refused("early.test").await, NotValidYetContext { .. }));
    assert!(matches!(refused("other.test").await, NotValidForNameContext { .. }));
    assert!(matches!(refused("unknown.test").await, NotValidForNameContext { .. }));
    assert!(matches!(refused("selfsigned.test").await, UnknownIssuer));
}

#[tokio::test]
async fn a_name_without_certificate_is_refused_by_an_alert() {
    let web = web().await;
    web.otherwise(Certificate::None);
    let alert = visit_error(&web, "unknown.test").await;
    assert!(
        matches!(
            alert,
            VisitError::Tls(TlsError::AlertReceived(AlertDescription::UnrecognisedName))
        ),
        "{alert:?}"
    );
}

#[tokio::test]
async fn silence_lasts_until_the_server_stops() {
    let web = web().await;
    web.set("dumb.test", Certificate::NoAnswer);
    let (ca, address) = (web.ca_pem(), web.https_address());
    let visit = visit(&ca, address, "dumb.test");
    tokio::pin!(visit);
    assert!(timeout(Duration::from_millis(200), &mut visit).await.is_err(), "the server answered");
    web.stopped().await;
    assert!(matches!(visit.await, Err(VisitError::Io(_))));
}

#[tokio::test]
async fn a_wildcard_covers_one_label() {
    let web = web().await;
    web.set("*.example.test", Certificate::valid());
    web.set("own.example.test", Certificate::Expired);
    visit(&web.ca_pem(), web.https_address(), "any.example.test").await.unwrap();
    for name in ["example.test", "a.b.example.test", "own.example.test"] {
        visit_error(&web, name).await;
    }
}

#[tokio::test]
async fn a_name_answers_the_routing_proof_as_it_was_reported_to() {
    let web = web().await;
    web.set("*.shop.test", Certificate::valid());
    let to = "https://elsewhere.test/".to_owned();
    web.answer("A.shop.test", Answer::Id(41));
    web.answer("b.shop.test", Answer::Html);
    web.answer("c.shop.test", Answer::Redirect(to));
    let asked = "/?async_check_dns_nonce=0123";
    for (name, path, status, word) in [
        ("a.shop.test", asked, "200", "\"id\":41"),
        ("a.shop.test", "/", "200", "the sandbox"),
        ("b.shop.test", asked, "200", "<!DOCTYPE html>"),
        ("c.shop.test", "/?x=1&async_check_dns_nonce=4567", "301", "https://elsewhere.test/"),
        ("d.shop.test", asked, "200", "the sandbox"),
    ] {
        let page = page(&web, name, path).await;
        assert!(page.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {page}");
        assert!(page.contains(word), "{name}: {page}");
    }
    let asked: Vec<_> = web.questions().into_iter().map(|it| (it.name, it.nonce)).collect();
    let want = [("a", "0123"), ("b", "0123"), ("c", "4567"), ("d", "0123")];
    assert_eq!(asked, want.map(|(name, nonce)| (format!("{name}.shop.test"), nonce.to_owned())));
}

#[tokio::test]
async fn a_proof_that_hangs_ends_with_the_server() {
    let web = web().await;
    web.set("shop.test", Certificate::valid());
    web.answer("shop.test", Answer::Hang);
    let mut tls = visit(&web.ca_pem(), web.https_address(), "shop.test").await.unwrap();
    tls.write_all(b"GET /?async_check_dns_nonce=0 HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = [0; 1];
    let waited = timeout(Duration::from_millis(200), tls.read(&mut answer)).await;
    assert!(waited.is_err(), "the server answered");
    web.stopped().await;
    assert!(!matches!(tls.read(&mut answer).await, Ok(1)));
}

#[tokio::test]
async fn several_addresses_share_one_port() {
    let addresses: Vec<IpAddr> =
        ["127.0.0.2", "127.0.0.3"].map(|address| address.parse().unwrap()).into();
    let web =
        Web::start(Settings { addresses: addresses.clone(), ..Settings::default() }).await.unwrap();
    web.set("shop.test", Certificate::valid());
    for address in &addresses {
        visit(&web.ca_pem(), SocketAddr::new(*address, web.https_port()), "shop.test")
            .await
            .unwrap();
    }
    let visited: Vec<IpAddr> = web.visits().iter().map(|visit| visit.address).collect();
    assert_eq!(visited, addresses);
}

#[tokio::test]
async fn plain_http_is_served_beside_it() {
    let web = web().await;
    let page = crate::common::client()
        .get(format!("http://{}/", web.http_address()))
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    assert!(!web.visits()[0].https);
}

#[tokio::test]
async fn a_killed_server_resets_visitors_until_it_is_revived() {
    let web = web().await;
    web.set("shop.test", Certificate::valid());
    web.kill();
    let reset = visit_error(&web, "shop.test").await;
    assert!(
        matches!(reset, VisitError::Io(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)),
        "{reset:?}"
    );
    assert_eq!((web.connections(), web.visits().len()), (1, 0));
    web.revive();
    visit(&web.ca_pem(), web.https_address(), "shop.test").await.unwrap();
}

#[tokio::test]
async fn a_web_server_without_an_address_does_not_start() {
    let error =
        Web::start(Settings { addresses: Vec::new(), ..Settings::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), "the web server needs at least one address");
}
