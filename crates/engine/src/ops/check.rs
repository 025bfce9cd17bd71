//! One thing that was examined, and how it came out.

use rules::plain::plain;

use crate::failure::Failure;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It works.
    Ok,
    /// It works, and somebody should know this.
    Warn,
    /// It does not work.
    Fail,
}

impl State {
    /// The word that scripts read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub check: &'static str,
    pub state: State,
    pub detail: String,
    /// What a person can do about it.
    pub hint: Option<String>,
}

pub fn ok(check: &'static str, detail: impl AsRef<str>) -> Check {
    Check { check, state: State::Ok, detail: plain(detail.as_ref()).into_owned(), hint: None }
}

pub fn warn(check: &'static str, detail: impl AsRef<str>, hint: impl Into<String>) -> Check {
    Check { state: State::Warn, hint: Some(hint.into()), ..ok(check, detail) }
}

pub fn fail(check: &'static str, detail: impl AsRef<str>, hint: impl Into<String>) -> Check {
    Check { state: State::Fail, ..warn(check, detail, hint) }
}

/// A failure as a check that failed.
pub fn failed(check: &'static str, failure: &Failure) -> Check {
    let (detail, hint) = failure.in_one_line();
    Check { check, state: State::Fail, detail, hint }
}

/// Whether something does not work.
pub fn any_failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.state == State::Fail)
}
