//! What people do by commands, beside whatever runs.

use std::sync::{Arc, PoisonError};

use engine::pass::{Planning, Purpose};
use rules::ledger::{Batch, Ledger};
use rules::plan::copy_of;
use rules::source::{NetworkSource, Primary};
use rules::{Clock, DomainName, event};

use crate::life::Life;
use crate::outside::FaultySource;
use crate::watch::Printed;
use crate::world::{Who, World};

impl Life {
    fn source(&self) -> FaultySource {
        FaultySource { world: Arc::clone(&self.world), who: Who::Operator }
    }

    pub(crate) fn adds(&mut self, site: u64, name: DomainName) {
        let (source, world) = (self.source(), Arc::clone(&self.world));
        self.command(async move {
            if may_write(&source).await {
                let added = source.add_mapping(site, &name, Primary::No).await;
                world.log(&format!("added: {}", added.is_ok()));
            }
        });
    }

    pub(crate) fn removes(&mut self, name: DomainName) {
        let (source, world) = (self.source(), Arc::clone(&self.world));
        let ledger = self.ledger_of(Who::Operator);
        self.command(async move {
            if !may_write(&source).await {
                return;
            }
            let removed = source.remove_mapping(&name).await.unwrap_or(0);
            world.log(&format!("rows removed: {removed}"));
            if 0 < removed {
                forget(ledger.as_ref(), &world, &name).await;
            }
        });
    }

    /// Look at the plan, and keep what it says.
    pub(crate) fn plans(&mut self) {
        let (engine, world) = (self.engine(Who::Operator), Arc::clone(&self.world));
        let printed = Arc::clone(&self.printed);
        self.command(async move {
            let Ok(Planning::Made(planned)) = engine.plan(Purpose::Show).await else { return };
            let gone = planned.plan.entries.iter().filter(|(_, entry)| entry.mapped.is_none());
            let records = planned.plan.records.iter().map(|record| record.domain.clone());
            let holds = planned.plan.deferred.iter().any(|it| it.reason == "brake");
            let deferred = planned.plan.deferred.iter();
            let deferred = deferred.filter(|it| it.action == "create-record");
            let plan = Printed {
                hash: planned.hash(),
                holds,
                gone: gone.map(|(name, _)| name.clone()).collect(),
                records: records.chain(deferred.map(|it| it.domain.clone())).collect(),
            };
            world.log(&format!("plan {}: gone {:?}", plan.hash, plan.gone));
            *printed.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
        });
    }

    pub(crate) fn switches(&mut self, on: bool) {
        let source = self.source();
        self.command(async move {
            if may_write(&source).await {
                _ = source.switch(on).await;
            }
        });
    }

    pub(crate) fn rechecks(&mut self, name: Option<DomainName>) {
        let (ledger, world) = (self.ledger_of(Who::Operator), Arc::clone(&self.world));
        self.command(async move {
            let Ok(mut recorded) = ledger.load().await else { return };
            let now = world.clock.now();
            recorded.memory.breaker.nudge(now);
            let mut batch = Batch { memory: Some(recorded.memory), ..Batch::default() };
            let wanted = |entry: &&rules::Entry| name.as_ref().is_none_or(|it| *it == entry.domain);
            for before in recorded.entries.values().filter(wanted) {
                let mut after = before.clone();
                after.recheck(now, name.is_some());
                batch.events.extend(event::between(Some(before), &after, now));
                batch.entries.push(after);
            }
            _ = ledger.save(&batch).await;
        });
    }
}

/// A copy writes nothing.
async fn may_write(source: &FaultySource) -> bool {
    source.read().await.is_ok_and(|network| copy_of(&network).is_none())
}

/// The mapping was deleted by a person: that counts as the first good read.
async fn forget(ledger: &dyn Ledger, world: &World, name: &DomainName) {
    let Ok(Some(before)) = ledger.entry(name).await else { return };
    if before.mapped.is_none() {
        return;
    }
    let now = world.clock.now();
    let mut after = before.clone();
    after.mapped = None;
    (after.gone.reads, after.gone.counted_at) = (1, Some(now));
    let events = event::between(Some(&before), &after, now);
    let at = world.clock.passed();
    world.state().watch.main_mut().operator_removed(name, (at, now));
    _ = ledger.save(&Batch { entries: vec![after], events, ..Batch::default() }).await;
}
