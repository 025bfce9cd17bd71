//! One pass: read, plan, apply. The same whatever asked for it.
//!
//! A pass takes each domain as far as it goes without waiting: record, alias,
//! look, stage. What it cannot finish stays due in the ledger. It never removes
//! on a read it has not got whole, and sends nothing that is not written down.
//!
//! Start with [`Engine::pass`].

mod acting;
mod checks;
mod deadline;
mod findings;
mod host;
mod journal;
mod next_pass;
mod page;
mod planned;
mod plugin_sync;
mod records;
mod remember;
mod report;
mod settings;
mod stages;
mod status_pages;
mod work;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rules::acting::{OurLedger, not_ours};
use rules::breaker::Allowed;
use rules::budget;
use rules::host::AliasHost;
use rules::host_state::HostState;
use rules::ledger::{Batch, Claim, LastPass, Ledger, NetworkMemory, NotActing, Recorded};
use rules::network::Switch;
use rules::plan::{self, Plan, Policy, World};
use rules::probe::Probe;
use rules::source::{NetworkSource, SourceError};
use rules::twins::Www;
use rules::{DomainName, Home, Network, Problem, times};

use crate::env::Env;
use crate::error_chain::error_chain;
use crate::notices::Notices;
use crate::texts;
use acting::Mark;
pub(crate) use checks::{asking, random_label, see};
use deadline::Deadline;
pub use deadline::Ends;
pub(crate) use host::{Learns, ask_host};
use journal::{Closed, Journal};
pub use planned::{Planned, Planning, Purpose};
use plugin_sync::After;
pub use plugin_sync::PluginSync;
use remember::remember_checks;
pub use report::{Alert, AlertCode, Change, Off, PassError, Passed, Report};
use report::{key_alert, not_ours_alert};
pub use settings::PassSettings;
use work::Checks;
pub use writers::{SqlWriter, Writers};

/// Our clock and the database's may differ by this much.
const CLOCKS_AGREE: Duration = Duration::from_mins(10);

/// Everything a pass works with.
pub struct Engine {
    /// The network.
    pub source: Arc<dyn NetworkSource>,
    /// Who writes stages there.
    pub writers: Writers,
    /// What is wrong with what it was made of: each pass tells it.
    pub problems: Vec<Problem>,
    /// The plugin inside WordPress, where there is one.
    pub plugin: Option<PluginSync>,
    /// Who is told outside.
    pub notices: Notices,
    /// The host.
    pub host: Box<dyn AliasHost>,
    /// The eyes.
    pub probe: Box<dyn Probe>,
    /// The memory.
    pub ledger: Arc<dyn Ledger>,
    /// Time, chance, and who we are.
    pub env: Env,
    /// What the operator and wp-config.php set.
    pub settings: PassSettings,
}

/// What is done of that which is due between passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueWork {
    /// Checks, additions, and the stages that follow.
    All,
    /// Checks: whether the network still wants the rest is not known. The next pass writes
    /// the stages.
    ChecksOnly,
    /// Additions: our clock cannot be trusted.
    AdditionsOnly,
}

/// What a pass tells while it runs.
pub trait PassObserver: Send + Sync {
    /// The plan is made, and nothing of it done. `first`: it is this network's first.
    fn begins(&self, network: &Network, plan: &Plan, first: bool);
    /// `due` steps lie ahead.
    fn total(&self, due: usize);
    /// One more step is done.
    fn advances(&self);
}

/// Tells nothing.
pub struct Silent;

impl PassObserver for Silent {
    fn begins(&self, _: &Network, _: &Plan, _: bool) {}
    fn total(&self, _: usize) {}
    fn advances(&self) {}
}

