//! Stages are saved through Ultimate Multisite, and only over what the engine has read.

use serde_json::{Value, json};
use testkit::wordpress::UltimateMultisite;

use crate::world::{Call, World};

fn write(world: &World, id: u64, from: &Value, to: &str, secure: bool) -> (String, Value) {
    let write = json!({"writes": [{"id": id, "from": from, "to": to, "secure": secure}]});
    let mut answer = world.call("stages", &write);
    let result = answer["results"][0].take();
    assert_eq!(result["id"], id);
    (result["result"].as_str().unwrap().to_owned(), result["detail"].clone())
}

/// What PHP shows of a mapping through Ultimate Multisite.
fn shown(world: &World, id: u64) -> String {
    let code = format!(
        "$it = wu_get_domain({id}); echo $it->get_stage(), ' ', $it->to_array()['active'];"
    );
    world.wordpress.php(&code)
}

#[test]
fn a_stage_is_saved_and_is_what_following_requests_see() {
    let world = World::new();
    world.wordpress.keep_object_cache();
    let id = world.map("shop.example", "checking-dns");
    assert_eq!(shown(&world, id), "checking-dns 1");
    world
        .database
        .execute("UPDATE wp_options SET option_value = 'by SQL' WHERE option_name = 'blogname'");
    assert_ne!(world.wordpress.php("echo get_option('blogname');"), "by SQL", "the cache is kept");

    let saved = write(&world, id, &json!("checking-dns"), "done", true);
    assert_eq!(saved, ("done".to_owned(), Value::Null));
    assert_eq!(world.row(id), "done 1");
    assert_eq!(shown(&world, id), "done 1");
    let primary = format!("SELECT primary_domain FROM wp_wu_domain_mappings WHERE id = {id}");
    assert_eq!(world.database.execute(&primary), "1\n", "its own hooks have run");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn secure_is_left_unless_it_is_asked_for() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    write(&world, id, &json!("checking-dns"), "checking-ssl-cert", false);
    assert_eq!(world.row(id), "checking-ssl-cert 0");
    write(&world, id, &json!("checking-ssl-cert"), "done", true);
    write(&world, id, &json!("done"), "done-without-ssl", false);
    assert_eq!(world.row(id), "done-without-ssl 1");
}

#[test]
fn what_has_changed_since_it_was_read_is_left_alone() {
    let world = World::new();
    let id = world.map("shop.example", "failed");
    let overtaken = ("overtaken".to_owned(), Value::Null);
    assert_eq!(write(&world, id, &json!("checking-dns"), "done", true), overtaken);
    assert_eq!(write(&world, id, &Value::Null, "done", true), overtaken);
    assert_eq!(write(&world, 4711, &json!("failed"), "done", true), overtaken);
    assert_eq!(world.row(id), "failed 0");

    world.database.execute("UPDATE wp_wu_domain_mappings SET stage = NULL");
    assert_eq!(write(&world, id, &Value::Null, "checking-dns", false).0, "done");
    assert_eq!(world.row(id), "checking-dns 0");
}

#[test]
fn a_stale_cache_is_neither_believed_nor_written_back() {
    let world = World::new();
    world.wordpress.keep_object_cache();
    let id = world.map("shop.example", "failed");
    assert_eq!(shown(&world, id), "failed 1");
    world.database.execute(
        "UPDATE wp_wu_domain_mappings SET stage = 'checking-dns', active = 0, blog_id = 7",
    );
    assert_eq!(shown(&world, id), "failed 1", "the cache is stale");

    assert_eq!(write(&world, id, &json!("failed"), "done", false).0, "overtaken");
    assert_eq!(write(&world, id, &json!("checking-dns"), "done", false).0, "done");
    let row = "SELECT stage, active, blog_id FROM wp_wu_domain_mappings";
    assert_eq!(world.database.execute(row), "done\t0\t7\n");
    assert_eq!(shown(&world, id), "done 0");
}

/// Names that Ultimate Multisite's validation refuses; their rows came by SQL.
const INVALID: [&str; 4] = ["*.shop.example", "shop.xn--p1ai", "a_b.example", "bücher.example"];

#[test]
fn a_name_that_ultimate_multisite_would_refuse_still_gets_its_stage() {
    for version in [UltimateMultisite::Registry, UltimateMultisite::TypedRegistry] {
        let world = World::with(version);
        for name in INVALID {
            let id = world.map(name, "checking-dns");
            let saved = write(&world, id, &json!("checking-dns"), "done", true);
            assert_eq!(saved, ("done".to_owned(), Value::Null), "{name}");
            assert_eq!(world.row(id), "done 1", "{name}");
            let named = "SELECT domain FROM wp_wu_domain_mappings WHERE id = ";
            assert_eq!(world.database.execute(&format!("{named}{id}")).trim(), name);
        }
    }
}

