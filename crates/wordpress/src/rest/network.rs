//! [`RestNetwork`]: a network over HTTP as a [`NetworkSource`].
//!
//! With the plugin it reads and writes through the plugin what the plugin has calls for; the rest,
//! and without it all, goes over Ultimate Multisite's REST API.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rules::source::{NetworkSource, Primary, Right, SourceError, StageWrite, StageWriter, Written};
use rules::{DomainName, Home, Network, Stage};

use super::client::{RestClient, Timeouts};
use super::credentials::Credentials;
use super::pages::List;
use super::writer::RestWriter;
use crate::http::Place;
use crate::plugin::{Listed, PluginChannel};

/// What a network over HTTP is made of.
#[derive(Debug)]
pub struct Settings {
    /// Where it answers.
    pub place: Place,
    /// What its REST API takes.
    pub credentials: Credentials,
    /// How long that may take.
    pub timeouts: Timeouts,
    /// The plugin, where it is installed.
    pub plugin: Option<Arc<PluginChannel>>,
    /// Where the plugin's last listing is kept from one process to the next.
    pub cache: Option<PathBuf>,
}

/// A WordPress network of which neither database nor files are in reach.
#[derive(Debug)]
pub struct RestNetwork {
    client: Arc<RestClient>,
    writer: RestWriter,
    plugin: Option<Listed>,
}

impl RestNetwork {
    /// The network of `settings`. Nothing is sent yet.
    pub fn new(settings: Settings) -> Self {
        let Settings { place, credentials, timeouts, plugin, cache } = settings;
        let client = Arc::new(RestClient::new(place, credentials, timeouts));
        let writer = RestWriter::new(Arc::clone(&client));
        let plugin = plugin.map(|channel| Listed::new(channel, cache));
        Self { client, writer, plugin }
    }

    /// The writer that shares with this source what the API turns out to refuse.
    pub fn writer(&self) -> RestWriter {
        self.writer.clone()
    }

    fn stage_words(&self) -> BTreeSet<Stage> {
        let may = |stage: &Stage| *stage != Stage::SslFailed || self.writer.may_hold_ssl_failed();
        Stage::ALL.into_iter().filter(may).collect()
    }

    async fn write(&self, write: &StageWrite) -> Result<Option<Written>, SourceError> {
        let one = std::slice::from_ref(write);
        let written = match &self.plugin {
            Some(plugin) => plugin.channel.write_stages(one).await?,
            None => self.writer.write_stages(one).await?,
        };
        Ok(written.into_iter().next())
    }
}

#[async_trait]
impl NetworkSource for RestNetwork {
    async fn read(&self) -> Result<Network, SourceError> {
        if let Some(plugin) = &self.plugin {
            return plugin.read().await;
        }
        let session = self.client.session().await?;
        session.network(self.client.place(), self.stage_words()).await
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        match &self.plugin {
            Some(plugin) => plugin.pulse().await,
            None => self.client.session().await?.pulse().await,
        }
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        match self.write(write).await? {
            Some(Written::Refused { words }) => Err(SourceError::Refused { what: words }),
            written => Ok(written == Some(Written::Done)),
        }
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        self.client.session().await?.create_record(site, domain).await
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        self.client.session().await?.add_mapping(site, domain, primary).await
    }

    async fn remove_mapping(&self, domain: &DomainName) -> Result<u64, SourceError> {
        self.client.session().await?.remove_mapping(domain).await
    }

    /// Without the plugin there is no place for it, and whoever asks is the home.
    async fn write_home(&self, home: &Home, replace: bool) -> Result<Home, SourceError> {
        match &self.plugin {
            Some(plugin) => plugin.channel.write_home(home, replace).await,
            None => Ok(home.clone()),
        }
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        match &self.plugin {
            Some(plugin) => plugin.channel.switch(on).await,
            None => Err(in_wordpress("Closte cannot be switched over REST without the plugin")),
        }
    }

    async fn set_check_interval(&self, _seconds: u32) -> Result<(), SourceError> {
        Err(in_wordpress("`dns_check_interval` cannot be set over REST"))
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        let purpose = "read and write over REST".to_owned();
        let tried = match self.client.session().await {
            Ok(session) => session.page(List::Mappings, &[], 1).await.map(drop),
            Err(error) => Err(error),
        };
        let missing = match tried {
            Ok(()) => None,
            Err(SourceError::NotAdmitted { what, .. }) => Some(what),
            Err(error) => return Err(error),
        };
        Ok(vec![Right { purpose, missing }])
    }

    fn routing_question(&self, mapping_id: u64, _domain: &DomainName) -> Option<String> {
        self.plugin.as_ref()?.key(mapping_id)
    }
}

fn in_wordpress(what: &str) -> SourceError {
    let what = format!("{what}: set it in WordPress (Ultimate Multisite > Settings)");
    SourceError::Refused { what }
}
