//! Everything outside the engine, in memory: a clock, a ledger, a host, a network and a probe.
//!
//! Real code, held to the same contract suites as the adapters. With [`VirtualClock::block_on`] a
//! day of passes takes milliseconds, in one thread and without a runtime.

mod clock;
mod host;
mod ledger;
mod network;
mod outbox;
mod probe;
mod receiver;

pub use clock::{Busy, SteadyClock, VirtualClock};
pub use host::MemoryHost;
pub use ledger::MemoryLedger;
pub use network::{MappingRow, MemoryNetwork, SiteRow, Tables};
pub use probe::MemoryProbe;
pub use receiver::{MemoryReceiver, ReceiverMood};
