//! When the engine that the plugin carries makes passes, and what becomes of those that fail.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::carrying::Carrying;
use crate::pages::PAGE;
use crate::world::{Admin, World, link, now};

const CHANGE: &str = "do_action('wu_add_domain', 'x.example', 1);";

/// What a pure function of the rules returns.
fn rule(world: &World, call: &str) -> Value {
    let code = format!("echo json_encode(Closte_Sync\\Pass_Rules::{call});");
    serde_json::from_str(&world.wordpress.php(&code)).unwrap()
}

#[test]
fn when_a_pass_is_due_and_who_is_silent_is_decided_from_values() {
    let world = World::new();
    for (call, wanted) in [
        ("is_due('1000', 1000)", json!(true)),
        ("is_due('1001', 1000)", json!(false)),
        ("is_due('22600', 1000)", json!(false)),
        ("is_due('44300', 1000)", json!(true)),
        ("is_due(null, 1000)", json!(true)),
        ("is_due('soon', 1000)", json!(true)),
        ("is_due([], 1000)", json!(true)),
        ("pause(0)", json!(60)),
        ("pause(1)", json!(120)),
        ("pause(3)", json!(480)),
        ("pause(4)", json!(900)),
        ("pause(5000)", json!(900)),
        // What a pass was claimed by is no promise of the engine.
        ("promised('2000', ['claimed' => 2000, 'due' => 1500])", json!(1500)),
        ("promised('2100', ['claimed' => 2000, 'due' => 1500])", json!(2100)),
        ("promised(null, ['claimed' => 0, 'due' => 0])", json!(0)),
        ("silent_after(1000, 0, 3600)", json!(4600)),
        ("silent_after(1000, 500, 3600)", json!(4600)),
        ("silent_after(1000, 9000, 3600)", json!(12600)),
        ("silent_after(1000, 99999, 3600)", json!(26200)),
        ("silent_after(0, 1795000000, 3600)", json!(25200)),
    ] {
        assert_eq!(rule(&world, call), wanted, "{call}");
    }
}

#[test]
fn how_changes_start_detached_passes_is_decided_from_values() {
    let world = World::new();
    let detached = |at: i64, since: i64, unheard: i64| {
        format!(
            "['at' => {at}, 'since' => {since}, 'next' => 5000, 'unheard' => {unheard}, 'version' => '']"
        )
    };
    for (it, delay, at, since) in [
        (detached(0, 0, 0), json!(0), 1000, 1000),
        (detached(990, 0, 1), json!(0), 1000, 1000),
        (detached(993, 0, 0), json!(3), 1003, 1003),
        (detached(1000, 900, 0), json!(10), 1010, 900),
        (detached(1003, 900, 0), Value::Null, 1003, 900),
        (detached(99_999, 0, 0), json!(0), 1000, 1000),
        (detached(0, 0, 2), Value::Null, 0, 0),
    ] {
        let found = rule(&world, &format!("start_detached({it}, 1000, 7000)"));
        let found = (&found[0], &found[1]["at"], &found[1]["since"]);
        assert_eq!(found, (&delay, &json!(at), &json!(since)), "{it}");
    }
    let (started, never) = (detached(1000, 1000, 1), detached(900, 0, 1));
    for (it, now, since, unheard) in [
        (&started, "['time' => 1100, 'next' => 5000, 'claimed' => 0, 'heard' => 900]", 1000, 1),
        (&started, "['time' => 1180, 'next' => 5000, 'claimed' => 0, 'heard' => 900]", 0, 2),
        (&started, "['time' => 1180, 'next' => 6000, 'claimed' => 6000, 'heard' => 900]", 0, 2),
        (&started, "['time' => 1180, 'next' => 6000, 'claimed' => 0, 'heard' => 900]", 0, 0),
        (&started, "['time' => 1001, 'next' => 5000, 'claimed' => 0, 'heard' => 1000]", 0, 0),
        (&never, "['time' => 9000, 'next' => 5000, 'claimed' => 0, 'heard' => 0]", 0, 1),
    ] {
        let found = rule(&world, &format!("judge_detached({it}, {now})"));
        let found = (&found["since"], &found["unheard"]);
        assert_eq!(found, (&json!(since), &json!(unheard)), "{it} {now}");
    }
}

/// The time of our event on a site, in seconds from now.
fn event(carrying: &Carrying, site: u64) -> Value {
    let code = format!(
        "switch_to_blog({site}); $at = wp_next_scheduled('closte_sync_pass'); echo json_encode($at ? $at - time() : null);"
    );
    serde_json::from_str(&carrying.world.wordpress.php(&code)).unwrap()
}

