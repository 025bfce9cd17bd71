//! A nudge while a pass is under way: it ends after the calls in hand, and nothing is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use rules::Stage;

use crate::world::{HERE, World};

const SECOND: Duration = Duration::from_secs(1);
const MILLI: Duration = Duration::from_millis(1);

/// A host as Closte is called: five calls a second, each of which takes a while.
fn world() -> World {
    let world = World::new();
    *world.host.gap.lock().expect("a lock") = MILLI * 200;
    *world.host.takes.lock().expect("a lock") = MILLI * 300;
    world
}

/// When the host was called for `name`.
fn called(world: &World, name: &str) -> Vec<Duration> {
    let (calls, times) =
        (world.host.calls.lock().expect("a lock"), world.host.times.lock().expect("a lock"));
    let calls = calls.iter().zip(&*times).filter(|(call, _)| call.ends_with(&format!(" {name}")));
    calls.map(|(_, at)| *at).collect()
}

fn checked(world: &World, name: &str) -> usize {
    let asked = world.dns.asked.lock().expect("a lock");
    asked.iter().filter(|(_, of)| of.as_str() == name).count()
}

#[test]
fn from_a_nudge_to_the_call_behind_forty_additions_it_takes_less_than_a_second_and_a_half() {
    for at in [MILLI * 10, MILLI * 300, MILLI * 1100, MILLI * 3950] {
        let mut world = world();
        world.slow_dns("d", SECOND * 20);
        for number in 0..40 {
            world.network.tables().map(2, format!("d{number:02}.example"));
        }
        world.pass(at);
        world.network.tables().map(2, "new.example");
        world.signals.wake.notify_one();
        world.pass(SECOND * 60);
        let new = called(&world, "new.example")[0];
        assert!(new < at + MILLI * 1500, "nudged at {at:?}, called at {new:?}");
        let calls = world.host.calls.lock().unwrap().clone();
        assert_eq!(calls.len(), 41, "each is added, and once: {calls:?}");
        assert_eq!(calls.iter().collect::<BTreeSet<_>>().len(), 41);
        let last = *world.host.times.lock().unwrap().last().unwrap();
        assert!(last < SECOND * 11, "and the rest is not put off: {last:?}");
        assert_eq!(checked(&world, "d39.example"), 1, "what was given up is checked again");
    }
}

#[test]
fn a_stream_of_nudges_puts_off_neither_checks_nor_removals_for_long() {
    let mut world = world();
    world.slow_dns("slow", SECOND * 5);
    for name in ["slow.example", "gone.example", "stays.example", "more.example"] {
        world.network.tables().map(2, name);
        world.probe.points(&name.parse().unwrap(), [HERE]);
    }
    world.pass(SECOND * 60);
    world.network.tables().mappings.retain(|_, row| row.domain != "gone.example");
    world.certify("slow.example");
    for number in 0..1200 {
        if number % 10 == 0 {
            world.network.tables().map(2, format!("d{number:04}.example"));
        }
        world.signals.wake.notify_one();
        world.pass(MILLI * 300);
    }
    let removed = called(&world, "gone.example");
    assert_eq!(removed.len(), 2, "it was added and, while nudges came, removed");
    assert!(removed[1] < SECOND * 240, "{removed:?}");
    let slow: Vec<_> =
        world.written().into_iter().filter(|it| it.domain == "slow.example").collect();
    assert_eq!(slow.last().map(|it| it.to), Some(Stage::Done), "{slow:?}");
    let late = |number: u32| {
        let calls = called(&world, &format!("d{number:04}.example"));
        calls.first().expect("it was added").saturating_sub(SECOND * 60 + MILLI * 300 * number)
    };
    let worst = (0..1200).step_by(10).map(late).max();
    assert!(worst < Some(SECOND * 10), "a new one waits for a pass to its end: {worst:?}");
}
