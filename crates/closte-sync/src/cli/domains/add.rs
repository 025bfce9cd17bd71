//! `closte-sync domains add`: map a domain to a site.

use rules::domain_name::LONGEST_MAPPING;
use rules::plan::copy_of;
use rules::protected::Protected;
use rules::source::Primary;
use rules::{DomainName, Network};

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
        let source = &access.source;
        let network = source.read().await?;
        refuse_on_copy(&network)?;
        let site = find_site(&network, &self.site)?;
        let protected = wiring.protected(&network, &access);
        validate(&network, &protected, &self.domain, site)?;
        let primary = if self.primary { Primary::Yes } else { Primary::No };
        let id = source.add_mapping(site, &self.domain, primary).await?;
        let domain = &self.domain;
        context.console.tell(format!(
            "{domain} is mapped to site {site} (mapping {id}); the next `closte-sync sync` adds it at Closte"
        ));
        Ok(Exit::Done)
    }
}

/// A copy writes nothing.
pub(in crate::cli) fn refuse_on_copy(network: &Network) -> Result<(), Failure> {
    match copy_of(network) {
        None => Ok(()),
        Some(home) => {
            let what = format!(
                "this is a copy of the installation at `{}`, and writes nothing",
                home.domain
            );
            Err(Failure::no(what).hint(
                "if this installation is the one that counts now, run `closte-sync enable --here`",
            ))
        }
    }
}

/// The site of an id or of its own domain.
fn find_site(network: &Network, text: &str) -> Result<u64, Failure> {
    let ours = network.identity.network_id;
    let mut sites = network.sites.iter().filter(|(_, site)| site.network_id == ours);
    let found = match (text.parse::<u64>(), text.parse::<DomainName>()) {
        (Ok(id), _) => sites.find(|(known, _)| **known == id),
        (_, Ok(domain)) => {
            sites.find(|(_, site)| site.path == "/" && site.domain.as_ref() == Some(&domain))
        }
        _ => None,
    };
    found.map(|(id, _)| *id).ok_or_else(|| {
        Failure::no(format!("the network has no site `{text}`")).hint(
            "name a site by its id or by its own domain, as Sites in the network admin shows them",
        )
    })
}

/// Why a name may not be mapped to `site`.
fn validate(
    network: &Network,
    protected: &Protected,
    domain: &DomainName,
    site: u64,
) -> Result<(), Failure> {
    if LONGEST_MAPPING < domain.as_str().len() {
        let what = format!(
            "`{domain}` is longer than the {LONGEST_MAPPING} letters that WordPress can store"
        );
        return Err(Failure::no(what));
    }
    if let Some(why) = protected.why(domain) {
        let what = format!("`{domain}` is protected: {why}");
        return Err(
            Failure::no(what).hint("it is never sent to the host, so mapping it does nothing")
        );
    }
    let clash = network.mappings.iter().find(|mapping| {
        mapping.domain == *domain
            || (mapping.site_id != site && mapping.domain.without_www() == domain.without_www())
    });
    match clash {
        None => Ok(()),
        Some(other) => {
            let (name, id, site) = (&other.domain, other.id, other.site_id);
            let what = format!("`{name}` is mapped to site {site} already (mapping {id})");
            Err(Failure::no(what).hint(format!(
                "WordPress treats `{name}` and `{domain}` as one; remove that mapping first, or map both to one site"
            )))
        }
    }
}
