//! The built-in integration is replaced while the engine is alive, and works when it is not.

use serde_json::json;
use testkit::wordpress::UltimateMultisite;

use crate::world::{Admin, World};

/// All that makes the built-in integration act.
const EVENTS: &str = "do_action('wu_add_domain', 'shop.example', 1); \
    do_action('wu_remove_domain', 'shop.example', 1); \
    do_action('wu_add_subdomain', 'sub.example', 1); \
    do_action('wu_remove_subdomain', 'sub.example', 1); \
    do_action('wu_async_process_domain_stage', 41, 0);";

const BUILT_IN: [&str; 5] = [
    "add shop.example",
    "remove shop.example",
    "add-sub sub.example",
    "remove-sub sub.example",
    "check 41",
];

fn calls(world: &World) -> Vec<String> {
    let before = world.wordpress.built_in_calls().len();
    world.wordpress.php(EVENTS);
    world.wordpress.built_in_calls().split_off(before)
}

const ALL: [UltimateMultisite; 3] =
    [UltimateMultisite::Registry, UltimateMultisite::TypedRegistry, UltimateMultisite::Hooks];

#[test]
fn the_built_in_gives_way_while_the_engine_is_heard_of() {
    for version in ALL {
        let world = World::with(version);
        assert_eq!(calls(&world), BUILT_IN, "{version:?}: not reported yet");
        world.heard();
        assert_eq!(calls(&world), [""; 0], "{version:?}: in its place");
        let mode = if version == UltimateMultisite::Hooks { "hooks" } else { "registry" };
        assert_eq!(world.call("hello", &json!({}))["mode"], mode);

        world.call("report", &json!({"silence": 1}));
        world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 5");
        assert_eq!(calls(&world), BUILT_IN, "{version:?}: silent");
        world.heard();
        assert_eq!(calls(&world), [""; 0], "{version:?}: heard again");
        world.wordpress.deactivate_plugin();
        assert_eq!(calls(&world), BUILT_IN, "{version:?}: deactivated");
    }
}

#[test]
fn what_is_scheduled_still_finds_somebody_who_listens() {
    let world = World::with(UltimateMultisite::Hooks);
    world.heard();
    let code = "echo implode(',', array_map(fn ($it) => (int) has_action($it), ['wu_add_domain', \
        'wu_remove_domain', 'wu_add_subdomain', 'wu_remove_subdomain', 'wu_async_process_domain_stage']));";
    assert_eq!(world.wordpress.php(code), "1,1,1,1,1");
}

/// Such as a queue's worker, which runs through changes that a page never sees.
#[test]
fn a_process_that_lives_for_long_follows_what_changes_meanwhile() {
    for version in ALL {
        let world = World::with(version);
        let event = "do_action('wu_add_domain', 'shop.example', 1); \
            echo implode(',', array_keys($GLOBALS['wp_filter']['wu_add_domain']->callbacks)) === $all ? '' : 'lost ';";
        let heard = |at: &str| {
            let sql = "UPDATE wp_sitemeta SET meta_value = %d WHERE meta_key = 'closte_sync_heard'";
            format!("$wpdb->query($wpdb->prepare(\"{sql}\", {at}));")
        };
        let fails = "$fails = function () { throw new Exception('x'); }; \
            add_action('wu_add_domain', $fails, 50); \
            try { do_action('wu_add_domain', 'shop.example', 1); } catch (Exception $e) {} \
            remove_action('wu_add_domain', $fails, 50);";
        world.option("closte_sync_heard", "0");
        world.wordpress.php(&format!(
            "$all = implode(',', array_keys($GLOBALS['wp_filter']['wu_add_domain']->callbacks)); \
             {event} {} {event} {event} {fails} {} {event} {} {event}",
            heard("time()"),
            heard("1000"),
            heard("time()"),
        ));
        let twice = ["add shop.example"; 2];
        assert_eq!(world.wordpress.built_in_calls(), twice, "{version:?}: before and between");
    }
}

#[test]
fn a_visit_without_any_event_asks_the_database_nothing() {
    let world = World::new();
    world.heard();
    let code = "echo (int) defined('SAVEQUERIES'), count(array_filter($wpdb->queries, \
        fn ($it) => str_contains($it[0], 'closte_sync')));";
    let file = world.wordpress.root().join("wp-content/mu-plugins/a_queries.php");
    std::fs::write(file, "<?php define('SAVEQUERIES', true);").unwrap();
    assert_eq!(world.wordpress.php(code), "10");
    let event = "do_action('wu_add_domain', 'shop.example', 1);";
    assert_eq!(
        world.wordpress.php(&format!("{event} {code}")),
        "12",
        "one to read, one to note it"
    );
}

#[test]
fn where_closte_is_switched_off_nothing_is_touched() {
    let world = World::with(UltimateMultisite::Hooks);
    world.heard();
    world.call("switch", &json!({"on": false}));
    assert_eq!(calls(&world), ["check 41"], "others' domains are checked by the built-in");
    assert_eq!(world.call("hello", &json!({}))["mode"], "off");
}

#[test]
fn the_module_answers_for_the_integration() {
    let world = World::new();
    world.heard();
    // It is checked in the admin's pages, and tested from there.
    let module = "require_once ABSPATH . 'wp-admin/includes/admin.php'; \
        set_current_screen('dashboard-network'); $stand_in_registry->fire(); \
        $it = $stand_in_registry->get_capability('closte', 'domain-mapping');";
    let code = format!(
        "{module} echo get_class($it), ' ', var_export($it->test_connection(), true), ' ', \
         var_export($it->supports('autossl'), true), ' ', count($it->get_explainer_lines()['will']);"
    );
    assert_eq!(world.wordpress.php(&code), "Closte_Sync\\Domain_Mapping_Module true true 2");
    let silent = format!(
        "{module} $GLOBALS['wpdb']->query(\"UPDATE wp_sitemeta SET meta_value = 1000 WHERE meta_key = 'closte_sync_heard'\"); \
         Closte_Sync\\Engine::forget(); echo $it->test_connection()->get_error_message();"
    );
    let said = world.wordpress.php(&silent);
    assert!(said.starts_with("The engine last reported on January 1, 1970"), "{said}");
}

#[test]
fn classes_of_a_shape_that_nobody_foresaw_end_no_page() {
    let world = World::new();
    world.heard();
    let file = world.wordpress.root().join("wp-content/mu-plugins/ultimate_multisite_modules.php");
    let text = std::fs::read_to_string(&file).unwrap();
    for (from, to) in [
        ("public function supports($feature) {", "final public function supports($feature) {"),
        ("public function test_connection() {", "public function test_connection(): bool {"),
        (
            "public function supports($feature) {",
            "public function supports($feature, $more = null) {",
        ),
    ] {
        std::fs::write(&file, text.replace(from, to)).unwrap();
        assert_ne!(text.replace(from, to), text);
        assert_eq!(world.call("hello", &json!({}))["mode"], "hooks", "{to}");
        assert_eq!(calls(&world), [""; 0], "{to}");
        let page = Admin::of(&world).page("/wp-admin/network/settings.php?page=closte-sync");
        assert_eq!(page.status, 200, "{to}: {page:?}");
    }
}
