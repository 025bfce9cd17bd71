//! What is outside the engine, each thing as slow as it is told to be, and when it was asked.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::Timer;
use engine::memory::{MemoryHost, MemoryLedger, MemoryNetwork, MemoryProbe, VirtualClock};
use rules::entry::Routing;
use rules::evidence::{Deep, Inquiry};
use rules::host::{AliasHost, AliasList, HostError, Turn};
use rules::probe::{DnsObservation, Probe, ProofObservation, RootsSilent, TlsObservation};
use rules::source::{NetworkSource, SourceError, StageWrite, StageWriter, Written};
use rules::{Clock, DomainName, Stage};

/// A host in memory that counts, and answers as told before it answers as it is.
#[derive(Default)]
pub(crate) struct CountingHost {
    pub(crate) memory: MemoryHost,
    pub(crate) calls: Mutex<Vec<String>>,
    /// When each call was made.
    pub(crate) times: Mutex<Vec<Duration>>,
    pub(crate) lists: Mutex<usize>,
    pub(crate) answers: Mutex<VecDeque<HostError>>,
    /// How long a call takes.
    pub(crate) takes: Mutex<Duration>,
    /// The time between the starts of two calls.
    pub(crate) gap: Mutex<Duration>,
    /// When the next call may start.
    next: tokio::sync::Mutex<Duration>,
}

/// The same as the engine has it.
pub(crate) struct Shared {
    pub(crate) host: Arc<CountingHost>,
    pub(crate) clock: Arc<VirtualClock>,
}

impl Shared {
    async fn count(&self, what: &str, domain: &DomainName) -> Result<(), HostError> {
        let at = self.clock.passed();
        self.host.calls.lock().expect("a lock").push(format!("{what} {domain}"));
        self.host.times.lock().expect("a lock").push(at);
        let takes = *self.host.takes.lock().expect("a lock");
        self.clock.sleep_until(self.clock.now() + takes).await;
        self.host.answers.lock().expect("a lock").pop_front().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl AliasHost for Shared {
    async fn turn(&self) -> Turn<'_> {
        let mut next = self.host.next.lock().await;
        let start = self.clock.passed().max(*next);
        let wait = start.saturating_sub(self.clock.passed());
        self.clock.sleep_until(self.clock.now() + wait).await;
        *next = start + *self.host.gap.lock().expect("a lock");
        Box::new(())
    }

    async fn add_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.count("add", domain).await?;
        self.host.memory.add_alias(domain).await
    }

    async fn remove_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.count("remove", domain).await?;
        self.host.memory.remove_alias(domain).await
    }

    async fn aliases(&self) -> Result<AliasList, HostError> {
        let _turn = self.turn().await;
        *self.host.lists.lock().expect("a lock") += 1;
        self.host.memory.aliases().await
    }

    async fn check_key(&self) -> Result<(), HostError> {
        Ok(())
    }
}

/// DNS and web servers in memory, where some names take their time.
#[derive(Clone)]
pub(crate) struct SlowProbe {
    pub(crate) memory: MemoryProbe,
    pub(crate) clock: Arc<VirtualClock>,
    /// How long DNS takes for names that begin so.
    pub(crate) slow: Arc<Mutex<BTreeMap<&'static str, Duration>>>,
    /// What DNS was asked for, and when it began.
    pub(crate) asked: Arc<Mutex<Vec<(Duration, DomainName)>>>,
    /// When the deep questions were asked.
    pub(crate) looked: Arc<Mutex<Vec<Duration>>>,
}

#[async_trait]
impl Probe for SlowProbe {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        let at = self.clock.passed();
        self.asked.lock().expect("a lock").push((at, name.clone()));
        let slow = self.slow.lock().expect("a lock").clone();
        let takes = slow.into_iter().find(|(head, _)| name.as_str().starts_with(head));
        if let Some((_, takes)) = takes {
            self.clock.sleep_until(self.clock.now() + takes).await;
        }
        self.memory.resolve(name).await
    }

    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        self.memory.handshake(name, address).await
    }

    async fn ask(&self, name: &DomainName, address: IpAddr, question: &str) -> ProofObservation {
        self.memory.ask(name, address, question).await
    }

    async fn investigate(&self, name: &DomainName, inquiry: &Inquiry<'_>) -> Deep {
        self.looked.lock().expect("a lock").push(self.clock.passed());
        self.memory.investigate(name, inquiry).await
    }

    fn roots_silent(&self) -> Option<RootsSilent> {
        self.memory.roots_silent()
    }

    fn recall_roots(&self, silent: Option<RootsSilent>) {
        self.memory.recall_roots(silent);
    }
}

/// A stage that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrittenStage {
    pub(crate) at: Duration,
    pub(crate) domain: String,
    pub(crate) to: Stage,
    /// Where DNS pointed, as the ledger had it at that moment.
    pub(crate) recorded: Routing,
}

/// Writes stages, and looks into the ledger while it does.
#[derive(Clone)]
pub(crate) struct WatchingWriter {
    pub(crate) network: MemoryNetwork,
    pub(crate) ledger: MemoryLedger,
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) written: Arc<Mutex<Vec<WrittenStage>>>,
}

#[async_trait]
impl StageWriter for WatchingWriter {
    fn name(&self) -> &'static str {
        "watching"
    }

    async fn is_set_up(&self) -> bool {
        true
    }

    async fn write_stages(&self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError> {
        let (at, entries) = (self.clock.passed(), self.ledger.contents().entries);
        let mut answers = Vec::new();
        for write in writes {
            let domain = self.network.tables().mappings[&write.mapping_id].domain.clone();
            let recorded = entries[&domain.parse().expect("a name")].routing.state;
            let written = WrittenStage { at, domain, to: write.to, recorded };
            self.written.lock().expect("a lock").push(written);
            let done = self.network.write_stage(write).await?;
            answers.push(if done { Written::Done } else { Written::Overtaken });
        }
        Ok(answers)
    }
}
