//! Checking a domain from outside: what DNS says, what a browser would see,
//! and whether it is WordPress that answers.
//!
//! A check reports what it saw and judges nothing: [`crate::judge`] does. What
//! could not be asked is its own kind of answer, never a "no".

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;

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

    /// Make a TLS handshake with `address` as a browser that wants `name` would.
    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation;

    /// Ask WordPress on `address` for its routing proof of `name`:
    /// `GET /?async_check_dns_nonce=QUESTION`, over TLS that a browser would trust.
    ///
    /// No redirect is followed, and no long answer is read to its end.
    async fn ask(&self, name: &DomainName, address: IpAddr, question: &str) -> ProofObservation;
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
        /// How it failed.
        detail: String,
    },
    /// The guard does not allow the address.
    Forbidden {
        /// Which rule.
        detail: String,
    },
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
    /// Anything else: broken, revoked, a signature that does not fit.
    Bad,
}
