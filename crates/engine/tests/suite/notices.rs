//! Receivers outside, over days: each gets each message once, in order, by one name.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::memory::{MemoryReceiver, ReceiverMood};
use rules::DomainName;
use rules::ledger::Ledger;
use rules::notice::Message;
use rules::probe::DnsObservation;

use crate::world::{HERE, World};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// A world with receivers and three served domains, an hour old.
fn world(receivers: usize) -> (World, Vec<MemoryReceiver>) {
    let mut world = World::new();
    let receivers = (0..receivers)
        .map(|it| MemoryReceiver::new(format!("hook {it}"), world.clock.clone()))
        .collect::<Vec<_>>();
    world.tells(&receivers);
    for name in ["a.example", "b.example", "c.example"] {
        world.network.tables().map(2, name);
        heals(&world, name);
        world.certify(name);
    }
    world.pass(HOUR);
    (world, receivers)
}

fn heals(world: &World, name: &str) {
    world.probe.points(&named(name), [HERE]);
}

fn breaks(world: &World, name: &str) {
    world.probe.answers(&named(name), DnsObservation::NoSuchName);
}

fn named(name: &str) -> DomainName {
    name.parse().expect("a name")
}

/// What it got, as `domain.broken a.example`.
fn got(receiver: &MemoryReceiver) -> Vec<String> {
    let line = |message: &Message| {
        format!("{} {}", message.kind, message.domain.as_deref().unwrap_or("-"))
    };
    receiver.got().iter().map(|(_, message)| line(message)).collect()
}

fn ids(receiver: &MemoryReceiver) -> Vec<String> {
    receiver.got().into_iter().map(|(_, message)| message.id).collect()
}

/// Break the three domains, hours apart, and let one heal.
fn a_day_of_events(world: &mut World) {
    for name in ["a.example", "b.example", "c.example"] {
        breaks(world, name);
        world.check(name);
        world.pass(HOUR * 3);
    }
    heals(world, "a.example");
    world.check("a.example");
    world.pass(HOUR * 12);
}

const THE_DAY: [&str; 4] = [
    "domain.broken a.example",
    "domain.broken b.example",
    "domain.broken c.example",
    "domain.recovered a.example",
];

#[test]
fn a_receiver_that_is_down_for_a_day_gets_each_event_once_it_is_back_each_once_and_in_order() {
    let (mut world, receivers) = world(2);
    let [up, down] = &receivers[..] else { panic!("there are two") };
    down.becomes(ReceiverMood::Silent);
    a_day_of_events(&mut world);
    assert_eq!(got(up)[..4], THE_DAY, "the other one did not wait");
    assert_eq!(got(down), [""; 0]);
    assert!((40..100).contains(&down.asked()), "in growing gaps: {}", down.asked());
    down.becomes(ReceiverMood::Takes);
    world.pass(MINUTE * 30);
    assert_eq!(got(down)[..4], THE_DAY);
    assert_eq!(ids(down), ids(up), "the same by the same names");
    let different: BTreeSet<_> = ids(down).into_iter().collect();
    assert_eq!(different.len(), ids(down).len(), "each once");
    let asked = down.asked();
    world.pass(HOUR);
    assert_eq!(down.asked(), asked, "and that was all");
}

#[test]
fn what_lasts_is_told_again_a_day_later_and_nothing_is_between() {
    let (mut world, receivers) = world(1);
    breaks(&world, "a.example");
    world.check("a.example");
    world.pass(HOUR);
    assert_eq!(got(&receivers[0]), ["domain.broken a.example"]);
    world.pass(HOUR * 22);
    assert_eq!(got(&receivers[0]).len(), 1);
    world.pass(HOUR * 3);
    let told = got(&receivers[0]);
    let again = told.iter().filter(|it| *it == "domain.broken a.example").count();
    assert_eq!(again, 2, "{told:?}");
}

#[test]
fn a_crash_between_sending_and_storing_sends_again_by_the_same_name() {
    let (mut world, receivers) = world(1);
    receivers[0].takes(MINUTE * 30);
    breaks(&world, "a.example");
    world.check("a.example");
    world.pass(MINUTE * 20);
    assert_eq!(got(&receivers[0]), THE_DAY[..1], "it is there, and its answer is on its way");
    world.crash();
    receivers[0].takes(Duration::ZERO);
    world.pass(MINUTE * 5);
    let ids = ids(&receivers[0]);
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert_eq!(ids[0], ids[1]);
    world.pass(HOUR);
    assert_eq!(got(&receivers[0]).len(), 2, "and that was all");
}

#[test]
fn nothing_waits_for_a_receiver_that_takes_its_time() {
    let (mut world, receivers) = world(1);
    receivers[0].takes(HOUR * 5);
    breaks(&world, "a.example");
    world.check("a.example");
    world.pass(MINUTE * 20);
    assert_eq!(receivers[0].asked(), 1, "it was asked, and does not answer");
    world.network.tables().map(2, "new.example");
    world.pass(MINUTE);
    let calls = world.host.calls.lock().unwrap().clone();
    assert!(calls.contains(&"add new.example".to_owned()), "{calls:?}");
    let checked = world.dns.asked.lock().unwrap().len();
    world.pass(MINUTE * 30);
    assert!(checked + 5 < world.dns.asked.lock().unwrap().len(), "checks go on");
}

