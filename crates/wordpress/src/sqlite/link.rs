//! The open file: one transaction from the first statement to the last.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rules::source::SourceError;
use sqlx::sqlite::{SqliteConnectOptions, SqliteQueryResult, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, Row, Sqlite, SqliteConnection};

use super::{SqliteNetwork, failure};
use crate::rows::Cells;
use crate::tables::Tables;

/// Rows on their way from SQLite's thread to ours: fewer wake-ups per row.
const ROWS_UNDERWAY: usize = 500;

type Query<'q> = sqlx::query::Query<'q, Sqlite, sqlx::sqlite::SqliteArguments>;

/// The network's file within a transaction. Dropping it undoes what it wrote.
pub(super) struct Link {
    pub(super) connection: SqliteConnection,
    pub(super) tables: Tables,
    /// Where the file really is, symbolic links resolved.
    pub(super) file: PathBuf,
}

impl Link {
    /// Open it to read: all statements see the same moment, and none may write.
    pub(super) async fn to_read(
        network: &SqliteNetwork,
        doing: &'static str,
    ) -> Result<Self, SourceError> {
        let mut link = Self::open(network, doing, |it| it.pragma("query_only", "ON")).await?;
        link.run(doing, "BEGIN").await?;
        Ok(link)
    }

    /// Open it to write. The write lock is taken at once: a read that becomes a write can fail.
    pub(super) async fn to_write(
        network: &SqliteNetwork,
        doing: &'static str,
    ) -> Result<Self, SourceError> {
        let mut link = Self::open(network, doing, |it| it).await?;
        link.run(doing, "BEGIN IMMEDIATE").await?;
        Ok(link)
    }

    /// With the right to write in any case: the first process after a crash of WordPress must
    /// undo what the crash left.
    async fn open(
        network: &SqliteNetwork,
        doing: &'static str,
        with: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> Result<Self, SourceError> {
        let file = real(&network.file).map_err(|why| failure::no_file(&network.file, &why))?;
        let options = with(options(&file, network.patience));
        let connected = options.connect().await;
        let connection = connected.map_err(|error| failure::failed(doing, &file, error))?;
        let tables = Tables::new(network.installation.prefix.clone());
        Ok(Self { connection, tables, file })
    }

    /// End the transaction and close the file.
    pub(super) async fn commit(mut self, doing: &'static str) -> Result<(), SourceError> {
        self.run(doing, "COMMIT").await?;
        // What was committed stays, even if closing fails.
        _ = self.connection.close().await;
        Ok(())
    }

    /// Run a statement without parameters.
    pub(super) async fn run(
        &mut self,
        doing: &'static str,
        sql: &'static str,
    ) -> Result<(), SourceError> {
        let run = sqlx::raw_sql(self.tables.sql(sql)).execute(&mut self.connection).await;
        run.map(drop).map_err(|error| failure::failed(doing, &self.file, error))
    }

    /// A statement that takes parameters.
    pub(super) fn query(&self, sql: &'static str) -> Query<'static> {
        sqlx::query::<Sqlite>(self.sql(sql))
    }

    pub(super) fn sql(&self, sql: &'static str) -> AssertSqlSafe<String> {
        self.tables.sql(sql)
    }

    pub(super) async fn execute(
        &mut self,
        doing: &'static str,
        query: Query<'_>,
    ) -> Result<SqliteQueryResult, SourceError> {
        let done = query.execute(&mut self.connection).await;
        done.map_err(|error| failure::failed(doing, &self.file, error))
    }

    pub(super) async fn fetch(
        &mut self,
        doing: &'static str,
        query: Query<'_>,
    ) -> Result<Vec<SqliteRow>, SourceError> {
        let rows = query.fetch_all(&mut self.connection).await;
        rows.map_err(|error| failure::failed(doing, &self.file, error))
    }
}

fn options(file: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(patience)
        .row_buffer_size(ROWS_UNDERWAY)
        .disable_statement_logging()
}

fn real(file: &Path) -> io::Result<PathBuf> {
    let real = file.canonicalize()?;
    if real.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(real) }
}

impl Cells for SqliteRow {
    fn cell(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.try_get_unchecked(column)
    }
}

/// An id as SQLite stores it. One that it cannot store becomes NULL, which equals no row's.
pub(super) fn key(id: u64) -> Option<i64> {
    i64::try_from(id).ok()
}
