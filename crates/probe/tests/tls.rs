//! Checks of TLS servers on loopback: the sandbox's, and hand-made ones that are worse.

use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use probe::{NetProbe, Settings, read_pem};
use rules::Time;
use rules::clock::ManualClock;
use rules::probe::{Presented, Probe, TlsObservation, TlsVerdict, Unreached};
use rustls::pki_types::CertificateDer;
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{HandshakeKind, ProtocolVersion, ServerConfig, SupportedProtocolVersion};
use sandbox::Certificate;
use sandbox::web::Web;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const DAY: Duration = Duration::from_hours(24);

#[expect(clippy::disallowed_methods, reason = "the certificates begin and end by the real clock")]
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    Time::default() + since
}

fn probe_at(time: Time, port: u16, extra_roots: Vec<CertificateDer<'static>>) -> NetProbe {
    let settings = Settings {
        resolvers: Some(vec![(V4, 53).into()]),
        https_port: port,
        extra_roots,
        allow_private: true,
        ..Settings::default()
    };
    NetProbe::new(settings, Arc::new(ManualClock::at(time))).expect("settings that make sense")
}

fn probe(port: u16, extra_roots: Vec<CertificateDer<'static>>) -> NetProbe {
    probe_at(now(), port, extra_roots)
}

async fn web() -> Web {
    let settings = sandbox::web::Settings { addresses: vec![V4, V6], ..Default::default() };
    Web::start(settings).await.expect("free ports")
}

/// The sandbox's CA, by way of a file.
fn roots(web: &Web) -> Vec<CertificateDer<'static>> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(web.ca_pem().as_bytes()).expect("some space");
    read_pem(file.path()).expect("a certificate")
}

async fn check(probe: &NetProbe, name: &str, address: IpAddr) -> TlsObservation {
    probe.handshake(&name.parse().expect("a domain name"), address).await
}

fn presented(observation: TlsObservation) -> (Presented, TlsVerdict) {
    match observation {
        TlsObservation::Presented { certificate, verdict } => (certificate, verdict),
        other => panic!("no certificate: {other:?}"),
    }
}

/// A server that does `serve` with each connection.
async fn serve<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((V4, 0)).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    port
}

/// A certificate with a key of its own, as `change` wants it.
fn self_signed(change: impl FnOnce(&mut rcgen::CertificateParams)) -> CertifiedKey {
    let key = rcgen::KeyPair::generate().expect("randomness");
    let mut params = rcgen::CertificateParams::new(["a.test".to_owned()]).expect("a name");
    change(&mut params);
    let certificate = params.self_signed(&key).expect("a certificate").der().clone();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("ring made it");
    CertifiedKey::new(vec![certificate], key)
}

fn acceptor(shown: CertifiedKey, version: &'static SupportedProtocolVersion) -> TlsAcceptor {
    let shown: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(shown));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("ring supports it")
        .with_no_client_auth()
        .with_cert_resolver(shown);
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn every_certificate_gets_its_verdict() {
    let web = web().await;
    let probe = probe(web.https_port(), roots(&web));
    let table = [
        (Certificate::valid(), TlsVerdict::Trusted),
        (Certificate::expiring(), TlsVerdict::Trusted),
        (Certificate::Expired, TlsVerdict::Expired),
        (Certificate::NotYetValid, TlsVerdict::NotYetValid),
        (Certificate::OtherName, TlsVerdict::OtherName),
        (Certificate::Default, TlsVerdict::OtherName),
        (Certificate::SelfSigned, TlsVerdict::SelfSigned),
    ];
    for (shown, want) in table {
        web.set("shop.test", shown.clone());
        for address in [V4, V6] {
            let (_, verdict) = presented(check(&probe, "shop.test", address).await);
            assert_eq!(verdict, want, "{shown:?} at {address}");
        }
    }
}

#[tokio::test]
async fn the_certificate_is_reported_as_it_was_presented() {
    let web = web().await;
    web.set("*.shop.test", Certificate::valid());
    let probe = probe(web.https_port(), roots(&web));
    let (certificate, verdict) = presented(check(&probe, "a.shop.test", V4).await);
    assert_eq!(verdict, TlsVerdict::Trusted);
    assert_eq!(certificate.issuer, "closte-sync sandbox CA");
    assert_eq!(certificate.names, ["*.shop.test"]);
    assert_eq!(certificate.not_after.since(certificate.not_before), 90 * DAY);
    assert!(certificate.not_before < now() && now() < certificate.not_after);
}

#[tokio::test]
async fn a_wildcard_covers_exactly_one_label() {
    let web = web().await;
    web.otherwise(Certificate::OtherName);
    let probe = probe(web.https_port(), roots(&web));
    web.set("*.shop.test", Certificate::valid());
    let (_, verdict) = presented(check(&probe, "a.b.shop.test", V4).await);
    assert_eq!(verdict, TlsVerdict::OtherName);
}

