//! A small world for the loop: one network, one host, DNS. Times are in seconds from its start.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use engine::controller::{Controller, Ended, LogLine, Signals};
use engine::memory::{MemoryLedger, MemoryReceiver, Tables};
use engine::pass::{SqlWriter, Writers};
use engine::{Engine, Env, Notices, PassSettings};
use rules::network::Switch;
use rules::records::Records;
use rules::source::NetworkSource;
use rules::stage::StagePolicy;
use rules::telling::Patience;
use rules::{Home, Problem, Whereabouts};

use crate::doubles::{Deed, NoChance, Outage, Shared, TARGET};

pub(crate) struct World {
    shared: Shared,
    pub(crate) signals: Signals,
    controller: Controller,
    ledger: MemoryLedger,
    pub(crate) receiver: MemoryReceiver,
}

impl World {
    pub(crate) fn new() -> Self {
        let shared = Shared::new();
        let signals = Signals::default();
        let controller = Controller::new(signals.clone());
        let ledger = MemoryLedger::new("ledger");
        let receiver = MemoryReceiver::new("hook", Arc::new(shared.clone()));
        Self { shared, signals, controller, ledger, receiver }
    }

    /// Run the loop until `end`, or until it is asked to reload.
    pub(crate) async fn run(&mut self, poll: Duration, end: i64) -> Ended {
        let stop = self.signals.stop.clone();
        self.at(end, move || stop.cancel());
        let mut engine = engine(&self.shared, self.ledger.clone());
        let minutes = Duration::from_mins;
        let patience = Patience { broken: minutes(10), unseen: minutes(60) };
        engine.notices = Notices::new(vec![Arc::new(self.receiver.clone())], patience);
        self.controller.run(&engine, poll, &self.shared).await
    }

    /// Another process begins, with the same ledger.
    pub(crate) fn restart(&mut self) {
        self.signals = Signals::default();
        self.controller = Controller::new(self.signals.clone());
    }

    pub(crate) fn at(&self, second: i64, deed: impl FnOnce() + Send + 'static) {
        self.shared.with(|state| state.deeds.insert(second * 1000, Box::new(deed)));
    }

    pub(crate) fn source(&self, when: Range<i64>, outage: Outage) {
        self.shared.with(|state| state.outages.push((when, outage)));
    }

    pub(crate) fn map(&self, domain: &str) {
        self.shared.network.tables().map(2, domain);
    }

    pub(crate) fn unmap(&self) -> Deed {
        self.change(|tables| tables.mappings.clear())
    }

    pub(crate) fn switch(&self, on: bool) -> Deed {
        self.change(move |tables| tables.switch = Switch::from(on))
    }

    pub(crate) fn copied(&self) -> Deed {
        let home = Home {
            app: Some("another".to_owned()),
            domain: "another.example".to_owned(),
            ledger: "another".to_owned(),
            serial: Some(1),
            place: Whereabouts::default(),
        };
        self.change(|tables| tables.home = Some(home))
    }

    pub(crate) fn problem(&self) -> Deed {
        let problem = Problem::in_row("wp_blogs", "domain", 9, "no name");
        let shared = self.shared.clone();
        Box::new(move || {
            shared.with(|state| {
                state.problems.push(problem);
                state.changes += 1;
            });
        })
    }

    fn change(&self, change: impl FnOnce(&mut Tables) + Send + 'static) -> Deed {
        let shared = self.shared.clone();
        Box::new(move || {
            change(&mut shared.network.tables());
            shared.with(|state| state.changes += 1);
        })
    }

    /// The next `count` calls do not reach the host.
    pub(crate) fn host_fails(&self, count: u32) {
        self.host_breaks(count)();
    }

    pub(crate) fn host_breaks(&self, count: u32) -> Deed {
        let shared = self.shared.clone();
        Box::new(move || shared.with(|state| state.host_fails = count))
    }

    /// The next call that fails says when to come back.
    pub(crate) fn host_is_busy_for(&self, duration: Duration) {
        self.shared.with(|state| state.busy_for = Some(duration));
    }

    pub(crate) fn routed_here_from(&self, second: i64) {
        self.shared.with(|state| state.here_from = Some(second));
    }

    pub(crate) fn now(&self) -> i64 {
        self.shared.seconds()
    }

    pub(crate) fn pulses(&self) -> Vec<i64> {
        self.shared.with(|state| state.pulses.clone())
    }

    pub(crate) fn calls(&self) -> Vec<(i64, &'static str)> {
        self.shared.with(|state| state.calls.clone())
    }

    pub(crate) fn checks(&self) -> Vec<i64> {
        self.shared.with(|state| state.checks.clone())
    }

    pub(crate) fn stages_asked(&self) -> Vec<i64> {
        self.shared.with(|state| state.stages_asked.clone())
    }

    pub(crate) fn lines(&self) -> Vec<LogLine> {
        self.shared.with(|state| state.lines.clone())
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.lines().iter().map(ToString::to_string).collect()
    }

    pub(crate) fn alive(&self) -> Vec<i64> {
        self.shared.with(|state| state.alive.clone())
    }
}

fn engine(shared: &Shared, ledger: MemoryLedger) -> Engine {
    let source: Arc<dyn NetworkSource> = Arc::new(shared.clone());
    let settings = PassSettings {
        stages: StagePolicy {
            certificate_patience: Duration::from_hours(2),
            ..PassSettings::default().stages
        },
        records: Records::Never,
        targets: BTreeSet::from([TARGET.parse().unwrap()]),
        ask_proof: false,
        ..PassSettings::default()
    };
    Engine {
        writers: Writers::new(vec![Arc::new(SqlWriter(source.clone()))]),
        source,
        problems: Vec::new(),
        plugin: None,
        notices: Notices::default(),
        host: Box::new(shared.clone()),
        probe: Box::new(shared.clone()),
        ledger: Arc::new(ledger),
        env: Env {
            clock: Arc::new(shared.clone()),
            random: Arc::new(NoChance),
            process: "1".to_owned(),
        },
        settings,
    }
}
