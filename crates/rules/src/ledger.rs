//! The ledger, seen from the engine: what is *recorded*.
//!
//! `ledger::SqliteLedger` is the real one, on a file or in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::action::{Approved, Deferred};
use crate::breaker::Breaker;
use crate::budget::Budget;
use crate::doubt::Doubts;
use crate::entry::{Call, Entry};
use crate::event::Event;
use crate::network::Settings;
use crate::notice::Outbox;
use crate::probe::RootsSilent;
use crate::records::{MappedSites, SiteMark};
use crate::request::{Asked, Request};
use crate::telling::Remembered;
use crate::twins::Www;
use crate::words::words;
use crate::{
    Disposition, DomainName, Home, Identity, Network, Problem, Stage, Targets, Time, Whereabouts,
};

/// So often an entry is read again that somebody else keeps storing.
pub const MOST_READS: usize = 5;

/// So many earlier targets are remembered.
const MOST_EARLIER: usize = 16;

/// So many events of a mapped domain are kept however old they are.
pub const KEPT_OF_MAPPED: u32 = 20;

/// A durable record of the domains of one network.
///
/// # Contract
///
/// [`Ledger::save`] is all or nothing, and what it returned from survives a
/// crash. Nothing here waits for the network.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The name of this ledger, made together with it.
    fn id(&self) -> &str;

    /// Where it is, for people.
    fn place(&self) -> Whereabouts {
        Whereabouts::default()
    }

    /// Where messages wait for their receivers.
    fn outbox(&self) -> &dyn Outbox;

    /// Everything a pass needs, as it is now.
    async fn load(&self) -> Result<Recorded, LedgerError>;

    /// What is remembered of the whole, without the entries.
    async fn memory(&self) -> Result<Memory, LedgerError>;

    /// Take the longest due entries, at most `limit` of them: those whose check or whose addition
    /// is due, and that nobody else has taken. Until `claim.until` nobody else can take them;
    /// storing one gives it back. Comes without the sites.
    async fn claim_due(&self, claim: &Claim<'_>, limit: usize) -> Result<Recorded, LedgerError>;
    /// When the next check is due.
    async fn next_due(&self) -> Result<Option<Time>, LedgerError>;

    /// When the next calls to the host are due: [`Recorded::next_calls`] of all there is.
    async fn next_calls(&self) -> Result<NextCalls, LedgerError> {
        Ok(self.load().await?.next_calls())
    }

    /// Write entries, events and memory in one transaction.
    ///
    /// An entry is written only where its row is still of the version that it has, and is of the
    /// next one then. Returns the names of those that were not: somebody else stored them
    /// meanwhile. Read them again and apply to them what was done ([`crate::entry::Entry::rebase`]).
    async fn save(&self, batch: &Batch) -> Result<Vec<DomainName>, LedgerError>;
    /// Forget events from before `before`, but the newest 20 of each mapped domain; and entries
    /// that have been retired since before then; and messages that were not taken since.
    async fn forget(&self, before: Time) -> Result<(), LedgerError>;

    /// One entry, retired ones included.
    async fn entry(&self, domain: &DomainName) -> Result<Option<Entry>, LedgerError>;

    /// The newest events first, of one domain or of all.
    async fn events(
        &self,
        domain: Option<&DomainName>,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError>;

    /// Ask whoever holds the lock; the id of the request.
    async fn request(&self, asked: &Asked, claim: &Claim<'_>) -> Result<i64, LedgerError>;

    /// Take the oldest request that is not over, not answered, and not taken by somebody else.
    async fn take_request(&self, claim: &Claim<'_>) -> Result<Option<Request>, LedgerError>;

    /// Answer a request that was taken, in words that only the asker understands.
    async fn answer_request(&self, id: i64, answer: &str) -> Result<(), LedgerError>;

    /// The answer to a request, once there is one.
    async fn request_answer(&self, id: i64) -> Result<Option<String>, LedgerError>;

    /// What is asked for and not answered at `now`, the oldest first.
    async fn requests(&self, now: Time) -> Result<Vec<Asked>, LedgerError>;

    /// Release every lease: the process that had one is dead, as we have the lock.
    async fn release_leases(&self) -> Result<(), LedgerError>;
}

/// Who takes due entries, when, and until when they are theirs.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The process, by a name that no other one has at the same time.
    pub owner: &'a str,
    pub now: Time,
    pub until: Time,
}

/// Everything the ledger knows.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// The entries, retired ones left out.
    pub entries: BTreeMap<DomainName, Entry>,
    /// What concerns the network as a whole.
    pub memory: Memory,
    /// Every site that was ever seen mapped, and when it was registered, where that is known.
    pub mapped_sites: MappedSites,
}

impl Recorded {
    /// When the next calls to the host are due, and not before it may be called.
    pub fn next_calls(&self) -> NextCalls {
        let due = |call: Call| {
            let entries = self.entries.values();
            // An addition is made for a mapping, a removal for a mapping that is gone.
            let mapped = entries.filter(|entry| entry.is_followed() == (call == Call::Add));
            mapped.filter(|it| it.pending_call() == Some(call)).map(|it| it.step.due).min()
        };
        let (add, remove) = (due(Call::Add), due(Call::Remove));
        self.memory.host.bound(NextCalls { add, remove })
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

/// What is remembered of the whole: rows of their own, as each changes in its own time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    pub network: NetworkMemory,
    pub home: HomeMemory,
    pub host: HostHealth,
    /// What people let through and is not done yet.
    pub approved: Vec<Approved>,
    /// What `sync --quiet` told and is not over.
    pub told: Remembered,
    /// What the last pass left for people.
    pub last_pass: Option<LastPass>,
}

/// What is remembered of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkMemory {
    /// The network of the last good read.
    pub identity: Option<Identity>,
    /// Which sites were there before us: they get no record by themselves.
    pub site_mark: Option<SiteMark>,
    /// How many names the last good read showed mapped.
    pub mapped_names: Option<u64>,
    /// The plan that was last applied by its hash.
    pub applied: Option<String>,
    /// Doubts that last.
    pub doubts: Doubts,
    /// Owned names whose mapping was missing when the database had been put back: they are not
    /// removed until each is mapped again or a person lets them go.
    pub restored: BTreeSet<DomainName>,
    /// Aliases whose removal was sent within the last hour although nobody approved it, and when.
    pub removals: BTreeMap<DomainName, Time>,
    /// When old events were last forgotten.
    pub forgot_at: Option<Time>,
    /// Why the last pass did not act; none where it did.
    pub not_acting: Option<NotActing>,
    /// What checks need of the network, so that they go on while it cannot be read.
    pub checks: Option<CheckBasis>,
    /// Where domains had to point when one was last checked; none where none ever was.
    pub targets: Option<Targets>,
    /// Addresses that were targets before, and are none now.
    pub earlier_targets: BTreeSet<IpAddr>,
    /// Registrable domains that run short of certificates this week.
    pub budgets: BTreeMap<DomainName, Budget>,
    /// That no server of the root answers, so that no pass asks them for an hour.
    pub roots_silent: Option<RootsSilent>,
    /// Whether twins are added where the operator does not say: the ledger started with it.
    pub www: Www,
    /// Whether people were told that they are not.
    pub www_told: bool,
}

/// What checks need of the network besides its own domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckBasis {
    /// `dns_check_interval`.
    pub interval: Duration,
    /// The words that the column `stage` can hold.
    pub stage_words: BTreeSet<Stage>,
}