#[test]
fn the_cron_of_whichever_site_makes_the_pass_that_is_due() {
    let carrying = Carrying::new();
    carrying.detached("exit;");
    let site = carrying.world.wordpress.create_site("shop.network.example", "/");
    carrying.wait_for_starts(1);
    carrying.forget_starts();
    carrying.due_in(600);
    assert_eq!(carrying.world.cron("shop.network.example").status, 200);
    assert_eq!(carrying.starts().len(), 0, "none is due");
    let at = event(&carrying, site).as_i64().unwrap();
    assert!((500..=600).contains(&at), "{at}");

    carrying.due_in(-1);
    for _ in 0..2 {
        assert_eq!(carrying.world.cron("shop.network.example").status, 200);
    }
    assert_eq!(carrying.starts().len(), 1, "the second one found that none was due");
    for of in [1, site] {
        let at = event(&carrying, of).as_i64().unwrap();
        assert!((800..=900).contains(&at), "{of}: {at}");
    }
    // Nobody has written when: that is no reason never to begin.
    carrying.world.option("closte_sync_next", "''");
    carrying.cron();
    carrying.world.database.execute("DELETE FROM wp_sitemeta WHERE meta_key = 'closte_sync_next'");
    carrying.cron();
    assert_eq!(carrying.starts().len(), 3);
}

#[test]
fn of_two_crons_at_once_one_makes_the_pass() {
    let carrying = Carrying::new();
    carrying.attached("usleep(500000); due_in(900); finish();");
    carrying.due_in(-1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| carrying.world.cron("network.example"));
        }
    });
    assert_eq!(carrying.starts().len(), 1);
    assert!(carrying.next() > 800);
}

#[test]
fn where_nothing_is_to_do_no_visit_asks_the_database_for_anything_of_ours() {
    let carrying = Carrying::new();
    carrying.flag("count-queries");
    let queries =
        || Carrying::lines(carrying.world.wordpress.root().join("wp-content/queries.log"));
    assert_eq!(carrying.world.page("/").status, 200);
    assert_eq!(queries(), [""; 0]);
    carrying.cron();
    assert_eq!(queries().len(), 1, "WP-Cron asks once whether a pass is due: {:?}", queries());
}

#[test]
fn a_switched_off_or_incapable_engine_makes_no_pass() {
    let carrying = Carrying::new();
    carrying.world.call("switch", &json!({"on": false}));
    carrying.due_in(-1);
    carrying.cron();
    carrying.world.wordpress.php(CHANGE);
    assert_eq!(carrying.starts().len(), 0);
    assert!(
        Admin::of(&carrying.world)
            .page(PAGE)
            .body
            .contains("Closte is switched off, so no passes are made.")
    );
}

#[test]
fn a_pass_that_fails_is_told_with_its_words_and_tried_again_later_each_time() {
    let carrying = Carrying::new();
    for (number, (code, words)) in [
        ("fwrite(STDERR, 'error: the key is refused'); exit(2);", "exit code 2 and without a result; it said: error: the key is refused"),
        ("call('hello'); posix_kill(getmypid(), 9);", "ended by signal 9"),
        ("pcntl_signal(SIGTERM, SIG_IGN); while (true) { sleep(1); }", "was stopped"),
        ("fclose(STDIN); fclose(STDOUT); fclose(STDERR); sleep(60);", "was stopped"),
        ("echo \"garbage \\xff\\n{\\\"call\\\": 7}\\n\"; exit(0);", "exit code 0 and without a result; it said: garbage"),
        ("finish(['exit' => 2, 'error' => ['what' => 'the ledger is full', 'hint' => 'make room']]);", "the ledger is full. Make room."),
        ("finish(['exit' => 3]);", "exit code 3"),
    ]
    .into_iter()
    .enumerate()
    {
        carrying.attached(code);
        carrying.due_in(-1);
        let start = Instant::now();
        carrying.cron();
        assert!(start.elapsed() < Duration::from_secs(10), "{code}");
        assert_eq!(carrying.starts().len(), number + 1);
        let runs = carrying.runs();
        assert_eq!(runs["failures"], number + 1, "{runs}");
        let pause = [60, 120, 240, 480, 900, 900, 900][number];
        let next = carrying.next();
        assert!((pause - 15..=pause).contains(&next), "{code}: {next}");
        let notices = carrying.notices();
        assert!(notices.iter().any(|it| it.contains(words)), "{words}: {notices:?}");
        let page = Admin::of(&carrying.world).page(PAGE).body;
        assert!(page.contains("No pass of the engine has succeeded since"), "{page}");
    }
    let health = carrying.world.wordpress.php(
        "wp_set_current_user(1); $it = apply_filters('site_status_tests', ['direct' => []])['direct']['closte_sync_passes']['test'](); \
         echo $it['status'], $it['description'];",
    );
    assert!(health.starts_with("recommended") && health.contains("exit code 3"), "{health}");

    // A busy one is neither.
    carrying.attached("finish(['exit' => 0, 'busy' => true]);");
    carrying.due_in(-1);
    carrying.cron();
    let mut runs = carrying.runs();
    assert_eq!(runs["failures"], 7);
    // What keeps passes from their end is why detached ones are not heard of, too.
    runs["detached"] = json!({"unheard": 2, "version": env!("CARGO_PKG_VERSION")});
    carrying.world.option("closte_sync_runs", &format!("'{runs}'"));
    assert_eq!(carrying.notices().len(), 1);
    carrying.attached("due_in(900); finish();");
    carrying.due_in(-1);
    carrying.cron();
    assert_eq!((&carrying.runs()["failures"], carrying.notices()), (&json!(0), vec![]));
    assert!(carrying.next() > 800);
}

