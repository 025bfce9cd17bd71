//! The table `entries`: a row a domain, to and from [`Entry`].
//!
//! Rows travel as JSON between SQLite and here, many in one statement to write,
//! one value each to read: that is several times quicker than forty-odd values a
//! row, and one list of columns serves both ways. Spans are kept to the
//! millisecond.
//!
//! A word that nobody knows (a newer closte-sync wrote it and was rolled back)
//! is read as what is known to be harmless: a reason or a stage as none, routing
//! and certificate as `unknown`, the proof as `unproven`, which looks put right. For the alias and the
//! hold nothing is harmless, as they decide what is removed: that is an error.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use futures_util::TryStreamExt;
use rules::entry::{
    Alias, Certificate, Checks, Condition, Gone, Intent, Lease, Mapped, Owned, OwnedAs, Proof,
    Routing, Step,
};
use rules::ledger::{LedgerError, NextCalls};
use rules::{DomainName, Entry, Reason, Stage, Time};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};
use sqlx::{Row as _, SqliteConnection};

use crate::error;

/// So many entries are written by one statement.
const CHUNK: usize = 500;

macro_rules! row {
    ($($(#[$attribute:meta])* $column:ident: $kind:ty,)*) => {
        /// A row of `entries`.
        #[derive(Deserialize)]
        struct Row<'a> {
            $($(#[$attribute])* $column: $kind,)*
        }

        /// Its columns, in the same order.
        const COLUMNS: &[&str] = &[$(stringify!($column)),*];

        /// As a list: SQLite finds a value by its place much sooner than by its name.
        impl Serialize for Row<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut list = serializer.serialize_tuple(COLUMNS.len())?;
                $(list.serialize_element(&self.$column)?;)*
                list.end()
            }
        }
    };
}

row! {
    domain: &'a str,
    first_seen: i64,
    mapping_id: Option<i64>,
    site_id: Option<i64>,
    #[serde(borrow)]
    stage: Option<&'a str>,
    secure: u8,
    contested: u8,
    alias: &'a str,
    #[serde(borrow)]
    alias_reason: Option<&'a str>,
    alias_detail: Option<Cow<'a, str>>,
    alias_since: i64,
    routing: &'a str,
    #[serde(borrow)]
    routing_reason: Option<&'a str>,
    routing_detail: Option<Cow<'a, str>>,
    routing_since: i64,
    found: Cow<'a, [IpAddr]>,
    certificate: &'a str,
    #[serde(borrow)]
    certificate_reason: Option<&'a str>,
    certificate_detail: Option<Cow<'a, str>>,
    certificate_since: i64,
    issuer: Option<Cow<'a, str>>,
    not_after: Option<i64>,
    proof: &'a str,
    #[serde(borrow)]
    proof_reason: Option<&'a str>,
    proof_detail: Option<Cow<'a, str>>,
    proof_since: i64,
    #[serde(borrow)]
    hold: Option<&'a str>,
    hold_since: Option<i64>,
    shown: u8,
    confirmed: u8,
    intent_at: Option<i64>,
    intent_list_lacked: u8,
    step_tries: u32,
    step_due: i64,
    looks_made: u32,
    look_last: Option<i64>,
    look_due: i64,
    look_gap: i64,
    hot_until: i64,
    looks_bad: u32,
    looks_bad_since: Option<i64>,
    gone_reads: u32,
    gone_counted_at: Option<i64>,
    gone_approved: u8,
    rechecked_at: Option<i64>,
    lease_owner: Option<Cow<'a, str>>,
    lease_until: Option<i64>,
}

/// What a person's recheck sets, so that a pass which loaded the entry before
/// may not undo it.
const RECHECKED: [&str; 4] = ["step_due", "look_due", "hot_until", "rechecked_at"];

/// Write entries whole; `?1` is a JSON list of rows.
static UPSERT: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<_> =
        (0..COLUMNS.len()).map(|ledger_path| format!("value ->> {ledger_path}")).collect();
    let updates: Vec<_> =
        COLUMNS.iter().filter(|column| **column != "domain").map(|column| update(column)).collect();
    format!(
        "INSERT INTO entries ({}) SELECT {} FROM jsonb_each(?1) WHERE true \
         ON CONFLICT (domain) DO UPDATE SET {}",
        COLUMNS.join(", "),
        values.join(", "),
        updates.join(", "),
    )
});

