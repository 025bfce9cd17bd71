//! Why domains are as they are, whose turn it is, and what exactly to change.
//!
//! Everything is read and asked afresh; the ledger gives history only. Nothing is sent that changes
//! anything, nothing is written and no lock is taken, so it works beside `run`, without a ledger, on a
//! copy, and with Closte switched off.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, future, stream};
use rules::acting::{OurLedger, not_ours};
use rules::event::EventKind;
use rules::evidence::{Deep, Inquiry};
use rules::explain::{self, Ending, Evidence, Lights, Policy, Rows, Situation, Subject};
use rules::finding::{Code, Finding, Said, Severity};
use rules::host::{AliasHost, AliasList, HostError};
use rules::host_state::HostState;
use rules::judge::Check;
use rules::ledger::{HostHealth, Ledger, LedgerError, Memory};
use rules::probe::Probe;
use rules::proof::Asking;
use rules::source::NetworkSource;
use rules::targets::TargetBasis;
use rules::wanted::Wanted;
use rules::{DomainName, Entry, Network, Reason, Stage, Targets, Time};

use crate::env::Env;
use crate::failure::{Exit, Failure};
use crate::pass::{Learns, PassSettings, ask_host, asking, random_label, see};

/// So many names are looked at at once.
const AT_ONCE: usize = 64;

/// The stage that was written last is sought among so many of a domain's newest events.
const EVENTS: u32 = 50;

/// What domains are explained with.
pub struct Explaining<'a> {
    pub source: &'a dyn NetworkSource,
    /// None where there is nothing to ask it with.
    pub host: Option<&'a dyn AliasHost>,
    pub probe: &'a dyn Probe,
    /// None where there is none.
    pub ledger: Option<&'a dyn Ledger>,
    pub env: &'a Env,
    pub settings: &'a PassSettings,
}

/// What came of explaining.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// In the order in which they were asked for.
    pub domains: Vec<Explained>,
    /// The findings of the whole network, the first first.
    pub network: Vec<Finding>,
    /// What could not be read, and why: it went on without that.
    pub unread: Vec<String>,
    /// The interval of checks of a domain that has just changed.
    pub interval: Duration,
}

/// Why one domain is as it is.
#[derive(Clone, Debug)]
pub struct Explained {
    /// As it goes over the wire; a text that can be no domain as it was asked for.
    pub domain: String,
    /// As people write it.
    pub display: String,
    /// Whether a row of the network asks for it.
    pub mapped: bool,
    pub ready: bool,
    /// The first first.
    pub findings: Vec<Finding>,
    /// Who said what, whether anything is wrong or not.
    pub seen: Vec<Said>,
    /// How it stands; none of a text that can be no domain.
    pub lights: Option<Lights>,
    /// When it is checked next, where it is.
    pub next_check: Option<Time>,
    /// When it was looked at.
    pub at: Time,
}

impl Explanation {
    /// How it ends: as the worst of the domains.
    pub fn ending(&self) -> Ending {
        let each = self.domains.iter();
        Ending::of_all(each.map(|domain| explain::ending(&domain.findings, domain.ready)))
    }
}

impl Explained {
    /// What must be mended before a name that is not mapped yet would work, the first first: that
    /// nobody could see, the name itself, DNS, and CAA. What the host and WordPress lack follows once
    /// it is mapped.
    pub fn in_the_way(&self) -> impl Iterator<Item = &Finding> {
        let stands = |code| match code {
            Code::Blind | Code::NoTargets | Code::NameTooLong | Code::ReservedName => true,
            code => (Code::NoDelegation..=Code::CaaUnreadable).contains(&code),
        };
        self.findings.iter().filter(move |it| it.severity == Severity::Error && stands(it.code))
    }
}

/// Explain the names in `texts`.
///
/// # Errors
///
/// One of them is no domain name, or the network cannot be read.
pub async fn explain(with: &Explaining<'_>, texts: &[String]) -> Result<Explanation, Failure> {
    let now = with.env.now();
    let asked = texts.iter().map(|text| Asked::read(text, now)).collect::<Result<Vec<_>, _>>()?;
    let mut unread = Vec::new();
    let history = with.history(&asked).await.unwrap_or_else(|error| {
        unread.push(failed("the ledger could not be read, so nothing is known of earlier", &error));
        History::default()
    });
    let health = history.memory.as_ref().map(|memory| memory.host.clone()).unwrap_or_default();
    let (host, observed) =
        future::join(with.ask_host(health), with.observe(&asked, &history)).await;
    let observed = observed?;
    unread.extend(host.unread);
    let scene = Scene { with, history: &history, observed: &observed, host: host.state };
    let (domains, network) = scene.explained(asked, host.list.as_ref());
    let interval = with.settings.interval_on(&observed.network);
    Ok(Explanation { domains, network, unread, interval })
}

