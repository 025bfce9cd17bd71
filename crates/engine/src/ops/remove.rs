//! Deleting the mapping of a domain.

use rules::ledger::Ledger;
use rules::source::NetworkSource;
use rules::{DomainName, Time};

use super::stored::forget_mapping;
use super::{network_to_change, unknown};
use crate::failure::Failure;

/// Delete every mapping of `domain`, and count that as the first good read which saw it gone.
///
/// Without a ledger nothing is owned, so there is nothing to remember either.
///
/// # Errors
///
/// The name is not mapped; or the ledger failed, and then later reads see that it is gone.
pub async fn remove(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
    domain: &DomainName,
    now: Time,
) -> Result<(), Failure> {
    network_to_change(source, ledger).await?;
    if source.remove_mapping(domain).await? == 0 {
        return Err(unknown(domain));
    }
    if let Some(ledger) = ledger {
        forget_mapping(ledger, domain, now).await?;
    }
    Ok(())
}
