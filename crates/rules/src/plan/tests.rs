//! Plans over small worlds: all of them where that is possible.

mod deferring;
mod grace;
mod restoring;
mod twins;

use super::*;
use crate::entry::{Alias, Gone, Intent, Owned, OwnedAs, Proof};
use crate::host::HostError;
use crate::ledger::{LastPass, NetworkMemory};
use crate::removal::is_ours;
use crate::testing::{mapping, network, site};
use crate::{Identity, Mapping, Site};

const POLICY: Policy = Policy {
    confirmations: 2,
    gap: Duration::ZERO,
    brake: Brake::Percent(10),
    grace: Duration::ZERO,
    removal: RemovalPolicy::Sync,
    records: Records::New,
    www: Www::Never,
    interval: Duration::from_mins(5),
    clock_is_wrong: false,
    only_approved: false,
};

fn at(minutes: u32) -> Time {
    Time::from_millis(0) + Duration::from_mins(1) * minutes
}

fn list(names: &[&str]) -> AliasList {
    let names = names.iter().map(|name| name.parse().unwrap()).collect();
    AliasList { names, ..AliasList::default() }
}

fn planned(
    recorded: Recorded,
    network: &Network,
    list: Option<&AliasList>,
    policy: &Policy,
) -> Plan {
    let protected = Protected::on(network, None, Vec::new());
    plan(recorded, &World { network, list, protected: &protected, policy, now: at(10) })
}

/// The same after a person let through what `planned` defers.
fn applied(known: &Recorded, network: &Network, list: Option<&AliasList>) -> Plan {
    let shown = planned(known.clone(), network, list, &POLICY);
    let mut known = known.clone();
    approve(&mut known.memory, &shown, "hash".to_owned());
    planned(known, network, list, &Policy { only_approved: true, ..POLICY })
}

/// What the ledger knows after `plan`, as a pass would save it.
fn recorded(plan: Plan) -> Recorded {
    let entries = plan.entries.into_iter().filter(|(_, entry)| !entry.is_retired()).collect();
    let last_pass = LastPass { at: at(10), deferred: plan.deferred, ..LastPass::default() };
    let memory = Memory { last_pass: Some(last_pass), ..plan.memory };
    Recorded { entries, memory, mapped_sites: plan.mapped_sites }
}

fn calls(plan: &Plan) -> Vec<String> {
    plan.calls.iter().map(|(name, call)| format!("{} {name}", call.action())).collect()
}

fn deferred_reasons(plan: &Plan) -> Vec<&str> {
    plan.deferred.iter().map(|deferred| deferred.reason.code()).collect()
}

/// A ledger with `names`, all mapped and present.
fn owning(names: &[&str]) -> Recorded {
    let mut recorded = Recorded::default();
    for name in names {
        let mut entry = Entry::new(name.parse().unwrap(), None, at(0));
        entry.alias.set(at(0), Alias::Present, None, None);
        entry.owned = Some(Owned { how: OwnedAs::Added, since: at(0) });
        (entry.confirmed, entry.shown) = (true, true);
        recorded.entries.insert(entry.domain.clone(), entry);
    }
    recorded.memory.network.mapped_names = Some(names.len() as u64);
    recorded.memory.network.site_mark = Some(SiteMark { id: 4, registered: None });
    recorded
}

/// `count` mappings of site 2, `d0.example` and on.
fn rows(count: u64) -> Vec<Mapping> {
    (0..count).map(|i| mapping(i + 1, 2, &format!("d{i}.example"))).collect()
}

fn names(count: u64) -> Vec<String> {
    rows(count).iter().map(|row| row.domain.to_string()).collect()
}

fn owning_many(count: u64) -> Recorded {
    owning(&names(count).iter().map(String::as_str).collect::<Vec<_>>())
}

/// Every world of one name: 3 kinds of mapping, 3 lists, and each way it may be recorded.
fn all_worlds() -> Vec<(Network, Option<AliasList>, Recorded)> {
    let mapped = [vec![], vec![mapping(1, 2, "a.example")], vec![mapping(1, 99, "a.example")]];
    let lists = [None, Some(list(&["other.example"])), Some(list(&["a.example"]))];
    let mut worlds = Vec::new();
    for mappings in &mapped {
        for list in &lists {
            for entry in all_entries() {
                let mut recorded = owning(&[]);
                recorded.memory.host.list_believed = entry.shown;
                recorded.entries.insert(entry.domain.clone(), entry);
                worlds.push((network(mappings.clone()), list.clone(), recorded));
            }
        }
    }
    worlds
}

