//! The key that Ultimate Multisite's wizard stored, where the constant is not defined.

use crate::world::World;

/// The world's key, encrypted by PHP with the salts below.
const STORED: [&str; 2] = [
    "$wu_enc$BwcHBwcHBwcHBwcHBwcHB3dpK1NWVTFGVDFNcE00djNrWHNibEFnR0RJNU94R3hwVnBvQXg5SGx2b2M9",
    "$wu_sodium$CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJsRMoKUiclFqKOeWL9j1RrrhuuanZmuisKL4wXzqyXF4spqxxgW2HFfE=",
];

const SALTS: &str =
    "define('AUTH_KEY', 'one half of the salt');\ndefine('AUTH_SALT', 'and the other');\n";

/// A world without the constant, with `defines` in its wp-config.php and the key stored.
async fn storing(stored: &str, defines: &str) -> World {
    let world = World::new().await;
    let config = world.wp_config();
    let config: Vec<&str> = config.lines().filter(|line| !line.contains("API_KEY")).collect();
    let without = config.join("\n");
    world.write_wp_config(&without.replace("require_once", &format!("{defines}require_once")));
    world.option("wu_hosting_credential_CLOSTE_CLIENT_API_KEY", stored);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn either_kind_is_used() {
    for stored in STORED {
        let world = storing(stored, SALTS).await;
        assert_eq!(world.done("test-connection").out, "Access authorized\n");
        let site = world.site("s2.network.example");
        world.map(site, "shop.example");
        world.done("sync");
        assert_eq!(world.aliases(), ["shop.example"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn salts_that_are_in_the_database_will_do() {
    let world = storing(STORED[0], "").await;
    world.option("auth_key", "one half of the salt");
    world.option("auth_salt", "and the other");
    assert_eq!(world.done("test-connection").out, "Access authorized\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_salts_are_reported_and_nothing_of_the_key_is() {
    let wrong = SALTS.replace("one half", "another half");
    for stored in STORED {
        let world = storing(stored, &wrong).await;
        let ran = world.run("sync");
        ran.fails(
            2,
            &["cannot be decrypted with the salts", "hint: define `CLOSTE_CLIENT_API_KEY`"],
        );
        assert!(!ran.err.contains(stored), "{ran:?}");
        assert_eq!(world.sandbox.closte().calls().len(), 0, "a guess is never sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_constant_wins() {
    let world = World::new().await;
    world.option("wu_hosting_credential_CLOSTE_CLIENT_API_KEY", "another-key");
    assert_eq!(world.done("test-connection").out, "Access authorized\n");
}
