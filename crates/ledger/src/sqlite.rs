//! [`SqliteLedger`]: the ledger on one SQLite file, or in memory.
//!
//! One connection, one statement at a time: a pass writes in few large batches,
//! and other processes read at the same time (WAL). Every write takes the write lock
//! before it reads (`BEGIN IMMEDIATE`), so that it waits for another process
//! instead of failing half-way.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rules::event::Event;
use rules::ledger::{Batch, Claim, Ledger, LedgerError, Memory, NextCalls, Recorded};
use rules::notice::Outbox;
use rules::request::{Asked, Request};
use rules::{DomainName, Entry, Time, Whereabouts};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use tokio::sync::Mutex;

use crate::{LedgerPath, entries, error, events, meta, outbox, requests, schema};

/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rows on their way from SQLite's thread to ours: fewer wake-ups per row.
const ROWS_UNDERWAY: usize = 500;

/// Whether a missing ledger is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateIfMissing {
    /// It is created, with its folder.
    Yes,
    /// Its absence is an error, and so is an older schema: whoever has the lock may be of that age.
    No,
}

/// A [`Ledger`] on one SQLite file, or in memory.
#[derive(Debug)]
pub struct SqliteLedger {
    id: String,
    /// Its file.
    path: PathBuf,
    pub(crate) connection: Mutex<SqliteConnection>,
}

impl SqliteLedger {
    /// Open the ledger at `place` to read and write.
    ///
    /// Its folder is made with mode 0700, its file with 0600; a file that others
    /// may read is closed to them. With [`CreateIfMissing::Yes`] an older schema is brought up to date.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Missing`] only with [`CreateIfMissing::No`]; a newer ledger, and a file
    /// that is not a ledger, are left as they are.
    pub async fn open(
        ledger_path: &LedgerPath,
        make: CreateIfMissing,
    ) -> Result<Self, LedgerError> {
        if make == CreateIfMissing::Yes {
            ledger_path.make_folder()?;
            ledger_path.make_file()?;
        } else {
            ledger_path.length()?;
        }
        ledger_path.tighten()?;
        let mut connection =
            connect(options().filename(ledger_path.file()), ledger_path.file()).await?;
        if make == CreateIfMissing::No {
            schema::is_ready(&mut connection, ledger_path.file()).await?;
        }
        schema::prepare(&mut connection, ledger_path.file()).await?;
        Self::new(connection, ledger_path.file()).await
    }

    /// Open the ledger at `place` to read only, while another process may write.
    ///
    /// Also where this user may not write to the file or its folder.
    ///
    /// # Errors
    ///
    /// [`LedgerError::Missing`] where no pass has run yet; nothing is made.
    pub async fn open_readonly(ledger_path: &LedgerPath) -> Result<Self, LedgerError> {
        // A process that dies while it creates one leaves an empty file.
        if ledger_path.length()? == 0 {
            return Err(ledger_path.missing());
        }
        let readonly = options().filename(ledger_path.file()).read_only(true);
        match Self::read_at(ledger_path, readonly.clone()).await {
            // Readers and writers share files next to the ledger. Where there are none
            // and none can be made, nobody writes, and the ledger's own file is all.
            Err(LedgerError::Open { .. }) if is_at_rest(ledger_path) => {
                Self::read_at(ledger_path, readonly.immutable(true)).await
            }
            other => other,
        }
    }

    async fn read_at(
        ledger_path: &LedgerPath,
        options: SqliteConnectOptions,
    ) -> Result<Self, LedgerError> {
        let mut connection = connect(options, ledger_path.file()).await?;
        if !schema::is_ready(&mut connection, ledger_path.file()).await? {
            return Err(ledger_path.missing());
        }
        Self::new(connection, ledger_path.file()).await
    }

    /// A ledger that ends with the process, for tests and rehearsals.
    ///
    /// # Errors
    ///
    /// There is not enough memory.
    pub async fn in_memory() -> Result<Self, LedgerError> {
        let ledger_path = Path::new(":memory:");
        let mut connection = connect(options().in_memory(true), ledger_path).await?;
        schema::prepare(&mut connection, ledger_path).await?;
        Self::new(connection, ledger_path).await
    }

