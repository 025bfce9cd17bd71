//! The plugin inside WordPress, as the engine sees it: it receives what the engine
//! knows, and says which domains people want checked.
//!
//! Nothing depends on it: where it does not answer, only pages in WordPress are outdated.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::source::SourceError;
use crate::{DomainName, Entry, Problem, Stage, Time};

/// The side of the plugin that answers.
#[async_trait]
pub trait PluginClient: Send + Sync {
    /// Say that we are there, and take over what people asked for.
    async fn handshake(&self) -> Result<Handshake, SourceError>;

    /// Report what is known.
    async fn report(&self, report: &PluginReport<'_>) -> Result<(), SourceError>;
}

/// What the plugin says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// Its version.
    pub version: String,
    /// The version of the protocol that it speaks.
    pub protocol: u64,
    /// Its clock.
    pub time: Option<Time>,
    /// The version of Ultimate Multisite; none where that is not there.
    pub ultimate_multisite: Option<String>,
    /// How it replaces the built-in integration: `registry`, `hooks` or `off`.
    pub mode: String,
    /// Domains that people want checked; it says each once.
    pub rechecks: Vec<DomainName>,
    /// How many requests it has refused.
    pub refused: u64,
}

/// What a person must do before the whole can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginAlert {
    /// What it is about, never renamed.
    pub code: &'static str,
    /// The one domain that it is about; none where it is about the whole.
    pub domain: Option<DomainName>,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// What the engine knows after a pass.
#[derive(Clone, Debug)]
pub struct PluginReport<'a> {
    /// When.
    pub at: Time,
    /// What a person must do at once.
    pub alerts: &'a [PluginAlert],
    /// What is invalid.
    pub problems: &'a [Problem],
    /// How many mappings are in each stage.
    pub counts: BTreeMap<Stage, u64>,
    /// Every mapped domain; none where nothing about them has changed.
    pub entries: Option<Vec<&'a Entry>>,
    /// What went wrong since the last time, one line each.
    pub log: Vec<String>,
}
