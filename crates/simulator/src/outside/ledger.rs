//! The ledger, in memory or the real one, with every write seen and a place to die on both sides.

use std::sync::Arc;

use async_trait::async_trait;
use rules::event::Event;
use rules::ledger::{Batch, Ledger, LedgerError, Recorded};
use rules::{DomainName, Entry, Time};

use crate::world::{Who, World};

pub(crate) struct WatchedLedger {
    pub(crate) world: Arc<World>,
    pub(crate) who: Who,
    pub(crate) inner: Arc<dyn Ledger>,
}

#[async_trait]
impl Ledger for WatchedLedger {
    fn id(&self) -> &str {
        self.inner.id()
    }

    async fn load(&self) -> Result<Recorded, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.load().await
    }

    async fn load_due(&self, now: Time) -> Result<Recorded, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.load_due(now).await
    }

    async fn next_due(&self) -> Result<Option<Time>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.next_due().await
    }

    async fn save(&self, batch: &Batch) -> Result<(), LedgerError> {
        self.world.brink(self.who, false).await;
        {
            let _busy = self.world.clock.busy();
            self.inner.save(batch).await?;
        }
        self.world.state().watch.saved(self.who, batch);
        self.world.brink(self.who, true).await;
        Ok(())
    }

    async fn entry(&self, domain: &DomainName) -> Result<Option<Entry>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.entry(domain).await
    }

    async fn events(
        &self,
        domain: Option<&DomainName>,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.events(domain, limit).await
    }

    async fn release_leases(&self) -> Result<(), LedgerError> {
        {
            let _busy = self.world.clock.busy();
            self.inner.release_leases().await?;
        }
        self.world.state().watch.leases_released(self.who);
        Ok(())
    }
}
