//! [`SqliteNetwork`]: a network of WordPress' SQLite integration as a [`NetworkSource`].
//!
//! The integration keeps the tables of MySQL in one SQLite file. It is opened again for each use,
//! so that a replaced file is read. A read is one consistent
//! snapshot and may write nothing; a write is one short transaction that has the write lock from
//! its start. The file is never made here, and neither its tables nor its journal mode changed.

mod failure;
mod file;
mod link;
mod mappings;
mod meta;
mod read;
mod rights;
mod stage_words;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rules::source::{
    NetworkSource, PluginOption, Primary, Replaces, Right, SourceError, StageWrite,
};
use rules::{DomainName, Entry, Home, Network};

use crate::Installation;
use crate::option_change::{Changed, OptionChange};
use crate::routing_question::RoutingQuestion;

pub use file::{NotAFile, file_in_url, file_of, is_meant};
use link::Link;

/// How long to wait for another writer.
const PATIENCE: Duration = Duration::from_secs(8);

/// A WordPress network in a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteNetwork {
    file: PathBuf,
    installation: Installation,
    patience: Duration,
    question: Arc<RoutingQuestion>,
}

impl SqliteNetwork {
    /// The network of `installation` in `file`. Nothing is opened yet.
    pub fn new(file: impl Into<PathBuf>, installation: Installation) -> Self {
        let question = Arc::new(RoutingQuestion::new(&installation.salts));
        Self { file: file.into(), installation, patience: PATIENCE, question }
    }

    async fn change(&self, change: OptionChange<'_>) -> Result<Changed, SourceError> {
        let mut link = Link::to_write(self, meta::WRITING).await?;
        let changed = link.change(&self.installation, change).await?;
        link.commit(meta::WRITING).await?;
        Ok(changed)
    }
}

#[async_trait]
impl NetworkSource for SqliteNetwork {
    async fn read(&self) -> Result<Network, SourceError> {
        let mut link = Link::to_read(self, read::READING).await?;
        let (network, salts) = link.read(&self.installation).await?;
        link.commit(read::READING).await?;
        self.question.learn(&self.installation.salts, &salts);
        Ok(network)
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        let mut link = Link::to_read(self, read::READING).await?;
        let pulse = link.pulse().await?;
        link.commit(read::READING).await?;
        Ok(pulse)
    }

    async fn came_back(&self, gone: &[&Entry]) -> Result<BTreeSet<DomainName>, SourceError> {
        Link::to_read(self, mappings::READING_AGAIN).await?.came_back(gone).await
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        let mut link = Link::to_write(self, mappings::WRITING_STAGE).await?;
        let written = link.write_stage(write).await?;
        link.commit(mappings::WRITING_STAGE).await?;
        Ok(written)
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        let mut link = Link::to_write(self, mappings::MAKING_RECORD).await?;
        let id = link.create_record(site, domain).await?;
        link.commit(mappings::MAKING_RECORD).await?;
        Ok(id)
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        let mut link = Link::to_write(self, mappings::ADDING).await?;
        let id = link.add_mapping(site, domain, primary).await?;
        link.commit(mappings::ADDING).await?;
        Ok(id)
    }

