//! `closte-sync domains list`: a line a domain.

use comfy_table::{Table, presets};
use engine::texts;
use rules::entry::Entry;
use rules::explain::{self, Headline};
use rules::finding::Actor;
use rules::ledger::{LastPass, Ledger};
use rules::twins::{self, Indent};
use rules::{Stage, Time};
use serde::Serialize;

use crate::cli::console::Tone;
use crate::cli::{Console, Context, Exit, Failure};
use crate::clock::{SystemClock, relative};
use crate::view::DomainView;

/// List the domains, each with its stage, its first finding and whose turn it is
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// What is at Closte and not closte-sync's, as the last pass saw it
    #[arg(long)]
    unmanaged: bool,
}

#[derive(Serialize)]
struct View {
    domains: Vec<DomainView>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let ledger = context.wiring().ledger_to_read().await?;
        if self.unmanaged {
            unmanaged(context, &ledger.memory().await?.last_pass.unwrap_or_default());
            return Ok(Exit::Done);
        }
        let recorded = ledger.load().await?;
        let entries = recorded.entries.values().filter(|entry| entry.is_listed());
        if context.console.is_json() {
            let language = context.environment.language();
            let domains = entries.map(|entry| DomainView::of(entry, language)).collect();
            context.console.json(&View { domains });
        } else {
            let now = rules::Clock::now(&SystemClock);
            context.console.say(table(context.console, entries, now));
        }
        Ok(Exit::Done)
    }
}

#[derive(Serialize)]
struct UnmanagedView {
    unmanaged: Vec<String>,
    /// How many there are besides.
    more: usize,
}

/// Say which aliases are not ours.
fn unmanaged(context: &Context, last_pass: &LastPass) {
    let names = last_pass.foreign.iter();
    if context.console.is_json() {
        let unmanaged = names.map(ToString::to_string).collect();
        context.console.json(&UnmanagedView { unmanaged, more: last_pass.more_foreign });
        return;
    }
    let mut lines: Vec<String> = names.map(|name| name.display().into_owned()).collect();
    if 0 < last_pass.more_foreign {
        lines.push(format!("and {} more", last_pass.more_foreign));
    }
    context.console.say(lines.join("\n"));
}

/// Domains as a table: name, stage, why, whose turn, when next.
pub(in crate::cli) fn table<'a>(
    console: Console,
    entries: impl Iterator<Item = &'a Entry>,
    now: Time,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let columns =
        ["domain", "stage", "alias", "routing", "certificate", "why", "turn", "next check"];
    table.set_header(columns);
    for (entry, place) in twins::below_parents(entries) {
        let (name, headline) = (entry.domain.display(), explain::headline(entry));
        table.add_row([
            if place == Indent::BelowParent { format!("  {name}") } else { name.into_owned() },
            stage(console, entry),
            entry.alias.state.to_string(),
            entry.routing.state.to_string(),
            entry.certificate.state.to_string(),
            why(headline.as_ref()),
            turn(entry, headline.as_ref()),
            if entry.is_followed() {
                relative(entry.checks.due.max(now), now)
            } else {
                String::new()
            },
        ]);
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn stage(console: Console, entry: &Entry) -> String {
    let Some(stage) = entry.mapped.as_ref().and_then(|mapped| mapped.stage) else {
        return if entry.twin.is_some() { "twin" } else { "-" }.to_owned();
    };
    console.paint(stage.as_str(), tone(stage))
}

/// How a stage is meant.
fn tone(stage: Stage) -> Tone {
    match stage {
        Stage::Done => Tone::Good,
        Stage::CheckingDns | Stage::CheckingSslCert => Tone::Waiting,
        Stage::DoneWithoutSsl => Tone::Warn,
        Stage::Failed | Stage::SslFailed => Tone::Bad,
    }
}

/// The code of what is told before all else.
fn why(headline: Option<&Headline<'_>>) -> String {
    headline.map(|it| it.code().to_owned()).unwrap_or_default()
}

/// Whose turn it is; `wait` too where a domain that is not ready has nothing to tell yet.
fn turn(entry: &Entry, headline: Option<&Headline<'_>>) -> String {
    let is_begun = headline.is_some() || entry.is_ready();
    let turn = headline.and_then(Headline::turn).or((!is_begun).then_some(Actor::Nobody));
    turn.map(|actor| texts::turn(actor).to_owned()).unwrap_or_default()
}

/// Why a domain is as it is and whose turn it is, in short: `proxied, owner`.
pub(in crate::cli) fn in_short(entry: &Entry) -> String {
    let headline = explain::headline(entry);
    let parts = [why(headline.as_ref()), turn(entry, headline.as_ref())];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}
