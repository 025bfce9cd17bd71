//! The table `entries`: a row a domain, to and from [`Entry`].
//!
//! Columns are what is filtered, sorted, claimed, or decides on removal; all else is in one JSON
//! text ([`crate::row::State`]). Rows travel as JSON between SQLite and here, many in one statement
//! to write, one value each to read: that is several times quicker than a value for each field.
//!
//! A word that nobody knows (a newer closte-sync wrote it and was rolled back) is read as what is
//! known to be harmless: a reason or a stage as none, routing and certificate as `unknown`, the
//! proof as `unproven`, which checks correct. For the alias and for why it is owned nothing is
//! harmless, as they decide what is removed: that is an error.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use futures_util::TryStreamExt;
use rules::ledger::{Claim, LedgerError, NextCalls};
use rules::{DomainName, Entry, Time};
use serde::Serialize;
use sqlx::{Row as _, SqliteConnection};

use crate::error;
use crate::row::{COLUMNS, Row, Unreadable};

/// So many entries are written by one statement.
const CHUNK: usize = 500;

/// Write entries whole, each where its row is of the version before; `?1` is a JSON list of rows.
/// Storing one ends its lease. Returns the names of those that were stored.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<_> = (0..COLUMNS.len()).map(|place| format!("value ->> {place}")).collect();
    let updates = COLUMNS.iter().filter(|column| **column != "domain");
    let updates: Vec<_> = updates.map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "INSERT INTO entries ({}) SELECT {} FROM jsonb_each(?1) WHERE true \
         ON CONFLICT (domain) DO UPDATE SET {}, lease_owner = NULL, lease_until = NULL \
         WHERE entries.version = excluded.version - 1 RETURNING domain",
        COLUMNS.join(", "),
        values.join(", "),
        updates.join(", "),
    )
});

/// A row as one JSON list. Its last value is JSON already: it is put there as it is, unread.
static SELECT: LazyLock<String> = LazyLock::new(|| {
    let (last, values) = COLUMNS.split_last().expect("there are columns");
    format!(
        "SELECT rtrim(json_array({}), ']') || ',' || {last} || ']' FROM entries",
        values.join(", ")
    )
});

/// What an entry that is followed is ([`Entry::is_followed`]); an index has the same words.
const FOLLOWED: &str = "(mapping_id IS NOT NULL OR twin IS 'follows')";

/// All but the retired ones ([`Entry::is_retired`]).
static SELECT_LIVE: LazyLock<String> = LazyLock::new(|| {
    format!("{} WHERE NOT (alias = 'absent' AND NOT {FOLLOWED}) ORDER BY domain", *SELECT)
});

/// What an entry whose addition is owed is ([`Entry::pending_call`]).
const ADDING: &str = "(alias IN ('wanted', 'adding') OR (alias = 'rejected' \
     AND state -> 'alias' ->> 'reason' IS NOT 'invalid-domain'))";

/// Take at most `?4` of those that a check or an addition is due for at `?1`, the longest due
/// first, for `?2` until `?3`.
static CLAIM: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE entries SET lease_owner = ?2, lease_until = ?3 WHERE domain IN ( \
         SELECT domain FROM entries WHERE {FOLLOWED} \
         AND (next_check <= ?1 OR (next_step <= ?1 AND {ADDING})) \
         AND (lease_until IS NULL OR lease_until <= ?1 OR lease_owner = ?2) \
         ORDER BY min(next_check, iif({ADDING}, next_step, next_check)), domain LIMIT ?4)"
    )
});

static SELECT_CLAIMED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} WHERE lease_owner = ?1 AND lease_until = ?2 \
         AND (next_check <= ?3 OR (next_step <= ?3 AND {ADDING}))",
        *SELECT
    )
});

static NEXT_DUE: LazyLock<String> =
    LazyLock::new(|| format!("SELECT min(next_check) FROM entries WHERE {FOLLOWED}"));

static NEXT_CALLS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT min(next_step) FILTER (WHERE {FOLLOWED} AND alias <> 'removing'), \
         min(next_step) FILTER (WHERE NOT {FOLLOWED} AND alias = 'removing') \
         FROM entries WHERE alias IN ('wanted', 'adding', 'rejected', 'removing') \
         AND NOT (alias = 'rejected' AND state -> 'alias' ->> 'reason' IS 'invalid-domain')"
    )
});

static SELECT_ONE: LazyLock<String> = LazyLock::new(|| format!("{} WHERE domain = ?1", *SELECT));

