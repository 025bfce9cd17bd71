//! What the web server answers to a request for WordPress' routing proof.
//!
//! Ultimate Multisite answers `GET /?async_check_dns_nonce=…` with the mapping that it serves the name by. A cache or
//! proxy in front of it may answer instead.

use serde::{Deserialize, Serialize};

/// The parameter that makes a request the question.
const PARAMETER: &str = "async_check_dns_nonce=";

/// What a name answers to the question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The mapping of this id, as WordPress does.
    Id(u64),
    /// A page, as a cache in front of WordPress does.
    Html,
    /// A redirect to this address.
    Redirect(String),
    /// Nothing: the connection stays open.
    Hang,
}

/// One question that was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The name in the visitor's TLS hello, in lower case.
    pub name: String,
    /// The value that only WordPress can verify.
    pub nonce: String,
}

impl Answer {
    /// The whole response; none where there is no answer.
    pub(super) fn response(&self, name: &str) -> Option<String> {
        match self {
            Self::Id(id) => Some(respond(
                "200 OK",
                "content-type: application/json; charset=UTF-8",
                &serde_json::json!({ "id": id, "domain": name, "active": true }).to_string(),
            )),
            Self::Html => Some(respond(
                "200 OK",
                "content-type: text/html; charset=UTF-8",
                "<!DOCTYPE html>\n<title>A cached page</title>\n",
            )),
            Self::Redirect(to) => {
                Some(respond("301 Moved Permanently", &format!("location: {to}"), ""))
            }
            Self::Hang => None,
        }
    }
}

/// A response after which the connection ends.
pub(super) fn respond(status: &str, header: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{header}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

/// The nonce in the head of a request; none where it is another request.
pub(super) fn nonce(head: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(head);
    let target = head.lines().next()?.strip_prefix("GET ")?.split(' ').next()?;
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)).map(str::to_owned)
}
