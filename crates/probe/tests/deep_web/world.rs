//! A DNS server, a web server at every address of 127/8, and a probe that asks both.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use probe::{NetProbe, Settings};
use rules::Time;
use rules::clock::ManualClock;
use rules::evidence::{Deep, HttpEnd, HttpVisit, Inquiry};
use rules::probe::Probe;
use rules::targets::{TargetBasis, Targets};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sandbox::dns::{Dns, Record, a};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Where the domain is, and a second target.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const ALSO_HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
pub(crate) const LABEL: &str = "zq7";
pub(crate) const PATH: &str = "/.well-known/acme-challenge/zq7";

/// What the world is asked about `shop.test`.
pub(crate) struct World {
    pub(crate) dns: Dns,
    pub(crate) http: Server,
    pub(crate) https: Server,
    pub(crate) settings: Settings,
    pub(crate) targets: Vec<IpAddr>,
}

/// A web server at every address of 127/8.
pub(crate) struct Server {
    pub(crate) port: u16,
    root: Option<CertificateDer<'static>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: IpAddr,
    pub(crate) head: String,
}

impl Asked {
    /// Host and path.
    pub(crate) fn url(&self) -> String {
        let path = self.head.split(' ').nth(1).expect("a request line");
        let host = self.head.lines().find_map(|line| line.strip_prefix("host: "));
        format!("{}{path}", host.expect("a host"))
    }
}

/// What a server does with a request.
pub(crate) enum Does {
    /// Answers this, and ends the connection.
    Answers(Vec<u8>),
    /// Nothing.
    Nothing,
    /// Resets the connection.
    Resets,
}

pub(crate) fn answers(status: &str, headers: &str) -> Does {
    Does::Answers(format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\n\r\n").into())
}

pub(crate) fn ok() -> Does {
    answers("200 OK", "")
}

pub(crate) fn moved(to: impl std::fmt::Display) -> Does {
    answers("301 Moved Permanently", &format!("location: {to}\r\n"))
}

impl Server {
    /// Serve plain HTTP: `does` gets host and path.
    pub(crate) async fn http(does: impl Fn(&str) -> Does + Send + Sync + 'static) -> Self {
        Self::serve(None, does).await
    }

    /// Serve HTTP over TLS with a certificate that is its own root, for these names.
    pub(crate) async fn https(
        names: &[&str],
        does: impl Fn(&str) -> Does + Send + Sync + 'static,
    ) -> Self {
        let key = rcgen::KeyPair::generate().expect("randomness");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let params = rcgen::CertificateParams::new(names).expect("names");
        let root = params.self_signed(&key).expect("a certificate").der().clone();
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports them")
            .with_no_client_auth()
            .with_single_cert(vec![root.clone()], key)
            .expect("they belong together");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self { root: Some(root), ..Self::serve(Some(acceptor), does).await }
    }

    async fn serve(
        tls: Option<TlsAcceptor>,
        does: impl Fn(&str) -> Does + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let (seen, does) = (Arc::clone(&asked), Arc::new(does));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, does, tls) = (Arc::clone(&seen), Arc::clone(&does), tls.clone());
                tokio::spawn(async move {
                    let at = stream.local_addr().expect("it is connected").ip();
                    let note = move |head: String| {
                        let asked = Asked { at, head };
                        let does = does(&asked.url());
                        seen.lock().expect("nobody panicked").push(asked);
                        does
                    };
                    match tls {
                        None => answer(stream, note, |stream| stream).await,
                        Some(tls) => {
                            // Whoever came for the certificate alone sends nothing.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            answer(stream, note, |stream| stream.into_inner().0).await;
                        }
                    }
                });
            }
        });
        Self { port, root: None, asked }
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    note: impl FnOnce(String) -> Does,
    tcp: impl FnOnce(S) -> TcpStream,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    match note(String::from_utf8(head).expect("plain text")) {
        Does::Answers(answer) => {
            // Whoever has read enough goes.
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
        Does::Nothing => drop(stream.read(&mut [0; 16]).await),
        Does::Resets => {
            let stream = tcp(stream);
            stream.set_zero_linger().expect("a socket can");
        }
    }
}

/// A port at which nobody listens while the socket is kept.
pub(crate) fn closed() -> (TcpSocket, u16) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into()).expect("a free port");
    let port = socket.local_addr().expect("it is bound").port();
    (socket, port)
}

impl World {
    /// `shop.test` is here, and its web servers are these.
    pub(crate) async fn new(http: Server, https: Server) -> Self {
        let dns = Dns::start(sandbox::dns::Settings::default()).await.expect("a free port");
        dns.set("shop.test", [a("127.0.0.1")]);
        let settings = Settings {
            resolvers: Some(vec![dns.address()]),
            // Nobody listens there.
            roots: Some(vec![SocketAddr::new(HERE, 1)]),
            http_port: http.port,
            https_port: https.port,
            extra_roots: https.root.iter().cloned().collect(),
            allow_private: true,
            ..Settings::default()
        };
        Self { dns, http, https, settings, targets: vec![HERE] }
    }

    /// Port 80 `does` so, and over TLS all is well.
    pub(crate) async fn with_http(does: impl Fn(&str) -> Does + Send + Sync + 'static) -> Self {
        let https = Server::https(&["shop.test"], |_| ok()).await;
        Self::new(Server::http(does).await, https).await
    }

    pub(crate) fn name_is_at(self, name: &str, records: impl IntoIterator<Item = Record>) -> Self {
        self.dns.set(name, records);
        self
    }

    pub(crate) fn targets(mut self, targets: impl IntoIterator<Item = IpAddr>) -> Self {
        self.targets = targets.into_iter().collect();
        self
    }

    pub(crate) fn patient_for(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    pub(crate) async fn investigated(&self, name: &str) -> Deep {
        let clock = Arc::new(ManualClock::at(Time::default() + Duration::from_hours(500_000)));
        let probe = NetProbe::new(self.settings.clone(), clock).expect("settings that make sense");
        let targets = targets(&self.targets);
        let inquiry = Inquiry { targets: &targets, label: LABEL, within: Inquiry::WHOLE };
        probe.investigate(&name.parse().expect("a domain name"), &inquiry).await
    }

    /// The visit to port 80 of `shop.test`.
    pub(crate) async fn visited(&self) -> HttpVisit {
        self.investigated("shop.test").await.http.remove(&HERE).expect("it is here")
    }

    /// How that ended.
    pub(crate) async fn ended(&self) -> HttpEnd {
        self.visited().await.end
    }
}

fn targets(addresses: &[IpAddr]) -> Targets {
    let set: BTreeSet<IpAddr> = addresses.iter().copied().collect();
    let basis = TargetBasis { set: &set, public: &BTreeSet::new(), own: None };
    basis.targets(None, None, Time::default())
}
