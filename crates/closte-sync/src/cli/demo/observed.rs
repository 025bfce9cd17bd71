//! What the ledger, the database and the sandbox show at one time: all that the
//! demo knows, and the only thing it prints.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{LedgerPath, SqliteLedger};
use rules::DomainName;
use rules::entry::Entry;
use rules::event::Event;
use rules::ledger::{Ledger, LedgerError};
use sandbox::wordpress::{Mapping, WordPressError};

use super::control::Stand;
use super::world::World;
use engine::error_chain;

/// Far more than a demo makes.
const EVENTS: u32 = 10_000;

const SITES: &str = "SELECT blog_id, domain FROM wp_blogs ORDER BY blog_id";

/// One part, as it was when it could last be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Part<T> {
    /// What it showed then.
    pub(super) shows: T,
    /// Why it cannot be read now.
    pub(super) problem: Option<String>,
}

/// What the ledger remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Remembered {
    /// Every entry, retired ones too.
    pub(super) entries: BTreeMap<DomainName, Entry>,
    /// What happened, the oldest first.
    pub(super) events: Vec<Event>,
}

/// What the database holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    /// The domains of the sites by id.
    pub(super) sites: BTreeMap<i64, String>,
    /// The mappings by id.
    pub(super) mappings: BTreeMap<i64, Mapping>,
}

/// All three at one time.
#[derive(Clone, Debug, Default)]
pub(super) struct Observed {
    pub(super) sandbox: Part<Stand>,
    pub(super) database: Part<Tables>,
    pub(super) ledger: Part<Remembered>,
}

/// Reads all three.
#[derive(Debug, Default)]
pub(super) struct Observer {
    ledger: Option<SqliteLedger>,
}

impl<T> Part<T> {
    fn update(&mut self, read: Result<T, String>) {
        match read {
            Ok(shows) => *self = Self { shows, problem: None },
            Err(problem) => self.problem = Some(problem),
        }
    }
}

impl Observer {
    /// Read all three into `observed`; what cannot be read stays as it was, with why.
    pub(super) async fn observe(&mut self, world: &World, observed: &mut Observed) {
        let stand = world.control.stand().await;
        observed.sandbox.update(stand.map_err(|error| error_chain(&error)));
        let tables = tables(world).await;
        observed.database.update(tables.map_err(|error| error_chain(&error)));
        match self.remembered(world).await {
            // Before the first pass there is nothing to remember.
            Err(LedgerError::Missing { .. }) => (),
            read => observed.ledger.update(read.map_err(|error| error_chain(&error))),
        }
    }

    async fn remembered(&mut self, world: &World) -> Result<Remembered, LedgerError> {
        if let Some(ledger) = &self.ledger {
            return remembered(ledger).await;
        }
        let ledger_path = LedgerPath::at(world.ledger_url(), &[])?;
        let ledger = self.ledger.insert(SqliteLedger::open_readonly(&ledger_path).await?);
        remembered(ledger).await
    }
}

async fn remembered(ledger: &dyn Ledger) -> Result<Remembered, LedgerError> {
    let mut entries = ledger.load().await?.entries;
    let mut events = ledger.events(None, EVENTS).await?;
    events.reverse();
    let names: BTreeSet<&DomainName> = events.iter().map(|event| &event.domain).collect();
    for name in names {
        if !entries.contains_key(name)
            && let Some(retired) = ledger.entry(name).await?
        {
            entries.insert(name.clone(), retired);
        }
    }
    Ok(Remembered { entries, events })
}

async fn tables(world: &World) -> Result<Tables, WordPressError> {
    let sites = world.network.execute(SITES).await?;
    let pair = |line: &str| {
        let (id, domain) = line.split_once('\t')?;
        Some((id.parse().ok()?, domain.to_owned()))
    };
    let mappings = world.network.mappings().await?;
    Ok(Tables {
        sites: sites.lines().filter_map(pair).collect(),
        mappings: mappings.into_iter().map(|mapping| (mapping.id, mapping)).collect(),
    })
}

impl Observed {
    /// The mapping of a domain.
    pub(super) fn mapping(&self, domain: &str) -> Option<&Mapping> {
        self.database.shows.mappings.values().find(|mapping| mapping.domain == domain)
    }

    /// The entry of a domain.
    pub(super) fn entry(&self, domain: &str) -> Option<&Entry> {
        self.ledger.shows.entries.values().find(|entry| entry.domain.as_str() == domain)
    }

    /// Whether the host has a domain.
    pub(super) fn has(&self, domain: &str) -> bool {
        self.sandbox.shows.aliases.contains(domain)
    }

    /// The names that are or were mapped.
    pub(super) fn names(&self) -> BTreeSet<&str> {
        let mapped = self.database.shows.mappings.values().map(|mapping| mapping.domain.as_str());
        let recorded = self.ledger.shows.entries.keys().map(DomainName::as_str);
        mapped.chain(recorded).collect()
    }

    /// What cannot be read now, with why.
    pub(super) fn problems(&self) -> [(&'static str, Option<&String>); 3] {
        [
            ("sandbox", self.sandbox.problem.as_ref()),
            ("database", self.database.problem.as_ref()),
            ("ledger", self.ledger.problem.as_ref()),
        ]
    }
}
