//! What is told of a domain before all else, and whose turn it is, wherever domains are shown.

use serde_json::json;

use crate::world::World;

/// The line of a domain in a table.
fn line(table: &str, domain: &str) -> Vec<String> {
    let line = table.lines().find(|line| line.trim_start().starts_with(domain));
    let line = line.unwrap_or_else(|| panic!("no {domain} in:\n{table}"));
    line.split_whitespace().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_finding_and_whose_turn_it_is_lead_everywhere() {
    let mut world = World::new().await;
    for name in ["fine.example", "shop.example"] {
        world.map(1, name);
    }
    world.here("fine.example");
    world.elsewhere("shop.example");
    let text = "The name points to another server (192.0.2.77). Change it to 127.0.0.1.";
    let ran = world.done("sync");
    let told = format!("check shop.example: waiting (other-address, owner: {text})");
    assert!(ran.out.contains(&told), "{ran:?}");
    assert!(ran.out.contains("check fine.example: ready\n"), "{ran:?}");

    let list = world.done("domains list").out;
    let shop = line(&list, "shop.example");
    let states = ["shop.example", "checking-dns", "present", "elsewhere", "unknown"];
    assert_eq!(shop[..7], [&states[..], &["other-address", "owner"]].concat());
    assert_eq!(
        line(&list, "fine.example")[..6],
        ["fine.example", "done", "present", "here", "valid", "in"]
    );
    assert_eq!(line(&world.done("status").out, "shop.example")[5..7], ["other-address", "owner"]);

    let shown = world.done("domains show shop.example").out;
    let head = format!(
        "shop.example\n  other-address\n  {text}\n  whose turn: the owner of the domain must act\n\n  records\n"
    );
    assert!(shown.starts_with(&head), "{shown}");
    assert!(
        shown.contains("change  shop.example  A     192.0.2.77  127.0.0.1\n  next check: in "),
        "{shown}"
    );
    assert!(shown.contains("\n  routing       elsewhere since "), "the states stay: {shown}");
    world.settings.push(("LANG".to_owned(), "nl_NL.UTF-8".to_owned()));
    let shown = world.done("domains show shop.example").out;
    assert!(shown.contains("De naam wijst naar een andere server (192.0.2.77)"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_read_all_findings_and_the_turn() {
    let world = World::new().await;
    for name in ["fine.example", "shop.example", "sub.network.example", "network.example"] {
        world.map(1, name);
    }
    world.here("fine.example");
    world.elsewhere("shop.example");
    world.elsewhere("www.fine.example");
    let changes = world.json("sync")["changes"].clone();
    let check = changes
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["domain"] == "shop.example" && it["action"] == "check");
    let check = check.unwrap();
    assert_eq!((&check["finding"], &check["turn"]), (&json!("other-address"), &json!("owner")));

    let shop = world.domain("shop.example");
    let first = &shop["findings"][0];
    assert_eq!(
        (&first["code"], &first["severity"], &shop["turn"]),
        (&json!("other-address"), &json!("error"), &json!("owner"))
    );
    assert_eq!(first["records"][0]["wanted"], json!(["127.0.0.1"]));
    let list = world.json("domains list");
    assert!(list["domains"].as_array().unwrap().contains(&shop), "{list:#}");
    assert_eq!(world.domain("fine.example")["turn"], json!(null));
    let twin = world.json("domains show fine.example");
    assert_eq!(world.json("domains show www.fine.example")["findings"][0]["code"], "other-address");
    assert_eq!(twin["turn"], json!(null));
    let protected = world.domain("network.example");
    assert!(
        protected["findings"].as_array().unwrap().iter().any(|it| it["code"] == "protected-name"),
        "{protected:#}"
    );
}
