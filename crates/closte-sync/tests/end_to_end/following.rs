//! A domain on its way from a mapping to `done`, and afterwards.

use sandbox::Certificate;
use sandbox::Part;
use sandbox::dns::{Behaviour, a, aaaa, cname};
use serde_json::Value;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_mapped_domain_is_added_followed_and_done() {
    let world = World::new().await;
    let site = world.site("one.network.example");
    world.map(site, "shop.example");
    world.elsewhere("shop.example");

    let first = world.done("sync");
    assert!(
        first.err.contains("First pass on network.example: 1 of its 1 mapped domains"),
        "{first:?}"
    );
    assert_eq!(world.aliases(), ["shop.example"]);
    assert_eq!(world.states("shop.example"), "present elsewhere unknown");
    assert_eq!(world.reason("shop.example", "routing"), "other-address");
    assert_eq!(world.domain("shop.example")["routing"]["found"][0], "192.0.2.77");
    assert_eq!(world.stage("shop.example"), "checking-dns 0");

    world.here("shop.example");
    world.sandbox.issue_after(std::time::Duration::from_hours(1));
    world.pass();
    assert_eq!(world.stage("shop.example"), "checking-ssl-cert 0");

    world.sandbox.issue_after(std::time::Duration::ZERO);
    let last = world.pass();
    assert!(!last.err.contains("First pass"), "{last:?}");
    assert_eq!(world.states("shop.example"), "present here valid");
    assert_eq!(world.stage("shop.example"), "done 1");
    assert_eq!(world.asked(), ["add shop.example"], "asked for once");
    let certificate = &world.domain("shop.example")["certificate"];
    assert!(certificate["issuer"].as_str().unwrap().contains("sandbox CA"), "{certificate}");
    assert!(certificate["not_after"].as_str().unwrap().ends_with('Z'), "{certificate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_goes_as_far_as_it_can_in_one_pass() {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    let report = world.json("sync");
    let changes: Vec<String> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {}", it["action"].as_str().unwrap(), it["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(changes, ["add-alias done", "check ready", "write-stage done"]);
    assert_eq!(world.stage("shop.example"), "done 1");
    assert_eq!(world.json("sync")["changes"].as_array().unwrap().len(), 0, "and then rests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wildcard_is_sent_as_such_and_done_after_its_step_by_hand() {
    let world = World::new().await;
    world.map(1, "*.shop.example");
    world.here("*.shop.example");
    world.done("sync");
    let call = &world.sandbox.closte().calls_of(sandbox::closte::CallKind::Add)[0];
    assert_eq!(call.body, "apikey=[key]&domain=%2A.shop.example&wildcard=1");
    assert_eq!(world.reason("*.shop.example", "certificate"), "wildcard-by-hand");
    let detail = world.domain("*.shop.example")["certificate"]["detail"].clone();
    assert!(
        detail.as_str().unwrap().contains("https://app.closte.com/sites/domains/app1"),
        "{detail}"
    );
    world.sandbox.finish_wildcard("*.shop.example");
    world.pass();
    assert_eq!(world.stage("*.shop.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_is_one_name_gone_and_one_come() {
    let world = World::new().await;
    world.map(1, "old.example");
    world.done("sync");
    world.database.execute("UPDATE wp_wu_domain_mappings SET domain = 'new.example'");
    world.pass();
    assert_eq!(world.aliases(), ["new.example", "old.example"]);
    world.pass();
    assert_eq!(world.aliases(), ["new.example"]);
    assert_eq!(world.asked(), ["add old.example", "add new.example", "remove old.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_international_name_has_one_key_and_two_ways_of_writing() {
    let world = World::new().await;
    world.map(1, "bücher.example");
    world.done("sync");
    assert_eq!(world.aliases(), ["xn--bcher-kva.example"]);
    assert_eq!(world.domain("xn--bcher-kva.example")["display"], "bücher.example");
    world.done("domains show BÜCHER.example.");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_way_of_pointing_is_named() {
    let world = World::new().await;
    let dns = world.sandbox.dns();
    dns.set("v6.example", [a("127.0.0.1"), aaaa("2001:db8::9")]);
    dns.set("two.example", [a("127.0.0.1"), a("192.0.2.9")]);
    dns.set("cloudflare.example", [a("104.16.1.2")]);
    dns.set("empty.example", [sandbox::dns::caa("issue", "letsencrypt.org")]);
    dns.set("alias.example", [cname("network.example")]);
    dns.fail("broken.example", Behaviour::ServFail);
    // An IPv6-only network: everybody's NAT64 prefix, and one of the network's own.
    dns.set("ipv4only.arpa", [a("192.0.0.170"), aaaa("2001:db8:64::c000:aa")]);
    dns.set("nat64.example", [a("127.0.0.1"), aaaa("64:ff9b::7f00:1")]);
    dns.set("own-nat64.example", [a("127.0.0.1"), aaaa("2001:db8:64::7f00:1")]);
    dns.set("wrong-nat64.example", [a("127.0.0.1"), aaaa("64:ff9b::c000:209")]);
    // The sandbox's CA is in another network, where such an address leads elsewhere.
    for name in ["nat64.example", "own-nat64.example"] {
        world.sandbox.web().set(name, Certificate::valid());
    }
    let table = [
        ("v6.example", "ipv6-elsewhere", "checking-dns 0"),
        ("two.example", "partly-elsewhere", "checking-dns 0"),
        ("cloudflare.example", "proxied", "checking-dns 0"),
        ("empty.example", "no-address", "checking-dns 0"),
        ("nowhere.example", "no-such-name", "checking-dns 0"),
        ("broken.example", "dns-failed", "checking-dns 0"),
        ("alias.example", "none", "done 1"),
        ("nat64.example", "none", "done 1"),
        ("own-nat64.example", "none", "done 1"),
        ("wrong-nat64.example", "partly-elsewhere", "checking-dns 0"),
    ];
    for (name, _, _) in table {
        world.map(1, name);
    }
    world.done("sync");
    for (name, reason, stage) in table {
        assert_eq!(world.reason(name, "routing"), reason, "{name}");
        assert_eq!(world.stage(name), stage, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_certificate_is_named_and_none_is_done() {
    let world = World::new().await;
    let table = [
        ("expired.example", Certificate::Expired, "invalid", "expired"),
        ("early.example", Certificate::NotYetValid, "invalid", "not-yet-valid"),
        ("other.example", Certificate::OtherName, "invalid", "other-name"),
        ("default.example", Certificate::Default, "invalid", "other-name"),
        ("self.example", Certificate::SelfSigned, "invalid", "self-signed"),
        ("none.example", Certificate::None, "missing", "no-certificate"),
    ];
    for (name, certificate, _, _) in &table {
        world.map(1, name);
        world.here(name);
        world.sandbox.web().set(name, certificate.clone());
    }
    world.map(1, "soon.example");
    world.here("soon.example");
    world.sandbox.web().set("soon.example", Certificate::expiring());
    world.done("sync");
    for (name, _, state, reason) in table {
        assert_eq!(world.states(name), format!("present here {state}"), "{name}");
        assert_eq!(world.reason(name, "certificate"), reason, "{name}");
        assert_eq!(world.stage(name), "checking-ssl-cert 0", "{name}");
    }
    assert_eq!(world.states("soon.example"), "present here expiring");
    assert_eq!(world.stage("soon.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_domain_that_cannot_be_seen_keeps_its_stage_is_not_ready_and_says_why() {
    let world = World::new().await;
    let names = ["dark.example", "silent.example"];
    for name in names {
        world.map(1, name);
        world.here(name);
    }
    world.done("sync");
    assert!(world.done("status").out.starts_with("All 2 domains are ready."));
    world.sandbox.dns().fail("dark.example", Behaviour::ServFail);
    world.sandbox.web().set("silent.example", Certificate::NoAnswer);
    let out = world.pass().out;
    for (name, told) in names.into_iter().zip(["servfail, owner", "port-80-closed, host"]) {
        assert!(out.contains(&format!("check {name}: unknown ({told}: ")), "{out}");
        assert_eq!(world.stage(name), "done 1", "{name}");
        assert_eq!(world.states(name), "present here valid", "{name}");
    }
    let unseen = |name: &str, state: &str| world.domain(name)[state]["unseen"].clone();
    assert_eq!(unseen("dark.example", "routing")["reason"], "dns-failed");
    assert_eq!(unseen("dark.example", "certificate")["reason"], "dns-failed");
    assert_eq!(unseen("silent.example", "routing"), Value::Null);
    let silent = unseen("silent.example", "certificate");
    assert_eq!(silent["reason"], "no-web-answer");
    world.pass();
    assert_eq!(unseen("silent.example", "certificate")["since"], silent["since"]);

    let status = world.done("status").out;
    assert!(status.starts_with("0 domains are ready, 2 are not."), "{status}");
    assert!(status.contains("servfail") && status.contains("port-80-closed"), "{status}");
    let shown = world.done("domains show dark.example").out;
    for part in ["cannot be seen since", "the domain's DNS servers fail", "SERVFAIL"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let events = |name: &str| {
        let events = world.json(&format!("domains show {name}"))["events"].clone();
        let of = |event: &Value| event["to"] == "unseen" || event["from"] == "unseen";
        let events = events.as_array().expect("a list").clone();
        events.into_iter().filter(of).map(|it| format!("{} {}", it["about"], it["text"])).collect()
    };
    let told: Vec<String> = events("dark.example");
    assert!(told.len() == 1 && told[0].contains("cannot be seen, and stays here (dns-failed"));
    let told: Vec<String> = events("silent.example");
    assert!(told.len() == 1 && told[0].contains("cannot be seen, and stays valid"), "{told:?}");

    world.sandbox.dns().heal("dark.example");
    world.sandbox.web().set("silent.example", Certificate::valid());
    world.pass();
    assert!(world.done("status").out.starts_with("All 2 domains are ready."));
    assert_eq!(events("dark.example").len(), 2, "and once that it is seen again");
    assert_eq!(unseen("dark.example", "routing"), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_stays_served_whatever_a_check_shows() {
    let world = World::new().await;
    for (name, stage) in [("a.example", "done"), ("b.example", "done-without-ssl")] {
        world.map(1, name);
        world.elsewhere(name);
        world.database.execute(&format!(
            "UPDATE wp_wu_domain_mappings SET stage = '{stage}', secure = 0 WHERE domain = '{name}'"
        ));
    }
    world.done("sync");
    world.pass();
    assert_eq!(world.stage("a.example"), "done 0");
    assert_eq!(world.stage("b.example"), "done-without-ssl 0");
    assert_eq!(world.reason("a.example", "routing"), "other-address", "trouble is shown");
    world.here("b.example");
    world.pass();
    assert_eq!(world.stage("b.example"), "done 1", "going up is always allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn patience_ends_and_a_domain_comes_back_by_itself() {
    let mut world = World::new().await;
    world.set("checks.dns_patience", "0s");
    world.set("checks.certificate_patience", "0s");
    world.map(1, "slow.example");
    world.elsewhere("slow.example");
    world.done("sync");
    assert_eq!(world.stage("slow.example"), "failed 0");
    world.here("slow.example");
    world.sandbox.web().set("slow.example", Certificate::Expired);
    world.pass();
    assert_eq!(world.stage("slow.example"), "ssl-failed 0");
    world.sandbox.web().unset("slow.example");
    world.pass();
    assert_eq!(world.stage("slow.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_table_without_the_word_gets_the_one_it_has() {
    let mut world = World::with(testkit::mariadb::Stages::Before2026).await;
    world.set("checks.certificate_patience", "0s");
    world.map(1, "shop.example");
    world.here("shop.example");
    world.sandbox.web().set("shop.example", Certificate::Expired);
    world.done("sync");
    assert_eq!(world.stage("shop.example"), "done-without-ssl 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_resolvers_change_nothing_and_additions_go_on() {
    let world = World::new().await;
    world.map(1, "old.example");
    world.here("old.example");
    world.done("sync");
    world.map(1, "new.example");
    world.here("new.example");
    world.sandbox.kill(Part::Dns);
    world.pass();
    assert_eq!(world.aliases(), ["new.example", "old.example"]);
    assert_eq!(world.states("new.example"), "present unknown unknown");
    assert_eq!(world.reason("new.example", "routing"), "no-resolver");
    assert_eq!(world.stage("new.example"), "checking-dns 0");
    assert_eq!(world.states("old.example"), "present here valid");
    assert_eq!(world.stage("old.example"), "done 1");
    world.sandbox.revive(Part::Dns);
    world.pass();
    assert_eq!(world.stage("new.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_packet_goes_to_a_private_address_unless_an_operator_allows_it() {
    let mut world = World::new().await;
    world.set("checks.allow_private", "false");
    world.map(1, "shop.example");
    world.here("shop.example");
    world.done("sync");
    assert_eq!(world.sandbox.web().connections(), 0);
    assert_eq!(world.states("shop.example"), "present here unknown");
    assert_eq!(world.reason("shop.example", "certificate"), "private-address");
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_are_found_by_the_networks_own_domain_and_the_address_that_closte_names() {
    let mut world = World::new().await;
    world.set("checks.targets", "");
    world.map(1, "shop.example");
    world.here("shop.example");
    world.done("sync");
    assert_eq!(world.states("shop.example"), "present here valid");
    world.sandbox.dns().remove("network.example");
    let wp_config = world.wp_config() + "define('CLOSTE_PUBLIC_IP_ADDRESS', '192.0.2.77');\n";
    world.write_wp_config(&wp_config);
    world.elsewhere("shop.example");
    world.pass();
    assert_eq!(world.states("shop.example"), "present here valid", "it could not be asked there");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_target_nothing_is_judged_and_the_problem_is_reported() {
    let mut world = World::new().await;
    world.set("checks.targets", "");
    world.sandbox.dns().remove("network.example");
    world.map(1, "shop.example");
    world.here("shop.example");
    let ran = world.done("sync");
    assert!(ran.out.contains("set `checks.targets`"), "{ran:?}");
    assert_eq!(world.reason("shop.example", "routing"), "no-targets");
    assert_eq!(world.stage("shop.example"), "checking-dns 0");
}
