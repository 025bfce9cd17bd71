//! Writing mappings: stages by compare-and-set, records and mappings by conditional inserts.

use std::collections::BTreeSet;
use std::io;

use rules::source::{Primary, SourceError, StageWrite, back_again};
use rules::{DomainName, Entry};
use sqlx::mysql::MySqlRow;
use sqlx::{Error, Row};

use super::failure::{self, within};
use super::link::Link;
use crate::spelling::{self, is};

/// The name, in A-labels or Unicode, and the old stage must still be there. It is compared by its
/// octets, as a collation may ignore accents. With the driver's setting the count is of rows found, so
/// writing what is there already counts as done.
const WRITE_STAGE: &str = "UPDATE `{_}wu_domain_mappings` \
    SET stage = ?, secure = IF(?, 1, secure), date_modified = UTC_TIMESTAMP() \
    WHERE id = ? AND CAST(LOWER(TRIM(TRAILING '.' FROM CONVERT(domain USING utf8mb4))) AS BINARY) IN (?, ?) \
    AND stage = ?";

/// The same where there was no stage: NULL, the empty word, or an unknown one.
const WRITE_FIRST_STAGE: &str = "UPDATE `{_}wu_domain_mappings` \
    SET stage = ?, secure = IF(?, 1, secure), date_modified = UTC_TIMESTAMP() \
    WHERE id = ? AND CAST(LOWER(TRIM(TRAILING '.' FROM CONVERT(domain USING utf8mb4))) AS BINARY) IN (?, ?) \
    AND (stage IS NULL OR stage NOT IN ('checking-dns', 'checking-ssl-cert', \
    'done-without-ssl', 'done', 'failed', 'ssl-failed'))";

const SITE: &str = "SELECT domain FROM `{_}blogs` WHERE blog_id = ?";

const CREATE_RECORD: &str = "INSERT INTO `{_}wu_domain_mappings` \
    (blog_id, domain, active, primary_domain, secure, stage, date_created, date_modified) \
    SELECT b.blog_id, ?, 1, 1, 0, 'checking-dns', UTC_TIMESTAMP(), UTC_TIMESTAMP() \
    FROM `{_}blogs` b WHERE b.blog_id = ? AND b.domain = ? AND b.path = '/' \
    AND b.archived = 0 AND b.spam = 0 AND b.deleted = 0 \
    AND NOT EXISTS (SELECT 1 FROM `{_}wu_domain_mappings` m \
        WHERE m.blog_id = b.blog_id OR m.domain IN (?, ?)) \
    AND NOT EXISTS (SELECT 1 FROM `{_}blogs` o \
        WHERE o.blog_id <> b.blog_id AND o.domain IN (?, ?))";

const ADD: &str = "INSERT INTO `{_}wu_domain_mappings` \
    (blog_id, domain, active, primary_domain, secure, stage, date_created, date_modified) \
    SELECT b.blog_id, ?, 1, ?, 0, 'checking-dns', UTC_TIMESTAMP(), UTC_TIMESTAMP() \
    FROM `{_}blogs` b WHERE b.blog_id = ? \
    AND NOT EXISTS (SELECT 1 FROM `{_}wu_domain_mappings` m WHERE m.domain = ?)";

const STEP_DOWN: &str = "UPDATE `{_}wu_domain_mappings` SET primary_domain = 0 \
    WHERE blog_id = ? AND id <> ? AND primary_domain <> 0";

const MOVE: &str = "UPDATE `{_}wu_domain_mappings` SET blog_id = ?, primary_domain = 0, \
    date_modified = UTC_TIMESTAMP() WHERE id = ? AND blog_id = ?";

const ALL: &str = "SELECT CAST(id AS UNSIGNED), domain FROM `{_}wu_domain_mappings` ORDER BY id";

const REMOVE: &str = "DELETE FROM `{_}wu_domain_mappings` WHERE id = ? AND domain = ?";

/// Server-wide names, so that of the database and prefix is in it; 64 characters at most. The
/// wait ends before the statement's own limit does.
const LOCK: &str =
    "SELECT GET_LOCK(CONCAT('closte_sync ', SHA1(CONCAT(DATABASE(), '.', '{_}'))), 8)";
