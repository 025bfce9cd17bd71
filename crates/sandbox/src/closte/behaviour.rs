//! What is not published about the real host is chosen here, so that clients meet every variant.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the stand-in answers where the real host's answer is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// How a wrong key is refused.
    pub wrong_key: WrongKey,
    /// What adding a name says that is there already.
    pub existing: AlreadySo,
    /// What deleting a name says that is not there.
    pub absent: AlreadySo,
    /// How `true` is written in a success.
    pub success: SuccessForm,
    /// Names that the host refuses, in addition to those that are not domain names.
    pub refused: BTreeSet<String>,
    /// The form of an element of the list.
    pub element: Element,
    /// Which aliases the list shows.
    pub list: List,
    /// How long every answer takes.
    #[serde(with = "crate::seconds")]
    pub latency: Duration,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            wrong_key: WrongKey::Unauthorized,
            existing: AlreadySo::Error("Domain already exists.".to_owned()),
            absent: AlreadySo::Error("Domain not found.".to_owned()),
            success: SuccessForm::True,
            refused: BTreeSet::new(),
            element: Element::Text,
            list: List::Complete,
            latency: Duration::ZERO,
        }
    }
}

/// How a wrong key is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongKey {
    /// HTTP 401.
    Unauthorized,
    /// HTTP 403.
    Forbidden,
    /// HTTP 200 with these words.
    Error(String),
}

/// The answer to a request that is already fulfilled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlreadySo {
    /// A success.
    Success,
    /// A failure with these words.
    Error(String),
}

/// How `true` is written in a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuccessForm {
    /// `true`
    True,
    /// `"true"`
    Text,
    /// `1`
    One,
}

/// The form of an element of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Element {
    /// The bare name.
    Text,
    /// `{"domain":…}`
    Domain,
    /// `{"name":…}`
    Name,
    /// `{"hostname":…}`
    Hostname,
    /// `{"host":…}`
    Host,
}

impl Element {
    /// The field with the name, in an object.
    pub(super) fn field(self) -> Option<&'static str> {
        match self {
            Self::Text => None,
            Self::Domain => Some("domain"),
            Self::Name => Some("name"),
            Self::Hostname => Some("hostname"),
            Self::Host => Some("host"),
        }
    }
}

/// Which aliases the list shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// All.
    Complete,
    /// None, as if there were none.
    Empty,
    /// All but these.
    Hides(BTreeSet<String>),
    /// No list at all: HTTP 403.
    Forbidden,
}
