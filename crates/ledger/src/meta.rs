//! The table `meta`: what is remembered of the whole. The name of the ledger, and as JSON a row
//! each for the network, the mark, the health of the host, what people let through, what they were
//! told, and what the last pass left.
//!
//! Rows that nobody here knows are left as they are: a newer closte-sync wrote them and was rolled
//! back.

mod targets;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use rules::action::{Action, Approved, Deferred, Release};
use rules::breaker::Breaker;
use rules::budget::Budget;
use rules::doubt::Lasting;
use rules::ledger::{
    Batch, CheckBasis, HomeMemory, HostHealth, LastPass, LedgerError, Memory, NetworkMemory,
    NotActing,
};
use rules::probe::RootsSilent;
use rules::records::SiteMark;
use rules::telling::{Kind, Remembered, Told, Topic};
use rules::twins::Www;
use rules::{DomainName, Identity, Problem, Reason, Stage, Targets, Time};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;

use crate::entries::json;
use crate::error;
use targets::TargetsItem;

const ID: &str = "SELECT value FROM meta WHERE key = 'ledger_id'";

const ONE: &str = "SELECT value FROM meta WHERE key = ?1";

pub(crate) const UPSERT: &str = "INSERT INTO meta (key, value) VALUES (?1, ?2) \
     ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// `?1` is a JSON list of pairs.
const ADD_SITES: &str = "INSERT INTO mapped_sites (site_id, registered) \
     SELECT value ->> 0, value ->> 1 FROM json_each(?1) \
     WHERE true ON CONFLICT DO UPDATE SET registered = ifnull(excluded.registered, registered)";

const SITES: &str = "SELECT site_id, registered FROM mapped_sites";

/// [`NetworkMemory`] as it is stored. Ids are the same bits with a sign: SQLite has no others.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct NetworkRow {
    identity: Option<IdentityItem>,
    site_mark: Option<i64>,
    site_mark_registered: Option<i64>,
    mapped_names: Option<i64>,
    applied: Option<String>,
    doubts: BTreeMap<String, Option<i64>>,
    restored: Vec<String>,
    removals: BTreeMap<String, i64>,
    forgot_at: Option<i64>,
    not_acting: Option<String>,
    checks: Option<CheckItem>,
    targets: Option<TargetsItem>,
    earlier_targets: BTreeSet<IpAddr>,
    budgets: Vec<(String, usize, usize, Option<i64>)>,
    roots_silent: Option<(i64, i64)>,
    www: Option<String>,
    www_told: u8,
}

/// [`CheckBasis`] as it is stored.
#[derive(Deserialize, Serialize)]
struct CheckItem {
    interval: i64,
    stage_words: Vec<String>,
}

#[derive(Deserialize, Serialize)]
struct IdentityItem {
    app: Option<String>,
    domain: String,
    database: Option<String>,
    prefix: Option<String>,
    network_id: i64,
}

/// [`HomeMemory`] as it is stored.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct HomeRow {
    serial: u64,
    read_back: Option<u64>,
}

/// [`HostHealth`] as it is stored.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
struct HostRow {
    list_believed: u8,
    key_refused: Option<String>,
    outages: u32,
    open_until: Option<i64>,
    quiet_until: Option<i64>,
}

/// [`LastPass`] as it is stored.
#[derive(Deserialize, Serialize)]
struct LastPassRow {
    at: i64,
    #[serde(default)]
    deferred: Vec<DeferredItem>,
    #[serde(default)]
    problems: Vec<ProblemItem>,
    #[serde(default)]
    foreign: Vec<String>,
    #[serde(default)]
    more_foreign: usize,
}

#[derive(Deserialize, Serialize)]
struct DeferredItem {
    action: String,
    domain: String,
    reason: String,
    release: String,
    until: Option<i64>,
    #[serde(default)]
    after: Option<i64>,
}

