//! What is seen of twins: whose they are, as the ledger says, and that nothing is done for one which
//! its parent does not ask for.

use std::collections::BTreeSet;
use std::time::Duration;

use rules::DomainName;
use rules::entry::{Entry, OwnedAs};
use rules::twins::Www;

use super::calls::{Scene, is_protected};
use super::{Facts, Watch};
use crate::world::Who;

/// The other name of a pair, where there may be one: of a name right below `example`.
pub(crate) fn other_of(name: &DomainName) -> Option<DomainName> {
    let (bare, is_www) = (name.without_www(), name.as_str().starts_with("www."));
    if bare.split('.').count() != 2 || name.is_wildcard() {
        return None;
    }
    let other = if is_www { bare.to_owned() } else { format!("www.{bare}") };
    other.parse().ok()
}

impl Facts {
    /// The parent of a name that the ledger holds, or held, as a twin.
    pub(crate) fn parent_of(&self, name: &DomainName) -> Option<DomainName> {
        self.entries.get(name).filter(|entry| entry.twin.is_some()).and_then(|_| other_of(name))
    }

    /// A name and, of a twin, its parent.
    pub(crate) fn names_of(&self, name: &DomainName) -> Vec<DomainName> {
        [Some(name.clone()), self.parent_of(name)].into_iter().flatten().collect()
    }

    /// As what a name counts for the brake.
    pub(crate) fn pair_of(&self, name: &DomainName) -> DomainName {
        self.parent_of(name).unwrap_or_else(|| name.clone())
    }

    /// The same of several.
    pub(crate) fn pairs_of<'a>(
        &self,
        names: impl IntoIterator<Item = &'a DomainName>,
    ) -> BTreeSet<DomainName> {
        names.into_iter().map(|name| self.pair_of(name)).collect()
    }

    /// Twins whose parent is among `names`.
    pub(crate) fn twins_of(&self, names: &BTreeSet<DomainName>) -> BTreeSet<DomainName> {
        let parent =
            |name: &&DomainName| self.parent_of(name).is_some_and(|it| names.contains(&it));
        self.entries.keys().filter(parent).cloned().collect()
    }
}

impl Watch {
    /// A name that no row has is added only as a twin: its parent is mapped, twins are wanted, and
    /// its DNS was last seen here. One that was asked for before may be asked for again.
    pub(crate) fn is_asked_for(&mut self, who: Who, name: &DomainName, scene: &Scene<'_>) {
        let Some(read) = self.reads.get(&who) else { return };
        let of_row = |it: &DomainName| it == name;
        let mut rows = scene.tables.mappings.values().filter_map(|row| row.domain.parse().ok());
        if read.mapped().any(of_row) || rows.any(|it: DomainName| it == *name) {
            return;
        }
        let parent = other_of(name).filter(|parent| read.mapped().any(|it| it == parent));
        let facts = &self.ledgers[who.ledger()];
        let is_here = facts.sights_of(name).any(|sight| sight.here == Some(true));
        let again = facts.asked.contains(name);
        // A row that holds no name any more is a mapping that is there.
        let entry = facts.entries.get(name);
        if facts.names_of(name).iter().any(|name| facts.spoilt(name, entry, scene.tables)) {
            return;
        }
        match parent {
            None => self.break_("added-unmapped", scene.at, name.to_string()),
            Some(parent) if is_protected(&parent) => {
                self.break_("twin-of-protected", scene.at, name.to_string());
            }
            Some(_) if self.www == Www::Never && !again => {
                self.break_("twin-not-wanted", scene.at, name.to_string());
            }
            Some(_) if !is_here && !again => {
                self.break_("twin-without-dns", scene.at, name.to_string());
            }
            Some(_) => (),
        }
    }

    /// What the ledger may never hold of a twin.
    pub(crate) fn is_lawful_twin(&mut self, entry: &Entry, at: Duration) {
        if entry.twin.is_none() {
            return;
        }
        if entry.mapped.is_some() {
            self.break_("twin-with-mapping", at, entry.domain.to_string());
        }
        if entry.owned.is_some_and(|owned| owned.how == OwnedAs::Seen) {
            self.break_("twin-owned-as-seen", at, entry.domain.to_string());
        }
    }
}
