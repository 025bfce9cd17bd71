//! What is seen of the engine from outside, call by call, and whether it may be so.
//!
//! It shares no decision with the rules: what it knows is what was read, listed, sent, answered and
//! written to the ledger, each as it went over a trait.

mod calls;
mod facts;
mod stages;
mod twins;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rules::entry::Alias;
use rules::host::{AliasList, HostError};
use rules::ledger::Batch;
use rules::removal::Brake;
use rules::twins::Www;
use rules::{DomainName, Home, Identity, Network, Time};

use crate::generate::History;
use crate::history::clock;
use crate::world::{Who, verb};
pub(crate) use calls::{Scene, is_protected};
pub(crate) use facts::Printed;
use facts::{Facts, Read};
pub(crate) use twins::other_of;

/// Something that must never happen, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub at: Duration,
    pub detail: String,
}

/// What a life came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Each invariant that was broken, at its first time.
    pub violations: Vec<Violation>,
    /// What happened, a line each.
    pub log: Vec<String>,
    /// What stands at the end, to be compared.
    pub end: String,
}

pub(crate) struct Watch {
    pub(crate) brake: Brake,
    pub(crate) www: Www,
    violations: Vec<Violation>,
    log: Vec<String>,
    /// Of the original's ledger and of the clone's.
    ledgers: [Facts; 2],
    reads: BTreeMap<Who, Read>,
    /// What the ledger owned at the last backup.
    pub(crate) owned_at_backup: BTreeSet<DomainName>,
    /// Mapped names that it owned since and that went when that was restored, where it can be told.
    pub(crate) restored_away: BTreeSet<DomainName>,
    /// How many calls and records there were.
    pub(crate) writes: usize,
}

impl Watch {
    pub(crate) fn new(history: &History) -> Self {
        Self {
            brake: history.brake,
            www: history.www,
            violations: Vec::new(),
            log: Vec::new(),
            ledgers: Default::default(),
            reads: BTreeMap::new(),
            owned_at_backup: BTreeSet::new(),
            restored_away: BTreeSet::new(),
            writes: 0,
        }
    }

    pub(crate) fn log(&mut self, at: Duration, what: &str) {
        self.log.push(format!("{} {what}", clock(at)));
    }

    pub(crate) fn break_(&mut self, invariant: &'static str, at: Duration, detail: String) {
        if !self.is_broken(invariant) {
            self.log(at, &format!("BROKEN {invariant}: {detail}"));
            self.violations.push(Violation { invariant, at, detail });
        }
    }

    pub(crate) fn is_broken(&self, invariant: &str) -> bool {
        self.violations.iter().any(|known| known.invariant == invariant)
    }

    pub(crate) fn take_outcome(&mut self, end: String) -> Outcome {
        let violations = std::mem::take(&mut self.violations);
        Outcome { violations, log: std::mem::take(&mut self.log), end }
    }

    /// The original's ledger, as it was written.
    pub(crate) fn main(&self) -> &Facts {
        &self.ledgers[0]
    }

    pub(crate) fn main_mut(&mut self) -> &mut Facts {
        &mut self.ledgers[0]
    }

    /// What the ledger owns.
    pub(crate) fn owned(&self) -> BTreeSet<DomainName> {
        let entries = self.main().entries.values().filter(|entry| entry.owned.is_some());
        entries.map(|entry| entry.domain.clone()).collect()
    }

    fn facts(&mut self, who: Who) -> &mut Facts {
        &mut self.ledgers[who.ledger()]
    }

    pub(crate) fn saved(&mut self, who: Who, batch: &Batch, missed: &[DomainName], at: Duration) {
        let list = self.reads.get(&who).and_then(|read| read.list.clone());
        let facts = &mut self.ledgers[who.ledger()];
        let mut twins = Vec::new();
        for entry in batch.entries.iter().filter(|it| !missed.contains(&it.domain)) {
            // Asked for after a list lacked it: whatever is there then is its own.
            let lacked = list.as_ref().is_some_and(|it| !it.names.contains(&entry.domain));
            if lacked && entry.step.intent.is_some_and(|intent| intent.list_lacked) {
                facts.claims.insert(entry.domain.clone());
            }
            let before = facts.entries.insert(entry.domain.clone(), entry.clone());
            if before.is_some_and(|before| before.step.intent.is_some()) {
                facts.asked.insert(entry.domain.clone());
            } else {
                facts.asked.remove(&entry.domain);
            }
            twins.extend(entry.twin.map(|_| entry.clone()));
        }
        if let Some(network) = &batch.network {
            facts.memory.network = network.clone();
        }
        facts.memory.home = batch.home.unwrap_or(facts.memory.home);
        if let Some(host) = &batch.host {
            facts.memory.host = host.clone();
        }
        if let Some(approved) = &batch.approved {
            facts.memory.approved.clone_from(approved);
        }
        for entry in &twins {
            self.is_lawful_twin(entry, at);
        }
    }

