//! How it ended: every expectation held against what was read last.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::texts::findings::Language;
use serde::Serialize;

use super::observed::Observed;
use super::story::EXPECTED;
use super::world::World;
use crate::cli::Console;
use crate::cli::console::Tone;
use crate::view::DomainView;

/// What was read in the end. Fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// Whether everything expected was seen.
    seen: bool,
    expected: Vec<Outcome>,
    /// What went wrong with the demo itself.
    problems: Vec<String>,
    domains: Vec<DomainView>,
    host_calls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Kept>,
}

/// One expectation and what was read.
#[derive(Debug, Serialize)]
struct Outcome {
    what: &'static str,
    seen: bool,
    shows: Vec<String>,
}

/// How to join in while it is left running.
#[derive(Debug, Serialize)]
struct Kept {
    settings: BTreeMap<String, String>,
    control_url: String,
    log: String,
}

/// Whether everything expected shows now.
pub(super) fn is_complete(observed: &Observed) -> bool {
    let claims = EXPECTED.iter().flat_map(|expected| expected.claims);
    claims.into_iter().all(|claim| claim.judge(observed).holds)
}

impl Summary {
    pub(super) fn of(observed: &Observed, problems: Vec<String>) -> Self {
        let unread = observed.problems().into_iter();
        let unread = unread.filter_map(|(from, why)| Some(format!("{from}: {}", why?)));
        let problems: Vec<String> = problems.into_iter().chain(unread).collect();
        let expected: Vec<Outcome> = EXPECTED
            .iter()
            .map(|expected| {
                let found = expected.claims.iter().map(|claim| claim.judge(observed));
                let found: Vec<_> = found.collect();
                Outcome {
                    what: expected.what,
                    seen: found.iter().all(|finding| finding.holds),
                    shows: found.into_iter().map(|finding| finding.shows).collect(),
                }
            })
            .collect();
        Self {
            seen: problems.is_empty() && expected.iter().all(|outcome| outcome.seen),
            expected,
            problems,
            domains: observed
                .ledger
                .shows
                .entries
                .values()
                .filter(|entry| !entry.is_candidate())
                .map(|entry| DomainView::of(entry, Language::English))
                .collect(),
            host_calls: observed
                .sandbox
                .shows
                .calls
                .iter()
                .map(super::control::Call::describe)
                .collect(),
            kept: None,
        }
    }

    /// With how to join in.
    pub(super) fn kept(self, world: &World) -> Self {
        let kept = Kept {
            settings: world.settings.clone(),
            control_url: world.control.url().to_owned(),
            log: world.log().display().to_string(),
        };
        Self { kept: Some(kept), ..self }
    }

    /// Whether everything expected was seen, and nothing went wrong.
    pub(super) fn is_good(&self) -> bool {
        self.seen
    }

    /// For people.
    pub(super) fn text(&self, console: Console) -> String {
        let mut text = String::from("\nWhat the database, the ledger and the host show now:\n");
        for outcome in &self.expected {
            let (word, tone) =
                if outcome.seen { ("seen    ", Tone::Good) } else { ("NOT SEEN", Tone::Bad) };
            let _ = writeln!(text, "\n  {}  {}", console.paint(word, tone), outcome.what);
            for shows in &outcome.shows {
                let _ = writeln!(text, "            {shows}");
            }
        }
        for problem in &self.problems {
            let _ = writeln!(text, "\n  {}  {problem}", console.paint("FAILED  ", Tone::Bad));
        }
        let _ = writeln!(text, "\n{}", self.counted());
        text + &self.next()
    }

    fn counted(&self) -> String {
        let seen = self.expected.iter().filter(|outcome| outcome.seen).count();
        let (all, calls) = (self.expected.len(), self.host_calls.len());
        format!("{seen} of {all} were seen; the log of the host has {calls} calls.")
    }

    /// What to try next.
    fn next(&self) -> String {
        let Some(kept) = &self.kept else { return NEXT.to_owned() };
        let mut text = String::from("\nLeft running. In another terminal, join in with\n\n");
        for (name, value) in &kept.settings {
            let _ = writeln!(text, "  export {name}='{value}'");
        }
        let (url, log) = (&kept.control_url, &kept.log);
        let _ = write!(
            text,
            "\nand try\n\n  \
             closte-sync status\n  \
             closte-sync domains show garage.example\n  \
             closte-sync domains add shop.example --site 2\n  \
             curl {url}/closte/calls\n  \
             tail -f {log}\n\n\
             The control API is at {url}; docs/sandbox.md has its calls.\nStop with Ctrl-C.\n"
        );
        text
    }
}

const NEXT: &str = "
Next, try
  closte-sync demo --keep    the same, left running for you to change things
  closte-sync sandbox        the stand-in alone, for a network of your own
  closte-sync doctor         on a real network: what works and what does not
";
