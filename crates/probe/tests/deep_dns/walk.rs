//! The walk from the root: which zone a name lies in, and who says so.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hickory_proto::rr::RecordType;
use probe::NetProbe;
use rules::clock::ManualClock;
use rules::evidence::{Answer, Authority, Deep, WalkEnd};
use rules::probe::{Probe, RootsSilent};
use rules::{Clock, Time};

use crate::world::{Quirk, TIMEOUT, World, investigate, probe_with};

fn end(deep: &Deep) -> String {
    match &deep.zones[0].end {
        WalkEnd::Reached { zone, parent } => format!("`{zone}` below `{parent}`"),
        WalkEnd::NotDelegated { parent, name, by } => {
            format!("`{parent}` does not delegate `{name}`, says {by}")
        }
        WalkEnd::Unreachable { zone, .. } => format!("nobody of `{zone}` answers"),
    }
}

fn detail(deep: &Deep) -> &str {
    match &deep.zones[0].end {
        WalkEnd::Unreachable { detail, .. } => detail,
        other => panic!("{other:?}"),
    }
}

/// The servers of the name's zone, and what each said in a word.
fn servers(deep: &Deep) -> Vec<String> {
    let said = deep.zones[0].servers.iter().map(|it| {
        let said = match &it.said {
            Authority::Answered(Answer::Addresses { found, .. }) => format!("{found:?}"),
            Authority::Answered(Answer::NoSuchName { .. }) => "no such name".to_owned(),
            Authority::NoAddress => "no address".to_owned(),
            Authority::Silent { .. } => "silent".to_owned(),
            Authority::Forbidden { detail } => detail.clone(),
            other => format!("{other:?}"),
        };
        format!("{}: {said}", it.server)
    });
    said.collect()
}

#[tokio::test]
async fn a_name_is_found_in_the_zone_that_is_delegated_last() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1", "www.shop.test. A 192.0.2.2"]).await;
    world.zone(3, "shop.test.", &["a.b.shop.test. A 192.0.2.3", "up.shop.test. CNAME shop.test."]);
    world.zone(
        3,
        "shop.test.",
        &["deep.shop.test. NS ns5.deep.shop.test.", "ns5.deep.shop.test. A 127.0.0.5"],
    );
    world.zone(
        4,
        "shop.test.",
        &["deep.shop.test. NS ns5.deep.shop.test.", "ns5.deep.shop.test. A 127.0.0.5"],
    );
    world.zone(5, "deep.shop.test.", &["x.deep.shop.test. A 192.0.2.5"]);
    let probe = world.probe();
    #[rustfmt::skip] // One case a line.
    let table = [
        ("shop.test",        "`shop.test` below `test`"),
        ("www.shop.test",    "`shop.test` below `test`"),
        ("a.b.shop.test",    "`shop.test` below `test`"),
        ("up.shop.test",     "`shop.test` below `test`"),
        ("none.shop.test",   "`shop.test` below `test`"),
        ("x.none.shop.test", "`shop.test` below `test`"),
        ("x.deep.shop.test", "`deep.shop.test` below `shop.test`"),
        ("*.shop.test",      "`shop.test` below `test`"),
        ("else.test",        "`test` does not delegate `else.test`, says ns.nic.test (127.0.0.2)"),
        ("a.b.else.test",    "`test` does not delegate `else.test`, says ns.nic.test (127.0.0.2)"),
    ];
    for (name, want) in table {
        assert_eq!(end(&investigate(&probe, name).await), want, "{name}");
    }
    let unknown = investigate(&probe, "shop.nowhere").await;
    let want = format!("`` does not delegate `nowhere`, says {}", world.at(1));
    assert_eq!(end(&unknown), want);
}

#[tokio::test]
async fn a_registrable_domain_that_exists_without_servers_is_not_delegated() {
    let world = World::with_top().await;
    world.zone(2, "test.", &["held.test. A 192.0.2.1", "alias.test. CNAME held.test."]);
    let held = world.investigate("www.held.test").await;
    assert_eq!(end(&held), "`test` does not delegate `held.test`, says ns.nic.test (127.0.0.2)");
    assert_eq!(end(&world.investigate("alias.test").await), "`test` below ``", "it is an alias");
}

