//! The program and its plugin together, in a real WordPress: what one says, the other does.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::mariadb::MariaDb;
use testkit::wordpress::{Server, UltimateMultisite, WordPress};

use crate::running::{eventually, stop};
use crate::world::{KEY, Ran, World};

/// A network with the plugin in it, served, and a host.
struct Joined {
    world: World,
    wordpress: WordPress,
    server: Server,
}

impl Joined {
    /// Without the plugin yet.
    async fn remote() -> Self {
        Self::bare(UltimateMultisite::Registry).await
    }

    async fn bare(version: UltimateMultisite) -> Self {
        let mut world = World::around(MariaDb::shared().fresh_database()).await;
        let constants = [
            ("CLOSTE_CLIENT_API_KEY", KEY),
            ("CLOSTE_APP_ID", "app1"),
            ("AUTH_KEY", "one half of the salt"),
            ("AUTH_SALT", "and the other"),
        ];
        let wordpress = WordPress::install(&world.database, &world.root(), &constants);
        wordpress.add_ultimate_multisite(version);
        let server = wordpress.serve();
        world.set("network.url", &format!("http://{}", server.address()));
        world.set("removal.confirmations", "1");
        Self { world, wordpress, server }
    }

    async fn new() -> Self {
        let joined = Self::remote().await;
        joined.world.done("plugin install");
        joined
    }

    /// A domain that is mapped by SQL, as old as the network.
    fn mapped(&self, domain: &str) -> u64 {
        let site = self.wordpress.create_site(&format!("site-of-{domain}"), "/");
        self.world.map(site, domain)
    }

    /// What Ultimate Multisite says of a mapping, its object cache included.
    fn served(&self, mapping: u64) -> String {
        self.wordpress.php(&format!(
            "$it = wu_get_domain({mapping}); \
             echo $it->get_stage(), ' ', $it->is_secure() ? 1 : 0, ' ', $it->is_primary_domain() ? 1 : 0;"
        ))
    }

    /// The resident program, its first pass over; only a nudge makes it quick.
    fn run(&mut self) -> Running {
        self.world.set("run.poll", "1h");
        let child = self.world.command("run").spawn().unwrap();
        eventually("the first pass", || {
            let status = self.world.run("status --output json");
            status.code == 0 && !status.json()["last_pass"].is_null()
        });
        Running(Some(child))
    }

    fn option(&self, name: &str) -> Value {
        let code = format!("echo json_encode(get_network_option(1, '{name}'));");
        serde_json::from_str(&self.wordpress.php(&code)).unwrap()
    }

    /// The last report.
    fn report(&self) -> Value {
        let report = self.option("closte_sync_report");
        serde_json::from_str(report.as_str().unwrap_or("null")).unwrap()
    }

    /// A person asks for something on the page.
    fn asks(&self, kind: &str, what: &str, ledger: &Value) {
        let ledger = ledger.as_str().expect("a ledger");
        let asked = format!("\\Closte_Sync\\Requests::add('{kind}', '{what}', '{ledger}')");
        assert_eq!(self.wordpress.php(&format!("var_dump({asked});")), "bool(true)\n");
    }

    /// A page of the network, to a stranger.
    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.server.address()).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: network.example\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }

    fn secret_file(&self) -> String {
        fs::read_to_string(self.world.ledger().with_file_name("plugin-secret")).unwrap()
    }
}

/// The resident program; it ends with the test.
struct Running(Option<Child>);

impl Running {
    fn stop(mut self) -> Ran {
        stop(self.0.take().unwrap()).0
    }
}

