//! The ledger, seen from the engine: what is *recorded*.
//!
//! `ledger::SqliteLedger` is the real one, on a file or in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::breaker::Breaker;
use crate::entry::{Call, Entry};
use crate::event::Event;
use crate::{DomainName, Identity, Problem, Time};

/// A durable record of the domains of one network.
///
/// # Contract
///
/// [`Ledger::save`] is all or nothing, and what it returned from survives a
/// crash. Nothing here waits for the network.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The name of this ledger, made when it was.
    fn id(&self) -> &str;

    /// Everything a pass needs, as it stands now.
    async fn load(&self) -> Result<Recorded, LedgerError>;

    /// The same, with only the entries whose look or addition is due at `now`,
    /// and without the sites.
    async fn load_due(&self, now: Time) -> Result<Recorded, LedgerError>;

    /// When the next check is due.
    async fn next_due(&self) -> Result<Option<Time>, LedgerError>;

    /// Write entries, events and memory in one transaction.
    ///
    /// Where a person asked for a check of an entry after it was loaded, its
    /// due times stay as that made them.
    async fn save(&self, batch: &Batch) -> Result<(), LedgerError>;

    /// One entry, retired ones included.
    async fn entry(&self, domain: &DomainName) -> Result<Option<Entry>, LedgerError>;

    /// The newest events first, of one domain or of all.
    async fn events(
        &self,
        domain: Option<&DomainName>,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError>;

    /// Release every lease: whoever had one is dead, for we hold the lock.
    async fn release_leases(&self) -> Result<(), LedgerError>;

    /// Make every pending step of `scope` due now because a person asked for it, and
    /// let the breaker try once. It needs no lock: a pass under way does not undo it.
    ///
    /// Returns how many entries that were: 0 for a domain that is not known or
    /// retired.
    async fn recheck(&self, scope: RecheckScope<'_>, now: Time) -> Result<usize, LedgerError>;

    /// A person deleted the mapping of `domain`: that counts as the first good read
    /// that saw it gone. It needs no lock.
    ///
    /// Returns whether the ledger knew it as mapped.
    async fn forget_mapping(&self, domain: &DomainName, now: Time) -> Result<bool, LedgerError>;
}

/// Which entries to check again.
#[derive(Clone, Copy, Debug)]
pub enum RecheckScope<'a> {
    /// The one of this domain, which a person named.
    One(&'a DomainName),
    /// All that are not retired.
    All,
}

/// Everything the ledger knows.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The entries, retired ones left out.
    pub entries: BTreeMap<DomainName, Entry>,
    /// What concerns the network as a whole.
    pub memory: Memory,
    /// Every site that was ever seen mapped.
    pub mapped_sites: BTreeSet<u64>,
}

/// What is remembered of the network as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The network of the last good read.
    pub network: Option<Identity>,
    /// Sites up to this id were there before us and get no record by themselves.
    pub site_mark: Option<u64>,
    /// How many names the last good read showed mapped.
    pub mapped_names: Option<u64>,
    /// Whether the host's list has shown a name that we added, so that what it
    /// lacks is believed to be absent.
    pub list_believed: bool,
    /// The host's words when it refused our key; none while it is accepted.
    pub key_refused: Option<String>,
    /// How the host has been answering.
    pub breaker: Breaker,
    /// Until when the host asked to be left alone (`Retry-After`).
    pub quiet_until: Option<Time>,
    /// The plan that was last let through by its hash.
    pub applied: Option<String>,
    /// What the last pass left for people.
    pub last_pass: Option<LastPass>,
    /// Why the last pass did not act; none where it did.
    pub not_acting: Option<NotActing>,
}

/// Why a pass does not act for the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotActing {
    /// Another installation acts for it.
    Copy,
    /// The ledger was filled from another network.
    OtherNetwork,
    /// The Closte integration is switched off.
    SwitchedOff,
    /// Domain mapping is switched off altogether.
    MappingDisabled,
}

impl NotActing {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Copy, Self::OtherNetwork, Self::SwitchedOff, Self::MappingDisabled];

    /// The word that is shown and stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::OtherNetwork => "other-network",
            Self::SwitchedOff => "switched-off",
            Self::MappingDisabled => "mapping-disabled",
        }
    }

    /// The one of a word; none for a word nobody knows.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }
}

/// What a pass left for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastPass {
    /// When it ended.
    pub at: Time,
    /// What it held back.
    pub deferred: Vec<Deferred>,
    /// What makes no sense or wants an eye.
    pub problems: Vec<Problem>,
    /// Aliases at the host that are not ours.
    pub foreign: BTreeSet<DomainName>,
}

/// Something that a pass would do and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deferred {
    /// What: `create-record`, `add-alias`, `remove-alias`.
    pub action: String,
    /// To which domain.
    pub domain: DomainName,
    /// Why not, as a code.
    pub reason: String,
    /// How a person lets it through.
    pub release: String,
}

impl Deferred {
    /// The word for a call in plans and answers.
    pub fn action_of(call: Call) -> &'static str {
        match call {
            Call::Add => "add-alias",
            Call::Remove => "remove-alias",
        }
    }
}

/// What is written together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Entries as they are now, whole.
    pub entries: Vec<Entry>,
    /// What happened to them.
    pub events: Vec<Event>,
    /// What concerns the network as a whole, where that changed.
    pub memory: Option<Memory>,
    /// Sites seen mapped for the first time.
    pub mapped_sites: BTreeSet<u64>,
}

/// Why the ledger could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It cannot be opened or made.
    #[error("could not open the ledger `{at}`")]
    Open {
        /// Where it is.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer closte-sync wrote it.
    #[error(
        "the ledger `{at}` was written by a newer closte-sync (schema {found}, we know {known})"
    )]
    Newer {
        /// Where it is.
        at: String,
        /// Its schema.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// It is not there, and this command makes none.
    #[error("there is no ledger at `{at}`: no pass has run yet")]
    Missing {
        /// Where it was looked for.
        at: String,
    },
    /// The place for it is not fit.
    #[error("the ledger may not be at `{at}`: {why}")]
    BadPath {
        /// The place.
        at: String,
        /// Why.
        why: String,
    },
    /// It could not be read.
    #[error("could not read the ledger")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It could not be written.
    #[error("could not write the ledger")]
    Write(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl LedgerError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Open { .. } | Self::BadPath { .. } => {
                "set `ledger.url` to a folder outside the document root that this user may write to, such as `sqlite:///home/me/closte-sync/ledger.db`"
            }
            Self::Newer { .. } => "update closte-sync; the ledger was left as it is",
            Self::Missing { .. } => "run `closte-sync sync` first",
            Self::Read(_) => {
                "if the file is damaged, move it away: a new one is filled by the next pass, and nothing is removed that it does not own"
            }
            Self::Write(_) => {
                "check that the disk is not full and that this user may write to the ledger's folder; nothing was sent that was not written down first"
            }
        }
    }
}
