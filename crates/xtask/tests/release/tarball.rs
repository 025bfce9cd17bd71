//! The tarball, for whoever has a shell.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::{VERSION, is_portable, names, out, ran};

/// The tarball unpacked, and the one folder in it.
fn unpacked() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = format!("closte-sync-{VERSION}-x86_64-linux");
    let archive = out().join(format!("{name}.tar.gz"));
    ran(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder.path()));
    assert_eq!(names(folder.path()), [name.as_str()]);
    let inside = folder.path().join(name);
    (folder, inside)
}

#[test]
fn the_program_runs_on_old_systems_with_all_its_commands() {
    let (_folder, inside) = unpacked();
    let program = inside.join("closte-sync");
    is_portable(&program);
    let say = |arguments: &[&str]| ran(Command::new(&program).args(arguments).env_clear());
    assert_eq!(say(&["--version"]), format!("closte-sync {VERSION}\n"));
    assert!(say(&["doctor", "--help"]).contains("Usage: closte-sync doctor"));
    assert!(say(&["demo", "--help"]).contains("Usage: closte-sync demo"));
}

#[test]
fn it_has_licences_documents_and_units_for_where_it_is_put() {
    let (_folder, inside) = unpacked();
    for file in ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "docs/commands.md"] {
        assert!(inside.join(file).is_file(), "it lacks `{file}`");
    }
    let others = fs::read_to_string(inside.join("LICENSE-THIRD-PARTY")).expect("a text");
    for linked in ["ring v", "rustls v", "tokio v"] {
        assert!(others.contains(&format!("\n{linked}")), "the license of `{linked}`");
    }
    for text in ["Permission is hereby granted", "Apache License", "ISC License"] {
        assert!(others.contains(text), "it lacks the text of `{text}`");
    }
    let units = inside.join("systemd");
    let services = names(&units).into_iter().filter(|name| name.ends_with(".service"));
    for name in services {
        let unit = fs::read_to_string(units.join(&name)).expect("a text");
        assert!(unit.contains("\nExecStart=/usr/local/bin/closte-sync "), "{name}: {unit}");
    }
}

#[test]
fn every_command_has_a_manual_page_that_renders() {
    let (_folder, inside) = unpacked();
    let pages = names(&inside.join("man"));
    for page in &pages {
        let rendered = Command::new("groff")
            .args(["-man", "-ww", "-Tutf8", "-P-cbou"])
            .arg(inside.join("man").join(page))
            .output()
            .expect("`groff` runs; `./test` installs it");
        let complaints = String::from_utf8_lossy(&rendered.stderr);
        assert!(rendered.status.success() && complaints.is_empty(), "{page}: {complaints}");
        let text = String::from_utf8_lossy(&rendered.stdout).into_owned();
        assert!(text.contains("SYNOPSIS") && text.contains("DESCRIPTION"), "{page}: {text}");
    }
    let help = ran(Command::new(inside.join("closte-sync")).arg("--help").env_clear());
    let commands = help.split("Commands:").nth(1).and_then(|rest| rest.split("\n\n").next());
    let commands = commands.expect("it lists its commands").lines();
    let commands = commands.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let commands: Vec<_> = commands.filter(|it| !it.is_empty() && *it != "help").collect();
    assert!(commands.len() > 10, "{help}");
    for command in commands {
        let page = format!("closte-sync-{command}.1");
        assert!(pages.contains(&page), "there is no `{page}` among {pages:?}");
    }
    assert!(pages.contains(&"closte-sync.1".to_owned()));
    assert!(pages.contains(&"closte-sync-domains-list.1".to_owned()));
}

#[test]
fn shells_complete_its_commands() {
    let (_folder, inside) = unpacked();
    let completions = inside.join("completions");
    let shells = ["closte-sync.bash", "closte-sync.fish", "closte-sync.zsh"];
    assert_eq!(names(&completions), shells);
    for name in shells {
        let text = fs::read_to_string(completions.join(name)).expect("a text");
        assert!(text.contains("test-connection"), "{name}");
    }
    let completed = ran(Command::new("bash").args([
        "--norc",
        "-c",
        "source \"$1\"; COMP_WORDS=(closte-sync doc) COMP_CWORD=1; \
         _closte__sync closte-sync doc closte-sync; echo \"${COMPREPLY[*]}\"",
        "bash",
        &completions.join("closte-sync.bash").display().to_string(),
    ]));
    assert_eq!(completed, "doctor\n");
}
