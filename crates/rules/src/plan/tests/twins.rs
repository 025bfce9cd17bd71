//! Twins: when they are added, what they follow, and that they go with their parents.

use super::*;
use crate::entry::Routing;
use crate::network::WwwTwins;
use crate::twins::Twin;

const TWINS: Policy = Policy { www: Www::WhenDnsReady, ..POLICY };

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

fn shop() -> Network {
    network(vec![mapping(1, 2, "shop.example")])
}

/// What a pass over `recorded` leaves where nothing is sent.
fn pass(known: Recorded, network: &Network, list: Option<&AliasList>) -> Recorded {
    recorded(planned(known, network, list, &TWINS))
}

/// A check of `name` saw where its DNS leads.
fn seen(known: &mut Recorded, name: &str, routing: Routing) {
    let entry = known.entries.get_mut(&name.parse().unwrap()).unwrap();
    entry.routing.set(at(10), routing, None, None);
    entry.checks.last = Some(at(10));
}

/// The host did what was asked for `name`.
fn added(known: &mut Recorded, name: &str) {
    let entry = known.entries.get_mut(&name.parse().unwrap()).unwrap();
    answer::intend(entry, Call::Add, true, at(10));
    let host = &mut known.memory.host;
    answer::answered(entry, host, Call::Add, &Ok(()), at(10), false);
}

/// These names, each owned, with a twin that we added.
fn pairs(count: u64) -> Recorded {
    let mut known = owning_many(count);
    for entry in owning_many(count).entries.into_values() {
        let domain = entry.domain.twin().unwrap();
        let twin = Entry { domain: domain.clone(), twin: Some(Twin::Follows), ..entry };
        known.entries.insert(domain, twin);
    }
    known
}

fn twin_in(plan: &Plan, text: &str) -> Option<Twin> {
    plan.entries[&name(text)].twin
}

#[test]
fn a_twin_is_added_once_its_dns_is_here_and_goes_with_its_parent() {
    let known = pass(owning(&["shop.example"]), &shop(), None);
    let there = list(&["shop.example"]);
    let waiting = planned(known.clone(), &shop(), Some(&there), &TWINS);
    let twin = &waiting.entries[&name("www.shop.example")];
    assert_eq!((calls(&waiting), twin.mapped.as_ref()), (vec![], None));
    assert!(twin.is_candidate() && twin.is_check_due(at(10)), "it is checked with its parent");
    assert_eq!(twin.twin_of(), Some(name("shop.example")));

    let mut known = recorded(waiting);
    seen(&mut known, "www.shop.example", Routing::Here);
    let here = planned(known, &shop(), Some(&there), &TWINS);
    assert_eq!(calls(&here), ["add-alias www.shop.example"]);
    let mut known = recorded(here);
    added(&mut known, "www.shop.example");

    seen(&mut known, "www.shop.example", Routing::Elsewhere);
    let known = pass(known, &shop(), None);
    let twin = &known.entries[&name("www.shop.example")];
    assert_eq!(twin.alias.state, Alias::Present, "its own DNS does not take it away");
    assert_eq!(twin.owned.map(|owned| owned.how), Some(OwnedAs::Added));

    let gone = network(vec![]);
    let first = planned(known, &gone, None, &TWINS);
    assert_eq!((calls(&first), deferred_reasons(&first)), (vec![], vec!["mapping-gone"; 2]));
    assert_eq!(twin_in(&first, "www.shop.example"), Some(Twin::Goes));
    let second = planned(recorded(first), &gone, None, &TWINS);
    assert_eq!(calls(&second), ["remove-alias shop.example", "remove-alias www.shop.example"]);
}

#[test]
fn the_twin_of_a_mapped_www_name_is_the_apex() {
    let www = network(vec![mapping(1, 2, "www.shop.example"), mapping(2, 2, "a.b.example")]);
    let plan = planned(Recorded::default(), &www, None, &TWINS);
    let twins = plan.entries.values().filter(|entry| entry.twin.is_some());
    let twins: Vec<_> = twins.map(|entry| entry.domain.as_str()).collect();
    assert_eq!(twins, ["shop.example"]);
    assert_eq!(calls(&plan), ["add-alias a.b.example", "add-alias www.shop.example"]);
}

