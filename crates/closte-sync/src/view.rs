//! What is recorded, as scripts read it: the JSON of `status`, `list` and `show`.
//!
//! These shapes are a contract: fields are added, never renamed or removed.

mod explanation;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use engine::ops::check::Check;
use engine::pass::{Alert, Change, Report};
use engine::texts::{self, findings::Language};
use rules::action::Deferred;
use rules::entry::{Condition, Entry, Proof, Unseen};
use rules::event::Event;
use rules::explain;
use rules::finding::{Actor, Code};
use rules::host_state::HostState;
use rules::ledger::{NotActing, Recorded};
use rules::targets::{OwnAnswer, TargetSource};
use rules::{Problem, Reason, Stage, Tally, Targets, Time};
use serde::Serialize;

use crate::clock::rfc3339;
pub(crate) use explanation::{ExplanationView, FindingView};

/// One domain.
#[derive(Debug, Serialize)]
pub(crate) struct DomainView {
    pub(crate) domain: String,
    pub(crate) display: String,
    pub(crate) site_id: Option<u64>,
    pub(crate) mapping_id: Option<u64>,
    /// Whose twin it is; it has no mapping then.
    pub(crate) twin_of: Option<String>,
    pub(crate) stage: Option<&'static str>,
    pub(crate) secure: Option<bool>,
    /// Why the stage is left alone, where it is.
    pub(crate) left_alone: Option<&'static str>,
    pub(crate) alias: StateView,
    pub(crate) routing: RoutingView,
    pub(crate) certificate: CertificateView,
    pub(crate) proof: StateView,
    pub(crate) attempts: u32,
    pub(crate) last_check: Option<String>,
    pub(crate) next_check: Option<String>,
    pub(crate) owned_as: Option<&'static str>,
    /// All that is recorded of it, the first first.
    findings: Vec<FindingView>,
    /// Whose turn it is by what is told of it before all else.
    turn: Option<&'static str>,
    /// Until when nothing is or was told of it.
    pub(crate) muted_until: Option<String>,
}

/// One of the states.
#[derive(Debug, Serialize)]
pub(crate) struct StateView {
    pub(crate) state: &'static str,
    pub(crate) reason: Option<&'static str>,
    pub(crate) detail: Option<String>,
    pub(crate) since: String,
}

