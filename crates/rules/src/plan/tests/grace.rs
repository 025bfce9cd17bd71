//! The grace of an alias whose mapping is gone, and a policy that removes nothing.

use super::*;

const GRACE: Policy = Policy { grace: Duration::from_mins(30), ..POLICY };

/// A pass so many minutes after the start.
fn pass_at(known: Recorded, network: &Network, policy: &Policy, minutes: u32) -> Plan {
    let protected = Protected::on(network, None, Vec::new());
    let now = at(minutes);
    let plan = plan(known, &World { network, list: None, protected: &protected, policy, now });
    let calls = plan.calls.values().filter(|call| **call == Call::Remove).count();
    let removing = plan.entries.values().filter(|entry| entry.alias.state == Alias::Removing);
    assert_eq!(removing.count(), calls);
    plan
}

/// Eight names that are owned; `left` of them are mapped still.
fn eight(left: u64) -> (Recorded, Network) {
    (owning_many(8), network(rows(left)))
}

#[test]
fn an_alias_stays_until_its_grace_is_over() {
    let (mut known, gone) = eight(7);
    for minutes in [10, 11, 12, 30, 40] {
        let plan = pass_at(known, &gone, &GRACE, minutes);
        let why = if minutes == 10 { "mapping-gone" } else { "grace" };
        assert_eq!((deferred_reasons(&plan), calls(&plan)), (vec![why], vec![]), "{minutes}");
        let until = plan.deferred[0].until.filter(|_| minutes != 10);
        assert_eq!(until, (minutes != 10).then(|| at(11 + 30)), "{minutes}");
        known = recorded(plan);
    }
    let over = pass_at(known, &gone, &GRACE, 41);
    assert_eq!(calls(&over), ["remove-alias d7.example"]);
}

#[test]
fn a_mapping_that_comes_back_costs_nothing_and_its_next_grace_is_a_whole_one() {
    let (known, gone) = eight(7);
    let whole = network(rows(8));
    let known = recorded(pass_at(known, &gone, &GRACE, 10));
    let known = recorded(pass_at(known, &gone, &GRACE, 11));
    let back = pass_at(known, &whole, &GRACE, 40);
    let entry = &back.entries[&"d7.example".parse().unwrap()];
    assert_eq!((entry.alias.state, entry.alias.reason), (Alias::Present, None));
    assert_eq!((entry.tombstone, calls(&back)), (None, vec![]));
    let known = recorded(pass_at(recorded(back), &gone, &GRACE, 41));
    let again = pass_at(known, &gone, &GRACE, 42);
    assert_eq!(again.deferred[0].until, Some(at(72)));
}

#[test]
fn the_brake_is_asked_when_a_grace_begins_and_when_it_ends() {
    // Three may go within an hour: four are too many to begin with.
    let (known, gone) = eight(4);
    let first = recorded(pass_at(known, &gone, &GRACE, 10));
    let second = pass_at(first.clone(), &gone, &GRACE, 11);
    assert_eq!(deferred_reasons(&second), ["brake"; 4]);
    assert!(second.entries.values().all(|entry| entry.tombstone.is_none()));

    // Two begin, and two more an hour later; when the graces of all four are over, three go.
    let long = Policy { grace: Duration::from_hours(5), ..POLICY };
    let two = network(rows(6));
    let known = recorded(pass_at(owning_many(8), &two, &long, 10));
    let known = recorded(pass_at(known, &two, &long, 11));
    let four = network(rows(4));
    let known = recorded(pass_at(known, &four, &long, 100));
    let known = recorded(pass_at(known, &four, &long, 101));
    assert_eq!(known.entries.values().filter(|entry| entry.tombstone.is_some()).count(), 4);
    let over = pass_at(known, &four, &long, 600);
    assert_eq!((deferred_reasons(&over), calls(&over).len()), (vec!["brake"; 4], 0));
}

#[test]
fn a_persons_word_begins_the_grace_and_does_not_shorten_it() {
    let (known, gone) = eight(4);
    let first = recorded(pass_at(known, &gone, &GRACE, 10));
    let shown = pass_at(first.clone(), &gone, &GRACE, 11);
    let mut known = first;
    approve(&mut known.memory, &shown, "hash".to_owned());
    let only = Policy { only_approved: true, ..GRACE };
    let approved = pass_at(known, &gone, &only, 12);
    assert_eq!((deferred_reasons(&approved), calls(&approved)), (vec!["grace"; 4], vec![]));
    let later = pass_at(recorded(approved), &gone, &GRACE, 42);
    assert_eq!(calls(&later).len(), 4, "nor is the brake asked again");
}

#[test]
fn with_the_policy_add_only_nothing_is_removed_and_it_says_so() {
    let add_only = Policy { removal: RemovalPolicy::AddOnly, ..POLICY };
    let (mut known, gone) = eight(7);
    for minutes in 10..14 {
        let plan = pass_at(known, &gone, &add_only, minutes);
        assert_eq!((deferred_reasons(&plan), calls(&plan)), (vec![], vec![]));
        let alias = &plan.entries[&"d7.example".parse().unwrap()].alias;
        assert_eq!((alias.state, alias.reason), (Alias::Present, Some(Reason::AddOnly)));
        known = recorded(plan);
    }
    let known = recorded(pass_at(known, &gone, &POLICY, 20));
    let plan = pass_at(known, &gone, &POLICY, 21);
    assert_eq!(calls(&plan), ["remove-alias d7.example"], "until it is set back");
}
