//! `closte-sync enable`: switch Closte on for the network.

use engine::ops::{self, Switched};

use super::{Context, Exit, Failure, report};
use crate::wiring::{LockedLedger, Wiring};

/// Switch the Closte integration on for this network
///
/// The same switch as in WordPress under Ultimate Multisite > Settings > Domain
/// Mapping > Host Integrations; other integrations stay as they are.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Let this installation act for the network from now on, and no other
    #[arg(long)]
    here: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let source = wiring.access()?.source;
        let enabled = if self.here {
            let LockedLedger::Ours(ledger, _lock) = wiring.locked_ledger("enable --here").await?
            else {
                report::busy(context, None);
                return Ok(Exit::CouldNot);
            };
            ops::enable(source.as_ref(), Some(&ledger)).await?
        } else {
            ops::enable(source.as_ref(), None).await?
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
}

async fn warn_without_key(context: &Context, wiring: &Wiring<'_>) {
    if let Err(failure) = wiring.api_key().await {
        context.console.fail(&failure);
    }
}
