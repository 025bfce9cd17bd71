//! Which aliases are removed now, and what keeps the others.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Braked, Cause, Planner};
use crate::action::{Action, Release};
use crate::doubt::Doubt;
use crate::entry::{Alias, Call};
use crate::planted;
use crate::reason::Reason;
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
    /// Let removals through, as far as no doubt and no brake holds them.
    pub(super) fn remove(&mut self) {
        self.forget_old_removals();
        let ready = std::mem::take(&mut self.ready);
        let of_all = |doubt: &&Doubt| doubt.is_of_the_read() || doubt.is_of_the_list();
        if let Some(doubt) = self.plan.doubts.iter().find(of_all).map(Cause::by) {
            return self.defer_removals(ready, doubt);
        }
        let (approved, asking): (BTreeSet<_>, BTreeSet<_>) =
            ready.into_iter().partition(|name| self.approved.removals.contains(name));
        if !self.world.policy.only_approved {
            let Waiting { names, why, until } = self.braked(&asking, &approved);
            self.plan.braked = why;
            asking.difference(&names).for_each(|name| self.let_through(name));
            self.defer_removals(
                names,
                Cause { reason: Reason::Brake, release: Release::Apply, until },
            );
        }
        for name in &approved {
            self.let_through(name);
        }
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
    /// hour, and everything where nothing would be left of two or more.
    fn braked(&self, asking: &BTreeSet<DomainName>, approved: &BTreeSet<DomainName>) -> Waiting {
        let owned = self.plan.entries.values().filter(|entry| entry.owned.is_some());
        let owned: BTreeSet<&DomainName> = owned.map(|entry| &entry.domain).collect();
        let goes = |name: &&&DomainName| asking.contains(**name) || approved.contains(**name);
        let all = !asking.is_empty()
            && 2 <= owned.len()
            && owned.iter().filter(goes).count() == owned.len();
        // Those of an earlier pass are on their way.
        let is_under_way =
            |name: &DomainName| self.plan.entries[name].alias.state == Alias::Removing;
        if all && !planted!(RemoveAll) {
            return Waiting { names: asking.clone(), why: Some(Braked::All), until: None };
        }
        let (under_way, new): (BTreeSet<_>, BTreeSet<_>) =
            asking.iter().cloned().partition(is_under_way);
        let removals = self.plan.memory.network.removals.iter();
        let sent = removals.filter(|(name, _)| !asking.contains(*name)).map(|(_, at)| *at);
        let mut sent: Vec<Time> = sent.collect();
        let names = if planted!(SkipBrake) {
            BTreeSet::new()
        } else if self.allowed < sent.len() + under_way.len() {
            asking.clone()
        } else if self.allowed < sent.len() + asking.len() {
            sent.extend(under_way.iter().map(|_| self.world.now));
            new
        } else {
            BTreeSet::new()
        };
        let why = (!names.is_empty()).then_some(Braked::Many);
        let until = why.and_then(|_| fits_at(sent, names.len(), self.allowed));
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
