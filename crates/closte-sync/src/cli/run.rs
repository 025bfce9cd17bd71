//! `closte-sync run`: stay, and make passes as they are needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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
use engine::controller::{self, Ended, Signals};
use engine::pass::Engine;

/// So long a loop may be busy with one round, beyond `run.pass_limit`, before
/// systemd hears no more of it.
const SLACK: Duration = Duration::from_mins(1);

/// So long after a reload that failed it is tried again.
const RELOAD_AGAIN: Duration = Duration::from_mins(1);

/// Two good reads of the resident program count only so far apart.
const READ_GAP: Duration = Duration::from_mins(1);

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
        let Some((ledger, _lock)) = wait_for_lock(&context, &signals).await? else {
            return Ok(Exit::Done);
        };
        // Before the secret is read for the engine, so that no exchange is missed.
        let mut triggers = Triggers::open(&context.wiring(), &signals)?;
        let mut engine = engine(&context, ledger.clone()).await?;
        triggers.listen(&context.wiring(), &signals).await?;
        let turned = Arc::new(AtomicI64::new(SystemClock.now().as_millis()));
        tokio::spawn(watchdog(turned.clone(), context.loaded.settings.pass_limit + SLACK));
        reload_on_hangup(&signals);
        tell_systemd(&[NotifyState::Ready]);
        tracing::info!("following the network; asking every {:?}", context.loaded.settings.poll);
        let alive = || turned.store(SystemClock.now().as_millis(), Ordering::Relaxed);
        while controller::run(&engine, context.loaded.settings.poll, &signals, alive).await
            == Ended::Reload
        {
            match reloaded(&mut context, ledger.clone(), &signals).await {
                Ok((new_engine, new_triggers)) => {
                    engine.source.close().await;
                    engine = new_engine;
                    // The old ones go first: they have the address.
                    std::mem::replace(&mut triggers, new_triggers).close().await;
                    if let Err(failure) = triggers.listen(&context.wiring(), &signals).await {
                        failure.log("nudges over HTTP are not received");
                    }
                    tracing::info!("settings and wp-config.php were read again");
                }
                Err(failure) => {
                    failure.log("the settings stay as they were, and are read again soon");
                    reload_later(&signals);
                }
            }
        }
        tell_systemd(&[NotifyState::Stopping]);
        engine.source.close().await;
        Ok(Exit::Done)
    }
}

/// The ledger and its lock, as soon as nobody else has it; none if asked to stop meanwhile.
async fn wait_for_lock(
    context: &Context,
    signals: &Signals,
) -> Result<Option<(Arc<SqliteLedger>, Lock)>, Failure> {
    let wiring = context.wiring();
    // What may be missing is asked for before a ledger is made.
    wiring.api_key().await?;
    let mut warned = false;
    loop {
        match wiring.locked_ledger("run").await? {
            LockedLedger::Ours(ledger, lock) => return Ok(Some((Arc::new(ledger), lock))),
            LockedLedger::LockedBy(owner) if !warned => {
                tracing::warn!("{}; waiting for it", report::locked_by(owner.as_ref()));
                warned = true;
            }
            LockedLedger::LockedBy(_) => (),
        }
        tokio::select! {
            () = signals.stop.cancelled() => return Ok(None),
            () = sleep(context.loaded.settings.poll) => (),
        }
    }
}

async fn engine(context: &Context, ledger: Arc<dyn Ledger>) -> Result<Engine, Failure> {
    let mut engine = context.wiring().engine_on(ledger).await?;
    engine.settings.read_gap = READ_GAP;
    Ok(engine)
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
        Ok((engine(context, ledger).await?, triggers))
    };
    let made: Result<_, Failure> = made.await;
    made.inspect_err(|_| context.loaded = before)
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

/// Keep telling systemd that the loop turns, as long as it does.
async fn watchdog(turned: Arc<AtomicI64>, patience: Duration) {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    loop {
        let last = rules::Time::from_millis(turned.load(Ordering::Relaxed));
        if SystemClock.now().since(last) < patience {
            tell_systemd(&[NotifyState::Watchdog]);
        }
        sleep(every / 2).await;
    }
}

/// Where systemd does not listen, nobody misses it.
fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("systemd was not notified: {error}");
    }
}
