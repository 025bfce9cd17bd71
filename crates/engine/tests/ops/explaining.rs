//! Why domains are as they are: what is read and asked, and what it goes on without.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use engine::memory::{MemoryHost, MemoryProbe};
use engine::ops::{Explaining, Explanation, explain};
use engine::{Env, Exit, PassSettings};
use rules::evidence::{Deep, Inquiry};
use rules::explain::Ending;
use rules::finding::Code;
use rules::host::{AliasHost, AliasList, HostError};
use rules::ledger::{Batch, Ledger};
use rules::probe::{DnsObservation, Presented, Probe, ProofObservation, TlsObservation};
use rules::{DomainName, Network, Stage};

use crate::world::{NOW, Source, copy, env, ledger, mapping, name, network, put};

const HERE: &str = "203.0.113.7";
const ELSEWHERE: &str = "192.0.2.77";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `shop.example` is mapped and served as it should be.
fn served(network: Network) -> Network {
    let mut shop = mapping(7, 2, "shop.example");
    shop.stage = Some(Stage::Done);
    Network { mappings: vec![shop], ..network }
}

/// DNS and certificates, and how many names were looked at together at most.
struct FewAnswers {
    probe: MemoryProbe,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl FewAnswers {
    /// `shop.example` is here with a good certificate, `new.example` elsewhere.
    fn new() -> Self {
        let probe = MemoryProbe::new(Arc::clone(&env().clock) as _);
        let hour = std::time::Duration::from_hours(1);
        probe.points(&name("shop.example"), [ip(HERE)]);
        probe.points(&name("new.example"), [ip(ELSEWHERE)]);
        let certificate =
            Presented::new("CA", (NOW - hour, NOW + hour * 2000), vec!["shop.example".to_owned()]);
        probe.certify(ip(HERE), &name("shop.example"), certificate);
        Self { probe, now: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }
}

#[async_trait]
impl Probe for FewAnswers {
    async fn resolve(&self, name: &DomainName) -> DnsObservation {
        self.probe.resolve(name).await
    }

    async fn handshake(&self, name: &DomainName, address: IpAddr) -> TlsObservation {
        self.probe.handshake(name, address).await
    }

    async fn ask(&self, name: &DomainName, address: IpAddr, question: &str) -> ProofObservation {
        self.probe.ask(name, address, question).await
    }

    async fn investigate(&self, name: &DomainName, inquiry: &Inquiry<'_>) -> Deep {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        tokio::task::yield_now().await;
        self.now.fetch_sub(1, Ordering::Relaxed);
        self.probe.investigate(name, inquiry).await
    }
}

/// A host that answers everything with one error.
struct Broken(fn() -> HostError);

#[async_trait]
impl AliasHost for Broken {
    async fn add_alias(&self, _: &DomainName) -> Result<(), HostError> {
        unreachable!("explaining adds nothing")
    }

    async fn remove_alias(&self, _: &DomainName) -> Result<(), HostError> {
        unreachable!("explaining removes nothing")
    }

    async fn aliases(&self) -> Result<AliasList, HostError> {
        Err((self.0)())
    }

    async fn check_key(&self) -> Result<(), HostError> {
        Err((self.0)())
    }
}

/// A host that shows `shop.example`.
fn host() -> MemoryHost {
    let host = MemoryHost::default();
    host.present().insert(name("shop.example"));
    host
}

struct World {
    source: Source,
    eyes: FewAnswers,
    env: Env,
    settings: PassSettings,
}

impl World {
    fn new(network: Network) -> Self {
        // Addresses of examples are not public.
        let (targets, allow_private) = ([ip(HERE)].into(), true);
        let settings = PassSettings { targets, allow_private, ..PassSettings::default() };
        Self { source: Source::of(served(network)), eyes: FewAnswers::new(), env: env(), settings }
    }

    async fn explain(
        &self,
        names: &[&str],
        host: Option<&dyn AliasHost>,
        ledger: Option<&dyn Ledger>,
    ) -> Explanation {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let with = self.explaining(host, ledger);
        let explanation = explain(&with, &names).await.unwrap();
        assert_eq!(self.source.written(), Vec::<String>::new(), "nothing is written");
        explanation
    }

    fn explaining<'a>(
        &'a self,
        host: Option<&'a dyn AliasHost>,
        ledger: Option<&'a dyn Ledger>,
    ) -> Explaining<'a> {
        let Self { source, eyes, env, settings } = self;
        Explaining { source, host, probe: eyes, ledger, env, settings }
    }
}

