//! DNS and web servers, which may be silent.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rules::evidence::{Deep, Inquiry};
use rules::probe::{DnsObservation, Probe, ProofObservation, TlsObservation, Unreached};
use rules::{Clock, DomainName};

use crate::history::ResolverMood;
use crate::world::{Who, World};

pub(crate) struct FaultyProbe {
    pub(crate) world: Arc<World>,
    pub(crate) who: Who,
}

/// The mapping's name behind a name that is asked for: a wildcard is asked for under a label.
fn mapped_as(name: &DomainName) -> DomainName {
    let below = name.as_str().strip_prefix("closte-sync-").and_then(|rest| rest.split_once('.'));
    below.map_or_else(|| name.clone(), |(_, base)| crate::world::name(&format!("*.{base}")))
}

#[async_trait]
impl Probe for FaultyProbe {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        self.world.sleep(Duration::from_millis(30)).await;
        let name = mapped_as(name);
        let mood = self.world.state().resolver;
        let seen = match mood {
            ResolverMood::Silent => DnsObservation::NoAnswer { detail: "timed out".to_owned() },
            ResolverMood::ServFail => DnsObservation::Failed { detail: "SERVFAIL".to_owned() },
            _ => self.world.probe.dns_of(&name),
        };
        let at = self.world.clock.passed();
        let mut state = self.world.state();
        // Without the database there is nothing to compare a clock with.
        let off = if state.is_blind { 0 } else { state.clock_off };
        if mood == ResolverMood::ServFail {
            state.watch.all_fail(self.who, at);
        }
        state.watch.resolved(self.who, &name, &seen, off, (at, self.world.clock.now()));
        seen
    }

    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        self.world.sleep(Duration::from_millis(50)).await;
        let name = mapped_as(name);
        let mood = self.world.state().resolver;
        let seen = match mood {
            ResolverMood::WebSilent => {
                TlsObservation::NoAnswer { how: Unreached::Silent, detail: "timed out".to_owned() }
            }
            _ => self.world.probe.certificate_of(&name, address),
        };
        self.world.state().watch.shaken(self.who, &name, &seen);
        seen
    }

    async fn ask(&self, _: &DomainName, _: IpAddr, _: &str) -> ProofObservation {
        ProofObservation::NoProof { detail: "nobody asks here".to_owned() }
    }

    async fn investigate(&self, name: &DomainName, inquiry: &Inquiry<'_>) -> Deep {
        self.world.sleep(Duration::from_millis(200)).await;
        self.world.probe.investigate(&mapped_as(name), inquiry).await
    }
}
