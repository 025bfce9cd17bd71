//! The parts of DNSSEC that can be seen without a validator; `unbound` verifies the rest.

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::Record;
use testkit::internet::{Dnssec, Internet, RecordType};

use crate::client::{How, ask, ask_so, code, internet};

fn signed(internet: &Internet, server: &str, name: &str, kind: RecordType) -> Message {
    ask_so(internet, server, (name, kind), How { dnssec: true, unchecked: false })
}

fn kinds(message: &Message) -> Vec<RecordType> {
    message.answers.iter().chain(&message.authorities).map(Record::record_type).collect()
}

#[test]
fn signatures_come_to_those_who_ask_for_them() {
    use RecordType::{A, DNSKEY, DS, NS, NSEC, RRSIG, SOA};
    let internet = internet();
    internet.dnssec("example", Dnssec::Good);
    internet.dnssec("shop.example", Dnssec::Good);
    assert_eq!(kinds(&ask(&internet, "ns1.shop.example", "shop.example", A)), [A]);
    let said = |server, name, kind| kinds(&signed(&internet, server, name, kind));
    assert_eq!(said("ns1.shop.example", "shop.example", A), [A, RRSIG]);
    assert_eq!(said("ns1.shop.example", "shop.example", DNSKEY), [DNSKEY, RRSIG]);
    assert_eq!(said("ns1.example", "shop.example", DS), [DS, RRSIG]);
    assert_eq!(said("ns1.example", "www.shop.example", A), [NS, NS, DS, RRSIG]);
    let nothing = signed(&internet, "ns1.shop.example", "no.shop.example", A);
    assert_eq!(code(&nothing), ResponseCode::NXDomain);
    assert_eq!(kinds(&nothing)[..4], [SOA, RRSIG, NSEC, RRSIG]);

    internet.dnssec("shop.example", Dnssec::NoSignatures);
    assert_eq!(said("ns1.shop.example", "shop.example", DNSKEY), [DNSKEY]);
    internet.dnssec("shop.example", Dnssec::NoKey);
    assert_eq!(said("ns1.shop.example", "shop.example", DNSKEY), [SOA]);
    assert_eq!(said("ns1.example", "shop.example", DS), [DS, RRSIG]);
    internet.dnssec("shop.example", Dnssec::Unsigned);
    assert_eq!(said("ns1.example", "shop.example", DS), [SOA, RRSIG, NSEC, RRSIG]);
    assert_eq!(said("ns1.example", "www.shop.example", A), [NS, NS, NSEC, RRSIG]);
}
