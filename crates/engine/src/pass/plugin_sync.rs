//! Hearing and telling the plugin inside WordPress, around a pass.
//!
//! A request of its page stays there until it is answered, so that none is lost where this process
//! dies; to do one twice does no harm. Nothing waits for the plugin and nothing depends on it: where it does not answer, it
//! is left alone for a while, and only pages in WordPress are old.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rules::action::{Action, Deferred, Outcome};
use rules::explain;
use rules::ledger::{LastPass, Ledger, LedgerError};
use rules::plugin_client::{
    PageAnswer, PageRequest, PluginAlert, PluginClient, PluginDomain, PluginReport, Standby,
};
use rules::reason::Reason;
use rules::source::SourceError;
use rules::{Entry, Home, Problem, Tally, Time};

use crate::ops::recheck_named;
use crate::texts::{self, findings::Language};

use super::status_pages::status_pages;
use super::{Alert, Change, Entries, Report, describe_failure};

/// So long it is left alone after a failure.
const QUIET: Duration = Duration::from_mins(1);

/// Of a network with more domains than this, those that are as they should be are not told.
const MANY: usize = 2000;

/// More domains than this are not told: WordPress stores a report as one value, which its database
/// must take.
const MOST_DOMAINS: usize = 5000;

/// More lines than this are not kept for its log.
const MOST_LINES: usize = 200;

/// A refusal that repeats is no news for so long: the longest gap between two tries, and much more.
const REFUSED: Duration = Duration::from_hours(24);

/// What is kept of the plugin from one pass to the next.
pub struct PluginSync {
    plugin: Arc<dyn PluginClient>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Until when it is left alone, and why.
    quiet: Option<(Time, Problem)>,
    /// The language of its pages.
    language: Language,
    /// What it was told of the domains last.
    domains: Option<u64>,
    /// What went wrong and has not been told yet.
    unsent: Vec<String>,
    /// What went wrong in the last pass: the same again is no news.
    known: BTreeSet<String>,
    /// What was refused, and when last: the same again is no news either.
    refused: BTreeMap<String, Time>,
    /// The mappings whose owners have a link to a status page.
    status_pages: BTreeSet<u64>,
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
                {
                    let mut state = self.state();
                    (state.quiet, state.language) = (None, Language::of_locale(&handshake.locale));
                    state.status_pages = handshake.status_pages;
                }
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
        // Whoever acts tells its own.
        self.state().domains = None;
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

    /// The language of its pages, as it said last.
    pub(super) fn language(&self) -> Language {
        self.state().language
    }

    /// Keep what became of a request until it is told.
    pub(super) fn answer(&self, answer: PageAnswer) {
        self.state().answers.push(answer);
    }

    fn delivered(&self, answers: &[PageAnswer]) {
        self.state().answers.retain(|answer| !answers.contains(answer));
    }

    /// Something was done between passes: what went wrong is told after the next.
    pub(super) fn note(&self, changes: &[Change], now: Time) {
        self.remember(changes.iter().filter(|change| is_wrong(change)).map(line), now);
    }

    /// Keep lines that are news for the next report, as many as one may bring.
    fn remember(&self, lines: impl Iterator<Item = Line>, now: Time) {
        let State { unsent, known, refused, .. } = &mut *self.state();
        refused.retain(|_, at| now.since(*at) < REFUSED);
        for Line { text, is_refusal } in lines {
            let is_news = !known.contains(&text) && !refused.contains_key(&text);
            if is_refusal {
                refused.insert(text.clone(), now);
            }
            if is_news && unsent.len() < MOST_LINES {
                unsent.push(text);
            }
        }
    }

