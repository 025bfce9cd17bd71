//! When an alias may be removed: owned, seen gone often enough, and not too many
//! at once.

use crate::entry::Entry;
use crate::planted;

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
    /// How many removals it allows beside these entries.
    pub fn allows_of<'a>(self, entries: impl Iterator<Item = &'a Entry>) -> usize {
        self.allows(entries.filter(|entry| entry.owned.is_some()).count())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_brake_allows_a_tenth_and_at_least_three() {
        for (owned, allowed) in [(0, 3), (1, 3), (39, 3), (40, 4), (1000, 100)] {
            assert_eq!(Brake::default().allows(owned), allowed, "{owned} owned");
        }
        assert_eq!(Brake::Count(0).allows(1000), 0);
        assert_eq!(Brake::Count(50).allows(10), 50);
    }
}
