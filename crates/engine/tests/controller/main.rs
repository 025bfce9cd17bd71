//! The loop of `run`, in its own process and on a clock of its own.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod doubles;
mod world;

use std::time::Duration;

use doubles::{DOMAIN, Outage};
use engine::controller::{Ended, LogLine};
use world::World;

const POLL: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_hours(1);

#[tokio::test]
async fn an_outage_of_35_seconds_is_two_lines() {
    let mut world = World::new();
    world.source(10..45, Outage::Unreachable);
    world.run(POLL, 120).await;
    let lines = world.texts();
    assert_eq!(
        lines,
        [
            "could not read the network: could not reach the database at `db`: refused; will retry \
             automatically",
            "the network can be read again after 63 s",
        ]
    );
}

#[tokio::test]
async fn an_outage_is_told_after_ten_minutes_and_when_it_is_over() {
    for (ends, want) in [(500, &[][..]), (1500, &["alert.raised", "alert.over"])] {
        let mut world = World::new();
        world.source(10..ends, Outage::Unreachable);
        // This clock lets nobody else run but where something happens.
        (700..2000).step_by(100).for_each(|second| world.at(second, || ()));
        world.run(POLL, 2000).await;
        let got = world.receiver.got();
        let kinds: Vec<_> = got.iter().map(|(_, message)| message.kind.as_str()).collect();
        assert_eq!(kinds, want, "an outage of {ends} s");
    }
}

#[tokio::test]
async fn an_outage_is_asked_about_in_growing_gaps_of_five_minutes_at_most() {
    let mut world = World::new();
    world.source(10..1500, Outage::Unreachable);
    world.run(POLL, 1600).await;
    let asked = world.pulses();
    let asked: Vec<_> = asked.into_iter().filter(|at| (10..1600).contains(at)).take(12).collect();
    assert_eq!(asked, [10, 11, 13, 17, 25, 41, 73, 137, 265, 521, 821, 1121]);
}

#[tokio::test]
async fn a_person_has_to_act_so_it_looks_every_five_minutes_and_at_once_when_asked() {
    let mut world = World::new();
    world.source(10..2000, Outage::Denied);
    let wake = world.signals.wake.clone();
    world.at(100, move || wake.notify_one());
    world.run(POLL, 1000).await;
    let asked: Vec<_> = world.pulses().into_iter().filter(|at| 5 < *at).collect();
    assert_eq!(asked, [10, 100, 400, 700], "a nudge asks at once");
    let lines = world.texts();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].ends_with("every few minutes, and at once after SIGHUP"), "{lines:?}");
}

#[tokio::test]
async fn with_the_network_asked_every_hour_a_call_is_still_retried_in_five_seconds() {
    let mut world = World::new();
    world.map(DOMAIN);
    world.host_fails(2);
    world.run(HOUR, 50).await;
    assert_eq!(world.calls(), [(0, "add"), (5, "add"), (15, "add")]);
    assert_eq!(world.pulses(), [0, 5, 15], "and nothing else woke it");
}

#[tokio::test]
async fn a_removal_that_did_not_reach_the_host_gets_a_pass_when_it_is_due() {
    let mut world = World::new();
    world.map(DOMAIN);
    let unmap = world.unmap();
    world.at(30, unmap);
    world.at(70, world.host_breaks(1));
    world.run(HOUR, 200).await;
    assert_eq!(world.calls(), [(0, "add"), (120, "remove"), (125, "remove")]);
}

#[tokio::test]
async fn while_the_host_wants_to_be_left_alone_the_loop_sleeps() {
    let mut world = World::new();
    world.map(DOMAIN);
    world.host_fails(4);
    world.host_is_busy_for(Duration::from_secs(40));
    world.run(HOUR, 59).await;
    assert_eq!(world.calls(), [(0, "add"), (40, "add"), (45, "add"), (55, "add")]);
    assert_eq!(world.pulses(), [0, 40, 45, 55]);
}

#[tokio::test]
async fn that_calls_rest_is_said_when_it_begins_and_when_it_ends() {
    let mut world = World::new();
    world.map(DOMAIN);
    world.host_fails(1);
    world.host_is_busy_for(Duration::from_secs(40));
    world.run(POLL, 120).await;
    let begins = "calls to the host rest for another 40 s: the host asked for a pause; will retry \
                  automatically";
    assert_eq!(world.texts(), [begins, "calls to the host go on after 40 s"]);
}

