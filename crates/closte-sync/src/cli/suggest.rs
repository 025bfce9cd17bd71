//! `closte-sync suggest`: what would spare certificates.

use std::collections::BTreeMap;

use engine::texts;
use rules::budget::{self, Suggestion};
use rules::wanted::Wanted;
use rules::{Entry, Time};
use serde::Serialize;

use super::{Context, Exit, Failure};
use crate::clock::SystemClock;
use crate::wiring::dashboard;

/// Say where a wildcard would spare certificates
///
/// Let's Encrypt gives a registrable domain 50 certificates a week: the next new site below it gets
/// none. Reads the network and the ledger; changes nothing.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    suggestions: Vec<SuggestionView>,
}

#[derive(Serialize)]
struct SuggestionView {
    wildcard: String,
    /// How many names it would have covered within the last week.
    spares: usize,
    text: String,
    /// Where it is made, where that is known.
    link: Option<String>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        let link = dashboard(access.wp.as_ref());
        let network = access.source.read().await?;
        let mut entries = match wiring.readable_ledger().await? {
            Some(ledger) => ledger.load().await?.entries,
            None => BTreeMap::new(),
        };
        // What no pass has seen yet counts by the age of its site.
        for (name, mapped) in Wanted::of(&network).names {
            let unseen = || Entry::new(name.clone(), Some(mapped), Time::default());
            entries.entry(name.clone()).or_insert_with(unseen);
        }
        let now = rules::Clock::now(&SystemClock);
        let found = budget::suggestions(entries.values(), &network, now);
        let view = |it: &Suggestion| SuggestionView {
            wildcard: it.wildcard.to_string(),
            spares: it.spares,
            text: texts::suggestion(it, link.as_deref()),
            link: link.clone(),
        };
        let suggestions: Vec<SuggestionView> = found.iter().map(view).collect();
        if context.console.is_json() {
            context.console.json(&View { suggestions });
        } else if suggestions.is_empty() {
            context.console.say("Nothing to suggest: no wildcard would spare many certificates.");
        } else {
            let lines: Vec<&str> = suggestions.iter().map(|it| it.text.as_str()).collect();
            context.console.say(lines.join("\n"));
        }
        Ok(Exit::Done)
    }
}
