//! [`MysqlNetwork`]: a network in MySQL or MariaDB as a [`NetworkSource`].
//!
//! A read is one consistent snapshot, whole or an error. Writes are conditional on what is
//! there, inside the statement or under a lock. Statements and locks give up after ten seconds.
//! It writes only to the tables that it was asked to write to, and alters none.

mod database;
mod failure;
mod link;
mod mappings;
mod meta;
mod missing;
mod read;
mod rights;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rules::source::{
    NetworkSource, PluginOption, Primary, Replaces, Right, SourceError, StageWrite,
};
use rules::{DomainName, Entry, Home, Network};

use crate::option_change::OptionChange;
use crate::routing_question::RoutingQuestion;
use crate::wp_config::WpConfigError;
use crate::{Installation, WpConfig};

pub use database::{Database, NotADatabase};
use link::Link;

/// More connections than this are closed instead of kept.
const KEPT: usize = 2;

/// A WordPress network in MySQL or MariaDB.
#[derive(Debug)]
pub struct MysqlNetwork {
    database: Database,
    installation: Arc<Installation>,
    /// Connections that are not in use. One that failed never comes back here.
    idle: Mutex<Vec<Link>>,
    question: RoutingQuestion,
}

impl MysqlNetwork {
    /// The network of `installation` in `database`. Nothing is connected yet.
    pub fn new(database: Database, installation: Installation) -> Self {
        let question = RoutingQuestion::new(&installation.salts);
        Self { database, installation: Arc::new(installation), idle: Mutex::default(), question }
    }

    /// The network that `config` describes.
    ///
    /// # Errors
    ///
    /// A value that is needed is missing, or known only when PHP runs.
    pub fn of(config: &WpConfig) -> Result<Self, WpConfigError> {
        Ok(Self::new(Database::of(config)?, Installation::of(config)?))
    }

    /// A connection that works, kept or new.
    async fn link(&self) -> Result<Link, SourceError> {
        while let Some(mut link) = self.take_idle() {
            if link.is_alive().await {
                return Ok(link);
            }
        }
        Link::connect(&self.database, &self.installation).await
    }

    fn take_idle(&self) -> Option<Link> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Only after success: a link dropped half-way closes its connection, and with it any
    /// transaction or lock that was open.
    fn keep(&self, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(link);
        }
    }
}

#[async_trait]
impl NetworkSource for MysqlNetwork {
    async fn read(&self) -> Result<Network, SourceError> {
        let mut link = self.link().await?;
        match link.read().await {
            Ok((network, salts)) => {
                self.question.learn(&self.installation.salts, &salts);
                self.keep(link);
                Ok(network)
            }
            Err(error) => Err(self.explain(error).await),
        }
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        let mut link = self.link().await?;
        let pulse = link.pulse().await?;
        self.keep(link);
        Ok(pulse)
    }

    async fn came_back(&self, gone: &[&Entry]) -> Result<BTreeSet<DomainName>, SourceError> {
        let mut link = self.link().await?;
        let back = link.came_back(gone).await?;
        self.keep(link);
        Ok(back)
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        let mut link = self.link().await?;
        let written = link.write_stage(write).await?;
        self.keep(link);
        Ok(written)
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        let mut link = self.link().await?;
        let id = link.create_record(site, domain).await?;
        self.keep(link);
        Ok(id)
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        let mut link = self.link().await?;
        let id = link.add_mapping(site, domain, primary).await?;
        self.keep(link);
        Ok(id)
    }

    async fn move_mapping(&self, id: u64, from: u64, to: u64) -> Result<bool, SourceError> {
        let mut link = self.link().await?;
        let moved = link.move_mapping(id, from, to).await?;
        self.keep(link);
        Ok(moved)
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        let mut link = self.link().await?;
        let count = link.remove_mappings(domain, rows).await?;
        self.keep(link);
        Ok(count)
    }

    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        let mut link = self.link().await?;
        let changed = link.change(OptionChange::Home(home, replaces)).await?;
        let home = changed.home(&link.tables.name("sitemeta"));
        self.keep(link);
        home
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        let mut link = self.link().await?;
        let changed = link.change(OptionChange::Switch(on)).await?;
        self.keep(link);
        Ok(changed.written)
    }

    async fn set_check_interval(&self, seconds: u32) -> Result<(), SourceError> {
        let mut link = self.link().await?;
        link.change(OptionChange::CheckInterval(seconds)).await?;
        self.keep(link);
        Ok(())
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        let mut link = self.link().await?;
        let rights = link.rights().await?;
        self.keep(link);
        Ok(rights)
    }

    async fn options(
        &self,
        names: &[&'static str],
    ) -> Result<BTreeMap<&'static str, Vec<u8>>, SourceError> {
        let mut link = self.link().await?;
        let options = link.options(names).await?;
        self.keep(link);
        Ok(options)
    }

    async fn write_plugin_option(&self, option: PluginOption<'_>) -> Result<(), SourceError> {
        let mut link = self.link().await?;
        link.change(OptionChange::Plugin(option)).await?;
        self.keep(link);
        Ok(())
    }

    async fn forget_plugin(&self) -> Result<(), SourceError> {
        let mut link = self.link().await?;
        link.forget_plugin().await?;
        self.keep(link);
        Ok(())
    }

    async fn activate_plugin(&self, on: bool) -> Result<bool, SourceError> {
        let mut link = self.link().await?;
        let change = OptionChange::plugin(on, link.moment().await?.0);
        let changed = link.change(change).await?;
        self.keep(link);
        Ok(changed.written)
    }

    fn routing_question(&self, _mapping_id: u64, domain: &DomainName) -> Option<String> {
        self.question.of(domain)
    }

    /// Without it, the server would log an aborted connection.
    async fn close(&self) {
        while let Some(link) = self.take_idle() {
            link.close().await;
        }
    }
}
