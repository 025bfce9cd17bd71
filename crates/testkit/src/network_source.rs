//! What [`NetworkSource`] promises, tried on any database.
//!
//! The suite checks the tables directly, so that doing nothing does not pass. Its SQL is
//! what MySQL and SQLite have in common. What is promised of any network, in a database or not, is
//! in [`network_meaning`](crate::network_meaning), and part of the suite.

mod options;
mod sql_rows;

use std::time::Duration;

use async_trait::async_trait;
use rules::network::{Hidden, Switch, WwwTwins};
use rules::source::NetworkSource;
use rules::{DomainName, Entry, Problem, Stage, Time};

use crate::mariadb;
use crate::network_meaning::network_meaning_contract;
use options::{
    a_home_that_makes_no_sense_is_left_alone_until_it_is_replaced,
    options_are_reported_as_they_stand_there, our_plugin_is_switched_on_and_off_beside_others,
    the_interval_is_set_and_the_other_settings_stay,
    the_plugins_nonces_go_from_the_options_of_the_main_site,
    the_plugins_secret_is_written_and_all_that_it_keeps_goes, the_switch_keeps_every_other_value,
    the_time_of_the_next_pass_is_written_and_is_no_change_of_the_network,
    what_wordpress_is_asked_is_known_after_a_read,
};

/// The database of a network, without the source.
#[async_trait]
pub trait RawSql: Send + Sync {
    /// Run SQL; returns one row per line, columns separated by tabs, `NULL` for NULL.
    async fn run(&self, sql: &str) -> String;
}

#[async_trait]
impl RawSql for mariadb::Database<'_> {
    async fn run(&self, sql: &str) -> String {
        self.execute(sql)
    }
}

/// A network, and direct access to its database.
pub type Fresh = (Box<dyn NetworkSource>, Box<dyn RawSql>);

/// What [`NetworkSource`] promises. `fresh` makes a network at each call: the prefix `wp_`, the
/// domain `network.example`, its main site of id 1, no other site and no mapping.
///
/// # Panics
///
/// If the source breaks its contract.
pub async fn network_source_contract(fresh: impl AsyncFn() -> Fresh) {
    network_meaning_contract(async || {
        let (source, database) = fresh().await;
        database.run("DELETE FROM wp_sitemeta").await;
        (source, Box::new(sql_rows::SqlRows(database)) as _)
    })
    .await;
    macro_rules! promise {
        ($($promise:ident)*) => {$({
            let (source, database) = fresh().await;
            database.run(SITES).await;
            $promise(&*source, &*database).await;
            source.close().await;
        })*};
    }
    promise! {
        the_whole_network_is_read
        rows_that_make_no_sense_cost_only_themselves
        what_came_back_is_seen_right_before_its_removal
        sites_in_sub_directories_carry_the_networks_domain_and_a_path
        a_mapping_moves_only_from_the_site_that_was_read
        a_record_has_the_dates_that_the_plugin_writes
        the_switch_keeps_every_other_value
        the_interval_is_set_and_the_other_settings_stay
        a_home_that_makes_no_sense_is_left_alone_until_it_is_replaced
        options_are_reported_as_they_stand_there
        the_plugins_secret_is_written_and_all_that_it_keeps_goes
        the_plugins_nonces_go_from_the_options_of_the_main_site
        the_time_of_the_next_pass_is_written_and_is_no_change_of_the_network
        our_plugin_is_switched_on_and_off_beside_others
        what_wordpress_is_asked_is_known_after_a_read
    }
}

const SITES: &str = "DELETE FROM wp_sitemeta; INSERT INTO wp_blogs \
    (blog_id, site_id, domain, path, registered) VALUES \
    (2, 1, 'Shop.example', '/', '2025-01-01 00:00:00'), \
    (3, 1, 'other.example', '/', '2025-01-01 00:00:00')";

async fn option(database: &dyn RawSql, name: &str) -> String {
    let sql =
        format!("SELECT meta_value FROM wp_sitemeta WHERE site_id = 1 AND meta_key = '{name}'");
    database.run(&sql).await.trim_end().to_owned()
}

/// A row with an option of network 1.
async fn set_option(database: &dyn RawSql, name: &str, value: &str) {
    let value = value.replace('\'', "''");
    let insert = "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value)";
    let delete = format!("DELETE FROM wp_sitemeta WHERE meta_key = '{name}'");
    database.run(&format!("{delete}; {insert} VALUES (1, '{name}', '{value}')")).await;
}

