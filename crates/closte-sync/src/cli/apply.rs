//! `closte-sync apply HASH`: one pass that a person has checked beforehand.

use engine::ops::requests;
use rules::request::Asked;
use tokio_util::sync::CancellationToken;

use super::errand::{Errand, Patience};
use super::report::{self, Progress, Verbosity};
use super::{Context, Exit, Failure};

/// Let exactly the plan of this hash through, brake included, once
///
/// Refuses when what is mapped, present or recorded has changed since
/// `closte-sync plan` printed the hash. Where another closte-sync is at work, it
/// is asked to apply the plan.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The hash that `closte-sync plan` printed
    hash: String,

    /// Where another closte-sync is at work, ask it and do not wait
    #[arg(long)]
    no_wait: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        // What may be missing is asked for before a ledger is made.
        let parts = wiring.parts().await?;
        let stop = CancellationToken::new();
        report::stop_on_signals(&stop);
        let observer = Progress::new(context.console, Verbosity::Full);
        let asked = Asked::Apply(self.hash);
        let patience = if self.no_wait { Patience::Leave } else { Patience::Wait };
        let errand =
            Errand { context, command: "apply", asked: asked.clone(), patience, stop: &stop };
        let ended = Box::pin(errand.run(async |ledger| {
            let engine = parts.with(ledger);
            let answer = requests::perform(&engine, &asked, &observer, &stop).await;
            engine.source.close().await;
            Ok(answer)
        }));
        let ended = ended.await;
        observer.finish();
        report::ended(context, ended?, Verbosity::Full)
    }
}
