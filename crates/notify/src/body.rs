//! A message as JSON: what a webhook posts, and what a command reads.

use jiff::Timestamp;
use rules::Time;
use rules::notice::{Item, Message};
use rules::telling::Phase;
use serde_json::{Value, json};

/// `message` as JSON, on one line.
pub fn body(message: &Message) -> String {
    let item = |it: &Item| json!({ "domain": it.domain, "what": it.what, "at": rfc3339(it.at) });
    let mut about = json!({
        "domain": message.domain,
        "code": message.cause.code,
        "severity": message.cause.severity.as_str(),
        "actor": message.cause.actor.as_str(),
        "text": message.text,
        "phase": message.phase.map(Phase::as_str),
        "since": message.since.map(rfc3339),
    });
    if !message.items.is_empty() {
        about["items"] = message.items.iter().map(item).collect::<Vec<Value>>().into();
        about["more"] = message.more.into();
    }
    let (kind, at) = (message.kind.as_str(), rfc3339(message.at));
    json!({ "type": kind, "timestamp": at, "data": about }).to_string()
}

/// To the second, in UTC.
fn rfc3339(time: Time) -> String {
    let seconds = time.as_millis().div_euclid(1000);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::finding::{Actor, Severity};
    use rules::notice::{Cause, MessageKind};

    #[test]
    fn a_message_is_what_the_documentation_says() {
        let at = |seconds: i64| Time::from_millis(1_795_000_000_000 + seconds * 1000);
        let cause =
            Cause { code: "expired".to_owned(), severity: Severity::Error, actor: Actor::Host };
        let item = Item { domain: "a.example".to_owned(), what: "ready".to_owned(), at: at(0) };
        let mut message = Message {
            id: "msg_1".to_owned(),
            kind: MessageKind::DomainBroken,
            at: at(60),
            domain: Some("shop.example".to_owned()),
            phase: Some(Phase::Begins),
            since: Some(at(0)),
            cause,
            text: "\"so\"".to_owned(),
            items: Vec::new(),
            more: 0,
        };
        let whole: Value = serde_json::from_str(&body(&message)).unwrap();
        let want = json!({
            "type": "domain.broken",
            "timestamp": "2026-11-18T11:07:40Z",
            "data": {
                "domain": "shop.example", "code": "expired", "severity": "error", "actor": "host",
                "text": "\"so\"", "phase": "begins", "since": "2026-11-18T11:06:40Z",
            },
        });
        assert_eq!(whole, want);
        (message.items, message.more) = (vec![item], 7);
        let several: Value = serde_json::from_str(&body(&message)).unwrap();
        let items =
            json!([{ "domain": "a.example", "what": "ready", "at": "2026-11-18T11:06:40Z" }]);
        assert_eq!((&several["data"]["items"], &several["data"]["more"]), (&items, &json!(7)));
    }
}
