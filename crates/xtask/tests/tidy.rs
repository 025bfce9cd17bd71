//! Rules of this repository that no compiler checks.
//!
//! Most are an **Architecture Invariant** of `ARCHITECTURE.md`; the others hold
//! the documents to the code. A failure names the file and the rule, so the
//! message is the documentation.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// They implement the traits of `rules` and know nothing of each other.
const ADAPTERS: [&str; 5] = ["wordpress", "closte", "probe", "ledger", "notify"];

/// What of ours an adapter may depend on.
const BELOW_ADAPTERS: [&str; 2] = ["rules", "http"];

/// Where the program names an adapter besides `wiring.rs`, and what for.
const NAMES_ADAPTERS: [(&str, &str); 10] = [
    ("wiring.rs", "makes and joins them"),
    ("wiring/api_key.rs", "finds what `closte` sends in what `wordpress` stores"),
    ("wiring/access.rs", "makes what reaches the network"),
    ("wiring/secret.rs", "makes and keeps a `wordpress::signature::Secret`"),
    ("wiring/notices.rs", "makes receivers and the `notify::Secret` of webhooks"),
    ("triggers.rs", "makes the `wordpress::signature::Verifier` of nudges"),
    ("nudges.rs", "asks it about each request"),
    ("cli/doctor.rs", "tries the parts one by one"),
    ("cli/run.rs", "keeps the `ledger::Lock`, whatever is read again"),
    ("cli/demo/observed.rs", "reads the `ledger` beside the program that writes it"),
];

/// Names that had another word before: nothing is declared by them again.
const GONE: [&str; 47] = [
    "Companion",
    "Confidant",
    "Dialect",
    "Directly",
    "Ears",
    "Eyes",
    "Gate",
    "Greeting",
    "Held",
    "HeldBy",
    "HeldView",
    "Hold",
    "Holding",
    "Look",
    "Looker",
    "Looks",
    "Make",
    "Place",
    "Reach",
    "Sight",
    "Station",
    "Talk",
    "Tidings",
    "Trouble",
    "Which",
    "Wishes",
    "apart",
    "beside",
    "blind",
    "by_hand",
    "close_eyes",
    "companion",
    "confidant",
    "dress",
    "ears",
    "gate",
    "greet",
    "hear",
    "held",
    "holding",
    "is_apart",
    "is_weather",
    "lies_ahead",
    "look",
    "looks",
    "tidings",
    "told",
];

/// JSON fields and words, and files, that are gone likewise.
const GONE_TEXTS: [&str; 6] =
    ["\"look\"", "\"held\"", "\"held_as\"", "\"last_look\"", "\"next_look\"", "docs/apart.md"];

/// Longer than this, a file of `src` has more than one reason to change.
const LONGEST_FILE: usize = 600;

#[test]
fn every_source_file_says_what_it_is_for() {
    for file in sources("crates") {
        assert!(read(&file).starts_with("//!"), "{}: it does not start with `//!`", shown(&file));
    }
}

#[test]
fn no_source_file_is_too_long() {
    for file in sources("crates").into_iter().filter(|file| shown(file).contains("/src/")) {
        let lines = read(&file).lines().count();
        assert!(lines <= LONGEST_FILE, "{}: {lines} lines; split it by reason", shown(&file));
    }
}

#[test]
fn modules_lie_beside_their_folder() {
    for file in sources("crates") {
        let name = file.file_name().expect("files have a name");
        assert!(name != "mod.rs", "{}: name it after its module, beside it", shown(&file));
    }
}

#[test]
fn no_test_is_ignored() {
    let mark = concat!("#[", "ignore");
    for file in sources("crates") {
        assert!(!read(&file).contains(mark), "{}: a test that never runs", shown(&file));
    }
}

