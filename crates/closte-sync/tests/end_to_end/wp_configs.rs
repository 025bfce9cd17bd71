//! wp-config.php files that say less than is needed, or more.

use serde_json::Value;

use crate::world::World;

/// The mark of the installation that acts.
const HOME: &str = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'";

/// What `doctor` says of one thing.
fn doctor(world: &World, check: &str) -> (String, String) {
    let checks = world.run("doctor --output json").json()["checks"].clone();
    let checks = checks.as_array().unwrap().clone();
    let found = checks.into_iter().find(|it| it["check"] == check).unwrap_or_default();
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("detail"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_does_not_tell_a_setting_tells_and_the_hint_names_it() {
    let mut world = World::new().await;
    world.map(1, "shop.example");
    let plain = world.wp_config();
    world.write_wp_config(&plain.replace("= 'wp_';", "= trim(fgets(STDIN));"));
    let ran = world.run("sync");
    ran.fails(2, &["`$table_prefix` is only known when PHP runs", "`network.table_prefix`"]);
    assert!(ran.err.contains("line 6: function call `fgets`"), "{ran:?}");
    world.set("network.table_prefix", "wp_");
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
    world.set("network.table_prefix", "wp-x");
    world.run("sync").fails(2, &["network.table_prefix", "letters, digits and underscores"]);

    world.set("network.table_prefix", "");
    let sql = "INSERT INTO wp_site (id, domain, path) VALUES (2, 'other.example', '/')";
    world.database.execute(sql);
    let several = plain
        .replace("'network.example'", "strrev('x')")
        .replace("ID_CURRENT_SITE', 1", "ID_CURRENT_SITE', rand(1, 2)");
    world.write_wp_config(&several);
    world.run("sync").fails(
        2,
        &[
            "which is ours: `DOMAIN_CURRENT_SITE` is only known when PHP runs (line 10: function call",
            "`SITE_ID_CURRENT_SITE` is only known when PHP runs (line 11: function call `rand`), in `",
            "`network.domain`",
        ],
    );
    world.set("network.domain", "nope.example");
    let hint = "set `network.domain` to one of them";
    world
        .run("sync")
        .fails(2, &["no network at `nope.example`", "`network.example/`, `other.example/`", hint]);
    world.set("network.domain", "network.example");
    world.done("sync");
    world
        .database
        .execute("UPDATE wp_site SET domain = 'network.example', path = '/two/' WHERE id = 2");
    world.run("sync").fails(2, &["`network.example/`, `network.example/two/`", hint]);
    world.set("network.domain", "network.example/");
    world.done("sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_only_php_knows_is_not_none() {
    let mut world = World::new().await;
    world.map(1, "shop.example");
    world.done("sync");
    let home = world.database.execute(HOME);
    let plain = world.wp_config();
    world.write_wp_config(&plain.replace("'app1'", "fgets(STDIN)"));
    for command in ["sync", "enable --here", "plan"] {
        world.run(command).fails(
            2,
            &[
                "`CLOSTE_APP_ID` is only known when PHP runs (line 13: function call `fgets`), in `",
                "hint: define it as a plain text in wp-config.php, or set `closte.app_id`",
            ],
        );
    }
    let (_, detail) = doctor(&world, "wp-config.php");
    assert!(detail.contains("`CLOSTE_APP_ID` is only known"), "{detail}");
    assert_eq!(world.database.execute(HOME), home);
    world.set("closte.app_id", "app1");
    world.done("sync");
    assert_eq!(world.database.execute(HOME), home);
    world.write_wp_config(&plain);
    world.set("closte.app_id", "app2");
    world.run("sync").fails(1, &["this is `network.example` (CLOSTE_APP_ID app2)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_none_costs_only_itself() {
    let mut world = World::new().await;
    world.set("checks.targets", "");
    world.sandbox.dns().remove("network.example");
    world.map(1, "shop.example");
    world.here("shop.example");
    let text =
        world.wp_config() + "define('CLOSTE_PUBLIC_IP_ADDRESS', '192.0.2.7, oops 127.0.0.1');\n";
    world.write_wp_config(&text);
    let ran = world.done("sync");
    assert!(ran.out.contains("holds `oops`, which is not an IP address"), "{ran:?}");
    assert_eq!(world.states("shop.example"), "present here valid");
    let targets = world.json("status")["targets"]["addresses"].clone();
    assert_eq!(targets, Value::from(["127.0.0.1", "192.0.2.7"].map(str::to_owned).to_vec()));
    let (state, detail) = doctor(&world, "targets");
    assert!(state == "warn" && detail.contains("oops"), "{state}: {detail}");

    world.write_wp_config(&text.replace("'192.0.2.7, oops 127.0.0.1'", "fgets(STDIN)"));
    let unknown = "`CLOSTE_PUBLIC_IP_ADDRESS` is only known when PHP runs (line 15: function call `fgets`), in `";
    let ran = world.run("sync");
    assert!(ran.out.contains(unknown) && ran.out.contains("`checks.targets`"), "{ran:?}");
    let none = "and no address in CLOSTE_PUBLIC_IP_ADDRESS is known";
    let (state, detail) = doctor(&world, "targets");
    assert!(state == "fail" && detail.contains(unknown) && detail.contains(none), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_says_what_the_disk_decided_and_what_could_not_be_followed() {
    let world = World::new().await;
    let (here, gone) = (world.root().join("inc.php"), world.root().join("gone.php"));
    let more = format!(
        "if (file_exists('{}')) {{ include_once '{}'; }}\nif (!file_exists('{}')) {{ require $x; }}\n",
        here.display(),
        here.display(),
        gone.display(),
    );
    let text = world.wp_config().replacen("<?php\n", &format!("<?php\n{more}"), 1);
    world.write_wp_config(&text);
    std::fs::write(&here, "<?php // nothing\n").unwrap();
    let (state, detail) = doctor(&world, "wp-config.php");
    assert_eq!(state, "ok");
    for part in [
        format!("file_exists('{}') is so (line 2)", here.display()),
        format!("file_exists('{}') is not so (line 3)", gone.display()),
        "line 3: `$x` is read, and its path is only known when PHP runs".to_owned(),
    ] {
        assert!(detail.contains(&part), "{part}: {detail}");
    }
    world.done("sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_known_is_told_and_a_secret_in_a_path_is_not() {
    let world = World::new().await;
    let more = "define('WP_CONTENT_DIR', md5(1));\nif (file_exists('/none/' . DB_PASSWORD)) {}\n";
    world.write_wp_config(
        &(world.wp_config().replace("require_once", &format!("{more}require_once"))),
    );
    let ran = world.done("sync");
    assert!(ran.out.contains("`WP_CONTENT_DIR` is only known when PHP runs (line "), "{ran:?}");
    let (state, detail) = doctor(&world, "db.php");
    assert!(state == "warn" && detail.contains("`network.database_url`"), "{state}: {detail}");
    let (_, detail) = doctor(&world, "wp-config.php");
    assert!(detail.contains("file_exists('/none/[secret]') is not so"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cdn_that_is_not_known_is_told_as_its_name_is_not_protected() {
    let world = World::new().await;
    for (value, told) in [
        ("md5('x')", "`CLOSTE_CDN_HOSTNAME` is only known when PHP runs (line "),
        ("'no host!'", "is not a domain"),
        ("''", ""),
        ("'cdn.example'", ""),
    ] {
        let line = format!("define('CLOSTE_CDN_HOSTNAME', {value});\nrequire_once");
        world.write_wp_config(&world.wp_config().replace("require_once", &line));
        let ran = world.done("sync");
        let is_told = ran.out.contains("problem: ") && ran.out.contains("`protected.names`");
        assert_eq!(is_told, !told.is_empty(), "{value}: {ran:?}");
        assert!(ran.out.contains(told), "{value}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_database_layer_is_told_and_sqlite_is_never_missed_for_a_mysql_left_behind() {
    let mut world = World::new().await;
    world.map(1, "shop.example");
    let content = world.root().join("wp-content");
    world.write_wp_config(&world.wp_config());
    std::fs::write(content.join("db.php"), "<?php // Plugin Name: HyperDB").unwrap();
    let ran = world.done("sync");
    assert!(ran.out.contains("problem: `") && ran.out.contains("(HyperDB)"), "{ran:?}");
    let (state, detail) = doctor(&world, "db.php");
    assert!(state == "warn" && detail.contains("`network.database_url`"), "{state}: {detail}");

    let integration = "<?php define( 'SQLITE_DB_DROPIN_VERSION', '2.1.11' );";
    std::fs::write(content.join("db.php"), integration).unwrap();
    world.run("sync").fails(2, &["wp-content/database/.ht.sqlite"]);
    world.set("network.database_url", &world.database.url());
    world.done("sync");
    assert_eq!(doctor(&world, "db.php"), (String::new(), String::new()), "it is set");
}

#[tokio::test(flavor = "multi_thread")]
async fn that_wordpress_maps_nothing_is_told_where_it_is_known() {
    let world = World::new().await;
    world.map(1, "shop.example");
    let (config, content) = (world.wp_config(), world.root().join("wp-content"));
    let sunrise = "define('SUNRISE', true);\n";
    let with = |line: &str| {
        world.write_wp_config(&config.replace(sunrise, line));
        std::fs::remove_file(content.join("sunrise.php")).unwrap();
    };
    let quiet = (String::new(), String::new());
    for (line, told) in [
        ("", "`SUNRISE` is not defined"),
        ("define('SUNRISE', false);\n", "`SUNRISE` is not true"),
        (sunrise, "sunrise.php` is missing"),
        ("define('SUNRISE', 'on');\n", "sunrise.php` is missing"),
        ("define('SUNRISE', some_function());\n", "sunrise.php` is missing"),
        ("define('WP_CONTENT_DIR', md5(1));\ndefine('SUNRISE', 1);\n", ""),
    ] {
        with(line);
        let ran = world.done("sync");
        let (state, detail) = doctor(&world, "SUNRISE");
        if told.is_empty() {
            assert!(!ran.out.contains("maps no domain"), "{line}: {ran:?}");
            assert_eq!((state, detail), quiet, "{line}");
        } else {
            assert!(ran.out.contains("problem: `") && ran.out.contains(told), "{line}: {ran:?}");
            assert!(state == "warn" && detail.contains(told), "{line}: {state} {detail}");
        }
    }
    world.write_wp_config(&config);
    assert_eq!(doctor(&world, "SUNRISE"), quiet);
    assert!(!world.done("sync").out.contains("problem"));
}
