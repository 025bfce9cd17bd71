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
async fn in_its_grace_an_alias_stays_and_a_mapping_that_comes_back_keeps_it() {
    let mut world = with_domains(4).await;
    world.set("removal.grace", "1s");
    world.unmap("d00.example");
    world.done("sync");
    let begun = world.done("sync");
    assert!(begun.out.contains("remove-alias d00.example (grace)"), "{begun:?}");
    assert_eq!(world.reason("d00.example", "alias"), "grace");
    world.map(1, "d00.example");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    world.done("sync");
    assert_eq!(world.aliases().len(), 4);
    world.unmap("d00.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases().len(), 4, "another grace");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    world.done("sync");
    assert_eq!(world.aliases(), ["d01.example", "d02.example", "d03.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_whose_removal_waits_can_be_given_up_and_taken_back() {
    let world = with_domains(3).await;
    world.unmap("d00.example");
    world.run("domains keep d01.example").fails(1, &["is mapped"]);
    world.run("domains keep other.example").fails(1, &["no such domain"]);
    world.done("sync");
    world.done("domains keep d00.example");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!(world.aliases().len(), 3, "it is somebody else's now");
    let unmanaged = world.json("domains list --unmanaged");
    assert_eq!(unmanaged, serde_json::json!({"unmanaged": ["d00.example"], "more": 0}));
    assert_eq!(world.done("domains list --unmanaged").out.trim(), "d00.example");

    world.run("domains adopt other.example --yes").fails(1, &["is not at the host"]);
    world.run("domains adopt network.example --yes").fails(1, &["is protected"]);
    world
        .run("domains adopt d00.example")
        .fails(1, &["1 of them have none", "nothing was changed"]);
    world.done("domains adopt d00.example --yes");
    world.done("sync");
    assert_eq!(world.aliases().len(), 3);
    world.done("sync");
    assert_eq!(world.aliases(), ["d01.example", "d02.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_policy_add_only_nothing_is_removed() {
    let mut world = with_domains(3).await;
    world.set("removal.policy", "add-only");
    world.unmap("d00.example");
    for _ in 0..3 {
        world.done("sync");
    }
    assert_eq!((world.aliases().len(), deferred(&world)), (3, vec![]));
    assert_eq!(world.reason("d00.example", "alias"), "add-only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_is_moved_to_another_site_and_keeps_its_alias() {
    let world = with_domains(2).await;
    let site = world.site("other.network.example");
    world.run("domains move d00.example --site 99").fails(1, &["no site `99`"]);
    world.run("domains move none.example --site 1").fails(1, &["no such domain"]);
    world.map(1, "www.d00.example");
    world.run(&format!("domains move d00.example --site {site}")).fails(1, &["mapped to site 1"]);
    world.unmap("www.d00.example");
    let moved = world.done("domains move d00.example --site other.network.example");
    assert!(moved.err.contains(&format!("leads to site {site} now")), "{moved:?}");
    let asked = world.asked().len();
    world.done("sync");
    assert_eq!(world.domain("d00.example")["site_id"], site);
    assert_eq!((world.aliases().len(), world.asked().len()), (2, asked));
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
        &["8 aliases would be removed, more than one hour may", "closte-sync apply HASH"],
    );
    assert_eq!(world.aliases().len(), 20);
    assert_eq!(deferred(&world), vec!["remove-alias brake"; 8]);
    let quiet = world.run("sync --quiet");
    quiet.fails(1, &["attention: 8 aliases"]);
    assert_eq!(quiet.out, "");

    let plan = world.plan_hash();
    world.run("sync").fails(1, &["would be removed"]);
    assert_eq!(plan, world.plan_hash(), "the same is deferred, the same plan");
    world.run("apply 000000000000").fails(1, &["the plan is not `000000000000`"]);
    world.unmap("d19.example");
    world.run(&format!("apply {plan}")).fails(1, &["the plan is not", "closte-sync plan"]);
    assert_eq!(world.aliases().len(), 20);

    let plan = world.plan_hash();
    world.map(1, "new.example");
    world.done(&format!("apply {plan}"));
    assert_eq!(world.aliases().len(), 11, "what it defers, and no addition");
    world.run(&format!("apply {plan}")).fails(1, &["was applied before, and is done"]);
    world.done("sync");
    assert_eq!(world.aliases().len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_removals_another_time_are_another_plan() {
    let world = with_domains(20).await;
    let mut hashes = Vec::new();
    for _ in 0..2 {
        world.drop_domains(8);
        hashes.push(world.plan_hash());
        world.done("sync");
        world.run("sync").fails(1, &["would be removed"]);
        world.done(&format!("apply {}", hashes.last().unwrap()));
        assert_eq!(world.aliases().len(), 12);
        world.own_domains(20);
    }
    assert_ne!(hashes[0], hashes[1]);
    world.run(&format!("apply {}", hashes[0])).fails(1, &["the plan is not"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_removes_no_more_than_the_brake_allows_and_the_rest_says_when_it_goes() {
    let world = with_domains(20).await;
    for name in ["d00.example", "d01.example"] {
        world.unmap(name);
    }
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases().len(), 18);
    for name in ["d02.example", "d03.example"] {
        world.unmap(name);
    }
    world.done("sync");
    let braked = world.run("sync");
    braked.fails(1, &["2 aliases would be removed, more than one hour may"]);
    assert!(braked.out.contains("or by itself after 20"), "{braked:?}");
    assert_eq!(world.aliases().len(), 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_owned_goes_only_by_a_persons_word_and_a_networks_only_mapping_like_any_other()
{
    let world = with_domains(2).await;
    world.map(1, "protected.closte.com");
    world.sandbox.closte().insert_alias("stranger.example");
    world.drop_domains(2);
    world.done("sync");
    world.run("sync").fails(1, &["2 aliases would be removed, all that is owned"]);
    world.run("sync").fails(1, &["all that is owned"]);
    assert_eq!(world.aliases().len(), 3);
    world.done(&format!("apply {}", world.plan_hash()));
    assert_eq!(world.aliases(), ["stranger.example"]);
    world.map(1, "only.example");
    world.done("sync");
    world.unmap("only.example");
    world.done("sync");
    world.done("sync");
    assert_eq!(world.aliases(), ["stranger.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_reads_count_only_a_gap_apart_and_the_output_says_from_when() {
    let mut world = with_domains(2).await;
    world.set("removal.gap", "3s");
    world.unmap("d00.example");
    let first = world.done("sync");
    assert!(first.out.contains("; next-read: one counts from 20"), "{first:?}");
    world.done("sync");
    assert_eq!(world.aliases().len(), 2, "too close to the first");
    std::thread::sleep(std::time::Duration::from_secs(3));
    world.done("sync");
    assert_eq!(world.aliases(), ["d01.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_holds_no_name_any_more_keeps_its_alias_and_another_name_is_a_rename() {
    for (text, aliases) in [
        ("d00.example ", ["d00.example", "d01.example"]),
        ("https://d00.example", ["d00.example", "d01.example"]),
        ("d00.example:443", ["d00.example", "d01.example"]),
        ("new.example", ["d01.example", "new.example"]),
    ] {
        let world = with_domains(2).await;
        world.database.execute(&format!(
            "UPDATE wp_wu_domain_mappings SET domain = '{text}' WHERE domain = 'd00.example'"
        ));
        for _ in 0..3 {
            world.done("sync");
        }
        assert_eq!(world.aliases(), aliases, "{text:?}");
        let problems = world.json("status")["problems"].as_array().unwrap().len();
        assert_eq!(problems, usize::from(text != "new.example"), "{text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_site_has_as_its_own_keeps_its_alias_and_says_so() {
    let mut world = with_domains(2).await;
    world.set("domains.records", "never");
    world.site("d00.example");
    world.unmap("d00.example");
    for _ in 0..4 {
        world.done("sync");
    }
    assert_eq!(world.aliases().len(), 2);
    assert_eq!(world.reason("d00.example", "alias"), "sites-own-name");
    let shown = world.json("domains show d00.example");
    let told = shown["events"].as_array().unwrap().iter();
    let told = told.filter(|event| event["reason"] == "sites-own-name").count();
    assert_eq!(told, 1, "{shown:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lacks_what_it_had_shown_is_in_doubt_until_it_is_right_again() {
    let world = with_domains(4).await;
    world.done("sync");
    let aliases = world.aliases();
    for name in &aliases {
        world.sandbox.closte().drop_alias(name);
    }
    let asked = world.asked().len();
    world.map(1, "new.example");
    world.unmap("d00.example");
    for _ in 0..3 {
        let doubt = world.run("sync --output json");
        assert_eq!(doubt.code, 1, "{doubt:?}");
        assert_eq!(doubt.json()["alerts"][0]["code"], "list-doubt");
    }
    assert_eq!(world.asked().len(), asked + 1, "only what is new was asked for");
    assert_eq!(world.states("d01.example").split(' ').next(), Some("present"));
    for name in &aliases {
        world.sandbox.closte().insert_alias(name);
    }
    world.done("sync");
    let left = ["d01.example", "d02.example", "d03.example", "new.example"];
    assert_eq!(world.aliases(), left, "what was deleted meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_ends_the_doubt_about_a_list_and_what_it_lacks_is_added_again() {
    let world = with_domains(4).await;
    world.done("sync");
    for name in world.aliases() {
        world.sandbox.closte().drop_alias(&name);
    }
    world.run("sync").fails(1, &["the host's list lacks 4 of the 4 domains that it had shown"]);
    world.done(&format!("apply {}", world.plan_hash()));
    assert_eq!(world.aliases().len(), 4);
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
