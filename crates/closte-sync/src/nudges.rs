//! Hearing the plugin's nudges over HTTP: signed, small, and never more than a
//! reason to look sooner.
//!
//! Whoever is not the plugin learns nothing here and cannot make us work: a bad
//! request costs a hash, one that dawdles is cut off, and where too many come at
//! once, the one that dawdled longest makes room.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rules::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use wordpress::signature::{Direction, Headers, Message, Refusal, Verifier};

use crate::clock::SystemClock;

/// Where nudges go: the path that is signed.
pub(crate) const PATH: &str = "/v1/nudge";

/// So many connections at once. The plugin waits a second and no longer, so one
/// more does not wait for its turn: it takes that of the oldest.
const AT_ONCE: usize = 32;

/// Who has not said by then what is wanted is cut off.
const HEAD_WITHIN: Duration = Duration::from_secs(2);

/// A connection that takes longer in all likewise.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is being answered gets this long when we stop.
const GRACE: Duration = Duration::from_secs(1);

/// A nudge is a line of JSON.
const LARGEST: usize = 4096;

/// Its head is some lines more. As much is read ahead of a connection, and no more.
const LARGEST_HEAD: usize = 16 << 10;

/// Who is asked about each request, and told of each good one.
struct Nudges {
    verifier: Mutex<Verifier>,
    heard: Box<dyn Fn() + Send + Sync>,
}

/// What answers nudges, and calls `heard` for each good one.
pub(crate) fn router(verifier: Verifier, heard: impl Fn() + Send + Sync + 'static) -> Router {
    let nudges = Nudges { verifier: Mutex::new(verifier), heard: Box::new(heard) };
    Router::new()
        .route(PATH, post(nudge).fallback(nothing))
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(Arc::new(nudges))
}

/// Serve `router` at `listener` until it is told to `stop`; then the address is free.
pub(crate) async fn listen(listener: TcpListener, router: Router, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let mut oldest_first = VecDeque::new();
    while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((stream, _)) => {
                oldest_first.retain(|served: &AbortOnDropHandle<()>| !served.is_finished());
                if AT_ONCE <= oldest_first.len() {
                    oldest_first.pop_front();
                }
                let served = tokio::spawn(serve(stream, router.clone(), graceful.watcher()));
                oldest_first.push_back(AbortOnDropHandle::new(served));
            }
            // No file is left for it, say.
            Err(error) => {
                tracing::warn!("a nudge could not be taken: {error}");
                stop.run_until_cancelled(sleep(PATIENCE)).await;
            }
        }
    }
    drop(listener);
    let _ = timeout(GRACE, graceful.shutdown()).await;
}

async fn serve(stream: TcpStream, router: Router, stop: Watcher) {
    let connection = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    match timeout(PATIENCE, stop.watch(connection)).await {
        Ok(Ok(())) => (),
        Ok(Err(error)) => tracing::debug!("a connection to the listener broke: {error}"),
        Err(_) => tracing::debug!("a connection to the listener took too long"),
    }
}

async fn nudge(
    State(nudges): State<Arc<Nudges>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else { return json(StatusCode::PAYLOAD_TOO_LARGE, "{}".to_owned()) };
    match check(&headers, &body, &nudges.verifier) {
        Ok(()) => {
            tracing::info!("nudged by the plugin");
            (nudges.heard)();
            json(StatusCode::ACCEPTED, "{}".to_owned())
        }
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).expect("it is a constant");
            let (code, message) = (refusal.code(), refusal.to_string());
            json(status, serde_json::json!({ "code": code, "message": message }).to_string())
        }
    }
}

async fn nothing() -> Response {
    json(StatusCode::NOT_FOUND, "{}".to_owned())
}

fn check(headers: &HeaderMap, body: &[u8], verifier: &Mutex<Verifier>) -> Result<(), Refusal> {
    let direction = Direction::ToEngine;
    let message = Message { direction, method: Method::POST.as_str(), path: PATH, body };
    let value = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let mut verifier = verifier.lock().unwrap_or_else(PoisonError::into_inner);
    let checked = verifier.check(&message, Headers::find(value).as_ref(), SystemClock.now());
    checked.inspect_err(|refusal| {
        // Beyond so many in a minute they are not even told of.
        if *refusal != Refusal::TooMany {
            tracing::warn!("a nudge was refused, the {}. so far: {refusal}", verifier.refused());
        }
    })
}

