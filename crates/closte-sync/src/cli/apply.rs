//! `closte-sync apply HASH`: one pass that a person has checked beforehand.

use tokio_util::sync::CancellationToken;

use super::report::{self, Progress, Verbosity};
use super::{Context, Exit, Failure};
use crate::wiring::Locked;
use engine::ops::{self, Applied};

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
        let applied = ops::apply(&engine, &self.hash, &observer, &stop).await?;
        observer.finish();
        engine.source.close().await;
        Ok(match applied {
            Applied::Ran(report) => report::report(context, report, Verbosity::Full),
            Applied::Off(off, problems) => report::off(context, off, problems),
        })
    }
}
