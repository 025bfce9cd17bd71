//! The plan of a pass: what WordPress wants, what the host shows as present and
//! what is recorded, turned into steps.
//!
//! ```text
//!   wanted (mappings) ─┐
//!   present (list) ────┼─▶ entries with their next step, records to make,
//!   recorded (ledger) ─┘   what is deferred and why
//! ```
//!
//! Nothing here is sent or written; the same inputs give the same plan, so a
//! person can read one and approve exactly that.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::action::{Action, Deferred, Release};
use crate::answer;
use crate::entry::{Alias, Call, Entry, Gone, Mapped, Proof};
use crate::host::AliasList;
use crate::ledger::{Memory, Recorded};
use crate::planted;
use crate::protected::Protected;
use crate::reason::Reason;
use crate::records::{self, NewRecord, Records};
use crate::removal::{Brake, is_ours};
use crate::wanted::Wanted;
use crate::{DomainName, Network, Problem, Time};

/// What a pass is planned from, besides the ledger.
#[derive(Clone, Debug)]
pub struct World<'a> {
    /// The network, read just now.
    pub network: &'a Network,
    /// The host's list, where it could be read.
    pub list: Option<&'a AliasList>,
    /// Names that are never sent.
    pub protected: &'a Protected,
    /// What the operator set.
    pub policy: &'a Policy,
    /// When.
    pub now: Time,
}

/// What the operator set, as far as plans go.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How many good reads must see a mapping gone.
    pub confirmations: u32,
    /// How much time must be between two of them.
    pub read_gap: Duration,
    /// How many aliases one pass may remove.
    pub brake: Brake,
    /// Which sites get a record.
    pub records: Records,
    /// Whether a person approved exactly this plan.
    pub approved: bool,
}

/// Why a read is in doubt: it removes nothing and makes no records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Far fewer names are mapped than last time.
    SuddenFall {
        /// How many names were mapped.
        was: u64,
        /// How many are.
        is: u64,
    },
    /// The network changed while it was read.
    Moved,
}

impl Doubt {
    /// What a person should know, in one sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::SuddenFall { was, is } => {
                format!("mapped domains fell from {was} to {is} since the last run")
            }
            Self::Moved => "the network changed while it was read".to_owned(),
        }
    }

    /// How a person ends it.
    pub fn release(&self) -> Release {
        match self {
            Self::SuddenFall { .. } => Release::Apply,
            Self::Moved => Release::UndisturbedRead,
        }
    }
}

/// The plan of one pass.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Every entry as it is after reading, retired ones of this pass included.
    pub entries: BTreeMap<DomainName, Entry>,
    /// Those that the reading changed, as they were before; none of those that it showed first.
    pub changed: BTreeMap<DomainName, Option<Box<Entry>>>,
    /// What is remembered of the network as a whole.
    pub memory: Memory,
    /// Sites seen mapped for the first time.
    pub mapped_sites: BTreeSet<u64>,
    /// Records to make.
    pub records: Vec<NewRecord>,
    /// Calls to make now.
    pub calls: BTreeMap<DomainName, Call>,
    /// What is deferred.
    pub deferred: Vec<Deferred>,
    /// What is invalid or needs attention.
    pub problems: Vec<Problem>,
    /// Aliases at the host that we do not own.
    pub foreign: BTreeSet<DomainName>,
    /// Why the read is in doubt.
    pub doubts: Vec<Doubt>,
    /// Whether the brake defers removals.
    pub braked: bool,
    /// What the plan rests on, as a text to hash.
    pub fingerprint: String,
}

/// Plan a pass over everything that is `recorded`.
pub fn plan(recorded: Recorded, world: &World<'_>) -> Plan {
    let wanted = Wanted::of(world.network);
    let owned = recorded.entries.values().filter(|entry| entry.owned.is_some()).count();
    let allowed = world.policy.brake.allows(owned);
    let mut planner = Planner {
        doubts: doubts(&recorded.memory, world, wanted.count(), allowed),
        sites_own: sites_own(world.network),
        mapped_names: wanted.count(),
        wanted,
        world,
        allowed,
        gone: BTreeSet::new(),
        ready: BTreeSet::new(),
        missing: Vec::new(),
        plan: Plan { memory: recorded.memory, ..Plan::default() },
    };
    planner.believe(recorded.entries.values());
    planner.read(recorded.entries);
    planner.remove();
    planner.make_records(&recorded.mapped_sites);
    planner.call();
    planner.remember(&recorded.mapped_sites);
    planner.finish()
}

