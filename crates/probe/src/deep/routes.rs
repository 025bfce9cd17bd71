//! Where a delegated server is asked: at an address that the guard let through, by a route that this
//! machine has.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use crate::guard::Guard;
use crate::nat64::Nat64;

/// Who may be asked, and how one gets there.
#[derive(Debug)]
pub(super) struct Routes {
    pub(super) guard: Guard,
    /// The port of authoritative servers.
    pub(super) port: u16,
    pub(super) nat64: Arc<Nat64>,
}

/// Why an address is not asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closed {
    /// By the guard.
    Forbidden(String),
    /// This machine has no way there; it says nothing about the server.
    NoRoute(String),
}

impl Routes {
    /// Where a delegated server at `address` is asked: there, or behind the NAT64 of this network.
    pub(super) async fn to(&self, address: IpAddr) -> Result<SocketAddr, Closed> {
        let target = SocketAddr::new(address, self.port);
        self.guard.check(target).map_err(|refusal| Closed::Forbidden(refusal.to_string()))?;
        if has_route(target) {
            return Ok(target);
        }
        let behind = self.nat64.behind(address).await;
        behind.map(|behind| SocketAddr::new(behind, self.port)).ok_or_else(|| {
            let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
            Closed::NoRoute(format!("this machine has no {family}"))
        })
    }
}

/// Whether this machine knows a way to `target`; no packet is sent.
pub(super) fn has_route(target: SocketAddr) -> bool {
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    std::net::UdpSocket::bind(any).is_ok_and(|socket| socket.connect(target).is_ok())
}

impl Closed {
    pub(super) fn into_detail(self) -> String {
        let (Self::Forbidden(detail) | Self::NoRoute(detail)) = self;
        detail
    }
}
