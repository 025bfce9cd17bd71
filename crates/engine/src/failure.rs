//! Why a command failed: what was tried, why it did not work, what to do.

use std::error::Error;
use std::fmt::Write as _;

use rules::plain::plain;

use crate::error_chain::error_chain;
use crate::pass::PassError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// The answer is no, or a person is needed.
    No,
    /// It could not answer.
    CouldNot,
    /// It comes right by waiting.
    Wait,
}

/// A failure on its way to a person.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: Box<dyn Error + Send + Sync>,
    hint: Option<String>,
}

impl Failure {
    /// The command could not answer.
    pub fn could_not(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: Exit::CouldNot, error: error.into(), hint: None }
    }

    /// The answer is no.
    pub fn no(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { exit: Exit::No, ..Self::could_not(error) }
    }

    /// With what a person can do about it.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// With what a person can do about it, where that is known.
    pub fn maybe_hint(self, hint: Option<&str>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Log it as an error; `so` is what that means for what goes on.
    pub fn log(&self, so: &str) {
        let (what, hint) = self.in_one_line();
        tracing::error!(hint, "{what}; {so}");
    }

    /// The exit code it ends with.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether what was asked for was done before.
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.error.downcast_ref(), Some(PassError::IsDone { .. }))
    }

    /// The same failure, ending with another exit code.
    pub fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The failure with its causes in one line, and its hint.
    pub fn in_one_line(&self) -> (String, Option<String>) {
        (error_chain(self.error.as_ref()), self.hint.clone())
    }

    /// `error: … / because: … / hint: …`, a line each.
    pub fn render(&self) -> String {
        let line = |error: &dyn Error| plain(&error.to_string()).into_owned();
        let mut text = format!("error: {}\n", line(self.error.as_ref()));
        let mut cause = self.error.source();
        while let Some(error) = cause {
            let _ = writeln!(text, "  because: {}", line(error));
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "  hint: {}", plain(hint));
        }
        text
    }
}

impl From<rules::ledger::LedgerError> for Failure {
    fn from(error: rules::ledger::LedgerError) -> Self {
        let hint = error.hint();
        Self::could_not(error).hint(hint)
    }
}

impl From<rules::source::SourceError> for Failure {
    fn from(error: rules::source::SourceError) -> Self {
        let hint = error.hint().map(str::to_owned);
        let refused = matches!(error, rules::source::SourceError::Refused { .. });
        let failure = if refused { Self::no(error) } else { Self::could_not(error) };
        failure.maybe_hint(hint.as_deref())
    }
}

impl From<PassError> for Failure {
    fn from(error: PassError) -> Self {
        use PassError::{IsDone, Ledger, OtherPlan, Read, Write};
        let hint = match &error {
            Read(source) | Write(source) => source.hint().map(str::to_owned),
            Ledger(error) => Some(error.hint().to_owned()),
            OtherPlan { .. } | IsDone { .. } => {
                return Self::no(error).hint("see `closte-sync plan` again; nothing was done");
            }
        };
        Self::could_not(error).maybe_hint(hint.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::host::HostError;

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let cause = std::io::Error::other("connection refused");
        let error = HostError::Unreachable(Box::new(cause));
        let hint = error.hint();
        let failure = Failure::could_not(error).maybe_hint(hint);
        insta::assert_snapshot!(failure.render(), @"
        error: could not reach the host's API
          because: connection refused
          hint: check `closte.api_url` and this machine's network, then run `closte-sync doctor`
        ");
    }
}
