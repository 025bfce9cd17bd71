//! A ledger that lives as long as it is not dropped: it survives an engine, not a process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rules::entry::Call;
use rules::event::Event;
use rules::ledger::{Batch, Claim, KEPT_OF_MAPPED, Ledger, LedgerError, Memory, Recorded};
use rules::notice::Outbox;
use rules::request::{Asked, EXPIRES_AFTER, Request};
use rules::{DomainName, Entry, Time};

use super::outbox::MemoryOutbox;

/// A [`Ledger`] in memory; its clones are the same ledger.
#[derive(Clone, Debug)]
pub struct MemoryLedger {
    id: String,
    state: Arc<Mutex<State>>,
}

/// Entries with the retired ones; who has taken which until when; events in the order in which
/// they came.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    recorded: Recorded,
    leases: BTreeMap<DomainName, (String, Time)>,
    events: Vec<Event>,
    requests: Vec<Waiting>,
    pub(super) outbox: MemoryOutbox,
}

/// A request, by whom it was taken until when, and its answer.
#[derive(Clone, Debug)]
struct Waiting {
    request: Request,
    taken: Option<(String, Time)>,
    answer: Option<String>,
}

impl Waiting {
    fn is_open(&self, now: Time) -> bool {
        self.answer.is_none() && now < self.request.made_at + EXPIRES_AFTER
    }
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

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since when a check or an addition of it is due.
fn due_since(entry: &Entry) -> Time {
    if entry.pending_call() == Some(Call::Add) {
        entry.checks.due.min(entry.step.due)
    } else {
        entry.checks.due
    }
}

impl State {
    /// Whether nobody but `owner` has taken it.
    fn is_free(&self, domain: &DomainName, claim: &Claim<'_>) -> bool {
        let lease = self.leases.get(domain);
        lease.is_none_or(|(owner, until)| *until <= claim.now || owner == claim.owner)
    }

