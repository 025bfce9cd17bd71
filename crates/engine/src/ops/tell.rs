//! What a pass means for whoever reads cron's mails.

use std::collections::BTreeMap;

use rules::Time;
use rules::ledger::{Batch, Ledger, LedgerError, Recorded};
use rules::telling::{self, Pass, Patience, Scope, Sign, Telling, Topic};

use super::Answer;
use crate::pass::Report;

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
    let (found, scope) = found(answer, &recorded, &patience, now);
    let before = &recorded.memory.told;
    let (tellings, told) = telling::tell(before, &found, &Pass { scope, patience, now });
    if told != *before {
        ledger.save(&Batch { told: Some(told), ..Batch::default() }).await?;
    }
    Ok(tellings)
}

/// All that the pass shows and the ledger remembers, and how much of what there is that is.
fn found(
    answer: &Answer,
    recorded: &Recorded,
    patience: &Patience,
    now: Time,
) -> (BTreeMap<Topic, Sign>, Scope) {
    match answer {
        Answer::Ran(report) => {
            let alerts = report.alerts.iter().filter(|alert| alert.domain.is_none());
            let alerts = alerts.map(|alert| telling::of_alert(alert.code.as_str(), &alert.what));
            if recorded.memory.network.not_acting.is_some() {
                return (alerts.collect(), Scope::OnlyThis);
            }
            let domains = recorded.entries.values();
            let domains = domains.filter_map(|entry| telling::of_domain(entry, patience, now));
            let refusals = recorded.entries.values().filter_map(telling::of_refusal);
            let problems = report.problems.iter().map(telling::of_problem);
            let found = alerts.chain(domains).chain(refusals).chain(problems).collect();
            (found, scope(report))
        }
        Answer::Failed(failure) => {
            let (what, _) = failure.in_one_line();
            ([telling::of_alert(COULD_NOT, &what)].into(), Scope::OnlyThis)
        }
        Answer::Off(..) | Answer::Enabled(_) | Answer::Done => (BTreeMap::new(), Scope::OnlyThis),
    }
}

fn scope(report: &Report) -> Scope {
    if report.cut_short { Scope::NotAllProblems } else { Scope::Everything }
}
