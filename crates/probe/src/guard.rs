//! Where a check may go: public addresses, and the ports of the web and of DNS.
//!
//! A customer's DNS says where we connect, so an address of our own network in
//! it would let its owner reach that network through us. Pure: the caller connects to
//! exactly the address that was judged here, never to a name.
//! How far an address reaches is said by [`rules::address`].

use rules::address::AddressScope::{self, Nowhere, Public};
use rules::address::scope_of;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// The ports that need no setting: DNS, HTTP, HTTPS.
const PORTS: [u16; 3] = [53, 80, 443];

/// Which addresses and ports may be connected to.
#[derive(Clone, Debug)]
pub struct Guard {
    private: Private,
    ports: BTreeSet<u16>,
}

/// What to do with addresses of private networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Private {
    /// They are not connected to.
    #[default]
    Forbidden,
    /// They are: this network is an intranet, or a rehearsal.
    Allowed,
}

/// Why an address is not connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// It is in a network that is not public.
    #[error("`{address}` is not a public address ({kind}); `checks.allow_private` would allow it")]
    Private {
        /// The address.
        address: IpAddr,
        /// What it is instead.
        kind: &'static str,
    },
    /// It is not the address of a single machine.
    #[error("`{address}` cannot be the address of a website ({kind})")]
    Nowhere {
        /// The address.
        address: IpAddr,
        /// What it is instead.
        kind: &'static str,
    },
    /// A port of something else.
    #[error("port {port} is neither 53, 80, 443 nor configured")]
    Port {
        /// The port.
        port: u16,
    },
}

impl Guard {
    /// A guard that also allows `configured` ports.
    pub fn new(private: Private, configured: impl IntoIterator<Item = u16>) -> Self {
        Self { private, ports: PORTS.into_iter().chain(configured).collect() }
    }

    /// Whether `target` may be connected to.
    ///
    /// # Errors
    ///
    /// It may not, and why.
    pub fn check(&self, target: SocketAddr) -> Result<(), Forbidden> {
        let (address, port) = (target.ip(), target.port());
        if !self.ports.contains(&port) {
            return Err(Forbidden::Port { port });
        }
        match scope_of(address) {
            Public => Ok(()),
            AddressScope::Private(_) if self.private == Private::Allowed => Ok(()),
            AddressScope::Private(kind) => Err(Forbidden::Private { address, kind }),
            Nowhere(kind) => Err(Forbidden::Nowhere { address, kind }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_reach_as_far_as_the_registries_say() {
        let private = AddressScope::Private;
        #[rustfmt::skip]
        let table = [
            ("0.0.0.0", Nowhere("this network")),
            ("0.255.255.255", Nowhere("this network")),
            ("1.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", private("private network")),
            ("10.255.255.255", private("private network")),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", private("carrier-grade NAT")),
            ("100.127.255.255", private("carrier-grade NAT")),
            ("100.128.0.0", Public),
            ("127.0.0.1", private("loopback")),
            ("127.255.255.255", private("loopback")),
            ("128.0.0.0", Public),
            ("169.254.169.254", private("link-local")),
            ("169.255.0.0", Public),
            ("172.15.255.255", Public),
            ("172.16.0.0", private("private network")),
            ("172.31.255.255", private("private network")),
            ("172.32.0.0", Public),
            ("192.0.0.1", private("protocol assignments")),
            ("192.0.1.0", Public),
            ("192.0.2.1", private("documentation")),
            ("192.88.99.1", private("6to4 relay")),
            ("192.167.255.255", Public),
            ("192.168.1.1", private("private network")),
            ("192.169.0.0", Public),
            ("198.17.255.255", Public),
            ("198.19.255.255", private("benchmarking")),
            ("198.20.0.0", Public),
            ("198.51.100.7", private("documentation")),
            ("203.0.113.7", private("documentation")),
            ("223.255.255.255", Public),
            ("224.0.0.1", Nowhere("multicast")),
            ("239.255.255.255", Nowhere("multicast")),
            ("240.0.0.1", Nowhere("reserved")),
            ("255.255.255.255", Nowhere("reserved")),
            ("::", Nowhere("unspecified")),
            ("::1", private("loopback")),
            ("::2", Nowhere("not allocated")),
            ("::127.0.0.1", Nowhere("not allocated")),
            ("::ffff:127.0.0.1", private("loopback")),
            ("::ffff:8.8.8.8", Public),
            ("64:ff9b::10.0.0.1", private("private network")),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b::ffff:8.8.8.8", Nowhere("not allocated")),
            ("64:ff9b:1::8.8.8.8", private("local-use NAT64")),
            ("100::1", Nowhere("discard-only")),
            ("2001::1", private("Teredo")),
            ("2001:20::1", private("protocol assignments")),
            ("2001:1ff:ffff::", private("protocol assignments")),
            ("2001:200::1", Public),
            ("2001:db8::1", private("documentation")),
            ("2001:db9::1", Public),
            ("2002:808:808::1", private("6to4")),
            ("2003::1", Public),
            ("2606:4700::1111", Public),
            ("3ffe::1", Public),
            ("3fff:fff::1", private("documentation")),
            ("3fff:1000::1", Public),
            ("4000::1", Nowhere("not allocated")),
            ("5f00::1", Nowhere("not allocated")),
            ("fbff::1", Nowhere("not allocated")),
            ("fc00::1", private("unique local")),
            ("fdff::1", private("unique local")),
            ("fe80::1", private("link-local")),
            ("febf::1", private("link-local")),
            ("fec0::1", Nowhere("not allocated")),
            ("ff02::1", Nowhere("multicast")),
        ];
        for (address, want) in table {
            assert_eq!(scope_of(address.parse().unwrap()), want, "{address}");
        }
    }

    #[test]
    fn only_known_and_configured_ports_are_let_through() {
        let guard = Guard::new(Private::Forbidden, [8443]);
        for port in [53, 80, 443, 8443] {
            assert_eq!(guard.check(([8, 8, 8, 8], port).into()), Ok(()), "{port}");
        }
        for port in [0, 22, 25, 3306, 8080] {
            let refusal = Err(Forbidden::Port { port });
            assert_eq!(guard.check(([8, 8, 8, 8], port).into()), refusal, "{port}");
        }
    }

    #[test]
    fn an_intranet_is_let_through_when_allowed_and_multicast_never_is() {
        let check = |private, address: &str| {
            let target = SocketAddr::new(address.parse().unwrap(), 443);
            Guard::new(private, []).check(target).map_err(|refusal| refusal.to_string())
        };
        assert_eq!(check(Private::Allowed, "10.0.0.1"), Ok(()));
        assert_eq!(check(Private::Allowed, "::1"), Ok(()));
        assert_eq!(
            check(Private::Forbidden, "10.0.0.1").unwrap_err(),
            "`10.0.0.1` is not a public address (private network); \
             `checks.allow_private` would allow it"
        );
        for address in ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"] {
            assert!(check(Private::Allowed, address).is_err(), "{address}");
        }
        assert_eq!(
            check(Private::Allowed, "224.0.0.1").unwrap_err(),
            "`224.0.0.1` cannot be the address of a website (multicast)"
        );
    }
}
