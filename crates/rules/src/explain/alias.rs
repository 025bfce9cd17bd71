//! The alias at the host: what it refused, and what is owed.

use super::Case;
use crate::entry::{Alias, Entry, OwnedAs};
use crate::finding::{Code, Fact, Finding};
use crate::host_state::HostState;
use crate::reason::Reason;

/// What the alias of a domain says.
pub(super) fn of(case: &Case<'_>) -> Vec<Finding> {
    let is_mapped = case.situation.rows.is_mapped(case.subject.name);
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
        return Vec::new();
    }
    let mut found: Vec<Finding> = entry.and_then(|it| of_entry(it, case)).into_iter().collect();
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
        || !situation.rows.is_mapped(subject.name)
        || subject.at_host == Some(true)
    {
        return false;
    }
    match subject.entry.map(|entry| entry.alias.state) {
        Some(Alias::Present | Alias::Protected) => false,
        Some(_) => true,
        // Without a ledger only the list tells.
        None => subject.at_host == Some(false),
    }
}

fn is_there_before_us(case: &Case<'_>) -> bool {
    let owned = case.subject.entry.and_then(|entry| entry.owned);
    case.subject.at_host == Some(true)
        && owned.is_none_or(|owned| owned.how == OwnedAs::Seen)
        && case.situation.protected.why(case.subject.name).is_none()
}

/// What the last call for an entry came to.
fn of_entry(entry: &Entry, case: &Case<'_>) -> Option<Finding> {
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
    let until = is_wait.then_some(entry.step.due).filter(|due| case.policy.now < *due);
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
        HostState::Paused { until, .. } => Some(Finding::new(Code::Paused).until(Some(*until))),
    }
}

fn is_refusal(code: Code) -> bool {
    matches!(code, Code::InvalidDomain | Code::HostSaidNo)
}
