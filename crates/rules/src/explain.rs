//! Why a domain is not as it should be: everything that is known of it, turned into findings in the
//! order in which somebody would mend them.
//!
//! Each layer has a file and returns what it finds; here it is decided what of that follows from
//! something else and is left out, and what comes first. What is not known is never a finding: where
//! nothing could be seen, that is said, and nothing else.

mod alias;
mod certificate;
mod dns;
mod headline;
mod issuing;
mod recorded;
mod records;
mod rows;
mod seen;
mod service;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::acting::NotOurs;
use crate::action::Deferred;
use crate::budget::Budget;
use crate::entry::Entry;
use crate::evidence::Deep;
use crate::finding::{Actor, Code, Fact, Finding, Said, Severity};
use crate::host_state::HostState;
use crate::judge::{self, Check};
use crate::ledger::Memory;
use crate::probe::{DnsObservation, TlsObservation, TlsVerdict, Unreached};
use crate::protected::Protected;
use crate::stage::StagePolicy;
use crate::{DomainName, Network, Stage, Targets, Time, plain};

pub use headline::{Headline, headline};
pub use recorded::{DEEP_AGAIN, Looked, asks_deeper, first_error, of_entry, saw};
pub use rows::{Rows, of_text};
pub use seen::{Lights, lights, seen};
pub use whole::of_network;

/// The certificate authority of the host, as CAA names it (facts: certificates).
pub const HOSTS_CA: &str = "letsencrypt.org";

/// What is known of a name besides what is observed on the wire now.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub name: &'a DomainName,
    /// What the ledger remembers of it; none without a ledger.
    pub entry: Option<&'a Entry>,
    /// The stage that we wrote last, by the ledger's events.
    pub written: Option<Stage>,
    /// Whether the host's list shows it; none where that could not be read.
    pub at_host: Option<bool>,
}

/// What was observed now.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The first answer of a resolver, the handshake with each address that is a target, the proof.
    pub check: &'a Check,
    /// The deep questions; none where they were not asked.
    pub deep: Option<&'a Deep>,
    /// The label in whose place the mapping may have a `*`.
    pub label: &'a str,
    pub at: Time,
}

/// What is known of the network and the host.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub network: &'a Network,
    /// Its mappings by name.
    pub rows: &'a Rows<'a>,
    pub protected: &'a Protected,
    /// Where domains must point.
    pub targets: &'a Targets,
    /// Addresses that were targets before, by the ledger.
    pub earlier_targets: &'a BTreeSet<IpAddr>,
    /// What the ledger remembers of the whole; none without a ledger.
    pub memory: Option<&'a Memory>,
    pub host: &'a HostState,
    /// What the last pass held back.
    pub deferred: &'a [Deferred],
    pub serving: Serving,
    /// What each registrable domain needs of its certificates; empty without a ledger.
    pub budgets: &'a BTreeMap<DomainName, Budget>,
    /// Why this installation does not act for the network.
    pub not_ours: Option<&'a NotOurs<'a>>,
}

/// Whether WordPress maps domains at all: `SUNRISE` and `sunrise.php`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// It does.
    Maps,
    /// One of the two is missing.
    MapsNothing,
    /// Its files are not here.
    Unknown,
}

/// How it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    pub stages: &'a StagePolicy,
    /// How many resolvers must agree.
    pub dns: DnsRule,
    /// Whether addresses that are not public are visited.
    pub allow_private: bool,
    /// Where a person acts at the host, where that is known.
    pub dashboard: Option<&'a str>,
    pub now: Time,
}

/// How many of the resolvers' answers must be right: `checks.dns`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsRule {
    /// Every address is the network's, and those that answered agree.
    #[default]
    All,
    /// One resolver with one right address is enough.
    Any,
}

/// What somebody who waits for a domain does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Ready,
    SomebodyMustAct,
    CouldNotFindOut,
    Wait,
}

/// All that is asked about one domain.
#[derive(Clone, Copy, Debug)]
struct Case<'a> {
    subject: &'a Subject<'a>,
    evidence: &'a Evidence<'a>,
    situation: &'a Situation<'a>,
    policy: &'a Policy<'a>,
}

