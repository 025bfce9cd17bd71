//! What people see of it: pages, notices, Site Health, the command line.

use serde_json::{Value, json};

use testkit::wordpress::UltimateMultisite;

use crate::world::{Admin, Call, World, link};

pub(crate) const PAGE: &str = "/wp-admin/network/settings.php?page=closte-sync";

/// What the engine reported about two domains; the id of the one that needs a person.
fn report(world: &World) -> u64 {
    let (shop, fine) = (world.map("shop.example", "failed"), world.map("fine.example", "done"));
    world.call(
        "report",
        &json!({
            "engine": "0.1.0", "silence": 3600, "panel": "https://panel.example/?a=1&b=2",
            "alerts": ["<b>An alert</b>"], "problems": ["A problem"], "counts": {"done": 12},
            "ready": 12, "waiting": 1,
            "domains": {
                shop.to_string(): {"domain": "shop.example", "person": true, "turn": "admin", "text": "DNS <i>elsewhere</i>", "next": 1000},
                fine.to_string(): {"domain": "fine.example", "person": false, "text": "Ready", "next": null},
            },
        }),
    );
    shop
}

#[test]
fn the_page_shows_what_was_reported_and_has_a_domain_checked() {
    let world = World::new();
    report(&world);
    assert_ne!(world.page(PAGE).status, 200, "not to strangers");
    let admin = Admin::of(&world);
    let page = admin.page(PAGE);
    assert_eq!(page.status, 200, "{page:?}");
    for text in [
        "The engine last reported on ",
        "closte-sync has replaced the built-in integration.",
        "&lt;b&gt;An alert&lt;/b&gt;",
        "A problem",
        "12 domains are ready, 1 is not.",
        "<strong>shop.example</strong>",
        "is-stop\">Your turn</span> DNS &lt;i&gt;elsewhere&lt;/i&gt;",
        "<strong>fine.example</strong>",
        "assets/admin.css",
        "href=\"https://panel.example/?a=1&#038;b=2\"",
    ] {
        assert!(page.body.contains(text), "{text}\n{}", page.body);
    }
    let shop = page.body.find("<strong>shop.example").unwrap();
    assert!(shop < page.body.find("<strong>fine.example").unwrap(), "who needs somebody is first");

    let link = link(&page.body, "closte_sync_recheck");
    assert_eq!(admin.page(&link.replace("shop.example", "no.example")).status, 404);
    assert_eq!(admin.page(link.split("&_wpnonce").next().unwrap()).status, 403);
    assert_eq!(world.call("hello", &json!({"take": true}))["rechecks"], json!([]));
    let answer = admin.page(&link);
    assert_eq!(answer.status, 302, "{answer:?}");
    assert_eq!(world.call("hello", &json!({"take": true}))["rechecks"], json!(["shop.example"]));
    assert!(
        admin
            .page(&format!("{PAGE}&closte_sync_recheck=yes"))
            .body
            .contains("is checked as soon as")
    );
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn protected_names_are_listed_apart() {
    let world = World::new();
    let domain = |name: &str, alias: &str, person: bool| {
        let id = world.map(name, "failed");
        let turn = if alias == "protected" { json!("owner") } else { json!(["odd"]) };
        let it = json!({
            "domain": name, "alias": alias, "person": person, "turn": turn, "text": format!("Why {name}"),
        });
        (id.to_string(), it)
    };
    let domains: serde_json::Map<_, _> = [
        domain("shop.example", "present", true),
        domain("kept.example", "protected", true),
        domain("fine.example", "protected", false),
    ]
    .into_iter()
    .collect();
    world.call("report", &json!({ "domains": domains }));
    let admin = Admin::of(&world);
    let view = |view: &str| admin.page(&format!("{PAGE}&show={view}")).body;
    let (needed, protected) = (view("person"), view("protected"));
    assert!(needed.contains("Needs somebody</span> Why shop.example"), "{needed}");
    assert!(!needed.contains("kept.example"), "{needed}");
    assert!(protected.contains("Why kept.example") && protected.contains("Why fine.example"));
    assert!(!protected.contains("shop.example") && !protected.contains("closte-sync-badge"));
    world.call("report", &json!({"domains": {}}));
    assert!(!admin.page(PAGE).body.contains("Protected names"));
}

/// The box is a view of the customer's: there is no admin, and what it shows is not escaped again.
#[test]
fn a_customers_box_shows_why_a_domain_is_not_ready() {
    for version in
        [UltimateMultisite::Registry, UltimateMultisite::TypedRegistry, UltimateMultisite::Hooks]
    {
        let world = World::with(version);
        let shop = report(&world);
        let fine = world.map("ready.example", "done");
        let renamed = world.map("new-name.example", "failed");
        let hidden = world.map("hidden.example", "failed");
        let known = |id: u64, name: &str, turn: &str, ready: bool| {
            (
                id.to_string(),
                json!({"domain": name, "turn": turn, "ready": ready, "text": "DNS <i>elsewhere</i>", "next": 1000}),
            )
        };
        let domains: serde_json::Map<_, _> = [
            known(shop, "shop.example", "owner", false),
            known(fine, "ready.example", "owner", true),
            known(renamed, "old-name.example", "owner", false),
            known(hidden, "hidden.example", "admin", false),
        ]
        .into_iter()
        .collect();
        world.call("report", &json!({ "domains": domains }));
        let row = |id: u64| {
            let code = format!(
                "wp_set_current_user(0); $info = ['primary' => ['value' => 'Alias', 'icon' => '']]; \
                 echo json_encode(apply_filters('wu_domain_mapping_row_info', $info, wu_get_domain({id})));"
            );
            serde_json::from_str::<Value>(&world.wordpress.php(&code)).unwrap()
        };
        let shown = row(shop);
        assert_eq!(shown["primary"]["value"], "Alias");
        assert_eq!(
            shown["closte-sync"]["value"],
            "DNS &lt;i&gt;elsewhere&lt;/i&gt; (next check: now)"
        );
        assert!(shown["closte-sync"]["icon"].is_string(), "its view prints one: {shown}");
        assert_eq!(row(fine).get("closte-sync"), None, "{version:?}: it is ready");
        assert_eq!(
            row(renamed).get("closte-sync"),
            None,
            "{version:?}: it is said of another name"
        );
        assert_eq!(
            row(hidden)["closte-sync"]["value"],
            "This domain is being set up; the operator of the network knows. (next check: now)",
            "what is for operators is not for customers"
        );
        world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 7200");
        assert_eq!(row(shop).get("closte-sync"), None, "{version:?}: nobody checks");
        let odd = "echo json_encode(apply_filters('wu_domain_mapping_row_info', 'odd', null));";
        assert_eq!(world.wordpress.php(odd), "\"odd\"");
    }
}

#[test]
fn ultimate_multisites_own_pages_show_the_reason() {
    for version in
        [UltimateMultisite::Registry, UltimateMultisite::TypedRegistry, UltimateMultisite::Hooks]
    {
        own_pages_show_the_reason(&World::with(version));
    }
}

fn own_pages_show_the_reason(world: &World) {
    let shop = report(world);
    let row = |table: &str, id: u64, user: u32| {
        let code = format!(
            "wp_set_current_user({user}); $actions = ['edit' => '<a href=\"?page=wp-ultimo-edit-domain&#038;id={id}\">']; \
             echo json_encode(Closte_Sync\\Domain_Pages::add_to_row($actions, '{table}'));"
        );
        let actions: Value = serde_json::from_str(&world.wordpress.php(&code)).unwrap();
        actions["closte-sync"].clone()
    };
    let note = row("domain_list_table", shop, 1);
    let note = note.as_str().unwrap();
    assert!(
        note.starts_with("Your turn: DNS &lt;i&gt;elsewhere&lt;/i&gt; (next check: now) <a href="),
        "{note}"
    );
    assert_eq!(row("domain_list_table", shop + 9, 1), Value::Null);
    assert_eq!(row("site_list_table", shop, 1), Value::Null);
    assert_eq!(row("domain_list_table", shop, 0), Value::Null, "not to strangers");
    let box_of = |id: u64| {
        world.wordpress.php(&format!(
            "wp_set_current_user(1); $_GET['id'] = '{id}'; Closte_Sync\\Domain_Pages::show_box();"
        ))
    };
    assert!(box_of(shop).contains("DNS &lt;i&gt;elsewhere"), "{}", box_of(shop));
    assert!(box_of(0).contains("reports nothing about this domain"), "{}", box_of(0));
    let rename = format!("UPDATE wp_wu_domain_mappings SET domain = 'x.example' WHERE id = {shop}");
    world.database.execute(&rename);
    assert_eq!(row("domain_list_table", shop, 1), Value::Null, "it has another name");
    assert!(box_of(shop).contains("reports nothing about this domain"), "{}", box_of(shop));
}

/// The engine counts no row of another network, and none of a site that is not there.
#[test]
fn only_rows_of_this_networks_sites_are_listed_counted_and_checked() {
    let world = World::new();
    report(&world);
    world.database.execute(
        "INSERT INTO wp_blogs (blog_id, site_id, domain, path) VALUES (90, 2, 'b.example', '/'); \
         INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES \
         (90, 'other.example', 'failed'), (91, 'no-site.example', 'failed');",
    );
    let page = Admin::of(&world).page(PAGE).body;
    for text in ["All <span class=\"count\">(2)", "DNS failed <span class=\"count\">(1)"] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    for name in ["other.example", "no-site.example"] {
        assert!(!page.contains(name), "{name}\n{page}");
        let is_mapped = format!("var_dump(Closte_Sync\\Ultimate_Multisite::is_mapped('{name}'));");
        assert_eq!(world.wordpress.php(&is_mapped), "bool(false)\n", "{name}");
    }
}

#[test]
fn admins_learn_when_the_engine_is_silent() {
    let world = World::new();
    let notices = || world.wordpress.php("echo implode(' ', Closte_Sync\\Notices::texts());");
    assert!(notices().starts_with("The engine has not reported yet."), "{}", notices());
    world.heard();
    assert_eq!(notices(), "");
    world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 7200");
    let said = notices();
    assert!(said.contains("2 hours ago") && said.contains("`closte-sync plugin status`"), "{said}");
    let shown = Admin::of(&world).page(PAGE).body;
    assert!(shown.contains("notice-warning") && shown.contains("2 hours ago"), "{shown}");
    world.option("closte_sync_secret", "''");
    assert!(notices().starts_with("There is no secret"), "{}", notices());
}

#[test]
fn site_health_has_our_checks() {
    let world = World::new();
    let health = |user: u32| {
        world.wordpress.php(&format!(
            "wp_set_current_user({user}); foreach (apply_filters('site_status_tests', ['direct' => []])['direct'] as $id => $it) {{ \
             echo substr($id, 12), ' ', $it['test']()['status'], \"\\n\"; }}"
        ))
    };
    assert_eq!(health(0), "");
    let well = "ultimate_multisite good\nsecret good\nengine good\nswitch good\nnudge good\nrefused good\nalerts good\n";
    assert_eq!(health(1), well.replace("engine good", "engine recommended"));
    world.heard();
    assert_eq!(health(1), well);
    let mut bad = Call::signed("hello", &json!({}));
    bad.body = "{} ".to_owned();
    let forged = bad.clone();
    bad.headers.clear();
    assert_eq!(world.refused(&bad).0, 401);
    assert_eq!(health(1), well, "anybody may send what is not signed");
    assert_eq!(world.refused(&forged).0, 401);
    assert_eq!(health(1), well.replace("refused good", "refused recommended"));
}

#[test]
fn the_command_line_shows_and_does_the_same() {
    let world = World::new();
    report(&world);
    let run = |code: &str| {
        world.wordpress.php(&format!(
            "final class WP_CLI {{ static function __callStatic($name, $said) {{ echo \"$name: $said[0]\\n\"; }} }} \
             $cli = new Closte_Sync\\Cli(); {code}"
        ))
    };
    let status = run("$cli->status();");
    assert!(
        status
            .contains("log: 12 domains are ready, 1 is not.\nlog: done: 12\nlog: shop.example: Your turn: DNS <i>elsewhere</i> (next check: now)\n"),
        "{status}"
    );
    assert!(run("$cli->recheck(['Shop.example']);").starts_with("success: shop.example"));
    assert!(run("$cli->recheck(['no.example']);").starts_with("error: no.example is not mapped"));
    assert_eq!(world.call("hello", &json!({"take": true}))["rechecks"], json!(["shop.example"]));
    let well = run("$cli->doctor();");
    assert!(well.contains("ok:  The engine reports") && !well.contains("BAD"), "{well}");
    world.option("closte_sync_secret", "''");
    let ill = run("$cli->doctor();");
    assert!(
        ill.contains("BAD: WordPress and the engine share no secret")
            && ill.contains("error: Failed checks: 1."),
        "{ill}"
    );
}

#[test]
fn what_it_stored_goes_with_it_but_for_the_home() {
    let world = World::new();
    report(&world);
    world.call("home", &json!({"domain": "network.example", "ledger": "l-1"}));
    world.wordpress.php("wp_set_current_user(1); Closte_Sync\\Dismissals::dismiss('brake', '0');");
    world.wordpress.php(
        "Closte_Sync\\Status_Links::make(1, 'a.example'); Closte_Sync\\Look_Limits::take(1, 7);",
    );
    let dismissed = "SELECT meta_key FROM wp_usermeta WHERE meta_key LIKE 'closte%'";
    assert_eq!(world.database.execute(dismissed), "closte_sync_dismissed\n");
    world.wordpress.deactivate_plugin();
    world.wordpress.uninstall_plugin();
    let left = "SELECT meta_key FROM wp_sitemeta WHERE meta_key LIKE 'closte%' \
        UNION ALL SELECT meta_key FROM wp_usermeta WHERE meta_key LIKE 'closte%' \
        UNION ALL SELECT option_name FROM wp_options WHERE option_name LIKE '%closte\\_sync%'";
    assert_eq!(world.database.execute(left), "closte_sync_home\n");
}

#[test]
fn the_table_has_filters_a_search_an_order_and_pages() {
    let world = World::new();
    let rows = (0..119).map(|at| format!("(1, 'd{at:03}.example', 'done')")).collect::<Vec<_>>();
    world.database.execute(&format!(
        "INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES {}",
        rows.join(", ")
    ));
    let shop = world.map("shop.example", "failed");
    let now = crate::world::now();
    let told = json!({
        "domain": "shop.example", "person": true, "text": "elsewhere",
        "alias": "present", "routing": "elsewhere", "certificate": "unknown",
        "since": now - 7300, "next": now + 7300,
    });
    let gone = json!({"domain": "gone.example", "person": true, "text": "gone"});
    world.call("report", &json!({"domains": {shop.to_string(): told, "999999": gone}}));
    let admin = Admin::of(&world);
    let names = |query: &str| -> Vec<String> {
        let page = admin.page(&format!("{PAGE}{query}"));
        assert_eq!(page.status, 200);
        let cells = page.body.split("data-colname=\"Domain\"><strong>").skip(1);
        cells.map(|it| it.split('<').next().unwrap().to_owned()).collect()
    };
    let first = names("");
    assert_eq!(
        (first.len(), first[0].as_str(), first[49].as_str()),
        (50, "shop.example", "d048.example")
    );
    assert_eq!(names("&paged=3").len(), 20);
    assert_eq!(names("&paged=9").last().unwrap(), "d118.example", "there is no such page");
    assert_eq!(names("&show=person"), ["shop.example"]);
    assert_eq!(names("&show=failed"), ["shop.example"]);
    assert_eq!(names("&show=done")[0], "d000.example");
    assert_eq!(names("&show=nothing").len(), 50, "no such filter");
    assert_eq!(names("&s=d11"), (110..119).map(|at| format!("d{at}.example")).collect::<Vec<_>>());
    assert_eq!(names("&s=%25").len(), 0, "it is no pattern");
    assert_eq!(names("&s=d11&show=failed").len(), 0);
    assert_eq!(names("&orderby=domain&order=desc")[0], "shop.example");
    assert_eq!(names("&orderby=id)--&order=desc")[0], "shop.example");

    let page = admin.page(PAGE).body;
    for text in [
        "All <span class=\"count\">(120)</span>",
        "Needs somebody <span class=\"count\">(1)</span>",
        "Ready <span class=\"count\">(119)</span>",
        "DNS failed <span class=\"count\">(1)</span>",
        "<li class=\"is-ready\"><span class=\"dashicons dashicons-yes-alt\" aria-hidden=\"true\"></span><span class=\"screen-reader-text\">Alias: </span><span class=\"word\">present</span></li>\
         <li class=\"is-stop\">",
        ">2 hours ago</time>",
        ">in 2 hours</time>",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
    assert!(admin.page(&format!("{PAGE}&s=nothing")).body.contains("No domain is found."));
    world.database.execute("DROP TABLE wp_wu_domain_mappings");
    let none = admin.page(PAGE);
    assert!(none.status == 200 && !none.body.contains("wpdberror"), "{none:?}");
    assert_eq!(world.complaints(), Vec::<String>::new());
}
