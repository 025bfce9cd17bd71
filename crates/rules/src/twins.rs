//! The `www` twin of a mapped name: `www.X` for a registrable `X`, and `X` for `www.X`.
//!
//! Visitors take both for one, and WordPress finds a mapping by either (facts: the lookup), but the
//! host answers only for the names it has. So the twin becomes an alias of its own once its DNS leads
//! here. It is followed like its parent, has no stage, as it has no row, and goes with its parent:
//!
//! ```text
//!   parent mapped ──▶ candidate ──DNS here──▶ wanted ──▶ present ──parent gone──▶ removed
//!                         ▲                     │
//!                         └──DNS elsewhere──────┘       once it was asked for, its DNS does not matter
//! ```
//!
//! Only one that we added is owned. A row of its own wins: then it is a mapped name like any other.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer;
use crate::entry::{Alias, Entry, Gone, OwnedAs, Routing};
use crate::host::AliasList;
use crate::network::WwwTwins;
use crate::words::words;
use crate::{DomainName, Time};

words! {
    /// Whether twins are added.
    Www {
        /// No new ones; those that were added stay, and go with their parents.
        Never = "never",
        /// As Ultimate Multisite's `auto_create_www_subdomain` says, once their DNS is here.
        AsWordpress = "as-wordpress",
        /// All, once their DNS is here.
        WhenDnsReady = "when-dns-ready",
    }
}

/// As a new ledger starts.
impl Default for Www {
    fn default() -> Self {
        Self::WhenDnsReady
    }
}

impl Www {
    /// Whether the twin of a name is wanted; `is_primary`: whether its row is its site's primary
    /// domain.
    pub fn asks_for(self, wordpress: WwwTwins, is_primary: bool) -> bool {
        match (self, wordpress) {
            (Self::WhenDnsReady, _) | (Self::AsWordpress, WwwTwins::Always) => true,
            (Self::AsWordpress, WwwTwins::MainOnly) => is_primary,
            (Self::AsWordpress, WwwTwins::Never) | (Self::Never, _) => false,
        }
    }
}

words! {
    /// That an entry is no mapping's but a twin.
    Twin {
        /// Its parent is mapped.
        Follows = "follows",
        /// Its parent's mapping is gone.
        Goes = "goes",
    }
}

/// The twin of `name`, which is the other way round too; none where the shorter of the two is not
/// registrable.
pub fn twin_of(name: &DomainName) -> Option<DomainName> {
    if name.is_wildcard() || !is_registrable(name.without_www()) {
        return None;
    }
    name.twin()
}

/// Whether `name` is one label below a public suffix. Companies' own suffixes count here: below them
/// each name is another customer's.
fn is_registrable(name: &str) -> bool {
    psl::domain_str(name) == Some(name)
}

/// The name as which `entry` counts for the brake: a twin and its parent are one.
pub fn counted_as(entry: &Entry) -> DomainName {
    entry.twin_of().unwrap_or_else(|| entry.domain.clone())
}

/// The names whose rows and sites speak for `entry`: its own, and of a twin its parent's.
pub(crate) fn names(entry: &Entry) -> impl Iterator<Item = DomainName> {
    [Some(entry.domain.clone()), entry.twin_of()].into_iter().flatten()
}

/// How many `entries` are where a twin and its parent are one.
pub fn count<'a>(entries: impl Iterator<Item = &'a Entry> + Clone) -> usize {
    let parents: BTreeSet<DomainName> = entries.clone().filter_map(Entry::twin_of).collect();
    let alone = |entry: &&Entry| entry.twin.is_none() && !parents.contains(&entry.domain);
    entries.filter(alone).count() + parents.len()
}

impl Entry {
    /// The parent of a twin; none of an entry that is none.
    pub fn twin_of(&self) -> Option<DomainName> {
        self.twin.and_then(|_| self.domain.twin())
    }

    /// Whether it is checked, and added where it is wanted: a row has its name, or its parent's.
    pub fn is_followed(&self) -> bool {
        self.mapped.is_some() || self.twin == Some(Twin::Follows)
    }

    /// Whether it is a twin that is neither at the host nor asked for: people need not see it.
    pub fn is_candidate(&self) -> bool {
        self.twin.is_some() && self.alias.state == Alias::Absent
    }

