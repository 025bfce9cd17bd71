//! The host on its bad days: down, slow, refusing, lying.

use sandbox::closte::{Act, AlreadySo, CallKind, Fault, List, RetryAfter, WrongKey};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_host_refuses_is_failed_whatever_its_certificate_says() {
    let world = World::new().await;
    world.sandbox.closte().behave(|it| {
        it.refused.extend(["bad.example".to_owned(), "sub.network.example".to_owned()]);
    });
    for name in ["bad.example", "sub.network.example", "good.example"] {
        world.map(1, name);
        world.here(name);
        world.sandbox.web().set(name, sandbox::Certificate::valid());
    }
    world.done("sync");
    assert_eq!(world.stage("bad.example"), "failed 0");
    assert_eq!(world.states("bad.example"), "rejected here valid");
    let alias = world.domain("bad.example")["alias"].clone();
    assert_eq!(alias["detail"], "Invalid or empty domain: bad.example", "its own words");
    assert_eq!(world.stage("sub.network.example"), "done 1", "below the network's own domain");
    assert_eq!(world.stage("good.example"), "done 1");
    world.pass();
    assert_eq!(world.asked().len(), 3, "refused for good: not asked again");
    world.sandbox.closte().behave(|it| it.refused.clear());
    world.done("domains recheck bad.example");
    world.done("sync");
    assert_eq!(world.stage("bad.example"), "done 1", "a person asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn unclear_answers_are_settled_by_the_list_and_nothing_is_lost() {
    for (act, effect) in [
        (Act::Reset, false),
        (Act::Reset, true),
        (Act::Html, false),
        (Act::Html, true),
        (Act::HalfJson, true),
        (Act::Empty, false),
        (Act::Status { status: 502, headers: vec![], body: String::new() }, true),
        (Act::Close, true),
    ] {
        let world = World::new().await;
        world.map(1, "first.example");
        world.done("sync");
        world.map(1, "shop.example");
        let fault = Fault::new(act.clone()).on(CallKind::Add).domain("shop.example").once();
        let fault = if effect { fault.after_effect() } else { fault };
        world.sandbox.closte().fault(fault);
        world.done("sync");
        let state = world.states("shop.example");
        let wanted = if effect { "present" } else { "wanted" };
        assert!(state.starts_with(wanted), "{act:?} {effect}: {state}");
        world.pass();
        assert_eq!(world.aliases(), ["first.example", "shop.example"], "{act:?} {effect}");
        world.unmap("shop.example");
        world.pass();
        world.pass();
        assert_eq!(world.aliases(), ["first.example"], "{act:?} {effect}: it is ours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_an_unclear_answer_is_asked_for_again() {
    let world = World::new().await;
    world.sandbox.closte().behave(|it| {
        it.list = List::Forbidden;
        it.existing = AlreadySo::Success;
    });
    world.map(1, "shop.example");
    let reset = Fault::new(Act::Reset).on(CallKind::Add).domain("shop.example");
    world.sandbox.closte().fault(reset.once().after_effect());
    world.done("sync");
    assert!(world.states("shop.example").starts_with("adding"), "{}", world.states("shop.example"));
    assert_eq!(world.reason("shop.example", "alias"), "outcome-unknown");
    world.pass();
    assert!(world.states("shop.example").starts_with("present"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_hides_aliases_costs_nothing_and_loses_nothing() {
    let world = World::new().await;
    for name in ["shown.example", "hidden.example"] {
        world.map(1, name);
    }
    world.sandbox.closte().behave(|it| it.list = List::Hides(["hidden.example".to_owned()].into()));
    world.done("sync");
    for _ in 0..3 {
        world.pass();
    }
    assert_eq!(world.asked().len(), 2, "{:?}", world.asked());
    world.unmap("hidden.example");
    world.pass();
    world.pass();
    assert_eq!(world.aliases(), ["shown.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_that_vanished_at_the_host_is_added_again() {
    let world = World::new().await;
    for name in ["a.example", "b.example"] {
        world.map(1, name);
    }
    world.done("sync");
    world.done("sync");
    world.sandbox.closte().drop_alias("a.example");
    world.done("sync");
    assert_eq!(world.aliases(), ["a.example", "b.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_in_the_hosts_own_words_is_reported_verbatim_and_settled_by_the_list() {
    let world = World::new().await;
    world.map(1, "first.example");
    world.done("sync");
    world.map(1, "shop.example");
    world.here("shop.example");
    let words = "Sorry: this domain <b>belongs</b> to somebody else";
    let body = format!("{{\"success\":false,\"error\":\"{words}\"}}");
    world
        .sandbox
        .closte()
        .fault(Fault::body(200, &body).on(CallKind::Add).domain("shop.example").times(9));
    world.done("sync");
    assert!(
        world.states("shop.example").starts_with("rejected"),
        "{}",
        world.states("shop.example")
    );
    assert_eq!(world.domain("shop.example")["alias"]["detail"], words);
    assert_eq!(world.stage("shop.example"), "failed 0", "never done by luck");
    world.sandbox.closte().heal();
    world.pass();
    assert_eq!(world.stage("shop.example"), "done 1", "a no in words is asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_key_stops_all_writes_until_it_is_accepted_again() {
    for wrong_key in
        [WrongKey::Unauthorized, WrongKey::Forbidden, WrongKey::Error("Bad key.".to_owned())]
    {
        let world = World::new().await;
        for i in 0..40 {
            world.map(1, &format!("d{i}.example"));
        }
        world.sandbox.closte().behave(|it| it.wrong_key = wrong_key.clone());
        let good = world.wp_config();
        world.write_wp_config(&good.replace("s3cr3t", "wr0ng"));
        world.run("sync").fails(1, &["refused our key", "CLOSTE_CLIENT_API_KEY"]);
        let asked = world.asked().len();
        assert!(asked <= 8, "{wrong_key:?}: {asked} calls before it stopped");
        let host = &world.json("status")["host"];
        assert_eq!((&host["state"], host["reason"].is_string()), (&"key-refused".into(), true));
        let text = world.done("status").out;
        assert!(text.contains("the host refuses the key"), "{text}");
        world.run("sync").fails(1, &["refused our key"]);
        assert_eq!(world.asked().len(), asked, "{wrong_key:?}: nothing is sent with a bad key");
        let calls = world.sandbox.closte().calls_of(CallKind::Add).len();
        world.run("sync --dry-run").fails(1, &["refused our key"]);
        world.done("plan");
        let after = world.sandbox.closte().calls_of(CallKind::Add).len();
        assert_eq!(after, calls, "{wrong_key:?}: a rehearsal posts nothing");
        world.write_wp_config(&good);
        world.pass();
        assert_eq!(world.aliases().len(), 40, "{wrong_key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_is_left_alone_and_comes_back_by_itself() {
    let world = World::new().await;
    for i in 0..40 {
        world.map(1, &format!("d{i}.example"));
    }
    world.sandbox.closte().fault(Fault::status(503).on(CallKind::Add).times(1000));
    world.done("sync");
    let asked = world.asked().len();
    assert!(asked <= 16, "{asked} calls to a host that is down");
    let again = world.done("sync").out;
    let rests = "calls to the host rest for another ";
    assert!(again.contains(rests) && again.contains("could not be reached"), "{again}");
    for command in ["status", "doctor"] {
        assert!(world.run(command).out.contains(rests), "{command}");
    }
    for command in ["sync", "status"] {
        let host = &world.json(command)["host"];
        assert_eq!((&host["state"], host["until"].is_string()), (&"paused".into(), true), "{host}");
    }
    assert_eq!(world.asked().len(), asked, "it is left alone for a while");
    world.done("domains recheck --all");
    world.done("sync");
    assert_eq!(world.asked().len(), asked + 1, "one call as a probe");
    world.sandbox.closte().heal();
    world.pass();
    assert_eq!(world.aliases().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_the_host_asks_for_is_kept_even_against_a_recheck() {
    let world = World::new().await;
    for i in 0..90 {
        world.map(1, &format!("d{i:02}.example"));
    }
    let limited = Fault::rate_limited(Some(RetryAfter::Seconds(3600)));
    world.sandbox.closte().fault(limited.on(CallKind::Add).once());
    world.done("sync");
    let asked = world.asked().len();
    assert!(asked <= 40, "{asked}: only what was under way");
    world.pass();
    assert_eq!(world.asked().len(), asked);
    let late = world.domain("d89.example");
    assert_eq!(late["alias"]["state"], "wanted", "{late:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_limits_the_rate_without_saying_how_long_may_be_asked_by_a_person() {
    let world = World::new().await;
    for i in 0..90 {
        world.map(1, &format!("d{i:02}.example"));
    }
    world.sandbox.closte().fault(Fault::rate_limited(None).on(CallKind::Add).once());
    world.done("sync");
    let asked = world.asked().len();
    assert!(asked <= 40, "{asked}: only what was under way");
    world.done("sync");
    assert_eq!(world.asked().len(), asked, "it is left alone for a minute");
    world.pass();
    assert_eq!(world.aliases().len(), 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_host_ends_in_bounded_time_and_costs_no_check() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    world.sandbox.web().set("shop.example", sandbox::Certificate::valid());
    world.sandbox.closte().fault(Fault::new(Act::Hang).on(CallKind::Add).once());
    let started = std::time::Instant::now();
    world.done("sync");
    assert!(started.elapsed().as_secs() < 60);
    assert_eq!(world.stage("shop.example"), "done 1", "its checks go on");
    world.pass();
    assert_eq!(world.aliases(), ["shop.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_test_needs_the_key_only() {
    let mut world = World::new().await;
    world.write_wp_config("<?php define('CLOSTE_CLIENT_API_KEY', 'k3y-0f-th3-n3tw0rk-s3cr3t');");
    let ran = world.done("test-connection");
    assert_eq!(ran.out, "Access authorized\n", "what a script reads");
    assert!(ran.err.contains("not that it may add domains"), "{ran:?}");
    world.write_wp_config("<?php define('CLOSTE_CLIENT_API_KEY', 'wrong');");
    world.run("test-connection").fails(1, &["refused our key", "hint:"]);
    world.write_wp_config("<?php // nothing here\n");
    world.run("test-connection").fails(1, &["CLOSTE_CLIENT_API_KEY", "hint:"]);
    std::fs::write(world.folder.path().join("key"), format!("{}\n", crate::world::KEY)).unwrap();
    let key_file = world.folder.path().join("key").display().to_string();
    world.set("closte.api_key_file", &key_file);
    world.done("test-connection");
    world.sandbox.closte().stop();
    world.sandbox.closte().stopped().await;
    world.run("test-connection").fails(1, &["could not reach the host's API", "hint:"]);
}