fn all_entries() -> Vec<Entry> {
    use Alias::{Absent, Adding, Present, Protected, Rejected, Removing, Wanted};
    let intents = [None, Some(true), Some(false)]
        .map(|lacked| lacked.map(|list_lacked| Intent { at: at(0), list_lacked }));
    let owned_as = [None, Some(OwnedAs::Added), Some(OwnedAs::Adopted), Some(OwnedAs::Seen)];
    let mut entries = Vec::new();
    for alias in [Wanted, Adding, Present, Rejected, Removing, Absent, Protected] {
        for intent in intents {
            for owned_as in owned_as {
                for (reads, shown) in [(0, true), (0, false), (1, true), (2, true), (2, false)] {
                    let mut entry = Entry::new("a.example".parse().unwrap(), None, at(0));
                    entry.alias.set(at(0), alias, None, None);
                    entry.step.intent = intent;
                    entry.owned = owned_as.map(|how| Owned { how, since: at(0) });
                    (entry.shown, entry.confirmed) = (shown, owned_as == Some(OwnedAs::Added));
                    entry.gone.reads = reads;
                    entries.push(entry);
                }
            }
        }
    }
    entries
}

#[test]
fn in_every_world_only_what_is_ours_and_seen_gone_often_enough_is_removed() {
    let mut removals = 0;
    for (network, list, recorded) in all_worlds() {
        let before = recorded.entries.values().next().unwrap().clone();
        let plan = planned(recorded, &network, list.as_ref(), &POLICY);
        for (name, call) in &plan.calls {
            let entry = &plan.entries[name];
            match call {
                Call::Add => assert!(entry.mapped.is_some(), "{before:?}"),
                Call::Remove => {
                    removals += 1;
                    assert!(network.mappings.is_empty(), "{before:?}");
                    assert!(
                        is_ours(&before) || before.alias.state == Alias::Removing,
                        "{before:?}"
                    );
                    assert!(1 <= before.gone.reads && 2 <= entry.gone.reads, "{before:?}");
                }
            }
        }
    }
    assert!(0 < removals, "the worlds hold some removals");
}

#[test]
fn in_every_world_a_doubtful_read_removes_nothing_and_makes_no_records() {
    for (mut network, list, mut recorded) in all_worlds() {
        network.sites.insert(9, site("new.example"));
        recorded.memory.network.mapped_names = Some(1);
        network.moved = true;
        let plan = planned(recorded.clone(), &network, list.as_ref(), &POLICY);
        for plan in [plan, applied(&recorded, &network, list.as_ref())] {
            assert!(plan.records.is_empty());
            assert!(!plan.calls.values().any(|call| *call == Call::Remove));
            assert_eq!(plan.memory.network.mapped_names, Some(1), "doubt teaches nothing");
        }
    }
}

#[test]
fn every_world_comes_to_rest_when_nothing_changes() {
    for (network, list, mut known) in all_worlds() {
        for _ in 0..4 {
            known = recorded(planned(known, &network, list.as_ref(), &POLICY));
        }
        let rest = planned(known, &network, list.as_ref(), &POLICY);
        let still: Vec<_> = rest.changed.keys().map(|name| &rest.entries[name].alias).collect();
        assert!(rest.changed.is_empty(), "{still:?} with {list:?}");
    }
}

#[test]
fn a_first_pass_adds_what_is_mapped_and_marks_the_sites_that_are_there() {
    let network = network(rows(3));
    let plan = planned(Recorded::default(), &network, None, &POLICY);
    assert_eq!(calls(&plan).len(), 3);
    let mark = SiteMark { id: 4, registered: Some(at(0)) };
    assert_eq!(plan.memory.network.site_mark, Some(mark));
    assert_eq!(plan.records, [], "older sites are left alone");
    assert_eq!(plan.mapped_sites, MappedSites::from([(2, Some(at(0)))]));
}

#[test]
fn what_the_host_shows_is_owned_as_seen_and_not_asked_for_again() {
    let shown = list(&["d0.example", "stranger.example"]);
    let plan = planned(Recorded::default(), &network(rows(2)), Some(&shown), &POLICY);
    assert_eq!(calls(&plan), ["add-alias d1.example"]);
    let seen = &plan.entries[&"d0.example".parse().unwrap()];
    assert_eq!(seen.owned.map(|owned| owned.how), Some(OwnedAs::Seen));
    assert_eq!(plan.foreign, BTreeSet::from(["stranger.example".parse().unwrap()]));
}

#[test]
fn a_mapping_that_goes_is_removed_on_the_second_good_read() {
    let empty = network(vec![]);
    let first = planned(owning(&["a.example"]), &empty, None, &POLICY);
    assert_eq!((calls(&first), deferred_reasons(&first)), (vec![], vec!["mapping-gone"]));
    let second = planned(recorded(first), &empty, None, &POLICY);
    assert_eq!(calls(&second), ["remove-alias a.example"]);
}