fn name(text: &str) -> DomainName {
    text.parse().expect("a name")
}

const INTEGRATIONS: &str = "wu_host_integrations_enabled";
const SETTINGS: &str = "wp-ultimo_v2_settings";

async fn what_came_back_is_seen_right_before_its_removal(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run(
            "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES \
             (7, 2, 'Back.Example.'), (8, 3, 'bücher.example'), (9, 3, 'https://old.example'), \
             (10, 3, 'renamed.example'), (11, 3, 'http://not.example')",
        )
        .await;
    let gone = [
        ("back.example", 1),
        ("bücher.example", 2),
        ("old.example", 9),
        ("was.example", 10),
        ("not.example", 12),
    ];
    let gone = gone.map(|(domain, row)| {
        let mut entry = Entry::new(name(domain), None, Time::from_millis(0));
        entry.other_rows = vec![row];
        entry
    });
    let gone: Vec<&Entry> = gone.iter().collect();
    let back = source.came_back(&gone).await.expect("an answer");
    let back: Vec<_> = back.iter().map(|domain| domain.display().into_owned()).collect();
    assert_eq!(back, ["back.example", "old.example", "bücher.example"]);
}

async fn the_whole_network_is_read(source: &dyn NetworkSource, database: &dyn RawSql) {
    database
        .run(
            "UPDATE wp_blogs SET archived = 1 WHERE blog_id = 3;
             INSERT INTO wp_wu_domain_mappings \
             (id, blog_id, domain, active, primary_domain, secure, stage) VALUES \
             (7, 2, 'Shop.Example', 1, 1, 1, 'done'), (8, 3, 'bücher.example', 0, 0, 0, 'failed')",
        )
        .await;
    set_option(database, INTEGRATIONS, r#"a:1:{s:6:"closte";b:1;}"#).await;
    set_option(
        database,
        SETTINGS,
        r#"a:2:{s:18:"dns_check_interval";s:3:"120";s:25:"auto_create_www_subdomain";s:5:"never";}"#,
    )
    .await;
    let form = r#"a:1:{i:0;a:1:{s:6:"fields";a:1:{i:0;a:2:{s:4:"type";s:8:"site_url";s:17:"available_domains";s:17:"www.Bases.example";}}}}"#;
    database
        .run(&format!("INSERT INTO wp_wu_forms (name, settings) VALUES ('x', '{form}'), ('y', '')"))
        .await;

    let network = source.read().await.expect("a network");
    assert_eq!(network.identity.domain.as_str(), "network.example");
    assert_eq!((network.identity.prefix.as_str(), network.identity.network_id), ("wp_", 1));
    assert_eq!(network.switch, Switch::On);
    assert_eq!(network.home, None);
    assert_eq!(network.settings.dns_check_interval, Duration::from_mins(2));
    assert_eq!(network.settings.www, WwwTwins::Never);
    assert_eq!(network.stage_words.len(), 6);
    let sites: Vec<_> = network.sites.iter().map(|(id, site)| (*id, site.hidden)).collect();
    assert_eq!(sites, [(1, None), (2, None), (3, Some(Hidden::Archived))]);
    let shop = &network.sites[&2];
    assert_eq!((shop.network_id, shop.path.as_str()), (1, "/"));
    assert_eq!(shop.domain, Some(name("shop.example")));
    let now = network.database_time.expect("the time").as_millis() / 1000;
    let age = i64::try_from(shop.age.expect("an age").as_secs()).expect("it fits");
    // 2025-01-01 in Unix time, and a second for a clock that ticks in between.
    assert!((now - 1_735_689_600 - age).abs() <= 1, "{age} s old at {now}");
    assert_eq!(shop.registered, Some(Time::from_millis(1_735_689_600_000)));
    let names: Vec<_> = network.mappings.iter().map(|it| it.domain.as_str()).collect();
    assert_eq!(names, ["shop.example", "xn--bcher-kva.example"]);
    let first = &network.mappings[0];
    assert_eq!((first.id, first.site_id, first.stage), (7, 2, Some(Stage::Done)));
    assert!(first.secure && first.active && first.primary);
    let second = &network.mappings[1];
    assert_eq!((second.id, second.site_id, second.stage), (8, 3, Some(Stage::Failed)));
    assert!(!second.secure && !second.active && !second.primary);
    let bases: Vec<_> = network.shared_bases.iter().map(DomainName::as_str).collect();
    assert_eq!(bases, ["bases.example"]);
    assert_eq!(network.problems, []);
}

/// The values that every kind of column can store; each database's own tests have more.
async fn rows_that_make_no_sense_cost_only_themselves(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run(
            "INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES \
             (4, 1, 'not a host!', '/'), (5, 1, 'localhost:8080', '/');
             INSERT INTO wp_wu_domain_mappings \
             (id, blog_id, domain, active, primary_domain, secure, stage) VALUES \
             (1, 2, 'good.example', NULL, NULL, NULL, NULL), \
             (3, 2, 'two words.example', 1, 0, 0, 'done'), \
             (4, 99, 'orphan.example', 1, 0, 0, 'done'), \
             (5, -1, 'negative.example', 1, 0, 0, 'done'), \
             (-6, 2, 'row.example', 1, 0, 0, 'done'), (7, 3, '', 1, 0, 0, 'done')",
        )
        .await;
    database
        .run(
            "INSERT INTO wp_sitemeta (meta_id, site_id, meta_key, meta_value) VALUES \
             (11, 1, 'wp-ultimo_v2_settings', 'a:9:{broken');
             INSERT INTO wp_wu_forms (id, name, settings) VALUES (21, 'x', 'available_domains')",
        )
        .await;
    let network = source.read().await.expect("a network");
    let names: Vec<_> = network.mappings.iter().map(|it| (it.id, it.domain.as_str())).collect();
    assert_eq!(names, [(1, "good.example"), (4, "orphan.example"), (5, "negative.example")]);
    let first = &network.mappings[0];
    assert_eq!(first.stage, None);
    assert!(!first.active && !first.primary && !first.secure);
    assert_eq!(network.mappings[2].site_id, 0);
    assert_eq!(network.unreadable.values().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(network.sites.len(), 5);
    assert_eq!(network.sites[&5].domain, None);
    assert_eq!(network.settings.domain_mapping, Switch::Unreadable);
    let places: Vec<_> = network.problems.iter().map(place).collect();
    assert_eq!(
        places,
        [
            "wp_blogs.domain Some(4)",
            "wp_wu_domain_mappings.- None",
            "wp_wu_domain_mappings.stage Some(1)",
            "wp_wu_domain_mappings.domain Some(3)",
            "wp_wu_domain_mappings.domain Some(7)",
            "wp_sitemeta.meta_value Some(11)",
            "wp_wu_forms.settings Some(21)",
        ]
    );
}

fn place(problem: &Problem) -> String {
    let column = problem.column.as_deref().unwrap_or("-");
    format!("{}.{column} {:?}", problem.table.as_deref().unwrap_or("-"), problem.id)
}

async fn a_mapping_moves_only_from_the_site_that_was_read(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let insert = "INSERT INTO wp_wu_domain_mappings \
        (id, blog_id, domain, active, primary_domain, secure, stage) \
        VALUES (7, 2, 'a.example', 1, 1, 1, 'done')";
    database.run(insert).await;
    let moved = async |from, to| source.move_mapping(7, from, to).await.expect("an answer");
    assert!(!moved(3, 2).await, "it leads elsewhere");
    assert!(moved(2, 3).await);
    let row = "SELECT blog_id, primary_domain, secure, stage FROM wp_wu_domain_mappings";
    assert_eq!(database.run(row).await, "3\t0\t1\tdone\n");
}

async fn sites_in_sub_directories_carry_the_networks_domain_and_a_path(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run("UPDATE wp_blogs SET domain = 'network.example', path = '/shop/' WHERE blog_id = 2")
        .await;
    let network = source.read().await.expect("a network");
    assert_eq!(network.sites[&2].path, "/shop/");
    assert_eq!(network.sites[&2].domain, network.sites[&1].domain);
}

async fn a_record_has_the_dates_that_the_plugin_writes(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let made = source.create_record(2, &name("shop.example")).await.expect("an answer");
    assert!(made.is_some());
    let dates = "SELECT date_created = date_modified, date_created > '2025-01-01 00:00:00' \
        FROM wp_wu_domain_mappings";
    assert_eq!(database.run(dates).await, "1\t1\n");
}
