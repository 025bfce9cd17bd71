//! The file of a ledger: who may read it, and what is refused.

#![expect(clippy::unwrap_used, reason = "clippy takes what tests share for other code")]

use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ledger::{CreateIfMissing, LedgerPath, SqliteLedger};
use rules::ledger::{Batch, Ledger, LedgerError};
use rules::{DomainName, Entry, Time};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;

fn ledger_path(folder: &TempDir, name: &str) -> LedgerPath {
    LedgerPath::at(&format!("sqlite://{}/{name}", folder.path().display()), &[]).unwrap()
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn sibling(ledger_path: &LedgerPath, suffix: &str) -> std::path::PathBuf {
    format!("{}{suffix}", ledger_path.file().display()).into()
}

/// The file behind the ledger's back.
async fn raw(ledger_path: &LedgerPath) -> SqliteConnection {
    SqliteConnectOptions::new().filename(ledger_path.file()).connect().await.unwrap()
}

fn with_entry(domain: &str) -> Batch {
    let domain: DomainName = domain.parse().unwrap();
    let entry = Entry::new(domain, None, Time::from_millis(1));
    Batch { entries: vec![entry], ..Batch::default() }
}

async fn names(ledger: &SqliteLedger) -> Vec<String> {
    ledger.load().await.unwrap().entries.into_keys().map(|domain| domain.to_string()).collect()
}

fn cause(error: &LedgerError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn only_its_owner_may_read_a_new_ledger_and_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "new/deep/ledger.db");
    let ledger = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    ledger.save(&with_entry("a.example")).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&sibling(&ledger_path, suffix)), 0o600, "{suffix}");
    }
    assert_eq!(mode(&folder.path().join("new")), 0o700);
    assert_eq!(mode(&folder.path().join("new/deep")), 0o700);
}

#[tokio::test]
async fn a_ledger_that_others_may_read_is_closed_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    let first = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    first.save(&with_entry("a.example")).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::set_permissions(sibling(&ledger_path, suffix), Permissions::from_mode(0o644)).unwrap();
    }
    SqliteLedger::open(&ledger_path, CreateIfMissing::No).await.unwrap();
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&sibling(&ledger_path, suffix)), 0o600, "{suffix}");
    }
}

#[tokio::test]
async fn it_keeps_its_name_and_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    let first = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    first.save(&with_entry("a.example")).await.unwrap();
    let id = first.id().to_owned();
    first.close().await.unwrap();

    let second = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    assert_eq!(second.id(), id);
    assert_eq!(names(&second).await, ["a.example"]);
}

#[tokio::test]
async fn commands_that_make_none_say_that_no_pass_has_run() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "new/ledger.db");
    let missing = |error| matches!(error, LedgerError::Missing { .. });
    assert!(missing(SqliteLedger::open(&ledger_path, CreateIfMissing::No).await.unwrap_err()));
    assert!(missing(SqliteLedger::open_readonly(&ledger_path).await.unwrap_err()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "and leave nothing behind");

    fs::create_dir(folder.path().join("new")).unwrap();
    fs::write(ledger_path.file(), "").unwrap();
    assert!(
        missing(SqliteLedger::open_readonly(&ledger_path).await.unwrap_err()),
        "died while made"
    );
    SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
}

#[tokio::test]
async fn only_who_may_make_a_ledger_brings_an_older_one_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    fs::write(ledger_path.file(), "").unwrap();
    let schema_2 = include_str!("fixtures/schema-2.sql");
    sqlx::raw_sql(schema_2).execute(&mut raw(&ledger_path).await).await.unwrap();
    // An older closte-sync may be at work with it.
    for _ in 0..2 {
        let error = SqliteLedger::open(&ledger_path, CreateIfMissing::No).await.unwrap_err();
        assert!(cause(&error).contains("an older closte-sync wrote it (schema 2"), "{error:?}");
    }
    SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    SqliteLedger::open(&ledger_path, CreateIfMissing::No).await.unwrap();
}

#[tokio::test]
async fn a_reader_works_beside_a_writer_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    let writer = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    let reader = SqliteLedger::open_readonly(&ledger_path).await.unwrap();
    assert_eq!(reader.id(), writer.id());
    writer.save(&with_entry("a.example")).await.unwrap();
    assert_eq!(names(&reader).await, ["a.example"]);

    let mut busy = raw(&ledger_path).await;
    let open = busy.begin_with("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(names(&reader).await, ["a.example"], "while another process writes");
    drop(open);

    let error = reader.save(&with_entry("b.example")).await.unwrap_err();
    assert_eq!(error.to_string(), "could not write the ledger");
    assert_eq!(cause(&error), "(code: 8) attempt to write a readonly database");
}

#[tokio::test]
async fn what_is_left_of_a_killed_writer_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let killed = ledger_path(&folder, "killed.db");
    let writer = SqliteLedger::open(&killed, CreateIfMissing::Yes).await.unwrap();
    writer.save(&with_entry("a.example")).await.unwrap();
    let left = ledger_path(&folder, "left.db");
    for suffix in ["", "-wal"] {
        fs::copy(sibling(&killed, suffix), sibling(&left, suffix)).unwrap();
    }
    assert_eq!(names(&SqliteLedger::open_readonly(&left).await.unwrap()).await, ["a.example"]);
    assert_eq!(
        names(&SqliteLedger::open(&left, CreateIfMissing::No).await.unwrap()).await,
        ["a.example"]
    );
}

