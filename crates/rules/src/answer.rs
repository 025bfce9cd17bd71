//! What follows from the host's answers: to a call, and in its list.
//!
//! ```text
//!   call ──▶ clear yes ──▶ present / absent
//!        ──▶ permanent no ▶ rejected
//!        ──▶ not clear ──▶ adding / removing, until the list shows it, or asked again
//! ```

use std::time::Duration;

use crate::Time;
use crate::entry::{Alias, Call, Entry, Intent, Owned, OwnedAs};
use crate::host::{AliasList, HostError};
use crate::ledger::HostHealth;
use crate::reason::Reason;
use crate::schedule::{ask_again, try_again};
use crate::times::LONGEST_PAUSE;

/// Write down that `call` is about to be made for `entry`.
///
/// `list_lacked`: a list of the host's, read before, had names and not this one.
/// Once true of a call whose outcome is open, it stays true: what is there now
/// is ours.
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

/// Apply what the host answered to `call`; `open` says whether an earlier call
/// for the same was still without a clear outcome.
pub fn answered(
    entry: &mut Entry,
    host: &mut HostHealth,
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
            rate_limited(host, *retry_after, now);
            entry.step.due = now;
            not_sent(entry, call, Reason::RateLimited, None, now, open);
        }
        Err(HostError::KeyRefused { words }) => {
            host.key_refused = Some(words.clone());
            entry.step.due = now;
            not_sent(entry, call, Reason::KeyRefused, Some(words.clone()), now, open);
        }
    }
    match answer {
        Err(HostError::RateLimited { .. }) => (),
        Err(error) if error.is_an_outage() => host.breaker.outage(now),
        _ => host.breaker.answered(now),
    }
}

/// The host wants to be left alone: until it said, or for a while.
pub fn rate_limited(host: &mut HostHealth, retry_after: Option<Duration>, now: Time) {
    match retry_after {
        Some(after) => {
            let until = now + after.min(LONGEST_PAUSE);
            host.quiet_until = host.quiet_until.max(Some(until));
        }
        None => host.breaker.pause(now),
    }
}

/// The host answers again after an outage: what was put off is due at once.
pub fn recovered(entry: &mut Entry, now: Time) {
    let put_off =
        matches!(entry.alias.reason, Some(Reason::OutcomeUnknown | Reason::HostUnreachable));
    if put_off && entry.pending_call().is_some() && now < entry.step.due {
        entry.step.due = now;
        entry.step.tries = 0;
    }
}

/// Apply what a list of the host's shows of `entry`.
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
        (Alias::Absent, true) if !entry.is_followed() => (),
        (_, true) => present(entry, protected, now),
        (Alias::Present, false) if absent => {
            settled(entry);
            (entry.owned, entry.confirmed, entry.shown) = (None, false, false);
            entry.alias.set(now, Alias::Wanted, Some(Reason::Vanished), None);
            entry.step.due = now;
            entry.heat(now);
        }
        (Alias::Adding, false) if absent => not_there(entry, now),
        _ => (),
    }
}

/// Whether `list` shows a name that we added: from then on it is reliable.
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
            entry.owned.get_or_insert(Owned { how: OwnedAs::Added, since: now });
            entry.alias.set(now, Alias::Present, None, None);
        }
        Call::Remove => {
            (entry.owned, entry.confirmed, entry.shown) = (None, false, false);
            entry.alias.set(now, Alias::Absent, None, None);
        }
    }
    entry.heat(now);
}

