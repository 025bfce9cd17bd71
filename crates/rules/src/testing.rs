//! Small worlds for the tables of this crate.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::lookup::Spelling;
use crate::stage::StagePolicy;
use crate::{Identity, Mapping, Network, Site, Stage, Time};

/// A mapping in its first stage.
pub(crate) fn mapping(id: u64, site_id: u64, domain: &str) -> Mapping {
    let (domain, spelling) = Spelling::read(domain).unwrap();
    Mapping {
        id,
        site_id,
        domain,
        spelling,
        stage: Some(Stage::CheckingDns),
        secure: false,
        active: true,
        primary: false,
    }
}

/// A site an hour old.
pub(crate) fn site(domain: &str) -> Site {
    Site {
        network_id: 1,
        domain: domain.parse().ok(),
        path: "/".to_owned(),
        age: Some(Duration::from_hours(1)),
        registered: Some(Time::from_millis(0)),
        hidden: None,
    }
}

/// `net.example` with four sites, `net.example` itself and `s2` to `s4` below it.
pub(crate) fn network(mappings: Vec<Mapping>) -> Network {
    let mut sites: BTreeMap<u64, Site> =
        (2..=4).map(|id| (id, site(&format!("s{id}.net.example")))).collect();
    sites.insert(1, site("net.example"));
    let identity = Identity {
        app: Some("app1".to_owned()),
        domain: "net.example".parse().unwrap(),
        database: "wp".to_owned(),
        prefix: "wp_".to_owned(),
        network_id: 1,
    };
    Network { sites, mappings, ..Network::empty(identity) }
}

/// As long as people are waited for where nobody says otherwise.
pub(crate) const POLICY: StagePolicy = StagePolicy {
    dns_patience: Duration::from_hours(48),
    certificate_patience: Duration::from_mins(100),
    demote: false,
    require_proof: false,
};
