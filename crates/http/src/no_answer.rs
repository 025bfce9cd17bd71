//! Why no whole answer came, in plain words.
//!
//! The texts of the client hold the URL, and a key may be in that: what is told is made from the
//! causes below them.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::client::NoClient;
use crate::words::in_words;

/// Why no whole answer came. Its text holds no URL.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// No connection was made: nothing happened there.
    #[error("{0}")]
    Unreachable(String),
    /// The request may have gone out, and no whole answer came in time.
    #[error("{0}")]
    Late(String),
    /// The answer broke off, or is more than is meant for us.
    #[error("{0}")]
    Broken(String),
    /// There is no client to ask with.
    #[error(transparent)]
    NoClient(#[from] NoClient),
}

impl NoAnswer {
    /// What `error` of a request means, that may take so long.
    pub(crate) fn of(error: &reqwest::Error, connect: Duration, limit: Duration) -> Self {
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => {
                Self::Unreachable(format!("no connection within {}", in_words(connect)))
            }
            (true, false) => Self::Unreachable(connect_failure(error)),
            (false, true) => Self::late(limit),
            (false, false) if was_reset(error) => Self::Broken("the connection was reset".into()),
            (false, false) => Self::Broken(last_cause(error)),
        }
    }

    /// Nothing came for so long.
    pub fn late(limit: Duration) -> Self {
        Self::Late(format!("no answer within {}", in_words(limit)))
    }

    /// The same for an `error` in the midst of an answer.
    pub(crate) fn within(error: &reqwest::Error, connect: Duration, limit: Duration) -> Self {
        match Self::of(error, connect, limit) {
            Self::Broken(_) if !was_reset(error) => Self::Broken("the answer broke off".into()),
            told => told,
        }
    }
}

fn was_reset(error: &reqwest::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset};
    let kind = causes(error).find_map(|cause| Some(cause.downcast_ref::<io::Error>()?.kind()));
    matches!(kind, Some(ConnectionReset | BrokenPipe))
}

/// The last cause says what happened; those above it, where in the client.
fn last_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "no answer".to_owned(), ToString::to_string)
}

/// Why no connection was made: the causes below those that only say so.
fn connect_failure(error: &reqwest::Error) -> String {
    let why: Vec<_> = causes(error).skip(1).map(ToString::to_string).collect();
    if why.is_empty() { "no connection".to_owned() } else { why.join(": ") }
}

/// The causes of an error, without itself: its text holds the URL.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}
