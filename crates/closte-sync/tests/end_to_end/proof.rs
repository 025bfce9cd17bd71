//! The routing proof: what WordPress itself says at a domain, and what says nothing.

use sandbox::Certificate;
use sandbox::web::Answer;

use crate::world::World;

/// What `wp_hash` makes of `shop.example` with the salts below.
const SHOP: &str = "d2cc36f6ec3bc1cd938c07c40ba95e67";

/// A network whose salts are known.
async fn salted() -> World {
    let world = World::new().await;
    let salts = "define('AUTH_KEY', '8Kf)w2 auth-key-of-the-world');\n\
                 define('AUTH_SALT', 'salt-of-the-world q7!Lm');\n$table_prefix";
    world.write_wp_config(&world.wp_config().replace("$table_prefix", salts));
    world
}

/// The same, which does without no proof.
async fn requiring() -> World {
    let mut world = salted().await;
    world.set("checks.routing_proof", "require");
    world
}

/// Map a domain that leads here; the mapping's id.
fn mapped(world: &World, domain: &str) -> u64 {
    world.here(domain);
    world.map(1, domain)
}

/// State and reason of the proof.
fn proof(world: &World, domain: &str) -> String {
    let proof = &world.domain(domain)["proof"];
    format!("{} {}", proof["state"].as_str().unwrap(), proof["reason"].as_str().unwrap_or("-"))
}

fn detail(world: &World, domain: &str) -> String {
    world.domain(domain)["proof"]["detail"].as_str().unwrap_or_default().to_owned()
}

