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
//! person can read what it defers and approve exactly that.

mod reading;
mod removing;
mod twins;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::action::{Action, Approved, Deferred, Release};
use crate::answer;
use crate::doubt::{self, Doubt, Lacking};
use crate::entry::{Call, Entry};
use crate::host::{AliasList, Unreadable};
use crate::ledger::{LastPass, Memory, Recorded};
use crate::planted;
use crate::protected::Protected;
use crate::reason::Reason;
use crate::records::{self, MappedSites, NewRecord, Records, SiteMark};
use crate::removal::{Brake, RemovalPolicy};
use crate::twins::Www;
use crate::wanted::Wanted;
use crate::{DomainName, Network, Problem, Time, plain};

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
    pub gap: Duration,
    /// How many aliases one hour may remove.
    pub brake: Brake,
    /// How long an alias stays after that, in case its mapping comes back.
    pub grace: Duration,
    /// Whether any is removed.
    pub removal: RemovalPolicy,
    /// Which sites get a record.
    pub records: Records,
    /// Whether twins are added.
    pub www: Www,
    /// How far checks of a domain are apart at least.
    pub interval: Duration,
    /// Whether our clock differs too much from the database's to put times right by it.
    pub clock_is_wrong: bool,
    /// Whether only that is done which a person approved.
    pub only_approved: bool,
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
    /// Sites seen mapped for the first time, or of which it is news when they were registered.
    pub mapped_sites: MappedSites,
    /// Records to make.
    pub records: Vec<NewRecord>,
    /// Calls to make now.
    pub calls: BTreeMap<DomainName, Call>,
    /// What is deferred.
    pub deferred: Vec<Deferred>,
    /// What is invalid or needs attention.
    pub problems: Vec<Problem>,
    /// Aliases at the host that we do not own; at most [`LastPass::MOST_FOREIGN`] of them.
    pub foreign: BTreeSet<DomainName>,
    /// How many more there are.
    pub more_foreign: usize,
    /// What makes the read or the list hard to believe.
    pub doubts: Vec<Doubt>,
    /// Why the brake defers removals; none where it does not.
    pub braked: Option<Braked>,
}

/// Why the brake holds removals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Braked {
    /// They are more than one hour may remove.
    Many,
    /// Nothing would be left of two or more.
    All,
}

impl Plan {
    /// What a person approves by applying it, as a text to hash: all that is deferred and the
    /// doubts, each with the time when it was first.
    ///
    /// It does not change by the passing of time alone; the same that is deferred another time
    /// gives another text.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for Deferred { action, domain, after, .. } in &self.deferred {
            let _ = writeln!(text, "{action} {domain} {after:?}");
        }
        for (doubt, after) in &self.memory.network.doubts {
            let _ = writeln!(text, "doubt {doubt} {after:?}");
        }
        text
    }

    /// Whether what the host's list lacks says nothing.
    pub fn is_list_in_doubt(&self) -> bool {
        self.doubt_of_list().is_some()
    }

    fn doubt_of_list(&self) -> Option<&Doubt> {
        self.doubts.iter().find(|doubt| doubt.is_of_the_list())
    }
}

/// A person lets through what `plan` defers, by its `hash`: from now on that is approved, and its
/// doubts are over.
pub fn approve(memory: &mut Memory, plan: &Plan, hash: String) {
    for doubt in &plan.doubts {
        if let Doubt::SuddenFall { is, .. } = doubt {
            memory.network.mapped_names = Some(*is);
        }
        if let Some(lasting) = doubt.lasting() {
            memory.network.doubts.remove(&lasting);
        }
    }
    memory.network.restored.clear();
    memory.network.applied = Some(hash.clone());
    memory.approved.push(Approved::of(hash, &plan.deferred));
}

/// Plan a pass over everything that is `recorded`.
pub fn plan(recorded: Recorded, world: &World<'_>) -> Plan {
    let wanted = Wanted::of(world.network);
    let entries = recorded.entries.values();
    let allowed = world.policy.brake.allows_of(entries.clone());
    let approved = union(&recorded.memory.approved);
    let mut plan = Plan { memory: recorded.memory, ..Plan::default() };
    let proven = world.list.is_some_and(|list| answer::proves_itself(list, entries.clone()));
    plan.memory.host.list_believed |= proven;
    let lacking = match world.list.filter(|_| plan.memory.host.list_believed) {
        Some(list) => {
            let agreed = approved.additions.union(&approved.removals).cloned().collect();
            doubt::lacking(list, entries, &agreed, allowed)
        }
        None => Lacking::default(),
    };
    plan.doubts = doubts(&plan.memory, world, wanted.count(), allowed, &lacking);
    let network = world.network;
    let put_back = network.keeps_serial && plan.memory.home.is_older(network.home.as_ref());
    let mut planner = Planner {
        sites_own: OnceCell::new(),
        put_back: put_back && !planted!(ForgetRestore),
        restored: BTreeSet::new(),
        before: deferred_before(&plan.memory),
        last_ended: plan.memory.last_pass.as_ref().map(|pass| pass.at),
        mapped_names: wanted.count(),
        wanted,
        world,
        allowed,
        approved,
        lacking,
        gone: BTreeSet::new(),
        ready: BTreeSet::new(),
        plan,
    };
    planner.read(recorded.entries);
    planner.restored();
    planner.remove();
    planner.add_again();
    planner.make_records(&recorded.mapped_sites);
    planner.call();
    planner.remember(&recorded.mapped_sites);
    planner.finish()
}

