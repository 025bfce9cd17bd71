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
const KNOWN: i64 = 6;
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
        migration(
            3,
            "columns and state",
            include_str!("../migrations/sqlite/0003_columns_and_state.sql"),
        ),
        migration(4, "registered", include_str!("../migrations/sqlite/0004_registered.sql")),
        migration(5, "twins", include_str!("../migrations/sqlite/0005_twins.sql")),
        migration(6, "outbox", include_str!("../migrations/sqlite/0006_outbox.sql")),
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
    use rules::entry::{Alias, Certificate, OwnedAs, Routing};
    use rules::event::EventKind;
    use rules::{Stage, Time};

    use super::*;
    use crate::{entries, events, meta};
    use rules::records::SiteMark;
    use rules::twins::Www;

    /// A ledger of schema 2 with history, as the program of that time left it.
    const SCHEMA_2: &str = include_str!("../tests/fixtures/schema-2.sql");

    async fn old_ledger() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(SCHEMA_2).execute(&mut connection).await.unwrap();
        connection
    }

    #[test]
    fn the_newest_migration_is_the_one_we_know() {
        let versions: Vec<i64> =
            migrations().into_iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=KNOWN).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn an_older_ledger_is_brought_up_to_date_with_all_it_holds() {
        let mut connection = old_ledger().await;
        let file = Path::new("ledger.db");
        assert!(is_ready(&mut connection, file).await.is_err(), "nothing is written to read it");
        prepare(&mut connection, file).await.unwrap();
        assert!(is_ready(&mut connection, file).await.unwrap());
        assert_eq!(
            meta::id(&mut connection).await.unwrap(),
            "39ac6794-b491-4ba3-8c52-4f08dc4f5a50"
        );

        let live = entries::live(&mut connection).await.unwrap();
        let lines: Vec<String> = live
            .iter()
            .map(|it| {
                let stage =
                    it.mapped.as_ref().and_then(|mapped| mapped.stage).map_or("-", Stage::as_str);
                let states = (it.alias.state, it.routing.state, it.certificate.state);
                format!("{} {stage} {} {} {}", it.domain, states.0, states.1, states.2)
            })
            .collect();
        assert_eq!(
            lines,
            [
                "*.studio.example done present here valid",
                "*.wild.example checking-dns present elsewhere unknown",
                "bakery-two.network.example done present here valid",
                "bakery.example done present here valid",
                "florist.example done present here valid",
                "garage.example checking-dns present elsewhere unknown",
                "singers.example done present here valid",
            ]
        );
        let garage = &live[5];
        assert_eq!(garage.version, 1);
        assert_eq!(garage.owned.map(|owned| owned.how), Some(OwnedAs::Added));
        assert_eq!(garage.found, ["192.0.2.77".parse::<std::net::IpAddr>().unwrap()]);
        let detail = "it points to 192.0.2.77; it must point to 127.0.0.1 only";
        assert_eq!(garage.routing.detail.as_deref(), Some(detail));
        assert_eq!((garage.routing.state, garage.checks.bad), (Routing::Elsewhere, 5));
        assert_eq!(garage.checks.due, Time::from_millis(1_795_631_719_640));
        let studio = &live[0];
        assert_eq!(studio.issuer.as_deref(), Some("closte-sync sandbox CA"));
        assert_eq!(studio.not_after, Some(Time::from_millis(1_803_404_084_000)));
        assert!(studio.mapped.as_ref().unwrap().secure && studio.shown && studio.confirmed);
        let choir = entries::one(&mut connection, &"choir.example".parse().unwrap()).await.unwrap();
        let choir = choir.expect("retired entries stay");
        assert_eq!(
            (choir.alias.state, choir.certificate.state),
            (Alias::Absent, Certificate::Invalid)
        );
    }

    #[tokio::test]
    async fn its_events_become_notes_and_its_memory_rows_of_their_own() {
        let mut connection = old_ledger().await;
        prepare(&mut connection, Path::new("ledger.db")).await.unwrap();
        let events = events::newest(&mut connection, None, 999).await.unwrap();
        assert_eq!(events.len(), 72);
        assert!(events.iter().all(|event| event.kind == EventKind::Note));
        assert_eq!(events[71].detail.as_deref(), Some("mapping: mapped to site 4"));

        let memory = meta::memory(&mut connection).await.unwrap();
        let identity = memory.network.identity.unwrap();
        assert_eq!(
            (identity.domain.as_str(), identity.app.as_deref()),
            ("network.example", Some("demo"))
        );
        assert_eq!(memory.network.www, Www::Never, "it adds no twins as none were added then");
        let mark = SiteMark { id: 6, registered: None };
        assert_eq!((memory.network.site_mark, memory.network.mapped_names), (Some(mark), Some(7)));
        assert!(memory.host.list_believed && memory.host.key_refused.is_none());
        assert_eq!(memory.last_pass.unwrap().at, Time::from_millis(1_795_631_706_841));
        let sites = meta::mapped_sites(&mut connection).await.unwrap();
        assert_eq!(sites, (2..=7).map(|site| (site, None)).collect());
    }

    #[tokio::test]
    async fn what_was_under_way_in_an_older_ledger_is_kept() {
        let mut connection = old_ledger().await;
        let sql = "UPDATE entries SET alias = 'adding', alias_reason = 'outcome-unknown', \
                   intent_at = 5, intent_list_lacked = 1, step_tries = 2, hold = NULL, \
                   hold_since = NULL, lease_owner = '7', lease_until = 9 \
                   WHERE domain = 'garage.example'; \
                   UPDATE entries SET gone_reads = 1, gone_counted_at = 8, mapping_id = NULL, \
                   site_id = NULL, stage = NULL WHERE domain = 'florist.example'; \
                   UPDATE meta SET value = 'No entry' WHERE key = 'key_refused'; \
                   UPDATE meta SET value = 7 WHERE key IN ('breaker_outages', 'breaker_open_until')";
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        prepare(&mut connection, Path::new("ledger.db")).await.unwrap();
        let live = entries::live(&mut connection).await.unwrap();
        let garage = live.iter().find(|it| it.domain.as_str() == "garage.example").unwrap();
        let intent = garage.step.intent.expect("its call is open");
        assert!(intent.list_lacked && garage.step.tries == 2 && garage.owned.is_none());
        let florist = live.iter().find(|it| it.domain.as_str() == "florist.example").unwrap();
        assert_eq!((florist.gone.reads, florist.mapped.is_none()), (1, true));
        let host = meta::memory(&mut connection).await.unwrap().host;
        assert_eq!((host.key_refused.as_deref(), host.breaker.outages), (Some("No entry"), 7));
        assert_eq!(host.breaker.open_until, Some(Time::from_millis(7)));
    }
}
