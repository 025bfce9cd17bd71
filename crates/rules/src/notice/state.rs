//! How a receiver does: when it is tried next, and when no more.

use std::time::Duration;

use crate::notice::Delivery;
use crate::{Problem, Time, plain};

/// A receiver that took nothing for so long is switched off.
pub const SILENT: Duration = Duration::from_hours(72);

/// The gap after the first failure, and the longest: each further one doubles it.
const FIRST_GAP: Duration = Duration::from_secs(30);
const LONGEST_GAP: Duration = Duration::from_mins(30);

/// How a receiver does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiverState {
    /// How often in a row nothing got there.
    pub tries: u32,
    /// Not before this is it tried again.
    pub due: Option<Time>,
    /// Since when it takes nothing; none where it took the last message.
    pub failing_since: Option<Time>,
    /// Why the last try failed.
    pub why: Option<String>,
    /// Since when it is switched off.
    pub off_since: Option<Time>,
    /// When it last took something.
    pub delivered_at: Option<Time>,
    /// The last message that it refused; none once it took another.
    pub refused: Option<Refusal>,
}

/// A message that a receiver refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub at: Time,
    /// In its words.
    pub why: String,
}

/// When a receiver was tried, and a random number from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub at: Time,
    pub chance: f64,
}

impl ReceiverState {
    /// How it does after an attempt that ended in `delivery`.
    #[must_use]
    pub fn after(&self, delivery: &Delivery, attempt: Attempt) -> Self {
        let Attempt { at, chance } = attempt;
        let since = self.failing_since.map_or(at, |since| since.min(at));
        let silent = SILENT <= at.since(since);
        let off_since = self.off_since.or(silent.then_some(at));
        let (why, wait) = match delivery {
            Delivery::Delivered => return Self { delivered_at: Some(at), ..Self::default() },
            Delivery::Refused(why) => {
                return Self {
                    tries: 0,
                    due: None,
                    failing_since: Some(since),
                    off_since,
                    refused: Some(Refusal { at, why: plain::kept(why) }),
                    ..self.clone()
                };
            }
            Delivery::Failed(why) => (why, Duration::ZERO),
            Delivery::Busy { why, wait } => (why, *wait),
        };
        let tries = self.tries.saturating_add(1);
        let due = Some(at + gap(tries, chance).max(wait));
        let why = Some(plain::kept(why));
        Self { tries, due, why, failing_since: Some(since), off_since, ..self.clone() }
    }

    /// Whether it may be tried at `now`. A time further ahead than the longest gap was written by a
    /// clock that was wrong.
    pub fn may_try(&self, now: Time) -> bool {
        let is_due = self.due.is_none_or(|due| due <= now || now + SILENT < due);
        self.off_since.is_none() && is_due
    }

    /// What is wrong with it, where a person should know; `name` is its name.
    pub fn problem(&self, name: &str) -> Option<Problem> {
        let name = plain::plain(name);
        let why = self.why.as_deref().or(self.refused.as_ref().map(|it| it.why.as_str()));
        if self.off_since.is_some() {
            return Some(Problem::of_all(format!(
                "the receiver `{name}` of notifications took nothing for three days and is switched \
                 off, `closte-sync notify test` tries it again: {}",
                why.unwrap_or("no answer"),
            )));
        }
        let Refusal { why, .. } = self.refused.as_ref()?;
        Some(Problem::of_all(format!(
            "the receiver `{name}` of notifications refused a message, which is not sent again: {why}"
        )))
    }
}

