//! Where domains must point, and how that is known.
//!
//! What the operator set counts alone. Else it is the address that Closte names, and those of the
//! network's own domain. DNS may fail to tell those, so the last complete answer counts until
//! another complete one comes: a failure of the network's own zone changes nobody's routing.
//!
//! An address of a known proxy is never a target: whoever points there points at the proxy.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::probe::{DnsObservation, RecordKind, Unanswered};
use crate::proxy::is_proxy;
use crate::{DomainName, Time, plain};

/// The addresses that domains must point to, and how they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// The addresses; empty where nobody knows.
    pub addresses: BTreeSet<IpAddr>,
    /// Addresses that do not count, as they are a proxy's.
    pub proxied: BTreeSet<IpAddr>,
    /// How they are known.
    pub source: TargetSource,
    /// What DNS did not tell of the network's own domain when it was last asked.
    pub missed: Option<String>,
}

/// How targets are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetSource {
    /// An operator set them (`checks.targets`).
    Set,
    /// By DNS, from the network's own domain; none where it never answered.
    Own(Option<OwnAnswer>),
}

impl Default for TargetSource {
    fn default() -> Self {
        Self::Own(None)
    }
}

/// What DNS answered for the network's own domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAnswer {
    /// That domain.
    pub domain: DomainName,
    /// Its addresses; none where it has none.
    pub found: BTreeSet<IpAddr>,
    /// The record type that was not answered for; none of a complete answer.
    pub unanswered: Option<RecordKind>,
    /// Since when it has answered so.
    pub since: Time,
}

/// What targets are made from, besides DNS.
#[derive(Clone, Copy, Debug)]
pub struct TargetBasis<'a> {
    /// `checks.targets`; empty where they are to be found.
    pub set: &'a BTreeSet<IpAddr>,
    /// `CLOSTE_PUBLIC_IP_ADDRESS`; empty where it names none.
    pub public: &'a BTreeSet<IpAddr>,
    /// The network's own domain, where that is known.
    pub own: Option<&'a DomainName>,
}

/// The address that a packet to `ip` goes to: an IPv4 address in IPv6 form, or behind the prefix of
/// NAT64 that is everybody's (`64:ff9b::/96`, RFC 6052), is that one.
pub fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) if v6.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] => {
            let [.., a, b, c, d] = v6.octets();
            IpAddr::from([a, b, c, d])
        }
        ip => ip.to_canonical(),
    }
}

impl TargetBasis<'_> {
    /// The domain to ask DNS for; none where that does not count.
    pub fn asks(&self) -> Option<&DomainName> {
        self.own.filter(|_| self.set.is_empty())
    }

    /// The targets, now that DNS gave this `answer` for [`Self::asks`]; `before` are those of the
    /// last time.
    pub fn targets(
        &self,
        answer: Option<&DnsObservation>,
        before: Option<&Targets>,
        now: Time,
    ) -> Targets {
        if !self.set.is_empty() {
            return Targets::new(TargetSource::Set, self.set);
        }
        let before = before.and_then(Targets::own).filter(|own| Some(&own.domain) == self.own);
        let fresh = self.own.zip(answer).and_then(|(own, answer)| own_answer(own, answer, now));
        let own = match (before, fresh) {
            (Some(before), Some(fresh)) if fresh.says_the_same(before) => Some(before.clone()),
            (Some(before), Some(fresh)) if before.is_complete() && !fresh.is_complete() => {
                Some(before.clone())
            }
            (before, fresh) => fresh.or_else(|| before.cloned()),
        };
        let found = own.iter().flat_map(|own| &own.found);
        let addresses: BTreeSet<IpAddr> = self.public.iter().chain(found).copied().collect();
        let missed = answer.and_then(missed);
        Targets { missed, ..Targets::new(TargetSource::Own(own), &addresses) }
    }
}

impl Targets {
    fn new(source: TargetSource, addresses: &BTreeSet<IpAddr>) -> Self {
        let canonical = addresses.iter().map(|ip| canonical(*ip));
        let (proxied, addresses) = canonical.partition(|ip| is_proxy(*ip));
        Self { addresses, proxied, source, missed: None }
    }

    /// Whether `ip` is one of them.
    pub fn contains(&self, ip: IpAddr) -> bool {
        self.addresses.contains(&canonical(ip))
    }

