//! What is known of one ledger and of the passes that write it.

use rules::network::Switch;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rules::action::Approved;
use rules::host::AliasList;
use rules::ledger::Memory;
use rules::removal::Brake;
use rules::{DomainName, Entry, Network, Time};

use super::other_of;

/// How far apart two good reads must be; a list that is asked between makes them look nearer.
const GAP: Duration = Duration::from_secs(30);

/// A plan that a person looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Printed {
    pub(crate) hash: String,
    /// Names that it shows gone.
    pub(crate) gone: BTreeSet<DomainName>,
    /// Whether it holds something back that a person may let through.
    pub(crate) holds: bool,
    /// Names that it shows a record for.
    pub(crate) records: BTreeSet<DomainName>,
}

/// What reached an installation last.
pub(crate) struct Read {
    pub(crate) network: Network,
    pub(crate) list: Option<AliasList>,
}

impl Read {
    pub(crate) fn mapped(&self) -> impl Iterator<Item = &DomainName> {
        self.network.mappings.iter().map(|row| &row.domain)
    }
}

/// What was last seen of a domain, where anything was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) here: Option<bool>,
    pub(crate) good: Option<bool>,
    /// When its zone was first and last seen to fail since DNS answered.
    pub(crate) fails: Option<(Moment, Moment)>,
}

impl Seen {
    fn fails(&mut self, now: Moment) {
        let first = self.fails.map_or(now, |(first, _)| (first.0, first.1.min(now.1)));
        self.fails = Some((first, now));
    }

    /// Whether its zone failed for so long.
    pub(crate) fn failed_for(&self, span: Duration) -> bool {
        self.fails.is_some_and(|(first, last)| {
            span <= last.0.saturating_sub(first.0) || span <= last.1.since(first.1)
        })
    }
}

/// How often good reads have lacked a name, and when the last one counted.
#[derive(Clone, Copy, Debug)]
struct Missing {
    reads: u32,
    counted: Moment,
}

/// How much time has passed, and what the clock shows: either may be the one that the engine went by.
pub(crate) type Moment = (Duration, Time);

fn is_far(now: Moment, counted: Moment) -> bool {
    GAP <= now.0.saturating_sub(counted.0) || GAP <= now.1.since(counted.1)
}

/// The same of every name.
#[derive(Clone, Debug, Default)]
struct Counts(BTreeMap<DomainName, Missing>);

impl Counts {
    /// A read showed `names`; where it was good, it lacked these at that time.
    fn read(
        &mut self,
        names: &BTreeSet<DomainName>,
        lacked: Option<(&BTreeSet<DomainName>, Moment)>,
    ) {
        self.0.retain(|name, _| !names.contains(name));
        let Some((lacked, now)) = lacked else { return };
        for name in lacked {
            let counted = self.0.entry(name.clone()).or_insert(Missing { reads: 0, counted: now });
            if counted.reads == 0 || is_far(now, counted.counted) {
                *counted = Missing { reads: counted.reads + 1, counted: now };
            }
        }
    }
}

#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) entries: BTreeMap<DomainName, Entry>,
    pub(crate) memory: Memory,
    /// Names that it may call its own: it added them, or saw them present while mapped.
    pub(crate) claims: BTreeSet<DomainName>,
    /// Names that were stored while a call for them was open: it may have gone out.
    pub(crate) asked: BTreeSet<DomainName>,
    missing: Counts,
    /// The same before the last read, and as a process that died at its last read left it.
    before: Counts,
    after_crash: Counts,
    /// The rows that each name was mapped by when it was last read, and those of them since that
    /// hold no name any more.
    pub(crate) rows: BTreeMap<DomainName, BTreeSet<u64>>,
    /// The same before the last read.
    rows_before: BTreeMap<DomainName, BTreeSet<u64>>,
    pub(crate) in_flight: BTreeSet<DomainName>,
    /// Names that the host gave a clear answer for in this pass.
    pub(crate) answered: BTreeSet<DomainName>,
    pub(crate) sights: BTreeMap<DomainName, Seen>,
    /// When DNS last answered for any name.
    pub(crate) resolved: Option<Duration>,
    /// When it last failed for every name.
    pub(crate) all_fail: Option<Duration>,
    /// The same when a pass last ended, or a stage was written by it: all that a crash surely leaves.
    recorded_sights: BTreeMap<DomainName, Seen>,
    /// What a process goes by after a crash, until it sees a domain itself.
    recalled_sights: BTreeMap<DomainName, Seen>,
    /// Names that became claims by a call that is under way.
    pub(crate) hoped: BTreeSet<DomainName>,
    /// Names whose last answer was a no.
    pub(crate) refused: BTreeSet<DomainName>,
    /// The plan that is being applied.
    pub(crate) apply: Option<Printed>,
    /// What was removed in this pass without a person's word.
    pub(crate) removed: BTreeSet<DomainName>,
    /// The same of the last hour.
    pub(crate) removals: Vec<(Moment, DomainName)>,
    /// What was owned when the pass began, a pair as one.
    pub(crate) owned: BTreeSet<DomainName>,
    /// What of it a list had shown.
    pub(crate) shown: BTreeSet<DomainName>,
}

