//! Days of a network, each in milliseconds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use engine::PassSettings;
use engine::controller::Ended;
use rules::host::HostError;
use rules::probe::{DnsObservation, RecordKind, Unanswered};
use rules::{DomainName, Stage};

use crate::world::{HERE, World, settings};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

#[test]
fn a_domain_comes_is_followed_and_goes() {
    let began = Instant::now();
    let mut world = World::new();
    world.pass(HOUR);
    assert_eq!(*world.host.calls.lock().unwrap(), [""; 0], "nothing is mapped, nothing is sent");

    let id = world.network.tables().map(2, "shop.example");
    world.pass(MINUTE);
    assert_eq!(*world.host.calls.lock().unwrap(), ["add shop.example"]);
    assert_eq!(world.stage_of(id), (Some(Stage::CheckingDns), false));

    world.pass(HOUR * 3);
    world.probe.points(&"shop.example".parse().unwrap(), [HERE]);
    world.pass(HOUR / 2);
    assert_eq!(world.stage_of(id), (Some(Stage::CheckingSslCert), false));
    world.certify("shop.example");
    world.pass(MINUTE * 10);
    assert_eq!(world.stage_of(id), (Some(Stage::Done), true));

    world.pass(HOUR * 12);
    world.network.tables().mappings.remove(&id);
    world.pass(MINUTE * 4);
    assert_eq!(*world.host.calls.lock().unwrap(), ["add shop.example", "remove shop.example"]);
    assert!(world.host.memory.present().is_empty());
    world.pass(HOUR * 7);
    assert_eq!(world.host.calls.lock().unwrap().len(), 2, "and that was all");
    assert!(*world.host.lists.lock().unwrap() < 26 * 60, "one list a pass, one pass a minute");
    assert!(began.elapsed() < Duration::from_secs(20), "a day is no day: {:?}", began.elapsed());
}

#[test]
fn a_ready_domain_that_nobody_could_see_is_checked_again_in_five_minutes_and_not_in_six_hours() {
    let mut world = World::new();
    let name: DomainName = "shop.example".parse().unwrap();
    world.network.tables().map(2, "shop.example");
    world.probe.points(&name, [HERE]);
    world.certify("shop.example");
    world.pass(HOUR);
    let checks_of = |world: &World, name: &str| {
        world.dns.asked.lock().unwrap().iter().filter(|it| it.1.as_str() == name).count()
    };
    let checks = |world: &World| checks_of(world, "shop.example");
    assert_eq!(checks(&world), 1, "it was ready at once");

    let silent = || DnsObservation::NoAnswer { detail: "timed out".to_owned() };
    world.probe.answers(&name, silent());
    world.pass(HOUR * 6);
    let before = checks(&world);
    assert!(12 < before, "every five minutes since it was due: {before}");
    world.probe.points(&name, [HERE]);
    world.pass(MINUTE * 6);
    assert_eq!(checks(&world), before + 1, "it is seen again");
    world.pass(HOUR * 5);
    assert_eq!(checks(&world), before + 1, "and is ready as before");
    let of_twin = checks_of(&world, "www.shop.example");
    assert!(of_twin <= before + 1, "its twin is asked for no more often: {of_twin}");
}

#[test]
fn a_zone_that_fails_for_two_days_is_failed_where_it_is_not_served_and_others_answer() {
    let mut world = World::with(PassSettings { targets: BTreeSet::from([HERE]), ..settings() });
    let servfail = || DnsObservation::Failed { detail: "SERVFAIL".to_owned() };
    let [own, served, broken]: [DomainName; 3] =
        ["net.example", "served.example", "broken.example"].map(|name| name.parse().unwrap());
    let twins = [&served, &broken].map(|name| name.twin().unwrap());
    let served_id = world.network.tables().map(2, "served.example");
    world.probe.points(&served, [HERE]);
    world.certify("served.example");
    world.pass(HOUR);
    for name in [&own, &served, &broken].into_iter().chain(&twins) {
        world.probe.answers(name, servfail());
    }
    let id = world.network.tables().map(2, "broken.example");
    world.pass(HOUR * 60);
    let unknown = Some(Stage::CheckingDns);
    assert_eq!(world.stage_of(id).0, unknown, "it may be the resolvers");
    world.probe.points(&own, [HERE]);
    world.pass(HOUR * 47);
    assert_eq!(world.stage_of(id).0, unknown, "within patience, since they answer for others");
    world.pass(HOUR * 14);
    assert_eq!(world.stage_of(id).0, Some(Stage::Failed));
    assert_eq!(world.stage_of(served_id).0, Some(Stage::Done), "what is served stays so");
    world.probe.points(&broken, [HERE]);
    world.certify("broken.example");
    world.pass(HOUR * 7);
    assert_eq!(world.stage_of(id).0, Some(Stage::Done), "it is no end");
}

#[test]
fn a_host_that_is_down_is_asked_less_and_less_and_caught_up_with() {
    let mut world = World::new();
    let down = || HostError::OutcomeUnknown { what: "HTTP 502".to_owned() };
    world.host.answers.lock().unwrap().extend((0..12).map(|_| down()));
    for number in 0..20 {
        world.network.tables().map(2, format!("d{number}.example"));
    }
    world.pass(HOUR * 2);
    let calls = world.host.calls.lock().unwrap().len();
    assert_eq!(calls, 12 + 20, "twelve in vain, then each once");
    assert_eq!(world.host.memory.present().len(), 20);
}

#[test]
fn a_stop_ends_every_wait_at_once() {
    let mut world = World::new();
    world.pass(HOUR + Duration::from_secs(3));
    assert_eq!(world.stop(), (Ended::Stopped, Duration::ZERO));
}

#[test]
fn a_record_type_of_the_networks_own_domain_that_fails_changes_nobodys_routing() {
    let mut world = World::with(PassSettings { targets: BTreeSet::new(), ..settings() });
    let [own, name]: [DomainName; 2] =
        ["net.example", "shop.example"].map(|name| name.parse().unwrap());
    let both = [HERE, "2001:db8::1".parse().unwrap()];
    world.probe.points(&own, both);
    world.probe.points(&name, both);
    world.certify("shop.example");
    let id = world.network.tables().map(2, "shop.example");
    world.pass(MINUTE);
    assert_eq!(world.stage_of(id).0, Some(Stage::CheckingSslCert), "AAAA is right, and visited");

    let unanswered = Some(Unanswered { kind: RecordKind::Aaaa, detail: "SERVFAIL".to_owned() });
    let found = BTreeSet::from([HERE]);
    let half = DnsObservation::Addresses { found, through: Vec::new(), unanswered };
    world.probe.answers(&own, half);
    world.pass(HOUR);
    assert_eq!(
        world.stage_of(id).0,
        Some(Stage::CheckingSslCert),
        "its AAAA is as right as before"
    );
    world.probe.points(&own, [HERE]);
    world.pass(HOUR);
    assert_eq!(world.stage_of(id).0, Some(Stage::CheckingDns), "a complete answer counts");
}
