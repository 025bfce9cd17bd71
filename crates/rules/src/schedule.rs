//! When: the next check at a domain, the next call for it, and which of those that are due goes first.

use std::time::Duration;

use crate::Time;
use crate::entry::{Checks, Entry};
use crate::ledger::NextCalls;

/// The longest gap between two checks, and the usual one of a ready domain.
pub const LONGEST_GAP: Duration = Duration::from_hours(6);

/// The shortest interval that anybody may set.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(10);

/// The longest wait before the host is asked again for the same.
pub const LONGEST_ASK: Duration = Duration::from_hours(24);

/// The longest wait after something failed, however often it has.
pub const LONGEST_RETRY: Duration = Duration::from_mins(5);

/// The longest gap between two checks of a domain that is still waited for.
pub const LONGEST_WAIT: Duration = Duration::from_mins(15);

/// How a domain stands after a check, as far as the next check depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing could be seen.
    Unseen,
    /// It is as it must be.
    Ready,
    /// It is not, and may well become so: within the patience for it.
    Awaited,
    /// It is not, and has not been for longer than that.
    Overdue,
}

/// When to check next, and the gap from which the following one grows.
///
/// What could not be seen is checked again after the interval, and the gap stays what it was.
/// `chance` is a random number from 0 to 1: gaps that are longer than the interval are up to a
/// tenth shorter, so that domains added together are not always checked together.
pub fn next_check(
    standing: Standing,
    checks: &Checks,
    interval: Duration,
    now: Time,
    chance: f64,
) -> (Time, Duration) {
    let longest = match standing {
        Standing::Unseen => return (now + interval, checks.gap),
        Standing::Awaited | Standing::Overdue if now < checks.hot_until => {
            return (now + interval, interval);
        }
        Standing::Awaited => LONGEST_WAIT,
        Standing::Ready | Standing::Overdue => LONGEST_GAP,
    };
    let longest = longest.max(interval);
    let gap = match standing {
        Standing::Ready => longest,
        _ => checks.gap.max(interval).mul_f64(1.5).min(longest),
    };
    (now + gap.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 10.0), gap)
}

/// When to ask the host again after `tries` calls whose outcome is not clear or
/// was a no: at most daily after three.
pub fn ask_again(tries: u32) -> Duration {
    match tries {
        0 | 1 => Duration::from_secs(10),
        2 => Duration::from_mins(5),
        _ => LONGEST_ASK,
    }
}

/// When to try again after `tries` calls that did not reach the host.
pub fn try_again(tries: u32) -> Duration {
    let doublings = tries.saturating_sub(1).min(10);
    (Duration::from_secs(5) * 2u32.pow(doublings)).min(Duration::from_mins(15))
}

/// How long to wait after `tries` failures in a row, where the first wait is `first`.
///
/// Each is twice as long as the one before. `chance` is a random number from 0 to 1: a
/// wait is up to a fifth shorter, so that programs which failed together try apart.
pub fn backoff(first: Duration, tries: u32, chance: f64) -> Duration {
    let doublings = tries.saturating_sub(1).min(20);
    let gap = first.saturating_mul(2u32.pow(doublings)).min(LONGEST_RETRY);
    gap.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 5.0)
}

/// What a pass left to do, as far as the time of the next one depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// How many mapped domains are not ready.
    pub waiting: u64,
    /// Whether the pass ended early: anything may be due still.
    pub cut_short: bool,
    /// The next calls to the host.
    pub calls: NextCalls,
    /// When the first step that was held back may be made without a person.
    pub released: Option<Time>,
    /// The next check of any mapped domain.
    pub check: Option<Time>,
    /// Whether messages wait that could not be sent.
    pub messages: bool,
}

/// When the next pass is due, where nothing keeps running that would make it by itself.
///
/// Never before the `interval` is over, and after [`LONGEST_GAP`] at most. While a domain is not
/// ready, a call is pending or a message waits it comes for what is due first, and after [`LONGEST_WAIT`] at most;
/// else checks do not count: those of ready domains are due one by one, and wait for each other.
pub fn next_pass(left: &Left, interval: Duration, now: Time) -> Time {
    let NextCalls { add, remove } = left.calls;
    let is_at_rest =
        left.waiting == 0 && !left.cut_short && !left.messages && add.or(remove).is_none();
    let (check, longest) =
        if is_at_rest { (None, LONGEST_GAP) } else { (left.check, LONGEST_WAIT) };
    let due = [add, remove, left.released, check].into_iter().flatten().min();
    let latest = now + longest;
    due.map_or(latest, |due| due.min(latest)).max(now + interval.min(LONGEST_GAP))
}

/// Put due checks in order: the longest due first, those of one moment by name.
pub fn order_checks(due: &mut [Entry]) {
    due.sort_by(|a, b| (a.checks.due, &a.domain).cmp(&(b.checks.due, &b.domain)));
}

