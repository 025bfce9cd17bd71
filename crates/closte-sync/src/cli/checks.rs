//! What a command checked, one thing after the other, for people and scripts.

use std::fmt::Write as _;

use engine::ops::check::{Check, State, any_failed};
use serde::Serialize;

use super::console::Tone;
use super::{Console, Exit};
use crate::view::CheckView;

/// Checks as the whole answer of a command.
pub(super) fn answer(console: Console, checks: &[Check]) -> Exit {
    #[derive(Serialize)]
    struct View {
        checks: Vec<CheckView>,
    }
    if console.is_json() {
        console.json(&View { checks: views(checks) });
    } else {
        console.say(text(console, checks));
    }
    exit(checks)
}

/// How a command ends that checked this.
pub(super) fn exit(checks: &[Check]) -> Exit {
    if any_failed(checks) { Exit::No } else { Exit::Done }
}

/// Checks for scripts.
pub(super) fn views(checks: &[Check]) -> Vec<CheckView> {
    checks.iter().map(CheckView::of).collect()
}

/// Checks for people, a line or two each.
pub(super) fn text(console: Console, checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { check, state, detail, hint } in checks {
        let tone = match state {
            State::Ok => Tone::Good,
            State::Warn => Tone::Warn,
            State::Fail => Tone::Bad,
        };
        let word = console.paint(&format!("{:<4}", state.as_str()), tone);
        let _ = writeln!(text, "{word}  {check}: {detail}");
        if let Some(hint) = hint {
            let _ = writeln!(text, "      hint: {hint}");
        }
    }
    text
}
