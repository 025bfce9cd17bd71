//! A stand-in for the world's DNS: one server on UDP and TCP whose every answer can be chosen.
//!
//! Start reading at [`Dns::start`]. Several servers may run at the same time with different records.

mod record;
mod server;
mod zone;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hickory_server::Server;
use serde::Serialize;
use tokio::net::{TcpListener, UdpSocket};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::Switch;
use crate::tasks::Tasks;
use crate::{StartError, locked};
pub use record::{Record, RecordType, a, aaaa, caa, cname};
use zone::Zone;
pub use zone::{Behaviour, Failure};

/// How long a TCP client may be idle.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);

/// How many ports are tried to find one that is free for both UDP and TCP.
const PORT_TRIES: u32 = 20;

/// Where and how a server starts.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Where it listens, on UDP and TCP; port 0 takes a free one.
    pub address: SocketAddr,
    /// The time to live of every record, in seconds.
    pub ttl: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ttl: 1 }
    }
}

/// One query, as it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Query {
    /// When it came, since the server started.
    #[serde(with = "crate::seconds")]
    pub at: Duration,
    /// The name asked for, in lower case, without a dot at its end.
    pub name: String,
    /// The type asked for.
    #[serde(rename = "type")]
    pub record_type: RecordType,
    /// Whether it came over TCP.
    pub tcp: bool,
}

/// A running DNS server. It stops when dropped.
#[derive(Debug)]
pub struct Dns {
    address: SocketAddr,
    shared: Arc<Shared>,
    tasks: Tasks,
}

/// What the server and the handle share.
#[derive(Debug)]
pub(crate) struct Shared {
    ttl: u32,
    started: Instant,
    switch: Switch,
    zone: Mutex<Zone>,
    queries: Mutex<Vec<Query>>,
}

impl Shared {
    /// Since when the name's addresses are some of these and no others.
    pub(crate) fn points_only_at(&self, name: &str, targets: &BTreeSet<IpAddr>) -> Option<Instant> {
        locked(&self.zone).points_only_at(name, targets)
    }
}

impl Dns {
    /// Start a server that knows no names.
    ///
    /// # Errors
    ///
    /// It cannot listen at the address.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let (udp, tcp, address) = bind(settings.address).await?;
        let shared = Arc::new(Shared {
            ttl: settings.ttl,
            started: Instant::now(),
            switch: Switch::default(),
            zone: Mutex::default(),
            queries: Mutex::default(),
        });
        let mut server = Server::new(server::Handler(Arc::clone(&shared)));
        server.register_socket(udp);
        server.register_listener(tcp, TCP_TIMEOUT, 32);
        let tasks = Tasks::default();
        tasks.spawn(run(server, tasks.token()));
        Ok(Self { address, shared, tasks })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Set all records of a name, or of a wildcard such as `*.example.test`. No records: the name exists, empty.
    pub fn set(&self, name: &str, records: impl IntoIterator<Item = Record>) {
        locked(&self.shared.zone).set(name, records.into_iter().collect());
    }

    /// Remove a name: it does not exist any more.
    pub fn remove(&self, name: &str) {
        locked(&self.shared.zone).remove(name);
    }

    /// All records, by name.
    pub fn records(&self) -> BTreeMap<String, Vec<Record>> {
        locked(&self.shared.zone).records()
    }

    /// Misbehave for a name, a wildcard, or `*` for all names, from now on. Of several failures
    /// the first that matches counts.
    pub fn fail(&self, name: &str, failure: impl Into<Failure>) {
        locked(&self.shared.zone).fail(name, failure.into());
    }

    /// Answer truly about a name again.
    pub fn heal(&self, name: &str) {
        locked(&self.shared.zone).heal(name);
    }

    /// The failures that are not used up, by name.
    pub fn failures(&self) -> BTreeMap<String, Vec<Failure>> {
        locked(&self.shared.zone).failures()
    }

    /// Every query so far, oldest first.
    pub fn queries(&self) -> Vec<Query> {
        locked(&self.shared.queries).clone()
    }

    /// How often a name was asked for, with any type.
    pub fn queries_of(&self, name: &str) -> usize {
        let name = zone::canonical(name);
        locked(&self.shared.queries).iter().filter(|query| query.name == name).count()
    }

    /// Stop answering.
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

    /// Stop permanently, and wait until the port is free.
    pub async fn stopped(&self) {
        self.tasks.stopped().await;
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

async fn run(mut server: Server<server::Handler>, stop: CancellationToken) {
    stop.cancelled().await;
    let ended = server.shutdown_gracefully().await;
    tracing::debug!(?ended, "the DNS server ended");
}

/// UDP and TCP on one port. A free port of one may be taken for the other: then try the next.
async fn bind(address: SocketAddr) -> Result<(UdpSocket, TcpListener, SocketAddr), StartError> {
    let mut tries = 0;
    loop {
        let (tcp, bound) = crate::listen("DNS", address).await?;
        tries += 1;
        match UdpSocket::bind(bound).await {
            Ok(udp) => return Ok((udp, tcp, bound)),
            Err(_) if address.port() == 0 && tries < PORT_TRIES => {}
            Err(source) => return Err(StartError::Bind { part: "DNS", address: bound, source }),
        }
    }
}
