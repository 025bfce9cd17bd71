//! What is held back, by the brake and by doubts, and what a person lets through.

use super::*;

/// What is owned of so many domains, when the first `gone` lost their mapping and two good reads saw
/// it: with removals that were sent so many minutes before.
fn two_reads_without(count: u64, gone: usize, sent: &[u32]) -> Plan {
    let left = network(rows(count).split_off(gone));
    let first = planned(owning_many(count), &left, None, &POLICY);
    assert_eq!(first.braked, None);
    let mut known = recorded(first);
    for (number, minutes) in sent.iter().enumerate() {
        let name = format!("sent{number}.example").parse().unwrap();
        let when =
            if *minutes == 99 { at(999) } else { at(10) - Duration::from_mins(1) * *minutes };
        known.memory.network.removals.insert(name, when);
    }
    planned(known, &left, None, &POLICY)
}

#[test]
#[rustfmt::skip] // One case a line.
fn the_brake_lets_all_through_or_none_and_counts_over_an_hour() {
    let table = [
        // owned, gone, sent before (minutes), removed, fits in so many minutes
        ( 6,  3, vec![],           3, None),
        (20,  4, vec![],           0, None),
        (40,  4, vec![],           4, None),
        (40,  5, vec![],           0, None),
        (20,  2, vec![5],          2, None),
        (20,  2, vec![5, 7],       0, Some(53)),
        (20,  2, vec![5, 7, 9],    0, Some(53)),
        (20,  3, vec![5, 61],      0, Some(55)),
        (20,  3, vec![60, 61],     3, None),
        (20,  1, vec![99, 99, 99], 0, Some(60)), // a time ahead of now is now
    ];
    for (count, gone, sent, removed, fits) in table {
        let plan = two_reads_without(count, gone, &sent);
        assert_eq!(plan.calls.len(), removed, "{gone} of {count} after {sent:?}");
        assert_eq!(plan.braked.is_some(), removed == 0, "{gone} of {count} after {sent:?}");
        let until = plan.deferred.first().and_then(|step| step.until);
        let fits = fits.map(|minutes: u32| at(10 + minutes));
        assert_eq!(until, fits, "{gone} of {count} after {sent:?}");
        assert!(plan.memory.network.removals.values().all(|when| *when <= at(10)));
    }
}

#[test]
fn nothing_removes_all_of_two_or_more_however_small_the_network() {
    // What is mapped besides was refused, and is not owned.
    for (owned, removed) in [(1, 1), (2, 0), (3, 0)] {
        let left = network(vec![mapping(90, 2, "refused.example"), mapping(91, 2, "b.example")]);
        let mut known = owning_many(owned);
        known.memory.network.mapped_names = Some(owned + 2);
        let first = planned(known, &left, None, &POLICY);
        let second = planned(recorded(first), &left, None, &POLICY);
        let removals = second.calls.values().filter(|call| **call == Call::Remove);
        assert_eq!(
            (removals.count(), second.braked),
            (removed, (removed == 0).then_some(Braked::All)),
            "all {owned}"
        );
    }
}

#[test]
fn what_is_under_way_goes_on_and_what_comes_later_waits() {
    let all = network(rows(20));
    let left = network(rows(20).split_off(2));
    let first =
        planned(recorded(planned(owning_many(20), &all, None, &POLICY)), &left, None, &POLICY);
    let sent = planned(recorded(first), &left, None, &POLICY);
    assert_eq!(sent.calls.len(), 2);
    let less = network(rows(20).split_off(4));
    let third = planned(recorded(sent), &less, None, &POLICY);
    let fourth = planned(recorded(third), &less, None, &POLICY);
    assert_eq!((fourth.calls.len(), fourth.braked), (2, Some(Braked::Many)));
    assert_eq!(deferred_reasons(&fourth), ["brake", "brake"]);
}