#[test]
fn a_mapping_that_comes_back_keeps_its_twin() {
    let known = pass(pairs(1), &network(vec![]), None);
    let back = planned(known, &network(rows(1)), None, &TWINS);
    let twin = &back.entries[&name("www.d0.example")];
    assert_eq!((twin.twin, twin.gone.reads), (Some(Twin::Follows), 0));
    assert_eq!((twin.alias.state, twin.alias.reason), (Alias::Present, None));
}

#[test]
fn a_twin_that_was_at_the_host_before_us_is_followed_and_left() {
    let both = list(&["shop.example", "www.shop.example"]);
    let mut known = pass(owning(&["shop.example"]), &shop(), Some(&both));
    seen(&mut known, "www.shop.example", Routing::Here);
    let plan = planned(known, &shop(), Some(&both), &TWINS);
    let twin = &plan.entries[&name("www.shop.example")];
    assert_eq!((twin.alias.state, twin.owned, calls(&plan)), (Alias::Present, None, vec![]));
    assert!(twin.is_listed() && plan.foreign.contains(&name("www.shop.example")));

    let known = pass(recorded(plan), &network(vec![]), Some(&both));
    let plan = planned(known, &network(vec![]), Some(&both), &TWINS);
    assert_eq!(calls(&plan), ["remove-alias shop.example"]);
    assert!(plan.entries[&name("www.shop.example")].is_retired());
}

#[test]
fn without_a_list_that_lacks_it_a_twin_is_not_added() {
    let mut known = pass(owning(&["shop.example"]), &shop(), None);
    seen(&mut known, "www.shop.example", Routing::Here);
    for list in [None, Some(&list(&[]))] {
        let plan = planned(known.clone(), &shop(), list, &TWINS);
        assert_eq!(calls(&plan), Vec::<String>::new(), "{list:?}");
    }
}

#[test]
fn never_adds_none_and_takes_none_away() {
    let never = |known, network: &Network| planned(known, network, None, &POLICY);
    let none = never(owning(&["d0.example"]), &network(rows(1)));
    assert_eq!(none.entries.len(), 1);

    let known = pass(owning(&["d0.example"]), &network(rows(1)), None);
    let dropped = never(known, &network(rows(1)));
    assert!(dropped.entries[&name("www.d0.example")].is_retired(), "it was not added");

    let stays = never(pairs(2), &network(rows(2)));
    assert_eq!((calls(&stays), deferred_reasons(&stays)), (vec![], vec![]));
    assert_eq!(twin_in(&stays, "www.d1.example"), Some(Twin::Follows));
    let first = never(recorded(stays), &network(rows(1)));
    let second = never(recorded(first), &network(rows(1)));
    let both = ["remove-alias d1.example", "remove-alias www.d1.example"];
    assert_eq!(calls(&second), both, "it goes with its parent");
}

#[test]
fn ultimate_multisite_may_ask_for_twins_of_primary_domains_only() {
    let policy = Policy { www: Www::AsWordpress, ..POLICY };
    let mut read = network(rows(2));
    read.settings.www = WwwTwins::MainOnly;
    read.mappings[1].primary = true;
    let plan = planned(Recorded::default(), &read, None, &policy);
    assert_eq!(plan.entries.len(), 3);
    assert_eq!(twin_in(&plan, "www.d1.example"), Some(Twin::Follows));
    read.mappings[1].primary = false;
    let plan = planned(pairs(2), &read, None, &policy);
    assert_eq!((plan.deferred.len(), plan.calls.len()), (0, 0), "those that were added stay");
}

#[test]
fn a_mapping_of_the_twins_own_wins_and_once_it_goes_it_is_a_twin_again() {
    let own = network([rows(1), vec![mapping(9, 3, "www.d0.example")]].concat());
    let plan = planned(pairs(1), &own, None, &TWINS);
    let entry = &plan.entries[&name("www.d0.example")];
    assert_eq!((entry.twin, entry.mapped.as_ref().unwrap().mapping_id), (None, 9));
    assert_eq!(entry.owned.map(|owned| owned.how), Some(OwnedAs::Added));

    let mut known = recorded(plan);
    for _ in 0..3 {
        let plan = planned(known, &network(rows(1)), None, &TWINS);
        let twin = &plan.entries[&name("www.d0.example")];
        assert_eq!((twin.twin, twin.alias.state), (Some(Twin::Follows), Alias::Present));
        assert_eq!(twin.owned.map(|owned| owned.how), Some(OwnedAs::Added));
        assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
        known = recorded(plan);
    }
}

