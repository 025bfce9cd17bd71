//! IPv4 behind IPv6: the addresses that a NAT64 translates.
//!
//! In a network that has IPv6 only, resolvers make up an AAAA record for a name that has an A record
//! alone (DNS64, RFC 6147). Such an address is an IPv4 address behind a prefix (RFC 6052): the one
//! that is everybody's, or one of the network's own, which `ipv4only.arpa` tells (RFC 7050).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ipnet::Ipv6Net;
use rules::DomainName;
use rules::targets::canonical;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// The IPv4 addresses of [`tells`].
const KNOWN: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 0, 170), Ipv4Addr::new(192, 0, 0, 171)];

/// The lengths that a prefix may have.
const LENGTHS: [u8; 6] = [96, 64, 56, 48, 40, 32];

/// After this time the network's prefixes are asked for again: a machine may move …
const KEPT: Duration = Duration::from_mins(10);
/// … and after this, where nobody answered.
const AGAIN: Duration = Duration::from_mins(1);

/// The prefixes of the network that this machine is in.
#[derive(Debug, Default)]
pub(crate) struct Nat64 {
    own: Mutex<Own>,
}

/// What is known of them.
#[derive(Debug, Default)]
struct Own {
    prefixes: Vec<Ipv6Net>,
    /// When to ask again.
    until: Option<Instant>,
}

/// The name that tells a network's own.
pub(crate) fn tells() -> DomainName {
    "ipv4only.arpa".parse().expect("it is a name")
}

impl Nat64 {
    /// `found`, with the IPv4 address in the place of each that stands for one. `ask` gives the
    /// AAAA records of [`tells`], none where nobody answers; it is called where that may matter,
    /// and not each time.
    pub(crate) async fn translated<F>(
        &self,
        found: impl IntoIterator<Item = IpAddr>,
        ask: impl FnOnce() -> F,
    ) -> Vec<IpAddr>
    where
        F: Future<Output = Option<Vec<IpAddr>>>,
    {
        let found: Vec<IpAddr> = found.into_iter().collect();
        if found.iter().all(IpAddr::is_ipv4) {
            return found;
        }
        let mut own = self.own.lock().await;
        if own.until.is_none_or(|until| until <= Instant::now()) {
            let told = ask().await;
            own.until = Some(Instant::now() + if told.is_some() { KEPT } else { AGAIN });
            if let Some(told) = told {
                own.prefixes = prefixes(told);
            }
        }
        found.into_iter().map(|ip| translated(ip, &own.prefixes)).collect()
    }

    /// Where this network reaches `address` by IPv6; none where it has no NAT64 that is known.
    pub(crate) async fn behind(&self, address: IpAddr) -> Option<IpAddr> {
        let IpAddr::V4(v4) = address else { return None };
        let own = self.own.lock().await;
        own.prefixes.first().map(|prefix| IpAddr::V6(embed(v4, *prefix)))
    }
}

/// The prefixes of a network where [`tells`] has these addresses.
fn prefixes(tells: impl IntoIterator<Item = IpAddr>) -> Vec<Ipv6Net> {
    let of = |ip: IpAddr| {
        let IpAddr::V6(v6) = ip else { return None };
        let nets = LENGTHS.into_iter().filter_map(|length| Ipv6Net::new(v6, length).ok());
        nets.map(|net| net.trunc()).find(|net| KNOWN.contains(&embedded(v6, *net)))
    };
    tells.into_iter().filter_map(of).collect()
}

/// The address that a packet to `ip` goes to in a network with these prefixes.
fn translated(ip: IpAddr, own: &[Ipv6Net]) -> IpAddr {
    let IpAddr::V6(v6) = ip else { return ip };
    let prefix = own.iter().find(|prefix| prefix.contains(&v6));
    prefix.map_or_else(|| canonical(ip), |prefix| IpAddr::V4(embedded(v6, *prefix)))
}

/// Which octets of an address behind a prefix of `length` bits are those of the IPv4 address:
/// the four after it, without the ninth (RFC 6052, 2.2).
fn places(length: u8) -> impl Iterator<Item = usize> {
    (usize::from(length / 8)..16).filter(|place| *place != 8).take(4)
}

