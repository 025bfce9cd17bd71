//! Hearing and telling the plugin inside WordPress, around a pass.
//!
//! A request of its page stays there until it is answered, so that none is lost where this process
//! dies; to do one twice does no harm. Nothing waits for the plugin and nothing depends on it: where it does not answer, it
//! is left alone for a while, and only pages in WordPress are old.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rules::action::{Action, Deferred, Outcome};
use rules::ledger::{LastPass, Ledger, LedgerError};
use rules::plugin_client::{PageAnswer, PageRequest, PluginClient, PluginReport, Standby};
use rules::reason::Reason;
use rules::source::SourceError;
use rules::{Entry, Home, Problem, Tally, Time};

use crate::ops::recheck_named;
use crate::texts;

use super::{Alert, Change, Entries, Report, describe_failure};

/// So long it is left alone after a failure.
const QUIET: Duration = Duration::from_mins(1);

/// Of a network with more domains than this, those that are as they should be are not told.
const MANY: usize = 2000;

/// More lines than this are not kept for its log.
const MOST_LINES: usize = 200;

/// What is kept of the plugin from one pass to the next.
pub struct PluginSync {
    plugin: Arc<dyn PluginClient>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when it is left alone, and why.
    quiet: Option<(Time, Problem)>,
    /// What it was told of the domains last.
    domains: Option<u64>,
    /// What went wrong and has not been told yet.
    unsent: Vec<String>,
    /// What went wrong in the last pass: the same again is no news.
    known: BTreeSet<String>,
    /// What its page asks for, and is not done yet.
    asked: Vec<PageRequest>,
    /// What became of requests, until the plugin knows it.
    answers: Vec<PageAnswer>,
}

impl PluginSync {
    pub fn new(plugin: Arc<dyn PluginClient>) -> Self {
        Self { plugin, state: Mutex::default() }
    }

    /// Ask what people want checked, and make that due, and what they decided; what is wrong, if
    /// anything.
    pub(super) async fn poll(
        &self,
        ledger: &dyn Ledger,
        now: Time,
    ) -> Result<Option<Problem>, LedgerError> {
        if let Some(problem) = self.is_quiet(now) {
            return Ok(Some(problem));
        }
        match self.plugin.handshake().await {
            Ok(handshake) => {
                self.state().quiet = None;
                let named: Vec<_> = handshake.rechecks.iter().collect();
                recheck_named(ledger, &named, now).await?;
                self.ask(handshake.requests, |request| request.is_for(ledger.id(), true, now));
                Ok(None)
            }
            Err(error) => Ok(Some(self.leave_alone(&error, now))),
        }
    }

    /// Say that the installation of `home` does not act and why, and ask whether it shall.
    pub(super) async fn stand_by(&self, home: &Home, why: &Alert, now: Time) {
        if self.is_quiet(now).is_some() {
            return;
        }
        let answers = self.state().answers.clone();
        let (code, text, hint) = (why.code.as_str(), &why.what, &why.hint);
        let standby = Standby { at: now, home, code, text, hint, answers: &answers };
        match self.plugin.stand_by(&standby).await {
            Ok(requests) => {
                self.ask(requests, |request| request.is_for(&home.ledger, false, now));
                self.delivered(&answers);
            }
            Err(error) => _ = self.leave_alone(&error, now),
        }
    }

    /// Keep those of `requests` that `are_ours`, and were not done already.
    fn ask(&self, requests: Vec<PageRequest>, are_ours: impl Fn(&PageRequest) -> bool) {
        let State { asked, answers, .. } = &mut *self.state();
        let is_done = |request: &PageRequest| answers.iter().any(|it| it.id == request.id);
        *asked = requests.into_iter().filter(|it| are_ours(it) && !is_done(it)).collect();
    }

    /// What the page asks for; each once.
    pub(super) fn asked(&self) -> Vec<PageRequest> {
        std::mem::take(&mut self.state().asked)
    }

    /// Keep what became of a request until it is told.
    pub(super) fn answer(&self, answer: PageAnswer) {
        self.state().answers.push(answer);
    }

    fn delivered(&self, answers: &[PageAnswer]) {
        self.state().answers.retain(|answer| !answers.contains(answer));
    }

    /// Something was done between passes: what went wrong is told after the next.
    pub(super) fn note(&self, changes: &[Change]) {
        let wrong = changes.iter().filter(|change| is_wrong(change)).map(line);
        self.remember(wrong);
    }

