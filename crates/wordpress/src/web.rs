//! The way to WordPress over HTTP.
//!
//! WordPress' REST API lies below `/wp-json/`, and where permalinks are plain it is asked by
//! `?rest_route=`; which of the two works is remembered.

mod endpoint;
mod reply;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::HOST;
use http::{Client, Limits, Method, NoAnswer, RequestBuilder, Url};
use rules::source::SourceError;
use tokio::sync::OnceCell;

pub use endpoint::{Endpoint, NotAHost};
pub(crate) use reply::{Fault, Reply, number_of};

/// A way to the REST API of one network.
#[derive(Debug)]
pub(crate) struct Web {
    /// Made when it is first needed: it reads all of the system's roots.
    client: OnceCell<Client>,
    connect: Duration,
    endpoint: Endpoint,
    /// Whether an answer is the REST API's own, by the method that was used.
    is_rest: fn(&Method, &Reply) -> bool,
    /// Whether it is asked by `?rest_route=`.
    plain: AtomicBool,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    /// The route, such as `/wu/v2/domain`.
    pub(crate) route: &'a str,
    pub(crate) query: &'a [(&'a str, String)],
    /// How long it may take, and the most octets of an answer.
    pub(crate) limits: Limits,
}

impl Web {
    pub(crate) fn new(
        endpoint: Endpoint,
        connect: Duration,
        is_rest: fn(&Method, &Reply) -> bool,
    ) -> Self {
        let (client, plain) = (OnceCell::new(), AtomicBool::new(false));
        Self { client, connect, endpoint, is_rest, plain }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Send `request`; `prepare` adds headers and a body, anew each time that it is sent.
    pub(crate) async fn send(
        &self,
        request: &Request<'_>,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Reply, NoAnswer> {
        let plain = self.plain.load(Ordering::Relaxed);
        let reply = self.send_to(self.url(request, plain), request, &prepare).await?;
        if plain || (self.is_rest)(&request.method, &reply) {
            return Ok(reply);
        }
        let other = self.send_to(self.url(request, true), request, &prepare).await?;
        if (self.is_rest)(&request.method, &other) {
            self.plain.store(true, Ordering::Relaxed);
            return Ok(other);
        }
        Ok(reply)
    }

    /// What `error` means to those who asked for the network.
    pub(crate) fn failure(&self, doing: &'static str, error: NoAnswer) -> SourceError {
        match error {
            NoAnswer::Unreachable(_) | NoAnswer::Late(_) => {
                SourceError::NoAnswer { at: self.endpoint.to_string(), source: error.into() }
            }
            NoAnswer::Broken(_) | NoAnswer::NoClient(_) => {
                SourceError::BadAnswer { doing, source: error.into() }
            }
        }
    }

    fn url(&self, request: &Request<'_>, plain: bool) -> Url {
        let mut url = self.endpoint.route(request.route, plain);
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(request.query);
        }
        url
    }

    async fn send_to(
        &self,
        url: Url,
        request: &Request<'_>,
        prepare: &impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Reply, NoAnswer> {
        let endpoint = &self.endpoint;
        let open = async || Client::open(endpoint.base(), self.connect, endpoint.trusted());
        let client = self.client.get_or_try_init(open).await?;
        let mut builder = client.request(request.method.clone(), url);
        if let Some(host) = endpoint.host() {
            builder = builder.header(HOST, host.clone());
        }
        let mut answer = client.send(prepare(builder), request.limits).await?;
        answer.flaw.take().map_or_else(|| Ok(Reply::new(answer)), Err)
    }
}

/// An answer that is not what was asked for.
pub(crate) fn not_meant(doing: &'static str, what: &str) -> SourceError {
    SourceError::BadAnswer { doing, source: what.into() }
}
