//! Deleting the mapping of a domain.

use rules::ledger::Ledger;
use rules::source::NetworkSource;
use rules::{DomainName, Mapping, Network, Time};

use super::stored::forget_mapping;
use super::{network_to_change, unknown};
use crate::failure::Failure;

/// Delete every mapping of `domain` to a site of the network, and count that as the first good read
/// which saw it gone.
///
/// Without a ledger nothing is owned, so there is nothing to remember either.
///
/// # Errors
///
/// The name is not mapped, or not to a site of the network; or the ledger failed, and then later
/// reads see that it is gone.
pub async fn remove(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
    domain: &DomainName,
    now: Time,
) -> Result<(), Failure> {
    let network = network_to_change(source, ledger).await?;
    let (ours, theirs) = rows_of(&network, domain);
    if let ([], [row, ..]) = (&ours[..], &theirs[..]) {
        let what = format!(
            "`{domain}` is mapped to site {}, which is not a site of this network: nothing was removed",
            row.site_id
        );
        return Err(Failure::no(what).hint("delete the mapping in WordPress if it is not wanted"));
    }
    let ids: Vec<u64> = ours.iter().map(|row| row.id).collect();
    if source.remove_mappings(domain, &ids).await? == 0 {
        return Err(unknown(domain));
    }
    if let Some(ledger) = ledger {
        forget_mapping(ledger, domain, now).await?;
    }
    Ok(())
}

/// The rows of `domain` that lead to a site of the network; and those that lead to another network's,
/// or to none.
pub(super) fn rows_of<'a>(
    network: &'a Network,
    domain: &DomainName,
) -> (Vec<&'a Mapping>, Vec<&'a Mapping>) {
    let rows = network.mappings.iter().filter(|row| row.domain == *domain);
    let site = |row: &Mapping| network.sites.get(&row.site_id);
    rows.partition(|row| site(row).is_some_and(|site| network.has_site(site)))
}
