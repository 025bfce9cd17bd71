//! The traits to the outside as the engine meets them here: the twins, with faults between, and
//! each call seen by the watch.

mod host;
mod ledger;
mod probe;
mod source;

pub(crate) use host::FaultyHost;
pub(crate) use ledger::WatchedLedger;
pub(crate) use probe::FaultyProbe;
pub(crate) use source::FaultySource;