    async fn new(mut connection: SqliteConnection, path: &Path) -> Result<Self, LedgerError> {
        let id = meta::id(&mut connection).await?;
        Ok(Self { id, path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// Close it and wait until its file is put in order.
    ///
    /// Dropping it loses nothing: the next one to open it does the rest.
    ///
    /// # Errors
    ///
    /// The file could not be written.
    pub async fn close(self) -> Result<(), LedgerError> {
        self.connection.into_inner().close().await.map_err(error::write)
    }
}

fn options() -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .row_buffer_size(ROWS_UNDERWAY)
        .disable_statement_logging()
}

async fn connect(
    options: SqliteConnectOptions,
    file: &Path,
) -> Result<SqliteConnection, LedgerError> {
    options.connect().await.map_err(|error| error::open(file, error::cause(error)))
}

/// Whether nobody has it open, and its own file contains all that was written.
fn is_at_rest(ledger_path: &LedgerPath) -> bool {
    let has_content =
        |suffix| fs::metadata(ledger_path.sibling(suffix)).is_ok_and(|file| file.len() != 0);
    !has_content("-shm") && !has_content("-wal")
}

#[async_trait]
impl Ledger for SqliteLedger {
    fn id(&self) -> &str {
        &self.id
    }

    fn place(&self) -> Whereabouts {
        Whereabouts {
            host: whoami::hostname().unwrap_or_default(),
            user: whoami::username().unwrap_or_default(),
            path: self.path.display().to_string(),
        }
    }

    fn outbox(&self) -> &dyn Outbox {
        self
    }

    async fn load(&self) -> Result<Recorded, LedgerError> {
        let mut connection = self.connection.lock().await;
        let mut snapshot = connection.begin().await.map_err(error::read)?;
        let entries = entries::live(&mut snapshot).await?;
        let recorded = Recorded {
            entries: entries.into_iter().map(|entry| (entry.domain.clone(), entry)).collect(),
            memory: meta::memory(&mut snapshot).await?,
            mapped_sites: meta::mapped_sites(&mut snapshot).await?,
        };
        snapshot.rollback().await.map_err(error::read)?;
        Ok(recorded)
    }

    async fn memory(&self) -> Result<Memory, LedgerError> {
        meta::memory(&mut *self.connection.lock().await).await
    }

    async fn claim_due(&self, claim: &Claim<'_>, limit: usize) -> Result<Recorded, LedgerError> {
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        let entries = entries::claim(&mut transaction, claim, limit).await?;
        let recorded = Recorded {
            entries: entries.into_iter().map(|entry| (entry.domain.clone(), entry)).collect(),
            memory: meta::memory(&mut transaction).await?,
            ..Recorded::default()
        };
        transaction.commit().await.map_err(error::write)?;
        Ok(recorded)
    }

    async fn next_due(&self) -> Result<Option<Time>, LedgerError> {
        entries::next_due(&mut *self.connection.lock().await).await
    }

    async fn next_calls(&self) -> Result<NextCalls, LedgerError> {
        let mut connection = self.connection.lock().await;
        let mut snapshot = connection.begin().await.map_err(error::read)?;
        let calls = entries::next_calls(&mut snapshot).await?;
        let calls = meta::memory(&mut snapshot).await?.host.bound(calls);
        snapshot.rollback().await.map_err(error::read)?;
        Ok(calls)
    }

    async fn save(&self, batch: &Batch) -> Result<Vec<DomainName>, LedgerError> {
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        let missed = entries::store(&mut transaction, &batch.entries).await?;
        events::append(&mut transaction, &batch.events).await?;
        meta::remember(&mut transaction, batch).await?;
        meta::add_mapped_sites(&mut transaction, &batch.mapped_sites).await?;
        transaction.commit().await.map_err(error::write)?;
        Ok(missed)
    }

    async fn forget(&self, before: Time) -> Result<(), LedgerError> {
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        events::forget(&mut transaction, before).await?;
        outbox::forget(&mut transaction, before).await?;
        transaction.commit().await.map_err(error::write)
    }

    async fn entry(&self, domain: &DomainName) -> Result<Option<Entry>, LedgerError> {
        entries::one(&mut *self.connection.lock().await, domain).await
    }

    async fn events(
        &self,
        domain: Option<&DomainName>,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError> {
        events::newest(&mut *self.connection.lock().await, domain, limit).await
    }

    async fn request(&self, asked: &Asked, claim: &Claim<'_>) -> Result<i64, LedgerError> {
        requests::ask(&mut *self.connection.lock().await, asked, claim).await
    }

    async fn take_request(&self, claim: &Claim<'_>) -> Result<Option<Request>, LedgerError> {
        requests::take(&mut *self.connection.lock().await, claim).await
    }

    async fn answer_request(&self, id: i64, answer: &str) -> Result<(), LedgerError> {
        requests::answer(&mut *self.connection.lock().await, id, answer).await
    }

    async fn request_answer(&self, id: i64) -> Result<Option<String>, LedgerError> {
        requests::answer_of(&mut *self.connection.lock().await, id).await
    }

    async fn requests(&self, now: Time) -> Result<Vec<Asked>, LedgerError> {
        requests::waiting(&mut *self.connection.lock().await, now).await
    }

    async fn release_leases(&self) -> Result<(), LedgerError> {
        entries::release(&mut *self.connection.lock().await).await
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use rules::event::EventKind;

    use super::*;

    fn batch(numbers: std::ops::Range<u32>) -> Batch {
        let now = Time::from_millis(1);
        let name = |number| format!("d{number}.example").parse().unwrap();
        let event = |number| Event {
            at: now,
            domain: name(number),
            kind: EventKind::Note,
            from: None,
            to: None,
            reason: None,
            detail: Some("x".repeat(500)),
        };
        Batch {
            entries: numbers.clone().map(|number| Entry::new(name(number), None, now)).collect(),
            events: numbers.clone().map(event).collect(),
            mapped_sites: numbers.map(|number| (number.into(), None)).collect(),
            ..Batch::default()
        }
    }

    async fn run(ledger: &SqliteLedger, sql: &'static str) {
        sqlx::query(sql).execute(&mut *ledger.connection.lock().await).await.unwrap();
    }

    /// That the ledger contains `batch(0..1)` and nothing else.
    async fn assert_holds_the_first(ledger: &SqliteLedger) {
        let recorded = ledger.load().await.unwrap();
        let stored = Entry { version: 1, ..batch(0..1).entries.remove(0) };
        assert_eq!(recorded.entries.into_values().collect::<Vec<_>>(), [stored]);
        assert_eq!(recorded.mapped_sites, [(0, None)].into());
        assert_eq!(ledger.events(None, 9).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_and_loses_nothing() {
        let ledger = SqliteLedger::in_memory().await.unwrap();
        ledger.save(&batch(0..1)).await.unwrap();
        run(&ledger, "PRAGMA max_page_count = 60").await;

        let error = ledger.save(&batch(1..2000)).await.unwrap_err();
        assert_eq!(error.to_string(), "could not write the ledger");
        assert_eq!(error.source().unwrap().to_string(), "(code: 13) database or disk is full");
        assert_holds_the_first(&ledger).await;

        run(&ledger, "PRAGMA max_page_count = 100000").await;
        ledger.save(&batch(1..2000)).await.unwrap();
        assert_eq!(
            ledger.load().await.unwrap().entries.len(),
            2000,
            "and goes on when there is room"
        );
    }

    #[tokio::test]
    async fn a_batch_is_written_whole_or_not_at_all() {
        let ledger = SqliteLedger::in_memory().await.unwrap();
        ledger.save(&batch(0..1)).await.unwrap();
        // The last write of a batch fails.
        run(
            &ledger,
            "CREATE TRIGGER no BEFORE INSERT ON mapped_sites WHEN new.site_id = 3 \
             BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await;
        assert!(ledger.save(&batch(1..5)).await.is_err());
        assert_holds_the_first(&ledger).await;
    }

    #[tokio::test]
    async fn a_ledger_at_rest_is_read_without_any_file_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/ledger.db", folder.path().display());
        let ledger_path = LedgerPath::at(&url, &[]).unwrap();
        let ledger = SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await.unwrap();
        ledger.save(&batch(0..1)).await.unwrap();
        assert!(!is_at_rest(&ledger_path));
        ledger.close().await.unwrap();
        assert!(is_at_rest(&ledger_path));

        let immutable = options().filename(ledger_path.file()).read_only(true).immutable(true);
        let reader = SqliteLedger::read_at(&ledger_path, immutable).await.unwrap();
        assert_holds_the_first(&reader).await;
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn what_was_saved_survives_a_crash() {
        let ledger = SqliteLedger::in_memory().await.unwrap();
        let mut connection = ledger.connection.lock().await;
        let synchronous: i64 =
            sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.unwrap();
        assert_eq!(synchronous, 2, "FULL: every commit is on the disk");
    }
}
