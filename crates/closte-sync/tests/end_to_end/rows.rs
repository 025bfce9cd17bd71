//! Rows that make no sense: each is told, and costs only itself.

use serde_json::Value;

use crate::world::World;

/// The problems that `status` tells, as `table column id`.
fn problems(world: &World) -> Vec<String> {
    let status = world.json("status");
    let text = |value: &Value| value.as_str().unwrap_or("-").trim_start_matches("wp_").to_owned();
    let problems = status["problems"].as_array().unwrap().iter();
    problems
        .map(|it| format!("{} {} {}", text(&it["table"]), text(&it["column"]), it["id"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_cost_only_themselves() {
    let world = World::new().await;
    let long = "a".repeat(180);
    let ids = [
        world.map(1, "not a name"),
        world.map(1, "https://x.example/"),
        world.map(1, &long),
        world.map(1, "💩.example:80"),
        world.map(1, ""),
    ];
    let orphan = world.map(99, "orphan.example");
    world.map(1, "good.example");
    world.database.execute(
        "SET sql_mode = ''; UPDATE wp_wu_domain_mappings SET date_created = '0000-00-00 00:00:00', \
         stage = 'no-such-word' WHERE domain = 'good.example'",
    );
    world.here("good.example");
    world.done("sync");
    let found = problems(&world);
    for id in ids {
        assert!(found.contains(&format!("wu_domain_mappings domain {id}")), "{id}: {found:?}");
    }
    assert!(found.contains(&format!("wu_domain_mappings blog_id {orphan}")), "{found:?}");
    assert_eq!(world.aliases(), ["good.example"]);
    assert_eq!(world.stage("good.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_on_two_sites_is_kept_reported_and_its_stages_are_left_alone() {
    let world = World::new().await;
    let other = world.site("other.network.example");
    world.map(1, "twice.example");
    let second = world.map(other, "twice.example");
    world.map(1, "twin.example");
    let www = world.map(other, "www.twin.example");
    for name in ["twice.example", "twin.example", "www.twin.example"] {
        world.here(name);
    }
    world.done("sync");
    assert_eq!(world.aliases(), ["twice.example", "twin.example", "www.twin.example"]);
    assert_eq!(world.stage("twice.example"), "checking-dns 0\nchecking-dns 0");
    assert_eq!(world.stage("twin.example"), "checking-dns 0");
    let found = problems(&world);
    assert!(found.contains(&format!("wu_domain_mappings domain {second}")), "{found:?}");
    assert!(found.contains(&format!("wu_domain_mappings domain {www}")), "{found:?}");
    world.database.execute(&format!("DELETE FROM wp_wu_domain_mappings WHERE id = {second}"));
    world.pass();
    assert_eq!(world.stage("twice.example"), "done 1", "and then it goes on");
}

/// The reasons that `status` tells of one mapping.
fn reasons(world: &World, id: u64) -> Vec<String> {
    let status = world.json("status");
    let problems = status["problems"].as_array().unwrap().iter();
    let of_row = problems.filter(|it| it["id"] == id && it["table"] == "wp_wu_domain_mappings");
    of_row.map(|it| it["reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_wordpress_never_finds_is_told_with_the_spelling_to_use_and_never_done() {
    let world = World::new().await;
    let rows = [
        ("dot.example.", "dot.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("so\u{ad}ft.example", "soft.example"),
    ];
    for (text, name) in rows {
        let row = world.map(1, text);
        world.here(name);
        world.done("sync");
        assert!(world.aliases().contains(&name.to_owned()), "{name}");
        assert_eq!(world.stage(text), "checking-dns 0");
        let told = reasons(&world, row);
        assert!(told[0].ends_with(&format!("until it is written as `{name}`")), "{told:?}");
        assert_eq!(world.json(&format!("domains show {name}"))["left_alone"], "misspelled");
        let shown = world.done(&format!("domains show {name}"));
        assert!(shown.out.contains(&format!("write it as `{name}`")), "{shown:?}");
        let listed = world.done("domains list");
        assert!(
            listed.out.lines().any(|line| line.contains("spelling-never-matched  admin")),
            "{listed:?}"
        );
        world.database.execute(&format!(
            "UPDATE wp_wu_domain_mappings SET domain = '{name}' WHERE id = {row}"
        ));
        world.pass();
        assert_eq!(world.stage(name), "done 1", "and then it goes on");
        assert_eq!(reasons(&world, row), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_another_network_or_of_no_site_that_wins_in_wordpress_leaves_ours_alone() {
    let world = World::new().await;
    world.database.execute(
        "INSERT INTO wp_site (id, domain, path) VALUES (2, 'second.example', '/'); \
         INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (70, 2, 'second.example', '/')",
    );
    for (site, whose) in [(70, ", of another network"), (99, ", which does not exist")] {
        let name = format!("of-{site}.example");
        let ours = world.map(1, &name);
        let winner = world.map(site, &format!("www.{name}"));
        let sql = |set: &str| format!("UPDATE wp_wu_domain_mappings SET {set} WHERE id = {winner}");
        world.database.execute(&sql("primary_domain = 1"));
        world.here(&name);
        world.done("sync");
        assert_eq!(world.aliases().last(), Some(&name));
        assert_eq!(world.stage(&name), "checking-dns 0");
        let told = reasons(&world, ours);
        assert!(
            told[0].contains(&format!("id {winner}, `www.{name}` of site {site}{whose}")),
            "{told:?}"
        );
        assert_eq!(world.json(&format!("domains show {name}"))["left_alone"], "contested");
        world.database.execute(&sql("primary_domain = 0, active = 0"));
        world.pass();
        assert_eq!(world.stage(&name), "done 1", "it comes after ours now");
        assert_eq!(reasons(&world, ours), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn inactive_mappings_and_hidden_sites_are_kept_and_followed() {
    let world = World::new().await;
    let archived = world.site("archived.network.example");
    world.database.execute(&format!("UPDATE wp_blogs SET archived = 1 WHERE blog_id = {archived}"));
    world.map(archived, "archived.example");
    world.map(1, "inactive.example");
    world
        .database
        .execute("UPDATE wp_wu_domain_mappings SET active = 0 WHERE domain = 'inactive.example'");
    for name in ["archived.example", "inactive.example"] {
        world.here(name);
    }
    world.done("sync");
    for name in ["archived.example", "inactive.example"] {
        assert_eq!(world.stage(name), "done 1", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_mappings_of_one_site_are_no_trouble() {
    let mut world = World::new().await;
    let rows: Vec<String> = (0..2000).map(|i| format!("(1, 'd{i}.example')")).collect();
    world.database.execute(&format!(
        "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES {}",
        rows.join(",")
    ));
    world.set("closte.concurrency", "16");
    let report = world.json("sync");
    assert_eq!(report["problems"].as_array().unwrap().len(), 0);
    assert_eq!(world.aliases().len(), 2000);
    assert_eq!(world.json("status")["counts"]["checking-dns"], 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_makes_no_sense_is_reported_and_its_default_holds() {
    let world = World::new().await;
    world.option(
        "wp-ultimo_v2_settings",
        "\na:02:{s:21:\"enable_domain_mapping\";i:+1;s:18:\"dns_check_interval\";S:4:\"soo\\6e\";}\n",
    );
    world.map(1, "shop.example");
    world.done("sync");
    assert!(
        problems(&world).iter().any(|it| it.starts_with("sitemeta meta_value")),
        "{:?}",
        problems(&world)
    );
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interval_below_ten_seconds_is_taken_as_ten_and_reported() {
    let world = World::new().await;
    world.option(
        "wp-ultimo_v2_settings",
        "a:2:{s:21:\"enable_domain_mapping\";b:1;s:18:\"dns_check_interval\";s:1:\"3\";}",
    );
    world.map(1, "shop.example");
    let ran = world.done("sync");
    assert!(ran.out.contains("`dns_check_interval` is 3; using 10 seconds"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_cache_is_reported_with_the_way_to_flush_it() {
    let world = World::new().await;
    std::fs::write(world.root().join("wp-content/object-cache.php"), "<?php").unwrap();
    world.done("sync");
    let status = world.json("status");
    let reason = status["problems"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("object-cache.php") && reason.contains("wp cache flush"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_damaged_is_reported_and_stops_nothing() {
    let world = World::new().await;
    let site = world.site("s2.network.example");
    world.map(site, "shop.example");
    std::fs::create_dir_all(world.ledger().parent().unwrap()).unwrap();
    std::fs::write(world.ledger().with_file_name("plugin-secret"), "not one").unwrap();
    let ran = world.done("sync");
    assert!(ran.out.contains("does not contain the plugin's secret"), "{ran:?}");
    assert!(!ran.out.contains("not one"), "{ran:?}");
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_whose_domain_is_no_place_to_ask_is_followed_all_the_same() {
    for domain in ["localhost", "network.example:8080"] {
        let world = World::new().await;
        let config = world.wp_config().replace("'network.example'", &format!("'{domain}'"));
        world.write_wp_config(&config);
        world.database.execute(&format!("UPDATE wp_site SET domain = '{domain}'"));
        let site = world.site("s2.network.example");
        world.map(site, "shop.example");
        world.done("sync");
        assert_eq!(world.aliases(), ["shop.example"], "{domain}");
    }
}
