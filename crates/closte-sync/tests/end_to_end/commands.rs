//! The commands around a pass.

use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn status_has_the_shape_that_scripts_rely_on() {
    let world = World::new().await;
    let id = world.map(1, "b.example");
    world.map(1, "a.example");
    world.run("status").fails(2, &["no pass has run yet", "closte-sync sync"]);
    world.done("sync");
    let status = world.json("status");
    let names: Vec<&Value> =
        status["domains"].as_array().unwrap().iter().map(|it| &it["domain"]).collect();
    assert_eq!(names, ["a.example", "b.example"]);
    let domain = world.domain("b.example");
    assert_eq!((&domain["site_id"], &domain["mapping_id"]), (&Value::from(1), &Value::from(id)));
    assert_eq!(domain["stage"], "checking-dns");
    assert_eq!(domain["secure"], false);
    for condition in ["alias", "routing", "certificate"] {
        for field in ["state", "reason", "detail", "since"] {
            assert!(domain[condition].get(field).is_some(), "{condition}.{field}");
        }
    }
    assert!(domain["routing"]["found"].is_array());
    for field in ["issuer", "not_after"] {
        assert!(domain["certificate"].get(field).is_some(), "{field}");
    }
    for field in ["attempts", "last_check", "next_check"] {
        assert!(domain.get(field).is_some(), "{field}");
    }
    let counts = status["counts"].as_object().unwrap();
    assert_eq!(counts.len(), 6);
    assert_eq!(counts["checking-dns"], 2);
    assert!(status["deferred"].is_array() && status["problems"].is_array());
    let well = json!({ "state": "ok", "reason": null, "until": null });
    assert_eq!((&status["host"], &status["acting"]), (&well, &json!(true)));
    assert_eq!(status["why_not"], Value::Null);
    assert_eq!(world.json("domains list")["domains"].as_array().unwrap().len(), 2);
    world.run("domains show nobody.example").fails(1, &["no such domain"]);
    world.run("domains recheck nobody.example").fails(1, &["no such domain"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_is_the_plugins_own_and_other_integrations_are_kept() {
    let world = World::new().await;
    world.option("wu_host_integrations_enabled", "a:2:{s:8:\"runcloud\";b:1;s:6:\"closte\";b:0;}");
    world.map(1, "shop.example");
    let off = world.done("sync");
    assert!(
        off.err.contains("closte-sync enable") && off.err.contains("Hosting or Panel Providers"),
        "{off:?}"
    );
    assert_eq!(world.aliases(), Vec::<String>::new());
    world.done("enable");
    let sql = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'wu_host_integrations_enabled'";
    let stored = world.database.execute(sql);
    assert_eq!(stored.trim(), "a:2:{s:8:\"runcloud\";b:1;s:6:\"closte\";b:1;}");
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
    let off = world.done("disable");
    assert!(off.err.contains("aliases stay"), "{off:?}");
    world.unmap("shop.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
    let status = world.json("status");
    assert_eq!((&status["acting"], &status["why_not"]), (&json!(false), &json!("switched-off")));
    let text = world.done("status").out;
    assert!(text.contains("does not act: ") && text.contains("closte-sync enable`"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_cannot_be_read_is_told_until_enable_mends_it() {
    let world = World::new().await;
    world.map(1, "shop.example");
    for option in ["a:1:{s:5:\"closte\";b:1;}", "on"] {
        world.option("wu_host_integrations_enabled", option);
        world.run("sync").fails(1, &["`wu_host_integrations_enabled`", "closte-sync enable"]);
        assert_eq!(world.json("status")["why_not"], json!("switch-unreadable"));
        world.run("doctor").fails(1, &[]);
        let doctor = world.run("doctor").out;
        assert!(doctor.contains("`wu_host_integrations_enabled`"), "{doctor}");
        assert_eq!(world.aliases(), Vec::<String>::new(), "nobody knows whether it is wanted");
        world.done("enable");
        assert_eq!(world.run("doctor").code, 0);
    }
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn domain_mapping_is_off_until_somebody_switches_it_on() {
    let world = World::new().await;
    world.map(1, "shop.example");
    for settings in ["a:0:{}", "", "b:0;", "a:1:{s:21:\"enable_domain_mapping\";s:1:\"0\";}"] {
        world.option("wp-ultimo_v2_settings", settings);
        let off = world.done("sync");
        assert!(off.err.contains("Enable Domain Mapping"), "{settings}: {off:?}");
    }
    world.database.execute("DELETE FROM wp_sitemeta WHERE meta_key = 'wp-ultimo_v2_settings'");
    let off = world.done("sync");
    assert!(off.err.contains("Domain mapping is switched off"), "{off:?}");
    world.option("wp-ultimo_v2_settings", "a:1:{s:1:\"x\"}");
    world.run("sync").fails(1, &["`wp-ultimo_v2_settings`", "backup"]);
    assert_eq!(world.aliases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_made_after_validation() {
    let world = World::new().await;
    let site = world.site("one.network.example");
    let other = world.site("two.network.example");
    world.done("domains add shop.example --site one.network.example --primary");
    world.done(&format!("domains add *.shop.example --site {site}"));
    world.done(&format!("domains add bücher.example --site {site}"));
    world.done(&format!("domains add second.example --site {site} --primary"));
    let primary =
        world.database.execute("SELECT domain FROM wp_wu_domain_mappings WHERE primary_domain = 1");
    assert_eq!(primary.trim(), "second.example");
    world.run(&format!("domains add shop.example --site {other}")).fails(1, &["mapped to site"]);
    world.run(&format!("domains add www.shop.example --site {other}")).fails(1, &["treats"]);
    world.run("domains add new.example --site 999").fails(1, &["no site `999`"]);
    world.run("domains add new.example --site nobody.example").fails(1, &["no site"]);
    world.run(&format!("domains add network.example --site {site}")).fails(1, &["protected"]);
    world
        .run(&format!("domains add https://x.example --site {site}"))
        .fails(2, &["is not a domain name"]);
    world.done("sync");
    assert_eq!(
        world.aliases(),
        ["*.shop.example", "second.example", "shop.example", "xn--bcher-kva.example"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_networks_interval_is_set_in_the_plugins_range_only() {
    let world = World::new().await;
    world.option("wp-ultimo_v2_settings", "a:1:{s:3:\"key\";s:1:\"v\";}");
    world.done("config set-interval 10s");
    let sql = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'wp-ultimo_v2_settings'";
    let stored = world.database.execute(sql);
    assert!(
        stored.contains("s:3:\"key\";s:1:\"v\"") && stored.contains("dns_check_interval"),
        "{stored}"
    );
    world.run("config set-interval 9s").fails(2, &["between 10 and 300"]);
    world.run("config set-interval 301s").fails(2, &["checks.interval"]);
    world.run("config set-interval soon").fails(2, &["not a duration"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_pass_says_who_is_at_work_and_does_nothing() {
    let world = World::new().await;
    world.map(1, "shop.example");
    let slow = sandbox::closte::Fault::new(sandbox::closte::Act::Hang);
    world.sandbox.closte().fault(slow.on(sandbox::closte::CallKind::Add).once());
    let mut first = world.command("sync").spawn().unwrap();
    world.sandbox.closte().called(2).await;
    let second = world.done("sync --quiet");
    let pid = first.id().to_string();
    assert!(second.err.contains(&format!("(pid {pid}, `sync`")), "{second:?}");
    world.done("status");
    world.done("domains recheck shop.example");
    first.kill().unwrap();
    first.wait().unwrap();
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_works_and_what_does_not() {
    let mut world = World::new().await;
    let checks = |world: &World, code: i32| -> Vec<String> {
        let ran = world.run("doctor --output json");
        assert_eq!(ran.code, code, "{ran:?}");
        let checks = ran.json()["checks"].as_array().unwrap().clone();
        let described = checks.iter().map(|it| {
            format!("{} {}", it["check"].as_str().unwrap(), it["state"].as_str().unwrap())
        });
        described.collect()
    };
    let healthy = checks(&world, 0);
    for check in [
        "wp-config.php",
        "ledger",
        "API key",
        "getdomains",
        "database",
        "rights",
        "switch",
        "stages",
        "home",
        "clock",
        "object cache",
        "resolvers",
        "targets",
    ] {
        assert!(healthy.contains(&format!("{check} ok")), "{check}: {healthy:?}");
    }
    let report = world.done("doctor --report");
    assert!(report.out.contains("Invalid or empty domain"), "{report:?}");
    world.set("checks.resolvers", "127.0.0.1:9");
    assert!(checks(&world, 1).contains(&"resolvers fail".to_owned()));
    world.write_wp_config(&world.wp_config().replace("DB_NAME', '", "DB_NAME', 'no_"));
    assert!(checks(&world, 1).contains(&"database fail".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_shown_with_their_origin_and_without_secrets() {
    let mut world = World::new().await;
    world.set("network.database_url", "mysql://me:hunter2@localhost/db");
    world.set("checks.interval", "5m");
    let shown = world.done("--set log.level=error config show").out;
    assert!(shown.contains("checks.interval = 5m ($CLOSTE_SYNC_CHECKS_INTERVAL)"), "{shown}");
    assert!(shown.contains("log.level = error (flag)"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    world.set("checks.interval", "5s");
    world.run("config check").fails(2, &["below 10 seconds", "hint:"]);
    assert!(world.run("completions bash").code == 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_the_current_folder_counts_only_where_it_is_ours() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new().await;
    let file = world.root().join("closte-sync.toml");
    std::fs::write(&file, "[removal]\nconfirmations = 7\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(world.done("config show").out.contains("removal.confirmations = 7"));
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    let ran = world.done("config show");
    assert!(ran.out.contains("removal.confirmations = 2"), "{ran:?}");
    assert!(ran.err.contains("may be written to by everybody"), "{ran:?}");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(&file, "[closte]\napi_url = 'https://evil.example'\n").unwrap();
    world.run("sync").fails(2, &["`closte.api_url` may not be set in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_pass_prints_nothing_unless_a_person_is_needed() {
    let world = World::new().await;
    world.map(1, "shop.example");
    let ran = world.done("sync --quiet");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    world.map(99, "orphan.example");
    assert!(world.done("sync --quiet").out.contains("orphan.example"));
    assert_eq!(world.done("sync --quiet").out, "", "told once");
}

#[test]
fn the_program_has_no_word_of_planted_faults() {
    let planted = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/src/planted.rs");
    let planted = std::fs::read_to_string(planted).expect("the list of faults");
    let (_, faults) = planted.split_once("pub enum Fault {").expect("the faults");
    let (faults, _) = faults.split_once('}').expect("their end");
    let faults: Vec<_> = faults.split(',').map(str::trim).filter(|it| !it.is_empty()).collect();
    assert!(8 <= faults.len(), "{faults:?}");
    let program = std::fs::read(env!("CARGO_BIN_EXE_closte-sync")).expect("the program");
    let program = String::from_utf8_lossy(&program);
    for word in faults.iter().chain(&["PLANTED"]) {
        assert!(!program.contains(word), "{word} is in the program");
    }
}
