//! One pass that a person has looked at beforehand.

use rules::Problem;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::pass::{Engine, Off, PassObserver, Passed, Report};

/// What letting a plan through came to.
#[derive(Debug)]
pub enum Applied {
    /// It ran.
    Ran(Report),
    /// Nothing was done: the network's admin switched something off.
    Off(Off, Vec<Problem>),
}

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
) -> Result<Applied, Failure> {
    match engine.pass(Some(hash), observer, stop).await?.0 {
        Passed::Ran(report) => Ok(Applied::Ran(report)),
        Passed::Off(off, problems) => Ok(Applied::Off(off, problems)),
        Passed::OtherPlan { hash: now, used } => Err(other_plan(hash, &now, used)),
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