/// A text that was asked for.
enum Asked {
    Domain(DomainName),
    /// It can be no domain, and this is why.
    Text(String, Finding),
}

impl Asked {
    /// # Errors
    ///
    /// It is no domain name, and nothing that is explained as one.
    fn read(text: &str, now: Time) -> Result<Self, Failure> {
        let text = text.trim();
        let why = match text.parse::<DomainName>() {
            Ok(name) => return Ok(Self::Domain(name)),
            Err(why) => why,
        };
        let Some(finding) = explain::of_text(text) else {
            let what = format!("`{text}` is not a domain name: {why}");
            let hint = "write the bare name, like `shop.example.com`";
            return Err(Failure::could_not(what).hint(hint));
        };
        let said = Said { source: "closte-sync".to_owned(), said: why.to_string(), at: now };
        Ok(Self::Text(text.to_owned(), finding.evidence([said])))
    }

    fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::Domain(name) => Some(name),
            Self::Text(..) => None,
        }
    }
}

/// What the ledger remembers.
#[derive(Default)]
struct History {
    memory: Option<Memory>,
    /// Of the domains that were asked for.
    entries: BTreeMap<DomainName, Remembered>,
}

/// What it remembers of one domain.
#[derive(Default)]
struct Remembered {
    entry: Option<Entry>,
    /// The stage that was written last.
    written: Option<Stage>,
}

/// How the host answered.
struct HostAnswer {
    list: Option<AliasList>,
    state: HostState,
    unread: Option<String>,
}

/// The network and the domains as they are now.
struct Observed {
    network: Network,
    targets: Targets,
    domains: Vec<Seen>,
}

/// One domain as it is now.
struct Seen {
    check: Check,
    deep: Deep,
    /// The label that it was asked under where a wildcard is mapped.
    label: String,
    at: Time,
}

impl Explaining<'_> {
    async fn history(&self, asked: &[Asked]) -> Result<History, LedgerError> {
        let Some(ledger) = self.ledger else { return Ok(History::default()) };
        let mut entries = BTreeMap::new();
        for name in asked.iter().filter_map(Asked::domain) {
            let entry = ledger.entry(name).await?.filter(|entry| !entry.is_retired());
            let events = ledger.events(Some(name), EVENTS).await?;
            let written = events.into_iter().find(|event| event.kind == EventKind::Stage);
            let written = written.and_then(|event| Stage::from_word(&event.to?));
            entries.insert(name.clone(), Remembered { entry, written });
        }
        Ok(History { memory: Some(ledger.memory().await?), entries })
    }

    async fn ask_host(&self, mut health: HostHealth) -> HostAnswer {
        let now = self.env.now();
        let Some(host) = self.host else {
            return HostAnswer { list: None, state: HostState::of(&health, now), unread: None };
        };
        let answer = ask_host(host, &mut health, Learns::Key, now).await;
        let state = HostState::of(&health, now);
        let unread = |why: &HostError| failed("the host's list of aliases could not be read", why);
        match answer {
            Some(Ok(list)) => HostAnswer { list: Some(list), state, unread: None },
            Some(Err(error)) => {
                let is_out = error.is_an_outage() && state == HostState::Ok;
                // The next pass tries it at once.
                let out = HostState::Paused { reason: Reason::HostUnreachable, until: now };
                let (state, unread) = (if is_out { out } else { state }, Some(unread(&error)));
                HostAnswer { list: None, state, unread }
            }
            None => {
                let why = "the host's list of aliases was not asked for: it is to be left alone";
                HostAnswer { list: None, state, unread: Some(why.to_owned()) }
            }
        }
    }

    async fn observe(&self, asked: &[Asked], history: &History) -> Result<Observed, Failure> {
        let network = self.source.read().await;
        let network = network.map_err(|error| Failure::from(error).ending(Exit::CouldNot))?;
        let basis =
            TargetBasis { own: Some(&network.identity.domain), ..self.settings.target_basis() };
        let before = history.memory.as_ref().and_then(|memory| memory.network.targets.as_ref());
        let began = self.env.now();
        let targets = crate::targets(&basis, before, self.probe, began).await;
        // Where nobody answers, that took a part of the time of all.
        let within = Inquiry::WHOLE.saturating_sub(self.env.now().since(began));
        let wanted = Wanted::of(&network);
        let looks = asked.iter().filter_map(Asked::domain).map(|name| {
            let asking = self.asking(name, &network, &wanted);
            let targets = &targets;
            async move { self.see(name, (targets, within), &asking).await }
        });
        let domains = stream::iter(looks).buffered(AT_ONCE).collect().await;
        Ok(Observed { network, targets, domains })
    }

    /// Whether WordPress is asked about `name`, as it is mapped now.
    fn asking(&self, name: &DomainName, network: &Network, wanted: &Wanted) -> Asking {
        let mapped = wanted.names.get(name).cloned();
        let entry = Entry::new(name.clone(), mapped, self.env.now());
        asking(&entry, network, self.settings, self.source)
    }

    async fn see(
        &self,
        name: &DomainName,
        (targets, within): (&Targets, Duration),
        asking: &Asking,
    ) -> Seen {
        let label = random_label(self.env);
        let concrete = name.checked_as(&label);
        let inquiry = Inquiry { targets, label: &label, within };
        let check = see(self.probe, &concrete, targets, asking);
        let (check, deep) = future::join(check, self.probe.investigate(name, &inquiry)).await;
        Seen { check, deep, label, at: self.env.now() }
    }
}