#[test]
fn what_a_person_lets_through_passes_the_brake_until_it_is_done() {
    let left = network(rows(20).split_off(9));
    let known = recorded(planned(owning_many(20), &left, None, &POLICY));
    let shown = planned(known.clone(), &left, None, &POLICY);
    let removals = applied(&known, &left, None);
    assert_eq!((shown.deferred.len(), removals.calls.len()), (9, 9));
    let mut known = recorded(removals);
    assert_eq!(known.memory.approved[0].removals.len(), 9);
    let again = planned(known.clone(), &left, None, &POLICY);
    assert_eq!((again.calls.len(), again.braked), (9, None), "what failed is tried again");
    // All but two were done; of those one is mapped again.
    known.entries.retain(|name, entry| {
        entry.mapped.is_some() || ["d0.example", "d1.example"].contains(&name.as_str())
    });
    let mut back = left.clone();
    back.mappings.insert(0, mapping(1, 2, "d0.example"));
    let rest = planned(known, &back, None, &POLICY);
    assert_eq!(rest.memory.approved[0].removals, BTreeSet::from(["d1.example".parse().unwrap()]));
}

#[test]
fn only_what_a_person_let_through_is_done_by_it() {
    let mut left = network(rows(20).split_off(9));
    let known = recorded(planned(owning_many(20), &left, None, &POLICY));
    let shown = planned(known.clone(), &left, None, &POLICY);
    let mut approved = known;
    approve(&mut approved.memory, &shown, "hash".to_owned());
    // Between looking and letting through a mapping and a site came, and another mapping went.
    left.mappings.push(mapping(99, 2, "new.example"));
    left.mappings.remove(0);
    left.sites.insert(9, site("site.example"));
    let only = Policy { only_approved: true, ..POLICY };
    let plan = planned(approved.clone(), &left, None, &only);
    assert_eq!(plan.calls.values().filter(|call| **call == Call::Remove).count(), 9);
    assert_eq!((plan.calls.len(), plan.records.len()), (9, 0));
    let next = planned(recorded(plan), &left, None, &POLICY);
    assert!(next.calls.contains_key(&"new.example".parse().unwrap()));
    assert_eq!(next.records.len(), 1);
}

#[test]
fn a_hash_covers_what_is_deferred_and_when_and_nothing_else() {
    let left = |gone: usize| network(rows(20).split_off(gone));
    let known = recorded(planned(owning_many(20), &left(9), None, &POLICY));
    let of = |known: &Recorded, network: &Network| {
        planned(known.clone(), network, None, &POLICY).fingerprint()
    };
    let base = of(&known, &left(9));
    assert_eq!(base, of(&known, &left(9)));
    assert_ne!(base, of(&known, &left(10)), "another one is gone");
    let mut more = left(9);
    more.mappings.push(mapping(99, 2, "new.example"));
    assert_eq!(base, of(&known, &more), "an addition needs no word");
    let mut later = known.clone();
    later.memory.last_pass.as_mut().unwrap().at = at(20);
    assert_eq!(base, of(&later, &left(9)), "another pass ended");
    later.memory.last_pass.as_mut().unwrap().deferred.clear();
    assert_ne!(base, of(&later, &left(9)), "the same another time");
}

#[test]
fn a_network_that_is_suddenly_almost_empty_is_in_doubt_until_a_person_says_so() {
    let mut left = network(rows(20).split_off(11));
    left.sites.insert(9, site("new.example"));
    let mut known = owning_many(20);
    for pass in 1..=3 {
        let plan = planned(known, &left, None, &POLICY);
        assert_eq!(plan.doubts, [Doubt::SuddenFall { was: 20, is: 9 }], "pass {pass}");
        assert_eq!(plan.records, []);
        assert_eq!(plan.deferred.len(), 12, "{:?}", plan.deferred);
        assert!(!plan.calls.values().any(|call| *call == Call::Remove));
        known = recorded(plan);
    }
    let applied = applied(&known, &left, None);
    assert_eq!(applied.doubts, []);
    assert_eq!(applied.records.len(), 1);
    assert_eq!(applied.calls.values().filter(|call| **call == Call::Remove).count(), 11);
    let after = planned(recorded(applied), &left, None, &POLICY);
    assert_eq!(after.doubts, [], "the new size is the measure now");
}

