//! What was asked of the stand-in, for tests and for people; it never contains a key.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The calls of the client API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    /// `POST /adddomainalias`
    Add,
    /// `POST /deletedomainalias`
    Delete,
    /// `GET /getdomains`
    List,
    /// `GET /domainsiframe`
    Page,
    /// Anything else, which nobody should call.
    Other,
}

/// Which key a call had. The value itself is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySeen {
    /// The right one.
    Right,
    /// Another one.
    Wrong,
    /// None.
    Missing,
}

impl KeySeen {
    /// What the log has in place of the key.
    fn placeholder(self) -> &'static str {
        match self {
            Self::Right => "[key]",
            Self::Wrong | Self::Missing => "[wrong key]",
        }
    }
}

/// One call, as it came and as it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Which call it was, counted from 1.
    pub number: usize,
    /// When it came, since the stand-in started.
    #[serde(with = "crate::seconds")]
    pub at: Duration,
    /// Which call it is.
    pub kind: CallKind,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The raw query, byte for byte except for the key.
    pub query: String,
    /// The raw body, byte for byte except for the key.
    pub body: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Whether the key was right.
    pub key: KeySeen,
    /// The decoded field `domain`.
    pub domain: Option<String>,
    /// The decoded field `wildcard`.
    pub wildcard: Option<String>,
    /// The HTTP status of the intended answer; a fault may have changed it.
    pub status: u16,
    /// The body of that answer.
    pub answer: String,
    /// The fault that hit the call.
    pub fault: Option<super::Act>,
    /// Whether it added or removed an alias.
    pub effect: bool,
}

/// Put a placeholder in the place of the key's value in a raw form or query.
pub(super) fn without_key(raw: &str, key: KeySeen) -> String {
    let field = |field: &str| match field.split_once('=') {
        Some(("apikey", _)) => format!("apikey={}", key.placeholder()),
        _ => field.to_owned(),
    };
    raw.split('&').map(field).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_never_reaches_the_log() {
        let raw = "apikey=s%2Bcret&domain=%2A.a.test&wildcard=1";
        assert_eq!(without_key(raw, KeySeen::Right), "apikey=[key]&domain=%2A.a.test&wildcard=1");
        assert_eq!(without_key("apikey=guess", KeySeen::Wrong), "apikey=[wrong key]");
        assert_eq!(without_key("", KeySeen::Missing), "");
    }
}
