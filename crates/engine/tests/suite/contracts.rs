//! The twins in memory keep the same contracts as the adapters.

use std::sync::atomic::{AtomicU32, Ordering};

use engine::memory::{MemoryHost, MemoryLedger, VirtualClock};
use rules::Time;
use testkit::alias_host::alias_host_contract;
use testkit::ledger::ledger_contract;

fn run<F: Future>(future: F) -> F::Output {
    VirtualClock::at(Time::from_millis(1_800_000_000_000)).block_on(future)
}

#[test]
fn the_ledger_in_memory_keeps_the_contract() {
    let made = AtomicU32::new(0);
    run(ledger_contract(async || {
        MemoryLedger::new(format!("ledger {}", made.fetch_add(1, Ordering::Relaxed)))
    }));
}

#[test]
fn the_host_in_memory_keeps_the_contract() {
    let host = MemoryHost::default();
    run(alias_host_contract(&host, |name| host.present().contains(name)));
}