#[test]
fn an_engine_that_nobody_can_end_is_not_waited_for() {
    let carrying = Carrying::new();
    // Such as one that waits for a disk that does not answer.
    let code = "<?php namespace Closte_Sync; function proc_terminate() { return true; }";
    let plugin = carrying.world.wordpress.root().join("wp-content/mu-plugins/unending.php");
    std::fs::write(plugin, code).unwrap();
    carrying.attached("sleep(20);");
    carrying.due_in(-1);
    let start = Instant::now();
    carrying.cron();
    assert!(start.elapsed() < Duration::from_secs(15), "it was waited for");
    assert_eq!((carrying.starts().len(), &carrying.runs()["failures"]), (1, &json!(1)));
}

#[test]
fn what_fails_in_wordpress_itself_is_told() {
    let carrying = Carrying::new();
    let plugin = carrying.world.wordpress.root().join("wp-content/mu-plugins/wrong.php");
    let code = "<?php add_filter('closte_sync_limits', static function () { if (wp_doing_cron()) { no_such_function(); } return []; });";
    std::fs::write(&plugin, code).unwrap();
    carrying.due_in(-1);
    carrying.cron();
    let words = "What happened last: Call to undefined function no_such_function().";
    assert!(carrying.notices().iter().any(|it| it.contains(words)), "{:?}", carrying.notices());
    assert_eq!((&carrying.runs()["failures"], &carrying.runs()["begun"]), (&json!(1), &json!(0)));
    std::fs::remove_file(plugin).unwrap();
    carrying.due_in(-1);
    carrying.cron();
    assert_eq!((carrying.starts().len(), carrying.notices()), (1, vec![]));
}

#[test]
fn a_pass_whose_request_was_ended_counts_unless_the_engine_finished_it() {
    let carrying = Carrying::new();
    carrying.attached("exit(2);");
    let ended = |claimed: i64, next: i64| {
        let runs = json!({"begun": claimed - 60, "claimed": claimed});
        carrying.world.option("closte_sync_runs", &format!("'{runs}'"));
        carrying.world.option("closte_sync_next", &format!("'{next}'"));
        carrying.cron();
        carrying.runs()["failures"].clone()
    };
    let past = i64::try_from(now()).unwrap() - 100;
    assert_eq!(ended(past, past), 2);
    assert!(carrying.next() > 60, "it waits longer");
    assert_eq!(ended(past, past + 50), 1, "it wrote when the next is due");
    carrying.attached("posix_kill(getmypid(), 9);");
    let runs = json!({"begun": past - 7200, "claimed": past, "failures": 3, "since": past - 7200});
    carrying.world.option("closte_sync_runs", &format!("'{runs}'"));
    carrying.world.option("closte_sync_next", &format!("'{past}'"));
    carrying.cron();
    let mails = carrying.mails();
    assert!(mails.len() == 1 && mails[0].2.contains("was ended before the pass was"), "{mails:?}");
}

