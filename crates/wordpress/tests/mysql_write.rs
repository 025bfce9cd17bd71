//! Writing to a real MariaDB: the parts that are MySQL's own. The rest is in `network_source.rs`.

use rules::Stage;
use rules::source::{NetworkSource, StageWrite};
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
    let domain = "a.example".parse().expect("a name");
    StageWrite { mapping_id: 5, domain, from, to, secure }
}

#[tokio::test]
async fn a_stage_is_written_over_the_empty_word_that_mysql_keeps_for_nonsense() {
    let database = network();
    database.execute(
        "SET sql_mode = ''; INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, stage)
         VALUES (5, 2, 'a.example', 'nonsense')",
    );
    let source = source(&database);
    assert!(source.write_stage(&write(None, Stage::Done, false)).await.unwrap());
    assert!(!source.write_stage(&write(None, Stage::Failed, false)).await.unwrap());
    assert!(rows(&database).ends_with(" done\n"));
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
    let options = source(&database).options(&["wu_host_integrations_enabled"]).await.unwrap();
    let options: Vec<_> = options.values().map(|it| String::from_utf8_lossy(it)).collect();
    assert_eq!(options, [r#"a:2:{s:3:"ovh";s:2:"é";s:6:"closte";b:1;}"#]);
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
