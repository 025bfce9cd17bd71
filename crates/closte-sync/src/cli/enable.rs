//! `closte-sync enable`: switch Closte on for the network.

use engine::ops::{self, Answer, Switched};
use rules::request::Asked;
use tokio_util::sync::CancellationToken;

use super::errand::{Ended, Errand, Patience};
use super::report::{self, Verbosity};
use super::{Context, Exit, Failure};
use crate::wiring::Wiring;

/// Switch the Closte integration on for this network
///
/// The same switch as in WordPress under Ultimate Multisite > Settings > Domain
/// Mapping > Host Integrations; other integrations stay as they are.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Let this installation act for the network from now on, and no other
    #[arg(long)]
    here: bool,

    /// With `--here`, where another closte-sync is at work, ask it and do not wait
    #[arg(long, requires = "here")]
    no_wait: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let enabled = if self.here {
            match self.here(context, &wiring).await? {
                Ended::Answered(Answer::Enabled(enabled)) => enabled,
                other => return report::ended(context, other, Verbosity::Full),
            }
        } else {
            let ledger = wiring.existing_ledger().await?;
            ops::enable(wiring.access()?.source.as_ref(), ledger.as_deref()).await?
        };
        if let Some(domain) = enabled.acts_for {
            context.console.tell(format!("this installation acts for {domain} from now on"));
        }
        context.console.tell(match enabled.switched {
            Switched::Now => "Closte is switched on; the next `closte-sync sync` begins",
            Switched::Already => "Closte was switched on already",
        });
        warn_without_key(context, &wiring).await;
        Ok(Exit::Done)
    }

    async fn here(&self, context: &Context, wiring: &Wiring<'_>) -> Result<Ended, Failure> {
        let source = wiring.access()?.source;
        let stop = CancellationToken::new();
        report::stop_on_signals(&stop);
        let patience = if self.no_wait { Patience::Leave } else { Patience::Wait };
        let errand = Errand { context, asked: Asked::EnableHere, patience, stop: &stop };
        let ended = Box::pin(errand.run(async |ledger| {
            Ok(Answer::Enabled(ops::enable_here(source.as_ref(), ledger.as_ref()).await?))
        }));
        ended.await
    }
}

async fn warn_without_key(context: &Context, wiring: &Wiring<'_>) {
    if let Err(failure) = wiring.api_key().await {
        context.console.fail(&failure);
    }
}
