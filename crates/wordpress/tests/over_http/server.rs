//! An HTTP server that answers from a function and writes down what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use axum::serve::Listener;
use axum::{Router, serve};
use rcgen::{CertifiedIssuer, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The route of the REST API, however it was asked for.
    pub(crate) fn route(&self) -> &str {
        let plain = self.query.get("rest_route").map(String::as_str);
        plain.or_else(|| self.path.strip_prefix("/wp-json")).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What it answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status, headers and a body.
    Said(u16, Vec<(&'static str, String)>, String),
    /// Nothing, for ever.
    Hang,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Said(status, vec![("content-type", "application/json".into())], body.to_string())
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::Said(status, vec![("content-type", "text/html".into())], "<html></html>".into())
    }

    /// A failure as WordPress tells it.
    pub(crate) fn fault(status: u16, code: &str, message: &str) -> Self {
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

/// A server that ends when it is dropped.
pub(crate) struct Server {
    scheme: &'static str,
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self::on("http", address, listener, answers)
    }

    /// One with a certificate for `localhost`, and the authority that issued it.
    pub(crate) async fn start_with_tls(
        answers: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> (Self, CertificateDer<'static>) {
        let (config, authority) = certified();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
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
        let task = tokio::spawn(async move { serve(listener, router).await.unwrap() });
        Self { scheme, address, shared, task }
    }

    pub(crate) fn url(&self) -> url::Url {
        format!("{}://localhost:{}/", self.scheme, self.address.port()).parse().unwrap()
    }

    /// Everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// The same as `GET /wu/v2/domain`, and forgotten.
    pub(crate) fn take_routes(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.shared.asked.lock().unwrap());
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
    shared.asked.lock().unwrap().push(asked.clone());
    let Answer::Said(status, headers, body) = (shared.answers)(&asked) else {
        return std::future::pending().await;
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body.into()).unwrap()
}

fn certified() -> (ServerConfig, CertificateDer<'static>) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.subject_alt_names = vec![SanType::DnsName("localhost".try_into().unwrap())];
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key.into()).unwrap();
    (config, authority.der().clone())
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
