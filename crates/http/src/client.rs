//! One request, and its answer as far as it came.
//!
//! Nothing is sent twice by itself: the one exception is below us, which takes another connection
//! when a kept-alive one turns out to be closed *and* it is certain that not a byte of the request
//! was handed to it. A close that meets the request on its way is an unknown outcome, as it must be.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{AsHeaderName, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Method, RequestBuilder, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;

use crate::base_url::BaseUrl;
use crate::no_answer::NoAnswer;
use crate::retry_after;

/// How long a kept-alive connection may rest. Shorter than servers allow (the usual ones close
/// after 5 s or more), so that seldom is one closed under a request.
const REST: Duration = Duration::from_secs(4);

/// What asks the API at one base.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    connect: Duration,
}

/// The client found no way to start: most often, no root certificates.
#[derive(Debug, thiserror::Error)]
#[error("could not set up https; are the system's root certificates installed?")]
pub struct NoClient(#[from] reqwest::Error);

/// How much one answer may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long in all, counted from when the request is sent.
    pub time: Duration,
    /// How long until it begins, and then until more of it comes.
    pub silence: Duration,
    /// The most octets that are read.
    pub octets: usize,
}

/// An answer as it came. Its `Debug` shows the status alone: a key may be in the rest.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as far as it came.
    pub body: Vec<u8>,
    /// Why that is not all of it.
    pub flaw: Option<NoAnswer>,
}

impl Client {
    /// A client for `base`, which trusts certificates of the authorities `trusted` besides the
    /// system's. It reads all of the system's roots.
    ///
    /// HTTP/1.1 only: a connection that breaks then takes one request with it. There are as many
    /// connections as requests at once, and now and then a spare. Proxies of the environment are
    /// used (`HTTPS_PROXY`; through a tunnel, so they never see a key), but not on the way to this
    /// machine itself.
    pub fn open(
        base: &BaseUrl,
        connect: Duration,
        trusted: &[CertificateDer<'_>],
    ) -> Result<Self, NoClient> {
        // Fails where one is there already, which is as good.
        rustls::crypto::ring::default_provider().install_default().ok();
        let trusted = trusted.iter().map(|it| Certificate::from_der(it));
        let client = reqwest::Client::builder()
            .user_agent(concat!("closte-sync/", env!("CARGO_PKG_VERSION")))
            .http1_only()
            .redirect(Policy::none())
            .tls_certs_merge(trusted.collect::<Result<Vec<_>, _>>()?)
            .connect_timeout(connect)
            .pool_idle_timeout(REST);
        let client = if base.is_this_machine() { client.no_proxy() } else { client };
        Ok(Self { inner: client.build()?, connect })
    }

    /// A request, to be filled and then sent.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.inner.request(method, url)
    }

    /// Send `request` and read its answer.
    ///
    /// # Errors
    ///
    /// Not even the beginning of an answer came.
    pub async fn send(&self, request: RequestBuilder, limits: Limits) -> Result<Answer, NoAnswer> {
        Ok(self.begin(request, limits).await?.whole().await)
    }

    /// Send `request` and read the head of its answer.
    ///
    /// # Errors
    ///
    /// Not even that came.
    pub async fn begin(
        &self,
        request: RequestBuilder,
        limits: Limits,
    ) -> Result<Incoming, NoAnswer> {
        let sent = timeout(limits.silence, request.timeout(limits.time).send()).await;
        let sent = sent.map_err(|_| NoAnswer::late(limits.silence))?;
        let response = sent.map_err(|error| NoAnswer::of(&error, self.connect, limits.time))?;
        let (connect, room) = (self.connect, limits.octets);
        Ok(Incoming { response, connect, limits, room, too_long: false })
    }
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Incoming {
    response: Response,
    connect: Duration,
    limits: Limits,
    /// How many more octets may come.
    room: usize,
    /// More of them came.
    too_long: bool,
}

impl Incoming {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next piece of the body; none at its end.
    ///
    /// # Errors
    ///
    /// The body broke off, took too long, or is longer than allowed.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, NoAnswer> {
        if self.too_long {
            let most = self.limits.octets >> 10;
            return Err(NoAnswer::Broken(format!("an answer of more than {most} KiB")));
        }
        let broken = |error| NoAnswer::within(&error, self.connect, self.limits.time);
        let came = timeout(self.limits.silence, self.response.chunk()).await;
        let came = came.map_err(|_| NoAnswer::late(self.limits.silence))?;
        let Some(piece) = came.map_err(broken)? else { return Ok(None) };
        let fits = piece.len().min(self.room);
        self.too_long = fits < piece.len();
        self.room -= fits;
        Ok(Some(piece[..fits].to_vec()))
    }

    /// All of it, read to its end so that its connection can be used again.
    pub async fn whole(mut self) -> Answer {
        let mut answer = self.with_body(Vec::new());
        loop {
            match self.piece().await {
                Ok(Some(piece)) => answer.body.extend(piece),
                Ok(None) => return answer,
                Err(flaw) => return Answer { flaw: Some(flaw), ..answer },
            }
        }
    }

    /// The answer, with what was read of its body.
    pub fn with_body(&self, body: Vec<u8>) -> Answer {
        let (status, headers) = (self.response.status(), self.response.headers().clone());
        Answer { status, headers, body, flaw: None }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Answer {
    /// A header, where it is there and readable.
    pub fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long it asks to be waited, by `Retry-After`, at most a day; none where it does not say.
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        retry_after::wait(&self.headers, now)
    }
}
