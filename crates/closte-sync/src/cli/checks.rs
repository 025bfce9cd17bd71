//! What a command checked, one thing after the other, and how it came out.

use std::fmt::Write as _;

use serde::Serialize;

use super::console::Tone;
use super::{Console, Exit, Failure};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was checked.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "scripts read the field `check`")]
pub(super) struct Check {
    pub(super) check: &'static str,
    pub(super) state: State,
    pub(super) detail: String,
    pub(super) hint: Option<String>,
}

pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, state: State::Ok, detail: detail.into(), hint: None }
}

pub(super) fn warn(
    check: &'static str,
    detail: impl Into<String>,
    hint: impl Into<String>,
) -> Check {
    Check { check, state: State::Warn, detail: detail.into(), hint: Some(hint.into()) }
}

pub(super) fn fail(
    check: &'static str,
    detail: impl Into<String>,
    hint: impl Into<String>,
) -> Check {
    Check { check, state: State::Fail, detail: detail.into(), hint: Some(hint.into()) }
}

/// A failure as a check that failed.
pub(super) fn failed(check: &'static str, failure: &Failure) -> Check {
    let (what, hint) = failure.in_one_line();
    Check { check, state: State::Fail, detail: what, hint }
}

/// Checks as the whole answer of a command.
pub(super) fn answer(console: Console, checks: &[Check]) -> Exit {
    #[derive(Serialize)]
    struct View<'a> {
        checks: &'a [Check],
    }
    if console.is_json() {
        console.json(&View { checks });
    } else {
        console.say(text(console, checks));
    }
    if any_failed(checks) { Exit::No } else { Exit::Done }
}

/// Whether something does not work.
pub(super) fn any_failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.state == State::Fail)
}

/// Checks for people, a line or two each.
pub(super) fn text(console: Console, checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { check, state, detail, hint } in checks {
        let (word, tone) = match state {
            State::Ok => ("ok  ", Tone::Good),
            State::Warn => ("warn", Tone::Warn),
            State::Fail => ("fail", Tone::Bad),
        };
        let _ = writeln!(text, "{}  {check}: {detail}", console.paint(word, tone));
        if let Some(hint) = hint {
            let _ = writeln!(text, "      hint: {hint}");
        }
    }
    text
}
