//! The plugin over HTTP: each call is a `POST`, signed anew each time that it is sent.

use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Limits, Method};
use rules::Clock;
use rules::source::SourceError;
use serde_json::Value;

use super::{Call, answer};
use crate::signature::{Direction, Message, Secret, sign};
use crate::web::{Endpoint, Reply, Request, Web};

/// The REST namespace of the plugin.
const NAMESPACE: &str = "/closte-sync/v1/";

/// The way over HTTP. It has a secret, so it has no `Debug`.
pub(super) struct Signed {
    web: Web,
    secret: Secret,
    clock: Arc<dyn Clock>,
}

impl Signed {
    pub(super) fn new(
        endpoint: Endpoint,
        secret: Secret,
        connect: Duration,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { web: Web::new(endpoint, connect, answer::is_rest), secret, clock }
    }

    /// Where the network answers.
    pub(super) fn endpoint(&self) -> &Endpoint {
        self.web.endpoint()
    }

    pub(super) async fn send(
        &self,
        call: Call,
        body: &Value,
        limit: Duration,
        most: usize,
    ) -> Result<Reply, SourceError> {
        let route = format!("{NAMESPACE}{}", call.name);
        let body = body.to_string();
        let limits = Limits { time: limit, silence: limit, octets: most };
        let request = Request { method: Method::POST, route: &route, query: &[], limits };
        let message = Message {
            direction: Direction::ToPlugin,
            method: "POST",
            path: &route,
            body: body.as_bytes(),
        };
        let reply = self.web.send(&request, |mut builder| {
            let headers = sign(&self.secret, &message, self.clock.now(), rand::random());
            for (name, value) in headers.pairs() {
                builder = builder.header(name, value);
            }
            builder.header(CONTENT_TYPE, "application/json").body(body.clone())
        });
        reply.await.map_err(|error| self.web.failure(call.doing, error))
    }
}