fn doubts(
    memory: &Memory,
    world: &World<'_>,
    is: u64,
    allowed: usize,
    lacking: &Lacking,
) -> Vec<Doubt> {
    let lacks = lacking.doubtful.then_some((lacking.names.len(), lacking.of));
    // What cannot be read again is not right again.
    let lasts = world.list.is_none() && memory.network.doubts.contains_key(&doubt::Lasting::List);
    let list = (lacks.is_some() || lasts).then_some(Doubt::List { lacks });
    doubt::of_read(world.network, memory.network.mapped_names, is, allowed).chain(list).collect()
}

/// All that people let through and is not done.
fn union(sets: &[Approved]) -> Approved {
    let mut all = Approved::default();
    for set in sets {
        all.removals.extend(set.removals.iter().cloned());
        all.records.extend(set.records.iter().cloned());
        all.additions.extend(set.additions.iter().cloned());
    }
    all
}

type DeferredBefore = BTreeMap<(Action, DomainName), Option<Time>>;

/// What the last pass deferred, each with the end of the pass before it first was.
fn deferred_before(memory: &Memory) -> DeferredBefore {
    let deferred = memory.last_pass.iter().flat_map(|pass| &pass.deferred);
    deferred.map(|step| ((step.action, step.domain.clone()), step.after)).collect()
}

struct Planner<'a> {
    world: &'a World<'a>,
    wanted: Wanted,
    /// The domains that sites have as their own, each with the site; found once a name is missing.
    sites_own: OnceCell<BTreeMap<&'a DomainName, u64>>,
    /// How many names have a mapping.
    mapped_names: u64,
    /// How many removals the brake allows within an hour.
    allowed: usize,
    /// What people let through.
    approved: Approved,
    /// What the list lacks that it had shown.
    lacking: Lacking,
    /// What was deferred before.
    before: DeferredBefore,
    /// When the last pass ended.
    last_ended: Option<Time>,
    /// Whether the database was put back since the last read.
    put_back: bool,
    /// Owned names that it lacks since it was put back.
    restored: BTreeSet<DomainName>,
    /// Names that neither a mapping nor a site speaks for.
    gone: BTreeSet<DomainName>,
    /// Owned aliases whose mapping is certainly gone.
    ready: BTreeSet<DomainName>,
    plan: Plan,
}

/// Why a step is deferred, and how it is released.
#[derive(Clone, Copy)]
struct Cause {
    reason: Reason,
    release: Release,
    until: Option<Time>,
}

impl Cause {
    fn by(doubt: &Doubt) -> Self {
        Self { reason: doubt.reason(), release: doubt.release(), until: None }
    }
}

