//! What follows from the host's answers: to a call, and in its list.
//!
//! ```text
//!   call ──▶ clear yes ──▶ present / absent
//!        ──▶ no for good ▶ rejected
//!        ──▶ not clear ──▶ adding / removing, until the list tells, or asked again
//! ```

use std::time::Duration;

use crate::Time;
use crate::entry::{Alias, Call, Entry, Hold, Holding, Intent};
use crate::host::{AliasList, HostError};
use crate::ledger::Memory;
use crate::reason::Reason;
use crate::schedule::{ask_again, try_again};

/// How long to leave the host alone after a 429 that does not say.
const PAUSE: Duration = Duration::from_mins(1);

/// Write down that `call` is about to be made for `entry`.
///
/// `list_lacked`: a list of the host's, read before, had names and not this one.
/// Once true of a call whose outcome is open, it stays true: whatever is there
/// now is ours.
pub fn intend(entry: &mut Entry, call: Call, list_lacked: bool, now: Time) {
    let before = entry.step.intent.is_some_and(|intent| intent.list_lacked);
    entry.step.intent = Some(Intent { at: now, list_lacked: before || list_lacked });
    let state = match call {
        Call::Add => Alias::Adding,
        Call::Remove => Alias::Removing,
    };
    let (reason, detail) = (entry.alias.reason, entry.alias.detail.take());
    entry.alias.set(now, state, reason, detail);
}

/// Take in what the host answered to `call`; `open` says whether an earlier call
/// for the same was still without a clear outcome.
pub fn answered(
    entry: &mut Entry,
    memory: &mut Memory,
    call: Call,
    answer: &Result<(), HostError>,
    now: Time,
    open: bool,
) {
    match answer {
        Ok(()) => done(entry, call, now),
        Err(HostError::Rejected { words }) => {
            settled(entry);
            let words = Some(words.clone());
            entry.alias.set(now, Alias::Rejected, Some(Reason::InvalidDomain), words);
        }
        Err(HostError::Refused { words }) => {
            unclear(entry, Reason::HostSaidNo, Some(words.clone()), now);
        }
        Err(HostError::OutcomeUnknown { .. }) => {
            unclear(entry, Reason::OutcomeUnknown, None, now);
        }
        Err(HostError::Unreachable(_)) => {
            entry.step.tries = entry.step.tries.saturating_add(1);
            entry.step.due = now + try_again(entry.step.tries);
            not_sent(entry, call, Reason::HostUnreachable, None, now, open);
        }
        Err(HostError::RateLimited { retry_after }) => {
            let until = now + retry_after.unwrap_or(PAUSE);
            memory.quiet_until = memory.quiet_until.max(Some(until));
            entry.step.due = now;
            not_sent(entry, call, Reason::RateLimited, None, now, open);
        }
        Err(HostError::KeyRefused { words }) => {
            memory.key_refused = Some(words.clone());
            entry.step.due = now;
            not_sent(entry, call, Reason::KeyRefused, Some(words.clone()), now, open);
        }
    }
    entry.lease = None;
    match answer {
        Err(error) if error.is_an_outage() => memory.breaker.outage(now),
        _ => memory.breaker.answered(),
    }
}

/// Take in what a list of the host's shows of `entry`.
///
/// Presence is believed. Absence is believed only of a list that has shown a
/// name we added (`believed`), and never of a name that the host confirmed and
/// its list never showed: such a list leaves names out.
pub fn listed(entry: &mut Entry, list: &AliasList, believed: bool, protected: bool, now: Time) {
    let shows = list.names.contains(&entry.domain);
    let absent = !shows && believed && (entry.shown || !entry.confirmed);
    match (entry.alias.state, shows) {
        (Alias::Protected, _) => (),
        (Alias::Removing, true) => entry.shown = true,
        (Alias::Removing, false) if absent => done(entry, Call::Remove, now),
        (Alias::Absent, true) if entry.mapped.is_none() => (),
        (_, true) => present(entry, protected, now),
        (Alias::Present, false) if absent => {
            settled(entry);
            (entry.holding, entry.confirmed, entry.shown) = (None, false, false);
            entry.alias.set(now, Alias::Wanted, Some(Reason::Vanished), None);
            entry.step.due = now;
            entry.heat(now);
        }
        (Alias::Adding, false) if absent => not_there(entry, now),
        _ => (),
    }
}

/// Whether `list` shows a name that we added: from then on its word is good.
pub fn proves_itself<'a>(list: &AliasList, mut entries: impl Iterator<Item = &'a Entry>) -> bool {
    entries.any(|entry| entry.confirmed && list.names.contains(&entry.domain))
}

/// Whether a list that lacks a name says anything before a call: an empty one
/// does not.
pub fn lacks(list: Option<&AliasList>, entry: &Entry) -> bool {
    list.is_some_and(|list| !list.names.is_empty() && !list.names.contains(&entry.domain))
}

/// The call did what it should.
fn done(entry: &mut Entry, call: Call, now: Time) {
    settled(entry);
    match call {
        Call::Add => {
            entry.confirmed = true;
            entry.holding.get_or_insert(Holding { hold: Hold::Added, since: now });
            entry.alias.set(now, Alias::Present, None, None);
        }
        Call::Remove => {
            (entry.holding, entry.confirmed, entry.shown) = (None, false, false);
            entry.alias.set(now, Alias::Absent, None, None);
        }
    }
    entry.heat(now);
}

/// The list shows it.
fn present(entry: &mut Entry, protected: bool, now: Time) {
    let ours = entry.step.intent.is_some_and(|intent| intent.list_lacked);
    entry.shown = true;
    let hold = match (ours, entry.mapped.is_some() && !protected) {
        (true, _) => Some(Hold::Added),
        (false, true) => Some(Hold::Seen),
        (false, false) => None,
    };
    if entry.holding.is_none() {
        entry.holding = hold.map(|hold| Holding { hold, since: now });
    }
    if entry.alias.state != Alias::Present {
        settled(entry);
        entry.alias.set(now, Alias::Present, None, None);
        entry.heat(now);
    }
}

/// A believed list lacks a name whose adding is open.
///
/// Where the host had said no in words, that was its answer; else it is asked
/// again when that is due.
fn not_there(entry: &mut Entry, now: Time) {
    entry.step.intent = None;
    let (reason, words) = (entry.alias.reason, entry.alias.detail.take());
    let state = match reason {
        Some(Reason::HostSaidNo) => Alias::Rejected,
        _ => Alias::Wanted,
    };
    entry.alias.set(now, state, reason, words);
}

/// Nothing is open any more.
fn settled(entry: &mut Entry) {
    entry.step.intent = None;
    entry.step.tries = 0;
}

/// It may have happened or not.
fn unclear(entry: &mut Entry, reason: Reason, words: Option<String>, now: Time) {
    entry.step.tries = entry.step.tries.saturating_add(1);
    entry.step.due = now + ask_again(entry.step.tries);
    let state = entry.alias.state;
    entry.alias.set(now, state, Some(reason), words);
}

/// It did not happen: back to where it stood before, unless an earlier call is open.
fn not_sent(
    entry: &mut Entry,
    call: Call,
    reason: Reason,
    words: Option<String>,
    now: Time,
    open: bool,
) {
    if !open {
        entry.step.intent = None;
    }
    let state = match call {
        Call::Add if !open => Alias::Wanted,
        Call::Add => Alias::Adding,
        Call::Remove => Alias::Removing,
    };
    entry.alias.set(now, state, Some(reason), words);
}