/// The questions that WordPress was asked, as `name nonce`.
fn questions(world: &World) -> Vec<String> {
    let questions = world.sandbox.web().questions().into_iter();
    questions.map(|question| format!("{} {}", question.name, question.nonce)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn wordpress_is_asked_once_a_check_and_its_answer_is_the_proof() {
    let world = salted().await;
    let id = mapped(&world, "shop.example");
    world.sandbox.web().answer("shop.example", Answer::Id(id));
    world.done("sync");
    assert_eq!(proof(&world, "shop.example"), "proven -");
    assert_eq!(world.stage("shop.example"), "done 1");
    assert_eq!(questions(&world), [format!("shop.example {SHOP}")]);
    let shown = world.done("domains show shop.example").out;
    assert!(shown.contains("  proof         proven since "), "{shown}");
    assert!(shown.contains("proof: unproven → proven"), "{shown}");

    world.done("sync");
    assert_eq!(questions(&world).len(), 1, "it is checked no sooner for that");
    world.elsewhere("shop.example");
    world.pass();
    assert_eq!(proof(&world, "shop.example"), "unproven -");
    assert_eq!(questions(&world).len(), 1, "another server is not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_is_reported_and_holds_nothing_back() {
    let world = salted().await;
    mapped(&world, "shop.example");
    let other = mapped(&world, "other.example");
    world.sandbox.web().answer("shop.example", Answer::Id(other));
    world.sandbox.web().answer("other.example", Answer::Id(4711));
    let report = world.json("sync");
    assert_eq!(proof(&world, "shop.example"), "contradicted other-mapping");
    assert_eq!(
        detail(&world, "shop.example"),
        format!("127.0.0.1 answers for mapping {other}, `other.example` of site 1")
    );
    let nobodys = "127.0.0.1 answers for mapping 4711, which this network does not have";
    assert_eq!(detail(&world, "other.example"), nobodys);
    assert_eq!(world.reason("shop.example", "routing"), "other-mapping");
    assert_eq!(world.stage("shop.example"), "done 1");
    let changes = report["changes"].as_array().unwrap();
    let checks = changes.iter().filter(|change| change["action"] == "check");
    assert!(checks.clone().all(|check| check["reason"] == "other-mapping"), "{changes:?}");
    assert_eq!(checks.count(), 2);
    let shown = world.done("domains show shop.example").out;
    assert!(shown.contains("proof: unproven → contradicted (other-mapping: 127.0.0.1"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_id_of_its_www_twin_is_as_good() {
    let world = salted().await;
    let apex = mapped(&world, "shop.example");
    let www = mapped(&world, "www.shop.example");
    world.sandbox.web().answer("shop.example", Answer::Id(www));
    world.sandbox.web().answer("www.shop.example", Answer::Id(apex));
    world.done("sync");
    assert_eq!(proof(&world, "shop.example"), "proven -");
    assert_eq!(proof(&world, "www.shop.example"), "proven -");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_front_of_wordpress_says_nothing() {
    let world = salted().await;
    let web = world.sandbox.web();
    let id = mapped(&world, "shop.example");
    web.answer("shop.example", Answer::Id(id));
    mapped(&world, "cached.example");
    web.answer("cached.example", Answer::Html);
    mapped(&world, "slow.example");
    web.answer("slow.example", Answer::Hang);
    world.done("sync");
    assert_eq!(proof(&world, "cached.example"), "unproven no-proof");
    assert_eq!(proof(&world, "slow.example"), "unproven no-proof");
    assert!(detail(&world, "slow.example").contains("127.0.0.1: no answer within 5 s"));
    assert_eq!(world.stage("cached.example"), "done 1");
    assert_eq!(world.stage("slow.example"), "done 1");

    web.answer("shop.example", Answer::Redirect("https://elsewhere.example/".to_owned()));
    world.pass();
    assert_eq!(proof(&world, "shop.example"), "proven -", "and takes nothing back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_proof_holds_done_back_until_the_answer_comes() {
    let world = requiring().await;
    let id = mapped(&world, "shop.example");
    world.sandbox.web().answer("shop.example", Answer::Html);
    world.done("sync");
    assert_eq!(world.states("shop.example"), "present here valid");
    assert_eq!(world.stage("shop.example"), "checking-ssl-cert 0", "a page cache is no proof");
    assert_eq!(proof(&world, "shop.example"), "unproven no-proof");
    assert_eq!(world.reason("shop.example", "routing"), "no-proof");

    world.sandbox.web().answer("shop.example", Answer::Id(4711));
    world.pass();
    assert_eq!(proof(&world, "shop.example"), "contradicted other-mapping");
    assert_eq!(world.stage("shop.example"), "checking-ssl-cert 0");

    world.sandbox.web().answer("shop.example", Answer::Id(id));
    world.pass();
    assert_eq!(world.stage("shop.example"), "done 1");

    world.sandbox.web().answer("shop.example", Answer::Id(4711));
    world.pass();
    assert_eq!(proof(&world, "shop.example"), "contradicted other-mapping");
    assert_eq!(world.stage("shop.example"), "done 1", "served stays served");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_required_proof_that_nobody_can_ask_for_says_why() {
    let mut world = World::new().await;
    world.set("checks.routing_proof", "require");
    mapped(&world, "shop.example");
    world.done("sync");
    assert_eq!(world.stage("shop.example"), "checking-ssl-cert 0");
    assert_eq!(proof(&world, "shop.example"), "unproven no-proof");
    let why = detail(&world, "shop.example");
    assert!(why.contains("AUTH_KEY") && why.contains("plugin install"), "{why}");
    assert_eq!(questions(&world), Vec::<String>::new());

    world.set("checks.routing_proof", "ask");
    world.pass();
    assert_eq!(world.stage("shop.example"), "done 1");
    assert_eq!(proof(&world, "shop.example"), "unproven -");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_left_alone_in_its_first_minute_and_asked_after_it() {
    let world = requiring().await;
    let site = world.site_of_age("new.network.example", 5);
    let id = world.map(site, "shop.example");
    world.here("shop.example");
    world.sandbox.web().answer("shop.example", Answer::Id(id));
    world.done("sync");
    assert_eq!(questions(&world), Vec::<String>::new());
    assert_eq!(world.stage("shop.example"), "checking-ssl-cert 0");
    assert!(detail(&world, "shop.example").contains("first minute"));

    let older = "UPDATE wp_blogs SET registered = UTC_TIMESTAMP() - INTERVAL 61 SECOND";
    world.database.execute(&format!("{older} WHERE blog_id = {site}"));
    world.pass();
    assert_eq!(world.stage("shop.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_one_right_answer_or_a_good_certificate_is_not_asked() {
    let world = requiring().await;
    let other = world.site("other.network.example");
    mapped(&world, "twice.example");
    world.map(other, "twice.example");
    mapped(&world, "*.wild.example");
    world.sandbox.finish_wildcard("*.wild.example");
    mapped(&world, "self.example");
    world.sandbox.web().set("self.example", Certificate::SelfSigned);
    world.done("sync");
    assert_eq!(questions(&world), Vec::<String>::new());
    assert_eq!(world.stage("*.wild.example"), "done 1", "there is no proof to wait for");
    assert_eq!(proof(&world, "twice.example"), "unproven -");
    assert_eq!(proof(&world, "self.example"), "unproven -");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_switched_off() {
    let mut world = salted().await;
    world.set("checks.routing_proof", "never");
    let id = mapped(&world, "shop.example");
    world.sandbox.web().answer("shop.example", Answer::Id(id));
    world.done("sync");
    assert_eq!(questions(&world), Vec::<String>::new());
    assert_eq!(world.stage("shop.example"), "done 1");
}