#[test]
fn a_doubt_that_defers_nothing_is_over_when_a_person_says_so() {
    let known = Recorded {
        memory: Memory {
            network: NetworkMemory { mapped_names: Some(20), ..NetworkMemory::default() },
            ..Memory::default()
        },
        ..Recorded::default()
    };
    let left = network(rows(1));
    let shown = planned(known.clone(), &left, None, &POLICY);
    assert_eq!((shown.doubts.len(), shown.deferred.len()), (1, 0));
    assert_ne!(shown.fingerprint(), Plan::default().fingerprint(), "there is something to apply");
    let applied = applied(&known, &left, None);
    assert_eq!((applied.doubts.len(), applied.memory.approved.len()), (0, 0));
}

/// Six domains that are mapped and shown, and one more that is to be added; `shows` is what the list
/// has left.
fn with_list(shows: &[&str], gone: usize) -> (Recorded, Network, AliasList) {
    let mut known = owning_many(6);
    known.memory.host.list_believed = true;
    let all =
        list(&["d0.example", "d1.example", "d2.example", "d3.example", "d4.example", "d5.example"]);
    let known = recorded(planned(known, &network(rows(6)), Some(&all), &POLICY));
    let mut left = rows(6).split_off(gone);
    left.push(mapping(50, 2, "new.example"));
    (known, network(left), list(shows))
}

#[test]
fn a_list_that_suddenly_lacks_most_names_is_not_believed() {
    for shows in [vec![], vec!["stranger.example"], vec!["d0.example", "d1.example"]] {
        let (mut known, left, shown) = with_list(&shows, 1);
        for _ in 0..3 {
            let plan = planned(known, &left, Some(&shown), &POLICY);
            assert_eq!(
                calls(&plan),
                ["add-alias new.example"],
                "a first addition goes on: {shows:?}"
            );
            let held: Vec<_> =
                plan.deferred.iter().filter(|it| it.action == Action::AddAlias).collect();
            assert!(held.iter().all(|it| it.reason == Reason::ListDoubt), "{held:?}");
            assert_eq!(held.len(), if shows.len() == 2 { 4 } else { 5 });
            let owned = plan.entries.values().filter(|entry| entry.owned.is_some()).count();
            assert_eq!(owned, 6, "no ownership is dropped");
            known = recorded(plan);
        }
        let unread = planned(known.clone(), &left, None, &POLICY);
        assert_eq!(unread.doubts, [Doubt::List { lacks: None }], "what is not read is not right");
        let right = list(&[
            "d0.example",
            "d1.example",
            "d2.example",
            "d3.example",
            "d4.example",
            "d5.example",
        ]);
        let over = planned(known, &left, Some(&right), &POLICY);
        assert_eq!(over.doubts, []);
        assert!(
            over.calls.contains_key(&"d0.example".parse().unwrap()),
            "what was deleted meanwhile"
        );
    }
}

#[test]
fn a_person_ends_the_doubt_about_a_list_and_it_is_asked_for_what_it_lacks_once() {
    let (known, left, shown) = with_list(&["stranger.example"], 1);
    let known = recorded(planned(known, &left, Some(&shown), &POLICY));
    let plan = applied(&known, &left, Some(&shown));
    let again = ["d1", "d2", "d3", "d4", "d5"].map(|it| format!("add-alias {it}.example"));
    let mut expected = vec!["remove-alias d0.example".to_owned()];
    expected.extend(again);
    assert_eq!(calls(&plan), expected);
    let mut known = recorded(plan);
    for entry in known.entries.values_mut().filter(|entry| entry.alias.state == Alias::Wanted) {
        let mut host = known.memory.host.clone();
        answer::intend(entry, Call::Add, true, at(10));
        answer::answered(entry, &mut host, Call::Add, &Ok(()), at(10), false);
    }
    let after = planned(known, &left, Some(&shown), &POLICY);
    assert_eq!((after.doubts.len(), deferred_reasons(&after).len()), (0, 0), "{:?}", after.doubts);
    assert!(!after.calls.values().any(|call| *call == Call::Add), "{:?}", after.calls);
}
