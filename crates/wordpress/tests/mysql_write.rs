//! Writing to a real MariaDB: each write on condition, and nothing else touched.

use rules::source::{NetworkSource, Primary, SourceError, StageWrite};
use rules::{DomainName, Home, Stage};
use testkit::mariadb::{Database, MariaDb, PASSWORD, Stages, USER};
use wordpress::mysql::Database as At;
use wordpress::{DatabaseHost, Installation, MysqlNetwork};

fn network() -> Database<'static> {
    let database = MariaDb::shared().fresh_database();
    database.create_network("wp_", Stages::Now);
    database.create_main_site("wp_");
    database.execute(
        "INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES
         (2, 1, 'Shop.example', '/'), (3, 1, 'other.example', '/')",
    );
    database
}

fn source(database: &Database<'_>) -> MysqlNetwork {
    source_as(database, USER, PASSWORD)
}

fn source_as(database: &Database<'_>, user: &str, password: &str) -> MysqlNetwork {
    let host = DatabaseHost::tcp("127.0.0.1", Some(database.server.port()));
    let at = At::new(&host, user, password, &database.name);
    MysqlNetwork::new(at, Installation::new("wp_".parse().expect("a prefix")))
}

fn name(text: &str) -> DomainName {
    text.parse().expect("a name")
}

const ROWS: &str = "SELECT id, blog_id, domain, active, primary_domain, secure, stage \
    FROM wp_wu_domain_mappings ORDER BY id";

fn rows(database: &Database<'_>) -> String {
    database.execute(ROWS).replace('\t', " ")
}

fn option(database: &Database<'_>, name: &str) -> String {
    let sql =
        format!("SELECT meta_value FROM wp_sitemeta WHERE site_id = 1 AND meta_key = '{name}'");
    database.execute(&sql).trim_end().to_owned()
}

fn write(from: Option<Stage>, to: Stage, secure: bool) -> StageWrite {
    StageWrite { mapping_id: 5, from, to, secure }
}

#[tokio::test]
async fn a_stage_is_written_only_over_the_one_that_was_read() {
    let database = network();
    database.execute(
        "SET sql_mode = ''; INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage, date_created)
         VALUES (5, 2, 'a.example', 'checking-dns', '0000-00-00')",
    );
    let source = source(&database);
    let stage = || {
        database.execute("SELECT stage, secure, date_modified IS NULL FROM wp_wu_domain_mappings")
    };

    let late = write(Some(Stage::Failed), Stage::Done, true);
    assert!(!source.write_stage(&late).await.unwrap(), "it has moved on");
    assert_eq!(stage(), "checking-dns\t0\t1\n");
    let first = write(Some(Stage::CheckingDns), Stage::CheckingSslCert, false);
    assert!(source.write_stage(&first).await.unwrap());
    assert!(!source.write_stage(&first).await.unwrap());
    assert_eq!(stage(), "checking-ssl-cert\t0\t0\n");
    let done = write(Some(Stage::CheckingSslCert), Stage::Done, true);
    assert!(source.write_stage(&done).await.unwrap());
    assert_eq!(stage(), "done\t1\t0\n");
    assert!(source.write_stage(&write(Some(Stage::Done), Stage::Failed, false)).await.unwrap());
    assert_eq!(stage(), "failed\t1\t0\n", "`secure` is never lowered");
    let absent = StageWrite { mapping_id: 99, ..done };
    assert!(!source.write_stage(&absent).await.unwrap());
}

#[tokio::test]
async fn a_stage_is_written_where_none_stood() {
    let database = network();
    for stage in ["NULL", "'nonsense'"] {
        database.execute(&format!(
            "SET sql_mode = ''; REPLACE INTO wp_wu_domain_mappings (id, blog_id, domain, stage)
             VALUES (5, 2, 'a.example', {stage})"
        ));
        let source = source(&database);
        assert!(source.write_stage(&write(None, Stage::Done, false)).await.unwrap(), "{stage}");
        assert!(!source.write_stage(&write(None, Stage::Failed, false)).await.unwrap());
        assert!(rows(&database).ends_with(" done\n"));
    }
}

