//! `closte-sync disable`: switch Closte off for the network.

use super::domains::refuse_on_copy;
use super::{Context, Exit, Failure};

/// Switch the Closte integration off for this network
///
/// Aliases that are at the host stay there.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let source = wiring.access()?.source;
        refuse_on_copy(&source.read().await?)?;
        let changed = source.switch(false).await?;
        context.console.tell(if changed {
            "Closte is switched off; its aliases stay, and are not followed any more"
        } else {
            "Closte was switched off already"
        });
        Ok(Exit::Done)
    }
}
