//! The table `events`: only ever appended to, which the schema enforces.

use rules::event::Event;
use rules::ledger::LedgerError;
use rules::{DomainName, Time};
use sqlx::SqliteConnection;

use crate::error;

/// `?1` is a JSON list of lists.
const APPEND: &str = "INSERT INTO events (at, domain, about, text) \
     SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM jsonb_each(?1)";
const NEWEST: &str = "SELECT at, domain, about, text FROM events ORDER BY id DESC LIMIT ?1";
const NEWEST_OF: &str =
    "SELECT at, domain, about, text FROM events WHERE domain = ?2 ORDER BY id DESC LIMIT ?1";

/// A value in the column `domain` of an event that is not a domain name.
#[derive(Debug, thiserror::Error)]
#[error("an event has `{0}` in the column `domain`, which is not a domain name")]
struct NoDomain(String);

/// Append `events` in their order.
pub(crate) async fn append<'a>(
    connection: &mut SqliteConnection,
    events: &'a [Event],
) -> Result<(), LedgerError> {
    if events.is_empty() {
        return Ok(());
    }
    let row = |event: &'a Event| -> (i64, &'a str, &'a str, &'a str) {
        (event.at.as_millis(), event.domain.as_str(), &event.about, &event.text)
    };
    let rows: Vec<_> = events.iter().map(row).collect();
    let rows = serde_json::to_string(&rows).map_err(|error| LedgerError::Write(error.into()))?;
    sqlx::query(APPEND).bind(rows).execute(connection).await.map_err(error::write)?;
    Ok(())
}

/// The newest ones first, of one domain or of all.
pub(crate) async fn newest(
    connection: &mut SqliteConnection,
    domain: Option<&DomainName>,
    limit: u32,
) -> Result<Vec<Event>, LedgerError> {
    type Row = (i64, String, String, String);
    let rows: Vec<Row> = match domain {
        None => sqlx::query_as(NEWEST).bind(limit).fetch_all(connection).await,
        Some(domain) => {
            let query = sqlx::query_as(NEWEST_OF).bind(limit).bind(domain.as_str());
            query.fetch_all(connection).await
        }
    }
    .map_err(error::read)?;
    rows.into_iter()
        .map(|(at, domain, about, text)| {
            let Ok(domain) = domain.parse() else {
                return Err(LedgerError::Read(NoDomain(domain).into()));
            };
            Ok(Event { at: Time::from_millis(at), domain, about, text })
        })
        .collect()
}