#[test]
fn reads_that_follow_too_closely_count_once() {
    let policy = Policy { gap: Duration::from_mins(1), ..POLICY };
    let empty = network(vec![]);
    let first = planned(owning(&["a.example"]), &empty, None, &policy);
    let second = planned(recorded(first), &empty, None, &policy);
    assert_eq!(calls(&second), Vec::<String>::new());
}

#[test]
fn a_mapping_that_comes_back_is_forgiven() {
    let first = planned(owning(&["d0.example"]), &network(vec![]), None, &POLICY);
    let back = planned(recorded(first), &network(rows(1)), None, &POLICY);
    let entry = &back.entries[&"d0.example".parse().unwrap()];
    assert_eq!((entry.alias.state, entry.alias.reason), (Alias::Present, None));
    assert_eq!(entry.gone, Gone::default());
}

#[test]
fn a_rename_is_one_name_gone_and_one_come() {
    let renamed = network(vec![mapping(1, 2, "new.example")]);
    let first = planned(owning(&["old.example"]), &renamed, None, &POLICY);
    assert_eq!(calls(&first), ["add-alias new.example"]);
    let mut recorded = recorded(first);
    recorded.entries.values_mut().for_each(|entry| entry.step.due = at(99));
    let second = planned(recorded, &renamed, None, &POLICY);
    assert_eq!(calls(&second), ["remove-alias old.example"]);
}

/// Passes over `now` after one over a network with `row`, with a list that shows what is owned.
fn passes(row: Mapping, now: &Network, passes: usize) -> Plan {
    let owned = row.domain.as_str().to_owned();
    let before = network(vec![row]);
    let mut known = recorded(planned(owning(&[&owned]), &before, None, &POLICY));
    for _ in 1..passes {
        known = recorded(planned(known, now, None, &POLICY));
    }
    planned(known, now, None, &POLICY)
}

#[test]
fn a_row_whose_text_is_no_domain_name_is_a_mapping_that_is_there() {
    let mut spoilt = network(vec![]);
    spoilt.unreadable.insert(1, 2);
    let plan = passes(mapping(1, 2, "shop.example"), &spoilt, 4);
    let entry = &plan.entries[&"shop.example".parse().unwrap()];
    assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
    assert_eq!((entry.alias.state, entry.gone.reads), (Alias::Present, 0));
    assert!(
        entry.mapped.as_ref().is_some_and(|mapped| mapped.left_alone.is_some()),
        "its stage is left alone"
    );

    let plan = passes(mapping(7, 2, "shop.example"), &spoilt, 2);
    assert_eq!(calls(&plan), ["remove-alias shop.example"], "another row says nothing of it");

    let plan =
        passes(mapping(1, 2, "old.example"), &network(vec![mapping(1, 2, "new.example")]), 2);
    assert_eq!(plan.calls.get(&"old.example".parse().unwrap()), Some(&Call::Remove), "a rename");
}

#[test]
fn a_row_that_led_to_no_site_is_known_when_it_cannot_be_read() {
    let lost = network(vec![mapping(1, 99, "shop.example")]);
    let mut spoilt = network(vec![]);
    spoilt.unreadable.insert(1, 99);
    let mut known = recorded(planned(owning(&["shop.example"]), &lost, None, &POLICY));
    for network in [&spoilt, &lost, &spoilt, &spoilt, &spoilt] {
        let plan = planned(known, network, None, &POLICY);
        assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
        known = recorded(plan);
    }
}

#[test]
fn an_alias_that_a_site_has_as_its_own_name_is_kept_and_says_so() {
    let mut own = network(vec![]);
    own.sites.insert(9, site("shop.example"));
    let plan = passes(mapping(1, 2, "shop.example"), &own, 4);
    let alias = &plan.entries[&"shop.example".parse().unwrap()].alias;
    assert_eq!((calls(&plan), deferred_reasons(&plan)), (vec![], vec![]));
    assert_eq!((alias.state, alias.reason), (Alias::Present, Some(Reason::SitesOwnName)));
    assert_eq!(alias.detail.as_deref(), Some("site 9 has it as its own domain"));
    let known = recorded(plan);
    let gone = recorded(planned(known.clone(), &network(vec![]), None, &POLICY));
    let plan = planned(gone, &network(vec![]), None, &POLICY);
    assert_eq!(calls(&plan), ["remove-alias shop.example"], "once the site is gone too");
    let back = planned(known, &network(vec![mapping(2, 2, "shop.example")]), None, &POLICY);
    assert_eq!(back.entries.values().next().unwrap().alias.reason, None);
}

