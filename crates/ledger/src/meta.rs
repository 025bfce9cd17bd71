//! The table `meta`: what concerns the network as a whole, a key each.
//!
//! Keys that nobody here knows are left as they are: a newer closte-sync wrote
//! them and was rolled back.

use rules::breaker::Breaker;
use rules::ledger::{Deferred, LastPass, LedgerError, Memory, NotActing};
use rules::{DomainName, Identity, Problem, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::error;

const ID: &str = "SELECT value FROM meta WHERE key = 'ledger_id'";
/// All as one JSON object.
const SELECT: &str = "SELECT json_group_object(key, value) FROM meta";
/// `?1` is a JSON object.
const UPSERT: &str = "INSERT INTO meta (key, value) SELECT key, value FROM json_each(?1) \
     WHERE true ON CONFLICT (key) DO UPDATE SET value = excluded.value";
/// `?1` is a JSON list.
const ADD_SITES: &str = "INSERT INTO mapped_sites (site_id) SELECT value FROM json_each(?1) \
     WHERE true ON CONFLICT DO NOTHING";
const SITES: &str = "SELECT site_id FROM mapped_sites";

/// The keys of [`Memory`]. Lists are JSON texts.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Keys {
    network_app: Option<String>,
    network_domain: Option<String>,
    network_database: Option<String>,
    network_prefix: Option<String>,
    network_id: Option<i64>,
    site_mark: Option<i64>,
    mapped_names: Option<i64>,
    list_believed: u8,
    key_refused: Option<String>,
    breaker_outages: u32,
    breaker_open_until: Option<i64>,
    quiet_until: Option<i64>,
    applied: Option<String>,
    last_pass_at: Option<i64>,
    held: Option<String>,
    problems: Option<String>,
    foreign: Option<String>,
    not_acting: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DeferredItem {
    action: String,
    domain: String,
    reason: String,
    release: String,
}

#[derive(Serialize, Deserialize)]
struct ProblemItem {
    table: Option<String>,
    column: Option<String>,
    id: Option<u64>,
    reason: String,
}

/// Why `meta` makes no memory.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("`meta` makes no sense")]
    Malformed(#[source] serde_json::Error),
    #[error("`meta` holds what we do not understand in `{0}`")]
    Value(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<Unreadable> for LedgerError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Read(unreadable.into())
    }
}

/// The name of the ledger.
pub(crate) async fn id(connection: &mut SqliteConnection) -> Result<String, LedgerError> {
    sqlx::query_scalar(ID).fetch_one(connection).await.map_err(error::read)
}

/// What is remembered of the network.
pub(crate) async fn memory(connection: &mut SqliteConnection) -> Result<Memory, LedgerError> {
    let text: String =
        sqlx::query_scalar(SELECT).fetch_one(connection).await.map_err(error::read)?;
    let keys: Keys = serde_json::from_str(&text).map_err(Unreadable::Malformed)?;
    Ok(Memory::try_from(keys)?)
}

/// Remember `memory` instead of what was remembered.
pub(crate) async fn remember(
    connection: &mut SqliteConnection,
    memory: &Memory,
) -> Result<(), LedgerError> {
    let keys = Keys::try_from(memory).and_then(|keys| serde_json::to_string(&keys));
    let keys = keys.map_err(|error| LedgerError::Write(error.into()))?;
    sqlx::query(UPSERT).bind(keys).execute(connection).await.map_err(error::write)?;
    Ok(())
}

/// Every site that was ever seen mapped.
pub(crate) async fn mapped_sites<C: FromIterator<u64>>(
    connection: &mut SqliteConnection,
) -> Result<C, LedgerError> {
    let sites: Vec<i64> =
        sqlx::query_scalar(SITES).fetch_all(connection).await.map_err(error::read)?;
    Ok(sites.into_iter().map(i64::cast_unsigned).collect())
}

/// Add to them.
pub(crate) async fn add_mapped_sites(
    connection: &mut SqliteConnection,
    sites: impl IntoIterator<Item = &u64>,
) -> Result<(), LedgerError> {
    // The same bits: SQLite has no unsigned integers.
    let sites: Vec<i64> = sites.into_iter().map(|site| site.cast_signed()).collect();
    if sites.is_empty() {
        return Ok(());
    }
    let sites = serde_json::to_string(&sites).map_err(|error| LedgerError::Write(error.into()))?;
    sqlx::query(ADD_SITES).bind(sites).execute(connection).await.map_err(error::write)?;
    Ok(())
}

impl TryFrom<&Memory> for Keys {
    type Error = serde_json::Error;

    fn try_from(memory: &Memory) -> Result<Self, serde_json::Error> {
        let network = memory.network.as_ref();
        let last = memory.last_pass.as_ref();
        Ok(Self {
            network_app: network.and_then(|network| network.app.clone()),
            network_domain: network.map(|network| network.domain.to_string()),
            network_database: network.map(|network| network.database.clone()),
            network_prefix: network.map(|network| network.prefix.clone()),
            network_id: network.map(|network| network.network_id.cast_signed()),
            site_mark: memory.site_mark.map(u64::cast_signed),
            mapped_names: memory.mapped_names.map(u64::cast_signed),
            list_believed: memory.list_believed.into(),
            key_refused: memory.key_refused.clone(),
            breaker_outages: memory.breaker.outages,
            breaker_open_until: memory.breaker.open_until.map(Time::as_millis),
            quiet_until: memory.quiet_until.map(Time::as_millis),
            applied: memory.applied.clone(),
            last_pass_at: last.map(|last| last.at.as_millis()),
            held: last.map(|last| list(&last.deferred, DeferredItem::from)).transpose()?,
            problems: last.map(|last| list(&last.problems, ProblemItem::from)).transpose()?,
            foreign: last.map(|last| list(&last.foreign, DomainName::as_str)).transpose()?,
            not_acting: memory.not_acting.map(|it| it.as_str().to_owned()),
        })
    }
}

impl TryFrom<Keys> for Memory {
    type Error = Unreadable;

    fn try_from(keys: Keys) -> Result<Self, Unreadable> {
        Ok(Self {
            network: identity(&keys)?,
            site_mark: keys.site_mark.map(i64::cast_unsigned),
            mapped_names: keys.mapped_names.map(i64::cast_unsigned),
            list_believed: keys.list_believed != 0,
            breaker: Breaker {
                outages: keys.breaker_outages,
                open_until: keys.breaker_open_until.map(Time::from_millis),
            },
            quiet_until: keys.quiet_until.map(Time::from_millis),
            last_pass: last_pass(&keys)?,
            key_refused: keys.key_refused,
            applied: keys.applied,
            not_acting: keys.not_acting.as_deref().and_then(NotActing::from_word),
        })
    }
}

fn identity(keys: &Keys) -> Result<Option<Identity>, Unreadable> {
    let (Some(domain), Some(network_id)) = (&keys.network_domain, keys.network_id) else {
        return Ok(None);
    };
    Ok(Some(Identity {
        app: keys.network_app.clone(),
        domain: name(domain, "network_domain")?,
        database: keys.network_database.clone().unwrap_or_default(),
        prefix: keys.network_prefix.clone().unwrap_or_default(),
        network_id: network_id.cast_unsigned(),
    }))
}

fn last_pass(keys: &Keys) -> Result<Option<LastPass>, Unreadable> {
    let Some(at) = keys.last_pass_at.map(Time::from_millis) else {
        return Ok(None);
    };
    let held: Vec<DeferredItem> = items(keys.held.as_ref(), "held")?;
    let problems: Vec<ProblemItem> = items(keys.problems.as_ref(), "problems")?;
    let foreign: Vec<String> = items(keys.foreign.as_ref(), "foreign")?;
    Ok(Some(LastPass {
        at,
        deferred: held.into_iter().map(Deferred::try_from).collect::<Result<_, _>>()?,
        problems: problems.into_iter().map(Problem::from).collect(),
        foreign: foreign.iter().map(|text| name(text, "foreign")).collect::<Result<_, _>>()?,
    }))
}

fn name(text: &str, key: &'static str) -> Result<DomainName, Unreadable> {
    // A network's own domain may have one label, as in `localhost`.
    text.parse()
        .or_else(|_| DomainName::parse_host(text))
        .map_err(|error| Unreadable::Value(key, error.into()))
}

/// A list as JSON text.
fn list<'a, T: 'a, I: Serialize>(
    values: impl IntoIterator<Item = &'a T>,
    item: impl Fn(&'a T) -> I,
) -> Result<String, serde_json::Error> {
    serde_json::to_string(&values.into_iter().map(item).collect::<Vec<_>>())
}

fn items<T: DeserializeOwned>(
    text: Option<&String>,
    key: &'static str,
) -> Result<Vec<T>, Unreadable> {
    let items = text.map(|text| serde_json::from_str(text)).transpose();
    Ok(items.map_err(|error| Unreadable::Value(key, error.into()))?.unwrap_or_default())
}

impl From<&Deferred> for DeferredItem {
    fn from(held: &Deferred) -> Self {
        let Deferred { action, domain, reason, release } = held.clone();
        Self { action, domain: domain.to_string(), reason, release }
    }
}

impl TryFrom<DeferredItem> for Deferred {
    type Error = Unreadable;

    fn try_from(item: DeferredItem) -> Result<Self, Unreadable> {
        let DeferredItem { action, domain, reason, release } = item;
        Ok(Self { action, domain: name(&domain, "held")?, reason, release })
    }
}

impl From<&Problem> for ProblemItem {
    fn from(problem: &Problem) -> Self {
        let Problem { table, column, id, reason } = problem.clone();
        Self { table, column, id, reason }
    }
}

impl From<ProblemItem> for Problem {
    fn from(item: ProblemItem) -> Self {
        let ProblemItem { table, column, id, reason } = item;
        Self { table, column, id, reason }
    }
}
