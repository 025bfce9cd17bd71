//! Switching Closte on for the network, and saying which installation acts for it.

use rules::ledger::{Batch, Ledger, NotActing};
use rules::source::NetworkSource;
use rules::{DomainName, Home, Network};

use super::{Switched, refuse_copy};
use crate::failure::Failure;

/// What enabling changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enabled {
    pub switched: Switched,
    /// The network that this installation acts for from now on, where that was asked for.
    pub acts_for: Option<DomainName>,
}

/// Switch the integration on; other integrations stay as they are.
///
/// With `here`, the ledger of this installation, it is the one that acts for the network from
/// now on, and no other. The caller has the lock of that ledger.
///
/// # Errors
///
/// This is a copy, and `here` was not asked for: nothing was written.
pub async fn enable(
    source: &dyn NetworkSource,
    here: Option<&dyn Ledger>,
) -> Result<Enabled, Failure> {
    let network = source.read().await?;
    if let Some(ledger) = here {
        settle(source, ledger, &network).await?;
    } else {
        refuse_copy(&network)?;
    }
    let acts_for = here.map(|_| network.identity.domain);
    Ok(Enabled { switched: Switched::of(source.switch(true).await?), acts_for })
}

/// Make this installation the home, and this network the ledger's.
async fn settle(
    source: &dyn NetworkSource,
    ledger: &dyn Ledger,
    network: &Network,
) -> Result<(), Failure> {
    source.write_home(&Home::of(&network.identity, ledger.id()), true).await?;
    let before = ledger.memory().await?.network;
    let mut memory = before.clone();
    if let Some(known) = &mut memory.identity {
        known.clone_from(&network.identity);
    }
    // What the last pass said of it is not so any more.
    memory.not_acting.take_if(|why| *why == NotActing::Copy);
    if memory != before {
        ledger.save(&Batch { network: Some(memory), ..Batch::default() }).await?;
    }
    Ok(())
}
