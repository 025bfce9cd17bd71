//! How far an address reaches: the whole internet, a network that is not public, or nowhere.
//!
//! The tables are the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890). What they list
//! as globally reachable for protocols that no site is served by (anycast of NAT boxes, 6to4, Teredo) is
//! not public here.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

use crate::targets::canonical;

/// How far an address reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressScope {
    /// The whole internet.
    Public,
    /// A network that is not public.
    Private(&'static str),
    /// No machine that could serve a site.
    Nowhere(&'static str),
}

use AddressScope::{Nowhere, Public};

/// Special blocks; the first that fits counts. Of IPv6 only `2000::/3` is given out for the public
/// internet.
#[rustfmt::skip]
const BLOCKS: [(&str, AddressScope); 28] = [
    ("0.0.0.0/8",       Nowhere("this network")),
    ("10.0.0.0/8",      AddressScope::Private("private network")),
    ("100.64.0.0/10",   AddressScope::Private("carrier-grade NAT")),
    ("127.0.0.0/8",     AddressScope::Private("loopback")),
    ("169.254.0.0/16",  AddressScope::Private("link-local")),
    ("172.16.0.0/12",   AddressScope::Private("private network")),
    ("192.0.0.0/24",    AddressScope::Private("protocol assignments")),
    ("192.0.2.0/24",    AddressScope::Private("documentation")),
    ("192.88.99.0/24",  AddressScope::Private("6to4 relay")),
    ("192.168.0.0/16",  AddressScope::Private("private network")),
    ("198.18.0.0/15",   AddressScope::Private("benchmarking")),
    ("198.51.100.0/24", AddressScope::Private("documentation")),
    ("203.0.113.0/24",  AddressScope::Private("documentation")),
    ("224.0.0.0/4",     Nowhere("multicast")),
    ("240.0.0.0/4",     Nowhere("reserved")),
    ("::/128",          Nowhere("unspecified")),
    ("::1/128",         AddressScope::Private("loopback")),
    ("64:ff9b:1::/48",  AddressScope::Private("local-use NAT64")),
    ("100::/64",        Nowhere("discard-only")),
    ("2001::/32",       AddressScope::Private("Teredo")),
    ("2001::/23",       AddressScope::Private("protocol assignments")),
    ("2001:db8::/32",   AddressScope::Private("documentation")),
    ("2002::/16",       AddressScope::Private("6to4")),
    ("3fff::/20",       AddressScope::Private("documentation")),
    ("2000::/3",        Public),
    ("fc00::/7",        AddressScope::Private("unique local")),
    ("fe80::/10",       AddressScope::Private("link-local")),
    ("ff00::/8",        Nowhere("multicast")),
];

/// How far `address` reaches.
pub fn scope_of(address: IpAddr) -> AddressScope {
    static KNOWN: LazyLock<Vec<(IpNet, AddressScope)>> = LazyLock::new(|| {
        let known = BLOCKS.map(|(block, scope)| (block.parse().expect("it is a network"), scope));
        known.to_vec()
    });
    let address = canonical(address);
    let known = KNOWN.iter().find(|(block, _)| block.contains(&address));
    let otherwise = if address.is_ipv4() { Public } else { Nowhere("not allocated") };
    known.map_or(otherwise, |(_, scope)| *scope)
}

/// Whether `address` is reached from the whole internet.
pub fn is_public(address: IpAddr) -> bool {
    scope_of(address) == Public
}
