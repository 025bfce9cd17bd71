//! Where every walk begins: the root's servers.
//!
//! Their names and addresses are those of IANA's root hints (<https://www.internic.net/domain/named.root>);
//! the last of them changed in November 2023 (`b`).

use std::net::{IpAddr, SocketAddr};

/// The thirteen, by IPv4 and IPv6.
#[rustfmt::skip] // One server a line.
const SERVERS: [(&str, &str); 13] = [
    ("198.41.0.4",     "2001:503:ba3e::2:30"), // a
    ("170.247.170.2",  "2801:1b8:10::b"),      // b
    ("192.33.4.12",    "2001:500:2::c"),       // c
    ("199.7.91.13",    "2001:500:2d::d"),      // d
    ("192.203.230.10", "2001:500:a8::e"),      // e
    ("192.5.5.241",    "2001:500:2f::f"),      // f
    ("192.112.36.4",   "2001:500:12::d0d"),    // g
    ("198.97.190.53",  "2001:500:1::53"),      // h
    ("192.36.148.17",  "2001:7fe::53"),        // i
    ("192.58.128.30",  "2001:503:c27::2:30"),  // j
    ("193.0.14.129",   "2001:7fd::1"),         // k
    ("199.7.83.42",    "2001:500:9f::42"),     // l
    ("202.12.27.33",   "2001:dc3::35"),        // m
];

/// All of them, at port 53.
pub(super) fn of_the_internet() -> Vec<SocketAddr> {
    let address = |text: &str| -> SocketAddr {
        let ip: IpAddr = text.parse().expect("an address of the table");
        (ip, 53).into()
    };
    SERVERS.iter().flat_map(|(v4, v6)| [address(v4), address(v6)]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::guard::{Guard, Private};

    #[test]
    fn there_are_thirteen_of_each_kind_all_public() {
        let all: BTreeSet<_> = of_the_internet().into_iter().collect();
        assert_eq!(all.iter().filter(|address| address.is_ipv4()).count(), 13);
        assert_eq!(all.iter().filter(|address| address.is_ipv6()).count(), 13);
        let guard = Guard::new(Private::Forbidden, []);
        assert!(all.iter().all(|address| guard.check(*address).is_ok()));
    }
}
