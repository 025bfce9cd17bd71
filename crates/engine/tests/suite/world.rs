//! A network, a host, DNS and certificates in memory, and an engine that keeps them in step.

use rules::network::Switch;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use engine::controller::{Controller, Ended, LogLine, RunObserver, Signals};
use engine::memory::{
    MemoryLedger, MemoryNetwork, MemoryProbe, MemoryReceiver, SiteRow, SteadyClock, VirtualClock,
};
use engine::ops::{RecheckScope, Tried, mute, recheck, try_receivers};
use engine::pass::Writers;
use engine::{Engine, Env, Notices, PassSettings, Random};
use rules::ledger::Ledger;
use rules::probe::Presented;
use rules::telling::Patience;
use rules::{Clock, DomainName, Entry, Identity, Stage, Time};

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
    pub(crate) ledger: MemoryLedger,
    receivers: Vec<MemoryReceiver>,
    settings: PassSettings,
    chance: Arc<Half>,
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
            looked: Arc::default(),
        };
        let ledger = MemoryLedger::new("one");
        let writer = WatchingWriter {
            network: network.clone(),
            ledger: ledger.clone(),
            clock: Arc::clone(&clock),
            written: Arc::default(),
        };
        let mut world = Self {
            clock,
            network,
            host,
            probe,
            dns,
            signals: Signals::default(),
            ledger,
            receivers: Vec::new(),
            settings,
            chance: Arc::default(),
            writer,
            resident: Box::pin(std::future::pending()),
        };
        world.crash();
        world
    }

    /// The process dies, wherever it is, and another begins.
    pub(crate) fn crash(&mut self) {
        let engine = self.engine();
        self.signals = Signals::default();
        let loop_of = self.signals.clone();
        self.resident = Box::pin(async move {
            Controller::new(loop_of).run(&engine, Duration::from_secs(10), &Quiet).await
        });
    }

    fn engine(&self) -> Engine {
        let (host, clock) = (Arc::clone(&self.host), Arc::clone(&self.clock));
        let receivers = self.receivers.iter().cloned().map(|it| Arc::new(it) as _).collect();
        let minutes = Duration::from_mins;
        let patience = Patience { broken: minutes(10), unseen: minutes(60) };
        Engine {
            source: Arc::new(self.network.clone()),
            writers: Writers::new(vec![Arc::new(self.writer.clone())]),
            problems: Vec::new(),
            plugin: None,
            notices: Notices::new(receivers, patience),
            host: Box::new(Shared { host, clock }),
            probe: Box::new(self.dns.clone()),
            ledger: Arc::new(self.ledger.clone()),
            env: self.env(),
            settings: self.settings.clone(),
        }
    }

    fn env(&self) -> Env {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.chance));
        Env { clock, random, process: "1".to_owned() }
    }

    /// Tell `receivers` from now on.
    pub(crate) fn tells(&mut self, receivers: &[MemoryReceiver]) {
        self.receivers = receivers.to_vec();
        self.crash();
    }

    /// Try the receiver of this name, as a person does.
    pub(crate) fn try_receiver(&self, name: &str) -> Tried {
        let engine = self.engine();
        let (receivers, outbox) = (&engine.notices.receivers, self.ledger.outbox());
        let tried = try_receivers(receivers, Some(name), (Some(outbox), &engine.env));
        self.clock.block_on(tried).expect("it is there").remove(0)
    }

    /// Have a domain checked now.
    pub(crate) fn check(&self, name: &str) {
        let (name, now) = (name.parse().expect("a name"), self.clock.now());
        let asked = recheck(&self.ledger, RecheckScope::One(&name), now);
        self.clock.block_on(asked).expect("it is known");
        self.signals.wake.notify_one();
    }

    /// Tell nothing of a domain for so long.
    pub(crate) fn mute(&self, name: &str, time: Option<Duration>) {
        let (name, now) = (name.parse().expect("a name"), self.clock.now());
        let muted = mute(&self.ledger, &name, time.map(|time| now + time), now);
        self.clock.block_on(muted).expect("it is known");
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

    /// What the ledger remembers of a domain.
    pub(crate) fn entry(&self, name: &DomainName) -> Entry {
        let entry = self.clock.block_on(pin!(self.writer.ledger.entry(name)));
        entry.expect("a ledger").expect("an entry")
    }

    pub(crate) fn certify(&self, name: &str) {
        self.certify_for(name, Duration::from_hours(90 * 24));
    }

    /// Give it a certificate of such a lifetime, made now.
    pub(crate) fn certify_for(&self, name: &str, lifetime: Duration) {
        let (name, now): (DomainName, _) = (name.parse().expect("a name"), self.clock.now());
        let valid = (now, now + lifetime);
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

pub(crate) fn settings() -> PassSettings {
    PassSettings { targets: BTreeSet::from([HERE]), ask_proof: false, ..PassSettings::default() }
}

/// Nobody listens.
struct Quiet;

impl RunObserver for Quiet {
    fn alive(&self) {}
    fn says(&self, _: &LogLine) {}
}

/// Chance that is always in the middle, by numbers that are each another one.
#[derive(Default)]
struct Half(AtomicU64);

impl Random for Half {
    fn next(&self) -> u64 {
        (1 << 63) + self.0.fetch_add(1, Ordering::Relaxed)
    }
}