/// That a state could not be observed when it was last looked at.
#[derive(Debug, Serialize)]
pub(crate) struct UnseenView {
    pub(crate) since: String,
    pub(crate) reason: &'static str,
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RoutingView {
    #[serde(flatten)]
    pub(crate) state: StateView,
    pub(crate) unseen: Option<UnseenView>,
    pub(crate) found: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct CertificateView {
    #[serde(flatten)]
    pub(crate) state: StateView,
    pub(crate) unseen: Option<UnseenView>,
    pub(crate) issuer: Option<String>,
    pub(crate) not_after: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct DeferredView {
    action: &'static str,
    domain: String,
    reason: &'static str,
    release: &'static str,
    until: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ProblemView {
    table: Option<String>,
    column: Option<String>,
    id: Option<u64>,
    reason: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct ChangeView {
    action: &'static str,
    domain: String,
    outcome: &'static str,
    reason: Option<&'static str>,
    /// What a check found before all else, or a refusal is, and whose turn it is.
    finding: Option<&'static str>,
    turn: Option<&'static str>,
    detail: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct EventView {
    at: String,
    domain: String,
    about: &'static str,
    text: String,
    from: Option<String>,
    to: Option<String>,
    reason: Option<&'static str>,
    detail: Option<String>,
}

/// One thing that was checked.
#[derive(Debug, Serialize)]
pub(crate) struct CheckView {
    check: &'static str,
    state: &'static str,
    detail: String,
    hint: Option<String>,
}

/// The answer of `status`.
#[derive(Debug, Serialize)]
pub(crate) struct StatusView {
    pub(crate) domains: Vec<DomainView>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
    pub(crate) deferred: Vec<DeferredView>,
    pub(crate) problems: Vec<ProblemView>,
    pub(crate) foreign: Vec<String>,
    pub(crate) more_foreign: usize,
    pub(crate) last_pass: Option<String>,
    pub(crate) targets: TargetsView,
    pub(crate) host: HostView,
    pub(crate) acting: bool,
    pub(crate) why_not: Option<&'static str>,
}

/// Where domains had to point when one was last checked.
#[derive(Debug, Serialize)]
pub(crate) struct TargetsView {
    addresses: Vec<String>,
    proxied: Vec<String>,
    source: Option<&'static str>,
    complete: Option<bool>,
    since: Option<String>,
    missed: Option<String>,
}

/// Whether the host may be asked for changes.
#[derive(Debug, Serialize)]
pub(crate) struct HostView {
    state: &'static str,
    reason: Option<String>,
    until: Option<String>,
}

/// Something that needs a person before the whole can go on.
#[derive(Debug, Serialize)]
pub(crate) struct AlertView {
    code: &'static str,
    domain: Option<String>,
    text: String,
    hint: String,
}

/// The answer of `sync`, `apply` and, with a hash, of `plan`.
#[derive(Debug, Serialize)]
pub(crate) struct ReportView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<String>,
    pub(crate) changes: Vec<ChangeView>,
    pub(crate) deferred: Vec<DeferredView>,
    pub(crate) problems: Vec<ProblemView>,
    pub(crate) alerts: Vec<AlertView>,
    pub(crate) host: HostView,
}

impl DomainView {
    /// What is recorded of `entry`, its findings in `language`.
    pub(crate) fn of(entry: &Entry, language: Language) -> Self {
        let mapped = entry.mapped.as_ref();
        let time = |time: Option<Time>| time.map(rfc3339);
        Self {
            domain: entry.domain.to_string(),
            display: entry.domain.display().into_owned(),
            site_id: mapped.map(|mapped| mapped.site_id),
            mapping_id: mapped.map(|mapped| mapped.mapping_id),
            twin_of: entry.twin_of().map(|parent| parent.to_string()),
            stage: mapped.and_then(|mapped| mapped.stage).map(Stage::as_str),
            secure: mapped.map(|mapped| mapped.secure),
            left_alone: entry.left_alone().map(|why| why.reason().code()),
            alias: state(&entry.alias, entry.alias.state.as_str()),
            routing: RoutingView {
                state: routing(entry),
                unseen: entry.routing.unseen.as_ref().map(UnseenView::of),
                found: entry.found.iter().map(ToString::to_string).collect(),
            },
            certificate: CertificateView {
                state: state(&entry.certificate, entry.certificate.state.as_str()),
                unseen: entry.certificate.unseen.as_ref().map(UnseenView::of),
                issuer: entry.issuer.clone(),
                not_after: time(entry.not_after),
            },
            proof: state(&entry.proof, entry.proof.state.as_str()),
            attempts: entry.attempts(),
            last_check: time(entry.checks.last),
            next_check: time(entry.is_followed().then_some(entry.checks.due)),
            owned_as: entry.owned.map(|owned| owned.how.as_str()),
            findings: FindingView::all(&explain::of_entry(entry), language),
            turn: explain::headline(entry).and_then(|it| it.turn()).map(Actor::as_str),
            muted_until: time(entry.muted_until),
        }
    }
}

/// The routing, with the reason of the proof where that is all that is wrong: a
/// domain that waits is never without a reason.
fn routing(entry: &Entry) -> StateView {
    let routing = state(&entry.routing, entry.routing.state.as_str());
    let proof = entry.is_held_back() || entry.proof.state == Proof::Contradicted;
    if routing.reason.is_some() || !proof {
        return routing;
    }
    let StateView { reason, detail, .. } = state(&entry.proof, entry.proof.state.as_str());
    StateView { reason, detail, ..routing }
}

fn state<S>(condition: &Condition<S>, word: &'static str) -> StateView {
    StateView {
        state: word,
        reason: condition.reason.map(Reason::code),
        detail: condition.detail.clone(),
        since: rfc3339(condition.since),
    }
}

impl UnseenView {
    fn of(unseen: &Unseen) -> Self {
        let Unseen { since, reason, detail, .. } = unseen;
        Self { since: rfc3339(*since), reason: reason.code(), detail: detail.clone() }
    }
}

impl StatusView {
    /// The domains that anything is owed to, their findings in `language`, what the last pass left, and
    /// how the host stands at `now`.
    pub(crate) fn of(recorded: &Recorded, language: Language, now: Time) -> Self {
        let Recorded { entries, memory, .. } = recorded;
        let listed = entries.values().filter(|entry| entry.is_listed());
        let domains: Vec<DomainView> = listed.map(|it| DomainView::of(it, language)).collect();
        let mut counts: BTreeMap<_, _> = Stage::ALL.map(|stage| (stage.as_str(), 0)).into();
        let tally = Tally::of(entries.values());
        counts.extend(tally.stages.iter().map(|(stage, count)| (stage.as_str(), *count)));
        let last = memory.last_pass.clone().unwrap_or_default();
        Self {
            domains,
            counts,
            deferred: last.deferred.iter().map(DeferredView::of).collect(),
            problems: last.problems.into_iter().map(ProblemView::of).collect(),
            foreign: last.foreign.iter().map(ToString::to_string).collect(),
            more_foreign: last.more_foreign,
            last_pass: memory.last_pass.as_ref().map(|pass| rfc3339(pass.at)),
            targets: TargetsView::of(&memory.network.targets.clone().unwrap_or_default()),
            host: HostView::of(&HostState::of(&memory.host, now)),
            acting: memory.network.not_acting.is_none(),
            why_not: memory.network.not_acting.map(NotActing::as_str),
        }
    }
}

impl TargetsView {
    fn of(targets: &Targets) -> Self {
        let texts = |ips: &BTreeSet<IpAddr>| ips.iter().map(ToString::to_string).collect();
        let own = targets.own();
        let source = match &targets.source {
            _ if targets.is_empty() => None,
            TargetSource::Set => Some("set"),
            TargetSource::Own(_) if targets.is_as_own() => Some("own-domain"),
            TargetSource::Own(_) => Some("closte"),
        };
        Self {
            addresses: texts(&targets.addresses),
            proxied: texts(&targets.proxied),
            source,
            complete: own.map(OwnAnswer::is_complete),
            since: own.map(|own| rfc3339(own.since)),
            missed: targets.missed.clone(),
        }
    }
}

impl HostView {
    fn of(state: &HostState) -> Self {
        Self {
            state: state.as_str(),
            reason: state.reason().map(str::to_owned),
            until: state.until().map(rfc3339),
        }
    }
}

impl AlertView {
    fn of(alert: Alert) -> Self {
        let Alert { code, domain, what, hint } = alert;
        let domain = domain.map(|domain| domain.to_string());
        Self { code: code.as_str(), domain, text: what, hint }
    }
}

impl DeferredView {
    fn of(deferred: &Deferred) -> Self {
        Self {
            action: deferred.action.as_str(),
            domain: deferred.domain.to_string(),
            reason: deferred.reason.code(),
            release: deferred.release.text(),
            until: deferred.until.map(rfc3339),
        }
    }
}

impl ProblemView {
    fn of(problem: Problem) -> Self {
        let Problem { table, column, id, reason } = problem;
        Self { table, column, id, reason }
    }
}

impl CheckView {
    pub(crate) fn of(check: &Check) -> Self {
        let Check { check, state, detail, hint } = check.clone();
        Self { check, state: state.as_str(), detail, hint }
    }
}

impl EventView {
    pub(crate) fn of(event: Event) -> Self {
        let text = texts::event(&event);
        let Event { at, domain, kind, from, to, reason, detail } = event;
        Self {
            at: rfc3339(at),
            domain: domain.to_string(),
            about: kind.as_str(),
            text,
            from,
            to,
            reason: reason.map(Reason::code),
            detail,
        }
    }
}

impl ReportView {
    pub(crate) fn of(report: Report) -> Self {
        let change = |change: Change| ChangeView {
            action: change.action.as_str(),
            domain: change.domain.to_string(),
            outcome: change.outcome.as_str(),
            reason: change.reason.map(Reason::code),
            finding: change.finding.map(Code::as_str),
            turn: change.finding.map(|it| it.actor().as_str()),
            detail: change.detail,
        };
        Self {
            hash: None,
            changes: report.changes.into_iter().map(change).collect(),
            deferred: report.deferred.iter().map(DeferredView::of).collect(),
            problems: report.problems.into_iter().map(ProblemView::of).collect(),
            alerts: report.alerts.into_iter().map(AlertView::of).collect(),
            host: HostView::of(&report.host),
        }
    }
}
