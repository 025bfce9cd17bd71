//! The way to WordPress over HTTP: one request goes out, one bounded answer comes back.
//!
//! Redirects are never followed: what is sent is signed or carries a password, and a changed method
//! would be another request. WordPress' REST API lies below `/wp-json/`, and where permalinks are
//! plain it is asked by `?rest_route=`; which of the two works is remembered.

mod endpoint;
mod reply;

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{HOST, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use rules::source::SourceError;
use rustls::pki_types::CertificateDer;
use tokio::sync::OnceCell;
use url::Url;

pub use endpoint::{Endpoint, NotAnEndpoint};
pub(crate) use reply::{Fault, Reply, clean, number_of};

/// How long a kept-alive connection may rest: shorter than servers keep it, so that seldom is one
/// closed under a request.
const REST: Duration = Duration::from_secs(4);

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
    /// How long it may take in all.
    pub(crate) limit: Duration,
    /// The most octets of an answer that are read.
    pub(crate) most: usize,
}

/// Why no whole answer came. Its text holds no URL.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum NoReply {
    /// No connection, or no answer in time.
    #[error("{0}")]
    Silent(String),
    /// The answer broke off, or is more than is meant for us.
    #[error("{0}")]
    Broken(String),
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
    ) -> Result<Reply, NoReply> {
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
    pub(crate) fn failure(&self, doing: &'static str, error: NoReply) -> SourceError {
        match error {
            NoReply::Silent(_) => {
                SourceError::NoAnswer { at: self.endpoint.to_string(), source: error.into() }
            }
            NoReply::Broken(_) => SourceError::BadAnswer { doing, source: error.into() },
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
    ) -> Result<Reply, NoReply> {
        let client =
            self.client.get_or_try_init(async || client(&self.endpoint, self.connect)).await;
        let client = client.map_err(|error| NoReply::Broken(no_client(&error)))?;
        let mut builder = client.request(request.method.clone(), url).timeout(request.limit);
        if let Some(host) = self.endpoint.host() {
            builder = builder.header(HOST, host.clone());
        }
        let failed = |error: reqwest::Error| no_reply(&error, request.limit);
        let mut response = prepare(builder).send().await.map_err(failed)?;
        let body = body(&mut response, request.most).await.map_err(failed)?;
        let too_much = || format!("an answer of more than {} KiB", request.most >> 10);
        let body = body.ok_or_else(|| NoReply::Broken(too_much()))?;
        Ok(Reply::new(response.status().as_u16(), response.headers().clone(), body))
    }
}

/// HTTP/1.1 only: a connection that breaks then takes one request with it. Proxies of the
/// environment are used, but not on the way to this machine itself.
fn client(endpoint: &Endpoint, connect: Duration) -> Result<Client, reqwest::Error> {
    // Fails where one is there already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let trusted =
        endpoint.trusted().iter().map(|it: &CertificateDer<'_>| Certificate::from_der(it));
    let client = Client::builder()
        .user_agent(concat!("closte-sync/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .redirect(Policy::none())
        .tls_certs_merge(trusted.collect::<Result<Vec<_>, _>>()?)
        .connect_timeout(connect)
        .pool_idle_timeout(REST);
    if endpoint.is_this_machine() { client.no_proxy().build() } else { client.build() }
}

fn no_client(error: &reqwest::Error) -> String {
    let why = causes(error).last().map_or_else(|| error.to_string(), ToString::to_string);
    format!("no HTTP client could be made: {why}")
}

/// The whole body; none where it is more than `most`.
async fn body(response: &mut Response, most: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if most < body.len() + chunk.len() {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn no_reply(error: &reqwest::Error, limit: Duration) -> NoReply {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    if error.is_timeout() && !error.is_connect() {
        return NoReply::Silent(format!("no answer within {}", in_words(limit)));
    }
    if error.is_connect() {
        return NoReply::Silent(connect_failure(error));
    }
    let kind = causes(error).find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    if matches!(kind, Some(ConnectionReset | BrokenPipe)) {
        return NoReply::Broken("the connection was reset".to_owned());
    }
    let last = causes(error).last();
    NoReply::Broken(last.map_or_else(|| "the answer broke off".to_owned(), ToString::to_string))
}

/// Why no connection was made: the causes below those that only say so.
fn connect_failure(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no connection in time".to_owned();
    }
    let why: Vec<_> = causes(error).skip(1).map(ToString::to_string).collect();
    if why.is_empty() { "no connection".to_owned() } else { why.join(": ") }
}

/// The causes of an error, without itself: its text holds the URL.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn in_words(time: Duration) -> String {
    match time.subsec_millis() {
        0 => format!("{} s", time.as_secs()),
        _ => format!("{} ms", time.as_millis()),
    }
}

/// An answer that is not what was asked for.
pub(crate) fn not_meant(doing: &'static str, what: &str) -> SourceError {
    SourceError::BadAnswer { doing, source: what.into() }
}

/// A header's value of text that came from outside.
fn header(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
