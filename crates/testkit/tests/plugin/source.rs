//! The plugin's files themselves: every PHP version that WordPress still supports must read them.

use std::process::Command;

use php_rs_parser::{ParseOptions, PhpVersion};
use testkit::wordpress::shipped;

/// The oldest PHP that the header of the plugin promises.
const OLDEST: PhpVersion = PhpVersion::Php74;

/// Functions that came later than the oldest PHP.
const NEWER: [&str; 12] = [
    "array_all(",
    "array_any(",
    "array_find(",
    "array_is_list(",
    "enum_exists(",
    "fdiv(",
    "get_debug_type(",
    "get_resource_id(",
    "json_validate(",
    "str_contains(",
    "str_ends_with(",
    "str_starts_with(",
];

#[test]
fn every_file_is_read_by_the_oldest_and_the_newest_php() {
    for (path, text) in shipped().iter().filter(|(path, _)| is_php(path)) {
        for version in [OLDEST, PhpVersion::Php84] {
            let options = ParseOptions::default().version(version);
            let errors = php_rs_parser::parse_with(text, &options).errors;
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
        for function in NEWER {
            assert!(!text.contains(function), "{}: {function}", path.display());
        }
    }
    let newer = ParseOptions::default().version(OLDEST);
    assert!(!php_rs_parser::parse_with("<?php $a?->b();", &newer).errors.is_empty());
}

#[test]
fn the_php_at_hand_accepts_every_file() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in shipped().iter().filter(|(path, _)| is_php(path)) {
        let file = folder.path().join("file.php");
        std::fs::write(&file, text).unwrap();
        let output = Command::new("php").arg("-l").arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}: {said}", path.display());
        assert!(said.starts_with("No syntax errors"), "{}: {said}", path.display());
    }
}

#[test]
fn the_coding_standard_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugin/closte-sync");
    let output =
        Command::new("phpcs").arg("--standard=phpcs.xml.dist").current_dir(folder).output();
    let output = output.unwrap_or_else(|error| {
        panic!("`phpcs`: {error}. Install Debian's package: apt-get install php-codesniffer")
    });
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

/// Constants come first. The sniffer's own rules can only forbid what WordPress asks for.
#[test]
fn comparisons_are_the_way_of_yoda() {
    for (path, text) in shipped().iter().filter(|(path, _)| is_php(path)) {
        for line in text.lines() {
            assert!(!is_backwards(line), "{}: {line}", path.display());
        }
    }
    assert!(is_backwards("if ( $it === null ) {") && is_backwards("return $it['a'] !== 'b';"));
    assert!(!is_backwards("if ( null === $it ) {") && !is_backwards("$it === $other;"));
}

fn is_backwards(line: &str) -> bool {
    [" === ", " !== ", " == ", " != "].iter().filter_map(|it| line.split_once(it)).any(
        |(left, right)| {
            let left = left.rsplit(' ').next().unwrap_or_default();
            let constant = right
                .starts_with(['\'', '"', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
                || ["null", "true", "false", "self::"].iter().any(|it| right.starts_with(it));
            left.starts_with('$') && constant
        },
    )
}

#[test]
fn every_file_says_what_it_is_for_and_runs_only_inside_wordpress() {
    for (path, text) in shipped().iter().filter(|(path, _)| is_php(path)) {
        assert!(text.starts_with("<?php\n/**\n * "), "{}", path.display());
        let guard = text.contains("\ndefined( 'ABSPATH' ) || exit;\n")
            || text.contains("\ndefined( 'WP_UNINSTALL_PLUGIN' ) || exit;\n");
        assert!(guard, "{}", path.display());
        assert!(!text.contains("?>"), "{}", path.display());
    }
}

#[test]
fn the_header_has_the_version_of_the_program_and_what_is_shipped_is_whole() {
    let files = shipped();
    let names: Vec<String> = files.iter().map(|(path, _)| path.display().to_string()).collect();
    for name in
        ["assets/admin.css", "assets/status.css", "closte-sync.php", "license.txt", "readme.txt"]
            .into_iter()
            .chain(["uninstall.php"])
    {
        assert!(names.iter().any(|it| it == name), "{names:?}");
    }
    assert!(!names.iter().any(|it| it.contains("phpcs") || it == "secret.php"), "{names:?}");
    let (_, main) = files.iter().find(|(path, _)| path.ends_with("closte-sync.php")).unwrap();
    let version = format!("\n * Version:           {}\n", env!("CARGO_PKG_VERSION"));
    assert!(main.contains(&version) && main.contains("\n * Network:           true\n"), "{main}");
}

fn is_php(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|it| it == "php")
}
