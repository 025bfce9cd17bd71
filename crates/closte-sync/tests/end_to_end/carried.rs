//! The program as the plugin carries and starts it: it leaves PHP alone, finds its place without an
//! environment, and shares a secret with the plugin where it may.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};
use serde_json::{Value, json};

use crate::attached::{Plugin, next, well};
use crate::world::{World, ended, exists};

/// What a process has open, each as `socket:[17]`.
fn open_in(process: &str) -> BTreeSet<PathBuf> {
    let all = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    all.filter_map(|it| fs::read_link(it.path()).ok()).collect()
}

/// The value of a line of `/proc/PID/status`.
fn status(process: &str, name: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.trim_start_matches(':').trim().to_owned()
}

/// The session of a process, by the process that leads it.
fn session(process: &str) -> String {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(3).unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_php_stays_open_in_it_and_it_is_in_a_session_of_its_own() {
    let world = World::new().await;
    // Like FPM's listener and a visitor's connection: whoever is started inherits them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (visitor, _other_end) = UnixStream::pair().unwrap();
    fcntl_setfd(&listener, FdFlags::empty()).unwrap();
    fcntl_setfd(&visitor, FdFlags::empty()).unwrap();
    let link = |descriptor: i32| fs::read_link(format!("/proc/self/fd/{descriptor}")).unwrap();
    let php = BTreeSet::from([link(listener.as_raw_fd()), link(visitor.as_raw_fd())]);

    let look = |arguments: &str| {
        let mut plugin = Plugin::starts(&world, arguments);
        let pid = plugin.child.id().to_string();
        assert_eq!(plugin.hears().expect("a call")["call"], "hello");
        let seen = (open_in(&pid), session(&pid), status(&pid, "Umask"));
        plugin.says(&well("hello", &json!({})).unwrap());
        plugin.answers(well);
        (pid, seen)
    };
    let (pid, (open, session, umask)) = look("sync --attached");
    assert!(php.is_subset(&open), "a program inherits them: {open:?}");
    assert_ne!(session, pid);
    assert_ne!(umask, "0077");

    let (pid, (open, session, umask)) = look("--carried sync --attached");
    assert!(php.is_disjoint(&open), "{open:?}");
    assert_eq!((session, umask.as_str()), (pid, "0077"));
}

const SECRET: &str = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_secret'";

#[tokio::test(flavor = "multi_thread")]
async fn at_each_pass_both_sides_get_the_same_secret() {
    let mut world = World::new().await;
    // Nobody answers there.
    world.set("network.url", "http://127.0.0.1:9");
    let file = world.ledger().with_file_name("plugin-secret");
    world.done("sync --no-wait");
    assert!(!exists(&file), "only where the plugin starts it");
    for begin in ["--carried sync --attached", "--carried sync --no-wait --delay 0"] {
        world.option("closte_sync_secret", "another");
        let mut plugin = Plugin::starts(&world, begin);
        if begin.ends_with("attached") {
            plugin.answers(well);
        } else {
            assert!(plugin.child.wait().unwrap().success());
        }
        let ours = fs::read_to_string(&file).unwrap();
        assert_eq!((world.database.execute(SECRET), ours.trim().len()), (ours.clone(), 64));
    }
    assert!(next(&world).is_some(), "the plugin is told when to come again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_leaves_the_secret_alone_and_looks_again_late() {
    let world = World::new().await;
    world.done("sync");
    world.write_wp_config(&world.wp_config().replace("'app1'", "'app2'"));
    world.option("closte_sync_secret", "theirs");
    let mut plugin = Plugin::starts(&world, "--carried sync --attached");
    let end = plugin.answers(well);
    assert_eq!(end["exit"], 1, "{end}");
    assert!(plugin.mailed().contains("this is a copy"), "{}", plugin.mailed());
    assert_eq!(world.database.execute(SECRET), "theirs\n");
    assert!(!exists(&world.ledger().with_file_name("plugin-secret")));
    let next = next(&world).expect("its own plugin asked");
    assert!((21_500..=21_601).contains(&next), "{next}");
}

/// What `where` says, and how it ends.
fn where_in(mut command: Command) -> (i32, Value) {
    let ran = ended(command.spawn().unwrap(), "where");
    (ran.code, ran.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_which_files_are_used_and_makes_none() {
    let world = World::new().await;
    let (home, root) = (world.folder.path(), world.root());
    let settings = home.join(".config/closte-sync/closte-sync.toml");
    fs::create_dir_all(settings.parent().unwrap()).unwrap();
    fs::write(&settings, "log.level = 'error'\n").unwrap();
    fs::write(root.join("closte-sync.toml"), "run.poll = '9s'\n").unwrap();
    let (code, said) = where_in(world.command("where --output json"));
    let ledger = home.canonicalize().unwrap().join("state/closte-sync/ledger.db");
    let want = json!({
        "engine": env!("CARGO_PKG_VERSION"),
        "wp_config": root.join("wp-config.php"),
        "settings": [settings, root.join("closte-sync.toml")],
        "ledger": ledger,
        "ledger_url": format!("sqlite://{}", ledger.display()),
        "problem": null,
        "hint": null,
    });
    assert_eq!((code, said), (0, want));
    assert!(!exists(&home.join("state")), "nothing was made");
    assert_eq!(world.sandbox.closte().calls().len(), 0);
    let text = world.done("where").out;
    assert!(text.contains(&format!("ledger: {}", ledger.display())), "{text}");

    let served = format!("where --output json --set ledger.url=sqlite://{}/l.db", root.display());
    let refused = where_in(world.command(&served));
    fs::write(home.join("file"), "").unwrap();
    let no_folder =
        format!("where --output json --set ledger.url=sqlite://{}/file/l.db", home.display());
    let no_folder = where_in(world.command(&no_folder));
    let no_wp_config = where_in(world.command("where --output json --wp-config /nowhere.php"));
    let bad_setting = where_in(world.command("where --output json --set checks.interval=soon"));
    for ((code, said), words) in [
        (refused, "a web server shows what is in"),
        (no_folder, "/file"),
        (no_wp_config, "/nowhere.php"),
        (bad_setting, "`checks.interval` is `soon`"),
    ] {
        assert_eq!(code, 1, "{said}");
        assert!(said["problem"].as_str().unwrap().contains(words), "{said}");
        assert!(said["hint"].is_string(), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_home_the_password_file_says_where_that_is() {
    let world = World::new().await;
    let mut command = world.command("--carried where --output json");
    command.env_clear().env("PATH", "/usr/bin:/bin");
    let (_, said) = where_in(command);
    let uid = rustix::process::geteuid().as_raw().to_string();
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    let mut accounts = accounts.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let account = accounts.find(|it| it[2] == uid).expect("we are somebody");
    let home = Path::new(account[5]).canonicalize().unwrap();
    assert_eq!(said["ledger"], json!(home.join(".local/state/closte-sync/ledger.db")), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_pass_waits_first() {
    let world = World::new().await;
    let start = std::time::Instant::now();
    world.done("sync --no-wait --delay 2");
    assert!(2 <= start.elapsed().as_secs());
}
