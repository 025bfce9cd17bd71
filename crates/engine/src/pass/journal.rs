//! What a pass has done so far, on its way into the ledger.
//!
//! Results are collected and written many at a time: a result that a crash loses was an intent
//! before, and the next pass finds out what became of it.
//!
//! Somebody else may store an entry while a pass works on it: a person who asks for a check, or
//! who deletes a mapping. What the pass did is then applied to what stands there; it is never
//! dropped, and neither is theirs.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rules::action::Action;
use rules::event::{self, Event};
use rules::ledger::{Batch, HostHealth, Ledger, LedgerError};
use rules::planted;
use rules::{DomainName, Entry, Problem};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Change;
use crate::env::Env;

/// So many results are worth a transaction.
const FULL: usize = 128;

/// So often an entry is read again that somebody else keeps storing.
const MOST_READS: usize = 5;

/// The journal of one pass.
pub(super) struct Journal<'a> {
    ledger: &'a dyn Ledger,
    env: &'a Env,
    state: Mutex<State>,
    /// Notified when there are so many.
    full: Notify,
}

struct State {
    host: HostHealth,
    /// As it was stored last.
    stored_host: HostHealth,
    /// Entries to write.
    pending: BTreeMap<DomainName, Pending>,
    /// The version of each entry that was written.
    versions: BTreeMap<DomainName, u64>,
    mapped_sites: BTreeSet<u64>,
    events: Vec<Event>,
    changes: Vec<Change>,
    problems: Vec<Problem>,
    targets: Option<BTreeSet<IpAddr>>,
}

/// An entry to write.
struct Pending {
    /// As it was before what is to be written was done; none of a new one.
    before: Option<Entry>,
    /// As it is now, however often it changed.
    now: Entry,
}

/// What a journal held when it was closed.
pub(super) struct Closed {
    pub(super) host: HostHealth,
    pub(super) changes: Vec<Change>,
    pub(super) problems: Vec<Problem>,
    /// Where domains must point, where anything was checked.
    pub(super) targets: Option<BTreeSet<IpAddr>>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(ledger: &'a dyn Ledger, env: &'a Env, host: HostHealth) -> Self {
        let state = State {
            stored_host: host.clone(),
            host,
            pending: BTreeMap::new(),
            versions: BTreeMap::new(),
            mapped_sites: BTreeSet::new(),
            events: Vec::new(),
            changes: Vec::new(),
            problems: Vec::new(),
            targets: None,
        };
        Self { ledger, env, state: Mutex::new(state), full: Notify::new() }
    }

    /// Work on what is remembered of the host.
    pub(super) fn host<T>(&self, work: impl FnOnce(&mut HostHealth) -> T) -> T {
        work(&mut self.state().host)
    }

    /// An entry changed.
    pub(super) fn entry(&self, before: Option<&Entry>, after: &Entry) {
        if before == Some(after) {
            return;
        }
        let mut state = self.state();
        state.events.extend(event::between(before, after, self.env.now()));
        state.put(before, after);
        self.notify(&state);
    }

    /// A call is about to be made: nothing that happened, but to be written before it.
    pub(super) fn intended(&self, before: &Entry, intended: &Entry) {
        self.state().put(Some(before), intended);
    }

    /// What became of a call: people see what was before its intent, and what is now.
    pub(super) fn outcome(&self, before: &Entry, intended: &Entry, after: &Entry) {
        let mut state = self.state();
        state.events.extend(event::between(Some(before), after, self.env.now()));
        state.put(Some(intended), after);
        self.notify(&state);
    }

    fn notify(&self, state: &State) {
        if FULL <= state.pending.len() {
            self.full.notify_one();
        }
    }

    /// An intent was not carried out: the entry is as it was before.
    pub(super) fn undone(&self, intended: &Entry, before: &Entry) {
        if intended != before {
            self.state().put(Some(intended), before);
        }
    }

    /// A site has a mapping now.
    pub(super) fn mapped(&self, sites: impl IntoIterator<Item = u64>) {
        self.state().mapped_sites.extend(sites);
    }

    /// The host did not do what was asked, or not clearly.
    pub(super) fn call_failed(&self, entry: &Entry, action: Action, why: String) {
        let event = Event::call_failed(self.env.now(), entry, action, why);
        self.state().events.push(event);
    }

    /// A step was made.
    pub(super) fn change(&self, change: Change) {
        tracing::info!(
            domain.name = %change.domain,
            action = change.action.as_str(),
            outcome = change.outcome.as_str(),
            reason = change.reason.map(rules::Reason::code),
            "{} {}: {}", change.action, change.domain, change.outcome
        );
        self.state().changes.push(change);
    }

