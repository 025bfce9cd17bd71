//! The hunt itself: what holds, what is open, and that a fault would be found.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::SqliteLedger;
use rules::planted::{Fault, plant};
use simulator::hunt::hunt;
use simulator::open::OPEN;
use simulator::shrink::{shrink, story};
use simulator::{History, Keep, Outcome, live};

fn life(seed: u64) -> Outcome {
    live(&History::of(seed), Keep::InMemory)
}

fn broken(outcome: &Outcome) -> BTreeSet<&'static str> {
    outcome.violations.iter().map(|violation| violation.invariant).collect()
}

#[test]
fn two_thousand_seeds_break_nothing_that_holds() {
    let hunt = hunt(0..2000, None);
    assert!(hunt.broken.is_empty(), "`just simulate` tells the story: {:?}", hunt.broken);
    assert!(hunt.open.len() < 1000, "most seeds break nothing: {}", hunt.open.len());
}

#[test]
fn the_same_seed_gives_the_same_log_byte_for_byte() {
    for seed in 0..40 {
        let (one, two) = (life(seed), life(seed));
        assert_eq!(one.log, two.log, "seed {seed}");
        assert_eq!(one.end, two.end, "seed {seed}");
        assert!(10 < one.log.len(), "something happens: {:?}", one.log);
    }
}

#[test]
fn every_open_invariant_is_still_broken_by_its_seed() {
    for open in OPEN {
        let broken = broken(&life(open.seed));
        assert!(broken.contains(open.invariant), "{open:?}: it holds now; take its line out");
    }
}

#[rustfmt::skip] // One fault a line.
const FOUND_AS: [(Fault, &str); 21] = [
    (Fault::SkipBrake,         "brake-in-a-pass"),
    (Fault::RemoveForeign,     "removed-foreign"),
    (Fault::ActOnCopy,         "copy-acts"),
    (Fault::ActOnOther,        "other-network-acts"),
    (Fault::ForgetRestore,     "removed-after-a-restore"),
    (Fault::BelieveAnyList,    "added-again-on-a-doubtful-list"),
    (Fault::RemoveOnOldRead,   "removed-on-an-old-read"),
    (Fault::ForgetTheHour,     "brake-in-an-hour"),
    (Fault::RemoveAll,         "removed-all"),
    (Fault::DropUnreadable,    "removed-while-unreadable"),
    (Fault::RemoveSitesOwn,    "removed-a-sites-own-name"),
    (Fault::SendProtected,     "protected-sent"),
    (Fault::ForgetServed,      "served-taken-down"),
    (Fault::StageOnUnseen,     "stage-not-seen"),
    (Fault::CountDoubtfulRead, "removed-on-one-read"),
    (Fault::ActBeforeIntent,   "no-intent"),
    (Fault::DropOnMiss,        "no-intent"),
    (Fault::DropOutcome,       "lost-outcome"),
    (Fault::WriteContested,    "contested-written"),
    (Fault::AddTwinElsewhere,  "twin-without-dns"),
    (Fault::ForgetParent,      "removed-while-mapped"),
];

#[test]
fn each_planted_fault_is_found_within_six_hundred_seeds() {
    assert_eq!(FOUND_AS.map(|(fault, _)| fault), Fault::ALL);
    for (fault, invariant) in FOUND_AS {
        let found = hunt(0..600, Some((fault, invariant))).broken;
        let found: BTreeSet<_> = found.values().map(|violation| violation.invariant).collect();
        assert!(found.contains(invariant), "{fault:?} was not found, but {found:?}");
    }
}

#[test]
fn a_story_is_short_and_breaks_the_same() {
    plant(Some(Fault::SendProtected));
    let breaks = |seed: &u64| broken(&life(*seed)).contains("protected-sent");
    let seed = (0..500).find(breaks).expect("a seed that finds it");
    let history = History::of(seed);
    let shortest = shrink(&history, "protected-sent");
    let story = story(&shortest);
    plant(None);
    assert!(shortest.steps.len() <= 4, "{story}");
    assert!(story.contains("BROKEN protected-sent"), "{story}");
}

#[test]
fn the_real_ledger_comes_to_the_same_end() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
    let runtime = runtime.expect("a runtime");
    let _within = runtime.enter();
    for seed in 0..20 {
        let ledger = runtime.block_on(SqliteLedger::in_memory()).expect("a ledger");
        let real = live(&History::of(seed), Keep::In(Arc::new(ledger)));
        let twin = life(seed);
        assert_eq!(broken(&real), broken(&twin), "seed {seed}");
        assert_eq!(real.end, twin.end, "seed {seed}");
    }
}
