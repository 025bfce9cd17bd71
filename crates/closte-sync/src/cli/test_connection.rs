//! `closte-sync test-connection`: whether Closte accepts the key.

use rules::host::AliasHost;

use super::{Context, Exit, Failure};

/// Ask Closte whether it accepts the API key
///
/// Needs the key only: no database, no ledger, no switch. Changes nothing.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let no = |failure: Failure| failure.ending(Exit::No);
        let wiring = context.wiring();
        let host = wiring.host(wiring.api_key().await.map_err(no)?).map_err(no)?;
        match host.check_key().await {
            Ok(()) => {
                context.console.say("Access authorized");
                Ok(Exit::Done)
            }
            Err(error) => {
                let hint = error.hint();
                Err(Failure::no(error).maybe_hint(hint))
            }
        }
    }
}
