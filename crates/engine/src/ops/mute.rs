//! Telling nothing of a domain for a while.

use rules::ledger::Ledger;
use rules::{DomainName, Time};

use super::stored::change;
use super::unknown;
use crate::failure::Failure;

/// Tell nothing of `domain` before `until`; with none, tell again. It needs no lock.
///
/// # Errors
///
/// The domain is not known.
pub async fn mute(
    ledger: &dyn Ledger,
    domain: &DomainName,
    until: Option<Time>,
    now: Time,
) -> Result<(), Failure> {
    let named = vec![domain.clone()];
    match change(ledger, named, now, |entry| entry.muted_until = until).await? {
        0 => Err(unknown(domain)),
        _ => Ok(()),
    }
}
