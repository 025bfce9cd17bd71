//! What a pass costs, as ratios taken in one run: `just bench`.
//!
//! Each figure has beside it what it is measured against, so that a faster or a
//! busier machine changes both. Nothing here passes or fails.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should stop")]

#[path = "common/world.rs"]
mod world;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use world::{KEY, World};

/// Of a process' CPU times those of its children that ended: see [`world::cpu`].
const CHILDREN: usize = 16;

#[tokio::main]
async fn main() {
    // `cargo test` starts benches too, without this word: they are for `just bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    thousand_new(3).await;
    ten_thousand_at_rest().await;
    hundred_at_rest().await;
    carried_at_rest().await;
}

/// Run a command of the program, with its peak memory in MB.
fn run(world: &World, arguments: &str) -> u64 {
    let mut child = world.command(arguments).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(world::memory(child.id(), "VmHWM"));
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}

/// The fastest of `times` runs.
fn best(times: u32, mut run: impl FnMut()) -> Duration {
    let time = |()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    std::iter::repeat_n((), times as usize).map(time).min().unwrap()
}

fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

/// 1,000 new mappings in one pass, their first looks included, against the same
/// calls alone over eight kept-alive connections.
async fn thousand_new(rounds: u32) {
    let mut ours = Duration::MAX;
    let mut theirs = Duration::MAX;
    let mut peak = 0;
    for _ in 0..rounds {
        let world = World::new(1000).await;
        let start = Instant::now();
        peak = peak.max(tokio::task::block_in_place(|| run(&world, "sync --quiet")));
        ours = ours.min(start.elapsed());
        assert_eq!(world.sandbox.closte().aliases().len(), 1000);
        theirs = theirs.min(calls_alone(1000).await);
    }
    println!(
        "1,000 new mappings: {ours:.0?}, the calls alone {theirs:.0?}: ratio {:.2} (at most 3), peak {peak} MB (at most 60)",
        ratio(ours, theirs)
    );
}

async fn calls_alone(count: usize) -> Duration {
    let world = World::new(0).await;
    let url = format!("{}/adddomainalias", world.sandbox.api_url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let connections = (0..8).map(|_| {
        let (client, url, next) = (client.clone(), url.clone(), next.clone());
        tokio::spawn(async move {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if count <= i {
                    return;
                }
                let domain = format!("d{i}.example");
                let form = [("apikey", KEY), ("domain", &domain), ("wildcard", "0")];
                client.post(&url).form(&form).send().await.unwrap().bytes().await.unwrap();
            }
        })
    });
    for connection in connections.collect::<Vec<_>>() {
        connection.await.unwrap();
    }
    start.elapsed()
}

/// A pass with nothing to do over 10,000 mappings, against `mariadb --quick`
/// printing the same columns.
async fn ten_thousand_at_rest() {
    let world = World::new(10_000).await;
    tokio::task::block_in_place(|| run(&world, "sync --quiet"));
    let mut peak = 0;
    let ours =
        tokio::task::block_in_place(|| best(10, || peak = peak.max(run(&world, "sync --quiet"))));
    let theirs = best(10, || {
        let sql = "SELECT id, blog_id, domain, stage, secure, active, primary_domain FROM wp_wu_domain_mappings";
        let status = Command::new("mariadb")
            .args(["--no-defaults", "--quick", "--user=root"])
            .arg(format!("--socket={}", world.database.server.socket().display()))
            .args(["-e", sql, &world.database.name])
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success());
    });
    println!(
        "nothing to do, 10,000 mappings: {ours:.0?}, mariadb --quick {theirs:.0?}: ratio {:.2} (at most 3), peak {peak} MB",
        ratio(ours, theirs)
    );
}

/// A pass with nothing to do on 100 domains: what the host bills.
async fn hundred_at_rest() {
    let (each, peak) = at_rest(&World::new(100).await, 40);
    println!(
        "nothing to do, 100 domains: {each:.0?} of CPU (at most 50 ms), peak {peak} MB (at most 25)"
    );
}

/// The same by the engine that the plugin carries, which is built for its size, against the program
/// that is built for its speed.
async fn carried_at_rest() {
    for count in [100, 1000, 10_000] {
        let mut world = World::new(count).await;
        let (theirs, _) = at_rest(&world, 20);
        world.program = carried(world.folder.path());
        let (ours, peak) = at_rest(&world, 20);
        println!(
            "nothing to do, {count} domains, by the carried engine: {ours:.0?} of CPU, by the \
             program {theirs:.0?}: ratio {:.2}, peak {peak} MB",
            ratio(ours, theirs)
        );
    }
}

/// The CPU time of a pass with nothing to do, and its peak memory in MB.
fn at_rest(world: &World, rounds: u32) -> (Duration, u64) {
    let pass = || tokio::task::block_in_place(|| run(world, "sync --quiet"));
    let children = || world::cpu(std::process::id(), CHILDREN);
    pass();
    let before = children();
    let peak = (0..rounds).map(|_| pass()).max().unwrap_or_default();
    (children().saturating_sub(before) / rounds, peak)
}

/// Unpack the engine that the plugin carries; its path.
fn carried(folder: &Path) -> PathBuf {
    let zip = testkit::handed_out::zip();
    let unzip = Command::new("unzip").arg("-q").arg(zip).arg("-d").arg(folder).status();
    assert!(unzip.unwrap().success());
    let program = folder.join("closte-sync/bin/closte-sync");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
    program
}