/// Every entry that is not retired, in the order of their domains.
pub(crate) async fn live(connection: &mut SqliteConnection) -> Result<Vec<Entry>, LedgerError> {
    let mut rows = sqlx::query(SELECT_LIVE.as_str()).fetch(connection);
    let mut entries = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(error::read)? {
        entries.push(parse(row.try_get(0).map_err(error::read)?)?);
    }
    Ok(entries)
}

/// Take due entries.
pub(crate) async fn claim(
    connection: &mut SqliteConnection,
    claim: &Claim<'_>,
    limit: usize,
) -> Result<Vec<Entry>, LedgerError> {
    let (now, until) = (claim.now.as_millis(), claim.until.as_millis());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = sqlx::query(CLAIM.as_str()).bind(now).bind(claim.owner).bind(until).bind(limit);
    let taken = query.execute(&mut *connection).await.map_err(error::write)?;
    if taken.rows_affected() == 0 {
        return Ok(Vec::new());
    }
    let query = sqlx::query(SELECT_CLAIMED.as_str()).bind(claim.owner).bind(until).bind(now);
    let rows = query.fetch_all(connection).await.map_err(error::read)?;
    rows.iter().map(|row| parse(row.try_get(0).map_err(error::read)?)).collect()
}

/// When the next check is due.
pub(crate) async fn next_due(
    connection: &mut SqliteConnection,
) -> Result<Option<Time>, LedgerError> {
    let query = sqlx::query(NEXT_DUE.as_str()).fetch_one(connection);
    let row = query.await.map_err(error::read)?;
    let due: Option<i64> = row.try_get(0).map_err(error::read)?;
    Ok(due.map(Time::from_millis))
}

/// When the next calls to the host are due ([`Entry::pending_call`]), whatever it allows.
pub(crate) async fn next_calls(
    connection: &mut SqliteConnection,
) -> Result<NextCalls, LedgerError> {
    let query = sqlx::query(NEXT_CALLS.as_str()).fetch_one(connection);
    let row = query.await.map_err(error::read)?;
    let due = |place: usize| -> Result<Option<Time>, LedgerError> {
        let due: Option<i64> = row.try_get(place).map_err(error::read)?;
        Ok(due.map(Time::from_millis))
    };
    Ok(NextCalls { add: due(0)?, remove: due(1)? })
}

/// The entry of `domain`, retired or not.
pub(crate) async fn one(
    connection: &mut SqliteConnection,
    domain: &DomainName,
) -> Result<Option<Entry>, LedgerError> {
    let query = sqlx::query(SELECT_ONE.as_str()).bind(domain.as_str());
    let row = query.fetch_optional(connection).await.map_err(error::read)?;
    row.map(|row| parse(row.try_get(0).map_err(error::read)?)).transpose()
}

/// Write `entries` whole; the names of those that somebody else stored meanwhile.
pub(crate) async fn store(
    connection: &mut SqliteConnection,
    entries: &[Entry],
) -> Result<Vec<DomainName>, LedgerError> {
    let mut missed = Vec::new();
    for chunk in entries.chunks(CHUNK) {
        let mut rows: Vec<_> = chunk.iter().map(Row::next_of).collect();
        rows.sort_by_key(|row| row.domain); // As the table is: each page is visited once.
        let rows = json(&rows)?;
        let query = sqlx::query_scalar(UPSERT.as_str()).bind(rows);
        let stored = query.fetch_all(&mut *connection).await.map_err(error::write)?;
        if stored.len() < chunk.len() {
            let stored: BTreeSet<String> = stored.into_iter().collect();
            let names = chunk.iter().map(|entry| &entry.domain);
            missed.extend(names.filter(|name| !stored.contains(name.as_str())).cloned());
        }
    }
    Ok(missed)
}

/// Release every lease, those of requests too.
pub(crate) async fn release(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    let sql = "UPDATE entries SET lease_owner = NULL, lease_until = NULL \
               WHERE lease_owner IS NOT NULL; \
               UPDATE requests SET taken_by = NULL, taken_till = NULL WHERE taken_by IS NOT NULL";
    sqlx::raw_sql(sql).execute(connection).await.map_err(error::write)?;
    Ok(())
}

pub(crate) fn json(value: &impl Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Write(error.into()))
}

fn parse(text: &str) -> Result<Entry, LedgerError> {
    let row: Row<'_> = serde_json::from_str(text).map_err(|source| {
        let domain = text.split('"').nth(1).unwrap_or_default().to_owned();
        Unreadable::Malformed { domain, source }
    })?;
    Ok(Entry::try_from(row)?)
}
