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

use rules::action::{Action, Approved};
use rules::budget::Budget;
use rules::event::{self, Event};
use rules::finding::Code;
use rules::ledger::{
    Batch, HomeMemory, HostHealth, Ledger, LedgerError, MOST_READS, Memory, NetworkMemory,
};
use rules::planted;
use rules::probe::RootsSilent;
use rules::records::MappedSites;
use rules::removal::changes_owned;
use rules::{DomainName, Entry, Problem, Problems, Targets};
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio_util::sync::CancellationToken;

use super::Change;
use super::acting::Mark;
use crate::env::Env;
use crate::texts;

/// So many results are worth a transaction.
const FULL: usize = 128;

/// The journal of one pass.
pub(super) struct Journal<'a> {
    ledger: &'a dyn Ledger,
    env: &'a Env,
    state: Mutex<State>,
    /// Notified when there are so many.
    full: Notify,
    /// Whoever writes has it, so that what is taken is written when a flush returns.
    flushing: AsyncMutex<()>,
}

struct State {
    /// What is remembered of the mark.
    home: HomeMemory,
    /// Whether that is to be written.
    home_changed: bool,
    host: HostHealth,
    /// As it was stored last, where that is known.
    stored_host: Option<HostHealth>,
    /// What is remembered of the network.
    network: NetworkMemory,
    /// Whether that is to be written.
    network_changed: bool,
    /// What people let through and is not done, to write.
    approved: Option<Vec<Approved>>,
    /// Entries to write.
    pending: BTreeMap<DomainName, Pending>,
    /// Entries that are soon written with an intent, and not before.
    following: BTreeMap<DomainName, Pending>,
    /// The version of each entry that was written.
    versions: BTreeMap<DomainName, u64>,
    mapped_sites: MappedSites,
    events: Vec<Event>,
    changes: Vec<Change>,
    problems: Problems,
}

/// An entry to write. Boxed: a map of large values is half empty.
struct Pending {
    /// As it was before what is to be written was done; none of a new one.
    before: Option<Box<Entry>>,
    /// As it is now, however often it changed.
    now: Box<Entry>,
}

/// What entries were before what is to be written was done; none of a new one.
type Befores = BTreeMap<DomainName, Option<Box<Entry>>>;

/// What a journal held when it was closed.
pub(super) struct Closed {
    pub(super) host: HostHealth,
    pub(super) network: NetworkMemory,
    pub(super) changes: Vec<Change>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Journal<'a> {
    /// A journal of what follows on what the ledger remembers.
    pub(super) fn new(ledger: &'a dyn Ledger, env: &'a Env, memory: Memory) -> Self {
        let Memory { network, home, host, .. } = memory;
        let state = State {
            home,
            home_changed: false,
            stored_host: Some(host.clone()),
            host,
            network,
            network_changed: false,
            approved: None,
            pending: BTreeMap::new(),
            following: BTreeMap::new(),
            versions: BTreeMap::new(),
            mapped_sites: MappedSites::new(),
            events: Vec::new(),
            changes: Vec::new(),
            problems: Problems::default(),
        };
        let flushing = AsyncMutex::new(());
        Self { ledger, env, state: Mutex::new(state), full: Notify::new(), flushing }
    }

    /// Work on what is remembered of the host.
    pub(super) fn host<T>(&self, work: impl FnOnce(&mut HostHealth) -> T) -> T {
        work(&mut self.state().host)
    }

    /// What is remembered of the network and of the host, and what people let through, is to be
    /// written with what comes next.
    pub(super) fn remember(&self, approved: Vec<Approved>) {
        let mut state = self.state();
        state.network_changed = true;
        state.approved = Some(approved);
        state.stored_host = None;
    }

    /// What is remembered of the mark.
    pub(super) fn home(&self) -> HomeMemory {
        self.state().home
    }

    /// The mark was read back with this serial; none where it keeps none.
    pub(super) fn read_back(&self, serial: Option<u64>) {
        let mut state = self.state();
        state.home_changed |= state.home.read_back != serial;
        state.home.read_back = serial;
    }

