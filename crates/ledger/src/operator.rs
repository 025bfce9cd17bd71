//! What a person asks for while a pass may be running in another process.
//!
//! Each is one transaction that reads what it changes, so nothing that the pass
//! wrote is lost.

use rules::ledger::LedgerError;
use rules::{DomainName, Entry, Time, event};
use sqlx::{Connection, SqliteConnection};

use crate::{SqliteLedger, entries, error, events, meta};

/// Which entries to check again.
#[derive(Clone, Copy, Debug)]
pub enum RecheckScope<'a> {
    /// The one of this domain, which a person named.
    One(&'a DomainName),
    /// All that are not retired.
    All,
}

impl SqliteLedger {
    /// Make every pending step of `which` due now, and let the breaker try once.
    ///
    /// Returns how many entries that were: 0 for a domain that is not known or
    /// retired.
    ///
    /// # Errors
    ///
    /// Nothing was written then.
    pub async fn recheck(&self, which: RecheckScope<'_>, now: Time) -> Result<usize, LedgerError> {
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        let mut entries = match which {
            RecheckScope::All => entries::live(&mut transaction).await?,
            RecheckScope::One(domain) => {
                let entry = entries::one(&mut transaction, domain).await?;
                entry.into_iter().filter(|entry| !entry.is_retired()).collect()
            }
        };
        let by_name = matches!(which, RecheckScope::One(_));
        change(&mut transaction, &mut entries, now, |entry| entry.recheck(now, by_name)).await?;
        let mut memory = meta::memory(&mut transaction).await?;
        memory.breaker.nudge(now);
        meta::remember(&mut transaction, &memory).await?;
        transaction.commit().await.map_err(error::write)?;
        Ok(entries.len())
    }

    /// The mapping of `domain` was deleted by a person: that counts as the first
    /// good read that saw it gone.
    ///
    /// Returns whether the ledger knew it as mapped.
    ///
    /// # Errors
    ///
    /// Nothing was written then.
    pub async fn forget_mapping(
        &self,
        domain: &DomainName,
        now: Time,
    ) -> Result<bool, LedgerError> {
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        let entry = entries::one(&mut transaction, domain).await?;
        let mut mapped: Vec<_> = entry.into_iter().filter(|entry| entry.mapped.is_some()).collect();
        change(&mut transaction, &mut mapped, now, |entry| {
            entry.mapped = None;
            entry.gone.reads = 1;
            entry.gone.counted_at = Some(now);
        })
        .await?;
        transaction.commit().await.map_err(error::write)?;
        Ok(!mapped.is_empty())
    }
}

/// Change `entries`, and store them and what happened to them.
async fn change(
    connection: &mut SqliteConnection,
    entries: &mut [Entry],
    now: Time,
    change: impl Fn(&mut Entry),
) -> Result<(), LedgerError> {
    let mut happened = Vec::new();
    for entry in &mut *entries {
        let before = entry.clone();
        change(entry);
        happened.extend(event::between(Some(&before), entry, now));
    }
    entries::store(connection, entries).await?;
    events::append(connection, &happened).await
}
