//! A stand-in for the host's web server: a certificate of its own for each name, good or bad, and a short text or
//! what WordPress would answer to the question for its routing proof.
//!
//! Start reading at [`Web::start`].

mod answer;
mod server;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::ca::{Authority, Certificate};
use crate::connection::Switch;
use crate::issuing::Issuing;
use crate::tasks::Tasks;
use crate::{StartError, locked};

pub use answer::{Answer, Question};

/// How many ports are tried to find one that is free at all addresses.
const PORT_TRIES: u32 = 20;

/// Where and how the web server starts.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The addresses at which it listens, all on one port.
    pub addresses: Vec<IpAddr>,
    /// The port for https; 0 takes a free one.
    pub https_port: u16,
    /// The port for http; 0 takes a free one.
    pub http_port: u16,
    /// What names are shown that have no certificate.
    pub otherwise: Certificate,
}

impl Default for Settings {
    fn default() -> Self {
        let addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
        Self { addresses, https_port: 0, http_port: 0, otherwise: Certificate::Default }
    }
}

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Visit {
    /// When it came, since the server started.
    #[serde(with = "crate::seconds")]
    pub at: Duration,
    /// The address at which it came.
    pub address: IpAddr,
    /// The name in its TLS hello, in lower case; over plain http, none.
    pub name: Option<String>,
    /// Whether it came over https.
    pub https: bool,
    /// What it was shown.
    pub certificate: Option<Certificate>,
}

/// A running web server. It stops when dropped.
#[derive(Debug)]
pub struct Web {
    addresses: Vec<IpAddr>,
    ports: Ports,
    shared: Arc<Shared>,
    tasks: Tasks,
}

/// The ports, each the same at all addresses.
#[derive(Clone, Copy, Debug)]
struct Ports {
    https: u16,
    http: u16,
}

/// What the server and the handle share.
#[derive(Debug)]
struct Shared {
    authority: Authority,
    issuing: Option<Arc<Issuing>>,
    started: Instant,
    switch: Switch,
    stop: CancellationToken,
    visitors: TaskTracker,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    certificates: BTreeMap<String, Certificate>,
    otherwise: Certificate,
    connections: usize,
    visits: Vec<Visit>,
    answers: BTreeMap<String, Answer>,
    questions: Vec<Question>,
}

impl Shared {
    /// The name and kind of the certificate for a visitor who asks for `name`.
    fn certificate(&self, name: &str) -> (String, Certificate) {
        let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let state = locked(&self.state);
        for key in [Some(name), wildcard.as_deref()].into_iter().flatten() {
            if let Some(certificate) = state.certificates.get(key) {
                return (key.to_owned(), certificate.clone());
            }
        }
        match self.issuing.as_ref().and_then(|issuing| issuing.certified(name)) {
            Some(certified) => (certified, Certificate::valid()),
            None => (name.to_owned(), state.otherwise.clone()),
        }
    }
}