#[tokio::test]
async fn a_server_of_parent_and_child_tells_the_cut_by_itself() {
    let world = World::with_top().await;
    world.zone(2, "shop.test.", &["shop.test. NS ns.nic.test.", "shop.test. A 192.0.2.1"]);
    let deep = world.investigate("shop.test").await;
    assert_eq!(end(&deep), "`shop.test` below `test`");
    assert_eq!(servers(&deep), ["ns.nic.test: {192.0.2.1}"]);
}

#[tokio::test]
async fn an_address_that_the_parent_may_not_tell_is_walked_to() {
    let world = World::with_top().await;
    world.zone(2, "test.", &["shop.test. NS ns.dns.test.", "shop.test. NS none.dns.test."]);
    world.zone(2, "test.", &["shop.test. NS ns.gone.test.", "shop.test. NS ns.shop.test."]);
    world.delegate("dns.test.", &[4]);
    world.zone(4, "dns.test.", &["ns.dns.test. A 127.0.0.3"]);
    world.zone(3, "shop.test.", &["shop.test. A 192.0.2.1"]);
    let deep = world.investigate("shop.test").await;
    assert_eq!(end(&deep), "`shop.test` below `test`");
    let want = [
        "none.dns.test: no address",
        "ns.dns.test: {192.0.2.1}",
        "ns.gone.test: no address",
        "ns.shop.test: silent",
    ];
    assert_eq!(servers(&deep), want);
}

#[tokio::test]
async fn servers_that_need_each_other_end_the_walk() {
    let world = World::with_top().await;
    world.zone(2, "test.", &["one.test. NS ns.two.test.", "two.test. NS ns.one.test."]);
    let deep = world.investigate("one.test").await;
    assert_eq!(end(&deep), "`one.test` below `test`");
    let [said] = &deep.zones[0].servers[..] else { panic!("{deep:?}") };
    assert_eq!((said.server.as_str(), said.address), ("ns.two.test", None));
    let Authority::Silent { detail } = &said.said else { panic!("{said:?}") };
    assert!(detail.contains("needs too many servers' addresses"), "{detail}");
    assert!(world.asked(2).len() < 100, "{}", world.asked(2).len());
}

#[tokio::test]
async fn a_parents_server_that_fails_is_passed_over_and_its_silence_waited_for_by_nobody() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    for server in [5, 6, 7] {
        let host = format!("ns{server}.nic.test.");
        let records = [format!("test. NS {host}"), format!("{host} A 127.0.0.{server}")];
        world.zone(1, ".", &records.each_ref().map(String::as_str));
    }
    world.quirk(5, Quirk::Silent);
    world.quirk(6, Quirk::Refuses);
    world.quirk(7, Quirk::RefersUpwards);
    let began = Instant::now();
    let deep = world.investigate("shop.test").await;
    assert_eq!(end(&deep), "`shop.test` below `test`");
    assert!(began.elapsed() < TIMEOUT / 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn where_no_server_of_a_parent_answers_nothing_is_known_below_it() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    world.zone(1, ".", &["test. NS ns5.nic.test.", "ns5.nic.test. A 127.0.0.5"]);
    world.quirk(2, Quirk::Fails(RecordType::NS));
    world.quirk(5, Quirk::Refuses);
    let deep = world.investigate("www.shop.test").await;
    assert_eq!(end(&deep), "nobody of `test` answers");
    let want = "ns.nic.test (127.0.0.2): SERVFAIL; ns5.nic.test (127.0.0.5): REFUSED";
    assert_eq!(detail(&deep), want);
}

#[tokio::test]
async fn servers_of_the_domain_itself_are_asked_about_the_name_whatever_they_say_of_delegations() {
    let world = World::with_shop(&["a.b.shop.test. A 192.0.2.1"]).await;
    world.quirk(3, Quirk::Refuses);
    world.quirk(4, Quirk::Fails(RecordType::NS));
    let deep = world.investigate("a.b.shop.test").await;
    assert_eq!(end(&deep), "`shop.test` below `test`");
    let want = ["ns3.shop.test: Lame { detail: \"REFUSED\" }", "ns4.shop.test: {192.0.2.1}"];
    assert_eq!(servers(&deep), want);
}

