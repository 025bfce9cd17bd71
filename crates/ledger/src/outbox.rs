//! The tables `outbox` and `receivers`, and what was told: a row of `meta`.
//!
//! A word or a field that nobody here knows was written by a newer closte-sync: such a message waits
//! as it is, and nothing behind it is sent before it.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rules::Time;
use rules::finding::{Actor, Severity};
use rules::ledger::LedgerError;
use rules::notice::{
    Cause, Item, Known, Message, MessageKind, NoticeMemory, Outbox, Post, ReceiverState, Refusal,
};
use rules::telling::Phase;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, SqliteConnection};

use crate::entries::json;
use crate::meta::{ToldItem, UPSERT, row, told_items};
use crate::{SqliteLedger, error};

/// The row of `meta`.
const MEMORY: &str = "notices";

/// The same message to the same receiver once.
const PUT: &str = "INSERT INTO outbox (receiver, id, at, message) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT DO NOTHING";

const WAITING: &str =
    "SELECT id, at, message FROM outbox WHERE receiver = ?1 ORDER BY number LIMIT ?2";

const TAKE_OUT: &str = "DELETE FROM outbox WHERE receiver = ?1 AND id = ?2";

const FORGET: &str = "DELETE FROM outbox WHERE at < ?1";

const COUNTS: &str = "SELECT receiver, count(*) FROM outbox GROUP BY receiver";

const STATES: &str = "SELECT name, state FROM receivers";

const STORE: &str = "INSERT INTO receivers (name, state) VALUES (?1, ?2) \
     ON CONFLICT (name) DO UPDATE SET state = excluded.state";

/// [`NoticeMemory`] as it is stored.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct MemoryRow {
    told: Vec<ToldItem>,
    digest_at: Option<i64>,
}

/// [`Message`] as it is stored, without its id and its time.
#[derive(Deserialize, Serialize)]
struct MessageRow {
    kind: String,
    domain: Option<String>,
    phase: Option<String>,
    since: Option<i64>,
    code: String,
    severity: String,
    actor: String,
    text: String,
    #[serde(default)]
    items: Vec<(String, String, i64)>,
    #[serde(default)]
    more: usize,
}

/// [`ReceiverState`] as it is stored.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct StateRow {
    tries: u32,
    due: Option<i64>,
    failing_since: Option<i64>,
    why: Option<String>,
    off_since: Option<i64>,
    delivered_at: Option<i64>,
    refused: Option<(i64, String)>,
}

/// Why a row makes no sense.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("the message `{0}` in `outbox` is invalid, or a newer closte-sync wrote it")]
    Message(String, #[source] Option<serde_json::Error>),
    #[error("the state of the receiver `{0}` is invalid")]
    State(String, #[source] serde_json::Error),
}

impl From<Unreadable> for LedgerError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Read(unreadable.into())
    }
}

/// Forget the messages from before `before`.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    before: Time,
) -> Result<(), LedgerError> {
    let query = sqlx::query(FORGET).bind(before.as_millis());
    query.execute(connection).await.map_err(error::write)?;
    Ok(())
}

#[async_trait]
impl Outbox for SqliteLedger {
    async fn notice_memory(&self) -> Result<NoticeMemory, LedgerError> {
        let mut connection = self.connection.lock().await;
        let stored: MemoryRow = row(&mut connection, MEMORY).await?.unwrap_or_default();
        Ok(NoticeMemory {
            told: stored.told.into_iter().filter_map(ToldItem::read).collect(),
            digest_at: stored.digest_at.map(Time::from_millis),
        })
    }

    async fn post(&self, post: &Post) -> Result<(), LedgerError> {
        let NoticeMemory { told, digest_at } = &post.memory;
        let memory =
            MemoryRow { told: told_items(told), digest_at: digest_at.map(Time::as_millis) };
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        let query = sqlx::query(UPSERT).bind(MEMORY).bind(json(&memory)?);
        query.execute(&mut *transaction).await.map_err(error::write)?;
        for message in &post.messages {
            let text = json(&MessageRow::from(message))?;
            for receiver in &post.receivers {
                let query = sqlx::query(PUT).bind(receiver).bind(&message.id);
                let query = query.bind(message.at.as_millis()).bind(&text);
                query.execute(&mut *transaction).await.map_err(error::write)?;
            }
        }
        transaction.commit().await.map_err(error::write)
    }

    async fn waiting(&self, receiver: &str, most: usize) -> Result<Vec<Message>, LedgerError> {
        let mut connection = self.connection.lock().await;
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let query = sqlx::query_as(WAITING).bind(receiver).bind(limit);
        let rows: Vec<(String, i64, String)> =
            query.fetch_all(&mut *connection).await.map_err(error::read)?;
        rows.into_iter().map(read).collect()
    }

