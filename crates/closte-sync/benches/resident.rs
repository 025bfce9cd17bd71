//! What the resident program costs while it waits, and how soon it acts: `just bench`.
//!
//! Nothing here passes or fails.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should stop")]

#[path = "common/world.rs"]
mod world;

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ledger::{CreateIfMissing, LedgerPath, SqliteLedger};
use rules::entry::{Alias, Certificate, Mapped, Owned, OwnedAs, Routing};
use rules::ledger::{Batch, Ledger};
use rules::{Entry, Stage, Time};
use sandbox::closte::CallKind;
use sqlx::{Connection, MySqlConnection};
use world::World;

/// How often each time is taken; the largest is printed.
const SAMPLES: u32 = 5;

/// Of a process' CPU times its own: see [`world::cpu`].
const OWN: usize = 14;

#[tokio::main]
async fn main() {
    // `cargo test` starts benches too, without this word: they are for `just bench`.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    start_to_first_request().await;
    for count in [10, 10_000] {
        row_to_request(count).await;
    }
    ten_thousand_at_rest().await;
}

/// A process of the program that ends with this.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its network and its ledger go too: there is nothing to put in order.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(world: &World) -> Command {
    let mut run = world.command("run");
    run.env("CLOSTE_SYNC_LOG_LEVEL", "error");
    run
}

/// From the start of `run` to the arrival of its first request, 10 mappings ahead.
async fn start_to_first_request() {
    let mut largest = Duration::ZERO;
    for _ in 0..SAMPLES {
        let world = World::new(10).await;
        let start = Instant::now();
        let _running = Running::start(run(&world));
        world.sandbox.closte().called(1).await;
        largest = largest.max(start.elapsed());
    }
    println!("start to first request, 10 mappings: {largest:.0?} (at most 150 ms)");
}

/// From a row written to the arrival of the addition that it asks for.
///
/// Each row comes while a pass is under way that has read the network: none has
/// longer to wait for the next.
async fn row_to_request(count: u32) {
    let world = at_rest(count).await;
    let mut database = MySqlConnection::connect(&world.database.url()).await.unwrap();
    let mut run = run(&world);
    run.env("CLOSTE_SYNC_RUN_POLL", "1s");
    let _running = Running::start(run);
    world.sandbox.closte().called(1).await;
    let mut largest = Duration::ZERO;
    for number in 0..SAMPLES {
        let domain = format!("new{number}.example");
        let row = "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (1, ?)";
        sqlx::query(row).bind(&domain).execute(&mut database).await.unwrap();
        let start = Instant::now();
        asked_to_add(&world, &domain).await;
        largest = largest.max(start.elapsed());
    }
    println!(
        "row to request, {count} mappings, run.poll of 1 s: {largest:.2?} (at most 1 s and 200 ms)"
    );
}

async fn asked_to_add(world: &World, domain: &str) {
    let host = world.sandbox.closte();
    let asked = || {
        let calls = host.calls_of(CallKind::Add);
        calls.iter().any(|call| call.domain.as_deref() == Some(domain))
    };
    let mut seen = 0;
    while !asked() {
        seen += 1;
        host.called(seen).await;
    }
}

/// `run` over 10,000 domains of 10,000 sites, with a pass a minute and nothing to do.
async fn ten_thousand_at_rest() {
    let world = at_rest(10_000).await;
    let running = Running::start(run(&world));
    let (process, database) = (running.0.id(), process_of_database(&world));
    tokio::time::sleep(Duration::from_secs(20)).await;
    let resident = world::memory(process, "VmRSS");
    let costs = [process, database].map(|process| world::cpu(process, OWN));
    let start = Instant::now();
    tokio::time::sleep(Duration::from_mins(1)).await;
    let share = |process, before| {
        let used: Duration = world::cpu(process, OWN).saturating_sub(before);
        100.0 * used.as_secs_f64() / start.elapsed().as_secs_f64()
    };
    let (ours, theirs) = (share(process, costs[0]), share(database, costs[1]));
    let (later, peak) = (world::memory(process, "VmRSS"), world::memory(process, "VmHWM"));
    assert!(world.sandbox.closte().calls_of(CallKind::Add).is_empty(), "they are at rest");
    assert_eq!(world.sandbox.dns().queries_of("d1.example"), 0, "they are at rest");
    println!(
        "run over 10,000 domains at rest: {resident} MB after 20 s (at most 40), {later} MB a \
         minute later, peak {peak} MB; {ours:.2} % of a core (at most 1), the database {theirs:.2} %"
    );
}

/// A network of which all is as it should be: a site for each mapping, and a
/// ledger that looks again in six hours.
async fn at_rest(count: u32) -> World {
    let world = World::new(count).await;
    world.database.execute(
        "INSERT INTO wp_blogs (blog_id, site_id, domain, path, registered) \
         SELECT id + 1, 1, CONCAT('s', id, '.network.example'), '/', '2025-01-01' \
         FROM wp_wu_domain_mappings; \
         UPDATE wp_wu_domain_mappings SET blog_id = id + 1, stage = 'done', secure = 1",
    );
    let now = Time::from_millis(Timestamp::now().as_millisecond());
    let numbers = 1..=u64::from(count);
    let batch = Batch {
        entries: numbers.clone().map(|number| ready(number, now)).collect(),
        mapped_sites: numbers.map(|number| (number + 1, None)).collect(),
        ..Batch::default()
    };
    for entry in &batch.entries {
        world.sandbox.closte().insert_alias(entry.domain.as_str());
    }
    let file = world.folder.path().join("state/closte-sync/ledger.db");
    let ledger_path = LedgerPath::at(&format!("sqlite://{}", file.display()), &[]).unwrap();
    let ledger = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    ledger.save(&batch).await.unwrap();
    ledger.close().await.unwrap();
    world
}

/// The entry of a mapping that a check found ready.
fn ready(number: u64, now: Time) -> Entry {
    let mapped = Mapped {
        mapping_id: number,
        site_id: number + 1,
        stage: Some(Stage::Done),
        secure: true,
        left_alone: None,
    };
    let domain = format!("d{number}.example").parse().unwrap();
    let mut entry = Entry::new(domain, Some(mapped), now);
    entry.alias.state = Alias::Present;
    entry.owned = Some(Owned { how: OwnedAs::Added, since: now });
    (entry.shown, entry.confirmed) = (true, true);
    entry.routing.state = Routing::Here;
    entry.found = vec!["127.0.0.1".parse().unwrap()];
    entry.certificate.state = Certificate::Valid;
    entry.issuer = Some("Example Trust, R11".to_owned());
    entry.not_after = Some(now + Duration::from_hours(60 * 24));
    entry.checks.due = now + Duration::from_hours(6);
    entry.checks.hot_until = now;
    entry
}

fn process_of_database(world: &World) -> u32 {
    let file = world.database.server.socket().with_file_name("pid");
    std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
}
