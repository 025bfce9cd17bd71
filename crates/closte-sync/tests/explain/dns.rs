//! DNS, from the top down.

use testkit::internet::{Dnssec, Fault, RecordType, Scope};

use crate::explained::{Case, cases, hold};
use crate::world::{LABEL, NS1, NS2, RESOLVERS, SHOP, World};

const A: RecordType = RecordType::A;
const AAAA: RecordType = RecordType::AAAA;

#[test]
fn a_delegation_that_fails_is_the_owners() {
    hold(DELEGATION);
}

#[test]
fn signatures_that_do_not_fit_are_named() {
    hold(SIGNATURES);
}

#[test]
fn a_name_without_a_right_address_is_told_which_record_to_make() {
    hold(NAMES);
}

#[test]
fn addresses_that_are_not_ours_are_told_what_to_change() {
    hold(ADDRESSES);
}

#[rustfmt::skip] // One case a line.
pub(crate) const DELEGATION: &[Case] = cases! {
    "the parent knows no servers",        SHOP,  "no-delegation",   OWNER,      [], new, |w| w.internet.undelegate(SHOP);
    "likewise below the domain",          LABEL, "no-delegation",   OWNER,      [], new, |w| w.internet.undelegate(SHOP);
    "both servers refuse",                SHOP,  "lame-delegation", OWNER,      ["change shop.example NS ns1.shop.example. | ns2.shop.example. >"], new, |w| w.both_servers(Fault::Refused);
    "both answer without authority",      SHOP,  "lame-delegation", OWNER,      ["change shop.example NS ns1.shop.example. | ns2.shop.example. >"], new, |w| w.both_servers(Fault::NotAuthoritative);
    "both send one to the root",          SHOP,  "lame-delegation", OWNER,      ["change shop.example NS ns1.shop.example. | ns2.shop.example. >"], new, |w| w.both_servers(Fault::ReferralUp);
    "the servers' names have no address", SHOP,  "lame-delegation", OWNER,      ["change shop.example NS ns1.gone.example. | ns2.gone.example. >"], new, servers_without_address;
    "one refuses, one is right",          SHOP,  "lame-delegation", WARN_OWNER, ["change shop.example NS ns1.shop.example. | ns2.shop.example. > ns2.shop.example."], new, |w| w.internet.fault(NS1, Scope::all(), Fault::Refused);
    "one fails, one is right",            SHOP,  "lame-delegation", WARN_OWNER, ["change shop.example NS ns1.shop.example. | ns2.shop.example. > ns1.shop.example."], new, |w| w.internet.fault(NS2, Scope::all(), Fault::ServFail);
    "both are silent",                    SHOP,  "dns-timeout",     OWNER,      [], new, |w| w.both_servers(Fault::Silent);
    "both truncate without TCP",          SHOP,  "dns-timeout",     OWNER,      [], new, |w| w.both_servers(Fault::TruncatedWithoutTcp);
    "one is silent, one is right",        SHOP,  "dns-timeout",     WARN_OWNER, [], new, |w| w.internet.fault(NS1, Scope::all(), Fault::Silent);
    "both fail",                          SHOP,  "servfail",        OWNER,      [], new, |w| w.both_servers(Fault::ServFail);
};

#[rustfmt::skip] // One case a line.
pub(crate) const SIGNATURES: &[Case] = cases! {
    "a DS and no key",            SHOP, "dnssec-bogus", OWNER, ["remove shop.example DS {ds} >"],           new, |w| sign(w, Dnssec::NoKey);
    "a DS of another key",        SHOP, "dnssec-bogus", OWNER, ["change shop.example DS {ds} > {fitting}"], new, |w| sign(w, Dnssec::OtherKey);
    "no signatures",              SHOP, "dnssec-bogus", OWNER, ["remove shop.example DS {ds} >"],           new, |w| sign(w, Dnssec::NoSignatures);
    "signatures that have ended", SHOP, "dnssec-bogus", OWNER, ["remove shop.example DS {ds} >"],           new, |w| sign(w, Dnssec::Expired);
    "signatures of tomorrow",     SHOP, "dnssec-bogus", OWNER, ["remove shop.example DS {ds} >"],           new, |w| sign(w, Dnssec::NotYetValid);
    "all signed well",            SHOP, "already-at-host", INFO, [],                                        new, |w| sign(w, Dnssec::Good);
};