impl Engine {
    /// Read everything and plan, without writing anything.
    pub async fn plan(&self, purpose: Purpose<'_>) -> Result<Planning, PassError> {
        let network = self.source.read().await.map_err(PassError::Read)?;
        for (off, switch) in Off::switches(&network) {
            match switch {
                Switch::On => (),
                Switch::Off => return Ok(Planning::Off(off, network.problems)),
                Switch::Unreadable => {
                    let why = NotActing::SwitchUnreadable;
                    let alert = off.unreadable_alert();
                    return Ok(Planning::NotActing { why, alert, home: None });
                }
            }
        }
        let memory = self.ledger.memory().await?;
        let ours = OurLedger { id: self.ledger.id(), memory: &memory };
        if let Some(why) = not_ours(&network, Some(ours)) {
            let alert = not_ours_alert(&network.identity, &why);
            let serial = memory.home.serial;
            let home = Home::of(&network.identity, self.ledger.as_ref(), serial);
            let (why, home) = (why.not_acting(), Some(Box::new(home)));
            return Ok(Planning::NotActing { why, alert, home });
        }
        let plugin_problem =
            if purpose == Purpose::Show { None } else { self.poll_plugin().await? };
        let mut recorded = self.ledger.load().await?;
        let wrong_clock = self.wrong_clock(&network);
        if wrong_clock.is_none() {
            times::mend_memory(&mut recorded.memory, self.env.now());
        }
        let learns = if purpose == Purpose::Show { Learns::List } else { Learns::Key };
        let (host, health) = (self.host.as_ref(), &mut recorded.memory.host);
        let (list, list_problem) = match ask_host(host, health, learns, self.env.now()).await {
            None => (None, None),
            Some(Ok(list)) => (Some(list), None),
            Some(Err(error)) => {
                let what = format!("the host's list of aliases could not be read: {error}");
                (None, Some(Problem::of_all(what)))
            }
        };
        let first = recorded.memory.last_pass.is_none();
        let settings = &self.settings;
        let protected = settings.protected_on(&network);
        let policy = Policy {
            confirmations: settings.confirmations,
            gap: settings.gap,
            brake: settings.brake,
            grace: settings.grace,
            removal: settings.removal,
            records: settings.records,
            www: settings.www.unwrap_or(recorded.memory.network.www),
            interval: self.interval(&network),
            clock_is_wrong: wrong_clock.is_some(),
            only_approved: matches!(purpose, Purpose::Apply(_)),
        };
        let world = World {
            network: &network,
            list: list.as_ref(),
            protected: &protected,
            policy: &policy,
            now: self.env.now(),
        };
        let mut plan = match purpose {
            Purpose::Apply(asked) => approved_plan(recorded, &world, asked)?,
            Purpose::Show | Purpose::Pass => plan::plan(recorded, &world),
        };
        plan.problems.extend(list_problem);
        plan.problems.extend(plugin_problem.into_iter().chain(self.problems.iter().cloned()));
        plan.problems.extend(self.receiver_problems().await?);
        plan.problems.extend(self.writers.may_show_late(&network, self.env.now()).await);
        let clock_is_wrong = wrong_clock.is_some();
        plan.problems.extend(wrong_clock);
        Ok(Planning::Made(Box::new(Planned { network, list, plan, first, clock_is_wrong })))
    }

    /// Take over what people want checked; what is wrong with the plugin, if anything.
    async fn poll_plugin(&self) -> Result<Option<Problem>, PassError> {
        match &self.plugin {
            Some(plugin) => Ok(plugin.poll(self.ledger.as_ref(), self.env.now()).await?),
            None => Ok(None),
        }
    }

    /// Run one pass to its end, `run.pass_limit` or what else `ends` it.
    ///
    /// With `hash`, it does what the plan of that hash defers and nothing else, and only if that is
    /// the plan still. Also returns the network, where it acted for it. What is to be told of it is
    /// in the outbox then.
    pub async fn pass(
        &self,
        hash: Option<&str>,
        observer: &dyn PassObserver,
        ends: &Ends,
    ) -> Result<(Passed, Option<Network>), PassError> {
        let made = self.make_pass(hash, observer, ends).await;
        match &made {
            Ok((Passed::Ran(report), None)) => self.announce_alerts(report).await?,
            // A pass that acted has told it.
            Ok(_) => (),
            // What the ledger does not take now is told after the next one.
            Err(error) => _ = self.announce_failure(error).await,
        }
        made
    }

    async fn make_pass(
        &self,
        hash: Option<&str>,
        observer: &dyn PassObserver,
        ends: &Ends,
    ) -> Result<(Passed, Option<Network>), PassError> {
        let started = self.env.now();
        self.ledger.release_leases().await?;
        let purpose = hash.map_or(Purpose::Pass, Purpose::Apply);
        let (planning, mut changes) = self.plan_and_serve(purpose, observer, &ends.stop).await?;
        let mut planned = match planning {
            Planning::Off(off, problems) => {
                self.does_not_act(off.not_acting()).await?;
                return Ok((Passed::Off(off, problems), None));
            }
            Planning::NotActing { why, alert, .. } => {
                self.does_not_act(why).await?;
                let report = Report { alerts: vec![alert], ..Report::default() };
                return Ok((Passed::Ran(report), None));
            }
            Planning::Made(planned) => planned,
        };
        planned.plan.memory.network.not_acting = None;
        planned.plan.problems.extend(self.tell_of_twins(&mut planned.plan.memory.network));
        observer.begins(&planned.network, &planned.plan, planned.first);
        let (scope, ends) = match hash {
            Some(_) => (Scope::Approved, Ends::on(&ends.stop)),
            None => (Scope::All, ends.clone()),
        };
        let deadline = Deadline::new(&self.env, started, self.settings.limit, ends);
        let (mut report, network) = self.apply(*planned, scope, deadline, observer).await?;
        changes.append(&mut report.changes);
        report.changes = changes;
        Ok((Passed::Ran(report), Some(network)))
    }