#[tokio::test]
async fn a_newer_ledger_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap().close().await.unwrap();
    let mut newer = raw(&ledger_path).await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
               VALUES (7, 'later', 1, x'00', 0)";
    sqlx::query(sql).execute(&mut newer).await.unwrap();
    newer.close().await.unwrap();
    let before = fs::read(ledger_path.file()).unwrap();

    for opened in [
        SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await,
        SqliteLedger::open_readonly(&ledger_path).await,
    ] {
        let error = opened.unwrap_err();
        assert!(matches!(error, LedgerError::Newer { found: 7, known: 6, .. }), "{error}");
    }
    assert_eq!(fs::read(ledger_path.file()).unwrap(), before);
}

#[tokio::test]
async fn what_is_no_ledger_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = ledger_path(&folder, "text.db");
    fs::write(text.file(), "not a database at all, ".repeat(100)).unwrap();
    let foreign = ledger_path(&folder, "foreign.db");
    fs::write(foreign.file(), "").unwrap();
    let mut other = raw(&foreign).await;
    sqlx::query("CREATE TABLE wp_blogs (blog_id)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let table = [
        (text, "(code: 26) file is not a database"),
        (foreign, "it is a database of another program"),
    ];

    for (ledger_path, why) in table {
        let before = fs::read(ledger_path.file()).unwrap();
        for opened in [
            SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await,
            SqliteLedger::open_readonly(&ledger_path).await,
        ] {
            let error = opened.unwrap_err();
            let want = format!("could not open the ledger `{}`", ledger_path.file().display());
            assert_eq!(error.to_string(), want);
            assert_eq!(cause(&error), why);
        }
        assert_eq!(fs::read(ledger_path.file()).unwrap(), before);
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let opened = SqliteLedger::open(&ledger_path(&folder, "folder.db"), CreateIfMissing::Yes).await;
    assert!(matches!(opened, Err(LedgerError::Open { .. })), "{opened:?}");
    let opened =
        SqliteLedger::open(&ledger_path(&folder, "file/ledger.db"), CreateIfMissing::Yes).await;
    let error = opened.unwrap_err();
    let file = folder.path().join("file");
    let want = format!("could not make the folder `{}`: File exists (os error 17)", file.display());
    assert_eq!(cause(&error), want);
    let long = format!("{}/ledger.db", "x".repeat(300));
    let opened = SqliteLedger::open(&ledger_path(&folder, &long), CreateIfMissing::Yes).await;
    assert!(matches!(opened, Err(LedgerError::Open { .. })), "{opened:?}");
}

#[tokio::test]
async fn two_who_make_it_at_once_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    let (one, other) = tokio::join!(
        SqliteLedger::open(&ledger_path, CreateIfMissing::Yes),
        SqliteLedger::open(&ledger_path, CreateIfMissing::Yes)
    );
    assert_eq!(one.unwrap().id(), other.unwrap().id());
}

#[tokio::test]
async fn events_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap().close().await.unwrap();
    let mut raw = raw(&ledger_path).await;
    let sql = "INSERT INTO events (at, domain, event) VALUES (1, 'a.example', '{\"v\":1}')";
    sqlx::query(sql).execute(&mut raw).await.unwrap();
    let sql = "UPDATE events SET event = '{}'";
    let error = sqlx::query(sql).execute(&mut raw).await.unwrap_err().to_string();
    assert!(error.contains("events are never changed"), "{error}");
}

#[tokio::test]
async fn words_that_nobody_knows_are_harmless_or_named() {
    let folder = tempfile::tempdir().unwrap();
    let ledger_path = ledger_path(&folder, "ledger.db");
    let ledger = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
    ledger.save(&with_entry("a.example")).await.unwrap();
    let was = ledger.load().await.unwrap().entries;
    let mut raw = raw(&ledger_path).await;

    let sql = "UPDATE entries SET stage = 'later', state = json_set(state, '$.alias.reason', 'later', \
               '$.routing.state', 'later', '$.certificate.state', 'later', '$.proof.state', 'later', \
               '$.later', 'a field')";
    sqlx::query(sql).execute(&mut raw).await.unwrap();
    assert_eq!(ledger.load().await.unwrap().entries, was, "read as unknown or none");

    let refused = sqlx::query("UPDATE entries SET alias = 'later'").execute(&mut raw).await;
    assert!(refused.is_err(), "a new word for the alias takes a new schema");
    sqlx::query("PRAGMA ignore_check_constraints = ON").execute(&mut raw).await.unwrap();
    for (sql, why) in [
        (
            "UPDATE entries SET owned = 'later', owned_since = 1",
            "the entry of `a.example` has `later` in the column `owned`, which no closte-sync up to this one writes there",
        ),
        (
            "UPDATE entries SET alias = 'later', owned = NULL, owned_since = NULL",
            "the entry of `a.example` has `later` in the column `alias`, which no closte-sync up to this one writes there",
        ),
        (
            "UPDATE entries SET state = json_set(state, '$.checks.made', -1)",
            "the entry of `a.example` is invalid",
        ),
    ] {
        sqlx::query(sql).execute(&mut raw).await.unwrap();
        let error = ledger.load().await.unwrap_err();
        assert_eq!(error.to_string(), "could not read the ledger");
        assert_eq!(cause(&error), why);
    }
}
