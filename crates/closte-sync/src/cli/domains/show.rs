//! `closte-sync domains show`: everything about one domain.

use std::fmt::Write as _;

use engine::ops::unknown;
use engine::texts::{self, findings};
use rules::DomainName;
use rules::entry::{Condition, Entry, LeftAlone};
use rules::event::{Event, EventKind};
use rules::explain;
use rules::ledger::Ledger;
use rules::twins;
use serde::Serialize;

use super::{domain_name, list};
use crate::cli::explain::finding as explained;
use crate::cli::{Context, Exit, Failure};
use crate::clock::{SystemClock, relative, rfc3339};
use crate::view::{DomainView, EventView};

/// So many events are shown.
const EVENTS: u32 = 50;

/// Show one domain: why it is as it is, whose turn it is, its states, and what happened
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The domain, for example `shop.example.com`
    #[arg(value_parser = domain_name)]
    domain: DomainName,
}

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    domain: DomainView,
    /// Its twin, which is followed with it.
    twin: Option<DomainView>,
    events: Vec<EventView>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let ledger = context.wiring().ledger_to_read().await?;
        let entry = ledger.entry(&self.domain).await?;
        let entry = entry.ok_or_else(|| unknown(&self.domain))?;
        let twin = match twins::twin_of(&self.domain) {
            Some(name) => ledger.entry(&name).await?,
            None => None,
        };
        let twin = twin.filter(|entry| entry.twin.is_some() && entry.is_followed());
        let events = ledger.events(Some(&self.domain), EVENTS).await?;
        let language = context.environment.language();
        if context.console.is_json() {
            let events = events.into_iter().map(EventView::of).collect();
            let domain = DomainView::of(&entry, language);
            let twin = twin.as_ref().map(|twin| DomainView::of(twin, language));
            context.console.json(&View { domain, twin, events });
        } else {
            context.console.say(text(&entry, twin.as_ref(), &events, language));
        }
        Ok(Exit::Done)
    }
}

fn text(
    entry: &Entry,
    twin: Option<&Entry>,
    events: &[Event],
    language: findings::Language,
) -> String {
    let now = rules::Clock::now(&SystemClock);
    let mut text = format!("{}\n", entry.domain.display());
    headline(&mut text, entry, language);
    if entry.is_followed() {
        let label = language.labels().next_check;
        let _ = writeln!(text, "  {label}: {}\n", relative(entry.checks.due.max(now), now));
    }
    if entry.domain.display() != entry.domain.as_str() {
        let _ = writeln!(text, "  written as    {}", entry.domain);
    }
    if let Some(mapped) = &entry.mapped {
        let stage = mapped.stage.map_or("(none)", rules::Stage::as_str);
        let (id, site) = (mapped.mapping_id, mapped.site_id);
        let _ = writeln!(text, "  mapping       {id}, to site {site}, stage {stage}");
        if let Some(why) = mapped.left_alone.map(LeftAlone::reason) {
            let _ = writeln!(text, "                {why}: {}", why.sentence());
        }
        if mapped.left_alone == Some(LeftAlone::Misspelled) {
            let _ = writeln!(text, "                write it as `{}`", entry.domain);
        }
    } else {
        let twin = texts::twin(entry).map(|twin| format!(", {twin}"));
        let _ = writeln!(text, "  mapping       none{}", twin.unwrap_or_default());
    }
    if let Some(twin) = twin {
        let _ = writeln!(text, "  twin          {}", in_short(twin));
    }
    let _ = writeln!(text, "  alias         {}", describe(&entry.alias));
    let _ = writeln!(text, "  routing       {}", describe(&entry.routing));
    let _ = writeln!(text, "  certificate   {}", describe(&entry.certificate));
    if let (Some(issuer), Some(end)) = (&entry.issuer, entry.not_after) {
        let _ = writeln!(text, "                from {issuer}, until {}", rfc3339(end));
    }
    let _ = writeln!(text, "  proof         {}", describe(&entry.proof));
    if let Some(until) = entry.muted_until.filter(|until| now < *until) {
        let _ = writeln!(text, "  muted         until {}", rfc3339(until));
    }
    if entry.pending_call().is_some() {
        let _ = writeln!(text, "  next call     {}", relative(entry.step.due.max(now), now));
    }
    if !events.is_empty() {
        text.push_str("\nwhat happened\n");
    }
    for event in events {
        let _ = writeln!(text, "  {}  {}", rfc3339(event.at), happened(event));
    }
    text
}

/// What is told of it before all else, whose turn it is, and what to change.
fn headline(text: &mut String, entry: &Entry, language: findings::Language) {
    let Some(headline) = explain::headline(entry) else { return };
    let _ = writeln!(text, "  {}", headline.code());
    if let Some(finding) = headline.finding() {
        return explained(text, finding, language, "  ");
    }
    let _ = writeln!(text, "  {}", texts::headline(&headline, language));
    if let Some(actor) = headline.turn() {
        let label = language.labels().whose_turn;
        let _ = writeln!(text, "  {label}: {}", findings::turn(actor, language));
    }
}

/// `www.shop.example: alias present, routing here, certificate valid`, with what is told of it before
/// all else.
fn in_short(twin: &Entry) -> String {
    let (alias, routing, certificate) =
        (twin.alias.state, twin.routing.state, twin.certificate.state);
    let why = match list::in_short(twin) {
        why if why.is_empty() => why,
        why => format!(" ({why})"),
    };
    let name = twin.domain.display();
    format!("{name}: alias {alias}, routing {routing}, certificate {certificate}{why}")
}

/// What it is about and what happened.
fn happened(event: &Event) -> String {
    let text = texts::event(event);
    match event.kind {
        // An older text says itself what it is about.
        EventKind::Note => text,
        kind => format!("{kind}: {text}"),
    }
}

/// State, since when, why and in which words.
fn describe<S: std::fmt::Display>(condition: &Condition<S>) -> String {
    let mut text = format!("{} since {}", condition.state, rfc3339(condition.since));
    if let Some(reason) = condition.reason {
        let _ = write!(text, "\n                {}: {}", reason.code(), reason.sentence());
    }
    if let Some(detail) = &condition.detail {
        let _ = write!(text, "\n                {detail}");
    }
    if let Some(unseen) = &condition.unseen {
        let since = rfc3339(unseen.since);
        let _ = write!(text, "\n                cannot be seen since {since}");
        if condition.reason != Some(unseen.reason) {
            let _ = write!(text, ": {} ({})", unseen.reason.sentence(), unseen.reason);
        }
        if let Some(detail) =
            unseen.detail.as_ref().filter(|it| condition.detail.as_ref() != Some(*it))
        {
            let _ = write!(text, "\n                {detail}");
        }
    }
    text
}
