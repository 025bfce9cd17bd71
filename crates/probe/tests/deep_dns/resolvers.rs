//! What each configured resolver says of a name, and one of them of a sibling.

use std::time::{Duration, Instant};

use rules::evidence::Answer;

use crate::world::{LABEL, Quirk, TIMEOUT, World, investigate, probe_with};

fn addresses(found: &[&str], through: &[&str], ttl: u64) -> Answer {
    let found = found.iter().map(|it| it.parse().expect("an address")).collect();
    let through = through.iter().map(|&it| it.to_owned()).collect();
    Answer::Addresses { found, through, ttl: Duration::from_secs(ttl) }
}

/// A world with resolvers at 7, 8 and 9.
async fn three() -> (World, probe::NetProbe) {
    let world = World::with_top().await;
    for server in [7, 8] {
        world.zone(server, ".", &[". NS ns.root."]);
        world.quirk(server, Quirk::Recursive);
    }
    let resolvers = Some([7, 8, 9].map(|server| world.at(server)).to_vec());
    let probe = probe_with(probe::Settings { resolvers, ..world.settings() });
    (world, probe)
}

#[tokio::test]
async fn every_resolver_is_asked_at_once() {
    let (world, probe) = three().await;
    world.zone(7, ".", &["www.shop.test. 30 CNAME shop.test.", "shop.test. 90 A 192.0.2.7"]);
    world.quirk(8, Quirk::Silent);
    world.quirk(9, Quirk::Validates);
    let began = Instant::now();
    let said = investigate(&probe, "www.shop.test").await.resolvers;
    let took = began.elapsed();
    assert!(took < TIMEOUT + Duration::from_millis(900), "{took:?}");
    let resolvers: Vec<_> = said.iter().map(|it| it.resolver).collect();
    assert_eq!(resolvers, [7, 8, 9].map(|server| world.at(server)));
    let answers: Vec<_> = said.iter().map(|it| it.answer.clone()).collect();
    let want = [
        addresses(&["192.0.2.7"], &["shop.test"], 30),
        Answer::Silent { detail: "no answer within 1 s".to_owned() },
        Answer::NoSuchName { ttl: Duration::from_mins(1) },
    ];
    assert_eq!(answers, want);
    let validates: Vec<_> = said.iter().map(|it| it.validates).collect();
    assert_eq!(validates, [Some(false), None, Some(true)]);
    assert!(said.iter().all(|it| it.unvalidated.is_none()));
}

#[tokio::test]
async fn whether_a_resolver_validates_is_asked_once() {
    let (world, probe) = three().await;
    investigate(&probe, "shop.test").await;
    investigate(&probe, "else.test").await;
    let of_root = |server| world.asked(server).iter().filter(|it| it.name == ".").count();
    assert_eq!([7, 8, 9].map(of_root), [1, 1, 1]);
}

#[tokio::test]
async fn servfail_is_asked_about_once_more_without_validation() {
    let (world, probe) = three().await;
    for server in [7, 8, 9] {
        world.zone(server, ".", &["shop.test. A 192.0.2.7"]);
    }
    world.quirk(7, Quirk::Bogus("shop.test."));
    world.quirk(8, Quirk::Fails(hickory_proto::rr::RecordType::A));
    let said = investigate(&probe, "shop.test").await.resolvers;
    let failed = || Answer::Failed { code: "SERVFAIL".to_owned() };
    let good = || addresses(&["192.0.2.7"], &[], 300);
    let told: Vec<_> = said.into_iter().map(|it| (it.answer, it.unvalidated)).collect();
    assert_eq!(told, [(failed(), Some(good())), (failed(), Some(failed())), (good(), None)]);
}

#[tokio::test]
async fn a_chain_of_the_resolver_that_dangles_or_turns_is_seen() {
    let world = World::with_top().await;
    world.zone(
        9,
        ".",
        &[
            "lost.shop.test. CNAME none.test.",
            "one.test. CNAME two.test.",
            "two.test. CNAME one.test.",
        ],
    );
    let probe = world.probe();
    let answer = async |name| investigate(&probe, name).await.resolvers[0].answer.clone();
    let through = vec!["none.test".to_owned()];
    assert_eq!(answer("lost.shop.test").await, Answer::Dangling { through });
    let through = vec!["two.test".to_owned(), "one.test".to_owned()];
    assert_eq!(answer("one.test").await, Answer::Circle { through });
}

#[tokio::test]
async fn a_sibling_tells_whether_a_name_has_records_of_its_own() {
    let (world, probe) = three().await;
    world.quirk(7, Quirk::Silent);
    world.quirk(8, Quirk::Refuses);
    let sibling = format!("{LABEL}.shop.test. A 192.0.2.7");
    world.zone(9, ".", &["www.shop.test. A 192.0.2.7", &sibling]);
    let of = async |name| investigate(&probe, name).await.sibling;
    assert_eq!(of("www.shop.test").await, Some(addresses(&["192.0.2.7"], &[], 300)));
    let gone = Some(Answer::NoSuchName { ttl: Duration::from_mins(1) });
    assert_eq!(of("a.www.shop.test").await, gone);
    assert_eq!(of("shop.test").await, None, "registrable");
    assert_eq!(of("shop.github.io").await, None, "registrable, by the private part of the list");
    assert_eq!(of("*.shop.test").await, None, "a wildcard");
}

#[tokio::test]
async fn a_wildcard_is_asked_for_under_the_label() {
    let world = World::with_top().await;
    world.zone(9, ".", &[&format!("{LABEL}.shop.test. A 192.0.2.7")]);
    let deep = world.investigate("*.shop.test").await;
    assert_eq!(deep.resolvers[0].answer, addresses(&["192.0.2.7"], &[], 300));
    assert_eq!(deep.zones[0].name, format!("{LABEL}.shop.test"));
    assert_eq!(deep.caa[0].name, "shop.test");
}
