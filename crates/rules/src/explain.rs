//! Why a domain is not as it should be: what was observed now, turned into findings.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::acting::NotOurs;
use crate::action::Deferred;
use crate::evidence::Deep;
use crate::finding::{Actor, Code, Fact, Finding, RecordAction, RecordChange, Said, Severity};
use crate::host_state::HostState;
use crate::judge::{Check, may_ask};
use crate::ledger::Memory;
use crate::probe::DnsObservation;
use crate::protected::Protected;
use crate::stage::StagePolicy;
use crate::{DomainName, Entry, Mapping, Network, Targets, Time};

/// What is known of a name besides what is observed on the wire now.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    pub name: &'a DomainName,
    /// What the ledger remembers of it.
    pub entry: Option<&'a Entry>,
    /// Whether the host's list shows it; none where that could not be read.
    pub at_host: Option<bool>,
}

/// What was observed now.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// Resolvers' first answer, TLS by target address, proof.
    pub check: &'a Check,
    pub deep: Option<&'a Deep>,
    pub at: Time,
}

/// What is known of network and host.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    pub network: &'a Network,
    /// Its mappings by name.
    pub rows: &'a Rows<'a>,
    pub protected: &'a Protected,
    pub targets: &'a Targets,
    /// By the ledger's history.
    pub earlier_targets: &'a BTreeSet<IpAddr>,
    /// None without a ledger.
    pub memory: Option<&'a Memory>,
    pub host: &'a HostState,
    pub deferred: &'a [Deferred],
    pub serving: Serving,
    pub not_ours: Option<NotOurs<'a>>,
}

/// Mappings by name, sorted once.
#[derive(Clone, Debug, Default)]
pub struct Rows<'a>(BTreeMap<&'a DomainName, Vec<&'a Mapping>>);

/// Whether WordPress maps domains at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// It was seen.
    Known {
        /// Whether `SUNRISE` and `sunrise.php` are there.
        sunrise: bool,
    },
    /// Its files are not here.
    Unknown,
}

/// Which resolvers must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsRule {
    /// All that answer.
    #[default]
    All,
    /// One is enough.
    Any,
}

/// What findings are judged by.
#[derive(Clone, Debug)]
pub struct Policy<'a> {
    pub stages: &'a StagePolicy,
    pub certificate_patience: Duration,
    pub dns: DnsRule,
    /// Where a person finishes a wildcard certificate, if that is known.
    pub dashboard: Option<&'a str>,
    /// The authority that issues the host's certificates, as CAA names it.
    pub ca: &'static str,
    pub now: Time,
}

/// How an explanation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All is as it should be.
    Ready,
    /// Somebody must act.
    SomebodyMustAct,
    /// It could not be found out.
    CouldNotFindOut,
    /// It comes right by waiting.
    Wait,
}

/// What came of one domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    pub domain: DomainName,
    pub mapped: bool,
    pub ready: bool,
    /// The first first.
    pub findings: Vec<Finding>,
    pub next_check: Option<Time>,
    pub at: Time,
}

impl<'a> Rows<'a> {
    /// The mappings of `network` by name.
    pub fn of(network: &'a Network) -> Self {
        let mut rows = Self::default();
        for mapping in &network.mappings {
            rows.0.entry(&mapping.domain).or_default().push(mapping);
        }
        rows
    }
}

impl Ending {
    /// The ending of several: the first of could not, must act, wait, ready that occurs.
    pub fn of_all(endings: impl Iterator<Item = Self>) -> Self {
        let rank = |ending: &Self| match ending {
            Self::CouldNotFindOut => 0,
            Self::SomebodyMustAct => 1,
            Self::Wait => 2,
            Self::Ready => 3,
        };
        endings.min_by_key(rank).unwrap_or(Self::Ready)
    }
}

/// Why a domain is as it is: its findings, the first first.
pub fn explain(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    _policy: &Policy<'_>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let DnsObservation::Addresses { found, .. } = &evidence.check.dns
        && !found.iter().any(|ip| situation.targets.contains(*ip))
    {
        let text = |ips: &BTreeSet<IpAddr>| ips.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (found, wanted) = (text(found), text(&situation.targets.addresses));
        let said = format!("A {}", found.join(", "));
        let change = RecordChange {
            action: RecordAction::Change,
            name: subject.name.to_string(),
            kind: "A".to_owned(),
            found: found.clone(),
            wanted: wanted.clone(),
        };
        let finding = Finding::new(Code::OtherAddress)
            .with(Fact::Address, found.join(", "))
            .with(Fact::Target, wanted.join(", "))
            .records([change])
            .evidence([Said { source: "DNS".to_owned(), said, at: evidence.at }]);
        findings.push(finding);
    }
    if !situation.rows.0.contains_key(subject.name) {
        findings.push(Finding::new(Code::NotMapped));
    }
    findings
}

/// The findings of the whole network, the first first.
pub fn of_network(
    _evidence: &[&Evidence<'_>],
    situation: &Situation<'_>,
    _policy: &Policy<'_>,
) -> Vec<Finding> {
    situation.not_ours.iter().map(|_| Finding::new(Code::Copy)).collect()
}

/// Whether a domain is as it should be.
pub fn is_ready(findings: &[Finding], evidence: &Evidence<'_>, _policy: &Policy<'_>) -> bool {
    let tls = &evidence.check.tls;
    !findings.iter().any(|it| it.severity == Severity::Error)
        && !tls.is_empty()
        && tls.iter().all(may_ask)
}

/// How an explanation of `findings` ends.
pub fn exit(findings: &[Finding], ready: bool) -> Ending {
    match findings.iter().find(|it| it.severity == Severity::Error) {
        Some(error) if error.code == Code::Blind => Ending::CouldNotFindOut,
        Some(error) if error.actor() == Actor::Nobody => Ending::Wait,
        Some(_) => Ending::SomebodyMustAct,
        None if ready => Ending::Ready,
        None => Ending::CouldNotFindOut,
    }
}
