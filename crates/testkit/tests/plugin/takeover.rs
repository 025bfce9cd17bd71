//! The built-in integration gives way while the engine lives, and works when it does not.

use serde_json::json;
use testkit::wordpress::UltimateMultisite;

use crate::world::World;

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
        assert_eq!(calls(&world), BUILT_IN, "{version:?}: not heard of yet");
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
    let module = "$it = $stand_in_registry->get_capability('closte', 'domain-mapping');";
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
    assert!(said.starts_with("The engine was last heard of on January 1, 1970"), "{said}");
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
    }
}
