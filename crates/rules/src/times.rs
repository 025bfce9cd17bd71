//! Times that a wrong clock wrote: what is further ahead than it can be is now.
//!
//! A clock that was a year ahead for an hour must not keep a domain silent for a year.

use std::time::Duration;

use crate::Time;
use crate::breaker;
use crate::entry::{Condition, Entry, HOT};
use crate::ledger::{HostHealth, Memory};
use crate::probe::RootsSilent;
use crate::reason::Reason;
use crate::schedule::{LONGEST_ASK, LONGEST_GAP};

/// The longest pause that the host may ask for.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// `time`, or now where it is further ahead than `longest`.
fn at_most(time: &mut Time, now: Time, longest: Duration) {
    if now + longest < *time {
        *time = now;
    }
}

/// A time that was is not ahead of now.
fn past(time: &mut Time, now: Time) {
    *time = (*time).min(now);
}

fn condition<S>(condition: &mut Condition<S>, now: Time) {
    past(&mut condition.since, now);
    if let Some(unseen) = &mut condition.unseen {
        past(&mut unseen.since, now);
        past(&mut unseen.seen, now);
    }
}

/// Put right the times of `entry`, where checks of the network are `interval` apart at least.
pub fn mend(entry: &mut Entry, interval: Duration, now: Time) {
    condition(&mut entry.alias, now);
    condition(&mut entry.routing, now);
    condition(&mut entry.certificate, now);
    condition(&mut entry.proof, now);
    past(&mut entry.first_seen, now);
    let passed = [
        entry.owned.as_mut().map(|owned| &mut owned.since),
        entry.checks.last.as_mut(),
        entry.checks.bad_since.as_mut(),
        entry.gone.counted_at.as_mut(),
        entry.tombstone.as_mut(),
        entry.rechecked_at.as_mut(),
        entry.looked.as_mut().map(|looked| &mut looked.at),
        entry.step.intent.as_mut().map(|intent| &mut intent.at),
    ];
    passed.into_iter().flatten().for_each(|time| past(time, now));
    at_most(&mut entry.checks.due, now, LONGEST_GAP.max(interval));
    if let Some(fails) = &mut entry.checks.zone_fails {
        past(&mut fails.since, now);
        past(&mut fails.last, now);
    }
    // What only the clock kept from being seen can be seen now.
    if entry.unseen().is_some_and(|unseen| unseen.reason == Reason::ClockWrong) {
        past(&mut entry.checks.due, now);
    }
    at_most(&mut entry.step.due, now, LONGEST_ASK);
    entry.checks.hot_until = entry.checks.hot_until.min(now + HOT);
}

/// The same of what is remembered of the whole.
pub fn mend_memory(memory: &mut Memory, now: Time) {
    mend_host(&mut memory.host, now);
    if let Some(at) = &mut memory.network.forgot_at {
        past(at, now);
    }
    if let Some(silent) = &mut memory.network.roots_silent {
        past(&mut silent.since, now);
        at_most(&mut silent.until, now, RootsSilent::LEFT_ALONE);
    }
}

fn mend_host(host: &mut HostHealth, now: Time) {
    if let Some(until) = &mut host.quiet_until {
        at_most(until, now, LONGEST_PAUSE);
    }
    if let Some(until) = &mut host.breaker.open_until {
        at_most(until, now, breaker::LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Alias, Gone, Intent};

    const DAY: Duration = Duration::from_hours(24);

    fn now() -> Time {
        Time::from_millis(0) + DAY * 1000
    }

    #[test]
    fn what_is_further_ahead_than_it_can_be_is_now_and_the_rest_stays() {
        let ahead = now() + DAY * 365;
        let mut entry = Entry::new("a.example".parse().unwrap(), None, ahead);
        entry.step.intent = Some(Intent { at: ahead, list_lacked: true });
        entry.gone = Gone { reads: 1, counted_at: Some(ahead) };
        (entry.checks.last, entry.checks.bad_since) = (Some(ahead), Some(ahead));
        mend(&mut entry, Duration::from_mins(5), now());
        let (checks, step) = (&entry.checks, &entry.step);
        let times = [entry.first_seen, entry.alias.since, checks.due, step.due];
        assert_eq!(times, [now(); 4]);
        assert_eq!(entry.gone.counted_at, Some(now()), "the next read is a gap from now");
        assert_eq!(step.intent.map(|intent| intent.at), Some(now()));
        assert_eq!((checks.last, checks.bad_since), (Some(now()), Some(now())));
        assert_eq!(checks.hot_until, now() + HOT);

        let mut right = Entry::new("a.example".parse().unwrap(), None, now() - DAY);
        right.alias.set(now(), Alias::Adding, None, None);
        (right.checks.due, right.step.due) = (now() + LONGEST_GAP, now() + DAY);
        let mut mended = right.clone();
        mend(&mut mended, Duration::from_mins(5), now());
        assert_eq!(mended, right);
        right.checks.due = now() + DAY;
        let mut slow = right.clone();
        mend(&mut slow, DAY, now());
        assert_eq!(slow, right, "an operator's longer interval holds");
    }

    #[test]
    fn what_only_a_wrong_clock_kept_from_being_seen_is_due_now() {
        for (reason, due) in [(Reason::ClockWrong, now()), (Reason::DnsFailed, now() + DAY / 8)] {
            let mut entry = Entry::new("a.example".parse().unwrap(), None, now());
            entry.certificate.miss(now() + DAY * 365, None, reason, None);
            entry.checks.due = now() + DAY / 8;
            mend(&mut entry, Duration::from_mins(5), now());
            assert_eq!(entry.checks.due, due, "{reason}");
            assert_eq!(entry.unseen().map(|it| it.since), Some(now()));
        }
    }

    #[test]
    fn neither_host_nor_root_is_left_alone_for_longer_than_can_be() {
        let mut memory = Memory::default();
        memory.network.roots_silent = Some(RootsSilent::at(now() + DAY, None));
        memory.host.quiet_until = Some(now() + DAY * 365);
        memory.host.breaker.open_until = Some(now() + DAY);
        memory.network.forgot_at = Some(now() + DAY);
        mend_memory(&mut memory, now());
        assert_eq!(memory.host.quiet_until, Some(now()));
        assert_eq!(memory.host.breaker.open_until, Some(now()));
        assert_eq!(memory.network.forgot_at, Some(now()));
        let silent = RootsSilent { since: now(), until: now() };
        assert_eq!(memory.network.roots_silent, Some(silent));
    }
}
