//! `closte-sync sync`: one pass.

use tokio_util::sync::CancellationToken;

use super::report::{self, Progress, Verbosity};
use super::{Context, Exit, Failure};
use crate::wiring::Locked;
use engine::pass::{Passed, Planning, Purpose, Report};

/// Make one pass: add, follow, remove and report
///
/// Reads the network and the host's list, does what is due and writes stages
/// back. Meant for cron or a timer; a second one at the same time does nothing.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Say what a pass would do; nothing is sent, checked or written
    #[arg(long)]
    dry_run: bool,

    /// Print only what needs a person
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        if self.dry_run { self.rehearse(context).await } else { self.pass(context).await }
    }

    async fn rehearse(&self, context: &Context) -> Result<Exit, Failure> {
        let engine = context.wiring().rehearsal().await?;
        let planned = match engine.plan(Purpose::Show).await? {
            Planning::Off(off, problems) => return Ok(report::off(context, off, problems)),
            Planning::Copy(alert) => {
                let report = Report { alerts: vec![alert], ..Report::default() };
                return Ok(report::report(context, report, self.verbosity()));
            }
            Planning::Made(planned) => planned,
        };
        let report = planned.into_report();
        Ok(report::report(context, report, self.verbosity()))
    }

    async fn pass(&self, context: &Context) -> Result<Exit, Failure> {
        let (engine, _lock) = match context.wiring().engine("sync").await? {
            Locked::Ours(engine, lock) => (engine, lock),
            Locked::LockedBy(owner) => return Ok(report::busy(context, owner.as_ref())),
        };
        let stop = CancellationToken::new();
        report::stop_on_signals(&stop);
        let observer = Progress::new(context.console, self.verbosity());
        let (passed, _) = engine.pass(None, &observer, &stop).await?;
        observer.finish();
        engine.source.close().await;
        match passed {
            Passed::Off(off, problems) => Ok(report::off(context, off, problems)),
            Passed::Ran(report) => Ok(report::report(context, report, self.verbosity())),
            Passed::OtherPlan { .. } => unreachable!("no plan was asked for"),
        }
    }

    fn verbosity(&self) -> Verbosity {
        if self.quiet { Verbosity::Quiet } else { Verbosity::Full }
    }
}
