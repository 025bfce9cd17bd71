//! The schema, and whether a file is a ledger that we know.
//!
//! Nothing is written to a file before it is known to be ours, or empty.

use std::path::Path;
use std::time::Duration;

use rules::ledger::LedgerError;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use uuid::Uuid;

use crate::error;

/// The number of the newest migration.
const KNOWN: i64 = 2;
/// `PRAGMA application_id` of our files, set by the first migration.
const APPLICATION: i32 = 0x4353_4c47;

/// How often, and after which pauses, a new file is switched to allow readers.
const WAL_TRIES: u32 = 100;
const WAL_PAUSE: Duration = Duration::from_millis(20);

/// Why a file is not our ledger.
#[derive(Debug, thiserror::Error)]
enum NotOurs {
    #[error("it is a database of another program")]
    Foreign,
    #[error(
        "an older closte-sync wrote it (schema {0}, we know {KNOWN}); the next `closte-sync sync` brings it up to date"
    )]
    Older(i64),
}

/// All migrations, oldest first.
fn migrations() -> Vec<Migration> {
    let migration = |version, what: &'static str, sql: &'static str| {
        Migration::new(version, what.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    vec![
        migration(1, "ledger", include_str!("../migrations/sqlite/0001_ledger.sql")),
        migration(2, "proof", include_str!("../migrations/sqlite/0002_proof.sql")),
    ]
}

/// The number of the last migration that `file` has seen; 0 where it is empty.
///
/// # Errors
///
/// It is not a database, or another program's, or a newer closte-sync's.
async fn version(connection: &mut SqliteConnection, file: &Path) -> Result<i64, LedgerError> {
    let found = async {
        // One snapshot: another process may be making it.
        let mut snapshot = connection.begin().await?;
        let application: i32 =
            sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *snapshot).await?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut *snapshot)
            .await?;
        let known = "SELECT ifnull(max(version), 0) FROM _sqlx_migrations";
        let found = match (application, tables) {
            (APPLICATION, _) => Some(sqlx::query_scalar(known).fetch_one(&mut *snapshot).await?),
            (_, 0) => Some(0),
            _ => None,
        };
        snapshot.rollback().await.map(|()| found)
    };
    match found.await.map_err(|error| error::open(file, error::cause(error)))? {
        None => Err(error::open(file, NotOurs::Foreign)),
        Some(found) if KNOWN < found => {
            Err(LedgerError::Newer { at: file.display().to_string(), found, known: KNOWN })
        }
        Some(found) => Ok(found),
    }
}

/// Bring the schema up to date, and name a new ledger.
pub(crate) async fn prepare(
    connection: &mut SqliteConnection,
    file: &Path,
) -> Result<(), LedgerError> {
    let found = version(connection, file).await?;
    let prepared = async {
        use_wal(connection).await?;
        if found == KNOWN {
            return Ok(());
        }
        // At once, so that of two processes one waits for the other.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        Migrator::with_migrations(migrations()).run(&mut *transaction).await?;
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES ('ledger_id', ?1) ON CONFLICT DO NOTHING",
        )
        .bind(Uuid::new_v4().to_string())
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await
    };
    prepared.await.map_err(|error| error::open(file, error::cause(error)))
}

/// Let readers work at the same time as a writer; the file remembers it.
async fn use_wal(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tries = 0;
    loop {
        match sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await {
            // Another process is making it. SQLite does not wait here automatically.
            Err(error) if tries < WAL_TRIES && is_busy(&error) => tries += 1,
            other => return other.map(|_| ()),
        }
        tokio::time::sleep(WAL_PAUSE).await;
    }
}

/// `SQLITE_BUSY`, with any extension.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Make sure that a file which we may not write is up to date; false where
/// nothing has been written to it yet.
pub(crate) async fn is_ready(
    connection: &mut SqliteConnection,
    file: &Path,
) -> Result<bool, LedgerError> {
    match version(connection, file).await? {
        KNOWN => Ok(true),
        0 => Ok(false),
        older => Err(error::open(file, NotOurs::Older(older))),
    }
}

#[cfg(test)]
mod tests {
    use rules::Time;
    use rules::entry::{Condition, Proof, Routing};

    use super::*;
    use crate::entries;

    #[test]
    fn the_newest_migration_is_the_one_we_know() {
        let versions: Vec<i64> =
            migrations().into_iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=KNOWN).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_older_ledger_is_brought_up_to_date_with_all_it_holds() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        let old = migrations().into_iter().take(1).collect();
        Migrator::with_migrations(old).run(&mut connection).await.unwrap();
        let sql = "INSERT INTO meta (key, value) VALUES ('ledger_id', 'old'); \
                   INSERT INTO entries (domain, first_seen, secure, contested, alias, alias_since, \
                   routing, routing_since, found, certificate, certificate_since, shown, confirmed, \
                   intent_list_lacked, step_tries, step_due, looks_made, look_due, look_gap, \
                   hot_until, looks_bad, gone_reads, gone_approved) \
                   VALUES ('a.example', 5, 0, 0, 'present', 5, 'here', 6, '[]', 'valid', 7, 1, 1, \
                   0, 0, 0, 3, 0, 0, 0, 0, 0, 0)";
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();

        let file = Path::new("ledger.db");
        assert!(is_ready(&mut connection, file).await.is_err(), "nothing is written to read it");
        prepare(&mut connection, file).await.unwrap();
        assert!(is_ready(&mut connection, file).await.unwrap());
        let [entry] = &entries::live(&mut connection).await.unwrap()[..] else { panic!("one") };
        assert_eq!(entry.proof, Condition::new(Proof::Unproven, Time::from_millis(5)));
        assert_eq!((entry.routing.state, entry.checks.made), (Routing::Here, 3));
        let id: String = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'ledger_id'")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(id, "old");
    }
}
