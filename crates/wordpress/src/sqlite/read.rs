//! Reading the whole network in one snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use futures_util::TryStreamExt;
use rules::source::SourceError;
use rules::{Identity, Network, Time};
use sqlx::Error;
use sqlx::sqlite::SqliteRow;

use super::failure;
use super::link::Link;
use crate::installation::NetworkRow;
use crate::rows::{self, Cells};
use crate::salts::Stored;
use crate::snapshot::Snapshot;
use crate::{Installation, missing};

const TABLES: &str = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view')";
const NETWORKS: &str = "SELECT id, domain, path FROM `{_}site` ORDER BY id";
/// A value that is not a date, such as MySQL's zero date, has no age.
const SITES: &str = "SELECT blog_id, site_id, domain, path, \
    unixepoch('now') - unixepoch(registered), \
    CASE WHEN spam <> 0 OR deleted <> 0 THEN 2 WHEN archived <> 0 THEN 1 ELSE 0 END, \
    unixepoch(registered) FROM `{_}blogs` ORDER BY blog_id";
const MAPPINGS: &str = "SELECT id, blog_id, domain, stage, secure, active, primary_domain \
    FROM `{_}wu_domain_mappings` ORDER BY id";
const OPTIONS: &str = "SELECT site_id, meta_id, meta_key, meta_value FROM `{_}sitemeta` \
    WHERE meta_key IN ('wp-ultimo_v2_settings', 'wu_host_integrations_enabled', \
    'closte_sync_home', 'auth_key', 'auth_salt') ORDER BY meta_id";
const FORMS: &str = "SELECT id, settings FROM `{_}wu_forms` \
    WHERE instr(settings, 'available_domains') ORDER BY id";
const MOMENT: &str = "SELECT unixepoch('now')";

/// Stages and the home are left out: those that we write would cause another pass.
const PULSE: &str = "SELECT \
    (SELECT group_concat(concat_ws('|', id, blog_id, domain, active, primary_domain), ';' \
        ORDER BY id) FROM `{_}wu_domain_mappings`), \
    (SELECT group_concat(concat_ws('|', blog_id, site_id, domain, path, registered, archived, spam, \
        deleted), ';' ORDER BY blog_id) FROM `{_}blogs`), \
    (SELECT group_concat(concat_ws('|', meta_id, site_id, meta_value), ';' ORDER BY meta_id) \
        FROM `{_}sitemeta` WHERE meta_key IN ('wp-ultimo_v2_settings', \
        'wu_host_integrations_enabled'))";

pub(super) const READING: &str = "reading the network";

/// What led to the file.
const NAMED_BY: &str = "that of `DB_DIR` and `DB_FILE`";

impl Link {
    /// Read the whole network, and the salts in its options.
    pub(super) async fn read(
        &mut self,
        installation: &Installation,
    ) -> Result<(Network, Stored), SourceError> {
        let there = self.tables_there().await?;
        let names: BTreeSet<_> = there.keys().cloned().collect();
        let file = self.file.display().to_string();
        if let Some(lack) = missing::lack(installation, &file, NAMED_BY, &names) {
            return Err(lack);
        }
        let mut snapshot = Snapshot::new(installation);
        let networks = self.networks().await?;
        snapshot.networks(&networks);
        let ours = installation.choose(&networks)?;
        let identity = Identity {
            app: installation.app.clone(),
            domain: installation.own_domain(ours)?,
            database: file,
            prefix: installation.prefix.to_string(),
            network_id: ours.id,
        };
        self.rows(SITES, |row| rows::site(row, &mut snapshot)).await?;
        self.rows(MAPPINGS, |row| rows::mapping(row, &mut snapshot)).await?;
        let mut seen = BTreeSet::new();
        self.rows(OPTIONS, |row| rows::option(row, ours.id, &mut seen, &mut snapshot)).await?;
        if there.contains_key(&self.tables.name("wu_forms")) {
            self.rows(FORMS, |row| rows::form(row, &mut snapshot)).await?;
        }
        let made_by = there.get(&self.tables.name("wu_domain_mappings"));
        let words = self.stage_words(made_by.map_or("", String::as_str)).await?;
        let salts = snapshot.take_salts();
        Ok((snapshot.finish(identity, words, self.moment().await?), salts))
    }

    /// A number that changes with what [`read`](Self::read) shows, stages aside.
    pub(super) async fn pulse(&mut self) -> Result<u64, SourceError> {
        let mut hasher = DefaultHasher::new();
        self.rows(PULSE, |row| {
            for column in 0..3 {
                row.cell(column)?.hash(&mut hasher);
            }
            Ok(())
        })
        .await?;
        Ok(hasher.finish())
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

    /// Every table with the statement that made it.
    async fn tables_there(&mut self) -> Result<BTreeMap<String, String>, SourceError> {
        let mut there = BTreeMap::new();
        self.rows(TABLES, |row| {
            there.insert(row.text(0)?, row.text(1)?);
            Ok(())
        })
        .await?;
        Ok(there)
    }

    /// The machine's clock, as SQLite reads it.
    pub(super) async fn moment(&mut self) -> Result<Option<Time>, SourceError> {
        let mut moment = None;
        self.rows(MOMENT, |row| {
            let millis = row.number::<i64>(0)?.and_then(|seconds| seconds.checked_mul(1000));
            moment = millis.map(Time::from_millis);
            Ok(())
        })
        .await?;
        Ok(moment)
    }

    async fn rows(
        &mut self,
        sql: &'static str,
        take: impl FnMut(&SqliteRow) -> Result<(), Error>,
    ) -> Result<(), SourceError> {
        let read = self.rows_or(sql, take).await;
        read.map_err(|error| failure::failed(READING, &self.file, error))
    }

    /// SQLite's own error, for callers that can handle it.
    pub(super) async fn rows_or(
        &mut self,
        sql: &'static str,
        mut take: impl FnMut(&SqliteRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let sql = self.sql(sql);
        let mut rows = sqlx::raw_sql(sql).fetch(&mut self.connection);
        while let Some(row) = rows.try_next().await? {
            take(&row)?;
        }
        Ok(())
    }
}
