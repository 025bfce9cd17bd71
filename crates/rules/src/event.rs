//! What happened to a domain, kept for people.
//!
//! Changes of state are never written by hand: they are the differences of an
//! entry before and after a step, so none can be forgotten and none reported twice.

use std::fmt;

use crate::entry::{Condition, Entry};
use crate::{DomainName, Time};

/// Something that happened to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Time,
    /// To which domain.
    pub domain: DomainName,
    /// What it is about: `mapping`, `alias`, `routing`, `certificate`, `proof`, `stage`, `recheck`.
    pub about: String,
    /// What happened, for people.
    pub text: String,
}

/// What happened to an entry between `before` and `after`.
pub fn between(before: Option<&Entry>, after: &Entry, at: Time) -> Vec<Event> {
    let mut events = Vec::new();
    let mut tell = |about: &str, text: String| {
        events.push(Event { at, domain: after.domain.clone(), about: about.to_owned(), text });
    };
    let site = |entry: &Entry| entry.mapped.as_ref().map(|mapped| mapped.site_id);
    match (before.and_then(site), site(after)) {
        (None, Some(site)) => tell("mapping", format!("mapped to site {site}")),
        (Some(_), None) => tell("mapping", "its mapping is gone".to_owned()),
        (Some(old), Some(new)) if old != new => {
            tell("mapping", format!("moved from site {old} to site {new}"));
        }
        _ => (),
    }
    let Some(before) = before else { return events };
    if let Some(text) = moved(&before.alias, &after.alias) {
        tell("alias", text);
    }
    if let Some(text) = moved(&before.routing, &after.routing) {
        tell("routing", text);
    }
    if let Some(text) = moved(&before.certificate, &after.certificate) {
        tell("certificate", text);
    }
    if let Some(text) = moved(&before.proof, &after.proof) {
        tell("proof", text);
    }
    let stage = |entry: &Entry| entry.mapped.as_ref().and_then(|mapped| mapped.stage);
    if let (Some(old), Some(new)) = (stage(before), stage(after))
        && old != new
    {
        tell("stage", format!("{old} → {new}"));
    }
    if after.rechecked_at != before.rechecked_at {
        tell("recheck", "somebody asked for a check".to_owned());
    }
    events
}

/// `old → new (why: words)`, where the state or its reason changed.
fn moved<S: Copy + PartialEq + fmt::Display>(
    old: &Condition<S>,
    new: &Condition<S>,
) -> Option<String> {
    if old.state == new.state && old.reason == new.reason {
        return None;
    }
    let why = match (new.reason, &new.detail) {
        (Some(reason), Some(detail)) => format!(" ({reason}: {detail})"),
        (Some(reason), None) => format!(" ({reason})"),
        (None, _) => String::new(),
    };
    Some(if old.state == new.state {
        format!("still {}{why}", new.state)
    } else {
        format!("{} → {}{why}", old.state, new.state)
    })
}
