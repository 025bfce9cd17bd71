//! `closte-sync domains recheck`: a person wants it checked now.

use engine::ops::{self, RecheckScope};
use rules::{Clock, DomainName};

use super::domain_name;
use crate::cli::{Context, Exit, Failure};
use crate::clock::SystemClock;

/// Make every pending step of a domain due now
///
/// The next pass makes them: calls to the host, settling, looks. Only a pause
/// that the host asked for still counts. A name that the host refused for good
/// is asked for again only where it is named.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com`
    #[arg(value_parser = domain_name, required_unless_present = "all", conflicts_with = "all")]
    domain: Option<DomainName>,

    /// All domains
    #[arg(long)]
    all: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let ledger = context.wiring().ledger_to_change().await?;
        let scope = self.domain.as_ref().map_or(RecheckScope::All, RecheckScope::One);
        let due = ops::recheck(&ledger, scope, SystemClock.now()).await?;
        let what = match &self.domain {
            Some(domain) => format!("{domain} is due now"),
            None => format!("{} domains are due now", due.domains),
        };
        context.console.tell(format!("{what}; the next `closte-sync sync` checks"));
        Ok(Exit::Done)
    }
}
