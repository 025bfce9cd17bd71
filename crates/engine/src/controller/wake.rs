//! When the loop has to do something next. Pure.

use std::time::Duration;

use rules::Time;
use rules::schedule::backoff;

use super::{PASS_EVERY, PAUSE};

/// What is ahead when a turn has ended.
#[derive(Debug)]
pub(super) struct Ahead {
    pub(super) now: Time,
    /// Times at which a turn is made whatever there is to do.
    pub(super) turns: Vec<Time>,
    /// When steps of domains are due.
    pub(super) steps: Vec<Time>,
}

impl Ahead {
    /// Whether a step is still due that the turn should have made.
    ///
    /// No resolver answers, say, or it was left to the next pass. It must not spin the loop.
    pub(super) fn is_stuck(&self) -> bool {
        self.steps.iter().any(|at| *at <= self.now)
    }

    /// When the next turn is, after `stuck` turns in a row that left a step due.
    pub(super) fn wake_at(&self, stuck: u32, chance: f64) -> Time {
        let later = self.now + backoff(Duration::from_secs(1), stuck, chance).min(PASS_EVERY);
        let steps = self.steps.iter().map(|at| if *at <= self.now { later } else { *at });
        let soonest = steps.chain(self.turns.iter().copied()).min();
        // Something is due at every pass: without anything else that is the next.
        soonest.unwrap_or(self.now + PASS_EVERY).max(self.now + PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    /// What it shows; turns and steps ahead, how often one stayed due; when it wakes.
    type Case<'a> = (&'a str, &'a [i64], &'a [i64], u32, i64);

    #[test]
    #[rustfmt::skip] // One case a line.
    fn it_wakes_for_whatever_comes_first() {
        let table: &[Case<'_>] = &[
            // what it shows                    turns     steps     stuck  wakes
            ("the network is asked again",      &[5, 60], &[],      0,     5),
            ("a pass is sooner than an hour",   &[3600, 60], &[],   0,     60),
            ("a check is due before",           &[5, 60], &[3],     0,     3),
            ("a call is due before",            &[3600], &[70, 5],  0,     5),
            ("what stays due waits a second",   &[3600], &[0],      1,     1),
            ("and longer each time",            &[3600], &[-9],     4,     8),
            ("a minute at most",                &[3600], &[-9],     99,    60),
            ("and keeps nothing else",          &[3600], &[-9, 2],  99,    2),
            ("nor the network from being asked", &[5],   &[-9],     99,    5),
            ("nothing at all",                  &[],     &[],       0,     60),
        ];
        for (shows, turns, steps, stuck, wakes) in table {
            let times = |times: &[i64]| times.iter().map(|seconds| at(*seconds)).collect();
            let ahead = Ahead { now: at(0), turns: times(turns), steps: times(steps) };
            assert_eq!(ahead.wake_at(*stuck, 0.0), at(*wakes), "{shows}");
            assert_eq!(ahead.is_stuck(), steps.iter().any(|step| *step <= 0), "{shows}");
        }
    }

    #[test]
    fn it_never_wakes_before_a_pause() {
        let ahead = Ahead { now: at(9), turns: vec![at(3)], steps: Vec::new() };
        assert_eq!(ahead.wake_at(0, 0.0), at(9) + PAUSE);
    }
}
