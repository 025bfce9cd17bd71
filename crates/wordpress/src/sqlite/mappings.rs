//! Writing mappings: the same conditions as in MySQL, with the transaction as the lock.

use std::collections::BTreeSet;

use rules::source::{Primary, SourceError, StageWrite, back_again};
use rules::{DomainName, Entry};
use sqlx::sqlite::SqliteRow;

use super::link::{Link, key};
use crate::rows::Cells;
use crate::spelling;

pub(super) const READING_AGAIN: &str = "reading the mappings again";

/// The old stage must still be there, byte for byte.
const WRITE_STAGE: &str = "UPDATE `{_}wu_domain_mappings` \
    SET stage = ?, secure = CASE WHEN ? THEN 1 ELSE secure END, date_modified = datetime('now') \
    WHERE id = ? AND stage = ? COLLATE BINARY";

/// The same where there was no stage: NULL, the empty word, or an unknown one.
const WRITE_FIRST_STAGE: &str = "UPDATE `{_}wu_domain_mappings` \
    SET stage = ?, secure = CASE WHEN ? THEN 1 ELSE secure END, date_modified = datetime('now') \
    WHERE id = ? AND (stage IS NULL OR stage COLLATE BINARY NOT IN ('checking-dns', \
    'checking-ssl-cert', 'done-without-ssl', 'done', 'failed', 'ssl-failed'))";

const NAME: &str = "SELECT domain FROM `{_}wu_domain_mappings` WHERE id = ?";

const SITE: &str = "SELECT domain FROM `{_}blogs` WHERE blog_id = ?";

/// Names are compared without regard to capitals, as MySQL does.
const CREATE_RECORD: &str = "INSERT INTO `{_}wu_domain_mappings` \
    (blog_id, domain, active, primary_domain, secure, stage, date_created, date_modified) \
    SELECT b.blog_id, ?1, 1, 1, 0, 'checking-dns', datetime('now'), datetime('now') \
    FROM `{_}blogs` b WHERE b.blog_id = ?2 AND b.domain = ?3 AND b.path = '/' \
    AND b.archived = 0 AND b.spam = 0 AND b.deleted = 0 \
    AND NOT EXISTS (SELECT 1 FROM `{_}wu_domain_mappings` m \
        WHERE m.blog_id = b.blog_id OR m.domain COLLATE NOCASE IN (?1, ?4)) \
    AND NOT EXISTS (SELECT 1 FROM `{_}blogs` o \
        WHERE o.blog_id <> b.blog_id AND o.domain COLLATE NOCASE IN (?1, ?4))";

const ADD: &str = "INSERT INTO `{_}wu_domain_mappings` \
    (blog_id, domain, active, primary_domain, secure, stage, date_created, date_modified) \
    SELECT b.blog_id, ?1, 1, ?2, 0, 'checking-dns', datetime('now'), datetime('now') \
    FROM `{_}blogs` b WHERE b.blog_id = ?3 \
    AND NOT EXISTS (SELECT 1 FROM `{_}wu_domain_mappings` m WHERE m.domain = ?1 COLLATE NOCASE)";

const STEP_DOWN: &str = "UPDATE `{_}wu_domain_mappings` SET primary_domain = 0 \
    WHERE blog_id = ? AND id <> ? AND primary_domain <> 0";

const MOVE: &str = "UPDATE `{_}wu_domain_mappings` SET blog_id = ?, primary_domain = 0, \
    date_modified = datetime('now') WHERE id = ? AND blog_id = ?";

const ALL: &str = "SELECT id, domain FROM `{_}wu_domain_mappings` ORDER BY id";

const REMOVE: &str = "DELETE FROM `{_}wu_domain_mappings` WHERE id = ?";

pub(super) const WRITING_STAGE: &str = "writing a stage";
pub(super) const MAKING_RECORD: &str = "making a domain record";
pub(super) const ADDING: &str = "adding a mapping";
pub(super) const MOVING: &str = "moving a mapping";
pub(super) const REMOVING: &str = "removing a mapping";

