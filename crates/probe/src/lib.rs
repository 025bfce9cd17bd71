//! Checking: DNS and TLS, and the guard that keeps both away from private addresses.
//!
//! [`NetProbe`] is the [`Probe`] of the real network. It reports what it saw and
//! judges nothing: `rules::judge` does. It never sends anything but a DNS
//! question, a TLS handshake and the one request of the routing
//! proof, and never connects to an address that [`guard`] did not allow.
//!
//! Start with [`guard`], then `dns.rs`, `tls.rs` and `ask.rs`.

mod ask;
mod dns;
pub mod guard;
mod nat64;
mod pem;
mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use rules::evidence::{Deep, Inquiry};
use rules::probe::{DnsObservation, Probe, ProofObservation, TlsObservation};
use rules::{Clock, DomainName};
use rustls::pki_types::CertificateDer;

pub use pem::{PemError, read_pem};

use dns::Dns;
use guard::{Guard, Private};
use nat64::Nat64;
use tls::Tls;

/// How to check.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who is asked, in this order; `None` for the resolvers of this machine.
    pub resolvers: Option<Vec<SocketAddr>>,
    /// The port for TLS.
    pub https_port: u16,
    /// Roots to trust in addition to the system's, see [`read_pem`].
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Whether to connect to private addresses, on an intranet or in a rehearsal.
    pub allow_private: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { resolvers: None, https_port: 443, extra_roots: Vec::new(), allow_private: false }
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
}

impl NetProbe {
    /// A probe that has not asked, opened or loaded anything yet.
    ///
    /// # Errors
    ///
    /// The settings are invalid.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, ProbeError> {
        let Settings { resolvers, https_port, extra_roots, allow_private } = settings;
        let resolvers = resolvers.unwrap_or_else(dns::of_this_machine);
        if resolvers.is_empty() {
            return Err(ProbeError::NoResolvers);
        }
        let private = if allow_private { Private::Allowed } else { Private::Forbidden };
        let guard = Guard::new(private, [https_port]);
        let nat64 = Arc::new(Nat64::default());
        let tls = Tls::new(guard, https_port, extra_roots, Arc::clone(&nat64), clock)?;
        Ok(Self { dns: Dns::new(resolvers), tls, nat64 })
    }

    /// Who is asked, in order.
    pub fn resolvers(&self) -> impl Iterator<Item = SocketAddr> {
        self.dns.addresses()
    }

    /// Whether each resolver answers at all; in error, how it failed.
    pub async fn check_resolvers(&self) -> Vec<(SocketAddr, Result<(), String>)> {
        self.dns.check().await
    }
}

#[async_trait]
impl Probe for NetProbe {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        let mut observation = self.dns.resolve(name).await;
        if let DnsObservation::Addresses { found, .. } = &mut observation {
            let ask = async || self.dns.ipv6_of(&nat64::tells()).await;
            *found = self.nat64.translated(found.iter().copied(), ask).await.into_iter().collect();
        }
        observation
    }

    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        self.tls.check(name, address).await
    }

    async fn ask(&self, name: &DomainName, address: IpAddr, question: &str) -> ProofObservation {
        ask::ask(&self.tls, name, address, question).await
    }

    async fn investigate(&self, _: &DomainName, _: &Inquiry<'_>) -> Deep {
        Deep::default()
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
