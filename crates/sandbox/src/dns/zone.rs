//! What one DNS server knows, and how it misbehaves: pure, except for the time of a change.
//!
//! It answers as a recursive resolver does: a chain of CNAMEs comes whole.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::record::{Record, RecordType};

/// No real chain is longer; a loop ends here at the latest.
const CHAIN_LIMIT: usize = 16;

/// How a server misbehaves for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// Answers SERVFAIL.
    ServFail,
    /// Answers REFUSED.
    Refused,
    /// Answers NXDOMAIN, no matter which records there are.
    NxDomain,
    /// Answers that there are no such records, no matter which records there are.
    NoData,
    /// Never answers.
    NoAnswer,
    /// Answers the truth so many seconds later.
    Delay(#[serde(with = "crate::seconds")] Duration),
}

/// One misbehaviour: which queries it hits and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What happens.
    pub behaviour: Behaviour,
    /// The type asked for, such as `AAAA`; any, when absent.
    #[serde(default, rename = "type")]
    pub record_type: Option<RecordType>,
    /// How many queries it still hits; always, when absent.
    #[serde(default)]
    pub times: Option<u32>,
}

impl From<Behaviour> for Failure {
    fn from(behaviour: Behaviour) -> Self {
        Self { behaviour, record_type: None, times: None }
    }
}

impl Failure {
    /// Hit only queries for this type.
    #[must_use]
    pub fn of(mut self, record_type: RecordType) -> Self {
        self.record_type = Some(record_type);
        self
    }

    /// Hit this many queries, then be over.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    fn hits(&self, asked: RecordType) -> bool {
        self.times != Some(0) && self.record_type.is_none_or(|mine| mine == asked)
    }
}

/// What is known about a name, without its failures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The answers in the order of the chain, each with its owner.
    pub(super) answers: Vec<(String, Record)>,
    pub(super) outcome: Outcome,
    /// The names that were met on the way.
    met: Vec<String>,
    /// When the last of them changed.
    changed: Option<Instant>,
}

/// How a query ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The name is there; perhaps without records of the type.
    Known,
    NxDomain,
    ServFail,
    Refused,
    NoAnswer,
}

/// What is sent, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) answers: Vec<(String, Record)>,
    pub(super) outcome: Outcome,
    pub(super) delay: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Zone {
    /// By name with its labels reversed, so that the names below a name follow it.
    nodes: BTreeMap<String, Node>,
    failures: BTreeMap<String, Vec<Failure>>,
}

#[derive(Debug)]
struct Node {
    name: String,
    records: Vec<Record>,
    changed: Instant,
}

impl Zone {
    pub(super) fn set(&mut self, name: &str, records: Vec<Record>) {
        let name = canonical(name);
        self.nodes.insert(turned(&name), Node { name, records, changed: Instant::now() });
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.nodes.remove(&turned(&canonical(name)));
    }

    pub(super) fn records(&self) -> BTreeMap<String, Vec<Record>> {
        self.nodes.values().map(|node| (node.name.clone(), node.records.clone())).collect()
    }

    pub(super) fn fail(&mut self, name: &str, failure: Failure) {
        self.failures.entry(canonical(name)).or_default().push(failure);
    }

    pub(super) fn heal(&mut self, name: &str) {
        self.failures.remove(&canonical(name));
    }

    pub(super) fn failures(&self) -> BTreeMap<String, Vec<Failure>> {
        self.failures.clone()
    }

    /// Answer a query, and count the failure that hits it.
    pub(super) fn answer(&mut self, name: &str, asked: RecordType) -> Reply {
        let Found { answers, outcome, met, .. } = self.find(name, asked);
        let nothing = |outcome| Reply { answers: Vec::new(), outcome, delay: Duration::ZERO };
        match met.iter().find_map(|name| self.take_failure(name, asked)) {
            None => Reply { answers, outcome, delay: Duration::ZERO },
            Some(Behaviour::Delay(delay)) => Reply { answers, outcome, delay },
            Some(Behaviour::ServFail) => nothing(Outcome::ServFail),
            Some(Behaviour::Refused) => nothing(Outcome::Refused),
            Some(Behaviour::NxDomain) => nothing(Outcome::NxDomain),
            Some(Behaviour::NoData) => nothing(Outcome::Known),
            Some(Behaviour::NoAnswer) => nothing(Outcome::NoAnswer),
        }
    }

