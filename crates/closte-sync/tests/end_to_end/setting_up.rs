//! `setup` in a made-up Closte home, with a program `crontab` that keeps a file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::world::{Ran, World, ended};

const PROGRAM: &str = env!("CARGO_BIN_EXE_closte-sync");

/// Keeps `$KEPT`, as Vixie's does.
const CRONTAB: &str = r#"#!/bin/sh
case "$1" in
-l) if [ -f "$KEPT" ]; then cat "$KEPT"; else echo 'no crontab for app1' >&2; exit 1; fi ;;
-) cat > "$KEPT" ;;
esac
"#;

/// A home at Closte.
struct Home {
    world: World,
    /// The home folder, whose name is the app's.
    at: PathBuf,
    /// Where programs are looked for.
    path: String,
}

impl Home {
    async fn new() -> Self {
        Self::named("app1").await
    }

    async fn named(app: &str) -> Self {
        let world = World::new().await;
        let at = world.folder.path().canonicalize().unwrap().join(app);
        fs::create_dir(&at).unwrap();
        fs::rename(world.root(), at.join("public_html")).unwrap();
        let config =
            world.wp_config().replace("'app1'", &format!("'{}'", app.replace('\'', "\\'")));
        fs::write(at.join("public_html/wp-config.php"), config).unwrap();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let bin = world.folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let path = format!("{}:{}", bin.display(), others.to_string_lossy());
        let home = Self { world, at, path };
        home.crontab_is(CRONTAB);
        home
    }