const UNLOCK: &str =
    "SELECT RELEASE_LOCK(CONCAT('closte_sync ', SHA1(CONCAT(DATABASE(), '.', '{_}'))))";

/// Rows by their id or by their name, however that is written.
const NAMED: &str = "SELECT CAST(id AS UNSIGNED), domain FROM `{_}wu_domain_mappings` \
    WHERE id IN ({?}) OR LOWER(TRIM(TRAILING '.' FROM domain)) IN ({?})";

impl Link {
    /// Those of `gone` that a row has again, or of which a row is there that cannot be read.
    pub(super) async fn came_back(
        &mut self,
        gone: &[&Entry],
    ) -> Result<BTreeSet<DomainName>, SourceError> {
        let doing = "reading the mappings again";
        let rows: BTreeSet<u64> = gone.iter().flat_map(|entry| entry.rows()).collect();
        let names = gone.iter().flat_map(|entry| spelling::both(&entry.domain));
        let names: BTreeSet<String> = names.collect();
        // As many of each, as the statement has the same number of places for both.
        let count = rows.len().max(names.len());
        let mut query = sqlx::query(self.tables.sql_of(NAMED, count));
        for row in rows.iter().copied().chain(std::iter::repeat(0)).take(count) {
            query = query.bind(row);
        }
        for name in names.into_iter().chain(std::iter::repeat(String::new())).take(count) {
            query = query.bind(name);
        }
        let found = within(doing, query.fetch_all(&mut self.connection)).await?;
        let found = found
            .iter()
            .filter_map(|row| Some((row.try_get(0).ok()?, spelling::read(name(row, 1)))));
        Ok(back_again(found, gone))
    }

    pub(super) async fn write_stage(&mut self, write: &StageWrite) -> Result<bool, SourceError> {
        let sql = match write.from {
            Some(_) => WRITE_STAGE,
            None => WRITE_FIRST_STAGE,
        };
        let [name, display] = spelling::both(&write.domain);
        let query = sqlx::query(self.tables.sql(sql))
            .bind(write.to.as_str())
            .bind(write.secure)
            .bind(write.mapping_id)
            .bind(name)
            .bind(display);
        let query = match write.from {
            Some(from) => query.bind(from.as_str()),
            None => query,
        };
        let done = within("writing a stage", query.execute(&mut self.connection)).await?;
        Ok(done.rows_affected() != 0)
    }

    pub(super) async fn create_record(
        &mut self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        self.lock().await?;
        let id = self.insert_record(site, domain).await?;
        self.unlock().await?;
        Ok(id)
    }

    async fn insert_record(
        &mut self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        let doing = "making a domain record";
        let row = sqlx::query(self.tables.sql(SITE)).bind(site);
        let row = within(doing, row.fetch_optional(&mut self.connection)).await?;
        // As the row writes it, which may be with capitals or in Unicode.
        let Some(as_stored) = row.and_then(|row| name(&row, 0)).filter(|it| is(it, domain)) else {
            return Ok(None);
        };
        let twin = domain.twin();
        let twin = twin.as_ref().unwrap_or(domain);
        let insert = sqlx::query(self.tables.sql(CREATE_RECORD))
            .bind(domain.as_str())
            .bind(site)
            .bind(as_stored)
            .bind(domain.as_str())
            .bind(twin.as_str())
            .bind(domain.as_str())
            .bind(twin.as_str());
        let done = within(doing, insert.execute(&mut self.connection)).await?;
        Ok((done.rows_affected() == 1).then(|| done.last_insert_id()))
    }

    pub(super) async fn add_mapping(
        &mut self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        spelling::fits(domain)?;
        self.lock().await?;
        let id = self.insert_mapping(site, domain, primary).await?;
        self.unlock().await?;
        Ok(id)
    }

