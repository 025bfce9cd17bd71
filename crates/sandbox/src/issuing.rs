//! When the stand-in issues a certificate automatically, as the host does some time after an alias was added.
//!
//! Nothing polls: whether a name has its certificate is computed when somebody asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::{closte, dns, locked};

/// The rule that links the host, the DNS and the web server.
#[derive(Debug)]
pub(crate) struct Issuing {
    closte: Arc<closte::Shared>,
    dns: Arc<dns::Shared>,
    web: BTreeSet<IpAddr>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How long after the last condition came true.
    after: Duration,
    /// Wildcards whose step on the dashboard was done, and when.
    finished: BTreeMap<String, Instant>,
    /// Aliases whose certificate was seen issued, with the time of the alias: DNS may change, the certificate stays.
    issued: BTreeMap<String, Instant>,
}

impl Issuing {
    pub(crate) fn new(
        closte: Arc<closte::Shared>,
        dns: Arc<dns::Shared>,
        web: BTreeSet<IpAddr>,
        after: Duration,
    ) -> Self {
        let state = State { after, finished: BTreeMap::new(), issued: BTreeMap::new() };
        Self { closte, dns, web, state: Mutex::new(state) }
    }

    /// Change how long it takes.
    pub(crate) fn set_after(&self, after: Duration) {
        locked(&self.state).after = after;
    }

    pub(crate) fn after(&self) -> Duration {
        locked(&self.state).after
    }

    /// The step on the dashboard that a wildcard needs.
    pub(crate) fn finish_wildcard(&self, name: &str) {
        locked(&self.state).finished.entry(name.to_owned()).or_insert_with(Instant::now);
    }

    pub(crate) fn finished_wildcards(&self) -> BTreeSet<String> {
        locked(&self.state).finished.keys().cloned().collect()
    }

    /// The name in the certificate that a visitor of `name` gets: itself, a wildcard, or none yet.
    pub(crate) fn certified(&self, name: &str) -> Option<String> {
        let wildcard = name.split_once('.').map(|(_, parent)| format!("*.{parent}"));
        let exact = self.is_issued(name, name).then(|| name.to_owned());
        exact.or_else(|| wildcard.filter(|wildcard| self.is_issued(wildcard, name)))
    }

    /// Whether there is a certificate for `alias`, where `asked` is the name whose DNS counts.
    fn is_issued(&self, alias: &str, asked: &str) -> bool {
        let Some(added) = self.closte.alias_since(alias) else { return false };
        let mut state = locked(&self.state);
        if state.issued.get(alias) == Some(&added) {
            return true;
        }
        let is_issued = self
            .ready(alias, asked, added, &state)
            .is_some_and(|ready| ready + state.after <= Instant::now());
        if is_issued {
            state.issued.insert(alias.to_owned(), added);
        }
        is_issued
    }

    /// When the last condition came true; `None` while one is missing.
    fn ready(&self, alias: &str, asked: &str, added: Instant, state: &State) -> Option<Instant> {
        let here = self.dns.points_only_at(asked, &self.web)?;
        let finished = if alias.starts_with("*.") { *state.finished.get(alias)? } else { added };
        Some(added.max(here).max(finished))
    }
}