    /// Let this script be the program `crontab`.
    fn crontab_is(&self, script: &str) {
        let file = self.world.folder.path().join("bin/crontab");
        fs::write(&file, script).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The file that it keeps.
    fn kept(&self) -> PathBuf {
        self.world.folder.path().join("crontab")
    }

    fn crontab(&self) -> String {
        fs::read_to_string(self.kept()).unwrap_or_default()
    }

    /// As this user starts something.
    fn started(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&self.at)
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", &self.at)
            .env("KEPT", self.kept())
            .envs(self.world.settings.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run_by(&self, program: impl AsRef<Path>, arguments: &str) -> Ran {
        let mut command = self.started(program);
        ended(command.args(arguments.split_whitespace()).spawn().unwrap(), arguments)
    }

    fn run(&self, arguments: &str) -> Ran {
        self.run_by(PROGRAM, arguments)
    }

    #[track_caller]
    fn done(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {ran:?}");
        ran
    }

    fn proposal(&self) -> Value {
        self.run("setup --output json").json()["proposal"].clone()
    }

    /// The line that is right here.
    fn line(&self) -> String {
        let config = self.at.join("public_html/wp-config.php");
        format!(
            "*/5 * * * * {PROGRAM} --wp-config {} sync --quiet # written by closte-sync setup\n",
            config.display()
        )
    }

    /// Run a line of the crontab as cron does: what follows a `%` without a backslash is input.
    fn run_line(&self, line: &str) -> Ran {
        let command = line.trim_end().strip_prefix("*/5 * * * * ").unwrap();
        assert_eq!(command.matches('%').count(), command.matches("\\%").count(), "{command}");
        let mut shell = self.started("/bin/sh");
        let child = shell.args(["-c", &command.replace("\\%", "%")]).spawn().unwrap();
        ended(child, command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_writes_once_and_removes_what_it_wrote() {
    let home = Home::new().await;
    let others = b"MAILTO=me@example.org\n# caf\xe9\n0 3 * * * backup %\n\n";
    fs::write(home.kept(), others).unwrap();

    let shown = home.done("setup");
    for said in ["this is the app `app1` at Closte", "proposal: cron: Closte bills", &home.line()] {
        assert!(shown.out.contains(said), "no `{said}` in {shown:?}");
    }
    assert_eq!(fs::read(home.kept()).unwrap(), others, "it only shows");
    home.run("setup --write").fails(1, &["nothing was changed", "`--yes`"]);
    assert_eq!(fs::read(home.kept()).unwrap(), others, "nobody said yes");

    home.done("setup --write --yes");
    let written = fs::read(home.kept()).unwrap();
    assert_eq!(written, [others, home.line().as_bytes()].concat());
    let again = home.done("setup --write --yes");
    assert!(again.err.contains("it is there already"), "{again:?}");
    assert_eq!(fs::read(home.kept()).unwrap(), written, "twice is once");

    home.run("setup --remove").fails(1, &["nothing was changed", home.line().trim_end()]);
    home.done("setup --remove --yes");
    assert_eq!(fs::read(home.kept()).unwrap(), others, "and not a byte besides");
    let nothing = home.done("setup --remove --yes");
    assert!(nothing.err.contains("nothing is here"), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_read_what_was_found_and_what_is_proposed() {
    let home = Home::new().await;
    let answer = home.done("setup --output json").json();
    assert_eq!(
        answer["proposal"],
        json!({
            "way": "cron",
            "why": "Closte bills every process by time and memory, and a pass that cron starts ends \
                    at once where there is nothing to do",
            "lines": [home.line().trim_end()],
            "remaining": "crontab",
            "hint": "`closte-sync setup --write` puts it into the crontab",
        })
    );
    let checks = answer["checks"].as_array().unwrap();
    let names: Vec<&str> = checks.iter().map(|it| it["check"].as_str().unwrap()).collect();
    let expected = [
        "program",
        "wp-config.php",
        "closte",
        "database",
        "plugin",
        "crontab",
        "systemd",
        "settings",
    ];
    assert_eq!(names, expected);
    let settings = checks.last().unwrap();
    assert!(settings["detail"].as_str().unwrap().contains("`$CLOSTE_SYNC_CLOSTE_API_URL`"));
    home.done("setup --write --yes --output json").json();
    assert_eq!(home.proposal()["remaining"], "nothing");
    let removed = home.done("setup --remove --yes --output json").json();
    assert_eq!(removed, json!({ "removed": [home.line().trim_end()] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_an_older_place_is_exchanged_and_its_time_kept() {
    let home = Home::new().await;
    let older = home.line().replace(PROGRAM, "/old/closte-sync").replace("*/5", "*/2");
    let other = home.line().replace("/public_html/", "/public_html/other/");
    fs::write(home.kept(), format!("{older}{other}")).unwrap();
    let shown = home.done("setup");
    assert!(shown.out.contains(&format!("in place of: {older}")), "{shown:?}");
    let written = home.done("setup --write --yes");
    assert!(written.err.contains("/old/closte-sync"), "{written:?}");
    let line = home.line().replace("*/5", "*/2");
    assert_eq!(home.crontab(), format!("{other}{line}"), "another network's line stays");
    home.done("setup --remove --yes");
    assert_eq!(home.crontab(), other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_by_hand_is_enough_and_nobody_elses_to_remove() {
    let home = Home::new().await;
    let by_hand = "*/5 * * * * $HOME/bin/closte-sync sync --quiet\n";
    fs::write(home.kept(), by_hand).unwrap();
    assert_eq!(home.proposal()["remaining"], "nothing");
    home.done("setup --write --yes");
    home.done("setup --remove --yes");
    assert_eq!(home.crontab(), by_hand);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_makes_a_pass_wherever_program_and_network_are() {
    let odd = "it's 100% \"odd\" $HOME";
    let home = Home::named(odd).await;
    let folder = home.at.join("my `bin`; 50%");
    fs::create_dir(&folder).unwrap();
    let program = folder.join("closte-sync");
    // Another file system may be between.
    fs::hard_link(PROGRAM, &program).or_else(|_| fs::copy(PROGRAM, &program).map(drop)).unwrap();
    let ran = home.run_by(&program, "setup --write --yes");
    assert_eq!(ran.code, 0, "{ran:?}");

    let site = home.world.site("s2.network.example");
    home.world.map(site, "shop.example");
    let ran = home.run_line(&home.crontab());
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
    assert_eq!(home.world.asked(), ["add shop.example"]);

    let again = home.run_by(&program, "setup --write --yes");
    assert!(again.err.contains("it is there already"), "{again:?}");
    home.run_by(&program, "setup --remove --yes");
    assert_eq!(home.crontab(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_crontab_cannot_be_changed_the_line_is_shown_for_a_person() {
    let mut home = Home::new().await;
    let refusal = "You (app1) are not allowed to use this program (crontab)";
    home.crontab_is(&format!("#!/bin/sh\necho '{refusal}' >&2\nexit 1\n"));
    let shown = home.done("setup");
    assert!(shown.out.contains(&home.line()) && shown.out.contains(refusal), "{shown:?}");
    assert_eq!(home.proposal()["remaining"], "by-hand");
    home.run("setup --write --yes").fails(1, &["nothing was written", "where this host asks"]);
    home.run("setup --remove --yes").fails(2, &["could not read the crontab", refusal]);

    home.crontab_is("#!/bin/sh\n[ \"$1\" = - ] && { echo 'disk full' >&2; exit 1; }\nexit 0\n");
    home.run("setup --write --yes").fails(2, &["`crontab -` failed: disk full"]);
    home.crontab_is("#!/bin/sh\n[ \"$1\" = - ] && cat > /dev/null\nexit 0\n");
    home.run("setup --write --yes").fails(2, &["does not hold what was written"]);

    home.path = home.at.display().to_string();
    let shown = home.done("setup");
    assert!(shown.out.contains(&home.line()), "{shown:?}");
    home.run("setup --write --yes").fails(1, &["there is no program `crontab`"]);
    let nothing = home.done("setup --remove --yes");
    assert!(nothing.err.contains("nothing is here"), "{nothing:?}");
    assert!(!home.kept().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_plugin_carries_an_engine_that_makes_passes_cron_is_not_needed() {
    let home = Home::new().await;
    home.done("setup --write --yes");
    home.done("plugin install");
    assert_eq!(home.proposal()["way"], "cron", "this plugin carries none");
    let bin = home.at.join("public_html/wp-content/plugins/closte-sync/bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("closte-sync"), "abc").unwrap();
    fs::set_permissions(bin.join("closte-sync"), fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(home.proposal()["way"], "cron", "nobody knows what that is");
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    fs::write(bin.join("closte-sync.sha256"), format!("{hash}  closte-sync\n")).unwrap();

    let shown = home.done("setup");
    assert!(shown.out.contains("proposal: plugin: "), "{shown:?}");
    assert!(
        shown.out.contains("warn  crontab: ") && shown.out.contains("setup --remove"),
        "{shown:?}"
    );
    let written = home.done("setup --write --yes");
    assert!(written.err.contains("the plugin needs nothing here"), "{written:?}");
    assert_eq!(home.crontab(), home.line(), "only `--remove` takes it away");
    home.done("setup --remove --yes");

    // PHP may not start it, or nothing runs WP-Cron: nobody makes the pass that is due.
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    home.world.option("closte_sync_next", &(now - 3 * 3600).to_string());
    let late = home.proposal();
    assert_eq!((&late["way"], &late["remaining"]), (&json!("cron"), &json!("crontab")));
    assert!(late["why"].as_str().unwrap().contains("has been due for 3 h"), "{late}");
    home.world.option("closte_sync_next", &(now + 60).to_string());
    assert_eq!(home.proposal()["way"], "plugin");
    home.world.option("closte_sync_carried", r#"{"obstacle":{"code":"forbidden","what":""}}"#);
    let shown = home.done("setup");
    assert!(shown.out.contains("cannot start (`forbidden`)"), "{shown:?}");
    assert!(shown.out.contains("proposal: cron"), "{shown:?}");
    home.world.option("closte_sync_carried", r#"{"obstacle":null}"#);
    assert_eq!(home.proposal()["way"], "plugin");
    home.world.option("active_sitewide_plugins", "a:0:{}");
    assert_eq!(home.proposal()["way"], "cron", "it is not active");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_wordpress_or_its_database_that_is_what_is_said() {
    let home = Home::new().await;
    home.done("setup --write --yes");
    home.world.option("wu_host_integrations_enabled", "a:0:{}");
    let off = home.done("setup");
    assert!(off.out.contains("warn  database: answers, and Closte is switched off"), "{off:?}");

    let file = home.at.join("public_html/wp-config.php");
    let config = fs::read_to_string(&file).unwrap();
    fs::write(&file, config.replace("localhost:/", "localhost:/nowhere/")).unwrap();
    let ran = home.run("setup");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("fail  database: ") && ran.out.contains("proposal: cron"), "{ran:?}");

    fs::write(&file, config.replace("'DB_NAME'", "'DB_NOTHING'")).unwrap();
    let ran = home.run("setup");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("fail  database: ") && ran.out.contains("DB_NAME"), "{ran:?}");

    fs::remove_file(&file).unwrap();
    let ran = home.run("setup --output json");
    assert_eq!((ran.code, &ran.json()["proposal"]), (1, &Value::Null), "{ran:?}");
    home.run("setup --remove --yes").fails(2, &["wp-config.php"]);
    assert_eq!(home.crontab(), home.line());
    home.done(&format!("--wp-config {} setup --remove --yes", file.display()));
    assert_eq!(home.crontab(), "");
}
