//! What is handed out, tried as somebody gets it: each test installs from the
//! files of `dist/out`, which `dist/release` builds where a source has changed.

mod package;
mod tarball;
mod units;
mod zip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn the_sums_are_of_all_that_is_handed_out_and_right() {
    let out = out();
    ran(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&out));
    let sums = fs::read_to_string(out.join("SHA256SUMS")).expect("it was checked");
    let mut summed: Vec<&str> = sums.lines().map(|line| &line[66..]).collect();
    summed.push("SHA256SUMS");
    summed.sort_unstable();
    let mut expected = [
        "SHA256SUMS".to_owned(),
        format!("closte-sync-{VERSION}-x86_64-linux.tar.gz"),
        format!("closte-sync-{VERSION}.cdx.json"),
        format!("closte-sync-{VERSION}.zip"),
        format!("closte-sync_{VERSION}_amd64.deb"),
    ];
    expected.sort_unstable();
    assert_eq!(summed, expected);
    assert_eq!(names(&out), expected);
}

#[test]
fn the_list_of_what_is_in_it_names_what_is_linked_and_no_place_of_one_machine() {
    let file = out().join(format!("closte-sync-{VERSION}.cdx.json"));
    let text = fs::read_to_string(&file).expect("it is there");
    assert!(!text.contains(&root().display().to_string()), "it names this folder");
    let list: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(list["bomFormat"], "CycloneDX");
    assert_eq!(list["metadata"]["component"]["version"], VERSION);
    let parts = list["components"].as_array().expect("it lists components");
    let names: Vec<&str> = parts.iter().filter_map(|part| part["name"].as_str()).collect();
    for linked in ["ring", "rustls", "libsqlite3-sys", "tokio"] {
        assert!(names.contains(&linked), "it lacks `{linked}`");
    }
    for other in ["insta", "proptest", "testkit"] {
        assert!(!names.contains(&other), "`{other}` is for tests alone");
    }
}

// What the tests share.

/// The folder with what is handed out, as the sources have it now.
fn out() -> PathBuf {
    testkit::handed_out::folder()
}

fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).expect("crates/xtask lies two folders deep").to_owned()
}

/// Run it to its end; what it printed. It must end with 0.
fn ran(command: &mut Command) -> String {
    let program = command.get_program().display().to_string();
    let output = command.output().unwrap_or_else(|error| {
        panic!("`{program}` cannot be started ({error}); `./test` installs what is missing")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{said}\n{complained}", output.status);
    said
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// It is for x86-64, and asks the system for nothing that came after glibc 2.17.
fn is_portable(program: &Path) {
    let header = ran(Command::new("readelf").arg("--file-header").arg(program));
    assert!(header.contains("ELF64") && header.contains("X86-64"), "{header}");
    let symbols = ran(Command::new("objdump").arg("--dynamic-syms").arg(program));
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let version = rest.split([')', ' ']).next()?;
        let parts: Vec<u32> = version.split('.').map(|it| it.parse().unwrap_or(99)).collect();
        Some(parts)
    });
    let newest = versions.max().expect("it is linked with glibc");
    assert!(newest <= vec![2, 17], "{}: it needs glibc {newest:?}", program.display());
    let needed = ran(Command::new("readelf").arg("--dynamic").arg(program));
    for library in needed.lines().filter_map(|line| line.split_once("(NEEDED)")) {
        let known = ["libc.so", "libm.so", "libpthread.so", "libdl.so", "libgcc_s", "ld-linux"];
        assert!(known.iter().any(|it| library.1.contains(it)), "it needs {}", library.1);
    }
}
