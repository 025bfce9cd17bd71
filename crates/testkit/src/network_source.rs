//! What [`NetworkSource`] promises, tried on any database.
//!
//! The suite checks the tables directly, so that doing nothing does not pass. Its SQL is
//! what MySQL and SQLite have in common.

mod options;

use std::time::Duration;

use async_trait::async_trait;
use rules::network::WwwTwins;
use rules::source::{NetworkSource, Primary, SourceError, StageWrite};
use rules::{DomainName, Problem, Stage};

use crate::mariadb;
use options::{
    HOMES, home, options_are_reported_as_they_stand_there,
    our_plugin_is_switched_on_and_off_beside_others, the_first_home_stands_until_it_is_replaced,
    the_interval_is_set_and_the_other_settings_stay,
    the_plugins_secret_is_written_and_all_that_it_keeps_goes, the_switch_keeps_every_other_byte,
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
        sites_in_sub_directories_carry_the_networks_domain_and_a_path
        a_stage_is_written_only_over_the_one_that_was_read
        a_stage_is_written_where_none_stood
        a_record_is_made_as_the_plugin_makes_it
        no_record_is_made_where_a_condition_fails
        a_mapping_is_added_because_a_person_asked
        a_mapping_is_removed_however_it_is_stored
        the_switch_keeps_every_other_byte
        the_interval_is_set_and_the_other_settings_stay
        the_first_home_stands_until_it_is_replaced
        the_pulse_changes_with_all_but_stages
        every_right_is_there_and_trying_it_changes_nothing
        of_two_at_once_one_wins
        options_are_reported_as_they_stand_there
        the_plugins_secret_is_written_and_all_that_it_keeps_goes
        our_plugin_is_switched_on_and_off_beside_others
        what_wordpress_is_asked_is_known_after_a_read
    }
}

const SITES: &str = "DELETE FROM wp_sitemeta; INSERT INTO wp_blogs \
    (blog_id, site_id, domain, path, registered) VALUES \
    (2, 1, 'Shop.example', '/', '2025-01-01 00:00:00'), \
    (3, 1, 'other.example', '/', '2025-01-01 00:00:00')";

const ROWS: &str = "SELECT id, blog_id, domain, active, primary_domain, secure, stage \
    FROM wp_wu_domain_mappings ORDER BY id";

async fn rows(database: &dyn RawSql) -> String {
    database.run(ROWS).await.replace('\t', " ")
}

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
    assert!(network.switched_on);
    assert_eq!(network.home, None);
    assert_eq!(network.settings.dns_check_interval, Duration::from_mins(2));
    assert_eq!(network.settings.www, WwwTwins::Never);
    assert_eq!(network.stage_words.len(), 6);
    let sites: Vec<_> = network.sites.iter().map(|(id, site)| (*id, site.hidden)).collect();
    assert_eq!(sites, [(1, false), (2, false), (3, true)]);
    let shop = &network.sites[&2];
    assert_eq!((shop.network_id, shop.path.as_str()), (1, "/"));
    assert_eq!(shop.domain, Some(name("shop.example")));
    let now = network.database_time.expect("the time").as_millis() / 1000;
    let age = i64::try_from(shop.age.expect("an age").as_secs()).expect("it fits");
    // 2025-01-01 in Unix time, and a second for a clock that ticks in between.
    assert!((now - 1_735_689_600 - age).abs() <= 1, "{age} s old at {now}");
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
    assert_eq!(network.unreadable_of.iter().copied().collect::<Vec<_>>(), [2, 3]);
    assert_eq!(network.sites.len(), 5);
    assert_eq!(network.sites[&5].domain, None);
    assert_eq!(network.settings, rules::network::Settings::default());
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

fn write(from: Option<Stage>, to: Stage, secure: bool) -> StageWrite {
    StageWrite { mapping_id: 5, from, to, secure }
}

async fn a_stage_is_written_only_over_the_one_that_was_read(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run("INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (5, 2, 'a.example')")
        .await;
    let stage = async || {
        let columns = "SELECT stage, secure, date_modified IS NULL FROM wp_wu_domain_mappings";
        database.run(columns).await.replace('\t', " ")
    };
    let written = async |from, to, secure| {
        source.write_stage(&write(Some(from), to, secure)).await.expect("an answer")
    };
    assert!(!written(Stage::Failed, Stage::Done, true).await, "it has moved on");
    assert_eq!(stage().await, "checking-dns 0 1\n");
    assert!(written(Stage::CheckingDns, Stage::CheckingSslCert, false).await);
    assert!(!written(Stage::CheckingDns, Stage::CheckingSslCert, false).await);
    assert_eq!(stage().await, "checking-ssl-cert 0 0\n");
    assert!(written(Stage::CheckingSslCert, Stage::CheckingSslCert, false).await, "so it stands");
    assert!(written(Stage::CheckingSslCert, Stage::Done, true).await);
    assert_eq!(stage().await, "done 1 0\n");
    assert!(written(Stage::Done, Stage::Failed, false).await);
    assert_eq!(stage().await, "failed 1 0\n", "`secure` is never lowered");
    let absent = StageWrite { mapping_id: 99, ..write(Some(Stage::Failed), Stage::Done, true) };
    assert!(!source.write_stage(&absent).await.expect("an answer"));
    let impossible = StageWrite { mapping_id: u64::MAX, ..absent };
    assert!(!source.write_stage(&impossible).await.expect("an answer"));
}