#[test]
fn a_refusal_ends_its_message_alone_and_is_told() {
    let (mut world, receivers) = world(1);
    receivers[0].becomes(ReceiverMood::Refuses);
    breaks(&world, "a.example");
    world.check("a.example");
    world.pass(MINUTE * 30);
    let refused = receivers[0].asked();
    assert_eq!(got(&receivers[0]), [""; 0]);
    assert!(problems(&world).iter().any(|it| it.contains("`hook 0`") && it.contains("410 Gone")));
    receivers[0].becomes(ReceiverMood::Takes);
    world.pass(HOUR);
    assert_eq!(receivers[0].asked(), refused, "it is over");
    heals(&world, "a.example");
    world.check("a.example");
    world.pass(HOUR * 7);
    assert_eq!(got(&receivers[0]), ["domain.recovered a.example"]);
    assert!(problems(&world).is_empty(), "{:?}", problems(&world));
}

/// The problems of the last pass.
fn problems(world: &World) -> Vec<String> {
    let last = world.ledger.contents().memory.last_pass.expect("a pass");
    last.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn three_silent_days_switch_a_receiver_off_which_is_told_and_a_try_that_succeeds_switches_it_on() {
    let (mut world, receivers) = world(2);
    let [up, silent] = &receivers[..] else { panic!("there are two") };
    silent.becomes(ReceiverMood::Silent);
    breaks(&world, "a.example");
    world.check("a.example");
    world.pass(DAY * 3 + HOUR);
    let told = up.got();
    let off = told.iter().map(|(_, message)| message.text.as_str());
    let off: Vec<_> = off.filter(|text| text.contains("`hook 1`")).collect();
    assert!(matches!(off[..], [text] if text.contains("is switched off")), "{off:?}");
    assert!(problems(&world)[0].contains("took nothing for three days"));
    let asked = silent.asked();
    silent.becomes(ReceiverMood::Takes);
    world.pass(DAY);
    assert_eq!(silent.asked(), asked, "it is left alone");

    let tried = world.try_receiver("hook 1");
    assert!(tried.was_off && got(silent) == ["test -"], "{tried:?}");
    world.pass(MINUTE * 2);
    let (all, test) = (ids(silent), 1);
    let known: Vec<_> = ids(up).into_iter().filter(|id| all.contains(id)).collect();
    assert_eq!(all[test..], known, "what waited comes in its order");
    assert_eq!(got(silent)[1], "domain.broken a.example");
    assert!(problems(&world).is_empty());
}

#[test]
fn the_digest_comes_once_a_day_and_not_where_nothing_happened() {
    let (mut world, receivers) = world(1);
    world.pass(DAY * 2);
    assert_eq!(got(&receivers[0]), [""; 0], "what was there at the start is no news");
    let id = world.network.tables().map(2, "new.example");
    heals(&world, "new.example");
    world.certify("new.example");
    world.pass(HOUR * 10);
    world.network.tables().mappings.remove(&id);
    world.pass(DAY);
    let (_, digest) = receivers[0].got().pop().unwrap();
    let lines = [
        "mapped: new.example",
        "not mapped any more: new.example",
        "added at the host: new.example",
        "removed from the host: new.example",
        "ready: new.example",
    ];
    assert_eq!(digest.text.lines().collect::<Vec<_>>(), lines);
    assert_eq!(got(&receivers[0]), ["digest -"], "one a day");
    world.pass(DAY * 2);
    assert_eq!(receivers[0].got().len(), 1, "nothing happened");
}

#[test]
fn nothing_is_told_of_a_muted_domain_until_then_and_alerts_are_told() {
    let (mut world, receivers) = world(1);
    world.mute("a.example", Some(DAY * 2));
    for name in ["a.example", "b.example"] {
        breaks(&world, name);
        world.check(name);
    }
    world.pass(DAY + HOUR);
    let about = |receivers: &[MemoryReceiver], name: &str| {
        let all = receivers[0].got();
        let tells = |message: &Message| {
            message.text.contains(name) || message.items.iter().any(|it| it.domain == name)
        };
        all.iter().filter(|(_, message)| tells(message)).count()
    };
    assert_eq!(about(&receivers, "a.example"), 0, "{:?}", got(&receivers[0]));
    assert!(about(&receivers, "b.example") != 0);
    world.pass(DAY);
    assert_eq!(about(&receivers, "a.example"), 1, "it is broken still");
    world.mute("b.example", Some(DAY));
    world.mute("b.example", None);
    let before = about(&receivers, "b.example");
    world.pass(DAY);
    assert!(before < about(&receivers, "b.example"), "its mute was ended");
}

#[test]
fn the_outbox_is_empty_once_everybody_has_everything() {
    let (mut world, _) = world(3);
    breaks(&world, "a.example");
    world.check("a.example");
    world.pass(HOUR);
    let known = world.clock.block_on(world.ledger.outbox().receivers()).unwrap();
    assert_eq!(known.len(), 3);
    assert!(known.values().all(|it| it.waiting == 0 && it.state.delivered_at.is_some()));
}
