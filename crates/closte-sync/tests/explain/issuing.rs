//! What stops an authority from issuing: CAA, and port 80.
//!
//! Where a certificate is there that is good now, it is a warning: the next one will not come.

use testkit::internet::{Answer, Certificate, Door, Fault, RecordType, Scheme};

use crate::explained::{Case, cases, hold};
use crate::wildcards::wildcard;
use crate::world::{LABEL, SHOP, World};

const CAA: RecordType = RecordType::CAA;

#[test]
fn caa_that_does_not_allow_the_hosts_authority_is_the_owners() {
    hold(BY_CAA);
}

#[test]
fn port_80_must_answer_a_validator() {
    hold(BY_PORT_80);
}

#[test]
fn what_has_no_certificate_yet_is_being_issued_or_made_by_hand() {
    hold(MISSING);
}

#[rustfmt::skip] // One case a line.
pub(crate) const BY_CAA: &[Case] = cases! {
    "another authority, certificate there", SHOP,  "caa-forbids",     WARN_OWNER, ["add shop.example CAA 0 issue \"digicert.com\" > 0 issue \"letsencrypt.org\""], new, |w| w.records(SHOP, CAA, &["0 issue \"digicert.com\""]);
    "the same without a certificate",       SHOP,  "caa-forbids",     OWNER,      ["add shop.example CAA 0 issue \"digicert.com\" > 0 issue \"letsencrypt.org\""], new, |w| { w.records(SHOP, CAA, &["0 issue \"digicert.com\""]); w.uncertified(); };
    "nobody may issue",                     SHOP,  "caa-forbids",     OWNER,      ["add shop.example CAA 0 issue \";\" > 0 issue \"letsencrypt.org\""], new, |w| { w.records(SHOP, CAA, &["0 issue \";\""]); w.uncertified(); };
    "at a parent",                          LABEL, "caa-forbids",     WARN_OWNER, ["add shop.example CAA 0 issue \"digicert.com\" > 0 issue \"letsencrypt.org\""], new, |w| w.records(SHOP, CAA, &["0 issue \"digicert.com\""]);
    "at what it is an alias of",            LABEL, "caa-forbids",     WARN_OWNER, ["add pool.shop.example CAA 0 issue \"digicert.com\" > 0 issue \"letsencrypt.org\""], new, |w| { w.cname(LABEL, "pool.shop.example"); w.points("pool.shop.example", &w.here); w.records("pool.shop.example", CAA, &["0 issue \"digicert.com\""]); };
    "among others, the host's is allowed",  SHOP,  "already-at-host", INFO,       [], new, |w| w.records(SHOP, CAA, &["0 issue \"digicert.com\"", "0 issue \"letsencrypt.org\""]);
    "no wildcards",                         "*.shop.example", "caa-wildcard", OWNER, ["add shop.example CAA 0 issue \"letsencrypt.org\" | 0 issuewild \";\" > 0 issuewild \"letsencrypt.org\""], new, |w| { wildcard(w); w.records(SHOP, CAA, &["0 issue \"letsencrypt.org\"", "0 issuewild \";\""]); };
    "its servers fail for CAA",             SHOP,  "caa-unreadable",  WARN_OWNER, [], new, |w| w.no_caa(Fault::ServFail);
    "they are silent for CAA",              SHOP,  "caa-unreadable",  WARN_OWNER, [], new, |w| w.no_caa(Fault::Silent);
    "the same without a certificate",       SHOP,  "caa-unreadable",  OWNER,      [], new, |w| { w.no_caa(Fault::ServFail); w.uncertified(); };
};

