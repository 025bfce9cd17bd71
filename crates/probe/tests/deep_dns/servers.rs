//! What each authoritative server says, and in how many ways it does not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use hickory_proto::rr::RecordType;
use rules::evidence::{Answer, Authority, CaaSaid, Deep, ServerSaid};

use crate::world::{Quirk, TIMEOUT, World, address};

/// What each address of the name's zone said.
fn said(deep: &Deep) -> BTreeMap<IpAddr, Authority> {
    let servers = deep.zones[0].servers.iter();
    servers.map(|it| (it.address.expect("its address is known"), it.said.clone())).collect()
}

fn addresses(found: &[&str], through: &[&str], ttl: u64) -> Authority {
    let found = found.iter().map(|it| it.parse().expect("an address")).collect();
    let through = through.iter().map(|&it| it.to_owned()).collect();
    Authority::Answered(Answer::Addresses { found, through, ttl: Duration::from_secs(ttl) })
}

fn lame(detail: &str) -> Authority {
    Authority::Lame { detail: detail.to_owned() }
}

fn silent(detail: &str) -> Authority {
    Authority::Silent { detail: detail.to_owned() }
}

#[tokio::test]
async fn each_server_is_asked_and_each_says_its_own() {
    let world = World::with_shop(&[]).await;
    world.zone(3, "shop.test.", &["shop.test. 60 A 192.0.2.1", "shop.test. 90 AAAA 2001:db8::1"]);
    world.zone(4, "shop.test.", &["shop.test. A 192.0.2.9", "shop.test. A 192.0.2.8"]);
    let want = BTreeMap::from([
        (address(3), addresses(&["192.0.2.1", "2001:db8::1"], &[], 60)),
        (address(4), addresses(&["192.0.2.8", "192.0.2.9"], &[], 300)),
    ]);
    assert_eq!(said(&world.investigate("shop.test").await), want);
}

#[tokio::test]
async fn answers_other_than_addresses_are_told_apart() {
    let world = World::with_shop(&[
        "shop.test. A 192.0.2.1",
        "text.shop.test. NS ns.else.test.",
        "x.empty.shop.test. A 192.0.2.1",
        "www.shop.test. 20 CNAME a.shop.test.",
        "a.shop.test. 10 CNAME shop.test.",
        "lost.shop.test. CNAME none.shop.test.",
        "round.shop.test. CNAME about.shop.test.",
        "about.shop.test. CNAME round.shop.test.",
        "void.shop.test. CNAME empty.shop.test.",
        "out.shop.test. CNAME www.else.test.",
    ])
    .await;
    let through = |names: &[&str]| names.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    let minute = Duration::from_mins(1);
    #[rustfmt::skip] // One case a line.
    let table = [
        ("none.shop.test",  Answer::NoSuchName { ttl: minute }),
        ("empty.shop.test", Answer::NoAddress { through: Vec::new(), ttl: minute }),
        ("lost.shop.test",  Answer::Dangling { through: through(&["none.shop.test"]) }),
        ("void.shop.test",  Answer::NoAddress { through: through(&["empty.shop.test"]), ttl: minute }),
        ("round.shop.test", Answer::Circle { through: through(&["about.shop.test", "round.shop.test"]) }),
        ("out.shop.test",   Answer::LedOut { through: through(&["www.else.test"]) }),
    ];
    let probe = world.probe();
    for (name, want) in table {
        let deep = crate::world::investigate(&probe, name).await;
        assert_eq!(said(&deep)[&address(3)], Authority::Answered(want), "{name}");
    }
    let www = crate::world::investigate(&probe, "www.shop.test").await;
    let want = addresses(&["192.0.2.1"], &["a.shop.test", "shop.test"], 10);
    assert_eq!(said(&www)[&address(3)], want);
}

#[tokio::test]
async fn a_server_that_is_not_responsible_or_fails_says_how() {
    #[rustfmt::skip] // One case a line.
    let table: Vec<(&[Quirk], Authority)> = vec![
        (&[Quirk::Refuses],                   lame("REFUSED")),
        (&[Quirk::NoAuthority],               lame("answers without authority")),
        (&[Quirk::RefersUpwards],             lame("refers upwards, to the root")),
        (&[Quirk::Fails(RecordType::A)],      Authority::Failed { code: "SERVFAIL".to_owned() }),
        (&[Quirk::Fails(RecordType::AAAA)],   addresses(&["192.0.2.1"], &[], 300)),
        (&[Quirk::Silent],                    silent("no answer within 1 s")),
        (&[Quirk::Truncates, Quirk::NoTcp],   silent("UDP: the answer does not fit; no answer within 1 s")),
        (&[Quirk::Truncates],                 addresses(&["192.0.2.1"], &[], 300)),
        (&[Quirk::NoUdp],                     addresses(&["192.0.2.1"], &[], 300)),
        (&[Quirk::DropsEdns],                 addresses(&["192.0.2.1"], &[], 300)),
        (&[Quirk::DislikesEdns],              addresses(&["192.0.2.1"], &[], 300)),
    ];
    let cases = table.into_iter().map(async |(quirks, want)| {
        let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
        for quirk in quirks {
            world.quirk(3, quirk.clone());
        }
        let began = Instant::now();
        let said = said(&world.investigate("shop.test").await);
        assert_eq!(said[&address(3)], want, "{quirks:?}");
        assert_eq!(said[&address(4)], addresses(&["192.0.2.1"], &[], 300), "{quirks:?}");
        assert!(began.elapsed() < TIMEOUT * 2, "{quirks:?}: {:?}", began.elapsed());
    });
    join_all(cases).await;
}

