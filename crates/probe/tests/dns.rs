//! Checks of DNS servers on loopback: the sandbox's, and hand-made ones that are worse.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use probe::{NetProbe, Settings};
use rules::clock::ManualClock;
use rules::probe::{DnsObservation, Probe, RecordKind};
use sandbox::dns::{Behaviour, Dns, Failure, RecordType, a, aaaa, cname};
use tokio::net::UdpSocket;

fn probe(resolvers: impl IntoIterator<Item = SocketAddr>) -> NetProbe {
    let resolvers = Some(resolvers.into_iter().collect());
    let settings = Settings { resolvers, ..Settings::default() };
    NetProbe::new(settings, Arc::new(ManualClock::default())).expect("settings that make sense")
}

async fn dns() -> Dns {
    Dns::start(sandbox::dns::Settings::default()).await.expect("a free port")
}

async fn resolve(probe: &NetProbe, name: &str) -> DnsObservation {
    probe.resolve(&name.parse().expect("a domain name")).await
}

fn addresses(found: &[&str], through: &[&str]) -> DnsObservation {
    DnsObservation::Addresses {
        found: found.iter().map(|text| text.parse::<IpAddr>().expect("an address")).collect(),
        through: through.iter().map(|&name| name.to_owned()).collect(),
        unanswered: None,
    }
}

/// A socket that is bound and answers nothing.
async fn silence() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    (socket, address)
}

/// An address at which nothing listens while the socket is kept: it takes
/// datagrams from itself only, and nobody else gets its port.
async fn closed() -> (UdpSocket, SocketAddr) {
    let (socket, address) = silence().await;
    socket.connect(address).await.expect("itself");
    (socket, address)
}

/// A server in a few lines: `answer` gets the question, type and all, and says
/// how the rest of the message continues.
async fn few_lines(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> SocketAddr {
    let (socket, address) = silence().await;
    tokio::spawn(async move {
        let mut query = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut query).await {
            if let Some(answer) = answer(&query[..length]) {
                socket.send_to(&answer, from).await.expect("loopback");
            }
        }
    });
    address
}

/// The question in a query, and whether it is for A.
fn question(query: &[u8]) -> (&[u8], bool) {
    let end = 12 + query[12..].iter().position(|octet| *octet == 0).expect("the root") + 5;
    (&query[12..end], query[end - 3] == 1)
}

/// No recursion, no EDNS, no authority: A is 192.0.2.7, AAAA does not exist.
fn minimal(query: &[u8]) -> Vec<u8> {
    let (question, is_a) = question(query);
    let flags: &[u8] =
        if is_a { b"\x80\x00\0\x01\0\x01\0\0\0\0" } else { b"\x80\x03\0\x01\0\0\0\0\0\0" };
    let record: &[u8] =
        if is_a { b"\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\xc0\0\x02\x07" } else { b"" };
    [&query[..2], flags, &question.to_ascii_uppercase(), record].concat()
}

#[tokio::test]
async fn addresses_chains_and_their_absence_are_seen() {
    let dns = dns().await;
    dns.set("v4.test", [a("192.0.2.1"), a("192.0.2.2")]);
    dns.set("v6.test", [aaaa("2001:db8::1")]);
    dns.set("both.test", [a("192.0.2.1"), aaaa("2001:db8::1")]);
    dns.set("www.test", [cname("both.test")]);
    dns.set("far.test", [cname("www.test")]);
    dns.set("lost.test", [cname("nowhere.test")]);
    dns.set("empty.test", []);
    dns.set("led.test", [cname("empty.test")]);
    dns.set("round.test", [cname("about.test")]);
    dns.set("about.test", [cname("round.test")]);
    let probe = probe([dns.address()]);
    let no_address = |through: &[&str]| DnsObservation::NoAddress {
        through: through.iter().map(|&name| name.to_owned()).collect(),
    };
    let table = [
        ("v4.test", addresses(&["192.0.2.1", "192.0.2.2"], &[])),
        ("v6.test", addresses(&["2001:db8::1"], &[])),
        ("both.test", addresses(&["192.0.2.1", "2001:db8::1"], &[])),
        ("www.test", addresses(&["192.0.2.1", "2001:db8::1"], &["both.test"])),
        ("far.test", addresses(&["192.0.2.1", "2001:db8::1"], &["www.test", "both.test"])),
        ("lost.test", no_address(&["nowhere.test"])),
        ("empty.test", no_address(&[])),
        ("led.test", no_address(&["empty.test"])),
        ("gone.test", DnsObservation::NoSuchName),
        ("localhost.invalid", DnsObservation::NoSuchName),
    ];
    for (name, want) in table {
        assert_eq!(resolve(&probe, name).await, want, "{name}");
    }
    assert!(matches!(resolve(&probe, "round.test").await, DnsObservation::Failed { .. }));
}

