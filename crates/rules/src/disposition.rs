//! What a caller should do about a failure.
//!
//! Every error that crosses a trait of this crate answers that one question, and
//! no text is ever inspected to find out.

use std::time::Duration;

/// What to do after a failed operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Try again: after `after` where the other side said when, else on schedule.
    Retry {
        /// How long the other side asked us to wait.
        after: Option<Duration>,
    },
    /// It may have happened or not: find out before doing anything else.
    Settle,
    /// Trying again cannot help this domain; park it and report it to the operator.
    GiveUp,
    /// Nothing will work until a person acts; stop writing.
    Halt,
}
