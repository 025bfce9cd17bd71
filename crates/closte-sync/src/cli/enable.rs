//! `closte-sync enable`: switch Closte on for the network.

use engine::ops::{self, ActsFor, Answer, Switched};
use rules::Clock;
use rules::request::Asked;
use rules::taking_over::Ownership;
use tokio_util::sync::CancellationToken;

use super::errand::{Ended, Errand, Patience};
use super::report::{self, Verbosity};
use super::{Context, Exit, Failure};
use crate::clock::SystemClock;
use crate::wiring::Wiring;

/// Switch the Closte integration on for this network
///
/// The same switch as in WordPress under Ultimate Multisite > Settings > Integrations >
/// Hosting or Panel Providers > Closte > Configuration > Activate; other integrations
/// stay as they are.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Let this installation act for the network from now on, and no other
    #[arg(long)]
    here: bool,

    /// With `--here`, do not ask whether what becomes of the ledger's aliases is right
    #[arg(long, requires = "here")]
    yes: bool,

    /// With `--here`, where another closte-sync is at work, ask it and do not wait
    #[arg(long, requires = "here")]
    no_wait: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let enabled = if self.here {
            self.confirm(context, &wiring).await?;
            match self.here(context, &wiring).await? {
                Ended::Answered(Answer::Enabled(enabled)) => enabled,
                other => return report::ended(context, other, Verbosity::Full),
            }
        } else {
            let ledger = wiring.existing_ledger().await?;
            ops::enable(wiring.access()?.source.as_ref(), ledger.as_deref()).await?
        };
        if let Some(ActsFor { domain, ownership }) = enabled.acts_for {
            context.console.tell(format!("this installation acts for {domain} from now on"));
            context.console.tell(of_the_aliases(ownership, "stays", "was dropped"));
        }
        context.console.tell(match enabled.switched {
            Switched::Now => "Closte is switched on; the next `closte-sync sync` begins",
            Switched::Already => "Closte was switched on already",
        });
        warn_without_key(context, &wiring).await;
        Ok(Exit::Done)
    }

    /// Say what becomes of the aliases that the ledger owns, and let a person agree.
    async fn confirm(&self, context: &Context, wiring: &Wiring<'_>) -> Result<(), Failure> {
        let Some(ledger) = wiring.existing_ledger().await? else { return Ok(()) };
        let source = wiring.access()?.source;
        let ownership = ops::ownership_here(source.as_ref(), ledger.as_ref()).await?;
        context.console.tell(of_the_aliases(ownership, "will stay", "will be dropped"));
        let yes = self.yes || ownership.aliases == 0;
        context.console.confirm("Let this installation act for the network?", yes)
    }

    async fn here(&self, context: &Context, wiring: &Wiring<'_>) -> Result<Ended, Failure> {
        let source = wiring.access()?.source;
        let stop = CancellationToken::new();
        report::stop_on_signals(&stop);
        let patience = if self.no_wait { Patience::Leave } else { Patience::Wait };
        let errand = Errand { context, asked: Asked::EnableHere, patience, stop: &stop };
        let ended = Box::pin(errand.run(async |ledger| {
            let now = SystemClock.now();
            Ok(Answer::Enabled(ops::enable_here(source.as_ref(), ledger.as_ref(), now).await?))
        }));
        ended.await
    }
}

/// What becomes of the aliases that the ledger owns, where it `stays` or `goes`.
fn of_the_aliases(Ownership { kept, aliases }: Ownership, stays: &str, goes: &str) -> String {
    let whose = match aliases {
        0 => return "this ledger owns no aliases".to_owned(),
        1 => "the ownership of 1 alias".to_owned(),
        more => format!("the ownership of {more} aliases"),
    };
    if kept {
        format!("{whose} {stays}: their removal is this ledger's, as before")
    } else {
        format!(
            "{whose} {goes}: they are another app's and are never removed from here; what is mapped \
             is added anew"
        )
    }
}

async fn warn_without_key(context: &Context, wiring: &Wiring<'_>) {
    if let Err(failure) = wiring.api_key().await {
        context.console.fail(&failure);
    }
}
