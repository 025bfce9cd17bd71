//! Switching Closte off for the network.

use rules::source::NetworkSource;

use super::{Switched, network_to_change};
use crate::failure::Failure;

/// Switch the integration off. Aliases that are at the host stay there.
///
/// # Errors
///
/// This is a copy: nothing was written.
pub async fn disable(source: &dyn NetworkSource) -> Result<Switched, Failure> {
    network_to_change(source).await?;
    Ok(Switched::of(source.switch(false).await?))
}
