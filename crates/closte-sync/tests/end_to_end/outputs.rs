//! What strangers write reaches no terminal as it is: every run checks that no control character
//! is printed, here with such characters wherever strangers can write.

use std::fmt::Write as _;

use sandbox::closte::{Act, CallKind, Fault};

use crate::world::World;

/// Moves the cursor, sets a title, turns a line around, and begins a line that seems ours.
const NASTY: &str = "\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}\r\nerror: forged";

/// A text in SQL, whatever the client makes of control characters.
fn in_sql(text: &str) -> String {
    let mut digits = String::new();
    for octet in text.bytes() {
        write!(digits, "{octet:02x}").unwrap();
    }
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

    let nasty = in_sql(NASTY);
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
    world.settings.push((format!("CLOSTE_SYNC_{NASTY}"), NASTY.to_owned()));
    show_everything(&world);
    assert!(world.run("status").out.contains(r"\u001b[2J"), "it is shown, escaped");
    let log = world.run("sync --set log.level=debug --set log.format=json");
    assert!(log.err.contains(r"\u001b"), "{log:?}");

    // A mark of another installation.
    let text = |text: &str| format!("s:{}:\"{text}\";", text.len());
    let fields = [("app", NASTY), ("domain", NASTY), ("ledger", NASTY)];
    let fields = fields.map(|(name, value)| text(name) + &text(value)).concat();
    let mark = in_sql(&format!("a:3:{{{fields}}}"));
    world.database.execute(&format!(
        "UPDATE wp_sitemeta SET meta_value = {mark} WHERE meta_key = 'closte_sync_home'"
    ));
    assert!(world.run("sync").err.contains(r"\u001b[2J"), "the copy names the installation");
    show_everything(&world);

    // In PHP the first definition counts.
    let (config, php) = (world.wp_config(), r#""a\e[2J\r\nerror: forged""#);
    let host = config.replacen("<?php\n", &format!("<?php\ndefine('DB_HOST', {php});\n"), 1);
    for config in [host, config.replace("'wp_'", php)] {
        world.write_wp_config(&config);
        assert_ne!(world.run("sync").code, 0);
        show_everything(&world);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pasted_into_the_command_line_is_escaped_too() {
    let world = World::new().await;
    for arguments in [["domains", "show", NASTY], ["domains", "add", NASTY], ["sync", NASTY, "x"]] {
        let mut command = world.command("");
        let ran = crate::world::ended(command.args(arguments).spawn().unwrap(), "pasted");
        assert_eq!(ran.code, 2, "{ran:?}");
        let is_plain = |c: char| c == '\n' || rules::plain::is_plain(c);
        assert!(ran.err.chars().all(is_plain) && ran.err.contains(r"\u"), "{ran:?}");
        assert!(!ran.err.lines().any(|line| line.starts_with("error: forged")), "{ran:?}");
    }
}
