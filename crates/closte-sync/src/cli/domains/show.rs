//! `closte-sync domains show`: everything about one domain.

use std::fmt::Write as _;

use engine::ops::unknown;
use rules::DomainName;
use rules::entry::{Condition, Entry, LeftAlone};
use rules::event::{Event, EventKind};
use rules::ledger::Ledger;
use rules::twins;
use serde::Serialize;

use super::domain_name;
use crate::cli::{Context, Exit, Failure};
use crate::clock::{SystemClock, relative, rfc3339};
use crate::view::{DomainView, EventView};

/// So many events are shown.
const EVENTS: u32 = 50;

/// Show one domain: its states, why, what is next, and what happened
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
        if context.console.is_json() {
            let events = events.into_iter().map(EventView::of).collect();
            let (domain, twin) = (DomainView::of(&entry), twin.as_ref().map(DomainView::of));
            context.console.json(&View { domain, twin, events });
        } else {
            context.console.say(text(&entry, twin.as_ref(), &events));
        }
        Ok(Exit::Done)
    }
}

fn text(entry: &Entry, twin: Option<&Entry>, events: &[Event]) -> String {
    let now = rules::Clock::now(&SystemClock);
    let mut text = format!("{}\n", entry.domain.display());
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
        let twin = engine::texts::twin(entry).map(|twin| format!(", {twin}"));
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
    if entry.is_followed() {
        let _ = writeln!(text, "  next check     {}", relative(entry.checks.due.max(now), now));
    }
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

/// `www.shop.example: alias present, routing here, certificate valid`, with the reason that comes first.
fn in_short(twin: &Entry) -> String {
    let (alias, routing, certificate) =
        (twin.alias.state, twin.routing.state, twin.certificate.state);
    let why = twin.why().map(|why| format!(" ({})", why.reason));
    format!(
        "{}: alias {alias}, routing {routing}, certificate {certificate}{}",
        twin.domain.display(),
        why.unwrap_or_default()
    )
}

/// What it is about and what happened.
fn happened(event: &Event) -> String {
    let text = engine::texts::event(event);
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
