//! Checking again: a person wants every pending step of a domain made now.

use rules::ledger::{Batch, Ledger, LedgerError};
use rules::{DomainName, Time};

use super::stored::change;

/// Make every pending step of all entries due; how many those were.
///
/// A name that the host refused permanently is not asked again: nobody named it.
pub async fn all(ledger: &dyn Ledger, now: Time) -> Result<usize, LedgerError> {
    let recorded = ledger.load().await?;
    let domains = recorded.entries.into_keys().collect();
    let due = change(ledger, domains, now, |entry| entry.recheck(now, false)).await?;
    nudge(ledger, now).await?;
    Ok(due)
}

/// Make every pending step of `domains` due, which a person named; how many of them are known.
pub async fn some(
    ledger: &dyn Ledger,
    domains: &[DomainName],
    now: Time,
) -> Result<usize, LedgerError> {
    if domains.is_empty() {
        return Ok(0);
    }
    let due = change(ledger, domains.to_vec(), now, |entry| entry.recheck(now, true)).await?;
    nudge(ledger, now).await?;
    Ok(due)
}

/// Let one call to the host through, if it is left alone.
async fn nudge(ledger: &dyn Ledger, now: Time) -> Result<(), LedgerError> {
    let mut host = ledger.load().await?.memory.host;
    let before = host.clone();
    host.breaker.nudge(now);
    if host != before {
        ledger.save(&Batch { host: Some(host), ..Batch::default() }).await?;
    }
    Ok(())
}
