//! One request over the wire, and what it means when no answer comes back.
//!
//! Either no connection was made, and nothing happened at the host, or the
//! request may have gone out, and then nothing is known. Nothing is sent twice
//! by itself.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{Answer, BaseUrl, Client, Limits, NoAnswer, NoClient};
use rules::host::HostError;

use crate::answer::unknown;
use crate::api_key::ApiKey;
use crate::call::Call;

/// An answer to a write is a line of JSON; more is not meant for us.
const MOST_OF_A_WRITE: usize = 64 << 10;

/// A list of sixty thousand of the longest names.
const MOST_OF_A_LIST: usize = 16 << 20;

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
    base: BaseUrl,
    timeouts: Timeouts,
}

impl Transport {
    pub(crate) fn open(base: BaseUrl, timeouts: Timeouts) -> Result<Self, NoClient> {
        let client = Client::open(&base, timeouts.connect, &[])?;
        Ok(Self { client, base, timeouts })
    }

    /// Where the API is.
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// Send one request and read its answer.
    pub(crate) async fn send(&self, call: Call<'_>, key: &ApiKey) -> Result<Answer, HostError> {
        let mut request = self.client.request(call.method(), call.url(&self.base, key));
        if let Some(form) = call.form(key) {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        self.client.send(request, self.limits(call)).await.map_err(|error| match error {
            NoAnswer::Unreachable(why) => HostError::Unreachable(why.into()),
            error => unknown(error.to_string()),
        })
    }

    fn limits(&self, call: Call<'_>) -> Limits {
        let Timeouts { write, read, .. } = self.timeouts;
        match call {
            Call::Add(_) | Call::Remove(_) => Limits { time: write, octets: MOST_OF_A_WRITE },
            Call::Check => Limits { time: read, octets: MOST_OF_A_WRITE },
            Call::List => Limits { time: read, octets: MOST_OF_A_LIST },
        }
    }
}
