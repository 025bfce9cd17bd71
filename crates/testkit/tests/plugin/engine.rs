//! What the engine reports and asks for besides stages: reports, rechecks, home, switch.

use serde_json::{Value, json};

use crate::world::{Call, World};

#[test]
fn a_report_is_kept_and_its_lines_reach_the_log() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    let gone = world.map("gone.example", "checking-dns");
    let answer = world.call(
        "report",
        &json!({
            "engine": "0.1.0", "at": 1_795_000_000, "silence": 60, "panel": "https://panel.example/",
            "nudge": {"url": "http://127.0.0.1:9/v1/nudge", "file": null},
            "alerts": ["An alert"], "problems": ["A problem"], "counts": {"done": 12},
            "domains": {
                id.to_string(): {"domain": "shop.example", "person": true, "text": "DNS points elsewhere", "next": 1},
                gone.to_string(): {"domain": "gone.example", "person": true, "text": "Gone", "next": null},
            },
            "log": ["one line", "another line"],
        }),
    );
    assert_eq!(answer, json!({}));
    assert_eq!(world.wordpress.log("integration-closte"), ["one line", "another line"]);
    let report = world.kept("closte_sync_report");
    assert_eq!((&report["silence"], &report["counts"]), (&json!(60), &json!({"done": 12})));
    assert_eq!(world.kept("closte_sync_domains").as_object().unwrap().len(), 2);

    world.call("report", &json!({"engine": "0.1.0"}));
    assert_eq!(world.kept("closte_sync_domains").as_object().unwrap().len(), 2);
    let one = json!({"domain": "shop.example", "person": false});
    world.call("report", &json!({"engine": "0.1.0", "domains": {id.to_string(): one}}));
    let domains = world.kept("closte_sync_domains");
    assert_eq!(domains, json!({id.to_string(): one}), "a new report replaces the old one");
    assert_eq!(world.kept("closte_sync_report")["silence"], 3600);
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn a_report_is_kept_in_a_table_of_any_charset_and_in_bounds() {
    let world = World::new();
    world.database.execute("ALTER TABLE wp_sitemeta CONVERT TO CHARACTER SET latin1");
    let text = "\u{1f512} \u{448}";
    let long = text.repeat(1000);
    let domains = json!({"41": {"domain": "shop.example", "person": true, "text": text}});
    world.call(
        "report",
        &json!({"alerts": vec![text; 60], "problems": [7, long], "domains": domains}),
    );
    let report = world.kept("closte_sync_report");
    assert_eq!(report["alerts"], json!(vec![text; 50]));
    let problem = report["problems"][0].as_str().unwrap();
    assert_eq!((problem.chars().count(), long.starts_with(problem)), (500, true));
    assert_eq!(world.kept("closte_sync_domains"), domains);
    let shown = world.wordpress.php("echo Closte_Sync\\Engine::domains()[41]['text'];");
    assert_eq!(shown, text);
}

#[test]
fn only_what_the_engine_does_for_the_network_is_a_sign_of_life() {
    let world = World::new();
    let heard = || world.wordpress.php("echo Closte_Sync\\Engine::heard_at();") != "0";
    let home = json!({"domain": "network.example", "ledger": "l-1"});
    for (call, asked) in [
        ("hello", json!({"take": true})),
        ("network", json!({"known": null})),
        ("home", home),
        ("switch", json!({"on": true})),
    ] {
        world.call(call, &asked);
        assert!(!heard(), "{call}");
    }
    assert_eq!(world.call("hello", &json!({}))["mode"], "off");
    for (call, asked) in [("stages", json!({"writes": []})), ("report", json!({}))] {
        world.option("closte_sync_heard", "0");
        world.call(call, &asked);
        assert!(heard(), "{call}");
    }
    assert_eq!(world.call("hello", &json!({}))["mode"], "registry");
}

#[test]
fn a_home_moves_on_only_from_the_ledger_and_the_serial_that_it_replaces() {
    let world = World::new();
    world.wordpress.keep_object_cache();
    let mark = |ledger: &str, serial: u64, over: Value| {
        let asked = json!({"domain": "network.example", "ledger": ledger, "serial": serial,
            "host": "cluster", "user": "app1", "path": "/home/l.db", "replace": true, "over": over});
        let home = world.call("home", &asked)["home"].clone();
        let network = world.call("network", &json!({"known": null}));
        assert_eq!((&network["home"], &network["keeps_serial"]), (&home, &json!(true)));
        home
    };
    let over = |ledger: &str, serial: Value| json!({"ledger": ledger, "serial": serial});
    assert_eq!(mark("l-1", 1, over("l-1", json!(0))), Value::Null, "none is there");
    world.call("home", &json!({"domain": "network.example", "ledger": "l-1"}));
    let first = mark("l-1", 1, over("l-1", Value::Null));
    assert_eq!((&first["serial"], &first["path"]), (&json!(1), &json!("/home/l.db")), "none is 0");
    assert_eq!(mark("l-1", 2, over("l-1", json!(0))), first, "another serial");
    assert_eq!(mark("l-1", 2, over("l-2", json!(1))), first, "another ledger");
    assert_eq!(mark("l-1", 2, over("l-1", json!(1)))["serial"], 2);
}