fn update(column: &str) -> String {
    if RECHECKED.contains(&column) {
        // A person asked after this entry was loaded.
        format!(
            "{column} = iif(entries.rechecked_at > \
             ifnull(excluded.rechecked_at, entries.rechecked_at - 1), \
             entries.{column}, excluded.{column})"
        )
    } else if column.starts_with("alias") {
        // They asked for a name again that the host had refused.
        format!(
            "{column} = iif(entries.alias = 'wanted' AND excluded.alias = 'rejected' AND \
             entries.rechecked_at > ifnull(excluded.rechecked_at, entries.rechecked_at - 1), \
             entries.{column}, excluded.{column})"
        )
    } else {
        format!("{column} = excluded.{column}")
    }
}

/// A row as one JSON list.
static SELECT: LazyLock<String> = LazyLock::new(|| {
    let values: Vec<_> = COLUMNS
        .iter()
        .map(|column| if *column == "found" { "json(found)" } else { column })
        .collect();
    format!("SELECT json_array({}) FROM entries", values.join(", "))
});

/// All but the retired ones ([`Entry::is_retired`]).
static SELECT_LIVE: LazyLock<String> = LazyLock::new(|| {
    format!("{} WHERE NOT (alias = 'absent' AND mapping_id IS NULL) ORDER BY domain", *SELECT)
});

/// Those that a check or an addition is due for at `?1`.
static SELECT_DUE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} WHERE mapping_id IS NOT NULL AND (look_due <= ?1 OR \
         (step_due <= ?1 AND alias IN ('wanted', 'adding', 'rejected'))) ORDER BY domain",
        *SELECT
    )
});

static SELECT_ONE: LazyLock<String> = LazyLock::new(|| format!("{} WHERE domain = ?1", *SELECT));

/// Why a row makes no entry.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error(
        "the entry of `{domain}` holds `{value}` in the column `{column}`, which no closte-sync up to this one writes there"
    )]
    Unknown { domain: String, column: &'static str, value: String },
    #[error("the entry of `{domain}` makes no sense")]
    Malformed { domain: String, source: serde_json::Error },
}

impl From<Unreadable> for LedgerError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Read(unreadable.into())
    }
}

/// Every entry that is not retired, in the order of their domains.
pub(crate) async fn live(connection: &mut SqliteConnection) -> Result<Vec<Entry>, LedgerError> {
    let mut rows = sqlx::query(SELECT_LIVE.as_str()).fetch(connection);
    let mut entries = Vec::new();
    while let Some(row) = rows.try_next().await.map_err(error::read)? {
        entries.push(parse(row.try_get(0).map_err(error::read)?)?);
    }
    Ok(entries)
}

/// Every entry that a check or an addition is due for at `now`.
pub(crate) async fn due(
    connection: &mut SqliteConnection,
    now: Time,
) -> Result<Vec<Entry>, LedgerError> {
    let query = sqlx::query(SELECT_DUE.as_str()).bind(now.as_millis());
    let rows = query.fetch_all(connection).await.map_err(error::read)?;
    rows.iter().map(|row| parse(row.try_get(0).map_err(error::read)?)).collect()
}

/// When the next check is due.
pub(crate) async fn next_due(
    connection: &mut SqliteConnection,
) -> Result<Option<Time>, LedgerError> {
    let sql = "SELECT min(look_due) FROM entries WHERE mapping_id IS NOT NULL";
    let row = sqlx::query(sql).fetch_one(connection).await.map_err(error::read)?;
    let due: Option<i64> = row.try_get(0).map_err(error::read)?;
    Ok(due.map(Time::from_millis))
}

