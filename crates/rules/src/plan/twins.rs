//! Which entries are twins, and which twins there are besides.

use super::{Planner, World};
use crate::DomainName;
use crate::entry::{Alias, Entry, Mapped};
use crate::planted;
use crate::reason::Reason;
use crate::twins::{self, Www};

impl Planner<'_> {
    /// The mapped name whose twin `entry` is: an entry whose own name no row has, and that is
    /// followed as a twin already or is asked for now.
    pub(super) fn parent_of(&self, entry: &Entry) -> Option<DomainName> {
        if entry.twin.is_none() && self.world.policy.www == Www::Never {
            return None;
        }
        let parent = twins::twin_of(&entry.domain)?;
        let mapped = self.wanted.names.get(&parent)?;
        // Its own row may be there still, or have gone only with a database that was put back.
        let is_its_own = entry.twin.is_none()
            && (self.is_restored(&entry.domain) || !self.unreadable_rows(entry).is_empty());
        let is_free = !self.wanted.others.contains_key(&entry.domain) && !is_its_own;
        let is_free = is_free && !(planted!(ForgetParent) && entry.owned.is_some());
        let stays = entry.twin.is_some() && !entry.is_twin_not_added();
        (is_free && (stays || self.asks_for(&entry.domain, &parent, mapped))).then_some(parent)
    }

    /// Whether the settings ask for the twin of the name `parent`, which is mapped so.
    fn asks_for(&self, twin: &DomainName, parent: &DomainName, mapped: &Mapped) -> bool {
        let World { network, protected, policy, .. } = self.world;
        let row = network.mappings.binary_search_by_key(&mapped.mapping_id, |row| row.id);
        let is_primary = row.is_ok_and(|place| network.mappings[place].primary);
        policy.www.asks_for(network.settings.www, is_primary)
            && protected.why(parent).is_none()
            && protected.why(twin).is_none()
    }

    /// Bring twins up to what this read and the list show: each as it was, as it is otherwise, and the
    /// name of its parent, which was read already.
    pub(super) fn follow_all(&mut self, twins: Vec<(Entry, Entry, DomainName)>) {
        for (before, mut after, parent) in twins {
            self.follow(&mut after, &parent);
            let name = after.domain.clone();
            if after != before {
                self.plan.changed.insert(name.clone(), Some(Box::new(before)));
            }
            self.plan.entries.insert(name, after);
        }
    }

    /// A twin of the name `parent`.
    fn follow(&self, entry: &mut Entry, parent: &DomainName) {
        let now = self.world.now;
        twins::follow(entry, self.plan.entries[parent].rows().collect(), now);
        let protection = self.world.protected.why(&entry.domain);
        if let Some(why) = &protection {
            let (reason, detail) = (Some(Reason::ProtectedName), Some(why.to_string()));
            entry.alias.set(now, Alias::Protected, reason, detail);
            entry.step.intent = None;
        }
        self.see(entry, protection.is_some());
        // What a list in doubt lacks says nothing.
        let list = self.world.list.filter(|_| !self.lacking.doubtful);
        twins::settle(entry, list, now);
    }

    /// Those that are not added are checked when their parents are.
    pub(super) fn pace_twins(&mut self) {
        let now = self.world.now;
        let entries = &self.plan.entries;
        let paced = |(name, entry): (&DomainName, &Entry)| {
            let parent = entries.get(&entry.twin_of()?)?;
            Some((name.clone(), twins::paced(entry, parent, now)?))
        };
        let paced: Vec<_> = entries.iter().filter_map(paced).collect();
        for (name, due) in paced {
            let entry = self.plan.entries.get_mut(&name).expect("it was among them");
            let before = entry.clone();
            entry.checks.due = due;
            self.plan.changed.entry(name).or_insert(Some(Box::new(before)));
        }
    }

    /// Twins that are asked for and not recorded.
    pub(super) fn meet_twins(&mut self) {
        let now = self.world.now;
        if self.world.policy.www == Www::Never {
            return;
        }
        let mut new = Vec::new();
        for (parent, mapped) in &self.wanted.names {
            let Some(twin) = twins::twin_of(parent) else { continue };
            let is_known = self.plan.entries.contains_key(&twin)
                || self.wanted.names.contains_key(&twin)
                || self.wanted.others.contains_key(&twin);
            if !is_known && self.asks_for(&twin, parent, mapped) {
                new.push((twin, parent));
            }
        }
        let of = |(twin, parent): (DomainName, &DomainName)| {
            let mut entry = twins::candidate(twin, &self.plan.entries[parent], now);
            self.follow(&mut entry, parent);
            entry
        };
        let new: Vec<Entry> = new.into_iter().map(of).collect();
        for entry in new {
            self.plan.changed.insert(entry.domain.clone(), None);
            self.plan.entries.insert(entry.domain.clone(), entry);
        }
    }
}