/// The order of due calls, each with its `entry`, in a pass that began at `began`.
///
/// The longest due goes first, of one moment by name. Calls that became due in this very pass take
/// turns with those, and begin: somebody has just asked for them, and neither waits for all of the
/// other kind.
pub fn order_calls<T>(mut due: Vec<T>, began: Time, entry: impl Fn(&T) -> &Entry) -> Vec<T> {
    due.sort_by(|a, b| {
        let (a, b) = (entry(a), entry(b));
        (a.step.due, &a.domain).cmp(&(b.step.due, &b.domain))
    });
    let is_new = |due: &T| began <= entry(due).step.due && entry(due).step.tries == 0;
    let (new, rest): (Vec<T>, Vec<T>) = due.into_iter().partition(is_new);
    let (mut new, mut rest) = (new.into_iter(), rest.into_iter());
    let turns = std::iter::from_fn(|| {
        let turn: Vec<T> = new.next().into_iter().chain(rest.next()).collect();
        (!turn.is_empty()).then_some(turn)
    });
    turns.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn checks(gap: Duration, hot_until: u64) -> Checks {
        Checks {
            made: 0,
            last: None,
            due: Time::from_millis(0),
            gap,
            hot_until: Time::from_millis(0) + MINUTE * u32::try_from(hot_until).unwrap(),
            bad: 0,
            bad_since: None,
            zone_fails: None,
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_gap_grows_once_a_domain_has_cooled_down() {
        let now = Time::from_millis(0) + MINUTE * 60;
        let (five, quarter) = (MINUTE * 5, MINUTE * 15);
        let table = [
            // what it shows                    standing           gap before       hot until  gap after    next in
            ("hot: the network's interval",     Standing::Awaited, Duration::ZERO,        61, five,         five),
            ("hot again forgets the gap",       Standing::Overdue, LONGEST_GAP,           61, five,         five),
            ("cooled down: half as long again", Standing::Awaited, five,                  60, five * 3 / 2, five * 3 / 2),
            ("and again",                       Standing::Awaited, five * 3 / 2,          60, five * 9 / 4, five * 9 / 4),
            ("never over a quarter of an hour", Standing::Awaited, five * 9 / 4,          60, quarter,      quarter),
            ("not even after six hours",        Standing::Awaited, LONGEST_GAP,           60, quarter,      quarter),
            ("patience is over: on and on",     Standing::Overdue, quarter,               60, five * 9 / 2, five * 9 / 2),
            ("never over six hours",            Standing::Overdue, MINUTE * 300,          60, LONGEST_GAP,  LONGEST_GAP),
            ("ready: every six hours",          Standing::Ready,   five,                  61, LONGEST_GAP,  LONGEST_GAP),
            ("unseen: the gap stays",           Standing::Unseen,  five * 3 / 2,          60, five * 3 / 2, five),
            ("unseen, and ready before",        Standing::Unseen,  LONGEST_GAP,           60, LONGEST_GAP,  five),
            ("unseen while hot",                Standing::Unseen,  Duration::ZERO,        61, Duration::ZERO, five),
        ];
        for (shows, standing, before, hot_until, after, next) in table {
            let (due, gap) = next_check(standing, &checks(before, hot_until), five, now, 0.0);
            assert_eq!((gap, due), (after, now + next), "{shows}");
        }
    }

    #[test]
    fn chance_only_shortens_and_by_a_tenth_at_most() {
        let now = Time::from_millis(0) + MINUTE * 60;
        for (chance, want) in [(0.0, 360), (0.5, 342), (1.0, 324), (9.0, 324)] {
            let (due, gap) = next_check(Standing::Ready, &checks(MINUTE, 0), MINUTE, now, chance);
            assert_eq!((due.since(now), gap), (MINUTE * want, LONGEST_GAP));
        }
    }

    #[test]
    fn a_longer_interval_of_the_operators_holds() {
        let now = Time::from_millis(0) + MINUTE * 60;
        let day = Duration::from_hours(24);
        for standing in [Standing::Ready, Standing::Awaited, Standing::Overdue] {
            assert_eq!(next_check(standing, &checks(MINUTE, 0), day, now, 0.0).1, day);
        }
    }

    /// Names, since when each is due, and how often it was tried.
    type Dues<'a> = &'a [(&'a str, i64, u32)];

    fn due(names: Dues<'_>) -> Vec<Entry> {
        let entry = |(name, due, tries): &(&str, i64, u32)| {
            let due = Time::from_millis(*due);
            let mut entry = Entry::new(format!("{name}.example").parse().unwrap(), None, due);
            entry.step.tries = *tries;
            entry
        };
        names.iter().map(entry).collect()
    }

    fn names(entries: &[Entry]) -> String {
        let names = entries.iter().map(|entry| entry.domain.as_str().trim_end_matches(".example"));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_longest_due_goes_first_and_new_calls_take_turns_with_them() {
        let table: &[(&str, Dues<'_>, &str, &str)] = &[
            // what it shows                  name, due since, tries in a pass that began at 50       checks     calls
            ("nothing",                       &[],                                                    "",        ""),
            ("the longest due",               &[("a", 9, 0), ("b", 2, 0), ("c", 5, 0)],               "b c a",   "b c a"),
            ("names break ties",              &[("c", 1, 0), ("a", 1, 3), ("b", 1, 0)],               "a b c",   "a b c"),
            ("the first pass: by name",       &[("b", 50, 0), ("a", 50, 0)],                          "a b",     "a b"),
            ("a new one goes first",          &[("a", 1, 0), ("b", 2, 0), ("z", 51, 0)],              "a b z",   "z a b"),
            ("new ones take turns",           &[("a", 1, 0), ("b", 2, 0), ("y", 51, 0), ("z", 51, 0)], "a b y z", "y a z b"),
            ("what is left over follows",     &[("a", 1, 0), ("x", 50, 0), ("y", 50, 0), ("z", 50, 0)], "a x y z", "x a y z"),
            ("one that was tried is not new", &[("a", 1, 0), ("b", 51, 1)],                           "a b",     "a b"),
        ];
        for (shows, entries, checks, calls) in table {
            let mut ordered = due(entries);
            order_checks(&mut ordered);
            assert_eq!(names(&ordered), *checks, "{shows}");
            let ordered = order_calls(due(entries), Time::from_millis(50), |entry| entry);
            assert_eq!(names(&ordered), *calls, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_next_pass_comes_for_what_is_due_and_seldom_where_all_is_ready() {
        let now = Time::from_millis(0) + MINUTE * 600;
        let at = |minutes: u32| Some(Time::from_millis(0) + MINUTE * minutes);
        let rest = Left::default();
        let waits = Left { waiting: 1, ..rest };
        let add = |at| NextCalls { add: at, remove: None };
        let remove = |at| NextCalls { add: None, remove: at };
        let table = [
            // what it shows                              what is left                                              next in minutes
            ("nothing: after six hours",                  rest,                                                     360),
            ("all is ready: checks wait for each other",  Left { check: at(601), ..rest },                          360),
            ("even one that is due",                      Left { check: at(0), ..rest },                            360),
            ("a domain waits: for its check",             Left { check: at(607), ..waits },                         7),
            ("never before the interval is over",         Left { check: at(601), ..waits },                         5),
            ("nor for what was due",                      Left { check: at(1), ..waits },                           5),
            ("after a quarter of an hour at most",        Left { check: at(900), ..waits },                         15),
            ("also where nothing is due",                 waits,                                                    15),
            ("an addition is pending",                    Left { calls: add(at(608)), ..rest },                     8),
            ("a removal is",                              Left { calls: remove(at(608)), ..rest },                  8),
            ("the first of all",                          Left { calls: add(at(612)), check: at(609), ..waits },    9),
            ("a call that is far ahead",                  Left { calls: add(at(9000)), ..rest },                    15),
            ("a removal needs another read",              Left { released: at(601), ..rest },                       5),
            ("the brake lets go in an hour",              Left { released: at(660), ..rest },                       60),
            ("one is kept for days",                      Left { released: at(9000), ..rest },                      360),
            ("it was cut short",                          Left { cut_short: true, check: at(600), ..rest },         5),
            ("cut short, and nothing is known to be due", Left { cut_short: true, ..rest },                         15),
            ("a message could not be sent",               Left { messages: true, ..rest },                          15),
        ];
        for (shows, left, minutes) in table {
            assert_eq!(next_pass(&left, MINUTE * 5, now), now + MINUTE * minutes, "{shows}");
        }
        assert_eq!(next_pass(&waits, MINUTE * 20, now), now + MINUTE * 20, "a longer interval holds");
        assert_eq!(next_pass(&waits, MINUTE * 1440, now), now + LONGEST_GAP, "but not for ever");
    }

    #[test]
    fn the_host_is_asked_daily_at_most_after_three_tries() {
        assert!(ask_again(1) < ask_again(2));
        assert_eq!(ask_again(3), Duration::from_hours(24));
        assert_eq!(ask_again(300), Duration::from_hours(24));
        assert_eq!(try_again(1), Duration::from_secs(5));
        assert_eq!(try_again(300), Duration::from_mins(15));
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_wait_doubles_up_to_five_minutes() {
        let table = [
            // first, tries, chance, wait in milliseconds
            (1000, 0,        0.0,   1_000),
            (1000, 1,        0.0,   1_000),
            (1000, 2,        0.0,   2_000),
            (1000, 5,        0.0,  16_000),
            (1000, 9,        0.0, 256_000),
            (1000, 10,       0.0, 300_000),
            (1000, u32::MAX, 0.0, 300_000),
            ( 200, 3,        0.0,     800),
            (1000, 1,        0.5,     900),
            (1000, u32::MAX, 1.0, 240_000),
            (1000, u32::MAX, 9.0, 240_000),
        ];
        for (first, tries, chance, wait) in table {
            let got = backoff(Duration::from_millis(first), tries, chance);
            assert_eq!(got, Duration::from_millis(wait), "{first} {tries} {chance}");
        }
        assert_eq!(backoff(Duration::MAX, 9, 0.0), LONGEST_RETRY);
    }
}
