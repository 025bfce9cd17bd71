//! One request over the wire, and what it means when no answer comes back.
//!
//! Either no connection was made, and nothing happened at the host, or the
//! request may have gone out, and then nothing is known. Nothing is sent twice
//! by itself: the one exception is in the HTTP client, which takes another
//! connection when a kept-alive one turns out to be closed *and* the client is
//! certain that not a byte of the request was handed to it. A close that meets
//! the request on its way is an unknown outcome, as it must be.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rules::host::HostError;

use crate::answer::{Answer, Body, unknown};
use crate::api_key::ApiKey;
use crate::api_url::ApiUrl;
use crate::call::Call;

/// An answer to a write is a line of JSON; more is not meant for us.
const MOST_OF_A_WRITE: usize = 64 << 10;

/// A list of sixty thousand of the longest names.
const MOST_OF_A_LIST: usize = 16 << 20;

/// How long a kept-alive connection may rest. Shorter than servers allow (the
/// usual ones close after 5 s or more), so that seldom is one closed under a
/// request.
const REST: Duration = Duration::from_secs(4);

/// How long the host may take, counted from when a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// To connect: DNS, TCP and TLS.
    pub connect: Duration,
    /// In all, for a write.
    pub write: Duration,
    /// In all, for a call that changes nothing.
    pub read: Duration,
}

impl Default for Timeouts {
    /// Closte's own client gives up after 5 s of connecting and 10 s in all,
    /// Ultimate Multisite after 45 s. A read can be given up at no cost. A write
    /// that was given up too early has to be settled, so it gets twice as long;
    /// more would let a host that hangs use up the time of a whole pass.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), write: seconds(20), read: seconds(10) }
    }
}

/// The way to the host.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    base: ApiUrl,
    timeouts: Timeouts,
}

impl Transport {
    pub(crate) fn open(base: ApiUrl, timeouts: Timeouts) -> reqwest::Result<Self> {
        let client = http_client(&base, timeouts.connect)?;
        Ok(Self { client, base, timeouts })
    }

    /// Where the API is.
    pub(crate) fn base(&self) -> &ApiUrl {
        &self.base
    }

    /// Send one request and read its answer.
    pub(crate) async fn send(&self, call: Call<'_>, key: &ApiKey) -> Result<Answer, HostError> {
        let limit = self.limit(call);
        let mut request =
            self.client.request(call.method(), call.url(&self.base, key)).timeout(limit);
        if let Some(form) = call.form(key) {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let response = request.send().await.map_err(|error| self.failure(&error, limit))?;
        let most = if matches!(call, Call::List) { MOST_OF_A_LIST } else { MOST_OF_A_WRITE };
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: body(response, most, limit).await })
    }

    fn limit(&self, call: Call<'_>) -> Duration {
        match call {
            Call::Add(_) | Call::Remove(_) => self.timeouts.write,
            Call::List | Call::Check => self.timeouts.read,
        }
    }

    fn failure(&self, error: &reqwest::Error, limit: Duration) -> HostError {
        if !error.is_connect() {
            return unknown(cut_short(error, limit).unwrap_or_else(|| last_cause(error)));
        }
        let why = if error.is_timeout() {
            format!("no connection within {}", in_words(self.timeouts.connect))
        } else {
            connect_failure(error)
        };
        HostError::Unreachable(why.into())
    }
}

/// The client for all calls.
///
/// HTTP/1.1 only: a connection that breaks then takes one call with it. There
/// are as many connections as calls at once, and now and then a spare, as a
/// call may start in the moment before a connection is free again. Proxies of
/// the environment are used (`HTTPS_PROXY`; through a tunnel, so they never see
/// the key), but not on the way to this machine itself.
fn http_client(base: &ApiUrl, connect: Duration) -> reqwest::Result<Client> {
    // Fails where one is there already, which is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::builder()
        .user_agent(concat!("closte-sync/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .redirect(Policy::none())
        .connect_timeout(connect)
        .pool_idle_timeout(REST);
    if base.is_this_machine() { client.no_proxy().build() } else { client.build() }
}

/// Read the body to its end, so that its connection can be used again.
async fn body(mut response: Response, most: usize, limit: Duration) -> Body {
    let mut body = Body::default();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.bytes.len() + chunk.len() <= most => {
                body.bytes.extend_from_slice(&chunk);
            }
            Ok(None) => return body,
            Ok(Some(chunk)) => {
                body.bytes.extend_from_slice(&chunk[..most - body.bytes.len()]);
                body.flaw = Some(format!("an answer of more than {} KiB", most >> 10));
                return body;
            }
            Err(error) => {
                let why = cut_short(&error, limit);
                body.flaw = Some(why.unwrap_or_else(|| "the answer broke off".to_owned()));
                return body;
            }
        }
    }
}

/// Why no whole answer came, where that can be said in plain words.
fn cut_short(error: &reqwest::Error, limit: Duration) -> Option<String> {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    if error.is_timeout() {
        return Some(format!("no answer within {}", in_words(limit)));
    }
    let kind = causes(error).find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    let was_reset = matches!(kind, Some(ConnectionReset | BrokenPipe));
    was_reset.then(|| "the connection was reset".to_owned())
}

/// The last cause says what happened; those above it, where in the client.
fn last_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no answer".to_owned(), ToString::to_string)
}

/// Why no connection was made: the causes below those that only say so.
fn connect_failure(error: &reqwest::Error) -> String {
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
