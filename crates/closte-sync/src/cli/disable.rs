//! `closte-sync disable`: switch Closte off for the network.

use engine::ops::{self, Switched};

use super::{Context, Exit, Failure};

/// Switch the Closte integration off for this network
///
/// Aliases that are at the host stay there.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let (source, ledger) = (wiring.access()?.source, wiring.existing_ledger().await?);
        context.console.tell(match ops::disable(source.as_ref(), ledger.as_deref()).await? {
            Switched::Now => {
                "Closte is switched off; its aliases stay, and are not followed any more"
            }
            Switched::Already => "Closte was switched off already",
        });
        Ok(Exit::Done)
    }
}