#[test]
fn what_is_not_stored_is_not_answered_as_if_it_were() {
    let world = World::new();
    world.break_options();
    for (call, asked) in [
        ("report", json!({"log": ["a line"]})),
        ("home", json!({"domain": "network.example", "ledger": "l-1"})),
        ("home", json!({"domain": "network.example", "ledger": "l-1", "replace": true})),
        ("switch", json!({"on": false})),
    ] {
        let refused = world.refused(&Call::signed(call, &asked));
        assert_eq!(refused, (503, "closte_sync_not_stored".to_owned()), "{call}");
    }
    assert_eq!(world.wordpress.php("echo Closte_Sync\\Engine::heard_at();"), "0");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn what_a_cache_says_is_not_there_is_forgotten_only_when_something_new_comes() {
    let world = World::new();
    world.wordpress.keep_object_cache();
    let none = "get_network_option(1, 'closte_none'); \
        $known = fn () => isset(wp_cache_get('1:notoptions', 'site-options')['closte_none']);";
    let code = format!(
        "{none} foreach ([1, 2] as $value) {{ \
         var_dump(Closte_Sync\\Network_Options::write('closte_new', $value), $known()); {none} }} \
         echo get_network_option(1, 'closte_new');"
    );
    let said = "bool(true)\nbool(false)\nbool(true)\nbool(true)\n2";
    assert_eq!(world.wordpress.php(&code), said);
}

#[test]
fn a_report_of_rubbish_breaks_nothing() {
    let world = World::new();
    for body in [
        json!({"silence": -1, "nudge": 7, "alerts": "x", "counts": [1], "domains": [3], "log": [[]]}),
        json!({"panel": {}, "engine": 1, "domains": "no"}),
        json!([]),
    ] {
        world.call("report", &body);
        assert_eq!(world.page("/").status, 200);
    }
    assert_eq!(world.refused(&Call::signed("report", &json!(7))).0, 400);
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn what_a_person_wants_checked_is_handed_over_once() {
    let world = World::new();
    world.map("shop.example", "failed");
    let add =
        "Closte_Sync\\Rechecks::add('shop.example'); Closte_Sync\\Rechecks::add('shop.example');";
    world.wordpress.php(add);
    for _ in 0..2 {
        assert_eq!(world.call("hello", &json!({}))["rechecks"], json!(["shop.example"]));
    }
    let take = json!({"take": true});
    assert_eq!(world.call("hello", &take)["rechecks"], json!(["shop.example"]));
    assert_eq!(world.call("hello", &take)["rechecks"], json!([]));
    let many = "for ($at = 0; $at < 1000; $at++) { $GLOBALS['wpdb']->insert('wp_sitemeta', \
        ['site_id' => 1, 'meta_key' => 'closte_sync_recheck', 'meta_value' => \"$at.example\"]); } \
        var_dump(Closte_Sync\\Rechecks::add('more.example'));";
    assert_eq!(world.wordpress.php(many), "bool(false)\n");
    let rechecks = world.call("hello", &json!({}))["rechecks"].clone();
    assert_eq!(rechecks.as_array().unwrap().len(), 1000);
}

#[test]
fn the_first_home_counts_unless_it_is_replaced() {
    let world = World::new();
    let home = |domain: &str, replace: bool| {
        let asked = json!({"app": null, "domain": domain, "ledger": "l-1", "replace": replace});
        world.call("home", &asked)["home"]["domain"].clone()
    };
    world.wordpress.keep_object_cache();
    assert_eq!(world.read_option("closte_sync_home"), json!(null));
    assert_eq!(home("network.example", false), "network.example");
    assert_eq!(world.read_option("closte_sync_home")["domain"], "network.example");
    assert_eq!(home("copy.example", false), "network.example");
    assert_eq!(world.read_option("closte_sync_home")["domain"], "network.example");
    assert_eq!(home("copy.example", true), "copy.example");
    assert_eq!(
        world.read_option("closte_sync_home")["domain"],
        "copy.example",
        "no cache is stale"
    );
    let stored =
        "SELECT COUNT(*), MAX(meta_value) FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'";
    assert_eq!(
        world.database.execute(stored),
        "1\ta:7:{s:3:\"app\";N;s:6:\"domain\";s:12:\"copy.example\";s:6:\"ledger\";s:3:\"l-1\";\
         s:6:\"serial\";N;s:4:\"host\";s:0:\"\";s:4:\"user\";s:0:\"\";s:4:\"path\";s:0:\"\";}\n"
    );
    assert_eq!(world.refused(&Call::signed("home", &json!({"domain": "x"}))).0, 400);
}

#[test]
fn the_switch_is_turned_and_the_others_are_kept() {
    let world = World::new();
    world.wordpress.keep_object_cache();
    let stored = "a:2:{s:6:\"cpanel\";b:1;s:6:\"closte\";b:0;}";
    world.option("wu_host_integrations_enabled", &format!("'{stored}'"));
    world.wordpress.php("get_network_option(1, 'wu_host_integrations_enabled');");
    world.option("wu_host_integrations_enabled", &format!("'{}'", stored.replace("b:0", "b:1")));
    let turn = |on: bool| world.call("switch", &json!({"on": on}))["changed"].clone();
    // The cache says that it is off, the table that it is on.
    assert_eq!((turn(true), turn(false), turn(false)), (json!(false), json!(true), json!(false)));
    assert_eq!(
        world.read_option("wu_host_integrations_enabled"),
        json!({"cpanel": true, "closte": false})
    );
    assert_eq!(world.call("hello", &json!({}))["mode"], "off");
    world.option("wu_host_integrations_enabled", "'rubbish'");
    assert_eq!(turn(true), json!(true), "what nobody can read is written anew");
    assert_eq!(world.read_option("wu_host_integrations_enabled"), json!({"closte": true}));
    assert_eq!(world.refused(&Call::signed("switch", &json!({"on": "yes"}))).0, 400);
}
