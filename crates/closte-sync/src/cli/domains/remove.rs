//! `closte-sync domains remove`: delete a mapping.

use engine::ops;
use rules::{Clock, DomainName};

use super::domain_name;
use crate::cli::{Context, Exit, Failure};
use crate::clock::SystemClock;

/// Delete the mapping of a domain
///
/// That counts as the first good read which sees it gone: the next pass that
/// agrees removes the alias at the host, if closte-sync holds it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com`
    #[arg(value_parser = domain_name)]
    domain: DomainName,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let source = wiring.access()?.source;
        let ledger = wiring.existing_ledger().await?;
        let (domain, now) = (&self.domain, SystemClock.now());
        ops::remove(source.as_ref(), ledger.as_deref(), domain, now).await?;
        context.console.tell(format!(
            "the mapping of {domain} is deleted; the next `closte-sync sync` removes its alias"
        ));
        Ok(Exit::Done)
    }
}
