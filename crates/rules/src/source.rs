//! The network, seen from the engine: read as a whole, written in four places.
//!
//! `wordpress::MysqlNetwork` is the real one.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use crate::planted;
use crate::stage::Stage;
use crate::{Disposition, DomainName, Entry, Home, Network, Time};

/// A WordPress network that can be read and, in a few places, written.
///
/// # Contract
///
/// Every write is conditional on what the caller saw, so that it can be
/// repeated after a crash and never overwrites somebody else's change.
#[async_trait]
pub trait NetworkSource: Send + Sync {
    /// Read the whole network in one consistent view.
    ///
    /// # Errors
    ///
    /// Anything less than a complete read.
    async fn read(&self) -> Result<Network, SourceError>;

    /// A number that differs whenever sites, mappings or settings have changed,
    /// for one cheap query.
    async fn pulse(&self) -> Result<u64, SourceError>;

    /// Those of `gone`, names whose mapping was gone, that a row has again, or a row of theirs that
    /// cannot be read: asked right before their removal, in one query. All of them where that
    /// cannot be told.
    async fn came_back(&self, gone: &[&Entry]) -> Result<BTreeSet<DomainName>, SourceError> {
        let network = self.read().await?;
        if network.moved {
            return Ok(gone.iter().map(|entry| entry.domain.clone()).collect());
        }
        let named = network.mappings.into_iter().map(|row| (row.id, Some(row.domain)));
        let unreadable = network.unreadable.into_keys().map(|id| (id, None));
        Ok(back_again(named.chain(unreadable), gone))
    }

    /// Write `to` where the row still has the name and the stage `from`; whether it did.
    ///
    /// `secure` is raised to 1 where `secure` is true, else left as it is.
    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError>;

    /// Make the record of a new site as Ultimate Multisite would: active,
    /// primary, not secure, `checking-dns`.
    ///
    /// One insert, on condition that the site is still there under that name,
    /// has no mapping, and neither the name nor its twin is mapped or is
    /// another site's. Returns the id of the new row, or none where a
    /// condition failed.
    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError>;

    /// Map `domain` to `site` because a person asked for it.
    ///
    /// # Errors
    ///
    /// [`SourceError::Refused`] where the name is mapped or the site is not there.
    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError>;

    /// Let a mapping lead to the site `to` where it still leads to `from`; whether it did. It is the
    /// first domain of neither then.
    async fn move_mapping(&self, mapping_id: u64, from: u64, to: u64) -> Result<bool, SourceError>;

    /// Delete those of `rows`, ids of mappings, that still have the name `domain`; how many did.
    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError>;

    /// Say which installation acts for this network, where what stands there is what `home`
    /// [`Replaces`]: one compare-and-set. Returns what is there now; none where nothing is, or where
    /// there is no place for it.
    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError>;

    /// Switch Closte on or off in the option that the plugin reads, keeping the
    /// other integrations; whether that changed anything.
    async fn switch(&self, on: bool) -> Result<bool, SourceError>;

    /// Set `dns_check_interval` in the plugin's settings, keeping the others.
    async fn set_check_interval(&self, seconds: u32) -> Result<(), SourceError>;

    /// What we may do in the database: each right that is needed, and why it is
    /// missing where it is.
    async fn rights(&self) -> Result<Vec<Right>, SourceError>;

    /// The values of those of our network's options that are there, as the
    /// database holds them. They may be secrets: they are never shown.
    async fn options(
        &self,
        _names: &[&'static str],
    ) -> Result<BTreeMap<&'static str, Vec<u8>>, SourceError> {
        Ok(BTreeMap::new())
    }

    /// Write an option that the plugin inside WordPress reads. What only concerns when it comes
    /// again is left out where there is no way.
    async fn write_plugin_option(&self, option: PluginOption<'_>) -> Result<(), SourceError> {
        match option {
            PluginOption::NextPass(_) => Ok(()),
            PluginOption::Secret(_) => Err(no_way_to_the_options()),
        }
    }

    /// Remove everything that the plugin keeps, and that we keep for it, but the mark.
    async fn forget_plugin(&self) -> Result<(), SourceError> {
        Err(no_way_to_the_options())
    }

    /// Switch the plugin on or off for the whole network; whether that changed
    /// anything.
    async fn activate_plugin(&self, _on: bool) -> Result<bool, SourceError> {
        Err(no_way_to_the_options())
    }

    /// What WordPress must be asked at `domain` to prove that it is what answers
    /// there for the mapping; none where that is not known.
    fn routing_question(&self, _mapping_id: u64, _domain: &DomainName) -> Option<String> {
        None
    }

    /// Close the connection to the database. Dropping it instead loses nothing.
    async fn close(&self) {}
}

fn no_way_to_the_options() -> SourceError {
    SourceError::Refused { what: "the options cannot be written this way".to_owned() }
}

/// An option that we write and the plugin inside WordPress reads. One is a secret, so it has no
/// `Debug`.
#[derive(Clone, Copy)]
pub enum PluginOption<'a> {
    /// What both sides sign with, in hexadecimal digits.
    Secret(&'a str),
    /// When the next pass is due: [`crate::schedule::next_pass`].
    NextPass(Time),
}

