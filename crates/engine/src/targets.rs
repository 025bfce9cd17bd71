//! Where domains must point.

use rules::probe::Probe;
use rules::targets::TargetBasis;
use rules::{Targets, Time};

/// Where domains must point, by `basis` and what DNS says of the network's own domain `now`;
/// `before` is what the ledger remembers.
pub async fn targets(
    basis: &TargetBasis<'_>,
    before: Option<&Targets>,
    probe: &dyn Probe,
    now: Time,
) -> Targets {
    let answer = match basis.asks() {
        Some(own) => Some(probe.resolve(own).await),
        None => None,
    };
    basis.targets(answer.as_ref(), before, now)
}