#[test]
fn names_that_are_gone_stay_gone() {
    for file in sources("crates").into_iter().filter(|file| !shown(file).contains("xtask")) {
        for (number, line) in read(&file).lines().enumerate() {
            let declared = declared_in(line).filter(|name| GONE.contains(name));
            // What older ledgers hold is read by the names that it had then.
            let old = shown(&file).starts_with("crates/ledger/");
            let texts = GONE_TEXTS.into_iter().filter(|text| !old && line.contains(text));
            let gone: Vec<&str> = declared.into_iter().chain(texts).collect();
            assert!(gone.is_empty(), "{}, line {}: {gone:?} is gone", shown(&file), number + 1);
        }
    }
}

#[test]
fn the_rules_touch_nothing_outside() {
    let allowed =
        ["async-trait", "icu_normalizer", "idna", "ipnet", "psl", "thiserror", "wildmatch"];
    for name in dependencies("rules", &["dependencies", "build-dependencies"]) {
        let allowed = allowed.contains(&name.as_str());
        assert!(allowed, "crates/rules/Cargo.toml: `{name}`; `rules` decides, others do");
    }
}

#[test]
fn the_engine_depends_on_the_rules_alone_and_waits_by_its_own_clock() {
    let known = dependencies("engine", &["dependencies"]);
    let ours: Vec<_> = crates().into_iter().filter(|name| known.contains(name)).collect();
    assert_eq!(ours, ["rules"], "crates/engine/Cargo.toml: the engine is joined by `wiring.rs`");
    for file in sources("crates/engine/src") {
        let text = read(&file);
        for other in ["tokio::time", "std::time::Instant", "std::process::id", "rand::"] {
            assert!(!text.contains(other), "{}: `{other}`; use `Env`", shown(&file));
        }
        for select in text.split("select! {").skip(1) {
            let biased = select.trim_start().starts_with("biased;");
            assert!(biased, "{}: a `select!` without `biased` draws lots", shown(&file));
        }
    }
}

