//! What somebody asks of whoever holds the ledger's lock.
//!
//! Only the holder of the lock makes passes. Who needs one, and does not get the lock, leaves a
//! request in the ledger; the holder takes it up, does it and answers. Every request can be done
//! again, so one whose taker died is.

use std::time::Duration;

use crate::words::words;
use crate::{DomainName, Time};

/// A request that nobody took up for so long is over.
pub const EXPIRES_AFTER: Duration = Duration::from_mins(10);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A pass.
    Pass,
    /// A pass that applies the plan of this hash.
    Apply(String),
    /// That this installation acts for the network.
    EnableHere,
    /// To give up the alias of a name: it stays at the host.
    Keep(DomainName),
    /// To own the aliases of these names.
    Adopt(Vec<DomainName>),
}

words! {
    /// The word of what is asked for.
    AskedKind {
        /// [`Asked::Pass`].
        Pass = "pass",
        /// [`Asked::Apply`].
        Apply = "apply",
        /// [`Asked::EnableHere`].
        EnableHere = "enable-here",
        /// [`Asked::Keep`].
        Keep = "keep",
        /// [`Asked::Adopt`].
        Adopt = "adopt",
    }
}

impl Asked {
    /// Its word, and what belongs to it.
    pub fn parts(&self) -> (AskedKind, Option<String>) {
        match self {
            Self::Pass => (AskedKind::Pass, None),
            Self::Apply(hash) => (AskedKind::Apply, Some(hash.clone())),
            Self::EnableHere => (AskedKind::EnableHere, None),
            Self::Keep(name) => (AskedKind::Keep, Some(name.to_string())),
            Self::Adopt(names) => {
                let names: Vec<&str> = names.iter().map(DomainName::as_str).collect();
                (AskedKind::Adopt, Some(names.join(" ")))
            }
        }
    }

    /// What a word asks for; none where something is missing.
    pub fn of_parts(kind: AskedKind, argument: Option<String>) -> Option<Self> {
        match (kind, argument) {
            (AskedKind::Pass, _) => Some(Self::Pass),
            (AskedKind::Apply, Some(hash)) => Some(Self::Apply(hash)),
            (AskedKind::EnableHere, _) => Some(Self::EnableHere),
            (AskedKind::Keep, Some(name)) => name.parse().ok().map(Self::Keep),
            (AskedKind::Adopt, Some(names)) => {
                let names = names.split_whitespace().map(str::parse);
                names.collect::<Result<_, _>>().ok().map(Self::Adopt)
            }
            (AskedKind::Apply | AskedKind::Keep | AskedKind::Adopt, None) => None,
        }
    }
}

/// A request that was taken up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: i64,
    pub asked: Asked,
    /// The process that asks.
    pub owner: String,
    pub made_at: Time,
}
