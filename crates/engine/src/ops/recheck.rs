//! Making pending steps due now, because a person wants to see what becomes of them.

use rules::Time;
use rules::ledger::{Ledger, RecheckScope};

use super::unknown;
use crate::failure::Failure;

/// What is due now; the next pass does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rechecked {
    /// How many domains that are.
    pub domains: usize,
}

/// Make every pending step of `scope` due now.
///
/// # Errors
///
/// The one domain that was named is not known.
pub async fn recheck(
    ledger: &dyn Ledger,
    scope: RecheckScope<'_>,
    now: Time,
) -> Result<Rechecked, Failure> {
    match (ledger.recheck(scope, now).await?, scope) {
        (0, RecheckScope::One(domain)) => Err(unknown(domain)),
        (domains, _) => Ok(Rechecked { domains }),
    }
}
