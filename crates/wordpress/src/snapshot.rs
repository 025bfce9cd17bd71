//! From rows to a [`Network`]: the one place that decides what a row means.
//!
//! Nothing here reads a database. An invalid row becomes a [`Problem`] and affects only itself;
//! a missing part of the whole is an error of the reader, never a smaller network.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::time::Duration;

use rules::lookup::Spelling;
use rules::network::{Hidden, Settings, Switch};
use rules::plain::{plain, shortened};
use rules::{DomainName, Home, Identity, Mapping, Network, Problem, Problems, Site, Stage, Time};

use crate::installation::{Installation, NetworkRow};
use crate::salts::Stored;
use crate::{forms, options};

/// A row of `wp_blogs`.
pub(crate) struct SiteRow<'a> {
    pub(crate) id: u64,
    pub(crate) network_id: u64,
    pub(crate) domain: &'a [u8],
    pub(crate) path: &'a [u8],
    /// In seconds; none for a zero date.
    pub(crate) age: Option<i64>,
    /// In seconds since 1970; none for a zero date.
    pub(crate) registered: Option<i64>,
    pub(crate) hidden: Option<Hidden>,
}

/// A row of `wp_wu_domain_mappings`.
pub(crate) struct MappingRow<'a> {
    pub(crate) id: u64,
    /// 0, which no site has, for one that cannot be read.
    pub(crate) site_id: u64,
    pub(crate) domain: &'a [u8],
    pub(crate) stage: Option<&'a [u8]>,
    pub(crate) secure: bool,
    pub(crate) active: bool,
    pub(crate) primary: bool,
}

