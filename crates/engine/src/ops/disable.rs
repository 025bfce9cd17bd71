//! Switching Closte off for the network.

use rules::ledger::Ledger;
use rules::source::NetworkSource;

use super::{Switched, network_to_change};
use crate::failure::Failure;

/// Switch the integration off. Aliases that are at the host stay there.
///
/// # Errors
///
/// This installation does not act for the network: nothing was written.
pub async fn disable(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
) -> Result<Switched, Failure> {
    network_to_change(source, ledger).await?;
    Ok(Switched::of(source.switch(false).await?))
}
