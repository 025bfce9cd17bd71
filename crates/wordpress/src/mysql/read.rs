//! Reading the whole network in one snapshot.
//!
//! The plain text protocol: one round trip a statement, and no row is converted twice.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;

use futures_util::TryStreamExt;
use rules::source::SourceError;
use rules::{Identity, Network, Stage, Time};
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{AssertSqlSafe, Error, Row};
use tokio::time::timeout;

use super::failure::{self, SILENCE, silence};
use super::link::Link;
use crate::installation::{NetworkRow, NotOurs};
use crate::snapshot::{self, MappingRow, SiteRow, Snapshot};

const BEGIN: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
const NETWORKS: &str = "SELECT id, domain, path FROM `{_}site` ORDER BY id";
const SITES: &str = "SELECT blog_id, site_id, domain, path, \
    TIMESTAMPDIFF(SECOND, registered, UTC_TIMESTAMP()), \
    archived <> 0 OR spam <> 0 OR deleted <> 0 FROM `{_}blogs` ORDER BY blog_id";
const MAPPINGS: &str = "SELECT id, blog_id, domain, stage, secure, active, primary_domain \
    FROM `{_}wu_domain_mappings` ORDER BY id";
const OPTIONS: &str = "SELECT site_id, meta_id, meta_key, meta_value FROM `{_}sitemeta` \
    WHERE meta_key IN ('wp-ultimo_v2_settings', 'wu_host_integrations_enabled', \
    'closte_sync_home') ORDER BY meta_id";
const FORMS: &str = "SELECT id, settings FROM `{_}wu_forms` \
    WHERE settings LIKE '%available\\_domains%' ORDER BY id";
const STAGE_COLUMN: &str = "SHOW COLUMNS FROM `{_}wu_domain_mappings` LIKE 'stage'";
const MOMENT: &str = "SELECT UNIX_TIMESTAMP(), DATABASE()";

/// Stages and the home are left out: those that we write would call for another pass.
const PULSE: &str = "SELECT CONCAT_WS(';', \
    (SELECT CONCAT_WS(',', COUNT(*), MAX(id), BIT_XOR(CRC32(CONCAT_WS('|', id, blog_id, domain, \
        active, primary_domain)))) FROM `{_}wu_domain_mappings`), \
    (SELECT CONCAT_WS(',', COUNT(*), MAX(blog_id), BIT_XOR(CRC32(CONCAT_WS('|', blog_id, site_id, \
        domain, path, archived, spam, deleted)))) FROM `{_}blogs`), \
    (SELECT BIT_XOR(CRC32(CONCAT_WS('|', meta_id, site_id, meta_value))) FROM `{_}sitemeta` \
        WHERE meta_key IN ('wp-ultimo_v2_settings', 'wu_host_integrations_enabled')))";

const READING: &str = "reading the network";

impl Link {
    /// Read the whole network. Any error leaves the connection unfit for more.
    pub(super) async fn read(&mut self) -> Result<Network, SourceError> {
        let installation = self.installation.clone();
        let mut snapshot = Snapshot::new(&installation);
        self.run(READING, BEGIN).await?;
        let (time, database) = self.moment().await?;
        let networks = self.networks().await?;
        snapshot.networks(&networks);
        let ours = installation.choose(&networks).map_err(|why| not_ours(&why))?;
        let domain = installation.own_domain(ours).map_err(|why| not_ours(&why))?;
        self.sites(&mut snapshot).await?;
        self.mappings(&mut snapshot).await?;
        self.options(ours.id, &mut snapshot).await?;
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
        Ok(snapshot.finish(identity, words, time))
    }

    /// A number that changes with what [`read`](Self::read) shows, stages aside.
    pub(super) async fn pulse(&mut self) -> Result<u64, SourceError> {
        let mut hasher = DefaultHasher::new();
        self.rows(PULSE, |row| {
            cell(row, 0)?.hash(&mut hasher);
            Ok(())
        })
        .await?;
        Ok(hasher.finish())
    }

    async fn moment(&mut self) -> Result<(Option<Time>, String), SourceError> {
        let mut moment = (None, String::new());
        self.rows(MOMENT, |row| {
            let millis = number::<i64>(row, 0)?.and_then(|seconds| seconds.checked_mul(1000));
            moment = (millis.map(Time::from_millis), text(row, 1)?);
            Ok(())
        })
        .await?;
        Ok(moment)
    }