fn embedded(v6: Ipv6Addr, prefix: Ipv6Net) -> Ipv4Addr {
    let octets = v6.octets();
    let bits = places(prefix.prefix_len()).fold(0, |bits, at| bits << 8 | u32::from(octets[at]));
    Ipv4Addr::from_bits(bits)
}

fn embed(v4: Ipv4Addr, prefix: Ipv6Net) -> Ipv6Addr {
    let mut octets = prefix.addr().octets();
    for (at, octet) in places(prefix.prefix_len()).zip(v4.octets()) {
        octets[at] = octet;
    }
    octets.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    /// The examples of RFC 6052, 2.4: 192.0.2.33 behind prefixes of each length.
    const EXAMPLES: [(&str, &str); 6] = [
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
    ];

    #[test]
    fn an_ipv4_address_stands_behind_a_prefix_as_the_rfc_says() {
        let v4: Ipv4Addr = "192.0.2.33".parse().unwrap();
        for (prefix, address) in EXAMPLES {
            let (prefix, address): (Ipv6Net, _) =
                (prefix.parse().unwrap(), address.parse().unwrap());
            assert_eq!(embed(v4, prefix), address, "{prefix}");
            assert_eq!(embedded(address, prefix), v4, "{prefix}");
        }
    }

    #[tokio::test]
    #[rustfmt::skip] // One case a line.
    async fn what_a_nat64_translates_is_the_ipv4_address() {
        let own = "2001:db8:122:344::192.0.0.170 2001:db8:122:344::192.0.0.171";
        let table = [
            // what it shows                   ipv4only.arpa has             DNS says                              so it is
            ("IPv4 alone",                     own,                          "192.0.2.33",                         "192.0.2.33"),
            ("everybody's prefix",             "192.0.0.170",                "64:ff9b::192.0.2.33",                "192.0.2.33"),
            ("everybody's, and nobody tells",  "",                           "192.0.2.1 64:ff9b::c000:201",        "192.0.2.1 192.0.2.1"),
            ("the network's own",              own,                          "2001:db8:122:344::192.0.2.33",       "192.0.2.33"),
            ("the network's own of 64 bits",   "2001:db8:122:344:c0:0:aa00::", "2001:db8:122:344:c0:2:2100::",     "192.0.2.33"),
            ("another network's",              own,                          "2001:db8:122:345::192.0.2.33",       "2001:db8:122:345::192.0.2.33"),
            ("a network without NAT64",        "192.0.0.170 192.0.0.171",    "2001:db8:122:344::192.0.2.33",       "2001:db8:122:344::192.0.2.33"),
            ("a lie about it",                 "2001:db8::1",                "2001:db8::192.0.2.33",               "2001:db8::192.0.2.33"),
            ("more than the prefix",           own,                          "64:ff9b::1:192.0.2.33",              "64:ff9b::1:192.0.2.33"),
        ];
        for (shows, tells, found, want) in table {
            let translated = Nat64::default().translated(ips(found), async || Some(ips(tells))).await;
            assert_eq!(translated, ips(want), "{shows}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_networks_prefix_is_asked_for_once_in_a_while_and_leads_to_ipv4() {
        let (nat64, v4) = (Nat64::default(), "192.0.2.33".parse().unwrap());
        assert_eq!(nat64.behind(v4).await, None);
        let asked = std::cell::Cell::new(0);
        let tells = |answers: bool| {
            let asked = &asked;
            async move || {
                asked.set(asked.get() + 1);
                answers.then(|| ips("2001:db8:122:344::192.0.0.170"))
            }
        };
        let table =
            [(0, false, 1), (0, true, 1), (1, true, 2), (9, true, 2), (1, false, 3), (1, false, 4)];
        for (minutes, answers, times) in table {
            tokio::time::advance(Duration::from_mins(minutes)).await;
            nat64.translated(ips("2001:db8::1"), tells(answers)).await;
            assert_eq!(asked.get(), times, "{minutes} minutes later");
        }
        // Nobody answered lately; what was known counts.
        assert_eq!(nat64.behind(v4).await, Some(ips("2001:db8:122:344::192.0.2.33")[0]));
        assert_eq!(nat64.behind(ips("2001:db8::1")[0]).await, None);
    }
}
