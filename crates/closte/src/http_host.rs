//! [`HttpHost`]: the host's client API as an [`AliasHost`].

use std::num::NonZeroU16;
use std::sync::Arc;

use async_trait::async_trait;
use http::{Answer, BaseUrl, NoClient};
use rules::host::{AliasHost, AliasList, HostError, Turn};
use rules::{Clock, DomainName};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::answer::Reader;
use crate::api_key::{ApiKey, UnusableKey};
use crate::call::Call;
use crate::pace::Pace;
use crate::report;
use crate::transport::{Timeouts, Transport};

/// How to talk to the host.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where its API is.
    pub api_url: BaseUrl,
    /// The key of the network's app there.
    pub api_key: SecretString,
    /// The most calls a second, evenly spread; 0 is unlimited.
    pub requests_per_second: u32,
    /// The most calls at once.
    pub concurrency: NonZeroU16,
    /// How long it may take to answer.
    pub timeouts: Timeouts,
}

/// Why the host cannot even be called.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key cannot be sent.
    #[error(transparent)]
    Key(#[from] UnusableKey),
    /// There is nothing to call it with.
    #[error(transparent)]
    Client(#[from] NoClient),
}

/// Closte, over HTTP.
pub struct HttpHost {
    transport: Transport,
    key: ApiKey,
    pace: Pace,
    clock: Arc<dyn Clock>,
}

impl HttpHost {
    /// Get ready to call the host. Nothing is sent yet.
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let Settings { api_url, api_key, requests_per_second, concurrency, timeouts } = settings;
        Ok(Self {
            key: ApiKey::parse(&api_key)?,
            transport: Transport::open(api_url, timeouts)?,
            pace: Pace::new(requests_per_second, concurrency),
            clock,
        })
    }

    /// The host's raw answers to the two calls that change nothing, for a
    /// person to send in: without the key, with the domains.
    pub async fn report(&self) -> String {
        let mut report = String::new();
        for call in [Call::Check, Call::List] {
            let _turn = self.pace.turn().await;
            let answer = self.transport.send(call, &self.key).await;
            report += &report::section(call, self.transport.base(), &self.key, &answer);
        }
        report
    }

    async fn call<'s>(
        &'s self,
        call: Call<'_>,
        read: impl FnOnce(Reader<'s>, &Answer) -> Result<(), HostError>,
    ) -> Result<(), HostError> {
        let sent = Instant::now();
        let answer = self.transport.send(call, &self.key).await;
        let result = answer.and_then(|answer| read(self.reader(), &answer));
        log(call, result.as_ref().err(), sent);
        result
    }

    fn reader(&self) -> Reader<'_> {
        Reader { key: &self.key, now: self.clock.now() }
    }
}

fn log(call: Call<'_>, error: Option<&HostError>, sent: Instant) {
    tracing::debug!(
        call = call.name(),
        domain.name = call.domain().map(tracing::field::display),
        outcome = error.map_or_else(|| "done".to_owned(), ToString::to_string),
        milliseconds = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX),
        "called the host"
    );
}

impl std::fmt::Debug for HttpHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpHost").field("api_url", self.transport.base()).finish_non_exhaustive()
    }
}

#[async_trait]
impl AliasHost for HttpHost {
    async fn turn(&self) -> Turn<'_> {
        Box::new(self.pace.turn().await)
    }

    async fn add_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.call(Call::Add(domain), Reader::add).await
    }

    async fn remove_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.call(Call::Remove(domain), Reader::remove).await
    }

    async fn aliases(&self) -> Result<AliasList, HostError> {
        let _turn = self.pace.turn().await;
        let sent = Instant::now();
        let listed = self.transport.list(&self.key).await;
        let result = listed.and_then(|listed| self.reader().list(listed));
        log(Call::List, result.as_ref().err(), sent);
        result
    }

    async fn check_key(&self) -> Result<(), HostError> {
        let _turn = self.pace.turn().await;
        self.call(Call::Check, Reader::check).await
    }
}
