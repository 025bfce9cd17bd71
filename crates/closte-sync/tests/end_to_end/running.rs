//! Waiting for the resident program, and stopping it.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::world::{Ran, ended};

/// Wait until `is_so`, and fail when that takes too long.
#[track_caller]
pub(crate) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
}

/// Stop it; how it ended, and how long that took.
pub(crate) fn stop(child: Child) -> (Ran, Duration) {
    let start = Instant::now();
    signal(&child, "-TERM");
    (ended(child, "run"), start.elapsed())
}
