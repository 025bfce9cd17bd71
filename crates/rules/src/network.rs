//! The network as one good read shows it: what WordPress *wants*.
//!
//! A [`Network`] is either complete or not there at all: a read that failed
//! half-way is an error, never a smaller network.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::ledger::Ledger;
use crate::lookup::Spelling;
use crate::stage::Stage;
use crate::{DomainName, Time, plain};

/// One complete read of a network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Which network this is.
    pub identity: Identity,
    /// Which installation acts for it, where one has said so.
    pub home: Option<Home>,
    /// Whether that mark keeps its serial there: else nobody can tell that the database was put back.
    pub keeps_serial: bool,
    /// Whether its admin switched Closte on.
    pub switch: Switch,
    /// The settings of Ultimate Multisite that we follow.
    pub settings: Settings,
    /// The domains of all `wp_site` rows of the installation.
    pub network_domains: BTreeSet<DomainName>,
    /// Domains under whose paths many sites are (checkout forms offer them).
    pub shared_bases: BTreeSet<DomainName>,
    /// The words that the column `stage` can store.
    pub stage_words: BTreeSet<Stage>,
    /// Every site of the installation by its id, other networks' included.
    pub sites: BTreeMap<u64, Site>,
    /// Every mapping that could be read, in the order of its id.
    pub mappings: Vec<Mapping>,
    /// Mappings whose text is no domain name, by their id: the site that each leads to.
    pub unreadable: BTreeMap<u64, u64>,
    /// Invalid rows and settings; each affects only itself.
    pub problems: Vec<Problem>,
    /// Whether WordPress keeps mappings in a persistent object cache.
    pub object_cache: bool,
    /// The time by the database's clock, where it is known.
    pub database_time: Option<Time>,
    /// Whether it changed while it was read, so that rows may be missing.
    pub moved: bool,
}

impl Network {
    /// Whether `site` is one of its own, and not of another network of the installation.
    pub fn has_site(&self, site: &Site) -> bool {
        site.network_id == self.identity.network_id
    }

    /// The network of `identity` with nothing in it: switched on, every other setting at its
    /// default, no site and no mapping.
    pub fn empty(identity: Identity) -> Self {
        Self {
            network_domains: BTreeSet::from([identity.domain.clone()]),
            identity,
            home: None,
            keeps_serial: true,
            switch: Switch::On,
            settings: Settings { domain_mapping: Switch::On, ..Settings::default() },
            shared_bases: BTreeSet::new(),
            stage_words: BTreeSet::from(Stage::ALL),
            sites: BTreeMap::new(),
            mappings: Vec::new(),
            unreadable: BTreeMap::new(),
            problems: Vec::new(),
            object_cache: false,
            database_time: None,
            moved: false,
        }
    }
}

/// What distinguishes one network from another, and an original from its copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `CLOSTE_APP_ID`, where defined.
    pub app: Option<String>,
    /// The network's own domain.
    pub domain: DomainName,
    /// The name of its database; empty where that is not known, as over REST. Then
    /// the app and the ids of rows are not known either.
    pub database: String,
    /// `$table_prefix`.
    pub prefix: String,
    /// Its row in `wp_site`.
    pub network_id: u64,
}

impl Identity {
    /// Whether its database is known, and with it all else.
    pub fn is_whole(&self) -> bool {
        !self.database.is_empty()
    }
}

/// The mark, `closte_sync_home` in `wp_sitemeta`: the installation that acts for the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// `CLOSTE_APP_ID` when it was written.
    pub app: Option<String>,
    /// The network's own domain when it was written.
    pub domain: String,
    /// The ledger that wrote it.
    pub ledger: String,
    /// A number that moves with the set of owned aliases; none where whoever wrote the mark knew of
    /// none, which counts as 0.
    pub serial: Option<u64>,
    /// Where the ledger was then.
    pub place: Whereabouts,
}

impl Home {
    /// Its serial; 0 where it has none.
    pub fn serial_or_zero(&self) -> u64 {
        self.serial.unwrap_or(0)
    }

    /// What the installation of `identity` says with its ledger, whose owned set has the `serial`.
    pub fn of(identity: &Identity, ledger: &dyn Ledger, serial: u64) -> Self {
        Self {
            app: identity.app.clone(),
            domain: identity.domain.to_string(),
            ledger: ledger.id().to_owned(),
            serial: Some(serial),
            place: ledger.place(),
        }
    }
}

/// Where a ledger is, for people: nothing is decided by it. What is not known is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// The machine's name.
    pub host: String,
    /// Who runs closte-sync there.
    pub user: String,
    /// The ledger's file.
    pub path: String,
}

impl fmt::Display for Whereabouts {
    /// `user@host:path`, as far as it is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, user, path } = self;
        let at = if user.is_empty() || host.is_empty() { "" } else { "@" };
        let colon = if path.is_empty() || (user.is_empty() && host.is_empty()) { "" } else { ":" };
        write!(f, "{user}{at}{host}{colon}{path}")
    }
}

