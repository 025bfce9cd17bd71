//! A ledger that lives as long as it is not dropped: it survives an engine, not a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rules::entry::{Alias, Call};
use rules::event::Event;
use rules::ledger::{Batch, Ledger, LedgerError, Recorded};
use rules::{DomainName, Entry, Time};

/// A [`Ledger`] in memory; its clones are the same ledger.
#[derive(Clone, Debug)]
pub struct MemoryLedger {
    id: String,
    state: Arc<Mutex<State>>,
}

/// Entries with the retired ones; events in the order in which they came.
#[derive(Clone, Debug, Default)]
struct State {
    recorded: Recorded,
    events: Vec<Event>,
}

impl MemoryLedger {
    /// An empty ledger of this name.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), state: Arc::default() }
    }

    /// A copy of it as it is now: a backup, or a clone's. It has the same name.
    #[must_use]
    pub fn copy(&self) -> Self {
        let state = Arc::new(Mutex::new(self.state().clone()));
        Self { id: self.id.clone(), state }
    }

    /// All that it holds, retired entries too.
    pub fn contents(&self) -> Recorded {
        self.state().recorded.clone()
    }

    fn load_where(&self, wanted: impl Fn(&Entry) -> bool) -> Recorded {
        let mut recorded = self.contents();
        recorded.entries.retain(|_, entry| wanted(entry));
        recorded
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a check or an addition of it is due, whoever has the lease.
fn is_due(entry: &Entry, now: Time) -> bool {
    let added = entry.pending_call() == Some(Call::Add) && entry.step.due <= now;
    entry.mapped.is_some() && (entry.checks.due <= now || added)
}

/// `new` over `stored`; what a person asked for after `new` was loaded stays.
fn merged(stored: Option<&Entry>, mut new: Entry) -> Entry {
    if let Some(stored) = stored.filter(|stored| new.rechecked_at < stored.rechecked_at) {
        (new.step.due, new.checks.due) = (stored.step.due, stored.checks.due);
        new.checks.hot_until = stored.checks.hot_until;
        new.rechecked_at = stored.rechecked_at;
        if (stored.alias.state, new.alias.state) == (Alias::Wanted, Alias::Rejected) {
            new.alias = stored.alias.clone();
        }
    }
    new
}

#[async_trait]
impl Ledger for MemoryLedger {
    fn id(&self) -> &str {
        &self.id
    }

    async fn load(&self) -> Result<Recorded, LedgerError> {
        Ok(self.load_where(|entry| !entry.is_retired()))
    }

    async fn load_due(&self, now: Time) -> Result<Recorded, LedgerError> {
        let mut due = self.load_where(|entry| !entry.is_retired() && is_due(entry, now));
        due.mapped_sites.clear();
        Ok(due)
    }

    async fn next_due(&self) -> Result<Option<Time>, LedgerError> {
        let state = self.state();
        let mapped = state.recorded.entries.values().filter(|entry| entry.mapped.is_some());
        Ok(mapped.map(|entry| entry.checks.due).min())
    }

    async fn save(&self, batch: &Batch) -> Result<(), LedgerError> {
        let mut state = self.state();
        let State { recorded, events } = &mut *state;
        let entries: &mut BTreeMap<_, _> = &mut recorded.entries;
        for entry in &batch.entries {
            let entry = merged(entries.get(&entry.domain), entry.clone());
            entries.insert(entry.domain.clone(), entry);
        }
        events.extend(batch.events.iter().cloned());
        if let Some(memory) = &batch.memory {
            recorded.memory = memory.clone();
        }
        recorded.mapped_sites.extend(&batch.mapped_sites);
        Ok(())
    }

    async fn entry(&self, domain: &DomainName) -> Result<Option<Entry>, LedgerError> {
        Ok(self.state().recorded.entries.get(domain).cloned())
    }

    async fn events(
        &self,
        domain: Option<&DomainName>,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let state = self.state();
        let newest = state.events.iter().rev();
        let of = newest.filter(|event| domain.is_none_or(|domain| event.domain == *domain));
        Ok(of.take(limit).cloned().collect())
    }

    async fn release_leases(&self) -> Result<(), LedgerError> {
        for entry in self.state().recorded.entries.values_mut() {
            entry.lease = None;
        }
        Ok(())
    }
}
