//! Changes are reported to the engine, and a dead one keeps nobody waiting.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::world::{SECRET, World, now, signature};

/// An engine's listener; it runs as long as the process.
struct Engine {
    url: String,
    nudges: Receiver<String>,
}

impl Engine {
    fn answering(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/nudge", listener.local_addr().unwrap());
        let (sender, nudges) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&mut stream.unwrap(), status, &sender);
            }
        });
        Self { url, nudges }
    }

    /// What the nudges since the last time were about, each signed correctly.
    fn heard(&self) -> Vec<String> {
        self.nudges.try_iter().map(|request| what(&request)).collect()
    }
}

/// Passed on before it is answered, so that the test finds it after its request.
fn answer(stream: &mut TcpStream, status: &str, sender: &Sender<String>) {
    let (mut request, mut part) = (String::new(), [0; 4096]);
    while !request.contains("\r\n\r\n{") || !request.ends_with('}') {
        let read = stream.read(&mut part).unwrap();
        assert_ne!(read, 0, "{request}");
        request.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    _ = sender.send(request);
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    stream.write_all(answer.as_bytes()).unwrap();
}

fn what(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/nudge HTTP/1."), "{head}");
    let header = |name: &str| {
        let find = |line: &str| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        head.lines().find_map(find).unwrap_or_else(|| panic!("no {name}: {head}"))
    };
    let (time, nonce) = (header("X-Closte-Sync-Time"), header("X-Closte-Sync-Nonce"));
    assert!(time.parse::<u64>().unwrap().abs_diff(now()) < 60, "{head}");
    let right = signature(SECRET, "to-engine", "/v1/nudge", body, &time, &nonce);
    assert_eq!(header("X-Closte-Sync-Signature"), right);
    let body: Value = serde_json::from_str(body).unwrap();
    body["what"].as_str().unwrap().to_owned()
}

fn report(world: &World, url: Option<&str>, file: Option<&str>) {
    world.call("report", &json!({"silence": 3600, "nudge": {"url": url, "file": file}}));
}

const CHANGE: &str = "do_action('wu_add_domain', 'x.example', 1);";

#[test]
fn each_change_is_reported_once_a_request() {
    let (world, engine) = (World::new(), Engine::answering("202 Accepted"));
    report(&world, Some(&engine.url), None);
    let id = world.map("shop.example", "checking-dns");
    let tell = |code: &str| {
        world.wordpress.php(code);
        engine.heard()
    };
    assert_eq!(tell("echo 1;"), [""; 0]);
    assert_eq!(tell(CHANGE), ["domain"]);
    assert_eq!(tell("do_action('wu_remove_domain', 'x.example', 1);"), ["domain"]);
    assert_eq!(tell(&format!("{CHANGE} {CHANGE} wu_get_domain({id})->save();")), ["domain"]);
    assert_eq!(tell(&format!("wu_get_domain({id})->save();")), ["domain"]);
    assert_eq!(tell(&format!("wu_get_domain({id})->delete();")), ["domain"]);
    assert_eq!(tell("update_network_option(1, 'wp-ultimo_v2_settings', []);"), ["settings"]);
    let switches = "update_network_option(1, 'wu_host_integrations_enabled', ['closte' => 1]);";
    assert_eq!(tell(switches), ["settings"]);
    world.map("again.example", "failed");
    assert_eq!(tell("Closte_Sync\\Rechecks::add('again.example');"), ["recheck"]);

    let site = world.wordpress.create_site("shop.network.example", "/");
    assert_eq!(engine.heard(), ["site"]);
    assert_eq!(tell(&format!("update_blog_status({site}, 'archived', 1);")), ["site"]);
    assert_eq!(tell(&format!("switch_to_blog({site}); wpmu_update_blogs_date();")), [""; 0]);
    world.wordpress.drop_site(site);
    assert_eq!(engine.heard(), ["site"]);
}

#[test]
fn what_the_engine_itself_wrote_is_not_reported() {
    let (world, engine) = (World::new(), Engine::answering("202 Accepted"));
    report(&world, Some(&engine.url), None);
    let id = world.map("shop.example", "checking-dns");
    let write =
        json!({"writes": [{"id": id, "from": "checking-dns", "to": "done", "secure": true}]});
    assert_eq!(world.call("stages", &write)["results"][0]["result"], "done");
    world.call("switch", &json!({"on": false}));
    world.call("home", &json!({"domain": "network.example", "ledger": "l-1"}));
    assert_eq!(engine.heard(), [""; 0]);
}

#[test]
fn a_dead_engine_is_tried_once_and_then_left_alone_for_longer_each_time() {
    let world = World::new();
    // It accepts connections, and never answers.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    dead.set_nonblocking(true).unwrap();
    let tries = || {
        let tries: Vec<_> = std::iter::from_fn(|| match dead.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            accepted => Some(accepted.unwrap()),
        })
        .collect();
        tries.len()
    };
    report(&world, Some(&format!("http://{}/v1/nudge", dead.local_addr().unwrap())), None);
    let pause = || {
        let state = world.read_option("closte_sync_nudge");
        (state["failures"].clone(), state["until"].as_u64().unwrap().saturating_sub(now()))
    };
    world.wordpress.php(CHANGE);
    assert_eq!(tries(), 1);
    let (failures, seconds) = pause();
    assert!(failures == 1 && (40..=60).contains(&seconds), "{failures} {seconds}");
    for _ in 0..3 {
        world.wordpress.php(CHANGE);
    }
    assert_eq!(tries(), 0, "it is left alone");

    let wait = |failures: u32| {
        let state = format!("a:2:{{s:8:\"failures\";i:{failures};s:5:\"until\";i:1000;}}");
        world.option("closte_sync_nudge", &format!("'{state}'"));
        world.wordpress.php(CHANGE);
        assert_eq!(tries(), 1);
        pause().1
    };
    for (failures, longest) in [(1, 120), (3, 480), (4, 900), (1000, 900)] {
        let seconds = wait(failures);
        assert!((longest - 20..=longest).contains(&seconds), "{failures}: {seconds}");
    }

    world.option("closte_sync_nudge", "''");
    world.option("closte_sync_heard", "1000");
    world.wordpress.php(CHANGE);
    assert_eq!(tries(), 0, "one that is silent is not asked");
}

