//! The alias at the host: what it refused, and what is owed.

use super::Case;
use crate::entry::{Alias, Call, Entry, OwnedAs};
use crate::finding::{Code, Fact, Finding};
use crate::host_state::HostState;
use crate::reason::Reason;

/// What the alias of a domain says.
pub(super) fn of(case: &Case<'_>) -> Vec<Finding> {
    let is_mapped = case.is_mapped();
    let entry = case.subject.entry;
    if !is_mapped {
        let is_ours = entry.is_some_and(|entry| entry.owned.is_some());
        let not_ours = case.subject.at_host == Some(true) && !is_ours;
        return not_ours.then(|| Finding::new(Code::NotOurs)).into_iter().collect();
    }
    if is_there_before_us(case) {
        return vec![Finding::new(Code::AlreadyAtHost)];
    }
    if !is_owed(case) {
        return pause(case).filter(|_| may_be_owed(case)).into_iter().collect();
    }
    let vanished = has_vanished(case).then(|| Finding::new(Code::Vanished));
    let mut found: Vec<Finding> = entry.and_then(of_entry).or(vanished).into_iter().collect();
    // A call that cannot be made explains that it was not.
    match pause(case) {
        Some(pause) if found.iter().all(|it| !is_refusal(it.code)) => found = vec![pause],
        Some(_) | None => (),
    }
    let is_below = case.subject.name.is_below(&case.situation.network.identity.domain);
    // Below its own domain the host refuses names that it serves anyway (facts: the API).
    found.retain(|it| it.code != Code::InvalidDomain || !is_below || !case.has_good_certificate());
    if found.is_empty() && entry.is_none_or(|entry| entry.alias.state != Alias::Rejected) {
        found.push(Finding::new(Code::NotAddedYet));
    }
    found
}

/// Whether the name is mapped and the host owes us its alias.
pub(super) fn is_owed(case: &Case<'_>) -> bool {
    let Case { subject, situation, .. } = case;
    if situation.protected.why(subject.name).is_some()
        || !case.is_mapped()
        || subject.at_host == Some(true)
    {
        return false;
    }
    match subject.entry.map(|entry| entry.alias.state) {
        Some(Alias::Protected) => false,
        Some(Alias::Present) => has_vanished(case),
        Some(_) => true,
        // Without a ledger only the list tells.
        None => subject.at_host == Some(false),
    }
}

/// Whether a call is to be made as far as is known: nothing is recorded of a domain that is not served
/// yet, and the host's list cannot be read.
pub(super) fn may_be_owed(case: &Case<'_>) -> bool {
    let Case { subject, situation, .. } = case;
    let is_unknown = subject.entry.is_none() && subject.at_host.is_none();
    is_unknown && !case.is_served() && situation.protected.why(subject.name).is_none()
}

/// Whether the host has the name, as far as is known: it is not asked to issue for others.
pub(super) fn may_be_there(case: &Case<'_>) -> bool {
    let is_recorded = |entry: &Entry| entry.alias.state == Alias::Present;
    match case.subject.at_host {
        Some(true) => true,
        Some(false) => case.subject.entry.is_some_and(is_recorded),
        None => case.is_mapped(),
    }
}

/// Whether the host's list, which is believed, lacks what it had: the next pass adds it again.
fn has_vanished(case: &Case<'_>) -> bool {
    let is_believed = case.situation.memory.is_some_and(|memory| memory.host.list_believed);
    let was_there = case.subject.entry.is_some_and(|entry| entry.alias.state == Alias::Present);
    is_believed && was_there && case.subject.at_host == Some(false)
}

fn is_there_before_us(case: &Case<'_>) -> bool {
    let owned = case.subject.entry.and_then(|entry| entry.owned);
    case.subject.at_host == Some(true)
        && owned.is_none_or(|owned| owned.how == OwnedAs::Seen)
        && case.situation.protected.why(case.subject.name).is_none()
}

/// Whether a finding is what [`of_recorded`] says.
pub(super) fn says(code: Code) -> bool {
    use Code::{
        HostSaidNo, HostUnreachable, InvalidDomain, KeyRefused, ListDoubt, NotAddedYet,
        OutcomeUnknown, ProtectedName, RateLimited, Vanished,
    };
    let said = [
        InvalidDomain,
        HostSaidNo,
        KeyRefused,
        RateLimited,
        HostUnreachable,
        ListDoubt,
        Vanished,
        OutcomeUnknown,
        NotAddedYet,
        ProtectedName,
    ];
    said.contains(&code)
}

/// What an entry says of its alias by itself, without the host's list and a read of the network.
pub(super) fn of_recorded(entry: &Entry) -> Option<Finding> {
    if entry.alias.state == Alias::Protected {
        let protected = Finding::new(Code::ProtectedName);
        return Some(protected.with(Fact::Detail, entry.alias.detail.clone().unwrap_or_default()));
    }
    let is_owed = entry.pending_call() == Some(Call::Add) || entry.alias.state == Alias::Rejected;
    let not_added = || Finding::new(Code::NotAddedYet);
    is_owed.then(|| of_entry(entry).unwrap_or_else(not_added))
}

/// What the last call for an entry came to.
fn of_entry(entry: &Entry) -> Option<Finding> {
    let reason = entry.alias.reason;
    let code = match (entry.alias.state, reason) {
        (_, Some(Reason::InvalidDomain)) => Code::InvalidDomain,
        (_, Some(Reason::HostSaidNo)) => Code::HostSaidNo,
        (_, Some(Reason::KeyRefused)) => Code::KeyRefused,
        (_, Some(Reason::RateLimited)) => Code::RateLimited,
        (_, Some(Reason::HostUnreachable)) => Code::HostUnreachable,
        (_, Some(Reason::ListDoubt)) => Code::ListDoubt,
        (_, Some(Reason::Vanished)) => Code::Vanished,
        (Alias::Adding, _) | (_, Some(Reason::OutcomeUnknown)) => Code::OutcomeUnknown,
        _ if entry.step.intent.is_some() => Code::OutcomeUnknown,
        _ => return None,
    };
    let words = entry.alias.detail.clone().unwrap_or_default();
    let said = (!words.is_empty()).then(|| crate::finding::Said {
        source: "Closte".to_owned(),
        said: words.clone(),
        at: entry.alias.since,
    });
    let is_wait = matches!(code, Code::RateLimited | Code::HostUnreachable);
    let until = is_wait.then_some(entry.step.due);
    Some(Finding::new(code).with(Fact::Detail, words).evidence(said).until(until))
}

/// That calls to the host rest.
pub(super) fn pause(case: &Case<'_>) -> Option<Finding> {
    match case.situation.host {
        // A refused key is the whole network's, see `whole`.
        HostState::Ok | HostState::KeyRefused { .. } => None,
        HostState::Paused { reason: Reason::RateLimited, until } => {
            Some(Finding::new(Code::RateLimited).until(Some(*until)))
        }
        // It was just tried: nothing keeps the next call.
        HostState::Paused { until, .. } if *until <= case.policy.now => {
            Some(Finding::new(Code::HostUnreachable))
        }
        HostState::Paused { until, .. } => Some(Finding::new(Code::Paused).until(Some(*until))),
    }
}

/// Whether a finding says that no call to the host is made.
pub(super) fn rests(finding: &Finding) -> bool {
    use Code::{HostUnreachable, KeyRefused, Paused, RateLimited};
    [KeyRefused, RateLimited, HostUnreachable, Paused].contains(&finding.code)
}

fn is_refusal(code: Code) -> bool {
    matches!(code, Code::InvalidDomain | Code::HostSaidNo)
}
