//! The status page that the owner of a domain opens by a link, and who makes and ends such a link.

use std::thread;

use serde_json::{Value, json};

use crate::pages::PAGE;
use crate::world::{Admin, Answer, Call, World, hex, now};
use sha2::{Digest, Sha256};

/// Words that no owner reads, in small letters.
const INTERNAL: [&str; 14] = [
    "ledger",
    "grootboek",
    "alias",
    "mapping",
    "mapped",
    "koppel",
    "stage",
    "checking-",
    "ssl-failed",
    "wp-config",
    "api",
    "setting",
    "instelling",
    "wordpress",
];

/// What the engine reports of `shop.example`, whose owner must change a record.
fn reported(since: u64) -> Value {
    let light = |light: &str, state: &str| json!({"light": light, "state": state, "since": since});
    json!({
        "domain": "shop.example", "display": "shöp.example", "ready": false, "turn": "owner",
        "lights": [light("hosting", "present"), light("dns", "elsewhere"), light("certificate", "unknown")],
        "texts": {"en": "shöp.example does not work yet.\n\nIt points to <b>there</b>.", "nl": "shöp.example werkt nog niet."},
        "records": [{"action": "change", "name": "shop.example", "type": "TXT",
            "found": ["<script>alert(1)</script>"], "wanted": ["203.0.113.7", "203.0.113.8"]}],
        "last": since, "next": since + 7500,
    })
}

fn report(world: &World, id: u64, page: &Value) {
    world.call(
        "report",
        &json!({"engine": "0.1.0", "ledger": "l-1", "pages": {id.to_string(): page}}),
    );
}

/// Make a link as WP-CLI does; its path.
fn make(world: &World, id: u64, domain: &str) -> String {
    let code = format!("echo Closte_Sync\\Status_Links::make({id}, '{domain}');");
    path(&world.wordpress.php(&code))
}

fn path(address: &str) -> String {
    let path = address.strip_prefix("http://network.example").expect(address);
    assert_eq!(path.len(), "/?closte-sync-status=".len() + 32, "{path}");
    path.to_owned()
}

/// A request without cookies.
fn send(world: &World, method: &str, path: &str, headers: &str) -> Answer {
    world.ask(&format!(
        "{method} {path} HTTP/1.0\r\nHost: network.example\r\n{headers}Content-Length: 0\r\n\r\n"
    ))
}

