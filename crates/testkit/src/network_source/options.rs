//! What [`NetworkSource`] promises of the network's options.

use rules::Time;
use rules::network::Switch;
use rules::source::{NetworkSource, PluginOption, Replaces, SourceError};

use super::{INTEGRATIONS, RawSql, SETTINGS, name, option, set_option};
use crate::network_meaning::home;

pub(super) async fn the_switch_keeps_every_other_value(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let switch = async |on| source.switch(on).await.expect("an answer");
    assert!(!switch(false).await, "nothing to switch off");
    assert!(switch(true).await);
    assert!(!switch(true).await);
    assert_eq!(option(database, INTEGRATIONS).await, r#"a:1:{s:6:"closte";b:1;}"#);
    assert_eq!(source.read().await.expect("a network").switch, Switch::On);

    let mixed = r#"a:3:{s:6:"closte";i:1;s:3:"ovh";s:8:"çaé€";s:1:"o";O:1:"A":0:{}}"#;
    set_option(database, INTEGRATIONS, mixed).await;
    assert!(switch(false).await);
    let off = mixed.replace("i:1;", "b:0;");
    assert_eq!(option(database, INTEGRATIONS).await, off);

    set_option(database, INTEGRATIONS, "a:1:{broken").await;
    assert_eq!(source.read().await.expect("a network").switch, Switch::Unreadable);
    assert!(switch(true).await, "it is mended");
    assert_eq!(option(database, INTEGRATIONS).await, r#"a:1:{s:6:"closte";b:1;}"#);
}

pub(super) async fn the_interval_is_set_and_the_other_settings_stay(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let before = r#"a:2:{s:7:"api_key";s:3:"k'y";s:18:"dns_check_interval";i:300;}"#;
    set_option(database, SETTINGS, before).await;
    database
        .run(
            "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES \
             (2, 'wp-ultimo_v2_settings', 'x'), (1, 'other', 'y')",
        )
        .await;
    source.set_check_interval(10).await.expect("written");
    let after = r#"a:2:{s:7:"api_key";s:3:"k'y";s:18:"dns_check_interval";s:2:"10";}"#;
    assert_eq!(option(database, SETTINGS).await, after);
    let others = "SELECT meta_value FROM wp_sitemeta WHERE site_id = 2 OR meta_key = 'other' \
        ORDER BY meta_id";
    assert_eq!(database.run(others).await, "x\ny\n");
}

pub(super) async fn a_home_that_makes_no_sense_is_left_alone_until_it_is_replaced(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    set_option(database, "closte_sync_home", "rubbish").await;
    let written = async |replaces| source.write_home(&home("one"), replaces).await;
    let error = written(Replaces::Nothing).await.expect_err("a refusal");
    assert_eq!(error.to_string(), "`closte_sync_home` in `wp_sitemeta` cannot be read");
    assert_eq!(written(Replaces::Any).await.expect("an answer"), Some(home("one")));
}

#[rustfmt::skip] // One case a line.
pub(super) async fn options_are_reported_as_they_stand_there(source: &dyn NetworkSource, database: &dyn RawSql) {
    database
        .run(
            "INSERT INTO wp_sitemeta (meta_id, site_id, meta_key, meta_value) VALUES \
             (21, 2, 'plain', 'of another network'), (23, 1, 'plain', 'second'), \
             (22, 1, 'plain', 'çaé€ ''x'' \t'), (24, 1, 'it''s', 'a:1:{'), (25, 1, 'none', NULL), \
             (26, 1, 'other', 'y'), (27, 1, 'p%', 'z')",
        )
        .await;
    let values_of = async |names: &[&'static str]| {
        let options = source.options(names).await.expect("an answer");
        let text = |value| String::from_utf8(value).expect("text");
        options.into_iter().map(|(name, value)| (name, text(value))).collect::<Vec<_>>()
    };
    let plain = ("plain", "çaé€ 'x' \t".to_owned());
    assert_eq!(
        values_of(&["plain", "none", "it's", "nowhere", "p_"]).await,
        [("it's", "a:1:{".to_owned()), ("none", String::new()), plain.clone()]
    );
    assert_eq!(values_of(&["plain"]).await, [plain]);
    assert_eq!(values_of(&[]).await, []);
}

const KEPT: &str = "SELECT site_id, meta_key FROM wp_sitemeta ORDER BY meta_id";

pub(super) async fn the_plugins_secret_is_written_and_all_that_it_keeps_goes(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let (first, second) = ("0f".repeat(32), "a1".repeat(32));
    for secret in [&first, &second, &second] {
        source.write_plugin_option(PluginOption::Secret(secret)).await.expect("written");
        assert_eq!(option(database, "closte_sync_secret").await, *secret);
    }
    assert_eq!(database.run("SELECT COUNT(*) FROM wp_sitemeta").await, "1\n");
    source.write_home(&home("one"), Replaces::Nothing).await.expect("a home");
    database
        .run(
            "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES \
             (1, 'closte_sync_report', 'x'), (1, 'closteXsyncYz', 'x'), (1, 'closte_sync', 'x'), \
             (2, 'closte_sync_secret', 'x'), (1, 'my_closte_sync_x', 'x')",
        )
        .await;
    for _ in 0..2 {
        source.forget_plugin().await.expect("taken out");
        assert_eq!(
            database.run(KEPT).await.replace('\t', " "),
            "1 closte_sync_home\n1 closteXsyncYz\n1 closte_sync\n2 closte_sync_secret\n\
             1 my_closte_sync_x\n"
        );
    }
    assert_eq!(source.read().await.expect("a network").home, Some(home("one")));
}

pub(super) async fn the_plugins_nonces_go_from_the_options_of_the_main_site(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    source.forget_plugin().await.expect("a table that is not there holds nothing");
    let left = async || {
        source.forget_plugin().await.expect("taken out");
        let first = database.run("SELECT option_name FROM wp_options ORDER BY option_name").await;
        first + &database.run("SELECT option_name FROM wp_7_options ORDER BY option_name").await
    };
    for table in ["wp_options", "wp_7_options"] {
        database
            .run(&format!(
                "CREATE TABLE {table} (option_name VARCHAR(191)); INSERT INTO {table} VALUES \
                 ('_closte_sync_nonce_00ff'), ('_closte_sync_noncence'), ('_closteXsync_nonce_1')"
            ))
            .await;
    }
    let (others, nonce) =
        ("_closteXsync_nonce_1\n_closte_sync_noncence\n", "_closte_sync_nonce_00ff\n");
    let sorted = |text: String| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines.join("\n") + "\n"
    };
    let want = format!("{others}{nonce}{others}");
    assert_eq!(sorted(left().await), sorted(want), "the main site is the first one");
    database.run("UPDATE wp_blogs SET blog_id = 7 WHERE blog_id = 1").await;
    assert_eq!(sorted(left().await), sorted(format!("{others}{others}")), "it is the seventh");
}

pub(super) async fn the_time_of_the_next_pass_is_written_and_is_no_change_of_the_network(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let pulse = source.pulse().await.expect("a number");
    let network = source.read().await.expect("a network");
    for (millis, seconds) in [
        (1_800_000_000_000, "1800000000"),
        (1_800_000_000_001, "1800000001"),
        (1_799_999_999_999, "1800000000"),
        (1_700_000_000_000, "1700000000"),
    ] {
        let next = PluginOption::NextPass(Time::from_millis(millis));
        for _ in 0..2 {
            source.write_plugin_option(next).await.expect("written");
            assert_eq!(option(database, "closte_sync_next").await, seconds);
        }
    }
    assert_eq!(database.run(KEPT).await.replace('\t', " "), "1 closte_sync_next\n");
    assert_eq!(source.pulse().await.expect("a number"), pulse, "nobody makes a pass for it");
    let after = source.read().await.expect("a network");
    assert_eq!((after.mappings, after.home), (network.mappings, network.home));
    assert_eq!(after.problems, network.problems);
}

const PLUGINS: &str = "active_sitewide_plugins";

pub(super) async fn our_plugin_is_switched_on_and_off_beside_others(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let activate = async |on| source.activate_plugin(on).await.expect("an answer");
    assert!(!activate(false).await, "nothing to switch off");
    assert_eq!(option(database, PLUGINS).await, "");
    assert!(activate(true).await);
    assert!(!activate(true).await);
    let alone = option(database, PLUGINS).await;
    let since = alone.strip_prefix(r#"a:1:{s:27:"closte-sync/closte-sync.php";i:"#);
    let since: i64 =
        since.and_then(|it| it.strip_suffix(";}")).expect(&alone).parse().expect("a time");
    let now = source.read().await.expect("a network").database_time.expect("the time");
    assert!((0..60).contains(&(now.as_millis() / 1000 - since)), "{since}");

    let others = r#"a:2:{s:10:"a/çé.php";i:1700000000;s:7:"b/b.php";s:1:"1";}"#;
    set_option(database, PLUGINS, others).await;
    assert!(activate(true).await);
    let with = option(database, PLUGINS).await;
    let start =
        others.replace("a:2:", "a:3:").replace(";}", r#";s:27:"closte-sync/closte-sync.php";i:"#);
    assert!(with.starts_with(&start), "{with}");
    assert!(activate(false).await);
    assert_eq!(option(database, PLUGINS).await, others);

    set_option(database, PLUGINS, "a:1:{broken").await;
    for on in [true, false] {
        let error = source.activate_plugin(on).await.expect_err("a refusal");
        assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the option `active_sitewide_plugins` cannot be changed: \
             it is not a list; it is left alone"
        );
    }
    assert_eq!(option(database, PLUGINS).await, "a:1:{broken");
}

/// The salts are those of the sandbox's wp-config.php, so that it does not matter where the source
/// got them.
pub(super) async fn what_wordpress_is_asked_is_known_after_a_read(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    set_option(database, "auth_key", "a key that protects nothing").await;
    set_option(database, "auth_salt", "a salt that protects nothing").await;
    source.read().await.expect("a network");
    let question = |text| source.routing_question(7, &name(text));
    // PHP: `hash_hmac('md5', $name, $key . $salt)`
    assert_eq!(question("Shop.example").as_deref(), Some("38862d010d4a5834ee6bfdaeb9124af4"));
    assert_eq!(question("bücher.example").as_deref(), Some("ef24572e2ae5fbd81ea66e453b22aea8"));
    assert_eq!(question("*.shop.example"), None);
}
