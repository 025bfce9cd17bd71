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
use crate::planted;
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
    let registrable = name.registrable()?;
    (registrable.as_str() == name.without_www()).then(|| name.twin())?
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

/// A twin whose DNS is here is wanted, and one whose DNS is not here is not asked for.
///
/// Only a `list` of the host's that lacks it lets it be added: whatever is there then is ours to
/// remove. Else it may have been there before us.
pub(crate) fn settle(entry: &mut Entry, list: Option<&AliasList>, now: Time) {
    withdraw(entry, now);
    let is_here = entry.routing.state == Routing::Here || planted!(AddTwinElsewhere);
    if entry.alias.state == Alias::Absent && is_here && answer::lacks(list, entry) {
        (entry.step.tries, entry.step.due) = (0, now);
        entry.alias.set(now, Alias::Wanted, None, None);
    }
}

/// A twin whose DNS is not here, and that was not asked for, is not. One that was stays.
pub(crate) fn withdraw(entry: &mut Entry, now: Time) {
    let is_pending = matches!(entry.alias.state, Alias::Wanted | Alias::Rejected);
    if is_pending && entry.routing.state != Routing::Here && entry.is_twin_not_added() {
        entry.alias.set(now, Alias::Absent, None, None);
    }
}

/// Where an entry is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Indent {
    /// By itself.
    None,
    /// A twin, right below its parent.
    BelowParent,
}

