//! Debian's validating resolver agrees that what is signed well is, and that the rest is bogus.

use std::time::Duration;

use hickory_proto::op::ResponseCode;
use testkit::internet::{Dnssec, RecordType};

use crate::client::{How, code, internet, query, udp};

#[test]
#[rustfmt::skip] // One case a line.
fn unbound_validates_as_the_stand_in_does() {
    use RecordType::{A, AAAA};
    use ResponseCode::{NXDomain, NoError, ServFail};
    let internet = internet();
    internet.dnssec("example", Dnssec::Good);
    internet.dnssec("shop.example", Dnssec::Good);
    internet.set("*.shop.example", A, &["192.0.2.8"]);
    internet.set("www.shop.example", RecordType::CNAME, &["shop.example"]);
    let kinds = [
        ("plain", Dnssec::Unsigned), ("nokey", Dnssec::NoKey), ("otherkey", Dnssec::OtherKey),
        ("unsigned", Dnssec::NoSignatures), ("expired", Dnssec::Expired), ("early", Dnssec::NotYetValid),
    ];
    for (label, dnssec) in kinds {
        let zone = format!("{label}.example");
        internet.zone(&zone);
        internet.set(&zone, A, &["192.0.2.9"]);
        internet.dnssec(&zone, dnssec);
    }
    let table = [
        ("good",                "shop.example",       A,    NoError,  true),
        ("none of the type",    "shop.example",       AAAA, NoError,  true),
        ("an alias",            "www.shop.example",   A,    NoError,  true),
        ("a wildcard",          "x.y.shop.example",   A,    NoError,  true),
        ("no such name",        "no.example",         A,    NXDomain, true),
        ("no signatures meant", "plain.example",      A,    NoError,  false),
        ("a DS without a key",  "nokey.example",      A,    ServFail, false),
        ("another key",         "otherkey.example",   A,    ServFail, false),
        ("no signatures",       "unsigned.example",   A,    ServFail, false),
        ("ended",               "expired.example",    A,    ServFail, false),
        ("not begun",           "early.example",      A,    ServFail, false),
    ];
    let unbound = internet.unbound();
    for (what, name, kind, is, authentic) in table {
        let said = |how| udp(unbound.address(), &query(name, kind, how), Duration::from_secs(10)).unwrap();
        let answer = said(How { dnssec: true, unchecked: false });
        assert_eq!((code(&answer), answer.metadata.authentic_data), (is, authentic), "{what}");
        let unchecked = said(How { dnssec: false, unchecked: true });
        assert_ne!(code(&unchecked), ServFail, "{what}, unchecked");
    }
}
