//! A WordPress to rehearse on: a folder with a wp-config.php, and a sub-domain network with Ultimate Multisite in a
//! SQLite file, as WordPress' SQLite integration keeps it.
//!
//! There is no PHP in it. What people do in WordPress is done to its tables, in the way WordPress and the plugin would.
//! Start with [`WordPress::create`].

mod config;
mod tables;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteQueryResult, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, Sqlite, SqliteConnection};

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// How long to wait for another writer.
const PATIENCE: Duration = Duration::from_secs(10);

const ADD_SITE: &str = "INSERT INTO wp_blogs (site_id, domain, path, registered, last_updated) \
    VALUES (1, ?1, '/', datetime('now', ?2), datetime('now'))";
const HAS_SITE: &str = "SELECT 1 FROM wp_blogs WHERE blog_id = ?";
const DROP_SITE: &str = "DELETE FROM wp_blogs WHERE blog_id = ?";
const DROP_ITS_MAPPINGS: &str = "DELETE FROM wp_wu_domain_mappings WHERE blog_id = ?";
/// As the plugin's form does it: a site's first domain is its primary one.
const MAP: &str = "INSERT INTO wp_wu_domain_mappings (blog_id, domain, active, primary_domain, secure, stage, \
    date_created, date_modified) SELECT ?1, ?2, 1, NOT EXISTS (SELECT 1 FROM wp_wu_domain_mappings \
    WHERE blog_id = ?1), 0, 'checking-dns', datetime('now'), datetime('now')";
const RENAME: &str = "UPDATE wp_wu_domain_mappings SET domain = ?, date_modified = datetime('now') \
    WHERE domain = ?";
const UNMAP: &str = "DELETE FROM wp_wu_domain_mappings WHERE domain = ?";
const MAPPINGS: &str =
    "SELECT id, blog_id, domain, stage, secure FROM wp_wu_domain_mappings ORDER BY id";

/// What a network is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The network's own domain, which is its main site's too.
    pub domain: String,
    /// `CLOSTE_CLIENT_API_KEY`: the key that the stand-in for the host accepts.
    pub api_key: String,
    /// `CLOSTE_APP_ID`.
    pub app: String,
}

/// A network in a folder. The caller removes the folder.
#[derive(Clone, Debug)]
pub struct WordPress {
    config: PathBuf,
    database: PathBuf,
}

/// A domain of a site, as the network's table has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its id.
    pub id: i64,
    /// The site that it leads to.
    pub site: i64,
    /// The mapped domain.
    pub domain: String,
    /// Its stage.
    pub stage: String,
    /// Whether links use https.
    pub secure: bool,
}

/// Why the network could not be made, or its tables not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WordPressError {
    /// A file or folder of it cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its database fails.
    #[error("the database `{}` failed", path.display())]
    Database {
        /// Its file.
        path: PathBuf,
        /// What SQLite says.
        source: sqlx::Error,
    },
    /// The site does not exist.
    #[error("there is no site {0}")]
    NoSite(i64),
}

impl WordPress {
    /// Make a network in `folder`, which is made too, with Closte switched on and a main site of id 1 that has no
    /// mapping.
    ///
    /// # Errors
    ///
    /// The folder cannot be written, or has a network already.
    pub async fn create(folder: &Path, settings: &Settings) -> Result<Self, WordPressError> {
        let (config, database) = config::lay_out(folder, settings)?;
        let network = Self { config, database };
        let mut connection = network.connect(true).await?;
        let made = tables::make(&mut connection, &settings.domain).await;
        network.closed(connection, made).await?;
        Ok(network)
    }

    /// Its wp-config.php.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The SQLite file.
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// Make a site of its own domain that has been there for `age`; its id.
    pub async fn add_site(&self, domain: &str, age: Duration) -> Result<i64, WordPressError> {
        let query = sqlx::query(ADD_SITE).bind(domain).bind(format!("-{} seconds", age.as_secs()));
        Ok(self.change(query).await?.last_insert_rowid())
    }

    /// Duplicate a site under another domain; the id of the new one. It takes over none of the other's mappings.
    pub async fn duplicate_site(
        &self,
        site: i64,
        domain: &str,
        age: Duration,
    ) -> Result<i64, WordPressError> {
        self.expect_site(site).await?;
        self.add_site(domain, age).await
    }

