//! Mapping a domain to a site.

use rules::domain_name::LONGEST_MAPPING;
use rules::ledger::Ledger;
use rules::protected::Protected;
use rules::source::{NetworkSource, Primary};
use rules::{DomainName, Network};

use super::{ProtectedNames, network_to_change};
use crate::failure::Failure;

/// A mapping that somebody wants.
#[derive(Clone, Debug)]
pub struct NewMapping {
    pub domain: DomainName,
    /// The site as somebody named it: its id, or its own domain.
    pub site: String,
    pub primary: Primary,
}

/// A mapping that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    pub site_id: u64,
    pub mapping_id: u64,
}

/// Map a domain to a site of the network. The next pass adds it at the host.
///
/// # Errors
///
/// Nothing was written: there is no such site, or the name may not be mapped to it.
pub async fn add(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
    protected: &ProtectedNames,
    new: &NewMapping,
) -> Result<Added, Failure> {
    let network = network_to_change(source, ledger).await?;
    let site_id = find_site(&network, &new.site)?;
    refuse_too_long(&new.domain)?;
    refuse_protected(&protected.on(&network), &new.domain)?;
    refuse_clash(&network, &new.domain, site_id)?;
    let mapping_id = source.add_mapping(site_id, &new.domain, new.primary).await?;
    Ok(Added { site_id, mapping_id })
}

/// The site of an id or of its own domain.
pub(super) fn find_site(network: &Network, text: &str) -> Result<u64, Failure> {
    let mut sites = network.sites.iter().filter(|(_, site)| network.has_site(site));
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

fn refuse_too_long(domain: &DomainName) -> Result<(), Failure> {
    if domain.as_str().len() <= LONGEST_MAPPING {
        return Ok(());
    }
    Err(Failure::no(format!(
        "`{domain}` is longer than the {LONGEST_MAPPING} letters that WordPress can store"
    )))
}

fn refuse_protected(protected: &Protected, domain: &DomainName) -> Result<(), Failure> {
    let Some(why) = protected.why(domain) else { return Ok(()) };
    Err(Failure::no(format!("`{domain}` is protected: {why}"))
        .hint("it is never sent to the host, so mapping it does nothing"))
}

/// One name twice, or `X` and `www.X` on different sites.
pub(super) fn refuse_clash(
    network: &Network,
    domain: &DomainName,
    site: u64,
) -> Result<(), Failure> {
    let clash = network.mappings.iter().find(|mapping| {
        mapping.domain == *domain
            || (mapping.site_id != site && mapping.domain.without_www() == domain.without_www())
    });
    let Some(other) = clash else { return Ok(()) };
    let (name, id, site) = (&other.domain, other.id, other.site_id);
    let what = format!("`{name}` is mapped to site {site} already (mapping {id})");
    Err(Failure::no(what).hint(format!(
        "WordPress treats `{name}` and `{domain}` as one; remove that mapping first, or map both to one site"
    )))
}
