//! The host: what it refused for good, and what a call that is owed waits for.

use sandbox::closte::{Act, CallKind, Fault, RetryAfter};

use crate::explained::{Case, cases, hold};
use crate::world::{SHOP, World};

#[test]
fn a_refusal_is_the_admins() {
    hold(REFUSED);
}

#[test]
fn a_call_that_is_owed_waits() {
    hold(OWED);
}

#[test]
fn what_the_host_has_without_us_is_told() {
    hold(FOUND);
}

#[rustfmt::skip] // One case a line.
pub(crate) const REFUSED: &[Case] = cases! {
    "no name of a domain",     SHOP, "invalid-domain", ADMIN, [], new, |w| { w.host.drop_alias(SHOP); w.host.behave(|it| it.refused = [SHOP.to_owned()].into()); w.sync(); };
    "in words of its own",     SHOP, "host-said-no",   ADMIN, [], new, |w| { w.host.drop_alias(SHOP); w.host.fault(adding(says("The quota of your plan is used up."))); w.sync(); };
};

#[rustfmt::skip] // One case a line.
pub(crate) const OWED: &[Case] = cases! {
    "it was there and is gone", SHOP, "vanished",         WAIT,  [], synced, |w| { w.pass(); w.host.drop_alias(SHOP); };
    "no pass was made yet",     SHOP, "not-added-yet",    WAIT,  [], new, |w| w.host.drop_alias(SHOP);
    "a call without an answer", SHOP, "outcome-unknown",  WAIT,  [], new, |w| { w.host.drop_alias(SHOP); w.host.fault(adding(Act::Reset)); w.sync(); };
    "asked to wait",            SHOP, "rate-limited",     WAIT,  [], new, |w| { w.host.drop_alias(SHOP); w.host.fault(Fault::new(Act::RateLimited { retry_after: Some(RetryAfter::Seconds(600)) })); w.sync(); };
    "no connection",            SHOP, "host-unreachable", WAIT,  [], new, |w| { w.host.drop_alias(SHOP); w.host.stop(); w.sync(); };
    "calls rest",               SHOP, "paused",           WAIT,  [], new, five_outages;
    "the key is refused",       SHOP, "key-refused",      ADMIN, [], new, |w| { w.host.drop_alias(SHOP); w.wp_config("k3y-0f-th3-n3tw0rk-s3cr3t", "another-key"); w.sync(); };
};

#[rustfmt::skip] // One case a line.
pub(crate) const FOUND: &[Case] = cases! {
    "mapped, and there before us", SHOP,          "already-at-host", INFO,       [], new, |_| {};
    "not mapped, and there",       "new.example", "not-ours",        INFO_ADMIN, [], new, |w| { w.unmapped("new.example"); w.host.insert_alias("new.example"); };
};

fn adding(act: Act) -> Fault {
    // Any other name is asked about only to see whether the key is right.
    Fault { call: Some(CallKind::Add), domain: Some(SHOP.to_owned()), ..Fault::new(act) }
}

/// A refusal as the host words it.
fn says(words: &str) -> Act {
    let body = serde_json::json!({"success": false, "error": words}).to_string();
    Act::Status { status: 200, headers: Vec::new(), body }
}

/// Five calls in a row find nobody.
fn five_outages(world: &mut World) {
    world.host.drop_alias(SHOP);
    for number in 0..5 {
        world.map(2, &format!("d{number}.example"));
    }
    world.host.stop();
    world.sync();
}