/// When the next calls to the host are due ([`Entry::pending_call`]), whatever it allows.
pub(crate) async fn next_calls(
    connection: &mut SqliteConnection,
) -> Result<NextCalls, LedgerError> {
    let sql = "SELECT min(step_due) FILTER (WHERE mapping_id IS NOT NULL AND alias <> 'removing'), \
               min(step_due) FILTER (WHERE mapping_id IS NULL AND alias = 'removing') \
               FROM entries WHERE alias IN ('wanted', 'adding', 'rejected', 'removing') \
               AND NOT (alias = 'rejected' AND alias_reason IS 'invalid-domain')";
    let row = sqlx::query(sql).fetch_one(connection).await.map_err(error::read)?;
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

/// Write `entries` whole.
pub(crate) async fn store(
    connection: &mut SqliteConnection,
    entries: &[Entry],
) -> Result<(), LedgerError> {
    for chunk in entries.chunks(CHUNK) {
        let mut rows: Vec<_> = chunk.iter().map(Row::from).collect();
        rows.sort_by_key(|row| row.domain); // As the table is: each page is visited once.
        let rows =
            serde_json::to_string(&rows).map_err(|error| LedgerError::Write(error.into()))?;
        let query = sqlx::query(UPSERT.as_str()).bind(rows);
        query.execute(&mut *connection).await.map_err(error::write)?;
    }
    Ok(())
}

/// Release every lease.
pub(crate) async fn release(connection: &mut SqliteConnection) -> Result<(), LedgerError> {
    let sql = "UPDATE entries SET lease_owner = NULL, lease_until = NULL \
               WHERE lease_owner IS NOT NULL";
    sqlx::query(sql).execute(connection).await.map_err(error::write)?;
    Ok(())
}

fn parse(text: &str) -> Result<Entry, LedgerError> {
    let row: Row<'_> = serde_json::from_str(text).map_err(|source| {
        let domain = text.split('"').nth(1).unwrap_or_default().to_owned();
        Unreadable::Malformed { domain, source }
    })?;
    Ok(Entry::try_from(row)?)
}

impl<'a> From<&'a Entry> for Row<'a> {
    fn from(entry: &'a Entry) -> Self {
        let mapped = entry.mapped.as_ref();
        let Step { intent, tries, due } = &entry.step;
        let Checks { made, last, due: look_due, gap, hot_until, bad, bad_since } = &entry.checks;
        let lease = entry.lease.as_ref();
        Self {
            domain: entry.domain.as_str(),
            first_seen: entry.first_seen.as_millis(),
            // The same bits: SQLite has no unsigned integers.
            mapping_id: mapped.map(|mapped| mapped.mapping_id.cast_signed()),
            site_id: mapped.map(|mapped| mapped.site_id.cast_signed()),
            stage: mapped.and_then(|mapped| mapped.stage).map(Stage::as_str),
            secure: mapped.is_some_and(|mapped| mapped.secure).into(),
            contested: mapped.is_some_and(|mapped| mapped.contested).into(),
            alias: entry.alias.state.as_str(),
            alias_reason: entry.alias.reason.map(Reason::code),
            alias_detail: borrowed(entry.alias.detail.as_ref()),
            alias_since: entry.alias.since.as_millis(),
            routing: entry.routing.state.as_str(),
            routing_reason: entry.routing.reason.map(Reason::code),
            routing_detail: borrowed(entry.routing.detail.as_ref()),
            routing_since: entry.routing.since.as_millis(),
            found: entry.found.as_slice().into(),
            certificate: entry.certificate.state.as_str(),
            certificate_reason: entry.certificate.reason.map(Reason::code),
            certificate_detail: borrowed(entry.certificate.detail.as_ref()),
            certificate_since: entry.certificate.since.as_millis(),
            issuer: borrowed(entry.issuer.as_ref()),
            not_after: entry.not_after.map(Time::as_millis),
            proof: entry.proof.state.as_str(),
            proof_reason: entry.proof.reason.map(Reason::code),
            proof_detail: borrowed(entry.proof.detail.as_ref()),
            proof_since: entry.proof.since.as_millis(),
            hold: entry.owned.map(|owned| owned.how.as_str()),
            hold_since: entry.owned.map(|owned| owned.since.as_millis()),
            shown: entry.shown.into(),
            confirmed: entry.confirmed.into(),
            intent_at: intent.map(|intent| intent.at.as_millis()),
            intent_list_lacked: intent.is_some_and(|intent| intent.list_lacked).into(),
            step_tries: *tries,
            step_due: due.as_millis(),
            looks_made: *made,
            look_last: last.map(Time::as_millis),
            look_due: look_due.as_millis(),
            look_gap: i64::try_from(gap.as_millis()).unwrap_or(i64::MAX),
            hot_until: hot_until.as_millis(),
            looks_bad: *bad,
            looks_bad_since: bad_since.map(Time::as_millis),
            gone_reads: entry.gone.reads,
            gone_counted_at: entry.gone.counted_at.map(Time::as_millis),
            gone_approved: entry.gone.approved.into(),
            rechecked_at: entry.rechecked_at.map(Time::as_millis),
            lease_owner: lease.map(|lease| lease.owner.as_str().into()),
            lease_until: lease.map(|lease| lease.until.as_millis()),
        }
    }
}