#[tokio::test]
async fn no_name_is_special_and_a_wildcard_is_never_asked_for() {
    let dns = dns().await;
    dns.set("shop.localhost", [a("192.0.2.1")]);
    let probe = probe([dns.address()]);
    assert_eq!(resolve(&probe, "shop.localhost").await, addresses(&["192.0.2.1"], &[]));
    let before = dns.queries().len();
    assert!(matches!(resolve(&probe, "*.test.test").await, DnsObservation::NoAnswer { .. }));
    assert_eq!(dns.queries().len(), before);
}

#[tokio::test]
async fn one_type_that_fails_does_not_hide_the_other() {
    let dns = dns().await;
    dns.set("a.test", [a("192.0.2.1"), aaaa("2001:db8::1")]);
    let probe = probe([dns.address()]);
    dns.fail("a.test", Failure::from(Behaviour::ServFail).of(RecordType::AAAA));
    let half = async || match resolve(&probe, "a.test").await {
        DnsObservation::Addresses { found, unanswered, .. } => {
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            (found.join(" "), unanswered.map(|it| it.kind))
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(half().await, ("192.0.2.1".to_owned(), Some(RecordKind::Aaaa)));
    dns.heal("a.test");
    dns.fail("a.test", Failure::from(Behaviour::Refused).of(RecordType::A));
    assert_eq!(half().await, ("2001:db8::1".to_owned(), Some(RecordKind::A)));
}

#[tokio::test]
async fn a_server_that_fails_is_reported_only_where_no_other_answers() {
    let (bad, good) = (dns().await, dns().await);
    bad.fail("a.test", Behaviour::ServFail);
    good.set("a.test", [a("192.0.2.1")]);

    let alone = resolve(&probe([bad.address()]), "a.test").await;
    let detail = format!("{} answered: SERVFAIL", bad.address());
    assert_eq!(alone, DnsObservation::Failed { detail });
    assert_eq!(bad.queries_of("a.test"), 2, "A and AAAA, each once");

    let both = resolve(&probe([bad.address(), good.address()]), "a.test").await;
    assert_eq!(both, addresses(&["192.0.2.1"], &[]));
}

#[tokio::test]
async fn the_first_answer_is_enough_even_if_it_is_no() {
    let (first, second) = (dns().await, dns().await);
    second.set("a.test", [a("192.0.2.1")]);
    let probe = probe([first.address(), second.address()]);
    assert_eq!(resolve(&probe, "a.test").await, DnsObservation::NoSuchName);
    assert_eq!(second.queries().len(), 0);
}

#[tokio::test]
async fn a_dead_server_is_passed_over() {
    let dns = dns().await;
    dns.set("a.test", [a("192.0.2.1")]);
    let (_kept, dead) = closed().await;
    let probe = probe([dead, dns.address()]);
    for _ in 0..3 {
        assert_eq!(resolve(&probe, "a.test").await, addresses(&["192.0.2.1"], &[]));
    }
}

#[tokio::test]
async fn no_answer_names_who_was_asked_and_how_it_failed() {
    let ((_dead, dead), (_mute, mute)) = (closed().await, silence().await);
    let began = Instant::now();
    let observation = resolve(&probe([dead, mute]), "a.test").await;
    let mut said = [format!("{dead}: connection refused"), format!("{mute}: no answer within 2 s")];
    said.sort();
    assert_eq!(observation, DnsObservation::NoAnswer { detail: said.join("; ") });
    assert!(began.elapsed() < Duration::from_secs(10), "a check ends");
}

#[tokio::test]
async fn a_server_that_was_silent_is_asked_after_the_others() {
    let dns = dns().await;
    let (socket, mute) = silence().await;
    dns.set("a.test", [a("192.0.2.1")]);
    let probe = probe([mute, dns.address()]);
    for _ in 0..3 {
        assert_eq!(resolve(&probe, "a.test").await, addresses(&["192.0.2.1"], &[]));
    }
    let mut query = [0; 512];
    for _ in ["A", "AAAA"] {
        socket.recv_from(&mut query).await.unwrap();
    }
    assert!(socket.try_recv_from(&mut query).is_err(), "asked once for each type");
}

#[tokio::test]
async fn a_slow_server_and_a_lost_question_are_waited_for() {
    let dns = dns().await;
    dns.set("slow.test", [a("192.0.2.1")]);
    dns.fail("slow.test", Behaviour::Delay(Duration::from_secs(1)));
    dns.set("lost.test", [a("192.0.2.2")]);
    dns.fail("lost.test", Failure::from(Behaviour::NoAnswer).times(2));
    let probe = probe([dns.address()]);
    let (slow, lost) = tokio::join!(resolve(&probe, "slow.test"), resolve(&probe, "lost.test"));
    assert_eq!(slow, addresses(&["192.0.2.1"], &[]));
    assert_eq!(lost, addresses(&["192.0.2.2"], &[]));
    assert_eq!(dns.queries_of("lost.test"), 4, "each type twice");
}

#[tokio::test]
async fn an_answer_too_long_for_udp_is_fetched_over_tcp() {
    let dns = dns().await;
    let many: Vec<_> = (0..200).map(|n| format!("192.0.2.{n}")).collect();
    dns.set("many.test", many.iter().map(|text| a(text)));
    let observation = resolve(&probe([dns.address()]), "many.test").await;
    let all: Vec<_> = many.iter().map(String::as_str).collect();
    assert_eq!(observation, addresses(&all, &[]));
    assert!(dns.queries().iter().any(|query| query.tcp));
}

#[tokio::test]
async fn a_server_of_a_few_lines_is_understood() {
    let server = few_lines(|query| Some(minimal(query))).await;
    assert_eq!(resolve(&probe([server]), "a.test").await, addresses(&["192.0.2.7"], &[]));
}

#[tokio::test]
async fn a_server_that_gives_only_the_first_cname_is_asked_on() {
    let server = few_lines(|query| {
        let (question, _) = question(query);
        if question.starts_with(b"\x04shop") {
            return Some(minimal(query));
        }
        // `www.test CNAME shop.test`, for any type.
        let record: &[u8] = b"\xc0\x0c\0\x05\0\x01\0\0\0\x05\0\x07\x04shop\xc0\x10";
        Some([&query[..2], b"\x80\0\0\x01\0\x01\0\0\0\0", question, record].concat())
    });
    let observation = resolve(&probe([server.await]), "www.test").await;
    assert_eq!(observation, addresses(&["192.0.2.7"], &["shop.test"]));
}

#[tokio::test]
async fn a_server_that_chokes_on_edns_is_asked_without() {
    let server = few_lines(|query| {
        let has_edns = query[11] == 1;
        let refusal = [&query[..2], b"\x80\x01\0\0\0\0\0\0\0\0"].concat();
        Some(if has_edns { refusal } else { minimal(query) })
    });
    assert_eq!(resolve(&probe([server.await]), "a.test").await, addresses(&["192.0.2.7"], &[]));
}

#[tokio::test]
async fn garbage_and_forgeries_are_no_answer() {
    let server = few_lines(|query| {
        let (question, is_a) = question(query);
        let forged = [&[query[0] ^ 1, query[1]], &minimal(query)[2..]].concat();
        let torn = [&query[..2], b"\x80\0\0\x01\0\x09\0\0\0\0", question].concat();
        Some(if is_a { forged } else { torn })
    })
    .await;
    let observation = resolve(&probe([server]), "a.test").await;
    let detail =
        format!("{server}: no answer within 2 s; {server} sent an answer that cannot be read");
    let DnsObservation::NoAnswer { detail: said } = observation else { panic!("{observation:?}") };
    let sorted = |text: &str| text.split("; ").map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&said), sorted(&detail));
}

#[tokio::test]
async fn a_thousand_names_at_once_are_all_answered() {
    let dns = dns().await;
    dns.set("*.many.test", [a("192.0.2.1")]);
    let probe = probe([dns.address()]);
    let names: Vec<_> = (0..1000).map(|n| format!("n{n}.many.test")).collect();
    let observations = join_all(names.iter().map(|name| resolve(&probe, name))).await;
    assert!(observations.iter().all(|observation| *observation == addresses(&["192.0.2.1"], &[])));
    assert_eq!(dns.queries().len(), 2000, "none was lost and asked again");
}

#[tokio::test]
async fn resolvers_are_reported_and_tried_for_the_doctor() {
    let (good, (_kept, dead)) = (dns().await, closed().await);
    let probe = probe([good.address(), dead]);
    assert!(probe.resolvers().eq([good.address(), dead]));
    let refused = Err(format!("{dead}: connection refused"));
    assert_eq!(probe.check_resolvers().await, [(good.address(), Ok(())), (dead, refused)]);
}
