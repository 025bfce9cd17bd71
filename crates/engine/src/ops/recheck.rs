//! Making pending steps due now, because a person wants to see what becomes of them.

use rules::ledger::{Batch, Ledger, LedgerError};
use rules::{DomainName, Time};

use super::stored::change;
use super::unknown;
use crate::failure::Failure;

/// Which entries to check again.
#[derive(Clone, Copy, Debug)]
pub enum RecheckScope<'a> {
    /// The one of this domain, which a person named.
    One(&'a DomainName),
    /// All that are not retired.
    All,
}

/// What is due now; the next pass does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rechecked {
    /// How many domains that are.
    pub domains: usize,
}

/// Make every pending step of `scope` due now. It needs no lock: a pass under way does not undo it.
///
/// A name that the host refused permanently is asked for again only where it is named.
///
/// # Errors
///
/// The one domain that was named is not known.
pub async fn recheck(
    ledger: &dyn Ledger,
    scope: RecheckScope<'_>,
    now: Time,
) -> Result<Rechecked, Failure> {
    let domains = match scope {
        RecheckScope::One(domain) => match recheck_named(ledger, &[domain], now).await? {
            0 => return Err(unknown(domain)),
            domains => domains,
        },
        RecheckScope::All => {
            let entries = ledger.load().await?.entries;
            let listed = entries.values().filter(|entry| entry.is_listed()).count();
            let all = entries.into_keys().collect();
            change(ledger, all, now, |entry| entry.recheck(now, false)).await?;
            nudge(ledger, now).await?;
            listed
        }
    };
    Ok(Rechecked { domains })
}

/// The same for `domains` that people named; how many of them are known.
pub(crate) async fn recheck_named(
    ledger: &dyn Ledger,
    domains: &[&DomainName],
    now: Time,
) -> Result<usize, LedgerError> {
    if domains.is_empty() {
        return Ok(0);
    }
    let named = domains.iter().copied().cloned().collect();
    let due = change(ledger, named, now, |entry| entry.recheck(now, true)).await?;
    nudge(ledger, now).await?;
    Ok(due)
}

/// Let one call to the host through, where it is left alone.
async fn nudge(ledger: &dyn Ledger, now: Time) -> Result<(), LedgerError> {
    let mut host = ledger.memory().await?.host;
    let before = host.clone();
    host.breaker.nudge(now);
    if host != before {
        ledger.save(&Batch { host: Some(host), ..Batch::default() }).await?;
    }
    Ok(())
}
