//! The table `events`: what happened, as JSON with a version; never changed, and kept for a while.

use rules::event::{Event, EventKind};
use rules::ledger::{KEPT_OF_MAPPED, LedgerError};
use rules::{DomainName, Reason, Time};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::entries::json;
use crate::error;

/// The version of [`Stored`].
const VERSION: u32 = 1;

/// `?1` is a JSON list of lists.
const APPEND: &str = "INSERT INTO events (at, domain, event) \
     SELECT value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?1)";

const NEWEST: &str = "SELECT at, domain, event FROM events ORDER BY id DESC LIMIT ?1";

const NEWEST_OF: &str =
    "SELECT at, domain, event FROM events WHERE domain = ?2 ORDER BY id DESC LIMIT ?1";

/// Retired entries that have been so since before `?1`. A name that comes again is new.
const FORGET_ENTRIES: &str = "DELETE FROM entries WHERE alias = 'absent' AND mapping_id IS NULL \
     AND twin IS NOT 'follows' \
     AND state -> 'alias' ->> 'since' < ?1";

/// Events from before `?1`, but of a domain that is mapped the newest, and `?2` more.
const FORGET_EVENTS: &str = "DELETE FROM events WHERE at < ?1 AND NOT EXISTS ( \
     SELECT 1 FROM entries WHERE entries.domain = events.domain AND mapping_id IS NOT NULL \
     AND events.id >= ifnull((SELECT id FROM events AS of_it WHERE of_it.domain = events.domain \
         ORDER BY id DESC LIMIT 1 OFFSET ?2), 0))";

/// An event as it is stored. A field or a word that nobody knows is left out: a newer
/// closte-sync wrote it.
#[derive(Deserialize, Serialize)]
struct Stored {
    v: u32,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

/// Why a row makes no event.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("an event has `{0}` in the column `domain`, which is not a domain name")]
    NoDomain(String),
    #[error("an event of `{0}` is invalid")]
    Malformed(String, #[source] serde_json::Error),
}

/// Append `events` in their order.
pub(crate) async fn append(
    connection: &mut SqliteConnection,
    events: &[Event],
) -> Result<(), LedgerError> {
    if events.is_empty() {
        return Ok(());
    }
    let row = |event: &Event| -> (i64, String, Stored) {
        (event.at.as_millis(), event.domain.to_string(), Stored::from(event))
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    sqlx::query(APPEND).bind(json(&rows)?).execute(connection).await.map_err(error::write)?;
    Ok(())
}

/// The newest ones first, of one domain or of all.
pub(crate) async fn newest(
    connection: &mut SqliteConnection,
    domain: Option<&DomainName>,
    limit: u32,
) -> Result<Vec<Event>, LedgerError> {
    type Row = (i64, String, String);
    let rows: Vec<Row> = match domain {
        None => sqlx::query_as(NEWEST).bind(limit).fetch_all(connection).await,
        Some(domain) => {
            let query = sqlx::query_as(NEWEST_OF).bind(limit).bind(domain.as_str());
            query.fetch_all(connection).await
        }
    }
    .map_err(error::read)?;
    rows.into_iter().map(|(at, domain, event)| read(at, domain, &event)).collect()
}

/// Forget what is older than `before`.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    before: Time,
) -> Result<(), LedgerError> {
    let before = before.as_millis();
    let entries = sqlx::query(FORGET_ENTRIES).bind(before);
    entries.execute(&mut *connection).await.map_err(error::write)?;
    let events = sqlx::query(FORGET_EVENTS).bind(before).bind(KEPT_OF_MAPPED - 1);
    events.execute(connection).await.map_err(error::write)?;
    Ok(())
}

fn read(at: i64, domain: String, event: &str) -> Result<Event, LedgerError> {
    let stored: Stored = serde_json::from_str(event)
        .map_err(|error| LedgerError::Read(Unreadable::Malformed(domain.clone(), error).into()))?;
    let Ok(domain) = domain.parse() else {
        return Err(LedgerError::Read(Unreadable::NoDomain(domain).into()));
    };
    Ok(Event {
        at: Time::from_millis(at),
        domain,
        kind: EventKind::from_word(&stored.kind).unwrap_or(EventKind::Note),
        from: stored.from,
        to: stored.to,
        reason: stored.reason.as_deref().and_then(Reason::from_code),
        detail: stored.detail,
    })
}

impl From<&Event> for Stored {
    fn from(event: &Event) -> Self {
        let Event { kind, from, to, reason, detail, .. } = event.clone();
        let reason = reason.map(|reason| reason.code().to_owned());
        Self { v: VERSION, kind: kind.to_string(), from, to, reason, detail }
    }
}
