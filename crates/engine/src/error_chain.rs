//! An error with everything behind it, as one line.

use std::error::Error;

/// `error: its cause: the cause of that`.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