    /// The rows of `wp_site`.
    pub(super) async fn networks(&mut self) -> Result<Vec<NetworkRow>, SourceError> {
        let mut networks = Vec::new();
        self.rows(NETWORKS, |row| {
            let id = number(row, 0)?.unwrap_or_default();
            networks.push(NetworkRow { id, domain: text(row, 1)?, path: text(row, 2)? });
            Ok(())
        })
        .await?;
        Ok(networks)
    }

    async fn sites(&mut self, snapshot: &mut Snapshot<'_>) -> Result<(), SourceError> {
        self.rows(SITES, |row| {
            let (Some(id), Some(network_id)) = (number(row, 0)?, number(row, 1)?) else {
                snapshot.unreadable_row("blogs");
                return Ok(());
            };
            snapshot.site(&SiteRow {
                id,
                network_id,
                domain: cell(row, 2)?.unwrap_or_default(),
                path: cell(row, 3)?.unwrap_or_default(),
                age: number(row, 4)?,
                hidden: switch(row, 5)?,
            });
            Ok(())
        })
        .await
    }

    async fn mappings(&mut self, snapshot: &mut Snapshot<'_>) -> Result<(), SourceError> {
        self.rows(MAPPINGS, |row| {
            let Some(id) = number(row, 0)? else {
                snapshot.unreadable_row("wu_domain_mappings");
                return Ok(());
            };
            snapshot.mapping(&MappingRow {
                id,
                site_id: number(row, 1)?.unwrap_or_default(),
                domain: cell(row, 2)?.unwrap_or_default(),
                stage: cell(row, 3)?,
                secure: switch(row, 4)?,
                active: switch(row, 5)?,
                primary: switch(row, 6)?,
            });
            Ok(())
        })
        .await
    }

    async fn options(
        &mut self,
        network: u64,
        snapshot: &mut Snapshot<'_>,
    ) -> Result<(), SourceError> {
        let mut seen = BTreeSet::new();
        self.rows(OPTIONS, |row| {
            let name = text(row, 2)?;
            if number(row, 0)? == Some(network) && seen.insert(name.clone()) {
                let id = number(row, 1)?.unwrap_or_default();
                snapshot.option(id, &name, cell(row, 3)?.unwrap_or_default());
            }
            Ok(())
        })
        .await
    }

    /// The table may be missing: then there are no shared base domains.
    async fn forms(&mut self, snapshot: &mut Snapshot<'_>) -> Result<(), SourceError> {
        let read = self.rows_or(FORMS, |row| {
            let id = number(row, 0)?.unwrap_or_default();
            snapshot.form(id, cell(row, 1)?.unwrap_or_default());
            Ok(())
        });
        match read.await? {
            Ok(()) => Ok(()),
            Err(error) if failure::is_no_such_table(&error) => Ok(()),
            Err(error) => Err(failure::failed(READING, error)),
        }
    }

    async fn stage_words(&mut self) -> Result<BTreeSet<Stage>, SourceError> {
        let mut words = BTreeSet::new();
        self.rows(STAGE_COLUMN, |row| {
            words = snapshot::stage_words(&text(row, 1)?);
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

    /// The server's own error apart, for those who can live with it.
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

pub(super) fn not_ours(why: &NotOurs) -> SourceError {
    SourceError::NotANetwork {
        what: why.to_string(),
        hint: "check `DOMAIN_CURRENT_SITE` and `SITE_ID_CURRENT_SITE` in wp-config.php".to_owned(),
    }
}

fn cell(row: &MySqlRow, column: usize) -> Result<Option<&[u8]>, Error> {
    row.try_get_unchecked(column)
}

fn text(row: &MySqlRow, column: usize) -> Result<String, Error> {
    let bytes = cell(row, column)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

fn switch(row: &MySqlRow, column: usize) -> Result<bool, Error> {
    Ok(number::<i64>(row, column)?.is_some_and(|it| it != 0))
}

/// None for NULL and for what does not fit, such as a negative id.
fn number<T: FromStr>(row: &MySqlRow, column: usize) -> Result<Option<T>, Error> {
    let bytes = cell(row, column)?;
    Ok(bytes.and_then(|it| std::str::from_utf8(it).ok()?.parse().ok()))
}
