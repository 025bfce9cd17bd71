//! What happened to a domain, kept for people.
//!
//! Changes of state are never reported one by one: they are what differs between an entry before
//! and after a step, so none can be forgotten and none is reported twice.

use std::fmt;

use crate::action::Action;
use crate::entry::{Condition, Entry, Unseen};
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
    if before.is_candidate() && after.is_candidate() {
        return events;
    }
    let states = [
        moved(EventKind::Alias, &before.alias, &after.alias),
        moved(EventKind::Routing, &before.routing, &after.routing),
        moved(EventKind::Certificate, &before.certificate, &after.certificate),
        moved(EventKind::Proof, &before.proof, &after.proof),
    ];
    for (kind, from, to, reason, detail) in states.into_iter().flatten() {
        events.push(Event { from, to, reason, detail, ..Event::of(at, after, kind) });
    }
    sight(before, after, at, &mut events);
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

/// That something cannot be observed any more, or can be again, where no change of its state in
/// `events` says it.
fn sight(before: &Entry, after: &Entry, at: Time, events: &mut Vec<Event>) {
    let (was, is) = (unseen(before), unseen(after));
    if was == is {
        return;
    }
    let unseen = || Some(Unseen::WORD.to_owned());
    let is_told = |kind| events.iter().any(|event| event.kind == kind);
    let over = was.filter(|kind| !is_told(*kind) && !is_unseen(after, *kind));
    let over = over.map(|kind| {
        let to = Some(state(after, kind).to_owned());
        Event { from: unseen(), to, ..Event::of(at, after, kind) }
    });
    let begun = is.filter(|kind| !is_told(*kind) || state(after, *kind) != "unknown");
    let begun = begun.zip(after.unseen()).map(|(kind, it)| {
        let from = Some(state(after, kind).to_owned());
        let (reason, detail) = (Some(it.reason), it.detail.clone());
        Event { from, to: unseen(), reason, detail, ..Event::of(at, after, kind) }
    });
    events.extend(over.into_iter().chain(begun));
}

/// What of `entry` cannot be observed; of two, that which keeps us from seeing the other.
fn unseen(entry: &Entry) -> Option<EventKind> {
    [EventKind::Routing, EventKind::Certificate].into_iter().find(|kind| is_unseen(entry, *kind))
}

fn is_unseen(entry: &Entry, kind: EventKind) -> bool {
    match kind {
        EventKind::Routing => entry.routing.unseen.is_some(),
        _ => entry.certificate.unseen.is_some(),
    }
}

fn state(entry: &Entry, kind: EventKind) -> &'static str {
    match kind {
        EventKind::Routing => entry.routing.state.as_str(),
        _ => entry.certificate.state.as_str(),
    }
}

/// The change of a state or of its reason. A state that is still not observed has not changed its
/// reason.
fn moved<S: Copy + PartialEq + fmt::Display>(
    kind: EventKind,
    old: &Condition<S>,
    new: &Condition<S>,
) -> Option<Moved> {
    let is_dark = old.unseen.is_some() && new.unseen.is_some();
    if old.state == new.state && (old.reason == new.reason || is_dark) {
        return None;
    }
    let detail = new.detail.clone().filter(|_| new.reason.is_some());
    let (from, to) = (Some(old.state.to_string()), Some(new.state.to_string()));
    Some((kind, from, to, new.reason, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Certificate, Routing};

    #[test]
    #[rustfmt::skip] // One case a line.
    fn what_cannot_be_seen_is_told_once_and_once_it_can_be() {
        use EventKind::{Certificate as C, Routing as R};
        let at = Time::from_millis(0);
        let dark = |entry: &mut Entry, reason| {
            if entry.routing.state == Routing::Unknown {
                entry.routing.set(at, Routing::Unknown, Some(reason), None);
            }
            entry.routing.miss(at, None, reason, Some("SERVFAIL"));
            entry.certificate.miss(at, None, reason, Some("SERVFAIL"));
        };
        let good = |entry: &mut Entry| {
            entry.routing.see(at, Routing::Here, None, None);
            entry.certificate.see(at, Certificate::Valid, None, None);
        };
        let never: &dyn Fn(&mut Entry) = &|_| ();
        let ready: &dyn Fn(&mut Entry) = &|it| good(it);
        let fails: &dyn Fn(&mut Entry) = &|it| dark(it, Reason::DnsFailed);
        let resolvers: &dyn Fn(&mut Entry) = &|it| dark(it, Reason::NoResolver);
        let silent: &dyn Fn(&mut Entry) = &|it| {
            it.routing.see(at, Routing::Here, None, None);
            it.certificate.miss(at, None, Reason::NoWebAnswer, None);
        };
        let away: &dyn Fn(&mut Entry) = &|it| {
            it.routing.see(at, Routing::Elsewhere, Some(Reason::OtherAddress), None);
            it.certificate.see(at, Certificate::Unknown, Some(Reason::NotRoutedHere), None);
        };
        let over: &dyn Fn(&mut Entry) = &|it| {
            it.certificate.miss(at, None, Reason::NoWebAnswer, None);
            it.certificate.set(at, Certificate::Invalid, Some(Reason::Expired), None);
        };
        let table = [
            // what it shows                         before          after      events
            ("its zone fails",                       vec![ready],        fails,     vec![(R, "here unseen dns-failed")]),
            ("it still does",                        vec![ready, fails], fails,     vec![]),
            ("no resolver answers now",              vec![ready, fails], resolvers, vec![]),
            ("it is seen again",                     vec![ready, fails], ready,     vec![(R, "unseen here")]),
            ("seen again, elsewhere",                vec![ready, fails], away,      vec![(R, "here elsewhere other-address"), (C, "valid unknown not-routed-here")]),
            ("its web server is silent",             vec![ready],        silent,    vec![(C, "valid unseen no-web-answer")]),
            ("that answers again",                   vec![ready, silent], ready,    vec![(C, "unseen valid")]),
            ("DNS is seen, its web server is not",   vec![ready, fails], silent,    vec![(R, "unseen here"), (C, "valid unseen no-web-answer")]),
            ("and the other way round",              vec![ready, silent], fails,    vec![(R, "here unseen dns-failed")]),
            ("never seen",                           vec![never],        fails,     vec![(R, "unknown unknown dns-failed")]),
            ("still never seen",                     vec![fails],        resolvers, vec![]),
            ("seen for the first time",              vec![fails],        ready,     vec![(R, "unknown here"), (C, "unknown valid")]),
            ("silent, and its certificate is over",  vec![ready],        over,      vec![(C, "valid invalid expired"), (C, "invalid unseen no-web-answer")]),
        ];
        for (shows, steps, now, want) in table {
            let mut before = Entry::new("shop.example".parse().unwrap(), None, at);
            for step in steps {
                step(&mut before);
            }
            let mut after = before.clone();
            now(&mut after);
            let word = |event: Event| {
                let words = [event.from, event.to, event.reason.map(|it| it.to_string())];
                (event.kind, words.into_iter().flatten().collect::<Vec<_>>().join(" "))
            };
            let events: Vec<_> = between(Some(&before), &after, at).into_iter().map(word).collect();
            let want: Vec<_> = want.into_iter().map(|(kind, words)| (kind, words.to_owned())).collect();
            assert_eq!(events, want, "{shows}");
        }
    }
}
