//! That the loop of `run` turns, for systemd's watchdog.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use engine::controller::{LogLine, RunObserver};
use rules::{Clock, Time};
use sd_notify::NotifyState;
use tokio::time::sleep;

use crate::clock::SystemClock;

/// So long a loop may be busy with one turn, beyond `run.pass_limit`, before
/// systemd hears no more of it.
const SLACK: Duration = Duration::from_mins(1);

/// That the loop turns, and how long a turn may take; what it says goes to the log.
pub(super) struct Heartbeat {
    /// When it last turned, in milliseconds since 1970.
    turned: AtomicI64,
    /// In milliseconds.
    patience: AtomicU64,
}

impl Heartbeat {
    pub(super) fn new(pass_limit: Duration) -> Self {
        let turned = AtomicI64::new(SystemClock.now().as_millis());
        let heartbeat = Self { turned, patience: AtomicU64::new(0) };
        heartbeat.follow(pass_limit);
        heartbeat
    }

    /// From now on a turn may take as long as a pass may, and some more.
    pub(super) fn follow(&self, pass_limit: Duration) {
        let patience = pass_limit.saturating_add(SLACK).as_millis();
        self.patience.store(u64::try_from(patience).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn beats(&self, now: Time) -> bool {
        let turned = Time::from_millis(self.turned.load(Ordering::Relaxed));
        now.since(turned) < Duration::from_millis(self.patience.load(Ordering::Relaxed))
    }
}

impl RunObserver for Heartbeat {
    fn alive(&self) {
        self.turned.store(SystemClock.now().as_millis(), Ordering::Relaxed);
    }

    fn says(&self, line: &LogLine) {
        line.log();
    }
}

/// Keep telling systemd that the loop turns, as long as it does.
pub(super) async fn watchdog(heartbeat: Arc<Heartbeat>) {
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    loop {
        if heartbeat.beats(SystemClock.now()) {
            tell_systemd(&[NotifyState::Watchdog]);
        }
        sleep(every / 2).await;
    }
}

/// Where systemd does not listen, nobody misses it.
pub(super) fn tell_systemd(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!("systemd was not told: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_may_take_as_long_as_the_pass_limit_of_the_last_reload_allows() {
        let minutes = Duration::from_mins;
        let heartbeat = Heartbeat::new(minutes(4));
        let turned = Time::from_millis(heartbeat.turned.load(Ordering::Relaxed));
        assert!(heartbeat.beats(turned + minutes(4)) && !heartbeat.beats(turned + minutes(5)));
        heartbeat.follow(minutes(10));
        assert!(heartbeat.beats(turned + minutes(10)) && !heartbeat.beats(turned + minutes(11)));
    }
}
