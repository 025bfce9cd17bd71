//! The table `requests`: what somebody asks of whoever holds the lock.

use rules::Time;
use rules::ledger::{Claim, LedgerError};
use rules::request::{Asked, AskedKind, EXPIRES_AFTER, Request};
use sqlx::SqliteConnection;

use crate::error;

const ASK: &str = "INSERT INTO requests (kind, argument, owner, made_at, expires_at) \
     VALUES (?1, ?2, ?3, ?4, ?5)";

/// Those that were over an hour ago are of no use to anybody.
const TIDY: &str = "DELETE FROM requests WHERE expires_at < ?1 - 3600000";

const TAKE: &str = "UPDATE requests SET taken_by = ?2, taken_till = ?3 WHERE id = ( \
     SELECT id FROM requests WHERE answer IS NULL AND ?1 < expires_at \
     AND (taken_till IS NULL OR taken_till <= ?1 OR taken_by = ?2) ORDER BY id LIMIT 1) \
     RETURNING id, kind, argument, owner, made_at";

const ANSWER: &str = "UPDATE requests SET answer = ?2 WHERE id = ?1";

const ANSWER_OF: &str = "SELECT answer FROM requests WHERE id = ?1";

const WAITING: &str = "SELECT kind, argument FROM requests \
     WHERE answer IS NULL AND ?1 < expires_at ORDER BY id";

/// Ask; the id of the request.
pub(crate) async fn ask(
    connection: &mut SqliteConnection,
    asked: &Asked,
    claim: &Claim<'_>,
) -> Result<i64, LedgerError> {
    let now = claim.now.as_millis();
    sqlx::query(TIDY).bind(now).execute(&mut *connection).await.map_err(error::write)?;
    let (kind, argument) = asked.parts();
    let query = sqlx::query(ASK).bind(kind.as_str()).bind(argument).bind(claim.owner).bind(now);
    let query = query.bind((claim.now + EXPIRES_AFTER).as_millis());
    let done = query.execute(connection).await.map_err(error::write)?;
    Ok(done.last_insert_rowid())
}

/// Take the oldest one.
pub(crate) async fn take(
    connection: &mut SqliteConnection,
    claim: &Claim<'_>,
) -> Result<Option<Request>, LedgerError> {
    type Row = (i64, String, Option<String>, String, i64);
    let (now, until) = (claim.now.as_millis(), claim.until.as_millis());
    let query = sqlx::query_as(TAKE).bind(now).bind(claim.owner).bind(until);
    let row: Option<Row> = query.fetch_optional(connection).await.map_err(error::write)?;
    Ok(row.and_then(|(id, kind, argument, owner, made_at)| {
        let asked = asked(&kind, argument)?;
        Some(Request { id, asked, owner, made_at: Time::from_millis(made_at) })
    }))
}

pub(crate) async fn answer(
    connection: &mut SqliteConnection,
    id: i64,
    answer: &str,
) -> Result<(), LedgerError> {
    let query = sqlx::query(ANSWER).bind(id).bind(answer);
    query.execute(connection).await.map_err(error::write)?;
    Ok(())
}

pub(crate) async fn answer_of(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<String>, LedgerError> {
    let query = sqlx::query_scalar(ANSWER_OF).bind(id).fetch_optional(connection).await;
    let answer: Option<Option<String>> = query.map_err(error::read)?;
    Ok(answer.flatten())
}

/// What is asked for and not answered.
pub(crate) async fn waiting(
    connection: &mut SqliteConnection,
    now: Time,
) -> Result<Vec<Asked>, LedgerError> {
    let query = sqlx::query_as(WAITING).bind(now.as_millis()).fetch_all(connection).await;
    let rows: Vec<(String, Option<String>)> = query.map_err(error::read)?;
    Ok(rows.into_iter().filter_map(|(kind, argument)| asked(&kind, argument)).collect())
}

fn asked(kind: &str, argument: Option<String>) -> Option<Asked> {
    Asked::of_parts(AskedKind::from_word(kind)?, argument)
}