#[test]
fn only_the_simulator_plants_faults() {
    let asks = |name: &String| {
        let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
        let asked =
            manifest.lines().filter(|line| line.contains("features = [\"planted-faults\"]"));
        asked.count() != 0
    };
    let asking: Vec<_> = crates().into_iter().filter(asks).collect();
    assert_eq!(asking, ["simulator"], "a program must not be built with faults");
    let tree = std::process::Command::new(env!("CARGO"))
        .args(["tree", "-p", "closte-sync", "-e", "features", "--offline", "--all-features"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    assert!(tree.contains("engine v"), "the tree looks different now: {tree}");
    assert!(!tree.contains("planted-faults"), "the program is built with planted faults");
    let knows = |name: &String| {
        dependencies(name, &["dependencies", "dev-dependencies"]).contains("simulator")
    };
    assert!(!crates().iter().any(knows), "nothing depends on the simulator");
}

#[test]
fn adapters_do_not_know_each_other() {
    for adapter in ADAPTERS {
        let known = dependencies(adapter, &["dependencies", "build-dependencies"]);
        let mut ours = crates();
        ours.retain(|it| known.contains(it) && !BELOW_ADAPTERS.contains(&it.as_str()));
        assert!(ours.is_empty(), "crates/{adapter}/Cargo.toml: it depends on {ours:?}");
        let tried = dependencies(adapter, &["dev-dependencies"]);
        let others: Vec<_> = ADAPTERS.iter().filter(|other| tried.contains(**other)).collect();
        assert!(others.is_empty(), "crates/{adapter}/Cargo.toml: its tests need {others:?}");
    }
}

#[test]
fn the_http_client_knows_nothing_of_who_is_asked() {
    let known = dependencies("http", &["dependencies", "dev-dependencies"]);
    let ours: Vec<_> = crates().into_iter().filter(|name| known.contains(name)).collect();
    assert!(ours.is_empty(), "crates/http/Cargo.toml: it depends on {ours:?}");
}

#[test]
fn the_sandbox_shares_no_code_with_what_it_tests() {
    let known = dependencies("sandbox", &["dependencies", "dev-dependencies"]);
    let ours: Vec<_> = crates().into_iter().filter(|name| known.contains(name)).collect();
    assert!(ours.is_empty(), "crates/sandbox/Cargo.toml: it depends on {ours:?}");
}

#[test]
fn only_the_wiring_names_adapters() {
    let program = root().join("crates/closte-sync/src");
    for file in sources("crates/closte-sync/src") {
        let name = file.strip_prefix(&program).expect("it lies there").display().to_string();
        if NAMES_ADAPTERS.iter().any(|(allowed, _)| *allowed == name) {
            continue;
        }
        for (number, line) in read(&file).lines().enumerate() {
            let named = ADAPTERS.iter().find(|adapter| names_crate(line, adapter));
            let file = shown(&file);
            assert!(
                named.is_none(),
                "{file}, line {}: it names {named:?}; only `wiring.rs` does",
                number + 1
            );
        }
    }
    for (name, why) in NAMES_ADAPTERS {
        let text = read(&program.join(name));
        let names = ADAPTERS.iter().any(|adapter| text.lines().any(|it| names_crate(it, adapter)));
        assert!(names, "{name}: it names no adapter any more ({why}); drop it from this list");
    }
}

#[test]
fn every_crate_follows_the_workspace_and_nothing_besides() {
    for name in crates() {
        let manifest = read(&root().join("crates").join(&name).join("Cargo.toml"));
        let lints = manifest.contains("[lints]\nworkspace = true");
        assert!(lints, "crates/{name}/Cargo.toml: it does not take the workspace's lints");
        let own = root().join("crates").join(&name).join("clippy.toml");
        assert!(!own.exists(), "{}: it silently replaces the one at the root", shown(&own));
    }
}

#[test]
fn the_architecture_is_short_and_maps_every_crate() {
    let text = read(&root().join("ARCHITECTURE.md"));
    assert!(text.lines().count() <= 400, "ARCHITECTURE.md: nobody reads more than 400 lines");
    for name in crates() {
        let mapped = text.contains(&format!("`crates/{name}`"));
        assert!(mapped, "ARCHITECTURE.md: its map lacks `crates/{name}`");
    }
}

#[test]
fn documents_name_only_what_exists() {
    for file in documents() {
        let text = read(&file);
        for span in inline_code(&text).filter(|span| is_path_here(span)) {
            assert!(root().join(span).exists(), "{}: there is no `{span}`", shown(&file));
        }
        let beside = file.parent().expect("files lie in a folder");
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let target = link.split('#').next().unwrap_or(link);
            assert!(beside.join(target).exists(), "{}: {link} leads nowhere", shown(&file));
        }
    }
}

#[test]
fn documents_name_only_commands_that_exist() {
    let commands = commands();
    let flags = flags();
    for file in documents() {
        let text = read(&file);
        for call in calls(&text) {
            let file = shown(&file);
            let words: Vec<&str> = call.split_whitespace().collect();
            let named = named_command(&words);
            // A group alone, such as `domains`, is one too.
            let known =
                commands.iter().any(|it| it == &named || it.starts_with(&format!("{named} ")));
            let known = known || named.is_empty();
            assert!(known, "{file}: there is no `closte-sync {named}`");
            for flag in words.iter().filter_map(|word| word.strip_prefix("--")) {
                let flag = flag.split('=').next().unwrap_or(flag);
                assert!(flags.contains(flag), "{file}: there is no flag `--{flag}` (`{call}`)");
            }
        }
    }
}

#[test]
fn every_command_is_documented() {
    let text = read(&root().join("docs/commands.md"));
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for command in commands() {
        let documented = text.contains(&format!("`closte-sync {command}"));
        assert!(documented, "docs/commands.md: it lacks `closte-sync {command}`");
    }
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let text = read(&root().join("docs/settings.md"));
    let keys = settings();
    for (key, default) in &keys {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{key}` |")));
        let row = row.unwrap_or_else(|| panic!("docs/settings.md: it lacks `{key}`"));
        let documented = default.is_empty() || row.contains(&format!("| `{default}` |"));
        assert!(documented, "docs/settings.md: the default of `{key}` is `{default}`");
    }
    let rows = first_cells(&text);
    let unknown: Vec<_> = rows.filter(|row| !keys.iter().any(|(key, _)| key == row)).collect();
    assert!(unknown.is_empty(), "docs/settings.md: nobody reads {unknown:?}");
}

#[test]
fn every_reason_is_documented_with_what_to_do() {
    let text = read(&root().join("docs/reasons.md"));
    let source = read(&root().join("crates/rules/src/reason.rs"));
    let codes: BTreeSet<&str> =
        source.lines().filter_map(|line| quoted(line.split_once(" = ")?.1)).collect();
    assert!(!codes.is_empty(), "crates/rules/src/reason.rs: its list looks different now");
    let documented: BTreeSet<&str> = first_cells(&text).collect();
    assert_eq!(documented, codes, "docs/reasons.md and crates/rules/src/reason.rs differ");
    for row in text.lines().filter(|line| line.starts_with("| `")) {
        let cells = row.split('|').filter(|cell| !cell.trim().is_empty()).count();
        assert_eq!(cells, 3, "docs/reasons.md: code, meaning and what to do: {row}");
    }
}

#[test]
fn the_repository_speaks_of_the_project_only() {
    // In two halves each, so that this file does not speak of them either.
    let elsewhere = [
        concat!("../", "shared"),
        concat!("/wo", "rk/"),
        concat!("/tmp/", "brief"),
        concat!(".", "library"),
    ];
    for file in files(&root()) {
        let text = read(&file);
        for place in elsewhere {
            let named = text.match_indices(place).any(|(at, _)| begins_a_path(&text[..at]));
            assert!(!named, "{}: it names `{place}`, a place of one machine", shown(&file));
        }
    }
}

// What the rules check.

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("crates/xtask lies two folders deep").to_owned()
}

