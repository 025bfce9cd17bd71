//! What becomes of a ledger where a person says that its installation acts for a network from now
//! on.

use std::collections::BTreeSet;

use crate::acting::{is_same_network, keeps_ownership};
use crate::entry::Entry;
use crate::ledger::{HomeMemory, HostHealth, Memory, NotActing, Recorded};
use crate::removal::{disown, is_ours};
use crate::{Home, Network, Time};

/// What becomes of the aliases that a ledger owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Whether they stay owned; else they are another app's, and are never removed.
    pub kept: bool,
    /// How many there are.
    pub aliases: usize,
}

/// What would become of what is owned.
pub fn ownership(recorded: &Recorded, network: &Network) -> Ownership {
    let was = recorded.memory.network.identity.as_ref();
    let kept = was.is_none_or(|was| keeps_ownership(was, &network.identity));
    let aliases = recorded.entries.values().filter(|entry| is_ours(entry)).count();
    Ownership { kept, aliases }
}

/// Make `recorded` the ledger that acts for `network`.
///
/// Its serial gets greater than the mark's. Where ownership is dropped, entries stay as history and
/// what is mapped is wanted anew; what another host's app had answered says nothing any more.
///
/// A mark of the ledger `id` that is older than what was read back, or gone, is a database that was
/// put back: the owned names that it lacks stay until each is mapped again or applied.
pub fn take_over(recorded: &mut Recorded, id: &str, network: &Network, now: Time) -> Ownership {
    let ownership = ownership(recorded, network);
    let is_ours_or_gone = network.home.as_ref().is_none_or(|home| home.ledger == id);
    let was_put_back = is_ours_or_gone
        && network.keeps_serial
        && recorded.memory.home.is_older(network.home.as_ref());
    if was_put_back && ownership.kept {
        let mapped: BTreeSet<_> = network.mappings.iter().map(|row| &row.domain).collect();
        let missing = recorded.entries.values().filter(|entry| is_ours(entry));
        // A twin is there as long as its parent is.
        let is_missing = |entry: &&Entry| {
            let parent = entry.twin_of();
            !mapped.contains(&entry.domain) && parent.is_none_or(|name| !mapped.contains(&name))
        };
        let missing = missing.filter(is_missing).map(|entry| entry.domain.clone());
        recorded.memory.network.restored.extend(missing);
    }
    let Memory { network: memory, home, .. } = &mut recorded.memory;
    let stands = network.home.as_ref().map_or(0, Home::serial_or_zero);
    let serial = home.serial.max(stands) + 1;
    *home = HomeMemory { serial, read_back: network.keeps_serial.then_some(serial) };
    // What the last pass said of it is not so any more.
    let is_whose = |why: &mut NotActing| matches!(why, NotActing::Copy | NotActing::OtherNetwork);
    memory.not_acting.take_if(is_whose);
    let is = &network.identity;
    if memory.identity.as_ref().is_some_and(|was| !is_same_network(was, is)) {
        // Its sites and rows have other ids.
        memory.site_mark = None;
    }
    if !ownership.kept {
        // Its names were never counted.
        memory.mapped_names = None;
        memory.doubts.clear();
        memory.restored.clear();
    }
    memory.identity = Some(is.clone());
    if !ownership.kept {
        let Memory { network: memory, host, approved, .. } = &mut recorded.memory;
        memory.removals.clear();
        *host = HostHealth::default();
        approved.clear();
        recorded.entries.values_mut().for_each(|entry| disown(entry, now));
    }
    ownership
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Alias, Mapped, Owned, OwnedAs};
    use crate::records::SiteMark;
    use crate::testing::network;
    use crate::{DomainName, Identity, Whereabouts};

    const MARK: SiteMark = SiteMark { id: 4, registered: None };

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    /// Two names that are owned, one of them mapped, and one that was refused.
    fn recorded(filled_from: Option<Identity>) -> Recorded {
        let row =
            Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
        let entry = |name: &str, is_mapped: bool, alias, owned: bool| {
            let domain: DomainName = name.parse().unwrap();
            let mut entry = Entry::new(domain, is_mapped.then(|| row.clone()), at(0));
            entry.alias.set(at(0), alias, None, None);
            entry.owned = owned.then_some(Owned { how: OwnedAs::Added, since: at(0) });
            entry
        };
        let mut recorded = Recorded::default();
        for entry in [
            entry("mapped.example", true, Alias::Present, true),
            entry("gone.example", false, Alias::Removing, true),
            entry("refused.example", true, Alias::Rejected, false),
        ] {
            recorded.entries.insert(entry.domain.clone(), entry);
        }
        let memory = &mut recorded.memory;
        memory.network.identity = filled_from;
        memory.network.site_mark = Some(MARK);
        memory.network.not_acting = Some(NotActing::Copy);
        memory.host.list_believed = true;
        memory.home = HomeMemory { serial: 7, read_back: Some(7) };
        recorded
    }

    #[test]
    fn what_another_apps_ledger_owned_is_wanted_anew_and_never_removed() {
        let is = network(vec![]);
        let was = Identity { app: Some("app2".to_owned()), ..is.identity.clone() };
        let mut recorded = recorded(Some(was));
        let ownership = take_over(&mut recorded, "ours", &is, at(9));
        assert_eq!(ownership, Ownership { kept: false, aliases: 2 });
        let alias = |name: &str| recorded.entries[&name.parse().unwrap()].alias.state;
        assert_eq!(alias("mapped.example"), Alias::Wanted);
        assert_eq!(alias("gone.example"), Alias::Absent);
        assert_eq!(alias("refused.example"), Alias::Wanted, "the other app refused it");
        assert!(recorded.entries.values().all(|entry| !is_ours(entry)));
        let Memory { network, host, .. } = &recorded.memory;
        assert_eq!((network.not_acting, network.site_mark), (None, None));
        assert_eq!(network.identity, Some(is.identity));
        assert_eq!(*host, HostHealth::default());
    }

    #[test]
    fn what_is_the_same_apps_stays_owned_and_the_serial_is_the_greater_one_plus_one() {
        let mut is = network(vec![]);
        is.home = Some(Home {
            app: Some("app1".to_owned()),
            domain: "net.example".to_owned(),
            ledger: "other".to_owned(),
            serial: Some(9),
            place: Whereabouts::default(),
        });
        let renamed = "old.example".parse().unwrap();
        let was = Identity { domain: renamed, ..is.identity.clone() };
        let mut recorded = recorded(Some(was));
        let before = recorded.entries.clone();
        let ownership = take_over(&mut recorded, "ours", &is, at(9));
        assert_eq!(ownership, Ownership { kept: true, aliases: 2 });
        assert_eq!(recorded.entries, before);
        assert_eq!(recorded.memory.home, HomeMemory { serial: 10, read_back: Some(10) });
        assert_eq!(recorded.memory.network.site_mark, Some(MARK), "its sites are the same");
    }

    #[test]
    fn an_empty_ledger_takes_over_nothing() {
        let is = network(vec![]);
        let mut empty = Recorded::default();
        let ownership = take_over(&mut empty, "ours", &is, at(9));
        assert_eq!(ownership, Ownership { kept: true, aliases: 0 });
        assert_eq!(empty.memory.home.serial, 1);
    }
}
