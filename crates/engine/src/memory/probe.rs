//! Domains as anybody outside sees them: DNS answers by name, certificates by address and name.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rules::evidence::{Deep, Inquiry};
use rules::probe::{
    DnsObservation, Presented, Probe, ProofObservation, RootsSilent, TlsObservation, TlsVerdict,
};
use rules::{Clock, DomainName};

/// A [`Probe`] in memory; its clones see the same. A name that nobody gave an answer for does not exist; an address that
/// nobody gave a certificate to has none.
#[derive(Clone)]
pub struct MemoryProbe {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    dns: BTreeMap<DomainName, DnsObservation>,
    certificates: BTreeMap<(IpAddr, DomainName), TlsObservation>,
    proofs: BTreeMap<(IpAddr, DomainName), u64>,
    deep: BTreeMap<DomainName, Deep>,
    roots_silent: Option<RootsSilent>,
}

impl MemoryProbe {
    /// A world without domains; `clock` tells which certificates are over.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// What DNS says of `name` from now on.
    pub fn answers(&self, name: &DomainName, answer: DnsObservation) {
        self.state().dns.insert(name.clone(), answer);
    }

    /// Let `name` lead to these addresses.
    pub fn points(&self, name: &DomainName, to: impl IntoIterator<Item = IpAddr>) {
        let found = to.into_iter().collect();
        self.answers(
            name,
            DnsObservation::Addresses { found, through: Vec::new(), unanswered: None },
        );
    }

    /// What `address` presents for `name` from now on.
    pub fn presents(&self, address: IpAddr, name: &DomainName, what: TlsObservation) {
        self.state().certificates.insert((address, name.clone()), what);
    }

    /// Give `address` a good certificate for `name`.
    pub fn certify(&self, address: IpAddr, name: &DomainName, certificate: Presented) {
        let verdict = TlsVerdict::Trusted;
        self.presents(address, name, TlsObservation::Presented { certificate, verdict });
    }

    /// What WordPress on `address` proves for `name`: the id of a mapping.
    pub fn proves(&self, address: IpAddr, name: &DomainName, mapping_id: u64) {
        self.state().proofs.insert((address, name.clone()), mapping_id);
    }

    /// What the deep questions about `name` bring to light from now on; else nobody says anything.
    pub fn reveals(&self, name: &DomainName, deep: Deep) {
        self.state().deep.insert(name.clone(), deep);
    }

    /// No server of the root answers from now on, or one does.
    pub fn silences_roots(&self, silent: Option<RootsSilent>) {
        self.state().roots_silent = silent;
    }

    /// What DNS says of `name` now.
    pub fn dns_of(&self, name: &DomainName) -> DnsObservation {
        self.state().dns.get(name).cloned().unwrap_or(DnsObservation::NoSuchName)
    }

    /// What `address` presents for `name` now.
    pub fn certificate_of(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        let known = self.state().certificates.get(&(address, name.clone())).cloned();
        match known {
            Some(TlsObservation::Presented { certificate, verdict: TlsVerdict::Trusted }) => {
                let verdict = self.verdict_of(&certificate);
                TlsObservation::Presented { certificate, verdict }
            }
            Some(other) => other,
            None => TlsObservation::NoCertificate { detail: "unrecognized name".to_owned() },
        }
    }

    fn verdict_of(&self, certificate: &Presented) -> TlsVerdict {
        let now = self.clock.now();
        if certificate.not_after < now {
            TlsVerdict::Expired
        } else if now < certificate.not_before {
            TlsVerdict::NotYetValid
        } else {
            TlsVerdict::Trusted
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Probe for MemoryProbe {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        self.dns_of(name)
    }

    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        self.certificate_of(name, address)
    }

    async fn ask(&self, name: &DomainName, address: IpAddr, _: &str) -> ProofObservation {
        match self.state().proofs.get(&(address, name.clone())) {
            Some(id) => ProofObservation::Answered(*id),
            None => ProofObservation::NoProof { detail: "a page".to_owned() },
        }
    }

    async fn investigate(&self, name: &DomainName, _: &Inquiry<'_>) -> Deep {
        self.state().deep.get(name).cloned().unwrap_or_default()
    }

    fn roots_silent(&self) -> Option<RootsSilent> {
        self.state().roots_silent
    }

    fn recall_roots(&self, silent: Option<RootsSilent>) {
        let mut state = self.state();
        state.roots_silent = state.roots_silent.or(silent);
    }
}
