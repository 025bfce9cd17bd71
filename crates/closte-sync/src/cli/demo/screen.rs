//! What the viewer sees while it runs: on a terminal a table that is redrawn in
//! place, elsewhere a line for each change, for scripts nothing.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{IsTerminal, stdout};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rules::entry::Entry;
use tokio::time::Instant;

use super::changes::Line;
use super::observed::Observed;
use crate::cli::console::Tone;
use crate::cli::domains::list;
use crate::cli::{Console, Context};

/// So many of the newest lines stand below the table.
const NEWEST: usize = 6;
/// The width that every terminal has.
const WIDTH: usize = 80;

/// Where the demo is shown.
pub(super) struct Screen {
    console: Console,
    began: Instant,
    way: Way,
}

enum Way {
    Table { bar: ProgressBar, newest: VecDeque<String> },
    Lines,
    Nothing,
}

impl Screen {
    /// As stdout, `TERM` and `--output` want it.
    pub(super) fn of(context: &Context) -> Self {
        let dumb = context.environment.value("TERM") == Some("dumb");
        let way = if context.console.is_json() {
            Way::Nothing
        } else if stdout().is_terminal() && !dumb {
            Way::Table { bar: bar(), newest: VecDeque::new() }
        } else {
            Way::Lines
        };
        Self { console: context.console, began: Instant::now(), way }
    }

    /// How long it has been shown.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Show what came, and how all stands now.
    pub(super) fn show(&mut self, lines: &[Line], observed: &Observed) {
        let at = self.elapsed().as_secs_f32();
        let lines = lines.iter().map(|line| format!("{at:4.1} s  {:<9} {}", line.from, line.text));
        match &mut self.way {
            Way::Nothing => (),
            Way::Lines => lines.for_each(|line| self.console.say(line)),
            Way::Table { bar, newest } => {
                newest.extend(lines.map(|line| cut(&line)));
                newest.drain(..newest.len().saturating_sub(NEWEST));
                let newest = newest.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
                let shown = format!("{}\n\n{newest}", table(self.console, observed));
                bar.set_message(self.console.fit(&shown));
                bar.tick();
            }
        }
    }

    /// Leave what is shown where it is.
    pub(super) fn finish(&self) {
        if let Way::Table { bar, .. } = &self.way {
            bar.finish();
            self.console.say("");
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
    let style = ProgressStyle::with_template("{msg}").expect("the template is a constant");
    bar.with_style(style)
}

/// A row a domain: stage and https from the database, why from the ledger, the
/// rest from the sandbox.
fn table(console: Console, observed: &Observed) -> String {
    let names = observed.names();
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = format!("{:width$}  {:17}  https  host   why", "domain", "stage");
    for name in names {
        let mapping = observed.mapping(name);
        let (stage, tone) = mapping.map_or(("(no mapping)", Tone::Warn), |it| label(&it.stage));
        // Padded before it is painted: colours have no width.
        let stage = console.paint(&format!("{stage:17}"), tone);
        let https = if mapping.is_some_and(|it| it.secure) { "yes" } else { "" };
        let host = match &observed.sandbox.problem {
            Some(_) => "?",
            None if observed.has(name) => "there",
            None => "",
        };
        let why = observed.entry(name).map(why).unwrap_or_default();
        let row = format!("{name:width$}  {stage}  {https:5}  {host:5}  {why}");
        let _ = write!(text, "\n{}", row.trim_end());
    }
    text
}

/// A stage and how it is meant.
fn label(stage: &str) -> (&str, Tone) {
    let tone = match stage {
        "done" => Tone::Good,
        "failed" | "ssl-failed" => Tone::Bad,
        _ => Tone::Waiting,
    };
    (stage, tone)
}

/// Why it is not done and whose turn it is; nothing more is owed to one whose mapping is gone.
fn why(entry: &Entry) -> String {
    if entry.is_retired() { String::new() } else { list::in_short(entry) }
}

/// As much of a line as a narrow terminal shows: one that wraps cannot be redrawn in place.
fn cut(line: &str) -> String {
    if line.chars().count() < WIDTH {
        return line.to_owned();
    }
    line.chars().take(WIDTH - 2).chain(['…']).collect()
}