/// Why one domain is not as it should be, what must be mended first standing first. Empty where there
/// is nothing to say.
pub fn explain(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Vec<Finding> {
    let case = Case { subject, evidence, situation, policy };
    let mut found = whole::of_domain(&case);
    found.extend(rows::of_name(&case));
    found.extend(rows::of_rows(&case));
    found.extend(alias::of(&case));
    // What the wire says of a name that nobody can have follows from that.
    if found.iter().all(|it| it.code != Code::ReservedName) {
        found = with_the_wire(&case, found);
    }
    found.extend(service::of_mapping(&case, &found));
    found.extend(unseen(&case, &found));
    let found = found.into_iter().map(|it| it.worded(|text| evidence.as_mapped(text)));
    in_order(without_what_follows(found.collect()))
}

/// `found`, and what DNS, the certificate and the web say.
fn with_the_wire(case: &Case<'_>, mut found: Vec<Finding>) -> Vec<Finding> {
    found.extend(dns::of(case));
    let dns_is_wrong = found.iter().any(|it| is_of_dns(it.code) && it.severity == Severity::Error);
    found.extend(issuing::of(case, dns_is_wrong));
    if !dns_is_wrong {
        found.extend(certificate::of(case, &found));
        found.extend(service::of_web(case));
    }
    found
}

/// A domain is served, and nothing that was asked can tell whether rightly: there is no way from here
/// to any of its addresses.
fn unseen(case: &Case<'_>, found: &[Finding]) -> Option<Finding> {
    let visited = case.visited();
    let detail = visited.iter().find_map(|(_, seen)| match seen {
        TlsObservation::NoAnswer { detail, .. } => Some(detail),
        _ => None,
    });
    let is_unseen = visited.iter().all(|(_, seen)| is_out_of_reach(seen))
        && case.is_served()
        && found.iter().all(|it| it.severity != Severity::Error);
    let finding = Finding::new(Code::Unseen).with(Fact::Detail, detail.filter(|_| is_unseen)?);
    Some(finding.evidence(visited.iter().map(|it| certificate::said(case, it))))
}

/// The same, seen by a pass: what an alias says, and what could not be seen, is left to [`of_entry`], as
/// it changes by itself.
pub fn of_check(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Vec<Finding> {
    let found = explain(subject, evidence, situation, policy);
    found.into_iter().filter(|it| !alias::says(it.code) && it.code != Code::Unseen).collect()
}

/// `found` as it is told: errors, warnings, infos; of each what a person must mend before what only
/// takes time; of those the order of the table.
pub fn in_order(mut found: Vec<Finding>) -> Vec<Finding> {
    found.sort_by_key(order);
    found.dedup_by(|later, first| later.code == first.code);
    found
}

/// Where a finding stands among others.
fn order(finding: &Finding) -> (Severity, bool, Code) {
    (finding.severity, finding.actor() == Actor::Nobody, finding.code)
}

/// Nobody is told to wait for a call that only somebody's act lets out.
fn without_what_follows(found: Vec<Finding>) -> Vec<Finding> {
    use Code::{HostUnreachable, NotAddedYet, Paused, RateLimited, ReservedName, Vanished};
    let is_kept_back =
        |it: &Finding| (Code::Copy..=Code::Doubt).contains(&it.code) || it.code == ReservedName;
    let kept_back = found.iter().any(is_kept_back);
    let waits = [HostUnreachable, NotAddedYet, Paused, RateLimited, Vanished];
    found.into_iter().filter(|it| !kept_back || !waits.contains(&it.code)).collect()
}

/// Whether a domain with these findings is ready: nothing is wrong, and it was really seen. (That a
/// proof is required and lacks is an error of its own.)
pub fn is_ready(findings: &[Finding], evidence: &Evidence<'_>) -> bool {
    let no_error = findings.iter().all(|it| it.severity != Severity::Error);
    let tls = &evidence.check.tls;
    let is_seen = matches!(evidence.check.dns, DnsObservation::Addresses { .. })
        && tls.iter().any(is_trusted)
        && tls.iter().all(|it| is_trusted(it) || is_out_of_reach(it));
    no_error && is_seen
}

/// What follows from the findings of one domain.
pub fn ending(findings: &[Finding], ready: bool) -> Ending {
    let first = findings.iter().find(|it| it.severity == Severity::Error);
    match first {
        None if ready => Ending::Ready,
        None => Ending::CouldNotFindOut,
        Some(first) if first.code == Code::Blind => Ending::CouldNotFindOut,
        Some(first) if first.actor() == Actor::Nobody => Ending::Wait,
        Some(_) => Ending::SomebodyMustAct,
    }
}

impl Ending {
    /// Of several domains: could not find out, then somebody must act, then wait, then ready.
    pub fn of_all(endings: impl IntoIterator<Item = Self>) -> Self {
        let all: Vec<Self> = endings.into_iter().collect();
        let first = [Self::CouldNotFindOut, Self::SomebodyMustAct, Self::Wait];
        first.into_iter().find(|it| all.contains(it)).unwrap_or(Self::Ready)
    }
}

impl Evidence<'_> {
    /// `text` of what was asked under a label that nobody has, as it is mapped.
    fn as_mapped(&self, text: &str) -> String {
        text.replace(&format!("{}.", self.label), "*.")
    }
}

impl<'a> Case<'a> {
    /// The addresses of the domain that are targets, each with what it presented.
    fn visited(&self) -> Vec<(IpAddr, &'a TlsObservation)> {
        let addresses = judge::visits(&self.evidence.check.dns, self.situation.targets);
        addresses.into_iter().zip(&self.evidence.check.tls).collect()
    }

    fn deep(&self) -> Option<&'a Deep> {
        self.evidence.deep
    }

    /// Whether WordPress shows the site under the domain, as its row says.
    fn is_served(&self) -> bool {
        self.stage().is_some_and(Stage::is_served)
    }

    fn stage(&self) -> Option<Stage> {
        let row = self.situation.rows.ours(self.subject.name).first().copied();
        let recorded = || self.subject.entry?.mapped.as_ref()?.stage;
        row.map_or_else(recorded, |row| row.stage)
    }

    /// Whether a row of this network asks for the name. Between passes no row is known but by the
    /// ledger.
    fn is_mapped(&self) -> bool {
        let is_recorded = || self.subject.entry.is_some_and(|entry| entry.mapped.is_some());
        self.situation.rows.is_mapped(self.subject.name) || self.knows_no_rows() && is_recorded()
    }

    fn knows_no_rows(&self) -> bool {
        let network = self.situation.network;
        network.moved && network.mappings.is_empty()
    }

    /// Whether every address presents what a browser would accept.
    fn has_good_certificate(&self) -> bool {
        let visited = self.visited();
        !visited.is_empty() && visited.iter().all(|(_, seen)| is_trusted(seen))
    }

    fn said(&self, source: impl Into<String>, said: impl Into<String>) -> Said {
        let as_mapped = |text: String| self.evidence.as_mapped(&plain::kept(text));
        let (source, said) = (as_mapped(source.into()), as_mapped(said.into()));
        Said { source, said, at: self.evidence.at }
    }
}

fn is_trusted(observation: &TlsObservation) -> bool {
    matches!(observation, TlsObservation::Presented { verdict: TlsVerdict::Trusted, .. })
}

/// Whether there was no way to the address from here, so that nothing is known of it.
fn is_out_of_reach(observation: &TlsObservation) -> bool {
    matches!(observation, TlsObservation::NoAnswer { how: Unreached::Broken, .. })
}

/// Whether a finding says that DNS does not lead here.
fn is_of_dns(code: Code) -> bool {
    (Code::NoDelegation..=Code::ServersDisagree).contains(&code)
        || matches!(code, Code::Blind | Code::NoTargets | Code::NotPropagated)
}

/// Several things in one text.
fn list(parts: impl IntoIterator<Item = impl ToString>) -> String {
    parts.into_iter().map(|it| it.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