    /// The removal of `domain` is about to be sent although nobody approved it.
    pub(super) fn removes(&self, domain: &DomainName) {
        let now = self.env.now();
        let mut state = self.state();
        state.network.removals.insert(domain.clone(), now);
        state.network_changed = true;
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

    /// An entry changed, and is written when it changes again: with the intent of its call.
    pub(super) fn entry_with_call(&self, before: Option<Box<Entry>>, after: &Entry) {
        let mut state = self.state();
        state.events.extend(event::between(before.as_deref(), after, self.env.now()));
        let pending = Pending { before, now: Box::new(after.clone()) };
        state.following.insert(after.domain.clone(), pending);
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

    /// What is news about the sites that were ever seen mapped.
    pub(super) fn mapped(&self, sites: MappedSites) {
        self.state().mapped_sites.extend(sites);
    }

    /// The host did not do what was asked, or not clearly.
    pub(super) fn call_failed(&self, entry: &Entry, action: Action, why: String) {
        let event = Event::call_failed(self.env.now(), entry, action, why);
        self.state().events.push(event);
    }

    /// A step was made. It is logged, unless it was `refused_before` in the same words.
    pub(super) fn change(&self, change: Change, refused_before: bool) {
        if !refused_before {
            tracing::info!(
                domain.name = %change.domain,
                action = change.action.as_str(),
                outcome = change.outcome.as_str(),
                reason = change.reason.map(rules::Reason::code),
                finding = change.finding.map(Code::as_str),
                "{}", texts::change(&change)
            );
        }
        self.state().changes.push(change);
    }

    /// Something needs attention; the same is reported once.
    pub(super) fn problem(&self, problem: Problem) {
        self.state().problems.push_once(problem);
    }

    /// Where domains had to point.
    pub(super) fn targets(&self) -> Option<Targets> {
        self.state().network.targets.clone()
    }

    /// Addresses that were targets before.
    pub(super) fn earlier_targets(&self) -> BTreeSet<IpAddr> {
        self.state().network.earlier_targets.clone()
    }

    /// Registrable domains that run short of certificates.
    pub(super) fn budgets(&self) -> BTreeMap<DomainName, Budget> {
        self.state().network.budgets.clone()
    }

    /// What each registrable domain needs of its certificates: those that run short are remembered, and
    /// told.
    pub(super) fn found_budgets(&self, mut budgets: BTreeMap<DomainName, Budget>) {
        budgets.retain(|_, budget| budget.is_short());
        for (name, budget) in &budgets {
            self.problem(Problem::of_all(texts::budget(name, budget)));
        }
        let mut state = self.state();
        state.network_changed |= state.network.budgets != budgets;
        state.network.budgets = budgets;
    }

    /// That no server of the root answers.
    pub(super) fn roots_silent(&self) -> Option<RootsSilent> {
        self.state().network.roots_silent
    }

    /// Whether a server of the root answers, as the probe knows it now.
    pub(super) fn found_roots(&self, silent: Option<RootsSilent>) {
        let mut state = self.state();
        state.network_changed |= state.network.roots_silent != silent;
        state.network.roots_silent = silent;
    }

    /// Domains must point there.
    pub(super) fn found_targets(&self, targets: &Targets) {
        let mut state = self.state();
        let changed = state.network.point_to(targets);
        state.network_changed |= changed;
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

    /// Write what was collected; all of it is in the ledger then, whoever took it.
    pub(super) async fn flush(&self) -> Result<(), LedgerError> {
        let _flushing = self.flushing.lock().await;
        let (batch, before) = self.take_batch();
        let mut missed = self.save(&batch).await?;
        let mut done = batch.entries;
        for _ in 1..MOST_READS {
            done.retain(|entry| missed.contains(&entry.domain));
            if done.is_empty() {
                return Ok(());
            }
            let entries = self.read_again(&done, &before).await?;
            missed = self.save(&Batch { entries, ..Batch::default() }).await?;
        }
        if missed.is_empty() {
            return Ok(());
        }
        Err(LedgerError::contended(&missed))
    }

    /// All that is to be written, entries in the version that the ledger has; and what each was
    /// before.
    fn take_batch(&self) -> (Batch, Befores) {
        let mut state = self.state();
        let (mut entries, mut befores) = (Vec::new(), Befores::new());
        let mut owned_changed = false;
        for (domain, Pending { before, now }) in std::mem::take(&mut state.pending) {
            owned_changed |= changes_owned(before.as_deref(), &now);
            let loaded = before.as_ref().map_or(0, |before| before.version);
            let version = state.versions.get(&domain).copied().unwrap_or(loaded);
            entries.push(Entry { version, ..*now });
            befores.insert(domain, before);
        }
        let host =
            Some(&state.host).filter(|host| state.stored_host.as_ref() != Some(host)).cloned();
        if host.is_some() {
            state.stored_host.clone_from(&host);
        }
        if owned_changed {
            state.home = state.home.moved();
        }
        let home_changed = std::mem::take(&mut state.home_changed) | owned_changed;
        let batch = Batch {
            entries,
            home: home_changed.then_some(state.home),
            events: std::mem::take(&mut state.events),
            network: std::mem::take(&mut state.network_changed).then(|| state.network.clone()),
            host,
            approved: state.approved.take(),
            mapped_sites: std::mem::take(&mut state.mapped_sites),
            ..Batch::default()
        };
        (batch, befores)
    }

    /// Write `batch` and remember the versions of what was written; what was not, as somebody
    /// else stored it.
    async fn save(&self, batch: &Batch) -> Result<BTreeSet<DomainName>, LedgerError> {
        let missed: BTreeSet<_> = self.ledger.save(batch).await?.into_iter().collect();
        let written = batch.entries.iter().filter(|entry| !missed.contains(&entry.domain));
        let versions = written.map(|entry| (entry.domain.clone(), entry.version + 1));
        self.state().versions.extend(versions);
        Ok(missed)
    }

    /// What was `done` to what was `before`, applied to what somebody else stored meanwhile.
    async fn read_again(
        &self,
        done: &[Entry],
        before: &Befores,
    ) -> Result<Vec<Entry>, LedgerError> {
        let mut entries = Vec::new();
        for now in done {
            let Some(stored) = self.ledger.entry(&now.domain).await? else {
                entries.push(Entry { version: 0, ..now.clone() });
                continue;
            };
            if planted!(DropOnMiss) {
                entries.push(stored);
                continue;
            }
            let unchanged = Entry::new(now.domain.clone(), None, now.first_seen);
            let before = before[&now.domain].as_deref().unwrap_or(&unchanged);
            entries.push(now.rebase(before, &stored));
        }
        Ok(entries)
    }

    /// Write the rest, move the mark on with it, and hand over what people are told.
    pub(super) async fn close(self, mark: &Mark<'_>) -> Result<Closed, LedgerError> {
        {
            // Of these no call was made.
            let State { pending, following, .. } = &mut *self.state();
            pending.append(following);
        }
        self.flush().await?;
        mark.forward(&self).await;
        if self.state().home_changed {
            self.flush().await?;
        }
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let State { host, network, changes, problems, .. } = state;
        Ok(Closed { host, network, changes, problems: problems.into_vec() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Keep `after` to be written; what was before the first change that is not written yet stays.
    fn put(&mut self, before: Option<&Entry>, after: &Entry) {
        match self.pending.entry(after.domain.clone()) {
            btree_map::Entry::Occupied(mut pending) => *pending.get_mut().now = after.clone(),
            btree_map::Entry::Vacant(free) => {
                let followed = self.following.remove(&after.domain).map(|it| it.before);
                let before = followed.unwrap_or_else(|| before.cloned().map(Box::new));
                free.insert(Pending { before, now: Box::new(after.clone()) });
            }
        }
    }
}