/// The list shows it.
fn present(entry: &mut Entry, protected: bool, now: Time) {
    let ours = entry.step.intent.is_some_and(|intent| intent.list_lacked);
    entry.shown = true;
    let owned_as = match (ours, entry.mapped.is_some() && !protected) {
        (true, _) => Some(OwnedAs::Added),
        (false, true) => Some(OwnedAs::Seen),
        (false, false) => None,
    };
    if entry.owned.is_none() {
        entry.owned = owned_as.map(|owned_as| Owned { how: owned_as, since: now });
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

/// It did not happen: back to the state before, unless an earlier call is open.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::Mapped;

    fn at(minutes: u32) -> Time {
        Time::from_millis(0) + Duration::from_mins(1) * minutes
    }

    fn entry(alias: Alias) -> Entry {
        let mapped =
            Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
        let mut entry = Entry::new("a.example".parse().unwrap(), Some(mapped), at(0));
        entry.alias.set(at(0), alias, None, None);
        entry
    }

    fn list(names: &[&str]) -> AliasList {
        let names = names.iter().map(|name| name.parse().unwrap()).collect();
        AliasList { names, ..AliasList::default() }
    }

    /// An entry after `call` was made once and answered so.
    fn after(call: Call, answer: &Result<(), HostError>) -> (Entry, HostHealth) {
        let start = if call == Call::Add { Alias::Wanted } else { Alias::Removing };
        let (mut entry, mut host) = (entry(start), HostHealth::default());
        intend(&mut entry, call, false, at(0));
        answered(&mut entry, &mut host, call, answer, at(0), false);
        (entry, host)
    }

    fn refused() -> HostError {
        HostError::Refused { words: "No, thanks".to_owned() }
    }

    fn unknown() -> HostError {
        HostError::OutcomeUnknown { what: "HTTP 502".to_owned() }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn every_answer_of_the_host_has_one_consequence() {
        use Alias::{Absent, Adding, Present, Rejected, Removing, Wanted};
        use Call::{Add, Remove};
        let rejected = || HostError::Rejected { words: "Invalid or empty domain: a.example".to_owned() };
        let unreachable = || HostError::Unreachable("refused".into());
        let limited = |seconds: u64| HostError::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
        let key = || HostError::KeyRefused { words: "HTTP 401".to_owned() };
        let table = [
            // call  answer                 state     reason                         open   tries  words
            (Add,    Ok(()),                Present,  None,                          false, 0, None),
            (Add,    Err(rejected()),       Rejected, Some(Reason::InvalidDomain),   false, 0, Some("Invalid or empty domain: a.example")),
            (Add,    Err(refused()),        Adding,   Some(Reason::HostSaidNo),      true,  1, Some("No, thanks")),
            (Add,    Err(unknown()),        Adding,   Some(Reason::OutcomeUnknown),  true,  1, None),
            (Add,    Err(unreachable()),    Wanted,   Some(Reason::HostUnreachable), false, 1, None),
            (Add,    Err(limited(90)),      Wanted,   Some(Reason::RateLimited),     false, 0, None),
            (Add,    Err(key()),            Wanted,   Some(Reason::KeyRefused),      false, 0, Some("HTTP 401")),
            (Remove, Ok(()),                Absent,   None,                          false, 0, None),
            (Remove, Err(refused()),        Removing, Some(Reason::HostSaidNo),      true,  1, Some("No, thanks")),
            (Remove, Err(unknown()),        Removing, Some(Reason::OutcomeUnknown),  true,  1, None),
            (Remove, Err(unreachable()),    Removing, Some(Reason::HostUnreachable), false, 1, None),
        ];
        for (call, answer, state, reason, open, tries, words) in table {
            let case = format!("{call:?} {answer:?}");
            let (entry, _) = after(call, &answer);
            assert_eq!((entry.alias.state, entry.alias.reason), (state, reason), "{case}");
            assert_eq!(entry.alias.detail.as_deref(), words, "{case}");
            assert_eq!((entry.step.intent.is_some(), entry.step.tries), (open, tries), "{case}");
        }
    }

    #[test]
    fn what_concerns_the_whole_host_is_remembered_for_all() {
        let limited = HostError::RateLimited { retry_after: Some(Duration::from_secs(90)) };
        let (_, host) = after(Call::Add, &Err(limited));
        assert_eq!(host.quiet_until, Some(at(0) + Duration::from_secs(90)));
        let (_, host) = after(Call::Add, &Err(HostError::RateLimited { retry_after: None }));
        assert_eq!((host.quiet_until, host.breaker.open_until), (None, Some(at(1))));
        let (_, host) = after(Call::Add, &Err(HostError::KeyRefused { words: "no".to_owned() }));
        assert_eq!(host.key_refused.as_deref(), Some("no"));
        let (_, host) = after(Call::Add, &Err(unknown()));
        assert_eq!(host.breaker.outages, 1);
        let (_, host) = after(Call::Add, &Err(refused()));
        assert_eq!(host.breaker.outages, 0, "a no is an answer");
    }

    #[test]
    fn an_unclear_outcome_is_asked_for_again_daily_at_most_after_three_tries() {
        let (mut entry, mut host) = after(Call::Add, &Err(unknown()));
        for _ in 0..5 {
            answered(&mut entry, &mut host, Call::Add, &Err(unknown()), at(0), true);
        }
        assert_eq!(entry.step.due, at(0) + ask_again(6));
        assert_eq!(entry.step.due, at(24 * 60));
        recovered(&mut entry, at(1));
        assert_eq!(
            (entry.step.due, entry.step.tries),
            (at(1), 0),
            "an outage is no fault of its own"
        );
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_list_settles_what_is_open() {
        use Alias::{Adding, Present, Rejected, Removing, Wanted};
        let (shows, lacks) = (list(&["a.example"]), list(&["b.example"]));
        let table = [
            // what it shows                           call          answer      list     believed  state
            ("it is there: the call had worked",       Call::Add,    unknown(),  &shows,  false,    Present),
            ("a no, and it is there: already so",      Call::Add,    refused(),  &shows,  false,    Present),
            ("it lacks it, and is not believed yet",   Call::Add,    unknown(),  &lacks,  false,    Adding),
            ("it lacks it: ask again when due",        Call::Add,    unknown(),  &lacks,  true,     Wanted),
            ("a no, and it lacks it: that was it",     Call::Add,    refused(),  &lacks,  true,     Rejected),
            ("still there: ask again when due",        Call::Remove, unknown(),  &shows,  true,     Removing),
            ("a no to a removal is never final",       Call::Remove, refused(),  &shows,  true,     Removing),
            ("it lacks it: the removal had worked",    Call::Remove, unknown(),  &lacks,  true,     Alias::Absent),
            ("not believed: the removal stays open",   Call::Remove, unknown(),  &lacks,  false,    Removing),
        ];
        for (shows, call, answer, list, believed, state) in table {
            let (mut entry, _) = after(call, &Err(answer));
            listed(&mut entry, list, believed, false, at(1));
            assert_eq!(entry.alias.state, state, "{shows}");
        }
    }

    #[test]
    fn a_list_proves_itself_by_a_name_that_the_host_confirmed() {
        let mut known = entry(Alias::Present);
        let shows = list(&["a.example"]);
        assert!(!proves_itself(&shows, [&known].into_iter()), "somebody else may have added it");
        known.confirmed = true;
        assert!(proves_itself(&shows, [&known].into_iter()));
        assert!(!proves_itself(&list(&["b.example"]), [&known].into_iter()));
    }

    #[test]
    fn an_empty_list_lacks_nothing() {
        let entry = entry(Alias::Wanted);
        assert!(!lacks(None, &entry));
        assert!(!lacks(Some(&list(&[])), &entry));
        assert!(lacks(Some(&list(&["b.example"])), &entry));
    }
}
