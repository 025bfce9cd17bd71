//! `closte-sync sync`: one pass.

mod attached;

use std::time::Duration;

use super::errand::{self, Patience};
use super::report::{self, Verbosity};
use super::{Console, Context, Exit, Failure};
use crate::clock::SystemClock;
use engine::pass::{Planning, Purpose, Report};
use rules::Clock;
use rules::request::Asked;

/// Make one pass: add, follow, remove and report
///
/// Reads the network and the host's list, does what is due and writes stages
/// back. Meant for cron or a timer. Where another closte-sync is at work, it is
/// asked for a pass; with `--quiet`, or where one is asked for already, nothing
/// is done.
#[derive(clap::Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Args {
    /// Say what a pass would do; nothing is sent, checked or written
    #[arg(long)]
    dry_run: bool,

    /// Print only what needs a person
    #[arg(long, short)]
    pub(super) quiet: bool,

    /// Where another closte-sync is at work, ask it for a pass and do not wait
    #[arg(long)]
    no_wait: bool,

    /// Wait for so many seconds before anything else
    #[arg(long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    delay: u32,

    /// Speak with the plugin on standard input and output, and tell it all there: for the plugin,
    /// which starts it so
    #[arg(long, hide = true, conflicts_with_all = ["dry_run", "quiet", "no_wait", "delay"])]
    pub(super) attached: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        tokio::time::sleep(Duration::from_secs(self.delay.into())).await;
        if self.attached {
            return Ok(attached::pass(context).await);
        }
        if self.dry_run { self.rehearse(context).await } else { self.pass(context).await }
    }

    /// Say that the settings are of no use.
    pub(super) fn could_not_begin(&self, console: Console, failure: &Failure) -> Exit {
        if self.attached { attached::failed(console, failure) } else { console.fail(failure) }
    }

    async fn rehearse(&self, context: &Context) -> Result<Exit, Failure> {
        let engine = context.wiring().rehearsal().await?;
        let planned = match engine.plan(Purpose::Show).await? {
            Planning::Off(off, problems) => return Ok(report::off(context, off, problems)),
            Planning::NotActing { alert, .. } => {
                let report = Report { alerts: vec![alert], ..Report::default() };
                return Ok(report::report(context, report, self.verbosity()));
            }
            Planning::Made(planned) => planned,
        };
        let report = planned.into_report(SystemClock.now());
        Ok(report::report(context, report, self.verbosity()))
    }

    async fn pass(&self, context: &Context) -> Result<Exit, Failure> {
        let patience = match (self.quiet, self.no_wait) {
            (true, _) => Patience::None,
            (false, true) => Patience::Leave,
            (false, false) => Patience::Wait,
        };
        errand::pass(context, Asked::Pass, patience, self.verbosity()).await
    }

    fn verbosity(&self) -> Verbosity {
        if self.quiet { Verbosity::Quiet } else { Verbosity::Full }
    }
}
