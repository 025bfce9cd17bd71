//! Copies, other networks, lost ledgers: who may act, and for whom.

use std::path::Path;
use std::time::Duration;

use sandbox::closte::{CallKind, Fault};
use serde_json::{Value, json};

use crate::world::{World, ended, exists};

/// `closte_sync_home` as it is in the database.
fn home(world: &World) -> String {
    let sql = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'";
    world.database.execute(sql).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_write_says_who_acts_for_the_network() {
    let world = World::new().await;
    world.done("sync --dry-run");
    assert_eq!(home(&world), "");
    world.done("sync");
    let home = home(&world);
    assert!(home.contains("app1") && home.contains("network.example"), "{home}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_sends_and_writes_nothing_until_it_is_reported_to_act() {
    let mut world = World::new().await;
    world.done("sync");
    let staging = world.wp_config().replace("'app1'", "'app2'");
    world.write_wp_config(&staging);
    world.set("ledger.url", &format!("sqlite://{}/other/ledger.db", world.folder.path().display()));
    world.map(1, "shop.example");
    world.here("shop.example");
    let before = world.database.execute("SELECT * FROM wp_sitemeta");
    world.run("sync").fails(1, &["this is a copy", "closte-sync enable --here"]);
    let alert = &world.run("sync --output json").json()["alerts"][0];
    assert_eq!((&alert["code"], &alert["domain"]), (&json!("copy"), &Value::Null));
    assert!(alert["text"].as_str().unwrap().starts_with("this is a copy"), "{alert}");
    assert!(alert["hint"].as_str().unwrap().contains("enable --here"), "{alert}");
    let status = world.json("status");
    assert_eq!((&status["acting"], &status["why_not"]), (&json!(false), &json!("copy")));
    let text = world.done("status").out;
    assert!(text.contains("does not act: this is a copy"), "{text}");
    world.run("domains add new.example --site 1").fails(1, &["copy"]);
    world.run("domains remove shop.example").fails(1, &["copy"]);
    world.run("enable").fails(1, &["copy"]);
    world.run("disable").fails(1, &["copy"]);
    world.run("config set-interval 10s").fails(1, &["copy"]);
    world.done("plan");
    assert_eq!(world.asked(), Vec::<String>::new());
    assert_eq!(world.stage("shop.example"), "checking-dns 0");
    assert_eq!(world.database.execute("SELECT * FROM wp_sitemeta"), before);
    world.done("enable --here");
    assert_eq!(world.json("status")["acting"], true);
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
    assert!(home(&world).contains("app2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_removes_nothing_that_the_new_one_does_not_own() {
    let world = World::new().await;
    for name in ["kept.example", "gone.example"] {
        world.map(1, name);
    }
    world.done("sync");
    let place = world.ledger().parent().unwrap().to_owned();
    std::fs::remove_dir_all(place).unwrap();
    world.unmap("gone.example");
    for _ in 0..3 {
        world.run("sync").fails(1, &["another ledger", "closte-sync enable --here"]);
    }
    let ran = world.done("enable --here");
    assert!(ran.err.contains("owns no aliases"), "{ran:?}");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(world.aliases(), ["gone.example", "kept.example"]);
    assert_eq!(world.json("status")["foreign"], serde_json::json!(["gone.example"]));
    world.unmap("kept.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["gone.example"], "what it saw mapped and present it owns");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_ledger_that_is_put_back_acts_for_nobody() {
    let world = World::new().await;
    world.map(1, "early.example");
    world.done("sync");
    let place = world.ledger().parent().unwrap().to_owned();
    let backup = world.folder.path().join("backup");
    copy_files(&place, &backup);
    world.map(1, "late.example");
    world.done("sync");
    let mark = home(&world);
    assert!(mark.contains("s:6:\"serial\";i:2;"), "{mark}");
    assert!(mark.contains(&world.ledger().display().to_string()), "{mark}");
    std::fs::remove_dir_all(&place).unwrap();
    copy_files(&backup, &place);
    world.unmap("early.example");
    for _ in 0..3 {
        world.run("sync").fails(1, &["an old one was put back"]);
    }
    assert_eq!(world.json("status")["why_not"], "copy");
    let doctor = world.run("doctor");
    assert!(doctor.out.contains("an old one was put back"), "{doctor:?}");
    assert_eq!(home(&world), mark);
    world.run("enable --here").fails(1, &["1 alias will stay", "nothing was changed"]);
    assert_eq!(home(&world), mark);
    let ran = world.done("enable --here --yes");
    assert!(ran.err.contains("1 alias stays"), "{ran:?}");
    assert!(home(&world).contains("s:6:\"serial\";i:3;"), "{}", home(&world));
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["late.example"]);
}

fn copy_files(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

const BACKUP: &str = "CREATE TABLE old_mappings AS SELECT * FROM wp_wu_domain_mappings; \
    CREATE TABLE old_meta AS SELECT * FROM wp_sitemeta";
const RESTORE: &str = "DELETE FROM wp_wu_domain_mappings; \
    INSERT INTO wp_wu_domain_mappings SELECT * FROM old_mappings; \
    DELETE FROM wp_sitemeta; INSERT INTO wp_sitemeta SELECT * FROM old_meta";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_lacks_that_was_put_back_stays_until_a_person_lets_it_go() {
    let world = World::new().await;
    world.map(1, "early.example");
    world.map(1, "other.example");
    world.done("sync");
    world.database.execute(BACKUP);
    world.map(1, "back.example");
    world.map(1, "late.example");
    world.done("sync");
    world.database.execute(RESTORE);
    let ran = world.run("sync --output json");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.json()["alerts"][0]["code"], "database-restored");
    world.unmap("other.example");
    for _ in 0..3 {
        world.run("sync").fails(1, &["was put back", "2 aliases"]);
    }
    assert_eq!(world.aliases(), ["back.example", "early.example", "late.example"]);
    assert!(world.done("domains show late.example").out.contains("database-restored"));
    world.map(1, "back.example");
    world.run("sync").fails(1, &["the mappings of 1 alias"]);
    world.done(&format!("apply {}", world.plan_hash()));
    assert_eq!(world.aliases(), ["back.example", "early.example"]);
    world.done("sync");
    assert_eq!(world.json("status")["acting"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_put_back_is_told_whoever_is_said_to_act_meanwhile() {
    for rename in [false, true] {
        let world = World::new().await;
        world.map(1, "early.example");
        world.done("sync");
        world.database.execute(BACKUP);
        world.map(1, "late.example");
        world.done("sync");
        world.database.execute(RESTORE);
        if rename {
            world.database.execute("UPDATE wp_site SET domain = 'renamed.example'");
            world.write_wp_config(&world.wp_config().replace("network.example", "renamed.example"));
            world.run("sync").fails(1, &["this is a copy"]);
        }
        let ran = world.done("enable --here --yes");
        assert!(ran.err.contains("2 aliases stay"), "{ran:?}");
        for _ in 0..3 {
            world.run("sync").fails(1, &["was put back", "1 alias"]);
        }
        assert_eq!(world.aliases(), ["early.example", "late.example"], "{rename}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_database_lacks_that_was_put_back_stays_also_where_something_else_kept_it_first() {
    let mut world = World::new().await;
    world.map(1, "early.example");
    world.done("sync");
    world.database.execute(BACKUP);
    world.map(1, "late.example");
    world.done("sync");
    world.set("removal.policy", "add-only");
    world.database.execute(RESTORE);
    world.run("sync").fails(1, &["was put back", "1 alias"]);
    world.set("removal.policy", "sync");
    for _ in 0..3 {
        world.run("sync").fails(1, &["was put back", "1 alias"]);
    }
    assert_eq!(world.aliases(), ["early.example", "late.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_once_another_installation_acts() {
    let world = World::new().await;
    world.own_domains(6);
    world.drop_domains(2);
    world.done("sync");
    let slow = Fault::slow(Duration::from_millis(1500)).on(CallKind::List).once();
    world.sandbox.closte().fault(slow);
    let asked = world.sandbox.closte().calls().len();
    let pass = world.command("sync").spawn().unwrap();
    while world.sandbox.closte().calls().len() == asked {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let other = in_home(&home(&world), "ledger", "another");
    world.database.execute(&format!(
        "UPDATE wp_sitemeta SET meta_value = '{other}' WHERE meta_key = 'closte_sync_home'"
    ));
    ended(pass, "sync").fails(1, &["another ledger"]);
    assert_eq!(world.aliases().len(), 6);
}

/// A home with another text in one of its fields.
fn in_home(home: &str, field: &str, text: &str) -> String {
    let head = format!("s:{}:\"{field}\";s:", field.len());
    let (before, rest) = home.split_once(&head).unwrap();
    let (_, rest) = rest.split_once(";s:").unwrap();
    format!("{before}{head}{}:\"{text}\";s:{rest}", text.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_ledger_is_told_also_right_after_an_alias_was_given_up() {
    let world = World::new().await;
    world.own_domains(4);
    world.unmap("d00.example");
    world.done("sync");
    let place = world.ledger().parent().unwrap().to_owned();
    let backup = world.folder.path().join("backup");
    copy_files(&place, &backup);
    world.done("domains keep d00.example");
    std::fs::remove_dir_all(&place).unwrap();
    copy_files(&backup, &place);
    for _ in 0..3 {
        world.run("sync").fails(1, &["an old one was put back"]);
    }
    assert_eq!(world.aliases().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_network_keeps_its_aliases_and_another_app_drops_them() {
    let world = World::new().await;
    for name in ["kept.example", "gone.example"] {
        world.map(1, name);
    }
    world.done("sync");
    let app2 = world.wp_config().replace("'app1'", "'app2'");
    world.write_wp_config(&app2);
    world.run("sync").fails(1, &["this is a copy"]);
    let ran = world.run("enable --here");
    ran.fails(1, &["2 aliases will be dropped", "nothing was changed"]);
    world.done("enable --here --yes");
    world.unmap("gone.example");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(world.aliases(), ["gone.example", "kept.example"], "they are another app's");

    world.database.execute("UPDATE wp_site SET domain = 'renamed.example'");
    world.write_wp_config(&app2.replace("network.example", "renamed.example"));
    world.run("sync").fails(1, &["this is a copy"]);
    world.run("enable --here").fails(1, &["1 alias will stay"]);
    world.done("enable --here --yes");
    world.unmap("kept.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["gone.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_prefix_in_the_same_database_removes_nothing() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.done("sync");
    world.database.create_network("wp2_", testkit::mariadb::Stages::Now);
    world.database.create_main_site("wp2_");
    world.database.execute(
        "INSERT INTO wp2_sitemeta (site_id, meta_key, meta_value) \
         VALUES (1, 'wu_host_integrations_enabled', 'a:1:{s:6:\"closte\";b:1;}'), \
         (1, 'wp-ultimo_v2_settings', 'a:1:{s:21:\"enable_domain_mapping\";b:1;}')",
    );
    world.write_wp_config(&world.wp_config().replace("'wp_'", "'wp2_'"));
    for _ in 0..3 {
        world.run("sync").fails(1, &["another network (table prefix `wp_` → `wp2_`)"]);
    }
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_and_a_plan_leave_no_trace() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    let before = world.database.execute("SELECT * FROM wp_sitemeta, wp_wu_domain_mappings");
    let dry = world.json("sync --dry-run");
    assert_eq!(dry["changes"][0]["action"], "add-alias");
    assert_eq!(dry["changes"][0]["domain"], "shop.example");
    assert_eq!(world.json("plan")["changes"][0]["action"], "add-alias");
    assert_eq!(world.asked(), Vec::<String>::new());
    assert_eq!(world.sandbox.web().connections(), 0);
    assert_eq!(world.sandbox.dns().queries().len(), 0);
    assert!(!exists(&world.ledger()));
    assert_eq!(world.database.execute("SELECT * FROM wp_sitemeta, wp_wu_domain_mappings"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_as_no_read() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.done("sync");
    world.unmap("shop.example");
    for _ in 0..3 {
        world.done("sync --dry-run");
        world.done("plan");
    }
    world.done("sync");
    assert_eq!(world.aliases(), ["shop.example"]);
}
