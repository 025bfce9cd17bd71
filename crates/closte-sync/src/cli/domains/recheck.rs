//! `closte-sync domains recheck`: a person wants it checked now.

use engine::ops::recheck;
use rules::DomainName;

use super::{domain_name, unknown};
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
        let now = rules::Clock::now(&SystemClock);
        let due = match &self.domain {
            Some(domain) => recheck::some(&ledger, std::slice::from_ref(domain), now).await?,
            None => recheck::all(&ledger, now).await?,
        };
        match (&self.domain, due) {
            (Some(domain), 0) => Err(unknown(domain)),
            (Some(domain), _) => Ok(say(context, &format!("{domain} is due now"))),
            (None, due) => Ok(say(context, &format!("{due} domains are due now"))),
        }
    }
}

fn say(context: &Context, what: &str) -> Exit {
    context.console.tell(format!("{what}; the next `closte-sync sync` checks"));
    Exit::Done
}
