//! What people ask for, each as one function that takes values and returns one.
//!
//! Here is every decision: what is refused and why, what is written and in which order. The
//! command line, and whatever else people ask by, opens what an operation works on and shows
//! what it returns. Nothing here prints.
//!
//! # Invariants
//!
//! - Who does not act for the network writes nothing: see [`refuse_not_ours`].
//! - What WordPress holds is changed before the ledger is told, so that the ledger never
//!   remembers what did not happen.

mod add;
mod answer;
mod apply;
mod backfill;
pub mod check;
mod disable;
mod enable;
mod examine;
mod explain;
mod moving;
mod mute;
mod owning;
mod recheck;
mod remove;
pub mod requests;
pub mod setup;
mod stored;
mod tell;
mod try_receivers;

pub use add::{Added, NewMapping, add};
pub use answer::Answer;
pub use apply::apply;
pub use backfill::{Backfill, RecordState, SiteRecord, backfill};
pub use disable::disable;
pub use enable::{ActsFor, Enabled, enable, enable_here, ownership_here};
pub use examine::{
    Findings, HostAnswers, LedgerFound, NetworkFound, PluginFound, PluginHello, Probing, Route,
    examine, plugin_answers,
};
pub use explain::{Explained, Explaining, Explanation, explain};
pub use moving::{Moved, move_to};
pub use mute::mute;
pub use owning::{adopt, keep, unmapped};
pub(crate) use recheck::recheck_named;
pub use recheck::{RecheckScope, Rechecked, recheck};
pub use remove::remove;
pub(crate) use tell::Found;
pub use tell::tell;
pub use try_receivers::{Tried, try_receivers};

use rules::acting::{OurLedger, not_ours};
use rules::ledger::Ledger;
use rules::protected::Protected;
use rules::source::NetworkSource;
use rules::{DomainName, Network};

use crate::failure::Failure;
use crate::texts;

/// The names that are protected whatever network it is: what the host and the operator say.
#[derive(Clone, Debug, Default)]
pub struct ProtectedNames {
    /// `CLOSTE_CDN_HOSTNAME`.
    pub cdn: Option<DomainName>,
    /// `protected.names`.
    pub patterns: Vec<String>,
}

impl ProtectedNames {
    /// All that is protected on `network`.
    pub fn on(&self, network: &Network) -> Protected {
        Protected::on(network, self.cdn.clone(), self.patterns.clone())
    }
}

/// Whether a switch was turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switched {
    /// It was.
    Now,
    /// It stood there already.
    Already,
}

impl Switched {
    fn of(changed: bool) -> Self {
        if changed { Self::Now } else { Self::Already }
    }
}

/// Refuse what would write, where this installation does not act for `network`.
///
/// # Errors
///
/// The network is another installation's, or `ledger` another network's.
pub async fn refuse_not_ours(
    network: &Network,
    ledger: Option<&dyn Ledger>,
) -> Result<(), Failure> {
    let memory = match ledger {
        Some(ledger) => Some((ledger.id(), ledger.memory().await?)),
        None => None,
    };
    let ours = memory.as_ref().map(|(id, memory)| OurLedger { id, memory });
    let Some(why) = not_ours(network, ours) else { return Ok(()) };
    let what = format!("{}: nothing was written", texts::not_ours(&network.identity, &why));
    Err(Failure::no(what).hint(texts::not_ours_hint(&why)))
}

/// The network, where this installation with its `ledger` may change it.
pub async fn network_to_change(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
) -> Result<Network, Failure> {
    let network = source.read().await?;
    refuse_not_ours(&network, ledger).await?;
    Ok(network)
}

/// Nothing is known of `domain`.
pub fn unknown(domain: &DomainName) -> Failure {
    Failure::no(format!("no such domain: `{domain}`"))
        .hint("`closte-sync domains list` shows those that are known; a new mapping is known after the next `closte-sync sync`")
}
