//! The right way to run, for each kind of machine; and our line in a crontab.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use engine::Failure;
use engine::ops::check::State;
use engine::ops::setup::crontab::{Change, CronLine};
use engine::ops::setup::{
    CrontabFound, MachineFound, PluginHere, Proposal, Remaining, Scope, SystemdFound,
    WordPressFound, set_up,
};
use rules::network::Switch;

use crate::world::NOW;

const LINE: &str = "*/5 * * * * /home/app1/bin/closte-sync --wp-config \
                    /home/app1/public_html/wp-config.php sync --quiet # written by closte-sync setup\n";

/// A site at Closte where nothing runs closte-sync yet.
fn at_closte() -> MachineFound {
    MachineFound {
        program: PathBuf::from("/home/app1/bin/closte-sync"),
        user: "app1".to_owned(),
        is_root: false,
        wordpress: Ok(WordPressFound::Here {
            config: PathBuf::from("/home/app1/public_html/wp-config.php"),
            root: PathBuf::from("/home/app1/public_html"),
            app: Some("app1".to_owned()),
        }),
        config: None,
        switch: Some(Ok(Switch::On)),
        plugin: PluginHere::Absent,
        crontab: CrontabFound::Read(Vec::new()),
        systemd: None,
        only_here: Vec::new(),
        now: NOW,
    }
}

/// The same site on another machine, which systemd runs.
fn on_a_server(scope: Scope, units: &[(&str, &str)]) -> MachineFound {
    let units = units.iter().map(|(unit, state)| ((*unit).to_owned(), (*state).to_owned()));
    let mut found = at_closte();
    found.wordpress = Ok(WordPressFound::Here {
        config: PathBuf::from("/var/www/html/wp-config.php"),
        root: PathBuf::from("/var/www/html"),
        app: Some("app1".to_owned()),
    });
    found.systemd = Some(SystemdFound { scope, units: units.collect() });
    found
}

fn carries(active: Option<bool>, due_since: u64) -> PluginHere {
    let next = Some(NOW - Duration::from_mins(due_since));
    PluginHere::Carries { active, obstacle: None, next }
}

fn proposal(found: &MachineFound) -> Proposal {
    set_up(found).1.unwrap()
}

/// `way remaining`, in words.
fn in_short(found: &MachineFound) -> String {
    let Proposal { way, remaining, .. } = proposal(found);
    let remaining = match remaining {
        Remaining::Nothing => "nothing",
        Remaining::Crontab(edited) if matches!(edited.change, Change::Exchange(_)) => "exchange",
        Remaining::Crontab(_) => "add",
        Remaining::Enable(_) => "enable",
        Remaining::ByHand(_) => "by hand",
    };
    format!("{} {remaining}", way.as_str())
}

