//! What a pass means for whoever reads cron's mails.

use std::collections::{BTreeMap, BTreeSet};

use rules::ledger::{Batch, Ledger, LedgerError};
use rules::telling::{self, BROKEN, Pass, Patience, Scope, Sign, Telling, Topic};
use rules::{DomainName, Entry, Time};

use super::Answer;
use crate::pass::Report;
use crate::texts;

/// The code of a pass that could not run to its end.
const COULD_NOT: &str = "could-not-run";

/// What to tell after a pass that came to `answer`, by what was told before; that is remembered in
/// the `ledger`, whose lock the caller has. Nothing while Closte is switched off on purpose.
///
/// # Errors
///
/// The ledger cannot be read or written: then it is not known what was told.
pub async fn tell(
    ledger: &dyn Ledger,
    answer: &Answer,
    patience: Patience,
    now: Time,
) -> Result<Vec<Telling>, LedgerError> {
    if matches!(answer, Answer::Off(..)) {
        return Ok(Vec::new());
    }
    let recorded = ledger.load().await?;
    let mut found = match answer {
        Answer::Ran(report) if recorded.memory.network.not_acting.is_some() => {
            Found::of_alerts(report)
        }
        Answer::Ran(report) => Found::of_pass(report, &recorded.entries, patience, now),
        Answer::Failed(failure) => Found::of_failure(&failure.in_one_line().0),
        Answer::Off(..) | Answer::Enabled(_) | Answer::Done => Found::only([].into()),
    };
    let before = &recorded.memory.told;
    let mut told = before.clone();
    telling::leave_out(&found.muted, &mut told, &mut found.signs);
    let pass = Pass { scope: found.scope, patience, now };
    let (tellings, told) = telling::tell(&told, &found.signs, &pass);
    if told != *before {
        ledger.save(&Batch { told: Some(told), ..Batch::default() }).await?;
    }
    Ok(tellings)
}

/// All that a pass shows and the ledger remembers.
pub(crate) struct Found {
    pub(crate) signs: BTreeMap<Topic, Sign>,
    /// How much of what there is that is.
    pub(crate) scope: Scope,
    /// The domains of which nothing is told now.
    pub(crate) muted: BTreeSet<String>,
}

impl Found {
    /// Of a pass that acted, and left `entries`.
    pub(crate) fn of_pass(
        report: &Report,
        entries: &BTreeMap<DomainName, Entry>,
        patience: Patience,
        now: Time,
    ) -> Self {
        let domains = entries.values();
        let domains = domains.filter_map(|entry| of_domain(entry, &patience, now));
        let refusals = entries.values().filter_map(telling::of_refusal);
        let problems = report.problems.iter().map(telling::of_problem);
        let signs = alerts(report).chain(domains).chain(refusals).chain(problems).collect();
        let muted = entries.values().filter(|entry| entry.is_muted(now));
        let muted = muted.map(|entry| entry.domain.to_string()).collect();
        let scope = if report.cut_short { Scope::NotAllProblems } else { Scope::Everything };
        Self { signs, scope, muted }
    }

    /// Of one that did not act.
    pub(crate) fn of_alerts(report: &Report) -> Self {
        Self::only(alerts(report).collect())
    }

    /// Of one that failed.
    pub(crate) fn of_failure(what: &str) -> Self {
        Self::only([telling::of_alert(COULD_NOT, what)].into())
    }

    fn only(signs: BTreeMap<Topic, Sign>) -> Self {
        Self { signs, scope: Scope::OnlyThis, muted: BTreeSet::new() }
    }
}

/// How it is with a domain; of a broken one with what was found.
fn of_domain(entry: &Entry, patience: &Patience, now: Time) -> Option<(Topic, Sign)> {
    let (topic, mut sign) = telling::of_domain(entry, patience, now)?;
    if let Sign::Stands { code, what } = &mut sign
        && code == BROKEN
        && let Some(text) = texts::broken(entry)
    {
        *what = text;
    }
    Some((topic, sign))
}

/// What needs a person of the whole.
fn alerts(report: &Report) -> impl Iterator<Item = (Topic, Sign)> {
    let alerts = report.alerts.iter().filter(|alert| alert.domain.is_none());
    alerts.map(|alert| telling::of_alert(alert.code.as_str(), &alert.what))
}
