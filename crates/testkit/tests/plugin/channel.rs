//! Who may call, and what is answered to those who may not.

use serde_json::{Value, json};
use testkit::wordpress::UltimateMultisite;

use crate::world::{Admin, Call, SECRET, World, now, signature};

#[test]
fn activated_by_sql_it_works_and_php_has_nothing_to_say_against_it() {
    let world = World::bare();
    world.wordpress.add_ultimate_multisite(UltimateMultisite::TypedRegistry);
    world.wordpress.copy_plugin();
    world.option("active_sitewide_plugins", "'a:1:{s:27:\"closte-sync/closte-sync.php\";i:1;}'");
    world.option("closte_sync_secret", &format!("'{SECRET}'"));
    let id = world.map("shop.example", "checking-dns");
    world.call("hello", &json!({}));
    world.call("network", &json!({"known": null}));
    let domains = json!({id.to_string(): {"domain": "shop.example", "person": true, "text": "x"}});
    world.call("report", &json!({"panel": "https://panel.example/", "domains": domains}));
    let write =
        json!({"writes": [{"id": id, "from": "checking-dns", "to": "done", "secure": true}]});
    assert_eq!(world.call("stages", &write)["results"][0]["result"], "done");
    let mut bad = Call::signed("hello", &json!({}));
    bad.headers.clear();
    assert_eq!(world.refused(&bad).0, 401);
    assert_eq!(world.page("/").status, 200);
    let page = Admin::of(&world).page("/wp-admin/network/settings.php?page=closte-sync");
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn it_is_activated_by_wordpress_without_a_word() {
    let world = World::bare();
    world.wordpress.copy_plugin();
    let code = "require ABSPATH . 'wp-admin/includes/plugin.php'; ob_start(); \
         well(activate_plugin('closte-sync/closte-sync.php', '', true)); \
         echo strlen(ob_get_clean()), is_plugin_active_for_network('closte-sync/closte-sync.php');";
    assert_eq!(world.wordpress.php(code), "01");
}

/// The example of the protocol's description, by the plugin and by these tests.
#[test]
fn the_example_of_the_protocol_is_signed_as_it_says() {
    let secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let (path, body) = ("/closte-sync/v1/network", "{\"known\":null}");
    let (time, nonce) = ("1795000000", "0123456789abcdef0123456789abcdef");
    let right = "v1=9c04fba1eb0f61a53d01712cfaf20c2fe660b0f823f5b4c29bb687fb166dcdd5";
    assert_eq!(signature(secret, "to-plugin", path, body, time, nonce), right);
    let world = World::new();
    let code = format!(
        "echo Closte_Sync\\Signature::sign('{secret}', 'to-plugin', 'POST', '{path}', '{body}', '{time}', '{nonce}');"
    );
    assert_eq!(world.wordpress.php(&code), right);
}

#[test]
fn hello_tells_who_is_here() {
    let world = World::new();
    let answer = world.send(&Call::signed("hello", &json!({})));
    assert!(answer.head.contains("cache-control: no-"), "{answer:?}");
    let hello = answer.json();
    assert_eq!(hello["plugin"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&hello["protocol"], &hello["mode"]), (&json!(1), &json!("off")));
    assert_eq!(hello["ultimate_multisite"], "2.4.13");
    assert_eq!((&hello["switched_on"], &hello["object_cache"]), (&json!(true), &json!(false)));
    assert_eq!(hello["rechecks"], json!([]));
    assert_eq!(hello["refused"], json!({"count": 0, "last": null, "at": null}));
    assert!(hello["time"].as_u64().unwrap().abs_diff(now()) < 60, "{hello}");
    // WordPress asks twice whether a request may pass.
    assert_eq!(world.call("hello", &json!({}))["refused"]["count"], 0);
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn without_ultimate_multisite_it_says_so_and_does_nothing() {
    let world = World::bare();
    world.wordpress.install_plugin();
    world.option("closte_sync_secret", &format!("'{SECRET}'"));
    let hello = world.call("hello", &json!({}));
    assert_eq!((&hello["ultimate_multisite"], &hello["mode"]), (&Value::Null, &json!("off")));
    let id = world.map("shop.example", "checking-dns");
    let write = json!({"writes": [{"id": id, "from": "checking-dns", "to": "done"}]});
    let refused = world.refused(&Call::signed("stages", &write));
    assert_eq!(refused, (503, "closte_sync_no_ultimate_multisite".to_owned()));
    let notices = "echo implode(' ', Closte_Sync\\Notices::texts());";
    let notices = world.wordpress.php(notices);
    assert!(notices.starts_with("Ultimate Multisite is missing"), "{notices}");
}

#[test]
fn the_language_is_that_of_the_main_site_whoever_is_asked() {
    let world = World::new();
    let locale = || world.call("hello", &json!({}))["locale"].clone();
    assert_eq!(locale(), "en_US");
    world.option("WPLANG", "'nl_NL'");
    assert_eq!(locale(), "nl_NL", "the main site has no language of its own");
    let own = |value: &str| {
        world.database.execute(&format!(
            "REPLACE INTO wp_options (option_name, option_value) VALUES ('WPLANG', '{value}')"
        ));
    };
    own("de_DE");
    assert_eq!(locale(), "de_DE");
    own("");
    assert_eq!(locale(), "en_US");
}

#[test]
fn bad_requests_are_refused_by_their_codes_and_counted() {
    let world = World::new();
    let good = Call::signed("hello", &json!({}));

    let mut unsigned = good.clone();
    unsigned.headers.clear();
    let mut half = good.clone();
    half.headers.truncate(2);
    let mut crooked = good.clone();
    crooked.headers[1].1.push('0');
    for call in [unsigned, half, crooked] {
        assert_eq!(world.refused(&call), (401, "closte_sync_unsigned".to_owned()), "{call:?}");
    }

    let mut altered = good.clone();
    altered.body = json!({"more": 1}).to_string();
    let mut moved = good.clone();
    moved.path = "/closte-sync/v1/report".to_owned();
    let mut postdated = good.clone();
    postdated.headers[0].1 = (now() + 1).to_string();
    let other_secret = SECRET.replace('0', "1");
    let stranger = Call::signed_with(&other_secret, "to-plugin", "hello", &json!({}), now());
    let turned = Call::signed_with(SECRET, "to-engine", "hello", &json!({}), now());
    for call in [altered, moved, postdated, stranger, turned] {
        assert_eq!(world.refused(&call), (401, "closte_sync_forged".to_owned()), "{call:?}");
    }
    assert_eq!(world.database.execute(NONCES), "0\n", "nothing is stored before it is signed well");

    world.send(&good);
    assert_eq!(world.refused(&good), (401, "closte_sync_replayed".to_owned()));
    let hello = world.call("hello", &json!({}));
    assert_eq!(hello["refused"]["count"], 9);
    assert_eq!(hello["refused"]["last"], "closte_sync_replayed");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

const NONCES: &str =
    "SELECT COUNT(*) FROM wp_options WHERE option_name LIKE '\\_closte\\_sync\\_nonce\\_%'";

#[test]
fn a_request_must_be_on_time_in_either_direction() {
    let world = World::new();
    for time in [now() - 75, now() + 75] {
        let call = Call::signed_with(SECRET, "to-plugin", "hello", &json!({}), time);
        assert_eq!(world.refused(&call), (401, "closte_sync_late".to_owned()), "{call:?}");
    }
    for time in [now() - 45, now() + 45] {
        let call = Call::signed_with(SECRET, "to-plugin", "hello", &json!({}), time);
        assert_eq!(world.send(&call).status, 200, "{call:?}");
    }
}

#[test]
fn after_ten_bad_requests_in_a_minute_nothing_is_stored_and_good_ones_pass() {
    let world = World::new();
    let mut bad = Call::signed("hello", &json!({}));
    bad.headers.clear();
    for _ in 0..10 {
        assert_eq!(world.refused(&bad).0, 401);
    }
    assert_eq!(world.refused(&bad), (429, "closte_sync_too_many".to_owned()));
    assert_eq!(world.call("hello", &json!({}))["refused"]["count"], 10);
    // A minute later they are counted again.
    let refused = "update_network_option(1, 'closte_sync_refused', \
        ['since' => time() - 61] + get_network_option(1, 'closte_sync_refused'));";
    world.wordpress.php(refused);
    assert_eq!(world.refused(&bad).0, 401);
    assert_eq!(world.call("hello", &json!({}))["refused"]["count"], 11);
}

#[test]
fn bad_requests_that_come_at_once_are_all_counted() {
    let world = World::new();
    let mut bad = Call::signed("hello", &json!({}));
    bad.headers.clear();
    let refused = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| world.refused(&bad).0)).collect();
        asking.into_iter().map(|it| it.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(refused, [401; 8]);
    assert_eq!(world.call("hello", &json!({}))["refused"]["count"], 8);
}

#[test]
fn nonces_are_forgotten_when_no_request_can_use_them_any_more() {
    let world = World::new();
    world.call("hello", &json!({}));
    world.database.execute(
        "INSERT INTO wp_options (option_name, option_value) VALUES \
         ('_closte_sync_nonce_a', '1000'), ('_closte_sync_nonce_b', UNIX_TIMESTAMP() + 60)",
    );
    world.call("hello", &json!({}));
    assert_eq!(world.database.execute(NONCES), "3\n", "two of ours and one of those");
}

#[test]
fn a_receiver_without_a_secret_refuses() {
    let world = World::new();
    world.option("closte_sync_secret", "'too short'");
    let call = Call::signed("hello", &json!({}));
    assert_eq!(world.refused(&call), (401, "closte_sync_no_secret".to_owned()));
}

#[test]
fn a_secret_changed_by_sql_holds_at_once_whatever_a_cache_remembers() {
    let world = World::new();
    world.wordpress.keep_object_cache();
    world.call("hello", &json!({}));
    world.wordpress.php("get_network_option(1, 'closte_sync_secret');");
    let other = SECRET.replace('0', "a");
    world.database.execute(&format!(
        "UPDATE wp_sitemeta SET meta_value = '{other}' WHERE meta_key = 'closte_sync_secret'"
    ));
    let call = Call::signed_with(&other, "to-plugin", "hello", &json!({}), now());
    assert_eq!(world.send(&call).status, 200);
    assert_eq!(world.refused(&Call::signed("hello", &json!({}))).1, "closte_sync_forged");
}

#[test]
fn a_network_that_lets_nobody_in_lets_the_engine_in() {
    let world = World::new();
    let closed = "<?php add_filter('rest_authentication_errors', fn () => new WP_Error('no', 'No.', ['status' => 401]));";
    std::fs::write(world.wordpress.root().join("wp-content/mu-plugins/closed.php"), closed)
        .unwrap();
    assert_eq!(world.page("/wp-json/wp/v2/posts").status, 401);
    world.call("hello", &json!({}));
    let mut unsigned = Call::signed("hello", &json!({}));
    unsigned.headers.clear();
    assert_eq!(world.refused(&unsigned).1, "closte_sync_unsigned");
}

#[test]
fn a_secret_that_came_as_a_file_is_taken_once_and_deleted() {
    let world = World::new();
    world.option("closte_sync_secret", "''");
    let file = world.wordpress.plugin_folder().join("secret.php");
    std::fs::write(&file, format!("<?php\nreturn '{SECRET}';\n")).unwrap();
    assert_eq!(world.page("/").status, 200);
    assert!(!file.exists());
    assert_eq!(world.call("hello", &json!({}))["protocol"], 1);
    // The same file again must not bring back what was replaced since.
    let other = SECRET.replace('0', "b");
    world.option("closte_sync_secret", &format!("'{other}'"));
    std::fs::write(&file, format!("<?php return '{SECRET}';")).unwrap();
    world.page("/");
    assert_eq!(world.read_option("closte_sync_secret"), other);
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn another_secret_is_taken_over_https_only() {
    let world = World::new();
    let other = SECRET.replace('0', "c");
    let call = Call::signed("secret", &json!({"secret": other}));
    assert_eq!(world.refused(&call), (403, "closte_sync_not_https".to_owned()));
    let ask_with = |key: &str, secret: &str| {
        let asked = json!({"secret": secret});
        let call = Call::signed_with(key, "to-plugin", "secret", &asked, now());
        let headers: Vec<String> = call
            .headers
            .iter()
            .map(|(name, value)| format!("$request->set_header('{name}', '{value}');"))
            .collect();
        world.wordpress.php(&format!(
            "$wpdb->suppress_errors(); $_SERVER['HTTPS'] = 'on'; $request = new WP_REST_Request('POST', '{}'); {} \
             $request->set_header('Content-Type', 'application/json'); $request->set_body('{}'); \
             echo rest_do_request($request)->get_status();",
            call.path,
            headers.concat(),
            call.body
        ))
    };
    assert_eq!(ask_with(SECRET, "short"), "400");
    assert_eq!(ask_with(SECRET, &other), "200");
    assert_eq!(world.read_option("closte_sync_secret"), other);
    // A secret that was accepted is the only one that the engine still has.
    world.break_options();
    assert_eq!(ask_with(&other, &SECRET.replace('0', "d")), "503");
    assert_eq!(world.read_option("closte_sync_secret"), other);
}