#[tokio::test]
async fn a_word_that_the_column_lacks_is_an_error_and_never_the_empty_word() {
    let database = MariaDb::shared().fresh_database();
    database.create_network("wp_", Stages::Before2026);
    database.execute(
        "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (5, 1, 'a.example')",
    );
    let write = write(Some(Stage::CheckingDns), Stage::SslFailed, false);
    source(&database).write_stage(&write).await.unwrap_err();
    assert!(rows(&database).ends_with(" checking-dns\n"));
}

#[tokio::test]
async fn a_record_is_made_as_the_plugin_makes_it() {
    let database = network();
    let id = source(&database).create_record(2, &name("shop.example")).await.unwrap();
    assert_eq!(rows(&database), format!("{} 2 shop.example 1 1 0 checking-dns\n", id.unwrap()));
    let dates = "SELECT ABS(TIMESTAMPDIFF(SECOND, date_created, UTC_TIMESTAMP())) < 60, date_created = date_modified FROM wp_wu_domain_mappings";
    assert_eq!(database.execute(dates), "1\t1\n");
}

#[tokio::test]
async fn no_record_is_made_where_a_condition_fails() {
    let table = [
        ("the site is gone", "DELETE FROM wp_blogs WHERE blog_id = 2"),
        ("it has another name", "UPDATE wp_blogs SET domain = 'new.example' WHERE blog_id = 2"),
        ("it has a path", "UPDATE wp_blogs SET path = '/x/' WHERE blog_id = 2"),
        ("it is archived", "UPDATE wp_blogs SET archived = 1 WHERE blog_id = 2"),
        ("it is spam", "UPDATE wp_blogs SET spam = 1 WHERE blog_id = 2"),
        ("it is deleted", "UPDATE wp_blogs SET deleted = 1 WHERE blog_id = 2"),
        (
            "it has a mapping",
            "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (2, 'x.example')",
        ),
        (
            "its name is mapped",
            "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (3, 'SHOP.example')",
        ),
        (
            "its twin is mapped",
            "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES (3, 'www.shop.example')",
        ),
        (
            "another site has its name",
            "UPDATE wp_blogs SET domain = 'shop.example', path = '/y/' WHERE blog_id = 3",
        ),
        (
            "another site has its twin",
            "UPDATE wp_blogs SET domain = 'www.shop.example' WHERE blog_id = 3",
        ),
    ];
    let database = network();
    let fresh =
        "TRUNCATE wp_wu_domain_mappings; REPLACE INTO wp_blogs (blog_id, site_id, domain, path)
        VALUES (2, 1, 'Shop.example', '/'), (3, 1, 'other.example', '/')";
    let source = source(&database);
    for (shows, change) in table {
        database.execute(&format!("{fresh}; {change}"));
        let before = rows(&database);
        let made = source.create_record(2, &name("shop.example")).await.unwrap();
        assert_eq!((made, rows(&database)), (None, before), "{shows}");
    }
    database.execute(fresh);
    assert!(source.create_record(2, &name("shop.example")).await.unwrap().is_some());
}

#[tokio::test]
async fn of_two_that_make_a_record_at_once_one_does() {
    let database = network();
    let (one, two) = (source(&database), source(&database));
    for _ in 0..20 {
        database.execute("TRUNCATE wp_wu_domain_mappings");
        let shop = name("shop.example");
        let (a, b) = tokio::join!(one.create_record(2, &shop), two.create_record(2, &shop));
        let made = [a.unwrap(), b.unwrap()];
        assert_eq!(made.iter().flatten().count(), 1, "{made:?}");
        assert_eq!(rows(&database).lines().count(), 1);
    }
}