    /// Store `entry` where its row is of the version that it has; whether it did.
    fn store(&mut self, entry: &Entry) -> bool {
        let entries = &mut self.recorded.entries;
        if entries.get(&entry.domain).is_some_and(|stored| stored.version != entry.version) {
            return false;
        }
        let version = entry.version + 1;
        entries.insert(entry.domain.clone(), Entry { version, ..entry.clone() });
        self.leases.remove(&entry.domain);
        true
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    fn id(&self) -> &str {
        &self.id
    }

    fn outbox(&self) -> &dyn Outbox {
        self
    }

    async fn load(&self) -> Result<Recorded, LedgerError> {
        let mut recorded = self.contents();
        recorded.entries.retain(|_, entry| !entry.is_retired());
        Ok(recorded)
    }

    async fn memory(&self) -> Result<Memory, LedgerError> {
        Ok(self.state().recorded.memory.clone())
    }

    async fn claim_due(&self, claim: &Claim<'_>, limit: usize) -> Result<Recorded, LedgerError> {
        let mut state = self.state();
        let mapped = state.recorded.entries.values().filter(|entry| entry.is_followed());
        let due =
            mapped.filter(|it| due_since(it) <= claim.now && state.is_free(&it.domain, claim));
        let mut due: Vec<Entry> = due.cloned().collect();
        due.sort_by_key(|entry| (due_since(entry), entry.domain.clone()));
        due.truncate(limit);
        for entry in &due {
            state.leases.insert(entry.domain.clone(), (claim.owner.to_owned(), claim.until));
        }
        let entries = due.into_iter().map(|entry| (entry.domain.clone(), entry)).collect();
        Ok(Recorded { entries, memory: state.recorded.memory.clone(), ..Recorded::default() })
    }

    async fn next_due(&self) -> Result<Option<Time>, LedgerError> {
        let state = self.state();
        let mapped = state.recorded.entries.values().filter(|entry| entry.is_followed());
        Ok(mapped.map(|entry| entry.checks.due).min())
    }

    async fn save(&self, batch: &Batch) -> Result<Vec<DomainName>, LedgerError> {
        let mut state = self.state();
        let missed = batch.entries.iter().filter(|entry| !state.store(entry));
        let missed = missed.map(|entry| entry.domain.clone()).collect();
        state.events.extend(batch.events.iter().cloned());
        let Batch { network, home, host, approved, told, last_pass, mapped_sites, .. } =
            batch.clone();
        let Recorded { memory, mapped_sites: known, .. } = &mut state.recorded;
        memory.network = network.unwrap_or(std::mem::take(&mut memory.network));
        memory.home = home.unwrap_or(memory.home);
        memory.host = host.unwrap_or(std::mem::take(&mut memory.host));
        if let Some(approved) = approved {
            memory.approved = approved;
        }
        memory.told = told.unwrap_or(std::mem::take(&mut memory.told));
        memory.last_pass = last_pass.or(memory.last_pass.take());
        for (site, registered) in mapped_sites {
            let known = known.entry(site).or_default();
            *known = registered.or(*known);
        }
        Ok(missed)
    }

    async fn forget(&self, before: Time) -> Result<(), LedgerError> {
        let mut state = self.state();
        state.outbox.forget(before);
        let State { recorded, events, .. } = &mut *state;
        recorded.entries.retain(|_, entry| !entry.is_retired() || before <= entry.alias.since);
        let mut newer: BTreeMap<DomainName, u32> = BTreeMap::new();
        let mut kept = Vec::new();
        for event in events.drain(..).rev() {
            let newer = newer.entry(event.domain.clone()).or_default();
            *newer += 1;
            let entry = recorded.entries.get(&event.domain);
            let mapped = entry.is_some_and(|entry| entry.mapped.is_some());
            if before <= event.at || mapped && *newer <= KEPT_OF_MAPPED {
                kept.push(event);
            }
        }
        events.extend(kept.into_iter().rev());
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

    async fn request(&self, asked: &Asked, claim: &Claim<'_>) -> Result<i64, LedgerError> {
        let mut state = self.state();
        let id = i64::try_from(state.requests.len()).unwrap_or(i64::MAX);
        let owner = claim.owner.to_owned();
        let request = Request { id, asked: asked.clone(), owner, made_at: claim.now };
        state.requests.push(Waiting { request, taken: None, answer: None });
        Ok(id)
    }

    async fn take_request(&self, claim: &Claim<'_>) -> Result<Option<Request>, LedgerError> {
        let mut state = self.state();
        let free = |it: &&mut Waiting| {
            it.is_open(claim.now)
                && it
                    .taken
                    .as_ref()
                    .is_none_or(|(by, until)| by == claim.owner || *until <= claim.now)
        };
        Ok(state.requests.iter_mut().find(free).map(|waiting| {
            waiting.taken = Some((claim.owner.to_owned(), claim.until));
            waiting.request.clone()
        }))
    }

    async fn answer_request(&self, id: i64, answer: &str) -> Result<(), LedgerError> {
        if let Some(waiting) = self.state().requests.iter_mut().find(|it| it.request.id == id) {
            waiting.answer = Some(answer.to_owned());
        }
        Ok(())
    }

    async fn request_answer(&self, id: i64) -> Result<Option<String>, LedgerError> {
        let state = self.state();
        let waiting = state.requests.iter().find(|it| it.request.id == id);
        Ok(waiting.and_then(|waiting| waiting.answer.clone()))
    }

    async fn requests(&self, now: Time) -> Result<Vec<Asked>, LedgerError> {
        let state = self.state();
        let open = state.requests.iter().filter(|it| it.is_open(now));
        Ok(open.map(|it| it.request.asked.clone()).collect())
    }

    async fn release_leases(&self) -> Result<(), LedgerError> {
        let mut state = self.state();
        state.leases.clear();
        state.requests.iter_mut().for_each(|waiting| waiting.taken = None);
        Ok(())
    }
}