#[test]
fn what_ultimate_multisite_refuses_is_reported_with_its_code_and_words() {
    let world = World::with(UltimateMultisite::Hooks);
    for name in INVALID {
        let id = world.map(name, "checking-dns");
        let asked = json!({"id": id, "from": "checking-dns", "to": "done", "secure": true});
        let answer = world.call("stages", &json!({ "writes": [asked] }));
        let words = "The Domain is not valid.";
        let refused = json!({"id": id, "result": "refused", "detail": words, "code": "domain"});
        assert_eq!(answer["results"][0], refused, "{name}");
        assert_eq!(world.row(id), "checking-dns 0", "{name}");
    }
    // A word that the table does not have would be stored as an empty one.
    let id = world.map("old.example", "checking-dns");
    let refused = write(&world, id, &json!("checking-dns"), "no-stage", false);
    assert_eq!(refused, ("refused".to_owned(), json!("The table does not have this stage.")));
    assert_eq!(world.row(id), "checking-dns 0");
    let throws = "<?php add_action('wu_domain_post_save', function () { throw new Error('Somebody fails.'); });";
    std::fs::write(world.wordpress.root().join("wp-content/mu-plugins/throws.php"), throws)
        .unwrap();
    let id = world.map("other.example", "checking-dns");
    let refused = write(&world, id, &json!("checking-dns"), "failed", false);
    assert_eq!(refused, ("refused".to_owned(), json!("Somebody fails.")));
    assert_eq!(world.row(id), "checking-dns 0", "what is refused is not half done");
}

#[test]
fn a_row_that_has_another_name_by_now_is_left_alone() {
    let world = World::new();
    let id = world.map("Shop.example", "failed");
    let write = |domain: &str| {
        let write = json!({"id": id, "domain": domain, "from": "failed", "to": "done"});
        world.call("stages", &json!({ "writes": [write] }))["results"][0]["result"].clone()
    };
    assert_eq!(write("other.example"), "overtaken");
    assert_eq!(world.row(id), "failed 0");
    assert_eq!(write("shop.example"), "done");
    assert_eq!(world.row(id), "done 0");
}

/// Somebody on another connection renames and deactivates the row right before it is saved. Whether
/// he has to wait is seen at once; his change is there in the end.
#[test]
fn what_somebody_changes_while_it_is_saved_is_not_written_over() {
    let world = World::new();
    let between = "<?php add_filter('query', function ($query) {
        static $other = null;
        if (null === $other && 0 === strpos($query, 'UPDATE `wp_wu_domain_mappings` SET `id`')) {
            $other = (new wpdb(DB_USER, DB_PASSWORD, DB_NAME, DB_HOST))->dbh;
            $change = \"UPDATE wp_wu_domain_mappings SET domain = 'renamed.example', active = 0\";
            mysqli_query($other, $change, MYSQLI_ASYNC);
            [$read, $error, $reject] = [[$other], [$other], [$other]];
            $waits = 0 === mysqli_poll($read, $error, $reject, 1);
            file_put_contents(WP_CONTENT_DIR . '/between.log', $waits ? 'waits' : 'is there first');
            register_shutdown_function(fn () => $waits && mysqli_reap_async_query($other));
        }
        return $query;
    });";
    let content = world.wordpress.root().join("wp-content");
    std::fs::write(content.join("mu-plugins/between.php"), between).unwrap();
    let id = world.map("shop.example", "failed");
    assert_eq!(write(&world, id, &json!("failed"), "checking-dns", false).0, "done");
    assert_eq!(std::fs::read_to_string(content.join("between.log")).unwrap(), "waits");
    let row = "SELECT domain, active, stage FROM wp_wu_domain_mappings";
    assert_eq!(world.database.execute(row), "renamed.example\t0\tchecking-dns\n");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn many_are_answered_in_their_order_and_too_many_not_at_all() {
    let world = World::new();
    let ids: Vec<u64> =
        (0..50).map(|at| world.map(&format!("{at}.example"), "checking-dns")).collect();
    let write =
        |id: &u64| json!({"id": id, "from": "checking-dns", "to": "failed", "secure": false});
    let mut writes: Vec<Value> = ids.iter().rev().map(write).collect();
    let answer = world.call("stages", &json!({ "writes": writes }));
    let answered: Vec<u64> =
        answer["results"].as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap()).collect();
    assert!(answered.iter().eq(ids.iter().rev()), "{answered:?}");
    let failed = "SELECT COUNT(*) FROM wp_wu_domain_mappings WHERE stage = 'failed'";
    assert_eq!(world.database.execute(failed), "50\n");
    writes.push(json!({"id": 1}));
    assert_eq!(world.refused(&Call::signed("stages", &json!({ "writes": writes }))).0, 400);
    assert_eq!(world.refused(&Call::signed("stages", &json!({"writes": [7]}))).0, 400);
    assert_eq!(world.refused(&Call::signed("stages", &json!({}))).0, 400);
}
