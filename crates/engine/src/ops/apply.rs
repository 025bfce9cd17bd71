//! What a person has looked at and lets through.

use tokio_util::sync::CancellationToken;

use super::Answer;
use crate::failure::Failure;
use crate::pass::{Ends, Engine, PassObserver, Passed};

/// Do what the plan of `hash` defers, brake included, and nothing else. What of it is not done
/// then, passes go on with; until all of it is, the same hash is accepted.
///
/// # Errors
///
/// The plan is another one by now, or was applied and is done: nothing was done.
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
    match engine.pass(hash, observer, &Ends::on(stop)).await?.0 {
        Passed::Ran(report) => Ok(Answer::Ran(report)),
        Passed::Off(off, problems) => Ok(Answer::Off(off, problems)),
    }
}