impl Facts {
    /// A read begins a pass: count what it lacks, where it can be relied on.
    pub(crate) fn begin_pass(&mut self, network: &Network, now: Moment, brake: Brake) {
        self.removed.clear();
        let live = self.entries.values().filter(|entry| !entry.is_retired());
        let owned = live.filter(|entry| entry.owned.is_some());
        self.owned = self.pairs_of(owned.clone().map(|entry| &entry.domain));
        let shown = owned.filter(|entry| entry.shown);
        self.shown = shown.map(|entry| entry.domain.clone()).collect();
        let names: BTreeSet<_> = network.mappings.iter().map(|row| row.domain.clone()).collect();
        let is = (names.len() + network.unreadable.len()) as u64;
        let was = self.memory.network.mapped_names.unwrap_or(0);
        let fell = (brake.allows(self.owned.len()) as u64) < was.saturating_sub(is) && is * 2 < was;
        let good = !network.moved && (!fell || self.apply.is_some());
        // Nothing is planned on it, so nothing is learnt from it.
        if network.switch != Switch::On {
            return;
        }
        self.rows_before = self.rows.clone();
        for row in &network.mappings {
            let others = self.rows.iter_mut().filter(|(name, _)| **name != row.domain);
            others.for_each(|(_, rows)| _ = rows.remove(&row.id));
        }
        for name in &names {
            let spoilt = |id: &u64| network.unreadable.contains_key(id);
            self.rows.entry(name.clone()).or_default().retain(spoilt);
        }
        for row in network.mappings.iter().filter(|row| network.sites.contains_key(&row.site_id)) {
            self.rows.entry(row.domain.clone()).or_default().insert(row.id);
        }
        let mut there = self.twins_of(&names);
        there.extend(names);
        let known: BTreeSet<_> =
            self.entries.keys().filter(|it| !there.contains(*it)).cloned().collect();
        self.before = self.missing.clone();
        for counts in [&mut self.missing, &mut self.after_crash] {
            counts.read(&there, if good { Some((&known, now)) } else { None });
        }
    }

    /// Whether a person let something through that is to be done with the name, as it is written.
    pub(crate) fn is_approved(&self, name: &DomainName) -> bool {
        let has = |set: &Approved| {
            [&set.removals, &set.records, &set.additions].iter().any(|it| it.contains(name))
        };
        self.memory.approved.iter().any(has)
    }

    /// In how many good reads in a row the name was missing. A read that a crash followed may be
    /// forgotten or not.
    pub(crate) fn missing_in(&self, name: &DomainName) -> u32 {
        let counts = [&self.missing, &self.after_crash];
        counts.into_iter().filter_map(|it| it.0.get(name)).map(|it| it.reads).max().unwrap_or(0)
    }

    /// The process died: what its last read showed may be forgotten.
    pub(crate) fn die(&mut self) {
        self.answered.clear();
        self.apply = None;
        self.recalled_sights = self.recorded_sights.clone();
        self.after_crash = self.before.clone();
        self.read_for_nothing();
    }

    /// An answer came about `name`: take it in.
    pub(crate) fn saw(&mut self, name: &DomainName, take_in: impl FnOnce(&mut Seen)) {
        self.recalled_sights.remove(name);
        take_in(self.sights.entry(name.clone()).or_default());
    }

    /// DNS failed for `name`, and for no other.
    pub(crate) fn saw_fail(&mut self, name: &DomainName, now: Moment) {
        self.sights.entry(name.clone()).or_default().fails(now);
        if let Some(recalled) = self.recalled_sights.get_mut(name) {
            recalled.fails(now);
        }
    }

    /// What a stage of `name` may say, the newest first.
    pub(crate) fn sights_of(&self, name: &DomainName) -> impl Iterator<Item = Seen> {
        let newest = self.sights.get(name).copied().unwrap_or_default();
        [newest].into_iter().chain(self.recalled_sights.get(name).copied())
    }

    /// A stage is written by `sight`: no older one may be recalled from now on.
    pub(crate) fn wrote_by(&mut self, name: &DomainName, sight: Seen) {
        self.recorded_sights.insert(name.clone(), sight);
        self.recalled_sights.remove(name);
    }

    /// A pass ended: what was seen is written down, but for what a crash took.
    pub(crate) fn record_sights(&mut self) {
        let recalled = &self.recalled_sights;
        let seen = self.sights.iter().filter(|(name, _)| !recalled.contains_key(*name));
        self.recorded_sights.extend(seen.map(|(name, sight)| (name.clone(), *sight)));
    }

    /// Nothing was written after the last read: what it taught of rows may be forgotten.
    pub(crate) fn read_for_nothing(&mut self) {
        let before = &self.rows_before;
        for (name, rows) in &mut self.rows {
            rows.retain(|row| before.get(name).is_some_and(|before| before.contains(row)));
        }
    }

    /// A person deleted the mapping: that counts as the first good read.
    pub(crate) fn operator_removed(&mut self, name: &DomainName, now: Moment) {
        let twin = other_of(name).filter(|twin| self.parent_of(twin).is_some());
        for name in twin.iter().chain([name]) {
            for counts in [&mut self.missing, &mut self.after_crash] {
                counts.0.insert(name.clone(), Missing { reads: 1, counted: now });
            }
        }
    }
}
