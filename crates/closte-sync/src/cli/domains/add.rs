//! `closte-sync domains add`: map a domain to a site.

use engine::ops::{self, Added, NewMapping};
use rules::DomainName;
use rules::source::Primary;

use super::domain_name;
use crate::cli::{Context, Exit, Failure};

/// Map a domain to a site
///
/// Wildcards and international names are allowed. The next pass adds it at the
/// host and follows it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com` or `*.example.com`
    #[arg(value_parser = domain_name)]
    domain: DomainName,

    /// The site: its id, or its own domain
    #[arg(long, value_name = "ID|DOMAIN")]
    site: String,

    /// Make it the site's first domain; its others step down
    #[arg(long)]
    primary: bool,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        let primary = if self.primary { Primary::Yes } else { Primary::No };
        let new = NewMapping { domain: self.domain, site: self.site, primary };
        let ledger = wiring.existing_ledger().await?;
        let (source, protected) = (access.source.as_ref(), wiring.protected_names(&access));
        let added = ops::add(source, ledger.as_deref(), &protected, &new).await?;
        let (domain, Added { site_id, mapping_id }) = (new.domain, added);
        context.console.tell(format!(
            "{domain} is mapped to site {site_id} (mapping {mapping_id}); the next `closte-sync sync` adds it at Closte"
        ));
        Ok(Exit::Done)
    }
}
