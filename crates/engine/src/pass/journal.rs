//! What a pass has done so far, on its way into the ledger.
//!
//! Results are collected and written many at a time: a result that a crash
//! loses was an intent before, and the next pass finds out what became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rules::event::{self, Event};
use rules::ledger::{Batch, Ledger, LedgerError, Memory};
use rules::{DomainName, Entry, Problem};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Change;
use crate::env::Env;

/// So many results are worth a transaction.
const FULL: usize = 128;

/// The journal of one pass.
pub(super) struct Journal<'a> {
    ledger: &'a dyn Ledger,
    env: &'a Env,
    state: Mutex<State>,
    /// Told when there are so many.
    full: Notify,
}

struct State {
    memory: Memory,
    /// Each as it is now, however often it changed.
    entries: BTreeMap<DomainName, Entry>,
    mapped_sites: BTreeSet<u64>,
    events: Vec<Event>,
    changes: Vec<Change>,
    problems: Vec<Problem>,
}

/// What a journal held when it was closed.
pub(super) struct Closed {
    pub(super) memory: Memory,
    pub(super) changes: Vec<Change>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Journal<'a> {
    pub(super) fn new(ledger: &'a dyn Ledger, env: &'a Env, memory: Memory) -> Self {
        let state = State {
            memory,
            entries: BTreeMap::new(),
            mapped_sites: BTreeSet::new(),
            events: Vec::new(),
            changes: Vec::new(),
            problems: Vec::new(),
        };
        Self { ledger, env, state: Mutex::new(state), full: Notify::new() }
    }

    /// Work on what is remembered of the network as a whole.
    pub(super) fn memory<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.state().memory)
    }

    /// An entry changed.
    pub(super) fn entry(&self, before: Option<&Entry>, after: &Entry) {
        if before == Some(after) {
            return;
        }
        let mut state = self.state();
        state.events.extend(event::between(before, after, self.env.now()));
        state.entries.insert(after.domain.clone(), after.clone());
        if FULL <= state.entries.len() {
            self.full.notify_one();
        }
    }

    /// An intent was not carried out: the entry is as it was before.
    pub(super) fn undone(&self, before: &Entry) {
        self.state().entries.insert(before.domain.clone(), before.clone());
    }

    /// A site has a mapping now.
    pub(super) fn mapped(&self, site: u64) {
        self.state().mapped_sites.insert(site);
    }

    /// Something happened to an entry that its states do not show.
    pub(super) fn happened(&self, entry: &Entry, about: &str, text: String) {
        let (at, domain, about) = (self.env.now(), entry.domain.clone(), about.to_owned());
        self.state().events.push(Event { at, domain, about, text });
    }

    /// A step was made.
    pub(super) fn change(&self, change: Change) {
        tracing::info!(
            domain.name = %change.domain,
            action = change.action,
            outcome = change.outcome,
            reason = change.reason,
            "{} {}: {}", change.action, change.domain, change.outcome
        );
        self.state().changes.push(change);
    }

    /// Something wants an eye; the same is told once.
    pub(super) fn problem(&self, problem: Problem) {
        let mut state = self.state();
        if !state.problems.contains(&problem) {
            state.problems.push(problem);
        }
    }

    /// Write what was collected whenever that is worth a transaction, beside the
    /// work that goes on, until `done`. What is being written is never cut off.
    pub(super) async fn keep_writing(&self, done: &CancellationToken) -> Result<(), LedgerError> {
        loop {
            tokio::select! {
                biased;
                () = done.cancelled() => return Ok(()),
                () = self.full.notified() => (),
            }
            self.flush_with(Vec::new()).await?;
        }
    }

    /// Write what was collected, and `more` entries with it.
    pub(super) async fn flush_with(&self, more: Vec<Entry>) -> Result<(), LedgerError> {
        let batch = {
            let mut state = self.state();
            let mut entries = std::mem::take(&mut state.entries);
            entries.extend(more.into_iter().map(|entry| (entry.domain.clone(), entry)));
            Batch {
                entries: entries.into_values().collect(),
                events: std::mem::take(&mut state.events),
                memory: Some(state.memory.clone()),
                mapped_sites: std::mem::take(&mut state.mapped_sites),
            }
        };
        self.ledger.save(&batch).await
    }

    /// Write the rest and hand over what people are told.
    pub(super) async fn close(self) -> Result<Closed, LedgerError> {
        self.flush_with(Vec::new()).await?;
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { memory, changes, problems, .. } = state;
        Ok(Closed { memory, changes, problems })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
