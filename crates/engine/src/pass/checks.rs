//! Looking at domains, many at once, and taking in what was seen.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, future};
use rules::action::{Action, Outcome};
use rules::entry::{Entry, Routing};
use rules::evidence::Deep;
use rules::explain::{self, DnsRule, Headline};
use rules::judge::{self, Check, View};
use rules::probe::{DnsObservation, Probe, ProofObservation, TlsObservation};
use rules::proof::{self, Asking};
use rules::source::NetworkSource;
use rules::targets::TargetBasis;
use rules::{DomainName, Network, Problem, Targets};
use tokio::sync::{OnceCell, mpsc};

use super::deadline::Deadline;
use super::findings::{Explainer, Looking};
use super::journal::Journal;
use super::{Change, Engine, PassObserver, PassSettings};
use crate::env::Env;
use crate::texts::{self, findings::Language};

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
    explainer: Explainer<'a>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        network: &'a Network,
        journal: &'a Journal<'a>,
        deadline: &'a Deadline<'a>,
        observer: &'a dyn PassObserver,
    ) -> Self {
        engine.probe.recall_roots(journal.roots_silent());
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
            explainer: Explainer::new(engine, network, journal),
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
        let label = random_label(&self.engine.env);
        let name = entry.domain.checked_as(&label);
        let (settings, source) = (&self.engine.settings, self.engine.source.as_ref());
        let asking = asking(&entry, self.network, settings, source);
        let seen = async {
            let targets = self.targets.get_or_init(async || self.find_targets().await).await;
            let check = see(self.engine.probe.as_ref(), &name, targets, &asking).await;
            (targets, self.confirmed(&entry, &name, (check, targets)).await)
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
            dns: self.engine.settings.dns,
            mappings: &self.network.mappings,
            now: self.engine.env.now(),
            chance: self.engine.env.chance(),
        };
        let before = entry.clone();
        judge::judge(&mut entry, &check, &view);
        let looking = Looking { check: &check, targets, label: &label };
        let deep = self.look_deeper(&entry, &looking).await;
        self.explainer.take_in(&mut entry, &looking, deep.as_ref()).await;
        self.journal.entry(Some(&before), &entry);
        // Nobody waits for a twin that is elsewhere.
        if !entry.is_candidate() || entry.routing.state == Routing::Here {
            self.journal.change(checked(&entry, view.stages.require_proof), false);
        }
        entry
    }

    /// `check`, unless it leads here for the first time and another resolver says otherwise.
    async fn confirmed(
        &self,
        entry: &Entry,
        name: &DomainName,
        (check, targets): (Check, &Targets),
    ) -> Check {
        let is_new = entry.routing.state != Routing::Here && !check.tls.is_empty();
        if !is_new || self.engine.settings.dns == DnsRule::Any {
            return check;
        }
        let each = self.engine.probe.resolve_by_each(name).await;
        judge::agreed(check, each, targets)
    }

    /// What the deep questions about `entry` brought to light; none where they are not due, nobody would
    /// answer, or time is up.
    async fn look_deeper(&self, entry: &Entry, looking: &Looking<'_>) -> Option<Deep> {
        let mute = matches!(looking.check.dns, DnsObservation::NoAnswer { .. });
        let would_answer = !mute || self.answered.load(Ordering::Relaxed);
        if !would_answer || !explain::asks_deeper(entry, self.engine.env.now()) {
            return None;
        }
        let deep = tokio::select! {
            biased;
            deep = self.explainer.look_deeper(entry, looking) => Some(deep),
            () = self.out_of_time() => None,
        };
        self.journal.found_roots(self.engine.probe.roots_silent());
        deep
    }

    /// Returns when a check that is under way is given up.
    async fn out_of_time(&self) {
        self.deadline.cut_short().await;
        self.engine.env.sleep(TO_END).await;
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

/// A label that no zone has by chance, to check wildcards under.
pub(crate) fn random_label(env: &Env) -> String {
    format!("closte-sync-{:08x}", env.random.next() >> 32)
}

/// Whether WordPress is asked for its routing proof. A site's age is as it was
/// read: between passes that only asks a little later.
pub(crate) fn asking(
    entry: &Entry,
    network: &Network,
    settings: &PassSettings,
    source: &dyn NetworkSource,
) -> Asking {
    if !settings.ask_proof {
        return Asking::Never;
    }
    proof::asking(entry, network, |mapped| {
        source.routing_question(mapped.mapping_id, &entry.domain)
    })
}

/// One check: DNS, and where that leads to the network a visit to each address.
pub(crate) async fn see(
    probe: &dyn Probe,
    name: &DomainName,
    targets: &Targets,
    asking: &Asking,
) -> Check {
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
    let first = explain::headline(entry).filter(|it| it.turn().is_some());
    let first = first.as_ref().and_then(Headline::finding);
    let text = first.map(|it| texts::findings::text(it, Language::English));
    Change {
        action: Action::Check,
        domain: entry.domain.clone(),
        outcome,
        reason: why.map(|why| why.reason),
        finding: first.map(|it| it.code),
        detail: text.or_else(|| why?.detail.map(str::to_owned)),
    }
}
