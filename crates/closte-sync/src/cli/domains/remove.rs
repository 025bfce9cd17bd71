//! `closte-sync domains remove`: delete a mapping.

use engine::ops::stored::forget_mapping;
use rules::DomainName;

use super::add::refuse_on_copy;
use super::{domain_name, unknown};
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
        refuse_on_copy(&source.read().await?)?;
        if source.remove_mapping(&self.domain).await? == 0 {
            return Err(unknown(&self.domain));
        }
        // Without a ledger nothing is held, so there is nothing to remember either.
        if let Some(ledger) = wiring.existing_ledger().await? {
            let now = rules::Clock::now(&SystemClock);
            forget_mapping(&ledger, &self.domain, now).await?;
        }
        let domain = &self.domain;
        context.console.tell(format!(
            "the mapping of {domain} is deleted; the next `closte-sync sync` removes its alias"
        ));
        Ok(Exit::Done)
    }
}
