//! What people do by commands, beside whatever runs.

use std::sync::{Arc, PoisonError};

use engine::ops::{self, RecheckScope};
use engine::pass::{Planning, Purpose};
use rules::acting::not_ours;
use rules::action::{Action, Release};
use rules::source::{NetworkSource, Primary};
use rules::{Clock, DomainName};

use crate::life::Life;
use crate::outside::FaultySource;
use crate::watch::Printed;
use crate::world::Who;

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
            let known = ledger.entry(&name).await.ok().flatten();
            let now = world.clock.now();
            let removed = ops::remove(&source, Some(ledger.as_ref()), &name, now).await.is_ok();
            world.log(&format!("removed: {removed}"));
            if removed && known.is_some_and(|entry| entry.mapped.is_some()) {
                let at = world.clock.passed();
                world.state().watch.main_mut().operator_removed(&name, (at, now));
            }
        });
    }

    /// Look at the plan, and keep what it says.
    pub(crate) fn plans(&mut self) {
        let (engine, world) = (self.engine(Who::Operator), Arc::clone(&self.world));
        let printed = Arc::clone(&self.printed);
        self.command(async move {
            let Ok(Planning::Made(planned)) = engine.plan(Purpose::Show).await else { return };
            let gone = planned.plan.entries.iter().filter(|(_, entry)| !entry.is_followed());
            let deferred = &planned.plan.deferred;
            let holds = deferred.iter().any(|it| it.release == Release::Apply);
            let records = deferred.iter().filter(|it| it.action == Action::CreateRecord);
            let plan = Printed {
                hash: planned.hash(),
                holds,
                gone: gone.map(|(name, _)| name.clone()).collect(),
                records: records.map(|it| it.domain.clone()).collect(),
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
            let scope = name.as_ref().map_or(RecheckScope::All, RecheckScope::One);
            _ = ops::recheck(ledger.as_ref(), scope, world.clock.now()).await;
        });
    }
}

/// A copy writes nothing.
async fn may_write(source: &FaultySource) -> bool {
    source.read().await.is_ok_and(|network| not_ours(&network, None).is_none())
}
