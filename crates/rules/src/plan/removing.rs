//! Which aliases are removed now, and what keeps the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Braked, Cause, Planner};
use crate::action::{Action, Release};
use crate::doubt::Doubt;
use crate::entry::{Alias, Call};
use crate::planted;
use crate::reason::Reason;
use crate::twins;
use crate::{DomainName, Time};

/// The brake counts over so long.
const HOUR: Duration = Duration::from_hours(1);

/// Removals that wait.
struct Waiting {
    names: BTreeSet<DomainName>,
    /// Why; none where none waits.
    why: Option<Braked>,
    /// Until when, where they fit later.
    until: Option<Time>,
}

impl Planner<'_> {
    /// Let removals through, as far as no doubt, no grace and no brake keeps them.
    pub(super) fn remove(&mut self) {
        self.forget_old_removals();
        let ready = std::mem::take(&mut self.ready);
        let of_all = |doubt: &&Doubt| doubt.is_of_the_read() || doubt.is_of_the_list();
        if let Some(doubt) = self.plan.doubts.iter().find(of_all).map(Cause::by) {
            return self.defer_removals(ready, doubt);
        }
        let grace = self.world.policy.grace;
        let entries = &self.plan.entries;
        let has_tombstone = |name: &DomainName| {
            let entry = &entries[name];
            grace.is_zero() || entry.tombstone.is_some() || entry.alias.state == Alias::Removing
        };
        let (marked, fresh): (BTreeSet<_>, BTreeSet<_>) =
            ready.into_iter().partition(has_tombstone);
        let (over, waiting): (BTreeSet<_>, BTreeSet<_>) =
            marked.into_iter().partition(|name| self.is_grace_over(name));
        for name in waiting {
            self.wait_for_grace(name);
        }
        // The brake is asked twice: when a grace begins, and when it ends.
        for name in self.released(fresh, self.tombstones()) {
            self.begin_grace(name);
        }
        for name in self.released(over, self.removals()) {
            self.let_through(&name);
        }
    }

    /// Those of `ready` that may go on, where so many of them did within the hour at these times
    /// without a person's word; the others are deferred.
    fn released(
        &mut self,
        ready: BTreeSet<DomainName>,
        sent: BTreeMap<DomainName, Time>,
    ) -> BTreeSet<DomainName> {
        let (mut approved, asking): (BTreeSet<_>, BTreeSet<_>) =
            ready.into_iter().partition(|name| self.approved.removals.contains(name));
        if self.world.policy.only_approved {
            return approved;
        }
        let Waiting { names, why, until } = self.braked(&asking, &approved, sent);
        self.plan.braked = self.plan.braked.or(why);
        approved.extend(asking.difference(&names).cloned());
        let cause = Cause { reason: Reason::Brake, release: Release::Apply, until };
        self.defer_removals(names, cause);
        approved
    }

    fn is_grace_over(&self, name: &DomainName) -> bool {
        let entry = &self.plan.entries[name];
        let end = entry.tombstone.map(|since| since + self.world.policy.grace);
        // A clock that is wrong ends nothing.
        let is_over = |end| end <= self.world.now && !self.world.policy.clock_is_wrong;
        end.is_none_or(is_over) || entry.alias.state == Alias::Removing
    }

    /// From now on it is only waited for a mapping that comes back.
    fn begin_grace(&mut self, name: DomainName) {
        let now = self.world.now;
        let entry = self.plan.entries.get_mut(&name).expect("only entries get ready");
        let before = entry.clone();
        entry.tombstone = Some(now);
        entry.alias.set(now, Alias::Present, Some(Reason::Grace), None);
        self.plan.changed.entry(name.clone()).or_insert(Some(Box::new(before)));
        self.wait_for_grace(name);
    }

    fn wait_for_grace(&mut self, name: DomainName) {
        let since = self.plan.entries[&name].tombstone;
        let until = since.map(|since| since + self.world.policy.grace);
        let cause = Cause { reason: Reason::Grace, release: Release::NextRead, until };
        self.defer(Action::RemoveAlias, name, cause);
    }

    /// The graces that began within the hour although nobody approved that.
    fn tombstones(&self) -> BTreeMap<DomainName, Time> {
        let asked = |name: &DomainName| !self.approved.removals.contains(name);
        let entries = self.plan.entries.iter().filter(|(name, _)| asked(name));
        let begun =
            entries.filter_map(|(_, entry)| Some((twins::counted_as(entry), entry.tombstone?)));
        begun.filter(|(_, at)| self.world.now.since(*at) < HOUR).collect()
    }

    /// The removals that were sent within the hour although nobody approved them.
    fn removals(&self) -> BTreeMap<DomainName, Time> {
        self.plan.memory.network.removals.clone()
    }

    fn defer_removals(&mut self, names: BTreeSet<DomainName>, cause: Cause) {
        for name in names {
            self.defer(Action::RemoveAlias, name, cause);
        }
    }

    /// A removal counts for an hour. One that a wrong clock put ahead of now was sent now.
    fn forget_old_removals(&mut self) {
        let now = self.world.now;
        let removals = &mut self.plan.memory.network.removals;
        for at in removals.values_mut() {
            *at = (*at).min(now);
        }
        removals.retain(|_, at| now.since(*at) < HOUR && !planted!(ForgetTheHour));
    }

    /// Those of `asking` that nobody approved and that must wait: all that does not fit into the
    /// hour, and everything where nothing would be left of two or more. A twin and its parent are one.
    fn braked(
        &self,
        asking: &BTreeSet<DomainName>,
        approved: &BTreeSet<DomainName>,
        sent: BTreeMap<DomainName, Time>,
    ) -> Waiting {
        if asking.is_empty() {
            return Waiting { names: BTreeSet::new(), why: None, until: None };
        }
        let pair = |name: &DomainName| twins::counted_as(&self.plan.entries[name]);
        let owned = self.plan.entries.values().filter(|entry| entry.owned.is_some());
        let owned: BTreeSet<DomainName> = owned.map(twins::counted_as).collect();
        let pairs: BTreeSet<DomainName> = asking.iter().map(pair).collect();
        let going: BTreeSet<DomainName> = approved.iter().map(pair).collect();
        let all = 2 <= owned.len()
            && owned.iter().all(|name| pairs.contains(name) || going.contains(name));
        if all && !planted!(RemoveAll) {
            return Waiting { names: asking.clone(), why: Some(Braked::All), until: None };
        }
        // Those of an earlier pass are on their way.
        let is_under_way =
            |name: &&DomainName| self.plan.entries[*name].alias.state == Alias::Removing;
        let under_way: BTreeSet<_> = asking.iter().filter(is_under_way).map(pair).collect();
        let others = sent.into_iter().filter(|(name, _)| !pairs.contains(name));
        let mut sent: Vec<Time> = others.map(|(_, at)| at).collect();
        let waiting = if planted!(SkipBrake) {
            BTreeSet::new()
        } else if self.allowed < sent.len() + under_way.len() {
            pairs
        } else if self.allowed < sent.len() + pairs.len() {
            sent.extend(under_way.iter().map(|_| self.world.now));
            pairs.difference(&under_way).cloned().collect()
        } else {
            BTreeSet::new()
        };
        let why = (!waiting.is_empty()).then_some(Braked::Many);
        let until = why.and_then(|_| fits_at(sent, waiting.len(), self.allowed));
        let names = asking.iter().filter(|name| waiting.contains(&pair(name))).cloned().collect();
        Waiting { names, why, until }
    }

    fn let_through(&mut self, name: &DomainName) {
        let now = self.world.now;
        let entry = self.plan.entries.get_mut(name).expect("only entries get ready");
        let before = entry.clone();
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
}

/// When so many more fit into an hour beside what was `sent`; never where they are too many.
fn fits_at(mut sent: Vec<Time>, more: usize, allowed: usize) -> Option<Time> {
    sent.sort_unstable();
    let room = allowed.checked_sub(more)?;
    let too_many = sent.len().checked_sub(room)?;
    Some(sent[too_many.checked_sub(1)?] + HOUR)
}
