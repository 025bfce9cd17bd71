//! The network as the plugin lists it: JSON in, a [`Network`] out.
//!
//! What a row means is decided in the same place as for rows of a database. A listing that lacks a
//! part is an error, never a smaller network.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use rules::network::Switch;
use rules::source::SourceError;
use rules::{DomainName, Home, Identity, Network, Site, Stage, Time};
use serde_json::{Map, Value};

use super::hello;
use crate::installation::NetworkRow;
use crate::json_row::{self, JsonRow, serialised, taken};
use crate::snapshot::Snapshot;
use crate::web::{not_meant, number_of};
use crate::{Installation, TablePrefix, options, rows};

/// What is being done.
pub(super) const READING: &str = "reading the network from the plugin";

/// Where a mapping's row has its answer key.
const KEY: usize = 7;

/// An option that the plugin cannot read either.
const UNREADABLE: &[u8] = b"unreadable";

/// A whole listing.
#[derive(Debug)]
pub(super) struct Listing {
    /// What the plugin calls this state of the network.
    pub(super) version: String,
    /// When it was made.
    time: Time,
    network: Network,
    /// The answer keys of the routing proof, by mapping.
    keys: BTreeMap<u64, String>,
    /// A number that differs whenever the network differs, apart from stages.
    pub(super) pulse: u64,
}

impl Listing {
    /// Read a listing.
    ///
    /// # Errors
    ///
    /// A part of it is missing, or it is not of a network.
    pub(super) fn of(answer: &Map<String, Value>) -> Result<Self, SourceError> {
        let part = Parts(answer);
        let identity = identity(part.object("identity")?)?;
        let prefix: TablePrefix =
            identity.prefix.parse().map_err(|_| part.lacks("a table prefix"))?;
        let object_cache = answer.get("object_cache").and_then(Value::as_bool).unwrap_or_default();
        let installation = Installation { object_cache, ..Installation::new(prefix) };
        let mut snapshot = Snapshot::new(&installation);
        options(&part, &mut snapshot)?;
        domains(&part, &mut snapshot);
        for row in part.list("sites")? {
            taken(rows::site(&row_of(row), &mut snapshot));
        }
        let mut keys = BTreeMap::new();
        for row in part.list("mappings")?.iter().map(row_of) {
            taken(rows::mapping(&row, &mut snapshot));
            let id = row.at(0).and_then(|id| id.parse().ok());
            keys.extend(id.zip(row.at(KEY).map(str::to_owned)));
        }
        let time = answer.get("time").and_then(hello::time).ok_or_else(|| part.lacks("`time`"))?;
        let mut network = snapshot.finish(identity, stage_words(answer), Some(time));
        network.mappings.sort_by_key(|mapping| mapping.id);
        let pulse = pulse(&network);
        Ok(Self { version: part.text("version")?, time, network, keys, pulse })
    }

    /// The network as it is at `time`, where nothing has changed since but the time.
    pub(super) fn at(&self, time: Time) -> Network {
        let mut network = self.network.clone();
        let passed = time.since(self.time);
        let ages = network.sites.values_mut().filter_map(|site| site.age.as_mut());
        ages.for_each(|age| *age = whole_seconds(*age + passed));
        network.database_time = Some(time);
        network
    }

    /// When it was made.
    pub(super) fn time(&self) -> Time {
        self.time
    }

    /// The answer key of the routing proof of a mapping.
    pub(super) fn key(&self, mapping_id: u64) -> Option<&str> {
        self.keys.get(&mapping_id).map(String::as_str)
    }
}

/// The installation that acts for a network; none where it names none.
pub(super) fn home(value: &Value) -> Option<Home> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    options::home_of(text, value.get("serial").and_then(Value::as_u64))
}

/// The parts that a listing must have.
struct Parts<'a>(&'a Map<String, Value>);

impl<'a> Parts<'a> {
    fn list(&self, name: &str) -> Result<&'a [Value], SourceError> {
        let list = self.0.get(name).and_then(Value::as_array).map(Vec::as_slice);
        list.ok_or_else(|| self.lacks(&format!("`{name}`")))
    }

    fn object(&self, name: &str) -> Result<&'a Map<String, Value>, SourceError> {
        let object = self.0.get(name).and_then(Value::as_object);
        object.ok_or_else(|| self.lacks(&format!("`{name}`")))
    }

    fn text(&self, name: &str) -> Result<String, SourceError> {
        let text = self.0.get(name).and_then(json_row::text);
        text.ok_or_else(|| self.lacks(&format!("`{name}`")))
    }

    #[expect(clippy::unused_self, reason = "it is said of these parts")]
    fn lacks(&self, what: &str) -> SourceError {
        not_meant(READING, &format!("a listing without {what}"))
    }
}