/// What has been read so far.
pub(crate) struct Snapshot<'a> {
    of: &'a Installation,
    problems: Problems,
    network_domains: BTreeSet<DomainName>,
    sites: BTreeMap<u64, Site>,
    mappings: Vec<Mapping>,
    unreadable: BTreeMap<u64, u64>,
    settings: Settings,
    switch: Switch,
    home: Option<Home>,
    keeps_serial: bool,
    shared_bases: BTreeSet<DomainName>,
    salts: Stored,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(of: &'a Installation) -> Self {
        Self {
            of,
            problems: Problems::default(),
            network_domains: BTreeSet::new(),
            sites: BTreeMap::new(),
            mappings: Vec::new(),
            unreadable: BTreeMap::new(),
            settings: Settings::default(),
            switch: Switch::Off,
            home: None,
            keeps_serial: true,
            shared_bases: BTreeSet::new(),
            salts: Stored::new(),
        }
    }

    pub(crate) fn networks(&mut self, rows: &[NetworkRow]) {
        for row in rows {
            match DomainName::parse_host(&row.domain) {
                Ok(domain) => _ = self.network_domains.insert(domain),
                Err(why) => self.odd_domain("site", row.id, &row.domain, &why.to_string()),
            }
        }
    }

    pub(crate) fn site(&mut self, row: &SiteRow<'_>) {
        let text = String::from_utf8_lossy(row.domain);
        let domain: Option<DomainName> = text.parse().ok();
        if domain.is_none() {
            // A name with a port or a single label is a site too, but one that cannot be mapped.
            if let Err(why) = DomainName::parse_host(&text) {
                self.odd_domain("blogs", row.id, &text, &why.to_string());
            }
        }
        let site = Site {
            network_id: row.network_id,
            domain,
            path: String::from_utf8_lossy(row.path).into_owned(),
            age: row.age.map(|age| Duration::from_secs(u64::try_from(age).unwrap_or(0))),
            registered: row.registered.and_then(|it| it.checked_mul(1000)).map(Time::from_millis),
            hidden: row.hidden,
        };
        self.sites.insert(row.id, site);
    }

    /// The rules judge whether its site is there.
    pub(crate) fn mapping(&mut self, row: &MappingRow<'_>) {
        let site_id = row.site_id;
        match spelling(row.domain) {
            Ok((domain, spelling)) => {
                let stage = self.stage(row);
                let MappingRow { id, secure, active, primary, .. } = *row;
                let mapping =
                    Mapping { id, site_id, domain, spelling, stage, secure, active, primary };
                self.mappings.push(mapping);
            }
            Err(why) => {
                self.unreadable.insert(row.id, site_id);
                let text = String::from_utf8_lossy(row.domain);
                let why = match DomainName::within(&text) {
                    Some(name) => format!("{why}; write it as `{name}`"),
                    None => why,
                };
                self.odd_domain("wu_domain_mappings", row.id, &text, &why);
            }
        }
    }

    fn stage(&mut self, row: &MappingRow<'_>) -> Option<Stage> {
        let word = row.stage.and_then(|word| std::str::from_utf8(word).ok());
        let stage = word.and_then(Stage::from_word);
        if stage.is_none() {
            let word = word.unwrap_or("NULL");
            let reason = format!("`{word}` is not a stage; the next check writes one");
            self.row_problem("wu_domain_mappings", "stage", row.id, &reason);
        }
        stage
    }

    /// An option of our network. Only the first row of a name counts, as in WordPress.
    pub(crate) fn option(&mut self, id: u64, name: &str, value: &[u8]) {
        let mut said = Vec::new();
        let mut say = |reason| said.push(reason);
        match name {
            options::SETTINGS => self.settings = options::settings(value, &mut say),
            options::INTEGRATIONS => self.switch = options::closte(value, &mut say),
            options::HOME => match options::home(value) {
                Some(home) => self.home = Some(home),
                None => say("cannot be read".to_owned()),
            },
            options::AUTH_KEY => _ = self.salts.insert(options::AUTH_KEY, value.to_vec()),
            options::AUTH_SALT => _ = self.salts.insert(options::AUTH_SALT, value.to_vec()),
            _ => {}
        }
        for reason in said {
            self.option_problem(id, name, &reason);
        }
    }

    pub(crate) fn form(&mut self, id: u64, settings: &[u8]) {
        match forms::offered(settings) {
            Ok(offered) => {
                self.shared_bases.extend(offered.hosts);
                for line in offered.odd {
                    self.row_problem("wu_forms", "settings", id, &no_host(&line));
                }
            }
            Err(error) => {
                let reason = format!("{error}: the shared base domains in it are not known");
                self.row_problem("wu_forms", "settings", id, &reason);
            }
        }
    }

    /// What checkout forms offer, where the forms themselves were not read: one host per line.
    pub(crate) fn shared_bases(&mut self, lines: &str) {
        let offered = forms::lines(lines);
        self.shared_bases.extend(offered.hosts);
        for line in offered.odd {
            let reason = format!("shared base domains: {}", no_host(&line));
            self.problem(reason);
        }
    }

    /// What the options say, where they were read elsewhere.
    pub(crate) fn set_switch_and_home(
        &mut self,
        switch: Switch,
        home: Option<Home>,
        keeps_serial: bool,
    ) {
        (self.switch, self.home, self.keeps_serial) = (switch, home, keeps_serial);
    }

    /// Something that is in no row.
    pub(crate) fn problem(&mut self, reason: String) {
        self.problems.push(Problem::of_all(reason));
    }

    /// A row whose key is invalid.
    pub(crate) fn unreadable_row(&mut self, table: &str) {
        let table = Some(format!("{}{table}", self.of.prefix));
        let reason = "a row whose id cannot be read".to_owned();
        self.problems.push(Problem { table, column: None, id: None, reason });
    }

    /// The halves of the salt that the network's options contain. They never get into a
    /// [`Network`].
    pub(crate) fn take_salts(&mut self) -> Stored {
        mem::take(&mut self.salts)
    }

    pub(crate) fn finish(
        self,
        identity: Identity,
        stage_words: BTreeSet<Stage>,
        database_time: Option<Time>,
    ) -> Network {
        let mut network_domains = self.network_domains;
        network_domains.insert(identity.domain.clone());
        Network {
            identity,
            home: self.home,
            keeps_serial: self.keeps_serial,
            switch: self.switch,
            settings: self.settings,
            network_domains,
            shared_bases: self.shared_bases,
            stage_words,
            sites: self.sites,
            mappings: self.mappings,
            unreadable: self.unreadable,
            problems: self.problems.into_vec(),
            object_cache: self.of.object_cache,
            database_time,
            moved: false,
        }
    }

    fn odd_domain(&mut self, table: &str, id: u64, domain: &str, why: &str) {
        let reason = format!("`{}` is not a domain: {why}", short(domain));
        self.row_problem(table, "domain", id, &reason);
    }

    fn option_problem(&mut self, id: u64, option: &str, reason: &str) {
        self.row_problem("sitemeta", "meta_value", id, &format!("`{option}`: {reason}"));
    }

    fn row_problem(&mut self, table: &str, column: &str, id: u64, reason: &str) {
        let table = format!("{}{table}", self.of.prefix);
        self.problems.push(Problem::in_row(&table, column, id, reason));
    }
}

fn spelling(bytes: &[u8]) -> Result<(DomainName, Spelling), String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    Spelling::read(text).map_err(|why| why.to_string())
}

fn no_host(line: &str) -> String {
    format!("`{}` is not a host", short(line))
}

/// What fits a line.
fn short(text: &str) -> String {
    shortened(&plain(text), 80)
}

/// The words of an `enum('a','b')` column that are stages; a text column can have all.
pub(crate) fn stage_words(column_type: &str) -> BTreeSet<Stage> {
    if column_type.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("enum(")) {
        quoted_stages(column_type)
    } else {
        Stage::ALL.into()
    }
}

/// The stages that are in quotes in a piece of SQL.
pub(crate) fn quoted_stages(sql: &str) -> BTreeSet<Stage> {
    sql.split(['\'', '"']).filter_map(Stage::from_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_column_are_read() {
        let old = "enum('checking-dns','checking-ssl-cert','done-without-ssl','done','failed')";
        assert_eq!(stage_words(old).len(), 5);
        assert!(!stage_words(old).contains(&Stage::SslFailed));
        assert_eq!(stage_words("varchar(40)").len(), 6);
    }

    #[test]
    fn what_is_shown_of_a_bad_value_fits_a_line() {
        assert_eq!(short("a\nb"), "a\\nb");
        assert_eq!(short(&"x".repeat(300)).chars().count(), 80);
    }
}
