//! What the loop says: a failure when it begins, changes and ends, and what lasts from
//! pass to pass when it begins and ends.

use std::fmt;
use std::time::Duration;

use rules::{Disposition, Problem};

use crate::Failure;
use crate::pass::{Alert, Off, PassError};
use crate::rough::rough;

/// A line of the loop's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// Something fails from now on.
    FailureBegins(Failed),
    /// It still does, in another way.
    FailureChanges(Failed),
    /// It works again.
    FailureEnds {
        /// What.
        subject: Subject,
        /// How long it failed.
        lasted: Duration,
    },
    /// A pass shows it for the first time.
    Begins(Matter),
    /// A pass does not show it any more.
    Ends {
        /// What.
        matter: Matter,
        /// How long passes had shown it.
        lasted: Duration,
    },
    /// So many more begin, too many to name each.
    MoreBegin(usize),
    /// So many more end.
    MoreEnd(usize),
    /// Calls to the host rest from now on.
    CallsRest {
        /// Why, and for how long.
        text: String,
    },
    /// They go on.
    CallsGoOn {
        /// How long they rested.
        lasted: Duration,
    },
    /// A call was left in the middle, to stop in time.
    CutOff,
}

/// A turn of the loop that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// What cannot be used.
    pub subject: Subject,
    /// What to do about it.
    pub disposition: Disposition,
    /// The error with its causes.
    pub text: String,
    /// What a person can do.
    pub hint: Option<String>,
}

/// What a turn of the loop needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// To read the network.
    Reading,
    /// To write to it.
    Writing,
    /// The ledger.
    Ledger,
}

/// What passes show, as long as it lasts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// The network's admin switched something off.
    Off {
        /// What.
        what: &'static str,
        /// How to switch it on.
        hint: &'static str,
    },
    /// The whole needs a person.
    Alert {
        /// What is the matter.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Something makes no sense or wants an eye.
    Problem(String),
}

impl From<PassError> for Failed {
    fn from(error: PassError) -> Self {
        let (subject, disposition) = match &error {
            PassError::Read(error) => (Subject::Reading, error.disposition()),
            PassError::Write(error) => (Subject::Writing, error.disposition()),
            PassError::Ledger(error) => (Subject::Ledger, error.disposition()),
            PassError::OtherPlan { .. } | PassError::IsDone { .. } => {
                (Subject::Reading, Disposition::GiveUp)
            }
        };
        let (text, hint) = Failure::from(error).in_one_line();
        Self { subject, disposition, text, hint }
    }
}

impl From<Off> for Matter {
    fn from(off: Off) -> Self {
        Self::Off { what: off.what(), hint: off.hint() }
    }
}

impl From<&Alert> for Matter {
    fn from(alert: &Alert) -> Self {
        Self::Alert { what: alert.what.clone(), hint: alert.hint.clone() }
    }
}

impl From<&Problem> for Matter {
    fn from(problem: &Problem) -> Self {
        Self::Problem(problem.to_string())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let so = match self.disposition {
            Disposition::Retry { .. } | Disposition::Settle => "will retry automatically",
            Disposition::GiveUp | Disposition::Halt => {
                "will look again every few minutes, and at once after SIGHUP"
            }
        };
        write!(f, "{}; {so}", self.text)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reading => "the network can be read again",
            Self::Writing => "the network can be written to again",
            Self::Ledger => "the ledger can be used again",
        })
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off { what, .. } => {
                write!(f, "{what} is switched off for this network; nothing is done")
            }
            Self::Alert { what, .. } => f.write_str(what),
            Self::Problem(text) => write!(f, "problem: {text}"),
        }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailureBegins(failed) | Self::FailureChanges(failed) => failed.fmt(f),
            Self::FailureEnds { subject, lasted } => {
                write!(f, "{subject} after {}", rough(*lasted))
            }
            Self::Begins(matter) => matter.fmt(f),
            Self::Ends { matter: Matter::Off { what, .. }, lasted } => {
                write!(f, "{what} is switched on again after {}", rough(*lasted))
            }
            Self::Ends { matter, lasted } => write!(f, "over after {}: {matter}", rough(*lasted)),
            Self::MoreBegin(count) => {
                write!(f, "{count} more problems; `closte-sync status` shows all of them")
            }
            Self::MoreEnd(count) => write!(f, "{count} more problems are over"),
            Self::CallsRest { text } => f.write_str(text),
            Self::CallsGoOn { lasted } => {
                write!(f, "calls to the host go on after {}", rough(*lasted))
            }
            Self::CutOff => f.write_str(
                "the call in hand took too long; the next start finds out what became of it",
            ),
        }
    }
}

impl LogLine {
    /// Write it to the log: as an error where a person should act.
    pub fn log(&self) {
        match self {
            Self::FailureBegins(Failed { hint, .. })
            | Self::FailureChanges(Failed { hint, .. }) => {
                tracing::error!(hint, "{self}");
            }
            Self::Begins(Matter::Alert { hint, .. }) => tracing::error!(hint, "{self}"),
            Self::Begins(Matter::Off { hint, .. }) => tracing::warn!(hint, "{self}"),
            Self::Begins(Matter::Problem(_))
            | Self::MoreBegin(_)
            | Self::CallsRest { .. }
            | Self::CutOff => {
                tracing::warn!("{self}");
            }
            Self::FailureEnds { .. }
            | Self::Ends { .. }
            | Self::MoreEnd(_)
            | Self::CallsGoOn { .. } => {
                tracing::info!("{self}");
            }
        }
    }
}