impl NetworkMemory {
    /// Domains must point to `targets` from now on; whether that is news.
    pub fn point_to(&mut self, targets: &Targets) -> bool {
        if self.targets.as_ref() == Some(targets) {
            return false;
        }
        let before = self.targets.replace(targets.clone());
        self.earlier_targets.extend(before.into_iter().flat_map(|it| it.addresses));
        // An empty set of targets is not known, not gone.
        self.earlier_targets.retain(|ip| !targets.contains(*ip));
        while MOST_EARLIER < self.earlier_targets.len() {
            self.earlier_targets.pop_first();
        }
        true
    }

    /// The network as far as checks need it; none where a pass has not acted for it.
    ///
    /// It has no sites and no mappings, so it counts as one that changed while it was read:
    /// nothing is planned from it, and no answer contradicts it.
    pub fn for_checks(&self) -> Option<Network> {
        let basis = self.checks.as_ref().filter(|_| self.not_acting.is_none())?;
        Some(Network {
            settings: Settings { dns_check_interval: basis.interval, ..Settings::default() },
            stage_words: basis.stage_words.clone(),
            moved: true,
            ..Network::empty(self.identity.clone()?)
        })
    }
}

/// What is remembered of the mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomeMemory {
    /// The serial of the set of owned aliases: it moves whenever that changes.
    pub serial: u64,
    /// The serial that the mark had when it was last read or written; none where none ever was.
    pub read_back: Option<u64>,
}

