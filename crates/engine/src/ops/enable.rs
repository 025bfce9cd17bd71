//! Switching Closte on for the network, and saying which installation acts for it.

use rules::event;
use rules::ledger::{Batch, Ledger, LedgerError, MOST_READS};
use rules::source::{NetworkSource, Replaces};
use rules::taking_over::{self, Ownership};
use rules::{DomainName, Home, Network, Time};

use super::{Switched, network_to_change};
use crate::failure::Failure;

/// What enabling changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enabled {
    pub switched: Switched,
    /// The network that this installation acts for from now on, where that was asked for.
    pub acts_for: Option<ActsFor>,
}

/// A network that an installation acts for from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActsFor {
    pub domain: DomainName,
    /// What becomes of the aliases that the ledger owned.
    pub ownership: Ownership,
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
    now: Time,
) -> Result<Enabled, Failure> {
    let network = source.read().await?;
    let (ownership, serial) = take_over(ledger, &network, now).await?;
    let home = Home::of(&network.identity, ledger, serial);
    source.write_home(&home, Replaces::Any).await?;
    let acts_for = Some(ActsFor { domain: network.identity.domain, ownership });
    Ok(Enabled { switched: Switched::of(source.switch(true).await?), acts_for })
}

/// What `enable_here` would make of the aliases that `ledger` owns. Writes nothing.
pub async fn ownership_here(
    source: &dyn NetworkSource,
    ledger: &dyn Ledger,
) -> Result<Ownership, Failure> {
    let network = source.read().await?;
    Ok(taking_over::ownership(&ledger.load().await?, &network))
}

/// Make the ledger the network's, before the mark says so; the serial that the mark gets.
async fn take_over(
    ledger: &dyn Ledger,
    network: &Network,
    now: Time,
) -> Result<(Ownership, u64), LedgerError> {
    let mut missed = Vec::new();
    for _ in 0..MOST_READS {
        let before = ledger.load().await?;
        let mut after = before.clone();
        let ownership = taking_over::take_over(&mut after, ledger.id(), network, now);
        let changed: Vec<_> = after
            .entries
            .into_values()
            .map(|entry| (&before.entries[&entry.domain], entry))
            .filter(|(before, entry)| *before != entry)
            .collect();
        let events =
            changed.iter().flat_map(|(before, entry)| event::between(Some(before), entry, now));
        let batch = Batch {
            events: events.collect(),
            entries: changed.into_iter().map(|(_, entry)| entry).collect(),
            network: Some(after.memory.network),
            home: Some(after.memory.home),
            host: Some(after.memory.host),
            approved: Some(after.memory.approved),
            ..Batch::default()
        };
        missed = ledger.save(&batch).await?;
        if missed.is_empty() {
            return Ok((ownership, after.memory.home.serial));
        }
    }
    Err(LedgerError::contended(&missed))
}
