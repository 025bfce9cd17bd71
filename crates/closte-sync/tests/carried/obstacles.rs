//! Hosts on which the engine cannot run, or not when it should: each is told on the page, with what
//! to do, and nothing is lost.

use std::fs;
use std::process::Command;

use sandbox::closte::{CallKind, Fault};
use testkit::wordpress::{Browser, Fpm, Listen};

use crate::children::SLOW;
use crate::hosted::{Hosted, PAGE};
use crate::running::eventually;

const DOMAIN: &str = "shop.example";

/// That the page tells of an obstacle, and that a mapping that comes meanwhile is not lost.
fn tells(hosted: &Hosted, words: &str) -> Browser {
    hosted.world.here(DOMAIN);
    hosted.page(&format!("do=map&domain={DOMAIN}"));
    hosted.cron();
    let browser = hosted.browser();
    browser.sees(words);
    assert_eq!(hosted.world.stage(DOMAIN), "checking-dns 0");
    assert_eq!(hosted.world.asked(), Vec::<String>::new(), "nobody could ask the host");
    browser
}

/// The line for cron that the page shows.
fn line(browser: &Browser) -> String {
    let shown = browser.run("return document.querySelector('.closte-sync-copy code').textContent");
    shown.as_str().expect("a line").to_owned()
}

/// That cron does the work by the line that the page shows.
fn cron_does_it_instead(hosted: &Hosted, browser: &Browser) {
    let line = line(browser);
    let command = line.strip_prefix("*/5 * * * * ").expect("a line for cron");
    let mut cron = Command::new("/bin/sh");
    cron.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", hosted.world.folder.path());
    let ran = cron.args(["-c", command]).output().unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    assert_eq!(hosted.world.aliases(), [DOMAIN]);
    hosted.becomes(DOMAIN, "done 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn php_that_may_start_no_programs_is_told_and_the_line_for_cron_works() {
    let hosted = Hosted::limited(|fpm| "proc_open".clone_into(&mut fpm.forbidden)).await;
    let browser =
        tells(&hosted, "PHP may not start programs here: its disable_functions forbids proc_open");
    cron_does_it_instead(&hosted, &browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_whose_programs_may_not_be_run_is_told_and_the_line_for_cron_works() {
    let plugins = |fpm: &mut Fpm| {
        fpm.noexec = Some(fpm.home.join("public_html/wp-content/plugins"));
    };
    let hosted = Hosted::limited(plugins).await;
    let browser = tells(&hosted, "closte-sync in the folder of this plugin may not be read or run");
    cron_does_it_instead(&hosted, &browser);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_kind_of_machine_is_told() {
    let hosted = Hosted::limited(|fpm| fpm.machine = Some("i686".to_owned())).await;
    tells(&hosted, "is built for x86_64, and this machine is i686");
}

/// PHP may not always say what machine it is on: then starting the program shows it.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_another_machine_is_told_where_php_does_not_know_its_own() {
    let hosted = Hosted::limited(|fpm| "php_uname".clone_into(&mut fpm.forbidden)).await;
    hosted.at_rest();
    hosted.page("do=switch&closte=off");
    let bin = hosted.world.root().join("wp-content/plugins/closte-sync/bin");
    let mut bytes = fs::read(bin.join("closte-sync")).unwrap();
    // Of the header of an ELF file: the machine, here that of aarch64.
    bytes[18] = 0xb7;
    fs::remove_file(bin.join("closte-sync")).unwrap();
    fs::write(bin.join("closte-sync"), bytes).unwrap();
    let pin = "sha256sum closte-sync >closte-sync.sha256";
    assert!(Command::new("sh").args(["-c", pin]).current_dir(&bin).status().unwrap().success());
    hosted.page("do=switch&closte=on");
    tells(&hosted, "The engine does not start here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_nobody_calls_is_told_and_changes_are_still_made_at_once() {
    let hosted = Hosted::without_wp_cron().await;
    hosted.world.here(DOMAIN);
    hosted.page(&format!("do=map&domain={DOMAIN}"));
    hosted.becomes(DOMAIN, "done 1");

    eventually("no pass runs", || hosted.server.engines() == 0);
    hosted.due_ago(1801);
    let browser = hosted.browser();
    browser.sees("DISABLE_WP_CRON is set in wp-config.php, and nobody has called WP-Cron");
    let line = line(&browser);
    assert!(line.ends_with("/wp-cron.php?doing_wp_cron'"), "{line}");

    hosted.server.get("network.example", "/wp-cron.php?doing_wp_cron");
    eventually("the pass is over", || hosted.last_pass()["spoke"] == true);
    browser.go(PAGE);
    browser.sees("It succeeded.");
    assert!(!browser.text().contains("nobody has called WP-Cron"), "{}", browser.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_killed_in_mid_pass_is_told_and_the_next_pass_does_its_work() {
    let hosted = Hosted::new(Listen::Port).await;
    hosted.world.here(DOMAIN);
    hosted.world.map(1, DOMAIN);
    hosted.world.sandbox.closte().fault(Fault::slow(SLOW).on(CallKind::Add).once());
    hosted.cron();
    hosted.asked_to_add(DOMAIN);
    hosted.server.kill_engines();
    eventually("the pass has failed", || hosted.failed().contains("signal 9"));
    let browser = hosted.browser();
    browser.sees("it was ended by signal 9");
    browser.sees("It is tried again by itself");

    hosted.cron();
    hosted.becomes(DOMAIN, "done 1");
    assert_eq!(hosted.world.aliases(), [DOMAIN]);
    browser.go(PAGE);
    assert!(!browser.text().contains("signal 9"), "{}", browser.text());
}