    /// Since when the name's addresses are some of these and no others; `None` where they are not.
    pub(crate) fn points_only_at(&self, name: &str, targets: &BTreeSet<IpAddr>) -> Option<Instant> {
        let found = [self.find(name, RecordType::A), self.find(name, RecordType::AAAA)];
        let address = |(_, record): &(String, Record)| match record {
            Record::A(address) => Some(IpAddr::V4(*address)),
            Record::Aaaa(address) => Some(IpAddr::V6(*address)),
            _ => None,
        };
        let addresses: BTreeSet<IpAddr> =
            found.iter().flat_map(|found| &found.answers).filter_map(address).collect();
        let is_here =
            !addresses.is_empty() && addresses.is_subset(targets) && !self.is_failing(&found);
        found.iter().filter_map(|found| found.changed).max().filter(|_| is_here)
    }

    /// Whether a CA that asks now would get no answer to believe.
    fn is_failing(&self, found: &[Found; 2]) -> bool {
        let asked = [RecordType::A, RecordType::AAAA];
        let fails = |name: &String, asked| {
            let failure =
                self.failure(name, asked).map(|(key, at)| self.failures[&key][at].behaviour);
            failure.is_some_and(|behaviour| !matches!(behaviour, Behaviour::Delay(_)))
        };
        found
            .iter()
            .zip(asked)
            .any(|(found, asked)| found.met.iter().any(|name| fails(name, asked)))
    }

    fn find(&self, name: &str, asked: RecordType) -> Found {
        let mut found =
            Found { answers: Vec::new(), outcome: Outcome::Known, met: Vec::new(), changed: None };
        let mut name = canonical(name);
        while found.met.len() < CHAIN_LIMIT && !found.met.contains(&name) {
            found.met.push(name.clone());
            let Some(node) = self.node(&name) else {
                found.outcome =
                    if self.has_below(&name) { Outcome::Known } else { Outcome::NxDomain };
                return found;
            };
            found.changed = found.changed.max(Some(node.changed));
            let target = node.add_to(&mut found.answers, &name, asked);
            match target {
                Some(target) => name = target,
                None => return found,
            }
        }
        // A loop of CNAMEs has no answer; resolvers say SERVFAIL.
        found.answers.clear();
        found.outcome = Outcome::ServFail;
        found
    }

    /// The name itself, else the wildcard at its closest encloser (RFC 4592).
    fn node(&self, name: &str) -> Option<&Node> {
        if let Some(node) = self.nodes.get(&turned(name)) {
            return Some(node);
        }
        if self.has_below(name) {
            return None;
        }
        let encloser = parents(name)
            .find(|parent| self.nodes.contains_key(&turned(parent)) || self.has_below(parent))?;
        self.nodes.get(&turned(&format!("*.{encloser}")))
    }

    /// Whether there are names below this one: it then exists without having records (RFC 8020).
    fn has_below(&self, name: &str) -> bool {
        let prefix = format!("{}.", turned(name));
        self.nodes.range(prefix.clone()..).next().is_some_and(|(key, _)| key.starts_with(&prefix))
    }

    /// Where the failures that hit this query are kept: at the name, at a wildcard above it, or at
    /// `*` for all names.
    fn failure(&self, name: &str, asked: RecordType) -> Option<(String, usize)> {
        let wildcards = parents(name).map(|parent| format!("*.{parent}"));
        iter::once(name.to_owned()).chain(wildcards).chain(iter::once("*".to_owned())).find_map(
            |key| {
                let at = self.failures.get(&key)?.iter().position(|failure| failure.hits(asked))?;
                Some((key, at))
            },
        )
    }

    fn take_failure(&mut self, name: &str, asked: RecordType) -> Option<Behaviour> {
        // Most servers never fail: skip the search.
        if self.failures.is_empty() {
            return None;
        }
        let (key, at) = self.failure(name, asked)?;
        let failures = self.failures.get_mut(&key)?;
        let behaviour = failures[at].behaviour;
        match &mut failures[at].times {
            Some(1) => drop(failures.remove(at)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(behaviour)
    }
}

impl Node {
    /// Add what answers the query; where a CNAME does, return its target.
    fn add_to(
        &self,
        answers: &mut Vec<(String, Record)>,
        owner: &str,
        asked: RecordType,
    ) -> Option<String> {
        let wanted =
            |record: &&Record| record.record_type() == asked || matches!(record, Record::Cname(_));
        answers.extend(
            self.records.iter().filter(wanted).map(|record| (owner.to_owned(), record.clone())),
        );
        self.records.iter().find_map(|record| match record {
            Record::Cname(target) if asked != RecordType::CNAME => Some(canonical(target)),
            _ => None,
        })
    }
}

/// Lower case, no dot at the end.
pub(super) fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// `shop.example.test` as `test.example.shop`.
fn turned(name: &str) -> String {
    name.rsplit('.').collect::<Vec<_>>().join(".")
}

fn parents(name: &str) -> impl Iterator<Item = &str> {
    iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent)).skip(1)
}

#[cfg(test)]
mod tests {
    use super::super::record::{a, aaaa, cname};
    use super::*;

