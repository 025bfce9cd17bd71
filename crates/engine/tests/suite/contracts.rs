//! The twins in memory keep the same contracts as the adapters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use engine::memory::{
    MappingRow, MemoryHost, MemoryLedger, MemoryNetwork, MemoryReceiver, SiteRow, SteadyClock,
    VirtualClock,
};
use rules::{Identity, Time};
use testkit::alias_host::alias_host_contract;
use testkit::ledger::ledger_contract;
use testkit::network_meaning::{Change, Fresh, Rows, network_meaning_contract};
use testkit::outbox::outbox_contract;
use testkit::receiver::receiver_contract;

fn run<F: Future>(future: F) -> F::Output {
    VirtualClock::at(Time::from_millis(1_800_000_000_000)).block_on(future)
}

#[test]
fn the_ledger_in_memory_keeps_the_contract() {
    let made = AtomicU32::new(0);
    let fresh =
        async || MemoryLedger::new(format!("ledger {}", made.fetch_add(1, Ordering::Relaxed)));
    run(ledger_contract(&fresh));
    run(outbox_contract(&fresh));
}

#[test]
fn the_receiver_in_memory_keeps_the_contract() {
    let clock = VirtualClock::at(Time::from_millis(1_800_000_000_000));
    let receiver = MemoryReceiver::new("memory", clock);
    run(receiver_contract(&receiver, &receiver::Kept(receiver.clone())));
}

mod receiver {
    use super::*;
    use engine::memory::ReceiverMood;
    use testkit::receiver::{Behind, Mood};

    /// What a receiver in memory kept.
    pub(super) struct Kept(pub(super) MemoryReceiver);

    #[async_trait]
    impl Behind for Kept {
        async fn becomes(&self, mood: Mood) -> bool {
            self.0.becomes(match mood {
                Mood::Takes => ReceiverMood::Takes,
                Mood::Silent => ReceiverMood::Silent,
                Mood::Refuses => ReceiverMood::Refuses,
            });
            true
        }

        async fn got(&self) -> Vec<String> {
            self.0.got().into_iter().map(|(_, message)| message.id).collect()
        }
    }
}

#[test]
fn the_host_in_memory_keeps_the_contract() {
    let host = MemoryHost::default();
    run(alias_host_contract(&host, |name| host.present().contains(name)));
}

#[test]
fn the_network_in_memory_keeps_the_contract_of_meaning() {
    run(network_meaning_contract(async || in_memory()));
}

fn in_memory() -> Fresh {
    let identity = Identity {
        app: Some("app1".to_owned()),
        domain: "network.example".parse().expect("a name"),
        database: "wp".to_owned(),
        prefix: "wp_".to_owned(),
        network_id: 1,
    };
    let clock = SteadyClock(VirtualClock::at(Time::from_millis(1_800_000_000_000)));
    let network = MemoryNetwork::new(identity, Arc::new(clock));
    (Box::new(network.clone()), Box::new(Behind(network)))
}

/// The rows behind a network in memory.
struct Behind(MemoryNetwork);

#[async_trait]
impl Rows for Behind {
    async fn change(&self, change: Change<'_>) {
        let mut tables = self.0.tables();
        let mappings: &mut BTreeMap<u64, MappingRow> = &mut tables.mappings;
        match change {
            Change::Mapping { id, site, domain, primary } => {
                let row = MappingRow { primary, ..MappingRow::new(site, domain) };
                mappings.insert(id, row);
                tables.next_mapping = tables.next_mapping.max(id + 1);
            }
            Change::NoStage { id } => mappings.get_mut(&id).expect("a row").stage = None,
            Change::Deactivate => mappings.values_mut().for_each(|row| row.active = false),
            Change::DropMapping { id } => _ = mappings.remove(&id),
            Change::Site { id, domain, path } => {
                _ = tables.sites.insert(id, site(domain, path));
            }
            Change::Hide { id, .. } => tables.sites.get_mut(&id).expect("a row").hidden = true,
            Change::DropSite { id } => _ = tables.sites.remove(&id),
        }
    }

    async fn mappings(&self) -> String {
        let tables = self.0.tables();
        let line = |(id, row): (&u64, &MappingRow)| {
            let flags = [row.active, row.primary, row.secure].map(u8::from);
            let [active, primary, secure] = flags;
            let stage = row.stage.map_or("NULL", |stage| stage.as_str());
            format!("{id} {} {} {active} {primary} {secure} {stage}\n", row.site_id, row.domain)
        };
        tables.mappings.iter().map(line).collect()
    }

    async fn homes(&self) -> usize {
        usize::from(self.0.tables().home.is_some())
    }
}

fn site(domain: &str, path: &str) -> SiteRow {
    SiteRow {
        network_id: 1,
        domain: domain.to_owned(),
        path: path.to_owned(),
        hidden: false,
        registered: Time::from_millis(1_735_689_600_000),
    }
}