    async fn insert_mapping(
        &mut self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        let doing = "adding a mapping";
        self.run(doing, "START TRANSACTION").await?;
        let insert = sqlx::query(self.tables.sql(ADD))
            .bind(domain.as_str())
            .bind(primary == Primary::Yes)
            .bind(site)
            .bind(domain.as_str());
        let done = within(doing, insert.execute(&mut self.connection)).await?;
        if done.rows_affected() == 0 {
            return Err(self.refusal_to_add(site, domain).await?);
        }
        let id = done.last_insert_id();
        if primary == Primary::Yes {
            let others = sqlx::query(self.tables.sql(STEP_DOWN)).bind(site).bind(id);
            within(doing, others.execute(&mut self.connection)).await?;
        }
        self.run(doing, "COMMIT").await?;
        Ok(id)
    }

    async fn refusal_to_add(
        &mut self,
        site: u64,
        domain: &DomainName,
    ) -> Result<SourceError, SourceError> {
        let row = sqlx::query(self.tables.sql(SITE)).bind(site);
        let row = within("adding a mapping", row.fetch_optional(&mut self.connection)).await?;
        Ok(spelling::not_added(site, domain, row.is_some()))
    }

    pub(super) async fn move_mapping(
        &mut self,
        id: u64,
        from: u64,
        to: u64,
    ) -> Result<bool, SourceError> {
        let query = sqlx::query(self.tables.sql(MOVE)).bind(to).bind(id).bind(from);
        let done = within("moving a mapping", query.execute(&mut self.connection)).await?;
        Ok(done.rows_affected() != 0)
    }

    /// Rows may spell the name with capitals, in Unicode or with a final dot, so all are read.
    pub(super) async fn remove_mappings(
        &mut self,
        domain: &DomainName,
        rows: &[u64],
    ) -> Result<u64, SourceError> {
        let doing = "removing a mapping";
        self.run(doing, "START TRANSACTION").await?;
        let all = sqlx::query(self.tables.sql(ALL)).fetch_all(&mut self.connection);
        let all = within(doing, all).await?;
        let mut count = 0;
        for row in &all {
            let Some(as_stored) = name(row, 1).filter(|it| is(it, domain)) else { continue };
            let id: u64 = row.try_get(0).map_err(|error| failure::failed(doing, error))?;
            if !rows.contains(&id) {
                continue;
            }
            let remove = sqlx::query(self.tables.sql(REMOVE)).bind(id).bind(as_stored);
            count += within(doing, remove.execute(&mut self.connection)).await?.rows_affected();
        }
        self.run(doing, "COMMIT").await?;
        Ok(count)
    }

    /// One change of this network at a time, where the server has locks; it ends with the
    /// connection at the latest.
    pub(super) async fn lock(&mut self) -> Result<(), SourceError> {
        let doing = "waiting for another change of this network";
        let lock = sqlx::query(self.tables.sql(LOCK)).fetch_one(&mut self.connection);
        let row = match tokio::time::timeout(failure::SILENCE, lock).await {
            Ok(Err(error)) if failure::is_unsupported(&error) => return Ok(()),
            Ok(result) => result.map_err(|error| failure::failed(doing, error))?,
            Err(_) => return Err(taken(doing)),
        };
        match row.try_get::<Option<i64>, _>(0) {
            Ok(Some(1)) => Ok(()),
            Ok(_) => Err(taken(doing)),
            Err(error) => Err(failure::failed(doing, error)),
        }
    }

    pub(super) async fn unlock(&mut self) -> Result<(), SourceError> {
        let unlock = sqlx::query(self.tables.sql(UNLOCK)).fetch_one(&mut self.connection);
        match tokio::time::timeout(failure::SILENCE, unlock).await {
            Ok(Err(error)) if failure::is_unsupported(&error) => Ok(()),
            Ok(Err(error)) => Err(failure::failed("ending a change", error)),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }
}

fn taken(doing: &'static str) -> SourceError {
    let source = io::Error::new(io::ErrorKind::TimedOut, "somebody else holds the lock");
    SourceError::Failed { doing, source: source.into() }
}

fn name(row: &MySqlRow, column: usize) -> Option<String> {
    let bytes: Result<Option<Vec<u8>>, Error> = row.try_get_unchecked(column);
    String::from_utf8(bytes.ok()??).ok()
}
