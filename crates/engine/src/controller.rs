//! The resident loop: a pass at start, one on every change and every minute, and
//! checks and calls exactly when they are due.
//!
//! ```text
//!   turn ──▶ what it came to ──▶ policy: what to say, when to try again
//!    ▲                                        │
//!    └── the earliest of poll, pass, step, check, or a new try ◀──┘
//! ```
//!
//! A nudge from WordPress is a reason to make a pass at once, and to end the one under way, whose
//! rest stays due. For a minute of nudges that is so; then one pass runs to its end.
//! Whatever woke it, a pass checks the whole state, so the path after a lost
//! wake-up, a restart or an outage is the path taken every day. Between passes
//! one cheap query tells whether the network changed, and only entries that are
//! due are touched. It never stops because a pass failed: while the network cannot be
//! read, checks go on, and nothing is changed at the host or in WordPress.
//!
//! Start with [`Controller::run`]. What is decided is pure: `policy`, `standing`, `wake`.

mod known;
mod line;
mod policy;
mod rest;
mod standing;
mod wake;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use rules::action::Action;
use rules::host_state::HostState;
use rules::ledger::NextCalls;
use rules::{Network, Time};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use known::Known;
pub use line::{Failed, LogLine, Matter, Subject};
use policy::{Ending, Policy};
use rest::Rest;
use standing::{Looked, Standing, matters};
use wake::Ahead;

use crate::ops::requests;
use crate::pass::{DueWork, Ends, Engine, PassError, Passed, Silent};

/// A pass over everything at least so often: what no query shows, such as a site
/// that gets old enough or a second good read, waits no longer.
const PASS_EVERY: Duration = Duration::from_mins(1);

/// A pause between turns, however long one took.
const PAUSE: Duration = Duration::from_millis(100);

/// However long a wait is, its observer hears so often that the loop is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(15);

/// A stop may take so long: what is under way then was written down before.
const STOP_WITHIN: Duration = Duration::from_secs(9);

/// What the loop is asked from outside.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// End, after the call in hand.
    pub stop: CancellationToken,
    /// Make a pass now: something changed in WordPress. One that is under way ends after the calls
    /// in hand.
    pub wake: Arc<Notify>,
    /// Somebody left a request in the ledger.
    pub asked: Arc<Notify>,
    /// Read the settings and wp-config.php again.
    pub reload: Arc<Notify>,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to stop.
    Stopped,
    /// It was asked to read its settings again.
    Reload,
}

/// Who is told how the loop does.
pub trait RunObserver: Send + Sync {
    /// The loop turns.
    fn alive(&self);
    /// It has something to say, once.
    fn says(&self, line: &LogLine);
}

/// The loop, with what outlives a reload: what fails, what was said, and the network.
#[derive(Debug, Default)]
pub struct Controller {
    signals: Signals,
    policy: Policy,
    standing: Standing,
    rest: Rest,
    known: Known,
}

impl Controller {
    pub fn new(signals: Signals) -> Self {
        Self { signals, ..Self::default() }
    }

    /// The engine is another one from now on: the network may be, too.
    pub fn exchanged(&mut self) {
        self.known = Known::default();
    }

    /// Run `engine` until a signal ends it, asking the network every `poll`. Receivers of
    /// notifications are served beside it, so that nothing waits for them.
    pub async fn run(
        &mut self,
        engine: &Engine,
        poll: Duration,
        observer: &dyn RunObserver,
    ) -> Ended {
        tokio::select! {
            biased;
            ended = self.turns(engine, poll, observer) => ended,
            never = engine.courier() => match never {},
        }
    }

    async fn turns(
        &mut self,
        engine: &Engine,
        poll: Duration,
        observer: &dyn RunObserver,
    ) -> Ended {
        let (stop, wake) = (self.signals.stop.clone(), Arc::clone(&self.signals.wake));
        self.try_now();
        if self.known.network.is_none() {
            // Checks go on although the network cannot be read: from what the ledger remembers.
            let memory = engine.ledger.memory().await.unwrap_or_default();
            self.known.network = memory.network.for_checks();
        }
        let mut run = Run { controller: self, engine, poll: poll.max(PAUSE), observer };
        loop {
            let began = engine.env.now();
            let nudge = CancellationToken::new();
            tokio::select! {
                biased;
                () = async { run.turn(&nudge).await; run.say_whether_calls_rest().await } => (),
                () = overdue(engine, &stop) => {
                    observer.says(&LogLine::CutOff);
                    return Ended::Stopped;
                }
                never = pass_on(&wake, &nudge) => match never {},
            }
            run.controller.known.turn_ended(began, nudge.is_cancelled());
            let mut next = run.next_turn(began).await;
            if nudge.is_cancelled() {
                run.nudged().await;
                next = began;
            }
            match run.wait(next).await {
                Woken::InTime => (),
                Woken::Stopped => return Ended::Stopped,
                Woken::Reload => return Ended::Reload,
                Woken::Nudged => run.nudged().await,
                Woken::Asked => run.asked().await,
            }
        }
    }