    /// Keep lines for the next report, as many as one may bring.
    fn remember(&self, lines: impl Iterator<Item = String>) {
        let mut state = self.state();
        let room = MOST_LINES.saturating_sub(state.unsent.len());
        let State { unsent, known, .. } = &mut *state;
        unsent.extend(lines.filter(|line| !known.contains(line)).take(room));
    }

    /// Tell what a pass came to.
    pub(super) async fn push(&self, after: &After<'_>, now: Time) {
        let log = after.log();
        self.remember(log.iter().cloned());
        self.state().known = log.into_iter().collect();
        if self.is_quiet(now).is_some() {
            return;
        }
        let entries = after.worth_telling();
        let digest = digest(&entries);
        let news = self.state().domains != Some(digest);
        let answers = self.state().answers.clone();
        let report = PluginReport {
            at: now,
            ledger: after.ledger,
            alerts: &after.alerts(),
            problems: &after.report.problems,
            tally: Tally::of(after.entries.values()),
            plan: after.plan,
            deferred: &after.report.deferred,
            answers: &answers,
            entries: news.then_some(entries),
            log: self.state().unsent.clone(),
        };
        match self.plugin.report(&report).await {
            Ok(()) => {
                self.delivered(&answers);
                let mut state = self.state();
                state.domains = Some(digest);
                state.unsent.clear();
            }
            Err(error) => _ = self.leave_alone(&error, now),
        }
    }

    fn is_quiet(&self, now: Time) -> Option<Problem> {
        let state = self.state();
        state.quiet.as_ref().filter(|(until, _)| now < *until).map(|(_, why)| why.clone())
    }

    fn leave_alone(&self, error: &SourceError, now: Time) -> Problem {
        let what = "closte-sync's plugin in WordPress did not answer";
        let problem = Problem::of_all(describe_failure(what, error));
        self.state().quiet = Some((now + QUIET, problem.clone()));
        problem
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a pass left.
pub(super) struct After<'a> {
    /// The ledger that acts.
    pub(super) ledger: &'a str,
    /// The hash of the plan, where a person can let anything through.
    pub(super) plan: Option<&'a str>,
    pub(super) entries: &'a Entries,
    pub(super) report: &'a Report,
    /// What the pass before left.
    pub(super) before: Option<&'a LastPass>,
}

impl After<'_> {
    fn worth_telling(&self) -> Vec<&Entry> {
        let mapped: Vec<_> = self.entries.values().filter(|entry| entry.mapped.is_some()).collect();
        let many = MANY < mapped.len();
        let is_well = |entry: &Entry| entry.is_ready() && !entry.needs_person();
        mapped.into_iter().filter(|entry| !many || !is_well(entry)).collect()
    }

    fn alerts(&self) -> Vec<String> {
        self.report.alerts.iter().map(|it| format!("{}: {}", it.what, it.hint)).collect()
    }

    /// What went wrong in this pass, and removals that are held since it.
    fn log(&self) -> Vec<String> {
        let wrong = self.report.changes.iter().filter(|change| is_wrong(change)).map(line);
        let known = |deferred: &Deferred| {
            self.before.is_some_and(|before| before.deferred.contains(deferred))
        };
        let braked = self
            .report
            .deferred
            .iter()
            .filter(|deferred| deferred.reason == Reason::Brake && !known(deferred));
        let braked = braked.map(|deferred| format!("{}: held back by the brake", deferred.domain));
        wrong.chain(braked).collect()
    }
}

/// Refusals and failures of calls and of writing; a check that shows a domain not
/// ready is none.
fn is_wrong(change: &Change) -> bool {
    change.action != Action::Check
        && !matches!(change.outcome, Outcome::Done | Outcome::Overtaken | Outcome::Planned)
}

fn line(change: &Change) -> String {
    format!("{}: {} {}{}", change.domain, change.action, change.outcome, texts::why(change))
}

/// A number that is another one when anything that is told of `entries` is.
fn digest(entries: &[&Entry]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries {
        let states = (entry.alias.state, entry.routing.state, entry.certificate.state);
        let reason = entry.why().map(|why| (why.reason, why.since));
        let row = entry.mapped.as_ref().map(|it| (it.mapping_id, it.stage));
        format!("{} {states:?} {reason:?} {row:?}", entry.domain).hash(&mut hasher);
        (entry.checks.due.as_millis() / 1000).hash(&mut hasher);
    }
    hasher.finish()
}
