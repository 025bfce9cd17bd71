//! `closte-sync domains add`: map a domain to a site.

use std::time::Duration;

use engine::ops::{self, Added, Explained, NewMapping};
use engine::texts::findings::{records, text};
use rules::DomainName;
use rules::source::Primary;

use super::domain_name;
use crate::cli::{Context, Exit, Failure};
use crate::wiring::Host;

/// Nobody waits longer for what DNS says of the name.
const ASKED_WITHIN: Duration = Duration::from_secs(15);

/// Map a domain to a site
///
/// Wildcards and international names are allowed. The next pass adds it at the
/// host and follows it. What stands in its way, such as in DNS, is told beforehand, and keeps nobody from it.
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
        self.warn(context).await;
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

    /// Tell what DNS would have to be mended for the name, where that can be asked in time. It keeps
    /// nobody from mapping it.
    async fn warn(&self, context: &Context) {
        let Ok(explainer) = context.wiring().explainer(Host::LeftAlone).await else { return };
        let (explaining, names) = (explainer.explaining(), [self.domain.to_string()]);
        let asked = tokio::time::timeout(ASKED_WITHIN, ops::explain(&explaining, &names));
        let Ok(Ok(explanation)) = asked.await else { return };
        let language = context.environment.language();
        let mut findings = explanation.domains.iter().flat_map(Explained::in_the_way);
        if let Some(finding) = findings.next() {
            let (code, text) = (finding.code.as_str(), text(finding, language));
            let table = records(&finding.records, "  ", language);
            let table =
                if finding.records.is_empty() { String::new() } else { format!("\n{table}") };
            context.console.tell(format!("attention: {code}: {text}{table}"));
        }
    }
}
