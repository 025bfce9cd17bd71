//! Asking for the routing proof on loopback: the sandbox's answers, and hand-made ones that are worse.

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use probe::{NetProbe, Settings, read_pem};
use rules::Time;
use rules::clock::ManualClock;
use rules::probe::{Probe, ProofObservation};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sandbox::Certificate;
use sandbox::web::{Answer, Web};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[expect(clippy::disallowed_methods, reason = "the certificates begin and end by the real clock")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Time::default() + since
}

fn probe_with(https_port: u16, root: CertificateDer<'static>, allow_private: bool) -> NetProbe {
    let settings = Settings {
        resolvers: Some(vec![(HERE, 53).into()]),
        https_port,
        extra_roots: vec![root],
        allow_private,
        ..Settings::default()
    };
    NetProbe::new(settings, Arc::new(ManualClock::at(now()))).expect("settings that make sense")
}

/// The sandbox's CA, by way of a file.
fn root(web: &Web) -> CertificateDer<'static> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(web.ca_pem().as_bytes()).expect("some space");
    read_pem(file.path()).expect("a certificate").remove(0)
}

async fn web() -> (Web, NetProbe) {
    let web = Web::start(sandbox::web::Settings::default()).await.expect("free ports");
    let probe = probe_with(web.https_port(), root(&web), true);
    (web, probe)
}

async fn ask(probe: &NetProbe, name: &str) -> ProofObservation {
    probe.ask(&name.parse().expect("a domain name"), HERE, "0a1b").await
}

fn no_proof(detail: &str) -> ProofObservation {
    ProofObservation::NoProof { detail: detail.to_owned() }
}

/// A server for `a.test` that a browser trusts and that does `serve` with each
/// connection, once the head of a request is there; and a probe for it.
async fn server<F>(serve: impl Fn(TlsStream<TcpStream>, String) -> F + Send + 'static) -> NetProbe
where
    F: Future<Output = ()> + Send + 'static,
{
    let key = rcgen::KeyPair::generate().expect("randomness");
    let params = rcgen::CertificateParams::new(["a.test".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate").der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports them")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((HERE, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = acceptor.accept(stream).await.expect("a handshake");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                assert_ne!(stream.read_buf(&mut head).await.expect("a request"), 0);
            }
            tokio::spawn(serve(stream, String::from_utf8(head).expect("plain text")));
        }
    });
    probe_with(port, certificate, true)
}

