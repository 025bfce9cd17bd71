//! A webhook: each message is posted as JSON, signed by Standard Webhooks.
//!
//! The id stays, the time and with it the signature are those of the try. 2xx is delivered; 4xx ends
//! the message, but for 408 and 429, which ask for patience; all else is tried again, not before
//! `Retry-After` says.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::header::CONTENT_TYPE;
use http::{Client, Limits, Method, NoAnswer, NoClient, SecretUrl, StatusCode};
use rules::Clock;
use rules::notice::{Delivery, Message, Receiver};

use crate::body::body;
use crate::secret::Secret;

/// How long a connection may take, and the whole.
const CONNECT: Duration = Duration::from_secs(5);
const TIME: Duration = Duration::from_secs(15);

/// Nothing in an answer is of use but its status.
const MOST: usize = 64 << 10;

/// A [`Receiver`] at a URL.
pub struct Webhook {
    name: String,
    url: SecretUrl,
    secret: Secret,
    clock: Arc<dyn Clock>,
    /// Made when something is sent: it reads all the roots of the system.
    client: OnceLock<Client>,
}

impl Webhook {
    /// The webhook at `url`, of this name. Nothing is connected or sent yet.
    pub fn new(
        name: impl Into<String>,
        url: SecretUrl,
        secret: Secret,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { name: name.into(), url, secret, clock, client: OnceLock::new() }
    }

    fn client(&self) -> Result<&Client, NoClient> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = Client::open(self.url.base(), CONNECT, &[])?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn post(&self, message: &Message) -> Result<Delivery, NoAnswer> {
        let (client, body, now) = (self.client()?, body(message), self.clock.now());
        let seconds = now.as_millis().div_euclid(1000);
        let request = client
            .request(Method::POST, self.url.whole())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.secret.sign(&message.id, seconds, &body))
            .body(body);
        let limits = Limits { time: TIME, silence: TIME, octets: MOST };
        let answer = client.begin(request, limits).await?.with_body(Vec::new());
        Ok(match (meaning(answer.status), answer.retry_after(now.into())) {
            (Delivery::Failed(why), Some(wait)) => Delivery::Busy { why, wait },
            (delivery, _) => delivery,
        })
    }
}

#[async_trait]
impl Receiver for Webhook {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, messages: &[Message]) -> Delivery {
        for message in messages {
            match self.post(message).await {
                Ok(Delivery::Delivered) => (),
                Ok(other) => return other,
                Err(error) => return Delivery::Failed(error.to_string()),
            }
        }
        Delivery::Delivered
    }
}

/// What an answer of this status means.
fn meaning(status: StatusCode) -> Delivery {
    let is_patience = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if status.is_success() {
        Delivery::Delivered
    } else if status.is_client_error() && !is_patience {
        Delivery::Refused(format!("it answers {status}"))
    } else if status.is_redirection() {
        Delivery::Failed(format!("it answers {status}, and no redirect is followed"))
    } else {
        Delivery::Failed(format!("it answers {status}"))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_a_message_is_over() {
        let table = [
            ("delivered", &[200, 201, 202, 204][..]),
            ("refused", &[400, 401, 403, 404, 409, 410, 422]),
            ("failed", &[301, 302, 307, 308, 408, 429, 500, 502, 503, 504]),
        ];
        for (want, statuses) in table {
            for status in statuses {
                let is = match meaning(StatusCode::from_u16(*status).unwrap()) {
                    Delivery::Delivered => "delivered",
                    Delivery::Refused(_) => "refused",
                    Delivery::Failed(_) | Delivery::Busy { .. } => "failed",
                };
                assert_eq!(is, want, "{status}");
            }
        }
    }
}
