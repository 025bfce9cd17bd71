//! What tests rely on: these servers do as a host's, and show the harm that a child of PHP can do.

use std::fs;

use testkit::eventually;
use testkit::wordpress::Listen;

use crate::world::World;

/// Starts what `$command` says, and leaves it.
const DETACH: &str = "
    $detached = ['/bin/sh', '-c', '\"$@\" </dev/null >/dev/null 2>&1 &', 'sh', ...$command];
    proc_close(proc_open($detached, [], $pipes));";

/// Closes what it inherited, makes its first file, waits for the second and makes the third.
const CLOSE_AND_WAIT: &str = "for it in /proc/$$/fd/*; do it=${it##*/}; \
    [ $it -lt 3 ] || eval \"exec $it>&-\"; done; \
    touch $1; while [ ! -e $2 ]; do sleep .1; done; touch $3";

#[test]
fn sites_are_told_apart_by_name_and_files_are_files() {
    let world = World::new(Listen::Socket);
    world.wordpress.create_site("shop.network.example", "/");
    let shop = world.get("shop.network.example", "/wp-json/");
    assert!(shop.contains("Site shop.network.example"), "{shop}");
    let style = world.get("network.example", "/wp-admin/css/login.css");
    assert!(style.contains("Content-Type: text/css"), "{style}");
    let none = world.get("network.example", "/no/such/page");
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
    let admin = world.get("network.example", "/wp-admin/network/");
    assert!(admin.contains("http://network.example/wp-login.php?redirect_to="), "{admin}");
}

#[test]
fn wordpress_knows_that_it_runs_its_cron_while_it_is_loaded() {
    let world = World::new(Listen::Port);
    let seen = world.file("seen");
    let plugin = world.wordpress.root().join("wp-content/mu-plugins/seen.php");
    let note = format!(
        "<?php file_put_contents('{}', ABSPATH . (wp_doing_cron() ? ' cron' : ''));",
        seen.display()
    );
    fs::write(plugin, note).unwrap();
    let cron = format!("{}/ cron", world.wordpress.root().display());
    world.get("network.example", "/wp-cron.php");
    eventually("its cron", || fs::read_to_string(&seen).is_ok_and(|it| it == cron));
}

#[test]
fn a_page_is_complete_before_what_php_does_after_it() {
    for listen in [Listen::Port, Listen::Socket] {
        let world = World::new(listen);
        let (go_on, done) = (world.file("go-on"), world.file("done"));
        world.script(
            "after.php",
            &format!(
                "echo 'the page'; fastcgi_finish_request(); \
                 while (!file_exists('{}')) {{ usleep(10000); clearstatcache(); }} touch('{}');",
                go_on.display(),
                done.display()
            ),
        );
        assert!(world.get("network.example", "/after.php").ends_with("the page"));
        assert!(!done.exists());
        fs::write(go_on, "").unwrap();
        eventually("what comes after", || done.exists());
    }
}

#[test]
fn php_finds_the_home_that_the_test_made() {
    let world = World::new(Listen::Port);
    world.script("home.php", "echo posix_getpwuid(posix_geteuid())['dir'];");
    let answer = world.get("network.example", "/home.php");
    let home = world.file("home").display().to_string();
    assert!(answer.ends_with(&home), "{answer}");
}

/// A socket is a file, which PHP-FPM deletes and makes anew; a port is not.
#[test]
fn a_child_that_keeps_what_it_inherited_stops_php_fpm_on_a_port_from_coming_up() {
    let mut world = World::new(Listen::Port);
    world.script("keep.php", &format!("$command = ['sleep', '1000']; {DETACH} echo 'done';"));
    assert!(world.get("network.example", "/keep.php").ends_with("done"));
    let said = world.server.restart_fpm().unwrap_err();
    assert!(said.contains("Address already in use"), "{said}");
}

#[test]
fn php_fpm_comes_up_beside_a_child_that_closed_what_it_inherited() {
    for listen in [Listen::Port, Listen::Socket] {
        let mut world = World::new(listen);
        let [began, go_on, done] = ["began", "go-on", "done"].map(|name| world.file(name));
        let files = [&began, &go_on, &done].map(|it| format!("'{}'", it.display())).join(", ");
        let command = format!("$command = ['bash', '-c', '{CLOSE_AND_WAIT}', 'bash', {files}];");
        world.script("close.php", &format!("{command} {DETACH} echo 'done';"));
        assert!(world.get("network.example", "/close.php").ends_with("done"));
        eventually("its child", || began.exists());
        world.server.restart_fpm().unwrap();
        assert!(world.get("network.example", "/wp-json/").starts_with("HTTP/1.1 200"));
        fs::write(go_on, "").unwrap();
        eventually("its child goes on", || done.exists());

        world.server.kill_fpm();
        assert!(world.get("network.example", "/wp-json/").starts_with("HTTP/1.1 502"));
        world.server.start_fpm().unwrap();
        assert!(world.get("network.example", "/wp-json/").starts_with("HTTP/1.1 200"));
    }
}
