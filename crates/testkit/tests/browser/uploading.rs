//! The plugin as people upload, activate, update, deactivate and delete it.

use std::fs;

use testkit::wordpress::{Browser, Listen, pack};

use crate::world::World;

/// What the engine and people stored.
const STORED: &str = "\
    INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES \
    (1, 'closte_sync_secret', '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'), \
    (1, 'closte_sync_home', 'app1'), (1, 'closte_sync_heard', '1')";

/// The version in the list of plugins.
fn version(browser: &Browser) -> String {
    let script = "return document.querySelector('tr[data-slug=closte-sync] .plugin-version-author-uri, \
                  tr[data-slug=closte-sync] .second').innerText";
    browser.go("/wp-admin/network/plugins.php");
    let line = browser.run(script).to_string();
    let version = line.trim_matches('"').strip_prefix("Version ").expect("a version");
    version.split(' ').next().unwrap().to_owned()
}

/// Its options, by name.
fn options(world: &World) -> Vec<String> {
    let sql = "SELECT meta_key FROM wp_sitemeta WHERE meta_key LIKE 'closte\\_sync\\_%' ORDER BY 1";
    world.database.execute(sql).lines().map(str::to_owned).collect()
}

#[test]
fn the_zip_is_uploaded_and_activated_for_the_network_and_its_page_opens() {
    let world = World::new(Listen::Port);
    let (zip, engine) = (world.file("closte-sync.zip"), world.file("engine"));
    fs::write(&engine, "#!/bin/sh\nexit 1\n").unwrap();
    pack(&zip, "0.1.0", Some(&engine));
    let browser = world.browser();
    browser.install_plugin(&zip);
    let carried = fs::read(world.wordpress.plugin_folder().join("bin/closte-sync")).unwrap();
    assert_eq!(carried, fs::read(&engine).unwrap());
    assert_eq!(version(&browser), "0.1.0");
    browser.go("/wp-admin/network/settings.php?page=closte-sync");
    browser.sees("closte-sync");
    let text = browser.text();
    assert!(!text.contains("critical error") && !text.contains("not allowed"), "{text}");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn a_newer_zip_replaces_the_older_and_what_was_stored_stays() {
    let world = World::new(Listen::Socket);
    let (old, new) = (world.file("old.zip"), world.file("new.zip"));
    pack(&old, "0.1.0", None);
    pack(&new, "0.2.0", None);
    let browser = world.browser();
    browser.install_plugin(&old);
    world.database.execute(STORED);
    let before = options(&world);
    fs::write(world.wordpress.plugin_folder().join("left-over.php"), "<?php").unwrap();
    browser.upload_plugin(&new);
    browser.sees("This plugin is already installed.");
    browser.click_link("Replace current with uploaded");
    browser.sees("Plugin updated successfully.");
    assert_eq!(version(&browser), "0.2.0");
    assert_eq!(options(&world), before);
    assert!(!world.wordpress.plugin_folder().join("left-over.php").exists());
    let active = "echo is_plugin_active_for_network('closte-sync/closte-sync.php') ? 1 : 0;";
    let active = format!("require ABSPATH . 'wp-admin/includes/plugin.php'; {active}");
    assert_eq!(world.wordpress.php(&active), "1");
    assert_eq!(world.complaints(), Vec::<String>::new());
}

#[test]
fn deactivation_keeps_what_was_stored_and_deletion_leaves_the_mark_alone() {
    let world = World::new(Listen::Port);
    let zip = world.file("closte-sync.zip");
    pack(&zip, "0.1.0", None);
    let browser = world.browser();
    browser.install_plugin(&zip);
    world.database.execute(STORED);
    browser.go("/wp-admin/network/plugins.php");
    browser.click("#deactivate-closte-sync");
    browser.sees("Plugin deactivated.");
    let stored = options(&world);
    assert!(stored.contains(&"closte_sync_secret".to_owned()), "{stored:?}");

    browser.click("#delete-closte-sync");
    browser.accept();
    browser.sees("was successfully deleted.");
    assert!(!world.wordpress.plugin_folder().exists());
    assert_eq!(options(&world), ["closte_sync_home"]);
    assert_eq!(world.complaints(), Vec::<String>::new());
}