/// Every file of the repository below `folder`; what is built or hidden is left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("its entries too").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let built = name == "target" || path.ends_with("dist/out");
        // In a second working tree `.git` is a file.
        if name == ".git" || path.is_dir() && built {
            continue;
        }
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn sources(folder: &str) -> Vec<PathBuf> {
    with_extension(files(&root().join(folder)), "rs")
}

fn documents() -> Vec<PathBuf> {
    with_extension(files(&root()), "md")
}

fn with_extension(mut files: Vec<PathBuf>, extension: &str) -> Vec<PathBuf> {
    files.retain(|file| file.extension().is_some_and(|it| it == extension));
    assert!(!files.is_empty(), "there is no .{extension} file to check");
    files
}

fn read(file: &Path) -> String {
    let bytes = fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", shown(file)));
    String::from_utf8_lossy(&bytes).into_owned()
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

fn crates() -> BTreeSet<String> {
    let folders = fs::read_dir(root().join("crates")).expect("the crates are there");
    let names = folders.map(|folder| folder.expect("its entries can be read").file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The names under the `sections` of a crate's manifest.
fn dependencies(name: &str, sections: &[&str]) -> BTreeSet<String> {
    let manifest = read(&root().join("crates").join(name).join("Cargo.toml"));
    let mut found = BTreeSet::new();
    let mut within = false;
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            within = sections.contains(&header);
            let one = sections.iter().find_map(|it| header.strip_prefix(it)?.strip_prefix('.'));
            found.extend(one.map(str::to_owned));
        } else if within && !line.is_empty() && !line.starts_with('#') {
            found.extend(line.split(['.', ' ', '=']).next().map(str::to_owned));
        }
    }
    found
}

/// What a line of code gives its name to.
fn declared_in(line: &str) -> Option<&str> {
    let mut words = line.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_');
    let keywords = ["struct", "enum", "trait", "type", "fn", "mod", "const", "static"];
    words.find(|word| keywords.contains(word))?;
    words.next()
}

/// Whether code of `line` names the crate: as a path, not as a field or as part of one.
fn names_crate(line: &str, name: &str) -> bool {
    let code = line.split("//").next().unwrap_or(line);
    let path = format!("{name}::");
    code.match_indices(&path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c == ':' || c == '_' || c.is_alphanumeric())
    })
}

// What the documents say.

/// The spans between single backticks, code blocks left out. A span may break over lines.
fn inline_code(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("\n```").step_by(2).flat_map(|prose| prose.split("\n\n"));
    prose.flat_map(|paragraph| paragraph.split('`').skip(1).step_by(2))
}

