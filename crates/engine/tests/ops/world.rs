//! A network, a host and a ledger that remember what they were asked for.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::memory::MemoryLedger;
use engine::{Env, Exit, Failure, Random, Timer};
use rules::evidence::{Deep, Inquiry};
use rules::ledger::{Batch, Ledger};
use rules::lookup::Spelling;
use rules::network::Switch;
use rules::probe::{DnsObservation, Probe, ProofObservation, TlsObservation};
use rules::source::{
    NetworkSource, PluginOption, Primary, Replaces, Right, SourceError, StageWrite,
};
use rules::{Clock, DomainName, Home, Identity, Mapping, Network, Site, Stage, Time, Whereabouts};

pub(crate) const NOW: Time = Time::from_millis(1_000_000);

pub(crate) fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// `net.example` with the sites 1 (itself), 2 and 3, and one of another network.
pub(crate) fn network() -> Network {
    let site = |network_id, domain: &str| Site {
        network_id,
        domain: Some(name(domain)),
        path: "/".to_owned(),
        age: Some(Duration::from_hours(1)),
        registered: None,
        hidden: None,
    };
    let identity = Identity {
        app: Some("app1".to_owned()),
        domain: name("net.example"),
        database: "wp".to_owned(),
        prefix: "wp_".to_owned(),
        network_id: 1,
    };
    Network {
        sites: BTreeMap::from([
            (1, site(1, "net.example")),
            (2, site(1, "two.net.example")),
            (3, site(1, "three.net.example")),
            (9, site(5, "other.example")),
        ]),
        database_time: Some(NOW),
        ..Network::empty(identity)
    }
}

/// The same as another installation's copy.
pub(crate) fn copy() -> Network {
    let home = Home {
        app: None,
        domain: "elsewhere.example".to_owned(),
        ledger: "l".to_owned(),
        serial: None,
        place: Whereabouts::default(),
    };
    Network { home: Some(home), ..network() }
}

pub(crate) fn mapping(id: u64, site_id: u64, domain: &str) -> Mapping {
    let (domain, stage) = (name(domain), Some(Stage::CheckingDns));
    Mapping {
        id,
        site_id,
        domain,
        spelling: Spelling::Plain,
        stage,
        secure: false,
        active: true,
        primary: false,
    }
}

/// A network that writes down what it was asked to write.
pub(crate) struct Source {
    network: Mutex<Network>,
    written: Mutex<Vec<String>>,
}

impl Source {
    pub(crate) fn of(network: Network) -> Self {
        Self { network: Mutex::new(network), written: Mutex::default() }
    }

    /// Another installation writes its mark.
    pub(crate) fn is_taken(&self) {
        self.network.lock().unwrap().home = copy().home;
    }

    pub(crate) fn written(&self) -> Vec<String> {
        self.written.lock().unwrap().clone()
    }

    fn write(&self, what: String) {
        self.written.lock().unwrap().push(what);
    }
}

#[async_trait]
impl NetworkSource for Source {
    async fn read(&self) -> Result<Network, SourceError> {
        Ok(self.network.lock().unwrap().clone())
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        Ok(0)
    }

    async fn write_stage(&self, _: &StageWrite) -> Result<bool, SourceError> {
        Ok(true)
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        self.write(format!("record {site} {domain}"));
        Ok((site != 3).then_some(70 + site))
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        self.write(format!("map {domain} {site} {primary:?}"));
        Ok(70)
    }

    async fn move_mapping(&self, id: u64, from: u64, to: u64) -> Result<bool, SourceError> {
        self.write(format!("move {id} {from} {to}"));
        Ok(true)
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        let mut network = self.network.lock().unwrap();
        let before = network.mappings.len();
        let goes = |it: &Mapping| rows.contains(&it.id) && it.domain == *domain;
        network.mappings.retain(|mapping| !goes(mapping));
        Ok((before - network.mappings.len()) as u64)
    }

    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        let mut network = self.network.lock().unwrap();
        if replaces.allows(network.home.as_ref()) {
            self.write(format!("home {} {:?}", home.ledger, home.serial));
            network.home = Some(home.clone());
        }
        Ok(network.home.clone())
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        self.write(format!("switch {on}"));
        let mut network = self.network.lock().unwrap();
        let on = Switch::from(on);
        Ok(std::mem::replace(&mut network.switch, on) != on)
    }

    async fn set_check_interval(&self, _: u32) -> Result<(), SourceError> {
        Ok(())
    }

    async fn write_plugin_option(&self, option: PluginOption<'_>) -> Result<(), SourceError> {
        match option {
            PluginOption::NextPass(at) => self.write(format!("next {}", at.since(NOW).as_secs())),
            PluginOption::Secret(_) => self.write("secret".to_owned()),
        }
        Ok(())
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        Ok(Vec::new())
    }
}

/// An empty ledger named `mine`.
pub(crate) fn ledger() -> MemoryLedger {
    MemoryLedger::new("mine")
}

/// Put `batch` into `ledger`.
pub(crate) async fn put(ledger: &MemoryLedger, batch: Batch) {
    assert!(ledger.save(&batch).await.unwrap().is_empty());
}

/// Nothing can be seen.
#[derive(Default)]
pub(crate) struct Dark {
    /// It never comes to an end with a name.
    pub(crate) is_lost: bool,
}

#[async_trait]
impl Probe for Dark {
    async fn resolve(&self, _: &DomainName) -> DnsObservation {
        DnsObservation::NoSuchName
    }

    async fn handshake(&self, _: &DomainName, _: IpAddr) -> TlsObservation {
        unreachable!("no name has an address")
    }

    async fn ask(&self, _: &DomainName, _: IpAddr, _: &str) -> ProofObservation {
        unreachable!("no name has an address")
    }

    async fn investigate(&self, _: &DomainName, _: &Inquiry<'_>) -> Deep {
        if self.is_lost {
            return std::future::pending().await;
        }
        Deep::default()
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Time {
        NOW
    }
}

#[async_trait]
impl Timer for Still {
    async fn sleep_until(&self, _: Time) {}
}

impl Random for Still {
    fn next(&self) -> u64 {
        0
    }
}

pub(crate) fn env() -> Env {
    Env { clock: Arc::new(Still), random: Arc::new(Still), process: "1".to_owned() }
}

/// That it is a no, in these words.
#[track_caller]
pub(crate) fn is_refused<T>(result: Result<T, Failure>, words: &str) {
    let Err(failure) = result else { panic!("it was not refused") };
    assert_eq!(failure.exit(), Exit::No);
    let text = failure.render();
    assert!(text.contains(words), "no `{words}` in: {text}");
}
