//! The engine that the plugin carries: whether it can run, how it is started, and what it may say.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::carrying::Carrying;
use crate::pages::PAGE;
use crate::world::{Admin, World};

#[test]
fn what_keeps_it_from_starting_is_found_in_order() {
    let world = World::new();
    let facts = json!({
        "system": "Linux", "machine": "x86_64", "lacking": [], "pinned": "a", "digest": "a", "can_run": true,
    });
    for (changed, code, words) in [
        (json!({}), "", ""),
        (json!({"machine": "amd64"}), "", ""),
        (json!({"machine": null}), "", ""),
        (
            json!({"system": "Darwin", "machine": "arm64"}),
            "system",
            "needs Linux, and this is Darwin",
        ),
        (
            json!({"machine": "aarch64", "lacking": ["proc_open"]}),
            "machine",
            "this machine is aarch64",
        ),
        (
            json!({"lacking": ["proc_open", "usleep"], "pinned": null}),
            "forbidden",
            "disable_functions forbids proc_open, usleep.",
        ),
        (json!({"pinned": null}), "unpinned", "Upload the zip again"),
        (json!({"digest": "b", "can_run": false}), "changed", "Upload the zip again"),
        (json!({"can_run": false}), "run-bit", "permissions to 755"),
        (json!({"digest": null}), "run-bit", "permissions to 755"),
    ] {
        let mut facts = facts.clone();
        facts.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        let found = world.wordpress.php(&format!(
            "$it = Closte_Sync\\Obstacles::before_start(json_decode('{facts}', true)); \
             echo json_encode([$it['code'] ?? '', $it ? Closte_Sync\\Obstacles::text($it) : '']);"
        ));
        let found: (String, String) = serde_json::from_str(&found).unwrap();
        assert_eq!(found.0, code, "{changed}");
        assert!(found.1.contains(words), "{changed}: {}", found.1);
    }
}

#[test]
fn what_it_says_of_itself_may_keep_it_too() {
    let world = World::new();
    let version = env!("CARGO_PKG_VERSION");
    let said = |unusual: &Value| {
        let mut said = json!({"engine": version, "settings": ["/c", 7], "ledger": "/l", "ledger_url": "sqlite:///l"});
        said.as_object_mut().unwrap().extend(unusual.as_object().unwrap().clone());
        said.to_string()
    };
    let ended = |exit: Value, signal: Value, errors: &str| json!({"exit": exit, "signal": signal, "errors": errors, "seconds": 1, "is_late": false, "is_started": true});
    let well = ended(json!(0), json!(null), "");
    let problem = json!({"problem": "`/www` is served to the world", "hint": "set `ledger.url`."});
    for (mut outcome, out, words) in [
        (well.clone(), said(&json!({})), ""),
        // Where PHP was started by somebody who ignores what becomes of children.
        (ended(json!(-1), json!(null), ""), said(&json!({})), ""),
        (well.clone(), said(&json!({"engine": "0.0.1"})), "is version 0.0.1"),
        (
            ended(json!(1), json!(null), ""),
            said(&problem),
            "`/www` is served to the world. Set `ledger.url`.",
        ),
        (well.clone(), said(&json!({"ledger_url": null})), "does not say where"),
        (well.clone(), "[]".to_owned(), "exit code 0 and without a result"),
        (
            ended(json!(2), json!(null), "no such flag"),
            String::new(),
            "exit code 2 and without a result; it said: no such flag",
        ),
        (ended(json!(null), json!(11), ""), String::new(), "ended by signal 11"),
        (
            json!({"is_started": false, "exit": null, "errors": "Exec format error"}),
            String::new(),
            "could not start it; it said: Exec format error",
        ),
        (
            json!({"is_started": true, "is_late": true, "seconds": 10, "exit": null, "errors": ""}),
            String::new(),
            "not ended after 10 seconds",
        ),
    ] {
        outcome["out"] = json!(out);
        let text = world.wordpress.php(&format!(
            "$outcome = json_decode(base64_decode('{}'), true); \
             $it = Closte_Sync\\Obstacles::after_look($outcome, '{version}'); \
             echo $it ? Closte_Sync\\Obstacles::text($it) : '';",
            base64(&outcome.to_string())
        ));
        assert!(text.contains(words) && text.is_empty() == words.is_empty(), "{outcome}: {text}");
    }
}