/// All that was found out.
struct Scene<'a> {
    with: &'a Explaining<'a>,
    history: &'a History,
    observed: &'a Observed,
    host: HostState,
}

impl Scene<'_> {
    fn explained(
        &self,
        asked: Vec<Asked>,
        list: Option<&AliasList>,
    ) -> (Vec<Explained>, Vec<Finding>) {
        let settings = self.with.settings;
        let Observed { network, targets, domains } = self.observed;
        let memory = self.history.memory.as_ref();
        let ours = self.with.ledger.zip(memory);
        let ours = ours.map(|(ledger, memory)| OurLedger { id: ledger.id(), memory });
        let not_ours = not_ours(network, ours);
        let mut remembered = memory.map(|memory| memory.network.clone()).unwrap_or_default();
        remembered.point_to(targets);
        let last_pass = memory.and_then(|memory| memory.last_pass.as_ref());
        let situation = Situation {
            network,
            rows: &Rows::of(network),
            protected: &settings.protected_on(network),
            targets,
            earlier_targets: &remembered.earlier_targets,
            memory,
            host: &self.host,
            deferred: last_pass.map(|it| it.deferred.as_slice()).unwrap_or_default(),
            serving: settings.serving,
            budgets: &remembered.budgets,
            not_ours: not_ours.as_ref(),
        };
        let policy = settings.explained_at(self.with.env.now());
        let evidence: Vec<Evidence<'_>> = domains.iter().map(Seen::evidence).collect();
        let network = explain::of_network(&evidence, &situation, &policy);
        let mut each = evidence.iter();
        let explained = asked.into_iter().map(|asked| match asked {
            Asked::Text(text, finding) => of_text(text, finding, policy.now),
            Asked::Domain(name) => {
                let evidence = each.next().expect("each domain was looked at");
                let known = self.history.entries.get(&name);
                let subject = Subject {
                    name: &name,
                    entry: known.and_then(|it| it.entry.as_ref()),
                    written: known.and_then(|it| it.written),
                    at_host: list.map(|list| list.names.contains(&name)),
                };
                of_domain(&subject, evidence, &situation, &policy)
            }
        });
        (explained.collect(), network)
    }
}

impl Seen {
    fn evidence(&self) -> Evidence<'_> {
        Evidence { check: &self.check, deep: Some(&self.deep), label: &self.label, at: self.at }
    }
}

fn of_text(text: String, finding: Finding, at: Time) -> Explained {
    Explained {
        display: text.clone(),
        domain: text,
        mapped: false,
        ready: false,
        findings: vec![finding],
        seen: Vec::new(),
        lights: None,
        next_check: None,
        at,
    }
}

fn of_domain(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Explained {
    let findings = explain::explain(subject, evidence, situation, policy);
    let checked = subject.entry.filter(|entry| entry.mapped.is_some());
    Explained {
        domain: subject.name.to_string(),
        display: subject.name.display().into_owned(),
        mapped: situation.rows.is_mapped(subject.name),
        ready: explain::is_ready(&findings, evidence),
        findings,
        seen: explain::seen(subject, evidence, situation, policy),
        lights: Some(explain::lights(subject, evidence, situation, policy)),
        next_check: checked.map(|entry| entry.checks.due.max(policy.now)),
        at: evidence.at,
    }
}

/// What failed, and why.
fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> String {
    format!("{what}: {}", crate::error_chain(error))
}