#[tokio::test]
async fn a_mapping_is_added_because_a_person_asked() {
    let database = network();
    database.execute("INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, primary_domain) VALUES (5, 2, 'a.example', 1), (6, 3, 'b.example', 1)");
    let source = source(&database);
    let id = source.add_mapping(2, &name("*.c.example"), Primary::No).await.unwrap();
    let primary = source.add_mapping(2, &name("d.example"), Primary::Yes).await.unwrap();
    assert_eq!(
        rows(&database),
        format!(
            "5 2 a.example 1 0 0 checking-dns\n6 3 b.example 1 1 0 checking-dns\n\
             {id} 2 *.c.example 1 0 0 checking-dns\n{primary} 2 d.example 1 1 0 checking-dns\n"
        )
    );
    let long = name(&format!("{}example", "abcdefghi.".repeat(19)));
    for (site, domain, why) in [
        (2, name("b.example"), "`b.example` is mapped already"),
        (9, name("e.example"), "there is no site 9"),
        (2, long.clone(), &format!("`{long}` is longer than the 191 octets that WordPress keeps")),
    ] {
        let error = source.add_mapping(site, &domain, Primary::Yes).await.unwrap_err();
        assert!(matches!(error, SourceError::Refused { .. }));
        assert_eq!(error.to_string(), why);
    }
    assert!(rows(&database).contains("d.example 1 1 0"), "a refusal changes no other mapping");
    source.add_mapping(3, &name("e.example"), Primary::No).await.expect("no lock is left behind");
}

#[tokio::test]
async fn a_mapping_is_removed_however_it_is_spelt() {
    let database = network();
    database.execute(
        "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (5, 2, 'B\u{dc}cher.example'),
         (6, 3, 'xn--bcher-kva.example.'), (7, 3, 'bucher.example'), (8, 3, 'no name')",
    );
    let source = source(&database);
    assert_eq!(source.remove_mapping(&name("b\u{fc}cher.example")).await.unwrap(), 2);
    assert_eq!(source.remove_mapping(&name("b\u{fc}cher.example")).await.unwrap(), 0);
    assert_eq!(database.execute("SELECT id FROM wp_wu_domain_mappings"), "7\n8\n");
}

#[tokio::test]
async fn the_switch_keeps_every_other_byte() {
    let database = network();
    let source = source(&database);
    assert!(!source.switch(false).await.unwrap(), "nothing to switch off");
    assert!(source.switch(true).await.unwrap());
    assert!(!source.switch(true).await.unwrap());
    assert_eq!(option(&database, "wu_host_integrations_enabled"), r#"a:1:{s:6:"closte";b:1;}"#);
    database.execute(
        r#"UPDATE wp_sitemeta SET meta_value = 'a:3:{s:6:"closte";i:1;s:3:"ovh";s:6:"çaé€";s:1:"o";O:1:"A":0:{}}'; "#
            .replace("s:6:\"çaé€\"", "s:8:\"çaé€\"")
            .as_str(),
    );
    assert!(source.switch(false).await.unwrap());
    assert_eq!(
        option(&database, "wu_host_integrations_enabled"),
        r#"a:3:{s:6:"closte";b:0;s:3:"ovh";s:8:"çaé€";s:1:"o";O:1:"A":0:{}}"#
    );
    database.execute("UPDATE wp_sitemeta SET meta_value = 'a:1:{broken'");
    let error = source.switch(true).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the option `wu_host_integrations_enabled` cannot be changed: what is there does not unserialize, so it is left alone"
    );
    assert_eq!(option(&database, "wu_host_integrations_enabled"), "a:1:{broken");
}

#[tokio::test]
async fn the_interval_is_set_and_the_other_settings_stay() {
    let database = network();
    let before = r#"a:2:{s:7:"api_key";s:3:"k'y";s:18:"dns_check_interval";i:300;}"#;
    database.execute(&format!(
        "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES
         (1, 'wp-ultimo_v2_settings', '{}'), (2, 'wp-ultimo_v2_settings', 'x'), (1, 'other', 'y')",
        before.replace('\'', "''")
    ));
    source(&database).set_check_interval(10).await.unwrap();
    assert_eq!(
        option(&database, "wp-ultimo_v2_settings"),
        r#"a:2:{s:7:"api_key";s:3:"k'y";s:18:"dns_check_interval";s:2:"10";}"#
    );
    assert_eq!(database.execute("SELECT meta_value FROM wp_sitemeta WHERE meta_id > 1"), "x\ny\n");
}

