//! Holds `docs/demo.md` to what the demo prints, and `docs/sandbox.md` to the sandbox.
//!
//! The blocks of the first follow one domain each, and what happens to different
//! domains comes in another order each time; so does what is read in different
//! places in the same moment. So each block is looked for by itself: its lines,
//! those from one place in their order, with whatever else in between, and
//! `[..]` for what differs from run to run. A tool that compares the whole
//! output of a command, such as trycmd, would need the order of all of them.

use std::collections::BTreeMap;

const GUIDE: &str = include_str!("../../../../docs/demo.md");

const SANDBOX: &str = include_str!("../../../../docs/sandbox.md");

/// Where the sandbox says itself which calls it takes.
const CONTROL: &str = include_str!("../../../sandbox/src/control.rs");

/// A block of this kind shows output.
const OUTPUT: &str = "```text\n";

#[track_caller]
pub(crate) fn assert_shows(printed: &[String]) {
    let blocks: Vec<&str> = GUIDE.split(OUTPUT).skip(1).map(block).collect();
    assert!(5 < blocks.len(), "the guide looks different now");
    for block in blocks {
        let mut places: BTreeMap<&str, std::slice::Iter<String>> = BTreeMap::new();
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            let rest = places.entry(place(line)).or_insert_with(|| printed.iter());
            assert!(rest.any(|printed| is(line, printed)), "no `{line}` in its place:\n{block}");
        }
    }
}

/// Where a line was read; nothing for the lines of the summary.
fn place(line: &str) -> &str {
    let read = line.strip_prefix("[..] s  ");
    read.and_then(|rest| rest.split(' ').next()).unwrap_or_default()
}

fn block(rest: &str) -> &str {
    rest.split("\n```").next().unwrap_or(rest)
}

/// Whether a line of the guide shows a printed one.
fn is(shown: &str, printed: &str) -> bool {
    let mut pieces = shown.split("[..]");
    let Some(mut rest) = pieces.next().and_then(|first| printed.strip_prefix(first)) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let at = if pieces.peek().is_none() { last(rest, piece) } else { rest.find(piece) };
        let Some(at) = at else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.is_empty()
}

/// Where the last piece is: at the end, or nowhere.
fn last(rest: &str, piece: &str) -> Option<usize> {
    rest.ends_with(piece).then(|| rest.len() - piece.len())
}

/// The first cell of every row of a table about calls.
fn calls(text: &str) -> Vec<&str> {
    let rows = text.lines().map(|line| line.trim_start_matches("//! "));
    let rows = rows.filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
    rows.filter(|cell| cell.contains('/')).collect()
}

#[test]
fn the_page_about_the_sandbox_has_every_call_that_it_takes() {
    assert!(10 < calls(CONTROL).len(), "its list looks different now");
    assert_eq!(calls(SANDBOX), calls(CONTROL));
}

#[test]
fn the_seed_on_the_page_about_the_sandbox_is_one() {
    let seed = block(SANDBOX.split("```json\n").nth(1).unwrap());
    let seed: sandbox::Seed = serde_json::from_str(seed).unwrap();
    assert_eq!((seed.dns.len(), seed.closte.faults.len()), (1, 2));
}

#[test]
fn a_line_of_the_guide_shows_a_line_and_no_other() {
    let table = [
        ("a b", "a b", true),
        ("a b", "a bc", false),
        ("[..] s  a", " 1.2 s  a", true),
        ("[..] s  a", " 1.2 s  ab", false),
        ("x [..]; y", "x 1; 2; y", true),
        ("x [..]", "x anything", true),
        ("x [..] y [..] z", "x 1 z 2 y", false),
    ];
    for (shown, printed, want) in table {
        assert_eq!(is(shown, printed), want, "{shown} / {printed}");
    }
}