    /// Do what is due and nothing else, for a `network` that has not changed
    /// since a pass read it; where that is not known, checks only.
    pub async fn due(
        &self,
        network: &Network,
        work: DueWork,
        ends: &Ends,
    ) -> Result<(), PassError> {
        let now = self.env.now();
        let owner = self.env.process.as_str();
        let claim = Claim { owner, now, until: now + self.settings.limit };
        let recorded = self.ledger.claim_due(&claim, usize::MAX).await?;
        let due_call = |entry: &rules::Entry| {
            let call = entry.due_call(now).filter(|_| work != DueWork::ChecksOnly)?;
            Some((entry.domain.clone(), call))
        };
        let calls: BTreeMap<_, _> = recorded.entries.values().filter_map(due_call).collect();
        let may_check = work != DueWork::AdditionsOnly;
        let checks = may_check && recorded.entries.values().any(|entry| entry.is_check_due(now));
        let may_call = deadline::may_write(&recorded.memory.host, now) != Allowed::None;
        if !checks && (calls.is_empty() || !may_call) {
            return Ok(());
        }
        let deadline = Deadline::new(&self.env, now, self.settings.limit, ends.clone());
        let journal = Journal::new(self.ledger.as_ref(), &self.env, recorded.memory);
        let mark = Mark::new(self, network);
        let steps = self.work(network, &mark, &journal, &deadline, &Silent);
        let steps = work::Work { stages: work == DueWork::All, ..steps };
        let checks = if may_check { Checks::Due } else { Checks::None };
        steps.run(recorded.entries, &calls, None, checks).await?;
        let Closed { changes, .. } = journal.close(&mark).await?;
        if let Some(alert) = mark.alert().await {
            self.stand_by(network, &alert).await?;
        }
        if let Some(plugin) = &self.plugin {
            plugin.note(&changes, self.env.now());
        }
        Ok(())
    }

