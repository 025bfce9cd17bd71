//! The network, which may fail, change while it is read, or refuse to be written.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use rules::source::{NetworkSource, Primary, Replaces, Right, SourceError, StageWrite};
use rules::{Clock, DomainName, Entry, Home, Network};

use crate::history::DatabaseMood;
use crate::world::{Who, World};

pub(crate) struct FaultySource {
    pub(crate) world: Arc<World>,
    pub(crate) who: Who,
}

impl FaultySource {
    fn mood(&self) -> DatabaseMood {
        match self.who {
            Who::Original | Who::Operator => self.world.state().database,
            // Faults there would only hide what is looked for.
            Who::Clone | Who::Other => DatabaseMood::Good,
        }
    }

    fn inner(&self) -> &dyn NetworkSource {
        self.world.network_of(self.who)
    }

    fn may_read(&self) -> Result<(), SourceError> {
        let source = "server has gone away".into();
        let mood = self.mood();
        if self.who == Who::Original {
            self.world.state().is_blind = mood == DatabaseMood::Fails;
        }
        match mood {
            DatabaseMood::Fails => Err(SourceError::Failed { doing: "reading", source }),
            _ => Ok(()),
        }
    }

    fn may_write(&self) -> Result<(), SourceError> {
        self.may_read()?;
        match self.mood() {
            DatabaseMood::ReadOnly => Err(SourceError::Denied { what: "read only".to_owned() }),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl NetworkSource for FaultySource {
    async fn read(&self) -> Result<Network, SourceError> {
        self.may_read()?;
        let mut network = self.inner().read().await?;
        let mut state = self.world.state();
        if self.who != Who::Clone && state.database == DatabaseMood::Moves {
            network.moved = true;
            network.mappings.retain(|_| state.chance.percent(50));
        }
        let (at, clock) = (self.world.clock.passed(), self.world.clock.now());
        state.watch.read(self.who, &network, at, clock);
        Ok(network)
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        self.may_read()?;
        self.inner().pulse().await
    }

    async fn came_back(&self, gone: &[&Entry]) -> Result<BTreeSet<DomainName>, SourceError> {
        self.may_read()?;
        self.inner().came_back(gone).await
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        self.may_write()?;
        self.world.brink(self.who, false).await;
        let row = self.inner_row(write.mapping_id);
        let at = self.world.clock.passed();
        self.world.state().watch.stage(self.who, write, row.as_ref(), at);
        let done = self.inner().write_stage(write).await?;
        self.world.brink(self.who, true).await;
        Ok(done)
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        self.may_write()?;
        self.world.brink(self.who, false).await;
        let at = self.world.clock.passed();
        self.world.state().watch.record(self.who, site, domain, at);
        let made = self.inner().create_record(site, domain).await?;
        self.world.brink(self.who, true).await;
        Ok(made)
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        self.may_write()?;
        self.inner().add_mapping(site, domain, primary).await
    }

    async fn move_mapping(&self, id: u64, from: u64, to: u64) -> Result<bool, SourceError> {
        self.may_write()?;
        self.inner().move_mapping(id, from, to).await
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        self.may_write()?;
        self.inner().remove_mappings(domain, rows).await
    }

    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        self.may_write()?;
        self.world.brink(self.who, false).await;
        let at = self.world.clock.passed();
        self.world.state().watch.home(self.who, home, at);
        let stands = self.inner().write_home(home, replaces).await?;
        self.world.brink(self.who, true).await;
        Ok(stands)
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        self.may_write()?;
        self.inner().switch(on).await
    }

    async fn set_check_interval(&self, seconds: u32) -> Result<(), SourceError> {
        self.may_write()?;
        self.inner().set_check_interval(seconds).await
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        self.inner().rights().await
    }
}

impl FaultySource {
    fn inner_row(&self, id: u64) -> Option<engine::memory::MappingRow> {
        self.world.network_of(self.who).tables().mappings.get(&id).cloned()
    }
}