/// The lines of code blocks.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n```").skip(1).step_by(2).flat_map(str::lines)
}

/// Whether a span is a path of this repository, without patterns in it.
fn is_path_here(span: &str) -> bool {
    let here = ["crates/", "docs/", ".ci/"].iter().any(|start| span.starts_with(start));
    here && !span.contains(['*', ' ', '\n', '<', '{'])
}

/// The targets of links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// What comes after `closte-sync` in code.
fn calls(text: &str) -> Vec<&str> {
    let spans = inline_code(text).filter_map(|span| span.strip_prefix("closte-sync "));
    let lines = blocks(text).filter_map(|line| {
        let bare = line.trim_start_matches("$ ").strip_prefix("closte-sync ");
        bare.or_else(|| Some(line.split_once("/closte-sync ")?.1))
    });
    spans.chain(lines).collect()
}

/// The command that words begin with; empty where they begin with a flag.
fn named_command(words: &[&str]) -> String {
    let is_word = |word: &&&str| word.starts_with(|c: char| c.is_ascii_lowercase());
    let count =
        if matches!(words.first(), Some(&("domains" | "config" | "plugin"))) { 2 } else { 1 };
    let named = words.iter().take(count).take_while(is_word).copied();
    named.collect::<Vec<_>>().join(" ")
}

/// The first cell of each row whose first cell is code.
fn first_cells(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

fn begins_a_path(before: &str) -> bool {
    let last = before.chars().next_back();
    !last.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

// What the program has.

/// Every command, with those below `domains` and `config` in two words.
fn commands() -> BTreeSet<String> {
    let top = variants("cli.rs");
    let mut all = BTreeSet::new();
    for command in top {
        let below = match command.as_str() {
            "domains" => variants("cli/domains.rs"),
            "config" => variants("cli/config.rs"),
            "notify" => variants("cli/receivers.rs"),
            "plugin" => variants("cli/plugin.rs"),
            _ => Vec::new(),
        };
        all.extend(below.iter().map(|it| format!("{command} {it}")));
        if below.is_empty() {
            all.insert(command);
        }
    }
    all
}

/// The variants of `enum Command` in a file of the program, as clap spells them.
fn variants(file: &str) -> Vec<String> {
    let text = read(&root().join("crates/closte-sync/src").join(file));
    let body = text.split("enum Command {").nth(1).and_then(|rest| rest.split("\n}").next());
    let body = body.unwrap_or_else(|| panic!("{file}: it has no `enum Command`"));
    let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
    let names = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    names.map(|line| kebab(line.split(['(', ',', ' ']).next().unwrap_or(line))).collect()
}

fn kebab(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('-');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// Every flag: what clap adds automatically, and the fields with a `long` above them.
fn flags() -> BTreeSet<String> {
    let mut flags = BTreeSet::from(["help".to_owned(), "version".to_owned()]);
    for file in sources("crates/closte-sync/src") {
        let text = read(&file);
        let mut lines = text.lines().map(str::trim);
        while let Some(line) = lines.next() {
            if !(line.starts_with("#[arg(") && line.contains("long")) {
                continue;
            }
            let named = line.split_once("long = \"").and_then(|(_, rest)| rest.split('"').next());
            let field =
                lines.next().and_then(|line| line.split(':').next()?.split(' ').next_back());
            flags.extend(named.or(field).map(|name| name.replace('_', "-")));
        }
    }
    flags
}

/// Every setting with its default.
fn settings() -> Vec<(String, String)> {
    let text = read(&root().join("crates/closte-sync/src/config/keys.rs"));
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("key(\""));
    let keys = lines.filter_map(|line| {
        let (name, rest) = line.split_once("\", ")?;
        Some((name.to_owned(), quoted(rest.split_once(", ")?.1)?.to_owned()))
    });
    let keys: Vec<_> = keys.collect();
    assert!(
        !keys.is_empty(),
        "crates/closte-sync/src/config/keys.rs: its list looks different now"
    );
    keys
}

/// The text between the first two quotes, where it begins with one.
fn quoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.split('"').next()
}
