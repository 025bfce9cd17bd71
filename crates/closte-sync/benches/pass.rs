//! What a pass costs, as ratios taken in one run: `just bench`.
//!
//! Each figure has beside it what it is measured against, so that a faster or a
//! busier machine changes both. Nothing here passes or fails.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should stop")]

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use tempfile::TempDir;
use testkit::mariadb::{Database, MariaDb, Stages};

const KEY: &str = "bench-key";

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    thousand_new(3).await;
    ten_thousand_at_rest().await;
    hundred_at_rest().await;
}

/// A network and a sandbox, with `count` mappings.
struct Bench {
    sandbox: Sandbox,
    database: Database<'static>,
    folder: TempDir,
}

impl Bench {
    async fn new(count: u32) -> Self {
        let mut settings = sandbox::Settings::default();
        KEY.clone_into(&mut settings.closte.key);
        let sandbox = Sandbox::start(settings).await.unwrap();
        let database = MariaDb::shared().fresh_database();
        database.create_network("wp_", Stages::Now);
        database.create_main_site("wp_");
        database.execute(
            "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) \
             VALUES (1, 'wu_host_integrations_enabled', 'a:1:{s:6:\"closte\";b:1;}')",
        );
        let bench = Self { sandbox, database, folder: tempfile::tempdir().unwrap() };
        bench.map(count);
        bench.sandbox.dns().set("network.example", [sandbox::dns::a("127.0.0.1")]);
        let config = format!(
            "<?php define('DB_NAME', '{}'); define('DB_USER', 'root'); define('DB_PASSWORD', '');\n\
             define('DB_HOST', 'localhost:{}'); $table_prefix = 'wp_';\n\
             define('CLOSTE_CLIENT_API_KEY', '{KEY}');",
            bench.database.name,
            bench.database.server.socket().display()
        );
        std::fs::write(bench.folder.path().join("wp-config.php"), config).unwrap();
        bench
    }

    fn map(&self, count: u32) {
        let rows: Vec<String> = (0..count).map(|i| format!("(1, 'd{i}.example')")).collect();
        for rows in rows.chunks(1000) {
            self.database.execute(&format!(
                "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES {}",
                rows.join(",")
            ));
        }
    }

    /// Run a command of the program, with its peak memory in MB.
    fn run(&self, arguments: &str) -> u64 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_closte-sync"))
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .envs(self.sandbox.settings_env())
            .env("CLOSTE_SYNC_CLOSTE_REQUESTS_PER_SECOND", "0")
            .env("CLOSTE_SYNC_RUN_PASS_LIMIT", "1h")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(peak_memory(&status));
            std::thread::sleep(Duration::from_millis(1));
        }
        peak / 1024
    }
}

/// `VmHWM` of a process in kB; 0 once it is gone.
fn peak_memory(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
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
        let bench = Bench::new(1000).await;
        let start = Instant::now();
        peak = peak.max(tokio::task::block_in_place(|| bench.run("sync --quiet")));
        ours = ours.min(start.elapsed());
        assert_eq!(bench.sandbox.closte().aliases().len(), 1000);
        theirs = theirs.min(calls_alone(1000).await);
    }
    println!(
        "1,000 new mappings: {ours:.0?}, the calls alone {theirs:.0?}: ratio {:.2} (at most 3), peak {peak} MB (at most 60)",
        ratio(ours, theirs)
    );
}

async fn calls_alone(count: usize) -> Duration {
    let bench = Bench::new(0).await;
    let url = format!("{}/adddomainalias", bench.sandbox.api_url());
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
    let bench = Bench::new(10_000).await;
    tokio::task::block_in_place(|| bench.run("sync --quiet"));
    let mut peak = 0;
    let ours =
        tokio::task::block_in_place(|| best(10, || peak = peak.max(bench.run("sync --quiet"))));
    let theirs = best(10, || {
        let sql = "SELECT id, blog_id, domain, stage, secure, active, primary_domain FROM wp_wu_domain_mappings";
        let status = Command::new("mariadb")
            .args(["--no-defaults", "--quick", "--user=root"])
            .arg(format!("--socket={}", bench.database.server.socket().display()))
            .args(["-e", sql, &bench.database.name])
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
    let bench = Bench::new(100).await;
    tokio::task::block_in_place(|| bench.run("sync --quiet"));
    let (before, rounds) = (children_cpu(), 40);
    let mut peak = 0;
    for _ in 0..rounds {
        peak = peak.max(tokio::task::block_in_place(|| bench.run("sync --quiet")));
    }
    let each = children_cpu().saturating_sub(before) / rounds;
    println!(
        "nothing to do, 100 domains: {each:.0?} of CPU (at most 50 ms), peak {peak} MB (at most 25)"
    );
}

/// CPU time of all children that ended, from `/proc/self/stat` (100 ticks a second).
fn children_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