impl Web {
    /// Start a web server alone, with a CA of its own.
    ///
    /// # Errors
    ///
    /// It cannot listen at an address, or the CA cannot be made.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        Self::serve(settings, None).await
    }

    /// Start a web server that shows the certificates which `issuing` has ready.
    pub(crate) async fn linked(
        settings: Settings,
        issuing: Arc<Issuing>,
    ) -> Result<Self, StartError> {
        Self::serve(settings, Some(issuing)).await
    }

    async fn serve(settings: Settings, issuing: Option<Arc<Issuing>>) -> Result<Self, StartError> {
        let Settings { addresses, https_port, http_port, otherwise } = settings;
        let https = listen_at_all(&addresses, https_port).await?;
        let http = listen_at_all(&addresses, http_port).await?;
        let ports = Ports { https: https.port, http: http.port };
        let tasks = Tasks::default();
        let shared = Arc::new(Shared {
            authority: Authority::new().map_err(StartError::Authority)?,
            issuing,
            started: Instant::now(),
            switch: Switch::default(),
            stop: tasks.token(),
            visitors: tasks.tracker(),
            state: Mutex::new(State { otherwise, ..State::default() }),
        });
        for listener in https.listeners {
            tasks.spawn(server::https(listener, Arc::clone(&shared)));
        }
        for listener in http.listeners {
            tasks.spawn(server::http(listener, Arc::clone(&shared)));
        }
        Ok(Self { addresses, ports, shared, tasks })
    }

    /// The addresses at which it listens.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The first address with the https port.
    pub fn https_address(&self) -> SocketAddr {
        SocketAddr::new(self.addresses[0], self.ports.https)
    }

    /// The first address with the http port.
    pub fn http_address(&self) -> SocketAddr {
        SocketAddr::new(self.addresses[0], self.ports.http)
    }

    /// The port for https, the same at all addresses.
    pub fn https_port(&self) -> u16 {
        self.ports.https
    }

    /// The port for http, the same at all addresses.
    pub fn http_port(&self) -> u16 {
        self.ports.http
    }

    /// The certificate of the CA that its good certificates come from.
    pub fn ca_pem(&self) -> String {
        self.shared.authority.pem()
    }

    /// Show visitors of a name (or of all names that a wildcard covers) this certificate from now on.
    pub fn set(&self, name: &str, certificate: Certificate) {
        locked(&self.shared.state).certificates.insert(name.to_ascii_lowercase(), certificate);
    }

    /// Remove what was set for a name.
    pub fn unset(&self, name: &str) {
        locked(&self.shared.state).certificates.remove(&name.to_ascii_lowercase());
    }

    /// What was set, by name.
    pub fn certificates(&self) -> BTreeMap<String, Certificate> {
        locked(&self.shared.state).certificates.clone()
    }

    /// Show names without a certificate this one from now on.
    pub fn otherwise(&self, certificate: Certificate) {
        locked(&self.shared.state).otherwise = certificate;
    }

    /// What a visitor of this name would be shown now.
    pub fn shown(&self, name: &str) -> Certificate {
        self.shared.certificate(&name.to_ascii_lowercase()).1
    }

    /// Answer this from now on to requests at a name for WordPress' routing proof.
    pub fn answer(&self, name: &str, answer: Answer) {
        locked(&self.shared.state).answers.insert(name.to_ascii_lowercase(), answer);
    }

    /// Answer at a name with the short text again.
    pub fn unanswer(&self, name: &str) {
        locked(&self.shared.state).answers.remove(&name.to_ascii_lowercase());
    }

    /// What is answered, by name.
    pub fn answers(&self) -> BTreeMap<String, Answer> {
        locked(&self.shared.state).answers.clone()
    }

    /// Every question for the routing proof so far, oldest first.
    pub fn questions(&self) -> Vec<Question> {
        locked(&self.shared.state).questions.clone()
    }

    /// How many connections have come so far, also those that sent nothing.
    pub fn connections(&self) -> usize {
        locked(&self.shared.state).connections
    }

    /// Every visit so far, oldest first: a TLS hello, or a connection over plain http.
    pub fn visits(&self) -> Vec<Visit> {
        locked(&self.shared.state).visits.clone()
    }

    /// Stop answering: connections are reset.
    pub fn kill(&self) {
        self.shared.switch.kill();
    }

    /// Answer again, with everything as it was.
    pub fn revive(&self) {
        self.shared.switch.revive();
    }

    /// Stop permanently; dropping does the same.
    pub fn stop(&self) {
        self.tasks.stop();
    }

    /// Stop permanently, and wait until the ports are free.
    pub async fn stopped(&self) {
        self.tasks.stopped().await;
    }
}

/// Listeners at several addresses, on one port.
struct Sockets {
    listeners: Vec<TcpListener>,
    port: u16,
}

/// A port that is free at the first address may be taken at the next: then try another.
async fn listen_at_all(addresses: &[IpAddr], port: u16) -> Result<Sockets, StartError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match listen_once(addresses, port).await {
            Err(StartError::Bind { .. }) if port == 0 && tries < PORT_TRIES => {}
            done => return done,
        }
    }
}

async fn listen_once(addresses: &[IpAddr], port: u16) -> Result<Sockets, StartError> {
    if addresses.is_empty() {
        return Err(StartError::NoWebAddress);
    }
    let mut sockets = Sockets { listeners: Vec::new(), port };
    for address in addresses {
        let (listener, bound) =
            crate::listen("the web", SocketAddr::new(*address, sockets.port)).await?;
        sockets.listeners.push(listener);
        sockets.port = bound.port();
    }
    Ok(sockets)
}
