//! An HTTP server that answers from a function and records what it was asked: for stand-ins.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
pub use axum::http::Method;
use axum::http::{HeaderMap, Response, Uri};
use axum::serve::Listener;
use axum::{Router, serve};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// One request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its path, as it was sent.
    pub path: String,
    /// Its query, decoded.
    pub query: BTreeMap<String, String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Asked {
    /// The route of the REST API, however it was asked for.
    pub fn route(&self) -> &str {
        let plain = self.query.get("rest_route").map(String::as_str);
        plain.or_else(|| self.path.strip_prefix("/wp-json")).unwrap_or_default()
    }

    /// A header that is text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, headers and a body.
    Said(u16, Vec<(&'static str, String)>, String),
    /// No answer, forever.
    Hang,
}

impl Answer {
    /// JSON with that status.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Said(status, vec![("content-type", "application/json".into())], body.to_string())
    }

    /// A page for visitors, as a cache or proxy in front of WordPress answers.
    pub fn html(status: u16) -> Self {
        Self::Said(status, vec![("content-type", "text/html".into())], "<html></html>".into())
    }

    /// A failure as WordPress reports it.
    pub fn fault(status: u16, code: &str, message: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({"code": code, "message": message, "data": {"status": status}}),
        )
    }
}

type Answers = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Shared {
    answers: Box<Answers>,
    asked: Mutex<Vec<Asked>>,
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server that ends when it is dropped.
pub struct Server {
    scheme: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Server {
    /// One that answers `answers` over plain http.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let (listener, address) = listener().await;
        Self::on("http", address, listener, answers)
    }

    /// The same over https, with a certificate for `localhost`; and the authority that issued it,
    /// which nobody trusts yet.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start_with_tls(
        answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> (Self, Certificate) {
        let (config, authority) = certified();
        let (listener, address) = listener().await;
        let listener = Tls { listener, acceptor: TlsAcceptor::from(Arc::new(config)) };
        (Self::on("https", address, listener, answers), authority)
    }

    fn on<L>(
        scheme: &'static str,
        address: SocketAddr,
        listener: L,
        answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self
    where
        L: Listener<Addr = SocketAddr>,
    {
        let shared = Arc::new(Shared { answers: Box::new(answers), asked: Mutex::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let task =
            tokio::spawn(async move { serve(listener, router).await.expect("it never ends") });
        Self { scheme, address, shared, task }
    }

    /// Its front page, at `localhost`.
    pub fn url(&self) -> String {
        format!("{}://localhost:{}/", self.scheme, self.address.port())
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked().clone()
    }

    /// The same as `GET /wu/v2/domain`, and forgotten.
    pub fn take_routes(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.shared.asked());
        asked.iter().map(|it| format!("{} {}", it.method, it.route())).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let path = uri.path().to_owned();
    let asked = Asked { method, path, query, headers, body: body.to_vec() };
    shared.asked().push(asked.clone());
    let Answer::Said(status, headers, body) = (shared.answers)(&asked) else {
        return std::future::pending().await;
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body.into()).expect("answers are well formed")
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

fn certified() -> (ServerConfig, Certificate) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, new_key()).expect("an authority");
    let key = new_key();
    let mut params = CertificateParams::default();
    params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().expect("a name"))];
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key.into());
    (config.expect("the key is the certificate's"), authority.as_ref().clone())
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("keys of the default kind")
}

/// Connections whose handshake succeeded.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, address)) = self.listener.accept().await else { continue };
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}
