//! Stand-ins for resolvers: the truth of their world, an old one, or none.

use hickory_proto::op::{Message, ResponseCode};
use testkit::internet::{Dnssec, Fault, Internet, RecordType, Scope, Validation};

use crate::client::{How, ask, ask_so, code, internet, is_silent, texts};

/// The same with a resolver that validates, `on`, and one that does not, `off`.
fn resolved() -> Internet {
    let internet = internet();
    internet.resolver("on", Validation::On);
    internet.resolver("off", Validation::Off);
    internet
}

fn a(internet: &Internet, name: &str) -> (Vec<String>, ResponseCode) {
    let answer = ask(internet, "off", name, RecordType::A);
    assert!(answer.metadata.recursion_available && !answer.metadata.authoritative);
    (texts(&answer.answers), code(&answer))
}

#[test]
fn a_chain_comes_whole_across_zones() {
    let internet = resolved();
    internet.zone("test");
    internet.zone("host.test");
    internet.zone_on("far.example", &["ns1.host.test"]);
    internet.set("far.example", RecordType::A, &["192.0.2.9"]);
    internet.set("www.shop.example", RecordType::CNAME, &["site.host.test"]);
    internet.set("site.host.test", RecordType::CNAME, &["far.example"]);
    let chain = [
        "www.shop.example CNAME site.host.test.",
        "site.host.test CNAME far.example.",
        "far.example A 192.0.2.9",
    ];
    assert_eq!(
        a(&internet, "www.shop.example"),
        (chain.map(str::to_owned).into(), ResponseCode::NoError)
    );
}

#[test]
#[rustfmt::skip] // One case a line.
fn what_is_wrong_in_the_world_is_wrong_at_a_resolver() {
    type Break = fn(&Internet);
    let table: [(&str, Break, ResponseCode); 10] = [
        ("nothing",                  |_| {}, ResponseCode::NoError),
        ("no delegation",            |it| it.undelegate("shop.example"), ResponseCode::NXDomain),
        ("no such name",             |it| it.remove("shop.example"), ResponseCode::NXDomain),
        ("one server is lame",       |it| it.fault("ns1.shop.example", Scope::all(), Fault::Refused), ResponseCode::NoError),
        ("all are",                  |it| for ns in ["ns1", "ns2"] { it.fault(&format!("{ns}.shop.example"), Scope::all(), Fault::NotAuthoritative) }, ResponseCode::ServFail),
        ("all send one up",          |it| for ns in ["ns1", "ns2"] { it.fault(&format!("{ns}.shop.example"), Scope::all(), Fault::ReferralUp) }, ResponseCode::ServFail),
        ("all are silent",           |it| for ns in ["ns1", "ns2"] { it.fault(&format!("{ns}.shop.example"), Scope::all(), Fault::Silent) }, ResponseCode::ServFail),
        ("all truncate without TCP", |it| for ns in ["ns1", "ns2"] { it.fault(&format!("{ns}.shop.example"), Scope::all(), Fault::TruncatedWithoutTcp) }, ResponseCode::ServFail),
        ("a circle",                 |it| { it.set("shop.example", RecordType::A, &[]); it.set("shop.example", RecordType::CNAME, &["shop.example"]); }, ResponseCode::ServFail),
        ("an alias of nothing",      |it| { it.set("shop.example", RecordType::A, &[]); it.set("shop.example", RecordType::CNAME, &["no.example"]); }, ResponseCode::NXDomain),
    ];
    for (what, break_it, is) in table {
        let internet = resolved();
        break_it(&internet);
        assert_eq!(a(&internet, "shop.example").1, is, "{what}");
    }
}

#[test]
#[rustfmt::skip] // One case a line.
fn who_validates_says_what_is_authentic_and_refuses_what_is_bogus() {
    use ResponseCode::{NoError, ServFail};
    let table = [
        (Dnssec::Unsigned,     NoError,  false),
        (Dnssec::Good,         NoError,  true),
        (Dnssec::NoKey,        ServFail, false),
        (Dnssec::OtherKey,     ServFail, false),
        (Dnssec::NoSignatures, ServFail, false),
        (Dnssec::Expired,      ServFail, false),
        (Dnssec::NotYetValid,  ServFail, false),
    ];
    for (dnssec, is, authentic) in table {
        let internet = resolved();
        internet.dnssec("example", Dnssec::Good);
        internet.dnssec("shop.example", dnssec);
        let question = ("shop.example", RecordType::A);
        let said = |server, unchecked| ask_so(&internet, server, question, How { dnssec: true, unchecked });
        let seen = |message: &Message| (code(message), message.metadata.authentic_data);
        assert_eq!(seen(&said("on", false)), (is, authentic), "{dnssec:?}");
        assert_eq!(code(&said("on", true)), NoError, "{dnssec:?}, unchecked");
        assert_eq!(seen(&said("off", false)), (NoError, false), "{dnssec:?}, by one that does not validate");
    }
}

#[test]
fn a_resolver_can_hold_an_old_answer_be_sick_or_silent() {
    let internet = resolved();
    internet.hold("off", ("shop.example", RecordType::A), (&["192.0.2.1"], 1234));
    let old = ask(&internet, "off", "shop.example", RecordType::A);
    assert_eq!(
        (texts(&old.answers), old.answers[0].ttl),
        (vec!["shop.example A 192.0.2.1".to_owned()], 1234)
    );
    internet.fault("on", Scope::all().kind(RecordType::CAA), Fault::ServFail);
    assert_eq!(
        code(&ask(&internet, "on", "shop.example", RecordType::CAA)),
        ResponseCode::ServFail
    );
    assert_eq!(code(&ask(&internet, "on", "shop.example", RecordType::A)), ResponseCode::NoError);
    internet.fault("on", Scope::all(), Fault::Silent);
    assert!(is_silent(&internet, "on", "shop.example"));
    assert_eq!(internet.asked("on").len(), 5);
    assert!(internet.asked("ns1.shop.example").is_empty(), "resolvers ask in memory");
}
