//! `closte-sync test-connection`: whether Closte accepts the key.

use rules::host::AliasHost;

use super::{Context, Exit, Failure};

/// What the answer does not say: no call shows the right to add without adding.
const LIMIT: &str = "This proves that Closte accepts the key, not that it may add domains: only a \
                     first addition shows that.";

/// Ask Closte whether it accepts the API key
///
/// Needs the key only: no database, no ledger, no switch. Changes nothing. It proves the key, not the
/// right to add a domain: only a first addition shows that.
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
                context.console.tell(LIMIT);
                Ok(Exit::Done)
            }
            Err(error) => {
                let hint = error.hint();
                Err(Failure::no(error).maybe_hint(hint))
            }
        }
    }
}
