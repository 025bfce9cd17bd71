//! What happened to a domain, kept for people.
//!
//! Changes of state are never reported one by one: they are what differs between an entry before
//! and after a step, so none can be forgotten and none is reported twice.

use std::fmt;

use crate::action::Action;
use crate::entry::{Condition, Entry};
use crate::reason::Reason;
use crate::words::words;
use crate::{DomainName, Time, plain};

words! {
    /// What an event is about.
    EventKind {
        /// Its mapping came, moved or went; `from` and `to` are sites.
        Mapping = "mapping",
        /// Its alias at the host.
        Alias = "alias",
        /// Where DNS leads.
        Routing = "routing",
        /// Its certificate.
        Certificate = "certificate",
        /// Whether WordPress answers there.
        Proof = "proof",
        /// The stage in WordPress.
        Stage = "stage",
        /// Somebody asked for a check.
        Recheck = "recheck",
        /// A call that the host did not do; `to` is the action.
        Host = "host",
        /// A text of an older closte-sync.
        Note = "note",
    }
}

/// Something that happened to a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Time,
    pub domain: DomainName,
    pub kind: EventKind,
    /// The word of the state before, where there was one.
    pub from: Option<String>,
    /// The word of the state after.
    pub to: Option<String>,
    /// Why, as a code.
    pub reason: Option<Reason>,
    /// Why, in words: the host's own, or what was seen.
    pub detail: Option<String>,
}

impl Event {
    fn of(at: Time, entry: &Entry, kind: EventKind) -> Self {
        let domain = entry.domain.clone();
        Self { at, domain, kind, from: None, to: None, reason: None, detail: None }
    }

    /// A call to the host that it did not do, or not clearly.
    pub fn call_failed(at: Time, entry: &Entry, action: Action, why: String) -> Self {
        let to = Some(action.to_string());
        let event = Self::of(at, entry, EventKind::Host);
        Self { to, reason: entry.alias.reason, detail: Some(plain::kept(why)), ..event }
    }
}

/// What happened to an entry between `before` and `after`.
pub fn between(before: Option<&Entry>, after: &Entry, at: Time) -> Vec<Event> {
    let site = |entry: &Entry| entry.mapped.as_ref().map(|mapped| mapped.site_id);
    let mapping = (before.and_then(site), site(after));
    let mut events = Vec::new();
    if mapping.0 != mapping.1 {
        let (from, to) = (mapping.0.map(|id| id.to_string()), mapping.1.map(|id| id.to_string()));
        events.push(Event { from, to, ..Event::of(at, after, EventKind::Mapping) });
    }
    let Some(before) = before else { return events };
    let states = [
        moved(EventKind::Alias, &before.alias, &after.alias),
        moved(EventKind::Routing, &before.routing, &after.routing),
        moved(EventKind::Certificate, &before.certificate, &after.certificate),
        moved(EventKind::Proof, &before.proof, &after.proof),
    ];
    for (kind, from, to, reason, detail) in states.into_iter().flatten() {
        events.push(Event { from, to, reason, detail, ..Event::of(at, after, kind) });
    }
    let stage = |entry: &Entry| entry.mapped.as_ref().and_then(|mapped| mapped.stage);
    if let (Some(old), Some(new)) = (stage(before), stage(after))
        && old != new
    {
        let (from, to) = (Some(old.to_string()), Some(new.to_string()));
        events.push(Event { from, to, ..Event::of(at, after, EventKind::Stage) });
    }
    if after.rechecked_at != before.rechecked_at {
        events.push(Event::of(at, after, EventKind::Recheck));
    }
    events
}

type Moved = (EventKind, Option<String>, Option<String>, Option<Reason>, Option<String>);

/// The change of a state or of its reason.
fn moved<S: Copy + PartialEq + fmt::Display>(
    kind: EventKind,
    old: &Condition<S>,
    new: &Condition<S>,
) -> Option<Moved> {
    if old.state == new.state && old.reason == new.reason {
        return None;
    }
    let detail = new.detail.clone().filter(|_| new.reason.is_some());
    let (from, to) = (Some(old.state.to_string()), Some(new.state.to_string()));
    Some((kind, from, to, new.reason, detail))
}
