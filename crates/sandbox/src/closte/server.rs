//! The wire of the stand-in: reads a call, applies its effect, logs it, and answers or fails to.

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use url::form_urlencoded;

use super::answers::{Answer, ApiRequest};
use super::faults::{Act, RetryAfter};
use super::log::{Call, CallKind, KeySeen, without_key};
use super::{Shared, Verdict};
use crate::ca::now;
use crate::connection::{Break, Line};

/// More than any call needs.
const BODY_LIMIT: usize = 1 << 20;

/// The path before the name of a call.
pub(super) const BASE: &str = "/api/client";

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response<Body> {
    let stop = shared.stop.clone();
    let handled = stop.run_until_cancelled(async {
        let incoming = Incoming::read(request).await;
        respond(shared.judge(&incoming), &line).await
    });
    handled.await.unwrap_or_else(|| {
        line.sever(Break::Close);
        Response::default()
    })
}

/// A call as it came over the wire.
#[derive(Debug)]
pub(super) struct Incoming {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Incoming {
    async fn read(request: Request) -> Self {
        let (head, body) = request.into_parts();
        Self {
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: to_bytes(body, BODY_LIMIT).await.unwrap_or_default(),
        }
    }

    fn kind(&self) -> CallKind {
        match (self.method.as_str(), self.path.strip_prefix(BASE)) {
            ("POST", Some("/adddomainalias")) => CallKind::Add,
            ("POST", Some("/deletedomainalias")) => CallKind::Delete,
            ("GET", Some("/getdomains")) => CallKind::List,
            ("GET", Some("/domainsiframe")) => CallKind::Page,
            _ => CallKind::Other,
        }
    }

    /// The body of a POST counts as a form only if its type says so.
    fn is_form(&self) -> bool {
        self.header(&header::CONTENT_TYPE)
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    fn fields(&self) -> &[u8] {
        match self.method {
            Method::GET => self.query.as_bytes(),
            _ if self.is_form() => &self.body,
            _ => b"",
        }
    }

    /// The body for the log. Where a key would be in anything but a form is unknown.
    fn body_without_key(&self, key: KeySeen) -> String {
        if self.is_form() || self.body.is_empty() {
            without_key(&String::from_utf8_lossy(&self.body), key)
        } else {
            format!("[{} octets that are no form]", self.body.len())
        }
    }

    fn field(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.fields())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn asked(&self, right_key: &str) -> ApiRequest {
        let key = match self.field("apikey") {
            Some(key) if key == right_key => KeySeen::Right,
            Some(_) => KeySeen::Wrong,
            None => KeySeen::Missing,
        };
        ApiRequest {
            kind: self.kind(),
            key,
            domain: self.field("domain"),
            wildcard: self.field("wildcard"),
        }
    }

    /// The call for the log, without what only the state knows.
    pub(super) fn call(&self, asked: ApiRequest, answer: &Answer) -> Call {
        Call {
            number: 0,
            at: Duration::ZERO,
            kind: asked.kind,
            method: self.method.to_string(),
            path: self.path.clone(),
            query: without_key(&self.query, asked.key),
            body: self.body_without_key(asked.key),
            content_type: self.header(&header::CONTENT_TYPE).map(str::to_owned),
            user_agent: self.header(&header::USER_AGENT).map(str::to_owned),
            key: asked.key,
            domain: asked.domain,
            wildcard: asked.wildcard,
            status: answer.status,
            answer: answer.body.clone(),
            fault: None,
            effect: false,
        }
    }
}

async fn respond(verdict: Verdict, line: &Line) -> Response<Body> {
    let Verdict { answer, act, delay } = verdict;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    match act {
        Act::Answer => response(&answer),
        Act::Status { status, headers, body } => with_headers(status, &headers, body),
        Act::RateLimited { retry_after } => rate_limited(retry_after),
        Act::Html => response(&Answer::html(
            200,
            "<!doctype html><title>Closte</title><h1>We will be back</h1>",
        )),
        Act::Empty => Response::default(),
        Act::HalfJson => response(&Answer { body: first_half(&answer.body).to_owned(), ..answer }),
        Act::Cut => severed(line, Break::MidBody, &answer),
        Act::Reset => severed(line, Break::Reset, &answer),
        Act::Close => severed(line, Break::Close, &answer),
        Act::Hang => pending().await,
    }
}

/// The break happens when this answer is written.
fn severed(line: &Line, how: Break, answer: &Answer) -> Response<Body> {
    line.sever(how);
    response(answer)
}

fn response(answer: &Answer) -> Response<Body> {
    let content_type = (header::CONTENT_TYPE.to_string(), answer.content_type.to_owned());
    with_headers(answer.status, &[content_type], answer.body.clone())
}

fn rate_limited(retry_after: Option<RetryAfter>) -> Response<Body> {
    let value = retry_after.map(|after| match after {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::DateIn(seconds) => {
            httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + now() + Duration::from_secs(seconds))
        }
    });
    let headers: Vec<_> =
        value.map(|value| (header::RETRY_AFTER.to_string(), value)).into_iter().collect();
    with_headers(429, &headers, String::new())
}

/// A status or header that HTTP does not allow becomes a bare 500: it came from a test or a control call.
fn with_headers(status: u16, headers: &[(String, String)], body: String) -> Response<Body> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(body)).unwrap_or_else(|error| {
        let mut response = Response::new(Body::from(error.to_string()));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}

fn first_half(text: &str) -> &str {
    &text[..text.floor_char_boundary(text.len() / 2)]
}
