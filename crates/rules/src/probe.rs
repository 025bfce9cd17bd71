//! Checking a domain from outside: what DNS says, what a browser would see,
//! and whether it is WordPress that answers.
//!
//! A check reports what it saw and judges nothing: [`crate::judge`] does. What
//! could not be asked is its own kind of answer, never a "no".

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::evidence::{Deep, Inquiry};
use crate::words::words;
use crate::{DomainName, Time};

/// Something that checks domains.
///
/// # Contract
///
/// No packet goes to an address that the guard forbids, and a check ends in
/// bounded time. Names are concrete: no wildcard is ever asked for.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Ask DNS for the A and AAAA records of `name`.
    async fn resolve(&self, name: &DomainName) -> DnsObservation;

    /// The same of each resolver for itself, where there are several: those that answered must agree
    /// before a domain counts as led here for the first time.
    async fn resolve_by_each(&self, _name: &DomainName) -> Vec<DnsObservation> {
        Vec::new()
    }

    /// Make a TLS handshake with `address` as a browser that wants `name` would.
    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation;

    /// Ask WordPress on `address` for its routing proof of `name`:
    /// `GET /?async_check_dns_nonce=QUESTION`, over TLS that a browser would trust.
    ///
    /// No redirect is followed, and no long answer is read to its end.
    async fn ask(&self, name: &DomainName, address: IpAddr, question: &str) -> ProofObservation;

    /// Ask everybody who can say why `name` is as it is: each resolver, the delegation from the root
    /// down, each authoritative server, CAA, port 80 and the front page. It ends within 15 s; questions
    /// that do not depend on each other run together. A wildcard is asked for under the label of
    /// `inquiry`, and its CAA at its base.
    async fn investigate(&self, name: &DomainName, inquiry: &Inquiry<'_>) -> Deep;

    /// That no server of the root answered when they were asked last; none where one did, or none
    /// was asked.
    fn roots_silent(&self) -> Option<RootsSilent> {
        None
    }

    /// Take over what an earlier probe knew of that, where this one has not asked yet.
    fn recall_roots(&self, _silent: Option<RootsSilent>) {}
}

/// That no server of the root answers this machine: DNS to others than its resolvers is most likely
/// closed on the way, and no delegation can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootsSilent {
    /// Since when.
    pub since: Time,
    /// Until when they are not asked again.
    pub until: Time,
}

impl RootsSilent {
    /// How long they are left alone.
    pub const LEFT_ALONE: Duration = Duration::from_hours(1);

    /// They were asked at `now`, and were silent `before` too where that is given.
    pub fn at(now: Time, before: Option<Self>) -> Self {
        Self { since: before.map_or(now, |it| it.since), until: now + Self::LEFT_ALONE }
    }
}

/// What DNS said about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsObservation {
    /// There are addresses.
    Addresses {
        /// All of them, A and AAAA.
        found: BTreeSet<IpAddr>,
        /// The names that CNAME records led through, in order.
        through: Vec<String>,
        /// The record type whose question failed; none of a complete answer.
        unanswered: Option<Unanswered>,
    },
    /// The name does not exist (NXDOMAIN).
    NoSuchName,
    /// The name exists and has no address.
    NoAddress {
        /// The names that CNAME records led through, in order.
        through: Vec<String>,
    },
    /// A server answered that it cannot answer (SERVFAIL, REFUSED, a CNAME loop):
    /// it says something about the zone, and nothing about its addresses.
    Failed {
        /// What it said.
        detail: String,
    },
    /// No resolver answered at all.
    NoAnswer {
        /// Who was asked, and how it failed.
        detail: String,
    },
}

impl DnsObservation {
    /// The record type whose question failed beside another.
    pub fn unanswered(&self) -> Option<&Unanswered> {
        match self {
            Self::Addresses { unanswered, .. } => unanswered.as_ref(),
            _ => None,
        }
    }

    /// The addresses, to put another in the place of one; none of any other answer.
    pub fn found_mut(&mut self) -> Option<&mut BTreeSet<IpAddr>> {
        match self {
            Self::Addresses { found, .. } => Some(found),
            _ => None,
        }
    }

    /// Whether it tells of the name that was asked for, were it that there is none.
    pub fn is_answer(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::NoAnswer { .. })
    }
}

words! {
    /// A type of DNS record that holds addresses.
    RecordKind {
        /// IPv4 addresses.
        A = "A",
        /// IPv6 addresses.
        Aaaa = "AAAA",
    }
}

impl RecordKind {
    /// The one that holds `ip`.
    pub fn of(ip: IpAddr) -> Self {
        if ip.to_canonical().is_ipv4() { Self::A } else { Self::Aaaa }
    }
}

/// A record type that was asked for beside another, which was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unanswered {
    /// Which.
    pub kind: RecordKind,
    /// How the question failed.
    pub detail: String,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer for its {} records: {}", self.kind, self.detail)
    }
}