#[tokio::test]
async fn a_chain_that_leads_on_within_the_zone_is_followed_where_the_server_does_not() {
    // A chain that is longer than this server gives in one answer.
    let link = |n| format!("n{n}.shop.test. CNAME n{}.shop.test.", n + 1);
    let links: Vec<_> = (0..12).map(link).collect();
    let mut records: Vec<_> = links.iter().map(String::as_str).collect();
    records.push("n12.shop.test. A 192.0.2.1");
    let world = World::with_shop(&records).await;
    let through: Vec<_> = (1..=12).map(|n| format!("n{n}.shop.test")).collect();
    let through: Vec<_> = through.iter().map(String::as_str).collect();
    let said = said(&world.investigate("n0.shop.test").await);
    assert_eq!(said[&address(3)], addresses(&["192.0.2.1"], &through, 300));
}

#[tokio::test]
async fn a_chain_into_another_zone_is_walked_to_there_once() {
    let world = World::with_shop(&[
        "www.shop.test. CNAME www.else.test.",
        "self.shop.test. CNAME sub.deep.shop.test.",
        "deep.shop.test. NS ns.deep.shop.test.",
        "ns.deep.shop.test. A 127.0.0.6",
    ])
    .await;
    world.delegate("else.test.", &[5]);
    world.zone(5, "else.test.", &["www.else.test. CNAME www.shop.test."]);
    world.zone(6, "deep.shop.test.", &["sub.deep.shop.test. A 192.0.2.6"]);
    let deep = world.investigate("www.shop.test").await;
    let names: Vec<_> = deep.zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(names, ["www.shop.test", "www.else.test"], "and not back again");
    let back = Answer::LedOut { through: vec!["www.shop.test".to_owned()] };
    assert_eq!(deep.zones[1].servers[0].said, Authority::Answered(back));

    let deep = world.investigate("self.shop.test").await;
    let names: Vec<_> = deep.zones.iter().map(|zone| zone.name.as_str()).collect();
    assert_eq!(names, ["self.shop.test", "sub.deep.shop.test"]);
    assert_eq!(deep.zones[1].servers[0].said, addresses(&["192.0.2.6"], &[], 300));
}

#[tokio::test]
async fn a_silent_server_does_not_delay_what_another_leads_to() {
    let world = World::with_shop(&["www.shop.test. CNAME www.else.test."]).await;
    world.delegate("else.test.", &[5]);
    world.quirk(3, Quirk::Silent);
    world.quirk(5, Quirk::Silent);
    let began = Instant::now();
    let deep = world.investigate("www.shop.test").await;
    assert_eq!(deep.zones.len(), 2);
    let took = began.elapsed();
    assert!(
        took < TIMEOUT + Duration::from_millis(900),
        "both at once, not one after the other: {took:?}"
    );
}

#[tokio::test]
async fn questions_that_do_not_depend_on_each_other_are_asked_together() {
    use RecordType::{A, AAAA, CAA, NS, SOA};
    let world = World::with_shop(&["www.shop.test. CNAME www.else.test."]).await;
    world.delegate("else.test.", &[5]);
    world.zone(5, "else.test.", &["www.else.test. A 192.0.2.5"]);
    world.zone(9, ".", &["www.shop.test. A 192.0.2.5", "zq7.shop.test. A 192.0.2.6"]);
    let (www, sibling) = ("www.shop.test.", "zq7.shop.test.");
    let resolver = [(9, www, A), (9, www, AAAA), (9, sibling, A), (9, sibling, AAAA)];
    world.together(&[&resolver[..], &[(9, ".", SOA), (9, www, CAA), (1, "test.", NS)]].concat());
    world.together(&[(3, www, A), (3, www, AAAA), (4, www, A), (4, www, AAAA)]);
    world.together(&[(5, "www.else.test.", A), (5, "www.else.test.", AAAA)]);
    let deep = world.investigate("www.shop.test").await;
    let found = |answer: &Answer| answer.found().cloned();
    assert_eq!(found(&deep.resolvers[0].answer), Some(["192.0.2.5".parse().unwrap()].into()));
    assert_eq!(deep.resolvers[0].validates, Some(false));
    let sibling = deep.sibling.as_ref().and_then(found);
    assert_eq!(sibling, Some(["192.0.2.6".parse().unwrap()].into()));
    assert_eq!(deep.caa[0].said, CaaSaid::None);
    let led = |it: &ServerSaid| matches!(it.said, Authority::Answered(Answer::LedOut { .. }));
    assert!(deep.zones[0].servers.len() == 2 && deep.zones[0].servers.iter().all(led), "{deep:?}");
    assert_eq!(deep.zones[1].servers[0].said, addresses(&["192.0.2.5"], &[], 300));
}

#[tokio::test]
async fn the_longest_chain_of_zones_ends() {
    let world = World::with_top().await;
    for n in 0..20 {
        let zone = format!("z{n}.test.");
        world.delegate(&zone, &[3]);
        world.zone(3, &zone, &[&format!("{zone} CNAME z{}.test.", n + 1)]);
    }
    let deep = world.investigate("z0.test").await;
    assert_eq!(deep.zones.len(), 9, "its own and eight targets");
}

#[tokio::test]
async fn no_question_to_an_authority_wants_recursion_or_signatures() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    let deep = world.investigate("shop.test").await;
    assert_eq!(deep.dnssec, None);
    for server in [1, 2, 3, 4] {
        assert!(world.asked(server).iter().all(|asked| !asked.signed && !asked.tcp), "{server}");
    }
}
