//! Crashes, dead databases, broken files: a clear message, and nothing lost.

use sandbox::closte::{Act, CallKind, Fault};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_intent_and_answer_the_next_pass_finds_out_what_became_of_it() {
    for effect in [false, true] {
        let world = World::new().await;
        world.map(1, "first.example");
        world.done("sync");
        world.map(1, "shop.example");
        let hang = Fault::new(Act::Hang).on(CallKind::Add).domain("shop.example").once();
        world.sandbox.closte().fault(if effect { hang.after_effect() } else { hang });
        let calls = world.sandbox.closte().calls().len();
        let mut pass = world.command("sync").spawn().unwrap();
        world.sandbox.closte().called(calls + 2).await;
        pass.kill().unwrap();
        pass.wait().unwrap();
        assert!(world.states("shop.example").starts_with("adding"), "the intent was written");
        world.done("sync");
        assert_eq!(world.aliases(), ["first.example", "shop.example"], "effect: {effect}");
        assert!(world.states("shop.example").starts_with("present"));
        let adds = world.asked().iter().filter(|it| *it == "add shop.example").count();
        assert_eq!(adds, if effect { 1 } else { 2 });
        world.unmap("shop.example");
        world.pass();
        world.pass();
        assert_eq!(world.aliases(), ["first.example"], "it is ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_that_is_asked_to_stop_finishes_the_call_in_hand() {
    let mut world = World::new().await;
    for i in 0..200 {
        world.map(1, &format!("d{i}.example"));
    }
    world.set("closte.requests_per_second", "20");
    let pass = world.command("sync").spawn().unwrap();
    world.sandbox.closte().called(5).await;
    let pid = pass.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let ran = crate::world::ended(pass, "sync");
    assert_eq!(ran.code, 0, "{ran:?}");
    let added = world.aliases().len();
    assert!(added < 200, "{added}");
    let present = world.json("status")["domains"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["alias"]["state"] == "present")
        .count();
    assert_eq!(present, added, "what was answered was written down");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_long_pass_stays_due() {
    let mut world = World::new().await;
    for i in 0..50 {
        world.map(1, &format!("d{i}.example"));
    }
    world.set("closte.requests_per_second", "10");
    world.set("run.pass_limit", "1s");
    world.done("sync");
    let first = world.aliases().len();
    assert!(0 < first && first < 50, "{first}");
    world.set("closte.requests_per_second", "0");
    world.set("run.pass_limit", "4m");
    world.done("sync");
    assert_eq!(world.aliases().len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_cannot_be_read_is_reported_with_its_cause_and_removes_nothing() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.done("sync");
    let good = world.wp_config();
    let table: [(&str, String, &[&str]); 5] = [
        (
            "down",
            good.replace(&world.database.server.socket().display().to_string(), "/nowhere/socket"),
            &["could not reach the database"],
        ),
        ("password", good.replace("DB_PASSWORD', '", "DB_PASSWORD', 'x"), &["refused"]),
        ("name", good.replace("DB_NAME', '", "DB_NAME', 'no_"), &["no_"]),
        ("prefix", good.replace("'wp_'", "'other_'"), &["other_", "`wp_`"]),
        (
            "unknown",
            good.replace("define('DB_NAME', '", "define('DB_NAME', secret() . '"),
            &["DB_NAME", "only known when PHP runs"],
        ),
    ];
    for (what, text, words) in table {
        world.write_wp_config(&text);
        for _ in 0..3 {
            let ran = world.run("sync");
            ran.fails(2, words);
            assert!(ran.err.contains("hint:"), "{what}: {ran:?}");
        }
    }
    world.write_wp_config(&good);
    world.database.execute("RENAME TABLE wp_wu_domain_mappings TO elsewhere");
    for _ in 0..3 {
        world.run("sync").fails(2, &["wp_wu_domain_mappings"]);
    }
    world.database.execute("RENAME TABLE elsewhere TO wp_wu_domain_mappings");
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wp_config_that_is_none_is_reported() {
    let world = World::new().await;
    let nested = format!("<?php define('DB_NAME', {}1{});", "(".repeat(60_000), ")".repeat(60_000));
    let garbage = "\u{fffd}garbage \0".repeat(100_000);
    let no_key = world.wp_config().replace("CLOSTE_CLIENT_API_KEY", "SOMETHING_ELSE");
    let table: [(&str, &str); 4] = [
        ("hello", "PHP"),
        (&nested, "wp-config.php"),
        (&garbage, "wp-config.php"),
        (&no_key, "CLOSTE_CLIENT_API_KEY"),
    ];
    for (text, word) in table {
        world.write_wp_config(text);
        world.run("sync").fails(2, &[word, "error:", "hint:"]);
    }
    std::fs::remove_file(world.root().join("wp-config.php")).unwrap();
    world.run("sync").fails(2, &["no wp-config.php", "--wp-config"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_cannot_be_used_is_reported_and_nothing_is_sent() {
    let mut world = World::new().await;
    world.map(1, "shop.example");
    let folder = world.folder.path().to_owned();
    let url = |path: &str| format!("sqlite://{}/{path}", folder.display());
    std::fs::write(folder.join("text.db"), "this is no database, and long enough to be read")
        .unwrap();
    let table = [
        (url("text.db"), "could not open the ledger"),
        (url("public_html/ledger.db"), "may not be at"),
        (url("public_html/wp-config.php/ledger.db"), "ledger"),
        ("sqlite:///proc/ledger.db".to_owned(), "could not open the ledger"),
    ];
    for (url, word) in table {
        world.set("ledger.url", &url);
        world.run("sync").fails(2, &[word, "hint:"]);
    }
    assert_eq!(world.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_a_newer_version_is_left_as_it_is() {
    let world = World::new().await;
    world.done("sync");
    let newer = format!(
        "import sqlite3; c = sqlite3.connect('{}'); \
         c.execute(\"INSERT INTO _sqlx_migrations SELECT 99, description, installed_on, success, checksum, execution_time FROM _sqlx_migrations LIMIT 1\"); \
         c.commit()",
        world.ledger().display()
    );
    let status = std::process::Command::new("python3").args(["-c", &newer]).status().unwrap();
    assert!(status.success());
    world.run("sync").fails(2, &["newer closte-sync", "update closte-sync"]);
    world.run("status").fails(2, &["newer closte-sync"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_without_the_right_to_write_is_reported_and_the_rest_goes_on() {
    let world = World::new().await;
    for name in ["a.example", "b.example"] {
        world.map(1, name);
        world.here(name);
    }
    world.done("sync");
    let database = &world.database.name;
    world.database.execute(&format!(
        "UPDATE wp_wu_domain_mappings SET stage = 'checking-dns'; \
         CREATE USER 'reader_{database}'@'%' IDENTIFIED BY 'r'; \
         GRANT SELECT ON {database}.* TO 'reader_{database}'@'%'"
    ));
    let reader = format!(
        "mysql://reader_{database}:r@127.0.0.1:{}/{database}",
        world.database.server.port()
    );
    let ran = world.done(&format!("--set network.database_url={reader} sync"));
    assert!(ran.out.contains("could not write a stage") && ran.out.contains("UPDATE"), "{ran:?}");
    world.done("sync");
    assert_eq!(world.stage("a.example"), "done 1");
}