/// The codes of the domain at `at`.
fn codes(explanation: &Explanation, at: usize) -> Vec<Code> {
    explanation.domains[at].findings.iter().map(|finding| finding.code).collect()
}

#[tokio::test]
async fn a_domain_that_is_served_is_ready_without_a_ledger_without_a_host_and_on_a_copy() {
    for network in [network(), copy()] {
        let world = World::new(network);
        for host in [Some(&host() as &dyn AliasHost), None] {
            let explanation = world.explain(&["shop.example"], host, None).await;
            let shop = &explanation.domains[0];
            assert!(shop.ready && shop.mapped, "{explanation:?}");
            assert_eq!(explanation.ending(), Ending::Ready);
            assert_eq!((shop.next_check, explanation.unread.len()), (None, 0));
        }
    }
}

#[tokio::test]
async fn of_several_names_each_is_explained_in_its_place_whatever_it_is() {
    let world = World::new(network());
    let long = format!("{}.example", "a".repeat(64));
    let names = ["192.0.2.1", "new.example", &long, "Shop.Example.", "shop.onion"];
    let explanation = world.explain(&names, Some(&host()), None).await;
    let first: Vec<_> =
        (0..names.len()).map(|at| codes(&explanation, at).first().copied()).collect();
    let shop = explanation.domains[3].findings.first().map(|finding| finding.code);
    assert_eq!(
        first,
        [
            Some(Code::ReservedName),
            Some(Code::OtherAddress),
            Some(Code::NameTooLong),
            shop,
            Some(Code::ReservedName),
        ]
    );
    assert!(explanation.domains[3].ready, "{:?}", explanation.domains[3]);
    assert!(codes(&explanation, 1).contains(&Code::NotMapped));
    assert_eq!(explanation.domains[2].domain, long);
    assert_eq!(explanation.ending(), Ending::SomebodyMustAct);
}

#[tokio::test]
async fn what_is_no_name_is_an_error_that_says_which_and_why() {
    let world = World::new(network());
    let names = ["shop.example".to_owned(), "https://shop.example".to_owned()];
    let failure = explain(&world.explaining(None, None), &names).await.unwrap_err();
    assert_eq!(failure.exit(), Exit::CouldNot);
    let text = failure.render();
    assert!(text.contains("`https://shop.example` is not a domain name: "), "{text}");
    assert!(text.contains("hint: "), "{text}");
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_told_and_gone_on_without() {
    let world = World::new(network());
    let out = || HostError::Unreachable("connection refused".into());
    let explanation = world.explain(&["shop.example"], Some(&Broken(out)), None).await;
    assert!(explanation.domains[0].ready, "{explanation:?}");
    assert_eq!(
        explanation.unread,
        [
            "the host's list of aliases could not be read: could not reach the host's API: connection refused"
        ]
    );
}

#[tokio::test]
async fn a_key_that_is_refused_now_is_the_networks_finding() {
    let world = World::new(network());
    let refused = || HostError::KeyRefused { words: "no".to_owned() };
    let explanation = world.explain(&["shop.example"], Some(&Broken(refused)), None).await;
    let network: Vec<_> = explanation.network.iter().map(|finding| finding.code).collect();
    assert_eq!(network, [Code::KeyRefused]);
    assert!(explanation.domains[0].ready, "what is served stays so");
}

#[tokio::test]
async fn the_ledger_gives_history_and_is_left_as_it_is() {
    let world = World::new(network());
    let ledger = ledger();
    let mapped =
        rules::wanted::Wanted::of(&served(network())).names.get(&name("shop.example")).cloned();
    let mut entry = rules::Entry::new(name("shop.example"), mapped, NOW);
    entry.checks.due = NOW + std::time::Duration::from_mins(5);
    put(&ledger, Batch { entries: vec![entry.clone()], ..Batch::default() }).await;
    let before = ledger.load().await.unwrap().entries;
    let explanation = world.explain(&["shop.example"], Some(&host()), Some(&ledger)).await;
    assert_eq!(explanation.domains[0].next_check, Some(entry.checks.due));
    assert_eq!(ledger.load().await.unwrap().entries, before);
}

#[tokio::test]
async fn at_most_so_many_names_are_looked_at_together() {
    let world = World::new(network());
    let names: Vec<String> = (0..80).map(|number| format!("d{number}.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let explanation = world.explain(&names, None, None).await;
    assert_eq!(explanation.domains.len(), 80);
    assert_eq!(world.eyes.most.load(Ordering::Relaxed), 64);
}