/// [`Approved`] as it is stored.
#[derive(Deserialize, Serialize)]
struct ApprovedItem {
    hash: String,
    #[serde(default)]
    removals: Vec<String>,
    #[serde(default)]
    records: Vec<String>,
    #[serde(default)]
    additions: Vec<String>,
}

/// [`Told`] with its topic, as it is stored.
#[derive(Deserialize, Serialize)]
pub(crate) struct ToldItem {
    kind: String,
    about: String,
    code: String,
    #[serde(default)]
    what: String,
    since: i64,
    told_at: i64,
    good_at: Option<i64>,
}

#[derive(Deserialize, Serialize)]
struct ProblemItem {
    table: Option<String>,
    column: Option<String>,
    id: Option<u64>,
    reason: String,
}

/// Why a row of `meta` makes no sense.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
    #[error("the row `{0}` of `meta` is invalid")]
    Malformed(&'static str, #[source] serde_json::Error),
    #[error("the row `{0}` of `meta` contains a name that is not a domain name")]
    NoDomain(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
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

/// What is remembered of the whole.
pub(crate) async fn memory(connection: &mut SqliteConnection) -> Result<Memory, LedgerError> {
    let network: Option<NetworkRow> = row(connection, "network").await?;
    let home: Option<HomeRow> = row(connection, "home").await?;
    let host: Option<HostRow> = row(connection, "host").await?;
    let approved: Option<Vec<ApprovedItem>> = row(connection, "approved").await?;
    let told: Option<Vec<ToldItem>> = row(connection, "told").await?;
    let last_pass: Option<LastPassRow> = row(connection, "last_pass").await?;
    Ok(Memory {
        network: network.map(NetworkMemory::try_from).transpose()?.unwrap_or_default(),
        home: home.map(HomeMemory::from).unwrap_or_default(),
        host: host.map(HostHealth::from).unwrap_or_default(),
        approved: approved.into_iter().flatten().map(Approved::from).collect(),
        told: told.into_iter().flatten().filter_map(ToldItem::read).collect(),
        last_pass: last_pass.map(LastPass::try_from).transpose()?,
    })
}

pub(crate) async fn row<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    key: &'static str,
) -> Result<Option<T>, LedgerError> {
    let query = sqlx::query_scalar(ONE).bind(key).fetch_optional(connection).await;
    let text: Option<String> = query.map_err(error::read)?;
    let value = text.map(|text| serde_json::from_str(&text)).transpose();
    Ok(value.map_err(|error| Unreadable::Malformed(key, error))?)
}

/// Remember what `batch` brings of it.
pub(crate) async fn remember(
    connection: &mut SqliteConnection,
    batch: &Batch,
) -> Result<(), LedgerError> {
    let rows = [
        ("network", batch.network.as_ref().map(|it| json(&NetworkRow::from(it)))),
        ("home", batch.home.as_ref().map(|it| json(&HomeRow::from(it)))),
        ("host", batch.host.as_ref().map(|it| json(&HostRow::from(it)))),
        ("approved", batch.approved.as_ref().map(|it| json(&approved_items(it)))),
        ("told", batch.told.as_ref().map(|it| json(&told_items(it)))),
        ("last_pass", batch.last_pass.as_ref().map(|it| json(&LastPassRow::from(it)))),
    ];
    for (key, value) in rows {
        if let Some(value) = value {
            let query = sqlx::query(UPSERT).bind(key).bind(value?);
            query.execute(&mut *connection).await.map_err(error::write)?;
        }
    }
    Ok(())
}

pub(crate) fn told_items(told: &Remembered) -> Vec<ToldItem> {
    told.iter().map(ToldItem::from).collect()
}

fn approved_items(sets: &[Approved]) -> Vec<ApprovedItem> {
    sets.iter().map(ApprovedItem::from).collect()
}

/// Every site that was ever seen mapped, and when it was registered.
pub(crate) async fn mapped_sites(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<u64, Option<Time>>, LedgerError> {
    let sites: Vec<(i64, Option<i64>)> =
        sqlx::query_as(SITES).fetch_all(connection).await.map_err(error::read)?;
    let site = |(id, registered): (i64, Option<i64>)| {
        (id.cast_unsigned(), registered.map(Time::from_millis))
    };
    Ok(sites.into_iter().map(site).collect())
}

/// Add to them.
pub(crate) async fn add_mapped_sites(
    connection: &mut SqliteConnection,
    sites: &BTreeMap<u64, Option<Time>>,
) -> Result<(), LedgerError> {
    // The same bits: SQLite has no unsigned integers.
    let site = |(id, registered): (&u64, &Option<Time>)| {
        (id.cast_signed(), registered.map(Time::as_millis))
    };
    let sites: Vec<(i64, Option<i64>)> = sites.iter().map(site).collect();
    if sites.is_empty() {
        return Ok(());
    }
    sqlx::query(ADD_SITES).bind(json(&sites)?).execute(connection).await.map_err(error::write)?;
    Ok(())
}

impl From<&NetworkMemory> for NetworkRow {
    fn from(memory: &NetworkMemory) -> Self {
        Self {
            identity: memory.identity.as_ref().map(IdentityItem::from),
            site_mark: memory.site_mark.map(|mark| mark.id.cast_signed()),
            site_mark_registered: memory
                .site_mark
                .and_then(|mark| mark.registered)
                .map(Time::as_millis),
            mapped_names: memory.mapped_names.map(u64::cast_signed),
            applied: memory.applied.clone(),
            doubts: memory.doubts.iter().map(doubt_item).collect(),
            restored: memory.restored.iter().map(ToString::to_string).collect(),
            removals: memory.removals.iter().map(removal_item).collect(),
            forgot_at: memory.forgot_at.map(Time::as_millis),
            not_acting: memory.not_acting.map(|why| why.to_string()),
            checks: memory.checks.as_ref().map(CheckItem::from),
            targets: memory.targets.as_ref().map(TargetsItem::from),
            earlier_targets: memory.earlier_targets.clone(),
            budgets: memory.budgets.iter().map(budget_item).collect(),
            roots_silent: memory.roots_silent.map(silent_item),
            www: Some(memory.www.to_string()),
            www_told: memory.www_told.into(),
        }
    }
}

impl TryFrom<NetworkRow> for NetworkMemory {
    type Error = Unreadable;

    fn try_from(row: NetworkRow) -> Result<Self, Unreadable> {
        Ok(Self {
            identity: row.identity.map(Identity::try_from).transpose()?,
            site_mark: row.site_mark.map(|id| SiteMark {
                id: id.cast_unsigned(),
                registered: row.site_mark_registered.map(Time::from_millis),
            }),
            mapped_names: row.mapped_names.map(i64::cast_unsigned),
            applied: row.applied,
            doubts: row.doubts.into_iter().filter_map(doubt).collect(),
            restored: row.restored.iter().filter_map(|name| name.parse().ok()).collect(),
            removals: row.removals.into_iter().filter_map(removal).collect(),
            forgot_at: row.forgot_at.map(Time::from_millis),
            not_acting: row.not_acting.as_deref().and_then(NotActing::from_word),
            checks: row.checks.map(CheckBasis::from),
            targets: row.targets.map(Targets::from),
            earlier_targets: row.earlier_targets,
            budgets: row.budgets.into_iter().filter_map(budget).collect(),
            roots_silent: row.roots_silent.map(silent),
            www: www(row.www.as_deref()),
            www_told: row.www_told != 0,
        })
    }
}

/// As a new ledger starts; for a word that nobody knows as one that adds nothing.
fn www(word: Option<&str>) -> Www {
    word.map_or_else(Www::default, |word| Www::from_word(word).unwrap_or(Www::Never))
}

fn doubt_item((doubt, after): (&Lasting, &Option<Time>)) -> (String, Option<i64>) {
    (doubt.to_string(), after.map(Time::as_millis))
}

/// One that only a newer closte-sync has ends here.
fn doubt((word, after): (String, Option<i64>)) -> Option<(Lasting, Option<Time>)> {
    Some((Lasting::from_word(&word)?, after.map(Time::from_millis)))
}

fn budget_item((name, budget): (&DomainName, &Budget)) -> (String, usize, usize, Option<i64>) {
    (name.to_string(), budget.issued, budget.waiting, budget.next.map(Time::as_millis))
}

fn budget(
    (name, issued, waiting, next): (String, usize, usize, Option<i64>),
) -> Option<(DomainName, Budget)> {
    let next = next.map(Time::from_millis);
    Some((name.parse().ok()?, Budget { issued, waiting, next }))
}

/// Since when, and until when.
fn silent_item(silent: RootsSilent) -> (i64, i64) {
    (silent.since.as_millis(), silent.until.as_millis())
}

fn silent((since, until): (i64, i64)) -> RootsSilent {
    RootsSilent { since: Time::from_millis(since), until: Time::from_millis(until) }
}

fn removal_item((domain, at): (&DomainName, &Time)) -> (String, i64) {
    (domain.to_string(), at.as_millis())
}

fn removal((domain, at): (String, i64)) -> Option<(DomainName, Time)> {
    Some((domain.parse().ok()?, Time::from_millis(at)))
}

impl From<&Approved> for ApprovedItem {
    fn from(set: &Approved) -> Self {
        let texts = |names: &BTreeSet<DomainName>| names.iter().map(ToString::to_string).collect();
        Self {
            hash: set.hash.clone(),
            removals: texts(&set.removals),
            records: texts(&set.records),
            additions: texts(&set.additions),
        }
    }
}

impl From<ApprovedItem> for Approved {
    fn from(item: ApprovedItem) -> Self {
        let names = |texts: Vec<String>| texts.iter().filter_map(|it| it.parse().ok()).collect();
        Self {
            hash: item.hash,
            removals: names(item.removals),
            records: names(item.records),
            additions: names(item.additions),
        }
    }
}

impl From<(&Topic, &Told)> for ToldItem {
    fn from((topic, told): (&Topic, &Told)) -> Self {
        Self {
            kind: topic.kind.to_string(),
            about: topic.about.clone(),
            code: told.code.clone(),
            what: told.what.clone(),
            since: told.since.as_millis(),
            told_at: told.told_at.as_millis(),
            good_at: told.good_at.map(Time::as_millis),
        }
    }
}

impl ToldItem {
    /// None for a kind that only a newer closte-sync tells.
    pub(crate) fn read(self) -> Option<(Topic, Told)> {
        let topic = Topic { kind: Kind::from_word(&self.kind)?, about: self.about };
        let told = Told {
            code: self.code,
            what: self.what,
            since: Time::from_millis(self.since),
            told_at: Time::from_millis(self.told_at),
            good_at: self.good_at.map(Time::from_millis),
        };
        Some((topic, told))
    }
}

impl From<&CheckBasis> for CheckItem {
    fn from(basis: &CheckBasis) -> Self {
        Self {
            interval: i64::try_from(basis.interval.as_millis()).unwrap_or(i64::MAX),
            stage_words: basis.stage_words.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<CheckItem> for CheckBasis {
    fn from(item: CheckItem) -> Self {
        let words = item.stage_words.iter().filter_map(|word| Stage::from_word(word));
        Self {
            interval: Duration::from_millis(item.interval.max(0).cast_unsigned()),
            stage_words: words.collect(),
        }
    }
}

impl From<&Identity> for IdentityItem {
    fn from(identity: &Identity) -> Self {
        Self {
            app: identity.app.clone(),
            domain: identity.domain.to_string(),
            database: Some(identity.database.clone()),
            prefix: Some(identity.prefix.clone()),
            network_id: identity.network_id.cast_signed(),
        }
    }
}

impl TryFrom<IdentityItem> for Identity {
    type Error = Unreadable;

    fn try_from(item: IdentityItem) -> Result<Self, Unreadable> {
        Ok(Self {
            app: item.app,
            domain: name(&item.domain, "network")?,
            database: item.database.unwrap_or_default(),
            prefix: item.prefix.unwrap_or_default(),
            network_id: item.network_id.cast_unsigned(),
        })
    }
}

impl From<&HomeMemory> for HomeRow {
    fn from(memory: &HomeMemory) -> Self {
        Self { serial: memory.serial, read_back: memory.read_back }
    }
}

impl From<HomeRow> for HomeMemory {
    fn from(row: HomeRow) -> Self {
        Self { serial: row.serial, read_back: row.read_back }
    }
}

impl From<&HostHealth> for HostRow {
    fn from(health: &HostHealth) -> Self {
        Self {
            list_believed: health.list_believed.into(),
            key_refused: health.key_refused.clone(),
            outages: health.breaker.outages,
            open_until: health.breaker.open_until.map(Time::as_millis),
            quiet_until: health.quiet_until.map(Time::as_millis),
        }
    }
}

impl From<HostRow> for HostHealth {
    fn from(row: HostRow) -> Self {
        let open_until = row.open_until.map(Time::from_millis);
        Self {
            list_believed: row.list_believed != 0,
            key_refused: row.key_refused,
            breaker: Breaker { outages: row.outages, open_until },
            quiet_until: row.quiet_until.map(Time::from_millis),
        }
    }
}

impl From<&LastPass> for LastPassRow {
    fn from(pass: &LastPass) -> Self {
        Self {
            at: pass.at.as_millis(),
            deferred: pass.deferred.iter().map(DeferredItem::from).collect(),
            problems: pass.problems.iter().map(ProblemItem::from).collect(),
            foreign: pass.foreign.iter().map(ToString::to_string).collect(),
            more_foreign: pass.more_foreign,
        }
    }
}

impl TryFrom<LastPassRow> for LastPass {
    type Error = Unreadable;

    fn try_from(row: LastPassRow) -> Result<Self, Unreadable> {
        let foreign = row.foreign.iter().map(|text| name(text, "last_pass"));
        Ok(Self {
            at: Time::from_millis(row.at),
            // What only a newer closte-sync defers, the next pass decides anew.
            deferred: row.deferred.iter().filter_map(deferred).collect(),
            problems: row.problems.into_iter().map(Problem::from).collect(),
            foreign: foreign.collect::<Result<_, _>>()?,
            more_foreign: row.more_foreign,
        })
    }
}

impl From<&Deferred> for DeferredItem {
    fn from(deferred: &Deferred) -> Self {
        Self {
            action: deferred.action.to_string(),
            domain: deferred.domain.to_string(),
            reason: deferred.reason.code().to_owned(),
            release: deferred.release.to_string(),
            until: deferred.until.map(Time::as_millis),
            after: deferred.after.map(Time::as_millis),
        }
    }
}

fn deferred(item: &DeferredItem) -> Option<Deferred> {
    Some(Deferred {
        action: Action::from_word(&item.action)?,
        domain: item.domain.parse().ok()?,
        reason: Reason::from_code(&item.reason)?,
        release: Release::from_word(&item.release)?,
        until: item.until.map(Time::from_millis),
        after: item.after.map(Time::from_millis),
    })
}

fn name(text: &str, row: &'static str) -> Result<DomainName, Unreadable> {
    // A network's own domain may have one label, as in `localhost`.
    text.parse()
        .or_else(|_| DomainName::parse_host(text))
        .map_err(|error| Unreadable::NoDomain(row, error.into()))
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
