//! The daily digest: what happened and had to be told to nobody at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::entry::{Alias, Routing};
use crate::event::{Event, EventKind};
use crate::notice::{Item, MOST_ITEMS};
use crate::reason::Reason;
use crate::stage::Stage;
use crate::words::words;
use crate::{DomainName, Time};

/// A digest goes out so often, where there is anything in it.
pub const DIGEST_EVERY: Duration = Duration::from_hours(24);

words! {
    /// What happened to a domain.
    Happening {
        /// It got a mapping.
        Mapped = "mapped",
        /// Its mapping went to another site.
        Moved = "moved",
        /// Its mapping is gone.
        Unmapped = "unmapped",
        /// The host has it.
        Added = "added",
        /// The host has it no more.
        Removed = "removed",
        /// It is served as it should be.
        Ready = "ready",
        /// Its owner must act before it can be.
        WaitsForOwner = "waits-for-owner",
    }
}

/// What a digest tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// In the order of what happened, and of the names.
    pub items: Vec<Item>,
    /// How many more there are.
    pub more: usize,
}

/// The digest of what happened after `after`, up to `until`: none where that is nothing. `events` may
/// come in any order; nothing is told of those that are `muted`.
pub fn digest(
    events: &[Event],
    (after, until): (Time, Time),
    muted: &BTreeSet<String>,
) -> Option<Digest> {
    let mut last: BTreeMap<(Happening, &DomainName), Time> = BTreeMap::new();
    let is_new = |event: &&Event| after < event.at && event.at <= until;
    for event in events.iter().filter(is_new) {
        if muted.contains(event.domain.as_str()) {
            continue;
        }
        if let Some(what) = happening(event) {
            let at = last.entry((what, &event.domain)).or_insert(event.at);
            *at = event.at.max(*at);
        }
    }
    // Who is ready waits for nobody any more.
    let ready: BTreeSet<_> = last.keys().filter(|(what, _)| *what == Happening::Ready).collect();
    let ready: BTreeSet<&DomainName> = ready.into_iter().map(|(_, domain)| *domain).collect();
    last.retain(|(what, domain), _| *what != Happening::WaitsForOwner || !ready.contains(*domain));
    let more = last.len().saturating_sub(MOST_ITEMS);
    let items = last.into_iter().take(MOST_ITEMS).map(|((what, domain), at)| {
        let (domain, what) = (domain.to_string(), what.to_string());
        Item { domain, what, at }
    });
    let items: Vec<Item> = items.collect();
    (!items.is_empty()).then_some(Digest { items, more })
}

/// What `event` is in a digest; none of what is told at once, or not at all.
fn happening(event: &Event) -> Option<Happening> {
    let (from, to) = (event.from.as_deref(), event.to.as_deref());
    let is_served =
        |word: Option<&str>| word.and_then(Stage::from_word).is_some_and(Stage::is_served);
    match event.kind {
        EventKind::Mapping => Some(match (from, to) {
            (None, Some(_)) => Happening::Mapped,
            (Some(_), Some(_)) => Happening::Moved,
            _ => Happening::Unmapped,
        }),
        EventKind::Alias if from != to => match Alias::from_word(to?)? {
            Alias::Present => Some(Happening::Added),
            Alias::Absent => Some(Happening::Removed),
            _ => None,
        },
        EventKind::Stage => (is_served(to) && !is_served(from)).then_some(Happening::Ready),
        EventKind::Routing => {
            let is_elsewhere = to == Some(Routing::Elsewhere.as_str());
            // One that was here is told as broken.
            let was_here = from == Some(Routing::Here.as_str());
            let is_owners = event.reason.is_some_and(Reason::is_for_the_owner);
            (is_elsewhere && !was_here && is_owners).then_some(Happening::WaitsForOwner)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Time {
        Time::from_millis(minute * 60_000)
    }

    fn event(minute: i64, name: &str, kind: EventKind, words: (&str, &str)) -> Event {
        let word = |word: &str| (!word.is_empty()).then(|| word.to_owned());
        let reason = (kind == EventKind::Routing).then_some(Reason::OtherAddress);
        Event {
            at: at(minute),
            domain: format!("{name}.example").parse().unwrap(),
            kind,
            from: word(words.0),
            to: word(words.1),
            reason,
            detail: None,
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_digest_is_what_happened_and_was_not_told_at_once() {
        use EventKind::{Alias, Certificate, Host, Mapping, Recheck, Routing, Stage};
        let day = [
            event(10, "new", Mapping, ("", "4")),
            event(11, "new", Alias, ("adding", "present")),
            event(12, "new", Routing, ("unknown", "elsewhere")),
            event(13, "new", Routing, ("elsewhere", "here")),
            event(14, "new", Certificate, ("unknown", "valid")),
            event(15, "new", Stage, ("checking-dns", "done")),
            event(16, "waits", Routing, ("unknown", "elsewhere")),
            event(17, "waits", Recheck, ("", "")),
            event(18, "breaks", Routing, ("here", "elsewhere")),
            event(19, "old", Mapping, ("4", "")),
            event(20, "old", Alias, ("removing", "absent")),
            event(21, "moves", Mapping, ("4", "5")),
            event(22, "quiet", Mapping, ("", "6")),
            event(23, "up", Stage, ("done-without-ssl", "done")),
            event(24, "up", Host, ("", "add-alias")),
        ];
        let muted: BTreeSet<String> = ["quiet.example".to_owned()].into();
        let lines = |from, to| {
            let digest = digest(&day, (at(from), at(to)), &muted)?;
            let item = |it: &Item| format!("{} {}", it.what, it.domain.trim_end_matches(".example"));
            Some(digest.items.iter().map(item).collect::<Vec<_>>().join(", "))
        };
        let whole = "mapped new, moved moves, unmapped old, added new, removed old, ready new, waits-for-owner waits";
        let table = [
            // what it shows            from to   digest
            ("the whole day",             0, 30, Some(whole)),
            ("what was told before",     10, 12, Some("added new, waits-for-owner new")),
            ("nothing of the kind",      12, 14, None),
            ("a domain that breaks",     17, 18, None),
            ("a muted one",              21, 22, None),
            ("nothing",                  30, 60, None),
        ];
        for (shows, from, to, want) in table {
            assert_eq!(lines(from, to).as_deref(), want, "{shows}");
        }
    }

    #[test]
    fn a_digest_names_some_and_counts_the_rest() {
        let events: Vec<_> =
            (0..300).map(|it| event(1, &format!("d{it}"), EventKind::Mapping, ("", "4"))).collect();
        let digest = digest(&events, (at(0), at(1)), &BTreeSet::new()).unwrap();
        assert_eq!((digest.items.len(), digest.more), (MOST_ITEMS, 300 - MOST_ITEMS));
    }
}