impl Drop for Running {
    /// Where a test fails, what the program said is of use.
    #[expect(clippy::print_stderr, reason = "shown with a test that failed")]
    fn drop(&mut self) {
        let Some(mut run) = self.0.take() else { return };
        _ = run.kill();
        let output = run.wait_with_output().unwrap();
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// How a check of `plugin …` or `doctor` came out.
fn state(checks: &Value, check: &str) -> String {
    let checks = checks["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["check"] == check);
    let found = found.unwrap_or_else(|| panic!("no {check} in {checks:#?}"));
    found["state"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_put_in_place_agrees_gets_a_new_secret_and_is_taken_away() {
    let joined = Joined::remote().await;
    let before = joined.world.run("plugin status --output json");
    assert_eq!(before.code, 1, "{before:?}");
    assert_eq!(state(&before.json(), "files"), "fail");

    let installed = joined.world.json("plugin install");
    for check in ["secret", "files", "active", "answers"] {
        assert_eq!(state(&installed, check), "ok", "{installed:#}");
    }
    let file = joined.world.ledger().with_file_name("plugin-secret");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = joined.secret_file();
    assert_eq!(joined.option("closte_sync_secret"), json!(secret.trim()));
    assert_eq!(secret.trim().len(), 64);
    let active = joined.option("active_sitewide_plugins");
    assert!(active["closte-sync/closte-sync.php"].is_number(), "{active}");
    joined.world.done("plugin status");
    assert_eq!(state(&joined.world.json("doctor"), "plugin"), "ok");

    joined.world.done("plugin install");
    assert_eq!(joined.secret_file(), secret, "what is right stays");
    let rotated = joined.world.done("plugin rotate");
    assert_ne!(joined.secret_file(), secret);
    for ran in [&rotated, &joined.world.done("plugin status")] {
        for printed in [&ran.out, &ran.err] {
            assert!(!printed.contains(secret.trim()), "{printed}");
            assert!(!printed.contains(joined.secret_file().trim()), "{printed}");
        }
    }

    let kept = "SELECT COUNT(*) FROM wp_options WHERE option_name LIKE '%closte%'";
    assert_ne!(joined.world.database.execute(kept), "0\n", "nonces");
    joined.world.done("plugin remove");
    assert!(!file.exists());
    assert_eq!(joined.world.database.execute(kept), "0\n");
    assert!(!joined.world.root().join("wp-content/plugins/closte-sync").exists());
    assert_eq!(joined.option("closte_sync_secret"), json!(false));
    assert_eq!(joined.option("active_sitewide_plugins"), json!([]));
    assert_eq!(joined.world.run("plugin status").code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_carries_its_own_engine_is_shared_a_secret_with_and_keeps_its_files() {
    let joined = Joined::new().await;
    let folder = joined.world.root().join("wp-content/plugins/closte-sync");
    fs::create_dir(folder.join("bin")).unwrap();
    fs::write(folder.join("bin/closte-sync"), "ELF").unwrap();
    let forget = "DELETE FROM wp_sitemeta WHERE meta_key LIKE 'closte%secret' \
        OR meta_key = 'active_sitewide_plugins'";
    joined.world.database.execute(forget);
    let installed = joined.world.json("plugin install");
    for check in ["secret", "files", "active", "answers"] {
        assert_eq!(state(&installed, check), "ok", "{installed:#}");
    }
    assert_eq!(fs::read_to_string(folder.join("bin/closte-sync")).unwrap(), "ELF");
    let status = joined.world.done("plugin status");
    assert!(status.out.contains("which carries its own engine"), "{status:?}");

    let main = folder.join("closte-sync.php");
    let other = fs::read_to_string(&main).unwrap().replace(env!("CARGO_PKG_VERSION"), "9.8.7");
    fs::write(&main, &other).unwrap();
    joined.world.database.execute(forget);
    let refused = joined.world.run("plugin install");
    refused.fails(1, &["carries its own engine and is version 9.8.7", "Add New > Upload Plugin"]);
    assert_eq!(fs::read_to_string(&main).unwrap(), other);
    assert!(folder.join("bin/closte-sync").exists());
    assert_eq!(joined.option("closte_sync_secret"), json!(false), "nothing was changed");
    assert_eq!(joined.option("active_sitewide_plugins"), json!(false), "nothing was changed");
    let status = joined.world.run("plugin status");
    assert!(status.out.contains("version 9.8.7, which carries its own engine"), "{status:?}");
    assert!(status.out.contains("it brings plugin and engine"), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn before_it_is_taken_away_the_built_in_gets_its_work_back() {
    let joined = Joined::new().await;
    let waits = joined.mapped("waits.example");
    joined.world.done("sync");
    joined.wordpress.php(&format!(
        "do_action('wu_async_process_domain_stage', {waits}, 2); \
         do_action('wu_remove_domain', 'gone.example', 1);"
    ));
    assert_eq!(joined.wordpress.queue(), [""; 0], "its chain has ended");
    let removed = joined.world.json("plugin remove");
    let check = format!("wu_async_process_domain_stage domain_id={waits} tries=0");
    assert_eq!(joined.wordpress.queue(), [check], "{removed:#}");
    assert_eq!(state(&removed, "built-in"), "warn", "{removed:#}");
    assert!(removed.to_string().contains("gone.example"), "{removed:#}");
    assert!(removed.to_string().contains("switched off"), "{removed:#}");
    assert_eq!(joined.option("active_sitewide_plugins"), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_wordpress_cannot_be_told_that_the_plugin_goes_people_are() {
    let joined = Joined::new().await;
    joined.world.done("sync");
    let Joined { world, server, .. } = joined;
    drop(server);
    let removed = world.done("plugin remove");
    for text in ["WordPress was not told", "save each on its page", "switched off"] {
        assert!(removed.out.contains(text), "{text}: {removed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_networks_admin_shows_what_a_pass_waits_for() {
    let joined = Joined::new().await;
    joined.world.done("sync");
    let config = joined.world.root().join("wp-config.php");
    let wrong = fs::read_to_string(&config).unwrap().replace(KEY, "not-the-key-of-this-app");
    fs::write(&config, wrong).unwrap();
    joined.mapped("shop.example");
    joined.world.run("sync");
    let notices = joined.wordpress.php(
        "foreach (Closte_Sync\\Notices::all() as $it) { echo $it['code'], ': ', $it['text']; }",
    );
    assert!(notices.starts_with("key-refused: "), "{notices}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_plugins_may_not_be_written_there_is_a_zip() {
    let joined = Joined::remote().await;
    let plugins = joined.world.root().join("wp-content/plugins");
    // Not even root can make a folder in a file.
    fs::remove_dir(&plugins).unwrap();
    fs::write(&plugins, "").unwrap();
    let ran = joined.world.run("plugin install");
    assert_eq!(ran.code, 1, "{ran:?}");
    let zip = joined.world.ledger().with_file_name("closte-sync-plugin.zip");
    assert!(ran.out.contains(&zip.display().to_string()), "{ran:?}");
    assert_eq!(&fs::read(&zip).unwrap()[..4], b"PK\x03\x04");
    assert_eq!(joined.option("closte_sync_secret"), json!(joined.secret_file().trim()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_what_the_next_request_is_served_though_objects_are_cached() {
    let joined = Joined::new().await;
    joined.wordpress.keep_object_cache();
    let shop = joined.mapped("shop.example");
    joined.world.here("shop.example");
    assert_eq!(joined.served(shop), "checking-dns 0 0", "and that is cached now");
    let status = joined.world.done("sync");
    assert!(!status.out.contains("problem"), "{status:?}");
    assert_eq!(joined.world.stage("shop.example"), "done 1");
    assert_eq!(joined.served(shop), "done 1 1", "its hooks ran: it is its site's first now");
    assert_eq!(joined.wordpress.built_in_calls(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_ultimate_multisite_would_refuse_is_served_too() {
    for version in [UltimateMultisite::Registry, UltimateMultisite::Hooks] {
        let joined = Joined::bare(version).await;
        joined.world.done("plugin install");
        let name = "shop.xn--p1ai";
        joined.world.map(1, name);
        joined.world.here(name);
        let ran = joined.world.done("sync");
        assert_eq!(joined.world.stage(name), "done 1", "{version:?}: {ran:?}");
        assert!(!ran.out.contains("not valid"), "{version:?}: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_sql_alone_it_is_served_late_and_that_is_reported() {
    let mut joined = Joined::new().await;
    joined.world.set("network.write", "sql");
    joined.wordpress.keep_object_cache();
    let shop = joined.mapped("shop.example");
    joined.world.here("shop.example");
    assert_eq!(joined.served(shop), "checking-dns 0 0");
    let ran = joined.world.done("sync");
    assert!(ran.out.contains("wp cache flush"), "{ran:?}");
    assert_eq!(joined.world.stage("shop.example"), "done 1");
    assert_eq!(joined.served(shop), "checking-dns 0 0", "the cache knows nothing of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_wordpress_is_down_domains_are_followed_all_the_same() {
    let joined = Joined::new().await;
    joined.mapped("shop.example");
    joined.world.here("shop.example");
    let Joined { world, server, .. } = joined;
    drop(server);
    let ran = world.done("sync");
    assert!(ran.out.contains("closte-sync's plugin in WordPress did not answer"), "{ran:?}");
    assert_eq!(world.stage("shop.example"), "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_wordpress_reaches_the_host_by_a_nudge() {
    let mut joined = Joined::new().await;
    let run = joined.run();
    let start = Instant::now();
    joined.wordpress.create_site("shop.network.example", "/");
    let created = start.elapsed();
    eventually("its alias", || joined.world.aliases() == ["shop.network.example"]);
    print_times("created", created, start.elapsed());
    let ran = run.stop();
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nudge_goes_over_http_where_the_program_listens() {
    let mut joined = Joined::new().await;
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    joined.world.set("run.listen", &free.to_string());
    let run = joined.run();
    let file = joined.world.ledger().with_file_name("ledger.db.nudge");
    fs::remove_file(&file).unwrap();
    joined.wordpress.create_site("shop.network.example", "/");
    eventually("its alias", || joined.world.aliases() == ["shop.network.example"]);

    // Where the secret is exchanged, it listens anew at the same address.
    joined.world.done("plugin rotate");
    eventually("the new ears", || file.exists());
    fs::remove_file(&file).unwrap();
    joined.wordpress.create_site("blog.network.example", "/");
    let both = ["blog.network.example", "shop.network.example"];
    eventually("the other's alias", || joined.world.aliases() == both);
    let ran = run.stop();
    assert!(ran.err.contains("nudged by the plugin"), "{ran:?}");
    assert!(!ran.err.contains("could not listen"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_want_checked_in_wordpress_is_checked() {
    let mut joined = Joined::new().await;
    joined.mapped("shop.example");
    let run = joined.run();
    let waits = || joined.world.domain("shop.example")["routing"]["reason"] == "no-such-name";
    eventually("it is checked", waits);
    joined.world.here("shop.example");
    joined.wordpress.php("\\Closte_Sync\\Rechecks::add('shop.example');");
    eventually("it is done", || joined.world.stage("shop.example") == "done 1");
    run.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_is_taken_up_by_the_resident_program() {
    let mut joined = Joined::new().await;
    let run = joined.run();
    joined.world.done("plugin rotate");
    joined.wordpress.create_site("shop.network.example", "/");
    eventually("its alias", || joined.world.aliases() == ["shop.network.example"]);
    eventually("its stage", || joined.world.stage("shop.network.example") == "checking-dns 0");
    let status = joined.world.json("plugin status");
    assert_eq!(state(&status, "answers"), "ok", "{status:#}");
    let ran = run.stop();
    assert!(!ran.err.contains("ERROR"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_in_the_log_that_ultimate_multisite_shows() {
    let joined = Joined::new().await;
    joined.mapped("shop.example");
    joined.world.sandbox.closte().behave(|host| _ = host.refused.insert("shop.example".to_owned()));
    joined.world.done("sync");
    let log = joined.wordpress.log("integration-closte").join("\n");
    assert!(log.contains("shop.example: add-alias rejected"), "{log}");
    let report = joined.option("closte_sync_domains");
    assert!(report.to_string().contains("invalid-domain"), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_another_machine_the_plugin_is_source_and_writer() {
    let mut joined = Joined::new().await;
    let shop = joined.mapped("shop.example");
    joined.world.here("shop.example");
    let key = joined.world.folder.path().join("api-key");
    fs::write(&key, KEY).unwrap();
    joined.world.set("closte.api_key_file", &key.display().to_string());
    joined.world.set("network.source", "rest");
    joined.world.set("network.host", "network.example");
    // The files of WordPress are not checked: from anywhere else it is the same.
    joined.world.set("network.wp_config", "/nowhere/wp-config.php");
    let ran = joined.world.done("sync");
    assert_eq!(joined.world.aliases(), ["shop.example"], "{ran:?}");
    assert_eq!(joined.served(shop), "done 1 1");
    let home = joined.option("closte_sync_home");
    assert!(home.to_string().contains("network.example"), "{home}");
    joined.world.unmap("shop.example");
    joined.world.done("sync");
    assert_eq!(joined.world.aliases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_in_wordpress_is_done_by_the_next_pass() {
    let joined = Joined::new().await;
    let names = ["a.example", "b.example", "c.example", "d.example"];
    for name in names {
        joined.mapped(name);
    }
    joined.world.done("sync");
    assert_eq!(joined.world.aliases(), names);
    let counted: Value = joined.report()["counts"].clone();
    let status = joined.world.json("status");
    assert_eq!(status["counts"]["checking-dns"], counted["checking-dns"], "{status:#}");
    for name in names {
        joined.world.unmap(name);
    }
    joined.world.run("sync");
    let report = joined.report();
    assert_eq!(report["deferred"].as_array().unwrap().len(), 4, "{report:#}");

    joined.asks("keep", "a.example", &report["ledger"]);
    joined.asks("apply", report["plan"].as_str().unwrap(), &report["ledger"]);
    joined.world.run("sync");
    assert_eq!(joined.world.aliases(), names, "without the one that is kept it is another plan");
    let told = joined.option("closte_sync_answers").to_string();
    assert!(told.contains("any more: it is") && told.contains("\\\"done\\\":true"), "{told}");

    let report = joined.report();
    joined.asks("apply", report["plan"].as_str().unwrap(), &report["ledger"]);
    let ran = joined.world.done("sync");
    assert!(ran.out.contains("remove-alias b.example"), "{ran:?}");
    assert_eq!(joined.world.aliases(), ["a.example"]);
    assert_eq!(joined.report()["deferred"], json!([]));
    assert_eq!(joined.option("closte_sync_request"), json!(false), "each is answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_program_does_at_once_what_is_decided_in_wordpress() {
    let mut joined = Joined::new().await;
    joined.mapped("a.example");
    joined.mapped("b.example");
    joined.world.done("sync");
    joined.world.unmap("a.example");
    joined.world.unmap("b.example");
    let run = joined.run();
    eventually("what is kept back", || joined.report()["plan"].is_string());
    let report = joined.report();
    joined.asks("apply", report["plan"].as_str().unwrap(), &report["ledger"]);
    eventually("the plan is applied", || joined.world.aliases().is_empty());
    run.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_with_a_link_sees_on_its_page_what_to_change_and_has_it_looked_at() {
    let mut joined = Joined::new().await;
    let shop = joined.mapped("shop.example");
    let run = joined.run();
    joined.world.elsewhere("shop.example");
    let make = format!("echo \\Closte_Sync\\Status_Links::make({shop}, 'shop.example');");
    let link = joined.wordpress.php(&make);
    let path = link.strip_prefix("http://network.example").expect("an address of the network");
    let look = |language: &str| joined.get(&format!("{path}&lang={language}"));
    eventually("it is reported", || !look("en").contains("It is being looked at"));
    joined.wordpress.php("\\Closte_Sync\\Rechecks::add('shop.example');");
    eventually("what is found now", || look("en").contains("192.0.2.77"));
    let (english, dutch) = (look("en"), look("nl"));
    assert!(
        english.contains("It is your turn: 1 record") && english.contains("192.0.2.77"),
        "{english}"
    );
    assert!(dutch.contains("werkt nog niet zoals het moet."), "{dutch}");
    joined.world.here("shop.example");
    joined.wordpress.php("\\Closte_Sync\\Rechecks::add('shop.example');");
    eventually("it is ready", || look("en").contains("<span>Ready</span>"));
    run.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_looked_at_by_the_next_pass_before_it_is_mapped() {
    let joined = Joined::new().await;
    joined.world.done("sync");
    joined.world.elsewhere("new.example");
    joined.asks("explain", "new.example", &joined.report()["ledger"]);
    joined.world.done("sync");
    let told = joined.option("closte_sync_answers");
    let told: Value = serde_json::from_str(told.as_str().unwrap()).unwrap();
    let explained = &told[0]["explained"];
    assert_eq!(
        (&explained["display"], &explained["turn"]),
        (&json!("new.example"), &json!("owner"))
    );
    assert_eq!(explained["records"][0]["name"], "new.example", "{told:#}");
    assert_eq!(joined.world.json("status")["domains"], json!([]), "nothing remembers it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_tells_the_plugin_only_that_it_does_not_act_until_it_is_asked_to() {
    let joined = Joined::new().await;
    joined.mapped("shop.example");
    joined.world.done("sync");
    joined.wordpress.php("\\Closte_Sync\\Rechecks::add('shop.example');");
    let before = joined.option("closte_sync_heard");
    let config = joined.world.root().join("wp-config.php");
    let copied = fs::read_to_string(&config).unwrap().replace("'app1'", "'app2'");
    fs::write(&config, copied).unwrap();
    let ran = joined.world.run("sync");
    ran.fails(1, &["this is a copy"]);
    assert_eq!(joined.option("closte_sync_heard"), before);
    assert_eq!(joined.option("closte_sync_recheck"), json!("shop.example"), "it still waits");
    let report = joined.report();
    let standbys = joined.option("closte_sync_standbys").to_string();
    let ledger = report["ledger"].as_str().unwrap();
    assert!(standbys.contains(ledger) && standbys.contains("this is a copy"), "{standbys}");

    joined.asks("keep", "shop.example", &report["ledger"]);
    joined.world.run("sync").fails(1, &["this is a copy"]);
    joined.asks("here", "", &json!("another"));
    joined.world.run("sync").fails(1, &["this is a copy"]);
    joined.asks("here", "", &report["ledger"]);
    let ran = joined.world.done("sync");
    assert!(!ran.out.contains("this is a copy"), "{ran:?}");
    assert_eq!(joined.option("closte_sync_recheck"), json!(false), "who acts takes it");
    assert!(joined.option("closte_sync_home").to_string().contains("app2"));
    assert_eq!(joined.option("closte_sync_standbys"), json!("[]"));
}

/// Shown with `--nocapture`: how long it took, of which WordPress itself so much.
#[expect(clippy::print_stderr, reason = "nothing is asserted by the clock")]
fn print_times(what: &str, wordpress: Duration, all: Duration) {
    eprintln!("{what} in {wordpress:?}, at the host after {all:?}");
}
