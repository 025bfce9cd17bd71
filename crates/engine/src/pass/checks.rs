//! Looking at domains, many at once, and taking in what was seen.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, future};
use rules::action::{Action, Outcome};
use rules::entry::{Entry, Routing};
use rules::judge::{self, Check, View};
use rules::probe::{DnsObservation, Probe, ProofObservation, TlsObservation};
use rules::proof::{self, Asking};
use rules::targets::TargetBasis;
use rules::{DomainName, Network, Problem, Targets};
use tokio::sync::{OnceCell, mpsc};

use super::deadline::Deadline;
use super::journal::Journal;
use super::{Change, Engine, PassObserver};
use crate::texts;

/// So many checks are under way at once.
const AT_ONCE: usize = 64;
/// A check gets so much time to end once the pass is cut short; else it is left due.
const TO_END: Duration = Duration::from_millis(250);
/// After so many checks in a row that no resolver answered, the rest is left due.
const UNOBSERVABLE_AFTER: usize = 8;

/// Looks at entries as they come in.
pub(super) struct Checker<'a> {
    engine: &'a Engine,
    network: &'a Network,
    journal: &'a Journal<'a>,
    deadline: &'a Deadline<'a>,
    observer: &'a dyn PassObserver,
    interval: Duration,
    targets: OnceCell<Targets>,
    unanswered: AtomicUsize,
    /// Whether a name was resolved, were it to nothing.
    answered: AtomicBool,
    /// Whether the network's own domain was asked for, to see that.
    asked_own: OnceCell<()>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        network: &'a Network,
        journal: &'a Journal<'a>,
        deadline: &'a Deadline<'a>,
        observer: &'a dyn PassObserver,
    ) -> Self {
        Self {
            engine,
            network,
            journal,
            deadline,
            observer,
            interval: engine.interval(network),
            targets: OnceCell::new(),
            unanswered: AtomicUsize::new(0),
            answered: AtomicBool::new(false),
            asked_own: OnceCell::new(),
        }
    }

    /// Check everything that comes in, until no more can come; each goes `on` as it was checked.
    pub(super) async fn run(
        &self,
        incoming: mpsc::UnboundedReceiver<Entry>,
        on: mpsc::UnboundedSender<Entry>,
    ) {
        let incoming = futures_util::stream::unfold(incoming, async |mut incoming| {
            incoming.recv().await.map(|entry| (entry, incoming))
        });
        let mut checked = incoming.map(|entry| self.check(entry)).buffer_unordered(AT_ONCE).boxed();
        while let Some(entry) = checked.next().await {
            self.observer.advances();
            on.send(entry).expect("stages outlive the checks");
        }
    }

    async fn check(&self, mut entry: Entry) -> Entry {
        if !self.deadline.is_open() || self.is_unobservable() {
            return entry;
        }
        let name = entry.domain.checked_as(&self.random_label());
        let asking = self.asking(&entry);
        let seen = async {
            let targets = self.targets.get_or_init(async || self.find_targets().await).await;
            (targets, see(self.engine.probe.as_ref(), &name, targets, &asking).await)
        };
        let (targets, check) = tokio::select! {
            biased;
            seen = seen => seen,
            () = self.out_of_time() => return entry,
        };
        self.count(&check.dns);
        let others_answer = self.others_answer(&check.dns).await;
        let view = View {
            targets,
            interval: self.interval,
            dashboard: self.engine.settings.dashboard.as_deref(),
            asking: &asking,
            stages: &self.engine.settings.stages,
            others_answer,
            mappings: &self.network.mappings,
            now: self.engine.env.now(),
            chance: self.engine.env.chance(),
        };
        let before = entry.clone();
        judge::judge(&mut entry, &check, &view);
        self.journal.entry(Some(&before), &entry);
        // Nobody waits for a twin that is elsewhere.
        if !entry.is_candidate() || entry.routing.state == Routing::Here {
            self.journal.change(checked(&entry, view.stages.require_proof), false);
        }
        entry
    }

    /// Returns when a check that is under way is given up.
    async fn out_of_time(&self) {
        self.deadline.cut_short().await;
        self.engine.env.sleep(TO_END).await;
    }

    /// Whether WordPress is asked for its routing proof. A site's age is as it was
    /// read: between passes that only asks a little later.
    fn asking(&self, entry: &Entry) -> Asking {
        if !self.engine.settings.ask_proof {
            return Asking::Never;
        }
        let source = self.engine.source.as_ref();
        proof::asking(entry, self.network, |mapped| {
            source.routing_question(mapped.mapping_id, &entry.domain)
        })
    }

    async fn find_targets(&self) -> Targets {
        let (engine, own) = (self.engine, &self.network.identity.domain);
        let basis = TargetBasis { own: Some(own), ..engine.settings.target_basis() };
        let before = self.journal.targets();
        let now = engine.env.now();
        let targets = crate::targets(&basis, before.as_ref(), engine.probe.as_ref(), now).await;
        self.journal.found_targets(&targets);
        if targets.is_empty() {
            self.journal.problem(Problem::of_all(texts::no_targets(&targets, Some(own))));
        }
        targets
    }

    /// A label that no zone has by chance, to check wildcards under.
    fn random_label(&self) -> String {
        format!("closte-sync-{:08x}", self.engine.env.random.next() >> 32)
    }

    fn is_unobservable(&self) -> bool {
        UNOBSERVABLE_AFTER <= self.unanswered.load(Ordering::Relaxed)
    }

    /// Whether resolvers answer for other names than that which DNS said `dns` of; they are asked
    /// only where its zone fails.
    async fn others_answer(&self, dns: &DnsObservation) -> bool {
        let DnsObservation::Failed { .. } = dns else { return true };
        if self.answered.load(Ordering::Relaxed) {
            return true;
        }
        let own = async || {
            let answer = self.engine.probe.resolve(&self.network.identity.domain).await;
            self.answered.fetch_or(answer.is_answer(), Ordering::Relaxed);
        };
        self.asked_own.get_or_init(own).await;
        // A check beside this one may have been answered meanwhile.
        self.answered.load(Ordering::Relaxed)
    }

    /// Count checks in a row that no resolver answered.
    fn count(&self, dns: &DnsObservation) {
        self.answered.fetch_or(dns.is_answer(), Ordering::Relaxed);
        let DnsObservation::NoAnswer { detail } = dns else {
            return self.unanswered.store(0, Ordering::Relaxed);
        };
        if self.unanswered.fetch_add(1, Ordering::Relaxed) + 1 == UNOBSERVABLE_AFTER {
            self.journal.problem(Problem::of_all(format!(
                "no DNS resolver answers, so no domain can be checked ({detail}); check \
                 `checks.resolvers` or /etc/resolv.conf"
            )));
        }
    }
}