#[test]
#[rustfmt::skip] // One case a line.
fn each_kind_of_machine_has_its_way() {
    use CrontabFound::{NoProgram, Read, Refused};
    let service = |state| [("closte-sync.service", state)];
    let with = |mut found: MachineFound, change: &dyn Fn(&mut MachineFound)| { change(&mut found); found };
    let closte = |change: &dyn Fn(&mut MachineFound)| with(at_closte(), change);
    let server = |units: &[(&str, &str)], change: &dyn Fn(&mut MachineFound)| with(on_a_server(Scope::System, units), change);
    let text = |text: &str| Read(text.as_bytes().to_vec());
    let older = LINE.replace("/bin/", "/old/");
    let by_hand = "*/5 * * * * $HOME/bin/closte-sync sync --quiet\n";
    let table = [
        ("at Closte",                            closte(&|_| ()),                                        "cron add"),
        ("the line is there",                    closte(&|it| it.crontab = text(LINE)),                  "cron nothing"),
        ("of an older place",                    closte(&|it| it.crontab = text(&older)),                "cron exchange"),
        ("written by hand",                      closte(&|it| it.crontab = text(by_hand)),               "cron nothing"),
        ("no crontab program",                   closte(&|it| it.crontab = NoProgram),                   "cron by hand"),
        ("crontab refused",                      closte(&|it| it.crontab = Refused("no".into())),        "cron by hand"),
        ("a path that no crontab can hold",      closte(&|it| it.program = "/a\nb/closte-sync".into()),   "cron by hand"),
        ("a plugin without an engine",           closte(&|it| it.plugin = PluginHere::WithoutEngine),    "cron add"),
        ("a broken engine",                      closte(&|it| it.plugin = PluginHere::Broken("x".into())), "cron add"),
        ("an engine that works",                 closte(&|it| it.plugin = carries(Some(true), 0)),       "plugin nothing"),
        ("and a line of cron besides",           closte(&|it| { it.plugin = carries(Some(true), 0); it.crontab = text(LINE); }), "plugin nothing"),
        ("a pass that is due for an hour",       closte(&|it| it.plugin = carries(Some(true), 60)),      "plugin nothing"),
        ("and for longer",                       closte(&|it| it.plugin = carries(Some(true), 61)),      "cron add"),
        ("an engine that is not active",         closte(&|it| it.plugin = carries(Some(false), 0)),      "cron add"),
        ("or that WordPress cannot start",       closte(&|it| it.plugin = PluginHere::Carries { active: Some(true), obstacle: Some("forbidden".into()), next: None }), "cron add"),
        ("or nobody knows",                      closte(&|it| it.plugin = carries(None, 0)),             "cron add"),
        ("Closte is never given a service",      closte(&|it| { it.is_root = true; it.systemd = on_a_server(Scope::System, &[]).systemd; }), "cron add"),
        ("the constant of a copy",               closte(&|it| it.wordpress = on_a_server(Scope::System, &[]).wordpress), "cron add"),
        ("a server, root, the package",          server(&service("disabled"), &|it| it.is_root = true),  "systemd enable"),
        ("it is enabled",                        server(&service("enabled"), &|_| ()),                   "systemd nothing"),
        ("the timer is",                         server(&[("closte-sync-sync.timer", "enabled")], &|_| ()), "systemd nothing"),
        ("one of several networks is",           server(&[("closte-sync@a.service", "enabled")], &|_| ()), "systemd nothing"),
        ("root, the tar.gz",                     server(&[], &|it| it.is_root = true),                   "systemd by hand"),
        ("root, and cron does it",               server(&[], &|it| { it.is_root = true; it.crontab = text(by_hand); }), "cron nothing"),
        ("a user who may not",                   server(&service("disabled"), &|_| ()),                  "cron add"),
        ("and who has no cron either",           server(&service("disabled"), &|it| it.crontab = NoProgram), "systemd by hand"),
        ("a user whose services go on",          on_a_server(Scope::User, &service("disabled")),         "systemd enable"),
        ("and who has no unit of ours",          on_a_server(Scope::User, &[]),                          "cron add"),
        ("nor cron",                             { let mut it = on_a_server(Scope::User, &[]); it.crontab = NoProgram; it }, "cron by hand"),
        ("an engine that works on a server",     server(&[], &|it| { it.is_root = true; it.plugin = carries(Some(true), 0); }), "plugin nothing"),
        ("another machine, over REST",           closte(&|it| it.wordpress = Ok(WordPressFound::Remote("https://net.example".into()))), "cron add"),
        ("no systemd, no cron",                  closte(&|it| { it.wordpress = on_a_server(Scope::System, &[]).wordpress; it.crontab = NoProgram; }), "cron by hand"),
    ];
    for (what, found, expected) in table {
        assert_eq!(in_short(&found), expected, "{what}");
    }
}

#[test]
fn without_wordpress_nothing_is_proposed_and_that_is_what_fails() {
    let mut found = at_closte();
    found.wordpress = Err(Failure::could_not("there is no wp-config.php").hint("go there"));
    found.switch = None;
    let (checks, proposal) = set_up(&found);
    assert_eq!(proposal, None);
    let failed: Vec<_> = checks.iter().filter(|it| it.state == State::Fail).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!((failed[0].check, failed[0].hint.as_deref()), ("wp-config.php", Some("go there")));
}

