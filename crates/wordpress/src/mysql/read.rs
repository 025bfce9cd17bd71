//! Reading the whole network in one snapshot.
//!
//! The plain text protocol: one round trip per statement, and no row is converted twice.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::TryStreamExt;
use rules::source::SourceError;
use rules::{Identity, Network, Stage, Time};
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Error, Row};
use tokio::time::timeout;

use super::failure::{self, SILENCE, silence};
use super::link::Link;
use crate::installation::NetworkRow;
use crate::rows::{self, Cells};
use crate::salts::Stored;
use crate::snapshot::{self, Snapshot};

const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
const NETWORKS: &str = "SELECT id, domain, path FROM `{_}site` ORDER BY id";
const SITES: &str = "SELECT blog_id, site_id, domain, path, \
    TIMESTAMPDIFF(SECOND, registered, UTC_TIMESTAMP()), \
    CASE WHEN spam <> 0 OR deleted <> 0 THEN 2 WHEN archived <> 0 THEN 1 ELSE 0 END, \
    TIMESTAMPDIFF(SECOND, '1970-01-01', registered) FROM `{_}blogs` ORDER BY blog_id";
const MAPPINGS: &str = "SELECT id, blog_id, domain, stage, secure, active, primary_domain \
    FROM `{_}wu_domain_mappings` ORDER BY id";
const OPTIONS: &str = "SELECT site_id, meta_id, meta_key, meta_value FROM `{_}sitemeta` \
    WHERE meta_key IN ('wp-ultimo_v2_settings', 'wu_host_integrations_enabled', \
    'closte_sync_home', 'auth_key', 'auth_salt') ORDER BY meta_id";
const FORMS: &str = "SELECT id, settings FROM `{_}wu_forms` \
    WHERE settings LIKE '%available\\_domains%' ORDER BY id";
const STAGE_COLUMN: &str = "SHOW COLUMNS FROM `{_}wu_domain_mappings` LIKE 'stage'";
const MOMENT: &str = "SELECT UNIX_TIMESTAMP(), DATABASE()";

/// Stages and the home are left out: those that we write would cause another pass. A sum of CRCs
/// would not do: two rows of one length with the same change cancel each other.
const PULSE: &str = "SELECT CONCAT_WS(';', \
    (SELECT CONCAT_WS(',', COUNT(*), BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT_WS('|', id, blog_id, domain, \
        active, primary_domain)), 16), 16, 10) AS UNSIGNED))) FROM `{_}wu_domain_mappings`), \
    (SELECT CONCAT_WS(',', COUNT(*), BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT_WS('|', blog_id, site_id, \
        domain, path, registered, archived, spam, deleted)), 16), 16, 10) AS UNSIGNED))) \
        FROM `{_}blogs`), \
    (SELECT GROUP_CONCAT(MD5(CONCAT_WS('|', meta_id, site_id, meta_value)) ORDER BY meta_id) \
        FROM `{_}sitemeta` WHERE meta_key IN ('wp-ultimo_v2_settings', \
        'wu_host_integrations_enabled')))";

const READING: &str = "reading the network";

impl Link {
    /// Read the whole network, and the salts in its options. Any error leaves the connection unfit
    /// for more.
    pub(super) async fn read(&mut self) -> Result<(Network, Stored), SourceError> {
        let installation = self.installation.clone();
        let mut snapshot = Snapshot::new(&installation);
        self.run(READING, BEGIN).await?;
        let (time, database) = self.moment().await?;
        let networks = self.networks().await?;
        snapshot.networks(&networks);
        let ours = installation.choose(&networks)?;
        let domain = installation.own_domain(ours)?;
        self.rows(SITES, |row| rows::site(row, &mut snapshot)).await?;
        self.rows(MAPPINGS, |row| rows::mapping(row, &mut snapshot)).await?;
        self.known_options(ours.id, &mut snapshot).await?;
        self.forms(&mut snapshot).await?;
        let words = self.stage_words().await?;
        self.run(READING, "COMMIT").await?;
        let identity = Identity {
            app: installation.app.clone(),
            domain,
            database,
            prefix: installation.prefix.to_string(),
            network_id: ours.id,
        };
        let salts = snapshot.take_salts();
        Ok((snapshot.finish(identity, words, time), salts))
    }

