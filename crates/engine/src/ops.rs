//! What people ask for, each as one function that takes values and returns one.
//!
//! Here is every decision: what is refused and why, what is written and in which order. The
//! command line, and whatever else people ask by, opens what an operation works on and shows
//! what it returns. Nothing here prints.
//!
//! # Invariants
//!
//! - A copy writes nothing: see [`refuse_copy`].
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
mod recheck;
mod remove;
pub mod requests;
mod stored;

pub use add::{Added, NewMapping, add};
pub use answer::Answer;
pub use apply::apply;
pub use backfill::{Backfill, RecordState, SiteRecord, backfill};
pub use disable::disable;
pub use enable::{Enabled, enable};
pub use examine::{
    Findings, HostAnswers, LedgerFound, NetworkFound, PluginFound, PluginHello, Probing, Route,
    examine, plugin_answers,
};
pub(crate) use recheck::recheck_named;
pub use recheck::{RecheckScope, Rechecked, recheck};
pub use remove::remove;

use rules::plan::copy_of;
use rules::protected::Protected;
use rules::source::NetworkSource;
use rules::{DomainName, Network};

use crate::failure::Failure;
use crate::texts::ENABLE_HERE;

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

/// A copy writes nothing.
pub fn refuse_copy(network: &Network) -> Result<(), Failure> {
    match copy_of(network) {
        None => Ok(()),
        Some(home) => {
            let what = format!(
                "this is a copy of the installation at `{}`, and writes nothing",
                home.domain
            );
            Err(Failure::no(what).hint(ENABLE_HERE))
        }
    }
}

/// The network, where this installation may change it.
pub async fn network_to_change(source: &dyn NetworkSource) -> Result<Network, Failure> {
    let network = source.read().await?;
    refuse_copy(&network)?;
    Ok(network)
}

/// Nothing is known of `domain`.
pub fn unknown(domain: &DomainName) -> Failure {
    Failure::no(format!("no such domain: `{domain}`"))
        .hint("`closte-sync domains list` shows those that are known; a new mapping is known after the next `closte-sync sync`")
}
