//! When the sandbox issues a certificate automatically: alias, DNS, time, and for wildcards a step by hand.

use std::time::Duration;

use sandbox::dns::{a, cname};
use sandbox::{Certificate, Sandbox, Settings};

use crate::web::visit;

async fn sandbox() -> Sandbox {
    Sandbox::start(Settings::default()).await.expect("loopback has free ports")
}

async fn is_secure(sandbox: &Sandbox, name: &str) -> bool {
    visit(&sandbox.ca_pem(), sandbox.web_addr(), name).await.is_ok()
}

#[tokio::test]
async fn a_name_needs_its_alias_and_its_dns() {
    let sandbox = sandbox().await;
    assert!(!is_secure(&sandbox, "a.test").await);
    sandbox.closte().insert_alias("a.test");
    assert!(!is_secure(&sandbox, "a.test").await, "no DNS");
    sandbox.dns().set("a.test", [a("127.0.0.1"), a("192.0.2.1")]);
    assert!(!is_secure(&sandbox, "a.test").await, "one address is elsewhere");
    sandbox.dns().set("a.test", [cname("b.test")]);
    sandbox.dns().set("b.test", [a("127.0.0.1")]);
    assert!(is_secure(&sandbox, "a.test").await);
    assert!(!is_secure(&sandbox, "b.test").await, "no alias");
}

#[tokio::test]
async fn a_certificate_outlives_its_dns_but_not_its_alias() {
    let sandbox = sandbox().await;
    sandbox.closte().insert_alias("a.test");
    sandbox.dns().set("a.test", [a("127.0.0.1")]);
    assert!(is_secure(&sandbox, "a.test").await);
    sandbox.dns().set("a.test", [a("192.0.2.1")]);
    assert!(is_secure(&sandbox, "a.test").await);
    sandbox.closte().drop_alias("a.test");
    assert!(!is_secure(&sandbox, "a.test").await);
    sandbox.closte().insert_alias("a.test");
    assert!(!is_secure(&sandbox, "a.test").await, "a new alias starts anew");
}

#[tokio::test]
async fn a_wildcard_waits_for_the_dashboard() {
    let sandbox = sandbox().await;
    sandbox.closte().insert_alias("*.example.test");
    sandbox.dns().set("*.example.test", [a("127.0.0.1")]);
    assert!(!is_secure(&sandbox, "any.example.test").await);
    sandbox.finish_wildcard("*.example.test");
    assert!(is_secure(&sandbox, "any.example.test").await);
    assert!(!is_secure(&sandbox, "example.test").await);
}

#[tokio::test]
async fn a_certificate_takes_its_time_from_the_last_condition_on() {
    let sandbox = sandbox().await;
    sandbox.issue_after(Duration::from_secs(10));
    tokio::time::pause();
    sandbox.closte().insert_alias("a.test");
    tokio::time::advance(Duration::from_mins(1)).await;
    sandbox.dns().set("a.test", [a("127.0.0.1")]);
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!(sandbox.web().shown("a.test"), Certificate::Default);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(sandbox.web().shown("a.test"), Certificate::valid());
}

#[tokio::test]
async fn what_is_set_by_hand_wins() {
    let sandbox = sandbox().await;
    sandbox.closte().insert_alias("a.test");
    sandbox.dns().set("a.test", [a("127.0.0.1")]);
    sandbox.web().set("a.test", Certificate::Expired);
    assert!(!is_secure(&sandbox, "a.test").await);
    sandbox.web().unset("a.test");
    assert!(is_secure(&sandbox, "a.test").await);
}
