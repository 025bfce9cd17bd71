//! What people decide on the page in place of a command, and what the engine is told of it.

use serde_json::{Value, json};

use crate::pages::PAGE;
use crate::world::{Admin, World, now};

/// A report of an installation that kept two removals back.
fn kept_back() -> Value {
    let step = |domain: &str, until: Value| {
        json!({"action": "remove-alias", "domain": domain, "reason": "brake",
            "text": "held <back>", "release": "apply", "until": until})
    };
    json!({
        "engine": "0.1.0", "silence": 3600, "ledger": "l-1", "plan": "0123456789ab",
        "deferred": [step("a.example", json!(null)), step("b.example", json!(now() + 7260))],
        "deferred_count": 60,
    })
}

/// An installation that does not act, with the ledger `l-2`.
fn standby(domain: &str, app: Option<&str>) -> Value {
    json!({"take": false, "standby": {
        "at": now(), "ledger": "l-2", "app": app, "domain": domain,
        "host": "web2", "user": "app2", "path": "/home/app2/<ledger>.db",
        "alert": {"code": "copy", "text": "this is a copy", "hint": "enable it"}, "answers": [],
    }})
}

/// What waits for the engine: what is asked for, and of whom.
fn waiting(world: &World) -> Vec<String> {
    let hello = world.call("hello", &json!({"take": true}));
    let requests = hello["requests"].as_array().unwrap().iter();
    let text = |it: &Value| {
        assert!(it["at"].as_u64().unwrap() + 60 > now() && it.get("by").is_none(), "{it}");
        let what = it["plan"].as_str().or(it["domain"].as_str()).unwrap_or_default();
        format!("{} {what} {}", it["do"].as_str().unwrap(), it["ledger"].as_str().unwrap())
    };
    requests.map(text).collect()
}

