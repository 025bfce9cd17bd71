//! What answers at the domain, and whether WordPress serves the site under it.

use testkit::internet::{Answer, Scheme};

use crate::explained::{Case, cases, hold};
use crate::world::{LABEL, RESOLVERS, SHOP, World};

#[test]
fn what_is_not_this_mapping_is_named() {
    hold(WEB);
}

#[test]
fn what_keeps_wordpress_from_serving_is_the_admins() {
    hold(SERVICE);
}

#[test]
fn a_domain_that_is_as_it_should_be_is_ready_and_has_nothing_to_say() {
    let world = World::synced();
    let explained = world.explain(SHOP);
    assert_eq!((explained.code, explained.codes()), (0, vec![]), "{explained:#?}");
    let domain = &explained.json["domains"][0];
    assert_eq!((domain["ready"].as_bool(), domain["mapped"].as_bool()), (Some(true), Some(true)));
    assert_eq!(domain["display"], SHOP);
    let lights = serde_json::json!({"alias": "present", "routing": "here", "certificate": "valid"});
    assert_eq!(domain["lights"], lights);
    let here = world.here.address().to_string();
    let text_of = |it: &serde_json::Value, field| it[field].as_str().unwrap().to_owned();
    let seen = domain["seen"].as_array().unwrap().iter();
    let seen: Vec<_> = seen.map(|it| (text_of(it, "source"), text_of(it, "said"))).collect();
    let [first, second, certificate, proof] = &seen[..] else { panic!("{seen:?}") };
    let resolvers = RESOLVERS.map(|it| (world.internet.socket(it).to_string(), here.clone()));
    assert_eq!([first, second], resolvers.each_ref());
    assert!(
        certificate.0 == here && certificate.1.contains("for shop.example, until "),
        "{seen:?}"
    );
    assert_eq!(*proof, (here, "answers for mapping 1".to_owned()));
    let text = world.run(&["explain", SHOP, "--lang", "en"]).stdout;
    let text = String::from_utf8_lossy(&text);
    assert!(
        seen.iter().all(|(source, said)| text.contains(&format!("{source}: {said}"))),
        "{text}"
    );
}

#[rustfmt::skip] // One case a line.
pub(crate) const WEB: &[Case] = cases! {
    "another mapping of the network",    SHOP, "other-mapping", ADMIN, [], new, other_mapping;
    "the id of nobody here",             SHOP, "other-server",  HOST,  [], new, |w| w.here.answer(Scheme::Https, SHOP, Answer::Proof(987_654));
    "a page of a cache",                 SHOP, "no-proof",      INFO,  [], synced, |w| w.here.answer(Scheme::Https, SHOP, Answer::Status(200));
    "the same where it is required",     SHOP, "no-proof",      WAIT,  [], synced, |w| { w.set("checks.routing_proof", "require"); w.here.answer(Scheme::Https, SHOP, Answer::Status(200)); };
};

#[rustfmt::skip] // One case a line.
pub(crate) const SERVICE: &[Case] = cases! {
    "mapping is switched off",      SHOP, "mapping-disabled", ADMIN, [], new, |w| w.option("wp-ultimo_v2_settings", "a:1:{s:21:\"enable_domain_mapping\";s:1:\"0\";}");
    "SUNRISE is not set",           SHOP, "no-sunrise",       ADMIN, [], new, |w| w.wp_config("define('SUNRISE', true);\n", "");
    "sunrise.php is not there",     SHOP, "no-sunrise",       ADMIN, [], new, |w| std::fs::remove_file(w.content().join("sunrise.php")).unwrap();
    "the row is switched off",      SHOP, "mapping-inactive", ADMIN, [], new, |w| w.row(SHOP, "active = 0");
    "the site is archived",         SHOP, "site-archived",    ADMIN, [], new, |w| drop(w.sql("UPDATE wp_blogs SET archived = 1 WHERE blog_id = 2"));
    "somebody made it fail",        SHOP, "stage-by-hand",    ADMIN, [], new, |w| { written(w); w.row(SHOP, "stage = 'failed'"); };
    "somebody took the lock away",  SHOP, "stage-by-hand",    WARN_ADMIN, [], new, |w| { written(w); w.row(SHOP, "stage = 'done-without-ssl'"); };
    "WordPress does not know it",   SHOP, "sign-up-page",     ADMIN, [], synced, signs_up;
    "its cache does not",           SHOP, "cache-stale",      ADMIN, [], synced, |w| { signs_up(w); std::fs::write(w.content().join("object-cache.php"), "<?php\n").unwrap(); };
};

/// WordPress answers for the other domain of the site's neighbour.
fn other_mapping(world: &mut World) {
    let site = world.site("two.network.example");
    let id = world.map(site, "two.example");
    world.here.answer(Scheme::Https, SHOP, Answer::Proof(id));
}

/// The stage is what a pass wrote.
fn written(world: &World) {
    world.row(SHOP, "stage = 'checking-dns', secure = 0");
    world.sync();
}

fn signs_up(world: &mut World) {
    let to = "https://network.example/wp-signup.php?new=shop.example";
    world.here.answer(Scheme::Https, SHOP, Answer::Redirect(to.to_owned()));
}

#[test]
fn several_domains_end_as_the_worst_of_them() {
    let world = World::new();
    world.points(SHOP, &world.there);
    let ended = world.run(&["explain", LABEL, SHOP, "--output", "json"]);
    assert_eq!(ended.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    let ready = |at: usize| json["domains"][at]["ready"].as_bool();
    assert_eq!(
        (ready(0), ready(1)),
        (Some(true), Some(false)),
        "in the order in which they were asked"
    );
}
