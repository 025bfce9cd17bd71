//! `closte-sync domains move`: a mapping leads to another site.

use engine::ops::{self, Moved};
use rules::DomainName;

use super::domain_name;
use crate::cli::{Context, Exit, Failure};

/// Let a mapping lead to another site
///
/// Its alias at Closte and its certificate stay as they are. It is the first domain of neither
/// site then.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com`
    #[arg(value_parser = domain_name)]
    domain: DomainName,

    /// The site: its id, or its own domain
    #[arg(long, value_name = "ID|DOMAIN")]
    site: String,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let source = wiring.access()?.source;
        let ledger = wiring.existing_ledger().await?;
        let moved =
            ops::move_to(source.as_ref(), ledger.as_deref(), &self.domain, &self.site).await?;
        let (domain, Moved { from, to }) = (&self.domain, moved);
        context.console.tell(if from == to {
            format!("{domain} leads to site {to} already")
        } else {
            format!("{domain} leads to site {to} now; it led to site {from}")
        });
        Ok(Exit::Done)
    }
}
