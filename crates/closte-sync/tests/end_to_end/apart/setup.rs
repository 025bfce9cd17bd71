//! What another machine has to be told, and what is said where it was not.

use std::fs;

use testkit::http_server::Method;
use testkit::rest_api::{KEY, Multisite, SECRET};

use super::Apart;
use crate::world::KEY as API_KEY;

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_with_what_to_do() {
    let mut apart = Apart::with(&["shop.example"]).await;
    apart.credentials("k3y:another-secret");
    for command in ["sync", "plan", "domains remove shop.example", "enable"] {
        let ran = apart.world.run(command);
        ran.fails(2, &["WordPress refused us: HTTP 401", "hint: check the REST API's key"]);
        assert!(!ran.err.contains("another-secret"), "{ran:?}");
    }
    assert_eq!(apart.world.aliases(), Vec::<String>::new());
    assert_eq!(apart.there.rows(), ["5 1 shop.example 1 0 0 checking-dns"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_before_anything_is_sent() {
    let hint = "hint: check `network.rest_credentials_file`";
    let mut apart = Apart::with(&["shop.example"]).await;
    for (text, what) in [("", "`KEY:SECRET`"), ("s3cret", "`KEY:SECRET`")] {
        apart.credentials(text);
        apart.world.run("sync").fails(2, &[what, hint]);
    }
    apart.world.set("network.rest_credentials_file", "/nowhere/rest-credentials");
    let told = "could not read the credentials of the REST API in `/nowhere/rest-credentials`";
    apart.world.run("sync").fails(2, &[told, hint]);
    apart.world.set("network.rest_credentials_file", "");
    let told = ["needs a key and a secret", "hint: put `KEY:SECRET`"];
    apart.world.run("sync").fails(2, &told);

    apart.credentials(&format!("{KEY}:{SECRET}"));
    apart.world.set("closte.api_key_file", "");
    let told = ["which API key Closte accepts", "hint: put `CLOSTE_CLIENT_API_KEY`"];
    apart.world.run("sync").fails(2, &told);
    apart.world.set("closte.api_key_file", "/nowhere/api-key");
    let told = ["could not read the API key in `/nowhere/api-key`", "`closte.api_key_file`"];
    apart.world.run("sync").fails(2, &told);

    let key = apart.write("api-key", "\n");
    apart.world.set("closte.api_key_file", key.to_str().unwrap());
    let told = ["the API key is empty", "or the file that has the key instead"];
    apart.world.run("sync").fails(2, &told);

    apart.write("api-key", API_KEY);
    apart.world.set("network.url", "http://127.0.0.1:9/");
    apart.world.set("network.host", "");
    let told = ["`127.0.0.1` is not the network's own domain", "hint: set `network.host` to it"];
    apart.world.run("plan").fails(2, &told);
    apart.world.set("network.url", "");
    let told = ["it is not known where the network answers", "hint: set `network.url`"];
    apart.world.run("sync").fails(2, &told);
    apart.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_goes_to_no_other_machine_in_the_clear() {
    let mut apart = Apart::with(&["shop.example"]).await;
    for url in ["http://network.example/", "http://192.0.2.1/", "ftp://127.0.0.1/"] {
        apart.world.set("network.url", url);
        let ran = apart.world.run("sync");
        ran.fails(2, &["`network.url` is", "must begin with `https://`", "hint: "]);
    }
    apart.is_untouched();
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hands_both_over_instead_of_settings() {
    let mut apart = Apart::with(&["shop.example"]).await;
    let folder = apart.world.folder.path().join("credentials");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("closte-api-key"), API_KEY).unwrap();
    fs::write(folder.join("rest-credentials"), format!("{KEY}:{SECRET}")).unwrap();
    apart.world.set("closte.api_key_file", "");
    apart.world.set("network.rest_credentials_file", "");
    let folder = folder.to_str().unwrap().to_owned();
    apart.world.settings.push(("CREDENTIALS_DIRECTORY".to_owned(), folder));
    assert_eq!(apart.world.done("test-connection").out, "Access authorized\n");
    apart.world.done("sync");
    assert_eq!(apart.there.rows(), ["5 1 shop.example 1 0 1 done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_knows_what_is_there_and_what_is_not() {
    let mut apart = Apart::with(&["shop.example"]).await;
    let good = apart.world.json("doctor");
    let checks = good["checks"].as_array().unwrap();
    for check in checks {
        assert_eq!(check["state"], "good", "{check}");
    }
    let shown = checks.iter().map(|it| format!("{} {}", it["check"], it["detail"]));
    let shown = shown.collect::<Vec<_>>().join("\n");
    for beside in ["wp-config.php", "database", "prefix", "object cache"] {
        assert!(!shown.contains(beside), "{beside} is not there: {shown}");
    }
    apart.credentials("k3y:another-secret");
    let bad = apart.world.run("doctor");
    assert_eq!(bad.code, 1, "{bad:?}");
    assert!(bad.out.contains("HTTP 401") && bad.out.contains("rest_credentials_file"), "{bad:?}");
    apart.world.set("network.rest_credentials_file", "");
    let bad = apart.world.run("doctor");
    assert!(bad.out.contains("needs a key and a secret"), "{bad:?}");
    assert!(!bad.out.contains("wp-config.php"), "{bad:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rest_cannot_do_is_said_with_where_to_do_it() {
    let apart = Apart::with(&["shop.example"]).await;
    for command in ["enable", "disable"] {
        let told = ["Closte cannot be switched over REST without the plugin", "in WordPress"];
        apart.world.run(command).fails(1, &told);
    }
    let told = ["`dns_check_interval` cannot be set over REST", "in WordPress"];
    apart.world.run("config set-interval 60s").fails(1, &told);
    for method in [Method::PUT, Method::POST, Method::DELETE] {
        assert_eq!(apart.was_asked(&method), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn https_needs_a_certificate_of_somebody_trusted() {
    let mut apart = Apart::with(&["shop.example"]).await;
    let tables = std::mem::take(&mut *apart.there.tables());
    let (there, authority) = Multisite::start_with_tls(tables).await;
    apart.there = there;
    apart.world.set("network.url", &apart.there.server.url());
    let ran = apart.world.run("sync");
    ran.fails(2, &["could not reach WordPress at `https://", "certificate", "hint: "]);
    assert_eq!(apart.there.server.asked().len(), 0, "no credentials were sent");
    let sandbox = fs::read_to_string(apart.world.sandbox.ca_file()).unwrap();
    let both = apart.write("both.pem", &(sandbox + &authority.pem()));
    apart.world.set("checks.trusted_ca", both.to_str().unwrap());
    apart.world.done("sync");
    assert_eq!(apart.there.rows(), ["5 1 shop.example 1 0 1 done"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_nobody_has_uploaded_yet_stops_nothing() {
    let apart = Apart::with(&["shop.example"]).await;
    apart.world.done("sync");
    let zips = || {
        let files = fs::read_dir(apart.world.ledger().parent().unwrap()).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("closte-sync-plugin")).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        let packed = apart.world.done("plugin install");
        let [zip] = &zips()[..] else { panic!("{:?}", zips()) };
        assert!(packed.out.contains(zip.as_str()), "{packed:?}");
        apart.world.run("plugin status").fails(1, &[]);
    }
    apart.there.tables().add_mapping(6, 1, "blog.example", "checking-dns");
    let ran = apart.world.done("sync");
    assert!(ran.out.contains("the network was read without the plugin"), "{ran:?}");
    assert_eq!(apart.world.aliases(), ["blog.example", "shop.example"]);

    let removed = apart.world.run("plugin remove");
    assert!(removed.out.contains("remove the plugin in WordPress' network admin"), "{removed:?}");
    let ran = apart.world.done("sync");
    assert!(!ran.out.contains("plugin"), "{ran:?}");
}
