//! Remembering: the durable record, in SQLite.
//!
//! [`SqliteLedger`] implements [`rules::ledger::Ledger`] on one file, or in
//! memory for tests. It stores what the rules decided and decides nothing itself;
//! it never waits for the network.
//!
//! # Where to start
//!
//! 1. [`LedgerPath`] is where a ledger may be; it refuses what a web server shows.
//! 2. [`SqliteLedger::open`] and [`SqliteLedger::open_readonly`] open it.
//! 3. [`Lock`] lets one process at a time write passes; readers need none.
//!
//! # Invariants
//!
//! - A ledger that a newer closte-sync wrote is left as it is.
//! - A batch is written whole or not at all, and survives a crash.
//! - An event is never changed.
//! - A row of an entry is stored by compare-and-set on its version.

mod entries;
mod error;
mod events;
mod finding;
mod ledger_path;
mod lock;
mod meta;
mod outbox;
mod requests;
mod row;
mod schema;
mod sqlite;

pub use ledger_path::LedgerPath;
pub use lock::{Acquired, Lock, Owner};
pub use sqlite::{CreateIfMissing, SqliteLedger};
