//! Where domains must point.

use std::collections::BTreeSet;
use std::net::IpAddr;

use rules::DomainName;
use rules::probe::{DnsObservation, Probe};

/// Where domains must point: what the operator `set`; else the `public` address that Closte
/// names, and those of the network's `own` domain. Empty where nobody knows.
pub async fn targets(
    set: &BTreeSet<IpAddr>,
    public: Option<IpAddr>,
    own: Option<&DomainName>,
    probe: &dyn Probe,
) -> BTreeSet<IpAddr> {
    if !set.is_empty() {
        return set.clone();
    }
    let mut targets = BTreeSet::from_iter(public);
    if let Some(own) = own
        && let DnsObservation::Addresses { found, .. } = probe.resolve(own).await
    {
        targets.extend(found.iter().map(IpAddr::to_canonical));
    }
    targets
}
