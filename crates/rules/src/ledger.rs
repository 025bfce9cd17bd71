//! The ledger, seen from the engine: what is *recorded*.
//!
//! `ledger::SqliteLedger` is the real one, on a file or in memory.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::breaker::Breaker;
use crate::entry::{Call, Entry};
use crate::event::Event;
use crate::{Disposition, DomainName, Identity, Problem, Time};

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

    /// When the next calls to the host are due: [`Recorded::next_calls`] of all there is.
    async fn next_calls(&self) -> Result<NextCalls, LedgerError> {
        Ok(self.load().await?.next_calls())
    }

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

impl Recorded {
    /// When the next calls to the host are due, and not before it may be called.
    pub fn next_calls(&self) -> NextCalls {
        let due = |call: Call| {
            let entries = self.entries.values();
            // An addition is made for a mapping, a removal for a mapping that is gone.
            let mapped = entries.filter(|entry| entry.mapped.is_some() == (call == Call::Add));
            mapped.filter(|it| it.pending_call() == Some(call)).map(|it| it.step.due).min()
        };
        let (add, remove) = (due(Call::Add), due(Call::Remove));
        self.memory.bound(NextCalls { add, remove })
    }
}

/// When the next calls to the host are due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NextCalls {
    /// The next addition.
    pub add: Option<Time>,
    /// The next removal. It needs a good read right before it.
    pub remove: Option<Time>,
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
}

impl Memory {
    /// `calls`, none of them before the host may be called. A refused key has no such time:
    /// the next pass asks whether it is accepted.
    #[must_use]
    pub fn bound(&self, calls: NextCalls) -> NextCalls {
        if self.key_refused.is_some() {
            return NextCalls::default();
        }
        let allowed = self.quiet_until.max(self.breaker.open_until);
        let bound = |due: Option<Time>| due.map(|due| allowed.map_or(due, |it| due.max(it)));
        NextCalls { add: bound(calls.add), remove: bound(calls.remove) }
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
    /// What the engine should do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Open { .. } | Self::Read(_) | Self::Write(_) => {
                Disposition::Retry { after: None }
            }
            Self::Newer { .. } | Self::Missing { .. } | Self::BadPath { .. } => Disposition::Halt,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Alias, Mapped};
    use crate::reason::Reason;

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_call_is_due_when_its_entry_says_and_the_host_may_be_called() {
        let free = Memory::default;
        let quiet = || Memory { quiet_until: Some(at(50)), ..free() };
        let open = || Memory { breaker: Breaker { outages: 5, open_until: Some(at(70)) }, ..quiet() };
        let refused = || Memory { key_refused: Some("no".to_owned()), ..free() };
        let table = [
            // the alias, whether mapped, why         the host      add       remove
            (Alias::Wanted,   true,  None,                     free(),    Some(9),  None),
            (Alias::Adding,   true,  None,                     free(),    Some(9),  None),
            (Alias::Rejected, true,  None,                     free(),    Some(9),  None),
            (Alias::Rejected, true,  Some(Reason::InvalidDomain), free(), None,     None),
            (Alias::Removing, false, None,                     free(),    None,     Some(9)),
            (Alias::Wanted,   false, None,                     free(),    None,     None),
            (Alias::Present,  true,  None,                     free(),    None,     None),
            (Alias::Wanted,   true,  None,                     quiet(),   Some(50), None),
            (Alias::Removing, false, None,                     open(),    None,     Some(70)),
            (Alias::Wanted,   true,  None,                     refused(), None,     None),
        ];
        for (alias, is_mapped, reason, memory, add, remove) in table {
            let row = Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, contested: false };
            let mut entry = Entry::new("a.example".parse().unwrap(), is_mapped.then_some(row), at(9));
            entry.alias.set(at(9), alias, reason, None);
            let entries = BTreeMap::from([(entry.domain.clone(), entry)]);
            let recorded = Recorded { entries, memory, ..Recorded::default() };
            let want = NextCalls { add: add.map(at), remove: remove.map(at) };
            assert_eq!(recorded.next_calls(), want, "{alias} {is_mapped} {reason:?}");
        }
    }
}
