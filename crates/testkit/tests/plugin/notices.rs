//! What the network's admins learn wherever they are, until they dismiss it.

use serde_json::{Value, json};

use crate::pages::PAGE;
use crate::world::{Admin, World, link};

/// A page of the network admin that is not ours.
const ANYWHERE: &str = "/wp-admin/network/sites.php";

fn brake(what: &str) -> Value {
    json!({"code": "brake", "domain": null, "what": what, "hint": "see `closte-sync plan`"})
}

fn report(world: &World, notices: &[Value]) {
    world.call("report", &json!({"silence": 3600, "notices": notices}));
}

/// What a user sees of our notices, without markup.
fn seen(admin: &Admin<'_>) -> Vec<String> {
    let page = admin.page(ANYWHERE);
    assert_eq!(page.status, 200, "{page:?}");
    let notices = page.body.split("<strong>closte-sync:</strong> ").skip(1);
    notices.map(|it| it.split("</p>").next().unwrap().to_owned()).collect()
}

#[test]
fn an_alert_is_seen_everywhere_until_it_is_dismissed_or_changes() {
    let world = World::new();
    let admin = Admin::of(&world);
    report(&world, &[]);
    assert_eq!(seen(&admin), [""; 0]);
    report(&world, &[brake("30 <b>of</b> 40 would go.")]);
    assert_eq!(seen(&admin), ["30 &lt;b&gt;of&lt;/b&gt; 40 would go. See `closte-sync plan`"]);

    let body = admin.page(ANYWHERE).body;
    let decide = format!("href=\"http://network.example{PAGE}\">Decide on the closte-sync page");
    assert!(body.contains(&decide), "{body}");
    let link = link(&body, "closte_sync_dismiss");
    assert_ne!(world.page(&link).status, 200, "not by strangers");
    assert_eq!(admin.page(link.split("&_wpnonce").next().unwrap()).status, 403);
    assert_eq!(seen(&admin).len(), 1);
    assert_eq!(admin.page(&link).status, 302);
    assert_eq!(seen(&admin), [""; 0]);
    report(&world, &[brake("30 <b>of</b> 40 would go.")]);
    assert_eq!(seen(&admin), [""; 0], "reported again it is the same");
    assert!(admin.page(PAGE).body.contains("30 &lt;b&gt;of&lt;/b&gt; 40"), "our page shows all");
    assert_eq!(seen(&admin), [""; 0], "a visit to our page changes nothing");

    let other = Admin::new(&world, "other");
    assert_eq!(seen(&other).len(), 1, "each for himself");
    report(&world, &[brake("31 of 40 would go.")]);
    assert_eq!(seen(&admin), ["31 of 40 would go. See `closte-sync plan`"]);
    report(&world, &[brake("30 <b>of</b> 40 would go.")]);
    assert_eq!(seen(&admin).len(), 1, "it was another in between");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn each_alert_is_dismissed_by_itself_and_is_news_when_it_comes_back() {
    let world = World::new();
    let admin = Admin::of(&world);
    let key =
        json!({"code": "key-refused", "what": "the host refuses the key", "hint": "correct it"});
    let about =
        |domain: &str| json!({"code": "doubt", "domain": domain, "what": domain, "hint": "act"});
    report(&world, &[key.clone(), about("a.example"), about("b.example")]);
    assert_eq!(seen(&admin).len(), 3);
    admin.page(&link(&admin.page(ANYWHERE).body, "code=doubt%20a.example"));
    assert_eq!(seen(&admin), ["the host refuses the key. Correct it", "b.example. Act"]);
    let decide = admin.page(ANYWHERE).body.matches("Decide on the closte-sync page").count();
    assert_eq!(decide, 1, "of the doubt; the key is corrected elsewhere");
    report(&world, std::slice::from_ref(&key));
    assert_eq!(seen(&admin).len(), 1);
    report(&world, &[key, about("a.example")]);
    assert_eq!(seen(&admin).len(), 2, "it was gone, and came back");
}

#[test]
fn silence_stays_dismissed_until_the_engine_was_heard_again() {
    let world = World::new();
    world.heard();
    let admin = Admin::of(&world);
    let silent = |ago: u32| world.option("closte_sync_heard", &format!("UNIX_TIMESTAMP() - {ago}"));
    world.option("closte_sync_heard", "1795000000 - 86400");
    assert_eq!(seen(&admin).len(), 1);
    admin.page(&link(&admin.page(ANYWHERE).body, "closte_sync_dismiss"));
    assert_eq!(seen(&admin), [""; 0], "though it is longer ago each time");
    silent(7200);
    assert_eq!(seen(&admin).len(), 1, "another silence");
}

#[test]
fn a_silent_engines_alerts_are_not_shown_as_if_they_were_new() {
    let world = World::new();
    report(&world, &[brake("30 of 40 would go")]);
    world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 7200");
    let shown = seen(&Admin::of(&world));
    assert!(shown.len() == 1 && shown[0].contains("2 hours ago"), "{shown:?}");
}

#[test]
fn site_health_shows_alerts_as_critical() {
    let world = World::new();
    let health = || {
        world.wordpress.php(
            "wp_set_current_user(1); $it = apply_filters('site_status_tests', ['direct' => []])['direct']['closte_sync_alerts']; \
             $it = $it['test'](); echo $it['status'], ': ', $it['label'], ': ', $it['description'];",
        )
    };
    report(&world, &[]);
    assert_eq!(health(), "good: closte-sync: Nothing waits for a decision: <p></p>");
    report(
        &world,
        &[brake("30 of 40 would go"), json!({"code": "copy", "what": "a copy", "hint": "act"})],
    );
    assert_eq!(
        health(),
        "critical: closte-sync: Something waits for a decision: <p>30 of 40 would go. See `closte-sync plan` a copy. Act</p>"
    );
}

/// No engine reports from a copy, so the plugin itself tells it by the mark.
#[test]
fn a_copy_is_told_by_its_mark() {
    let world = World::new();
    let texts = || world.wordpress.php("echo implode(' | ', Closte_Sync\\Notices::texts());");
    let home = |domain: &str, app: Value| {
        let home = json!({"domain": domain, "app": app, "ledger": "l-1", "replace": true});
        world.call("home", &home);
    };
    home("Network.example", json!("app1"));
    assert!(texts().starts_with("The engine has not reported yet."), "{}", texts());
    home("original.example", json!("app1"));
    let copy = "closte-sync acts for the installation at original.example (CLOSTE_APP_ID app1), and this one is a copy";
    assert!(
        texts().starts_with(copy) && texts().contains("`closte-sync enable --here`"),
        "{}",
        texts()
    );
    assert!(!texts().contains("has not reported"), "that is why it does not report: {}", texts());
    // What the copy contains of the engine's was reported to the original.
    report(&world, &[brake("30 of 40 would go")]);
    assert!(texts().starts_with(copy), "{}", texts());
    assert_eq!(world.call("hello", &json!({}))["mode"], "off");
    world.wordpress.php("do_action('wu_add_domain', 'shop.example', 1);");
    assert_eq!(world.wordpress.built_in_calls(), ["add shop.example"]);
    let page = Admin::of(&world).page(PAGE).body;
    assert!(page.contains("The engine has not reported yet."), "to this one: {page}");
    assert!(!page.contains("30 of 40"), "nor does it wait for a decision here: {page}");
    world.option("closte_sync_heard", "0");
    home("network.example", json!("app1"));
    let config = world.wordpress.root().join("wp-config.php");
    let with_app = std::fs::read_to_string(&config).unwrap();
    let with_app = with_app.replacen("<?php", "<?php define('CLOSTE_APP_ID', 'app2');", 1);
    std::fs::write(&config, with_app).unwrap();
    assert!(texts().contains("network.example (CLOSTE_APP_ID app1)"), "{}", texts());
}
