//! What a pass is told as: while it runs, and when it ended.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use engine::ops::Answer;
use engine::texts;
use indicatif::{ProgressBar, ProgressStyle};
use rules::action::{Action, Deferred, Outcome, Release};
use rules::entry::Call;
use rules::host_state::HostState;
use rules::plain::plain;
use rules::plan::Plan;
use rules::telling::{Kind, Phase, Telling};
use rules::{Clock, Network, Problem, Time};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::errand::Ended;
use super::{Console, Context, Exit, Failure};
use crate::clock::{SystemClock, rfc3339};
use crate::view::ReportView;
use crate::wiring::Owner;
use engine::pass::{Alert, Change, Off, PassObserver, Report};

/// How much of a pass is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verbosity {
    /// Everything.
    Full,
    /// What needs a person.
    Quiet,
    /// Nothing: whoever started it says it.
    None,
}

/// Tells a pass while it runs: a sentence before the first, a bar on a terminal.
pub(super) struct Progress {
    console: Console,
    verbosity: Verbosity,
    bar: ProgressBar,
}

impl Progress {
    pub(super) fn new(console: Console, verbosity: Verbosity) -> Self {
        let shown = console.shows_progress() && verbosity == Verbosity::Full;
        let bar = if shown { ProgressBar::no_length() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {elapsed}")
            .expect("the template is a constant");
        bar.set_style(style);
        Self { console, verbosity, bar }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl PassObserver for Progress {
    fn begins(&self, network: &Network, plan: &Plan, first: bool) {
        if !first || self.verbosity != Verbosity::Full {
            return;
        }
        self.console.tell(first_sentence(network, plan));
    }

    fn total(&self, due: usize) {
        self.bar.set_length(due as u64);
    }

    fn advances(&self) {
        self.bar.inc(1);
    }
}

/// What the first pass on a network will do, before it does it.
fn first_sentence(network: &Network, plan: &Plan) -> String {
    let mapped = plan.entries.values().filter(|entry| entry.mapped.is_some()).count();
    let records = match plan.records.len() {
        0 => "no site gets a new record".to_owned(),
        count => format!("{count} sites get their domain record"),
    };
    format!(
        "First pass on {}: {} of its {mapped} mapped domains will be added at Closte, all of them \
         are followed until DNS and certificate are right, nothing is removed, and {records}.",
        network.identity.domain,
        plan.calls.values().filter(|call| **call == Call::Add).count(),
    )
}

/// Say how a pass ended.
pub(super) fn report(context: &Context, report: Report, verbosity: Verbosity) -> Exit {
    let exit = exit(&report);
    let console = context.console;
    for alert in &report.alerts {
        console.tell(format!("attention: {}\n  hint: {}", alert.what, alert.hint));
    }
    if console.is_json() {
        console.json(&ReportView::of(report));
        return exit;
    }
    let text = match verbosity {
        Verbosity::Full => full(&report, SystemClock.now()),
        Verbosity::Quiet => needs_a_person(&report),
        Verbosity::None => String::new(),
    };
    if !text.is_empty() {
        console.say(text);
    }
    exit
}

/// How a command ends after a pass: what a single domain needs does not count.
fn exit(report: &Report) -> Exit {
    let of_all = report.alerts.iter().any(|alert| alert.domain.is_none());
    if of_all { Exit::No } else { Exit::Done }
}

/// What cron's mail tells of how a pass ended.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// What is of the whole.
    pub(super) whole: Vec<String>,
    /// What is of single domains, a line each.
    pub(super) rest: Vec<String>,
}

/// What there is to tell of a pass that came to `answer`.
pub(super) fn mail(answer: &Answer, tellings: Vec<Telling>) -> Mail {
    let (whole, rest): (Vec<_>, Vec<_>) =
        tellings.into_iter().partition(|it| it.topic.kind == Kind::Alert);
    match answer {
        Answer::Ran(report) => {
            let whole = whole.iter().map(|telling| of_the_whole(telling, report)).collect();
            Mail { whole, rest: texts::tellings(&rest) }
        }
        Answer::Failed(failure) if !whole.is_empty() => {
            Mail { whole: vec![failure.render()], rest: Vec::new() }
        }
        Answer::Failed(_) | Answer::Off(..) | Answer::Enabled(_) | Answer::Done => Mail::default(),
    }
}

fn of_the_whole(telling: &Telling, report: &Report) -> String {
    let lines = texts::tellings(std::slice::from_ref(telling));
    let is_told =
        |alert: &&Alert| telling.phase != Phase::Ends && alert.code.as_str() == telling.code;
    let hint = report.alerts.iter().find(is_told);
    let hint = hint.map(|alert| format!("\n  hint: {}", alert.hint)).unwrap_or_default();
    format!("{}{hint}", lines.concat())
}

/// How a command ends after `answer`.
pub(super) fn exit_after(answer: &Answer) -> Exit {
    match answer {
        Answer::Ran(report) => exit(report),
        Answer::Failed(failure) => failure.exit(),
        Answer::Off(..) | Answer::Enabled(_) | Answer::Done => Exit::Done,
    }
}

/// Say what cron's mail tells of how a pass ended: what is of the whole to stderr.
pub(super) fn quiet(context: &Context, answer: Answer, tellings: Vec<Telling>) -> Exit {
    let console = context.console;
    let Mail { whole, rest } = mail(&answer, tellings);
    for text in &whole {
        console.tell(text);
    }
    let exit = exit_after(&answer);
    match answer {
        Answer::Ran(report) if console.is_json() => console.json(&ReportView::of(report)),
        Answer::Off(_, problems) => return nothing(context, problems),
        _ if !rest.is_empty() => console.say(rest.join("\n")),
        _ => (),
    }
    exit
}

fn full(report: &Report, now: Time) -> String {
    let mut text = String::new();
    for change in &report.changes {
        let _ = writeln!(text, "{}", texts::change(change));
    }
    if report.changes.is_empty() {
        text.push_str("nothing to do\n");
    }
    for deferred in &report.deferred {
        let _ = writeln!(text, "{}", self::deferred(deferred));
    }
    for problem in &report.problems {
        let _ = writeln!(text, "problem: {problem}");
    }
    // A key that is refused is told as an alert.
    let is_paused = matches!(report.host, HostState::Paused { .. });
    if let Some(rests) = texts::rests(&report.host, now).filter(|_| is_paused) {
        let _ = writeln!(text, "{rests}");
    }
    text + &tally(&report.changes)
}

/// A step that is kept back, why, and what releases it when.
pub(super) fn deferred(deferred: &Deferred) -> String {
    let Deferred { action, domain, reason, release, until, .. } = deferred;
    let when = match (until.map(rfc3339), release) {
        (Some(time), Release::NextRead) => format!(": one counts from {time}"),
        (Some(time), _) => format!(", or by itself after {time}"),
        (None, _) => String::new(),
    };
    format!("deferred: {action} {domain} ({reason}); {release}{when}")
}

fn needs_a_person(report: &Report) -> String {
    let mut text = String::new();
    for problem in &report.problems {
        let _ = writeln!(text, "problem: {problem}");
    }
    text
}

fn tally(changes: &[Change]) -> String {
    let mut counts: BTreeMap<(Action, Outcome), usize> = BTreeMap::new();
    for change in changes {
        *counts.entry((change.action, change.outcome)).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|((action, outcome), count)| format!("{count} {action} {outcome}"))
        .collect();
    if counts.len() < 2 { String::new() } else { format!("{}\n", counts.join(", ")) }
}

/// Say that something is switched off, and how to switch it on.
pub(super) fn off(context: &Context, off: Off, problems: Vec<Problem>) -> Exit {
    for problem in &problems {
        context.console.tell(format!("problem: {problem}"));
    }
    let what = match off {
        Off::Closte => "Closte was detected, and its integration is",
        Off::DomainMapping => "Domain mapping is",
    };
    let hint = off.hint();
    let text = format!("{what} switched off for this network; nothing was done.\n  hint: {hint}");
    context.console.tell(text);
    nothing(context, problems)
}

/// Say how something ended that needed the lock.
pub(super) fn ended(
    context: &Context,
    ended: Ended,
    verbosity: Verbosity,
) -> Result<Exit, Failure> {
    match ended {
        Ended::Left(exit) => Ok(exit),
        Ended::Busy(owner) => Ok(busy(context, owner.as_ref(), verbosity)),
        Ended::Answered(Answer::Ran(report)) => Ok(self::report(context, report, verbosity)),
        Ended::Answered(Answer::Off(off, problems)) => Ok(self::off(context, off, problems)),
        Ended::Answered(Answer::Failed(failure)) => Err(failure),
        // Who asks for that says so itself.
        Ended::Answered(Answer::Enabled(_) | Answer::Done) => Ok(Exit::Done),
    }
}

/// Say who is at work already. Of one that keeps the lock for good cron has nothing to mail.
fn busy(context: &Context, owner: Option<&Owner>, verbosity: Verbosity) -> Exit {
    let is_resident = owner.is_some_and(|it| it.command == "run");
    if verbosity == Verbosity::Full || !is_resident {
        context.console.tell(format!("{}; nothing was done", locked_by(owner)));
    }
    nothing(context, Vec::new())
}

/// Who has the lock of the ledger, for people.
pub(super) fn locked_by(owner: Option<&Owner>) -> String {
    let Some(Owner { pid, command, since }) = owner else {
        return "another closte-sync holds the ledger lock".to_owned();
    };
    let since = rfc3339(*since);
    format!(
        "another closte-sync (pid {pid}, `{}` since {since}) holds the ledger lock",
        plain(command)
    )
}

fn nothing(context: &Context, problems: Vec<Problem>) -> Exit {
    if context.console.is_json() {
        context.console.json(&ReportView::of(Report { problems, ..Report::default() }));
    }
    Exit::Done
}

/// Let the steps under way end on SIGTERM and SIGINT; a second one ends at once.
pub(super) fn stop_on_signals(stop: &CancellationToken) {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let Ok(mut signals) = signal(kind) else { continue };
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if stop.is_cancelled() {
                    std::process::exit(130);
                }
                stop.cancel();
            }
        });
    }
}