#[test]
fn what_was_found_is_said_one_thing_after_the_other() {
    let mut found = at_closte();
    found.switch = Some(Ok(Switch::Off));
    found.plugin = carries(Some(true), 180);
    found.crontab = CrontabFound::Refused("You are not\nallowed".to_owned());
    found.only_here = vec!["$CLOSTE_SYNC_LEDGER_URL".to_owned()];
    let (checks, proposal) = set_up(&found);
    let said: Vec<String> = checks
        .iter()
        .map(|it| format!("{} {}: {}", it.state.as_str(), it.check, it.detail))
        .chain(proposal.map(|it| it.why))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    ok program: /home/app1/bin/closte-sync, run by `app1`
    ok wp-config.php: /home/app1/public_html/wp-config.php
    ok closte: this is the app `app1` at Closte
    warn database: answers, and Closte is switched off
    warn plugin: carries an engine that makes no pass
    warn crontab: You are not\nallowed
    ok systemd: does not run this machine
    warn settings: $CLOSTE_SYNC_LEDGER_URL count in this process only
    the plugin carries an engine, but a pass has been due for 3 h and was not made: PHP may not start programs, or WP-Cron does not run; cron does it instead
    ");
}

#[test]
fn the_commands_fit_who_runs_them() {
    let lines = |found: &MachineFound| proposal(found).lines.join("\n");
    let mut root = on_a_server(Scope::System, &[("closte-sync.service", "disabled")]);
    root.is_root = true;
    assert_eq!(lines(&root), "systemctl enable --now closte-sync.service");
    let mut user = on_a_server(Scope::System, &[]);
    user.crontab = CrontabFound::NoProgram;
    insta::assert_snapshot!(lines(&user), @"
    sudo install -D -m 644 systemd/closte-sync.service /etc/systemd/system/closte-sync.service
    sudo systemctl daemon-reload
    sudo systemctl enable --now closte-sync.service
    ");
    let user = on_a_server(Scope::User, &[("closte-sync.service", "disabled")]);
    assert_eq!(lines(&user), "systemctl --user enable --now closte-sync.service");
}

#[test]
fn one_of_several_networks_has_its_own_service_which_a_person_enables() {
    let mut found = on_a_server(Scope::System, &[("closte-sync.service", "enabled")]);
    found.is_root = true;
    let mut proposed = |config: &str| {
        found.config = Some(PathBuf::from(config));
        (in_short(&found), proposal(&found).lines.join("\n"))
    };
    let by_hand = |line: &str| ("systemd by hand".to_owned(), line.to_owned());
    let shop = "systemctl enable --now closte-sync@shop.service";
    assert_eq!(proposed("/etc/closte-sync/shop.toml"), by_hand(shop));
    assert_eq!(proposed("/srv/shop.toml"), by_hand(""));
    let of_the_service = proposed("/etc/closte-sync/closte-sync.toml");
    assert_eq!(of_the_service, ("systemd nothing".to_owned(), String::new()));
}

fn line() -> CronLine {
    let program = Path::new("/home/app1/bin/closte-sync");
    CronLine::of(program, Some(Path::new("/home/app1/public_html/wp-config.php")), None).unwrap()
}

#[test]
#[rustfmt::skip] // One case a line.
fn a_line_is_written_once_and_everything_else_stays() {
    let other = "MAILTO=me@example.org\n# mine\n\t0 3 * * *\tbackup %\n\n";
    let b = LINE.replace("/app1/public_html/", "/app1/public_html/b/");
    let older = LINE.replace("/bin/", "/old/");
    let minutely = LINE.replace("*/5 * * * *", "* * * * *");
    let cases: [(&str, String, String, Change); 10] = [
        ("nothing",           String::new(),                    LINE.to_owned(),                 Change::Add),
        ("others",            other.to_owned(),                 format!("{other}{LINE}"),        Change::Add),
        ("no last line end",  "0 3 * * * x".to_owned(),          format!("0 3 * * * x\n{LINE}"),  Change::Add),
        ("twice",             format!("{LINE}{other}"),         format!("{LINE}{other}"),        Change::None),
        ("another time",      format!("{minutely}{other}"),     format!("{minutely}{other}"),    Change::None),
        ("an older place",    format!("{older}{other}"),        format!("{other}{LINE}"),        Change::Exchange(vec![older.trim_end().to_owned()])),
        ("its time is kept",  older.replace("*/5", "*/2"),      LINE.replace("*/5", "*/2"),      Change::Exchange(vec![older.trim_end().replace("*/5", "*/2")])),
        ("two of them",       format!("{LINE}{other}{LINE}"),   format!("{other}{LINE}"),        Change::Exchange(vec![LINE.trim_end().to_owned(); 2])),
        ("another network",   b.clone(),                        format!("{b}{LINE}"),            Change::Add),
        ("switched off",      format!("#{LINE}"),               format!("#{LINE}{LINE}"),        Change::Add),
    ];
    for (what, before, after, change) in cases {
        let edited = line().written_into(before.as_bytes());
        assert_eq!(String::from_utf8(edited.text.clone()).unwrap(), after, "{what}");
        assert_eq!(edited.change, change, "{what}");
        assert_eq!(line().written_into(&edited.text).change, Change::None, "{what}: twice is once");
    }
}

#[test]
fn what_was_written_is_taken_out_and_no_other_byte() {
    let foreign: &[u8] =
        b"# caf\xe9\r\n*/5 * * * * /home/app1/bin/closte-sync sync --quiet\n\n@daily x";
    let mut with = foreign.to_vec();
    with.push(b'\n');
    let written = line().written_into(foreign);
    let out = line().taken_out_of(&written.text);
    assert_eq!(out.text, with);
    assert_eq!(out.change, Change::Remove(vec![LINE.trim_end().to_owned()]));
    assert_eq!(
        line().taken_out_of(&with).change,
        Change::None,
        "a line by hand is nobody's to remove"
    );
}

#[test]
fn a_program_of_any_name_is_written_once() {
    let config = Path::new("/home/app1/public_html/wp-config.php");
    let line = CronLine::of(Path::new("/opt/my sync/closte-sync-2"), Some(config), None).unwrap();
    let written = line.written_into(b"");
    assert_eq!(line.written_into(&written.text).change, Change::None);
    assert_eq!(line.taken_out_of(&written.text).text, b"");
}

#[test]
#[rustfmt::skip] // One case a line.
fn a_line_by_hand_counts_where_it_is_for_this_network() {
    let table = [
        ("*/5 * * * * $HOME/bin/closte-sync sync --quiet",                                              true),
        ("* * * * * cd public_html && ~/bin/closte-sync sync",                                          true),
        ("@hourly '/opt/my tools/closte-sync' sync --quiet",                                            true),
        ("*/5 * * * * closte-sync --wp-config /home/app1/public_html/wp-config.php sync",               true),
        ("*/5 * * * * closte-sync --wp-config=\"/home/app1/public_html\" sync",                         true),
        ("*/5 * * * * closte-sync --wp-config $HOME/public_html/wp-config.php sync",                    true),
        ("*/5 * * * * closte-sync --wp-config /home/app1/other/wp-config.php sync",                     false),
        ("# */5 * * * * closte-sync sync",                                                              false),
        ("0 8 * * * closte-sync status",                                                                false),
        ("0 8 * * * rsync --quiet closte-sync.tar.gz backup:",                                          false),
        (LINE.trim_end(),                                                                               false),
    ];
    for (text, expected) in table {
        assert_eq!(line().is_kept_by_hand_in(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn a_network_over_rest_is_told_from_others_by_its_settings_file() {
    let program = Path::new("/usr/bin/closte-sync");
    let of = |config: Option<&str>| CronLine::of(program, None, config.map(Path::new)).unwrap();
    let (plain, a, b) = (of(None), of(Some("/etc/a.toml")), of(Some("/etc/b.toml")));
    let mut text = LINE.as_bytes().to_vec();
    for line in [&plain, &a, &b] {
        let edited = line.written_into(&text);
        assert_eq!(edited.change, Change::Add, "{line}");
        text = edited.text;
    }
    for line in [&plain, &a, &b] {
        text = line.taken_out_of(&text).text;
    }
    assert_eq!(text, LINE.as_bytes());
}

#[test]
fn a_path_that_no_crontab_can_hold_is_refused() {
    for path in ["/a\nb", "/a\tb", "/a\\b"] {
        let why = CronLine::of(Path::new(path), None, None).unwrap_err();
        assert!(why.ends_with("; move it"), "{why}");
    }
}

#[test]
fn states_of_units_are_kept_as_systemd_words_them() {
    let units = BTreeMap::from([("closte-sync@.service".to_owned(), "indirect".to_owned())]);
    let mut found = on_a_server(Scope::System, &[]);
    found.systemd = Some(SystemdFound { scope: Scope::System, units });
    let (checks, _) = set_up(&found);
    let systemd = checks.iter().find(|it| it.check == "systemd").unwrap();
    assert_eq!(systemd.detail, "runs this machine; `closte-sync@.service` (indirect)");
}
