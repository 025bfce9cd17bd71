//! `closte-sync enable`: switch Closte on for the network.

use rules::ledger::{Batch, Ledger};
use rules::source::NetworkSource;
use rules::{Home, Network};

use super::domains::refuse_on_copy;
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
        let network = source.read().await?;
        if self.here {
            let LockedLedger::Ours(ledger, _lock) = wiring.locked_ledger("enable --here").await?
            else {
                report::busy(context, None);
                return Ok(Exit::CouldNot);
            };
            settle_here(source.as_ref(), &ledger, &network).await?;
            let domain = &network.identity.domain;
            context.console.tell(format!("this installation acts for {domain} from now on"));
        } else {
            refuse_on_copy(&network)?;
        }
        let changed = source.switch(true).await?;
        context.console.tell(if changed {
            "Closte is switched on; the next `closte-sync sync` begins"
        } else {
            "Closte was switched on already"
        });
        warn_without_key(context, &wiring).await;
        Ok(Exit::Done)
    }
}

/// Make this installation the home, and this network the ledger's.
async fn settle_here(
    source: &dyn NetworkSource,
    ledger: &dyn Ledger,
    network: &Network,
) -> Result<(), Failure> {
    let home = Home {
        app: network.identity.app.clone(),
        domain: network.identity.domain.to_string(),
        ledger: ledger.id().to_owned(),
    };
    source.write_home(&home, true).await?;
    let mut memory = ledger.load().await?.memory;
    if memory.network.identity.as_ref().is_some_and(|known| *known != network.identity) {
        memory.network.identity = Some(network.identity.clone());
        ledger.save(&Batch { network: Some(memory.network), ..Batch::default() }).await?;
    }
    Ok(())
}

async fn warn_without_key(context: &Context, wiring: &Wiring<'_>) {
    if let Err(failure) = wiring.api_key().await {
        context.console.fail(&failure);
    }
}
