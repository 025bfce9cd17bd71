//! The ledger, in memory or the real one, with every write seen and a place to die on both sides.

use std::sync::Arc;

use async_trait::async_trait;
use rules::event::Event;
use rules::ledger::{Batch, Claim, Ledger, LedgerError, Memory, Recorded};
use rules::notice::Outbox;
use rules::request::{Asked, Request};
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

    fn outbox(&self) -> &dyn Outbox {
        self.inner.outbox()
    }

    async fn load(&self) -> Result<Recorded, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.load().await
    }

    async fn memory(&self) -> Result<Memory, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.memory().await
    }

    async fn claim_due(&self, claim: &Claim<'_>, limit: usize) -> Result<Recorded, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.claim_due(claim, limit).await
    }

    async fn next_due(&self) -> Result<Option<Time>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.next_due().await
    }

    async fn save(&self, batch: &Batch) -> Result<Vec<DomainName>, LedgerError> {
        self.world.brink(self.who, false).await;
        let missed = {
            let _busy = self.world.clock.busy();
            self.inner.save(batch).await?
        };
        let at = self.world.clock.passed();
        self.world.state().watch.saved(self.who, batch, &missed, at);
        self.world.brink(self.who, true).await;
        Ok(missed)
    }

    async fn forget(&self, before: Time) -> Result<(), LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.forget(before).await
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

    async fn request(&self, asked: &Asked, claim: &Claim<'_>) -> Result<i64, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.request(asked, claim).await
    }

    async fn take_request(&self, claim: &Claim<'_>) -> Result<Option<Request>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.take_request(claim).await
    }

    async fn answer_request(&self, id: i64, answer: &str) -> Result<(), LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.answer_request(id, answer).await
    }

    async fn request_answer(&self, id: i64) -> Result<Option<String>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.request_answer(id).await
    }

    async fn requests(&self, now: Time) -> Result<Vec<Asked>, LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.requests(now).await
    }

    async fn release_leases(&self) -> Result<(), LedgerError> {
        let _busy = self.world.clock.busy();
        self.inner.release_leases().await
    }
}