    /// Somebody asks: the next turn is a pass, whatever failed.
    fn try_now(&mut self) {
        self.known.pass_soon();
        self.policy.try_now();
    }
}

/// A while after it was asked to stop.
async fn overdue(engine: &Engine, stop: &CancellationToken) {
    stop.cancelled().await;
    engine.env.sleep(STOP_WITHIN).await;
}

/// Let `wake` cancel `nudge`.
async fn pass_on(wake: &Notify, nudge: &CancellationToken) -> Infallible {
    wake.notified().await;
    nudge.cancel();
    std::future::pending().await
}

/// What ended a wait.
enum Woken {
    InTime,
    Stopped,
    Reload,
    Nudged,
    Asked,
}

/// The loop on one engine, until a reload makes another.
struct Run<'a> {
    controller: &'a mut Controller,
    engine: &'a Engine,
    poll: Duration,
    observer: &'a dyn RunObserver,
}

impl Run<'_> {
    /// Do what there is to do now; a `nudge` ends it early, where one may.
    async fn turn(&mut self, nudge: &CancellationToken) {
        self.observer.alive();
        let now = self.engine.env.now();
        let stop = self.controller.signals.stop.clone();
        let mut ends = Ends::on(&stop);
        if self.controller.known.may_be_cut_short(now) {
            ends.nudge = nudge.clone();
        }
        if !self.controller.policy.waits(now) {
            let Some(outcome) = self.round(now, &ends).await else { return };
            let is_ledger = matches!(outcome, Err(PassError::Ledger(_)));
            let is_well = outcome.is_ok();
            self.conclude(outcome);
            if is_well || is_ledger {
                return;
            }
        }
        self.observer.alive();
        if self.controller.known.clock_is_wrong {
            return;
        }
        if let Err(error) = self.due(DueWork::ChecksOnly, &ends).await {
            self.conclude(Err(error));
        }
    }

    /// Say that calls to the host rest, or go on. A ledger that cannot be read is reported by the
    /// turn.
    async fn say_whether_calls_rest(&mut self) {
        let Ok(memory) = self.engine.ledger.memory().await else { return };
        let now = self.engine.env.now();
        let line = self.controller.rest.after(&HostState::of(&memory.host, now), now);
        self.say(line);
    }

    /// Say what is to be said of a turn, and decide when to try again.
    fn conclude(&mut self, outcome: Result<(), PassError>) {
        let env = &self.engine.env;
        let ending = Ending { now: env.now(), chance: env.chance(), poll: self.poll };
        let line = self.controller.policy.after(outcome.map_err(Failed::from), ending);
        self.say(line);
    }

    /// A pass where the network changed or the last one is old, else what is due; nothing
    /// where a stop came before the network answered.
    async fn round(&mut self, now: Time, ends: &Ends) -> Option<Result<(), PassError>> {
        let pulse = match ends.stop.run_until_cancelled(self.engine.source.pulse()).await? {
            Ok(pulse) => pulse,
            Err(error) => {
                let error = PassError::Read(error);
                _ = self.engine.announce_failure(&error).await;
                return Some(Err(error));
            }
        };
        let known = &self.controller.known;
        let work = if known.clock_is_wrong { DueWork::AdditionsOnly } else { DueWork::All };
        Some(if known.calls_for_pass(pulse, now) {
            self.pass(pulse, now, ends).await
        } else {
            self.due(work, ends).await
        })
    }

    async fn pass(&mut self, pulse: u64, began: Time, ends: &Ends) -> Result<(), PassError> {
        self.controller.known.pass_soon();
        let (passed, network) = self.engine.pass(None, &Silent, ends).await?;
        let looked = match network {
            Some(_) if is_cut_short(&passed) => Looked::NotAtAllDomains,
            Some(_) => Looked::Everywhere,
            None => Looked::NoFurther,
        };
        // The number is from before the pass: what changes during it shows as another. Rows of
        // ours that somebody deletes again leave it as it was before us.
        let pulse = Some(pulse).filter(|_| !made_records(&passed));
        self.controller.known.pass_ran(began, pulse, network);
        self.controller.known.clock_is_wrong = is_clock_wrong(&passed);
        let now = self.engine.env.now();
        let lines = self.controller.standing.after(matters(&passed), looked, now);
        self.say(lines);
        Ok(())
    }

    /// Do what is due, where we act for a network.
    async fn due(&self, work: DueWork, ends: &Ends) -> Result<(), PassError> {
        match self.network() {
            Some(network) => self.engine.due(network, work, ends).await,
            None => Ok(()),
        }
    }

    /// The network to work with between passes: as it was last read, also while it cannot be.
    fn network(&self) -> Option<&Network> {
        self.controller.known.network.as_ref()
    }

    /// When the next turn is, after one that began at `began`.
    async fn next_turn(&mut self, began: Time) -> Time {
        let (check, calls) = self.next_steps().await;
        let check = check.filter(|_| !self.controller.known.clock_is_wrong);
        let (now, chance) = (self.engine.env.now(), self.engine.env.chance());
        let Controller { known, policy, .. } = &mut *self.controller;
        known.removal = calls.remove;
        // The clock went back during the turn: what was seen by it says nothing.
        if now < began {
            known.pass_soon();
        }
        let began = began.min(now);
        let (turns, steps) = match policy.retry_at(now) {
            Some(retry) => ([Some(retry), None], [check, None]),
            // From start to start, so that a long turn does not put off the next question.
            None => ([Some(began + self.poll), known.pass_at()], [check, calls.add]),
        };
        let some = |times: [Option<Time>; 2]| times.into_iter().flatten().collect();
        let ahead = Ahead { now, turns: some(turns), steps: some(steps) };
        known.stuck = if ahead.is_stuck() { known.stuck.saturating_add(1) } else { 0 };
        ahead.wake_at(known.stuck, chance)
    }

    /// When the next check and the next calls are due, where we act for a network.
    ///
    /// A ledger that cannot be read makes the next turn fail, and is reported then.
    async fn next_steps(&self) -> (Option<Time>, NextCalls) {
        if self.network().is_none() {
            return (None, NextCalls::default());
        }
        let ledger = &self.engine.ledger;
        let check = ledger.next_due().await.ok().flatten();
        (check, ledger.next_calls().await.unwrap_or_default())
    }

    /// Wait until `until` or a signal.
    async fn wait(&self, until: Time) -> Woken {
        let (clock, signals) = (&self.engine.env.clock, &self.controller.signals);
        let mut now = clock.now();
        loop {
            self.observer.alive();
            let before = now;
            tokio::select! {
                biased;
                () = signals.stop.cancelled() => return Woken::Stopped,
                () = signals.reload.notified() => return Woken::Reload,
                // However often WordPress nudges, a person gets an answer.
                () = signals.asked.notified() => return Woken::Asked,
                () = signals.wake.notified() => return Woken::Nudged,
                () = clock.sleep_until(until.min(now + ALIVE_EVERY)) => (),
            }
            now = clock.now();
            // Where the clock went back, nobody knows how long it still is.
            if until <= now || now < before {
                return Woken::InTime;
            }
        }
    }

    /// WordPress asks for a pass. What comes in a burst is one change.
    async fn nudged(&mut self) {
        self.controller.try_now();
        let pause = self.engine.env.sleep(PAUSE);
        self.controller.signals.stop.run_until_cancelled(pause).await;
    }

    /// Somebody left a request in the ledger. A pass follows: what it did may change what is due.
    async fn asked(&mut self) {
        let stop = self.controller.signals.stop.clone();
        let served = tokio::select! {
            biased;
            served = requests::serve(self.engine, &Silent, &stop) => served,
            // What is cut off is done again by whoever has the lock next.
            () = overdue(self.engine, &stop) => return,
        };
        match served {
            Ok(0) => (),
            Ok(_) => self.controller.try_now(),
            Err(error) => self.conclude(Err(error.into())),
        }
    }

    fn say(&self, lines: impl IntoIterator<Item = LogLine>) {
        lines.into_iter().for_each(|line| self.observer.says(&line));
    }
}

fn is_clock_wrong(passed: &Passed) -> bool {
    matches!(passed, Passed::Ran(report) if report.clock_is_wrong)
}

fn is_cut_short(passed: &Passed) -> bool {
    matches!(passed, Passed::Ran(report) if report.cut_short)
}

fn made_records(passed: &Passed) -> bool {
    let Passed::Ran(report) = passed else { return false };
    report.changes.iter().any(|change| change.action == Action::CreateRecord)
}