/// A switch as an option of the network has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
    /// The option cannot be read, so nobody knows. That is never taken for off.
    Unreadable,
}

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// What we follow of Ultimate Multisite's settings; defaults where a key is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `dns_check_interval`.
    pub dns_check_interval: Duration,
    /// `enable_domain_mapping`: every version of Ultimate Multisite takes a missing one for off.
    pub domain_mapping: Switch,
    /// `auto_create_www_subdomain`.
    pub www: WwwTwins,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dns_check_interval: Duration::from_mins(5),
            domain_mapping: Switch::Off,
            www: WwwTwins::Always,
        }
    }
}

/// For which domains the network's admin wants `www.` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WwwTwins {
    /// `always`.
    Always,
    /// `main_only`.
    MainOnly,
    /// `never`.
    Never,
}

/// A row of `wp_blogs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The network that it belongs to.
    pub network_id: u64,
    /// Its own domain; none where the row has no domain name.
    pub domain: Option<DomainName>,
    /// Its path, `/` where it has a domain of its own.
    pub path: String,
    /// How old it is by the database's clock; none where the row does not say.
    pub age: Option<Duration>,
    /// When it was registered; none where the row does not say. WordPress may give an id again: the
    /// site is another one then, and has another time.
    pub registered: Option<Time>,
    /// Why visitors are not shown it; none where they are.
    pub hidden: Option<Hidden>,
}

/// Why visitors are not shown a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hidden {
    /// It is archived.
    Archived,
    /// It is deleted, or spam.
    Deleted,
}

/// A row of `wp_wu_domain_mappings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Its id.
    pub id: u64,
    /// The site that it leads to.
    pub site_id: u64,
    /// The mapped domain.
    pub domain: DomainName,
    /// How the row spells it.
    pub spelling: Spelling,
    /// Its stage; none for NULL, the empty word and unknown words.
    pub stage: Option<Stage>,
    /// Whether links use `https`.
    pub secure: bool,
    /// Whether it is switched on.
    pub active: bool,
    /// Whether it is its site's primary domain.
    pub primary: bool,
}

/// Something in the network that is invalid or needs a person's attention.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The table, with its prefix; none for what is in no table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The row.
    pub id: Option<u64>,
    /// What is wrong and what to do, for people.
    pub reason: String,
}

impl fmt::Display for Problem {
    /// `wp_wu_domain_mappings.domain 12: …`, or the reason alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = [self.table.as_deref(), self.column.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        if place.is_empty() {
            return f.write_str(&self.reason);
        }
        f.write_str(&place.join("."))?;
        if let Some(id) = self.id {
            write!(f, " {id}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl Problem {
    /// A problem with one value of one row. Of its reason [`plain::kept`] is kept.
    pub fn in_row(table: &str, column: &str, id: u64, reason: impl Into<String>) -> Self {
        Self {
            table: Some(table.to_owned()),
            column: Some(column.to_owned()),
            id: Some(id),
            reason: plain::kept(reason),
        }
    }

    /// A problem that is in no single row. Of its reason [`plain::kept`] is kept.
    pub fn of_all(reason: impl Into<String>) -> Self {
        Self { table: None, column: None, id: None, reason: plain::kept(reason) }
    }
}

/// Problems of one source: the first [`Problems::MOST`] of them, and how many more there are.
///
/// Whoever fills a table with rubbish does not fill our memory and our ledger too.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    first: Vec<Problem>,
    more: usize,
}

impl Problems {
    /// So many are kept.
    pub const MOST: usize = 1_000;

    /// One more.
    pub fn push(&mut self, problem: Problem) {
        if self.first.len() < Self::MOST {
            self.first.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// One more, unless it is among those that are kept.
    pub fn push_once(&mut self, problem: Problem) {
        if !self.first.contains(&problem) {
            self.push(problem);
        }
    }

    /// Those that are kept; the last one says how many were left out, if any were.
    pub fn into_vec(self) -> Vec<Problem> {
        let Self { mut first, more } = self;
        if 0 < more {
            first.push(Problem::of_all(format!("{more} more problems like these are not listed")));
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain::MOST_KEPT;

    #[test]
    fn a_thousand_problems_are_kept_and_the_rest_is_counted() {
        let mut problems = Problems::default();
        for id in 0..1_003 {
            problems.push(Problem::in_row("wp_blogs", "domain", id, "odd"));
        }
        let kept = problems.into_vec();
        assert_eq!(kept.len(), Problems::MOST + 1);
        assert_eq!(kept[1_000].to_string(), "3 more problems like these are not listed");

        let mut twice = Problems::default();
        (0..2).for_each(|_| twice.push_once(Problem::of_all("once")));
        assert_eq!(twice.into_vec(), [Problem::of_all("once")]);
    }

    #[test]
    fn a_problem_is_one_line_that_is_not_too_long() {
        let nasty = "a\nerror: \u{1b}[31m".repeat(1_000);
        let table = [Problem::of_all(nasty.clone()), Problem::in_row("t", "c", 1, nasty)];
        for problem in table {
            assert_eq!(problem.reason.chars().count(), MOST_KEPT);
            assert!(problem.reason.starts_with(r"a\nerror: \u001b[31ma\n"), "{problem}");
        }
    }
}