/// `entries` as people read them: each twin right below its parent, where that is among them.
pub fn below_parents<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<(&'a Entry, Indent)> {
    let entries: Vec<&Entry> = entries.collect();
    let names: BTreeSet<&DomainName> = entries.iter().map(|entry| &entry.domain).collect();
    let below = |entry: &Entry| entry.twin_of().filter(|parent| names.contains(parent));
    let (twins, others): (Vec<&Entry>, Vec<&Entry>) =
        entries.iter().partition(|entry| below(entry).is_some());
    let mut twins: BTreeMap<DomainName, &Entry> =
        twins.into_iter().filter_map(|entry| Some((entry.twin_of()?, entry))).collect();
    let with_twin = |entry: &'a Entry| {
        let twin = twins.remove(&entry.domain).map(|twin| (twin, Indent::BelowParent));
        [Some((entry, Indent::None)), twin].into_iter().flatten()
    };
    others.into_iter().flat_map(with_twin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Intent, Owned};

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    fn name(text: &str) -> DomainName {
        text.parse().unwrap()
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn only_a_registrable_name_has_a_twin_and_each_is_the_others() {
        let table = [
            ("shop.example",          Some("www.shop.example")),
            ("www.shop.example",      Some("shop.example")),
            ("shop.example.co.uk",    None),
            ("example.co.uk",         Some("www.example.co.uk")),
            ("co.uk",                 None),
            ("www.co.uk",             None), // registrable itself, and its shorter name is not
            ("a.shop.example",        None),
            ("www.a.shop.example",    None),
            ("www.www.shop.example",  None),
            ("*.shop.example",        None),
            ("shop.github.io",        Some("www.shop.github.io")), // a company's own suffix
            ("github.io",             None),
            ("a.shop.github.io",      None),
            ("bücher.example",        Some("www.xn--bcher-kva.example")),
            ("食狮.公司.cn",          Some("www.xn--85x722f.xn--55qx5d.cn")),
            ("公司.cn",               None),
        ];
        for (text, twin) in table {
            let found = twin_of(&name(text));
            assert_eq!(found.as_ref().map(DomainName::as_str), twin, "{text}");
            assert_eq!(found.and_then(|twin| twin_of(&twin)), twin.map(|_| name(text)), "{text}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn twins_are_wanted_as_the_operator_says_or_as_wordpress_does() {
        use WwwTwins::{Always, MainOnly, Never};
        let table = [
            // setting            WordPress  of primary domains, of others
            (Www::Never,          Always,    false, false),
            (Www::WhenDnsReady,   Never,     true,  true),
            (Www::AsWordpress,    Always,    true,  true),
            (Www::AsWordpress,    MainOnly,  true,  false),
            (Www::AsWordpress,    Never,     false, false),
        ];
        for (www, wordpress, primary, other) in table {
            let asks = [true, false].map(|is_primary| www.asks_for(wordpress, is_primary));
            assert_eq!(asks, [primary, other], "{www} {wordpress:?}");
        }
    }

    fn twin(text: &str, alias: Alias) -> Entry {
        let mut entry = Entry::new(name(text), None, at(0));
        entry.twin = Some(Twin::Follows);
        entry.alias.state = alias;
        entry
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_twin_is_wanted_once_its_dns_is_here_and_a_list_lacks_it() {
        use Alias::{Absent, Adding, Present, Rejected, Wanted};
        use Routing::{Elsewhere, Here, Unknown};
        let (lacks, empty) = (Some("shop.example"), Some(""));
        let table = [
            // what it shows                    before    DNS        list   owned  after
            ("here, and not at the host",       Absent,   Here,      lacks, false, Wanted),
            ("nobody says what the host has",   Absent,   Here,      None,  false, Absent),
            ("an empty list says nothing",      Absent,   Here,      empty, false, Absent),
            ("elsewhere",                       Absent,   Elsewhere, lacks, false, Absent),
            ("never seen",                      Absent,   Unknown,   lacks, false, Absent),
            ("it left before it was asked for", Wanted,   Elsewhere, lacks, false, Absent),
            ("or was never there",              Wanted,   Unknown,   lacks, false, Absent),
            ("refused, and elsewhere now",      Rejected, Elsewhere, lacks, false, Absent),
            ("refused, and here",               Rejected, Here,      lacks, false, Rejected),
            ("asked for is asked for",          Adding,   Elsewhere, lacks, false, Adding),
            ("there is there",                  Present,  Elsewhere, lacks, false, Present),
            ("ours is to be there",             Wanted,   Elsewhere, lacks, true,  Wanted),
        ];
        for (shows, before, dns, list, owned, after) in table {
            let mut entry = twin("www.shop.example", before);
            entry.routing.state = dns;
            entry.owned = owned.then_some(Owned { how: OwnedAs::Added, since: at(0) });
            let names = list.map(|names| names.split_whitespace().filter_map(|it| it.parse().ok()).collect());
            let list = names.map(|names| AliasList { names, ..AliasList::default() });
            settle(&mut entry, list.as_ref(), at(9));
            assert_eq!(entry.alias.state, after, "{shows}");
        }
    }

    #[test]
    fn what_was_under_way_when_a_name_becomes_a_twin_goes_on() {
        use Alias::{Absent, Adding, Present, Protected, Removing};
        let open = Some(Intent { at: at(0), list_lacked: true });
        let table = [
            (Present, None, Present),
            (Removing, None, Present),
            (Removing, open, Adding),
            (Adding, open, Adding),
            (Protected, None, Absent),
        ];
        for (before, intent, after) in table {
            let mut entry = twin("www.shop.example", before);
            (entry.twin, entry.step.intent) = (Some(Twin::Goes), intent);
            (entry.gone.reads, entry.tombstone) = (2, Some(at(0)));
            follow(&mut entry, vec![7], at(9));
            assert_eq!((entry.alias.state, entry.step.intent), (after, intent), "{before}");
            assert_eq!((entry.gone.reads, entry.tombstone), (0, None), "{before}");
            assert_eq!((entry.twin, &entry.other_rows[..]), (Some(Twin::Follows), &[7][..]));
        }
    }

    #[test]
    fn a_pair_counts_once_and_two_mapped_names_are_two() {
        let own = |text| Entry::new(name(text), None, at(0));
        let entries = [
            own("a.example"),
            twin("www.a.example", Alias::Present),
            own("b.example"),
            own("www.b.example"),
            twin("www.c.example", Alias::Present),
        ];
        assert_eq!(count(entries.iter()), 4);
        let names: BTreeSet<DomainName> = entries.iter().map(counted_as).collect();
        assert_eq!(names.len(), 4);
    }

    #[test]
    fn a_twin_is_shown_below_its_parent_and_by_itself_where_that_is_not_shown() {
        let own = |text| Entry::new(name(text), None, at(0));
        let apex = twin("c.example", Alias::Present);
        let entries = [
            own("a.example"),
            own("b.example"),
            apex,
            twin("www.a.example", Alias::Present),
            own("www.c.example"),
            twin("www.d.example", Alias::Present),
        ];
        let shown = below_parents(entries.iter());
        let lines: Vec<_> = shown.iter().map(|(entry, at)| (entry.domain.as_str(), *at)).collect();
        let want = [
            ("a.example", Indent::None),
            ("www.a.example", Indent::BelowParent),
            ("b.example", Indent::None),
            ("www.c.example", Indent::None),
            ("c.example", Indent::BelowParent),
            ("www.d.example", Indent::None),
        ];
        assert_eq!(lines, want);
    }
}