impl HomeMemory {
    /// The same, once the set of owned aliases has changed.
    #[must_use]
    pub fn moved(self) -> Self {
        Self { serial: self.serial + 1, ..self }
    }

    /// Whether the database was put back since: its mark, which is ours, is an older one, or gone.
    pub fn is_older(&self, stands: Option<&Home>) -> bool {
        let is_older = |known: u64| stands.is_none_or(|home| home.serial_or_zero() < known);
        self.read_back.is_some_and(is_older)
    }
}

words! {
    /// Why a pass does not act for the network.
    NotActing {
        /// Another installation acts for it.
        Copy = "copy",
        /// The ledger was filled from another network.
        OtherNetwork = "other-network",
        /// The Closte integration is switched off.
        SwitchedOff = "switched-off",
        /// Domain mapping is switched off altogether.
        MappingDisabled = "mapping-disabled",
        /// One of the two switches cannot be read.
        SwitchUnreadable = "switch-unreadable",
    }
}

/// How the host has been answering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostHealth {
    /// Whether its list has shown a name that we added, so that what it lacks is believed to be
    /// absent.
    pub list_believed: bool,
    /// Its words when it refused our key; none while it is accepted.
    pub key_refused: Option<String>,
    pub breaker: Breaker,
    /// Until when it asked to be left alone (`Retry-After`).
    pub quiet_until: Option<Time>,
}

impl HostHealth {
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
    pub deferred: Vec<Deferred>,
    /// What makes no sense, or needs attention.
    pub problems: Vec<Problem>,
    /// Aliases at the host that we do not own; at most [`LastPass::MOST_FOREIGN`] of them.
    pub foreign: BTreeSet<DomainName>,
    /// How many more there are.
    pub more_foreign: usize,
}

impl LastPass {
    /// So many foreign aliases are remembered by name: only people read them.
    pub const MOST_FOREIGN: usize = 1_000;
}

/// What is written together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Entries as they are now, whole.
    pub entries: Vec<Entry>,
    /// What happened to them.
    pub events: Vec<Event>,
    /// What is remembered of the network, where that changed.
    pub network: Option<NetworkMemory>,
    /// What is remembered of the mark, where that changed.
    pub home: Option<HomeMemory>,
    /// How the host has been answering, where that changed.
    pub host: Option<HostHealth>,
    /// What people let through and is not done yet, where that changed.
    pub approved: Option<Vec<Approved>>,
    /// What `sync --quiet` told and is not over, where that changed.
    pub told: Option<Remembered>,
    /// What the pass left, once it ended.
    pub last_pass: Option<LastPass>,
    /// Sites seen mapped for the first time, or of which it is news when they were registered.
    pub mapped_sites: MappedSites,
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
    /// It is not there, and this command does not create one.
    #[error("there is no ledger at `{at}`: no pass has run yet")]
    Missing {
        /// Where it was expected.
        at: String,
    },
    /// The place for it is not suitable.
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
    /// Somebody else stored these each time anew, [`MOST_READS`] times.
    pub fn contended<'a>(domains: impl IntoIterator<Item = &'a DomainName>) -> Self {
        let names: Vec<_> = domains.into_iter().map(DomainName::as_str).collect();
        Self::Write(format!("somebody else keeps storing {}", names.join(", ")).into())
    }

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
            Self::Open { .. } => {
                "check that the disk is not full and that this user may write there, or set `ledger.url` to another folder outside the document root"
            }
            Self::BadPath { .. } => {
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
        let free = HostHealth::default;
        let quiet = || HostHealth { quiet_until: Some(at(50)), ..free() };
        let open = || HostHealth { breaker: Breaker { outages: 5, open_until: Some(at(70)) }, ..quiet() };
        let refused = || HostHealth { key_refused: Some("no".to_owned()), ..free() };
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
        for (alias, is_mapped, reason, host, add, remove) in table {
            let row = Mapped { mapping_id: 1, site_id: 2, stage: None, secure: false, left_alone: None };
            let mut entry = Entry::new("a.example".parse().unwrap(), is_mapped.then_some(row), at(9));
            entry.alias.set(at(9), alias, reason, None);
            let entries = BTreeMap::from([(entry.domain.clone(), entry)]);
            let memory = Memory { host, ..Memory::default() };
            let recorded = Recorded { entries, memory, ..Recorded::default() };
            let want = NextCalls { add: add.map(at), remove: remove.map(at) };
            assert_eq!(recorded.next_calls(), want, "{alias} {is_mapped} {reason:?}");
        }
    }
}
