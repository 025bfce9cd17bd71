//! What authoritative servers say (RFC 1034, RFC 4592).

use hickory_proto::op::ResponseCode;
use testkit::internet::{RecordType, Transport};

use crate::client::{ask, code, internet, texts};

#[test]
fn the_way_down_from_the_root_is_by_referrals_with_glue() {
    let internet = internet();
    let root = ask(&internet, "a.root", "shop.example", RecordType::A);
    assert!(!root.metadata.authoritative && root.answers.is_empty());
    let at = internet.at("ns1.example");
    assert_eq!(texts(&root.authorities)[0], "example NS ns1.example.");
    assert_eq!(texts(&root.additionals)[0], format!("ns1.example A {at}"));
    let top = ask(&internet, "ns2.example", "shop.example", RecordType::A);
    assert_eq!(texts(&top.authorities)[1], "shop.example NS ns2.shop.example.");
    let last = ask(&internet, "ns2.shop.example", "SHOP.example", RecordType::A);
    assert!(last.metadata.authoritative && !last.metadata.recursion_available);
    assert_eq!(texts(&last.answers), ["shop.example A 192.0.2.7"]);
}

#[test]
#[rustfmt::skip] // One case a line.
fn a_zone_answers_as_its_records_say() {
    use RecordType as T;
    let internet = internet();
    internet.set("www.shop.example", T::CNAME, &["shop.example"]);
    internet.set("out.shop.example", T::CNAME, &["else.test"]);
    internet.set("*.shop.example", T::A, &["192.0.2.8"]);
    internet.set("a.deep.shop.example", T::A, &["192.0.2.9"]);
    internet.set("shop.example", T::CAA, &["0 issue \"letsencrypt.org\""]);
    internet.set("loop.shop.example", T::CNAME, &["pool.shop.example"]);
    internet.set("pool.shop.example", T::CNAME, &["loop.shop.example"]);
    let table: &[(&str, &str, T, &[&str], ResponseCode)] = &[
        ("a record",                    "shop.example",        T::A,     &["A 192.0.2.7"], ResponseCode::NoError),
        ("none of the type",            "shop.example",        T::AAAA,  &[], ResponseCode::NoError),
        ("who may issue",               "shop.example",        T::CAA,   &["CAA 0 issue \"letsencrypt.org\""], ResponseCode::NoError),
        ("an alias with what it means", "www.shop.example",    T::A,     &["CNAME shop.example.", "A 192.0.2.7"], ResponseCode::NoError),
        ("an alias that leaves",        "out.shop.example",    T::A,     &["CNAME else.test."], ResponseCode::NoError),
        ("the alias itself",            "www.shop.example",    T::CNAME, &["CNAME shop.example."], ResponseCode::NoError),
        ("a wildcard",                  "x.shop.example",      T::A,     &["A 192.0.2.8"], ResponseCode::NoError),
        ("a wildcard, deeper",          "x.y.shop.example",    T::A,     &["A 192.0.2.8"], ResponseCode::NoError),
        ("an empty non-terminal",       "deep.shop.example",   T::A,     &[], ResponseCode::NoError),
        ("no wildcard beside it",       "b.deep.shop.example", T::A,     &[], ResponseCode::NXDomain),
        ("another zone",                "else.test",           T::A,     &[], ResponseCode::Refused),
    ];
    for (what, name, kind, records, is) in table {
        let answer = ask(&internet, "ns1.shop.example", name, *kind);
        let data: Vec<_> = texts(&answer.answers).iter().map(|it| it.split_once(' ').unwrap().1.to_owned()).collect();
        assert_eq!((data.as_slice(), code(&answer)), (&records.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()[..], *is), "{what}");
        let negative = records.is_empty() && *is != ResponseCode::Refused;
        assert_eq!(answer.authorities.iter().any(|it| it.record_type() == T::SOA), negative, "{what}");
    }
    let circle = ask(&internet, "ns1.shop.example", "loop.shop.example", T::A);
    assert_eq!(circle.answers.len(), 2, "each once");
}

#[test]
fn servers_of_another_zone_have_no_glue_and_count_what_they_are_asked() {
    let internet = internet();
    internet.zone("test");
    internet.zone("dns.test");
    internet.zone_on("far.example", &["ns1.dns.test"]);
    let referral = ask(&internet, "ns1.example", "far.example", RecordType::A);
    assert_eq!(texts(&referral.authorities), ["far.example NS ns1.dns.test."]);
    assert!(referral.additionals.is_empty());
    internet.undelegate("far.example");
    let gone = ask(&internet, "ns1.example", "far.example", RecordType::A);
    assert_eq!(code(&gone), ResponseCode::NXDomain);
    let asked = internet.asked("ns1.example");
    assert_eq!(asked.len(), 4, "over UDP and TCP");
    assert_eq!((asked[0].name.as_str(), asked[0].kind), ("far.example", RecordType::A));
    assert_eq!([asked[0].transport, asked[1].transport], [Transport::Udp, Transport::Tcp]);
}

#[test]
fn a_server_can_differ_from_its_siblings() {
    let internet = internet();
    internet.set_at("ns2.shop.example", ("shop.example", RecordType::A), &["192.0.2.99"]);
    let said = |server| texts(&ask(&internet, server, "shop.example", RecordType::A).answers);
    assert_eq!(said("ns1.shop.example"), ["shop.example A 192.0.2.7"]);
    assert_eq!(said("ns2.shop.example"), ["shop.example A 192.0.2.99"]);
}