    /// Whether nobody knows any.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// Whether `ip`, which is none of them, is somebody else's for sure: a proxy's, or one of a
    /// record type that the network's own domain was asked for with success.
    pub fn is_foreign(&self, ip: IpAddr) -> bool {
        let is_known = match &self.source {
            TargetSource::Set => true,
            TargetSource::Own(None) => false,
            TargetSource::Own(Some(own)) => own.unanswered != Some(RecordKind::of(ip)),
        };
        is_known || is_proxy(ip)
    }

    /// Whether one of them at least is the network's own domain's.
    pub fn is_as_own(&self) -> bool {
        self.own().is_some_and(|own| own.found.iter().any(|ip| self.contains(*ip)))
    }

    /// What DNS answered for the network's own domain, where that counts.
    pub fn own(&self) -> Option<&OwnAnswer> {
        match &self.source {
            TargetSource::Own(own) => own.as_ref(),
            TargetSource::Set => None,
        }
    }
}

impl From<BTreeSet<IpAddr>> for Targets {
    /// As if an operator had set them.
    fn from(addresses: BTreeSet<IpAddr>) -> Self {
        Self::new(TargetSource::Set, &addresses)
    }
}

impl OwnAnswer {
    /// Whether DNS answered for both record types.
    pub fn is_complete(&self) -> bool {
        self.unanswered.is_none()
    }

    fn says_the_same(&self, other: &Self) -> bool {
        (&self.found, self.unanswered) == (&other.found, other.unanswered)
    }
}

/// What `answer` says about the domain `own`; none where it says nothing.
fn own_answer(own: &DomainName, answer: &DnsObservation, now: Time) -> Option<OwnAnswer> {
    let (found, unanswered) = match answer {
        DnsObservation::Addresses { found, unanswered, .. } => {
            let found = found.iter().map(IpAddr::to_canonical).collect();
            (found, unanswered.as_ref().map(|it| it.kind))
        }
        DnsObservation::NoSuchName | DnsObservation::NoAddress { .. } => (BTreeSet::new(), None),
        DnsObservation::Failed { .. } | DnsObservation::NoAnswer { .. } => return None,
    };
    Some(OwnAnswer { domain: own.clone(), found, unanswered, since: now })
}

