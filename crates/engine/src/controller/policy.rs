//! What follows from a turn that failed: when to try again, and what to say.
//!
//! Pure. A failure is said when it begins, when it changes and when it ends. In between it
//! is tried again in growing gaps, as its disposition says.

use std::time::Duration;

use rules::schedule::backoff;
use rules::{Disposition, Time};

use super::line::{Failed, LogLine};

/// The first gap, where the network is not asked more often anyway.
const FIRST_GAP: Duration = Duration::from_secs(1);

/// When a turn ended, and what its gap is made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) now: Time,
    /// A random number from 0 to 1.
    pub(super) chance: f64,
    /// How often the network is asked while all is well.
    pub(super) poll: Duration,
}

/// Whether turns fail, and since when.
#[derive(Debug, Default)]
pub(super) struct Policy {
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Failing {
    /// What was said last.
    said: Failed,
    since: Time,
    /// How often in a row.
    tries: u32,
    /// When last.
    tried: Time,
    /// How long to wait after that.
    gap: Duration,
}

impl Policy {
    /// Take in what a turn came to; what to say of it.
    pub(super) fn after(&mut self, outcome: Result<(), Failed>, ending: Ending) -> Option<LogLine> {
        let before = self.failing.take();
        let Err(failed) = outcome else {
            let Failing { said, since, .. } = before?;
            let lasted = ending.now.since(since);
            return Some(LogLine::FailureEnds { subject: said.subject, lasted });
        };
        let tries = before.as_ref().map_or(0, |before| before.tries).saturating_add(1);
        self.failing = Some(Failing {
            since: before.as_ref().map_or(ending.now, |before| before.since),
            tries,
            tried: ending.now,
            gap: gap(failed.disposition, tries, ending),
            said: failed.clone(),
        });
        match before {
            None => Some(LogLine::FailureBegins(failed)),
            Some(before) if before.said == failed => None,
            Some(_) => Some(LogLine::FailureChanges(failed)),
        }
    }

    /// When to try again; none while nothing fails.
    ///
    /// Where the clock went back, that is now: how long it was is not known.
    pub(super) fn retry_at(&self, now: Time) -> Option<Time> {
        let Failing { tried, gap, .. } = self.failing.as_ref()?;
        Some(if now < *tried { now } else { *tried + *gap })
    }

    /// Whether what fails is to be left alone at `now`.
    pub(super) fn waits(&self, now: Time) -> bool {
        self.retry_at(now).is_some_and(|at| now < at)
    }

    /// A person or WordPress asks: wait no longer, this once.
    pub(super) fn try_now(&mut self) {
        if let Some(failing) = &mut self.failing {
            failing.gap = Duration::ZERO;
        }
    }
}

fn gap(disposition: Disposition, tries: u32, ending: Ending) -> Duration {
    let first = FIRST_GAP.min(ending.poll);
    match disposition {
        Disposition::Retry { after: Some(after) } => after.max(first),
        Disposition::Retry { after: None } | Disposition::Settle => {
            backoff(first, tries, ending.chance)
        }
        Disposition::GiveUp | Disposition::Halt => backoff(first, u32::MAX, ending.chance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::line::Subject;

    const RETRY: Disposition = Disposition::Retry { after: None };

    fn ending(seconds: i64) -> Ending {
        let now = Time::from_millis(seconds * 1000);
        Ending { now, chance: 0.0, poll: Duration::from_secs(5) }
    }

    fn failed(text: &str, disposition: Disposition) -> Failed {
        Failed { subject: Subject::Reading, disposition, text: text.to_owned(), hint: None }
    }

    /// The gap in seconds after each of `outcomes`, tried when it was due.
    fn gaps(outcomes: &[Disposition]) -> Vec<u64> {
        let (mut policy, mut at) = (Policy::default(), ending(0));
        let gap = |disposition: &Disposition| {
            policy.after(Err(failed("down", *disposition)), at);
            let gap = policy.retry_at(at.now).unwrap().since(at.now);
            at.now = at.now + gap;
            gap.as_secs()
        };
        outcomes.iter().map(gap).collect()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_disposition_decides_when_to_try_again() {
        let after = |seconds| Disposition::Retry { after: Some(Duration::from_secs(seconds)) };
        let table: &[(&str, &[Disposition], &[u64])] = &[
            ("growing gaps",               &[RETRY; 11], &[1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]),
            ("the other side says when",   &[RETRY, after(40), RETRY], &[1, 40, 4]),
            ("however long that is",       &[after(3600)], &[3600]),
            ("but not at once",            &[after(0)], &[1]),
            ("a person has to act",        &[Disposition::Halt, Disposition::Halt], &[300, 300]),
            ("it makes no sense as it is", &[Disposition::GiveUp], &[300]),
            ("find out what happened",     &[Disposition::Settle; 2], &[1, 2]),
        ];
        for (shows, outcomes, want) in table {
            assert_eq!(gaps(outcomes), *want, "{shows}");
        }
    }

    #[test]
    fn where_the_network_is_asked_more_often_the_first_gap_is_that() {
        let mut policy = Policy::default();
        let at = Ending { poll: Duration::from_millis(200), ..ending(0) };
        policy.after(Err(failed("down", RETRY)), at);
        assert_eq!(policy.retry_at(at.now), Some(Time::from_millis(200)));
    }

    #[test]
    fn a_failure_is_said_when_it_begins_changes_and_ends() {
        let mut policy = Policy::default();
        let (down, denied) = (failed("down", RETRY), failed("denied", Disposition::Halt));
        let lasted = Duration::from_secs(5);
        let table = [
            (Ok(()), None),
            (Err(down.clone()), Some(LogLine::FailureBegins(down.clone()))),
            (Err(down.clone()), None),
            (Err(denied.clone()), Some(LogLine::FailureChanges(denied.clone()))),
            (Err(denied.clone()), None),
            (Err(down.clone()), Some(LogLine::FailureChanges(down.clone()))),
            (Ok(()), Some(LogLine::FailureEnds { subject: Subject::Reading, lasted })),
            (Ok(()), None),
            (Err(down.clone()), Some(LogLine::FailureBegins(down))),
        ];
        for (seconds, (outcome, line)) in (0..).zip(table) {
            assert_eq!(policy.after(outcome, ending(seconds)), line, "at {seconds}");
        }
    }

    #[test]
    fn whoever_asks_gets_one_try_at_once_and_the_gaps_go_on_growing() {
        let mut policy = Policy::default();
        policy.try_now();
        assert_eq!(policy.retry_at(ending(0).now), None, "nothing fails");
        for _ in 0..3 {
            policy.after(Err(failed("down", RETRY)), ending(0));
        }
        assert!(policy.waits(ending(3).now));
        policy.try_now();
        assert!(!policy.waits(ending(3).now));
        policy.after(Err(failed("down", RETRY)), ending(3));
        assert!(policy.waits(ending(10).now) && !policy.waits(ending(11).now));
    }

    #[test]
    fn a_clock_that_went_back_waits_for_nothing() {
        let mut policy = Policy::default();
        policy.after(Err(failed("down", Disposition::Halt)), ending(10_000));
        assert!(policy.waits(ending(10_001).now));
        assert_eq!(policy.retry_at(ending(9_000).now), Some(ending(9_000).now));
    }
}
