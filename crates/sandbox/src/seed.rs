//! What a sandbox is set up with: one JSON document, or a value in Rust.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ca::Certificate;
use crate::closte::{Behaviour, Closte, Fault};
use crate::dns::{Dns, Failure, Record};
use crate::issuing::Issuing;
use crate::sandbox::Parts;
use crate::web::{Answer, Web};

/// What to set up, in addition to what is there. Every part may be absent.
///
/// ```
/// let seed: sandbox::Seed = serde_json::from_str(r#"{
///     "closte": {"aliases": ["shop.example.test"], "faults": [{"act": {"status": {"status": 503}}, "times": 2}]},
///     "dns": [{"records": {"shop.example.test": [{"A": "127.0.0.1"}], "*.example.test": [{"CNAME": "shop.example.test"}]}}],
///     "web": {"certificates": {"old.example.test": "expired"}},
///     "issuing": {"after": 2.5}
/// }"#).unwrap();
/// # assert_eq!(seed.dns[0].records.len(), 2);
/// ```
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// The stand-in for the host.
    pub closte: ClosteSeed,
    /// The DNS servers, in their order.
    pub dns: Vec<DnsSeed>,
    /// The web server.
    pub web: WebSeed,
    /// The link between them.
    pub issuing: IssuingSeed,
}

/// What the stand-in for the host is set up with.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClosteSeed {
    /// Aliases that are there.
    pub aliases: BTreeSet<String>,
    /// How it answers; as before, when absent.
    pub behaviour: Option<Behaviour>,
    /// Faults that will happen.
    pub faults: Vec<Fault>,
}

/// What a DNS server is set up with.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsSeed {
    /// All records of each name.
    pub records: BTreeMap<String, Vec<Record>>,
    /// Misbehaviour for names.
    pub failures: BTreeMap<String, Vec<Failure>>,
}

/// What the web server is set up with.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebSeed {
    /// What visitors of a name are shown.
    pub certificates: BTreeMap<String, Certificate>,
    /// What visitors of other names are shown; as before, when absent.
    pub otherwise: Option<Certificate>,
    /// What each name answers to the question for WordPress' routing proof.
    pub answers: BTreeMap<String, Answer>,
}

/// What issuing is set up with.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IssuingSeed {
    /// Seconds that a certificate takes; as before, when absent.
    pub after: Option<Seconds>,
    /// Wildcards whose step on the dashboard is done.
    pub finished: BTreeSet<String>,
}

/// A duration that is written as seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Seconds(#[serde(with = "crate::seconds")] pub Duration);

/// Why a seed cannot be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// It sets up a DNS server that does not run.
    #[error("the seed has {named} DNS servers, the sandbox runs {running}")]
    TooManyDnsServers {
        /// How many the seed has.
        named: usize,
        /// How many there are.
        running: usize,
    },
}

impl Parts {
    pub(crate) fn sow(&self, seed: Seed) -> Result<(), SeedError> {
        let (named, running) = (seed.dns.len(), self.dns.len());
        if named > running {
            return Err(SeedError::TooManyDnsServers { named, running });
        }
        sow_closte(&self.closte, seed.closte);
        for (server, seed) in self.dns.iter().zip(seed.dns) {
            sow_dns(server, seed);
        }
        sow_web(&self.web, seed.web);
        sow_issuing(&self.issuing, seed.issuing);
        Ok(())
    }
}

fn sow_closte(closte: &Closte, seed: ClosteSeed) {
    for name in seed.aliases {
        closte.insert_alias(&name);
    }
    for fault in seed.faults {
        closte.fault(fault);
    }
    if let Some(new) = seed.behaviour {
        closte.behave(|behaviour| *behaviour = new);
    }
}

fn sow_web(web: &Web, seed: WebSeed) {
    for (name, certificate) in seed.certificates {
        web.set(&name, certificate);
    }
    if let Some(certificate) = seed.otherwise {
        web.otherwise(certificate);
    }
    for (name, answer) in seed.answers {
        web.answer(&name, answer);
    }
}

fn sow_issuing(issuing: &Issuing, seed: IssuingSeed) {
    if let Some(Seconds(after)) = seed.after {
        issuing.set_after(after);
    }
    for name in seed.finished {
        issuing.finish_wildcard(&name);
    }
}

fn sow_dns(server: &Dns, seed: DnsSeed) {
    for (name, records) in seed.records {
        server.set(&name, records);
    }
    for (name, failures) in seed.failures {
        for failure in failures {
            server.fail(&name, failure);
        }
    }
}
