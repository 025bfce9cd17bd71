//! What a pass does to a domain, what came of it, and what it defers.

use std::collections::BTreeSet;

use crate::reason::Reason;
use crate::words::words;
use crate::{DomainName, Time};

words! {
    /// One step of a pass.
    Action {
        /// The record of a new site is made.
        CreateRecord = "create-record",
        /// The domain is added at the host.
        AddAlias = "add-alias",
        /// It is removed there.
        RemoveAlias = "remove-alias",
        /// It is observed.
        Check = "check",
        /// Its stage is written to WordPress.
        WriteStage = "write-stage",
    }
}

words! {
    /// What came of a step.
    Outcome {
        /// It is done.
        Done = "done",
        /// A pass would make it.
        Planned = "planned",
        /// Somebody else was quicker: the next read shows how it stands.
        Overtaken = "overtaken",
        /// It could not be made.
        Failed = "failed",
        /// The host will never do it.
        Rejected = "rejected",
        /// The other side said no, in its own words.
        Refused = "refused",
        /// It may have happened or not; or a check saw nothing.
        Unknown = "unknown",
        /// A check saw the domain as it must be.
        Ready = "ready",
        /// A check saw that it is not there yet.
        Waiting = "waiting",
    }
}

words! {
    /// How a deferred step is released.
    Release {
        /// By the next good read.
        NextRead = "next-read",
        /// By a person who applies the plan.
        Apply = "apply",
        /// By the next read during which nothing changes.
        UndisturbedRead = "undisturbed-read",
    }
}

impl Release {
    /// What to do, for people.
    pub fn text(self) -> &'static str {
        match self {
            Self::NextRead => "nothing to do: the next good read releases it",
            Self::Apply => {
                "see `closte-sync plan`, then run `closte-sync apply HASH` with the hash it prints"
            }
            Self::UndisturbedRead => {
                "nothing to do: the next read that is not disturbed releases it"
            }
        }
    }
}

/// A step that a pass would make and does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deferred {
    pub action: Action,
    pub domain: DomainName,
    /// Why not now.
    pub reason: Reason,
    pub release: Release,
    /// When it is released by itself, where that is known.
    pub until: Option<Time>,
    /// When the last pass ended before it was first deferred; none where there was none. It tells
    /// this time from another time that the same is deferred.
    pub after: Option<Time>,
}

/// What a person let through: it is done, whatever it takes, and nothing else is approved by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approved {
    /// The hash of the plan that deferred it.
    pub hash: String,
    /// Aliases to remove, while their mapping is gone.
    pub removals: BTreeSet<DomainName>,
    /// Records to make, while their site has none.
    pub records: BTreeSet<DomainName>,
    /// Aliases to add again, while they are mapped and not there.
    pub additions: BTreeSet<DomainName>,
}

impl Approved {
    /// All that is in `deferred`, by the plan of `hash`.
    pub fn of(hash: String, deferred: &[Deferred]) -> Self {
        let all = |action| {
            let steps = deferred.iter().filter(move |step| step.action == action);
            steps.map(|step| step.domain.clone()).collect()
        };
        Self {
            hash,
            removals: all(Action::RemoveAlias),
            records: all(Action::CreateRecord),
            additions: all(Action::AddAlias),
        }
    }

    /// Whether all of it is done.
    pub fn is_done(&self) -> bool {
        [&self.removals, &self.records, &self.additions].iter().all(|set| set.is_empty())
    }
}