async fn a_stage_is_written_where_none_stood(source: &dyn NetworkSource, database: &dyn RawSql) {
    let insert = "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage)";
    database.run(&format!("{insert} VALUES (5, 2, 'a.example', NULL)")).await;
    let first = write(None, Stage::Done, false);
    assert!(source.write_stage(&first).await.expect("an answer"));
    assert!(!source.write_stage(&write(None, Stage::Failed, false)).await.expect("an answer"));
    assert_eq!(rows(database).await, "5 2 a.example 1 0 0 done\n");
}

async fn a_record_is_made_as_the_plugin_makes_it(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let shop = name("shop.example");
    let made = source.create_record(2, &shop).await.expect("an answer");
    let id = made.expect("a record");
    let record = format!("{id} 2 shop.example 1 1 0 checking-dns\n");
    assert_eq!(rows(database).await, record);
    let dates = "SELECT date_created = date_modified, date_created > '2025-01-01 00:00:00' \
        FROM wp_wu_domain_mappings";
    assert_eq!(database.run(dates).await, "1\t1\n");
    assert_eq!(source.create_record(2, &shop).await.expect("an answer"), None, "only once");
    assert_eq!(rows(database).await, record);
    let mapping = &source.read().await.expect("a network").mappings[0];
    assert_eq!((mapping.id, mapping.stage), (id, Some(Stage::CheckingDns)));
}

#[rustfmt::skip] // One case a line.
const NO_RECORD: [(&str, &str); 12] = [
    ("the site is gone", "DELETE FROM wp_blogs WHERE blog_id = 2"),
    ("it has another name", "UPDATE wp_blogs SET domain = 'new.example' WHERE blog_id = 2"),
    ("it has a path", "UPDATE wp_blogs SET path = '/x/' WHERE blog_id = 2"),
    ("it is archived", "UPDATE wp_blogs SET archived = 1 WHERE blog_id = 2"),
    ("it is spam", "UPDATE wp_blogs SET spam = 1 WHERE blog_id = 2"),
    ("it is deleted", "UPDATE wp_blogs SET deleted = 1 WHERE blog_id = 2"),
    ("it has a mapping", "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2, 'x.example')"),
    ("its name is mapped", "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (3, 'SHOP.example')"),
    ("its twin is mapped", "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (3, 'www.shop.example')"),
    ("another site has its name", "UPDATE wp_blogs SET domain = 'shop.example', path = '/y/' WHERE blog_id = 3"),
    ("another site has its twin", "UPDATE wp_blogs SET domain = 'WWW.shop.example' WHERE blog_id = 3"),
    ("another's name came to be asked for", "UPDATE wp_blogs SET domain = '' WHERE blog_id = 2"),
];

async fn no_record_is_made_where_a_condition_fails(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    let fresh = format!(
        "DELETE FROM wp_wu_domain_mappings; DELETE FROM wp_blogs WHERE blog_id IN (2, 3); {SITES}"
    );
    for (shows, change) in NO_RECORD {
        database.run(&format!("{fresh}; {change}")).await;
        let before = rows(database).await;
        let made = source.create_record(2, &name("shop.example")).await.expect("an answer");
        assert_eq!((made, rows(database).await), (None, before), "{shows}");
    }
    database.run(&fresh).await;
    let made = source.create_record(2, &name("shop.example")).await.expect("an answer");
    assert!(made.is_some(), "where none fails, it is made");
}