#[test]
fn a_name_that_a_restore_took_the_mapping_of_stays_until_it_is_let_go() {
    let mut known = pass(owning(&["d0.example", "www.d0.example"]), &network(rows(1)), None);
    known = pass(known, &network([rows(1), vec![mapping(9, 2, "www.d0.example")]].concat()), None);
    known.memory.network.restored = [name("www.d0.example")].into();
    let plan = planned(known, &network(rows(1)), None, &TWINS);
    let entry = &plan.entries[&name("www.d0.example")];
    assert_eq!((entry.twin, deferred_reasons(&plan)), (None, vec!["database-restored"]));
}

#[test]
fn what_was_only_seen_at_the_host_is_not_owned_as_a_twin() {
    let both = network([rows(1), vec![mapping(9, 2, "www.d0.example")]].concat());
    let mut known = owning(&["d0.example", "www.d0.example"]);
    known.entries.values_mut().for_each(|entry| {
        entry.owned = Some(Owned { how: OwnedAs::Seen, since: at(0) });
    });
    let known = pass(known, &both, None);
    let plan = planned(known.clone(), &network(rows(1)), None, &TWINS);
    assert_eq!(plan.entries[&name("www.d0.example")].owned, None);
    assert!(plan.entries[&name("d0.example")].owned.is_some());
    let never = planned(known, &network(rows(1)), None, &POLICY);
    assert_eq!(deferred_reasons(&never), ["mapping-gone"], "without twins it goes as before");
}

#[test]
fn a_protected_name_is_no_twin_and_has_none() {
    for (row, patterns) in [("shop.example", "www.*"), ("shop.example", "shop.example")] {
        let network = network(vec![mapping(1, 2, row)]);
        let protected = Protected::on(&network, None, vec![patterns.to_owned()]);
        let world = World {
            network: &network,
            list: None,
            protected: &protected,
            policy: &TWINS,
            now: at(10),
        };
        let plan = plan(Recorded::default(), &world);
        assert_eq!(plan.entries.len(), 1, "{patterns}");
        let plan = super::plan(pass(owning(&[row]), &network, None), &world);
        assert!(plan.entries[&name("www.shop.example")].is_retired(), "{patterns}");
    }
}

#[test]
fn a_twin_stays_for_what_its_parent_stays_for() {
    let mut spoilt = network(vec![]);
    spoilt.unreadable.insert(1, 2);
    let mut own = network(vec![]);
    own.sites.insert(9, site("d0.example"));
    let lost = network(vec![mapping(1, 99, "d0.example")]);
    for now in [spoilt, own, lost] {
        let mut known = pass(pairs(1), &network(rows(1)), None);
        for _ in 0..4 {
            let plan = planned(known, &now, None, &TWINS);
            assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
            assert_eq!(plan.entries[&name("www.d0.example")].alias.state, Alias::Present);
            known = recorded(plan);
        }
    }
}

#[test]
fn a_row_of_its_parent_that_cannot_be_read_keeps_a_twin_when_another_is_deleted() {
    let mut both = network(vec![mapping(7, 2, "d0.example")]);
    both.unreadable.insert(1, 2);
    let mut spoilt = network(vec![]);
    spoilt.unreadable.insert(1, 2);
    let mut known = pass(pairs(1), &network(rows(1)), None);
    for now in [&both, &spoilt, &spoilt, &spoilt] {
        let plan = planned(known, now, None, &TWINS);
        assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
        known = recorded(plan);
    }
}

