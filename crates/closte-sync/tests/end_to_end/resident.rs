//! The resident program: `run`.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::process::Child;
use std::time::{Duration, Instant};

use sandbox::closte::{Act, CallKind, Fault, RetryAfter};

use crate::running::{eventually, signal, stop};
use crate::world::{World, ended};

/// A world whose resident program asks every second.
async fn world() -> World {
    let mut world = World::new().await;
    world.set("run.poll", "1s");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_in_the_network_reaches_the_host_by_itself() {
    let mut world = world().await;
    world.set("removal.confirmations", "1");
    let run = world.command("run").spawn().unwrap();
    eventually("the first pass", || world.run("status").code == 0);
    world.here("shop.example");
    world.map(1, "shop.example");
    eventually("it is done", || world.stage("shop.example") == "done 1");
    assert_eq!(world.aliases(), ["shop.example"]);
    world.database.execute("UPDATE wp_wu_domain_mappings SET domain = 'new.example'");
    eventually("it is renamed", || world.aliases() == ["new.example"]);
    let site = world.site("one.network.example");
    eventually("its record is made", || {
        world.aliases().contains(&"one.network.example".to_owned())
    });
    world.unmap("new.example");
    eventually("its alias is gone", || world.aliases() == ["one.network.example"]);
    world.database.execute(&format!(
        "DELETE FROM wp_wu_domain_mappings WHERE blog_id = {site}; \
         DELETE FROM wp_blogs WHERE blog_id = {site}"
    ));
    eventually("its alias went with its site", || world.aliases().is_empty());
    let (ran, took) = stop(run);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_stage_that_was_written_and_why_the_host_said_no() {
    let world = world().await;
    world.sandbox.closte().behave(|host| _ = host.refused.insert("no.example".to_owned()));
    for domain in ["shop.example", "no.example"] {
        world.here(domain);
        world.map(1, domain);
    }
    let run = world.command("run").spawn().unwrap();
    eventually("it is done", || world.stage("shop.example") == "done 1");
    eventually("it is refused", || world.stage("no.example") == "failed 0");
    world.done("sync");
    let (ran, _) = stop(run);
    assert!(ran.err.contains("write-stage shop.example: done (done)"), "{ran:?}");
    assert!(ran.err.contains("write-stage no.example: done (failed)"), "{ran:?}");
    let told = ran.err.matches("add-alias no.example: rejected (invalid-domain, admin: ").count();
    assert_eq!(told, 1, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_asks_is_heard_at_once_and_others_wait_their_time() {
    let world = world().await;
    world.map(1, "shop.example");
    world.elsewhere("shop.example");
    let run = world.command("run").spawn().unwrap();
    eventually("the first check is over", || {
        let shown = world.run("domains show shop.example --output json");
        shown.code == 0 && shown.json()["last_check"].is_string()
    });
    let checks = world.sandbox.dns().queries_of("shop.example");
    let busy = world.done("sync");
    assert!(busy.err.contains("`run` since"), "{busy:?}");
    world.here("shop.example");
    assert_eq!(world.sandbox.dns().queries_of("shop.example"), checks, "it is not due");
    world.done("domains recheck shop.example");
    eventually("it is done", || world.stage("shop.example") == "done 1");
    stop(run);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_at_rest_costs_the_host_nothing() {
    let world = world().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    let run = world.command("run").spawn().unwrap();
    eventually("it is done", || world.stage("shop.example") == "done 1");
    let calls = world.sandbox.closte().calls().len();
    let before = asked(&world);
    eventually("it goes on asking the database", || before + 3 < asked(&world));
    assert_eq!(world.sandbox.closte().calls().len(), calls);
    stop(run);
}

/// How often the database was asked.
fn asked(world: &World) -> u64 {
    let count = world.database.execute("SHOW GLOBAL STATUS LIKE 'Com_select'");
    count.split_whitespace().last().unwrap().parse().unwrap()
}

/// A resident program whose first call to the host hangs.
fn hanging(world: &World) -> Child {
    world.map(1, "shop.example");
    let hang = Fault::new(Act::Hang).on(CallKind::Add).domain("shop.example").once();
    world.sandbox.closte().fault(hang);
    let run = world.command("run").spawn().unwrap();
    eventually("the call hangs", || world.asked() == ["add shop.example"]);
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_within_ten_seconds_even_with_a_call_that_hangs() {
    let world = world().await;
    let run = hanging(&world);
    let (ran, took) = stop(run);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    world.done("domains recheck --all");
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"], "nothing is lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let world = world().await;
    let run = hanging(&world);
    signal(&run, "-TERM");
    // Two of one kind that wait together count once.
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    signal(&run, "-TERM");
    let ran = ended(run, "run");
    assert!(start.elapsed() < Duration::from_secs(3), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reads_wp_config_again_and_keeps_the_old_one_where_the_new_is_bad() {
    let world = world().await;
    let good = world.wp_config();
    world.write_wp_config(&good.replace("s3cr3t", "wr0ng"));
    world.map(1, "shop.example");
    let run = world.command("run").spawn().unwrap();
    eventually("the key is refused", || !world.sandbox.closte().calls().is_empty());
    world.write_wp_config("this is no PHP");
    signal(&run, "-HUP");
    world.write_wp_config(&good);
    signal(&run, "-HUP");
    eventually("the new key is used", || world.aliases() == ["shop.example"]);
    let (ran, _) = stop(run);
    assert!(ran.err.contains("were read again"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_goes_away_ends_nothing() {
    let world = world().await;
    let (server, socket) = (world.database.server.socket(), world.folder.path().join("db.sock"));
    symlink(&server, &socket).unwrap();
    let config = world.wp_config();
    world.write_wp_config(&config.replace(server.to_str().unwrap(), socket.to_str().unwrap()));
    let run = world.command("run").spawn().unwrap();
    eventually("the first pass", || world.run("status").code == 0);
    std::fs::remove_file(&socket).unwrap();
    let ours = "SELECT id FROM information_schema.processlist \
                WHERE db = DATABASE() AND id <> CONNECTION_ID()";
    for id in world.database.execute(ours).split_whitespace() {
        world.database.execute(&format!("KILL {id}"));
    }
    world.map(1, "shop.example");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(world.aliases(), Vec::<String>::new());
    symlink(&server, &socket).unwrap();
    eventually("it goes on", || world.aliases() == ["shop.example"]);
    let (ran, _) = stop(run);
    // A connection that breaks is another failure than one that cannot be made.
    let said = ran.err.matches("could not read the network").count();
    assert!((1..=2).contains(&said), "{ran:?}");
    assert!(ran.err.contains("will retry automatically"), "{ran:?}");
    assert_eq!(ran.err.matches("the network can be read again after").count(), 1, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_whose_tables_are_gone_for_a_while_is_followed_again() {
    let world = world().await;
    let run = world.command("run").spawn().unwrap();
    eventually("the first pass", || world.run("status").code == 0);
    world.database.execute("RENAME TABLE wp_blogs TO elsewhere");
    world.map(1, "shop.example");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(world.aliases(), Vec::<String>::new());
    world.database.execute("RENAME TABLE elsewhere TO wp_blogs");
    eventually("it goes on", || world.aliases() == ["shop.example"]);
    let (ran, _) = stop(run);
    assert_eq!(ran.err.matches("could not read the network").count(), 1, "{ran:?}");
    assert_eq!(ran.err.matches("the network can be read again after").count(), 1, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_tried_again_in_time_however_seldom_the_network_is_asked() {
    let mut world = world().await;
    world.set("run.poll", "1h");
    world.map(1, "shop.example");
    world.here("shop.example");
    let busy = Fault::new(Act::RateLimited { retry_after: Some(RetryAfter::Seconds(2)) })
        .on(CallKind::Add)
        .domain("shop.example")
        .once();
    world.sandbox.closte().fault(busy);
    let run = world.command("run").spawn().unwrap();
    eventually("it is added after all", || world.aliases() == ["shop.example"]);
    let (ran, took) = stop(run);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_closte_is_off_is_logged_once() {
    let world = world().await;
    world.map(1, "shop.example");
    world.done("disable");
    let before = asked(&world);
    let run = world.command("run").spawn().unwrap();
    eventually("it asks the database again and again", || before + 20 < asked(&world));
    world.done("enable");
    eventually("it goes on", || world.aliases() == ["shop.example"]);
    let (ran, _) = stop(run);
    for word in ["the Closte integration is switched off", "switched on again after"] {
        assert_eq!(ran.err.matches(word).count(), 1, "{word}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_wait_for_the_lock() {
    let mut world = world().await;
    world.set("run.poll", "1h");
    let first = world.command("run").spawn().unwrap();
    eventually("the first pass", || world.run("status").code == 0);
    let second = world.command("run").spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let (ran, took) = stop(second);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("waiting for it"), "{ran:?}");
    assert!(took < Duration::from_secs(2), "{took:?}");
    stop(first);
}

/// Start the resident program as systemd does, and see that it says it is ready and alive.
fn started_by_systemd(world: &World) -> Child {
    let path = world.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut command = world.command("run");
    let run = command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "400000").spawn().unwrap();
    let mut notices = String::new();
    while !(notices.contains("READY=1") && notices.contains("WATCHDOG=1")) {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        notices.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
    }
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_is_reported_that_it_is_ready_and_alive() {
    stop(started_by_systemd(&world().await));
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_does_not_wait_for_who_has_the_lock() {
    let world = world().await;
    let first = world.command("run").spawn().unwrap();
    eventually("the first pass", || world.run("status").code == 0);
    let (second, _) = stop(started_by_systemd(&world));
    assert!(second.err.contains("waiting for it"), "{second:?}");
    stop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_prints_settings_that_point_at_it() {
    use std::io::{BufRead, BufReader};
    let mut world = world().await;
    let seed = world.folder.path().join("seed.json");
    std::fs::write(&seed, r#"{"closte":{"aliases":["stranger.example"]}}"#).unwrap();
    let arguments = format!("sandbox --key {} --seed {}", crate::world::KEY, seed.display());
    let mut sandbox = world.command(&arguments).spawn().unwrap();
    let mut settings = Vec::new();
    for line in BufReader::new(sandbox.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let (name, value) = line.strip_prefix("export ").unwrap().split_once('=').unwrap();
        settings.push((name.to_owned(), value.trim_matches('\'').to_owned()));
        if settings.len() == 7 {
            break;
        }
    }
    assert_eq!(settings.len(), 7, "{settings:?}");
    world.settings = settings;
    world.map(1, "shop.example");
    world.done("sync");
    assert_eq!(world.states("shop.example").split(' ').next(), Some("present"));
    assert_eq!(world.json("status")["foreign"], serde_json::json!(["stranger.example"]));
    signal(&sandbox, "-TERM");
    assert_eq!(sandbox.wait().unwrap().code(), Some(0));
}
