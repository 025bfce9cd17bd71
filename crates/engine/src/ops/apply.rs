//! One pass that a person has looked at beforehand.

use tokio_util::sync::CancellationToken;

use super::Answer;
use crate::failure::Failure;
use crate::pass::{Engine, PassObserver, Passed};

/// Let exactly the plan of `hash` through, brake included, once.
///
/// # Errors
///
/// The plan is another one by now, or was let through before: nothing was done.
pub async fn apply(
    engine: &Engine,
    hash: &str,
    observer: &dyn PassObserver,
    stop: &CancellationToken,
) -> Result<Answer, Failure> {
    pass(engine, Some(hash), observer, stop).await
}

/// One pass; with `hash`, only of the plan of that hash.
pub(super) async fn pass(
    engine: &Engine,
    hash: Option<&str>,
    observer: &dyn PassObserver,
    stop: &CancellationToken,
) -> Result<Answer, Failure> {
    match engine.pass(hash, observer, stop).await?.0 {
        Passed::Ran(report) => Ok(Answer::Ran(report)),
        Passed::Off(off, problems) => Ok(Answer::Off(off, problems)),
        Passed::OtherPlan { hash: now, used } => {
            Err(other_plan(hash.unwrap_or_default(), &now, used))
        }
    }
}

fn other_plan(asked: &str, now: &str, used: bool) -> Failure {
    let what = if used {
        format!("plan `{asked}` was applied before, and counts once")
    } else {
        format!("the plan is not `{asked}` any more: it is `{now}` now")
    };
    Failure::no(what).hint("see `closte-sync plan` again; nothing was done")
}
