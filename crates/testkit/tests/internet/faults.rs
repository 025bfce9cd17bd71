//! What servers do wrong.

use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use testkit::internet::{Fault, RecordType, Scope};

use crate::client::{How, ask, code, internet, is_silent, query, tcp, texts, udp};

const NS1: &str = "ns1.shop.example";

#[test]
#[rustfmt::skip] // One case a line.
fn a_fault_is_on_the_wire() {
    let table = [
        (Fault::Refused,          ResponseCode::Refused,  0, false),
        (Fault::ServFail,         ResponseCode::ServFail, 0, false),
        (Fault::NxDomain,         ResponseCode::NXDomain, 0, true),
        (Fault::NotAuthoritative, ResponseCode::NoError,  1, false),
        (Fault::ReferralUp,       ResponseCode::NoError,  0, false),
    ];
    for (fault, is, answers, authoritative) in table {
        let internet = internet();
        internet.fault(NS1, Scope::all(), fault);
        let answer = ask(&internet, NS1, "shop.example", RecordType::A);
        let seen = (code(&answer), answer.answers.len(), answer.metadata.authoritative);
        assert_eq!(seen, (is, answers, authoritative), "{fault:?}");
        internet.heal(NS1);
        assert_eq!(ask(&internet, NS1, "shop.example", RecordType::A).answers.len(), 1);
    }
    let internet = internet();
    internet.fault(NS1, Scope::all(), Fault::ReferralUp);
    let up = ask(&internet, NS1, "shop.example", RecordType::A);
    assert_eq!(texts(&up.authorities), [" NS a.root."]);
}

#[test]
fn a_fault_can_be_for_one_name_or_type_only() {
    let internet = internet();
    internet.set("www.shop.example", RecordType::A, &["192.0.2.7"]);
    internet.fault(NS1, Scope::name("www.shop.example"), Fault::Refused);
    internet.fault(NS1, Scope::all().kind(RecordType::CAA), Fault::ServFail);
    let said = |name, kind| code(&ask(&internet, NS1, name, kind));
    assert_eq!(said("www.shop.example", RecordType::A), ResponseCode::Refused);
    assert_eq!(said("shop.example", RecordType::A), ResponseCode::NoError);
    assert_eq!(said("shop.example", RecordType::CAA), ResponseCode::ServFail);
}

#[test]
fn a_server_can_be_silent_over_one_transport_or_both() {
    let internet = internet();
    let question = query("shop.example", RecordType::A, How::default());
    internet.fault(NS1, Scope::all(), Fault::SilentOverUdp);
    assert!(is_silent(&internet, NS1, "shop.example"));
    assert_eq!(tcp(internet.socket(NS1), &question).unwrap().answers.len(), 1);

    internet.heal(NS1);
    internet.fault(NS1, Scope::all(), Fault::TruncatedWithoutTcp);
    let cut = udp(internet.socket(NS1), &question, Duration::from_secs(5)).unwrap();
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    assert!(tcp(internet.socket(NS1), &question).is_none());

    internet.heal(NS1);
    internet.fault(NS1, Scope::all(), Fault::Silent);
    assert!(is_silent(&internet, NS1, "shop.example"));
}

#[test]
fn a_server_can_be_late() {
    let internet = internet();
    let by = Duration::from_millis(40);
    internet.fault(NS1, Scope::all(), Fault::Late(by));
    let start = Instant::now();
    assert_eq!(ask(&internet, NS1, "shop.example", RecordType::A).answers.len(), 1);
    assert!(start.elapsed() >= 2 * by, "over UDP and TCP");
}

#[test]
fn what_is_too_long_for_a_datagram_comes_by_tcp() {
    let internet = internet();
    let many: Vec<_> = (0..120).map(|last| format!("192.0.2.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    internet.set("shop.example", RecordType::A, &many);
    let question = query("shop.example", RecordType::A, How::default());
    let cut = udp(internet.socket(NS1), &question, Duration::from_secs(5)).unwrap();
    assert!(cut.metadata.truncation && cut.answers.is_empty());
    assert_eq!(tcp(internet.socket(NS1), &question).unwrap().answers.len(), 120);
}