    /// Delete a site with its mappings.
    pub async fn drop_site(&self, site: i64) -> Result<(), WordPressError> {
        self.expect_site(site).await?;
        self.change(sqlx::query(DROP_ITS_MAPPINGS).bind(site)).await?;
        self.change(sqlx::query(DROP_SITE).bind(site)).await.map(drop)
    }

    /// Map a domain to a site; the id of the mapping.
    pub async fn map(&self, site: i64, domain: &str) -> Result<i64, WordPressError> {
        self.expect_site(site).await?;
        Ok(self.change(sqlx::query(MAP).bind(site).bind(domain)).await?.last_insert_rowid())
    }

    /// Change a mapping's domain in its row; how many rows had it.
    pub async fn rename(&self, old: &str, new: &str) -> Result<u64, WordPressError> {
        Ok(self.change(sqlx::query(RENAME).bind(new).bind(old)).await?.rows_affected())
    }

    /// Delete the mappings of a domain; how many there were.
    pub async fn unmap(&self, domain: &str) -> Result<u64, WordPressError> {
        Ok(self.change(sqlx::query(UNMAP).bind(domain)).await?.rows_affected())
    }

    /// Every mapping as it is now, in the order of the ids.
    pub async fn mappings(&self) -> Result<Vec<Mapping>, WordPressError> {
        let rows = self.rows(sqlx::query(MAPPINGS)).await?;
        let read = rows.iter().map(mapping).collect::<Result<_, _>>();
        read.map_err(|source| self.failed(source))
    }

    /// Run any SQL; returns one row per line, columns separated by tabs.
    pub async fn execute(&self, sql: &str) -> Result<String, WordPressError> {
        let mut connection = self.connect(false).await?;
        let ran = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
        let rows = self.closed(connection, ran).await?;
        let lines = rows.iter().map(line).collect::<Result<String, _>>();
        lines.map_err(|source| self.failed(source))
    }

    async fn expect_site(&self, site: i64) -> Result<(), WordPressError> {
        let there = self.rows(sqlx::query(HAS_SITE).bind(site)).await?;
        if there.is_empty() { Err(WordPressError::NoSite(site)) } else { Ok(()) }
    }

    async fn change(&self, query: Query<'_>) -> Result<SqliteQueryResult, WordPressError> {
        let mut connection = self.connect(false).await?;
        let done = query.execute(&mut connection).await;
        self.closed(connection, done).await
    }

    async fn rows(&self, query: Query<'_>) -> Result<Vec<SqliteRow>, WordPressError> {
        let mut connection = self.connect(false).await?;
        let rows = query.fetch_all(&mut connection).await;
        self.closed(connection, rows).await
    }

    async fn connect(&self, make: bool) -> Result<SqliteConnection, WordPressError> {
        let options = SqliteConnectOptions::new().filename(&self.database).busy_timeout(PATIENCE);
        let options = options.create_if_missing(make).disable_statement_logging();
        options.connect().await.map_err(|source| self.failed(source))
    }

    /// Closed completely, so that nothing of it is left when the next one writes.
    async fn closed<T>(
        &self,
        connection: SqliteConnection,
        result: Result<T, sqlx::Error>,
    ) -> Result<T, WordPressError> {
        let closed = connection.close().await;
        result.and_then(|it| closed.map(|()| it)).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: sqlx::Error) -> WordPressError {
        WordPressError::Database { path: self.database.clone(), source }
    }
}

fn mapping(row: &SqliteRow) -> Result<Mapping, sqlx::Error> {
    Ok(Mapping {
        id: row.try_get(0)?,
        site: row.try_get(1)?,
        domain: row.try_get(2)?,
        stage: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
        secure: row.try_get::<Option<bool>, _>(4)?.unwrap_or_default(),
    })
}

fn line(row: &SqliteRow) -> Result<String, sqlx::Error> {
    let cell = |column| row.try_get_unchecked::<Option<Vec<u8>>, _>(column);
    let cells = (0..row.len()).map(|column| {
        let bytes = cell(column)?.unwrap_or_else(|| b"NULL".to_vec());
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    });
    Ok(cells.collect::<Result<Vec<_>, sqlx::Error>>()?.join("\t") + "\n")
}
