//! What an answer of the REST API means.

use http::Method;
use rules::source::SourceError;
use serde_json::Value;

use crate::web::{Fault, Reply, not_meant};

/// WordPress' own codes where PHP or the database failed: that is not an answer.
const BROKEN: [&str; 2] = ["internal_server_error", "wp_die"];

/// WordPress' own code where the route does not exist.
const NO_ROUTE: &str = "rest_no_route";

/// The result of a request that WordPress understood.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was done; its JSON, and its headers.
    Said(Value, Reply),
    /// It does not exist, as WordPress says.
    NotThere(Fault),
    /// WordPress refused it, in its words.
    Refused(Fault),
}

/// Whether WordPress' REST API answered, and not a page for visitors.
///
/// A write that succeeded is never sent another way, no matter what its answer is.
pub(super) fn is_rest(method: &Method, reply: &Reply) -> bool {
    match reply.status {
        404 => reply.fault.is_some(),
        200..=299 => method != Method::GET || reply.json().is_some(),
        _ => true,
    }
}

/// Whether asking again may help: WordPress itself did not answer.
pub(super) fn is_transient(reply: &Reply) -> bool {
    500 <= reply.status && reply.fault.as_ref().is_none_or(is_breakdown)
}

fn is_breakdown(fault: &Fault) -> bool {
    BROKEN.contains(&fault.code.as_str())
}

/// What `reply` means; a failure that is WordPress' own has a JSON `code`.
pub(super) fn meaning(reply: Reply, doing: &'static str) -> Result<Answer, SourceError> {
    match (reply.status, &reply.fault) {
        (401 | 403, _) => Err(not_admitted(reply.in_words())),
        (200..=299, _) => match reply.json() {
            Some(json) => Ok(Answer::Said(json, reply)),
            None => Err(not_meant(doing, &reply.in_words())),
        },
        (404, Some(fault)) if fault.code == NO_ROUTE => Err(no_api()),
        (404, Some(fault)) => Ok(Answer::NotThere(fault.clone())),
        (_, Some(fault)) if is_breakdown(fault) => Err(not_meant(doing, &reply.in_words())),
        // 429 means later, and 502 and up come from a cache or proxy in front of WordPress.
        (400..=428 | 430..=500, Some(fault)) => Ok(Answer::Refused(fault.clone())),
        _ => Err(not_meant(doing, &reply.in_words())),
    }
}

/// Why we may not, and what to do.
pub(super) fn not_admitted(what: String) -> SourceError {
    SourceError::NotAdmitted {
        what,
        hint:
            "check the REST API's key and secret (Ultimate Multisite > Settings > API), that the \
               API is switched on there, and `network.rest_credentials_file`"
                .to_owned(),
    }
}

fn no_api() -> SourceError {
    SourceError::NotANetwork {
        what: "WordPress has no REST API of Ultimate Multisite there".to_owned(),
        hint: "is Ultimate Multisite active, and its API switched on in its settings?".to_owned(),
    }
}
