//! A network, a host, DNS and certificates in memory, and an engine that keeps them in step.

use rules::network::Switch;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use engine::controller::{Controller, Ended, LogLine, RunObserver, Signals};
use engine::memory::{
    MemoryLedger, MemoryNetwork, MemoryProbe, SiteRow, SteadyClock, VirtualClock,
};
use engine::pass::Writers;
use engine::{Engine, Env, PassSettings, Random};
use rules::probe::Presented;
use rules::{Clock, DomainName, Identity, Stage, Time};

use crate::outside::{CountingHost, Shared, SlowProbe, WatchingWriter, WrittenStage};

/// Where the network is.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

pub(crate) struct World {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) network: MemoryNetwork,
    pub(crate) host: Arc<CountingHost>,
    pub(crate) probe: MemoryProbe,
    pub(crate) dns: SlowProbe,
    pub(crate) signals: Signals,
    writer: WatchingWriter,
    resident: Pin<Box<dyn Future<Output = Ended>>>,
}

impl World {
    /// A network with one site of its own, Closte switched on, and `closte-sync run` beside it.
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    /// The same with other settings.
    pub(crate) fn with(settings: PassSettings) -> Self {
        let clock = VirtualClock::at(Time::from_millis(1_800_000_000_000));
        let steady: Arc<dyn Clock> = Arc::new(SteadyClock(Arc::clone(&clock)));
        let network = MemoryNetwork::new(identity(), Arc::clone(&steady));
        network.tables().switch = Switch::On;
        network.tables().sites.insert(2, site(steady.now()));
        let host = Arc::new(CountingHost::default());
        let probe = MemoryProbe::new(steady);
        let dns = SlowProbe {
            memory: probe.clone(),
            clock: Arc::clone(&clock),
            slow: Arc::default(),
            asked: Arc::default(),
        };
        let ledger = MemoryLedger::new("one");
        let writer = WatchingWriter {
            network: network.clone(),
            ledger: ledger.clone(),
            clock: Arc::clone(&clock),
            written: Arc::default(),
        };
        let engine = Engine {
            source: Arc::new(network.clone()),
            writers: Writers::new(vec![Arc::new(writer.clone())]),
            problems: Vec::new(),
            plugin: None,
            host: Box::new(Shared { host: Arc::clone(&host), clock: Arc::clone(&clock) }),
            probe: Box::new(dns.clone()),
            ledger: Arc::new(ledger),
            env: env(Arc::clone(&clock)),
            settings,
        };
        let signals = Signals::default();
        let loop_of = signals.clone();
        let resident = Box::pin(async move {
            Controller::new(loop_of).run(&engine, Duration::from_secs(10), &Quiet).await
        });
        Self { clock, network, host, probe, dns, signals, writer, resident }
    }

    /// Let the clock and the loop run for a while.
    pub(crate) fn pass(&mut self, time: Duration) {
        let until = self.clock.passed() + time;
        let ended = self.clock.run_until(self.resident.as_mut(), until);
        assert_eq!(ended, None, "the loop goes on");
    }

    /// Ask the loop to stop, and wait for it.
    pub(crate) fn stop(&mut self) -> (Ended, Duration) {
        let (asked, clock) = (self.clock.passed(), Arc::clone(&self.clock));
        self.signals.stop.cancel();
        let ended = clock.block_on(self.resident.as_mut());
        (ended, clock.passed().saturating_sub(asked))
    }

    pub(crate) fn stage_of(&self, mapping: u64) -> (Option<Stage>, bool) {
        let tables = self.network.tables();
        let row = &tables.mappings[&mapping];
        (row.stage, row.secure)
    }

    /// Every stage that was written, in order.
    pub(crate) fn written(&self) -> Vec<WrittenStage> {
        self.writer.written.lock().expect("a lock").clone()
    }

    /// Let DNS take so long for names that begin with `head`.
    pub(crate) fn slow_dns(&self, head: &'static str, takes: Duration) {
        self.dns.slow.lock().expect("a lock").insert(head, takes);
    }

    pub(crate) fn certify(&self, name: &str) {
        let (name, now): (DomainName, _) = (name.parse().expect("a name"), self.clock.now());
        let valid = (now, now + Duration::from_hours(90 * 24));
        let certificate = Presented::new("Test CA", valid, vec![name.to_string()]);
        self.probe.certify(HERE, &name, certificate);
    }
}

fn identity() -> Identity {
    Identity {
        app: Some("app1".to_owned()),
        domain: "net.example".parse().expect("a name"),
        database: "wp".to_owned(),
        prefix: "wp_".to_owned(),
        network_id: 1,
    }
}

fn site(now: Time) -> SiteRow {
    SiteRow {
        network_id: 1,
        domain: "s2.net.example".to_owned(),
        path: "/".to_owned(),
        hidden: false,
        registered: now - Duration::from_hours(1),
    }
}

fn env(clock: Arc<VirtualClock>) -> Env {
    Env { clock, random: Arc::new(Half), process: "1".to_owned() }
}

pub(crate) fn settings() -> PassSettings {
    PassSettings { targets: BTreeSet::from([HERE]), ask_proof: false, ..PassSettings::default() }
}

/// Nobody listens.
struct Quiet;

impl RunObserver for Quiet {
    fn alive(&self) {}
    fn says(&self, _: &LogLine) {}
}

/// Chance that is always in the middle.
struct Half;

impl Random for Half {
    fn next(&self) -> u64 {
        1 << 63
    }
}
