//! The name itself.

use crate::explained::{Case, cases, hold};
use crate::world::{SHOP, World};

/// Labels of 60 characters: 203 in all, more than the column of WordPress holds.
const LONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.\
    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.shop.example";
/// A label of 64 characters.
const LONG_LABEL: &str =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.shop.example";

#[test]
fn a_name_that_cannot_work_is_the_admins() {
    hold(NAMES);
}

#[rustfmt::skip] // One case a line.
pub(crate) const NAMES: &[Case] = cases! {
    "longer than the column",     LONG,              "name-too-long",          ADMIN,      [], new, |_| {};
    "longer than a label",        LONG_LABEL,        "name-too-long",          ADMIN,      [], new, |_| {};
    "of one link",                "printer.local",   "reserved-name",          ADMIN,      [], new, |_| {};
    "of Tor",                     "abc.onion",       "reserved-name",          ADMIN,      [], new, |_| {};
    "of a private network",       "shop.internal",   "reserved-name",          ADMIN,      [], new, |_| {};
    "of this machine",            "shop.localhost",  "reserved-name",          ADMIN,      [], new, |_| {};
    "of nobody",                  "shop.invalid",    "reserved-name",          ADMIN,      [], new, |_| {};
    "of the infrastructure",      "shop.home.arpa",  "reserved-name",          ADMIN,      [], new, |_| {};
    "an address",                 "192.0.2.7",       "reserved-name",          ADMIN,      [], new, |_| {};
    "an address of IPv6",         "2001:db8::7",     "reserved-name",          ADMIN,      [], new, |_| {};
    "mapped all the same",        "shop.local",      "reserved-name",          ADMIN,      [], new, |w| { w.map(2, "shop.local"); };
    "a dot at the row's end",     SHOP,              "spelling-never-matched", ADMIN,      [], new, |w| w.row(SHOP, "domain = 'shop.example.'");
    "the network's own",          "network.example", "protected-name",         INFO_ADMIN, [], new, |w| w.certify("network.example");
    "what the operator protects", SHOP,              "protected-name",         INFO_ADMIN, [], new, |w| w.set("protected.names", "shop.*");
};

#[test]
fn any_way_to_write_a_name_is_the_name() {
    let world = World::new();
    for written in ["SHOP.example", "shop.example.", " shop.example"] {
        let explained = world.explain(written);
        assert_eq!(explained.json["domains"][0]["domain"], SHOP, "{written:?}");
        assert_eq!(explained.code, 0, "{explained:?}");
    }
}
