//! A life: one history lived through by real engines, process by process.

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use engine::controller::{LogLine, RunObserver, Signals};
use engine::memory::{MemoryLedger, SteadyClock};
use engine::pass::{Ends, PassError, Passed, Silent, SqlWriter, Writers};
use engine::{Controller, Engine, Env, PassSettings, error_chain};
use rules::ledger::Ledger;
use rules::probe::{DnsObservation, Presented, TlsObservation, TlsVerdict};
use rules::{Clock, DomainName};

use crate::chance::Shared;
use crate::generate::History;
use crate::history::{Certificate, Dns, Event};
use crate::outside::{FaultyHost, FaultyProbe, FaultySource, WatchedLedger};
use crate::watch::{Outcome, Printed};
use crate::world::{ELSEWHERE, HERE, WRONG_AAAA, Who, World, name};

/// Which ledger a life is kept in.
pub enum Keep {
    InMemory,
    In(Arc<dyn Ledger>),
}

/// Live through `history`, to its quiet end.
pub fn live(history: &History, keep: Keep) -> Outcome {
    let ledger = match keep {
        Keep::InMemory => Arc::new(MemoryLedger::new("one")),
        Keep::In(ledger) => ledger,
    };
    let mut life = Life::new(history, ledger);
    for step in &history.steps {
        life.advance(step.at);
        life.world.log(&format!("* {}", step.event));
        life.happen(&step.event);
    }
    life.end();
    let end = life.stands();
    life.world.state().watch.take_outcome(end)
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A process of some installation.
pub(crate) struct Process {
    who: Who,
    task: Task,
    /// How to speak to it, where it is resident.
    signals: Option<Signals>,
}

pub(crate) struct Life {
    pub(crate) world: Arc<World>,
    history: History,
    ledger: Arc<dyn Ledger>,
    clone_ledger: MemoryLedger,
    processes: Vec<Process>,
    /// The plan that the operator looked at last.
    pub(crate) printed: Arc<Mutex<Option<Printed>>>,
    started: u64,
}

impl Life {
    fn new(history: &History, ledger: Arc<dyn Ledger>) -> Self {
        Self {
            world: World::new(history),
            history: history.clone(),
            ledger,
            clone_ledger: MemoryLedger::new("two"),
            processes: Vec::new(),
            printed: Arc::default(),
            started: 0,
        }
    }

    /// Let everything run until so much time has passed.
    pub(crate) fn advance(&mut self, until: Duration) {
        let clock = Arc::clone(&self.world.clock);
        loop {
            let idle = clock.run_until(pin!(All(&mut self.processes)), until).is_some();
            if std::mem::take(&mut self.world.state().crashed) {
                self.processes.retain(|process| process.who != Who::Original);
                self.world.state().watch.died();
                continue;
            }
            if idle {
                clock.run_until(pin!(std::future::pending::<()>()), until);
            }
            return;
        }
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = &Event> {
        self.history.steps.iter().map(|step| &step.event)
    }

    pub(crate) fn is_running(&self) -> bool {
        self.processes.iter().any(|process| matches!(process.who, Who::Original | Who::Other))
    }

    fn start(&mut self, who: Who, task: impl Future<Output = ()> + 'static) {
        self.processes.push(Process { who, task: Box::pin(task), signals: None });
    }

    /// A process of its own for a person's command.
    pub(crate) fn command(&mut self, task: impl Future<Output = ()> + 'static) {
        self.start(Who::Operator, task);
    }

    /// A pass as cron starts one; where another process has the lock, nothing.
    pub(crate) fn pass(&mut self, who: Who) {
        if who != Who::Clone && self.is_running() {
            return self.world.log("another closte-sync holds the lock");
        }
        let (engine, world) = (self.engine(who), Arc::clone(&self.world));
        self.start(who, async move {
            one_pass(&engine, &world, who, None).await;
        });
    }

    /// Carry out the plan that was printed, if it still is that.
    pub(crate) fn apply(&mut self) {
        let printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(printed) = printed else { return };
        if self.is_running() {
            return self.world.log("another closte-sync holds the lock");
        }
        let (engine, world) = (self.engine(Who::Original), Arc::clone(&self.world));
        self.start(Who::Original, async move {
            let hash = printed.hash.clone();
            world.state().watch.main_mut().apply = Some(printed);
            one_pass(&engine, &world, Who::Original, Some(&hash)).await;
            world.state().watch.main_mut().apply = None;
        });
    }

    fn run(&mut self) {
        if self.is_running() {
            return self.world.log("another closte-sync holds the lock");
        }
        let (engine, world) = (self.engine(Who::Original), Arc::clone(&self.world));
        let signals = Signals::default();
        let heard = signals.clone();
        let task = Box::pin(async move {
            Controller::new(heard).run(&engine, Duration::from_secs(10), &Unheard).await;
            let at = world.clock.passed();
            world.state().watch.pass_ended(at);
        });
        self.processes.push(Process { who: Who::Original, task, signals: Some(signals) });
    }

    fn signals(&self) -> impl Iterator<Item = &Signals> {
        self.processes.iter().filter_map(|process| process.signals.as_ref())
    }

    pub(crate) fn stop_resident(&self) {
        self.signals().for_each(|signals| signals.stop.cancel());
    }

    fn happen(&mut self, event: &Event) {
        match event {
            Event::Host(mood) => self.world.state().host = *mood,
            Event::List(mood) => self.world.state().list = *mood,
            Event::Database(mood) => self.world.state().database = *mood,
            Event::Resolver(mood) => self.world.state().resolver = *mood,
            Event::Placed { name: it } => self.world.happen(rules::entry::Call::Add, &name(it)),
            Event::Taken { name: it } => self.world.happen(rules::entry::Call::Remove, &name(it)),
            Event::Dns { name: it, to } => self.dns(&name(it), *to),
            Event::Certificate { name: it, is } => self.certificate(&name(it), *is),
            Event::ClockSet { minutes } => self.set_clock(*minutes),
            Event::Pass => self.pass(Who::Original),
            Event::RunStarts => self.run(),
            Event::RunStops => self.stop_resident(),
            Event::Nudge => self.signals().for_each(|signals| signals.wake.notify_one()),
            Event::Crash { effects, after } => {
                self.world.state().crash = Some((*effects, *after));
            }
            Event::ClonePass => self.clone_pass(),
            Event::OtherPass => self.pass(Who::Other),
            Event::Adds { site, name: it } => self.adds(*site, name(it)),
            Event::Removes { name: it } => self.removes(name(it)),
            Event::Plans => self.plans(),
            Event::Applies => self.apply(),
            Event::Switches { on } => self.switches(*on),
            Event::Rechecks { name: it } => self.rechecks(it.map(name)),
            rows => crate::rows::change(&self.world, rows),
        }
    }

    fn dns(&self, name: &DomainName, to: Dns) {
        let probe = &self.world.probe;
        match to {
            Dns::Here => probe.points(name, [HERE]),
            Dns::Elsewhere => probe.points(name, [ELSEWHERE]),
            Dns::WrongAaaa => probe.points(name, [HERE, WRONG_AAAA]),
            Dns::NoSuchName => probe.answers(name, DnsObservation::NoSuchName),
            Dns::ServFail => {
                probe.answers(name, DnsObservation::Failed { detail: "SERVFAIL".to_owned() });
            }
        }
    }

    fn certificate(&self, name: &DomainName, is: Certificate) {
        let now = SteadyClock(Arc::clone(&self.world.clock)).now();
        let day = Duration::from_hours(24);
        let certificate =
            |left| Presented::new("CA", (now - day, now + left), vec![name.to_string()]);
        let presented =
            |left, verdict| TlsObservation::Presented { certificate: certificate(left), verdict };
        let what = match is {
            Certificate::Good => presented(day * 90, TlsVerdict::Trusted),
            Certificate::Ends => presented(Duration::from_hours(1), TlsVerdict::Trusted),
            Certificate::OtherName => presented(day * 90, TlsVerdict::OtherName),
            Certificate::None => TlsObservation::NoCertificate { detail: "no name".to_owned() },
        };
        self.world.probe.presents(HERE, name, what);
    }

    pub(crate) fn set_clock(&self, minutes: i64) {
        self.world.clock.jump(minutes * 60_000);
        self.world.state().clock_off += minutes;
    }

    /// A copy of the database is made, and a pass of the clone on it.
    fn clone_pass(&mut self) {
        if self.world.network.tables().home.is_none() {
            return self.world.log("nobody acts yet: a copy would be no copy");
        }
        let copy = self.world.network.tables().clone();
        let mut tables = self.world.clone.tables();
        let identity = tables.identity.clone();
        *tables = engine::memory::Tables { identity, ..copy };
        drop(tables);
        self.pass(Who::Clone);
    }

    /// The ledger as `who` has it.
    pub(crate) fn ledger_of(&self, who: Who) -> Arc<dyn Ledger> {
        let inner = match who {
            Who::Clone => Arc::new(self.clone_ledger.clone()),
            _ => Arc::clone(&self.ledger),
        };
        Arc::new(WatchedLedger { world: Arc::clone(&self.world), who, inner })
    }

    /// A new process of `who`.
    pub(crate) fn engine(&mut self, who: Who) -> Engine {
        self.started += 1;
        let world = || Arc::clone(&self.world);
        let source = Arc::new(FaultySource { world: world(), who });
        let seed = self.history.seed ^ (self.started << 32);
        Engine {
            source: Arc::clone(&source) as _,
            writers: Writers::new(vec![Arc::new(SqlWriter(source))]),
            problems: Vec::new(),
            plugin: None,
            host: Box::new(FaultyHost { world: world(), who }),
            probe: Box::new(FaultyProbe { world: world(), who }),
            ledger: self.ledger_of(who),
            env: Env {
                clock: Arc::clone(&self.world.clock) as _,
                random: Arc::new(Shared::of(seed)),
                process: format!("{who:?} {}", self.started),
            },
            settings: settings(&self.history),
        }
    }

    /// What stands in the world, to be compared.
    fn stands(&self) -> String {
        let tables = self.world.network.tables();
        let rows: Vec<String> = tables.mappings.values().map(|row| format!("{row:?}")).collect();
        format!("{:?}\n{}", *self.world.host.present(), rows.join("\n"))
    }
}

/// One pass to its end; what came of it is logged.
async fn one_pass(engine: &Engine, world: &World, who: Who, hash: Option<&str>) {
    let what = match engine.pass(hash, &Silent, &Ends::default()).await {
        Ok((Passed::Ran(report), _)) => {
            let alerts: Vec<_> = report.alerts.iter().map(|it| it.what.as_str()).collect();
            let deferred = report.deferred.len();
            format!("{} changes, {deferred} deferred, alerts {alerts:?}", report.changes.len())
        }
        Ok((Passed::Off(off, _), _)) => format!("off: {off:?}"),
        Err(error @ (PassError::OtherPlan { .. } | PassError::IsDone { .. })) => {
            let (at, done) = (world.clock.passed(), matches!(error, PassError::IsDone { .. }));
            world.state().watch.apply_refused(done, at);
            error_chain(&error)
        }
        Err(error) => error_chain(&error),
    };
    world.log(&format!("{who:?}: pass ends: {what}"));
    if who == Who::Original {
        let at = world.clock.passed();
        world.state().watch.pass_ended(at);
    }
}

fn settings(history: &History) -> PassSettings {
    PassSettings {
        brake: history.brake,
        records: history.records,
        targets: BTreeSet::from([HERE]),
        protected: vec!["secret.*".to_owned()],
        ask_proof: false,
        concurrency: history.concurrency,
        ..PassSettings::default()
    }
}

/// What `run` says, nobody hears.
struct Unheard;

impl RunObserver for Unheard {
    fn alive(&self) {}

    fn says(&self, _: &LogLine) {}
}

/// All processes at once; those that are done are taken out.
struct All<'a>(&'a mut Vec<Process>);

impl Future for All<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.retain_mut(|process| process.task.as_mut().poll(context).is_pending());
        if self.0.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }
}