#[tokio::test]
async fn options_in_another_character_set_keep_their_bytes() {
    let database = network();
    database.execute("ALTER TABLE wp_sitemeta CONVERT TO CHARACTER SET latin1");
    let text = r#"a:1:{s:3:"ovh";s:2:"é";}"#;
    database.execute(&format!("INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, 'wu_host_integrations_enabled', '{text}')"));
    assert!(source(&database).switch(true).await.unwrap());
    assert_eq!(
        option(&database, "wu_host_integrations_enabled"),
        r#"a:2:{s:3:"ovh";s:2:"é";s:6:"closte";b:1;}"#
    );
}

#[tokio::test]
async fn the_first_home_stands_until_it_is_replaced() {
    let database = network();
    let home = |ledger: &str| Home {
        app: Some("a1".into()),
        domain: "network.example".into(),
        ledger: ledger.into(),
    };
    let source = source(&database);
    let (one, two) = (home("one"), home("two"));
    let (a, b) = tokio::join!(source.write_home(&one, false), source.write_home(&two, false));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a, b, "both hear of the same home");
    assert_eq!(source.write_home(&home("three"), true).await.unwrap(), home("three"));
    assert_eq!(source.read().await.unwrap().home, Some(home("three")));
    let count = "SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'";
    assert_eq!(database.execute(count), "1\n");
    database.execute("UPDATE wp_sitemeta SET meta_value = 'rubbish'");
    let error = source.write_home(&one, false).await.unwrap_err();
    assert_eq!(error.to_string(), "`closte_sync_home` in `wp_sitemeta` cannot be read");
}

#[tokio::test]
async fn without_the_right_to_write_nothing_is_written_and_doctor_can_say_so() {
    let database = network();
    database.execute(
        "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES (5, 2, 'a.example')",
    );
    let reader = format!("reader_{}", database.name);
    database.server.create_user(
        &reader,
        &[
            &format!("SELECT ON {}.*", database.name),
            &format!("INSERT ON {}.wp_wu_domain_mappings", database.name),
        ],
    );
    let source_of_reader = source_as(&database, &reader, &reader);
    let before = rows(&database);
    let write = write(Some(Stage::CheckingDns), Stage::Done, true);
    let error = source_of_reader.write_stage(&write).await.unwrap_err();
    assert!(
        error.to_string().starts_with("the database refused: UPDATE command denied to user"),
        "{error}"
    );
    assert!(source_of_reader.switch(true).await.is_err());
    assert_eq!(rows(&database), before);

    let missing = async |source: &MysqlNetwork| -> Vec<String> {
        let rights = source.rights().await.unwrap();
        rights.into_iter().filter(|it| it.missing.is_some()).map(|it| it.purpose).collect()
    };
    assert_eq!(
        missing(&source_of_reader).await,
        [
            "write stages (UPDATE on `wp_wu_domain_mappings`)",
            "remove mappings (DELETE on `wp_wu_domain_mappings`)",
            "keep the switch and its own mark (INSERT, UPDATE on `wp_sitemeta`)",
        ]
    );
    assert_eq!(missing(&source(&database)).await, Vec::<String>::new());
    assert_eq!(rows(&database), before);
}

#[tokio::test]
async fn a_kept_connection_that_the_server_closed_is_made_anew() {
    let database = network();
    let source = source(&database);
    source.read().await.unwrap();
    let ids = connections(&database);
    assert_eq!(ids.lines().count(), 1);
    database.server.execute(&format!("KILL {ids}"));
    source.read().await.unwrap();
    assert!(source.switch(true).await.unwrap());
}

/// The ids of the connections that we have to it.
fn connections(database: &Database<'_>) -> String {
    database.server.execute(&format!(
        "SELECT id FROM information_schema.processlist WHERE db = '{}' AND user = '{USER}'",
        database.name
    ))
}

#[tokio::test]
async fn a_closed_network_keeps_no_connection_and_can_be_used_again() {
    let database = network();
    let source = source(&database);
    source.read().await.unwrap();
    assert_eq!(connections(&database).lines().count(), 1, "it is kept between uses");
    source.close().await;
    while !connections(&database).is_empty() {}
    source.read().await.unwrap();
}