    /// Something needs attention; the same is reported once.
    pub(super) fn problem(&self, problem: Problem) {
        let mut state = self.state();
        if !state.problems.contains(&problem) {
            state.problems.push(problem);
        }
    }

    /// Domains must point there.
    pub(super) fn targets(&self, targets: &BTreeSet<IpAddr>) {
        self.state().targets = Some(targets.clone());
    }

    /// Write what was collected whenever that is worth a transaction, while the work goes on,
    /// until `done`. What is being written is never cut off.
    pub(super) async fn keep_writing(&self, done: &CancellationToken) -> Result<(), LedgerError> {
        loop {
            tokio::select! {
                biased;
                () = done.cancelled() => return Ok(()),
                () = self.full.notified() => (),
            }
            self.flush().await?;
        }
    }

    /// Write what was collected.
    pub(super) async fn flush(&self) -> Result<(), LedgerError> {
        self.flush_but(|_| false).await
    }

    /// Write what was collected, but those entries that `follow` soon.
    pub(super) async fn flush_but(
        &self,
        follow: impl Fn(&DomainName) -> bool,
    ) -> Result<(), LedgerError> {
        let mut pending = self.take_pending(follow);
        let mut batch = self.batch(&pending);
        for _ in 0..MOST_READS {
            let missed: BTreeSet<_> = self.ledger.save(&batch).await?.into_iter().collect();
            self.written(&batch, &missed);
            pending.retain(|domain, _| missed.contains(domain));
            if pending.is_empty() {
                return Ok(());
            }
            batch = Batch { entries: self.read_again(&mut pending).await?, ..Batch::default() };
        }
        let names: Vec<_> = pending.keys().map(DomainName::as_str).collect();
        let why = format!("somebody else keeps storing {}", names.join(", "));
        Err(LedgerError::Write(why.into()))
    }

    fn take_pending(&self, follow: impl Fn(&DomainName) -> bool) -> BTreeMap<DomainName, Pending> {
        let mut state = self.state();
        state.pending.extract_if(.., |domain, _| !follow(domain)).collect()
    }

    /// All that is to be written, entries in the version that the ledger has.
    fn batch(&self, pending: &BTreeMap<DomainName, Pending>) -> Batch {
        let mut state = self.state();
        let version = |entry: &Entry| state.versions.get(&entry.domain).copied();
        let entries = pending.values().map(|Pending { before, now }| {
            let loaded = before.as_ref().map_or(0, |before| before.version);
            Entry { version: version(now).unwrap_or(loaded), ..now.clone() }
        });
        let entries = entries.collect();
        let host = (state.host != state.stored_host).then(|| state.host.clone());
        if let Some(host) = &host {
            state.stored_host.clone_from(host);
        }
        Batch {
            entries,
            events: std::mem::take(&mut state.events),
            host,
            mapped_sites: std::mem::take(&mut state.mapped_sites),
            ..Batch::default()
        }
    }

    /// Remember the versions of what was written.
    fn written(&self, batch: &Batch, missed: &BTreeSet<DomainName>) {
        let mut state = self.state();
        for entry in batch.entries.iter().filter(|entry| !missed.contains(&entry.domain)) {
            state.versions.insert(entry.domain.clone(), entry.version + 1);
        }
    }

    /// What was done, applied to what somebody else stored meanwhile.
    async fn read_again(
        &self,
        pending: &mut BTreeMap<DomainName, Pending>,
    ) -> Result<Vec<Entry>, LedgerError> {
        let mut entries = Vec::new();
        for (domain, Pending { before, now }) in pending.iter() {
            let Some(stored) = self.ledger.entry(domain).await? else {
                entries.push(Entry { version: 0, ..now.clone() });
                continue;
            };
            if planted!(DropOnMiss) {
                entries.push(stored);
                continue;
            }
            let unchanged = Entry::new(domain.clone(), None, now.first_seen);
            entries.push(now.rebase(before.as_ref().unwrap_or(&unchanged), &stored));
        }
        Ok(entries)
    }

    /// Write the rest and hand over what people are told.
    pub(super) async fn close(self) -> Result<Closed, LedgerError> {
        self.flush().await?;
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { host, changes, problems, targets, .. } = state;
        Ok(Closed { host, changes, problems, targets })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keep `after` to be written; what was before the first change that is not written yet stays.
    fn put(&mut self, before: Option<&Entry>, after: &Entry) {
        match self.pending.entry(after.domain.clone()) {
            btree_map::Entry::Occupied(mut pending) => pending.get_mut().now.clone_from(after),
            btree_map::Entry::Vacant(free) => {
                free.insert(Pending { before: before.cloned(), now: after.clone() });
            }
        }
    }
}
