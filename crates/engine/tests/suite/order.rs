//! What is done before what, and what waits for what.

use std::time::Duration;

use engine::PassSettings;
use rules::Stage;
use rules::entry::Routing;

use crate::world::{HERE, World, settings};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_stage_is_written_within_a_second_of_its_check_whatever_else_is_slow() {
    let mut world = World::new();
    world.slow_dns("slow", SECOND * 20);
    for name in ["quick.example", "slow.example"] {
        world.network.tables().map(2, name);
        world.probe.points(&name.parse().unwrap(), [HERE]);
    }
    world.pass(SECOND * 30);
    let written = world.written();
    let at: Vec<_> = written.iter().map(|it| (it.domain.as_str(), it.at.as_secs())).collect();
    assert_eq!(at, [("quick.example", 0), ("slow.example", 20)]);
    assert!(written[1].at <= SECOND * 21, "{written:?}");
}

#[test]
fn a_check_is_in_the_ledger_before_its_stage_is_written() {
    let mut world = World::new();
    let name = "shop.example".parse().unwrap();
    world.network.tables().map(2, "shop.example");
    world.probe.points(&name, [HERE]);
    world.pass(SECOND * 10);
    world.certify("shop.example");
    world.pass(SECOND * 600);
    let written = world.written();
    let stages: Vec<_> = written.iter().map(|it| (it.to, it.recorded)).collect();
    let here = Routing::Here;
    assert_eq!(stages, [(Stage::CheckingSslCert, here), (Stage::Done, here)]);
}

#[test]
fn many_stages_are_written_a_few_at_a_time_and_none_after_a_stop() {
    let mut world = World::new();
    for number in 0..120 {
        let name = format!("d{number}.example");
        world.probe.points(&name.parse().unwrap(), [HERE]);
        world.network.tables().map(2, name);
    }
    world.slow_dns("d9", SECOND * 5);
    world.pass(SECOND * 2);
    assert_eq!(world.written().len(), 109, "all but d9 and d90 to d99");
    world.stop();
    assert_eq!(world.written().len(), 109, "the others are the next process' to write");
}

#[test]
fn with_slow_dns_and_a_short_limit_every_domain_is_checked_in_its_turn() {
    let limit = SECOND * 10;
    let interval = Some(SECOND * 10);
    let mut world = World::with(PassSettings { limit, interval, ..settings() });
    for number in 0..400 {
        world.network.tables().map(2, format!("d{number:03}.example"));
    }
    world.slow_dns("d", SECOND * 10);
    // 64 of 400 at once, and those are due again before all were checked.
    world.pass(SECOND * 900);
    let asked = world.dns.asked.lock().unwrap().clone();
    let times = |name: &str| asked.iter().filter(|it| it.1.as_str() == name).count();
    let times: Vec<_> = (0..400).map(|number| times(&format!("d{number:03}.example"))).collect();
    let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
    assert!(*most < 2 * least, "from {least} to {most} times");
}

#[test]
fn calls_that_wait_for_their_turn_do_not_keep_a_pass_beyond_its_limit() {
    let mut world = World::with(PassSettings { limit: SECOND * 10, ..settings() });
    *world.host.gap.lock().unwrap() = SECOND;
    for number in 0..100 {
        world.network.tables().map(2, format!("d{number:03}.example"));
    }
    world.pass(SECOND * 60);
    let calls = world.host.calls.lock().unwrap().len();
    assert!(45 < calls, "one each second, whichever pass it is: {calls}");
}
