//! The words that WordPress reads, and the table that picks one.
//!
//! ```text
//!   checking-dns ──▶ checking-ssl-cert ──▶ done
//!        │                  │               ▲
//!        ▼                  ▼               │   nothing rests here: looks go on,
//!      failed           ssl-failed ─────────┘   and a domain comes back by itself
//! ```

use std::fmt;

/// A word in the column `stage` of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// DNS does not point here yet.
    CheckingDns,
    /// DNS points here; no good certificate yet.
    CheckingSslCert,
    /// Served, without a certificate.
    DoneWithoutSsl,
    /// Served with a certificate.
    Done,
    /// Nobody should wait for it any more. For people: looks go on.
    Failed,
    /// The same for its certificate.
    SslFailed,
}

impl Stage {
    /// All six, in the order in which a domain meets them.
    pub const ALL: [Self; 6] = [
        Self::CheckingDns,
        Self::CheckingSslCert,
        Self::DoneWithoutSsl,
        Self::Done,
        Self::Failed,
        Self::SslFailed,
    ];

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CheckingDns => "checking-dns",
            Self::CheckingSslCert => "checking-ssl-cert",
            Self::DoneWithoutSsl => "done-without-ssl",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::SslFailed => "ssl-failed",
        }
    }

    /// The stage of a word; none for a word that is none.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether WordPress shows the site under a domain in this stage.
    pub fn is_served(self) -> bool {
        matches!(self, Self::Done | Self::DoneWithoutSsl)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