#[test]
fn a_change_starts_a_pass_that_nobody_waits_for() {
    let carrying = Carrying::new();
    carrying.detached("sleep(3); due_in(900);");
    let start = Instant::now();
    carrying.world.wordpress.php(CHANGE);
    assert!(start.elapsed() < Duration::from_secs(3), "it was waited for");
    let starts = carrying.wait_for_starts(1);
    let url = format!("ledger.url=sqlite://{}/ledger.db", carrying.ledger_folder().display());
    let config = carrying.world.wordpress.root().join("wp-config.php");
    let wanted = json!(["--carried", "--wp-config", config, "--set", url, "sync", "--no-wait"]);
    assert_eq!(starts[0]["arguments"], wanted);
    let at = event(&carrying, 1).as_i64().unwrap();
    assert!((30..=60).contains(&at), "WP-Cron looks what became of it: {at}");
    carrying.wait(|| carrying.next() < 1000);
}

#[test]
fn ten_changes_start_two_passes_at_most() {
    let carrying = Carrying::new();
    for _ in 0..10 {
        carrying.world.wordpress.php(CHANGE);
    }
    let starts = carrying.wait_for_starts(2);
    assert_eq!(starts.len(), 2);
    let arguments = starts.iter().map(|it| it["arguments"].as_array().unwrap());
    let delays: Vec<_> =
        arguments.map(|it| it.iter().skip_while(|it| **it != "--delay").nth(1)).collect();
    let [None, Some(Value::String(delay))] = &delays[..] else { panic!("{delays:?}") };
    assert!((1..=10).contains(&delay.parse::<u32>().unwrap()), "{delay}");
}

#[test]
fn a_change_that_starts_nothing_writes_nothing() {
    let carrying = Carrying::new();
    carrying.detached("exit;");
    for _ in 0..2 {
        carrying.world.wordpress.php(CHANGE);
    }
    carrying.flag("count-queries");
    carrying.world.wordpress.php(CHANGE);
    let queries = Carrying::lines(carrying.world.wordpress.root().join("wp-content/queries.log"));
    let writes: Vec<_> =
        queries.iter().filter(|it| it.starts_with("UPDATE") && it.contains("runs")).collect();
    assert_eq!(writes, [""; 0]);
}

#[test]
fn a_pass_that_cannot_be_written_down_is_not_started() {
    let carrying = Carrying::new();
    carrying.world.break_options();
    _ = carrying.world.wordpress.try_php(CHANGE);
    carrying.world.database.execute("DROP TRIGGER no_INSERT; DROP TRIGGER no_UPDATE");
    assert_eq!(carrying.starts().len(), 0);
    carrying.world.wordpress.php(CHANGE);
    assert_eq!(carrying.wait_for_starts(1).len(), 1);
}