/// How long to wait after so many failures in a row; up to a fifth shorter, so that receivers which
/// failed together are tried apart.
fn gap(tries: u32, chance: f64) -> Duration {
    let doubled = FIRST_GAP.saturating_mul(1 << tries.saturating_sub(1).min(10));
    doubled.min(LONGEST_GAP).mul_f64(1.0 - chance.clamp(0.0, 1.0) / 5.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Time {
        Time::from_millis(minutes * 60_000)
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn it_is_tried_in_growing_gaps_until_it_took_nothing_for_three_days() {
        use Delivery::{Busy, Delivered, Failed, Refused};
        let busy = |seconds| Busy { why: "429".to_owned(), wait: Duration::from_secs(seconds) };
        let (no, gone) = (|| Failed("no answer".to_owned()), || Refused("410 Gone".to_owned()));
        let day = 24 * 60;
        let table = [
            // what it shows                    minute      came of it  tries  next in s  failing since  off    refused
            ("it takes a message",              0,          Delivered,  0,     None,      None,          false, false),
            ("it does not answer",              1,          no(),       1,     Some(30),  Some(1),       false, false),
            ("twice as long",                   2,          no(),       2,     Some(60),  Some(1),       false, false),
            ("and again",                       3,          no(),       3,     Some(120), Some(1),       false, false),
            ("it refuses one, which is over",   4,          gone(),     0,     None,      Some(1),       false, true),
            ("it took one",                     5,          Delivered,  0,     None,      None,          false, false),
            ("silent again",                    6,          no(),       1,     Some(30),  Some(6),       false, false),
            ("it asks for more patience",       7,          busy(300),  2,     Some(300), Some(6),       false, false),
            ("or for less",                     12,         busy(5),    3,     Some(120), Some(6),       false, false),
            ("for almost three days",           5 + 3 * day, no(),      4,     Some(240), Some(6),       false, false),
            ("for three days",                  6 + 3 * day, no(),      5,     Some(480), Some(6),       true,  false),
            ("somebody tries it, in vain",      4 * day,    no(),       6,     Some(960), Some(6),       true,  false),
            ("somebody tries it",               5 * day,    Delivered,  0,     None,      None,          false, false),
        ];
        let mut state = ReceiverState::default();
        for (shows, minute, delivery, tries, next, failing, off, refused) in table {
            state = state.after(&delivery, Attempt { at: at(minute), chance: 0.0 });
            let due = state.due.map(|due| due.since(at(minute)).as_secs());
            assert_eq!((state.tries, due, state.failing_since), (tries, next, failing.map(at)), "{shows}");
            assert_eq!((state.off_since.is_some(), state.refused.is_some()), (off, refused), "{shows}");
            assert_eq!(state.problem("x").is_some(), off || refused, "{shows}");
        }
    }

    #[test]
    fn a_gap_doubles_up_to_half_an_hour_and_chance_only_shortens_it() {
        let table = [(1, 0.0, 30), (2, 0.0, 60), (6, 0.0, 960), (7, 0.0, 1800), (99, 0.0, 1800)];
        for (tries, chance, seconds) in table.into_iter().chain([(7, 1.0, 1440), (7, 9.0, 1440)]) {
            assert_eq!(gap(tries, chance), Duration::from_secs(seconds), "{tries} {chance}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn it_is_tried_when_due_and_not_once_it_is_off() {
        let table = [
            (None,            None,        true),
            (Some(at(10)),    None,        true),
            (Some(at(11)),    None,        false),
            (Some(at(9_999)), None,        true), // Our clock was ahead.
            (Some(at(10)),    Some(at(1)), false),
        ];
        for (due, off_since, may_try) in table {
            let state = ReceiverState { due, off_since, ..ReceiverState::default() };
            assert_eq!(state.may_try(at(10)), may_try, "{due:?} {off_since:?}");
        }
    }

    #[test]
    fn problems_of_two_receivers_are_two() {
        let failed = Delivery::Refused("404: never\nheard".to_owned());
        let state = ReceiverState::default().after(&failed, Attempt { at: at(1), chance: 0.0 });
        let topic = |name: &str| crate::telling::of_problem(&state.problem(name).unwrap()).0;
        assert_ne!(topic("https://a.example/hook"), topic("https://b.example/hook"));
        assert!(!state.problem("x").unwrap().reason.contains('\n'));
    }
}
