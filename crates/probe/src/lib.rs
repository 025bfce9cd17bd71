//! Checking: DNS and TLS, and the guard that keeps both away from private addresses.
//!
//! [`NetProbe`] is the [`Probe`] of the real network. It reports what it saw and
//! judges nothing: `rules::judge` does. It never sends anything but a DNS
//! question, a TLS handshake, the one request of the routing proof and the few of
//! a deep look, and never connects to an address that [`guard`] did not allow.
//!
//! Start with [`guard`], then `dns.rs`, `tls.rs`, `ask.rs` and `web.rs`.

mod ask;
mod connector;
mod deep;
mod dns;
mod exchange;
pub mod guard;
mod nat64;
mod pem;
mod tls;
mod web;

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rules::evidence::{Answer, Deep, Inquiry};
use rules::probe::{DnsObservation, Probe, ProofObservation, RootsSilent, TlsObservation};
use rules::{Clock, DomainName};
use rustls::pki_types::CertificateDer;
use tokio::sync::oneshot;
use tokio::time::Instant;

pub use pem::{PemError, read_pem};

use connector::Connector;
use deep::{DeepDns, Inquirer, Means};
use dns::Dns;
use guard::{Guard, Private};
use nat64::Nat64;
use tls::Tls;
use web::DeepWeb;

/// How to check.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who is asked, in this order; `None` for the resolvers of this machine.
    pub resolvers: Option<Vec<SocketAddr>>,
    /// Where a walk along the delegations begins; `None` for the servers of the root.
    pub roots: Option<Vec<SocketAddr>>,
    /// The port at which authoritative servers are asked.
    pub dns_port: u16,
    /// The port for plain HTTP.
    pub http_port: u16,
    /// The port for TLS.
    pub https_port: u16,
    /// Roots to trust in addition to the system's, see [`read_pem`].
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether to connect to private addresses, on an intranet or in a rehearsal.
    pub allow_private: bool,
    /// How long a connection may take, and each answer.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            resolvers: None,
            roots: None,
            dns_port: 53,
            http_port: 80,
            https_port: 443,
            extra_roots: Vec::new(),
            allow_private: false,
            timeout: Duration::from_secs(5),
        }
    }
}

/// Why there can be no [`NetProbe`].
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The list of resolvers is empty.
    #[error("`checks.resolvers` names no resolver")]
    NoResolvers,
    /// One of the extra roots is not a certificate.
    #[error("certificate {number} of `checks.trusted_ca` cannot be trusted as a root")]
    BadRoot {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        source: rustls::Error,
    },
}

/// The [`Probe`] of the real network.
///
/// Must be used within a tokio runtime. One is enough for a program: it keeps
/// sockets and the trusted roots.
pub struct NetProbe {
    dns: Dns,
    tls: Tls,
    nat64: Arc<Nat64>,
    http_port: u16,
    inquirer: Inquirer,
}

impl NetProbe {
    /// A probe that has not asked, opened or loaded anything yet.
    ///
    /// # Errors
    ///
    /// The settings are invalid.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, ProbeError> {
        let Settings { roots, dns_port, http_port, https_port, timeout, .. } = settings;
        let Settings { resolvers, extra_roots, allow_private, .. } = settings;
        let resolvers = resolvers.unwrap_or_else(dns::of_this_machine);
        if resolvers.is_empty() {
            return Err(ProbeError::NoResolvers);
        }
        let private = if allow_private { Private::Allowed } else { Private::Forbidden };
        let guard = Guard::new(private, [dns_port, http_port, https_port]);
        let nat64 = Arc::new(Nat64::default());
        let means = Means {
            roots,
            port: dns_port,
            timeout,
            guard: guard.clone(),
            nat64: Arc::clone(&nat64),
            clock: Arc::clone(&clock),
        };
        let connector = Connector::new(guard, Arc::clone(&nat64), timeout);
        let tls = Tls::new(connector, https_port, extra_roots, clock)?;
        let (dns, inquirer) = (Dns::new(resolvers), Inquirer::new(means));
        Ok(Self { dns, tls, nat64, http_port, inquirer })
    }

    /// Who is asked, in order.
    pub fn resolvers(&self) -> impl Iterator<Item = SocketAddr> {
        self.dns.addresses()
    }

    /// Whether each resolver answers at all; in error, how it failed.
    pub async fn check_resolvers(&self) -> Vec<(SocketAddr, Result<(), String>)> {
        self.dns.check().await
    }

    /// Whether each server of the root answers that this machine has a route to; in error, how it
    /// failed.
    pub async fn check_roots(&self) -> Vec<(SocketAddr, Result<(), String>)> {
        self.inquirer.check_roots().await
    }

    /// In each of these, the IPv4 address in the place of each that the network's NAT64 made of one.
    async fn untranslated(&self, all: Vec<&mut BTreeSet<IpAddr>>) {
        for found in all {
            let ask = async || self.dns.ipv6_of(&nat64::tells()).await;
            *found = self.nat64.translated(found.iter().copied(), ask).await.into_iter().collect();
        }
    }
}

#[async_trait]
impl Probe for NetProbe {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        let mut observation = self.dns.resolve(name).await;
        self.untranslated(observation.found_mut().into_iter().collect()).await;
        observation
    }

    async fn resolve_by_each(&self, name: &DomainName) -> Vec<DnsObservation> {
        let mut each = self.dns.resolve_by_each(name).await;
        self.untranslated(each.iter_mut().filter_map(DnsObservation::found_mut).collect()).await;
        each
    }

    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        self.tls.check(name, address).await
    }

    async fn ask(&self, name: &DomainName, address: IpAddr, question: &str) -> ProofObservation {
        ask::ask(&self.tls, name, address, question).await
    }

    async fn investigate(&self, name: &DomainName, inquiry: &Inquiry<'_>) -> Deep {
        let deadline = Instant::now() + inquiry.within;
        let (tell, told) = oneshot::channel();
        let web = async {
            let mut addresses = told.await.unwrap_or_default();
            self.untranslated(vec![&mut addresses]).await;
            self.deep_web(name, inquiry, &addresses, deadline).await
        };
        let dns = self.inquirer.investigate(&self.dns, name, inquiry, tell);
        let (mut dns, web) = tokio::join!(dns, web);
        let answers = dns.resolvers.iter_mut();
        let answers =
            answers.flat_map(|it| [&mut it.answer].into_iter().chain(&mut it.unvalidated));
        self.untranslated(answers.filter_map(Answer::found_mut).collect()).await;
        let DeepDns { resolvers, sibling, zones, dnssec, caa } = dns;
        let DeepWeb { http, stranger, front } = web;
        Deep { resolvers, sibling, zones, dnssec, caa, http, stranger, front }
    }

    fn roots_silent(&self) -> Option<RootsSilent> {
        self.inquirer.roots_silent()
    }

    fn recall_roots(&self, silent: Option<RootsSilent>) {
        if let Some(silent) = silent {
            self.inquirer.recall_roots(silent);
        }
    }
}

/// An error of the network in few words: "connection refused".
fn plain(error: &io::Error) -> String {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkUnreachable,
        TimedOut,
    };
    let kind = error.kind();
    match kind {
        AddrNotAvailable | ConnectionRefused | ConnectionReset | HostUnreachable
        | NetworkUnreachable | TimedOut => kind.to_string(),
        _ => error.to_string(),
    }
}
