//! The answer to a request, on its way through the ledger to the process that asked.

use rules::action::{Action, Deferred, Outcome, Release};
use rules::finding::Code;
use rules::host_state::HostState;
use rules::taking_over::Ownership;
use rules::{DomainName, Problem, Reason, Time};
use serde::{Deserialize, Serialize};

use super::{ActsFor, Enabled, Switched};
use crate::failure::{Exit, Failure};
use crate::pass::{Alert, AlertCode, Change, Off, Report};

/// What became of a request.
#[derive(Debug)]
pub enum Answer {
    /// A pass ran.
    Ran(Report),
    /// A pass did nothing: the network's admin switched something off.
    Off(Off, Vec<Problem>),
    /// This installation acts for the network.
    Enabled(Enabled),
    /// It is done.
    Done,
    /// It could not be done, or the answer is no.
    Failed(Failure),
}

impl Answer {
    /// As it is stored; [`Answer::read`] reads it.
    pub fn write(&self) -> String {
        serde_json::to_string(&Wire::from(self)).unwrap_or_default()
    }

    /// Read what [`Answer::write`] wrote, maybe in another version of this program: words that
    /// nobody knows here cost only the line that has them.
    pub fn read(text: &str) -> Self {
        match serde_json::from_str::<Wire>(text) {
            Ok(wire) => wire.into(),
            Err(error) => Self::Failed(
                Failure::could_not(error)
                    .hint("another version of closte-sync answered; see `closte-sync status`"),
            ),
        }
    }
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
enum Wire {
    Ran {
        changes: Vec<ChangeItem>,
        deferred: Vec<DeferredItem>,
        problems: Vec<ProblemItem>,
        alerts: Vec<AlertItem>,
        #[serde(default)]
        host: HostItem,
    },
    Off {
        all: bool,
        problems: Vec<ProblemItem>,
    },
    Enabled {
        now: bool,
        acts_for: Option<String>,
        #[serde(default)]
        kept: bool,
        #[serde(default)]
        aliases: usize,
    },
    Done,
    Failed {
        no: bool,
        error: String,
        hint: Option<String>,
    },
}

#[derive(Deserialize, Serialize)]
struct ChangeItem {
    action: String,
    domain: String,
    outcome: String,
    reason: Option<String>,
    #[serde(default)]
    finding: Option<String>,
    detail: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct DeferredItem {
    action: String,
    domain: String,
    reason: String,
    release: String,
    until: Option<i64>,
    #[serde(default)]
    after: Option<i64>,
}

#[derive(Deserialize, Serialize)]
struct ProblemItem {
    table: Option<String>,
    column: Option<String>,
    id: Option<u64>,
    reason: String,
}

/// Whether calls to the host rest: why, in the host's words where it refuses the key, until when.
#[derive(Default, Deserialize, Serialize)]
struct HostItem {
    reason: Option<String>,
    words: Option<String>,
    until: Option<i64>,
}

#[derive(Deserialize, Serialize)]
struct AlertItem {
    code: String,
    domain: Option<String>,
    text: String,
    hint: String,
}

impl From<&Answer> for Wire {
    fn from(answer: &Answer) -> Self {
        let problems = |problems: &[Problem]| problems.iter().map(ProblemItem::from).collect();
        match answer {
            Answer::Ran(report) => Self::Ran {
                changes: report.changes.iter().map(ChangeItem::from).collect(),
                deferred: report.deferred.iter().map(DeferredItem::from).collect(),
                problems: problems(&report.problems),
                alerts: report.alerts.iter().map(AlertItem::from).collect(),
                host: HostItem::from(&report.host),
            },
            Answer::Off(off, found) => {
                Self::Off { all: *off == Off::DomainMapping, problems: problems(found) }
            }
            Answer::Enabled(Enabled { switched, acts_for }) => Self::Enabled {
                now: *switched == Switched::Now,
                acts_for: acts_for.as_ref().map(|it| it.domain.to_string()),
                kept: acts_for.as_ref().is_some_and(|it| it.ownership.kept),
                aliases: acts_for.as_ref().map_or(0, |it| it.ownership.aliases),
            },
            Answer::Done => Self::Done,
            Answer::Failed(failure) => {
                let (error, hint) = failure.in_one_line();
                Self::Failed { no: failure.exit() == Exit::No, error, hint }
            }
        }
    }
}

impl From<Wire> for Answer {
    fn from(wire: Wire) -> Self {
        let found = |items: Vec<ProblemItem>| items.into_iter().map(Problem::from).collect();
        match wire {
            Wire::Ran { changes, deferred, problems, alerts, host } => Self::Ran(Report {
                changes: changes.into_iter().filter_map(ChangeItem::read).collect(),
                deferred: deferred.into_iter().filter_map(DeferredItem::read).collect(),
                problems: found(problems),
                alerts: alerts.into_iter().filter_map(AlertItem::read).collect(),
                host: host.read(),
                ..Report::default()
            }),
            Wire::Off { all, problems } => {
                Self::Off(if all { Off::DomainMapping } else { Off::Closte }, found(problems))
            }
            Wire::Enabled { now, acts_for, kept, aliases } => Self::Enabled(Enabled {
                switched: if now { Switched::Now } else { Switched::Already },
                acts_for: acts_for
                    .and_then(|text| name(&text))
                    .map(|domain| ActsFor { domain, ownership: Ownership { kept, aliases } }),
            }),
            Wire::Done => Self::Done,
            Wire::Failed { no, error, hint } => {
                let failure = Failure::could_not(error).maybe_hint(hint.as_deref());
                Self::Failed(if no { failure.ending(Exit::No) } else { failure })
            }
        }
    }
}

/// A network's own domain may have one label.
fn name(text: &str) -> Option<DomainName> {
    text.parse().ok().or_else(|| DomainName::parse_host(text).ok())
}

impl From<&Change> for ChangeItem {
    fn from(change: &Change) -> Self {
        Self {
            action: change.action.to_string(),
            domain: change.domain.to_string(),
            outcome: change.outcome.to_string(),
            reason: change.reason.map(|reason| reason.code().to_owned()),
            finding: change.finding.map(|code| code.as_str().to_owned()),
            detail: change.detail.clone(),
        }
    }
}

impl ChangeItem {
    fn read(self) -> Option<Change> {
        Some(Change {
            action: Action::from_word(&self.action)?,
            domain: name(&self.domain)?,
            outcome: Outcome::from_word(&self.outcome)?,
            reason: self.reason.as_deref().and_then(Reason::from_code),
            finding: self.finding.as_deref().and_then(Code::from_word),
            detail: self.detail,
        })
    }
}

impl From<&Deferred> for DeferredItem {
    fn from(deferred: &Deferred) -> Self {
        Self {
            action: deferred.action.to_string(),
            domain: deferred.domain.to_string(),
            reason: deferred.reason.code().to_owned(),
            release: deferred.release.to_string(),
            until: deferred.until.map(Time::as_millis),
            after: deferred.after.map(Time::as_millis),
        }
    }
}

impl DeferredItem {
    fn read(self) -> Option<Deferred> {
        Some(Deferred {
            action: Action::from_word(&self.action)?,
            domain: name(&self.domain)?,
            reason: Reason::from_code(&self.reason)?,
            release: Release::from_word(&self.release)?,
            until: self.until.map(Time::from_millis),
            after: self.after.map(Time::from_millis),
        })
    }
}

impl From<&Problem> for ProblemItem {
    fn from(problem: &Problem) -> Self {
        let Problem { table, column, id, reason } = problem.clone();
        Self { table, column, id, reason }
    }
}

impl From<ProblemItem> for Problem {
    fn from(item: ProblemItem) -> Self {
        let ProblemItem { table, column, id, reason } = item;
        Self { table, column, id, reason }
    }
}

impl From<&HostState> for HostItem {
    fn from(host: &HostState) -> Self {
        let words = match host {
            HostState::KeyRefused { words } => Some(words.clone()),
            HostState::Ok | HostState::Paused { .. } => None,
        };
        let reason = host.code().map(|reason| reason.code().to_owned());
        Self { reason, words, until: host.until().map(Time::as_millis) }
    }
}

impl HostItem {
    fn read(self) -> HostState {
        let reason = self.reason.as_deref().and_then(Reason::from_code);
        match (self.words, reason, self.until) {
            (Some(words), ..) => HostState::KeyRefused { words },
            (None, Some(reason), Some(until)) => {
                HostState::Paused { reason, until: Time::from_millis(until) }
            }
            _ => HostState::Ok,
        }
    }
}

impl From<&Alert> for AlertItem {
    fn from(alert: &Alert) -> Self {
        Self {
            code: alert.code.as_str().to_owned(),
            domain: alert.domain.as_ref().map(ToString::to_string),
            text: alert.what.clone(),
            hint: alert.hint.clone(),
        }
    }
}

impl AlertItem {
    fn read(self) -> Option<Alert> {
        Some(Alert {
            code: AlertCode::from_word(&self.code)?,
            domain: self.domain.as_deref().and_then(name),
            what: self.text,
            hint: self.hint,
        })
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(answer: &Answer) -> Answer {
        Answer::read(&answer.write())
    }

    #[test]
    fn a_report_arrives_as_it_was() {
        let domain: DomainName = "a.example".parse().unwrap();
        let report = Report {
            changes: vec![Change {
                action: Action::AddAlias,
                domain: domain.clone(),
                outcome: Outcome::Refused,
                reason: Some(Reason::HostSaidNo),
                finding: Some(Code::HostSaidNo),
                detail: Some("\"nein\"".to_owned()),
            }],
            deferred: vec![Deferred {
                action: Action::RemoveAlias,
                domain: domain.clone(),
                reason: Reason::Brake,
                release: Release::Apply,
                until: Some(Time::from_millis(7)),
                after: Some(Time::from_millis(3)),
            }],
            problems: vec![Problem::in_row("wp_blogs", "domain", 7, "no name")],
            host: HostState::Paused { reason: Reason::RateLimited, until: Time::from_millis(9) },
            clock_is_wrong: false,
            cut_short: false,
            alerts: vec![Alert {
                code: AlertCode::Brake,
                domain: Some(domain),
                what: "too many".to_owned(),
                hint: "apply it".to_owned(),
            }],
        };
        let Answer::Ran(read) = there_and_back(&Answer::Ran(report.clone())) else { panic!() };
        assert_eq!(
            (read.changes, read.deferred, read.problems, read.alerts, read.host),
            (report.changes, report.deferred, report.problems, report.alerts, report.host)
        );
    }

    #[test]
    fn how_the_host_stands_arrives() {
        let words = "no such key".to_owned();
        for host in [HostState::Ok, HostState::KeyRefused { words }] {
            let report = Report { host: host.clone(), ..Report::default() };
            let Answer::Ran(read) = there_and_back(&Answer::Ran(report)) else { panic!() };
            assert_eq!(read.host, host);
        }
    }

    #[test]
    fn a_failure_keeps_its_words_its_hint_and_its_exit() {
        let failure = Failure::no("this is a copy").hint("enable it");
        let Answer::Failed(read) = there_and_back(&Answer::Failed(failure)) else { panic!() };
        assert_eq!(read.exit(), Exit::No);
        assert_eq!(read.render(), "error: this is a copy\n  hint: enable it\n");
    }

    #[test]
    fn an_answer_that_nobody_understands_is_a_failure_that_says_so() {
        let Answer::Failed(failure) = Answer::read("{\"what\":\"later\"}") else { panic!() };
        assert_eq!(failure.exit(), Exit::CouldNot);
        assert!(failure.render().contains("another version of closte-sync answered"));
    }

    #[test]
    fn what_enabling_did_arrives() {
        let ownership = Ownership { kept: true, aliases: 3 };
        let domain = "net.example".parse().unwrap();
        let acts_for = Some(ActsFor { domain, ownership });
        let enabled = Enabled { switched: Switched::Already, acts_for };
        let Answer::Enabled(read) = there_and_back(&Answer::Enabled(enabled.clone())) else {
            panic!()
        };
        assert_eq!(read, enabled);
    }
}
