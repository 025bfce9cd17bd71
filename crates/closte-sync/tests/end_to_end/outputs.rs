//! What strangers write reaches no terminal as it is: every run checks that no control character
//! is printed, here with such characters wherever strangers can write.

use sandbox::closte::{Act, CallKind, Fault};

use crate::world::World;

/// Moves the cursor, sets a title, turns a line around, and begins a line that seems ours.
const NASTY: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\r\nerror: forged";

/// `NASTY` in SQL, whatever the client makes of control characters.
fn in_sql() -> String {
    let digits: String = NASTY.bytes().map(|octet| format!("{octet:02x}")).collect();
    format!("CONVERT(UNHEX('{digits}') USING utf8mb4)")
}

/// Run all that shows something; each run checks what it prints.
fn show_everything(world: &World) {
    let commands = [
        "sync",
        "sync --quiet",
        "status",
        "domains list",
        "domains show shop.example",
        "plan",
        "doctor",
        "doctor --report",
        "test-connection",
        "config show",
        "config check",
    ];
    for command in commands {
        for output in ["text", "json"] {
            let ran = world.run(&format!("{command} --output {output}"));
            for line in ran.out.lines().chain(ran.err.lines()) {
                assert!(!line.starts_with("error: forged"), "{command}: {ran:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_control_character_leaves_by_any_output() {
    let mut world = World::new().await;
    world.map(1, "shop.example");
    world.done("sync");

    let nasty = in_sql();
    world.database.execute(&format!(
        "ALTER TABLE wp_wu_domain_mappings MODIFY stage VARCHAR(191); \
         INSERT INTO wp_wu_domain_mappings (blog_id, domain, stage) VALUES (1, {nasty}, {nasty}); \
         UPDATE wp_wu_domain_mappings SET stage = {nasty} WHERE domain = 'shop.example'; \
         INSERT INTO wp_blogs (site_id, domain, path, registered) VALUES (1, {nasty}, {nasty}, NOW())"
    ));
    let body = serde_json::json!({ "success": false, "error": NASTY, "domains": [NASTY] });
    let says = |status| Act::Status { status, headers: Vec::new(), body: body.to_string() };
    world.sandbox.closte().fault(Fault::new(says(200)).on(CallKind::List));
    world.sandbox.closte().fault(Fault::new(says(200)).on(CallKind::Add));
    world.map(1, "more.example");
    let value = NASTY.replace('\0', "");
    world.settings.push((format!("CLOSTE_SYNC_{value}"), value.clone()));
    show_everything(&world);
    assert!(world.run("status").out.contains(r"\u001b[2J"), "it is shown, escaped");
    let log = world.run("sync --set log.level=debug --set log.format=json");
    assert!(log.err.contains(r"\u001b"), "{log:?}");

    // A mark of another installation.
    let text = |text: &str| format!("s:{}:\"{text}\";", text.len());
    let fields = [("app", NASTY), ("domain", NASTY), ("ledger", NASTY)];
    let fields = fields.map(|(name, value)| text(name) + &text(value)).concat();
    let digits: String =
        format!("a:3:{{{fields}}}").bytes().map(|octet| format!("{octet:02x}")).collect();
    world.database.execute(&format!(
        "UPDATE wp_sitemeta SET meta_value = CONVERT(UNHEX('{digits}') USING utf8mb4) \
         WHERE meta_key = 'closte_sync_home'"
    ));
    assert!(world.run("sync").err.contains(r"\u001b[2J"), "the copy names the installation");
    show_everything(&world);

    let config = world.wp_config();
    let php = r#""a\e[2J\r\nerror: forged""#;
    for (value, other) in [("localhost:", php), ("'wp_'", php)] {
        let at = config.find(value).unwrap();
        let begin = config[..at]
            .rfind(['\'', '='])
            .map_or(at, |quote| quote + usize::from(config.as_bytes()[quote] == b'='));
        let end = at + config[at..].find([')', ';']).unwrap();
        world.write_wp_config(&format!("{}{other}{}", &config[..begin], &config[end..]));
        show_everything(&world);
    }
}