fn identity(value: &Map<String, Value>) -> Result<Identity, SourceError> {
    let text = |key: &str| value.get(key).and_then(json_row::text);
    let domain = text("domain").unwrap_or_default();
    let domain = DomainName::parse_host(&domain).map_err(|why| SourceError::NotANetwork {
        what: format!("the network's own domain `{domain}` is not a domain: {why}"),
        hint: "check `DOMAIN_CURRENT_SITE` in wp-config.php".to_owned(),
    })?;
    Ok(Identity {
        app: text("app"),
        domain,
        database: text("database").unwrap_or_default(),
        prefix: text("prefix").unwrap_or_default(),
        network_id: value.get("network_id").and_then(number_of).unwrap_or(1),
    })
}

/// The settings are read like the option that they come from.
fn options(part: &Parts<'_>, snapshot: &mut Snapshot<'_>) -> Result<(), SourceError> {
    let none = Map::new();
    // PHP writes an object without members as an empty list.
    let settings = match part.0.get("settings") {
        // What the plugin cannot read, it passes on as null.
        Some(Value::Null) => UNREADABLE.to_vec(),
        settings => serialised(settings.and_then(Value::as_object).unwrap_or(&none)),
    };
    snapshot.option(0, options::SETTINGS, &settings);
    let switch = match part.0.get("switched_on") {
        Some(Value::Bool(on)) => Switch::from(*on),
        Some(Value::Null) => Switch::Unreadable,
        _ => return Err(part.lacks("`switched_on`")),
    };
    // A plugin from before it kept the serial does not say so.
    let keeps_serial = part.0.get("keeps_serial").and_then(Value::as_bool).unwrap_or(false);
    let home = part.0.get("home").and_then(home);
    snapshot.set_switch_and_home(switch, home, keeps_serial);
    Ok(())
}

fn domains(part: &Parts<'_>, snapshot: &mut Snapshot<'_>) {
    let texts = |name| {
        let list = part.0.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str)
    };
    let row = |domain: &str| NetworkRow { id: 0, domain: domain.to_owned(), path: String::new() };
    snapshot.networks(&texts("network_domains").map(row).collect::<Vec<_>>());
    texts("shared_bases").for_each(|lines| snapshot.shared_bases(lines));
}

/// All six where it is not given, as for a column that can have any text.
fn stage_words(answer: &Map<String, Value>) -> BTreeSet<Stage> {
    let words = answer.get("stage_words").and_then(Value::as_array).into_iter().flatten();
    let words: BTreeSet<_> = words.filter_map(|word| Stage::from_word(word.as_str()?)).collect();
    if words.is_empty() { Stage::ALL.into() } else { words }
}

/// A row that is not a list has no columns, and so no key.
fn row_of(value: &Value) -> JsonRow {
    JsonRow::of(value.as_array().map_or(&[][..], Vec::as_slice))
}

fn whole_seconds(age: Duration) -> Duration {
    Duration::from_secs(age.as_secs())
}

