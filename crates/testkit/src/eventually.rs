//! Waiting for what another process does.

use std::thread::sleep;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(20);

/// Wait until `is_so`.
///
/// # Panics
///
/// If that takes longer than half a minute; with `what` was waited for.
#[track_caller]
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        sleep(POLL_EVERY);
    }
}