#[tokio::test]
async fn an_unknown_ca_is_no_self_signed_certificate() {
    let (web, other) = (web().await, web().await);
    web.set("shop.test", Certificate::valid());
    for extra in [roots(&other), Vec::new()] {
        let probe = probe(web.https_port(), extra);
        let (_, verdict) = presented(check(&probe, "shop.test", V4).await);
        assert_eq!(verdict, TlsVerdict::UnknownIssuer);
    }
}

#[tokio::test]
async fn the_time_is_the_clocks() {
    let web = web().await;
    web.set("shop.test", Certificate::valid());
    for (time, want) in [
        (now() + 100 * DAY, TlsVerdict::Expired),
        (now() - DAY, TlsVerdict::NotYetValid),
        (Time::from_millis(-1), TlsVerdict::NotYetValid),
    ] {
        let probe = probe_at(time, web.https_port(), roots(&web));
        let (_, verdict) = presented(check(&probe, "shop.test", V4).await);
        assert_eq!(verdict, want, "at {time:?}");
    }
}

#[tokio::test]
async fn self_signed_wins_over_all_else_that_is_wrong() {
    let long_ago = rcgen::date_time_ymd(2001, 1, 1);
    let shown = [
        self_signed(|params| params.not_after = long_ago),
        self_signed(|params| {
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }),
        self_signed(|params| params.subject_alt_names.clear()),
    ];
    for shown in shown {
        let acceptor = acceptor(shown, &rustls::version::TLS13);
        let port = serve(move |stream| {
            let accept = acceptor.accept(stream);
            async move { drop(accept.await) }
        });
        let probe = probe(port.await, Vec::new());
        let (_, verdict) = presented(check(&probe, "a.test", V4).await);
        assert_eq!(verdict, TlsVerdict::SelfSigned);
    }
}

#[tokio::test]
async fn a_handshake_is_full_each_time_and_nothing_follows_it() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let shown = self_signed(|_| ());
        let root = shown.cert[0].clone();
        let acceptor = acceptor(shown, version);
        let (seen, mut visits) = tokio::sync::mpsc::unbounded_channel();
        let port = serve(move |stream| {
            let (accept, seen) = (acceptor.accept(stream), seen.clone());
            async move {
                let mut stream = accept.await.expect("a handshake");
                // Without a `close_notify` this is an error.
                let rest = stream.read(&mut [0; 16]).await.map_err(|error| error.kind());
                let session = stream.get_ref().1;
                let _ = seen.send((session.handshake_kind(), session.protocol_version(), rest));
            }
        });
        let probe = probe(port.await, vec![root]);
        for _ in 0..2 {
            let (_, verdict) = presented(check(&probe, "a.test", V4).await);
            assert_eq!(verdict, TlsVerdict::Trusted);
            let (kind, spoken, rest) = visits.recv().await.unwrap();
            // A server of rustls may ask for another key share first.
            assert_ne!(kind, Some(HandshakeKind::Resumed));
            assert_eq!(spoken, Some(version.version));
            assert_eq!(rest, Ok(0), "{:?}", version.version == ProtocolVersion::TLSv1_2);
        }
    }
}

#[tokio::test]
async fn a_certificate_whose_key_the_server_has_not_is_bad() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (shown, other) = (self_signed(|_| ()), self_signed(|_| ()));
        let root = shown.cert[0].clone();
        let acceptor = acceptor(CertifiedKey::new(shown.cert, other.key), version);
        let port = serve(move |stream| {
            let accept = acceptor.accept(stream);
            async move { drop(accept.await) }
        });
        let probe = probe(port.await, vec![root]);
        let (_, verdict) = presented(check(&probe, "a.test", V4).await);
        assert_eq!(verdict, TlsVerdict::Bad);
    }
}

