//! One request to the REST API, with the current credentials.
//!
//! A list that did not arrive is asked for again, at most twice. A write is sent once.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Limits, Method, NoAnswer};
use rules::source::SourceError;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::time::sleep;

use super::credentials::{Credentials, KeyPair};
use super::meaning::{self, Answer};
use crate::web::{Endpoint, Reply, Request, Web};

/// The namespace of Ultimate Multisite.
const NAMESPACE: &str = "/wu/v2/";

/// The most octets of an answer: of a hundred sites with all their fields.
const MOST: usize = 16 << 20;

/// How often a list that did not arrive is asked for.
const TRIES: u32 = 3;

/// A parameter that means nothing, and makes every question a new one.
///
/// Page caches keep answers of the REST API too, for days, no matter who asks and what the headers
/// of a request say: that of `LiteSpeed` does so by default. They store answers by URL.
const UNIQUE: &str = "_";

/// How long WordPress may take, counted from when a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A write, and what is checked before it.
    pub write: Duration,
    /// A page of a list.
    pub list: Duration,
    /// The pause before a list is asked for again.
    pub pause: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            write: Duration::from_secs(3),
            list: Duration::from_secs(10),
            pause: Duration::from_millis(300),
        }
    }
}

/// The way to the REST API of one network.
#[derive(Debug)]
pub struct RestClient {
    web: Web,
    credentials: Credentials,
    timeouts: Timeouts,
}

impl RestClient {
    /// The API at `place`. Nothing is sent yet.
    pub fn new(endpoint: Endpoint, credentials: Credentials, timeouts: Timeouts) -> Self {
        let web = Web::new(endpoint, timeouts.write, meaning::is_rest);
        Self { web, credentials, timeouts }
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        self.web.endpoint()
    }

    /// Whether it has what a request needs.
    pub(super) async fn has_credentials(&self) -> bool {
        matches!(self.credentials.find().await, Ok(Some(_)))
    }

    /// Requests with the current credentials.
    pub(super) async fn session(&self) -> Result<Session<'_>, SourceError> {
        let pair = self.credentials.find().await?;
        let none = || meaning::not_admitted("no key and secret of its REST API are known".into());
        Ok(Session { client: self, pair: pair.ok_or_else(none)? })
    }
}

/// Requests with one pair of credentials.
#[derive(Debug)]
pub(super) struct Session<'a> {
    client: &'a RestClient,
    pair: KeyPair,
}

impl Session<'_> {
    /// Check something, as part of a write.
    pub(super) async fn get(&self, doing: &'static str, path: &str) -> Result<Answer, SourceError> {
        self.once(doing, Method::GET, path, None).await
    }

    pub(super) async fn put(
        &self,
        doing: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, SourceError> {
        self.once(doing, Method::PUT, path, Some(body)).await
    }

    pub(super) async fn post(
        &self,
        doing: &'static str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, SourceError> {
        self.once(doing, Method::POST, path, Some(body)).await
    }

    pub(super) async fn delete(
        &self,
        doing: &'static str,
        path: &str,
    ) -> Result<Answer, SourceError> {
        self.once(doing, Method::DELETE, path, None).await
    }

    /// Read something that can be asked for again: up to twice more where nobody answered, or only
    /// a cache or proxy in front of WordPress.
    pub(super) async fn read(
        &self,
        doing: &'static str,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Answer, SourceError> {
        let limit = self.client.timeouts.list;
        let mut tries = 1;
        loop {
            let reply = self.send(Method::GET, path, query, None, limit).await;
            let again = reply.as_ref().map_or(true, meaning::is_transient);
            if !again || TRIES <= tries {
                return self.answer(doing, reply);
            }
            tries += 1;
            sleep(self.client.timeouts.pause).await;
        }
    }

    async fn once(
        &self,
        doing: &'static str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, SourceError> {
        let limit = self.client.timeouts.write;
        self.answer(doing, self.send(method, path, &[], body, limit).await)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Reply, NoAnswer> {
        let route = format!("{NAMESPACE}{path}");
        let mut query = query.to_vec();
        if method == Method::GET {
            query.push((UNIQUE, rand::random::<u64>().to_string()));
        }
        let limits = Limits { time: limit, silence: limit, octets: MOST };
        let request = Request { method, route: &route, query: &query, limits };
        let KeyPair { key, secret } = &self.pair;
        let prepared = self.client.web.send(&request, |builder| {
            let builder = builder.basic_auth(key.expose_secret(), Some(secret.expose_secret()));
            match body {
                Some(body) => {
                    builder.header(CONTENT_TYPE, "application/json").body(body.to_string())
                }
                None => builder,
            }
        });
        prepared.await
    }

    /// The result, with our secrets removed from its text.
    fn answer(
        &self,
        doing: &'static str,
        reply: Result<Reply, NoAnswer>,
    ) -> Result<Answer, SourceError> {
        let mut reply = reply.map_err(|error| self.client.web.failure(doing, error))?;
        if let Some(fault) = &mut reply.fault {
            fault.message = self.pair.redact(&fault.message);
        }
        meaning::meaning(reply, doing)
    }
}