/// A server that answers this and closes the connection.
async fn answering(answer: impl Into<Vec<u8>>) -> NetProbe {
    let answer: Arc<[u8]> = answer.into().into();
    server(move |mut stream, _| {
        let answer = Arc::clone(&answer);
        async move {
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn the_mapping_that_wordpress_answers_for_is_reported() {
    let (web, probe) = web().await;
    web.set("shop.test", Certificate::valid());
    web.answer("shop.test", Answer::Id(41));
    assert_eq!(ask(&probe, "shop.test").await, ProofObservation::Answered(41));
    let [question] = &web.questions()[..] else { panic!("asked once") };
    assert_eq!((question.name.as_str(), question.nonce.as_str()), ("shop.test", "0a1b"));

    let expiring = Certificate::expiring();
    web.set("shop.test", expiring);
    assert_eq!(ask(&probe, "shop.test").await, ProofObservation::Answered(41));
}

#[tokio::test]
async fn an_id_may_come_as_text_in_chunks_or_until_the_end_of_the_connection() {
    let probe = answering(ok(r#"{"id":"41"}"#)).await;
    assert_eq!(ask(&probe, "a.test").await, ProofObservation::Answered(41));
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"id\r\n5\r\n\":41}\r\n0\r\n\r\n";
    let probe = answering(chunks).await;
    assert_eq!(ask(&probe, "a.test").await, ProofObservation::Answered(41));
    let probe = answering("HTTP/1.0 200 OK\r\n\r\n{\"id\":41}").await;
    assert_eq!(ask(&probe, "a.test").await, ProofObservation::Answered(41));
}

#[tokio::test]
async fn one_small_request_is_sent_and_says_who_we_are() {
    let (seen, mut heads) = mpsc::unbounded_channel();
    let probe = server(move |mut stream, head| {
        seen.send(head).expect("the test waits for it");
        async move {
            let _ = stream.write_all(ok("{\"id\":1}").as_bytes()).await;
        }
    })
    .await;
    let name = "a.test".parse().expect("a domain name");
    probe.ask(&name, HERE, "a b&c").await;
    let head = heads.recv().await.expect("a request");
    let agent = concat!("user-agent: closte-sync/", env!("CARGO_PKG_VERSION"));
    for line in ["host: a.test", agent, "accept: application/json", "connection: close"] {
        assert!(head.lines().any(|it| it == line), "no `{line}` in {head}");
    }
    assert!(head.starts_with("GET /?async_check_dns_nonce=a%20b%26c HTTP/1.1\r\n"), "{head}");
    assert!(heads.try_recv().is_err(), "and no other");
}

#[tokio::test]
async fn what_stands_in_front_of_wordpress_is_no_proof() {
    let (web, probe) = web().await;
    web.set("*.shop.test", Certificate::valid());
    web.answer("cached.shop.test", Answer::Html);
    web.answer("moved.shop.test", Answer::Redirect("https://shop.test/?x".to_owned()));
    let page = no_proof("it answered with something else than JSON, such as a page");
    assert_eq!(ask(&probe, "cached.shop.test").await, page);
    assert_eq!(ask(&probe, "text.shop.test").await, page);
    let moved = no_proof("it redirects to `https://shop.test/` (status 301)");
    assert_eq!(ask(&probe, "moved.shop.test").await, moved);
    assert_eq!(web.visits().len(), 3, "no redirect is followed");
}

#[tokio::test]
async fn every_other_answer_is_no_proof_either() {
    let long_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n{{\"id\":41}}", "x".repeat(1 << 20));
    let huge = format!("{{\"id\":41,\"x\":\"{}\"}}", "x".repeat(64 << 10));
    let endless = format!("HTTP/1.0 200 OK\r\n\r\n{}", " ".repeat(1 << 20));
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"id\":41}";
    let table = [
        (ok("false"), "it answered with JSON that has no `id`"),
        (ok(&huge), "it answered with more than 64 KiB"),
        (endless, "it answered with more than 64 KiB"),
        (long_head, "it does not answer in HTTP"),
        (cut.to_owned(), "its answer broke off"),
        ("220 mail.a.test ESMTP\r\n".to_owned(), "it does not answer in HTTP"),
        (String::new(), "it closed the connection without an answer"),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n{\"id\":41}".to_owned(),
            "it answered with status 403",
        ),
        (
            // A control character of Unicode's second block controls terminals too.
            "HTTP/1.1 302 Found\r\nLocation: /\u{9b}2Jx\r\nContent-Length: 0\r\n\r\n".to_owned(),
            r"it redirects to `/\u009b2Jx` (status 302)",
        ),
    ];
    for (answer, detail) in table {
        let probe = answering(answer.clone()).await;
        let head: String = answer.chars().take(80).collect();
        assert_eq!(ask(&probe, "a.test").await, no_proof(detail), "{head}");
    }
}

#[tokio::test]
async fn silence_and_trickles_end_after_five_seconds() {
    let (web, silent) = web().await;
    web.set("shop.test", Certificate::valid());
    web.answer("shop.test", Answer::Hang);
    let trickling = server(|mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(b" ").await.is_ok() && stream.flush().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let start = Instant::now();
    let both = tokio::join!(ask(&silent, "shop.test"), ask(&trickling, "a.test"));
    let late = || no_proof("no answer within 5 s");
    assert_eq!(both, (late(), late()));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn whoever_a_browser_would_not_trust_is_not_asked() {
    let (web, probe) = web().await;
    let untrusted = || no_proof("its certificate is not trusted");
    for (certificate, observation) in [
        (Certificate::Expired, untrusted()),
        (Certificate::NotYetValid, untrusted()),
        (Certificate::OtherName, untrusted()),
        (Certificate::SelfSigned, untrusted()),
        (Certificate::Default, untrusted()),
        (Certificate::None, no_proof("it answered with the alert `unrecognized_name`")),
    ] {
        web.set("shop.test", certificate.clone());
        web.answer("shop.test", Answer::Id(41));
        assert_eq!(ask(&probe, "shop.test").await, observation, "{certificate:?}");
    }
    assert!(web.questions().is_empty(), "nobody learns the question");
}

#[tokio::test]
async fn no_packet_goes_where_the_guard_forbids() {
    let listener = std::net::TcpListener::bind((HERE, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a socket can");
    let (web, _) = web().await;
    let port = listener.local_addr().expect("it is bound").port();
    let probe = probe_with(port, root(&web), false);
    let forbidden =
        "`127.0.0.1` is not a public address (loopback); `checks.allow_private` would allow it";
    assert_eq!(ask(&probe, "shop.test").await, no_proof(forbidden));
    assert_eq!(listener.accept().expect_err("nobody came").kind(), ErrorKind::WouldBlock);
}
