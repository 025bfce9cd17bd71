//! What the loop remembers from one turn to the next, and when that calls for a pass. Pure.

use std::time::Duration;

use rules::records::SETTLED_AFTER;
use rules::{Network, Time};

use super::PASS_EVERY;

/// What the loop remembers from one turn to the next.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The network as it was last read; none where we do not act for it.
    pub(super) network: Option<Network>,
    /// The number that the cheap query gave when the last pass began.
    pub(super) pulse: Option<u64>,
    /// When that was.
    pub(super) passed: Option<Time>,
    /// When a site that was too young then may get its record.
    pub(super) ripe: Option<Time>,
    /// Whether our clock was too far from the database's then to check by it.
    pub(super) clock_is_wrong: bool,
    /// When the next removal is due.
    pub(super) removal: Option<Time>,
    /// After how many turns in a row a step was still due.
    pub(super) stuck: u32,
    /// When the first of the last turns began that a nudge came into; none after one without.
    nudged: Option<Time>,
}

impl Known {
    /// Take in a pass that began at `began`, when the cheap query gave `pulse`, and read `network`.
    pub(super) fn pass_ran(&mut self, began: Time, pulse: Option<u64>, network: Option<Network>) {
        self.ripe = network.as_ref().and_then(|network| ripe(network, began));
        (self.passed, self.pulse, self.network) = (Some(began), pulse, network);
    }

    /// Whether a nudge may end a turn that begins `now`. Not once they came for so long that checks
    /// and removals would wait for ever.
    pub(super) fn may_be_cut_short(&self, now: Time) -> bool {
        self.nudged.is_none_or(|since| since <= now && now < since + PASS_EVERY)
    }

    /// Take in that a turn ended which began at `began`, and whether a nudge came during it.
    pub(super) fn turn_ended(&mut self, began: Time, is_nudged: bool) {
        let was_cut_short = is_nudged && self.may_be_cut_short(began);
        self.nudged = was_cut_short.then(|| self.nudged.unwrap_or(began));
    }

    /// The next thing to do is a pass.
    pub(super) fn pass_soon(&mut self) {
        (self.pulse, self.passed, self.ripe) = (None, None, None);
    }

    /// When the next pass is, whatever changes; none where there was none.
    pub(super) fn pass_at(&self) -> Option<Time> {
        let passed = self.passed?;
        // One that was due when the last pass read was made by it, or held back.
        let removal = self.removal.filter(|due| passed < *due);
        [self.ripe, removal].into_iter().flatten().chain([passed + PASS_EVERY]).min()
    }

    pub(super) fn calls_for_pass(&self, pulse: u64, now: Time) -> bool {
        let clock_went_back = self.passed.is_some_and(|passed| now < passed);
        let old = self.pass_at().is_none_or(|at| at <= now);
        old || clock_went_back || self.pulse != Some(pulse)
    }
}

/// When the next site that is too young for a record is old enough.
fn ripe(network: &Network, now: Time) -> Option<Time> {
    let ages = network.sites.values().filter_map(|site| site.age);
    let left = ages.filter_map(|age| SETTLED_AFTER.checked_sub(age)).filter(|it| !it.is_zero());
    // The database counts whole seconds.
    left.min().map(|left| now + left + Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_pass_is_made_on_every_change_every_minute_and_when_something_needs_one() {
        let table = [
            // what it shows                        passed     ripe      removal    pulse  pass
            ("there was none",                      None,      None,     None,      7,     true),
            ("nothing changed",                     Some(100), None,     None,      7,     false),
            ("something changed",                   Some(100), None,     None,      8,     true),
            ("a minute is over",                    Some(70),  None,     None,      7,     true),
            ("the clock went back",                 Some(131), None,     None,      7,     true),
            ("a site is old enough",                Some(100), Some(130), None,     7,     true),
            ("a site is too young",                 Some(100), Some(131), None,     7,     false),
            ("a removal is due",                    Some(100), None,     Some(105), 7,     true),
            ("a removal is due later",              Some(100), None,     Some(131), 7,     false),
            ("the last pass held that removal back", Some(100), None,    Some(99),  7,     false),
        ];
        for (shows, passed, ripe, removal, pulse, pass) in table {
            let [passed, ripe, removal] = [passed, ripe, removal].map(|time| time.map(at));
            let known = Known { passed, ripe, removal, pulse: Some(7), ..Known::default() };
            assert_eq!(known.calls_for_pass(pulse, at(130)), pass, "{shows}");
        }
    }

    #[test]
    fn after_a_minute_of_nudges_one_turn_runs_to_its_end() {
        let mut known = Known::default();
        let turn = |known: &mut Known, began, is_nudged| {
            let may = known.may_be_cut_short(at(began));
            known.turn_ended(at(began), is_nudged);
            may
        };
        let may: Vec<_> = (0..130).map(|began| turn(&mut known, began, true)).collect();
        let whole: Vec<_> = (0..130).filter(|began| !may[*began]).collect();
        assert_eq!(whole, [60, 121], "and a minute later again");
        turn(&mut known, 130, false);
        assert!((131..191).all(|began| turn(&mut known, began, true)), "one without counts anew");
        assert!(!known.may_be_cut_short(at(90)), "the clock went back: nobody knows for how long");
    }
}