fn json(status: StatusCode, json: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], json).into_response()
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::JoinHandle;
    use tokio::time::Instant;
    use wordpress::signature::{Secret, sign};

    /// A listener, and how many nudges it heard.
    struct Heard {
        address: SocketAddr,
        secret: Secret,
        count: Arc<AtomicUsize>,
        stop: CancellationToken,
        listening: JoinHandle<()>,
    }

    impl Heard {
        async fn start() -> Self {
            let secret = Secret::parse(&"5a".repeat(32)).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
            let count = Arc::new(AtomicUsize::new(0));
            let verifier = Verifier::new(Some(secret.clone()), SystemClock.now());
            let counted = count.clone();
            let router = router(verifier, move || {
                counted.fetch_add(1, Ordering::Relaxed);
            });
            let listening = tokio::spawn(listen(listener, router, stop.clone()));
            Self { address, secret, count, stop, listening }
        }

        async fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).await.unwrap()
        }

        /// A nudge as the plugin signs it.
        fn nudge(&self, body: &str) -> String {
            let (direction, body) = (Direction::ToEngine, body.as_bytes());
            let message = Message { direction, method: "POST", path: PATH, body };
            let headers = sign(&self.secret, &message, SystemClock.now(), rand::random());
            let mut head = format!("POST {PATH} HTTP/1.1\r\nHost: engine\r\n");
            for (name, value) in headers.pairs() {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
            let body = str::from_utf8(body).unwrap();
            format!("{head}Content-Length: {}\r\n\r\n{body}", body.len())
        }

        /// The whole answer to `request`.
        async fn answer(&self, request: &str) -> String {
            let mut stream = self.connect().await;
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    }

    #[tokio::test]
    async fn only_a_signed_nudge_is_heard() {
        let heard = Heard::start().await;
        let nudge = heard.nudge(r#"{"what":"domain"}"#);
        let unsigned = "POST /v1/nudge HTTP/1.1\r\nHost: engine\r\nContent-Length: 2\r\n\r\n{}";
        let table = [
            (nudge.clone(), "HTTP/1.1 202 ", "{}"),
            (nudge, "HTTP/1.1 401 ", "closte_sync_replayed"),
            (unsigned.to_owned(), "HTTP/1.1 401 ", "closte_sync_unsigned"),
            (heard.nudge(&" ".repeat(LARGEST + 1)), "HTTP/1.1 413 ", "{}"),
            (unsigned.replace("/v1/nudge", "/"), "HTTP/1.1 404 ", "{}"),
            (unsigned.replace("POST", "PUT"), "HTTP/1.1 404 ", "{}"),
        ];
        for (request, status, body) in table {
            let answer = heard.answer(&request).await;
            assert!(answer.starts_with(status), "{request}\n{answer}");
            let (fields, json) = answer.split_once("\r\n\r\n").unwrap();
            assert!(json.contains(body), "{request}\n{answer}");
            assert!(fields.contains("content-type: application/json"), "{request}\n{answer}");
        }
        assert_eq!(heard.count.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn silent_connections_do_not_keep_a_good_nudge_out() {
        let heard = Heard::start().await;
        let mut silent = Vec::new();
        for _ in 0..3 * AT_ONCE {
            silent.push(heard.connect().await);
        }
        let nudge = heard.nudge("{}");
        let answer = timeout(HEAD_WITHIN, heard.answer(&nudge)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");
    }

    #[tokio::test]
    async fn a_head_without_end_is_not_read_to_its_end() {
        let heard = Heard::start().await;
        let mut stream = heard.connect().await;
        let endless = format!("POST {PATH} HTTP/1.1\r\nX: {}", "x".repeat(2 * LARGEST_HEAD));
        // It may be cut off while this is written.
        let _ = stream.write_all(endless.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = timeout(HEAD_WITHIN, stream.read_to_end(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }

    #[tokio::test]
    async fn refusals_that_come_at_once_are_all_counted() {
        let heard = Heard::start().await;
        let unsigned = "POST /v1/nudge HTTP/1.1\r\nHost: engine\r\nContent-Length: 2\r\n\r\n{}";
        let answers = (0..AT_ONCE).map(|_| heard.answer(unsigned));
        let answers = futures_util::future::join_all(answers).await;
        let of = |status: &str| answers.iter().filter(|it| it.starts_with(status)).count();
        // Ten a minute are told why; a minute may begin in between.
        let told = of("HTTP/1.1 401 ");
        assert!(told == 10 || told == 20, "{answers:?}");
        assert_eq!(told + of("HTTP/1.1 429 "), AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_dawdles_is_cut_off() {
        let heard = Heard::start().await;
        let half = "POST /v1/nudge HTTP/1.1\r\nContent-Length: 9\r\n\r\n{";
        for (sent, limit) in [("", HEAD_WITHIN), ("POST /v1/nu", HEAD_WITHIN), (half, PATIENCE)] {
            let begun = Instant::now();
            heard.answer(sent).await;
            assert_eq!(begun.elapsed().as_secs(), limit.as_secs(), "{sent}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn when_it_stops_the_address_is_free_and_nobody_is_waited_for_long() {
        let heard = Heard::start().await;
        let _silent = heard.connect().await;
        heard.answer("GET / HTTP/1.1\r\n\r\n").await;
        heard.stop.cancel();
        let begun = Instant::now();
        heard.listening.await.unwrap();
        assert!(begun.elapsed() <= GRACE + Duration::from_millis(1));
        TcpListener::bind(heard.address).await.unwrap();
    }
}
