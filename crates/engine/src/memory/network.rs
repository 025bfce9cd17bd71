//! A WordPress network as rows in memory, with the conditions that SQL would put on each write.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rules::domain_name::LONGEST_MAPPING;
use rules::lookup::Spelling;
use rules::network::{Hidden, Settings, Switch};
use rules::source::{NetworkSource, Primary, Replaces, Right, SourceError, StageWrite};
use rules::{Clock, DomainName, Home, Identity, Mapping, Network, Problem, Site, Stage, Time};

/// A row of `wp_blogs`. Its domain is text: it may be no name at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteRow {
    pub network_id: u64,
    pub domain: String,
    pub path: String,
    /// Archived, spam or deleted.
    pub hidden: bool,
    pub registered: Time,
}

/// A row of `wp_wu_domain_mappings`; its domain is text likewise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingRow {
    pub site_id: u64,
    pub domain: String,
    /// None for a word that is no stage.
    pub stage: Option<Stage>,
    pub secure: bool,
    pub active: bool,
    pub primary: bool,
}

impl MappingRow {
    /// A row as Ultimate Multisite makes it.
    pub fn new(site_id: u64, domain: impl Into<String>) -> Self {
        let stage = Some(Stage::CheckingDns);
        let domain = domain.into();
        Self { site_id, domain, stage, secure: false, active: true, primary: false }
    }

    fn name(&self) -> Option<DomainName> {
        self.spelled().map(|(name, _)| name)
    }

    fn spelled(&self) -> Option<(DomainName, Spelling)> {
        Spelling::read(&self.domain).ok()
    }
}

/// The rows of a network and what its options hold.
#[derive(Clone, Debug)]
pub struct Tables {
    pub identity: Identity,
    pub sites: BTreeMap<u64, SiteRow>,
    pub mappings: BTreeMap<u64, MappingRow>,
    pub home: Option<Home>,
    pub switch: Switch,
    pub settings: Settings,
    pub shared_bases: BTreeSet<DomainName>,
    /// The id of the next mapping: as in a database, none comes twice.
    pub next_mapping: u64,
}

impl Tables {
    /// Insert a mapping as Ultimate Multisite does; its id.
    pub fn map(&mut self, site_id: u64, domain: impl Into<String>) -> u64 {
        self.insert(MappingRow::new(site_id, domain))
    }

    /// Insert a mapping; its id.
    pub fn insert(&mut self, row: MappingRow) -> u64 {
        let id = self.next_mapping;
        self.next_mapping += 1;
        self.mappings.insert(id, row);
        id
    }

    fn is_mapped(&self, name: &DomainName) -> bool {
        self.mappings.values().any(|row| row.name().as_ref() == Some(name))
    }

    /// Whether site `id` may get its record under `domain`.
    fn may_record(&self, id: u64, domain: &DomainName) -> bool {
        let has = |row: &SiteRow, name: &DomainName| row.domain.parse().as_ref() == Ok(name);
        let Some(site) = self.sites.get(&id).filter(|site| has(site, domain)) else {
            return false;
        };
        let names: Vec<DomainName> =
            [Some(domain.clone()), domain.twin()].into_iter().flatten().collect();
        let mut others = self.sites.iter().filter(|(other, _)| **other != id);
        let taken = others.any(|(_, other)| names.iter().any(|name| has(other, name)));
        site.path == "/"
            && !site.hidden
            && !taken
            && !self.mappings.values().any(|row| row.site_id == id)
            && !names.iter().any(|name| self.is_mapped(name))
    }

    /// Everything but stages, `secure` and the home.
    fn pulse(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.sites.hash(&mut hasher);
        for (id, row) in &self.mappings {
            (id, row.site_id, &row.domain, row.active, row.primary).hash(&mut hasher);
        }
        let settings = &self.settings;
        (self.switch, settings.dns_check_interval, settings.domain_mapping).hash(&mut hasher);
        hasher.finish()
    }
}

/// A [`NetworkSource`] in memory; its clones are the same network.
#[derive(Clone)]
pub struct MemoryNetwork {
    clock: Arc<dyn Clock>,
    tables: Arc<Mutex<Tables>>,
}

impl MemoryNetwork {
    /// A network with its main site and nothing else; `clock` is the database's.
    pub fn new(identity: Identity, clock: Arc<dyn Clock>) -> Self {
        let main = SiteRow {
            network_id: identity.network_id,
            domain: identity.domain.to_string(),
            path: "/".to_owned(),
            hidden: false,
            registered: clock.now() - Duration::from_hours(24),
        };
        let tables = Tables {
            identity,
            sites: BTreeMap::from([(1, main)]),
            mappings: BTreeMap::new(),
            home: None,
            switch: Switch::Off,
            settings: Settings { domain_mapping: Switch::On, ..Settings::default() },
            shared_bases: BTreeSet::new(),
            next_mapping: 1,
        };
        Self { clock, tables: Arc::new(Mutex::new(tables)) }
    }