async fn a_mapping_is_added_because_a_person_asked(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run(
            "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, primary_domain) VALUES \
             (5, 2, 'a.example', 1), (6, 3, 'b.example', 1)",
        )
        .await;
    let add =
        async |site, domain: &DomainName, primary| source.add_mapping(site, domain, primary).await;
    let id = add(2, &name("*.c.example"), Primary::No).await.expect("a mapping");
    let primary = add(2, &name("d.example"), Primary::Yes).await.expect("a mapping");
    let after = format!(
        "5 2 a.example 1 0 0 checking-dns\n6 3 b.example 1 1 0 checking-dns\n\
         {id} 2 *.c.example 1 0 0 checking-dns\n{primary} 2 d.example 1 1 0 checking-dns\n"
    );
    assert_eq!(rows(database).await, after, "the site's other primary steps down, no other's does");

    let long = name(&format!("{}example", "abcdefghi.".repeat(19)));
    let table = [
        (2, name("b.example"), "`b.example` is mapped already".to_owned()),
        (9, name("e.example"), "there is no site 9".to_owned()),
        (2, long.clone(), format!("`{long}` is longer than the 191 octets that WordPress keeps")),
    ];
    for (site, domain, why) in table {
        let error = add(site, &domain, Primary::Yes).await.expect_err("a refusal");
        assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
        assert_eq!(error.to_string(), why);
    }
    assert_eq!(rows(database).await, after, "a refusal changes nothing");
    add(3, &name("e.example"), Primary::No).await.expect("no lock is left behind");
}

async fn a_mapping_is_removed_however_it_is_stored(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run(
            "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES \
             (5, 2, 'BÜcher.example'), (6, 3, 'xn--bcher-kva.example.'), \
             (7, 3, 'bucher.example'), (8, 3, 'no name')",
        )
        .await;
    let domain = name("bücher.example");
    assert_eq!(source.remove_mapping(&domain).await.expect("an answer"), 2);
    assert_eq!(source.remove_mapping(&domain).await.expect("an answer"), 0);
    let left = database.run("SELECT id FROM wp_wu_domain_mappings ORDER BY id").await;
    assert_eq!(left, "7\n8\n");
}

const CHANGES: [(&str, &str); 10] = [
    (
        "a site comes",
        "INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (4, 1, 'new.example', '/')",
    ),
    ("it is archived", "UPDATE wp_blogs SET archived = 1 WHERE blog_id = 4"),
    ("it goes", "DELETE FROM wp_blogs WHERE blog_id = 4"),
    (
        "a mapping comes",
        "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (6, 3, 'b.example')",
    ),
    ("two change alike", "UPDATE wp_wu_domain_mappings SET active = 0"),
    ("it is renamed", "UPDATE wp_wu_domain_mappings SET domain = 'c.example' WHERE id = 6"),
    ("it gets another site", "UPDATE wp_wu_domain_mappings SET blog_id = 2 WHERE id = 6"),
    ("it goes", "DELETE FROM wp_wu_domain_mappings WHERE id = 6"),
    (
        "a setting comes",
        "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, 'wp-ultimo_v2_settings', 'a:0:{}')",
    ),
    ("it changes", "UPDATE wp_sitemeta SET meta_value = 'b:0;'"),
];

async fn the_pulse_changes_with_all_but_stages(source: &dyn NetworkSource, database: &dyn RawSql) {
    database
        .run("INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (5, 2, 'a.example')")
        .await;
    let pulse = async || source.pulse().await.expect("a pulse");
    let mut before = pulse().await;
    assert_eq!(pulse().await, before, "nothing changed");
    let done = write(Some(Stage::CheckingDns), Stage::Done, true);
    assert!(source.write_stage(&done).await.expect("an answer"));
    assert_eq!(pulse().await, before, "only a stage changed");
    for (shows, change) in CHANGES {
        database.run(change).await;
        let after = pulse().await;
        assert_ne!(after, before, "{shows}");
        before = after;
    }
    source.switch(true).await.expect("an answer");
    assert_ne!(pulse().await, before, "Closte was switched on");
}

async fn every_right_is_there_and_trying_it_changes_nothing(
    source: &dyn NetworkSource,
    database: &dyn RawSql,
) {
    database
        .run("INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (5, 2, 'a.example')")
        .await;
    let (before, pulse) = (rows(database).await, source.pulse().await.expect("a pulse"));
    let rights = source.rights().await.expect("rights");
    assert!(!rights.is_empty());
    let missing: Vec<_> = rights.iter().filter(|it| it.missing.is_some()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!((rows(database).await, source.pulse().await.expect("a pulse")), (before, pulse));
}

/// Two calls on one source represent two processes: each works on a connection of its own.
async fn of_two_at_once_one_wins(source: &dyn NetworkSource, database: &dyn RawSql) {
    let shop = name("shop.example");
    for _ in 0..10 {
        database.run("DELETE FROM wp_wu_domain_mappings").await;
        let (a, b) = tokio::join!(source.create_record(2, &shop), source.create_record(2, &shop));
        let made = [a.expect("an answer"), b.expect("an answer")];
        assert_eq!(made.iter().flatten().count(), 1, "{made:?}");
        assert_eq!(rows(database).await.lines().count(), 1);
    }
    let (one, two) = (home("one"), home("two"));
    let (a, b) = tokio::join!(source.write_home(&one, false), source.write_home(&two, false));
    assert_eq!(a.expect("a home"), b.expect("a home"), "both get the same home");
    assert_eq!(database.run(HOMES).await, "1\n");
}
