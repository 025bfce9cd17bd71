//! The managed host, seen from the engine: a set of domain aliases.
//!
//! [`AliasHost`] has two implementations: `closte::HttpHost` talks to the real
//! API, and `engine::memory::MemoryHost` keeps a set in memory.

use std::error::Error as StdError;
use std::time::Duration;

use async_trait::async_trait;

use crate::names::Names;
use crate::{Disposition, DomainName};

/// The right to have one call under way. Dropping it lets the next begin.
pub type Turn<'a> = Box<dyn Send + 'a>;

/// A host that serves the network under any number of domain aliases.
///
/// # Contract
///
/// Both writes can be repeated. An `Ok` is the host's own word that it is so;
/// anything else is an error that says what it means. Whoever writes has a turn, until the answer
/// is there; reading takes its own.
#[async_trait]
pub trait AliasHost: Send + Sync {
    /// Wait until a write may go out, at the pace at which the host may be called. Until then it
    /// can be given up: nothing was sent.
    async fn turn(&self) -> Turn<'_> {
        Box::new(())
    }

    /// Make `domain` an alias of the network.
    async fn add_alias(&self, domain: &DomainName) -> Result<(), HostError>;

    /// Remove the alias `domain` of the network.
    async fn remove_alias(&self, domain: &DomainName) -> Result<(), HostError>;

    /// The aliases that the host shows; maybe not all it has.
    async fn aliases(&self) -> Result<AliasList, HostError>;

    /// Whether the host accepts our key. Changes nothing there.
    async fn check_key(&self) -> Result<(), HostError>;
}

/// What the host's list of aliases showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AliasList {
    /// The names on it.
    pub names: Names,
    /// Its elements that are not domain names.
    pub unreadable: Unreadable,
}

/// Elements of a list that are not domain names: how many, and the first few as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unreadable {
    /// How many there are.
    pub count: usize,
    /// The first of them, [`Unreadable::SHOWN`] at most.
    pub shown: Vec<String>,
}

impl Unreadable {
    /// So many are shown; the rest is counted.
    pub const SHOWN: usize = 5;

    /// One more; `text` says how it came, where it is shown.
    pub fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.shown.len() < Self::SHOWN {
            self.shown.push(text());
        }
    }
}

/// Why the host did not do what we asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// No connection was made, so nothing happened there.
    #[error("could not reach the host's API")]
    Unreachable(#[source] Box<dyn StdError + Send + Sync>),

    /// The request went out and no clear answer came back.
    #[error("the host's API gave no clear answer: {what}")]
    OutcomeUnknown {
        /// What came instead: "HTTP 502", "an HTML page", "no answer within 20 s".
        what: String,
    },

    /// We are calling too often.
    #[error("the host's API is limiting our rate")]
    RateLimited {
        /// From the `Retry-After` header, if there was one.
        retry_after: Option<Duration>,
    },

    /// The key is wrong, expired or lacks a permission.
    #[error("the host's API refused our key: {words}")]
    KeyRefused {
        /// The host's own words, or its HTTP status.
        words: String,
    },

    /// The host refuses this name, no matter who asks and how often.
    #[error("the host refused the name: {words}")]
    Rejected {
        /// The host's own words.
        words: String,
    },

    /// The host said no in words that are not documented.
    #[error("the host said no: {words}")]
    Refused {
        /// The host's own words.
        words: String,
    },
}

impl HostError {
    /// What the engine should do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unreachable(_) => Disposition::Retry { after: None },
            Self::RateLimited { retry_after } => Disposition::Retry { after: *retry_after },
            Self::OutcomeUnknown { .. } | Self::Refused { .. } => Disposition::Settle,
            Self::Rejected { .. } => Disposition::GiveUp,
            Self::KeyRefused { .. } => Disposition::Halt,
        }
    }

    /// What a person can do about it, shown after the error itself.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable(_) => Some(
                "check `closte.api_url` and this machine's network, then run `closte-sync doctor`",
            ),
            Self::KeyRefused { .. } => Some(
                "compare `CLOSTE_CLIENT_API_KEY` in wp-config.php with the key on Closte's dashboard, then run `closte-sync test-connection`",
            ),
            Self::OutcomeUnknown { .. } => Some(
                "if it lasts, send the output of `closte-sync doctor --report` to Closte's support",
            ),
            Self::Rejected { .. } | Self::Refused { .. } | Self::RateLimited { .. } => None,
        }
    }

    /// Whether it is about the host itself and not about this name: enough of
    /// these in a row and the host is left alone for a while.
    pub fn is_an_outage(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::OutcomeUnknown { .. })
    }

    /// The host's own words, where it used any.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::KeyRefused { words } | Self::Rejected { words } | Self::Refused { words } => {
                Some(words)
            }
            _ => None,
        }
    }
}
