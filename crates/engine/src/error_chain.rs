//! An error with everything behind it, as one line.

use std::error::Error;

use rules::plain::plain;

/// `error: its cause: the cause of that`.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let causes = causes.map(|cause| plain(&cause.to_string()).into_owned());
    causes.collect::<Vec<_>>().join(": ")
}
