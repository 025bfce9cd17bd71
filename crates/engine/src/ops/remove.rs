//! Deleting the mapping of a domain.

use rules::ledger::Ledger;
use rules::source::NetworkSource;
use rules::{DomainName, Network, Time};

use super::stored::forget_mapping;
use super::{network_to_change, unknown};
use crate::failure::Failure;

/// Delete every mapping of `domain` to a site of the network, and count that as the first good read which saw it gone.
///
/// Without a ledger nothing is owned, so there is nothing to remember either.
///
/// # Errors
///
/// The name is not mapped, or not to a site of the network; or the ledger failed, and then later reads see that it is gone.
pub async fn remove(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
    domain: &DomainName,
    now: Time,
) -> Result<(), Failure> {
    let network = network_to_change(source, ledger).await?;
    let (ours, theirs) = rows_of(&network, domain);
    if ours.is_empty() && !theirs.is_empty() {
        let what = format!(
            "`{domain}` is mapped to site {}, which is not a site of this network: nothing was removed",
            theirs[0]
        );
        return Err(Failure::no(what).hint("delete the mapping in WordPress if it is not wanted"));
    }
    if source.remove_mappings(domain, &ours).await? == 0 {
        return Err(unknown(domain));
    }
    if let Some(ledger) = ledger {
        forget_mapping(ledger, domain, now).await?;
    }
    Ok(())
}

/// The rows of `domain` that lead to a site of the network; and the sites that others lead to, which
/// are another network's or not there.
pub(super) fn rows_of(network: &Network, domain: &DomainName) -> (Vec<u64>, Vec<u64>) {
    let rows = network.mappings.iter().filter(|row| row.domain == *domain);
    let is_ours = |site: u64| {
        let site = network.sites.get(&site);
        site.is_some_and(|site| site.network_id == network.identity.network_id)
    };
    let (ours, theirs): (Vec<_>, Vec<_>) = rows.partition(|row| is_ours(row.site_id));
    let ids = ours.into_iter().map(|row| row.id).collect();
    (ids, theirs.into_iter().map(|row| row.site_id).collect())
}
