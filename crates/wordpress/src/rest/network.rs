//! [`RestNetwork`]: a network over HTTP as a [`NetworkSource`].
//!
//! With the plugin it reads and writes through the plugin what the plugin has calls for; the rest
//! (without the plugin: everything) goes over Ultimate Multisite's REST API.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rules::source::{
    NetworkSource, Primary, Replaces, Right, SourceError, StageWrite, StageWriter, Written,
};
use rules::{DomainName, Home, Network, Problem, Stage};

use super::client::{RestClient, Timeouts};
use super::credentials::Credentials;
use super::pages::List;
use super::writer::RestWriter;
use crate::plugin::{Listed, PluginChannel};
use crate::web::Endpoint;

/// What a network over HTTP is made of.
#[derive(Debug)]
pub struct Settings {
    /// Where it answers.
    pub endpoint: Endpoint,
    /// The credentials of its REST API.
    pub credentials: Credentials,
    /// How long that may take.
    pub timeouts: Timeouts,
    /// The plugin, where it is installed.
    pub plugin: Option<Arc<PluginChannel>>,
    /// Where the plugin's last listing is kept from one process to the next.
    pub cache: Option<PathBuf>,
}

/// A WordPress network whose database and files cannot be reached.
#[derive(Debug)]
pub struct RestNetwork {
    client: Arc<RestClient>,
    writer: RestWriter,
    plugin: Option<Listed>,
}

impl RestNetwork {
    /// The network of `settings`. Nothing is sent yet.
    pub fn new(settings: Settings) -> Self {
        let Settings { endpoint, credentials, timeouts, plugin, cache } = settings;
        let client = Arc::new(RestClient::new(endpoint, credentials, timeouts));
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

    /// Whether the plugin is missing or refuses us, so that the API is used.
    /// A plugin that only fails for a moment is not replaced: it knows the home, the
    /// switch and the shared bases.
    async fn may_do_without(&self, error: &SourceError) -> bool {
        let absent =
            matches!(error, SourceError::NotANetwork { .. } | SourceError::NotAdmitted { .. });
        absent && self.client.has_credentials().await
    }

    async fn read_plainly(&self) -> Result<Network, SourceError> {
        let session = self.client.session().await?;
        session.network(self.client.endpoint(), self.stage_words()).await
    }

    async fn pulse_plainly(&self) -> Result<u64, SourceError> {
        self.client.session().await?.pulse().await
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
        let Some(plugin) = &self.plugin else { return self.read_plainly().await };
        match plugin.read().await {
            Err(error) => {
                if !self.may_do_without(&error).await {
                    return Err(error);
                }
                let mut network = self.read_plainly().await?;
                let why = format!("the network was read without the plugin: {error}");
                network.problems.push(Problem::of_all(match error.hint() {
                    Some(hint) => format!("{why}; {hint}"),
                    None => why,
                }));
                Ok(network)
            }
            read => read,
        }
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        let Some(plugin) = &self.plugin else { return self.pulse_plainly().await };
        match plugin.pulse().await {
            Ok(pulse) => Ok(pulse),
            Err(error) if !self.may_do_without(&error).await => Err(error),
            Err(_) => self.pulse_plainly().await,
        }
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        match self.write(write).await? {
            Some(Written::Refused { words } | Written::NameRefused { words }) => {
                Err(SourceError::Refused { what: words })
            }
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

    async fn move_mapping(&self, _: u64, _: u64, _: u64) -> Result<bool, SourceError> {
        Err(in_wordpress("a mapping cannot be moved over REST"))
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        self.client.session().await?.remove_mappings(domain, rows).await
    }

    /// Without the plugin there is no place for it, and the one that asks is the home.
    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        let Some(plugin) = &self.plugin else { return Ok(None) };
        match plugin.channel.write_home(home, replaces).await {
            Ok(home) => Ok(home),
            Err(error) if !self.may_do_without(&error).await => Err(error),
            Err(_) => Ok(None),
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
        if self.plugin.is_some() && !self.client.has_credentials().await {
            // The plugin reads and writes; only records and mappings need the API.
            return Ok(Vec::new());
        }
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
