//! What a browser would say of the certificate of a domain that is served.

use testkit::internet::{Aia, Certificate, Door, Scheme, Weakness};

use crate::explained::{Case, cases, hold};
use crate::world::{SHOP, World};

#[test]
fn a_certificate_that_browsers_refuse_is_the_hosts() {
    hold(REFUSED);
}

#[test]
fn addresses_that_differ_are_named() {
    hold(TWO_ADDRESSES);
    let mut world = World::new();
    let second = world.second();
    second.show(SHOP, Certificate::Expired);
    let explained = world.explain(SHOP);
    let text = explained.finding("expired")["text"].as_str().unwrap().to_owned();
    assert!(text.contains(&second.address().to_string()), "{text}");
}

#[test]
fn a_certificate_is_to_be_renewed_by_its_own_lifetime() {
    hold(LIFETIMES);
}

#[rustfmt::skip] // One case a line.
pub(crate) const REFUSED: &[Case] = cases! {
    "an alert for the name",          SHOP, "no-certificate",      HOST, [], new, |w| w.here.show(SHOP, Certificate::Alert);
    "an alert of the server's own",   SHOP, "no-certificate",      HOST, [], new, |w| w.here.show(SHOP, Certificate::InternalError);
    "it hangs up",                    SHOP, "no-certificate",      HOST, [], new, |w| w.here.show(SHOP, Certificate::Close);
    "the server's own",               SHOP, "default-certificate", HOST, [], new, |w| w.here.show(SHOP, Certificate::Default);
    "another name's",                 SHOP, "other-name",          HOST, [], new, |w| { w.here.otherwise(Certificate::Alert); w.here.show(SHOP, Certificate::OtherName); };
    "nobody listens",                 SHOP, "port-443-closed",     HOST, [], new, |w| w.here.door(Scheme::Https, Door::Closed);
    "packets are dropped",            SHOP, "port-443-filtered",   HOST, [], new, |w| w.here.door(Scheme::Https, Door::Filtered);
    "it takes connections only",      SHOP, "port-443-filtered",   HOST, [], new, |w| w.here.door(Scheme::Https, Door::Silent);
    "the handshake never goes on",    SHOP, "port-443-filtered",   HOST, [], new, |w| w.here.show(SHOP, Certificate::Silence);
    "it ended yesterday",             SHOP, "expired",             HOST, [], new, |w| w.here.show(SHOP, Certificate::Expired);
    "it begins tomorrow",             SHOP, "not-yet-valid",       HOST, [], new, |w| w.here.show(SHOP, Certificate::NotYetValid);
    "nobody signed it",               SHOP, "self-signed",         HOST, [], new, |w| w.here.show(SHOP, Certificate::SelfSigned);
    "an RSA key of 1024 bits",        SHOP, "weak-certificate",    HOST, [], new, |w| w.here.show(SHOP, Certificate::Weak(Weakness::ShortKey));
    "SHA-1",                          SHOP, "weak-certificate",    HOST, [], new, |w| w.here.show(SHOP, Certificate::Weak(Weakness::Sha1));
    "MD5",                            SHOP, "weak-certificate",    HOST, [], new, |w| w.here.show(SHOP, Certificate::Weak(Weakness::Md5));
    "the intermediate is elsewhere",  SHOP, "incomplete-chain",    HOST, [], new, |w| w.here.show(SHOP, Certificate::Incomplete(Aia::Named));
    "nobody knows the issuer",        SHOP, "unknown-issuer",      HOST, [], new, |w| w.here.show(SHOP, Certificate::UnknownIssuer);
    "nor where it is",                SHOP, "unknown-issuer",      HOST, [], new, |w| w.here.show(SHOP, Certificate::Incomplete(Aia::Missing));
    "an intermediate that comes too", SHOP, "already-at-host",     INFO, [], new, |w| w.here.show(SHOP, Certificate::Chained);
};

#[rustfmt::skip] // One case a line.
pub(crate) const TWO_ADDRESSES: &[Case] = cases! {
    "the same at both",                 SHOP, "already-at-host",    INFO,      [], new, |w| drop(w.second());
    "two good ones",                    SHOP, "differs-by-address", WARN_HOST, [], new, |w| w.second().show(SHOP, Certificate::Good { days: 90, age: 2 });
    "one has ended",                    SHOP, "expired",            HOST,      [], new, |w| w.second().show(SHOP, Certificate::Expired);
    "one sends the other's issuer",     SHOP, "incomplete-chain",   HOST,      [], new, |w| { w.here.show(SHOP, Certificate::Chained); w.second().show(SHOP, Certificate::Incomplete(Aia::Missing)); };
    "one is closed",                    SHOP, "port-443-closed",    HOST,      [], new, |w| w.second().door(Scheme::Https, Door::Closed);
};

#[rustfmt::skip] // One case a line.
pub(crate) const LIFETIMES: &[Case] = cases! {
    "90 days, 31 left",  SHOP, "already-at-host", INFO,      [], new, |w| w.here.show(SHOP, Certificate::Good { days: 90, age: 59 });
    "90 days, 29 left",  SHOP, "renewal-overdue", WARN_HOST, [], new, |w| w.here.show(SHOP, Certificate::Good { days: 90, age: 61 });
    "90 days, 8 left",   SHOP, "expires-soon",    WARN_HOST, [], new, |w| w.here.show(SHOP, Certificate::Good { days: 90, age: 82 });
    "45 days, 16 left",  SHOP, "already-at-host", INFO,      [], new, |w| w.here.show(SHOP, Certificate::Good { days: 45, age: 29 });
    "45 days, 14 left",  SHOP, "renewal-overdue", WARN_HOST, [], new, |w| w.here.show(SHOP, Certificate::Good { days: 45, age: 31 });
    "45 days, 4 left",   SHOP, "expires-soon",    WARN_HOST, [], new, |w| w.here.show(SHOP, Certificate::Good { days: 45, age: 41 });
    "6 days, 4 left",    SHOP, "already-at-host", INFO,      [], new, |w| w.here.show(SHOP, Certificate::Good { days: 6, age: 2 });
    "6 days, 2 left",    SHOP, "renewal-overdue", WARN_HOST, [], new, |w| w.here.show(SHOP, Certificate::Good { days: 6, age: 4 });
};