#[test]
fn of_several_networks_the_engine_is_told_which_one_this_is() {
    let carrying = Carrying::new();
    carrying
        .world
        .database
        .execute("INSERT INTO wp_site (domain, path) VALUES ('two.example', '/')");
    carrying.due_in(-1);
    carrying.cron();
    let arguments = carrying.starts()[0]["arguments"].to_string();
    assert!(arguments.contains(r#""--set","network.domain=network.example/""#), "{arguments}");
}

#[test]
fn detached_passes_that_are_not_heard_of_twice_are_given_up_until_somebody_tries_again() {
    let carrying = Carrying::new();
    carrying.detached("exit;");
    // As if the last one had been started long ago.
    let age = || {
        let mut runs = carrying.runs();
        for name in ["at", "since"] {
            let ago = runs["detached"][name].as_i64().unwrap() - 300;
            runs["detached"][name] = json!(ago.max(0));
        }
        carrying.world.option("closte_sync_runs", &format!("'{runs}'"));
        carrying.world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 600");
    };
    for count in 1..=2 {
        carrying.world.wordpress.php(CHANGE);
        carrying.wait_for_starts(count);
        age();
    }
    carrying.world.wordpress.php(CHANGE);
    assert_eq!(carrying.starts().len(), 2, "no third one");
    assert!(carrying.next() <= 0, "the next WP-Cron makes the pass");
    assert!(event(&carrying, 1).as_i64().unwrap() <= 0);
    let told = "Passes that were started after a change were not heard of";
    assert!(carrying.notices().iter().any(|it| it.contains(told)), "{:?}", carrying.notices());
    carrying.cron();
    assert_eq!(carrying.starts().len(), 3, "an attached one");
    carrying.world.wordpress.php(CHANGE);
    assert_eq!(carrying.starts().len(), 3);

    let admin = Admin::of(&carrying.world);
    let page = admin.page(PAGE).body;
    assert!(page.contains(told) && page.contains("Try again"), "{page}");
    carrying.detached("due_in(900);");
    assert_eq!(admin.page(&link(&page, "closte_sync_again")).status, 302);
    carrying.wait_for_starts(4);
    assert_eq!(carrying.notices(), [""; 0]);
}

#[test]
fn a_resident_engine_that_answers_is_left_the_work() {
    let carrying = Carrying::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/nudge", listener.local_addr().unwrap());
    let resident = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        _ = stream.read(&mut [0; 4096]).unwrap();
        stream.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    carrying.world.call("report", &json!({"silence": 3600, "nudge": {"url": url, "file": null}}));
    carrying.world.wordpress.php(CHANGE);
    resident.join().unwrap();
    assert_eq!(carrying.starts().len(), 0);
    // It is gone: the carried one takes over with the next change.
    carrying.world.wordpress.php(CHANGE);
    carrying.wait_for_starts(1);
    // The file of one that listened once says nothing.
    let file = carrying.flag("ledger.db.nudge");
    carrying.world.call("report", &json!({"silence": 3600, "nudge": {"url": null, "file": file}}));
    carrying.world.wordpress.php(CHANGE);
    carrying.wait_for_starts(2);
}

#[test]
fn to_activate_the_plugin_or_to_switch_closte_on_begins_a_pass() {
    let carrying = Carrying::unknown();
    carrying.world.wordpress.deactivate_plugin();
    carrying.forget_starts();
    let activate = "require ABSPATH . 'wp-admin/includes/plugin.php'; well(activate_plugin('closte-sync/closte-sync.php', '', true));";
    carrying.detached("exit;");
    carrying.world.wordpress.php(activate);
    carrying.wait_for_starts(1);
    assert!(carrying.is_able());
    assert!(carrying.next() <= 0, "the next WP-Cron makes one, whatever becomes of that");

    carrying.due_in(3600);
    let switch = |on: u8| {
        format!("update_network_option(1, 'wu_host_integrations_enabled', ['closte' => {on}]);")
    };
    carrying.world.wordpress.php(&switch(0));
    assert_eq!(carrying.starts().len(), 1);
    assert!(carrying.next() > 3000);
    carrying.world.wordpress.php(&switch(1));
    carrying.wait_for_starts(2);
    assert!(carrying.next() <= 0);
}

#[test]
fn a_command_line_of_another_user_leaves_the_engine_to_the_one_who_serves_visitors() {
    let carrying = Carrying::unknown();
    let content = carrying.world.wordpress.root().join("wp-content");
    let others = content.join("uploads");
    std::fs::create_dir_all(&others).unwrap();
    // Who is not root cannot give it away, but another's is at hand.
    let is_given = std::os::unix::fs::chown(&others, Some(65534), None).is_ok();
    let others = if is_given { others } else { "/".into() };
    for (uploads, is_left) in [(&content, false), (&others, true)] {
        let code = format!(
            "<?php add_filter('upload_dir', static fn($it) => ['basedir' => '{}'] + $it);",
            uploads.display()
        );
        std::fs::write(content.join("mu-plugins/uploads.php"), code).unwrap();
        let forget = "DELETE FROM wp_sitemeta WHERE meta_key = 'closte_sync_carried'";
        carrying.world.database.execute(forget);
        carrying.world.wordpress.php("Closte_Sync\\Carried::look();");
        assert_eq!(carrying.is_able(), !is_left);
    }
    carrying.due_in(-1);
    carrying.cron();
    assert_eq!(carrying.starts().len(), 1, "WP-Cron of the web server makes the pass");
}

#[test]
fn to_deactivate_it_ends_passes_and_to_delete_it_leaves_ledger_and_mark_only() {
    let carrying = Carrying::new();
    carrying.world.call("home", &json!({"domain": "network.example", "ledger": "l-1"}));
    carrying.due_in(-1);
    carrying.cron();
    carrying.world.wordpress.php(CHANGE);
    carrying.wait_for_starts(2);
    assert_ne!(event(&carrying, 1), Value::Null);
    let ledger = carrying.ledger_folder().join("ledger.db");
    std::fs::write(&ledger, "").unwrap();
    carrying.world.wordpress.deactivate_plugin();
    assert_eq!(event(&carrying, 1), Value::Null);
    carrying.due_in(-1);
    carrying.cron();
    assert_eq!(carrying.starts().len(), 2);
    carrying.world.wordpress.uninstall_plugin();
    let left = "SELECT meta_key FROM wp_sitemeta WHERE meta_key LIKE 'closte%'";
    assert_eq!(carrying.world.database.execute(left).trim(), "closte_sync_home");
    assert!(ledger.exists());
}

#[test]
fn to_delete_it_while_it_makes_a_pass_leaves_nothing_either() {
    let carrying = Carrying::new();
    carrying.attached("touch(WAITING); while (is_file(WAITING)) { usleep(10000); } finish();");
    let waiting = carrying.world.wordpress.root().join("waiting");
    let script = std::fs::read_to_string(carrying.bin("attached.php")).unwrap();
    let script = script.replace("WAITING", &format!("'{}'", waiting.display()));
    std::fs::write(carrying.bin("attached.php"), script).unwrap();
    carrying.due_in(-1);
    std::thread::scope(|scope| {
        scope.spawn(|| carrying.cron());
        carrying.wait(|| waiting.exists());
        carrying.world.wordpress.deactivate_plugin();
        carrying.world.wordpress.uninstall_plugin();
        std::fs::remove_dir_all(carrying.world.wordpress.plugin_folder()).unwrap();
        std::fs::remove_file(&waiting).unwrap();
    });
    let left = "SELECT meta_key FROM wp_sitemeta WHERE meta_key LIKE 'closte%'";
    assert_eq!(carrying.world.database.execute(left).trim(), "");
}

#[test]
fn a_network_at_rest_is_not_handed_back() {
    let carrying = Carrying::new();
    let mode = || carrying.world.call("hello", &json!({}))["mode"].clone();
    carrying.world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 18000");
    carrying.due_in(3600);
    assert_eq!(mode(), "registry", "it promised to come in an hour");
    carrying.put_engine();
    assert!(!carrying.is_able(), "it was updated, and nobody has looked at it yet");
    assert_eq!(mode(), "registry", "that keeps it from nothing");
    carrying.world.wordpress.php("Closte_Sync\\Carried::look();");
    carrying.due_in(-4000);
    assert_eq!(mode(), "off", "it did not come when due");
    carrying.world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 30000");
    carrying.due_in(3600);
    assert_eq!(mode(), "off", "nobody rests for longer than six hours");
    // A pass that was begun and dies is no promise.
    carrying.world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 18000");
    carrying.due_in(-4000);
    carrying.attached("exit(2);");
    carrying.cron();
    assert!(carrying.next() > 0);
    assert_eq!(mode(), "off");
    // Without an engine that can run here the report alone counts.
    std::fs::remove_file(carrying.bin("closte-sync")).unwrap();
    carrying.due_in(3600);
    assert_eq!(mode(), "off");
}

#[test]
fn wp_cron_that_nobody_calls_is_told_with_the_line_to_add() {
    let carrying = Carrying::new();
    let line =
        "*/5 * * * * curl -fsS -o /dev/null 'http://network.example/wp-cron.php?doing_wp_cron'";
    carrying.due_in(-1000);
    assert_eq!(carrying.notices(), [""; 0]);
    carrying.due_in(-1900);
    assert!(carrying.notices().iter().any(|it| it.contains(line)), "{:?}", carrying.notices());
    let page = Admin::of(&carrying.world).page(PAGE).body;
    assert!(page.contains(&line.replace('\'', "&#039;")), "{page}");
    carrying.cron();
    assert_eq!(carrying.notices(), [""; 0]);

    // WordPress calls it itself, but does not reach itself: that is seen by the second look only.
    let config = carrying.world.wordpress.root().join("wp-config.php");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("'DISABLE_WP_CRON', true", "'DISABLE_WP_CRON', false"))
        .unwrap();
    carrying.due_in(-1900);
    assert_eq!(carrying.notices(), [""; 0]);
    let page = Admin::of(&carrying.world).page(PAGE).body;
    assert!(page.contains("reload this page in a minute"), "{page}");
    assert!(page.contains(&line.replace('\'', "&#039;")), "{page}");
}

#[test]
fn without_a_secret_the_notice_says_what_can_be_done_in_wordpress() {
    let carrying = Carrying::new();
    carrying
        .world
        .database
        .execute("DELETE FROM wp_sitemeta WHERE meta_key = 'closte_sync_secret'");
    assert_eq!(
        carrying.notices(),
        [
            "There is no secret between WordPress and the engine yet. The engine in this plugin makes it with its first pass, which WP-Cron begins within minutes."
        ]
    );
}
