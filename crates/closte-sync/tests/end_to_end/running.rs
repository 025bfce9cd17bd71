//! Waiting for the resident program, and stopping it.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

pub(crate) use testkit::eventually;

use crate::world::{Ran, ended};

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
