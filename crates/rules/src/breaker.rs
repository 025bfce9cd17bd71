//! Making no calls to a host that does not answer.
//!
//! ```text
//!   closed ──5 outages in a row──▶ open ──time──▶ half open: one call as a probe
//!     ▲                              ▲                │
//!     └────────── an answer ─────────┼────────────────┤
//!                                    └─── an outage ──┘  open for twice as long
//! ```

use std::time::Duration;

use crate::Time;

/// So many outages in a row open it.
const OUTAGES: u32 = 5;
/// How long it is open the first time.
const FIRST: Duration = Duration::from_secs(30);
/// How long it is open at most.
pub(crate) const LONGEST: Duration = Duration::from_mins(15);
/// How long to pause where a host limits our rate and does not say how long.
const PAUSE: Duration = Duration::from_mins(1);

/// How the host has been answering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Outages in a row.
    pub outages: u32,
    /// When it last opened, and until when; none while closed.
    pub open_until: Option<Time>,
}

/// How many calls may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// As many as there are.
    All,
    /// One, to see whether the host is back.
    Probe,
    /// None.
    None,
}

impl Breaker {
    /// How many calls may be made at `now`.
    pub fn allows(&self, now: Time) -> Allowed {
        match self.open_until {
            None => Allowed::All,
            Some(until) if until <= now => Allowed::Probe,
            Some(_) => Allowed::None,
        }
    }

    /// The host answered, no matter what it said.
    ///
    /// Answers to calls that had started before it opened do not close it.
    pub fn answered(&mut self, now: Time) {
        if self.allows(now) != Allowed::None {
            *self = Self::default();
        }
    }

    /// The host did not answer, or not sensibly.
    ///
    /// Calls that had started before it opened give no new information.
    pub fn outage(&mut self, now: Time) {
        if self.allows(now) == Allowed::None {
            return;
        }
        self.outages = self.outages.saturating_add(1);
        if OUTAGES <= self.outages {
            let doublings = (self.outages - OUTAGES).min(10);
            let pause = (FIRST * 2u32.pow(doublings)).min(LONGEST);
            self.open_until = Some(now + pause);
        }
    }

    /// The host is there and asks for a pause, without saying how long.
    pub fn pause(&mut self, now: Time) {
        self.open_until = self.open_until.max(Some(now + PAUSE));
    }

    /// Whether it is outages that opened it, and not the host's own wish.
    pub fn is_out(&self) -> bool {
        OUTAGES <= self.outages
    }

    /// A person asked: allow one call as a probe.
    pub fn nudge(&mut self, now: Time) {
        self.open_until = self.open_until.map(|until| until.min(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A breaker after so many outages, each as soon as a call was allowed, and
    /// when the last one was.
    fn after(outages: u32) -> (Breaker, Time) {
        let mut breaker = Breaker::default();
        let mut now = Time::from_millis(0);
        for _ in 0..outages {
            now = breaker.open_until.unwrap_or(now);
            breaker.outage(now);
        }
        (breaker, now)
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn it_opens_after_five_outages_and_lets_one_probe_through_later() {
        let table = [
            // what it shows                       outages  seconds  allowed
            ("a fresh one lets all through",             0,       0, Allowed::All),
            ("four outages may be chance",               4,       0, Allowed::All),
            ("five are not",                             5,       0, Allowed::None),
            ("it stays open for half a minute",          5,      29, Allowed::None),
            ("then one call finds out",                  5,      30, Allowed::Probe),
            ("a failed probe doubles the time",          6,      59, Allowed::None),
            ("and then one more",                        6,      60, Allowed::Probe),
            ("it never waits longer than 15 minutes",  500,     900, Allowed::Probe),
        ];
        for (shows, outages, seconds, allowed) in table {
            let (breaker, last) = after(outages);
            let now = last + Duration::from_secs(seconds);
            assert_eq!(breaker.allows(now), allowed, "{shows}");
        }
    }

    #[test]
    fn stragglers_of_the_same_outage_do_not_prolong_it() {
        let (mut breaker, now) = after(5);
        for _ in 0..8 {
            breaker.outage(now);
        }
        assert_eq!(breaker.allows(now + FIRST), Allowed::Probe);
    }

    #[test]
    fn a_host_that_limits_our_rate_is_left_alone_for_a_minute() {
        let (mut breaker, now) = after(0);
        breaker.pause(now);
        assert_eq!(breaker.allows(now + PAUSE / 2), Allowed::None);
        assert_eq!(breaker.allows(now + PAUSE), Allowed::Probe);
        breaker.nudge(now);
        assert_eq!(breaker.allows(now), Allowed::Probe, "a person may ask at once");
    }

    #[test]
    fn an_answer_closes_it_and_a_nudge_lets_one_probe_through() {
        let (mut breaker, now) = after(7);
        breaker.nudge(now);
        assert_eq!(breaker.allows(now), Allowed::Probe);
        breaker.answered(now);
        assert_eq!(breaker.allows(now), Allowed::All);
        breaker.nudge(now);
        assert_eq!(breaker.allows(now), Allowed::All, "nothing to nudge");
    }
}