fn doubts(memory: &Memory, world: &World<'_>, is: u64, allowed: usize) -> Vec<Doubt> {
    let fell = memory
        .network
        .mapped_names
        .filter(|was| (allowed as u64) < was.saturating_sub(is) && is * 2 < *was)
        // A person checked and approved it.
        .filter(|_| !world.policy.approved)
        .map(|was| Doubt::SuddenFall { was, is });
    let moved = world.network.moved.then_some(Doubt::Moved);
    fell.into_iter().chain(moved).collect()
}

struct Planner<'a> {
    world: &'a World<'a>,
    wanted: Wanted,
    /// The domains that sites have as their own, each with the site.
    sites_own: BTreeMap<&'a DomainName, u64>,
    /// How many names have a mapping.
    mapped_names: u64,
    doubts: Vec<Doubt>,
    /// How many removals the brake allows.
    allowed: usize,
    /// Names that neither a mapping nor a site speaks for.
    gone: BTreeSet<DomainName>,
    /// Owned aliases whose mapping is certainly gone.
    ready: BTreeSet<DomainName>,
    /// Sites that have no record and should.
    missing: Vec<NewRecord>,
    plan: Plan,
}

impl Planner<'_> {
    fn believe<'e>(&mut self, entries: impl Iterator<Item = &'e Entry>) {
        let proven = self.world.list.is_some_and(|list| answer::proves_itself(list, entries));
        self.plan.memory.host.list_believed |= proven;
    }

    /// Bring every entry up to what this read and the list show.
    fn read(&mut self, recorded: BTreeMap<DomainName, Entry>) {
        let now = self.world.now;
        let mut names = std::mem::take(&mut self.wanted.names);
        for (name, before) in recorded {
            let mut after = before.clone();
            match names.remove(&name) {
                Some(mapped) => self.want(&mut after, mapped),
                None => self.miss(&mut after),
            }
            if after != before {
                self.plan.changed.insert(name.clone(), Some(Box::new(before)));
            }
            self.plan.entries.insert(name, after);
        }
        for (name, mapped) in names {
            let mut entry = Entry::new(name.clone(), Some(mapped.clone()), now);
            self.want(&mut entry, mapped);
            self.plan.changed.insert(name.clone(), None);
            self.plan.entries.insert(name, entry);
        }
    }

    /// A name that is mapped.
    fn want(&self, entry: &mut Entry, mapped: Mapped) {
        let now = self.world.now;
        let row = |mapped: &Mapped| (mapped.mapping_id, mapped.site_id);
        if entry.mapped.as_ref().map(row) != Some(row(&mapped)) {
            entry.checks.due = now;
            entry.heat(now);
            entry.proof.set(now, Proof::Unproven, None, None);
        }
        let mut others = self.wanted.others.get(&entry.domain).cloned().unwrap_or_default();
        others.extend(self.unreadable_rows(entry));
        others.retain(|row| *row != mapped.mapping_id);
        entry.other_rows = others;
        entry.mapped = Some(mapped);
        entry.gone = Gone::default();
        let protection = self.world.protected.why(&entry.domain);
        match (entry.alias.state, &protection) {
            (_, Some(why)) => {
                let (reason, detail) = (Some(Reason::ProtectedName), Some(why.to_string()));
                entry.alias.set(now, Alias::Protected, reason, detail);
                entry.step.intent = None;
            }
            // A removal had started: the list or adding again shows whether it happened.
            (Alias::Removing, None) if entry.step.intent.is_some() => self.start_again(entry),
            (Alias::Removing, None) => entry.alias.set(now, Alias::Present, None, None),
            (Alias::Protected | Alias::Absent, None) => self.start_again(entry),
            (Alias::Present, None) if entry.alias.reason.is_some() => {
                entry.alias.set(now, Alias::Present, None, None);
            }
            _ => (),
        }
        self.see(entry, protection.is_some());
    }

    fn start_again(&self, entry: &mut Entry) {
        entry.step.intent = None;
        entry.step.tries = 0;
        entry.step.due = self.world.now;
        entry.alias.set(self.world.now, Alias::Wanted, None, None);
    }

    /// A name that is not mapped, or not to a site of ours.
    fn miss(&mut self, entry: &mut Entry) {
        let now = self.world.now;
        let unreadable = self.unreadable_rows(entry);
        if !unreadable.is_empty() {
            return self.keep_unreadable(entry, unreadable);
        }
        entry.other_rows = match self.wanted.others.get(&entry.domain) {
            Some(rows) => rows.clone(),
            None => entry.rows().filter(|row| !self.has_another_name(*row)).collect(),
        };
        entry.mapped = None;
        let protected = self.world.protected.why(&entry.domain).is_some();
        self.see(entry, protected);
        if self.wanted.kept.contains(&entry.domain) {
            return keep(entry, None, now);
        }
        let own = self.sites_own.get(&entry.domain).filter(|_| is_ours(entry) && !protected);
        if let Some(site) = own.filter(|_| !planted!(RemoveSitesOwn)) {
            let why = format!("site {site} has it as its own domain");
            return keep(entry, Some((Reason::SitesOwnName, why)), now);
        }
        self.gone.insert(entry.domain.clone());
        self.count(entry);
        if entry.alias.state == Alias::Absent {
            return;
        }
        if entry.gone.reads < self.world.policy.confirmations {
            if entry.alias.state == Alias::Present {
                entry.alias.set(now, Alias::Present, Some(Reason::MappingGone), None);
            }
            self.plan.deferred.extend(self.waiting(entry, protected));
        } else if is_ours(entry) && !protected {
            self.ready.insert(entry.domain.clone());
        } else {
            entry.step.intent = None;
            entry.alias.set(now, Alias::Absent, Some(Reason::NotOurs), None);
        }
    }

    /// Of the rows that had the name those whose text is no domain name now.
    fn unreadable_rows(&self, entry: &Entry) -> Vec<u64> {
        let unreadable = &self.world.network.unreadable;
        entry
            .rows()
            .filter(|row| unreadable.contains_key(row) && !planted!(DropUnreadable))
            .collect()
    }

    /// Whether a row that had a name has another one now.
    fn has_another_name(&self, row: u64) -> bool {
        self.world.network.mappings.binary_search_by_key(&row, |mapping| mapping.id).is_ok()
    }

    /// A name whose row is there and cannot be read: the mapping stays, its stage is left alone,
    /// and nothing is owned for it that was not owned before.
    fn keep_unreadable(&self, entry: &mut Entry, unreadable: Vec<u64>) {
        if let Some(mapped) = &mut entry.mapped {
            mapped.contested = true;
            if !unreadable.contains(&mapped.mapping_id) {
                mapped.mapping_id = unreadable[0];
                mapped.site_id = self.world.network.unreadable[&unreadable[0]];
            }
        }
        let speaks = entry.mapped.as_ref().map(|mapped| mapped.mapping_id);
        entry.other_rows = unreadable;
        entry.other_rows.retain(|row| Some(*row) != speaks);
        self.see(entry, true);
        keep(entry, None, self.world.now);
    }

    /// Count this read, where it is good and not too close to the last.
    fn count(&self, entry: &mut Entry) {
        let now = self.world.now;
        let far = |at: Time| self.world.policy.read_gap <= now.since(at);
        let wanted = self.world.policy.confirmations;
        if (self.doubts.is_empty() || planted!(CountDoubtfulRead))
            && entry.gone.reads < wanted
            && entry.gone.counted_at.is_none_or(far)
        {
            let approved = self.world.policy.approved;
            entry.gone.reads = if approved { wanted } else { entry.gone.reads + 1 };
            entry.gone.counted_at = Some(now);
        }
    }

    /// A removal that waits for the next good read, or for the doubt to end.
    fn waiting(&self, entry: &Entry, protected: bool) -> Option<Deferred> {
        if protected || !is_ours(entry) {
            return None;
        }
        let until = entry.gone.counted_at.map(|at| at + self.world.policy.read_gap);
        let (reason, release, until) = match self.doubts.first() {
            Some(doubt) => (Reason::Doubt, doubt.release(), None),
            None => (Reason::MappingGone, Release::NextRead, until),
        };
        Some(Deferred::removal(&entry.domain, reason, release, until))
    }

    fn see(&self, entry: &mut Entry, protected: bool) {
        if let Some(list) = self.world.list {
            let believed = self.plan.memory.host.list_believed;
            answer::listed(entry, list, believed, protected, self.world.now);
        }
    }

    /// Allow all removals, or none of them.
    fn remove(&mut self) {
        let approved = self.world.policy.approved;
        let ready = std::mem::take(&mut self.ready);
        let is_approved = |name: &DomainName| approved || self.plan.entries[name].gone.approved;
        let asking = ready.iter().filter(|name| !is_approved(name)).count();
        self.plan.braked = self.allowed < asking && self.doubts.is_empty() && !planted!(SkipBrake);
        for name in &ready {
            let reason = match self.doubts.first() {
                Some(doubt) => Some((Reason::Doubt, doubt.release())),
                None if approved || self.plan.entries[name].gone.approved => None,
                None => self.plan.braked.then_some((Reason::Brake, Release::Apply)),
            };
            match reason {
                Some((reason, release)) => {
                    self.plan.deferred.push(Deferred::removal(name, reason, release, None));
                }
                None => self.let_through(name),
            }
        }
        self.ready = ready;
    }

    fn let_through(&mut self, name: &DomainName) {
        let now = self.world.now;
        let entry = self.plan.entries.get_mut(name).expect("only entries get ready");
        let before = entry.clone();
        entry.gone.approved |= self.world.policy.approved;
        if entry.alias.state != Alias::Removing {
            entry.alias.set(now, Alias::Removing, None, None);
            entry.step.tries = 0;
            entry.step.due = now;
        }
        if *entry != before {
            self.plan.changed.entry(name.clone()).or_insert(Some(Box::new(before)));
        }
        if entry.due_call(now) == Some(Call::Remove) {
            self.plan.calls.insert(name.clone(), Call::Remove);
        }
    }

    fn make_records(&mut self, ever_mapped: &BTreeSet<u64>) {
        let Some(mark) = (match self.world.policy.records {
            Records::Never => None,
            Records::All => Some(0),
            Records::New => self.plan.memory.network.site_mark,
        }) else {
            return;
        };
        let missing = records::missing(self.world.network, self.world.protected, mark, ever_mapped);
        match self.doubts.first() {
            None => self.plan.records = missing,
            Some(doubt) => self.plan.deferred.extend(missing.into_iter().map(|record| Deferred {
                action: Action::CreateRecord,
                domain: record.domain,
                reason: Reason::Doubt,
                release: doubt.release(),
                until: None,
            })),
        }
    }

    /// The additions that are due.
    fn call(&mut self) {
        let now = self.world.now;
        for (name, entry) in &self.plan.entries {
            if entry.mapped.is_some() && entry.due_call(now) == Some(Call::Add) {
                self.plan.calls.insert(name.clone(), Call::Add);
            }
        }
    }

    fn remember(&mut self, known: &BTreeSet<u64>) {
        let network = self.world.network;
        let sites = network.mappings.iter().map(|mapping| mapping.site_id);
        let sites = sites.chain(network.unreadable.values().copied());
        self.plan.mapped_sites = sites.filter(|site| !known.contains(site)).collect();
        if self.doubts.is_empty() {
            let memory = &mut self.plan.memory.network;
            // What is known of a network is not forgotten for less.
            if network.identity.is_whole() || memory.identity.is_none() {
                memory.identity = Some(network.identity.clone());
            }
            memory.mapped_names = Some(self.mapped_names);
            memory.site_mark.get_or_insert_with(|| records::mark(network));
        }
        if let Some(list) = self.world.list {
            let ours = |name: &&DomainName| {
                let entry = self.plan.entries.get(*name);
                entry.is_some_and(|entry| entry.mapped.is_some() || entry.owned.is_some())
            };
            self.plan.foreign = list.names.iter().filter(|name| !ours(name)).cloned().collect();
        }
    }

    fn finish(mut self) -> Plan {
        self.plan.fingerprint = self.fingerprint();
        self.plan.problems = world_problems(self.world);
        self.plan.problems.append(&mut self.wanted.problems);
        self.plan.problems.extend(self.world.network.problems.iter().cloned());
        self.plan.doubts = self.doubts;
        self.plan.deferred.sort();
        self.plan
    }

    /// What the plan rests on: a change of any of it is another plan.
    ///
    /// It is the same whether the plan was approved or not, and does not
    /// change by the passing of time alone.
    fn fingerprint(&self) -> String {
        let identity = &self.world.network.identity;
        let mut text = format!("{identity:?}\n");
        for record in &self.missing {
            let _ = writeln!(text, "create {} {}", record.site_id, record.domain);
        }
        for (name, entry) in &self.plan.entries {
            if entry.mapped.is_some() && entry.pending_call() == Some(Call::Add) {
                let _ = writeln!(text, "add {name}");
            }
            if self.gone.contains(name) {
                let _ = writeln!(text, "gone {name} {:?}", entry.owned.map(|owned| owned.how));
            }
        }
        text
    }
}

fn sites_own(network: &Network) -> BTreeMap<&DomainName, u64> {
    let sites = network.sites.iter();
    sites.filter_map(|(id, site)| Some((site.domain.as_ref()?, *id))).collect()
}

/// Keep the alias of an entry whose own mapping does not speak for it; why, where that is told.
fn keep(entry: &mut Entry, why: Option<(Reason, String)>, now: Time) {
    entry.gone = Gone::default();
    if matches!(entry.alias.state, Alias::Removing | Alias::Present) {
        let (reason, detail) = why.unzip();
        entry.alias.set(now, Alias::Present, reason, detail);
    }
}

/// Problems that are in no row.
fn world_problems(world: &World<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if world.network.moved {
        let what = format!("{}; {}", Doubt::Moved.sentence(), Doubt::Moved.release().text());
        problems.push(Problem::of_all(what));
    }
    if let Some(list) = world.list.filter(|list| !list.unreadable.is_empty()) {
        let names = list.unreadable.join("`, `");
        problems.push(Problem::of_all(format!(
            "the host's list contains what is not a domain name: `{names}`"
        )));
    }
    problems
}

#[cfg(test)]
mod tests;
