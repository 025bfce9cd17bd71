//! Holds `docs/demo.md` to what the demo prints.
//!
//! Its blocks follow one domain each, and what happens to different domains
//! comes in another order each time. So each block is looked for by itself: its
//! lines, in their order, with whatever else in between, and `[..]` for what
//! differs from run to run. A tool that compares the whole output of a command,
//! such as trycmd, would need the order of all of them.

const GUIDE: &str = include_str!("../../../../docs/demo.md");

/// A block of this kind shows output.
const OUTPUT: &str = "```text\n";

#[track_caller]
pub(crate) fn assert_shows(printed: &[String]) {
    let blocks: Vec<&str> = GUIDE.split(OUTPUT).skip(1).map(block).collect();
    assert!(5 < blocks.len(), "the guide looks different now");
    for block in blocks {
        let mut rest = printed.iter();
        for line in block.lines().filter(|line| !line.trim().is_empty()) {
            assert!(rest.any(|printed| is(line, printed)), "no `{line}` in its place:\n{block}");
        }
    }
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