#[tokio::test]
async fn with_the_database_down_checks_go_on_and_nothing_is_sent_or_written() {
    let mut world = World::new();
    world.map(DOMAIN);
    world.host_fails(1);
    world.source(1..3500, Outage::Unreachable);
    // DNS leads to the network in the middle of the outage, so that a stage is to be written.
    world.routed_here_from(1000);
    world.run(POLL, 3600).await;
    let during = |times: Vec<i64>| times.into_iter().filter(|at| (1..3500).contains(at)).count();
    assert_eq!(during(world.checks()), 11, "every five minutes: {:?}", world.checks());
    assert_eq!(during(world.calls().iter().map(|call| call.0).collect()), 0);
    assert_eq!(during(world.stages_asked()), 0);
    assert_eq!(world.texts().len(), 2, "{:?}", world.texts());
    assert_eq!(world.stages_asked().len(), 1, "it is written when the network can be read");
    assert_eq!(world.calls().len(), 2, "and the call made");
}

#[tokio::test]
async fn after_a_restart_with_the_database_down_checks_go_on_from_the_ledger() {
    let mut world = World::new();
    world.map(DOMAIN);
    world.run(POLL, 100).await;
    world.source(100..9999, Outage::Unreachable);
    world.restart();
    world.run(POLL, 1000).await;
    let after = world.checks().into_iter().filter(|at| 100 < *at).count();
    assert_eq!(after, 3, "every five minutes: {:?}", world.checks());
    assert_eq!(world.stages_asked().len(), 0, "and nothing is written");
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_new_try_at_once() {
    for (outage, stop) in [(Outage::Unreachable, 50), (Outage::Denied, 50)] {
        let mut world = World::new();
        world.source(10..9999, outage);
        assert_eq!(world.run(POLL, stop).await, Ended::Stopped);
        assert_eq!(world.now(), stop);
    }
}

#[tokio::test]
async fn a_stop_ends_a_question_that_hangs() {
    let mut world = World::new();
    world.source(10..9999, Outage::Hangs);
    let stop = world.signals.stop.clone();
    let hanging = world.run(POLL, 9999);
    let stopped = async {
        tokio::task::yield_now().await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(hanging, stopped);
    assert_eq!(ended, Ended::Stopped);
    assert_eq!((world.now(), world.texts().len()), (10, 0), "that is no failure");
}

#[tokio::test]
async fn that_closte_is_off_is_said_once_and_that_it_is_on_again() {
    let mut world = World::new();
    let (off, on) = (world.switch(false), world.switch(true));
    world.at(60, off);
    world.at(600, on);
    world.run(POLL, 900).await;
    assert_eq!(
        world.texts(),
        [
            "the Closte integration is switched off for this network; nothing is done",
            "the Closte integration is switched on again after 9 min",
        ]
    );
}

#[tokio::test]
async fn a_copy_and_a_problem_are_said_once_each_and_do_no_work() {
    let mut world = World::new();
    world.map(DOMAIN);
    let (copied, problem) = (world.copied(), world.problem());
    world.at(60, problem);
    world.at(300, copied);
    world.run(POLL, 4000).await;
    let lines = world.texts();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "problem: wp_blogs.domain 9: no name");
    assert!(lines[1].starts_with("this is a copy"), "{lines:?}");
    assert_eq!(world.checks().iter().filter(|at| 300 < **at).count(), 0);
}

#[tokio::test]
async fn a_reload_tries_at_once_and_repeats_nothing() {
    let mut world = World::new();
    world.source(10..100, Outage::Denied);
    let reload = world.signals.reload.clone();
    for second in [50, 150] {
        let reload = reload.clone();
        world.at(second, move || reload.notify_one());
    }
    assert_eq!(world.run(POLL, 999).await, Ended::Reload);
    assert_eq!(world.now(), 50);
    assert_eq!(world.run(POLL, 999).await, Ended::Reload);
    assert_eq!(world.run(POLL, 999).await, Ended::Stopped);
    assert!(world.pulses().contains(&50) && world.pulses().contains(&150));
    let [LogLine::FailureBegins(_), LogLine::FailureEnds { lasted, .. }] = &world.lines()[..]
    else {
        panic!("{:?}", world.lines());
    };
    assert_eq!(*lasted, Duration::from_secs(140));
}

#[tokio::test]
async fn however_long_it_sleeps_it_is_alive() {
    let mut world = World::new();
    world.source(10..9999, Outage::Denied);
    world.run(POLL, 1000).await;
    let gaps = world.alive();
    let longest = gaps.windows(2).map(|two| two[1] - two[0]).max();
    assert_eq!(longest, Some(15));
}