    fn zone(names: &[(&str, &[Record])]) -> Zone {
        let mut zone = Zone::default();
        for (name, records) in names {
            zone.set(name, records.to_vec());
        }
        zone
    }

    fn answer(zone: &mut Zone, name: &str, asked: RecordType) -> (Vec<Record>, Outcome) {
        let reply = zone.answer(name, asked);
        (reply.answers.into_iter().map(|(_, record)| record).collect(), reply.outcome)
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn names_are_found_as_a_recursive_resolver_finds_them() {
        use Outcome::{Known, NxDomain, ServFail};
        let mut zone = zone(&[
            ("a.test", &[a("127.0.0.1")]),
            ("WWW.a.test.", &[cname("A.test.")]),
            ("*.a.test", &[a("127.0.0.2")]),
            ("deep.below.a.test", &[a("127.0.0.3")]),
            ("loop.test", &[cname("pool.test")]),
            ("pool.test", &[cname("loop.test")]),
            ("lost.test", &[cname("nowhere.example")]),
        ]);
        let table = [
            ("the name itself",                 "a.test",            RecordType::A,     vec![a("127.0.0.1")], Known),
            ("in any case, with a dot",         "A.TEST.",           RecordType::A,     vec![a("127.0.0.1")], Known),
            ("without records of the type",     "a.test",            RecordType::AAAA,  vec![], Known),
            ("a chain comes whole",             "www.a.test",        RecordType::A,     vec![cname("A.test."), a("127.0.0.1")], Known),
            ("unless it is asked for",          "www.a.test",        RecordType::CNAME, vec![cname("A.test.")], Known),
            ("a wildcard covers one label",     "x.a.test",          RecordType::A,     vec![a("127.0.0.2")], Known),
            ("and several",                     "x.y.a.test",        RecordType::A,     vec![a("127.0.0.2")], Known),
            ("not what has names below it",     "below.a.test",      RecordType::A,     vec![], Known),
            ("and nothing beside those",        "x.below.a.test",    RecordType::A,     vec![], NxDomain),
            ("an unknown name",                 "b.test",            RecordType::A,     vec![], NxDomain),
            ("a parent without records exists", "test",              RecordType::A,     vec![], Known),
            ("a loop",                          "loop.test",         RecordType::A,     vec![], ServFail),
            ("a chain to nowhere",              "lost.test",         RecordType::A,     vec![cname("nowhere.example")], NxDomain),
        ];
        for (shows, name, asked, records, outcome) in table {
            assert_eq!(answer(&mut zone, name, asked), (records, outcome), "{shows}");
        }
    }

    #[test]
    fn a_failure_hits_its_type_as_often_as_it_says() {
        let mut zone = zone(&[("a.test", &[a("127.0.0.1")])]);
        zone.fail("a.test", Failure::from(Behaviour::ServFail).of(RecordType::A).times(1));
        zone.fail("*.test", Behaviour::Refused.into());

        assert_eq!(answer(&mut zone, "a.test", RecordType::A).1, Outcome::ServFail);
        assert_eq!(answer(&mut zone, "a.test", RecordType::A).1, Outcome::Refused);
        zone.heal("*.test");
        zone.fail("*", Failure::from(Behaviour::NxDomain).times(1));
        assert_eq!(answer(&mut zone, "a.test", RecordType::A).1, Outcome::NxDomain);
        assert_eq!(answer(&mut zone, "a.test", RecordType::A).1, Outcome::Known);
    }

    #[test]
    fn a_failure_anywhere_on_the_chain_is_felt() {
        let mut zone = zone(&[("www.test", &[cname("a.test")]), ("a.test", &[a("127.0.0.1")])]);
        zone.fail("a.test", Behaviour::ServFail.into());
        assert_eq!(answer(&mut zone, "www.test", RecordType::A), (vec![], Outcome::ServFail));
    }

    #[tokio::test]
    async fn a_name_points_here_only_with_all_of_its_addresses() {
        let targets = BTreeSet::from(["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()]);
        let mut zone = zone(&[
            ("both.test", &[a("127.0.0.1"), aaaa("::1")]),
            ("www.test", &[cname("both.test")]),
            ("stray.test", &[a("127.0.0.1"), aaaa("::2")]),
            ("none.test", &[]),
        ]);
        zone.fail("both.test", Behaviour::Delay(Duration::from_secs(1)).into());
        zone.set("sick.test", vec![a("127.0.0.1")]);
        zone.fail("sick.test", Failure::from(Behaviour::ServFail).of(RecordType::AAAA));
        let here = |name| zone.points_only_at(name, &targets).is_some();
        assert!(here("both.test") && here("www.test"));
        for name in ["stray.test", "none.test", "unknown.test", "sick.test"] {
            assert!(!here(name), "{name}");
        }
    }
}