/// One check: DNS, and where that leads to the network a visit to each address.
async fn see(probe: &dyn Probe, name: &DomainName, targets: &Targets, asking: &Asking) -> Check {
    let dns = probe.resolve(name).await;
    let visits = judge::visits(&dns, targets).into_iter();
    let visits = future::join_all(visits.map(|ip| visit(probe, name, ip, asking))).await;
    let (tls, answers): (Vec<_>, Vec<_>) = visits.into_iter().unzip();
    Check { dns, tls, proof: answers.into_iter().flatten().collect() }
}

/// A handshake, and the question for the routing proof where that may be asked.
async fn visit(
    probe: &dyn Probe,
    name: &DomainName,
    ip: IpAddr,
    asking: &Asking,
) -> (TlsObservation, Option<(IpAddr, ProofObservation)>) {
    let observation = probe.handshake(name, ip).await;
    let answer = match asking {
        Asking::Now { question } if judge::may_ask(&observation) => {
            Some((ip, probe.ask(name, ip, question).await))
        }
        _ => None,
    };
    (observation, answer)
}

/// The change that a check was; `require_proof` where no domain is `done` without one.
fn checked(entry: &Entry, require_proof: bool) -> Change {
    let held_back = require_proof && entry.lacks_proof();
    let outcome = match entry.unseen() {
        Some(_) => Outcome::Unknown,
        None if entry.is_ready() && !held_back => Outcome::Ready,
        None => Outcome::Waiting,
    };
    let why = entry.observed_why(held_back);
    Change {
        action: Action::Check,
        domain: entry.domain.clone(),
        outcome,
        reason: why.map(|why| why.reason),
        detail: why.and_then(|why| why.detail).map(str::to_owned),
    }
}
