//! Switching Closte on for the network, and saying which installation acts for it.

use rules::ledger::{Batch, Ledger, NotActing};
use rules::source::NetworkSource;
use rules::{DomainName, Home, Network};

use super::{Switched, network_to_change};
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
/// # Errors
///
/// This installation does not act for the network: nothing was written.
pub async fn enable(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
) -> Result<Enabled, Failure> {
    network_to_change(source, ledger).await?;
    Ok(Enabled { switched: Switched::of(source.switch(true).await?), acts_for: None })
}

/// The same; and this installation with its `ledger` is the one that acts for the network from now
/// on, and no other. The caller has the lock of that ledger.
pub async fn enable_here(
    source: &dyn NetworkSource,
    ledger: &dyn Ledger,
) -> Result<Enabled, Failure> {
    let network = source.read().await?;
    settle(source, ledger, &network).await?;
    let acts_for = Some(network.identity.domain);
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
    let is_whose = |why: &mut NotActing| matches!(why, NotActing::Copy | NotActing::OtherNetwork);
    memory.not_acting.take_if(is_whose);
    if memory != before {
        ledger.save(&Batch { network: Some(memory), ..Batch::default() }).await?;
    }
    Ok(())
}
