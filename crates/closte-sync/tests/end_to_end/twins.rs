//! `www` twins: aliases of their own, followed and shown under their parents, and gone with them.

use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::running::{eventually, stop};
use crate::world::World;

/// Three passes, each after everything was made due: a twin is met, checked, and added.
fn three_passes(world: &World) {
    world.done("sync");
    for _ in 0..2 {
        world.pass();
    }
}

/// A network with `shop.example` that is served, and whose twin leads here too.
async fn with_a_twin() -> World {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    world.here("www.shop.example");
    three_passes(&world);
    assert_eq!(world.aliases(), ["shop.example", "www.shop.example"]);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_is_added_once_its_dns_is_here_and_has_no_row_and_no_stage() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.map(1, "a.sub.example");
    world.here("shop.example");
    world.here("www.a.sub.example");
    world.elsewhere("www.shop.example");
    three_passes(&world);
    assert_eq!(world.aliases(), ["a.sub.example", "shop.example"]);
    let shown = world.json("domains show www.shop.example");
    assert_eq!((&shown["twin_of"], &shown["owned_as"]), (&json!("shop.example"), &json!(null)));
    assert_eq!(shown["routing"]["reason"], "other-address");
    assert_eq!(world.json("status")["domains"].as_array().unwrap().len(), 2, "nobody waits for it");

    world.here("www.shop.example");
    world.pass();
    let plan = world.json("plan");
    assert_eq!(plan["changes"][0]["domain"], "www.shop.example", "{plan:#}");
    assert_eq!(plan["changes"][0]["detail"], "twin of shop.example", "{plan:#}");
    let ran = world.pass();
    let told = "add-alias www.shop.example: done (twin of shop.example)";
    assert!(ran.out.contains(told), "{ran:?}");
    world.pass();
    assert_eq!(world.aliases(), ["a.sub.example", "shop.example", "www.shop.example"]);
    let twin = world.domain("www.shop.example");
    assert_eq!(twin["twin_of"], "shop.example");
    assert_eq!(world.domain("shop.example")["twin_of"], json!(null));
    let nothing = [&twin["stage"], &twin["mapping_id"], &twin["site_id"], &twin["secure"]];
    assert_eq!(nothing, [&json!(null); 4]);
    assert_eq!(world.states("www.shop.example"), "present here valid");
    assert_eq!(twin["owned_as"], "added");
    let rows = world.database.execute("SELECT count(*) FROM wp_wu_domain_mappings");
    assert_eq!(rows.trim(), "2", "WordPress has no row of it");
    assert_eq!(world.json("status")["counts"]["done"], 1);
    let list = world.done("domains list").out;
    let lines: Vec<&str> = list.lines().map(str::trim_end).collect();
    let place = lines.iter().position(|line| line.trim().starts_with("shop.example")).unwrap();
    assert!(lines[place + 1].trim().starts_with("www.shop.example  twin"), "{list}");
    let show = world.done("domains show www.shop.example").out;
    assert!(show.contains("mapping       none, twin of shop.example"), "{show}");
    let show = world.done("domains show shop.example").out;
    let twin = "twin          www.shop.example: alias present, routing here, certificate valid";
    assert!(show.contains(twin), "{show}");
    let shown = world.json("domains show shop.example");
    assert_eq!(shown["twin"]["domain"], "www.shop.example", "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_twin_of_a_mapped_www_name_is_the_apex() {
    let world = World::new().await;
    world.map(1, "www.shop.example");
    for name in ["shop.example", "www.shop.example"] {
        world.here(name);
    }
    three_passes(&world);
    assert_eq!(world.aliases(), ["shop.example", "www.shop.example"]);
    assert_eq!(world.domain("shop.example")["twin_of"], "www.shop.example");
    assert_eq!(world.stage("www.shop.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_goes_with_its_parent_and_not_before() {
    let world = with_a_twin().await;
    world.elsewhere("www.shop.example");
    three_passes(&world);
    assert_eq!(world.states("www.shop.example"), "present elsewhere unknown");
    assert_eq!(world.json("status")["deferred"], json!([]));

    world.unmap("shop.example");
    let first = world.done("sync");
    for name in ["shop.example", "www.shop.example"] {
        let deferred = format!("deferred: remove-alias {name} (mapping-gone)");
        assert!(first.out.contains(&deferred), "{first:?}");
    }
    world.done("sync");
    assert_eq!(world.aliases(), Vec::<String>::new());
    assert_eq!(world.json("status")["domains"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_parent_by_command_counts_as_the_first_read_of_both() {
    let world = with_a_twin().await;
    world.done("domains remove shop.example");
    world.done("sync");
    assert_eq!(world.aliases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_that_was_at_the_host_before_us_is_shown_and_left() {
    let world = World::new().await;
    world.sandbox.closte().insert_alias("www.shop.example");
    world.map(1, "shop.example");
    world.here("shop.example");
    world.here("www.shop.example");
    three_passes(&world);
    let twin = world.domain("www.shop.example");
    assert_eq!((&twin["owned_as"], &twin["twin_of"]), (&json!(null), &json!("shop.example")));
    assert_eq!(world.json("status")["foreign"], json!(["www.shop.example"]));
    world.unmap("shop.example");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(world.aliases(), ["www.shop.example"]);
    assert_eq!(world.asked(), ["add shop.example", "remove shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_of_its_own_wins_and_once_that_goes_it_is_a_twin_again() {
    let world = with_a_twin().await;
    world.map(1, "www.shop.example");
    world.pass();
    let own = world.domain("www.shop.example");
    assert_eq!((&own["twin_of"], &own["owned_as"]), (&json!(null), &json!("added")));
    assert_eq!(world.stage("www.shop.example"), "done 1");
    world.unmap("www.shop.example");
    three_passes(&world);
    let twin = world.domain("www.shop.example");
    assert_eq!((&twin["twin_of"], &twin["owned_as"]), (&json!("shop.example"), &json!("added")));
    assert_eq!(world.aliases(), ["shop.example", "www.shop.example"]);
    assert_eq!(world.asked(), ["add shop.example", "add www.shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn set_to_never_it_adds_none_and_those_that_were_added_go_with_their_parents() {
    let mut world = with_a_twin().await;
    world.set("domains.www", "never");
    world.map(1, "other.example");
    world.here("other.example");
    world.here("www.other.example");
    three_passes(&world);
    assert_eq!(world.aliases(), ["other.example", "shop.example", "www.shop.example"]);
    assert_eq!(world.states("www.shop.example"), "present here valid");
    let doctor = world.run("doctor").out;
    assert!(doctor.contains("www twins: not added, as `domains.www` is never"), "{doctor}");
    world.unmap("shop.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["other.example"]);
    world.set("domains.www", "always");
    world
        .run("sync")
        .fails(2, &["`domains.www` is `always`", "never, as-wordpress, when-dns-ready"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_wordpress_says_they_are_added_of_primary_domains_only() {
    let mut world = World::new().await;
    world.set("domains.www", "as-wordpress");
    world.option(
        "wp-ultimo_v2_settings",
        "a:2:{s:21:\"enable_domain_mapping\";s:1:\"1\";\
         s:25:\"auto_create_www_subdomain\";s:9:\"main_only\";}",
    );
    for name in ["main.example", "second.example"] {
        world.map(1, name);
        world.here(name);
        world.here(&format!("www.{name}"));
    }
    let sql = "UPDATE wp_wu_domain_mappings SET primary_domain = 1 WHERE domain = 'main.example'";
    world.database.execute(sql);
    three_passes(&world);
    assert_eq!(world.aliases(), ["main.example", "second.example", "www.main.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_counts_once_for_the_brake() {
    let world = World::new().await;
    for place in 0..5 {
        world.map(1, &format!("d{place}.example"));
        world.here(&format!("www.d{place}.example"));
    }
    three_passes(&world);
    assert_eq!(world.aliases().len(), 10);
    for name in ["d0.example", "d1.example", "d2.example"] {
        world.unmap(name);
    }
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases().len(), 4, "three pairs, as three names would");
    world.unmap("d3.example");
    world.done("sync");
    let braked = world.run("sync");
    braked.fails(1, &["2 aliases would be removed"]);
    assert_eq!(world.aliases().len(), 4);
    world.done(&format!("apply {}", world.plan_hash()));
    assert_eq!(world.aliases(), ["d4.example", "www.d4.example"]);
}

/// Make the ledger what the version before twins left.
async fn as_of_before(world: &World) {
    let url = format!("sqlite://{}", world.ledger().display());
    let mut ledger = SqliteConnection::connect(&url).await.unwrap();
    let sql = "DROP INDEX entries_by_check; ALTER TABLE entries DROP COLUMN twin; \
        CREATE INDEX entries_by_check ON entries (next_check) WHERE mapping_id IS NOT NULL; \
        UPDATE meta SET value = json_remove(value, '$.www', '$.www_told') WHERE key = 'network'; \
        DELETE FROM entries WHERE mapping_id IS NULL; \
        DROP TABLE outbox; DROP TABLE receivers; \
        DELETE FROM _sqlx_migrations WHERE version >= 5";
    sqlx::raw_sql(sql).execute(&mut ledger).await.unwrap();
    ledger.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_of_before_adds_none_and_says_so_once_until_the_setting_says_otherwise() {
    let mut world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    world.done("sync");
    as_of_before(&world).await;
    world.here("www.shop.example");
    let told = "`www` twins of mapped domains are not added";
    let first = world.done("sync");
    assert!(first.out.contains(told) && first.out.contains("`domains.www`"), "{first:?}");
    assert!(world.done("status").out.contains(told));
    for _ in 0..3 {
        let ran = world.pass();
        assert!(!ran.out.contains(told), "{ran:?}");
    }
    assert!(!world.done("status").out.contains(told), "once");
    let doctor = world.run("doctor").out;
    assert!(doctor.contains("not added, as an older closte-sync made the ledger"), "{doctor}");
    assert_eq!(world.aliases(), ["shop.example"]);
    world.set("domains.www", "when-dns-ready");
    three_passes(&world);
    assert_eq!(world.aliases(), ["shop.example", "www.shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_program_adds_a_twin_and_removes_it_by_itself() {
    let mut world = World::new().await;
    world.set("run.poll", "1s");
    world.set("removal.confirmations", "1");
    world.set("checks.interval", "10s");
    for name in ["shop.example", "www.shop.example"] {
        world.here(name);
    }
    let run = world.command("run").spawn().unwrap();
    eventually("the first pass", || world.run("status").code == 0);
    world.map(1, "shop.example");
    eventually("it is done", || world.stage("shop.example") == "done 1");
    // A nudge for the next pass, which else comes within a minute.
    world.map(1, "other.example");
    eventually("its twin is added", || world.aliases().contains(&"www.shop.example".to_owned()));
    world.unmap("shop.example");
    eventually("both are gone", || world.aliases() == ["other.example"]);
    let (ran, _) = stop(run);
    assert_eq!(ran.code, 0, "{ran:?}");
}
