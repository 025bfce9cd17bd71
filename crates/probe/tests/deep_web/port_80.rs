//! Port 80, as a validator visits it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use rules::Time;
use rules::evidence::{Hop, HttpEnd};
use sandbox::Certificate;
use sandbox::dns::{Behaviour, a};
use sandbox::web::Web;

use crate::world::{ALSO_HERE, Does, HERE, LABEL, PATH, Server, World, answers, closed, moved, ok};

/// Short, as some wait for it to pass.
const SHORT: Duration = Duration::from_millis(300);

fn urls(hops: &[Hop]) -> Vec<&str> {
    hops.iter().map(|hop| hop.url.as_str()).collect()
}

fn elsewhere(host: &str, found: &[&str]) -> HttpEnd {
    let found = found.iter().map(|ip| ip.parse().expect("an address")).collect();
    HttpEnd::Elsewhere { host: host.to_owned(), found }
}

#[tokio::test]
async fn any_answer_that_is_no_redirect_is_one() {
    for status in [
        "200 OK",
        "204 No Content",
        "300 Multiple Choices",
        "304 Not Modified",
        "403 Forbidden",
        "404 Not Found",
        "500 Oops",
        "301 Nowhere",
    ] {
        let world = World::with_http(move |_| answers(status, "")).await;
        let visit = world.visited().await;
        assert_eq!(visit.end, HttpEnd::Answered, "{status}");
        let [hop] = &visit.hops[..] else { panic!("{visit:?}") };
        assert_eq!(hop.status.to_string(), status[..3]);
        assert_eq!(hop.url, format!("http://shop.test{PATH}"));
        assert_eq!((hop.host.as_str(), hop.address, hop.date), ("shop.test", HERE, None));
    }
}

#[tokio::test]
async fn one_small_request_is_sent_and_says_who_we_are() {
    let world = World::with_http(|_| ok()).await;
    world.visited().await;
    let [asked] = &world.http.asked()[..] else { panic!("asked once") };
    assert!(asked.head.starts_with(&format!("GET {PATH} HTTP/1.1\r\n")), "{}", asked.head);
    let agent = concat!("user-agent: closte-sync/", env!("CARGO_PKG_VERSION"));
    for line in ["host: shop.test", agent, "connection: close"] {
        assert!(asked.head.lines().any(|it| it == line), "no `{line}` in {}", asked.head);
    }
}

#[tokio::test]
async fn the_servers_clock_is_told_where_it_can_be_read() {
    let noon = Time::default() + Duration::from_secs(784_111_777);
    for (date, want) in [
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(noon)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(noon)),
        ("1994-11-06T08:49:37Z", None),
        ("\u{ff}", None),
    ] {
        let world =
            World::with_http(move |_| answers("200 OK", &format!("date: {date}\r\n"))).await;
        assert_eq!(world.visited().await.hops[0].date, want, "{date}");
    }
}

#[tokio::test]
async fn redirects_of_each_kind_are_followed() {
    for status in ["301 a", "302 b", "303 c", "307 d", "308 e"] {
        let world = World::with_http(move |url| {
            if url == "shop.test/there?x=y" {
                ok()
            } else {
                answers(status, "location: /there?x=y#z\r\n")
            }
        });
        let visit = world.await.visited().await;
        assert_eq!(visit.end, HttpEnd::Answered, "{status}");
        let first = format!("http://shop.test{PATH}");
        assert_eq!(urls(&visit.hops), [first.as_str(), "http://shop.test/there?x=y"]);
    }
}

#[tokio::test]
async fn a_redirect_to_https_is_followed_whatever_the_certificate() {
    let https = Server::https(&["other.test"], |_| ok()).await;
    let port = https.port;
    for location in [
        "https://shop.test".to_owned(),
        "https://shop.test:443/".to_owned(),
        format!("https://shop.test:{port}"),
    ] {
        let https = Server::https(&["other.test"], |_| answers("404 Not Found", "")).await;
        let location = location.replace(&port.to_string(), &https.port.to_string());
        let world = World::new(Server::http(move |_| moved(&location)).await, https).await;
        let visit = world.visited().await;
        assert_eq!(visit.end, HttpEnd::Answered);
        assert_eq!((visit.hops[1].url.as_str(), visit.hops[1].status), ("https://shop.test/", 404));
        assert_eq!(visit.hops[1].address, HERE);
        assert_eq!(world.https.asked()[0].url(), "shop.test/");
    }
}