    async fn receivers(&self) -> Result<BTreeMap<String, Known>, LedgerError> {
        let mut connection = self.connection.lock().await;
        let mut snapshot = connection.begin().await.map_err(error::read)?;
        let counts: Vec<(String, i64)> =
            sqlx::query_as(COUNTS).fetch_all(&mut *snapshot).await.map_err(error::read)?;
        let states: Vec<(String, String)> =
            sqlx::query_as(STATES).fetch_all(&mut *snapshot).await.map_err(error::read)?;
        snapshot.rollback().await.map_err(error::read)?;
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for (name, count) in counts {
            known.entry(name).or_default().waiting = count.cast_unsigned();
        }
        for (name, text) in states {
            let stored: StateRow = serde_json::from_str(&text)
                .map_err(|error| Unreadable::State(name.clone(), error))?;
            known.entry(name).or_default().state = stored.into();
        }
        Ok(known)
    }

    async fn settle(
        &self,
        receiver: &str,
        over: &[Message],
        state: &ReceiverState,
    ) -> Result<(), LedgerError> {
        let mut connection = self.connection.lock().await;
        let begun = connection.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(error::write)?;
        for message in over {
            let query = sqlx::query(TAKE_OUT).bind(receiver).bind(&message.id);
            query.execute(&mut *transaction).await.map_err(error::write)?;
        }
        let query = sqlx::query(STORE).bind(receiver).bind(json(&StateRow::from(state))?);
        query.execute(&mut *transaction).await.map_err(error::write)?;
        transaction.commit().await.map_err(error::write)
    }
}

fn read((id, at, text): (String, i64, String)) -> Result<Message, LedgerError> {
    let stored: MessageRow = serde_json::from_str(&text)
        .map_err(|error| Unreadable::Message(id.clone(), Some(error)))?;
    let newer = Unreadable::Message(id.clone(), None);
    Ok(stored.into_message(id, Time::from_millis(at)).ok_or(newer)?)
}

impl From<&Message> for MessageRow {
    fn from(message: &Message) -> Self {
        let Cause { code, severity, actor } = &message.cause;
        let item = |it: &Item| (it.domain.clone(), it.what.clone(), it.at.as_millis());
        Self {
            kind: message.kind.to_string(),
            domain: message.domain.clone(),
            phase: message.phase.map(|phase| phase.to_string()),
            since: message.since.map(Time::as_millis),
            code: code.clone(),
            severity: severity.to_string(),
            actor: actor.to_string(),
            text: message.text.clone(),
            items: message.items.iter().map(item).collect(),
            more: message.more,
        }
    }
}

impl MessageRow {
    /// None where it has a word that is not known to us.
    fn into_message(self, id: String, at: Time) -> Option<Message> {
        let phase = self.phase.as_deref().map(Phase::from_word);
        let item = |(domain, what, at)| Item { domain, what, at: Time::from_millis(at) };
        Some(Message {
            id,
            kind: MessageKind::from_word(&self.kind)?,
            at,
            domain: self.domain,
            phase: if let Some(phase) = phase { Some(phase?) } else { None },
            since: self.since.map(Time::from_millis),
            cause: Cause {
                code: self.code,
                severity: Severity::from_word(&self.severity)?,
                actor: Actor::from_word(&self.actor)?,
            },
            text: self.text,
            items: self.items.into_iter().map(item).collect(),
            more: self.more,
        })
    }
}

impl From<&ReceiverState> for StateRow {
    fn from(state: &ReceiverState) -> Self {
        let millis = |at: Option<Time>| at.map(Time::as_millis);
        Self {
            tries: state.tries,
            due: millis(state.due),
            failing_since: millis(state.failing_since),
            why: state.why.clone(),
            off_since: millis(state.off_since),
            delivered_at: millis(state.delivered_at),
            refused: state.refused.as_ref().map(|it| (it.at.as_millis(), it.why.clone())),
        }
    }
}

impl From<StateRow> for ReceiverState {
    fn from(row: StateRow) -> Self {
        let time = |at: Option<i64>| at.map(Time::from_millis);
        Self {
            tries: row.tries,
            due: time(row.due),
            failing_since: time(row.failing_since),
            why: row.why,
            off_since: time(row.off_since),
            delivered_at: time(row.delivered_at),
            refused: row.refused.map(|(at, why)| Refusal { at: Time::from_millis(at), why }),
        }
    }
}
