//! A plan with all that it was made from, before anything of it is done.

use rules::action::{Action, Outcome, Release};
use rules::doubt::Doubt;
use rules::host::AliasList;
use rules::host_state::HostState;
use rules::ledger::NotActing;
use rules::plan::{Braked, Plan};
use rules::reason::Reason;
use rules::{DomainName, Home, Network, Problem, Time};
use sha2::{Digest, Sha256};

use crate::texts;

use super::report::{Alert, AlertCode, Change, Off, Report, key_alert};

/// Everything that a plan was made from, and the plan.
pub struct Planned {
    pub network: Network,
    pub list: Option<AliasList>,
    pub plan: Plan,
    pub first: bool,
    /// Whether our clock differs too much from the database's to check by it.
    pub clock_is_wrong: bool,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// To be shown: nothing is sent but what reads.
    Show,
    /// To be carried out.
    Pass,
    /// To do what the plan of this hash defers, and nothing else.
    Apply(&'a str),
}

/// What planning came to.
pub enum Planning {
    /// Something is switched off; and what was wrong with the read.
    Off(Off, Vec<Problem>),
    /// This installation does not act for the network, and a person must know.
    NotActing {
        why: NotActing,
        alert: Alert,
        /// The mark that it would write; none where it would act but for the network's switches.
        home: Option<Box<Home>>,
    },
    /// There is a plan.
    Made(Box<Planned>),
}

impl Planned {
    /// The short hash by which a person lets this plan through.
    pub fn hash(&self) -> String {
        hash(&self.plan)
    }

    /// The same, where a person can let anything through.
    pub(super) fn hash_to_apply(&self) -> Option<String> {
        let deferred = self.plan.deferred.iter().map(|step| step.release);
        let releases = deferred.chain(self.plan.doubts.iter().map(Doubt::release));
        releases.into_iter().any(|release| release == Release::Apply).then(|| self.hash())
    }

    /// What needs a person, as far as the plan knows.
    pub fn alerts(&self) -> Vec<Alert> {
        // A read that was disturbed needs nobody: the next one is another.
        let doubts = self.plan.doubts.iter().filter(|doubt| **doubt != Doubt::Moved);
        let doubts = doubts.map(|doubt| {
            let what = format!("{}; {}", doubt.sentence(), doubt.defers());
            Alert::of_all(code_of(doubt), what, doubt.release().text())
        });
        let brake = self.plan.braked.map(|_| self.braked());
        let key = self.plan.memory.host.key_refused.as_ref().map(|words| key_alert(words));
        doubts.chain(brake).chain(key).collect()
    }

    fn braked(&self) -> Alert {
        let braked = self.plan.deferred.iter().filter(|step| step.reason == Reason::Brake);
        let (count, by_itself) =
            (braked.clone().count(), braked.clone().any(|it| it.until.is_some()));
        let noun = if count == 1 { "alias" } else { "aliases" };
        let why = match self.plan.braked {
            Some(Braked::All) => "all that is owned",
            _ => "more than one hour may",
        };
        let what =
            format!("{count} {noun} would be removed, {why} without a person's word; none was");
        let wait = if by_itself { "wait: it goes by itself within the hour; or " } else { "" };
        Alert::of_all(AlertCode::Brake, what, format!("{wait}{}", Release::Apply.text()))
    }

    /// What a pass would do `now`, as a report of one that did nothing.
    pub fn into_report(self, now: Time) -> Report {
        Report {
            host: HostState::of(&self.plan.memory.host, now),
            changes: self.steps(),
            alerts: self.alerts(),
            deferred: self.plan.deferred,
            problems: self.plan.problems,
            clock_is_wrong: self.clock_is_wrong,
            cut_short: false,
        }
    }

    /// The steps that a pass would take, as changes that were not made.
    fn steps(&self) -> Vec<Change> {
        let step = |action, domain: &DomainName| Change {
            action,
            domain: domain.clone(),
            outcome: Outcome::Planned,
            reason: None,
            finding: None,
            detail: None,
        };
        let records = self.plan.records.iter().flat_map(|record| {
            [step(Action::CreateRecord, &record.domain), step(Action::AddAlias, &record.domain)]
        });
        let calls = self.plan.calls.iter().map(|(name, call)| Change {
            detail: texts::twin(&self.plan.entries[name]),
            ..step(call.action(), name)
        });
        records.chain(calls).collect()
    }
}

/// The short hash by which a person lets through what `plan` defers.
pub(super) fn hash(plan: &Plan) -> String {
    let digest = Sha256::digest(plan.fingerprint().as_bytes());
    let head = digest.iter().take(6).fold(0u64, |head, byte| head << 8 | u64::from(*byte));
    format!("{head:012x}")
}

fn code_of(doubt: &Doubt) -> AlertCode {
    match doubt {
        Doubt::List { .. } => AlertCode::ListDoubt,
        Doubt::Restored { .. } => AlertCode::Restored,
        Doubt::SuddenFall { .. } | Doubt::Moved => AlertCode::Doubt,
    }
}
