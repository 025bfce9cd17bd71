//! From the upload of one zip to a domain that came, was served and went; no shell is touched.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::handed_out;
use testkit::wordpress::{Browser, Listen};

use crate::hosted::{Hosted, PAGE};
use crate::running::eventually;

/// How soon the host is to hear of a domain that was mapped.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Upload the zip and activate it for the network, by WordPress' own pages.
fn install(hosted: &Hosted) {
    let browser = Browser::open(hosted.server.address());
    browser.log_in();
    browser.install_plugin(&handed_out::zip());
    browser.go(PAGE);
    browser.sees("closte-sync");
    assert!(!browser.text().contains("critical error"), "{}", browser.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_upload_and_one_switch_are_all_that_is_needed() {
    let hosted = Hosted::without_plugin(Listen::Port).await;
    hosted.world.here("shop.example");
    install(&hosted);
    let carried: Value = serde_json::from_str(&hosted.kept("closte_sync_carried")).unwrap();
    assert_eq!(carried["obstacle"], Value::Null, "{carried:#}");
    hosted.page("do=switch&closte=on");
    hosted.at_rest();

    let start = Instant::now();
    hosted.page("do=map&domain=shop.example");
    eventually("its alias", || hosted.world.aliases() == ["shop.example"]);
    let took = start.elapsed();
    assert!(took < AT_ONCE, "the host knew of it after {took:?}");
    hosted.becomes("shop.example", "done 1");

    hosted.at_rest();
    hosted.page("do=unmap&domain=shop.example");
    eventually("its alias is gone", || hosted.world.aliases().is_empty());
    assert_eq!(hosted.world.asked(), ["add shop.example", "remove shop.example"]);
    assert_eq!(hosted.complaints(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_told_is_found_when_wp_cron_runs() {
    let hosted = Hosted::new(Listen::Socket).await;
    hosted.world.here("shop.example");
    hosted.world.map(1, "shop.example");
    hosted.cron();
    hosted.becomes("shop.example", "done 1");
    hosted.world.unmap("shop.example");
    eventually("no pass runs", || hosted.server.engines() == 0);
    hosted.cron();
    eventually("its alias is gone", || hosted.world.aliases().is_empty());
}

/// The names of all options that the plugin keeps.
fn options(hosted: &Hosted) -> Vec<String> {
    let sql = "SELECT meta_key FROM wp_sitemeta WHERE meta_key LIKE 'closte\\_sync\\_%' ORDER BY 1";
    hosted.world.database.execute(sql).lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_goes_on_where_it_was_and_who_deletes_it_keeps_the_ledger() {
    let hosted = Hosted::new(Listen::Port).await;
    hosted.world.here("shop.example");
    hosted.world.map(1, "shop.example");
    hosted.cron();
    hosted.becomes("shop.example", "done 1");
    let secret = hosted.kept("closte_sync_secret");
    let ledger = hosted.world.folder.path().join(".local/state/closte-sync/ledger.db");
    assert!(secret.trim().len() == 64 && ledger.is_file());

    // An older version is what the update finds.
    let main = hosted.world.root().join("wp-content/plugins/closte-sync/closte-sync.php");
    let text = fs::read_to_string(&main).unwrap();
    fs::write(&main, text.replacen(env!("CARGO_PKG_VERSION"), "0.0.1", 1)).unwrap();
    let browser = hosted.browser();
    browser.upload_plugin(&handed_out::zip());
    browser.sees("This plugin is already installed.");
    browser.click_link("Replace current with uploaded");
    browser.sees("Plugin updated successfully.");
    hosted.world.unmap("shop.example");
    hosted.cron();
    eventually("its alias is gone", || hosted.world.aliases().is_empty());
    assert_eq!(hosted.world.asked(), ["add shop.example", "remove shop.example"]);
    assert_eq!(hosted.kept("closte_sync_secret"), secret);
    browser.go(PAGE);
    browser.sees("It succeeded.");

    eventually("no pass runs", || hosted.server.engines() == 0);
    browser.go("/wp-admin/network/plugins.php");
    browser.click("#deactivate-closte-sync");
    browser.sees("Plugin deactivated.");
    hosted.world.here("late.example");
    hosted.world.map(1, "late.example");
    hosted.cron();
    assert_eq!(hosted.world.asked().len(), 2, "no pass is made any more");
    browser.click("#delete-closte-sync");
    browser.accept();
    browser.sees("was successfully deleted.");
    assert_eq!(options(&hosted), ["closte_sync_home"]);
    assert!(ledger.is_file());
}