/// The ids of what waits.
fn ids(world: &World) -> Vec<String> {
    let hello = world.call("hello", &json!({}));
    let requests = hello["requests"].as_array().unwrap().iter();
    requests.map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_plan_is_applied_and_an_alias_kept_by_requests_that_stay_until_they_are_answered() {
    let world = World::new();
    world.call("report", &kept_back());
    let admin = Admin::of(&world);
    let page = admin.page(PAGE);
    for text in [
        "<strong>a.example</strong></td><td>remove it at the host</td><td>held &lt;back&gt;</td>",
        "a person who applies the plan; by itself in 2 hours",
        "And 58 more.",
        "Plan 0123456789ab: ",
    ] {
        assert!(page.body.contains(text), "{text}\n{}", page.body);
    }
    assert_eq!(waiting(&world), Vec::<String>::new());
    let answer = admin.submit(&page, "apply", "");
    assert_eq!((answer.status, answer.head.contains("closte_sync_ask=yes")), (302, true));
    assert_eq!(admin.submit(&page, "b.example", "").status, 302);
    assert_eq!(admin.submit(&page, "b.example", "").status, 302, "the same again is one");
    let both = ["apply 0123456789ab l-1", "keep b.example l-1"];
    for _ in 0..2 {
        assert_eq!(waiting(&world), both, "they stay until they are answered");
    }
    let page = admin.page(&format!("{PAGE}&closte_sync_ask=yes"));
    assert!(page.body.contains("The engine does this with its next pass."), "{}", page.body);
    assert_eq!(page.body.matches("<em>waits for the next pass</em>").count(), 2, "{}", page.body);
    assert!(page.body.contains("Keep the alias b.example, asked for "), "{}", page.body);

    let ids = ids(&world);
    let no = json!({"id": ids[1], "done": false, "text": "it is <mapped>", "hint": "delete that"});
    let answers = json!([{"id": ids[0], "done": true, "text": null, "hint": null}, no, 7]);
    world.call("report", &json!({"engine": "0.1.0", "ledger": "l-1", "answers": answers}));
    assert_eq!(waiting(&world), Vec::<String>::new());
    let page = admin.page(PAGE).body;
    for text in [
        "The plan 0123456789ab was applied.",
        "This was not done: Keep the alias b.example",
        "it is &lt;mapped&gt;",
        "delete that",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    let again = admin.page(PAGE).body;
    assert!(!again.contains("0123456789ab") && !again.contains("b.example"), "told once: {again}");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn nobody_else_decides_and_no_form_is_taken_that_is_not_whole() {
    let world = World::new();
    world.call("report", &kept_back());
    let admin = Admin::of(&world);
    let url = "/wp-admin/admin-post.php";
    let nonce = |user: u32| {
        world.wordpress.php(&format!(
            "wp_set_current_user({user}); $_COOKIE[LOGGED_IN_COOKIE] = ''; echo wp_create_nonce('closte_sync_ask');"
        ))
    };
    let whole = "action=closte_sync_ask&do=apply&what=0123456789ab&ledger=l-1";
    assert_eq!(admin.post(url, whole).status, 403, "without a nonce");
    assert_eq!(admin.post(url, &format!("{whole}&_wpnonce={}", nonce(0))).status, 403);
    let page = admin.page(PAGE);
    let of_the_page = page.body.split("name=\"_wpnonce\" value=\"").nth(1).unwrap();
    let good = of_the_page.split('"').next().unwrap();
    for broken in ["do=dance&what=1&ledger=l-1", "do=apply&ledger=l-1", "do=keep&what=a.example"] {
        let body = format!("action=closte_sync_ask&{broken}&_wpnonce={good}");
        assert_eq!(admin.post(url, &body).status, 400, "{broken}");
    }
    world.call("hello", &standby("network.example", None));
    let page = admin.page(PAGE);
    assert_eq!(admin.submit(&page, "here", "").status, 400, "without the tick");
    assert_eq!(waiting(&world), Vec::<String>::new());
    assert_eq!(admin.post(url, &format!("{whole}&_wpnonce={good}")).status, 302);
    assert_eq!(waiting(&world).len(), 1);
}

#[test]
fn an_installation_that_does_not_act_is_kept_apart_and_can_be_asked_to() {
    let world = World::new();
    world.call("report", &kept_back());
    let before = world.kept("closte_sync_report");
    let admin = Admin::of(&world);
    assert!(!admin.page(PAGE).body.contains("acts from now on"));
    world.option("closte_sync_heard", "7");
    world.call("hello", &standby("Network.example", None));
    assert_eq!(world.kept("closte_sync_report"), before, "who acts is not overwritten");
    assert_eq!(world.read_option("closte_sync_heard"), json!("7"), "and it is no sign of life");
    let page = admin.page(PAGE);
    for text in ["/home/app2/&lt;ledger&gt;.db, web2, app2", "this is a copy", "enable it"] {
        assert!(page.body.contains(text), "{text}\n{}", page.body);
    }
    assert_eq!(admin.submit(&page, "here", "sure=1").status, 302);
    assert_eq!(waiting(&world), ["here  l-2"]);

    // It is done: it reports as the one that acts.
    let answers = json!([{"id": ids(&world)[0], "done": true}]);
    world.call("report", &json!({"engine": "0.1.0", "ledger": "l-2", "answers": answers}));
    let page = admin.page(PAGE).body;
    assert!(page.contains("The installation acts for this network from now on."), "{page}");
    assert!(!page.contains("/home/app2/") && !page.contains("type=\"checkbox\""), "{page}");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn who_reads_another_network_or_is_silent_for_a_day_is_not_offered() {
    let world = World::new();
    let known = || world.wordpress.php("echo count(Closte_Sync\\Standbys::all());");
    world.call("hello", &standby("copy.example", None));
    world.call("hello", &standby("network.example", Some("app9")));
    let mut off = standby("network.example", None);
    off["standby"]["alert"]["code"] = json!("key-refused");
    world.call("hello", &off);
    world.call("hello", &json!({"standby": 7}));
    world.call("hello", &json!({"standby": {"alert": []}}));
    assert_eq!(known(), "0");
    for number in 0..7 {
        let mut told = standby("network.example", None);
        told["standby"]["ledger"] = json!(format!("l-{number}"));
        world.call("hello", &told);
    }
    assert_eq!(known(), "5", "the last ones");
    let old = world.kept("closte_sync_standbys").to_string();
    let at = world.kept("closte_sync_standbys")[0]["at"].as_u64().unwrap();
    let old = old.replace(&at.to_string(), &(at - 86_400).to_string());
    world.option("closte_sync_standbys", &format!("'{old}'"));
    assert!(known().parse::<u32>().unwrap() < 5, "{}", known());
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn a_request_is_over_after_a_day_and_in_a_copy_of_the_database() {
    let world = World::new();
    let add = "wp_set_current_user(1); \
        var_dump(Closte_Sync\\Requests::add('keep', 'a.example', 'l-1'));";
    assert_eq!(world.wordpress.php(add), "bool(true)\n");
    assert_eq!(waiting(&world), ["keep a.example l-1"]);
    let age = |seconds: u64| {
        let at = world.wordpress.php("echo Closte_Sync\\Requests::waiting()[0]['at'];");
        let older = at.parse::<u64>().unwrap() - seconds;
        world.database.execute(&format!(
            "UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, '\"at\":{at}', '\"at\":{older}') \
             WHERE meta_key = 'closte_sync_request'"
        ));
    };
    let copied = "UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, 'network.example', '@') \
        WHERE meta_key = 'closte_sync_request'";
    world.database.execute(copied);
    assert_eq!(ids(&world), Vec::<String>::new(), "it was made in another network");
    world.database.execute(&copied.replace("'network.example', '@'", "'@', 'network.example'"));
    age(86_000);
    assert_eq!(ids(&world).len(), 1);
    age(400);
    assert_eq!(ids(&world), Vec::<String>::new());
    let admin = Admin::of(&world);
    let over = "No installation answered within a day";
    let page = admin.page(PAGE).body;
    assert!(page.contains("This was not done: Keep the alias a.example") && page.contains(over));
    assert!(!admin.page(PAGE).body.contains(over), "told once");
    let add = "wp_set_current_user(1); Closte_Sync\\Requests::add('keep', 'a.example', 'l-1');";
    world.wordpress.php(add);
    age(90_000);
    world.call("report", &json!({}));
    assert!(admin.page(PAGE).body.contains(over), "a report forgets it, but not that");
    world.wordpress.php(add);
    age(90_000);
    world.database.execute(copied);
    assert!(!admin.page(PAGE).body.contains(over), "it was made in another network");
    let rows = "SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key = 'closte_sync_request'";
    assert_eq!(world.database.execute(rows), "0\n", "the next report clears it away");
    let many = "for ($at = 0; $at < 100; $at++) { Closte_Sync\\Requests::add('keep', \"$at.example\", 'l-1'); } \
        var_dump(Closte_Sync\\Requests::add('keep', 'more.example', 'l-1'));";
    assert_eq!(world.wordpress.php(many), "bool(false)\n");
}

#[test]
fn every_request_that_may_wait_is_told_its_answer() {
    let world = World::new();
    world.wordpress.php(
        "wp_set_current_user(1); \
         for ($at = 0; $at < 100; $at++) { Closte_Sync\\Requests::add('keep', \"$at.example\", 'l-1'); }",
    );
    let ids = ids(&world);
    assert_eq!(ids.len(), 100);
    let answer = |id: &String| json!({"id": id, "done": false, "text": "x".repeat(600)});
    let answers: Vec<_> = ids.iter().map(answer).collect();
    world.call("report", &json!({"ledger": "l-1", "answers": answers}));
    let told = world.wordpress.php("echo count(Closte_Sync\\Requests::take_answers(1));");
    assert_eq!(told, "100");
}

#[test]
fn who_lost_the_mark_reports_nothing_and_an_older_engine_does() {
    let world = World::new();
    let report = |ledger: &str| json!({"engine": "0.1.0", "ledger": ledger, "domains": {}});
    world.call("report", &report("l-2"));
    world.call("home", &json!({"domain": "network.example", "ledger": "l-1"}));
    world.call("report", &kept_back());
    let before = (world.kept("closte_sync_report"), world.kept("closte_sync_domains"));
    world.option("closte_sync_heard", "7");
    for ledger in [json!("l-2"), json!(7)] {
        let mut told = report("l-2");
        told["ledger"] = ledger;
        let refused = world.refused(&crate::world::Call::signed("report", &told));
        assert_eq!(refused, (409, "closte_sync_not_the_home".to_owned()));
    }
    assert_eq!((world.kept("closte_sync_report"), world.kept("closte_sync_domains")), before);
    assert_eq!(world.read_option("closte_sync_heard"), json!("7"), "it is no sign of life");
    world.call("report", &json!({"engine": "0.0.9"}));
    assert_eq!(world.kept("closte_sync_report")["engine"], "0.0.9");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn an_answer_that_is_not_stored_is_not_acknowledged() {
    let world = World::new();
    world.wordpress.php("Closte_Sync\\Requests::add('keep', 'a.example', 'l-1');");
    let answers = json!([{"id": ids(&world)[0], "done": true}]);
    world.break_options();
    for (call, body) in [
        ("report", json!({"answers": answers})),
        ("hello", json!({"standby": {"answers": answers}})),
    ] {
        let refused = world.refused(&crate::world::Call::signed(call, &body));
        assert_eq!(refused, (503, "closte_sync_not_stored".to_owned()), "{call}");
    }
    assert_eq!(ids(&world).len(), 1);
}

#[test]
fn a_name_is_looked_at_before_it_is_mapped_and_what_was_found_warns() {
    let world = World::new();
    let admin = Admin::of(&world);
    let title = "Look at a name before it is mapped";
    assert!(!admin.page(PAGE).body.contains(title), "there is nobody to ask");
    world.call("report", &json!({"engine": "0.1.0", "ledger": "l-1"}));
    let page = admin.page(PAGE);
    assert!(page.body.contains(title), "{}", page.body);
    for wrong in
        ["", "shop", "https%3A%2F%2Fshop.example", "192.0.2.1", "a b.example", "%3Cb%3E.example"]
    {
        let answer = admin.submit(&page, "explain", &format!("what={wrong}"));
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(!answer.body.contains("<b>.example"), "{}", answer.body);
    }
    let refused = admin.submit(&page, "explain", "what=https%3A%2F%2Fshop.example");
    assert!(refused.body.contains("is not a domain name. Write the bare name"), "{}", refused.body);
    for name in ["Clear.Example.", "b%C3%BCcher.example", "*.far.example"] {
        assert_eq!(admin.submit(&page, "explain", &format!("what={name}")).status, 302, "{name}");
    }
    assert_eq!(
        waiting(&world),
        ["explain clear.example l-1", "explain bücher.example l-1", "explain *.far.example l-1"]
    );
    let page = admin.page(PAGE).body;
    assert!(page.contains("Look at clear.example, asked for "), "{page}");

    let record = json!({"action": "add", "name": "bücher.example", "type": "A", "found": [], "wanted": ["203.0.113.7<i>"]});
    let finding = json!({"code": "no-such-name", "severity": "error", "turn": "owner", "text": "It does <not> exist.", "records": [record]});
    let explained = |name: &str, findings: Value| json!({"domain": name, "display": name, "ready": false, "findings": findings});
    let ids = ids(&world);
    let answers = json!([
        {"id": ids[0], "done": true, "explained": explained("clear.example", json!([]))},
        {"id": ids[1], "done": true, "explained": explained("bücher.example", json!([finding, 7]))},
        {"id": ids[2], "done": false, "text": "too slow", "hint": "ask again"},
    ]);
    world.call("report", &json!({"engine": "0.1.0", "ledger": "l-1", "answers": answers}));
    let page = admin.page(PAGE).body;
    for text in [
        "Nothing stands in the way of clear.example.",
        "bücher.example can be mapped, but would not work yet.",
        "It does &lt;not&gt; exist. <strong>Owner&#039;s turn</strong>",
        "<td>Add</td><td>A</td><td>bücher.example</td><td></td><td>203.0.113.7&lt;i&gt;</td>",
        "admin.php?page=wp-ultimo-domains",
        "This was not done: Look at *.far.example",
        "too slow",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(!admin.page(PAGE).body.contains("clear.example"), "told once");
    assert_eq!(waiting(&world), Vec::<String>::new());
    world.option("wu_host_integrations_enabled", "'a:0:{}'");
    assert!(!admin.page(PAGE).body.contains(title), "Closte is switched off, so no pass asks");
    assert_eq!(world.complaints(), Vec::<String>::new());
}
