//! The demo, as somebody sees it who runs it without a terminal: what it prints
//! is held against the sandbox's own log, and against what the guide shows.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod guide;
mod running;

use std::sync::LazyLock;

use running::{Demo, Ended};
use serde_json::Value;

/// A demo that was left running, checked from outside, and stopped.
struct Kept {
    /// What it printed.
    lines: Vec<String>,
    /// The host's log and the records of DNS, as the sandbox told them us.
    calls: Vec<Value>,
    records: Value,
    /// What `closte-sync status` said with the settings that were printed.
    status: Value,
    ended: Ended,
}

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let mut demo = Demo::start("demo --keep --within 120s");
    demo.read_until("Stop with Ctrl-C");
    let control = demo.word_after("The control API is at ").trim_end_matches(';').to_owned();
    let calls = running::fetch(&format!("{control}/closte/calls"));
    let records = running::fetch(&format!("{control}/dns/0/records"));
    let status = demo.join_in("status --output json");
    demo.signal("-TERM");
    Kept {
        lines: demo.lines.clone(),
        calls: calls.as_array().unwrap().clone(),
        records,
        status: serde_json::from_str(&status).unwrap(),
        ended: demo.ended(),
    }
});

impl Kept {
    /// What was printed as read from one place.
    fn from(&self, place: &str) -> Vec<&str> {
        self.lines.iter().filter_map(|line| running::read_from(line, place)).collect()
    }
}

#[test]
fn it_shows_everything_and_ends_well() {
    assert_eq!(KEPT.ended.code, Some(0), "{:#?}", KEPT.lines);
    let seen = KEPT.lines.iter().filter(|line| line.starts_with("  seen ")).count();
    assert_eq!(seen, 7);
    assert!(KEPT.lines.iter().any(|line| line.starts_with("7 of 7 were seen")));
}

#[test]
fn each_call_to_the_host_that_it_prints_is_in_the_hosts_own_log() {
    let describe = |call: &Value| {
        let mut words = vec![call["kind"].as_str().unwrap()];
        words.extend(call["domain"].as_str());
        words.extend(call["wildcard"].as_str().filter(|it| *it == "1").map(|_| "wildcard=1"));
        let answer = call["answer"].as_str().unwrap().trim();
        format!("{}: {} {answer}", words.join(" "), call["status"])
    };
    let log: Vec<String> = KEPT.calls.iter().map(describe).collect();
    let printed = KEPT.from("host");
    assert!(10 < printed.len(), "{printed:#?}");
    // The program goes on after the summary, and so may the log.
    assert_eq!(printed, log[..printed.len()]);
}

#[test]
fn each_record_that_it_prints_is_in_dns() {
    let describe = |(name, records): (&String, &Value)| {
        let address = records[0]["A"].as_str().unwrap();
        format!("{name} A {address}")
    };
    let mut records: Vec<String> = KEPT.records.as_object().unwrap().iter().map(describe).collect();
    let mut printed = KEPT.from("dns");
    printed.sort_unstable();
    records.sort_unstable();
    assert_eq!(printed, records);
}

#[test]
fn the_stages_that_it_printed_last_are_those_of_the_network() {
    let domains = KEPT.status["domains"].as_array().unwrap();
    assert_eq!(domains.len(), 6, "{:#}", KEPT.status);
    for domain in domains {
        let (name, stage) = (domain["domain"].as_str().unwrap(), domain["stage"].as_str().unwrap());
        let secure = u8::from(domain["secure"].as_bool().unwrap());
        let printed = KEPT.from("database");
        let last = printed.iter().rfind(|line| line.contains(&format!(" {name}, site "))).unwrap();
        assert!(last.ends_with(&format!("{stage}, secure {secure}")), "{last}: {domain:#}");
    }
}

#[test]
fn the_guide_shows_what_it_prints() {
    guide::assert_shows(&KEPT.lines);
}

#[test]
fn nothing_is_left_of_it() {
    assert_eq!(KEPT.ended.children_left, Vec::<u32>::new());
    assert_eq!(KEPT.ended.files_left, Vec::<String>::new());
}

#[test]
fn with_the_sandbox_killed_midway_it_shows_failures_and_ends_with_2() {
    let mut demo = Demo::start("demo --within 120s");
    demo.read_until(" command   domains recheck ");
    demo.kill_child("sandbox");
    demo.read_until("Next, try");
    let text = demo.lines.join("\n");
    let ended = demo.ended();
    assert_eq!(ended.code, Some(2), "{text}");
    for shown in [
        "`closte-sync sandbox` has ended (signal: 9 (SIGKILL))",
        " sandbox   not to be read: the control API does not answer",
        "(host-unreachable)",
        "  NOT SEEN  a rename",
        "0 of 7 were seen",
    ] {
        assert!(text.contains(shown), "no `{shown}` in: {text}");
    }
    assert_eq!((ended.children_left.len(), ended.files_left.len()), (0, 0));
}

#[test]
fn a_signal_midway_ends_it_and_leaves_nothing() {
    let mut demo = Demo::start("demo");
    demo.read_until(" host      add ");
    demo.signal("-INT");
    let ended = demo.ended();
    assert_eq!(ended.code, Some(2));
    assert!(ended.said.starts_with("error: stopped before the end"), "{}", ended.said);
    assert_eq!((ended.children_left.len(), ended.files_left.len()), (0, 0));
}

#[test]
fn what_is_not_there_in_time_is_shown_as_such() {
    let mut demo = Demo::start("demo --within 2s --output json");
    let ended = demo.ended();
    assert_eq!(ended.code, Some(2), "{:#?}", demo.lines);
    let summary: Value = serde_json::from_str(&demo.lines.join("\n")).unwrap();
    assert_eq!(summary["seen"], false);
    let expected = summary["expected"].as_array().unwrap();
    let ready = expected.iter().find(|it| it["what"] == "a domain gets ready").unwrap();
    assert_eq!(ready["seen"], false);
    assert!(ready["shows"][0].as_str().unwrap().starts_with("bakery.example: "), "{ready:#}");
}
