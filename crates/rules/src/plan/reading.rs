//! Every entry brought up to what a read and the list show.

use std::collections::BTreeMap;

use super::{Cause, Planner};
use crate::action::{Action, Release};
use crate::answer;
use crate::doubt::Doubt;
use crate::entry::{Alias, Entry, Gone, LeftAlone, Mapped};
use crate::judge;
use crate::planted;
use crate::reason::Reason;
use crate::removal::{RemovalPolicy, is_ours};
use crate::times;
use crate::twins::{self, Twin};
use crate::{DomainName, Network, Time};

impl Planner<'_> {
    /// Bring every entry up to what this read and the list show.
    pub(super) fn read(&mut self, recorded: BTreeMap<DomainName, Entry>) {
        let now = self.world.now;
        let (mut met, mut twins) = (0, Vec::new());
        for (name, before) in recorded {
            let mut after = before.clone();
            if !self.world.policy.clock_is_wrong {
                times::mend(&mut after, self.world.policy.interval, now);
                judge::passes_by(&mut after, now);
            }
            match self.wanted.names.get(&name).cloned() {
                Some(mapped) => {
                    met += 1;
                    self.want(&mut after, mapped);
                }
                None => match self.parent_of(&after) {
                    Some(parent) => {
                        twins.push((before, after, parent));
                        continue;
                    }
                    None => self.miss(&mut after),
                },
            }
            if after != before {
                self.plan.changed.insert(name.clone(), Some(Box::new(before)));
            }
            self.plan.entries.insert(name, after);
        }
        if met < self.wanted.names.len() {
            self.meet_names();
        }
        self.follow_all(twins);
        self.meet_twins();
        self.pace_twins();
    }

    /// Names that are mapped and not recorded.
    fn meet_names(&mut self) {
        let now = self.world.now;
        let is_new = |(name, _): &(&DomainName, &Mapped)| !self.plan.entries.contains_key(*name);
        let new = self.wanted.names.iter().filter(is_new);
        let new: Vec<_> = new.map(|(name, mapped)| (name.clone(), mapped.clone())).collect();
        for (name, mapped) in new {
            let mut entry = Entry::new(name.clone(), Some(mapped.clone()), now);
            self.want(&mut entry, mapped);
            self.plan.changed.insert(name.clone(), None);
            self.plan.entries.insert(name, entry);
        }
    }

    /// A name that is mapped.
    fn want(&self, entry: &mut Entry, mapped: Mapped) {
        let now = self.world.now;
        let mut others = self.wanted.others.get(&entry.domain).cloned().unwrap_or_default();
        others.extend(self.unreadable_rows(entry));
        others.retain(|row| *row != mapped.mapping_id);
        entry.other_rows = others;
        let protection = self.world.protected.why(&entry.domain);
        match &protection {
            None => entry.want(mapped, now),
            Some(why) => {
                entry.map(mapped, now);
                let (reason, detail) = (Some(Reason::ProtectedName), Some(why.to_string()));
                entry.alias.set(now, Alias::Protected, reason, detail);
                entry.step.intent = None;
            }
        }
        self.see(entry, protection.is_some());
    }

    /// A name that is not mapped, or not to a site of ours.
    fn miss(&mut self, entry: &mut Entry) {
        let now = self.world.now;
        let unreadable = self.unreadable_rows(entry);
        if !unreadable.is_empty() {
            return self.keep_unreadable(entry, unreadable);
        }
        entry.other_rows = match self.rows_elsewhere(entry) {
            Some(rows) => rows,
            None => entry.rows().filter(|row| !self.has_another_name(*row)).collect(),
        };
        entry.mapped = None;
        entry.twin = entry.twin.map(|_| Twin::Goes);
        // A person agreed that the list lacks it: that says nothing of it from then on.
        entry.shown &= !self.approved.removals.contains(&entry.domain);
        let protected = self.world.protected.why(&entry.domain).is_some();
        self.see(entry, protected);
        if self.is_kept(entry) {
            return keep(entry, None, now);
        }
        let ours = is_ours(entry) && !protected;
        // Whatever else keeps it now, it is not removed later because the database lacks it.
        let restored = ours && self.is_restored(&entry.domain);
        if restored {
            self.restored.insert(entry.domain.clone());
        }
        let own = self.site_with(entry).filter(|_| ours);
        if let Some((site, name)) = own.filter(|_| !planted!(RemoveSitesOwn)) {
            let what = if name == entry.domain { "it" } else { name.as_str() };
            let why = format!("site {site} has {what} as its own domain");
            return keep(entry, Some((Reason::SitesOwnName, why)), now);
        }
        if ours && self.world.policy.removal == RemovalPolicy::AddOnly {
            let why = "`removal.policy` is add-only".to_owned();
            return keep(entry, Some((Reason::AddOnly, why)), now);
        }
        self.gone.insert(entry.domain.clone());
        self.count(entry);
        if entry.alias.state == Alias::Absent {
            return;
        }
        if restored {
            if entry.alias.state == Alias::Present {
                let reason = Some(Reason::DatabaseRestored);
                entry.alias.set(now, Alias::Present, reason, None);
            }
        } else if entry.gone.reads < self.world.policy.confirmations {
            if entry.alias.state == Alias::Present {
                entry.alias.set(now, Alias::Present, Some(Reason::MappingGone), None);
            }
            if ours {
                let cause = self.waiting(entry);
                self.defer(Action::RemoveAlias, entry.domain.clone(), cause);
            }
        } else if ours {
            self.ready.insert(entry.domain.clone());
        } else {
            entry.step.intent = None;
            entry.alias.set(now, Alias::Absent, Some(Reason::NotOurs), None);
        }
    }

    /// Whether the database lacks a name because it was put back, and nobody let that go.
    pub(super) fn is_restored(&self, name: &DomainName) -> bool {
        let covered = self.put_back || self.plan.memory.network.restored.contains(name);
        covered && !self.approved.removals.contains(name)
    }

    /// What the database lacks since it was put back is remembered, and stays.
    pub(super) fn restored(&mut self) {
        self.plan.memory.network.restored.clone_from(&self.restored);
        let lacks = self.restored.len();
        if 0 < lacks {
            let doubt = Doubt::Restored { lacks };
            let cause = Cause::by(&doubt);
            self.plan.doubts.push(doubt);
            for name in std::mem::take(&mut self.restored) {
                self.defer(Action::RemoveAlias, name, cause);
            }
        }
    }

    /// The site that has a name as its own domain, or that whose twin it is; with that name.
    fn site_with(&self, entry: &Entry) -> Option<(u64, DomainName)> {
        let sites = self.sites_own.get_or_init(|| sites_own(self.world.network));
        twins::names(entry).find_map(|name| Some((*sites.get(&name)?, name)))
    }

    /// The rows by which a name, or that whose twin it is, leads to no site of ours.
    fn rows_elsewhere(&self, entry: &Entry) -> Option<Vec<u64>> {
        twins::names(entry).find_map(|name| self.wanted.others.get(&name).cloned())
    }

    /// Whether there are such rows.
    fn is_kept(&self, entry: &Entry) -> bool {
        twins::names(entry).any(|name| self.wanted.kept.contains(&name))
    }

    /// Of the rows that had the name those whose text is no domain name now.
    pub(super) fn unreadable_rows(&self, entry: &Entry) -> Vec<u64> {
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
            mapped.left_alone = Some(LeftAlone::Misspelled);
            if !unreadable.contains(&mapped.mapping_id) {
                mapped.mapping_id = unreadable[0];
                mapped.site_id = self.world.network.unreadable[&unreadable[0]];
            }
        }
        let speaks = entry.mapped.as_ref().map(|mapped| mapped.mapping_id);
        entry.other_rows = unreadable;
        entry.other_rows.retain(|row| Some(*row) != speaks);
        self.see(entry, true);
        twins::withdraw(entry, self.world.now);
        keep(entry, None, self.world.now);
    }

    /// Count this read, where it is good and not too close to the last. What a person let through
    /// needs no other.
    fn count(&self, entry: &mut Entry) {
        let now = self.world.now;
        let far = |at: Time| self.world.policy.gap <= now.since(at);
        let wanted = self.world.policy.confirmations;
        if (self.doubt_of_read().is_none() || planted!(CountDoubtfulRead))
            && entry.gone.reads < wanted
        {
            if self.approved.removals.contains(&entry.domain) {
                entry.gone.reads = wanted;
            } else if entry.gone.counted_at.is_none_or(far) {
                entry.gone.reads += 1;
            } else {
                return;
            }
            entry.gone.counted_at = Some(now);
        }
    }

    /// Why a removal waits for the next good read, or for the doubt to end.
    fn waiting(&self, entry: &Entry) -> Cause {
        let until = entry.gone.counted_at.map(|at| at + self.world.policy.gap);
        match self.doubt_of_read() {
            Some(doubt) => Cause::by(doubt),
            None => Cause { reason: Reason::MappingGone, release: Release::NextRead, until },
        }
    }

    pub(super) fn see(&self, entry: &mut Entry, protected: bool) {
        let Some(list) = self.world.list else { return };
        let believed = self.plan.memory.host.list_believed && !self.lacking.doubtful;
        answer::listed(entry, list, believed, protected, self.world.now);
    }
}

fn sites_own(network: &Network) -> BTreeMap<&DomainName, u64> {
    let sites = network.sites.iter();
    sites.filter_map(|(id, site)| Some((site.domain.as_ref()?, *id))).collect()
}

/// Keep the alias of an entry whose own mapping does not speak for it; why, where that is told.
fn keep(entry: &mut Entry, why: Option<(Reason, String)>, now: Time) {
    (entry.gone, entry.tombstone) = (Gone::default(), None);
    if matches!(entry.alias.state, Alias::Removing | Alias::Present) {
        let (reason, detail) = why.unzip();
        entry.alias.set(now, Alias::Present, reason, detail);
    }
}