/// What `answer` leaves open, for people.
fn missed(answer: &DnsObservation) -> Option<String> {
    let detail = match answer {
        DnsObservation::Addresses { unanswered, .. } => {
            unanswered.as_ref().map(Unanswered::to_string)
        }
        DnsObservation::Failed { detail } | DnsObservation::NoAnswer { detail } => {
            Some(detail.clone())
        }
        DnsObservation::NoSuchName | DnsObservation::NoAddress { .. } => None,
    };
    detail.map(plain::kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(text: &str) -> BTreeSet<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    fn has(found: &str) -> DnsObservation {
        DnsObservation::Addresses { found: ips(found), through: vec![], unanswered: None }
    }

    fn without(kind: RecordKind, found: &str) -> DnsObservation {
        let unanswered = Some(Unanswered { kind, detail: "SERVFAIL".to_owned() });
        DnsObservation::Addresses { found: ips(found), through: vec![], unanswered }
    }

    /// The targets after each of `answers` in turn.
    fn after(set: &str, public: &str, answers: &[DnsObservation]) -> Targets {
        let (set, own) = (ips(set), "network.example".parse().unwrap());
        let public = ips(public);
        let basis = TargetBasis { set: &set, public: &public, own: Some(&own) };
        let mut targets = None;
        for (second, answer) in (0..).zip(answers) {
            let answer = Some(answer).filter(|_| basis.asks().is_some());
            let now = Time::from_millis(second * 1000);
            targets = Some(basis.targets(answer, targets.as_ref(), now));
        }
        targets.unwrap()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_last_complete_answer_counts_until_another_complete_one_comes() {
        use RecordKind::{A, Aaaa};
        let both = || has("192.0.2.1 2001:db8::1");
        let failed = || DnsObservation::Failed { detail: "SERVFAIL".to_owned() };
        let silent = || DnsObservation::NoAnswer { detail: "timed out".to_owned() };
        let gone = || DnsObservation::NoSuchName;
        let bare = || DnsObservation::NoAddress { through: vec![] };
        let (all, new) = ("192.0.2.1 2001:db8::1", "192.0.2.2");
        let table = [
            // what it shows               set          public       answers                                      targets          known A, AAAA
            ("a complete answer",          "",          "",          vec![both()],                                all,             true, true),
            ("AAAA fails then",            "",          "",          vec![both(), without(Aaaa, "192.0.2.1")],    all,             true, true),
            ("A fails then",               "",          "",          vec![both(), without(A, "2001:db8::1")],     all,             true, true),
            ("AAAA fails, A changed",      "",          "",          vec![both(), without(Aaaa, new)],            all,             true, true),
            ("the zone fails then",        "",          "",          vec![both(), failed()],                      all,             true, true),
            ("nobody answers then",        "",          "",          vec![both(), silent()],                      all,             true, true),
            ("another complete answer",    "",          "",          vec![both(), failed(), has(new)],            new,             true, true),
            ("it is gone: an answer",      "",          "",          vec![both(), gone()],                        "",              true, true),
            ("no address: an answer",      "",          "",          vec![both(), bare()],                        "",              true, true),
            ("never complete",             "",          "",          vec![without(Aaaa, "192.0.2.1")],            "192.0.2.1",     true, false),
            ("never complete, and later",  "",          "",          vec![without(Aaaa, "192.0.2.1"), without(Aaaa, new)], new,    true, false),
            ("never complete, then fails", "",          "",          vec![without(Aaaa, "192.0.2.1"), failed()],  "192.0.2.1",     true, false),
            ("complete in the end",        "",          "",          vec![without(Aaaa, "192.0.2.1"), both()],    all,             true, true),
            ("never answered",             "",          "",          vec![failed(), silent()],                    "",              false, false),
            ("Closte names one too",       "",          "192.0.2.7", vec![has("192.0.2.1")],                      "192.0.2.1 192.0.2.7", true, true),
            ("Closte names the only one",  "",          "192.0.2.7", vec![failed()],                              "192.0.2.7",     false, false),
            ("the operator's count alone", "192.0.2.9", "192.0.2.7", vec![both()],                                "192.0.2.9",     true, true),
            ("an IPv4 in IPv6 form",       "",          "",          vec![has("::ffff:192.0.2.1")],               "192.0.2.1",     true, true),
            ("no proxy of DNS",            "",          "",          vec![has("104.16.3.4 192.0.2.1")],           "192.0.2.1",     true, true),
            ("no proxy of Closte's",       "",          "104.16.3.4", vec![has("192.0.2.1")],                     "192.0.2.1",     true, true),
            ("no proxy of the operator's", "2606:4700::1", "",       vec![both()],                                "",              true, true),
        ];
        for (shows, set, public, answers, addresses, a, aaaa) in table {
            let targets = after(set, public, &answers);
            assert_eq!(targets.addresses, ips(addresses), "{shows}");
            let known = ["198.51.100.1", "2001:db8::99"].map(|ip| targets.is_foreign(ip.parse().unwrap()));
            assert_eq!(known, [a, aaaa], "{shows}");
            assert!(targets.is_foreign("104.16.3.4".parse().unwrap()), "{shows}: a proxy is never right");
        }
    }

    #[test]
    fn an_answer_has_its_origin_and_what_was_missed() {
        let both = || has("192.0.2.1 2001:db8::1");
        let targets = after("", "", &[both(), both(), without(RecordKind::Aaaa, "192.0.2.1")]);
        assert_eq!(targets.own().unwrap().since, Time::from_millis(0), "it said the same since");
        assert_eq!(targets.missed.as_deref(), Some("no answer for its AAAA records: SERVFAIL"));
        let proxied = after("", "", &[has("104.16.3.4")]);
        assert_eq!((proxied.addresses, proxied.proxied), (ips(""), ips("104.16.3.4")));
    }

    #[test]
    fn the_answer_of_another_domain_does_not_count() {
        let before = after("", "", &[has("192.0.2.1")]);
        let (set, own) = (BTreeSet::new(), "renamed.example".parse().unwrap());
        let basis = TargetBasis { set: &set, public: &BTreeSet::new(), own: Some(&own) };
        let failed = DnsObservation::Failed { detail: "SERVFAIL".to_owned() };
        assert!(basis.targets(Some(&failed), Some(&before), Time::from_millis(9)).is_empty());
    }
}
