//! Hearing the plugin's nudges over HTTP: signed, small, and never more than a
//! reason to look sooner.
//!
//! Whoever is not the plugin learns nothing here and cannot make us work: a bad
//! request costs a hash, and one that dawdles is cut off.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use rules::Clock;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use wordpress::signature::{Direction, Headers, Message, Refusal, Verifier};

use crate::clock::SystemClock;

/// Where nudges go: the path that is signed.
pub(crate) const PATH: &str = "/v1/nudge";

/// So many connections at once; more wait.
const AT_ONCE: usize = 32;

/// A connection that takes longer is cut off.
const PATIENCE: Duration = Duration::from_secs(5);

/// A nudge is a line of JSON.
const LARGEST: usize = 4096;

/// Hear nudges at `listener`, and call `heard` for each good one, without end.
pub(crate) async fn listen(
    listener: TcpListener,
    verifier: Verifier,
    heard: impl Fn() + Clone + Send + Sync + 'static,
) {
    let verifier = Arc::new(Mutex::new(verifier));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let place = places.clone().acquire_owned().await.expect("nobody closes it");
        match listener.accept().await {
            Ok((stream, _)) => {
                let (verifier, heard) = (verifier.clone(), heard.clone());
                tokio::spawn(async move {
                    let _ = timeout(PATIENCE, serve(stream, &verifier, heard)).await;
                    drop(place);
                });
            }
            // No file is left for it, say.
            Err(error) => {
                tracing::warn!("a nudge could not be taken: {error}");
                sleep(PATIENCE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, verifier: &Mutex<Verifier>, heard: impl Fn() + Clone) {
    let answer = service_fn(|request| {
        let heard = heard.clone();
        async move { Ok::<_, Infallible>(answer(request, verifier, heard).await) }
    });
    let served = http1::Builder::new()
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
    if let Err(error) = served {
        tracing::debug!("a connection to the listener broke: {error}");
    }
}

async fn answer(
    request: Request<Incoming>,
    verifier: &Mutex<Verifier>,
    heard: impl Fn(),
) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    if parts.uri.path() != PATH || parts.method != Method::POST {
        return response(StatusCode::NOT_FOUND, "{}");
    }
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return response(StatusCode::PAYLOAD_TOO_LARGE, "{}");
    };
    match check(&parts.headers, &body.to_bytes(), verifier) {
        Ok(()) => {
            tracing::info!("nudged by the plugin");
            heard();
            response(StatusCode::ACCEPTED, "{}")
        }
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status()).expect("it is a constant");
            let (code, message) = (refusal.code(), refusal.to_string());
            response(status, &serde_json::json!({ "code": code, "message": message }).to_string())
        }
    }
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

fn response(status: StatusCode, json: &str) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::copy_from_slice(json.as_bytes())))
        .expect("its parts are constants")
}