impl Planner<'_> {
    fn defer(&mut self, action: Action, domain: DomainName, cause: Cause) {
        let Cause { reason, release, until } = cause;
        let key = (action, domain);
        let after = self.before.get(&key).copied().unwrap_or(self.last_ended);
        let (action, domain) = key;
        self.plan.deferred.push(Deferred { action, domain, reason, release, until, after });
    }

    /// The doubt about the read of the network.
    fn doubt_of_read(&self) -> Option<&Doubt> {
        self.plan.doubts.iter().find(|doubt| doubt.is_of_the_read())
    }

    /// What a list in doubt lacks is not added again.
    fn add_again(&mut self) {
        let Some(cause) = self.plan.doubt_of_list().map(Cause::by) else { return };
        let wanted = |name: &&DomainName| self.plan.entries[*name].is_followed();
        let names: Vec<_> = self.lacking.names.iter().filter(wanted).cloned().collect();
        for name in names {
            self.defer(Action::AddAlias, name, cause);
        }
    }

    fn make_records(&mut self, ever_mapped: &MappedSites) {
        let (network, protected) = (self.world.network, self.world.protected);
        let missing = |mark| records::missing(network, protected, mark, ever_mapped);
        let mut missing = match (self.world.policy.records, self.plan.memory.network.site_mark) {
            (Records::Never, _) | (Records::New, None) => Vec::new(),
            (Records::All, _) => missing(None),
            (Records::New, mark) => missing(mark),
        };
        let names: BTreeSet<&DomainName> = missing.iter().map(|record| &record.domain).collect();
        for set in &mut self.plan.memory.approved {
            set.records.retain(|name| names.contains(name));
        }
        if self.world.policy.only_approved {
            missing.retain(|record| self.approved.records.contains(&record.domain));
        }
        match self.doubt_of_read().map(Cause::by) {
            None => self.plan.records = missing,
            Some(cause) => missing
                .into_iter()
                .for_each(|record| self.defer(Action::CreateRecord, record.domain, cause)),
        }
    }

    /// The additions that are due.
    fn call(&mut self) {
        let now = self.world.now;
        let only = self.world.policy.only_approved.then_some(&self.approved.additions);
        for (name, entry) in &self.plan.entries {
            let may = only.is_none_or(|only| only.contains(name));
            if may && entry.is_followed() && entry.due_call(now) == Some(Call::Add) {
                self.plan.calls.insert(name.clone(), Call::Add);
            }
        }
    }

    fn remember(&mut self, known: &MappedSites) {
        let network = self.world.network;
        self.plan.mapped_sites = records::newly_mapped(network, known);
        let sure = self.doubt_of_read().is_none();
        let memory = &mut self.plan.memory.network;
        if sure {
            // What is known of a network is not forgotten for less.
            if network.identity.is_whole() || memory.identity.is_none() {
                memory.identity = Some(network.identity.clone());
            }
            memory.mapped_names = Some(self.mapped_names);
            let mark = memory.site_mark.unwrap_or_else(|| SiteMark::of(network));
            memory.site_mark = Some(mark.timed(network));
        }
        let before = std::mem::take(&mut memory.doubts);
        let lasting = self.plan.doubts.iter().filter_map(Doubt::lasting);
        memory.doubts =
            lasting.map(|it| (it, before.get(&it).copied().unwrap_or(self.last_ended))).collect();
        self.forget_done();
        if let Some(list) = self.world.list {
            // Both are in the order of their texts: one walk, and no name is parsed that is not kept.
            let is_ours = |entry: &&Entry| entry.mapped.is_some() || entry.owned.is_some();
            let ours = self.plan.entries.values().filter(is_ours);
            let mut ours = ours.map(|entry| entry.domain.as_str()).peekable();
            let mut foreign = list.names.iter().filter(|name| {
                while ours.next_if(|ours| ours < name).is_some() {}
                ours.peek() != Some(name)
            });
            let named = foreign.by_ref().take(LastPass::MOST_FOREIGN);
            self.plan.foreign = named.filter_map(|name| name.parse().ok()).collect();
            self.plan.more_foreign = foreign.count();
        }
    }

    /// What is done, or has become needless, of that which people let through.
    fn forget_done(&mut self) {
        let Plan { entries, memory, .. } = &mut self.plan;
        for set in &mut memory.approved {
            let is_open = |name: &DomainName| entries.get(name).is_some_and(|it| !it.is_retired());
            set.removals.retain(|name| self.gone.contains(name) && is_open(name));
            let wants = |name: &DomainName| {
                let entry = entries.get(name).filter(|entry| entry.is_followed());
                entry.is_some_and(|entry| entry.pending_call() == Some(Call::Add))
            };
            set.additions.retain(wants);
        }
        memory.approved.retain(|set| !set.is_done());
    }

    fn finish(mut self) -> Plan {
        self.plan.problems = world_problems(self.world);
        self.plan.problems.append(&mut self.wanted.problems);
        self.plan.problems.extend(self.world.network.problems.iter().cloned());
        self.plan.deferred.sort();
        self.plan
    }
}

/// So many characters are told of what is no name.
const MOST_SHOWN: usize = 120;

/// Problems that are in no row.
fn world_problems(world: &World<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    if world.network.moved {
        let what = format!("{}; {}", Doubt::Moved.sentence(), Doubt::Moved.release().text());
        problems.push(Problem::of_all(what));
    }
    if let Some(list) = world.list.filter(|list| 0 < list.unreadable.count) {
        let Unreadable { count, shown } = &list.unreadable;
        let more = match count - shown.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        // All five and the count are told, however long they are.
        let shown: Vec<_> = shown.iter().map(|text| plain::shortened(text, MOST_SHOWN)).collect();
        problems.push(Problem::of_all(format!(
            "the host's list contains what is not a domain name: `{}`{more}",
            shown.join("`, `")
        )));
    }
    problems
}

#[cfg(test)]
mod tests;
