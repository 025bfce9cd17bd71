//! What came between two sights, as lines: the demo's log.
//!
//! Each line says where it was read. Within one step the order is always the
//! same: what the sandbox shows, then the database, then the ledger.

use std::collections::BTreeMap;

use rules::event::EventKind;
use rules::plain::plain;
use sandbox::wordpress::Mapping;

use super::control::Stand;
use super::observed::{Observed, Remembered, Tables};

/// One thing that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where.
    pub(super) from: &'static str,
    /// What.
    pub(super) text: String,
}

impl Line {
    pub(super) fn new(from: &'static str, text: impl Into<String>) -> Self {
        Self { from, text: plain(&text.into()).into_owned() }
    }
}

/// What came between `before` and `after`.
pub(super) fn between(before: &Observed, after: &Observed) -> Vec<Line> {
    let problems = before.problems().into_iter().zip(after.problems());
    let problems = problems.filter_map(|((_, was), (from, is))| match (was, is) {
        (None, Some(why)) => Some(Line::new(from, format!("not to be read: {why}"))),
        (Some(_), None) => Some(Line::new(from, "can be read again")),
        _ => None,
    });
    let mut lines: Vec<Line> = problems.collect();
    outside(&before.sandbox.shows, &after.sandbox.shows, &mut lines);
    tables(&before.database.shows, &after.database.shows, &mut lines);
    ledger(&before.ledger.shows, &after.ledger.shows, &mut lines);
    lines
}

fn outside(before: &Stand, after: &Stand, lines: &mut Vec<Line>) {
    for (name, records) in &after.records {
        if before.records.get(name) != Some(records) {
            lines.push(Line::new("dns", format!("{name} {}", records.join(", "))));
        }
    }
    for name in after.finished.difference(&before.finished) {
        lines.push(Line::new("dashboard", format!("{name} is finished")));
    }
    let calls = after.calls.iter().skip(before.calls.len());
    lines.extend(calls.map(|call| Line::new("host", call.describe())));
}

fn tables(before: &Tables, after: &Tables, lines: &mut Vec<Line>) {
    for (id, domain) in added(&before.sites, &after.sites) {
        lines.push(Line::new("database", format!("site {id} is {domain}")));
    }
    for (id, mapping) in &after.mappings {
        let text = match before.mappings.get(id) {
            None => format!("mapping {id}: {}", row(mapping)),
            Some(was) if was.domain != mapping.domain => {
                format!("mapping {id}: {} is now {}", was.domain, row(mapping))
            }
            Some(was) if was != mapping => format!("mapping {id}: {}", row(mapping)),
            Some(_) => continue,
        };
        lines.push(Line::new("database", text));
    }
    for (id, mapping) in added(&after.mappings, &before.mappings) {
        lines.push(Line::new("database", format!("mapping {id}: {} is gone", mapping.domain)));
    }
}

/// `shop.example, site 2, done, secure 1`
fn row(mapping: &Mapping) -> String {
    let Mapping { site, domain, stage, secure, .. } = mapping;
    format!("{domain}, site {site}, {stage}, secure {}", u8::from(*secure))
}

/// The events, but for stages: those are read from the database.
fn ledger(before: &Remembered, after: &Remembered, lines: &mut Vec<Line>) {
    let news = after.events.iter().skip(before.events.len());
    for event in news.filter(|event| event.kind != EventKind::Stage) {
        let text = format!("{} {}: {}", event.domain, event.kind, engine::texts::event(event));
        lines.push(Line::new("ledger", text));
    }
}

/// What `after` has and `before` has not.
fn added<'a, K: Ord, V>(
    before: &'a BTreeMap<K, V>,
    after: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, &'a V)> {
    after.iter().filter(|(id, _)| !before.contains_key(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapping(domain: &str, stage: &str, secure: bool) -> Mapping {
        Mapping { id: 1, site: 2, domain: domain.to_owned(), stage: stage.to_owned(), secure }
    }

    fn observed(mappings: &[Mapping]) -> Observed {
        let mut observed = Observed::default();
        let mappings = mappings.iter().map(|mapping| (mapping.id, mapping.clone()));
        observed.database.shows.mappings = mappings.collect();
        observed
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_row_is_reported_when_it_comes_changes_and_goes_and_only_then() {
        let none = observed(&[]);
        let new = observed(&[mapping("a.example", "checking-dns", false)]);
        let done = observed(&[mapping("a.example", "done", true)]);
        let renamed = observed(&[mapping("b.example", "done", true)]);
        let table: [(&Observed, &Observed, &[&str]); 5] = [
            (&none, &new, &["mapping 1: a.example, site 2, checking-dns, secure 0"]),
            (&new, &new, &[]),
            (&new, &done, &["mapping 1: a.example, site 2, done, secure 1"]),
            (&done, &renamed, &["mapping 1: a.example is now b.example, site 2, done, secure 1"]),
            (&renamed, &none, &["mapping 1: b.example is gone"]),
        ];
        for (before, after, want) in table {
            let lines = between(before, after);
            let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts, want);
        }
    }

    #[test]
    fn a_part_that_cannot_be_read_is_reported_once_and_keeps_what_it_showed() {
        let seen = observed(&[mapping("a.example", "done", true)]);
        let mut unobservable = seen.clone();
        unobservable.sandbox.problem = Some("it does not answer".to_owned());
        let said = [Line::new("sandbox", "not to be read: it does not answer")];
        assert_eq!(between(&seen, &unobservable), said);
        assert_eq!(between(&unobservable, &unobservable), []);
        assert_eq!(between(&unobservable, &seen), [Line::new("sandbox", "can be read again")]);
    }
}
