//! What should be so, held against what was read.

use engine::texts::{self, findings::Language};
use rules::Reason;
use rules::entry::{Alias, Certificate, Condition, Entry, Routing};
use rules::explain;

use super::observed::Observed;
use crate::cli::domains::list;

/// Something that should be so of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// Visitors are served by https, in the eyes of all three.
    Ready(&'static str),
    /// It is at the host, and waited for with this reason.
    Waits(&'static str, Reason),
    /// It was at the host, and is nowhere any more.
    Left(&'static str),
    /// It once was as this reason says.
    Was(&'static str, Reason),
    /// The host was asked for a wildcard.
    SentAsWildcard(&'static str),
    /// The record of a site is there, and was made for the site's own domain.
    MadeBySync(&'static str),
}

/// A claim, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether it is so. What cannot be read is not.
    pub(super) holds: bool,
    /// What was read.
    pub(super) shows: String,
}

impl Claim {
    /// Hold it against `observed`.
    pub(super) fn judge(self, observed: &Observed) -> Finding {
        let readable = observed.problems().iter().all(|(_, problem)| problem.is_none());
        Finding { holds: readable && self.is_so(observed), shows: self.shown(observed) }
    }

    fn is_so(self, observed: &Observed) -> bool {
        match self {
            Self::Ready(domain) => {
                is_served(observed, domain) && observed.entry(domain).is_some_and(is_well)
            }
            Self::Waits(domain, reason) => {
                let waits = |entry: &Entry| entry.routing.reason == Some(reason);
                let stage = observed.mapping(domain).map(|mapping| mapping.stage.as_str());
                stage == Some("checking-dns")
                    && observed.has(domain)
                    && observed.entry(domain).is_some_and(waits)
            }
            Self::Left(domain) => {
                let calls = &observed.sandbox.shows.calls;
                let happened = |kind| calls.iter().any(|call| call.is(kind, domain) && call.effect);
                observed.mapping(domain).is_none()
                    && !observed.has(domain)
                    && happened("add")
                    && happened("delete")
                    && observed.entry(domain).is_some_and(Entry::is_retired)
            }
            Self::Was(domain, reason) => tells(observed, domain, reason).is_some(),
            Self::SentAsWildcard(domain) => sent(observed, domain).is_some(),
            Self::MadeBySync(domain) => record_of(observed, domain).is_some(),
        }
    }

    /// What was read of it.
    fn shown(self, observed: &Observed) -> String {
        match self {
            Self::Ready(domain) | Self::Waits(domain, _) | Self::Left(domain) => {
                format!("{domain}: {}", all_of(observed, domain))
            }
            Self::Was(domain, reason) => tells(observed, domain, reason)
                .unwrap_or_else(|| format!("{domain}: the ledger has no event of {reason}")),
            Self::SentAsWildcard(domain) => sent(observed, domain)
                .unwrap_or_else(|| format!("{domain}: the host was asked for no wildcard")),
            Self::MadeBySync(domain) => record_of(observed, domain)
                .unwrap_or_else(|| format!("{domain}: its site has no mapping of that name")),
        }
    }
}

fn is_served(observed: &Observed, domain: &str) -> bool {
    let mapping = observed.mapping(domain);
    observed.has(domain) && mapping.is_some_and(|mapping| mapping.stage == "done" && mapping.secure)
}

fn is_well(entry: &Entry) -> bool {
    entry.alias.state == Alias::Present
        && entry.routing.state == Routing::Here
        && entry.certificate.state == Certificate::Valid
}

/// The oldest event of a domain that gives this reason.
fn tells(observed: &Observed, domain: &str, reason: Reason) -> Option<String> {
    let events = observed.ledger.shows.events.iter();
    let mut its = events.filter(|event| event.domain.as_str() == domain);
    let marks = [format!("({reason})"), format!("({reason}: ")];
    let text = texts::event;
    let event = its.find(|event| marks.iter().any(|mark| text(event).contains(mark)))?;
    Some(format!("{domain} {}: {}", event.kind, text(event)))
}

/// The call that asked for a wildcard.
fn sent(observed: &Observed, domain: &str) -> Option<String> {
    let mut calls = observed.sandbox.shows.calls.iter();
    let call =
        calls.find(|call| call.is("add", domain) && call.wildcard.as_deref() == Some("1"))?;
    Some(call.describe())
}

/// The mapping whose domain is that of its site.
fn record_of(observed: &Observed, domain: &str) -> Option<String> {
    let mapping = observed.mapping(domain)?;
    let own = observed.database.shows.sites.get(&mapping.site)?;
    (own == domain).then(|| format!("mapping {} of site {}: {own}", mapping.id, mapping.site))
}

/// What database, ledger and host show of a domain.
fn all_of(observed: &Observed, domain: &str) -> String {
    let row = observed.mapping(domain).map_or_else(
        || "no mapping".to_owned(),
        |mapping| format!("{}, secure {}", mapping.stage, u8::from(mapping.secure)),
    );
    let entry = observed.entry(domain);
    let states = entry.map_or_else(|| "not in the ledger".to_owned(), states);
    let why = entry.and_then(headline).map(|why| format!("; {why}")).unwrap_or_default();
    let host = match (&observed.sandbox.problem, observed.has(domain)) {
        (Some(_), _) => "the host cannot be asked",
        (None, true) => "at the host",
        (None, false) => "not at the host",
    };
    format!("{row}; {states}; {host}{why}")
}

/// What is told of it before all else, and whose turn it is.
fn headline(entry: &Entry) -> Option<String> {
    let headline = explain::headline(entry).filter(|_| !entry.is_retired())?;
    let text = texts::headline(&headline, Language::English);
    Some(format!("{}: {text}", list::in_short(entry)))
}

/// `alias present, routing elsewhere (other-address: …)`; no more where nothing is mapped.
fn states(entry: &Entry) -> String {
    let mut states = vec![format!("alias {}", state(&entry.alias))];
    if entry.mapped.is_some() {
        states.push(format!("routing {}", state(&entry.routing)));
        states.push(format!("certificate {}", state(&entry.certificate)));
    }
    states.join(", ")
}

fn state<S: std::fmt::Display>(condition: &Condition<S>) -> String {
    match (condition.reason, &condition.detail) {
        (Some(reason), Some(detail)) => format!("{} ({reason}: {detail})", condition.state),
        (Some(reason), None) => format!("{} ({reason})", condition.state),
        (None, _) => condition.state.to_string(),
    }
}
