//! `closte-sync status`: where every domain stands, from the ledger alone.

use std::fmt::Write as _;

use engine::texts;
use rules::entry::Entry;
use rules::host_state::HostState;
use rules::ledger::{Ledger, Memory, Recorded};
use rules::plain::plain;
use rules::{Tally, Time};

use super::console::Tone;
use super::domains::list;
use super::{Context, Exit, Failure, report};
use crate::clock::{SystemClock, relative};
use crate::view::StatusView;

/// Say where every domain stands, what is held back and what is wrong
///
/// Reads the ledger only: it shows what the last pass saw.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let ledger = context.wiring().ledger_to_read().await?;
        let recorded = ledger.load().await?;
        let now = rules::Clock::now(&SystemClock);
        let view = StatusView::of(&recorded, context.environment.language(), now);
        if context.console.is_json() {
            context.console.json(&view);
        } else {
            context.console.say(text(context, &recorded, &view));
        }
        Ok(Exit::Done)
    }
}

fn text(context: &Context, recorded: &Recorded, view: &StatusView) -> String {
    let console = context.console;
    let now = rules::Clock::now(&SystemClock);
    let mut text = headline(recorded);
    if let Some(pass) = &recorded.memory.last_pass {
        let _ = writeln!(text, "Last pass {}.", relative(pass.at, now));
    }
    text.extend(standing(&recorded.memory, now));
    text.extend(doubted_targets(&recorded.memory));
    text.push('\n');
    let waiting: Vec<&Entry> =
        recorded.entries.values().filter(|it| it.is_listed() && !it.is_ready()).collect();
    if !waiting.is_empty() {
        let _ = writeln!(text, "{}\n", list::table(console, waiting.into_iter(), now));
    }
    if let Some(pass) = &recorded.memory.last_pass {
        for deferred in &pass.deferred {
            let _ = writeln!(text, "{}", report::deferred(deferred));
        }
        for problem in &pass.problems {
            let _ = writeln!(text, "{} {}", console.paint("problem:", Tone::Warn), problem);
        }
        if !view.foreign.is_empty() {
            let more = match view.more_foreign {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let names = view.foreign.join(", ");
            let _ = writeln!(text, "at the host, not owned: {names}{more}");
        }
    }
    text
}

/// What keeps all domains waiting: whoever does not act, and a host that may not be asked.
fn standing(memory: &Memory, now: Time) -> Option<String> {
    let why_not = memory.network.not_acting.map(texts::not_acting);
    let why_not = why_not.map(|why| format!("does not act: {why}\n"));
    let host = texts::rests(&HostState::of(&memory.host, now), now).map(|rests| rests + "\n");
    why_not.into_iter().chain(host).reduce(|all, line| all + &line)
}

/// That not all is known of where domains must point, where it is so.
fn doubted_targets(memory: &Memory) -> Option<String> {
    let targets = memory.network.targets.as_ref()?;
    if targets.is_empty() {
        let own = memory.network.identity.as_ref().map(|identity| &identity.domain);
        return Some(texts::no_targets(targets, own) + "\n");
    }
    let missed = targets.missed.as_deref().map(|missed| plain(missed).into_owned());
    let doubts =
        texts::proxied(targets).into_iter().chain(missed).reduce(|a, b| format!("{a}; {b}"))?;
    Some(format!("{}; {doubts}\n", texts::targets(targets)))
}

/// How many are ready, and how many are not.
fn headline(recorded: &Recorded) -> String {
    let Tally { ready, waiting, .. } = Tally::of(recorded.entries.values());
    match (ready, waiting) {
        (0, 0) => "No domain is mapped.\n".to_owned(),
        (1, 0) => "1 domain is ready.\n".to_owned(),
        (ready, 0) => format!("All {ready} domains are ready.\n"),
        (ready, waiting) => {
            let domains = if ready == 1 { "domain is" } else { "domains are" };
            let others = if waiting == 1 { "is" } else { "are" };
            format!("{ready} {domains} ready, {waiting} {others} not.\n")
        }
    }
}
