//! `closte-sync notify status`: who is told, what waits for them, and how they do.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rules::Time;
use rules::notice::Known;
use rules::plain::plain;
use serde::Serialize;

use crate::cli::{Context, Exit, Failure};
use crate::clock::{SystemClock, relative, rfc3339};

/// Say who is told, what waits for them, and how they do
///
/// Sends nothing.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct View {
    receivers: Vec<ReceiverView>,
}

#[derive(Serialize)]
struct ReceiverView {
    receiver: String,
    /// Whether the settings name it still.
    set: bool,
    /// How many messages wait.
    waiting: u64,
    last_success: Option<String>,
    failing_since: Option<String>,
    /// Why the last try failed.
    why: Option<String>,
    next_try: Option<String>,
    off_since: Option<String>,
    /// The last message that it refused, until it takes another.
    refused: Option<RefusedView>,
}

#[derive(Serialize)]
struct RefusedView {
    at: String,
    why: String,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let receivers = wiring.receivers(&wiring.access()?);
        let names: Vec<_> = receivers.iter().map(|it| it.name().to_owned()).collect();
        let known = match wiring.existing_ledger().await? {
            Some(ledger) => ledger.outbox().receivers().await?,
            None => BTreeMap::new(),
        };
        if context.console.is_json() {
            let all = all(&names, &known);
            let receivers = all.map(|(name, it)| view(&name, &it, names.contains(&name)));
            context.console.json(&View { receivers: receivers.collect() });
        } else {
            let now = rules::Clock::now(&SystemClock);
            context.console.say(text(&names, &known, now));
        }
        Ok(Exit::Done)
    }
}

/// Those of the settings, and then those that something waits for still.
fn all<'a>(
    names: &'a [String],
    known: &'a BTreeMap<String, Known>,
) -> impl Iterator<Item = (String, Known)> + 'a {
    let set = names.iter().map(|name| {
        let known = known.get(name).cloned().unwrap_or_default();
        (name.clone(), known)
    });
    let others = known.iter().filter(|(name, it)| !names.contains(name) && 0 < it.waiting);
    set.chain(others.map(|(name, it)| (name.clone(), it.clone())))
}

fn view(name: &str, known: &Known, set: bool) -> ReceiverView {
    let Known { state, waiting } = known;
    ReceiverView {
        receiver: name.to_owned(),
        set,
        waiting: *waiting,
        last_success: state.delivered_at.map(rfc3339),
        failing_since: state.failing_since.map(rfc3339),
        why: state.why.clone(),
        next_try: state.due.filter(|_| state.off_since.is_none()).map(rfc3339),
        off_since: state.off_since.map(rfc3339),
        refused: state.refused.as_ref().map(|refusal| {
            let (at, why) = (rfc3339(refusal.at), refusal.why.clone());
            RefusedView { at, why }
        }),
    }
}

fn text(names: &[String], known: &BTreeMap<String, Known>, now: Time) -> String {
    let mut text = String::new();
    for (name, known) in all(names, known) {
        let set = if names.contains(&name) { "" } else { " (not set any more)" };
        let _ = writeln!(text, "{}{set}: {}", plain(&name), line(&known, now));
    }
    if text.is_empty() {
        text.push_str(
            "Nobody is told anything: set `notify.webhooks`, `notify.command` or `notify.mail`.\n",
        );
    }
    text
}

/// How it does, in a line.
fn line(known: &Known, now: Time) -> String {
    let Known { state, waiting } = known;
    let mut parts = vec![match *waiting {
        0 => "nothing waits".to_owned(),
        1 => "1 message waits".to_owned(),
        many => format!("{many} messages wait"),
    }];
    parts.extend(state.delivered_at.map(|at| format!("last success {}", relative(at, now))));
    let why = state.why.as_deref().map(|why| format!(": {}", plain(why))).unwrap_or_default();
    if let Some(off) = state.off_since {
        let since = relative(off, now);
        parts.push(format!("switched off {since}{why}; `closte-sync notify test` tries it again"));
    } else if let Some(since) = state.failing_since.filter(|_| 0 < state.tries) {
        let next = state.due.map(|due| format!(", next try {}", relative(due.max(now), now)));
        let next = next.unwrap_or_default();
        parts.push(format!("takes nothing since {}{next}{why}", relative(since, now)));
    }
    if let Some(refusal) = &state.refused {
        let at = relative(refusal.at, now);
        parts.push(format!("refused a message {at}: {}", plain(&refusal.why)));
    }
    parts.join("; ")
}