#[rustfmt::skip] // One case a line.
pub(crate) const BY_PORT_80: &[Case] = cases! {
    "closed, certificate there",       SHOP, "port-80-closed",    WARN_HOST,  [], new, |w| w.here.door(Scheme::Http, Door::Closed);
    "the same without a certificate",  SHOP, "port-80-closed",    HOST,       [], new, |w| { w.here.door(Scheme::Http, Door::Closed); w.uncertified(); };
    "filtered",                        SHOP, "port-80-closed",    WARN_HOST,  [], new, |w| w.here.door(Scheme::Http, Door::Filtered);
    "silent",                          SHOP, "port-80-closed",    WARN_HOST,  [], new, |w| w.here.door(Scheme::Http, Door::Silent);
    "it hangs up",                     SHOP, "port-80-closed",    WARN_HOST,  [], new, |w| w.here.answer(Scheme::Http, SHOP, Answer::Close);
    "a redirect to another's server",  SHOP, "port-80-elsewhere", WARN_OWNER, [], new, |w| { w.points("else.example", &w.there); redirects(w, "http://else.example/"); };
    "the same without a certificate",  SHOP, "port-80-elsewhere", OWNER,      [], new, |w| { w.points("else.example", &w.there); redirects(w, "http://else.example/"); w.uncertified(); };
    "a redirect to a name of nobody",  SHOP, "port-80-elsewhere", WARN_OWNER, [], new, |w| redirects(w, "http://no.example/");
    "a redirect to another port",      SHOP, "port-80-elsewhere", WARN_OWNER, [], new, |w| redirects(w, "http://shop.example:8080/");
    "a circle",                        SHOP, "redirect-loop",     WARN_ADMIN, [], new, |w| redirects(w, "http://shop.example/x");
    "the same without a certificate",  SHOP, "redirect-loop",     ADMIN,      [], new, |w| { redirects(w, "http://shop.example/x"); w.uncertified(); };
    "eleven redirects",                SHOP, "redirect-loop",     WARN_ADMIN, [], new, |w| w.here.answer(Scheme::Http, SHOP, Answer::Hops(11));
    "ten are allowed",                 SHOP, "already-at-host",   INFO,       [], new, |w| w.here.answer(Scheme::Http, SHOP, Answer::Hops(10));
    "to https of itself is usual",     SHOP, "already-at-host",   INFO,       [], new, |w| redirects(w, "https://shop.example/");
    "a 404 is an answer too",          SHOP, "already-at-host",   INFO,       [], new, |w| w.here.answer(Scheme::Http, SHOP, Answer::Status(404));
};

#[rustfmt::skip] // One case a line.
pub(crate) const MISSING: &[Case] = cases! {
    "never served, nothing in the way", SHOP, "issuing",          WAIT,  [], new, |w| { w.row(SHOP, "stage = 'checking-ssl-cert', secure = 0"); w.uncertified(); };
    "the same with the default one",    SHOP, "issuing",          WAIT,  [], new, |w| { w.row(SHOP, "stage = 'checking-ssl-cert', secure = 0"); w.here.show(SHOP, Certificate::Default); };
    "fifty names got theirs this week", SHOP, "budget-spent",     WAIT,  [], new, |w| { fifty(w); w.row(SHOP, "stage = 'checking-ssl-cert', secure = 0"); w.uncertified(); w.sync(); };
    "a wildcard",                       "*.shop.example", "wildcard-by-hand", ADMIN, [], new, wildcard;
};

#[test]
fn a_wildcard_is_suggested_before_the_first_pass_and_after_it() {
    let world = World::new();
    for number in 0..26 {
        let name = format!("s{number}.many.shop.example");
        let site = world.site(&name);
        world.map(site, &name);
    }
    world.sql("UPDATE wp_blogs SET registered = datetime('now', '-1 day') WHERE blog_id > 2");
    let suggested = || {
        let ended = world.run(&["suggest", "--output", "json"]);
        let json: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
        let first = &json["suggestions"][0];
        (ended.status.code(), first["wildcard"].clone(), first["spares"].clone())
    };
    let want = (Some(0), "*.many.shop.example".into(), 26.into());
    assert_eq!(suggested(), want);
    world.sync();
    assert_eq!(suggested(), want);
}

/// Fifty more names of the domain are mapped, and got their certificates just now.
fn fifty(world: &mut World) {
    world.records("*.shop.example", RecordType::A, &["{here}"]);
    world.here.show("*.shop.example", Certificate::good());
    for number in 0..50 {
        let name = format!("s{number}.shop.example");
        world.map(2, &name);
        world.host.insert_alias(&name);
    }
}

fn redirects(world: &World, to: &str) {
    world.here.answer(Scheme::Http, SHOP, Answer::Redirect(to.to_owned()));
}