/// Only so that a test's own quotes do not end PHP's.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |bytes: &[u8]| {
        let number =
            bytes.iter().chain(&[0, 0]).take(3).fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let digits = [18, 12, 6, 0].map(|shift| char::from(DIGITS[number >> shift & 63]));
        let digits: String = digits.iter().take(bytes.len() + 1).collect();
        format!("{digits:=<4}")
    };
    text.as_bytes().chunks(3).map(group).collect()
}

#[test]
fn only_the_variables_that_wp_config_asks_for_are_passed() {
    let world = World::new();
    let code = r#"<?php
        define('DB_NAME', getenv("WP_DB_NAME")); $_ENV['WP_DB_USER'] ?? $_SERVER['WP_DB_HOST'];
        // 'IN_A_COMMENT'
        $text = 'not a name'; $host = $_SERVER['HTTP_HOST'] . $_SERVER['REMOTE_ADDR'] . getenv('HTTPS');
        getenv('LD_PRELOAD') . getenv('PHP_INI_SCAN_DIR') . getenv('PATH') . getenv('HOME') . getenv('NOT_THERE');
        define('AUTH_KEY', getenv('AUTH_KEY')); getenv('PHP_ENV');
        foreach (['REQUEST_URI', 'SERVER_NAME', 'QUERY_STRING', 'CONTENT_TYPE', 'SCRIPT_NAME', 'DOCUMENT_ROOT', 'PATH_INFO',
            'PATH_TRANSLATED', 'GATEWAY_INTERFACE', 'AUTH_USER', 'argv', 'argc', 'REDIRECT_URL', 'WITH_A_ZERO'] as $name) {}"#;
    let asked = world.wordpress.php(&format!(
        "$has = static fn($name) => 'NOT_THERE' === $name ? null : ('WITH_A_ZERO' === $name ? \"a\\0b\" : \"is $name\"); \
         echo json_encode(Closte_Sync\\Engine_Environment::asked_for([base64_decode('{}')], $has));",
        base64(code)
    ));
    let asked: Value = serde_json::from_str(&asked).unwrap();
    let wanted = ["AUTH_KEY", "DB_NAME", "PHP_ENV", "WP_DB_HOST", "WP_DB_NAME", "WP_DB_USER"];
    let wanted = wanted.iter().map(|name| ((*name).to_owned(), json!(format!("is {name}"))));
    assert_eq!(asked, Value::Object(wanted.collect()));

    let files = world.wordpress.php(
        "echo json_encode(Closte_Sync\\Engine_Environment::settings_files( \
         ['/www/index.php', 'phar:///wp/boot.php', '/www/wp-config.php', '/app/env.php', '/www/wp-settings.php', '/www/x.php'], '/www/wp-config.php'));",
    );
    assert_eq!(files, r#"["\/www\/wp-config.php","\/www\/index.php","\/app\/env.php"]"#);
}

#[test]
fn an_attached_pass_is_started_as_agreed_and_nothing_of_the_request_comes_along() {
    let carrying = Carrying::new();
    let config = carrying.world.wordpress.root().join("wp-config.php");
    let text = std::fs::read_to_string(&config).unwrap();
    let asks = "<?php putenv('WP_REGION=north'); getenv('WP_REGION'); getenv('HTTP_HOST'); putenv('LD_PRELOAD=/x'); getenv('LD_PRELOAD');";
    std::fs::write(&config, text.replacen("<?php", asks, 1)).unwrap();
    carrying.says_of_itself(&json!({"settings": ["/home/app1/closte-sync.toml"]}));
    carrying.world.wordpress.php("Closte_Sync\\Carried::look();");
    carrying.due_in(-1);
    carrying.cron();
    let starts = carrying.starts();
    assert_eq!(starts.len(), 1);
    let ledger = carrying.ledger_folder();
    let url = format!("ledger.url=sqlite://{}/ledger.db", ledger.display());
    let wanted = json!([
        "--carried",
        "--wp-config",
        config,
        "--set",
        url,
        "--config",
        "/home/app1/closte-sync.toml",
        "--set",
        "run.pass_limit=40s",
        "sync",
        "--attached",
    ]);
    assert_eq!(starts[0]["arguments"], wanted);
    let environment = starts[0]["environment"].as_object().unwrap();
    let names: Vec<_> = environment.keys().map(String::as_str).collect();
    assert_eq!(names, ["HOME", "PATH", "WP_REGION"]);
    assert_eq!(
        (&environment["WP_REGION"], &environment["HOME"]),
        (&json!("north"), &json!(home()))
    );
    assert_eq!(starts[0]["folder"], json!(ledger));
    assert_eq!(ledger.metadata().unwrap().permissions().mode() & 0o777, 0o700);

    carrying.says_of_itself(&json!({"settings": ["/a.toml", "/b.toml"]}));
    carrying.world.wordpress.php("Closte_Sync\\Carried::look();");
    carrying.due_in(-1);
    carrying.cron();
    assert!(
        !carrying.starts()[1]["arguments"].to_string().contains("--config\""),
        "it finds several itself"
    );
}

/// The home folder of who runs these tests, from the password file.
fn home() -> String {
    let output =
        std::process::Command::new("sh").args(["-c", "eval echo ~$(id -un)"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_run_bit_is_set_and_the_program_compared_only_where_it_changed() {
    let carrying = Carrying::new();
    let mode = || carrying.bin("closte-sync").metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o755);
    let found = || carrying.world.kept("closte_sync_carried");
    let first = found();
    assert_eq!(first["obstacle"], Value::Null);

    // A file of the same size and time is not read again; another is, and one that is not as
    // pinned gets no run bit.
    let modified = carrying.bin("closte-sync").metadata().unwrap().modified().unwrap();
    carrying.put_engine();
    let other = std::fs::read_to_string(carrying.bin("closte-sync")).unwrap().replace("900", "800");
    std::fs::write(carrying.bin("closte-sync"), &other).unwrap();
    let touch = |at| {
        let file = std::fs::File::options().append(true).open(carrying.bin("closte-sync")).unwrap();
        file.set_modified(at).unwrap();
    };
    touch(modified);
    let look = || carrying.world.wordpress.php("Closte_Sync\\Carried::look();");
    look();
    assert_eq!(found()["digest"], first["digest"]);
    std::fs::set_permissions(carrying.bin("closte-sync"), std::fs::Permissions::from_mode(0o644))
        .unwrap();
    touch(modified - std::time::Duration::from_mins(1));
    assert!(!carrying.is_able(), "nothing is known of another file");
    look();
    assert_eq!((&found()["obstacle"]["code"], mode()), (&json!("changed"), 0o644));
    let since = found()["since"].clone();
    look();
    assert_eq!(found()["since"], since);
    // It is put right by somebody who keeps its size and its time.
    let at = carrying.bin("closte-sync").metadata().unwrap().modified().unwrap();
    carrying.put_engine();
    touch(at);
    look();
    assert!(carrying.is_able());
}

/// What keeps it here, as the page and a notice tell it; no pass is started, and the rest works.
#[track_caller]
fn is_kept(carrying: &Carrying, words: &str, line: &str) {
    carrying.world.option("closte_sync_heard", "0");
    carrying.due_in(-1);
    let admin = Admin::of(&carrying.world);
    let page = admin.page(PAGE);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains(words), "{words}\n{}", page.body);
    assert!(page.body.contains(line), "{line}\n{}", page.body);
    let elsewhere = admin.page("/wp-admin/network/sites.php").body;
    assert!(elsewhere.contains(words), "{words}\n{elsewhere}");
    carrying.cron();
    let change = admin.page(&format!("{PAGE}&change"));
    assert_eq!(change.status, 200);
    assert_eq!(carrying.starts(), [json!(null); 0]);
    // Where another engine works, this one is no matter.
    carrying.world.heard();
    let elsewhere = admin.page("/wp-admin/network/sites.php").body;
    assert!(!elsewhere.contains(words), "{elsewhere}");
}

#[test]
fn where_php_may_not_start_programs_the_page_says_so_and_gives_the_line_for_cron() {
    let mut carrying = Carrying::unknown();
    let line = format!(
        "*/5 * * * * {} --wp-config {} sync --quiet",
        carrying.bin("closte-sync").display(),
        carrying.world.wordpress.root().join("wp-config.php").display()
    );
    for function in ["proc_open", "stream_set_blocking", "usleep", "hash_file"] {
        let setting = format!("disable_functions={function}");
        carrying.world.server = carrying.world.wordpress.serve_with(&[&setting]);
        let words =
            format!("PHP may not start programs here: its disable_functions forbids {function}.");
        is_kept(&carrying, &words, &line);
    }
}

#[test]
fn an_engine_that_says_without_end_where_it_is_takes_no_memory() {
    let mut carrying = Carrying::unknown();
    carrying.world.server = carrying.world.wordpress.serve_with(&["memory_limit=64M"]);
    let code = "<?php while (true) { echo str_repeat('x', 65535), \"\\n\"; }";
    std::fs::write(carrying.bin("where.php"), code).unwrap();
    is_kept(&carrying, "it had not ended after 5 seconds and was stopped", "sync --quiet");
}

#[test]
fn where_php_may_say_little_the_engine_runs() {
    let mut carrying = Carrying::unknown();
    carrying.world.server = carrying.world.wordpress.serve_with(&[
        "disable_functions=getenv,putenv,php_uname,posix_geteuid,posix_getpwuid,set_time_limit,token_get_all",
    ]);
    carrying.cron();
    assert_eq!(carrying.starts().len(), 1);
    assert_eq!(carrying.runs()["failures"], 0);
}

#[test]
fn where_there_is_no_run_bit_to_be_had_the_page_says_so() {
    let mut carrying = Carrying::unknown();
    carrying.world.server = carrying.world.wordpress.serve_with(&["disable_functions=chmod"]);
    is_kept(&carrying, "may not be read or run, and PHP could not change that", "sync --quiet");
}

#[test]
fn a_program_that_is_not_as_pinned_or_does_not_start_is_told() {
    let carrying = Carrying::unknown();
    std::fs::write(carrying.bin("closte-sync.sha256"), "no digest").unwrap();
    is_kept(
        &carrying,
        "bin/closte-sync.sha256 in the folder of this plugin is missing or damaged",
        "cargo build --release",
    );
    carrying.put_engine();
    let with_more = std::fs::read_to_string(carrying.bin("closte-sync")).unwrap() + "//";
    std::fs::write(carrying.bin("closte-sync"), with_more).unwrap();
    is_kept(&carrying, "its SHA-256 is another", "cargo build --release");
    carrying.put_engine();
    std::fs::write(carrying.bin("where.json"), "no JSON").unwrap();
    is_kept(&carrying, "The engine does not start here", "cargo build --release");
    carrying
        .says_of_itself(&json!({"problem": "no home folder is known", "hint": "set `ledger.url`"}));
    is_kept(&carrying, "no home folder is known. Set `ledger.url`.", "sync --quiet");
}

#[test]
fn a_word_is_quoted_for_cron() {
    let world = World::new();
    for (word, quoted) in [
        ("/home/app1/wp-config.php", "/home/app1/wp-config.php"),
        ("/home/a b/x", "'/home/a b/x'"),
        ("/it's", "'/it'\\''s'"),
        ("100%", "'100\\%'"),
        ("", "''"),
    ] {
        let code =
            format!("echo Closte_Sync\\Engine_Words::quoted(base64_decode('{}'));", base64(word));
        assert_eq!(world.wordpress.php(&code), quoted);
    }
}

#[test]
fn the_calls_of_an_attached_pass_are_answered_as_at_the_routes() {
    let carrying = Carrying::new();
    let id = carrying.world.map("shop.example", "checking-dns");
    // More than a pipe holds, in both directions.
    carrying.attached(&format!(
        "$hello = call('hello', ['take' => true]); call('network', ['known' => null]); call('no-such'); call('home', ['domain' => '']); \
         call('stages', ['writes' => [['id' => {id}, 'from' => 'checking-dns', 'to' => 'done', 'secure' => true]]]); \
         call('report', ['engine' => '0.1.0', 'problems' => [str_repeat('x', 300000)]]); due_in(900); finish();"
    ));
    for number in 0..300 {
        carrying.world.map(&format!("{}-{number}.example", "long".repeat(40)), "done");
    }
    carrying.due_in(-1);
    carrying.cron();
    let answers = Carrying::lines(carrying.bin("answers.log"));
    let answers: Vec<Value> = answers.iter().map(|it| serde_json::from_str(it).unwrap()).collect();
    let statuses: Vec<_> = answers.iter().map(|it| it["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 404, 400, 200, 200]);
    assert_eq!(answers[0]["body"]["protocol"], 1);
    assert!(answers[1].to_string().len() > 65536);
    assert_eq!(answers[3]["body"]["code"], "closte_sync_bad_request");
    assert_eq!(answers[4]["body"]["results"][0]["result"], "done");
    assert_eq!(carrying.world.row(id), "done 1");
    assert_eq!(carrying.world.kept("closte_sync_report")["engine"], "0.1.0");
    let last = &carrying.runs()["last"];
    assert_eq!(
        (&last["error"], &last["cpu_ms"], &last["peak_kb"]),
        (&Value::Null, &json!(120), &json!(23000))
    );
    let page = Admin::of(&carrying.world).page(PAGE).body;
    for text in [
        "used the processor for 0.12",
        "22 MB of memory",
        "It succeeded.",
        "due in 15 mins",
        "4 passes a day",
        "upload_max_filesize is ",
    ] {
        assert!(page.contains(text), "{text}\n{page}");
    }
}
