//! When an alias may be removed: owned, seen gone often enough, and not too many
//! at once.

use crate::Time;
use crate::entry::{Alias, Entry, Gone, Owned, OwnedAs, Step};
use crate::planted;
use crate::reason::Reason;
use crate::twins;
use crate::words::words;

words! {
    /// What becomes of an alias whose mapping goes.
    RemovalPolicy {
        /// It is removed.
        Sync = "sync",
        /// It stays: nothing is ever removed.
        AddOnly = "add-only",
    }
}

/// How many aliases one pass may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brake {
    /// This share of what we own, in percent, and at least three.
    Percent(u32),
    /// This many.
    Count(u32),
}

impl Default for Brake {
    fn default() -> Self {
        Self::Percent(10)
    }
}

impl Brake {
    /// How many removals it allows beside these entries. A twin and its parent are one.
    pub fn allows_of<'a>(self, entries: impl Iterator<Item = &'a Entry> + Clone) -> usize {
        self.allows(twins::count(entries.filter(|entry| entry.owned.is_some())))
    }

    /// How many removals it allows where we own `owned` aliases.
    pub fn allows(self, owned: usize) -> usize {
        match self {
            Self::Percent(percent) => 3.max(owned.saturating_mul(percent as usize) / 100),
            Self::Count(count) => count as usize,
        }
    }
}

/// Whether an alias is ours to remove: we own it, or asked for it after a list
/// of the host's lacked it.
pub fn is_ours(entry: &Entry) -> bool {
    planted!(RemoveForeign)
        || entry.owned.is_some()
        || entry.step.intent.is_some_and(|intent| intent.list_lacked)
}

/// Whether `now` is owned where it was not `before`, or the other way round.
pub fn changes_owned(before: Option<&Entry>, now: &Entry) -> bool {
    before.is_some_and(|before| before.owned.is_some()) != now.owned.is_some()
}

/// Own the alias of `entry` no more: it is never removed, and where its name is mapped it is wanted
/// anew.
pub fn disown(entry: &mut Entry, now: Time) {
    entry.tombstone = None;
    (entry.owned, entry.shown, entry.confirmed) = (None, false, false);
    (entry.step.intent, entry.step.tries, entry.step.due) = (None, 0, now);
    match (entry.alias.state, &entry.mapped) {
        (Alias::Protected, _) => (),
        (_, Some(_)) => entry.alias.set(now, Alias::Wanted, None, None),
        (_, None) => entry.alias.set(now, Alias::Absent, Some(Reason::NotOurs), None),
    }
}

/// Why an alias is not given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// Its name is mapped, or that whose twin it is: nobody removes it.
    Mapped,
    /// It is not owned: it is never removed.
    NotOwned,
    /// Its removal was sent, and is done or not.
    Sent,
}

/// Give up the alias of `entry`, whose removal waits: from now on it is somebody else's.
///
/// # Errors
///
/// There is nothing to give up: `entry` is as it was.
pub fn keep(entry: &mut Entry, now: Time) -> Result<(), NotKept> {
    if entry.is_followed() {
        Err(NotKept::Mapped)
    } else if !is_ours(entry) {
        Err(NotKept::NotOwned)
    } else if entry.step.intent.is_some() {
        Err(NotKept::Sent)
    } else {
        disown(entry, now);
        Ok(())
    }
}

/// Own the alias of `entry`, which the host shows: an operator says so.
pub fn adopt(entry: &mut Entry, now: Time) {
    entry.alias.set(now, Alias::Present, None, None);
    entry.owned = Some(Owned { how: OwnedAs::Adopted, since: now });
    entry.shown = true;
    entry.step = Step { intent: None, tries: 0, due: now };
    (entry.gone, entry.tombstone) = (Gone::default(), None);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Intent, Mapped};

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn only_an_alias_whose_removal_waits_is_given_up() {
        let row =
            Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
        let of = |mapped: bool, owned: bool, sent: bool, alias: Alias| {
            let mapped = mapped.then(|| row.clone());
            let mut entry = Entry::new("a.example".parse().unwrap(), mapped, at(0));
            entry.owned = owned.then_some(Owned { how: OwnedAs::Added, since: at(0) });
            entry.step.intent = sent.then_some(Intent { at: at(0), list_lacked: false });
            entry.alias.set(at(0), alias, None, None);
            entry
        };
        let table = [
            (of(false, true, false, Alias::Present), Ok(())),
            (of(false, true, false, Alias::Removing), Ok(())),
            (of(false, true, true, Alias::Removing), Err(NotKept::Sent)),
            (of(false, false, false, Alias::Present), Err(NotKept::NotOwned)),
            (of(true, true, false, Alias::Present), Err(NotKept::Mapped)),
        ];
        for (before, kept) in table {
            let mut entry = before.clone();
            assert_eq!(keep(&mut entry, at(9)), kept, "{before:?}");
            match kept {
                Ok(()) => assert!(entry.is_retired() && !is_ours(&entry)),
                Err(_) => assert_eq!(entry, before),
            }
        }
    }

    #[test]
    fn what_is_adopted_is_owned_and_present() {
        let mut entry = Entry::new("a.example".parse().unwrap(), None, at(0));
        adopt(&mut entry, at(9));
        assert!(is_ours(&entry) && entry.alias.state == Alias::Present);
        assert_eq!(entry.owned.map(|owned| owned.how), Some(OwnedAs::Adopted));
    }

    #[test]
    fn the_brake_allows_a_tenth_and_at_least_three() {
        for (owned, allowed) in [(0, 3), (1, 3), (39, 3), (40, 4), (1000, 100)] {
            assert_eq!(Brake::default().allows(owned), allowed, "{owned} owned");
        }
        assert_eq!(Brake::Count(0).allows(1000), 0);
        assert_eq!(Brake::Count(50).allows(10), 50);
    }
}