#[tokio::test]
async fn a_delegation_is_kept_for_all_names() {
    let world = World::with_top().await;
    let names: Vec<_> = (0..200).map(|n| format!("n{n}.test")).collect();
    for name in &names {
        world.delegate(&format!("{name}."), &[3]);
        world.zone(3, &format!("{name}."), &[&format!("{name}. A 192.0.2.1")]);
    }
    let probe = world.probe();
    let all = join_all(names.iter().map(|name| investigate(&probe, name))).await;
    assert!(all.iter().all(|deep| end(deep).ends_with("below `test`")), "{all:?}");
    assert_eq!(world.asked(1).len(), 1, "the root once");
    assert_eq!(world.asked(2).len(), names.len(), "its parent once for each");
    investigate(&probe, "n1.test").await;
    assert_eq!(world.asked(2).len(), names.len(), "its own delegation is kept too");
}

#[tokio::test]
async fn a_root_that_answers_nobody_is_left_alone_for_an_hour() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    world.quirk(1, Quirk::Silent);
    let clock = Arc::new(ManualClock::at(Time::from_millis(1_000)));
    let probe = || NetProbe::new(world.settings(), clock.clone()).expect("settings");
    let (first, asked) = (probe(), || world.asked(1).len());
    assert_eq!(first.roots_silent(), None);
    assert_eq!(end(&investigate(&first, "shop.test").await), "nobody of `` answers");
    let silent = RootsSilent::at(clock.now(), None);
    assert_eq!(first.roots_silent(), Some(silent));
    let before = asked();
    // The next process remembers it.
    let second = probe();
    second.recall_roots(first.roots_silent());
    for probe in [&first, &second] {
        let deep = investigate(probe, "shop.test").await;
        let want = "not asked: no server of the root answered within the last hour";
        assert_eq!(detail(&deep), want);
    }
    assert_eq!(asked(), before);
    clock.advance(RootsSilent::LEFT_ALONE);
    investigate(&second, "shop.test").await;
    assert!(before < asked(), "they are asked again");
    let again = RootsSilent::at(clock.now(), Some(silent));
    assert_eq!((second.roots_silent(), again.since), (Some(again), silent.since));
    let checked = first.check_roots().await;
    assert!(matches!(&checked[..], [(root, Err(_))] if *root == world.at(1)), "{checked:?}");
}

#[tokio::test]
async fn a_top_level_domain_that_is_silent_alone_does_not_end_all_walks() {
    let world = World::with_top().await;
    world.zone(1, ".", &["dead. NS ns.dead.", "ns.dead. A 127.0.0.5"]);
    world.quirk(5, Quirk::Silent);
    let probe = world.probe();
    assert_eq!(end(&investigate(&probe, "shop.dead").await), "nobody of `dead` answers");
    assert_eq!(probe.roots_silent(), None);
    assert_eq!(probe.check_roots().await, [(world.at(1), Ok(()))]);
}

#[tokio::test]
async fn the_guard_judges_what_a_delegation_names_and_not_the_roots() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    let probe = probe_with(probe::Settings { allow_private: false, ..world.settings() });
    let deep = investigate(&probe, "shop.test").await;
    assert_eq!(end(&deep), "nobody of `test` answers");
    let want = "ns.nic.test (127.0.0.2): `127.0.0.2` is not a public address (loopback); \
                `checks.allow_private` would allow it";
    assert_eq!(detail(&deep), want);
    assert!(!world.asked(1).is_empty() && world.asked(2).is_empty());

    world.zone(2, "test.", &["shop.test. NS odd.test.", "odd.test. A 224.0.0.1"]);
    let said = servers(&world.investigate("shop.test").await);
    let want = "odd.test: `224.0.0.1` cannot be the address of a website (multicast)";
    assert!(said.iter().any(|it| it == want), "{said:?}");
}

#[tokio::test]
async fn the_whole_ends_in_time_whatever_is_silent() {
    let world = World::with_shop(&[]).await;
    for server in [3, 4, 9] {
        world.quirk(server, Quirk::Silent);
    }
    let began = Instant::now();
    let deep = world.investigate("www.shop.test").await;
    assert_eq!(end(&deep), "`shop.test` below `test`");
    assert_eq!(servers(&deep), ["ns3.shop.test: silent", "ns4.shop.test: silent"]);
    assert!(began.elapsed() < TIMEOUT + Duration::from_millis(900), "{:?}", began.elapsed());
}