impl Link {
    pub(super) async fn write_stage(&mut self, write: &StageWrite) -> Result<bool, SourceError> {
        let row = self.fetch(WRITING_STAGE, self.query(NAME).bind(key(write.mapping_id))).await?;
        // SQLite knows capitals of ASCII only. The transaction keeps the row as it is.
        let as_stored = row.first().and_then(|row| name(row, 0));
        if !as_stored.is_some_and(|it| spelling::is(&it, &write.domain)) {
            return Ok(false);
        }
        let sql = match write.from {
            Some(_) => WRITE_STAGE,
            None => WRITE_FIRST_STAGE,
        };
        let query = self.query(sql).bind(write.to.as_str()).bind(write.secure);
        let query = query.bind(key(write.mapping_id));
        let query = match write.from {
            Some(from) => query.bind(from.as_str()),
            None => query,
        };
        Ok(self.execute(WRITING_STAGE, query).await?.rows_affected() != 0)
    }

    pub(super) async fn create_record(
        &mut self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        let row = self.fetch(MAKING_RECORD, self.query(SITE).bind(key(site))).await?;
        // As the row writes it, which may be with capitals or in Unicode.
        let as_stored = row.first().and_then(|row| name(row, 0));
        let Some(as_stored) = as_stored.filter(|it| spelling::is(it, domain)) else {
            return Ok(None);
        };
        let twin = domain.twin();
        let twin = twin.as_ref().unwrap_or(domain);
        let insert =
            self.query(CREATE_RECORD).bind(domain.as_str()).bind(key(site)).bind(as_stored);
        let done = self.execute(MAKING_RECORD, insert.bind(twin.as_str())).await?;
        Ok(if done.rows_affected() == 0 { None } else { Some(id_of(done.last_insert_rowid())) })
    }

    pub(super) async fn add_mapping(
        &mut self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        spelling::fits(domain)?;
        let insert = self.query(ADD).bind(domain.as_str()).bind(primary == Primary::Yes);
        let done = self.execute(ADDING, insert.bind(key(site))).await?;
        if done.rows_affected() == 0 {
            let row = self.fetch(ADDING, self.query(SITE).bind(key(site))).await?;
            return Err(spelling::not_added(site, domain, !row.is_empty()));
        }
        let id = done.last_insert_rowid();
        if primary == Primary::Yes {
            let others = self.query(STEP_DOWN).bind(key(site)).bind(id);
            self.execute(ADDING, others).await?;
        }
        Ok(id_of(id))
    }

    pub(super) async fn move_mapping(
        &mut self,
        id: u64,
        from: u64,
        to: u64,
    ) -> Result<bool, SourceError> {
        let query = self.query(MOVE).bind(key(to)).bind(key(id)).bind(key(from));
        Ok(self.execute(MOVING, query).await?.rows_affected() != 0)
    }

    /// Those of `gone` that a row has again, or of which a row is there that cannot be read.
    pub(super) async fn came_back(
        &mut self,
        gone: &[&Entry],
    ) -> Result<BTreeSet<DomainName>, SourceError> {
        let all = self.fetch(READING_AGAIN, self.query(ALL)).await?;
        let found = all.iter().filter_map(|row| {
            let id = row.number::<i64>(0).ok().flatten()?;
            Some((id_of(id), spelling::read(name(row, 1))))
        });
        Ok(back_again(found, gone))
    }

    /// Rows may spell the name with capitals, in Unicode or with a final dot, so all are read.
    pub(super) async fn remove_mappings(
        &mut self,
        domain: &DomainName,
        rows: &[u64],
    ) -> Result<u64, SourceError> {
        let all = self.fetch(REMOVING, self.query(ALL)).await?;
        let is_it = |row: &&SqliteRow| name(row, 1).is_some_and(|it| spelling::is(&it, domain));
        let ids = all.iter().filter(is_it).map(|row| row.number::<i64>(0).ok().flatten());
        let mut count = 0;
        let asked = |id: &Option<i64>| id.is_some_and(|id| rows.contains(&id_of(id)));
        for id in ids.filter(asked).collect::<Vec<_>>() {
            count += self.execute(REMOVING, self.query(REMOVE).bind(id)).await?.rows_affected();
        }
        Ok(count)
    }
}

fn name(row: &SqliteRow, column: usize) -> Option<String> {
    String::from_utf8(row.cell(column).ok()??.to_vec()).ok()
}

/// SQLite counts up from 1 automatically.
fn id_of(row: i64) -> u64 {
    u64::try_from(row).unwrap_or_default()
}