#[test]
fn what_is_known_of_a_network_stays_where_less_of_it_is_read() {
    let whole = network(vec![]);
    let identity = whole.identity.clone();
    let mut over_rest = whole.clone();
    over_rest.identity = Identity { app: None, database: String::new(), ..identity.clone() };
    let known = |was: &Network, now: &Network| {
        let mut recorded = Recorded::default();
        recorded.memory.network.identity = Some(was.identity.clone());
        planned(recorded, now, None, &POLICY).memory.network.identity
    };
    assert_eq!(known(&whole, &over_rest), Some(identity.clone()));
    assert_eq!(known(&over_rest, &whole), Some(identity));
}

#[test]
fn a_protected_name_is_never_sent_and_never_removed() {
    let network_own = network(vec![mapping(1, 1, "net.example")]);
    let plan = planned(Recorded::default(), &network_own, None, &POLICY);
    assert_eq!(calls(&plan), Vec::<String>::new());
    assert_eq!(plan.entries.values().next().unwrap().alias.state, Alias::Protected);
    let mut known = owning(&["net.example"]);
    known.entries.values_mut().for_each(|entry| entry.gone.reads = 2);
    let plan = planned(known, &network(vec![]), None, &POLICY);
    assert_eq!(calls(&plan), Vec::<String>::new());
}

#[test]
fn an_alias_that_vanished_at_the_host_is_added_again_only_where_its_list_is_believed() {
    let others = list(&["other.example"]);
    let mut known = owning(&["d0.example"]);
    let plan = planned(known.clone(), &network(rows(1)), Some(&others), &POLICY);
    assert_eq!(calls(&plan), Vec::<String>::new(), "its list never proved itself");
    known.memory.host.list_believed = true;
    let plan = planned(known.clone(), &network(rows(1)), Some(&others), &POLICY);
    assert_eq!(calls(&plan), ["add-alias d0.example"]);
    known.entries.values_mut().for_each(|entry| entry.shown = false);
    let plan = planned(known, &network(rows(1)), Some(&others), &POLICY);
    assert_eq!(calls(&plan), Vec::<String>::new(), "the list hides this name");
}

#[test]
fn a_call_that_timed_out_is_ours_only_if_the_list_before_it_lacked_the_name() {
    for (list_lacked, ours) in [(true, true), (false, false)] {
        let mut entry = Entry::new("a.example".parse().unwrap(), None, at(0));
        let mut memory = Memory::default();
        answer::intend(&mut entry, Call::Add, list_lacked, at(0));
        let lost = Err(HostError::OutcomeUnknown { what: "no answer".to_owned() });
        answer::answered(&mut entry, &mut memory.host, Call::Add, &lost, at(0), false);
        let mut known = owning(&[]);
        known.entries.insert(entry.domain.clone(), entry);
        let empty = network(vec![]);
        let shown = list(&["a.example"]);
        let first = planned(known, &empty, Some(&shown), &POLICY);
        let second = planned(recorded(first), &empty, Some(&shown), &POLICY);
        assert_eq!(!second.calls.is_empty(), ours, "list lacked it before: {list_lacked}");
        assert_eq!(second.foreign.is_empty(), ours);
    }
}

#[test]
fn a_new_site_gets_its_record_on_the_next_pass() {
    let mut network = network(vec![]);
    let first = planned(Recorded::default(), &network, None, &POLICY);
    network.sites.insert(9, Site { age: Some(Duration::from_mins(2)), ..site("new.example") });
    let second = planned(recorded(first), &network, None, &POLICY);
    let [record] = &second.records[..] else { panic!("{:?}", second.records) };
    assert_eq!((record.site_id, record.domain.as_str()), (9, "new.example"));
}

#[test]
fn another_mapping_or_site_has_to_be_proven_anew() {
    for (row, proof) in [
        (mapping(1, 2, "a.example"), Proof::Proven),
        (mapping(5, 2, "a.example"), Proof::Unproven),
        (mapping(1, 3, "a.example"), Proof::Unproven),
    ] {
        let mut ledger = owning(&["a.example"]);
        let entry = ledger.entries.get_mut(&"a.example".parse().unwrap()).unwrap();
        entry.mapped = Wanted::of(&network(rows(1))).names.into_values().next();
        entry.proof.set(at(0), Proof::Proven, None, None);
        let plan = planned(ledger, &network(vec![row.clone()]), None, &POLICY);
        let after = plan.entries.values().next().unwrap();
        assert_eq!(after.proof.state, proof, "{row:?}");
    }
}