/// Time and stages are left out: those that we write would cause another pass.
fn pulse(network: &Network) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (id, site) in &network.sites {
        let Site { network_id, domain, path, hidden, .. } = site;
        (id, network_id, domain, path, hidden).hash(&mut hasher);
    }
    for row in &network.mappings {
        let name = (&row.domain, &row.spelling);
        (row.id, row.site_id, name, row.active, row.primary).hash(&mut hasher);
    }
    let settings = &network.settings;
    (settings.dns_check_interval, settings.domain_mapping).hash(&mut hasher);
    format!("{:?}", settings.www).hash(&mut hasher);
    (network.switch, &network.network_domains, &network.shared_bases).hash(&mut hasher);
    network.unreadable.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::network::WwwTwins;
    use serde_json::json;

    /// The example of `docs/protocol.md`, with two more rows.
    fn example() -> Value {
        json!({
            "version": "v1", "unchanged": false, "time": 1_795_000_000,
            "identity": { "app": null, "domain": "network.example", "database": "wp", "prefix": "wp_", "network_id": 1 },
            "home": { "app": null, "domain": "network.example", "ledger": "l1" },
            "switched_on": true,
            "settings": { "dns_check_interval": "120", "auto_create_www_subdomain": "never", "enable_domain_mapping": "1" },
            "network_domains": ["network.example"],
            "shared_bases": ["www.Bases.example:8080/"],
            "stage_words": ["checking-dns", "checking-ssl-cert", "done-without-ssl", "done", "failed"],
            "object_cache": true,
            "sites": [[1, 1, "network.example", "/", 86_400, false], ["2", "1", "shop.example", "/", null, "1"]],
            "mappings": [
                [42, 2, "bücher.example", null, 0, 1, 0, "4567"],
                ["41", "2", "Shop.example", "checking-dns", false, true, "1", "0123"],
            ],
        })
    }

    fn listing(change: impl FnOnce(&mut Value)) -> Result<Listing, SourceError> {
        let mut value = example();
        change(&mut value);
        Listing::of(value.as_object().unwrap())
    }

    #[test]
    fn a_listing_is_the_network() {
        let listing = listing(|_| {}).unwrap();
        let network = listing.at(Time::from_millis(1_795_000_060_000));
        let Identity { domain, database, prefix, network_id, .. } = &network.identity;
        let identity = (domain.as_str(), database.as_str(), prefix.as_str(), *network_id);
        assert_eq!(identity, ("network.example", "wp", "wp_", 1));
        assert_eq!(network.home.as_ref().unwrap().ledger, "l1");
        assert_eq!((network.switch, network.settings.domain_mapping), (Switch::On, Switch::On));
        assert!(network.object_cache);
        assert_eq!(network.settings.dns_check_interval, Duration::from_mins(2));
        assert_eq!(network.settings.www, WwwTwins::Never);
        let bases: Vec<_> = network.shared_bases.iter().map(DomainName::as_str).collect();
        assert_eq!(bases, ["bases.example"]);
        assert_eq!(network.stage_words.len(), 5);
        let site = &network.sites[&1];
        assert_eq!(site.age, Some(Duration::from_mins(1441)), "a minute older by now");
        assert!(network.sites[&2].hidden.is_some() && network.sites[&2].age.is_none());
        let [first, second] = &network.mappings[..] else { panic!("{:?}", network.mappings) };
        assert_eq!((first.id, first.domain.as_str()), (41, "shop.example"));
        assert_eq!(first.stage, Some(Stage::CheckingDns));
        assert!(!first.secure && first.active && first.primary);
        assert_eq!((second.id, second.stage), (42, None));
        assert_eq!(listing.key(41), Some("0123"));
        let reasons: Vec<_> = network.problems.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, ["`NULL` is not a stage; the next check writes one"]);
    }

    #[test]
    fn a_listing_that_lacks_a_part_is_no_smaller_network() {
        for part in ["identity", "sites", "mappings", "time", "version", "switched_on"] {
            let error = listing(|it| _ = it.as_object_mut().unwrap().remove(part)).unwrap_err();
            assert!(matches!(error, SourceError::BadAnswer { .. }), "{part}: {error:?}");
        }
        let error = listing(|it| it["identity"]["domain"] = "no host!".into()).unwrap_err();
        assert!(matches!(error, SourceError::NotANetwork { .. }), "{error:?}");
    }

    #[test]
    fn an_option_that_the_plugin_cannot_read_is_not_off() {
        let network = listing(|it| it["switched_on"] = Value::Null).unwrap().network;
        assert_eq!(network.switch, Switch::Unreadable);
        let network = listing(|it| it["settings"] = Value::Null).unwrap().network;
        assert_eq!(network.settings.domain_mapping, Switch::Unreadable);
        let without = listing(|it| _ = it.as_object_mut().unwrap().remove("settings")).unwrap();
        assert_eq!(without.network.settings.domain_mapping, Switch::Off);
    }

    #[test]
    fn a_row_that_makes_no_sense_costs_only_itself() {
        let listing = listing(|it| {
            it["sites"][0] = json!("rubbish");
            it["mappings"][0] = json!(["x"]);
            it["shared_bases"] = json!(["no host!"]);
            it["settings"] = json!([]);
            it["stage_words"] = json!([]);
        })
        .unwrap();
        assert_eq!((listing.network.sites.len(), listing.network.mappings.len()), (1, 1));
        assert_eq!(listing.network.stage_words.len(), 6, "a column of text holds any");
        let reasons: Vec<_> = listing.network.problems.iter().map(|it| &it.reason).collect();
        let unreadable = "a row whose id cannot be read";
        assert_eq!(
            reasons,
            ["shared base domains: `no host!` is not a host", unreadable, unreadable]
        );
    }

    #[test]
    fn the_pulse_changes_with_all_but_stages_and_time() {
        let pulse = |change: &dyn Fn(&mut Value)| listing(change).unwrap().pulse;
        let before = pulse(&|_| {});
        let same: [&dyn Fn(&mut Value); 4] = [
            &|it| it["time"] = 1_795_009_999.into(),
            &|it| it["mappings"][1][3] = "done".into(),
            &|it| it["mappings"][1][4] = true.into(),
            &|it| it["sites"][0][4] = 1.into(),
        ];
        assert!(same.iter().all(|change| pulse(change) == before));
        let others: [&dyn Fn(&mut Value); 7] = [
            &|it| it["mappings"][1][2] = "Shop.example.".into(),
            &|it| it["mappings"][1][2] = "other.example".into(),
            &|it| it["mappings"][1][1] = 1.into(),
            &|it| it["sites"][1][5] = false.into(),
            &|it| it["sites"] = json!([]),
            &|it| it["settings"]["dns_check_interval"] = "60".into(),
            &|it| it["switched_on"] = false.into(),
        ];
        assert!(others.iter().all(|change| pulse(change) != before));
    }
}
