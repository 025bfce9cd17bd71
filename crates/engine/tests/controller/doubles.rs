//! The traits to the outside over one state in memory, the network being the engine's own twin,
//! and a clock that jumps to whatever is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::controller::{LogLine, RunObserver};
use engine::memory::{MemoryNetwork, SiteRow};
use engine::{Random, Timer};
use rules::evidence::{Deep, Inquiry};
use rules::host::{AliasHost, AliasList, HostError};
use rules::network::Switch;
use rules::probe::{DnsObservation, Probe, ProofObservation, TlsObservation};
use rules::source::{NetworkSource, Primary, Replaces, Right, SourceError, StageWrite};
use rules::{Clock, DomainName, Home, Identity, Network, Problem, Time};

/// A domain that somebody maps.
pub(crate) const DOMAIN: &str = "shop.example";

/// Where domains must point.
pub(crate) const TARGET: &str = "203.0.113.1";

/// How the database fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outage {
    Unreachable,
    Denied,
    Hangs,
}

/// Something that happens at some time.
pub(crate) type Deed = Box<dyn FnOnce() + Send>;

/// All that the doubles share.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) now: i64,
    pub(crate) deeds: BTreeMap<i64, Deed>,
    /// How often the network changed in what no row shows.
    pub(crate) changes: u64,
    pub(crate) problems: Vec<Problem>,
    pub(crate) outages: Vec<(Range<i64>, Outage)>,
    pub(crate) host_fails: u32,
    pub(crate) busy_for: Option<Duration>,
    pub(crate) here_from: Option<i64>,
    pub(crate) pulses: Vec<i64>,
    pub(crate) calls: Vec<(i64, &'static str)>,
    pub(crate) checks: Vec<i64>,
    pub(crate) stages_asked: Vec<i64>,
    pub(crate) lines: Vec<LogLine>,
    pub(crate) alive: Vec<i64>,
}

#[derive(Clone)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    pub(crate) network: MemoryNetwork,
}

/// The time of the state.
struct Now(Arc<Mutex<State>>);

impl Clock for Now {
    fn now(&self) -> Time {
        Time::from_millis(self.0.lock().unwrap().now)
    }
}

impl Shared {
    /// A network that is switched on, with a site besides its own, an hour old.
    pub(crate) fn new() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let clock = Now(Arc::clone(&state));
        let registered = clock.now() - Duration::from_hours(1);
        let identity = Identity {
            app: Some("app".to_owned()),
            domain: "net.example".parse().unwrap(),
            database: "wp".to_owned(),
            prefix: "wp_".to_owned(),
            network_id: 1,
        };
        let network = MemoryNetwork::new(identity, Arc::new(clock));
        let (domain, path) = ("s2.net.example".to_owned(), "/".to_owned());
        let site = SiteRow { network_id: 1, domain, path, hidden: false, registered };
        network.tables().sites.insert(2, site);
        network.tables().switch = Switch::On;
        Self { state, network }
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap())
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.with(|state| state.now / 1000)
    }

    /// Whether the database can be used now.
    async fn database(&self) -> Result<(), SourceError> {
        let outage = self.with(|state| {
            let now = state.now / 1000;
            state.outages.iter().find(|(when, _)| when.contains(&now)).map(|it| it.1)
        });
        match outage {
            None => Ok(()),
            Some(Outage::Hangs) => std::future::pending().await,
            Some(Outage::Denied) => Err(SourceError::Denied { what: "no".to_owned() }),
            Some(Outage::Unreachable) => {
                Err(SourceError::Unreachable { at: "db".to_owned(), source: "refused".into() })
            }
        }
    }
}

pub(crate) struct NoChance;

impl Random for NoChance {
    fn next(&self) -> u64 {
        0
    }
}

impl Clock for Shared {
    fn now(&self) -> Time {
        self.with(|state| Time::from_millis(state.now))
    }
}

