//! From the upload of one zip to a domain that came, was served and went; no shell is touched.

use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::handed_out;
use testkit::wordpress::{Browser, Listen};

use crate::hosted::Hosted;
use crate::running::eventually;

/// How soon the host is to hear of a domain that was mapped.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Upload the zip and activate it for the network, by WordPress' own pages.
fn install(hosted: &Hosted) {
    let zip = handed_out::zip();
    let browser = Browser::open(hosted.server.address());
    browser.log_in();
    browser.go("/wp-admin/network/plugin-install.php?tab=upload");
    browser.fill("#pluginzip", zip.to_str().unwrap());
    browser.click("#install-plugin-submit");
    browser.sees("Plugin installed successfully.");
    browser.click_link("Network Activate");
    browser.sees("Plugin activated.");
    browser.go("/wp-admin/network/settings.php?page=closte-sync");
    browser.sees("closte-sync");
    assert!(!browser.text().contains("critical error"), "{}", browser.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_upload_and_one_switch_are_all_that_is_needed() {
    let hosted = Hosted::without_plugin(Listen::Port).await;
    hosted.world.here("shop.example");
    install(&hosted);
    let sql = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_carried'";
    let carried: Value = serde_json::from_str(&hosted.world.database.execute(sql)).unwrap();
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
