//! What a person asks for while a pass may be running in another process.
//!
//! Each is one transaction that reads what it changes, so nothing that the pass
//! wrote is lost.

use rules::ledger::{LedgerError, RecheckScope};
use rules::{DomainName, Entry, Time, event};
use sqlx::{Connection, SqliteConnection};

use crate::{entries, error, events, meta};

/// Make every pending step of `scope` due now, and let the breaker try once.
pub(crate) async fn recheck(
    connection: &mut SqliteConnection,
    scope: RecheckScope<'_>,
    now: Time,
) -> Result<usize, LedgerError> {
    let begun = connection.begin_with("BEGIN IMMEDIATE").await;
    let mut transaction = begun.map_err(error::write)?;
    let mut entries = match scope {
        RecheckScope::All => entries::live(&mut transaction).await?,
        RecheckScope::One(domain) => {
            let entry = entries::one(&mut transaction, domain).await?;
            entry.into_iter().filter(|entry| !entry.is_retired()).collect()
        }
    };
    let by_name = matches!(scope, RecheckScope::One(_));
    change(&mut transaction, &mut entries, now, |entry| entry.recheck(now, by_name)).await?;
    let mut memory = meta::memory(&mut transaction).await?;
    memory.breaker.nudge(now);
    meta::remember(&mut transaction, &memory).await?;
    transaction.commit().await.map_err(error::write)?;
    Ok(entries.len())
}

/// Count the mapping of `domain` as seen gone once.
pub(crate) async fn forget_mapping(
    connection: &mut SqliteConnection,
    domain: &DomainName,
    now: Time,
) -> Result<bool, LedgerError> {
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
