//! What people read of findings, in each language: what is so, and what to do.
//!
//! A text is made of a finding's code and facts, and reads well where a fact is missing. The texts of
//! what a domain's owner must mend go to the owner as they are: they speak of names, records, and the
//! hosting, and of nothing internal.

mod en;
mod mail;
mod nl;

use std::borrow::Cow;

use rules::finding::{Actor, Fact, Finding, RecordAction, RecordChange};
use rules::plain::plain;

pub use mail::ForOwner;

/// A language that people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    English,
    Dutch,
}

/// What stands around texts.
#[derive(Debug)]
pub struct Labels {
    pub ready: &'static str,
    /// Nothing is wrong as far as was seen, and too little was seen.
    pub not_seen: &'static str,
    pub whose_turn: &'static str,
    pub records: &'static str,
    pub also: &'static str,
    pub evidence: &'static str,
    pub wait_until: &'static str,
    pub next_check: &'static str,
    pub network: &'static str,
    /// Of a table of records: action, name, type, found, wanted.
    columns: [&'static str; 5],
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Dutch];

    /// The language of a locale, such as `nl_BE.UTF-8`; English where it is no other that we speak.
    pub fn of_locale(locale: &str) -> Self {
        match locale.split(['_', '.', '@', '-']).next() {
            Some("nl") => Self::Dutch,
            _ => Self::English,
        }
    }

    /// Its code, as in `lang`.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }

    /// What stands around texts in it.
    pub fn labels(self) -> &'static Labels {
        match self {
            Self::English => &en::LABELS,
            Self::Dutch => &nl::LABELS,
        }
    }
}

/// What is so, and what to do, in one or two sentences.
pub fn text(finding: &Finding, language: Language) -> String {
    match language {
        Language::English => en::text(finding),
        Language::Dutch => nl::text(finding),
    }
}

/// Whose turn it is, as a sentence.
pub fn turn(actor: Actor, language: Language) -> &'static str {
    match language {
        Language::English => en::turn(actor),
        Language::Dutch => nl::turn(actor),
    }
}

fn action(action: RecordAction, language: Language) -> &'static str {
    match language {
        Language::English => en::action(action),
        Language::Dutch => nl::action(action),
    }
}

/// `records` as an aligned table with a heading, its lines indented by `indent`. Of several values
/// each has a line of its own, so that it can be copied.
pub fn records(records: &[RecordChange], indent: &str, language: Language) -> String {
    let heading = language.labels().columns.map(Cow::Borrowed);
    let changes = records.iter().flat_map(|change| lines(change, language));
    let rows: Vec<[Cow<'_, str>; 5]> = [heading].into_iter().chain(changes).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; 5] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[Cow<'_, str>; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{indent}{}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The lines of one record, a value each.
fn lines(change: &RecordChange, language: Language) -> Vec<[Cow<'_, str>; 5]> {
    let value = |values: &'_ [String], at: usize| {
        values.get(at).map(|value| plain(value).into_owned()).unwrap_or_default()
    };
    let count = change.found.len().max(change.wanted.len()).max(1);
    let line = |at: usize| {
        let (found, wanted) = (value(&change.found, at), value(&change.wanted, at));
        let what = match at {
            0 => [action(change.action, language), &change.name, &change.kind],
            _ => [""; 3],
        };
        let [action, name, kind] = what.map(plain);
        [action, name, kind, Cow::Owned(found), Cow::Owned(wanted)]
    };
    (0..count).map(line).collect()
}

/// What a text needs to know of a finding.
struct Facts<'a>(&'a Finding);

impl Facts<'_> {
    /// A fact, between `before` and `after`; nothing where it is missing.
    fn put(&self, before: &str, fact: Fact, after: &str) -> String {
        match self.0.fact(fact) {
            "" => String::new(),
            value => format!("{before}{}{after}", plain(value)),
        }
    }

    /// ` (value)`.
    fn aside(&self, fact: Fact) -> String {
        self.put(" (", fact, ")")
    }

    /// Why a name is reserved: `address`, or below a top-level name between two texts; else `either`.
    fn reserved(&self, [address, before, after, either]: [&str; 4]) -> String {
        match (self.0.fact(Fact::Zone), self.0.fact(Fact::Detail)) {
            ("", "") => either.to_owned(),
            ("", _) => address.to_owned(),
            _ => self.put(before, Fact::Zone, after),
        }
    }

    /// A fact, or what stands for it where it is missing.
    fn or(&self, fact: Fact, otherwise: &str) -> String {
        match self.0.fact(fact) {
            "" => otherwise.to_owned(),
            value => plain(value).into_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