#[tokio::test]
async fn other_ports_schemes_and_addresses_are_not_followed() {
    for location in [
        "http://shop.test:22/",
        "https://shop.test:80/",
        "ftp://shop.test/",
        "http://127.0.0.1/",
        "http://localhost/",
        "mailto:a@shop.test",
    ] {
        let world = World::with_http(move |_| moved(location)).await;
        assert_eq!(world.ended().await, HttpEnd::NotFollowed { url: location.to_owned() });
        assert_eq!(world.http.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_circle_is_left_where_it_closes() {
    let world = World::with_http(|url| match url {
        "shop.test/a" => moved("http://user@SHOP.test:80/b#c"),
        "shop.test/b" => moved("/a"),
        _ => moved("/b"),
    });
    let world = world.await;
    let visit = world.visited().await;
    assert_eq!(visit.end, HttpEnd::Circle { url: "http://shop.test/b".to_owned() });
    assert_eq!(visit.hops.len(), 3);

    let itself = World::with_http(|_| moved("")).await;
    let url = format!("http://shop.test{PATH}");
    assert_eq!(itself.ended().await, HttpEnd::Circle { url });
}

#[tokio::test]
async fn ten_redirects_are_followed_and_no_more() {
    let redirects = |most: usize| {
        World::with_http(move |url| {
            let number = url.strip_prefix("shop.test/").and_then(|it| it.parse().ok()).unwrap_or(0);
            if number == most { ok() } else { moved(format!("/{}", number + 1)) }
        })
    };
    let ten = redirects(10).await.visited().await;
    assert_eq!((ten.end, ten.hops.len()), (HttpEnd::Answered, 11));
    let eleven = redirects(11).await.visited().await;
    assert_eq!((eleven.end, eleven.hops.len()), (HttpEnd::TooMany, 11));
}

#[tokio::test]
async fn another_name_is_asked_at_its_address_that_is_a_target() {
    let to_www =
        |url: &str| if url.starts_with("shop.test") { moved("//www.shop.test/") } else { ok() };
    // The same address stays where it may; else one that is a target.
    for (records, want) in [
        (vec![a("127.0.0.2"), a("127.0.0.1")], HERE),
        (vec![a("127.0.0.9"), a("127.0.0.2")], ALSO_HERE),
    ] {
        let world = World::with_http(to_www)
            .await
            .name_is_at("www.shop.test", records)
            .targets([HERE, ALSO_HERE]);
        let visit = world.visited().await;
        assert_eq!(visit.end, HttpEnd::Answered);
        assert_eq!((visit.hops[1].host.as_str(), visit.hops[1].address), ("www.shop.test", want));
        assert_eq!(world.http.asked()[1].at, want);
    }
}

#[tokio::test]
async fn back_at_its_own_name_it_is_back_at_its_own_address() {
    let world = World::with_http(|url| match url {
        "www.shop.test/" => moved("http://shop.test/back"),
        "shop.test/back" => ok(),
        _ => moved("http://www.shop.test/"),
    });
    let world = world.await.name_is_at("www.shop.test", [a("127.0.0.2")]);
    let world = world.targets([HERE, ALSO_HERE]);
    let addresses: Vec<_> = world.visited().await.hops.iter().map(|hop| hop.address).collect();
    assert_eq!(addresses, [HERE, ALSO_HERE, HERE]);
}

#[tokio::test]
async fn another_name_that_is_elsewhere_is_not_visited() {
    let to_www = || World::with_http(|_| moved("https://www.shop.test/"));
    let world = to_www().await.name_is_at("www.shop.test", [a("127.0.0.9"), a("127.0.0.8")]);
    let end = world.ended().await;
    assert_eq!(end, elsewhere("www.shop.test", &["127.0.0.8", "127.0.0.9"]));
    assert!(world.https.asked().iter().all(|asked| asked.at == HERE), "nobody was sent elsewhere");

    let unknown = to_www().await;
    assert_eq!(unknown.ended().await, elsewhere("www.shop.test", &[]));

    unknown.dns.fail("www.shop.test", Behaviour::ServFail);
    assert_eq!(unknown.ended().await, elsewhere("www.shop.test", &[]));
}

#[tokio::test]
async fn no_packet_goes_where_the_guard_forbids() {
    let mut world = World::with_http(|_| ok()).await;
    world.settings.allow_private = false;
    assert_eq!(world.ended().await, elsewhere("shop.test", &["127.0.0.1"]));
    assert!(world.http.asked().is_empty());

    // A connection to this one would end at this machine, and it is nobody's address.
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let world = World::with_http(|_| moved("http://www.shop.test/")).await;
    let world = world.name_is_at("www.shop.test", [a("0.0.0.0")]).targets([HERE, nowhere]);
    assert_eq!(world.ended().await, elsewhere("www.shop.test", &["0.0.0.0"]));
    assert_eq!(world.http.asked().len(), 1);
}

#[tokio::test]
async fn a_closed_port_is_refused_and_a_silent_one_silent() {
    let mut world = World::with_http(|_| Does::Nothing).await.patient_for(SHORT);
    let silent = format!("127.0.0.1:{}: no answer within 0.3 s", world.http.port);
    assert_eq!(world.ended().await, HttpEnd::Silent { detail: silent });

    let (_kept, port) = closed();
    world.settings.http_port = port;
    let refused = HttpEnd::Refused { detail: format!("127.0.0.1:{port}: connection refused") };
    let visit = world.visited().await;
    assert_eq!((visit.end, visit.hops), (refused, vec![]));
}

#[tokio::test]
async fn where_a_redirect_leads_may_be_closed_silent_or_broken_too() {
    let to_https = || Server::http(|_| moved("https://shop.test/"));
    let silent = Server::https(&["shop.test"], |_| Does::Nothing).await;
    let world = World::new(to_https().await, silent).await.patient_for(SHORT);
    let visit = world.visited().await;
    let port = world.https.port;
    let detail = format!("127.0.0.1:{port}: no answer within 0.3 s");
    assert_eq!((visit.end, visit.hops.len()), (HttpEnd::Silent { detail }, 1));

    let web = Web::start(sandbox::web::Settings::default()).await.expect("free ports");
    web.otherwise(Certificate::None);
    let mut no_certificate = World::with_http(|_| moved("https://shop.test/")).await;
    no_certificate.settings.https_port = web.https_port();
    let said = "it answered with the alert `unrecognized_name`";
    let detail = format!("{}: {said}", web.https_address());
    assert_eq!(no_certificate.ended().await, HttpEnd::Broken { detail });

    let (_kept, port) = closed();
    let mut closed = World::new(to_https().await, Server::https(&[], |_| ok()).await).await;
    closed.settings.https_port = port;
    let detail = format!("127.0.0.1:{port}: connection refused");
    assert_eq!(closed.ended().await, HttpEnd::Refused { detail });
}

#[tokio::test]
async fn what_is_not_http_is_broken() {
    let huge = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(100_000));
    for (answer, detail) in [
        (b"220 mail.test ESMTP\r\n".to_vec(), "it does not answer in HTTP"),
        (huge.into(), "it does not answer in HTTP"),
        (endless.into(), "it does not answer in HTTP"),
        (vec![0x15, 3, 3, 0, 2, 2, 112], "it does not answer in HTTP"),
        (Vec::new(), "it closed the connection without an answer"),
        (b"HTTP/1.1 200 OK\r\nx: y\r\n".to_vec(), "it closed the connection without an answer"),
    ] {
        let shown = String::from_utf8_lossy(&answer[..answer.len().min(40)]).into_owned();
        let world = World::with_http(move |_| Does::Answers(answer.clone())).await;
        let detail = format!("127.0.0.1:{}: {detail}", world.http.port);
        assert_eq!(world.ended().await, HttpEnd::Broken { detail }, "{shown}");
    }
    let resets = World::with_http(|_| Does::Resets).await;
    assert!(matches!(resets.ended().await, HttpEnd::Broken { .. }));
}

#[tokio::test]
async fn only_the_head_is_read() {
    let body = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\nx";
    let world = World::with_http(move |_| Does::Answers(body.into())).await;
    assert_eq!(world.ended().await, HttpEnd::Answered);
}

#[tokio::test]
async fn only_targets_are_asked_and_each_of_them() {
    let world = World::with_http(|_| ok()).await;
    let world = world.name_is_at("shop.test", ["127.0.0.1", "127.0.0.2", "127.0.0.9"].map(a));
    let world = world.targets([HERE, ALSO_HERE]);
    let deep = world.investigated("shop.test").await;
    let both = BTreeSet::from([HERE, ALSO_HERE]);
    assert_eq!(deep.http.into_keys().collect::<BTreeSet<_>>(), both);
    assert_eq!(deep.stranger.into_keys().collect::<BTreeSet<_>>(), both);
    assert_eq!(deep.front.into_keys().collect::<BTreeSet<_>>(), both);
    let asked = world.http.asked().into_iter().map(|asked| asked.at);
    assert_eq!(asked.collect::<BTreeSet<_>>(), both);
}

#[tokio::test]
async fn a_wildcard_is_asked_for_under_the_label() {
    let world = World::with_http(|_| ok()).await;
    let name = format!("{LABEL}.shop.test");
    let world = world.name_is_at("*.shop.test", []).name_is_at(&name, [a("127.0.0.1")]);
    let deep = world.investigated("*.shop.test").await;
    assert_eq!(deep.http[&HERE].hops[0].url, format!("http://{name}{PATH}"));
}