impl TryFrom<Row<'_>> for Entry {
    type Error = Unreadable;

    fn try_from(row: Row<'_>) -> Result<Self, Unreadable> {
        let time = |millis: Option<i64>| millis.map(Time::from_millis);
        let unknown = |column, value: &str| Unreadable::Unknown {
            domain: row.domain.to_owned(),
            column,
            value: value.to_owned(),
        };
        let domain = row.domain.parse().map_err(|_| unknown("domain", row.domain))?;
        let alias = Alias::from_word(row.alias).ok_or_else(|| unknown("alias", row.alias))?;
        let routing = Routing::from_word(row.routing).unwrap_or(Routing::Unknown);
        let certificate = Certificate::from_word(row.certificate).unwrap_or(Certificate::Unknown);
        let proof = Proof::from_word(row.proof).unwrap_or(Proof::Unproven);
        let owned = match (row.hold, time(row.hold_since)) {
            (Some(word), Some(since)) => {
                let how = OwnedAs::from_word(word).ok_or_else(|| unknown("hold", word))?;
                Some(Owned { how, since })
            }
            _ => None,
        };
        Ok(Self {
            domain,
            mapped: row.mapping_id.zip(row.site_id).map(|(mapping_id, site_id)| Mapped {
                mapping_id: mapping_id.cast_unsigned(),
                site_id: site_id.cast_unsigned(),
                stage: row.stage.and_then(Stage::from_word),
                secure: row.secure != 0,
                contested: row.contested != 0,
            }),
            first_seen: Time::from_millis(row.first_seen),
            alias: condition(alias, row.alias_reason, row.alias_detail, row.alias_since),
            routing: condition(routing, row.routing_reason, row.routing_detail, row.routing_since),
            found: row.found.into_owned(),
            certificate: condition(
                certificate,
                row.certificate_reason,
                row.certificate_detail,
                row.certificate_since,
            ),
            issuer: row.issuer.map(Cow::into_owned),
            not_after: time(row.not_after),
            proof: condition(proof, row.proof_reason, row.proof_detail, row.proof_since),
            owned,
            shown: row.shown != 0,
            confirmed: row.confirmed != 0,
            step: Step {
                intent: time(row.intent_at)
                    .map(|at| Intent { at, list_lacked: row.intent_list_lacked != 0 }),
                tries: row.step_tries,
                due: Time::from_millis(row.step_due),
            },
            checks: Checks {
                made: row.looks_made,
                last: time(row.look_last),
                due: Time::from_millis(row.look_due),
                gap: Duration::from_millis(row.look_gap.cast_unsigned()),
                hot_until: Time::from_millis(row.hot_until),
                bad: row.looks_bad,
                bad_since: time(row.looks_bad_since),
            },
            gone: Gone {
                reads: row.gone_reads,
                counted_at: time(row.gone_counted_at),
                approved: row.gone_approved != 0,
            },
            rechecked_at: time(row.rechecked_at),
            lease: row
                .lease_owner
                .zip(time(row.lease_until))
                .map(|(owner, until)| Lease { owner: owner.into_owned(), until }),
        })
    }
}

fn condition<S>(
    state: S,
    reason: Option<&str>,
    detail: Option<Cow<'_, str>>,
    since: i64,
) -> Condition<S> {
    Condition {
        state,
        reason: reason.and_then(Reason::from_code),
        detail: detail.map(Cow::into_owned),
        since: Time::from_millis(since),
    }
}

fn borrowed(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| text.as_str().into())
}