    /// Whether people see it among the others: something is owed to it, or it is at the host.
    pub fn is_listed(&self) -> bool {
        !self.is_retired() && !self.is_candidate()
    }

    /// Whether the host may have it by us: it is owned, or was asked for.
    fn was_asked_for(&self) -> bool {
        use Alias::{Adding, Present, Removing};
        let is_there = matches!(self.alias.state, Adding | Present | Removing);
        is_there || self.owned.is_some() || self.step.intent.is_some()
    }

    /// Whether it is a twin that can be dropped as if it had never been one.
    pub(crate) fn is_twin_not_added(&self) -> bool {
        self.twin.is_some() && !self.was_asked_for()
    }
}

/// The entry of a twin that is read for the first time.
pub(crate) fn candidate(name: DomainName, parent: &Entry, now: Time) -> Entry {
    let mut entry = Entry::new(name, None, now);
    entry.alias.state = Alias::Absent;
    (entry.checks.due, entry.checks.hot_until) = (parent.checks.due, now);
    entry
}

/// When a twin that is not added is checked next: when its parent is, and no more often. So those of
/// a network at rest are as rarely checked as its domains, and as far apart. What is due stays due.
pub(crate) fn paced(entry: &Entry, parent: &Entry, now: Time) -> Option<Time> {
    let due = parent.checks.due;
    (entry.is_candidate() && now < entry.checks.due && entry.checks.due != due).then_some(due)
}

/// `entry` is a twin whose parent these `rows` have. An alias that was only seen at the host is not
/// owned by that: it may be anybody's.
pub(crate) fn follow(entry: &mut Entry, rows: Vec<u64>, now: Time) {
    entry.mapped = None;
    entry.twin = Some(Twin::Follows);
    entry.other_rows = rows;
    (entry.gone, entry.tombstone) = (Gone::default(), None);
    entry.owned.take_if(|owned| owned.how == OwnedAs::Seen);
    match (entry.alias.state, entry.step.intent) {
        (Alias::Present, _) | (Alias::Removing, None) => {
            entry.alias.set(now, Alias::Present, None, None);
        }
        // Whether that happened, the list or adding again shows.
        (Alias::Removing, Some(_)) => {
            (entry.step.tries, entry.step.due) = (0, now);
            entry.alias.set(now, Alias::Adding, None, None);
        }
        (Alias::Protected, _) => entry.alias.set(now, Alias::Absent, None, None),
        (Alias::Wanted | Alias::Adding | Alias::Rejected | Alias::Absent, _) => (),
    }
}

/// What follows for the alias of a twin from where its DNS leads and from the host's `list`: it is
/// wanted once that is here, and not asked for else. One that was asked for stays.
///
/// Only a list that lacks it lets it be added: whatever is there then is ours to remove. Else it may
/// have been there before us.
pub(crate) fn settle(entry: &mut Entry, list: Option<&AliasList>, now: Time) {
    let is_here = entry.routing.state == Routing::Here;
    match entry.alias.state {
        Alias::Absent if is_here && answer::lacks(list, entry) => {
            (entry.step.tries, entry.step.due) = (0, now);
            entry.alias.set(now, Alias::Wanted, None, None);
        }
        Alias::Wanted | Alias::Rejected if !is_here && !entry.was_asked_for() => {
            entry.alias.set(now, Alias::Absent, None, None);
        }
        _ => (),
    }
}

/// Where an entry is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// By itself.
    Own,
    /// A twin, right below its parent.
    BelowParent,
}

/// `entries` as people read them: each twin right below its parent, where that is among them.
pub fn below_parents<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(&'a Entry, Place)> {
    let entries: Vec<&Entry> = entries.collect();
    let names: BTreeSet<&DomainName> = entries.iter().map(|entry| &entry.domain).collect();
    let below = |entry: &Entry| entry.twin_of().filter(|parent| names.contains(parent));
    let (twins, others): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| below(entry).is_some());
    let mut twins: BTreeMap<DomainName, &Entry> =
        twins.into_iter().filter_map(|entry| Some((entry.twin_of()?, entry))).collect();
    let with_twin = |entry: &'a Entry| {
        let twin = twins.remove(&entry.domain).map(|twin| (twin, Place::BelowParent));
        [Some((entry, Place::Own)), twin].into_iter().flatten()
    };
    others.into_iter().flat_map(with_twin).collect()
}