#[rustfmt::skip] // One case a line.
pub(crate) const NAMES: &[Case] = cases! {
    "the name does not exist",           LABEL, "no-such-name",         OWNER, ["add cafe.shop.example A > {here}"], new, |w| w.internet.remove(LABEL);
    "it has text only",                  LABEL, "no-address",           OWNER, ["add cafe.shop.example A > {here}"], new, |w| { w.records(LABEL, A, &[]); w.records(LABEL, RecordType::TXT, &["hello"]); };
    "the apex has no address",           SHOP,  "no-address",           OWNER, ["add shop.example A > {here}"], new, |w| w.records(SHOP, A, &[]);
    "the zone's wildcard leads away",    LABEL, "wildcard-record-only", OWNER, ["add cafe.shop.example A > {here}"], new, |w| { w.internet.remove(LABEL); w.records("*.shop.example", A, &["{there}"]); };
    "the zone's wildcard leads here",    LABEL, "wildcard-record-only", INFO_OWNER, ["add cafe.shop.example A > {here}"], new, |w| { w.internet.remove(LABEL); w.records("*.shop.example", A, &["{here}"]); };
    "a circle of two",                   LABEL, "cname-loop",           OWNER, ["remove cafe.shop.example CNAME bar.shop.example. >", "add cafe.shop.example A > {here}"], new, |w| { w.cname(LABEL, "bar.shop.example"); w.cname("bar.shop.example", LABEL); };
    "a circle over two zones",           LABEL, "cname-loop",           OWNER, ["remove cafe.shop.example CNAME site.other.example. >", "add cafe.shop.example A > {here}"], new, |w| { other_zone(w); w.cname(LABEL, "site.other.example"); w.cname("site.other.example", LABEL); };
    "an alias into a zone that is lame", LABEL, "lame-delegation",      OWNER, ["change other.example NS ns1.other.example. | ns2.other.example. >"], new, |w| { other_zone(w); w.cname(LABEL, "site.other.example"); for it in ["ns1.other.example", "ns2.other.example"] { w.internet.fault(it, Scope::all(), Fault::Refused); } };
    "an alias of nothing",               LABEL, "cname-dangling",       OWNER, ["remove cafe.shop.example CNAME gone.shop.example. >", "add cafe.shop.example A > {here}"], new, |w| w.cname(LABEL, "gone.shop.example");
    "of nothing in another zone",        LABEL, "cname-dangling",       OWNER, ["remove cafe.shop.example CNAME gone.example. >", "add cafe.shop.example A > {here}"], new, |w| w.cname(LABEL, "gone.example");
    "an alias of another's site",        LABEL, "cname-elsewhere",      OWNER, ["remove cafe.shop.example CNAME site.other.example. >", "add cafe.shop.example A > {here}"], new, |w| { other_zone(w); w.cname(LABEL, "site.other.example"); };
    "an alias of ours is right",         LABEL, "already-at-host",      INFO,  [], new, |w| w.cname(LABEL, "network.example");
};

