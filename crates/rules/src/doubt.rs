//! Doubts: what makes a read of the network, or a list of the host's, hard to believe. While there
//! is one, nothing is removed, and what else follows from it is deferred.

use std::collections::{BTreeMap, BTreeSet};

use crate::action::Release;
use crate::entry::{Alias, Entry};
use crate::host::AliasList;
use crate::planted;
use crate::reason::Reason;
use crate::twins;
use crate::words::words;
use crate::{DomainName, Network};

words! {
    /// A doubt that lasts until it is resolved, or a person applies what it defers.
    Lasting {
        /// Far fewer names are mapped than before.
        SuddenFall = "sudden-fall",
        /// The host's list lacks what it had shown.
        List = "list-doubt",
        /// The database was put back.
        Restored = "database-restored",
    }
}

/// Why a read is in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Far fewer names are mapped than last time.
    SuddenFall {
        /// How many names were mapped.
        was: u64,
        /// How many are.
        is: u64,
    },
    /// The host's list lacks so many names of those that it had shown; none where it could not be
    /// read again since it did.
    List {
        /// How many it lacks, and of how many.
        lacks: Option<(usize, usize)>,
    },
    /// The database was put back, and lacks mappings that it had.
    Restored {
        /// Of how many owned aliases.
        lacks: usize,
    },
    /// The network changed while it was read.
    Moved,
}

impl Doubt {
    /// What a person should know, in one sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::SuddenFall { was, is } => {
                format!("mapped domains fell from {was} to {is} since the last run")
            }
            Self::List { lacks: Some((lacks, of)) } => {
                format!("the host's list lacks {lacks} of the {of} domains that it had shown")
            }
            Self::List { lacks: None } => {
                "the host's list lacked what it had shown, and cannot be read again".to_owned()
            }
            Self::Restored { lacks } => {
                let noun = if *lacks == 1 { "alias" } else { "aliases" };
                format!(
                    "the WordPress database was put back to an older state, and lacks the mappings \
                     of {lacks} {noun}"
                )
            }
            Self::Moved => "the network changed while it was read".to_owned(),
        }
    }

    /// What is deferred by it.
    pub fn defers(&self) -> &'static str {
        match self {
            Self::List { .. } => "nothing is removed and nothing is added again",
            Self::SuddenFall { .. } | Self::Moved => "nothing is removed and no records are made",
            Self::Restored { .. } => "none of these is removed until it is mapped again",
        }
    }

    /// How it ends, besides by itself.
    pub fn release(&self) -> Release {
        if self.lasting().is_some() { Release::Apply } else { Release::UndisturbedRead }
    }

    /// The same as it is remembered; none of one that the next read resolves.
    pub fn lasting(&self) -> Option<Lasting> {
        match self {
            Self::SuddenFall { .. } => Some(Lasting::SuddenFall),
            Self::List { .. } => Some(Lasting::List),
            Self::Restored { .. } => Some(Lasting::Restored),
            Self::Moved => None,
        }
    }

    /// Why a step is deferred by it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::List { .. } => Reason::ListDoubt,
            Self::Restored { .. } => Reason::DatabaseRestored,
            Self::SuddenFall { .. } | Self::Moved => Reason::Doubt,
        }
    }

    /// Whether it is the read of the network as a whole that is in doubt.
    pub fn is_of_the_read(&self) -> bool {
        matches!(self, Self::SuddenFall { .. } | Self::Moved)
    }

    /// Whether it is the host's list that is in doubt.
    pub fn is_of_the_list(&self) -> bool {
        matches!(self, Self::List { .. })
    }
}

/// The doubts about a read that shows `is` names mapped, where the last good one showed `was`;
/// so many removals are `allowed` within an hour.
pub(crate) fn of_read(
    network: &Network,
    was: Option<u64>,
    is: u64,
    allowed: usize,
) -> impl Iterator<Item = Doubt> {
    let is_fall = |was: &u64| {
        let most = (allowed as u64) < was.saturating_sub(is) && is * 2 < *was;
        most || (2 <= *was && is == 0)
    };
    let fell = was.filter(is_fall).map(|was| Doubt::SuddenFall { was, is });
    fell.into_iter().chain(network.moved.then_some(Doubt::Moved))
}

