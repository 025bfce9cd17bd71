//! A network in a SQLite file: the parts that are SQLite's own. The rest is in `network_source.rs`.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rules::source::{NetworkSource, SourceError, StageWrite};
use rules::{Disposition, Stage};
use sandbox::wordpress::{Settings, WordPress};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use wordpress::wp_config::Found;
use wordpress::{Installation, SqliteNetwork, WpConfig, network_of};

async fn network_in(folder: &Path) -> WordPress {
    let text = str::to_owned;
    let settings = Settings { domain: text("network.example"), api_key: text("k"), app: text("a") };
    let network = WordPress::create(folder, &settings).await.unwrap();
    let shop = network.add_site("shop.example", Duration::from_hours(1)).await.unwrap();
    network.map(shop, "a.example").await.unwrap();
    network
}

async fn network() -> (TempDir, WordPress) {
    let folder = tempfile::tempdir().unwrap();
    let network = network_in(folder.path()).await;
    (folder, network)
}

async fn run(file: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn source_at(file: &Path) -> SqliteNetwork {
    SqliteNetwork::new(file, Installation::new("wp_".parse().unwrap()))
}

fn source(network: &WordPress) -> SqliteNetwork {
    source_at(network.database())
}

/// The error and its cause in one line, with the hint.
fn describe(error: &SourceError) -> String {
    let cause = std::error::Error::source(error).map(|it| format!(": {it}"));
    format!("{error}{} ({})", cause.unwrap_or_default(), error.hint().unwrap_or_default())
}

fn done() -> StageWrite {
    let (domain, from) = ("a.example".parse().unwrap(), Some(Stage::CheckingDns));
    StageWrite { mapping_id: 1, domain, from, to: Stage::Done, secure: true }
}

const FORGET: &str = "DROP TABLE _mysql_data_types_cache";

/// As the integration's present driver has it, and a column that it may get later.
const SCHEMA: &str = "CREATE TABLE _wp_sqlite_mysql_information_schema_columns \
    (TABLE_SCHEMA TEXT, TABLE_NAME TEXT, COLUMN_NAME TEXT, COLUMN_TYPE TEXT, NEWER TEXT); \
    INSERT INTO _wp_sqlite_mysql_information_schema_columns VALUES \
    ('wordpress', 'wp_wu_domain_mappings', 'stage', 'enum(''done'',''failed'')', ''), \
    ('wordpress', 'wp_other', 'stage', 'enum(''ssl-failed'')', ''), \
    ('wordpress', 'wp_wu_domain_mappings', 'domain', 'varchar(191)', '')";

const CHECKED: &str = "DROP TABLE wp_wu_domain_mappings; CREATE TABLE wp_wu_domain_mappings \
    (id INTEGER PRIMARY KEY, blog_id INTEGER, domain TEXT, active, primary_domain, secure, \
    stage TEXT DEFAULT 'checking-dns' CHECK (stage IN ('checking-dns', 'done')), \
    date_created, date_modified)";

#[tokio::test]
async fn the_words_of_the_stage_are_read_from_whatever_place_tells_them() {
    let older = "UPDATE _mysql_data_types_cache SET mysql_type = 'ENUM(\"done\", \"failed\")'";
    let table = [
        ("the translator's table", older.to_owned(), 2),
        ("the driver's table, which is the newer", SCHEMA.to_owned(), 2),
        ("a check in the table itself", format!("{FORGET}; {CHECKED}"), 2),
        (
            "a type that is no list",
            "UPDATE _mysql_data_types_cache SET mysql_type = 'text'".into(),
            6,
        ),
        ("no table", FORGET.to_owned(), 6),
        (
            "a table of another shape",
            format!("{FORGET}; CREATE TABLE _mysql_data_types_cache (x)"),
            6,
        ),
        ("no row", "DELETE FROM _mysql_data_types_cache".to_owned(), 6),
    ];
    for (shows, change, count) in table {
        let (_folder, network) = network().await;
        network.execute(&change).await.unwrap();
        let words = source(&network).read().await.unwrap().stage_words;
        assert_eq!(words.len(), count, "{shows}: {words:?}");
        assert!(words.contains(&Stage::Done), "{shows}");
    }
}

#[tokio::test]
async fn odd_values_cost_only_themselves() {
    let (_folder, network) = network().await;
    network
        .execute(
            "INSERT INTO wp_blogs (blog_id, site_id, domain, registered) VALUES \
             (3, 1, 'zero.example', '0000-00-00 00:00:00'), (4, 1, 'empty.example', ''), \
             (5, 'x', 'odd.example', 'yesterday');
             UPDATE wp_wu_domain_mappings SET date_created = '0000-00-00 00:00:00', stage = 'Done', \
             secure = 'x', domain = x'fffe'",
        )
        .await
        .unwrap();
    let read = source(&network).read().await.unwrap();
    assert_eq!((read.sites[&3].age, read.sites[&4].age), (None, None));
    assert_eq!(read.sites.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(read.unreadable.values().next(), Some(&2));
    assert_eq!(read.problems.len(), 2, "{:?}", read.problems);

    network.execute("UPDATE wp_wu_domain_mappings SET domain = 'a.example'").await.unwrap();
    let first = StageWrite { from: None, ..done() };
    assert!(source(&network).write_stage(&first).await.unwrap(), "`Done` is no stage");
    let stands = network.execute("SELECT stage, secure FROM wp_wu_domain_mappings").await;
    assert_eq!(stands.unwrap(), "done\t1\n");
}

#[tokio::test]
async fn checkout_forms_may_be_missing() {
    let (_folder, network) = network().await;
    network.execute("DROP TABLE wp_wu_forms").await.unwrap();
    assert!(source(&network).read().await.unwrap().shared_bases.is_empty());
}

#[tokio::test]
async fn options_keep_bytes_that_are_no_text() {
    let (_folder, network) = network().await;
    // `a:1:{s:3:"ovh";s:3:"` 0xE9 0x00 `x";}`
    let before = "613a313a7b733a333a226f7668223b733a333a22e90078223b7d";
    let set = format!("UPDATE wp_sitemeta SET meta_value = CAST(x'{before}' AS TEXT)");
    network.execute(&set).await.unwrap();
    assert!(source(&network).switch(true).await.unwrap());
    let after = "SELECT typeof(meta_value), lower(hex(meta_value)) FROM wp_sitemeta LIMIT 1";
    let added = "733a363a22636c6f737465223b623a313b7d"; // s:6:"closte";b:1;}
    let whole = before.replacen("613a31", "613a32", 1);
    let want = format!("text\t{}{added}\n", whole.trim_end_matches("7d"));
    assert_eq!(network.execute(after).await.unwrap(), want);
    let options = source(&network).options(&["wu_host_integrations_enabled"]).await.unwrap();
    let value = &options["wu_host_integrations_enabled"];
    assert!(value.windows(3).any(|it| it == b"\xe9\0x"), "{value:?}");
}

#[tokio::test]
async fn the_salt_is_that_of_wp_config_or_learned_and_never_shows() {
    let (_folder, network) = network().await;
    let shop = "shop.example".parse().unwrap();
    let config = WpConfig::load(&Found::at(network.config()), &BTreeMap::new()).unwrap();
    let installation = Installation::of(&config).unwrap();
    let defined = SqliteNetwork::new(network.database(), installation);
    let question = defined.routing_question(7, &shop);
    assert!(question.is_some(), "nothing needs to be read");

    let learning = source(&network);
    for shows in ["nothing was read", "nothing is stored"] {
        assert_eq!(learning.routing_question(7, &shop), None, "{shows}");
        learning.read().await.unwrap();
    }
    let salts = "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES \
        (1, 'auth_key', 'another key that protects nothing'), (1, 'auth_salt', 'a salt'), \
        (1, 'auth_salt', 'that protects nothing')";
    network.execute(salts).await.unwrap();
    let read = [learning.read().await.unwrap(), defined.read().await.unwrap()];
    // PHP: `hash_hmac('md5', 'shop.example', 'another key that protects nothinga salt')`
    let learned = learning.routing_question(7, &shop);
    assert_eq!(learned.as_deref(), Some("a5cb987c12f79fade66b2bd0ee81abed"));
    assert_eq!(defined.routing_question(7, &shop), question, "the constants count first");
    let shown = format!("{defined:?} {learning:?} {read:?}");
    assert!(!shown.contains("protects"), "{shown}");
}

#[tokio::test]
async fn the_file_is_found_whatever_its_path_and_named_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let top = folder.path().canonicalize().unwrap();
    let network = network_in(&top.join("a b%20c?d#é")).await;
    let config = WpConfig::load(&Found::at(network.config()), &BTreeMap::new()).unwrap();
    let by_config = network_of(&config, None).unwrap();
    assert_eq!(database_of(&*by_config).await, network.database());

    let other = top.join("o t%25her.db");
    fs::copy(network.database(), &other).unwrap();
    let url = format!("sqlite://{}", other.display());
    let by_url = network_of(&config, Some(&url.into())).unwrap();
    assert_eq!(database_of(&*by_url).await, other);

    let link = top.join("link.db");
    std::os::unix::fs::symlink(&other, &link).unwrap();
    assert_eq!(database_of(&source_at(&link)).await, other, "the same, however it is reached");
}

async fn database_of(source: &dyn NetworkSource) -> PathBuf {
    source.read().await.unwrap().identity.database.into()
}

#[tokio::test]
async fn a_url_that_names_no_database_says_what_one_checks_like() {
    let (_folder, network) = network().await;
    let config = WpConfig::load(&Found::at(network.config()), &BTreeMap::new()).unwrap();
    for (url, want) in [
        (
            "sqlite:x.db",
            "the database URL must look like `sqlite:///absolute/path`, without options",
        ),
        (
            "oracle://u:secret@h/x",
            "the database URL must look like `mysql://user:password@host:3306/name`",
        ),
    ] {
        let error = network_of(&config, Some(&url.to_owned().into())).err().unwrap();
        assert_eq!(error.to_string(), want);
        assert!(error.hint().contains("`network.database_url`"));
    }
}

#[tokio::test]
async fn a_file_that_is_no_network_says_why_and_what_to_do_and_none_is_made() {
    let (_folder, network) = network().await;
    let folder = network.database().parent().unwrap();
    let at = |name: &str| folder.join(name);
    fs::write(at("text.db"), "this is a text, and a longer one than any header".repeat(50))
        .unwrap();
    fs::write(at("empty.db"), "").unwrap();
    fs::copy(network.database(), at("no-plugin.db")).unwrap();
    run(&at("no-plugin.db"), "DROP TABLE wp_wu_domain_mappings").await;
    let where_it_is = "(check `DB_DIR` and `DB_FILE` in wp-config.php, or `network.database_url` where that is set)";
    let table = [
        (
            "none.db",
            format!("there is no SQLite database at `{}` {where_it_is}", at("none.db").display()),
        ),
        (
            "none/x.db",
            format!("there is no SQLite database at `{}` {where_it_is}", at("none/x.db").display()),
        ),
        ("", format!("there is no SQLite database at `{}` {where_it_is}", at("").display())),
        (
            "text.db",
            format!("`{}` is not a SQLite database {where_it_is}", at("text.db").display()),
        ),
        (
            "empty.db",
            format!(
                "the database `{}` lacks `wp_blogs`, `wp_site`, `wp_sitemeta`, `wp_wu_domain_mappings` (is this a WordPress multisite network, and that of `DB_DIR` and `DB_FILE` its database, or `network.database_url` where that is set?)",
                at("empty.db").display()
            ),
        ),
        (
            "no-plugin.db",
            format!(
                "the database `{}` lacks `wp_wu_domain_mappings` (is Ultimate Multisite installed and its setup done?)",
                at("no-plugin.db").display()
            ),
        ),
    ];
    for (name, want) in table {
        let error = source_at(&at(name)).read().await.unwrap_err();
        assert_eq!(describe(&error), want);
        assert_eq!(error.disposition(), Disposition::Retry { after: None });
    }
    assert!(!at("none.db").exists());
    assert!(source_at(&at("none.db")).switch(true).await.is_err());
    assert!(!at("none.db").exists());

    let other = SqliteNetwork::new(network.database(), Installation::new("x7_".parse().unwrap()));
    let error = describe(&other.read().await.unwrap_err());
    assert!(
        error.ends_with(
            "(tables of a network with the prefix `wp_` are there: check `$table_prefix`, or `network.table_prefix` where that is set)"
        ),
        "{error}"
    );
}

/// SQLite does not write to a file of a newer format, not even for root: these tests may run as
/// root.
#[tokio::test]
async fn a_file_that_can_only_be_read_is_read_and_the_rest_says_so() {
    let (_folder, network) = network().await;
    let mut bytes = fs::read(network.database()).unwrap();
    bytes[18] = 3; // The version for writing (SQLite's file format, 1.3.3).
    fs::write(network.database(), &bytes).unwrap();
    let source = source(&network);
    assert_eq!(source.read().await.unwrap().mappings.len(), 1);
    source.pulse().await.unwrap();

    let error = source.write_stage(&done()).await.unwrap_err();
    let file = network.database().display();
    assert_eq!(
        describe(&error),
        format!(
            "the database `{file}` refused: (code: 8) attempt to write a readonly database (run \
             closte-sync as the user that owns it; that user must be able to write to it and its folder)"
        )
    );
    let rights = source.rights().await.unwrap();
    let missing: Vec<_> = rights.iter().map(|it| it.missing.is_some()).collect();
    assert_eq!(missing, [false, true]);
    assert_eq!(fs::read(network.database()).unwrap(), bytes);
}

#[tokio::test]
async fn the_journal_mode_stays_and_reading_writes_nothing() {
    for mode in ["delete", "wal"] {
        let (_folder, network) = network().await;
        network.execute(&format!("PRAGMA journal_mode = {mode}")).await.unwrap();
        let before = fs::read(network.database()).unwrap();
        let source = source(&network);
        source.read().await.unwrap();
        source.rights().await.unwrap();
        assert_eq!(fs::read(network.database()).unwrap(), before, "{mode}");
        assert!(source.write_stage(&done()).await.unwrap());
        assert_eq!(network.mappings().await.unwrap()[0].stage, "done");
        let stands = network.execute("PRAGMA journal_mode").await.unwrap();
        assert_eq!(stands, format!("{mode}\n"));
    }
}

#[tokio::test]
async fn a_file_that_was_put_in_its_place_is_read() {
    let (_folder, network) = network().await;
    let source = source(&network);
    let pulse = source.pulse().await.unwrap();
    let other = network.database().with_extension("restored");
    fs::copy(network.database(), &other).unwrap();
    run(&other, "DELETE FROM wp_wu_domain_mappings").await;
    fs::rename(&other, network.database()).unwrap();
    assert_ne!(source.pulse().await.unwrap(), pulse);
    assert_eq!(source.read().await.unwrap().mappings, []);
}
