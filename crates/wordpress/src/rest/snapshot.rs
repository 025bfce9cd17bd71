//! The whole network over REST: two lists and one setting.
//!
//! Both first pages are asked for again at the end, so that nothing that was added or removed in
//! between goes unnoticed. A read during which the network changed is made once more; if it changed
//! again, the read says so.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use rules::network::Switch;
use rules::source::SourceError;
use rules::{DomainName, Identity, Network, Stage, Time};
use serde_json::{Map, Value};

use super::client::Session;
use super::meaning::Answer;
use super::pages::{List, Page, Rows};
use super::row;
use crate::json_row::{self, JsonRow, serialised, taken};
use crate::snapshot::Snapshot;
use crate::web::Endpoint;
use crate::{Installation, TablePrefix, options, rows};

const INTERVAL: &str = "dns_check_interval";
/// Ultimate Multisite's code where a setting was never saved.
const NO_SETTING: &str = "setting_not_found";

const SETTING: &str = "reading a setting over REST";

/// Both lists.
struct Lists {
    sites: Rows,
    mappings: Rows,
    /// The server's clock at the end.
    time: Option<Time>,
}

impl Lists {
    fn are_whole(&self) -> bool {
        self.sites.is_whole() && self.mappings.is_whole()
    }
}

impl Session<'_> {
    /// The network at `place`, whose column `stage` has `words`.
    pub(super) async fn network(
        &self,
        endpoint: &Endpoint,
        words: BTreeSet<Stage>,
    ) -> Result<Network, SourceError> {
        let domain = own_domain(endpoint)?;
        let mut lists = self.lists().await?;
        if !lists.are_whole() {
            lists = self.lists().await?;
        }
        let interval = self.interval().await;
        let prefix: TablePrefix = "".parse().expect("no prefix is one too");
        let installation = Installation::new(prefix);
        let mut snapshot = Snapshot::new(&installation);
        match interval {
            Ok(setting) => snapshot.option(0, options::SETTINGS, &serialised(&setting)),
            Err(why) => {
                snapshot.problem(format!(
                    "`{INTERVAL}` could not be read ({why}); using the default 300"
                ));
            }
        }
        // Reading the network over REST was configured, and that counts as both switches.
        snapshot.set_switch_and_home(Switch::On, None, false);
        let network_id = fill(&mut snapshot, &lists, &domain);
        let identity = Identity {
            app: None,
            domain,
            // REST reports neither.
            database: String::new(),
            prefix: String::new(),
            network_id,
        };
        let mut network = snapshot.finish(identity, words, lists.time);
        network.settings.domain_mapping = Switch::On;
        network.moved = !lists.are_whole();
        Ok(network)
    }

    /// A number that changes with what [`network`](Self::network) shows, stages aside, as far as
    /// the first pages show.
    pub(super) async fn pulse(&self) -> Result<u64, SourceError> {
        let mut hasher = DefaultHasher::new();
        for list in [List::Sites, List::Mappings] {
            let page = self.page(list, &[], 1).await?;
            page.total.hash(&mut hasher);
            for row in page.rows.iter().filter_map(Value::as_object) {
                row::id(row, list.ids()).hash(&mut hasher);
                row.get("domain").and_then(Value::as_str).hash(&mut hasher);
            }
        }
        Ok(hasher.finish())
    }

    async fn lists(&self) -> Result<Lists, SourceError> {
        let mut sites = self.pages(List::Sites, &[]).await?;
        let mut mappings = self.pages(List::Mappings, &[]).await?;
        let again: Page = self.page(List::Sites, &[], 1).await?;
        sites.add_again(List::Sites, again);
        let again = self.page(List::Mappings, &[], 1).await?;
        let time = again.time;
        mappings.add_again(List::Mappings, again);
        Ok(Lists { sites, mappings, time })
    }

    /// The setting under its name; nothing where its default holds.
    async fn interval(&self) -> Result<Map<String, Value>, String> {
        let path = format!("settings/{INTERVAL}");
        let value = match self.read(SETTING, &path, &[]).await.map_err(|error| describe(&error))? {
            Answer::Said(json, _) => setting(&json),
            // It was never saved, so its default holds.
            Answer::NotThere(fault) if fault.code == NO_SETTING => return Ok(Map::new()),
            Answer::NotThere(fault) | Answer::Refused(fault) => return Err(fault.message),
        };
        let value = value.ok_or("the answer has no value")?;
        Ok(Map::from_iter([(INTERVAL.to_owned(), value.into())]))
    }
}

/// The value itself, or an object that has it under one of the names that occur.
fn setting(json: &Value) -> Option<String> {
    let named = ["setting_value", "value", INTERVAL].iter().find_map(|name| json.get(*name));
    json_row::text(named.unwrap_or(json))
}

/// Fill in both lists; the id of our network.
fn fill(snapshot: &mut Snapshot<'_>, lists: &Lists, domain: &DomainName) -> u64 {
    let sites = lists.sites.by_id.values();
    let sites: Vec<_> = sites.map(|object| row::site(object, lists.time)).collect();
    for row in &sites {
        taken(rows::site(row, snapshot));
    }
    for object in lists.mappings.by_id.values() {
        taken(rows::mapping(&row::mapping(object), snapshot));
    }
    (0..lists.sites.odd).for_each(|_| snapshot.unreadable_row("blogs"));
    (0..lists.mappings.odd).for_each(|_| snapshot.unreadable_row("wu_domain_mappings"));
    // The main site says which network it is; without one any site does.
    let main = sites.iter().find(|row| is_main(row, domain)).or(sites.first());
    main.and_then(|row| row.at(row::NETWORK)?.parse().ok()).unwrap_or(1)
}

/// Whether it is the site at the network's own domain.
fn is_main(row: &JsonRow, domain: &DomainName) -> bool {
    row.at(row::DOMAIN).is_some_and(|it| DomainName::parse_host(it).as_ref() == Ok(domain))
}

fn own_domain(endpoint: &Endpoint) -> Result<DomainName, SourceError> {
    let name = endpoint.name();
    DomainName::parse_host(name).map_err(|why| SourceError::NotANetwork {
        what: format!("`{name}` is not the network's own domain: {why}"),
        hint: "set `network.host` to it, or `network.url` to the address of the network's own site"
            .to_owned(),
    })
}

fn describe(error: &SourceError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
