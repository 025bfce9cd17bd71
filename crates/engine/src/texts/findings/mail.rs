//! What the domain's owner is told, in a mail and on a page: plain words, and nothing internal.

use std::fmt::Write as _;

use rules::finding::{Actor, Finding, RecordChange, Severity};

use super::{Language, records, text};

/// What the owner of a domain is told.
#[derive(Clone, Copy, Debug)]
pub struct ForOwner<'a> {
    /// The domain as people write it.
    pub domain: &'a str,
    pub ready: bool,
    /// The first first, whoever must act.
    pub findings: &'a [Finding],
    /// When it is looked at again, for people; none where it is not.
    pub next_check: Option<&'a str>,
}

/// The sentences around what is found.
struct Words {
    broken: &'static str,
    half: &'static str,
    change: &'static str,
    besides: &'static str,
    again: [&'static str; 2],
    takes: &'static str,
    not_yours: [&'static str; 2],
    ready: &'static str,
}

const ENGLISH: Words = Words {
    broken: "does not work as it should yet.",
    half: "works, and something about it must be put right so that it stays so.",
    change: "Please change this in DNS, where the domain's records are kept:",
    besides: "Besides:",
    again: ["It is looked at again automatically, next at ", "."],
    takes: "Until everybody sees a change in DNS, some hours can go by.",
    not_yours: ["You do not have to do anything about ", ": it is being taken care of."],
    ready: "works. You do not have to do anything: it is being taken care of that it stays so.",
};

const DUTCH: Words = Words {
    broken: "werkt nog niet zoals het moet.",
    half: "werkt, en er moet iets worden verbeterd zodat dat zo blijft.",
    change: "Wijzig alstublieft het volgende in DNS, waar de records van het domein staan:",
    besides: "Verder:",
    again: ["Er wordt vanzelf opnieuw gekeken, de volgende keer om ", "."],
    takes: "Voordat iedereen een wijziging in DNS ziet kunnen enkele uren verstrijken.",
    not_yours: ["U hoeft voor ", " niets te doen: er wordt aan gewerkt."],
    ready: "werkt. U hoeft niets te doen: er wordt voor gezorgd dat het zo blijft.",
};

impl ForOwner<'_> {
    /// The whole mail in that language. Where it is not the owner's turn, it is one sentence that says so.
    pub fn text(&self, language: Language) -> String {
        let words = Words::of(language);
        let mut mail = self.said(language) + "\n";
        if !self.is_their_turn() {
            return mail;
        }
        let changes = self.records();
        if !changes.is_empty() {
            let _ = write!(mail, "\n{}\n\n{}", words.change, records(&changes, "  ", language));
        }
        let [before, after] = words.again;
        let again = self.next_check.map(|at| format!("{before}{at}{after} ")).unwrap_or_default();
        let _ = writeln!(mail, "\n{again}{}", words.takes);
        mail
    }

    /// What is so and what to do, without records and times: paragraphs, with an empty line between
    /// them. Where it is not the owner's turn, it is one sentence that says so.
    pub fn said(&self, language: Language) -> String {
        let words = Words::of(language);
        let mut theirs = self.theirs();
        let Some(first) = theirs.next() else { return self.nothing_to_do(words) };
        let how = if first.severity == Severity::Error { words.broken } else { words.half };
        let mut said = format!("{} {how}\n\n{}", self.domain, text(first, language));
        for other in theirs {
            let _ = write!(said, "\n\n{} {}", words.besides, text(other, language));
        }
        said
    }

    /// What the owner must change in DNS.
    pub fn records(&self) -> Vec<RecordChange> {
        self.theirs().flat_map(|it| it.records.iter().cloned()).collect()
    }

    /// Whether the owner must do anything.
    pub fn is_their_turn(&self) -> bool {
        self.theirs().next().is_some()
    }

    fn theirs(&self) -> impl Iterator<Item = &Finding> {
        let theirs = |it: &&Finding| it.actor() == Actor::Owner && it.severity != Severity::Info;
        self.findings.iter().filter(theirs)
    }

    fn nothing_to_do(&self, words: &Words) -> String {
        let [before, after] = words.not_yours;
        if self.ready {
            return format!("{} {}", self.domain, words.ready);
        }
        format!("{before}{}{after}", self.domain)
    }
}

impl Words {
    fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Dutch => &DUTCH,
        }
    }
}