/// What of a page people read.
fn text(page: &Answer) -> String {
    let body = page.body.split_once("<body>").expect("a body").1;
    let parts = body.split('<').filter_map(|it| it.split_once('>'));
    parts.map(|(_, text)| text.trim()).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn an_admin_makes_a_link_that_is_shown_once_and_stored_as_a_hash() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    world.heard();
    let admin = Admin::of(&world);
    let nonce = |page: &Answer| {
        let form = page.body.split("id=\"closte_sync_link\"").nth(1).expect("the form").to_owned();
        form.split("name=\"_wpnonce\" value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let first = admin.page(PAGE);
    let button = format!(
        "form=\"closte_sync_link\" name=\"closte_sync_link\" value=\"make {id}\">Status link</button>"
    );
    assert!(first.body.contains(&button), "{}", first.body);
    let press = |value: &str| {
        let value = value.replace(' ', "+");
        admin.post(PAGE, &format!("closte_sync_link={value}&_wpnonce={}", nonce(&first)))
    };
    let shown = |page: &Answer| {
        let code = page.body.split("<code class=\"closte-sync-copy\">").nth(1).expect("an address");
        path(code.split('<').next().unwrap())
    };
    let made = press(&format!("make {id}"));
    let link = shown(&made);
    assert!(made.body.contains("Status link until ") && made.body.contains(">Revoke</button>"));
    assert!(!admin.page(PAGE).body.contains(&link[2..]), "it is shown once");
    let token = link.rsplit('=').next().unwrap();
    let stored = world.database.execute(
        "SELECT meta_value FROM wp_sitemeta UNION ALL SELECT option_value FROM wp_options",
    );
    assert!(!stored.contains(token) && stored.contains(&hex(&Sha256::digest(token.as_bytes()))));
    assert_eq!(world.call("hello", &json!({}))["status_pages"], json!([id]));
    assert_eq!(send(&world, "GET", &link, "").status, 200);

    let newer = shown(&press(&format!("make {id}")));
    assert_eq!(send(&world, "GET", &link, "").status, 404, "a newer one replaces it");
    assert_eq!(send(&world, "GET", &newer, "").status, 200);
    assert!(press(&format!("revoke {id}")).body.contains("is no longer valid"));
    assert_eq!(send(&world, "GET", &newer, "").status, 404, "it was ended");
    assert_eq!(world.call("hello", &json!({}))["status_pages"], json!([]));
    assert_eq!(press("make 999999").status, 404);

    let value = format!("closte_sync_link=make+{id}");
    assert_eq!(admin.post(PAGE, &value).status, 403, "without a nonce");
    let good = format!("{value}&_wpnonce={}", nonce(&first));
    assert_ne!(Admin::customer(&world).post(PAGE, &good).status, 200, "a customer makes none");
    assert_eq!(admin.page(&format!("{PAGE}&{good}")).status, 200);
    assert_eq!(world.call("hello", &json!({}))["status_pages"], json!([]), "nor does a visit");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn the_owner_sees_whose_turn_it_is_what_to_change_and_three_lights_in_two_languages() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    let link = make(&world, id, "shop.example");
    world.heard();
    let fresh = send(&world, "GET", &link, "");
    assert!(text(&fresh).contains("shop.example | It is being looked at"), "{}", text(&fresh));
    report(&world, id, &reported(now() - 7300));

    let page = send(&world, "GET", &link, "Accept-Language: de, en;q=0.8, nl;q=0.5\r\n");
    for header in [
        "x-robots-tag: noindex, nofollow, noarchive",
        "referrer-policy: no-referrer",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "content-type: text/html; charset=utf-8",
    ] {
        assert!(page.head.lines().any(|it| it == header), "{header}\n{}", page.head);
    }
    assert!(page.body.contains("<meta name=\"robots\" content=\"noindex\">"), "{}", page.body);
    assert!(!page.body.contains("<script") && !page.body.contains("<b>"), "{}", page.body);
    assert!(!page.body.contains("style="), "the policy forbids it: {}", page.body);
    assert_eq!(
        text(&page),
        "Status of your domain | shöp.example | It is your turn: 1 record to change | \
         shöp.example does not work yet. | It points to &lt;b&gt;there&lt;/b&gt;. | \
         To do | Type | Name | Found | Must be | \
         Change | TXT | shop.example | &lt;script&gt;alert(1)&lt;/script&gt; | 203.0.113.7 | 203.0.113.8 | \
         Looked | 2 hours ago | . Next look | in 3 minutes | . | I have changed it: look now | \
         Hosting | Knows the name | Changed | 2 hours ago | . | \
         DNS | Does not lead here yet | Changed | 2 hours ago | . | \
         Certificate | Follows once DNS leads here | Changed | 2 hours ago | . | \
         Whoever has the link to this page can read it and have the domain looked at, and nothing else. \
         The Network can end it. | English | Nederlands"
    );
    let dutch = send(&world, "GET", &link, "Accept-Language: nl-BE, en;q=0.8\r\n");
    assert!(dutch.body.starts_with("<!doctype html><html lang=\"nl\">"), "{}", dutch.body);
    for words in [
        "U bent aan zet: 1 record te wijzigen",
        "shöp.example werkt nog niet.",
        "Ik heb het gewijzigd: kijk nu",
    ] {
        assert!(text(&dutch).contains(words), "{words}: {}", text(&dutch));
    }
    let chosen = send(&world, "GET", &format!("{link}&lang=en"), "Accept-Language: nl\r\n");
    assert!(chosen.body.contains("<html lang=\"en\">"));
    let style = page.body.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(send(&world, "GET", style, "").status, 200, "{style}");

    let head = send(&world, "HEAD", &link, "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for method in ["PUT", "DELETE", "OPTIONS"] {
        let answer = send(&world, method, &link, "");
        assert_eq!((answer.status, answer.body.as_str()), (405, ""), "{method}");
        assert!(answer.head.contains("allow: get, head, post"), "{}", answer.head);
    }
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn where_it_is_not_the_owners_turn_nothing_has_to_be_done() {
    let world = World::new();
    let id = world.map("shop.example", "done");
    let link = make(&world, id, "shop.example");
    let mut page = reported(now());
    (page["records"], page["turn"]) = (json!([]), json!("host"));
    page["texts"] = json!({"en": "It is <i>being</i> seen to."});
    report(&world, id, &page);
    let shown = text(&send(&world, "GET", &link, ""));
    assert!(shown.contains("Nothing has to be done: it is being taken care of | It is"), "{shown}");
    assert!(shown.contains("| Look now |") && !shown.contains("To do"), "{shown}");
    (page["ready"], page["turn"]) = (json!(true), json!(null));
    report(&world, id, &page);
    assert!(text(&send(&world, "GET", &link, "")).contains("shöp.example | Ready | "));

    world.option("closte_sync_heard", "UNIX_TIMESTAMP() - 7205");
    let silent = text(&send(&world, "GET", &link, ""));
    assert!(
        silent.contains("This is how it was | 2 hours ago | : nobody has looked since."),
        "{silent}"
    );
    for odd in [
        json!(7),
        json!({}),
        json!({"domain": "shop.example", "lights": [7, {"light": "x"}], "records": [[]], "texts": 1}),
    ] {
        report(&world, id, &odd);
        assert_eq!(send(&world, "GET", &link, "").status, 200, "{odd}");
    }
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn no_page_says_anything_internal() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    let link = make(&world, id, "shop.example");
    let wrong = format!("/?closte-sync-status={}", "0".repeat(32));
    let mut page = reported(now());
    for state in [
        "present",
        "wanted",
        "adding",
        "rejected",
        "protected",
        "removing",
        "absent",
        "expiring",
        "missing",
        "invalid",
        "unknown",
    ] {
        for light in 0..3 {
            page["lights"][light]["state"] = json!(state);
        }
        report(&world, id, &page);
        for language in ["en", "nl"] {
            for path in [&link, &wrong] {
                let shown =
                    text(&send(&world, "GET", &format!("{path}&lang={language}&looked=1"), ""))
                        .to_lowercase();
                let mut internal = INTERNAL.into_iter().chain(["closte", state]);
                assert_eq!(internal.find(|word| shown.contains(word)), None, "{shown}");
            }
        }
    }
}

#[test]
fn a_link_ends_with_its_time_its_mapping_its_name_its_network_and_the_plugin() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    let link = make(&world, id, "shop.example");
    report(&world, id, &reported(now()));
    let status = || send(&world, "GET", &link, "").status;
    let sql = |sql: &str| _ = world.database.execute(sql);
    assert_eq!(status(), 200);
    for wrong in ["", "0", &"0".repeat(32), &link[21..52], "%27%20OR%201"] {
        let answer = send(&world, "GET", &format!("/?closte-sync-status={wrong}"), "");
        assert_eq!(answer.status, 404, "{wrong}");
        assert!(
            text(&answer)
                .starts_with("This link is no longer valid | Ask The Network for a new one.")
        );
        assert!(answer.head.contains("x-robots-tag: noindex"), "{}", answer.head);
        assert_eq!(send(&world, "POST", &format!("/?closte-sync-status={wrong}"), "").status, 404);
    }
    assert_eq!(send(&world, "GET", "/?closte-sync-status[]=1", "").status, 404);

    let rename = |from: &str, to: &str| {
        format!("UPDATE wp_wu_domain_mappings SET domain = '{to}' WHERE domain = '{from}'")
    };
    sql(&rename("shop.example", "other.example"));
    assert_eq!(status(), 404, "it has another name");
    sql(&rename("other.example", "shop.example"));
    assert_eq!(status(), 200);
    sql(&format!("UPDATE wp_wu_domain_mappings SET id = 900 WHERE id = {id}"));
    assert_eq!(status(), 404, "it is another mapping");
    sql(&format!("UPDATE wp_wu_domain_mappings SET id = {id}, blog_id = 77 WHERE id = 900"));
    assert_eq!(status(), 404, "it is no site's of this network");
    sql("UPDATE wp_wu_domain_mappings SET blog_id = 1");
    assert_eq!(status(), 200);
    world.call("home", &json!({"domain": "original.example", "ledger": "l-9"}));
    assert_eq!(status(), 404, "this is a copy");
    assert_eq!(world.call("hello", &json!({}))["status_pages"], json!([]));
    sql("DELETE FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'");
    assert_eq!(status(), 200);
    let links = "UPDATE wp_sitemeta SET meta_value = REPLACE(meta_value, '@a', '@b') WHERE meta_key = 'closte_sync_links'";
    sql(&links.replace("@a", "\"network.example ").replace("@b", "\"copied.example "));
    assert_eq!(status(), 404, "it was made in another network");
    sql(&links.replace("@a", "\"copied.example ").replace("@b", "\"network.example "));
    assert_eq!(status(), 200);
    let until = world.kept("closte_sync_links")[id.to_string()]["until"].as_u64().unwrap();
    assert!((29..=30).contains(&((until - now()) / 86400)), "30 days");
    sql(&links.replace("@a", &until.to_string()).replace("@b", &now().to_string()));
    assert_eq!(status(), 404, "its time is over");

    make(&world, id, "shop.example");
    assert_ne!(world.read_option("closte_sync_links"), Value::Null);
    world.wordpress.deactivate_plugin();
    assert_eq!(world.read_option("closte_sync_links"), Value::Null, "the plugin is not active");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn the_button_has_the_domain_looked_at_within_limits() {
    let world = World::new();
    let names: Vec<String> = (0..11).map(|at| format!("d{at}.example")).collect();
    let links: Vec<String> =
        names.iter().map(|it| make(&world, world.map(it, "checking-dns"), it)).collect();
    let press = |at: usize| send(&world, "POST", &format!("{}&lang=en", links[at]), "");
    let first = press(0);
    assert_eq!(first.status, 303, "{first:?}");
    let back = first.head.lines().find_map(|it| it.strip_prefix("location: ")).expect("a place");
    assert_eq!(back, format!("{}&lang=en&looked=1", &links[0][1..]));
    let shown = text(&send(&world, "GET", &format!("/{back}"), ""));
    assert!(
        shown.starts_with("It is looked at now. Load this page again in a minute. | "),
        "{shown}"
    );
    let again = press(0);
    let wait = again.head.lines().find_map(|it| it.strip_prefix("retry-after: ")).expect("when");
    assert_eq!((again.status, (1..=60).contains(&wait.parse::<u64>().unwrap())), (429, true));
    assert!(text(&again).starts_with("It cannot be looked at more often. Try again in "));
    assert!((1..10).all(|at| press(at).status == 303));
    assert_eq!(press(10).status, 429, "ten in all");
    let rechecks = world.call("hello", &json!({"take": true}))["rechecks"].clone();
    assert_eq!(rechecks, json!(names[..10]));

    // All of a minute ago.
    world.database.execute("UPDATE wp_sitemeta SET meta_value = REGEXP_REPLACE(meta_value, ':[0-9]+', ':1000') WHERE meta_key = 'closte_sync_looks'");
    assert_eq!(press(10).status, 303);
    assert_eq!(world.call("hello", &json!({"take": true}))["rechecks"], json!([names[10]]));
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn requests_that_come_at_once_pass_neither_limit() {
    let world = World::new();
    let take = "$ids = range(1, 40); shuffle($ids); foreach ([...$ids, ...$ids] as $id) { \
        if (0 === Closte_Sync\\Look_Limits::take($id, 1795000000)) { echo $id, \"\\n\"; } }";
    let granted: Vec<String> = thread::scope(|scope| {
        let several: Vec<_> = (0..6).map(|_| scope.spawn(|| world.wordpress.php(take))).collect();
        several.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let mut granted: Vec<&str> = granted.iter().flat_map(|it| it.lines()).collect();
    assert_eq!(granted.len(), 10, "{granted:?}");
    granted.sort_unstable();
    granted.dedup();
    assert_eq!(granted.len(), 10, "each once: {granted:?}");
}

#[test]
fn the_command_line_makes_and_ends_links() {
    let world = World::new();
    let id = world.map("shop.example", "checking-dns");
    let run = |code: &str| {
        world.wordpress.php(&format!(
            "final class WP_CLI {{ static function __callStatic($name, $said) {{ echo \"$name: $said[0]\\n\"; }} }} \
             $cli = new Closte_Sync\\Cli(); {code}"
        ))
    };
    let made = run("$cli->link(['Shop.example']);");
    let address = made.lines().find_map(|it| it.strip_prefix("log: ")).expect(&made);
    assert_eq!(send(&world, "GET", &path(address), "").status, 200);
    assert_eq!(world.call("hello", &json!({}))["status_pages"], json!([id]));
    let revoke = "$cli->link(['shop.example'], ['revoke' => true]);";
    assert_eq!(run(revoke), "success: The link of shop.example ended.\n");
    assert_eq!(run(revoke), "success: shop.example has no link.\n");
    assert!(run("$cli->link(['no.example']);").starts_with("error: no.example is not mapped"));
    let many = "for ($id = 1; $id <= 501; $id++) { echo null === Closte_Sync\\Status_Links::make($id, 'a.example') ? \"no $id\" : ''; }";
    assert_eq!(world.wordpress.php(many), "no 501");
}

#[test]
fn pages_that_are_not_stored_are_not_acknowledged_and_an_older_engine_has_none() {
    let world = World::new();
    world.heard();
    assert_eq!(world.read_option("closte_sync_pages"), Value::Null);
    report(&world, 1, &reported(now()));
    assert_eq!(world.kept("closte_sync_pages")["1"]["domain"], "shop.example");
    let pages: serde_json::Map<_, _> =
        (0..600).map(|id| (id.to_string(), reported(now()))).collect();
    world.call("report", &json!({ "pages": pages }));
    assert_eq!(world.kept("closte_sync_pages").as_object().unwrap().len(), 500);
    world.heard();
    assert_eq!(world.kept("closte_sync_pages"), json!([]), "what nobody reports is no more");
    world.break_options();
    let refused = world.refused(&Call::signed("report", &json!({"pages": {"1": reported(now())}})));
    assert_eq!(refused, (503, "closte_sync_not_stored".to_owned()));
}
