//! The host's answers, exactly as its public clients show them.
//!
//! Pure: a call and the state go in, an answer and a change come out. The faults decide whether the change
//! happens and the answer arrives.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::behaviour::{AlreadySo, Behaviour, List, SuccessForm, WrongKey};
use super::log::{CallKind, KeySeen};

/// What the caller wants.
#[derive(Clone, Debug)]
pub(super) struct ApiRequest {
    pub(super) kind: CallKind,
    pub(super) key: KeySeen,
    pub(super) domain: Option<String>,
    pub(super) wildcard: Option<String>,
}

/// What the host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Answer {
    fn json(status: u16, body: String) -> Self {
        Self { status, content_type: "application/json", body }
    }

    pub(super) fn html(status: u16, body: &str) -> Self {
        Self { status, content_type: "text/html; charset=utf-8", body: body.to_owned() }
    }

    fn error(words: &str) -> Self {
        Self::failure(200, words)
    }

    /// Written by hand: the host puts `success` first.
    fn failure(status: u16, words: &str) -> Self {
        Self::json(status, format!(r#"{{"success":false,"error":{}}}"#, json!(words)))
    }

    fn success(form: SuccessForm) -> Self {
        let value = match form {
            SuccessForm::True => "true",
            SuccessForm::Text => r#""true""#,
            SuccessForm::One => "1",
        };
        Self::json(200, format!(r#"{{"success":{value}}}"#))
    }

    fn already(so: &AlreadySo, form: SuccessForm) -> Self {
        match so {
            AlreadySo::Success => Self::success(form),
            AlreadySo::Error(words) => Self::error(words),
        }
    }
}

/// What an answered call does to the aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add(String),
    Drop(String),
}

/// The aliases, each with the time when it was added.
pub(super) type Aliases = BTreeMap<String, Instant>;

/// Answer a call.
pub(super) fn answer(
    request: &ApiRequest,
    aliases: &Aliases,
    behaviour: &Behaviour,
) -> (Answer, Option<Change>) {
    if request.kind == CallKind::Other {
        return (Answer::html(404, "<h1>Not Found</h1>"), None);
    }
    if request.key != KeySeen::Right {
        return (wrong_key(&behaviour.wrong_key), None);
    }
    match request.kind {
        CallKind::Add | CallKind::Delete => alias(request, aliases, behaviour),
        CallKind::List => (list(aliases, behaviour), None),
        CallKind::Page | CallKind::Other => (page(aliases), None),
    }
}

fn wrong_key(how: &WrongKey) -> Answer {
    match how {
        WrongKey::Unauthorized => Answer::failure(401, "Invalid API key."),
        WrongKey::Forbidden => Answer::failure(403, "Invalid API key."),
        WrongKey::Error(words) => Answer::error(words),
    }
}

fn alias(
    request: &ApiRequest,
    aliases: &Aliases,
    behaviour: &Behaviour,
) -> (Answer, Option<Change>) {
    let asked = request.domain.as_deref().unwrap_or_default();
    let name = asked.to_ascii_lowercase();
    if !is_domain_name(&name) || is_own(&name) || behaviour.refused.contains(&name) {
        return (Answer::error(&format!("Invalid or empty domain: {asked}")), None);
    }
    if name.starts_with("*.") != (request.wildcard.as_deref() == Some("1")) {
        return (
            Answer::error(&format!("The wildcard flag does not fit the domain: {asked}")),
            None,
        );
    }
    let done = Answer::success(behaviour.success);
    match (request.kind, aliases.contains_key(&name)) {
        (CallKind::Add, false) => (done, Some(Change::Add(name))),
        (CallKind::Add, true) => (Answer::already(&behaviour.existing, behaviour.success), None),
        (_, true) => (done, Some(Change::Drop(name))),
        (_, false) => (Answer::already(&behaviour.absent, behaviour.success), None),
    }
}

fn list(aliases: &Aliases, behaviour: &Behaviour) -> Answer {
    let is_shown = |name: &&String| match &behaviour.list {
        List::Complete => true,
        List::Hides(hidden) => !hidden.contains(*name),
        List::Empty | List::Forbidden => false,
    };
    if behaviour.list == List::Forbidden {
        return Answer::failure(403, "Forbidden.");
    }
    let element = |name: &String| match behaviour.element.field() {
        Some(field) => json!({ field: name }),
        None => json!(name),
    };
    let domains: Vec<Value> = aliases.keys().filter(is_shown).map(element).collect();
    Answer::json(200, format!(r#"{{"success":true,"domains":{}}}"#, json!(domains)))
}

fn page(aliases: &Aliases) -> Answer {
    let row = |name: &String| format!("<tr><td>{name}</td></tr>");
    let rows: String = aliases.keys().map(row).collect();
    Answer::html(200, &format!("<!doctype html><title>Domains</title><table>{rows}</table>"))
}

/// The host's own names, which it serves anyway.
fn is_own(name: &str) -> bool {
    name == "closte.com" || name.ends_with(".closte.com")
}

/// Whether this has the form of a domain name, after the `*.` of a wildcard (RFC 1035, 2.3.1; RFC 1123, 2.1).
fn is_domain_name(name: &str) -> bool {
    let labels: Vec<&str> = name.strip_prefix("*.").unwrap_or(name).split('.').collect();
    let is_number = |label: &str| label.bytes().all(|octet| octet.is_ascii_digit());
    name.len() <= 253
        && labels.len() >= 2
        && labels.iter().all(|label| is_label(label))
        && labels.last().is_some_and(|last| !is_number(last))
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_form() {
        let longest = format!("{}.test", "a".repeat(63));
        for good in ["a.test", "*.a.test", "xn--mnchen-3ya.test", "1.2.test", &longest] {
            assert!(is_domain_name(good), "{good}");
        }
        let too_long = format!("a{longest}");
        for bad in [
            "",
            "*",
            "test",
            "*.test",
            "a..test",
            "a.test.",
            "-a.test",
            "a b.test",
            "1.2.3.4",
            "münchen.test",
            "a.*.test",
            &too_long,
        ] {
            assert!(!is_domain_name(bad), "{bad}");
        }
    }
}
