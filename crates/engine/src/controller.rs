//! The resident loop: a pass at start, one on every change and every minute, and
//! looks exactly when they are due.
//!
//! A nudge from WordPress is a reason to make a pass at once and nothing more.
//! Whatever woke it, a pass checks the whole state, so the path after a lost
//! wake-up, a restart or an outage is the path taken every day. Between passes
//! one cheap query tells whether the network changed, and only entries that are
//! due are touched. It never stops because a pass failed.

use std::sync::Arc;
use std::time::Duration;

use rules::records::SETTLED_AFTER;
use rules::{Network, Time};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::pass::{Engine, PassError, Passed, Silent};

/// A pass over everything at least so often: what no query shows, such as a site
/// that gets old enough or a second good read, waits no longer.
const PASS_EVERY: Duration = Duration::from_mins(1);

/// A stop may take so long: what is under way then was written down before.
const STOP_WITHIN: Duration = Duration::from_secs(9);

/// What the loop is asked from outside.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// End, after the call in hand.
    pub stop: CancellationToken,
    /// Make a pass now: something changed in WordPress.
    pub wake: Arc<Notify>,
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

/// What the loop remembers from one round to the next.
#[derive(Default)]
struct Known {
    /// The network of the last pass; none where that did not act for it.
    network: Option<Network>,
    /// The number that the cheap query gave then.
    pulse: Option<u64>,
    /// When that pass began.
    passed: Option<Time>,
    /// When a site that was too young then may get its record.
    ripe: Option<Time>,
}

/// Run `engine` until a signal ends it; `alive` is called at every turn.
pub async fn run(engine: &Engine, poll: Duration, signals: &Signals, alive: impl Fn()) -> Ended {
    let mut known = Known::default();
    loop {
        alive();
        let began = engine.env.now();
        let round = round(engine, &mut known, signals);
        tokio::select! {
            biased;
            outcome = round => report(outcome),
            () = overdue(engine, &signals.stop) => {
                tracing::warn!("the call in hand took too long; the next start finds out what became of it");
                return Ended::Stopped;
            }
        }
        alive();
        tokio::select! {
            biased;
            () = signals.stop.cancelled() => return Ended::Stopped,
            () = signals.reload.notified() => return Ended::Reload,
            () = signals.wake.notified() => {
                known = Known::default();
                // What comes in a burst is one change.
                engine.env.sleep(PAUSE).await;
            }
            // From start to start, so that a long round does not put off the next question.
            () = pause(engine, poll, began) => (),
        }
    }
}

/// Rest until something may have to be done, or it is time to ask the network again.
async fn pause(engine: &Engine, poll: Duration, began: Time) {
    let took = engine.env.now().since(began);
    engine.env.sleep(rest(engine, poll.saturating_sub(took)).await).await;
}

/// A while after it was asked to stop.
async fn overdue(engine: &Engine, stop: &CancellationToken) {
    stop.cancelled().await;
    engine.env.sleep(STOP_WITHIN).await;
}

fn report(outcome: Result<(), PassError>) {
    if let Err(error) = outcome {
        crate::Failure::from(error).log("will retry automatically");
    }
}

/// One turn: a pass where the network changed or the last one is old, else what is due.
async fn round(engine: &Engine, known: &mut Known, signals: &Signals) -> Result<(), PassError> {
    let now = engine.env.now();
    let pulse = engine.source.pulse().await.map_err(PassError::Read)?;
    let old = known.passed.is_none_or(|at| PASS_EVERY <= now.since(at))
        || known.ripe.is_some_and(|ripe| ripe <= now);
    if !old && known.pulse == Some(pulse) {
        return match &known.network {
            Some(network) => engine.due(network, &signals.stop).await,
            None => Ok(()),
        };
    }
    // The number is from before the pass: what changes during it shows as another.
    *known = Known::default();
    let (passed, network) = engine.pass(None, &Silent, &signals.stop).await?;
    known.ripe = network.as_ref().and_then(|network| ripe(network, now));
    (known.network, known.pulse, known.passed) = (network, Some(pulse), Some(now));
    if let Passed::Ran(report) = passed {
        for alert in &report.alerts {
            tracing::error!(hint = alert.hint, "{}", alert.what);
        }
        // Rows of ours that somebody deletes again leave the number as it was before us.
        if report.changes.iter().any(|change| change.action == rules::action::Action::CreateRecord)
        {
            known.pulse = None;
        }
    }
    Ok(())
}

/// When the next site that is too young for a record is old enough.
fn ripe(network: &Network, now: Time) -> Option<Time> {
    let ages = network.sites.values().filter_map(|site| site.age);
    let left = ages.filter_map(|age| SETTLED_AFTER.checked_sub(age)).filter(|it| !it.is_zero());
    // The database counts whole seconds.
    left.min().map(|left| now + left + Duration::from_secs(1))
}

/// A pause between rounds, however long one took.
const PAUSE: Duration = Duration::from_millis(100);

/// How long nothing has to be done: until the next check, and never longer than `poll`.
async fn rest(engine: &Engine, poll: Duration) -> Duration {
    let poll = poll.max(PAUSE);
    let next = engine.ledger.next_due().await.ok().flatten();
    match next.map(|next| next.since(engine.env.now())) {
        // It stays due: no resolver answers, say. That must not spin the loop.
        Some(Duration::ZERO) => poll.min(Duration::from_secs(1)),
        Some(until) => poll.min(until),
        None => poll,
    }
}
