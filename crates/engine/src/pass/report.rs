//! What came of a pass: for the people and scripts that asked for it.

use rules::acting::NotOurs;
use rules::action::{Action, Deferred, Outcome};
use rules::finding::Code;
use rules::host::HostError;
use rules::host_state::HostState;
use rules::ledger::{LedgerError, NotActing};
use rules::network::Switch;
use rules::plain;
use rules::source::SourceError;
use rules::words;
use rules::{DomainName, Identity, Network, Problem, Reason};

use crate::texts;

/// How a pass ended.
#[derive(Debug)]
pub enum Passed {
    /// It did nothing: the network's admin switched something off.
    Off(Off, Vec<Problem>),
    /// It ran.
    Ran(Report),
}

/// What is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// The Closte integration.
    Closte,
    /// Domain mapping altogether.
    DomainMapping,
}

impl Off {
    /// Both switches as `network` has them, in the order in which they count.
    pub(crate) fn switches(network: &Network) -> [(Self, Switch); 2] {
        [(Self::Closte, network.switch), (Self::DomainMapping, network.settings.domain_mapping)]
    }

    /// What it is, within a sentence.
    pub fn what(self) -> &'static str {
        match self {
            Self::Closte => "the Closte integration",
            Self::DomainMapping => "domain mapping",
        }
    }

    /// How to switch it on. Ultimate Multisite moved the first switch in 2.4.0, and its documentation
    /// still names the older place.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Closte => {
                "switch it on with `closte-sync enable`, or in WordPress under Ultimate Multisite > \
                 Settings > Integrations > Hosting or Panel Providers > Closte > Configuration > \
                 Activate (in older versions: Settings > Domain Mapping > Host Integrations)"
            }
            Self::DomainMapping => {
                "switch it on in WordPress under Ultimate Multisite > Settings > Domain Mapping > \
                 Enable Domain Mapping; it is off until somebody does"
            }
        }
    }

    /// That its switch cannot be read, and what to do.
    pub(crate) fn unreadable(self) -> (String, &'static str) {
        let (option, hint) = match self {
            Self::Closte => (
                "wu_host_integrations_enabled",
                "`closte-sync enable` writes it anew with Closte on; WordPress reads nothing in it \
                 either, so other integrations in it are off until they are activated again",
            ),
            Self::DomainMapping => (
                "wp-ultimo_v2_settings",
                "Ultimate Multisite reads none of its settings then: restore this option from a \
                 backup, or save the settings in WordPress anew (Ultimate Multisite > Settings), \
                 with Domain Mapping on",
            ),
        };
        let what = format!(
            "whether {} is switched on is not known: PHP cannot read the option `{option}` of the \
             network",
            self.what()
        );
        (what, hint)
    }

    pub(super) fn unreadable_alert(self) -> Alert {
        let (what, hint) = self.unreadable();
        let what = format!("{what}; nothing is sent and nothing written");
        Alert::of_all(AlertCode::SwitchUnreadable, what, hint)
    }

    /// The same as the reason why a pass does not act.
    pub(super) fn not_acting(self) -> NotActing {
        match self {
            Self::Closte => NotActing::SwitchedOff,
            Self::DomainMapping => NotActing::MappingDisabled,
        }
    }
}

/// What a pass did, and what it left.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it did, step by step.
    pub changes: Vec<Change>,
    /// What it held back.
    pub deferred: Vec<Deferred>,
    /// What makes no sense or wants an eye.
    pub problems: Vec<Problem>,
    /// What needs a person before the whole can go on.
    pub alerts: Vec<Alert>,
    /// Whether calls to the host rest, and until when.
    pub host: HostState,
    /// Whether our clock differs too much from the database's to check by it.
    pub clock_is_wrong: bool,
    /// Whether it ended early, on a stop or a nudge: what is left is due at the next pass.
    pub cut_short: bool,
}

/// One step of a pass.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    pub action: Action,
    /// To which domain.
    pub domain: DomainName,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, as a code.
    pub reason: Option<Reason>,
    /// What a check found before all else, or what a refusal of the host is.
    pub finding: Option<Code>,
    /// The same for people: the finding, the host's words, the stage written.
    pub detail: Option<String>,
}

/// Something that needs a person before the whole can go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    pub code: AlertCode,
    /// The one domain that it is about; none where it is about the whole.
    pub domain: Option<DomainName>,
    /// What is the matter.
    pub what: String,
    /// What to do.
    pub hint: String,
}

words! {
    /// What an alert is about; the words are never renamed.
    AlertCode {
        /// Another installation acts for the network.
        Copy = "copy",
        /// The host refuses the key.
        KeyRefused = "key-refused",
        /// More would be removed than one hour may.
        Brake = "brake",
        /// The host's list lacks what it had shown.
        ListDoubt = "list-doubt",
        /// The ledger was filled from another network.
        OtherNetwork = "other-network",
        /// The database was put back.
        Restored = "database-restored",
        /// A switch of the network cannot be read.
        SwitchUnreadable = "switch-unreadable",
        /// The read of the network is in doubt for another reason.
        Doubt = "doubt",
    }
}

impl Alert {
    /// An alert about the whole.
    pub(super) fn of_all(
        code: AlertCode,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { code, domain: None, what: plain::kept(what), hint: hint.into() }
    }
}

/// Why a pass could not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    /// The network could not be read.
    #[error("could not read the network")]
    Read(#[source] SourceError),
    /// The network could not be written.
    #[error("could not write to the network")]
    Write(#[source] SourceError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The plan that was to be applied is not the plan any more: nothing was done.
    #[error("the plan is not `{asked}` any more: it is `{now}` now")]
    OtherPlan {
        /// The hash that was asked for.
        asked: String,
        /// That of the plan as it is.
        now: String,
    },
    /// The plan that was to be applied was applied before: nothing is left to do.
    #[error("plan `{asked}` was applied before, and is done")]
    IsDone {
        /// The hash that was asked for.
        asked: String,
    },
}

/// The alert of a key that the host refuses, in its `words`.
pub(super) fn key_alert(words: &str) -> Alert {
    let refused = HostError::KeyRefused { words: words.to_owned() };
    let what = format!("{refused}; nothing is added or removed");
    Alert::of_all(AlertCode::KeyRefused, what, refused.hint().unwrap_or_default())
}

/// The alert of an installation that does not act for the network that `is` here.
pub(super) fn not_ours_alert(is: &Identity, why: &NotOurs<'_>) -> Alert {
    let what = texts::not_ours(is, why);
    let code = match why {
        NotOurs::Copy(..) => AlertCode::Copy,
        NotOurs::OtherNetwork { .. } => AlertCode::OtherNetwork,
    };
    let hint = texts::not_ours_hint(why);
    Alert::of_all(code, format!("{what}; nothing is sent and nothing written"), hint)
}