/// Those of `gone` that one of `rows` has: ids, each with the name in it; none where it holds no
/// domain name, which keeps whatever name the row had.
pub fn back_again(
    rows: impl IntoIterator<Item = (u64, Option<DomainName>)>,
    gone: &[&Entry],
) -> BTreeSet<DomainName> {
    let (mut names, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
    for (id, name) in rows {
        match name {
            Some(name) => _ = names.insert(name),
            None => _ = unreadable.insert(id),
        }
    }
    let had_one = |entry: &Entry| entry.rows().any(|row| unreadable.contains(&row));
    let is_there = |entry: &&&Entry| {
        names.contains(&entry.domain) || had_one(entry) && !planted!(DropUnreadable)
    };
    gone.iter().filter(is_there).map(|entry| entry.domain.clone()).collect()
}

/// On what condition a mark is written.
#[derive(Clone, Copy, Debug)]
pub enum Replaces<'a> {
    /// There is none.
    Nothing,
    /// The one that is there has the ledger and the serial of this one.
    This(&'a Home),
    /// Whatever is there.
    Any,
}

impl Replaces<'_> {
    /// Whether a mark may be written where `stands` is there; none where nothing is.
    pub fn allows(self, stands: Option<&Home>) -> bool {
        match self {
            Self::Nothing => stands.is_none(),
            Self::This(home) => stands.is_some_and(|stands| {
                let is_same = stands.ledger == home.ledger;
                is_same && stands.serial_or_zero() == home.serial_or_zero()
            }),
            Self::Any => true,
        }
    }
}

/// A stage to write, on condition that the row has not changed since it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageWrite {
    /// The mapping's id.
    pub mapping_id: u64,
    /// Its name, which was checked; however the row spells it.
    pub domain: DomainName,
    /// The stage that was read; none for a word that is not a stage.
    pub from: Option<Stage>,
    /// The stage to write.
    pub to: Stage,
    /// Whether to set `secure` to 1 as well.
    pub secure: bool,
}

/// Something that writes stages so that they take effect in WordPress at once.
///
/// # Contract
///
/// As [`NetworkSource::write_stage`]: a row whose name or stage has changed is left alone.
#[async_trait]
pub trait StageWriter: Send + Sync {
    /// What it is called in the setting `network.write`.
    fn name(&self) -> &'static str;

    /// Whether it has what it needs. Makes no request outside the machine.
    async fn is_set_up(&self) -> bool;

    /// Write each; returns the outcome of each, in the same order.
    ///
    /// # Errors
    ///
    /// The outcomes are not known; each can be written again.
    async fn write_stages(&self, writes: &[StageWrite]) -> Result<Vec<Written>, SourceError>;
}

/// The outcome of writing a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is written.
    Done,
    /// The row has changed since it was read, or is gone.
    Overtaken,
    /// WordPress refuses to save it. Must not be tried again unchanged.
    Refused {
        /// Its own words.
        words: String,
    },
    /// WordPress refuses the row for its name, whatever its stage is to be: Ultimate Multisite's
    /// validation takes no wildcard, underscore, Unicode or punycode top-level domain. A way that
    /// does not run that validation may write it.
    NameRefused {
        /// Its own words.
        words: String,
    },
}

impl Written {
    /// The words of a refusal; none where it is none.
    pub fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused { words } | Self::NameRefused { words } => Some(words),
            Self::Done | Self::Overtaken => None,
        }
    }
}

/// Whether a new mapping becomes its site's primary domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primary {
    /// It does, and the site's other mappings are no longer primary.
    Yes,
    /// It does not.
    No,
}

/// A right in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Right {
    /// What it is for, such as "write stages (UPDATE on `wp_wu_domain_mappings`)".
    pub purpose: String,
    /// Why it is missing, in the database's words; none where we have it.
    pub missing: Option<String>,
}

/// Why the network could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The database did not answer, or not in time.
    #[error("could not reach the database at `{at}`")]
    Unreachable {
        /// Where it was expected, without the password.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It answered, and does not let us in.
    #[error("the database refused: {what}")]
    Denied {
        /// Its own words.
        what: String,
    },
    /// WordPress did not answer over HTTP, or not in time.
    #[error("could not reach WordPress at `{at}`")]
    NoAnswer {
        /// Where it was asked.
        at: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// WordPress answered over HTTP, and does not let us in.
    #[error("WordPress refused us: {what}")]
    NotAdmitted {
        /// What it said, or what that means.
        what: String,
        /// What to do.
        hint: String,
    },
    /// WordPress answered over HTTP, but not what was asked for.
    #[error("WordPress failed while {doing}")]
    BadAnswer {
        /// What was being done.
        doing: &'static str,
        /// What came instead.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It lacks what a network with Ultimate Multisite has.
    #[error("{what}")]
    NotANetwork {
        /// What is missing.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The change cannot be made as asked.
    #[error("{what}")]
    Refused {
        /// Why.
        what: String,
    },
    /// The connection broke or a statement failed.
    #[error("the database failed while {doing}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SourceError {
    /// What the engine should do about it.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unreachable { .. }
            | Self::Failed { .. }
            | Self::NoAnswer { .. }
            | Self::BadAnswer { .. }
            // Its tables may be on their way, as when a dump is imported.
            | Self::NotANetwork { .. } => Disposition::Retry { after: None },
            Self::Refused { .. } => Disposition::GiveUp,
            Self::Denied { .. } | Self::NotAdmitted { .. } => Disposition::Halt,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Unreachable { .. } => Some(
                "check `DB_HOST` in wp-config.php, or `network.database_url` where that is set, and that the database runs",
            ),
            Self::Denied { .. } => Some(
                "check `DB_USER` and `DB_PASSWORD` in wp-config.php, or `network.database_url` where that is set, and that the user has SELECT, INSERT, UPDATE and DELETE",
            ),
            Self::NoAnswer { .. } => {
                Some("check `network.url`, and that the network's own site answers there")
            }
            Self::NotANetwork { hint, .. } | Self::NotAdmitted { hint, .. } => Some(hint),
            Self::Refused { .. } => None,
            Self::Failed { .. } => Some("nothing was changed by it; run `closte-sync doctor`"),
            Self::BadAnswer { .. } => Some("will retry automatically; run `closte-sync doctor`"),
        }
    }
}
