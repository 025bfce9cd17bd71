//! What a command checked, one thing after the other, and how it came out.

use std::fmt::Write as _;

use serde::Serialize;

use super::console::Tone;
use super::{Console, Exit, Failure};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Good,
    Care,
    Bad,
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

pub(super) fn good(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, state: State::Good, detail: detail.into(), hint: None }
}

pub(super) fn care(
    check: &'static str,
    detail: impl Into<String>,
    hint: impl Into<String>,
) -> Check {
    Check { check, state: State::Care, detail: detail.into(), hint: Some(hint.into()) }
}

pub(super) fn bad(
    check: &'static str,
    detail: impl Into<String>,
    hint: impl Into<String>,
) -> Check {
    Check { check, state: State::Bad, detail: detail.into(), hint: Some(hint.into()) }
}

/// A failure as a check that came out badly.
pub(super) fn failed(check: &'static str, failure: &Failure) -> Check {
    let (what, hint) = failure.in_one_line();
    Check { check, state: State::Bad, detail: what, hint }
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
    if any_bad(checks) { Exit::No } else { Exit::Done }
}

/// Whether something does not work.
pub(super) fn any_bad(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.state == State::Bad)
}

/// Checks for people, a line or two each.
pub(super) fn text(console: Console, checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { check, state, detail, hint } in checks {
        let (word, tone) = match state {
            State::Good => ("good", Tone::Good),
            State::Care => ("care", Tone::Care),
            State::Bad => ("bad ", Tone::Bad),
        };
        let _ = writeln!(text, "{}  {check}: {detail}", console.paint(word, tone));
        if let Some(hint) = hint {
            let _ = writeln!(text, "      hint: {hint}");
        }
    }
    text
}