    fn work<'a>(
        &'a self,
        network: &'a Network,
        mark: &'a Mark<'a>,
        journal: &'a Journal<'a>,
        deadline: &'a Deadline<'a>,
        observer: &'a dyn PassObserver,
    ) -> work::Work<'a> {
        let (engine, approved, recovered) = (self, BTreeSet::new(), AtomicBool::new(false));
        let stages = false;
        work::Work {
            engine,
            network,
            mark,
            journal,
            deadline,
            observer,
            stages,
            approved,
            recovered,
        }
    }

    async fn apply(
        &self,
        planned: Planned,
        scope: Scope,
        deadline: Deadline<'_>,
        observer: &dyn PassObserver,
    ) -> Result<(Report, Network), PassError> {
        let (alerts, hash) = (planned.alerts(), planned.hash_to_apply());
        let last = planned.plan.memory.last_pass.clone();
        let Planned { mut network, list, mut plan, clock_is_wrong, .. } = planned;
        self.forget_events(&mut plan.memory.network).await?;
        let journal = Journal::new(self.ledger.as_ref(), &self.env, plan.memory.clone());
        let mark = Mark::new(self, &network);
        self.claim(&plan, &network, &mark, &journal).await?;
        if let Some(alert) = mark.alert().await {
            self.stand_by(&network, &alert).await?;
            let report = Report { alerts: vec![alert], ..Report::default() };
            self.announce_alerts(&report).await?;
            return Ok((report, network));
        }
        let approved = plan.memory.approved.iter().flat_map(|set| set.removals.iter().cloned());
        let approved: BTreeSet<DomainName> = approved.collect();
        self.save_plan(&mut plan, &journal).await?;
        let checks = match scope {
            Scope::Approved => Checks::None,
            Scope::All if clock_is_wrong => Checks::ByAWrongClock,
            Scope::All => Checks::Due,
        };
        let work = self.work(&network, &mark, &journal, &deadline, observer);
        // By a wrong clock nobody's patience is over.
        let stages = scope == Scope::All && !clock_is_wrong;
        let work = work::Work { stages, approved, ..work };
        let Plan { records, entries, calls, .. } = &mut plan;
        // What is applied does not add a name that it only makes a record for.
        let mut apart = BTreeMap::new();
        let calls = if scope == Scope::All { calls } else { &mut apart };
        work.make_records(records, entries, calls).await;
        // What a list in doubt lacks says nothing.
        let believed = list.as_ref().filter(|_| !plan.is_list_in_doubt());
        let entries = work.run(plan.entries, &plan.calls, believed, checks).await?;
        journal.found_budgets(budget::of(entries.values(), self.env.now()));
        let Closed { host, network: mut memory, changes, problems: met } =
            journal.close(&mark).await?;
        let copy = mark.alert().await;
        network.home = mark.stands().await;
        let refused = host.key_refused.as_ref().map(|words| key_alert(words));
        let host = HostState::of(&host, self.env.now());
        let deferred = plan.deferred;
        let problems: Vec<Problem> = plan.problems.into_iter().chain(met).collect();
        let cut_short = deadline.is_cut_short();
        // What only the rest would have shown is not over.
        let left = (!cut_short).then(|| LastPass {
            at: self.env.now(),
            deferred: deferred.clone(),
            problems: problems.clone(),
            foreign: plan.foreign,
            more_foreign: plan.more_foreign,
        });
        let changed = remember_checks(&mut memory, &network).then_some(memory);
        let batch = Batch { network: changed, last_pass: left, ..Batch::default() };
        self.ledger.save(&batch).await?;
        let mut all = alerts;
        all.extend(refused.filter(|alert| !all.contains(alert)));
        all.extend(copy.clone());
        let alerts = all;
        let report =
            Report { changes, deferred, problems, alerts, host, clock_is_wrong, cut_short };
        match (&self.plugin, &copy) {
            // What the page shows is what the installation that acts now says.
            (_, Some(alert)) => self.stand_by(&network, alert).await?,
            (Some(plugin), None) => {
                let (ledger, plan) = (self.ledger.id(), hash.as_deref());
                let before = last.as_ref();
                let after = After { ledger, plan, entries: &entries, report: &report, before };
                plugin.push(&after, self.env.now()).await;
            }
            (None, None) => (),
        }
        if copy.is_some() {
            self.announce_alerts(&report).await?;
        } else {
            self.announce_pass(&report, &entries).await?;
            self.come_again(&entries, &report, self.interval(&network)).await?;
        }
        Ok((report, network))
    }

    /// The interval of checks hot domains.
    pub fn interval(&self, network: &Network) -> Duration {
        self.settings.interval_on(network)
    }

    /// That twins are not added, once, where only the age of the ledger says so.
    fn tell_of_twins(&self, memory: &mut NetworkMemory) -> Option<Problem> {
        let is_news = self.settings.www.is_none() && memory.www == Www::Never && !memory.www_told;
        memory.www_told |= is_news;
        is_news.then(|| Problem::of_all(texts::TWINS_NOT_ADDED))
    }

    fn wrong_clock(&self, network: &Network) -> Option<Problem> {
        let now = self.env.now();
        let database = network.database_time?;
        let difference = now.distance(database);
        (CLOCKS_AGREE < difference).then(|| {
            Problem::of_all(format!(
                "this machine's clock and the database's are {} minutes apart; no domain is checked \
                 until they agree",
                difference.as_secs() / 60
            ))
        })
    }
}

/// How much of what is due a pass does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    All,
    /// Only what a person let through.
    Approved,
}

/// The plan that does what the plan of the hash `asked` defers: one that was let through and is not
/// done, or the plan as it is now, which is let through by this.
fn approved_plan(
    mut recorded: Recorded,
    world: &World<'_>,
    asked: &str,
) -> Result<Plan, PassError> {
    let is_done = recorded.memory.network.applied.as_deref() == Some(asked);
    let whole = Policy { only_approved: false, ..world.policy.clone() };
    let plan = plan::plan(recorded.clone(), &World { policy: &whole, ..world.clone() });
    if !plan.memory.approved.iter().any(|set| set.hash == asked) {
        let (now, asked) = (planned::hash(&plan), asked.to_owned());
        match now == asked {
            true => plan::approve(&mut recorded.memory, &plan, now),
            false if is_done => return Err(PassError::IsDone { asked }),
            false => return Err(PassError::OtherPlan { asked, now }),
        }
    }
    Ok(plan::plan(recorded, world))
}

pub(crate) type Entries = BTreeMap<DomainName, rules::Entry>;

/// An error of the network's as one text: what failed, why, and what to do.
fn describe_failure(what: &str, error: &SourceError) -> String {
    let text = format!("{what}: {}", error_chain(error));
    match error.hint() {
        Some(hint) => format!("{text}; {hint}"),
        None => text,
    }
}
