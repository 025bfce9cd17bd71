//! `closte-sync apply HASH`: one pass that a person has checked beforehand.

use tokio_util::sync::CancellationToken;

use super::report::{self, Progress, Verbosity};
use super::{Context, Exit, Failure};
use crate::wiring::Locked;
use engine::pass::Passed;

/// Let exactly the plan of this hash through, brake included, once
///
/// Refuses when what is mapped, present or recorded has changed since
/// `closte-sync plan` printed the hash.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The hash that `closte-sync plan` printed
    hash: String,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (engine, _lock) = match context.wiring().engine("apply").await? {
            Locked::Ours(engine, lock) => (engine, lock),
            Locked::LockedBy(owner) => {
                report::busy(context, owner.as_ref());
                return Ok(Exit::CouldNot);
            }
        };
        let stop = CancellationToken::new();
        report::stop_on_signals(&stop);
        let observer = Progress::new(context.console, Verbosity::Full);
        let (passed, _) = engine.pass(Some(&self.hash), &observer, &stop).await?;
        observer.finish();
        engine.source.close().await;
        match passed {
            Passed::Off(off, problems) => Ok(report::off(context, off, problems)),
            Passed::Ran(report) => Ok(report::report(context, report, Verbosity::Full)),
            Passed::OtherPlan { hash, used } => Err(other_plan(&self.hash, &hash, used)),
        }
    }
}

fn other_plan(asked: &str, hash: &str, used: bool) -> Failure {
    let what = if used {
        format!("plan `{asked}` was applied before, and counts once")
    } else {
        format!("the plan is not `{asked}` any more: it is `{hash}` now")
    };
    Failure::no(what).hint("see `closte-sync plan` again; nothing was done")
}
