//! `explain`: why a domain is as it is, whose turn it is, and what to change; and who is told so.

use std::io::{BufRead as _, BufReader, Read as _};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::world::{Ran, World, exists};

/// A network with `shop.example` mapped, and served as it should be.
async fn served() -> World {
    let world = World::new().await;
    world.map(1, "shop.example");
    world.here("shop.example");
    world.done("sync");
    assert_eq!(world.stage("shop.example"), "done 1");
    world
}

fn explained(ran: &Ran, at: usize) -> Value {
    ran.json()["domains"][at].clone()
}

/// The codes of its findings that are no more than worth knowing left out.
fn codes(domain: &Value, severity: &str) -> Vec<String> {
    let findings = domain["findings"].as_array().unwrap().iter();
    let such = findings.filter(|finding| finding["severity"] == severity);
    such.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_is_served_is_ready_whatever_becomes_of_us() {
    let mut world = served().await;
    let text = world.done("explain shop.example").out;
    assert!(text.starts_with("shop.example: ready\n"), "{text}");
    let asked = world.sandbox.closte().calls().len();

    world.done("disable");
    let off = world.done("explain shop.example --output json");
    assert_eq!(explained(&off, 0)["ready"], json!(true));
    assert_eq!(off.json()["network"][0]["code"], json!("switched-off"));
    world.done("enable");

    std::fs::remove_dir_all(world.ledger().parent().unwrap()).unwrap();
    let without = explained(&world.done("explain shop.example --output json"), 0);
    assert_eq!((&without["ready"], &without["mapped"]), (&json!(true), &json!(true)));
    assert!(!exists(&world.ledger()), "it makes no ledger");
    assert!(asked < world.sandbox.closte().calls().len(), "the list is read");
    assert_eq!(world.asked(), ["add shop.example"], "and nothing else is sent");

    world.set("closte.api_key_file", "/nonexistent/key");
    let keyless = world.done("explain shop.example");
    assert!(keyless.err.contains("attention: could not read the API key"), "{keyless:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_mapped_is_explained_too() {
    let world = World::new().await;
    world.elsewhere("new.example");
    let ran = world.run("explain new.example --output json");
    assert_eq!(ran.code, 1, "{ran:?}");
    let domain = explained(&ran, 0);
    assert_eq!(codes(&domain, "error"), ["other-address"]);
    assert_eq!(codes(&domain, "info"), ["not-mapped"]);
    assert_eq!((&domain["mapped"], &domain["ready"]), (&json!(false), &json!(false)));
    let first = &domain["findings"][0];
    assert_eq!(first["actor"], json!("owner"));
    assert_eq!(
        first["records"],
        json!([{
            "action": "change", "name": "new.example", "type": "A",
            "found": ["192.0.2.77"], "wanted": ["127.0.0.1"],
        }])
    );
    let text = world.run("explain new.example").out;
    assert!(text.starts_with("new.example: other-address\n  The name points to another"), "{text}");
    assert!(text.contains("whose turn: the owner of the domain must act"), "{text}");
    assert!(text.contains("    change  new.example  A     192.0.2.77  127.0.0.1\n"), "{text}");
    assert!(text.contains("not-mapped (info)"), "{text}");
}

/// A value with what kind of value each is, of a list the first.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(text) if text.ends_with('Z') && text.contains('T') => json!("time"),
        Value::String(_) => json!("text"),
        Value::Array(items) => Value::Array(items.iter().take(1).map(shape).collect()),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_json_has_this_shape() {
    let world = World::new().await;
    world.elsewhere("new.example");
    let shape = shape(&world.run("explain new.example --output json").json()["domains"]);
    let shape = serde_json::to_string_pretty(&shape).unwrap();
    insta::assert_snapshot!(shape, @r#"
    [
      {
        "display": "text",
        "domain": "text",
        "findings": [
          {
            "actor": "text",
            "code": "text",
            "evidence": [
              {
                "at": "time",
                "said": "text",
                "source": "text"
              }
            ],
            "records": [
              {
                "action": "text",
                "found": [
                  "text"
                ],
                "name": "text",
                "type": "text",
                "wanted": [
                  "text"
                ]
              }
            ],
            "severity": "text",
            "text": "text",
            "wait_until": "null"
          }
        ],
        "lights": {
          "alias": "text",
          "certificate": "text",
          "routing": "text"
        },
        "mapped": "bool",
        "next_check": "null",
        "ready": "bool",
        "seen": [
          {
            "at": "time",
            "said": "text",
            "source": "text"
          }
        ]
      }
    ]
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_gets_a_mail_without_anything_internal_in_either_language() {
    let mut world = served().await;
    world.elsewhere("new.example");
    let english = world.run("explain new.example --for owner");
    assert_eq!(english.code, 1);
    assert!(english.out.starts_with("new.example does not work as it should yet."), "{english:?}");
    world.settings.push(("LANG".to_owned(), "nl_NL.UTF-8".to_owned()));
    let dutch = world.run("explain new.example --for owner").out;
    assert!(dutch.starts_with("new.example werkt nog niet zoals het moet."), "{dutch}");
    assert!(dutch.contains("wijzigen  new.example  A     192.0.2.77  127.0.0.1"), "{dutch}");
    let ready = world.done("explain shop.example --for owner --lang en").out;
    assert!(ready.starts_with("shop.example works. You do not have to do anything"), "{ready}");
    let json = explained(&world.run("explain new.example --for owner --output json"), 0);
    assert_eq!(json["for_owner"].as_str().unwrap(), dutch);
    assert_eq!(
        json["findings"][0]["text"],
        json!("De naam wijst naar een andere server (192.0.2.77). Wijzig dat in 127.0.0.1.")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_no_domain_is_explained_or_refused() {
    let world = World::new().await;
    let long = format!("{}.example", "a".repeat(70));
    let ran = world.run(&format!("explain {long} 192.0.2.1 --output json"));
    assert_eq!(ran.code, 1);
    let codes = [0, 1].map(|at| explained(&ran, at)["findings"][0]["code"].clone());
    assert_eq!(codes, [json!("name-too-long"), json!("reserved-name")]);
    world
        .run("explain https://x.example/")
        .fails(2, &["`https://x.example/` is not a domain name", "hint"]);
    world.run("explain").fails(2, &["NAME"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_cannot_be_read_is_no_answer() {
    let world = World::new().await;
    world.database.execute("DROP TABLE wp_blogs");
    world.run("explain shop.example").fails(2, &["error: the database", "hint: "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn watching_ends_when_all_are_ready_or_somebody_ends_it() {
    let world = served().await;
    let ready = world.done("explain shop.example --watch --output json");
    assert_eq!(ready.out.lines().count(), 1, "{ready:?}");
    assert_eq!(explained(&ready, 0)["ready"], json!(true));

    world.elsewhere("new.example");
    let mut watching = world.command("explain new.example --watch --output json").spawn().unwrap();
    let mut out = BufReader::new(watching.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let first: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(first["domains"][0]["ready"], json!(false));
    kill_process(Pid::from_child(&watching), Signal::INT).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), watching.wait().unwrap().code()), ("", Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_maps_a_domain_is_told_what_its_dns_lacks_and_is_not_kept_from_it() {
    let world = World::new().await;
    world.elsewhere("new.example");
    let added = world.done("domains add new.example --site 1");
    assert!(
        added.err.contains("attention: other-address: The name points to another"),
        "{added:?}"
    );
    assert!(added.err.contains("  change  new.example  A     192.0.2.77  127.0.0.1"), "{added:?}");
    assert!(added.err.contains("new.example is mapped to site 1"), "{added:?}");
    world.here("good.example");
    let added = world.done("domains add good.example --site 1");
    assert!(!added.err.contains("attention"), "{added:?}");
}
