//! `closte-sync run`: stay, and make passes as they are needed.

mod heartbeat;

use std::sync::Arc;
use std::time::Duration;

use ledger::{Lock, SqliteLedger};
use rules::Clock;
use rules::ledger::Ledger;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::{Context, Exit, Failure, report};
use crate::clock::SystemClock;
use crate::triggers::Triggers;
use crate::wiring::LockedLedger;
use engine::controller::{Controller, Ended, Signals};
use engine::ops::requests;
use engine::pass::Engine;
use heartbeat::{Heartbeat, tell_systemd, watchdog};

/// A lock that somebody else has is tried again at least so often.
const LOCK_AGAIN: Duration = Duration::from_secs(5);

/// A request in the ledger is noticed within this time.
const REQUESTS_WITHIN: Duration = Duration::from_millis(500);

/// So long after a reload that failed it is tried again.
const RELOAD_AGAIN: Duration = Duration::from_mins(1);

/// Stay, and keep the network in step all the time
///
/// New mappings reach the host within `run.poll`, domains are checked exactly
/// when they are due. SIGTERM finishes the call in hand and ends, SIGHUP reads
/// settings and wp-config.php again. Meant for systemd, which it notifies.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, mut context: Context) -> Result<Exit, Failure> {
        let signals = Signals::default();
        report::stop_on_signals(&signals.stop);
        let waiting = wait_for_lock(&context);
        let Some(locked) = signals.stop.run_until_cancelled(waiting).await else {
            return Ok(Exit::Done);
        };
        let (ledger, _lock) = locked?;
        // Before the secret is read for the engine, so that no exchange is missed.
        let mut triggers = Triggers::open(&context.wiring(), &signals)?;
        let mut engine = context.wiring().engine_on(ledger.clone()).await?;
        triggers.listen(&context.wiring(), &signals).await?;
        let heartbeat = Arc::new(Heartbeat::new(context.loaded.settings.pass_limit));
        tokio::spawn(watchdog(heartbeat.clone()));
        reload_on_hangup(&signals);
        tokio::spawn(notice_requests(ledger.clone(), signals.clone()));
        tell_systemd(&[NotifyState::Ready]);
        tracing::info!("following the network; asking every {:?}", context.loaded.settings.poll);
        let mut controller = Controller::new(signals.clone());
        let mut reloads = Reloads::default();
        while controller.run(&engine, context.loaded.settings.poll, &*heartbeat).await
            == Ended::Reload
        {
            let reading = reloaded(&mut context, ledger.clone(), &signals);
            let Some(read) = signals.stop.run_until_cancelled(reading).await else { break };
            match read {
                Ok((new_engine, new_triggers)) => {
                    engine.source.close().await;
                    engine = new_engine;
                    controller.exchanged();
                    // The old ones go first: they have the address.
                    std::mem::replace(&mut triggers, new_triggers).close().await;
                    if let Err(failure) = triggers.listen(&context.wiring(), &signals).await {
                        failure.log("nudges over HTTP are not received");
                    }
                    heartbeat.follow(context.loaded.settings.pass_limit);
                    reloads.succeeded();
                }
                Err(failure) => {
                    reloads.failed(&failure);
                    reload_later(&signals);
                }
            }
        }
        tell_systemd(&[NotifyState::Stopping]);
        triggers.close().await;
        engine.source.close().await;
        Ok(Exit::Done)
    }
}

/// The ledger and its lock, as soon as nobody else has it.
async fn wait_for_lock(context: &Context) -> Result<(Arc<SqliteLedger>, Lock), Failure> {
    let wiring = context.wiring();
    // What may be missing is asked for before a ledger is made.
    wiring.api_key().await?;
    let mut warned = false;
    loop {
        match wiring.locked_ledger("run").await? {
            LockedLedger::Ours(ledger, lock) => return Ok((Arc::new(ledger), lock)),
            LockedLedger::LockedBy(owner) if !warned => {
                tracing::warn!("{}; waiting for it", report::locked_by(owner.as_ref()));
                warned = true;
            }
            LockedLedger::LockedBy(_) => (),
        }
        // A pass may have it for longer than systemd waits for a start.
        tell_systemd(&[NotifyState::Ready, NotifyState::Watchdog]);
        sleep(LOCK_AGAIN.min(context.loaded.settings.poll)).await;
    }
}

/// Settings, wp-config.php and secrets as they are now; where they are bad nothing changes.
async fn reloaded(
    context: &mut Context,
    ledger: Arc<dyn Ledger>,
    signals: &Signals,
) -> Result<(Engine, Triggers), Failure> {
    let loaded = context.load_again()?;
    let before = std::mem::replace(&mut context.loaded, loaded);
    let made = async {
        let triggers = Triggers::open(&context.wiring(), signals)?;
        Ok((context.wiring().engine_on(ledger).await?, triggers))
    };
    let made: Result<_, Failure> = made.await;
    made.inspect_err(|_| context.loaded = before)
}

/// Notice requests that somebody leaves in the ledger: nobody else takes them up while we are here.
async fn notice_requests(ledger: Arc<SqliteLedger>, signals: Signals) {
    loop {
        sleep(REQUESTS_WITHIN).await;
        if requests::are_waiting(ledger.as_ref(), SystemClock.now()).await {
            signals.asked.notify_one();
        }
    }
}

/// What was to be read again is not forgotten because it could not be read once.
fn reload_later(signals: &Signals) {
    let reload = signals.reload.clone();
    tokio::spawn(async move {
        sleep(RELOAD_AGAIN).await;
        reload.notify_one();
    });
}

fn reload_on_hangup(signals: &Signals) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    let reload = signals.reload.clone();
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            reload.notify_one();
        }
    });
}

/// Whether what is asked for on SIGHUP fails, and in which words that was said.
#[derive(Default)]
struct Reloads {
    said: Option<(String, Option<String>)>,
}

impl Reloads {
    fn succeeded(&mut self) {
        self.said = None;
        tracing::info!("settings and wp-config.php were read again");
    }

    /// The same failure again is not said again.
    fn failed(&mut self, failure: &Failure) {
        let words = failure.in_one_line();
        if self.said.as_ref() != Some(&words) {
            failure.log("the settings stay as they were, and are read again every minute");
        }
        self.said = Some(words);
    }
}
