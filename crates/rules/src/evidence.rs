//! What the deep questions about a domain brought to light: who said what, judged by nobody yet.
//!
//! A check asks one resolver and the web server. Only where that is not good, or somebody wants it
//! explained, is everybody asked: each resolver, the delegation from the root down, each authoritative
//! server, CAA, port 80. What could not be reached is evidence too, and never a "no".

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::probe::{DnsObservation, TlsObservation};
use crate::{Targets, Time};

/// What the deep questions need to know.
#[derive(Clone, Debug)]
pub struct Inquiry<'a> {
    /// Where domains must point: only there are web servers asked.
    pub targets: &'a Targets,
    /// A label that nobody has by chance, for a sibling of the name and for a stranger at the web server.
    pub label: &'a str,
    /// How long all of it may take.
    pub within: Duration,
}

impl Inquiry<'_> {
    /// How long all questions about one name may take.
    pub const WHOLE: Duration = Duration::from_secs(15);
}

/// All that was said. Empty parts were not asked, or not applicable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deep {
    /// What each configured resolver said.
    pub resolvers: Vec<ResolverSaid>,
    /// What a resolver said of a sibling of the name with a label that nobody has by chance; none for a
    /// registrable domain.
    pub sibling: Option<Answer>,
    /// The delegation and the authoritative servers: of the name first, then of each CNAME target in
    /// another zone.
    pub zones: Vec<ZoneSaid>,
    /// DNSSEC records of the zone; only where a resolver called it bogus.
    pub dnssec: Option<Dnssec>,
    /// The questions for CAA, from the name upwards, until records were found (RFC 8659).
    pub caa: Vec<CaaStep>,
    /// Port 80 of each address of the domain that is a target.
    pub http: BTreeMap<IpAddr, HttpVisit>,
    /// What each of them presents to a name that nobody has by chance.
    pub stranger: BTreeMap<IpAddr, TlsObservation>,
    /// Its front page over TLS that a browser would trust.
    pub front: BTreeMap<IpAddr, FrontPage>,
}

/// What a server of DNS said of the addresses of a name: A and AAAA together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There are addresses.
    Addresses {
        /// All of them.
        found: BTreeSet<IpAddr>,
        /// The names that CNAME records led through, in order.
        through: Vec<String>,
        /// How long the answer may be kept.
        ttl: Duration,
    },
    /// The name does not exist (NXDOMAIN).
    NoSuchName {
        /// How long that may be kept (RFC 2308).
        ttl: Duration,
    },
    /// The name, or the one that CNAME records lead to, exists and has no address.
    NoAddress {
        /// The names that CNAME records led through, in order.
        through: Vec<String>,
        /// How long that may be kept (RFC 2308).
        ttl: Duration,
    },
    /// CNAME records lead to a name that does not exist, the last one.
    Dangling {
        /// The names that they led through, in order; never empty.
        through: Vec<String>,
    },
    /// CNAME records lead in a circle, or through too many names.
    Circle {
        /// The names that they led through, in order.
        through: Vec<String>,
    },
    /// CNAME records lead out of what this server knows: the last name is another zone's.
    LedOut {
        /// The names that they led through, in order; never empty.
        through: Vec<String>,
    },
    /// It answered that it cannot answer.
    Failed {
        /// `SERVFAIL`, `REFUSED` and the like.
        code: String,
    },
    /// Nothing came back, or nothing that can be read.
    Silent {
        /// How that failed.
        detail: String,
    },
}

/// What one of the configured resolvers said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolverSaid {
    /// Which.
    pub resolver: SocketAddr,
    /// What it said.
    pub answer: Answer,
    /// What it said with the CD bit, so without validation; only where it said SERVFAIL.
    pub unvalidated: Option<Answer>,
    /// Whether it validates DNSSEC: it set AD on an answer that is signed for sure (the root's); none
    /// where that is not known.
    pub validates: Option<bool>,
}

/// A delegation, followed from the root, and what the servers that it names said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneSaid {
    /// The name that was walked to: the domain, or a CNAME's target.
    pub name: String,
    /// How far the walk came.
    pub end: WalkEnd,
    /// The delegated servers of the zone that the name lies in, each address of each.
    pub servers: Vec<ServerSaid>,
}

/// How a walk from the root ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalkEnd {
    /// At the servers of this zone, to which nothing is delegated further.
    Reached {
        /// The zone.
        zone: String,
        /// Who delegates it.
        parent: String,
    },
    /// The servers of `parent` say that `name` is delegated to nobody.
    NotDelegated {
        /// The zone that could delegate it.
        parent: String,
        /// The name just below it.
        name: String,
        /// Which server said so.
        by: String,
    },
    /// No server of `zone`, a parent, answered: nothing is known below it.
    Unreachable {
        /// Whose servers: the root is an empty text.
        zone: String,
        /// How each failed.
        detail: String,
    },
}

/// One address of a delegated server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSaid {
    /// Its name.
    pub server: String,
    /// Its address; none where its name has none.
    pub address: Option<IpAddr>,
    /// What it said.
    pub said: Authority,
}

