//! The zip that is uploaded in WordPress.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{VERSION, is_portable, out, ran};

/// What many hosts still let through, and what a slow line uploads in a minute.
const LARGEST: u64 = 5_000_000;

/// The zip, unpacked.
fn unpacked() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    ran(Command::new("unzip").arg("-q").arg(archive()).arg("-d").arg(folder.path()));
    folder
}

fn archive() -> std::path::PathBuf {
    out().join(format!("closte-sync-{VERSION}.zip"))
}

#[test]
fn it_holds_the_plugin_and_the_engine_with_its_hash_and_nothing_else() {
    let listed = ran(Command::new("unzip").arg("-Z1").arg(archive()));
    let listed: Vec<&str> = listed.lines().collect();
    let shipped = testkit::wordpress::shipped();
    let engine = ["bin/closte-sync", "bin/closte-sync.sha256", "bin/licenses.txt"];
    let mut expected: Vec<String> = shipped
        .iter()
        .map(|(path, _)| path.display().to_string())
        .chain(engine.map(str::to_owned))
        .map(|name| format!("closte-sync/{name}"))
        .collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);

    let folder = unpacked();
    for (path, text) in shipped {
        let packed = fs::read_to_string(folder.path().join("closte-sync").join(&path));
        assert_eq!(packed.ok(), Some(text), "{}", path.display());
    }
}

#[test]
fn it_is_small_enough_to_be_uploaded() {
    let size = fs::metadata(archive()).expect("it is there").len();
    assert!(size < LARGEST, "the zip has {size} bytes, and may have {LARGEST}");
}

#[test]
fn the_hash_is_the_engines() {
    let folder = unpacked();
    let bin = folder.path().join("closte-sync/bin");
    let line = fs::read_to_string(bin.join("closte-sync.sha256")).expect("a text");
    let (hash, name) = line.split_once("  ").expect("hash, two blanks, name");
    assert_eq!(name, "closte-sync\n");
    assert!(hash.len() == 64 && hash.bytes().all(|it| it.is_ascii_hexdigit()), "{hash}");
    ran(Command::new("sha256sum").args(["--check", "closte-sync.sha256"]).current_dir(&bin));
}

#[test]
fn the_engine_runs_on_old_systems_and_has_no_sandbox() {
    let folder = unpacked();
    let engine = folder.path().join("closte-sync/bin/closte-sync");
    let mode = fs::metadata(&engine).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    is_portable(&engine);
    assert_eq!(asked(&engine, &["--version"]), format!("closte-sync {VERSION}\n"));
    let help = asked(&engine, &["--help"]);
    assert!(help.contains("  sync ") && help.contains("  doctor "), "{help}");
    assert!(!help.contains("  demo ") && !help.contains("  sandbox "), "{help}");
    assert!(asked(&engine, &["doctor", "--help"]).contains("Usage: closte-sync doctor"));
    // One that cannot do its job says why, and does not abort.
    let nowhere = Command::new(&engine).arg("sync").current_dir(folder.path()).env_clear().output();
    let nowhere = nowhere.expect("it starts");
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).starts_with("error: "), "{nowhere:?}");
}

fn asked(engine: &Path, arguments: &[&str]) -> String {
    ran(Command::new(engine).args(arguments).env_clear())
}
