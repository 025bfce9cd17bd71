//! The rules of keeping a network's domains in step with its host, and nothing
//! else.
//!
//! Everything here is decided from values passed in and returned as values: no
//! sockets, no database, no system clock, no task. The adapters (`wordpress`,
//! `closte`, `probe`, `ledger`) fetch and apply; `closte-sync` wires them.
//!
//! # Where to start
//!
//! 1. [`plan::plan`] turns what WordPress *wants*, what the host shows as
//!    *present* and what is *recorded* into the steps of one pass.
//! 2. [`judge`] turns what a check saw into the states of a domain.
//! 3. [`stage::project`] turns those states into the one word WordPress reads.
//! 4. [`host::AliasHost`] is the smallest of the traits to the outside.
//!
//! # Invariants
//!
//! - Same input, same output: collections are ordered, time and chance are
//!   parameters.
//! - An absent answer is never read as a "no".

mod words;

pub mod acting;
pub mod action;
pub mod address;
pub mod answer;
pub mod breaker;
pub mod clock;
pub mod disposition;
pub mod domain_name;
pub mod doubt;
pub mod entry;
pub mod event;
pub mod evidence;
pub mod explain;
pub mod finding;
pub mod host;
pub mod host_state;
pub mod judge;
pub mod ledger;
pub mod lookup;
pub mod names;
pub mod network;
pub mod plain;
pub mod plan;
pub mod planted;
pub mod plugin_client;
pub mod probe;
pub mod proof;
pub mod protected;
pub mod proxy;
pub mod reason;
pub mod records;
pub mod removal;
pub mod request;
pub mod schedule;
pub mod source;
pub mod stage;
pub mod taking_over;
pub mod tally;
pub mod targets;
pub mod telling;
pub mod times;
pub mod trust;
pub mod wanted;

#[cfg(test)]
mod testing;

pub use clock::{Clock, Time};
pub use disposition::Disposition;
pub use domain_name::DomainName;
pub use entry::Entry;
pub use network::{Home, Identity, Mapping, Network, Problem, Problems, Site, Whereabouts};
pub use reason::Reason;
pub use stage::Stage;
pub use tally::Tally;
pub use targets::Targets;