    /// Its rows, to read and to change from behind.
    pub fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(what: String) -> SourceError {
    SourceError::Refused { what }
}

/// A site as it is read; a domain that is none becomes a problem.
fn site(id: u64, row: &SiteRow, now: Time, problems: &mut Vec<Problem>) -> Site {
    let domain = row.domain.parse().ok();
    if domain.is_none() {
        problems.push(Problem::in_row("wp_blogs", "domain", id, "it is no domain name"));
    }
    Site {
        network_id: row.network_id,
        domain,
        path: row.path.clone(),
        age: Some(now.since(row.registered)),
        registered: Some(row.registered),
        hidden: row.hidden.then_some(Hidden::Archived),
    }
}

fn mapping(id: u64, row: &MappingRow, (domain, spelling): (DomainName, Spelling)) -> Mapping {
    let MappingRow { site_id, stage, secure, active, primary, .. } = *row;
    Mapping { id, site_id, domain, spelling, stage, secure, active, primary }
}

/// The rows of `tables` as one read shows them.
fn network(tables: &Tables, now: Time) -> Network {
    let mut problems = Vec::new();
    let sites = tables.sites.iter().map(|(id, row)| (*id, site(*id, row, now, &mut problems)));
    let sites = sites.collect();
    let (mut mappings, mut unreadable) = (Vec::new(), BTreeMap::new());
    for (id, row) in &tables.mappings {
        if let Some(spelled) = row.spelled() {
            mappings.push(mapping(*id, row, spelled));
        } else {
            let what = "it is no domain name";
            problems.push(Problem::in_row("wp_wu_domain_mappings", "domain", *id, what));
            unreadable.insert(*id, row.site_id);
        }
    }
    Network {
        home: tables.home.clone(),
        switch: tables.switch,
        settings: tables.settings.clone(),
        shared_bases: tables.shared_bases.clone(),
        sites,
        mappings,
        unreadable,
        problems,
        database_time: Some(now),
        ..Network::empty(tables.identity.clone())
    }
}

#[async_trait]
impl NetworkSource for MemoryNetwork {
    async fn read(&self) -> Result<Network, SourceError> {
        Ok(network(&self.tables(), self.clock.now()))
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        Ok(self.tables().pulse())
    }

    async fn write_stage(&self, write: &StageWrite) -> Result<bool, SourceError> {
        let mut tables = self.tables();
        let row = tables.mappings.get_mut(&write.mapping_id);
        let is_it = |row: &&mut MappingRow| {
            row.stage == write.from && row.name().as_ref() == Some(&write.domain)
        };
        let Some(row) = row.filter(is_it) else { return Ok(false) };
        row.stage = Some(write.to);
        row.secure |= write.secure;
        Ok(true)
    }

    async fn create_record(
        &self,
        site: u64,
        domain: &DomainName,
    ) -> Result<Option<u64>, SourceError> {
        let mut tables = self.tables();
        let may = tables.may_record(site, domain);
        let row = MappingRow { primary: true, ..MappingRow::new(site, domain.as_str()) };
        Ok(may.then(|| tables.insert(row)))
    }

    async fn add_mapping(
        &self,
        site: u64,
        domain: &DomainName,
        primary: Primary,
    ) -> Result<u64, SourceError> {
        let mut tables = self.tables();
        if LONGEST_MAPPING < domain.as_str().len() {
            let what = format!(
                "`{domain}` is longer than the {LONGEST_MAPPING} octets that WordPress keeps"
            );
            return Err(refused(what));
        }
        if tables.is_mapped(domain) {
            return Err(refused(format!("`{domain}` is mapped already")));
        }
        if !tables.sites.contains_key(&site) {
            return Err(refused(format!("there is no site {site}")));
        }
        let primary = primary == Primary::Yes;
        for row in tables.mappings.values_mut().filter(|row| primary && row.site_id == site) {
            row.primary = false;
        }
        Ok(tables.insert(MappingRow { primary, ..MappingRow::new(site, domain.as_str()) }))
    }

    async fn move_mapping(&self, id: u64, from: u64, to: u64) -> Result<bool, SourceError> {
        let mut tables = self.tables();
        let row = tables.mappings.get_mut(&id).filter(|row| row.site_id == from);
        Ok(row.map(|row| (row.site_id, row.primary) = (to, false)).is_some())
    }

    async fn remove_mappings(&self, domain: &DomainName, rows: &[u64]) -> Result<u64, SourceError> {
        let mut tables = self.tables();
        let before = tables.mappings.len();
        let goes =
            |id: &u64, row: &MappingRow| rows.contains(id) && row.name().as_ref() == Some(domain);
        tables.mappings.retain(|id, row| !goes(id, row));
        Ok((before - tables.mappings.len()) as u64)
    }

    async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        let mut tables = self.tables();
        if replaces.allows(tables.home.as_ref()) {
            tables.home = Some(home.clone());
        }
        Ok(tables.home.clone())
    }

    async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        let on = Switch::from(on);
        Ok(std::mem::replace(&mut self.tables().switch, on) != on)
    }

    async fn set_check_interval(&self, seconds: u32) -> Result<(), SourceError> {
        let interval = Duration::from_secs(seconds.into());
        self.tables().settings.dns_check_interval = interval;
        Ok(())
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        Ok(vec![Right { purpose: "everything".to_owned(), missing: None }])
    }
}