#[test]
fn to_connect_takes_no_longer_than_a_second_either() {
    let (world, engine) = (World::new(), Engine::answering("202 Accepted"));
    report(&world, Some(&engine.url), None);
    let code = "add_action('requests-requests.before_request', function ($url, $headers, $data, $type, $options) { \
        echo $options['timeout'], ' ', $options['connect_timeout']; }, 20, 5);";
    // What is echoed after the page is lost, except in a script.
    assert_eq!(world.wordpress.php(&format!("{code} {CHANGE}")), "1 1");
    let other = "wp_remote_get('http://127.0.0.1:9/');";
    assert_eq!(world.wordpress.php(&format!("{code} {other}")), "5 10", "others are left alone");
}

#[test]
fn what_is_no_success_counts_as_dead_until_it_is_one() {
    let (world, failing) = (World::new(), Engine::answering("500 Internal Server Error"));
    report(&world, Some(&failing.url), None);
    world.wordpress.php(CHANGE);
    world.wordpress.php(CHANGE);
    assert_eq!(failing.heard(), ["domain"]);
    assert_eq!(world.read_option("closte_sync_nudge")["error"], "HTTP 500");

    let engine = Engine::answering("202 Accepted");
    report(&world, Some(&engine.url), None);
    world.option("closte_sync_nudge", "'a:2:{s:8:\"failures\";i:5;s:5:\"until\";i:1000;}'");
    world.wordpress.php(CHANGE);
    assert_eq!(engine.heard(), ["domain"]);
    assert_eq!(world.read_option("closte_sync_nudge"), json!([]));
}

#[test]
fn on_the_same_machine_a_file_is_touched_instead_and_never_made() {
    let (world, engine) = (World::new(), Engine::answering("202 Accepted"));
    let path = world.wordpress.root().join("ledger.db.nudge");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
    report(&world, Some(&engine.url), path.to_str());
    world.wordpress.php(CHANGE);
    assert!(!path.exists());
    assert_eq!(engine.heard(), ["domain"], "there is no file");

    File::create(&path).unwrap().set_modified(long_ago).unwrap();
    world.wordpress.php(CHANGE);
    assert_eq!(engine.heard(), [""; 0]);
    assert_ne!(path.metadata().unwrap().modified().unwrap(), long_ago);
    // A file costs nothing, so it is touched for an engine that does not report too.
    File::create(&path).unwrap().set_modified(long_ago).unwrap();
    world.option("closte_sync_heard", "1000");
    world.wordpress.php(CHANGE);
    assert_ne!(path.metadata().unwrap().modified().unwrap(), long_ago);
}