/// What a delegated server said of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// An authoritative answer.
    Answered(Answer),
    /// It is not responsible: it refuses, answers without authority, or refers upwards.
    Lame {
        /// Which of them.
        detail: String,
    },
    /// It said SERVFAIL, or another error of its own.
    Failed {
        /// Which.
        code: String,
    },
    /// Neither UDP nor TCP brought an answer; also where UDP is too small and TCP is not there.
    Silent {
        /// How that failed.
        detail: String,
    },
    /// The name of the server has no address.
    NoAddress,
    /// The guard does not let us ask there.
    Forbidden {
        /// Which rule.
        detail: String,
    },
}

/// What a zone's DNSSEC records say, as far as they were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dnssec {
    /// The zone.
    pub zone: String,
    /// The DS records at its parent, as in a zone file.
    pub ds: Vec<String>,
    /// Its DNSKEY records; none where they could not be read.
    pub keys: Option<Vec<String>>,
    /// The DS records that one of those keys should give (SHA-256), as in a zone file.
    pub fitting_ds: Vec<String>,
    /// Whether one of the DS records is of one of the keys.
    pub matches: bool,
    /// The signatures of the records asked for and of the keys; none where they could not be read.
    pub signatures: Option<Vec<Signature>>,
}

/// One RRSIG record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The type that it covers.
    pub covers: String,
    /// From when it is good.
    pub from: Time,
    /// Until when it is good.
    pub until: Time,
}

/// One question for CAA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaaStep {
    /// The name asked for.
    pub name: String,
    /// The names that CNAME records led through, in order.
    pub through: Vec<String>,
    /// What came back.
    pub said: CaaSaid,
}

/// What came back to a question for CAA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaaSaid {
    /// Records: here the climb ends.
    Records(Vec<Caa>),
    /// None.
    None,
    /// SERVFAIL, a timeout: an authority would not issue.
    Failed {
        /// How.
        detail: String,
    },
}

/// A CAA record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caa {
    /// Whether who does not know its tag must not issue.
    pub critical: bool,
    /// Its tag in lower case: `issue`, `issuewild`, `iodef`, or another.
    pub tag: String,
    /// Its value as it stands there.
    pub value: String,
}

/// A visit to port 80 as a validator makes it: `GET /.well-known/acme-challenge/RANDOM`, redirects
/// followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpVisit {
    /// Each answer, in order.
    pub hops: Vec<Hop>,
    /// How it ended.
    pub end: HttpEnd,
}

/// One answer on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// What was asked for.
    pub url: String,
    /// The host in it.
    pub host: String,
    /// The address that was asked.
    pub address: IpAddr,
    /// The status.
    pub status: u16,
    /// The server's clock (`Date`), where it told.
    pub date: Option<Time>,
}

/// How a visit to port 80 ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpEnd {
    /// With an answer that is no redirect.
    Answered,
    /// Nobody listens at the address.
    Refused {
        /// Where and how.
        detail: String,
    },
    /// Nothing came back in time.
    Silent {
        /// Where and how.
        detail: String,
    },
    /// What came back is not HTTP, or broke off.
    Broken {
        /// Where and how.
        detail: String,
    },
    /// A redirect leads to a host whose addresses are not known or not targets, or may not be visited.
    Elsewhere {
        /// The host.
        host: String,
        /// Its addresses.
        found: BTreeSet<IpAddr>,
    },
    /// A redirect to another port or scheme, or one that cannot be read: nobody follows it.
    NotFollowed {
        /// Where to.
        url: String,
    },
    /// A redirect to where it had been.
    Circle {
        /// Where to.
        url: String,
    },
    /// More than ten redirects.
    TooMany,
}

/// What `GET /` answered over TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontPage {
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The server's clock (`Date`), where it told.
    pub date: Option<Time>,
}

impl Answer {
    /// The names that CNAME records led through.
    pub fn through(&self) -> &[String] {
        match self {
            Self::Addresses { through, .. }
            | Self::NoAddress { through, .. }
            | Self::Dangling { through }
            | Self::Circle { through }
            | Self::LedOut { through } => through,
            Self::NoSuchName { .. } | Self::Failed { .. } | Self::Silent { .. } => &[],
        }
    }

    /// The addresses; none of any other answer.
    pub fn found(&self) -> Option<&BTreeSet<IpAddr>> {
        match self {
            Self::Addresses { found, .. } => Some(found),
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

    /// The same as a check sees it.
    pub fn observed(&self) -> DnsObservation {
        let failed = |detail: &str| DnsObservation::Failed { detail: detail.to_owned() };
        match self.clone() {
            Self::Addresses { found, through, .. } => {
                DnsObservation::Addresses { found, through, unanswered: None }
            }
            Self::NoSuchName { .. } | Self::Dangling { .. } => DnsObservation::NoSuchName,
            Self::NoAddress { through, .. } => DnsObservation::NoAddress { through },
            Self::Circle { .. } => failed("CNAME records in a circle"),
            Self::LedOut { .. } => failed("a CNAME into another zone"),
            Self::Failed { code } => failed(&code),
            Self::Silent { detail } => DnsObservation::NoAnswer { detail },
        }
    }

    /// How long it may be kept, where it may.
    pub fn ttl(&self) -> Option<Duration> {
        match self {
            Self::Addresses { ttl, .. }
            | Self::NoSuchName { ttl }
            | Self::NoAddress { ttl, .. } => Some(*ttl),
            _ => None,
        }
    }
}