#[tokio::test]
async fn a_server_without_a_certificate_for_the_name_is_reported_as_that() {
    let web = web().await;
    web.set("shop.test", Certificate::None);
    let probe_web = probe(web.https_port(), roots(&web));
    let alert = "it answered with the alert `unrecognized_name`".to_owned();
    assert_eq!(
        check(&probe_web, "shop.test", V4).await,
        TlsObservation::NoCertificate { detail: alert }
    );

    let plain = serve(|mut stream| async move {
        let mut hello = [0; 4096];
        let _ = stream.read(&mut hello).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.read(&mut hello).await;
    });
    let probe_plain = probe(plain.await, Vec::new());
    let detail = "the server does not speak TLS".to_owned();
    assert_eq!(
        check(&probe_plain, "shop.test", V4).await,
        TlsObservation::NoCertificate { detail }
    );

    let closing = serve(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let probe_closing = probe(closing.await, Vec::new());
    let detail = "it closed the connection without a certificate".to_owned();
    assert_eq!(
        check(&probe_closing, "shop.test", V4).await,
        TlsObservation::NoCertificate { detail }
    );
}

#[tokio::test]
async fn a_handshake_that_the_server_breaks_off_ends_without_a_certificate() {
    let web = web().await;
    let probe_web = probe(web.https_port(), roots(&web));
    web.kill();
    let detail = "it closed the connection without a certificate".to_owned();
    assert_eq!(check(&probe_web, "shop.test", V4).await, TlsObservation::NoCertificate { detail });
}

#[tokio::test]
async fn nobody_answering_says_nothing_of_the_certificate() {
    let web = web().await;
    let no_answer = |how, detail: &str| TlsObservation::NoAnswer { how, detail: detail.to_owned() };
    let probe_web = probe(web.https_port(), roots(&web));

    web.set("mute.test", Certificate::NoAnswer);
    let mute = check(&probe_web, "mute.test", V4).await;
    assert_eq!(mute, no_answer(Unreached::Silent, "no handshake within 5 s"));

    // Bound and not listening: nobody else gets the port.
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let probe_closed = probe(bound.local_addr().unwrap().port(), Vec::new());
    assert_eq!(
        check(&probe_closed, "shop.test", V4).await,
        no_answer(Unreached::Refused, "connection refused")
    );
}

#[tokio::test]
async fn a_connection_that_is_never_made_is_silence_as_the_settings_say() {
    // Nobody accepts, and the queue is full: the kernel answers no more.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(100));
    let queue: Vec<_> = std::iter::from_fn(|| connect().ok()).collect();
    let settings = Settings {
        https_port: address.port(),
        allow_private: true,
        timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let probe = NetProbe::new(settings, Arc::new(ManualClock::at(now()))).unwrap();
    let detail = "no answer within 0.3 s".to_owned();
    let silent = TlsObservation::NoAnswer { how: Unreached::Silent, detail };
    assert_eq!(check(&probe, "shop.test", V4).await, silent);
    drop(queue);
}

#[tokio::test]
async fn no_packet_goes_where_the_guard_forbids() {
    let listeners = [V4, V6].map(|address| {
        let listener = std::net::TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        listener
    });
    for listener in &listeners {
        let address = listener.local_addr().unwrap();
        let settings = Settings { https_port: address.port(), ..Settings::default() };
        let probe = NetProbe::new(settings, Arc::new(ManualClock::at(now()))).unwrap();
        let detail = format!(
            "`{}` is not a public address (loopback); `checks.allow_private` would allow it",
            address.ip()
        );
        let observation = check(&probe, "shop.test", address.ip()).await;
        assert_eq!(observation, TlsObservation::Forbidden { detail });
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}

#[tokio::test]
async fn an_address_in_disguise_is_judged_by_what_it_reaches() {
    let listener = std::net::TcpListener::bind((V4, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("IPv4") };
    let settings = Settings { https_port: address.port(), ..Settings::default() };
    let probe = NetProbe::new(settings, Arc::new(ManualClock::at(now()))).unwrap();
    let mapped = IpAddr::V6(address.ip().to_ipv6_mapped());
    assert!(matches!(check(&probe, "shop.test", mapped).await, TlsObservation::Forbidden { .. }));
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_file_without_certificates_is_reported_with_its_name() {
    let missing = read_pem("/nowhere/ca.pem".as_ref()).unwrap_err();
    assert_eq!(missing.to_string(), "could not read `/nowhere/ca.pem`");

    let said = |text: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let error = read_pem(file.path()).unwrap_err();
        error.to_string().replace(&file.path().display().to_string(), "ca.pem")
    };
    assert_eq!(
        said("no PEM at all"),
        "`ca.pem` has no certificate in it (a PEM file with `BEGIN CERTIFICATE` is needed)"
    );
    let torn = said("-----BEGIN CERTIFICATE-----\nMIIB\n");
    assert!(torn.starts_with("`ca.pem` is not an intact PEM file: "), "{torn}");
}

#[test]
fn settings_that_make_no_sense_are_reported() {
    let new = |settings| match NetProbe::new(settings, Arc::new(ManualClock::default())) {
        Ok(_) => panic!("a probe"),
        Err(error) => error.to_string(),
    };
    let nobody = Settings { resolvers: Some(Vec::new()), ..Settings::default() };
    assert_eq!(new(nobody), "`checks.resolvers` names no resolver");
    let garbage = vec![CertificateDer::from(vec![1, 2, 3])];
    let garbage = Settings { extra_roots: garbage, ..Settings::default() };
    assert_eq!(new(garbage), "certificate 1 of `checks.trusted_ca` cannot be trusted as a root");
}