    /// A number that changes with what [`read`](Self::read) shows, stages aside.
    pub(super) async fn pulse(&mut self) -> Result<u64, SourceError> {
        let mut hasher = DefaultHasher::new();
        self.rows(PULSE, |row| {
            row.cell(0)?.hash(&mut hasher);
            Ok(())
        })
        .await?;
        Ok(hasher.finish())
    }

    /// The database's clock and name.
    pub(super) async fn moment(&mut self) -> Result<(Option<Time>, String), SourceError> {
        let mut moment = (None, String::new());
        self.rows(MOMENT, |row| {
            let millis = row.number::<i64>(0)?.and_then(|seconds| seconds.checked_mul(1000));
            moment = (millis.map(Time::from_millis), row.text(1)?);
            Ok(())
        })
        .await?;
        Ok(moment)
    }

    /// The rows of `wp_site`.
    pub(super) async fn networks(&mut self) -> Result<Vec<NetworkRow>, SourceError> {
        let mut networks = Vec::new();
        self.rows(NETWORKS, |row| {
            networks.push(rows::network(row)?);
            Ok(())
        })
        .await?;
        Ok(networks)
    }

    async fn known_options(
        &mut self,
        network: u64,
        snapshot: &mut Snapshot<'_>,
    ) -> Result<(), SourceError> {
        let mut seen = BTreeSet::new();
        self.rows(OPTIONS, |row| rows::option(row, network, &mut seen, snapshot)).await
    }

    /// The table may be missing: then there are no shared base domains.
    async fn forms(&mut self, snapshot: &mut Snapshot<'_>) -> Result<(), SourceError> {
        match self.rows_or(FORMS, |row| rows::form(row, snapshot)).await? {
            Ok(()) => Ok(()),
            Err(error) if failure::is_no_such_table(&error) => Ok(()),
            Err(error) => Err(failure::failed(READING, error)),
        }
    }

    async fn stage_words(&mut self) -> Result<BTreeSet<Stage>, SourceError> {
        let mut words = BTreeSet::new();
        self.rows(STAGE_COLUMN, |row| {
            words = snapshot::stage_words(&row.text(1)?);
            Ok(())
        })
        .await?;
        Ok(words)
    }

    async fn rows(
        &mut self,
        sql: &'static str,
        take: impl FnMut(&MySqlRow) -> Result<(), Error>,
    ) -> Result<(), SourceError> {
        let read = self.rows_or(sql, take).await?;
        read.map_err(|error| failure::failed(READING, error))
    }

    /// The server's own error separately, for callers that can handle it.
    async fn rows_or(
        &mut self,
        sql: &'static str,
        take: impl FnMut(&MySqlRow) -> Result<(), Error>,
    ) -> Result<Result<(), Error>, SourceError> {
        let sql = self.tables.sql(sql);
        match timeout(SILENCE, each(&mut self.connection, sql, take)).await {
            Ok(result) => Ok(result),
            Err(_) => Err(SourceError::Failed { doing: READING, source: silence(SILENCE).into() }),
        }
    }
}

async fn each(
    connection: &mut MySqlConnection,
    sql: AssertSqlSafe<String>,
    mut take: impl FnMut(&MySqlRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut rows = sqlx::raw_sql(sql).fetch(connection);
    while let Some(row) = rows.try_next().await? {
        take(&row)?;
    }
    Ok(())
}

impl Cells for MySqlRow {
    fn cell(&self, column: usize) -> Result<Option<&[u8]>, Error> {
        self.try_get_unchecked(column)
    }
}
