//! The network as it is sent to an engine that does not reach the database.

use serde_json::{Value, json};

use crate::world::World;

fn read(world: &World) -> Value {
    world.call("network", &json!({"known": null}))
}

/// Whether the version differs from that of an answer.
fn has_changed(world: &World, known: &mut Value) -> bool {
    let answer = world.call("network", &json!({"known": *known}));
    let unchanged = answer["unchanged"] == json!(true);
    assert_eq!(unchanged, answer["version"] == *known, "{answer}");
    assert_eq!(unchanged, answer["mappings"].is_null(), "{answer}");
    *known = answer["version"].clone();
    !unchanged
}

#[test]
fn all_of_it_is_reported_and_nothing_else() {
    let world = World::new();
    world.database.execute(
        "SET sql_mode = ''; \
         INSERT INTO wp_blogs (blog_id, site_id, domain, path, registered, archived) VALUES \
         (2, 1, 'shop.network.example', '/', UTC_TIMESTAMP() - INTERVAL 1 DAY, 1), \
         (3, 1, 'odd.network.example', '/', '0000-00-00 00:00:00', 0); \
         INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, active, primary_domain, secure, stage) VALUES \
         (41, 2, 'Shop.example', 1, 1, 0, 'checking-dns'), (42, 3, 'null.example', NULL, NULL, NULL, NULL), \
         (43, 3, 'empty.example', 0, 0, 1, ''); \
         UPDATE wp_sitemeta SET meta_value = 'a:3:{s:18:\"dns_check_interval\";s:2:\"60\";s:7:\"api_key\";s:6:\"secret\";s:21:\"enable_domain_mapping\";i:1;}' \
         WHERE meta_key = 'wp-ultimo_v2_settings';",
    );
    world.wordpress.php(
        "$text = ['type' => 'text', 'available_domains' => 'not.example']; \
         $url = ['type' => 'site_url', 'available_domains' => \"www.Bases.example:8080/\\n b.example \\n\", \
             'available_domains_multi' => ['c.example']]; \
         $form = serialize([['id' => 'checkout', 'fields' => [$text, $url]], 'odd']); \
         foreach ([addslashes($form), $form, 'rubbish available_domains', ''] as $settings) { \
             $wpdb->insert('wp_wu_forms', ['name' => 'x', 'settings' => $settings]); }",
    );

    let mut network = read(&world);
    let key = world.wordpress.php("echo wp_hash('shop.example');");
    assert_eq!(
        network["mappings"][0],
        json!([41, 2, "Shop.example", "checking-dns", false, true, true, key])
    );
    assert_eq!(
        network["mappings"][1].as_array().unwrap()[2..7],
        *json!(["null.example", null, false, false, false]).as_array().unwrap()
    );
    assert_eq!(
        network["mappings"][2].as_array().unwrap()[3..7],
        *json!(["", true, false, false]).as_array().unwrap()
    );
    let age = network["sites"][1][4].take().as_u64().unwrap();
    assert!((86_400..90_000).contains(&age), "{age}");
    let registered = network["sites"][1][6].take().as_u64().unwrap();
    let time = network["time"].as_u64().unwrap();
    assert!(time.abs_diff(registered + age) <= 2, "{registered} and {age} at {time}");
    assert_eq!(network["sites"][1], json!([2, 1, "shop.network.example", "/", null, true, null]));
    assert_eq!(network["sites"][2], json!([3, 1, "odd.network.example", "/", null, false, null]));
    assert_eq!(network["sites"].as_array().unwrap().len(), 3);
    assert_eq!(
        network["settings"],
        json!({"dns_check_interval": "60", "enable_domain_mapping": 1})
    );
    assert_eq!(
        network["shared_bases"],
        json!(["www.Bases.example:8080/", "b.example", "c.example"])
    );
    assert_eq!(network["network_domains"], json!(["network.example"]));
    assert_eq!(
        network["stage_words"],
        json!([
            "checking-dns",
            "checking-ssl-cert",
            "done-without-ssl",
            "done",
            "failed",
            "ssl-failed"
        ])
    );
    assert_eq!(
        network["identity"],
        json!({"app": null, "domain": "network.example", "database": world.database.name, "prefix": "wp_", "network_id": 1})
    );
    assert_eq!((&network["home"], &network["switched_on"]), (&Value::Null, &json!(true)));
    assert_eq!((&network["object_cache"], &network["unchanged"]), (&json!(false), &json!(false)));
    assert!(!network.to_string().contains("secret"), "{network}");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn the_version_changes_with_the_network_and_not_otherwise() {
    let world = World::new();
    let (one, two) = (world.map("one.example", "done"), world.map("two.example", "done"));
    let mut version = read(&world)["version"].clone();
    assert!(!has_changed(&world, &mut version));
    world.heard();
    world.database.execute("UPDATE wp_blogs SET last_updated = UTC_TIMESTAMP()");
    world
        .database
        .execute("UPDATE wp_options SET option_value = 'x' WHERE option_name = 'blogdescription'");
    assert!(!has_changed(&world, &mut version), "ages, reports and posts play no part");

    // Two rows with the same change must not cancel each other in a sum.
    let both =
        |set: &str| format!("UPDATE wp_wu_domain_mappings SET {set} WHERE id IN ({one}, {two})");
    for change in [
        both("active = 0"),
        both("stage = 'fail'"),
        both("secure = 1"),
        both("primary_domain = 1"),
        both("blog_id = 2"),
        format!("UPDATE wp_wu_domain_mappings SET domain = 'other.example' WHERE id = {one}"),
        format!("DELETE FROM wp_wu_domain_mappings WHERE id = {two}"),
        "INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (7, 1, 'x.example', '/')".to_owned(),
        "UPDATE wp_blogs SET registered = '2025-01-01' WHERE blog_id = 7".to_owned(),
        "UPDATE wp_blogs SET archived = 1 WHERE blog_id = 7".to_owned(),
        "UPDATE wp_blogs SET deleted = 1 WHERE blog_id = 7".to_owned(),
        "INSERT INTO wp_site (id, domain, path) VALUES (2, 'second.example', '/')".to_owned(),
        "INSERT INTO wp_wu_forms (name, settings) VALUES ('x', 'a:0:{}')".to_owned(),
        "UPDATE wp_sitemeta SET meta_value = 'a:0:{}' WHERE meta_key = 'wp-ultimo_v2_settings'".to_owned(),
        "UPDATE wp_sitemeta SET meta_value = 'a:0:{}' WHERE meta_key = 'wu_host_integrations_enabled'".to_owned(),
        "DROP TABLE wp_wu_forms".to_owned(),
    ] {
        world.database.execute(&format!("SET sql_mode = ''; {change}"));
        assert!(has_changed(&world, &mut version), "{change}");
        assert!(!has_changed(&world, &mut version), "{change}");
    }
    world.call("home", &json!({"domain": "network.example", "ledger": "l-1"}));
    assert!(has_changed(&world, &mut version));
    world.wordpress.php("do_action('wu_add_domain', 'x.example', 1);");
    assert!(!has_changed(&world, &mut version), "an event alone is no change");
}

#[test]
fn an_option_that_php_cannot_read_is_passed_on_as_unknown() {
    let world = World::new();
    let names =
        [("wu_host_integrations_enabled", "switched_on"), ("wp-ultimo_v2_settings", "settings")];
    for (option, part) in names {
        for (stored, is_known) in [
            ("a:1:{broken;}", false),
            ("rubbish", false),
            ("i:5;", false),
            ("", true),
            ("b:0;", true),
        ] {
            world.option(option, &format!("'{stored}'"));
            assert_eq!(!read(&world)[part].is_null(), is_known, "{option}: {stored}");
        }
        world.database.execute(&format!("DELETE FROM wp_sitemeta WHERE meta_key = '{option}'"));
        assert!(!read(&world)[part].is_null(), "{option}");
    }
}

#[test]
fn half_a_network_is_no_answer() {
    let world = World::new();
    world.database.execute("RENAME TABLE wp_wu_domain_mappings TO elsewhere");
    let call = crate::world::Call::signed("network", &json!({"known": null}));
    assert_eq!(world.refused(&call), (503, "closte_sync_unreadable".to_owned()));
    world.database.execute("RENAME TABLE elsewhere TO wp_wu_domain_mappings");
    assert_eq!(read(&world)["mappings"], json!([]));
}
