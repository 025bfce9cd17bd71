//! What cron mails: what `sync --quiet` prints, and how it ends.

use sandbox::dns::Behaviour;

use crate::world::{Ran, World};

/// A pass of cron's after everything was made due.
fn cron(world: &World) -> Ran {
    world.done("domains recheck --all");
    world.run("sync --quiet")
}

/// That cron has nothing to mail, and how the pass ended.
#[track_caller]
fn is_silent(ran: &Ran, code: i32) {
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (code, "", ""), "{ran:?}");
}

/// A network with a domain that is served.
async fn with_a_served_domain() -> World {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    is_silent(&world.run("sync --quiet"), 0);
    assert_eq!(world.stage("shop.example"), "done 1");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_domain_that_breaks_is_told_once_and_when_it_is_good_again() {
    let mut world = with_a_served_domain().await;
    world.set("report.broken_after", "0s");
    world.elsewhere("shop.example");
    let ran = cron(&world);
    let told = "shop.example is broken: The name points to another server";
    assert!(ran.out.starts_with(told) && ran.out.contains("192.0.2.77"), "{ran:?}");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "one domain does not change the exit code");
    is_silent(&cron(&world), 0);
    world.here("shop.example");
    let ran = cron(&world);
    assert!(ran.out.starts_with("shop.example is good again after "), "{ran:?}");
    is_silent(&cron(&world), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_is_broken_for_less_than_ten_minutes_is_not_told() {
    let world = with_a_served_domain().await;
    world.elsewhere("shop.example");
    for _ in 0..4 {
        is_silent(&cron(&world), 0);
    }
    assert_eq!(world.states("shop.example"), "present elsewhere unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_domain_that_cannot_be_seen_is_told_once_and_when_it_is_good_again() {
    let mut world = with_a_served_domain().await;
    world.sandbox.dns().fail("shop.example", Behaviour::ServFail);
    is_silent(&cron(&world), 0);
    world.set("report.unseen_after", "0s");
    let ran = cron(&world);
    assert!(
        ran.out.starts_with("shop.example is unseen: the domain's DNS servers fail"),
        "{ran:?}"
    );
    is_silent(&cron(&world), 0);
    world.sandbox.dns().heal("shop.example");
    let ran = cron(&world);
    assert!(ran.out.starts_with("shop.example is good again after "), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_told_when_it_begins_and_ends_and_the_exit_code_says_it_each_time() {
    let world = World::new().await;
    world.own_domains(20);
    world.drop_domains(8);
    is_silent(&world.run("sync --quiet"), 0);
    let ran = world.run("sync --quiet");
    ran.fails(1, &["attention: 8 aliases would be removed", "hint: "]);
    assert_eq!(ran.out, "");
    is_silent(&world.run("sync --quiet"), 1);
    world.unmap("d19.example");
    is_silent(&world.run("sync --quiet"), 1);
    world.run("sync").fails(1, &["attention: 9 aliases"]);
    world.done(&format!("apply {}", world.plan_hash()));
    let over = world.done("sync --quiet");
    assert!(over.err.starts_with("over after "), "{over:?}");
    is_silent(&world.run("sync --quiet"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_domains_that_break_at_once_are_one_line() {
    let mut world = World::new().await;
    world.set("report.broken_after", "0s");
    let names: Vec<_> = (0..7).map(|number| format!("d{number}.example")).collect();
    for name in &names {
        world.map(1, name);
        world.here(name);
    }
    is_silent(&world.run("sync --quiet"), 0);
    for name in &names {
        world.elsewhere(name);
    }
    let out = cron(&world).out;
    assert!(out.starts_with("7 domains are broken: d0.example, "), "{out}");
    assert!(out.contains("d4.example and 2 more") && out.lines().count() == 1, "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_cannot_be_read_is_told_once_and_ends_with_2_each_time() {
    let world = with_a_served_domain().await;
    let mappings = "wp_wu_domain_mappings";
    world.database.execute(&format!("RENAME TABLE {mappings} TO elsewhere"));
    world.run("sync --quiet").fails(2, &["could not read the network", mappings]);
    is_silent(&world.run("sync --quiet"), 2);
    world.run("sync").fails(2, &["could not read the network"]);
    world.database.execute(&format!("RENAME TABLE elsewhere TO {mappings}"));
    let over = world.done("sync --quiet");
    assert!(over.err.starts_with("over after ") && over.out.is_empty(), "{over:?}");
    is_silent(&world.run("sync --quiet"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_while_closte_is_off_on_purpose() {
    let world = World::new().await;
    world.done("disable");
    world.map(99, "orphan.example");
    is_silent(&world.run("sync --quiet"), 0);
    let loud = world.done("sync");
    assert!(loud.err.contains("is switched off for this network"), "{loud:?}");
    world.done("enable");
    assert!(world.done("sync --quiet").out.contains("orphan.example"), "it was not told before");
}
