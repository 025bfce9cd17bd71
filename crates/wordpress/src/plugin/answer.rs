//! What an answer of the plugin means, and what a person can do about a refusal.

use http::Method;
use rules::source::SourceError;
use serde_json::{Map, Value};

use crate::web::{Fault, Reply, not_meant};

/// What the codes of the plugin begin with.
const OURS: &str = "closte_sync_";

/// Whether it was the plugin that answered, or at least WordPress' REST API at another fault.
///
/// Calls are signed anew each time, so that one which failed can be sent another way.
pub(super) fn is_rest(_: &Method, reply: &Reply) -> bool {
    match reply.status {
        404 => reply.fault.as_ref().is_some_and(|fault| fault.code.starts_with(OURS)),
        200..=299 => reply.json().is_some(),
        _ => true,
    }
}

/// The object that was asked for, or why there is none.
pub(super) fn meaning(
    reply: &Reply,
    doing: &'static str,
) -> Result<Map<String, Value>, SourceError> {
    if reply.status == 200 {
        return match reply.json() {
            Some(Value::Object(object)) => Ok(object),
            // PHP writes an empty object as an empty list.
            Some(Value::Array(list)) if list.is_empty() => Ok(Map::new()),
            _ => Err(not_meant(doing, &reply.in_words())),
        };
    }
    match &reply.fault {
        Some(fault) if reply.status == 401 && fault.code.starts_with(OURS) => Err(refused(fault)),
        Some(fault) if matches!(reply.status, 400 | 403 | 409) && fault.code.starts_with(OURS) => {
            Err(SourceError::Refused { what: fault.message.clone() })
        }
        _ if matches!(reply.status, 401 | 403) => Err(SourceError::NotAdmitted {
            what: reply.in_words(),
            hint: "it was not the plugin that answered: is it active for the whole network, and \
                   does nothing in front of WordPress keep `/wp-json/closte-sync/` from it?"
                .to_owned(),
        }),
        _ if reply.status == 404 => Err(SourceError::NotANetwork {
            what: "WordPress has no plugin closte-sync that is active for the whole network"
                .to_owned(),
            hint: "upload what `closte-sync plugin install` packs, or activate it for the network \
                   under Plugins in the network admin"
                .to_owned(),
        }),
        _ => Err(not_meant(doing, &reply.in_words())),
    }
}

fn refused(fault: &Fault) -> SourceError {
    let (what, hint) = match fault.code.as_str() {
        "closte_sync_unsigned" => (
            "the signature did not reach the plugin",
            "let the headers `X-Closte-Sync-…` pass the proxy or firewall on the way",
        ),
        "closte_sync_forged" => (
            "the plugin knows another secret than we do",
            "run `closte-sync plugin rotate`, or `closte-sync plugin install` again",
        ),
        "closte_sync_no_secret" => ("the plugin has no secret", "run `closte-sync plugin install`"),
        "closte_sync_late" => {
            ("our clock and WordPress' differ by more than a minute", "set both clocks right (NTP)")
        }
        "closte_sync_replayed" => (
            "the plugin had this request before",
            "is something on the way that sends requests twice?",
        ),
        _ => (fault.message.as_str(), "run `closte-sync plugin status`"),
    };
    let what = format!("{what} (`{}`)", fault.code);
    SourceError::NotAdmitted { what, hint: hint.to_owned() }
}