    /// Tell what a pass came to. Of one that was cut short the domains are left to the next that is
    /// not, as nudges may come in a stream.
    pub(super) async fn push(&self, after: &After<'_>, now: Time) {
        let cut_short = after.report.cut_short;
        let log = after.log();
        self.remember(log.iter().cloned(), now);
        let mut known: BTreeSet<_> = log.into_iter().map(|line| line.text).collect();
        if cut_short {
            known.append(&mut self.state().known);
        }
        self.state().known = known;
        if self.is_quiet(now).is_some() {
            return;
        }
        let language = self.language();
        let (entries, left_out) = after.worth_telling(language);
        let digest = (!cut_short).then(|| digest(&entries));
        let news = digest.is_some() && self.state().domains != digest;
        let answers = self.state().answers.clone();
        let pages = status_pages(after.entries, &self.state().status_pages);
        let report = PluginReport {
            at: now,
            ledger: after.ledger,
            alerts: &after.alerts(),
            problems: &after.problems(left_out),
            tally: Tally::of(after.entries.values()),
            plan: after.plan,
            deferred: &after.report.deferred,
            answers: &answers,
            entries: news.then_some(entries),
            pages,
            log: self.state().unsent.clone(),
        };
        match self.plugin.report(&report).await {
            Ok(()) => {
                self.delivered(&answers);
                let mut state = self.state();
                if news {
                    state.domains = digest;
                }
                state.unsent.clear();
            }
            Err(error) => {
                // What it has of them now is not known.
                self.state().domains = None;
                self.leave_alone(&error, now);
            }
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
    /// The domains to tell, and how many more there are: those that need somebody go first, then those
    /// that wait longest.
    fn worth_telling(&self, language: Language) -> (Vec<PluginDomain<'_>>, usize) {
        let mapped: Vec<_> = self.entries.values().filter(|entry| entry.mapped.is_some()).collect();
        let many = MANY < mapped.len();
        let domain = |entry| {
            let (headline, text) = (explain::headline(entry), String::new());
            PluginDomain { entry, headline, text }
        };
        let is_well = |it: &PluginDomain<'_>| it.entry.is_ready() && !it.needs_somebody();
        let told = mapped.into_iter().map(domain).filter(|it| !many || !is_well(it));
        let mut told: Vec<_> = told.collect();
        let left_out = told.len().saturating_sub(MOST_DOMAINS);
        if left_out != 0 {
            let since = |entry: &Entry| entry.why().and_then(|why| why.since);
            told.sort_by_key(|it| (!it.needs_somebody(), since(it.entry)));
            told.truncate(MOST_DOMAINS);
        }
        for domain in &mut told {
            let text = domain.headline.as_ref().map(|it| texts::headline(it, language));
            domain.text = text.unwrap_or_default();
        }
        (told, left_out)
    }

    /// What is invalid: of a pass that was cut short, also what the one before met, as only the rest
    /// would have shown that it is over.
    fn problems(&self, left_out: usize) -> Vec<Problem> {
        // The plugin keeps the first ones only.
        let mut problems = Vec::new();
        if left_out != 0 {
            problems.push(Problem::of_all(format!(
                "{left_out} more domains are not as they should be than WordPress shows; \
                 `closte-sync status` lists all"
            )));
        }
        problems.extend_from_slice(&self.report.problems);
        let before = self.before.filter(|_| self.report.cut_short);
        for problem in before.into_iter().flat_map(|before| &before.problems) {
            if !problems.contains(problem) {
                problems.push(problem.clone());
            }
        }
        problems
    }

    fn alerts(&self) -> Vec<PluginAlert> {
        let alert = |it: &Alert| PluginAlert {
            code: it.code.as_str(),
            domain: it.domain.clone(),
            what: it.what.clone(),
            hint: it.hint.clone(),
        };
        self.report.alerts.iter().map(alert).collect()
    }

    /// What went wrong in this pass, and removals that are held since it.
    fn log(&self) -> Vec<Line> {
        let wrong = self.report.changes.iter().filter(|change| is_wrong(change)).map(line);
        let known = |deferred: &Deferred| {
            self.before.is_some_and(|before| before.deferred.contains(deferred))
        };
        let braked = self
            .report
            .deferred
            .iter()
            .filter(|deferred| deferred.reason == Reason::Brake && !known(deferred));
        let braked = braked.map(|deferred| Line {
            text: format!("{}: held back by the brake", deferred.domain),
            is_refusal: false,
        });
        wrong.chain(braked).collect()
    }
}

/// Refusals and failures of calls and of writing; a check that shows a domain not
/// ready is none.
fn is_wrong(change: &Change) -> bool {
    change.action != Action::Check
        && !matches!(change.outcome, Outcome::Done | Outcome::Overtaken | Outcome::Planned)
}

/// A line for the log of Ultimate Multisite.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    /// Whether the other side said no.
    is_refusal: bool,
}

fn line(change: &Change) -> Line {
    let Change { domain, action, outcome, .. } = change;
    Line {
        text: format!("{domain}: {action} {outcome}{}", texts::why(change)),
        is_refusal: matches!(outcome, Outcome::Rejected | Outcome::Refused),
    }
}

/// A number that is another one when anything that is told of `domains` is.
fn digest(domains: &[PluginDomain<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for PluginDomain { entry, headline, text } in domains {
        let states = (entry.alias.state, entry.routing.state, entry.certificate.state);
        let reason = entry.why().map(|why| (why.reason, why.since));
        let row = entry.mapped.as_ref().map(|it| (it.mapping_id, it.stage));
        let headline = headline.as_ref().map(|it| (it.code(), it.turn(), text));
        format!("{} {states:?} {reason:?} {headline:?} {row:?}", entry.domain).hash(&mut hasher);
        (entry.checks.due.as_millis() / 1000).hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pass::Change;
    use async_trait::async_trait;
    use rules::entry::{Alias, Mapped};
    use rules::finding::{Code, Finding};
    use rules::plugin_client::Handshake;

    struct Nobody;

    #[async_trait]
    impl PluginClient for Nobody {
        async fn handshake(&self) -> Result<Handshake, SourceError> {
            Ok(Handshake::default())
        }

        async fn stand_by(&self, _: &Standby<'_>) -> Result<Vec<PageRequest>, SourceError> {
            Ok(Vec::new())
        }

        async fn report(&self, _: &PluginReport<'_>) -> Result<(), SourceError> {
            Ok(())
        }
    }

    #[test]
    fn of_very_many_domains_those_that_need_a_person_and_those_that_wait_longest_are_told() {
        let waits = |id: u64, since: u64| {
            let mapped =
                Mapped { mapping_id: id, site_id: 2, stage: None, secure: false, left_alone: None };
            let at = Time::from_millis(0) + Duration::from_secs(since);
            let mut entry = Entry::new(format!("d{id}.example").parse().unwrap(), Some(mapped), at);
            entry.alias.set(at, Alias::Wanted, Some(Reason::RateLimited), None);
            entry
        };
        let mut entries: Vec<_> = (0..5002).map(|id| waits(id, 9000 - id)).collect();
        let at = Time::from_millis(0) + Duration::from_hours(9);
        entries[0].alias.set(at, Alias::Rejected, Some(Reason::HostSaidNo), None);
        let entries = entries.into_iter().map(|entry| (entry.domain.clone(), entry)).collect();
        let report = Report::default();
        let after =
            After { ledger: "l", plan: None, entries: &entries, report: &report, before: None };
        let (told, left_out) = after.worth_telling(Language::English);
        let tells = |name: &str| told.iter().any(|it| it.entry.domain.as_str() == name);
        assert_eq!((told.len(), left_out), (5000, 2));
        assert!(tells("d0.example") && tells("d5001.example"), "a person, and who waits longest");
        assert!(!tells("d1.example") && !tells("d2.example"), "the last two wait shortest");
        let problems = after.problems(left_out);
        assert!(problems[0].reason.starts_with("2 more domains are not as they should be"));
    }

    #[test]
    fn a_domain_is_news_where_its_finding_or_the_language_is_another() {
        let mapped =
            Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
        let at = Time::from_millis(0);
        let mut entry = Entry::new("shop.example".parse().unwrap(), Some(mapped), at);
        entry.alias.set(at, Alias::Present, None, None);
        let told = |codes: &[Code], language| {
            let findings = codes.iter().map(|code| Finding::new(*code)).collect();
            let entry = Entry { findings, ..entry.clone() };
            let entries = [(entry.domain.clone(), entry)].into();
            let report = Report::default();
            let after =
                After { ledger: "l", plan: None, entries: &entries, report: &report, before: None };
            let (domains, _) = after.worth_telling(language);
            (digest(&domains), domains[0].text.clone())
        };
        let (english, text) = told(&[Code::Proxied], Language::English);
        assert!(text.starts_with("A proxy is in front"), "{text}");
        let (dutch, in_dutch) = told(&[Code::Proxied], Language::Dutch);
        assert_ne!((english, &text), (dutch, &in_dutch));
        assert_ne!(told(&[Code::OtherAddress], Language::English).0, english);
        assert_eq!(told(&[Code::Proxied], Language::English), (english, text));
        assert_eq!(told(&[], Language::English).1, "");
    }

    #[test]
    fn a_refusal_that_repeats_is_told_once_and_a_failure_each_time_that_it_begins() {
        let change = |outcome, words: &str| Change {
            action: Action::AddAlias,
            domain: "shop.example".parse().unwrap(),
            outcome,
            reason: None,
            finding: None,
            detail: Some(words.to_owned()),
        };
        let at = |hours| Time::from_millis(0) + Duration::from_hours(hours);
        let sync = PluginSync::new(Arc::new(Nobody));
        let told = |hours, change: &Change| {
            sync.note(std::slice::from_ref(change), at(hours));
            std::mem::take(&mut sync.state().unsent).len()
        };
        let (no, other) = (change(Outcome::Refused, "no"), change(Outcome::Refused, "never"));
        assert_eq!((told(0, &no), told(6, &no), told(12, &no)), (1, 0, 0));
        assert_eq!((told(13, &other), told(14, &other)), (1, 0), "in other words it is another");
        assert_eq!((told(35, &no), told(59, &no)), (0, 1), "after a day it is told again");
        let failed = change(Outcome::Failed, "timed out");
        assert_eq!((told(60, &failed), told(61, &failed)), (1, 1));
        assert_eq!(told(62, &change(Outcome::Done, "")), 0);
    }
}
