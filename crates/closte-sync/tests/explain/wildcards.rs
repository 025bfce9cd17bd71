//! A wildcard, which is asked for under a label that nobody has: people read of the wildcard, never of the label.

use testkit::internet::{Answer, Certificate, Fault, RecordType, Scheme};

use crate::explained::{Case, cases, hold};
use crate::world::{SHOP, World};

const A: RecordType = RecordType::A;

/// What is mapped.
const STAR: &str = "*.shop.example";

#[test]
fn a_wildcard_is_told_of_as_it_is_mapped() {
    hold(BROKEN);
}

#[rustfmt::skip] // One case a line.
pub(crate) const BROKEN: &[Case] = cases! {
    "a good one",                STAR, "already-at-host",  INFO,  [], new, certified;
    "no record",                 STAR, "no-such-name",     OWNER, ["add *.shop.example A > {here}"], new, |w| { certified(w); w.internet.remove(STAR); };
    "it leads away",             STAR, "other-address",    OWNER, ["change *.shop.example A {there} > {here}"], new, |w| { certified(w); w.records(STAR, A, &["{there}"]); };
    "an alias of nothing",       STAR, "cname-dangling",   OWNER, ["remove *.shop.example CNAME gone.example. >", "add *.shop.example A > {here}"], new, |w| { certified(w); w.cname(STAR, "gone.example"); };
    "an alias of itself",        STAR, "cname-loop",       OWNER, ["remove *.shop.example CNAME x.shop.example. >", "add *.shop.example A > {here}"], new, |w| { certified(w); w.cname(STAR, "x.shop.example"); };
    "nobody is delegated to",    STAR, "no-delegation",    OWNER, [], new, |w| { certified(w); w.internet.undelegate(SHOP); };
    "its servers refuse",        STAR, "lame-delegation",  OWNER, ["change shop.example NS ns1.shop.example. | ns2.shop.example. >"], new, |w| { certified(w); w.both_servers(Fault::Refused); };
    "its servers are silent",    STAR, "dns-timeout",      OWNER, [], new, |w| { certified(w); w.both_servers(Fault::Silent); };
    "its servers fail",          STAR, "servfail",         OWNER, [], new, |w| { certified(w); w.both_servers(Fault::ServFail); };
    "its servers fail for CAA",  STAR, "caa-unreadable",   OWNER, [], new, |w| { wildcard(w); w.no_caa(Fault::ServFail); };
    "the certificate ended",     STAR, "expired",          HOST,  [], new, |w| { wildcard(w); w.here.show(STAR, Certificate::Expired); };
    "another name's",            STAR, "wildcard-by-hand", ADMIN, [], new, |w| { wildcard(w); w.here.show(STAR, Certificate::OtherName); };
    "visitors are sent away",    STAR, "sign-up-page",     ADMIN, [], new, |w| { certified(w); w.here.answer(Scheme::Https, "*", Answer::Redirect("https://network.example/wp-signup.php".to_owned())); };
};

/// `*.shop.example` is mapped and leads here, without a certificate.
pub(crate) fn wildcard(world: &mut World) {
    world.records(STAR, A, &["{here}"]);
    world.map(2, STAR);
    world.host.insert_alias(STAR);
}

/// The same with one.
fn certified(world: &mut World) {
    wildcard(world);
    world.here.show(STAR, Certificate::good());
}