    /// A read reached `who`; the original's begins a pass.
    pub(crate) fn read(&mut self, who: Who, network: &Network, at: Duration, clock: Time) {
        if who == Who::Original {
            self.pass_ended(at);
            let brake = self.brake;
            self.main_mut().begin_pass(network, (at, clock), brake);
            let mapped: BTreeSet<_> = network.mappings.iter().map(|row| &row.domain).collect();
            self.restored_away.retain(|name| !mapped.contains(name));
        }
        let count = network.mappings.len();
        self.log(at, &format!("{who:?} reads {count} mappings"));
        self.reads.insert(who, Read { network: network.clone(), list: None });
    }

    pub(crate) fn list(&mut self, who: Who, list: &AliasList, at: Duration) {
        let names: Vec<&str> = list.names.iter().collect();
        self.log(at, &format!("{who:?} lists [{}]", names.join(" ")));
        let Some(read) = self.reads.get_mut(&who) else { return };
        read.list = Some(list.clone());
        let seen: Vec<DomainName> =
            read.mapped().filter(|it| list.names.contains(it)).cloned().collect();
        self.facts(who).claims.extend(seen);
    }

    /// A pass of the original is over: what it was told must be written down.
    pub(crate) fn pass_ended(&mut self, at: Duration) {
        let facts = self.main_mut();
        let open = |name: &&DomainName| {
            facts.entries.get(*name).is_some_and(|entry| entry.step.intent.is_some())
        };
        let lost = facts.answered.iter().find(open).cloned();
        facts.record_sights();
        facts.answered.clear();
        if let Some(name) = lost {
            self.break_("lost-outcome", at, format!("{name} was answered, and is open still"));
        }
    }

    /// A plan was not applied; `done`: because it was before.
    pub(crate) fn apply_refused(&mut self, done: bool, at: Duration) {
        self.main_mut().read_for_nothing();
        let plan = self.main().apply.clone().filter(|plan| done && plan.holds);
        if let Some(plan) = plan {
            self.break_("apply-locked-out", at, format!("plan {} holds removals back", plan.hash));
        }
    }

    /// The original died: what was under way is nobody's.
    pub(crate) fn died(&mut self) {
        self.main_mut().die();
    }

    pub(crate) fn answered(
        &mut self,
        who: Who,
        call: rules::entry::Call,
        name: &DomainName,
        answer: &Result<(), HostError>,
        at: Duration,
    ) {
        let described = answer.as_ref().map_or_else(ToString::to_string, |()| "ok".to_owned());
        self.log(at, &format!("{who:?}: {} {name}: {described}", verb(call)));
        let facts = self.facts(who);
        let not_sent = matches!(
            answer,
            Err(HostError::Unreachable(_)
                | HostError::RateLimited { .. }
                | HostError::KeyRefused { .. }
                | HostError::Rejected { .. })
        );
        if call == rules::entry::Call::Add && facts.hoped.remove(name) && not_sent {
            facts.claims.remove(name);
        }
        if matches!(answer, Err(HostError::Rejected { .. } | HostError::Refused { .. })) {
            facts.refused.insert(name.clone());
        } else {
            facts.refused.remove(name);
        }
        if matches!(answer, Ok(()) | Err(HostError::Rejected { .. })) {
            facts.answered.insert(name.clone());
        }
    }

    pub(crate) fn landed(&mut self, who: Who, name: &DomainName) {
        self.facts(who).in_flight.remove(name);
    }

    pub(crate) fn record(&mut self, who: Who, site: u64, name: &DomainName, at: Duration) {
        self.log(at, &format!("{who:?}: record of site {site}: {name}"));
        self.writes += 1;
        self.must_act(who, at, "a record");
        let unseen = self.main().apply.as_ref().is_some_and(|it| !it.records.contains(name));
        if who == Who::Original && unseen && !self.main().is_approved(name) {
            let detail = format!("{name}, which the plan that was applied did not name");
            self.break_("apply-recorded-more", at, detail);
        }
    }

    pub(crate) fn home(&mut self, who: Who, home: &Home, at: Duration) {
        self.log(at, &format!("{who:?}: home {}", home.ledger));
        self.must_act(who, at, "the home");
    }

    /// Whether `who` may act at all: it is no copy, and its ledger is this network's.
    fn must_act(&mut self, who: Who, at: Duration, what: &str) {
        let Some(read) = self.reads.get(&who) else { return };
        let is = &read.network.identity;
        let copy = read.network.home.as_ref();
        let copy = copy.is_some_and(|it| it.app != is.app || it.domain != is.domain.as_str());
        let is: Identity = is.clone();
        if copy {
            self.break_("copy-acts", at, format!("{what} by a copy"));
        }
        let filled = self.facts(who).memory.network.identity.clone();
        if filled.is_some_and(|was| was != is) {
            self.break_("other-network-acts", at, format!("{what} for {}", is.domain));
        }
    }

    /// Whether the ledger takes the name for refused for good.
    fn is_rejected(&self, who: Who, name: &DomainName) -> bool {
        let facts = &self.ledgers[who.ledger()];
        let entry = facts.entries.get(name);
        facts.refused.contains(name)
            || entry.is_some_and(|entry| entry.alias.state == Alias::Rejected)
    }
}