/// What a list of the host's lacks of that which it had shown, and whether that is too much to
/// believe: more than the brake allows to go, or all of two or more.
#[derive(Debug, Default)]
pub struct Lacking {
    /// Present names that the list lacks although it had shown them.
    pub names: BTreeSet<DomainName>,
    /// Of how many.
    pub of: usize,
    /// Whether the list is in doubt.
    pub doubtful: bool,
}

/// Compare `list` with what `entries` say it had shown, where so many may be `allowed` to go. Names of
/// `agreed` were settled by a person.
pub fn lacking<'a>(
    list: &AliasList,
    entries: impl Iterator<Item = &'a Entry>,
    agreed: &BTreeSet<DomainName>,
    allowed: usize,
) -> Lacking {
    let is_there = |entry: &&Entry| matches!(entry.alias.state, Alias::Present | Alias::Removing);
    let shown = entries.filter(|entry| entry.shown && !agreed.contains(&entry.domain));
    let shown: Vec<&Entry> = shown.filter(is_there).collect();
    let is_left = |entry: &Entry| list.names.contains(&entry.domain);
    let lacks = shown.iter().copied().filter(|entry| !is_left(entry) && !was_sent(entry));
    // As many as the brake would count.
    let (of, lacked) = (twins::count(shown.iter().copied()), twins::count(lacks.clone()));
    let all = 2 <= of && 0 < lacked && !shown.iter().any(|entry| is_left(entry));
    let doubtful = (all || allowed < lacked) && !planted!(BelieveAnyList);
    Lacking { names: lacks.map(|entry| entry.domain.clone()).collect(), of, doubtful }
}

/// Whether its removal was asked for: then the list may well lack it.
fn was_sent(entry: &Entry) -> bool {
    entry.alias.state == Alias::Removing && entry.step.intent.is_some()
}

/// Lasting doubts, each with the end of the last pass before it began.
pub type Doubts = BTreeMap<Lasting, Option<crate::Time>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Time;
    use crate::testing::network;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_read_is_in_doubt_where_most_or_all_of_several_are_gone() {
        let table = [
            // was, is, allowed, in doubt
            (Some(20), 9,  3, true),
            (Some(20), 10, 3, false), // half is left
            (Some(5),  2,  3, false), // within the brake
            (Some(2),  0,  3, true),
            (Some(1),  0,  3, false), // a network's only mapping goes like any other
            (Some(0),  0,  3, false),
            (None,     0,  3, false),
        ];
        for (was, is, allowed, doubt) in table {
            let doubts: Vec<_> = of_read(&network(vec![]), was, is, allowed).collect();
            assert_eq!(!doubts.is_empty(), doubt, "{was:?} to {is}");
        }
    }

    fn entry(name: &str, state: Alias, shown: bool) -> Entry {
        let mut entry = Entry::new(name.parse().unwrap(), None, Time::from_millis(0));
        entry.alias.set(Time::from_millis(0), state, None, None);
        entry.shown = shown;
        entry
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_list_is_in_doubt_where_it_lacks_too_much_of_what_it_had_shown() {
        use Alias::{Adding, Present, Removing};
        let table = [
            // what is recorded                                            what it shows     lacks, doubtful
            (vec![("a", Present, true), ("b", Present, true)],             vec!["a", "b"],   0, false),
            (vec![("a", Present, true), ("b", Present, true)],             vec!["a"],        1, false),
            (vec![("a", Present, true), ("b", Present, true)],             vec!["x"],        2, true),
            (vec![("a", Present, true)],                                   vec![],           1, false),
            (vec![("a", Present, true), ("b", Present, false)],            vec![],           1, false),
            (vec![("a", Present, true), ("b", Adding, true)],              vec![],           1, false),
            (vec![("a", Present, true), ("b", Removing, true)],            vec![],           2, true),
        ];
        for (recorded, shows, lacks, doubtful) in table {
            let name = |it: &str| format!("{it}.example");
            let entries: Vec<_> = recorded.iter().map(|(it, state, shown)| entry(&name(it), *state, *shown)).collect();
            let names = shows.iter().map(|it| name(it).parse().unwrap()).collect();
            let list = AliasList { names, ..AliasList::default() };
            let found = lacking(&list, entries.iter(), &BTreeSet::new(), 3);
            assert_eq!((found.names.len(), found.doubtful), (lacks, doubtful), "{recorded:?} {shows:?}");
            let agreed = entries.iter().map(|it| it.domain.clone()).collect();
            let settled = lacking(&list, entries.iter(), &agreed, 3);
            assert!(!settled.doubtful, "{recorded:?}: a person settled it");
        }
    }
}
