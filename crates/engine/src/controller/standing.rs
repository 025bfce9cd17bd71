//! What lasts from pass to pass: said when it begins, and when it ends.
//!
//! Pure. A pass that could not run says nothing of it, so it neither begins nor ends then.

use std::collections::{BTreeMap, BTreeSet};

use rules::Time;

use super::line::{LogLine, Matter};
use crate::pass::Passed;

/// So many begin or end one by one in a pass; the others are counted.
const MOST_LINES: usize = 20;

/// What the last pass showed, each since when.
#[derive(Debug, Default)]
pub(super) struct Standing {
    since: BTreeMap<Matter, Time>,
}

/// How much of what there is a pass has looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// At everything: what it does not show is over.
    Everywhere,
    /// It read and planned, and was cut short: problems that the rest would show may last.
    NotAtAllDomains,
    /// It went no further than what it shows.
    NoFurther,
}

impl Standing {
    /// Take in what a pass showed; what to say of it.
    pub(super) fn after(
        &mut self,
        shown: BTreeSet<Matter>,
        looked: Looked,
        now: Time,
    ) -> Vec<LogLine> {
        let may_be_over = |matter: &Matter| match looked {
            Looked::Everywhere => true,
            Looked::NotAtAllDomains => !matches!(matter, Matter::Problem(_)),
            Looked::NoFurther => false,
        };
        let over = |matter: &Matter| may_be_over(matter) && !shown.contains(matter);
        let ended: Vec<_> = self.since.extract_if(.., |matter, _| over(matter)).collect();
        let begun: Vec<_> =
            shown.into_iter().filter(|matter| !self.since.contains_key(matter)).collect();
        self.since.extend(begun.iter().map(|matter| (matter.clone(), now)));
        let ends = ended
            .into_iter()
            .map(|(matter, since)| LogLine::Ends { matter, lasted: now.since(since) });
        let begins = begun.into_iter().map(LogLine::Begins);
        let mut lines = some(ends.collect(), LogLine::MoreEnd);
        lines.extend(some(begins.collect(), LogLine::MoreBegin));
        lines
    }
}

/// What a pass shows that lasts.
pub(super) fn matters(passed: &Passed) -> BTreeSet<Matter> {
    match passed {
        Passed::Off(off, problems) => {
            problems.iter().map(Matter::from).chain([Matter::from(*off)]).collect()
        }
        Passed::Ran(report) => {
            let alerts = report.alerts.iter().map(Matter::from);
            alerts.chain(report.problems.iter().map(Matter::from)).collect()
        }
    }
}

/// The first of `lines`, and how many more there are.
fn some(mut lines: Vec<LogLine>, more: fn(usize) -> LogLine) -> Vec<LogLine> {
    let rest = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    lines.extend((0 < rest).then(|| more(rest)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::Off;
    use std::time::Duration;

    fn at(minutes: i64) -> Time {
        Time::from_millis(minutes * 60_000)
    }

    fn problem(text: &str) -> Matter {
        Matter::Problem(text.to_owned())
    }

    /// What is said after a pass that showed `matters`, a minute after the last.
    fn said(standing: &mut Standing, minute: i64, matters: &[&Matter]) -> Vec<LogLine> {
        let shown = matters.iter().map(|matter| (*matter).clone()).collect();
        standing.after(shown, Looked::Everywhere, at(minute))
    }

    #[test]
    fn what_lasts_is_said_when_it_begins_and_when_it_ends() {
        let (a, b) = (problem("a"), problem("b"));
        let ends = |matter: &Matter, minutes| LogLine::Ends {
            matter: matter.clone(),
            lasted: Duration::from_mins(minutes),
        };
        let mut standing = Standing::default();
        let table: &[(&[&Matter], &[LogLine])] = &[
            (&[], &[]),
            (&[&a], &[LogLine::Begins(a.clone())]),
            (&[&a], &[]),
            (&[&a, &b], &[LogLine::Begins(b.clone())]),
            (&[&b], &[ends(&a, 3)]),
            (&[&a], &[ends(&b, 2), LogLine::Begins(a.clone())]),
        ];
        for (minute, (shown, want)) in (0..).zip(table) {
            assert_eq!(said(&mut standing, minute, shown), *want, "minute {minute}");
        }
    }

    #[test]
    fn a_network_that_is_switched_off_ends_no_problem_and_is_on_again_once() {
        let (a, off) = (problem("a"), Matter::from(Off::Closte));
        let mut standing = Standing::default();
        said(&mut standing, 0, &[&a]);
        for (minute, lines) in [(1, vec![LogLine::Begins(off.clone())]), (2, vec![])] {
            let shown = BTreeSet::from([off.clone()]);
            assert_eq!(standing.after(shown, Looked::NoFurther, at(minute)), lines);
        }
        let lines = said(&mut standing, 121, &[&a]);
        let texts: Vec<_> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["the Closte integration is switched on again after 2 h"]);
    }

    #[test]
    fn a_pass_that_was_cut_short_ends_what_it_would_have_read_again_and_no_problem() {
        let (a, off) = (problem("a"), Matter::from(Off::Closte));
        let mut standing = Standing::default();
        said(&mut standing, 0, &[&a, &off]);
        let lines = standing.after(BTreeSet::new(), Looked::NotAtAllDomains, at(9));
        let texts: Vec<_> = lines.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["the Closte integration is switched on again after 9 min"]);
        assert_eq!(said(&mut standing, 10, &[]).len(), 1, "the next one ends it");
    }

    #[test]
    fn thousands_of_problems_are_counted_and_not_named() {
        let many: Vec<_> = (0..5000).map(|number| problem(&format!("{number:04}"))).collect();
        let many: Vec<_> = many.iter().collect();
        let mut standing = Standing::default();
        for (minute, shown, last) in [
            (0, many.as_slice(), Some(LogLine::MoreBegin(4980))),
            (1, &many, None),
            (2, &[], Some(LogLine::MoreEnd(4980))),
        ] {
            let lines = said(&mut standing, minute, shown);
            assert!(lines.len() <= MOST_LINES + 1);
            assert_eq!(lines.last(), last.as_ref(), "minute {minute}");
        }
    }
}
