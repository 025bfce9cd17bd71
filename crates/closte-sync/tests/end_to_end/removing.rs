//! What goes: aliases of mappings that are gone, and never too many of them.

use crate::world::World;

/// A network with `count` domains that were added and are owned.
async fn with_domains(count: u32) -> World {
    let world = World::new().await;
    world.own_domains(count);
    world
}

fn deferred(world: &World) -> Vec<String> {
    let status = world.json("status");
    let deferred = status["deferred"].as_array().unwrap().iter();
    deferred
        .map(|it| format!("{} {}", it["action"].as_str().unwrap(), it["reason"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_goes_takes_its_alias_with_it_on_the_second_good_read() {
    let world = with_domains(2).await;
    world.unmap("d00.example");
    let first = world.done("sync");
    assert!(first.out.contains("deferred: remove-alias d00.example (mapping-gone)"), "{first:?}");
    assert_eq!(world.aliases().len(), 2);
    assert_eq!(world.reason("d00.example", "alias"), "mapping-gone");
    world.done("sync");
    assert_eq!(world.aliases(), ["d01.example"]);
    let domains = world.json("status")["domains"].as_array().unwrap().len();
    assert_eq!(domains, 1, "what is gone is gone from the list");
    let shown = world.json("domains show d00.example");
    assert_eq!(shown["alias"]["state"], "absent", "and is remembered");
    assert!(shown["events"].as_array().unwrap().len() > 3, "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_mapping_by_command_counts_as_the_first_read() {
    let world = with_domains(2).await;
    world.done("domains remove d00.example");
    assert_eq!(world.stage("d00.example"), "");
    world.done("sync");
    assert_eq!(world.aliases(), ["d01.example"]);
    world.run("domains remove d00.example").fails(1, &["no such domain: `d00.example`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_shown_and_never_touched() {
    let world = World::new().await;
    world.sandbox.closte().insert_alias("stranger.example");
    world.sandbox.closte().insert_alias("known.example");
    world.map(1, "known.example");
    world.done("sync");
    assert_eq!(world.json("status")["foreign"], serde_json::json!(["stranger.example"]));
    assert_eq!(world.asked(), Vec::<String>::new(), "what is there is not asked for");
    world.unmap("known.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["stranger.example"], "seen mapped and present: owned");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(world.aliases(), ["stranger.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_removals_are_deferred_until_a_person_lets_exactly_that_plan_through() {
    let world = with_domains(20).await;
    world.drop_domains(8);
    world.done("sync");
    let braked = world.run("sync");
    braked.fails(
        1,
        &["8 aliases would be removed, more than one pass may", "closte-sync apply HASH"],
    );
    assert_eq!(world.aliases().len(), 20);
    assert_eq!(deferred(&world), vec!["remove-alias brake"; 8]);
    let quiet = world.run("sync --quiet");
    quiet.fails(1, &["attention: 8 aliases"]);
    assert_eq!(quiet.out, "");

    let plan = world.plan_hash();
    assert_eq!(plan, world.plan_hash(), "the same world, the same plan");
    world.run("apply 000000000000").fails(1, &["the plan is not `000000000000`"]);
    world.map(1, "new.example");
    world.run(&format!("apply {plan}")).fails(1, &["the plan is not", "closte-sync plan"]);
    assert_eq!(world.aliases().len(), 20);

    let plan = world.plan_hash();
    world.done(&format!("apply {plan}"));
    assert_eq!(world.aliases().len(), 13);
    world.run(&format!("apply {plan}")).fails(1, &["counts once"]);
    world.done("sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_table_removes_nothing_however_often_it_is_read() {
    let world = with_domains(12).await;
    world.drop_domains(12);
    for _ in 0..4 {
        world.run("sync").fails(1, &["mapped domains fell from 12 to 0 since the last run"]);
    }
    assert_eq!(world.aliases().len(), 12);
    assert_eq!(deferred(&world), vec!["remove-alias doubt"; 12]);
    world.done(&format!("apply {}", world.plan_hash()));
    assert_eq!(world.aliases(), Vec::<String>::new());
    world.done("sync");
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_within_the_brake_go_on_when_the_host_comes_back() {
    let world = with_domains(4).await;
    world.unmap("d00.example");
    world.done("sync");
    world.sandbox.kill(sandbox::Part::Closte);
    world.done("sync");
    world.sandbox.revive(sandbox::Part::Closte);
    assert_eq!(world.aliases().len(), 4);
    world.pass();
    assert_eq!(world.aliases().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_name_is_never_sent_and_never_removed() {
    let mut world = World::new().await;
    for name in ["network.example", "www.network.example", "mine.example", "x.closte.com", "co.uk"]
    {
        world.map(1, name);
    }
    world.set("protected.names", "mine.*");
    world.done("sync");
    assert_eq!(world.asked(), Vec::<String>::new());
    assert_eq!(world.states("mine.example").split(' ').next(), Some("protected"));
    world.sandbox.closte().insert_alias("mine.example");
    world.unmap("mine.example");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(world.aliases(), ["mine.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_bases_of_checkout_forms_are_protected() {
    let world = World::new().await;
    let form = r#"a:1:{i:0;a:2:{s:2:"id";s:1:"a";s:6:"fields";a:1:{i:0;a:2:{s:4:"type";s:8:"site_url";s:17:"available_domains";s:33:"www.Bases.example:8080/
b.example";}}}}"#;
    // As found on real networks: a backslash before each quote.
    let stored = form.replace('"', "\\\\\"");
    world
        .database
        .execute(&format!("INSERT INTO wp_wu_forms (name, settings) VALUES ('f', '{stored}')"));
    world.map(1, "bases.example");
    world.map(1, "b.example");
    world.map(1, "c.example");
    world.done("sync");
    assert_eq!(world.aliases(), ["c.example"]);
}