#[test]
fn a_pair_counts_once_for_the_brake() {
    // A mapping that stays, and that is not at the host, so that no read is in doubt.
    let with = |mut rows: Vec<Mapping>| {
        rows.push(mapping(99, 2, "a.sub.example"));
        network(rows)
    };
    let passes = |owned: u64, left: u64| {
        let mut plan =
            planned(pass(pairs(owned), &with(rows(left)), None), &with(rows(left)), None, &TWINS);
        plan.calls.retain(|_, call| *call == Call::Remove);
        plan
    };
    assert_eq!(calls(&passes(8, 5)).len(), 6, "three pairs, as three names would");
    let many = passes(8, 4);
    assert_eq!((many.braked, many.deferred.len()), (Some(Braked::Many), 8));
    let all = passes(2, 0);
    assert_eq!((all.braked, all.deferred.len()), (Some(Braked::All), 4));
    assert_eq!(calls(&passes(1, 0)).len(), 2, "the only one goes like any other");
    assert_eq!(Brake::Percent(50).allows_of(pairs(20).entries.values()), 10);
}

#[test]
fn nothing_is_left_by_removing_all_parents_first() {
    // A person deleted both mappings: that counts as a read of them, and not of their twins.
    let mut known = pairs(2);
    for entry in known.entries.values_mut().filter(|entry| entry.twin.is_none()) {
        entry.gone.reads = 1;
    }
    let other = network(vec![mapping(99, 2, "net.example")]);
    let plan = planned(known, &other, None, &TWINS);
    assert_eq!((calls(&plan), plan.braked), (vec![], Some(Braked::All)));
}

#[test]
fn the_removal_of_a_pair_is_one_of_the_hour() {
    let mut known = pass(pairs(8), &network(rows(5)), None);
    let removed = ["d5.example", "d6.example", "d7.example"].map(name);
    known.memory.network.removals = removed.into_iter().map(|it| (it, at(9))).collect();
    let rest = planned(known, &network(rows(5)), None, &TWINS);
    assert_eq!(calls(&rest).len(), 6, "their parents were counted: {:?}", rest.deferred);
}

#[test]
fn those_that_are_not_added_are_checked_when_their_parents_are() {
    let mut known = pass(owning(&["d0.example"]), &network(rows(1)), None);
    for (twin, parent, due) in [(12, 300, 300), (300, 12, 12), (9, 300, 9)] {
        known.entries.get_mut(&name("d0.example")).unwrap().checks.due = at(parent);
        known.entries.get_mut(&name("www.d0.example")).unwrap().checks.due = at(twin);
        let plan = planned(known.clone(), &network(rows(1)), None, &TWINS);
        assert_eq!(plan.entries[&name("www.d0.example")].checks.due, at(due), "{twin} {parent}");
    }
}

#[test]
fn whatever_is_recorded_no_twin_is_owned_as_seen_or_removed_while_its_parent_is_mapped() {
    let lists = [None, Some(list(&["a.example"])), Some(list(&["a.example", "www.a.example"]))];
    let mapped = network(vec![mapping(1, 2, "a.example")]);
    for list in &lists {
        for before in all_entries() {
            for flag in [None, Some(Twin::Follows), Some(Twin::Goes)] {
                for routing in [Routing::Unknown, Routing::Elsewhere, Routing::Here] {
                    let mut entry = before.clone();
                    (entry.domain, entry.twin) = (name("www.a.example"), flag);
                    entry.routing.state = routing;
                    let mut known = owning(&["a.example"]);
                    known.memory.host.list_believed = entry.shown;
                    let was_here = entry.owned.is_some() || entry.step.intent.is_some();
                    known.entries.insert(entry.domain.clone(), entry.clone());
                    let plan = planned(known, &mapped, list.as_ref(), &TWINS);
                    let after = &plan.entries[&entry.domain];
                    assert_eq!(after.twin, Some(Twin::Follows), "{entry:?}");
                    let how = after.owned.map(|owned| owned.how);
                    assert!(how != Some(OwnedAs::Seen), "{entry:?}");
                    let call = plan.calls.get(&entry.domain);
                    assert!(call != Some(&Call::Remove), "{entry:?}");
                    let is_asked = matches!(before.alias.state, Alias::Adding);
                    let may = routing == Routing::Here || was_here || is_asked;
                    assert!(call.is_none() || may, "{entry:?}");
                    assert!(deferred_reasons(&plan).is_empty(), "{entry:?}");
                }
            }
        }
    }
}