/// What one address presented for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsObservation {
    /// A certificate, and what a browser would say of it.
    Presented {
        /// The certificate.
        certificate: Presented,
        /// The verdict.
        verdict: TlsVerdict,
    },
    /// The server spoke TLS and has no certificate for the name.
    NoCertificate {
        /// The alert, or what else it did.
        detail: String,
    },
    /// Nothing could be asked: refused, timed out, reset.
    NoAnswer {
        /// Which of them.
        how: Unreached,
        /// The same for people.
        detail: String,
    },
    /// The guard does not allow the address.
    Forbidden {
        /// Which rule.
        detail: String,
    },
}

words! {
    /// How a server could not be asked.
    Unreached {
        /// Nobody listens there.
        Refused = "refused",
        /// Nothing came back in time.
        Silent = "silent",
        /// Anything else: no way there, a connection that broke off.
        Broken = "broken",
    }
}

/// What one address answered when it was asked for the routing proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofObservation {
    /// A WordPress with Ultimate Multisite: the id of the mapping that it serves
    /// the name by.
    Answered(u64),
    /// Anything else: a cached page, a firewall, a redirect, no answer. It says
    /// nothing about the mapping.
    NoProof {
        /// What it was instead.
        detail: String,
    },
}

/// A certificate as it was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its issuer, for people.
    pub issuer: String,
    /// Start of its validity.
    pub not_before: Time,
    /// End of its validity.
    pub not_after: Time,
    /// The names that it covers.
    pub names: Vec<String>,
    /// What tells it from every other: the SHA-256 of it, in hexadecimal.
    pub fingerprint: String,
    /// The subjects of all certificates that came, its own first, for people.
    pub chain: Vec<String>,
    /// Who issued the last of them, for people; none where that is signed by itself.
    pub last_issuer: Option<String>,
    /// Where the certificate of that issuer is, as the last of them names it (AIA, RFC 5280).
    pub issuer_url: Option<String>,
}

impl Presented {
    /// A certificate of which nothing else is known, alone in its chain.
    pub fn new(issuer: &str, valid: (Time, Time), names: Vec<String>) -> Self {
        Self {
            issuer: issuer.to_owned(),
            not_before: valid.0,
            not_after: valid.1,
            fingerprint: format!("{issuer} {} {}", valid.0.as_millis(), names.join(" ")),
            names,
            chain: Vec::new(),
            last_issuer: None,
            issuer_url: None,
        }
    }

    /// How far its lifetime is over: it should have been renewed when a third is left (half, under ten
    /// days), and ends when a tenth or a day is.
    pub fn age(&self, now: Time) -> Age {
        const DAY: Duration = Duration::from_hours(24);
        let lifetime = self.not_after.since(self.not_before);
        let left = self.not_after.since(now);
        let overdue = lifetime / if lifetime < DAY * 10 { 2 } else { 3 };
        // Of one that lives for days only, a day is not the end yet.
        let ending = (lifetime / 10).max(DAY.min(lifetime / 4));
        match left {
            _ if left < ending => Age::Ending,
            _ if left < overdue => Age::Overdue,
            _ => Age::Young,
        }
    }
}

/// How far the lifetime of a certificate is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It need not be renewed yet.
    Young,
    /// It should have been renewed.
    Overdue,
    /// It ends soon.
    Ending,
}

/// What a browser would say of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVerdict {
    /// It accepts it.
    Trusted,
    /// Its validity is over.
    Expired,
    /// Its validity has not begun.
    NotYetValid,
    /// It is for other names.
    OtherName,
    /// It is signed by itself.
    SelfSigned,
    /// No known authority signed it.
    UnknownIssuer,
    /// Its signature or key is too weak: MD5, SHA-1, RSA under 2048 bits.
    Weak,
    /// Anything else: broken, revoked, a signature that does not fit.
    Bad,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_certificate_is_judged_by_its_own_lifetime() {
        use Age::{Ending, Overdue, Young};
        let hours = |hours: u32| Time::from_millis(0) + Duration::from_hours(u64::from(hours));
        let table = [
            // what it shows                     lifetime  left (hours)
            ("90 days, 31 left",                 90 * 24,  31 * 24, Young),
            ("90 days, 29 left",                 90 * 24,  29 * 24, Overdue),
            ("90 days, 10 left",                 90 * 24,  10 * 24, Overdue),
            ("90 days, 8 left",                  90 * 24,  8 * 24,  Ending),
            ("45 days, 16 left",                 45 * 24,  16 * 24, Young),
            ("45 days, 14 left",                 45 * 24,  14 * 24, Overdue),
            ("45 days, 4 left",                  45 * 24,  4 * 24,  Ending),
            ("160 hours, 90 left",               160,      90,      Young),
            ("160 hours, 70 left",               160,      70,      Overdue),
            ("160 hours, 23 left",               160,      23,      Ending),
        ];
        for (shows, lifetime_hours, left, age) in table {
            let certificate = Presented::new("CA", (hours(0), hours(lifetime_hours)), Vec::new());
            assert_eq!(certificate.age(hours(lifetime_hours - left)), age, "{shows}");
        }
    }
}
