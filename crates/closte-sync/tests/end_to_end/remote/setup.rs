//! What another machine has to be told, and what is said where it was not.

use std::fs;

use testkit::http_server::Method;
use testkit::rest_api::{KEY, Multisite, SECRET};

use super::Remote;
use crate::world::KEY as API_KEY;

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_reported_with_what_to_do() {
    let mut remote = Remote::with(&["shop.example"]).await;
    remote.credentials("k3y:another-secret");
    for command in ["sync", "plan", "domains remove shop.example", "enable"] {
        let ran = remote.world.run(command);
        ran.fails(2, &["WordPress refused us: HTTP 401", "hint: check the REST API's key"]);
        assert!(!ran.err.contains("another-secret"), "{ran:?}");
    }
    assert_eq!(remote.world.aliases(), Vec::<String>::new());
    assert_eq!(remote.there.rows(), ["5 1 shop.example 1 0 0 checking-dns"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_reported_before_anything_is_sent() {
    let hint = "hint: check `network.rest_credentials_file`";
    let mut remote = Remote::with(&["shop.example"]).await;
    for (text, what) in [("", "`KEY:SECRET`"), ("s3cret", "`KEY:SECRET`")] {
        remote.credentials(text);
        remote.world.run("sync").fails(2, &[what, hint]);
    }
    remote.world.set("network.rest_credentials_file", "/nowhere/rest-credentials");
    let words = "could not read the credentials of the REST API in `/nowhere/rest-credentials`";
    remote.world.run("sync").fails(2, &[words, hint]);
    remote.world.set("network.rest_credentials_file", "");
    let words = ["needs a key and a secret", "hint: put `KEY:SECRET`"];
    remote.world.run("sync").fails(2, &words);

    remote.credentials(&format!("{KEY}:{SECRET}"));
    remote.world.set("closte.api_key_file", "");
    let words = ["which API key Closte accepts", "hint: put `CLOSTE_CLIENT_API_KEY`"];
    remote.world.run("sync").fails(2, &words);
    remote.world.set("closte.api_key_file", "/nowhere/api-key");
    let words = ["could not read the API key in `/nowhere/api-key`", "`closte.api_key_file`"];
    remote.world.run("sync").fails(2, &words);

    let key = remote.write("api-key", "\n");
    remote.world.set("closte.api_key_file", key.to_str().unwrap());
    let words = ["the API key is empty", "or the file that has the key instead"];
    remote.world.run("sync").fails(2, &words);

    remote.write("api-key", API_KEY);
    remote.world.set("network.url", "http://127.0.0.1:9/");
    remote.world.set("network.host", "");
    let words = ["`127.0.0.1` is not the network's own domain", "hint: set `network.host` to it"];
    remote.world.run("plan").fails(2, &words);
    remote.world.set("network.url", "");
    let words = ["it is not known where the network answers", "hint: set `network.url`"];
    remote.world.run("sync").fails(2, &words);
    remote.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_goes_to_no_other_machine_in_the_clear() {
    let mut remote = Remote::with(&["shop.example"]).await;
    for url in ["http://network.example/", "http://192.0.2.1/", "ftp://127.0.0.1/"] {
        remote.world.set("network.url", url);
        let ran = remote.world.run("sync");
        ran.fails(2, &["`network.url` is", "must begin with `https://`", "hint: "]);
    }
    remote.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hands_both_over_instead_of_settings() {
    let mut remote = Remote::with(&["shop.example"]).await;
    let folder = remote.world.folder.path().join("credentials");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("closte-api-key"), API_KEY).unwrap();
    fs::write(folder.join("rest-credentials"), format!("{KEY}:{SECRET}")).unwrap();
    remote.world.set("closte.api_key_file", "");
    remote.world.set("network.rest_credentials_file", "");
    let folder = folder.to_str().unwrap().to_owned();
    remote.world.settings.push(("CREDENTIALS_DIRECTORY".to_owned(), folder));
    assert_eq!(remote.world.done("test-connection").out, "Access authorized\n");
    remote.world.done("sync");
    assert_eq!(remote.there.rows(), ["5 1 shop.example 1 0 1 done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_knows_what_is_there_and_what_is_not() {
    let mut remote = Remote::with(&["shop.example"]).await;
    let good = remote.world.json("doctor");
    let checks = good["checks"].as_array().unwrap();
    // The sandbox has no root.
    for check in checks.iter().filter(|it| it["check"] != "root servers") {
        assert_eq!(check["state"], "ok", "{check}");
    }
    let shown = checks.iter().map(|it| format!("{} {}", it["check"], it["detail"]));
    let shown = shown.collect::<Vec<_>>().join("\n");
    for beside in ["wp-config.php", "database", "prefix", "object cache"] {
        assert!(!shown.contains(beside), "{beside} is not there: {shown}");
    }
    remote.credentials("k3y:another-secret");
    let bad = remote.world.run("doctor");
    assert_eq!(bad.code, 1, "{bad:?}");
    assert!(bad.out.contains("HTTP 401") && bad.out.contains("rest_credentials_file"), "{bad:?}");
    remote.world.set("network.rest_credentials_file", "");
    let bad = remote.world.run("doctor");
    assert!(bad.out.contains("needs a key and a secret"), "{bad:?}");
    assert!(!bad.out.contains("wp-config.php"), "{bad:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rest_cannot_do_is_said_with_where_to_do_it() {
    let remote = Remote::with(&["shop.example"]).await;
    for command in ["enable", "disable"] {
        let words = ["Closte cannot be switched over REST without the plugin", "in WordPress"];
        remote.world.run(command).fails(1, &words);
    }
    let words = ["`dns_check_interval` cannot be set over REST", "in WordPress"];
    remote.world.run("config set-interval 60s").fails(1, &words);
    for method in [Method::PUT, Method::POST, Method::DELETE] {
        assert_eq!(remote.was_asked(&method), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_needs_a_certificate_of_somebody_trusted() {
    let mut remote = Remote::with(&["shop.example"]).await;
    let tables = std::mem::take(&mut *remote.there.tables());
    let (there, authority) = Multisite::start_with_tls(tables).await;
    remote.there = there;
    remote.world.set("network.url", &remote.there.server.url());
    let ran = remote.world.run("sync");
    ran.fails(2, &["could not reach WordPress at `https://", "certificate", "hint: "]);
    assert_eq!(remote.there.server.asked().len(), 0, "no credentials were sent");
    let sandbox = fs::read_to_string(remote.world.sandbox.ca_file()).unwrap();
    let both = remote.write("both.pem", &(sandbox + &authority.pem()));
    remote.world.set("checks.trusted_ca", both.to_str().unwrap());
    remote.world.done("sync");
    assert_eq!(remote.there.rows(), ["5 1 shop.example 1 0 1 done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_nobody_has_uploaded_yet_stops_nothing() {
    let remote = Remote::with(&["shop.example"]).await;
    remote.world.done("sync");
    let zips = || {
        let files = fs::read_dir(remote.world.ledger().parent().unwrap()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("closte-sync-plugin")).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let packed = remote.world.done("plugin install");
        let [zip] = &zips()[..] else { panic!("{:?}", zips()) };
        assert!(packed.out.contains(zip.as_str()), "{packed:?}");
        remote.world.run("plugin status").fails(1, &[]);
    }
    remote.there.tables().add_mapping(6, 1, "blog.example", "checking-dns");
    let ran = remote.world.done("sync");
    assert!(ran.out.contains("the network was read without the plugin"), "{ran:?}");
    assert_eq!(remote.world.aliases(), ["blog.example", "shop.example"]);

    let removed = remote.world.run("plugin remove");
    assert!(removed.out.contains("remove the plugin in WordPress' network admin"), "{removed:?}");
    let ran = remote.world.done("sync");
    assert!(!ran.out.contains("plugin"), "{ran:?}");
}
