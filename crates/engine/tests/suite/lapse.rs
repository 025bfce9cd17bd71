//! Months of a domain: certificates of every lifetime grow old, and DNS comes right late.

use std::time::Duration;

use rules::explain::headline;
use rules::probe::{Probe, RootsSilent};
use rules::{Clock, DomainName, Stage};

use crate::world::{HERE, World};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The code of the first finding of a domain, as the ledger has it.
fn first_code(world: &World, name: &DomainName) -> String {
    let entry = world.entry(name);
    headline(&entry).map_or_else(|| "-".to_owned(), |it| it.code().to_owned())
}

#[test]
#[rustfmt::skip] // One lifetime a line.
fn a_certificate_that_is_not_renewed_is_told_of_before_it_ends_and_the_stage_stays() {
    let table = [
        // lifetime   overdue from  ends soon from
        (DAY * 90,    DAY * 60,     DAY * 81),
        (DAY * 45,    DAY * 30,     HOUR * 972),
        (HOUR * 160,  HOUR * 80,    HOUR * 136),
    ];
    for (lifetime, overdue, soon) in table {
        let mut world = World::new();
        let name: DomainName = "shop.example".parse().unwrap();
        let id = world.network.tables().map(2, "shop.example");
        world.probe.points(&name, [HERE]);
        world.certify_for("shop.example", lifetime);
        let mut at = Duration::ZERO;
        let mut until = |world: &mut World, then: Duration| {
            world.pass(then.saturating_sub(at));
            at = then;
        };
        // A ready domain is checked every six hours.
        until(&mut world, overdue.saturating_sub(HOUR));
        assert_eq!(first_code(&world, &name), "-", "{lifetime:?}");
        until(&mut world, overdue + HOUR * 7);
        assert_eq!(first_code(&world, &name), "renewal-overdue", "{lifetime:?}");
        until(&mut world, soon + HOUR * 7);
        assert_eq!(first_code(&world, &name), "expires-soon", "{lifetime:?}");
        until(&mut world, lifetime + MINUTE);
        assert_eq!(first_code(&world, &name), "expired", "{lifetime:?}: at once, not six hours later");
        assert_eq!(world.stage_of(id), (Some(Stage::Done), true), "the stage stays");
        world.certify_for("shop.example", lifetime);
        until(&mut world, lifetime + HOUR * 7);
        assert_eq!(first_code(&world, &name), "-", "{lifetime:?}: renewed");
    }
}

#[test]
fn dns_that_comes_right_on_day_twenty_is_seen_within_six_hours() {
    let mut world = World::new();
    let name: DomainName = "shop.example".parse().unwrap();
    let id = world.network.tables().map(2, "shop.example");
    world.pass(DAY * 20);
    assert_eq!(world.stage_of(id).0, Some(Stage::Failed), "its patience of two days is over");
    assert_eq!(first_code(&world, &name), "no-such-name");
    world.probe.points(&name, [HERE]);
    world.certify("shop.example");
    world.pass(HOUR * 6 + MINUTE);
    assert_eq!(world.stage_of(id), (Some(Stage::Done), true));
    assert_eq!(first_code(&world, &name), "-");
}

#[test]
fn the_deep_questions_are_asked_once_an_hour_at_most_while_a_domain_is_not_good() {
    let mut world = World::new();
    let name: DomainName = "shop.example".parse().unwrap();
    world.network.tables().map(2, "shop.example");
    let looks = |world: &World| world.dns.looked.lock().unwrap().clone();
    world.pass(HOUR * 12);
    let gaps: Vec<Duration> =
        looks(&world).windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
    assert!(8 < gaps.len(), "{gaps:?}");
    assert!(gaps.iter().all(|gap| HOUR <= *gap), "{gaps:?}");
    world.probe.points(&name, [HERE]);
    world.certify("shop.example");
    world.pass(HOUR);
    let before = looks(&world).len();
    world.pass(DAY * 2);
    assert_eq!(looks(&world).len(), before, "nothing is asked of a domain that is ready");
}

#[test]
fn that_no_root_answers_is_remembered_from_pass_to_pass() {
    let mut world = World::new();
    world.network.tables().map(2, "shop.example");
    let recorded = |world: &World| world.ledger.contents().memory.network.roots_silent;
    let silent = RootsSilent::at(world.clock.now(), None);
    world.probe.silences_roots(Some(silent));
    world.pass(MINUTE);
    assert_eq!(recorded(&world), Some(silent));
    // Another process, whose probe has asked nobody yet.
    world.probe.silences_roots(None);
    world.pass(MINUTE);
    assert_eq!(world.probe.roots_silent(), Some(silent), "it was told");
    assert_eq!(recorded(&world), Some(silent));
}