    async fn move_mapping(&self, id: u64, from: u64, to: u64) -> Result<bool, SourceError> {
        let mut link = Link::to_write(self, mappings::MOVING).await?;
        let moved = link.move_mapping(id, from, to).await?;
        link.commit(mappings::MOVING).await?;
        Ok(moved)
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        let mut link = Link::to_write(self, mappings::REMOVING).await?;
        let count = link.remove_mappings(domain, rows).await?;
        link.commit(mappings::REMOVING).await?;
        Ok(count)
    }

    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        let changed = self.change(OptionChange::Home(home, replaces)).await?;
        changed.home(&format!("{}sitemeta", self.installation.prefix))
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        Ok(self.change(OptionChange::Switch(on)).await?.written)
    }

    async fn set_check_interval(&self, seconds: u32) -> Result<(), SourceError> {
        self.change(OptionChange::CheckInterval(seconds)).await.map(drop)
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        rights::of(self).await
    }

    async fn options(
        &self,
        names: &[&'static str],
    ) -> Result<BTreeMap<&'static str, Vec<u8>>, SourceError> {
        let mut link = Link::to_read(self, meta::READING).await?;
        let options = link.options(&self.installation, names).await?;
        link.commit(meta::READING).await?;
        Ok(options)
    }

    async fn write_plugin_option(&self, option: PluginOption<'_>) -> Result<(), SourceError> {
        self.change(OptionChange::Plugin(option)).await.map(drop)
    }

    async fn forget_plugin(&self) -> Result<(), SourceError> {
        let mut link = Link::to_write(self, meta::WRITING).await?;
        link.forget_plugin(&self.installation).await?;
        link.commit(meta::WRITING).await
    }

    async fn activate_plugin(&self, on: bool) -> Result<bool, SourceError> {
        let mut link = Link::to_write(self, meta::WRITING).await?;
        let change = OptionChange::plugin(on, link.moment().await?);
        let changed = link.change(&self.installation, change).await?;
        link.commit(meta::WRITING).await?;
        Ok(changed.written)
    }

    fn routing_question(&self, _mapping_id: u64, domain: &DomainName) -> Option<String> {
        self.question.of(domain)
    }
}

#[cfg(test)]
mod tests {
    use rules::Stage;
    use sandbox::wordpress::{Settings, WordPress};
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

    use super::*;

    /// A network with one mapping, whose source does not wait.
    async fn network() -> (tempfile::TempDir, WordPress, SqliteNetwork) {
        let folder = tempfile::tempdir().unwrap();
        let text = str::to_owned;
        let settings =
            Settings { domain: text("network.example"), api_key: text("k"), app: text("a") };
        let network = WordPress::create(folder.path(), &settings).await.unwrap();
        network.map(1, "a.example").await.unwrap();
        let installation = Installation::new("wp_".parse().unwrap());
        let source = SqliteNetwork::new(network.database(), installation);
        (folder, network, SqliteNetwork { patience: Duration::ZERO, ..source })
    }

    fn describe(error: &SourceError) -> String {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        format!("{error}: {}", cause.unwrap_or_default())
    }

    #[tokio::test]
    async fn a_database_that_is_locked_is_an_error_and_works_when_it_is_free() {
        let (_folder, network, source) = network().await;
        let from = Some(Stage::CheckingDns);
        let domain = "a.example".parse().unwrap();
        let write = StageWrite { mapping_id: 1, domain, from, to: Stage::Done, secure: true };
        let options = SqliteConnectOptions::new().filename(network.database());
        let mut other = options.connect().await.unwrap();

        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        assert_eq!(source.read().await.unwrap().mappings.len(), 1, "readers need not wait yet");
        let error = source.write_stage(&write).await.unwrap_err();
        assert_eq!(
            describe(&error),
            "the database failed while writing a stage: (code: 5) database is locked"
        );
        assert!(source.rights().await.is_err(), "a lock says nothing about rights");

        sqlx::raw_sql("COMMIT; BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
        let error = source.read().await.unwrap_err();
        assert_eq!(
            describe(&error),
            "the database failed while reading the network: (code: 5) database is locked"
        );
        assert_eq!(error.disposition(), rules::Disposition::Retry { after: None });

        sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
        assert!(source.write_stage(&write).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_opened_to_read_cannot_write() {
        let (_folder, network, source) = network().await;
        let mut link = Link::to_read(&source, "trying").await.unwrap();
        let deleted = link.run("trying", "DELETE FROM `{_}wu_domain_mappings`").await;
        assert!(deleted.is_err());
        assert_eq!(network.mappings().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_change_that_is_not_committed_is_taken_back() {
        let (_folder, network, source) = network().await;
        let mut link = Link::to_write(&source, "trying").await.unwrap();
        link.run("trying", "DELETE FROM `{_}wu_domain_mappings`").await.unwrap();
        drop(link);
        assert_eq!(network.mappings().await.unwrap().len(), 1);
    }
}