#[rustfmt::skip] // One case a line.
pub(crate) const ADDRESSES: &[Case] = cases! {
    "moved away, resolvers still right", SHOP,  "other-address",    OWNER, ["change shop.example A {there} > {here}"], new, |w| { held_as_it_is(w); w.points(SHOP, &w.there); };
    "another server",                    SHOP,  "other-address",    OWNER, ["change shop.example A {there} > {here}"], new, |w| w.points(SHOP, &w.there);
    "a proxy",                           SHOP,  "proxied",          OWNER, ["change shop.example A 104.16.1.1 > {here}"], new, |w| w.records(SHOP, A, &["104.16.1.1"]);
    "where the network was before",      SHOP,  "old-address",      OWNER, ["change shop.example A {there} > {here}"], new, moved;
    "a company that parks domains",      SHOP,  "parked",           OWNER, ["change shop.example A 199.59.243.225 > {here}"], new, |w| w.records(SHOP, A, &["199.59.243.225"]);
    "an address of a home",              SHOP,  "private-address",  OWNER, ["change shop.example A 10.0.0.7 > 203.0.113.7"], new, at_home;
    "AAAA leads away",                   SHOP,  "ipv6-elsewhere",   OWNER, ["remove shop.example AAAA 2001:db8::7 >", "keep shop.example A {here} > {here}"], new, |w| w.records(SHOP, AAAA, &["2001:db8::7"]);
    "AAAA is an IPv4 address",           SHOP,  "partly-elsewhere", OWNER, ["remove shop.example A {there} >", "keep shop.example A {here} > {here}"], new, |w| w.records(SHOP, AAAA, &["::ffff:{there}"]);
    "one of two leads away",             SHOP,  "partly-elsewhere", OWNER, ["remove shop.example A {there} >", "keep shop.example A {here} > {here}"], new, |w| w.records(SHOP, A, &["{here}", "{there}"]);
    "the second server lags behind",     SHOP,  "servers-disagree", OWNER, ["change shop.example A {there} > {here}"], new, |w| w.internet.set_at(NS2, (SHOP, A), &[&w.there.address().to_string()]);
    "a resolver holds an old answer",    SHOP,  "not-propagated",   WAIT,  [], new, |w| w.internet.hold("r2", (SHOP, A), (&[&w.there.address().to_string()], 900));
    "both do",                           SHOP,  "not-propagated",   WAIT,  [], new, |w| for r in RESOLVERS { w.internet.hold(r, (SHOP, A), (&[&w.there.address().to_string()], 900)) };
};

#[test]
fn the_wait_for_resolvers_ends_with_what_they_hold() {
    let world = World::new();
    world.internet.hold("r2", (SHOP, A), (&[&world.there.address().to_string()], 900));
    let explained = world.explain(SHOP);
    let finding = explained.finding("not-propagated");
    let at =
        |value: &serde_json::Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let wait = at(&finding["wait_until"]).duration_since(at(&finding["evidence"][0]["at"]));
    assert!((890..=905).contains(&wait.as_secs()), "{finding:#}");
}

#[test]
fn any_right_answer_is_enough_where_the_plugins_old_rule_holds() {
    let mut world = World::new();
    world.set("checks.dns", "any");
    world.internet.hold("r2", (SHOP, A), (&[&world.there.address().to_string()], 900));
    let explained = world.explain(SHOP);
    assert_eq!((explained.code, explained.codes()), (0, vec!["already-at-host"]));
}

fn sign(world: &World, dnssec: Dnssec) {
    world.internet.dnssec("example", Dnssec::Good);
    world.internet.dnssec(SHOP, dnssec);
}

fn other_zone(world: &World) {
    world.internet.zone("other.example");
    world.points("site.other.example", &world.there);
}

/// Both resolvers hold what the domain's address is now.
fn held_as_it_is(world: &World) {
    for resolver in RESOLVERS {
        let here = world.here.address().to_string();
        world.internet.hold(resolver, (SHOP, A), (&[&here], 900));
    }
}

/// Servers that the parent names, in a zone that has not their names.
fn servers_without_address(world: &mut World) {
    world.internet.zone("gone.example");
    for server in ["ns1.gone.example", "ns2.gone.example"] {
        world.internet.remove(server);
    }
    world.internet.delegate(SHOP, &["ns1.gone.example", "ns2.gone.example"]);
}

/// The network moved: domains were to point there, and a pass saw that.
fn moved(world: &mut World) {
    let (here, there) = (world.here.address().to_string(), world.there.address().to_string());
    world.set("checks.targets", &there);
    world.points(SHOP, &world.there);
    world.sync();
    world.set("checks.targets", &here);
    world.sync();
}

/// The guard is on, so that nothing of this world but resolvers and roots is asked.
fn at_home(world: &mut World) {
    world.set("checks.allow_private", "false");
    world.set("checks.targets", "203.0.113.7");
    world.records(SHOP, A, &["10.0.0.7"]);
}