#[async_trait]
impl Timer for Shared {
    async fn sleep_until(&self, at: Time) {
        loop {
            let deed = self.with(|state| {
                let first = state.deeds.first_entry().filter(|deed| *deed.key() <= at.as_millis());
                let (time, deed) = match first {
                    Some(first) => first.remove_entry(),
                    None => return None,
                };
                state.now = state.now.max(time);
                Some(deed)
            });
            let Some(deed) = deed else { break };
            deed();
            // Whoever sleeps may have been woken by it.
            tokio::task::yield_now().await;
        }
        self.with(|state| state.now = state.now.max(at.as_millis()));
    }
}

impl RunObserver for Shared {
    fn alive(&self) {
        let now = self.seconds();
        self.with(|state| state.alive.push(now));
    }

    fn says(&self, line: &LogLine) {
        self.with(|state| state.lines.push(line.clone()));
    }
}

#[async_trait]
impl NetworkSource for Shared {
    async fn read(&self) -> Result<Network, SourceError> {
        self.database().await?;
        let problems = self.with(|state| state.problems.clone());
        Ok(Network { problems, ..self.network.read().await? })
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        let now = self.seconds();
        self.with(|state| state.pulses.push(now));
        self.database().await?;
        Ok(self.network.pulse().await?.wrapping_add(self.with(|state| state.changes)))
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        let now = self.seconds();
        self.with(|state| state.stages_asked.push(now));
        self.database().await?;
        self.network.write_stage(write).await
    }

    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        self.database().await?;
        self.network.write_home(home, replaces).await
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        self.network.create_record(site, domain).await
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        self.network.add_mapping(site, domain, primary).await
    }

    async fn move_mapping(&self, id: u64, from: u64, to: u64) -> Result<bool, SourceError> {
        self.database().await?;
        self.network.move_mapping(id, from, to).await
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        self.network.remove_mappings(domain, rows).await
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        self.network.switch(on).await
    }

    async fn set_check_interval(&self, seconds: u32) -> Result<(), SourceError> {
        self.network.set_check_interval(seconds).await
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        self.network.rights().await
    }
}

impl Shared {
    fn called(&self, call: &'static str) -> Result<(), HostError> {
        self.with(|state| {
            state.calls.push((state.now / 1000, call));
            if state.host_fails == 0 {
                return Ok(());
            }
            state.host_fails -= 1;
            Err(match state.busy_for.take() {
                Some(after) => HostError::RateLimited { retry_after: Some(after) },
                None => HostError::Unreachable("refused".into()),
            })
        })
    }
}

#[async_trait]
impl AliasHost for Shared {
    async fn add_alias(&self, _: &DomainName) -> Result<(), HostError> {
        self.called("add")
    }

    async fn remove_alias(&self, _: &DomainName) -> Result<(), HostError> {
        self.called("remove")
    }

    async fn aliases(&self) -> Result<AliasList, HostError> {
        Ok(AliasList::default())
    }

    async fn check_key(&self) -> Result<(), HostError> {
        Ok(())
    }
}

#[async_trait]
impl Probe for Shared {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        self.with(|state| {
            let now = state.now / 1000;
            if name.as_str() == DOMAIN {
                state.checks.push(now);
            }
            if state.here_from.is_some_and(|from| from <= now) {
                let found = BTreeSet::from([TARGET.parse().unwrap()]);
                return DnsObservation::Addresses { found, through: Vec::new(), unanswered: None };
            }
            DnsObservation::NoSuchName
        })
    }

    async fn handshake(&self, _: &DomainName, _: IpAddr) -> TlsObservation {
        TlsObservation::NoCertificate { detail: "none yet".to_owned() }
    }

    async fn ask(&self, _: &DomainName, _: IpAddr, _: &str) -> ProofObservation {
        ProofObservation::NoProof { detail: "not asked".to_owned() }
    }

    async fn investigate(&self, _: &DomainName, _: &Inquiry<'_>) -> Deep {
        Deep::default()
    }
}
