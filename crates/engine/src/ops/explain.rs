//! Why domains are as they are, whose turn it is, and what exactly to change.
//!
//! Everything is read and asked afresh; the ledger gives history only. Nothing is sent that changes
//! anything, nothing is written and no lock is taken, so it works beside `run`, without a ledger, on a
//! copy, and with Closte switched off.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::{StreamExt, future, stream};
use rules::acting::{OurLedger, not_ours};
use rules::domain_name::NotADomain;
use rules::evidence::{Deep, Inquiry};
use rules::explain::{
    self, Ending, Evidence, Explained, Policy, Rows, Serving, Situation, Subject,
};
use rules::finding::{Code, Fact, Finding, Said};
use rules::host::{AliasHost, AliasList, HostError};
use rules::host_state::HostState;
use rules::judge::Check;
use rules::ledger::{HostHealth, Ledger, LedgerError, Memory};
use rules::probe::Probe;
use rules::proof::Asking;
use rules::protected::Protected;
use rules::source::NetworkSource;
use rules::targets::TargetBasis;
use rules::wanted::Wanted;
use rules::{DomainName, Entry, Network, Reason, Targets, Time};

use crate::env::Env;
use crate::failure::{Exit, Failure};
use crate::pass::{Learns, PassSettings, ask_host, asking, random_label, see};

/// So many names are looked at at once.
const AT_ONCE: usize = 8;

/// Names of one label that no public DNS serves (RFC 6761, RFC 6762, RFC 7686, ICANN's `internal`).
const RESERVED: [&str; 6] = ["arpa", "internal", "invalid", "local", "localhost", "onion"];

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
    /// What is known of WordPress' files.
    pub serving: Serving,
}

/// What came of explaining.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// In the order in which they were asked for.
    pub domains: Vec<Named>,
    /// The findings of the whole network, the first first.
    pub network: Vec<Finding>,
    /// What could not be read, and why: it went on without that.
    pub unread: Vec<String>,
    /// The interval of checks of a domain that has just changed.
    pub interval: Duration,
}

/// One of the names that were asked for.
#[derive(Clone, Debug)]
pub enum Named {
    /// A domain name.
    Domain(Explained),
    /// A text that can be no domain of a network's.
    Unmappable(Unmappable),
}

/// An address, or a name that is longer than any may be.
#[derive(Clone, Debug)]
pub struct Unmappable {
    /// As it was asked for.
    pub text: String,
    /// Why it can be none: one.
    pub findings: Vec<Finding>,
}

impl Explanation {
    /// How it ends: as the worst of the domains.
    pub fn ending(&self) -> Ending {
        Ending::of_all(self.domains.iter().map(Named::ending))
    }
}

impl Named {
    /// The name as it goes over the wire, or the text as it was asked for.
    pub fn domain(&self) -> &str {
        match self {
            Self::Domain(domain) => domain.domain.as_str(),
            Self::Unmappable(text) => &text.text,
        }
    }

    /// The same as people write it.
    pub fn display(&self) -> Cow<'_, str> {
        match self {
            Self::Domain(domain) => domain.domain.display(),
            Self::Unmappable(text) => Cow::Borrowed(&text.text),
        }
    }

    /// Whether a mapping has it.
    pub fn is_mapped(&self) -> bool {
        matches!(self, Self::Domain(domain) if domain.mapped)
    }

    /// When it is checked next, where it is.
    pub fn next_check(&self) -> Option<Time> {
        match self {
            Self::Domain(domain) => domain.next_check,
            Self::Unmappable(_) => None,
        }
    }

    /// The first first.
    pub fn findings(&self) -> &[Finding] {
        match self {
            Self::Domain(domain) => &domain.findings,
            Self::Unmappable(text) => &text.findings,
        }
    }

    /// Whether it is served as it should be.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Domain(domain) if domain.ready)
    }

    /// How it ends.
    pub fn ending(&self) -> Ending {
        explain::exit(self.findings(), self.is_ready())
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
    Unmappable(Unmappable),
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
        let label = text.trim_end_matches('.').to_lowercase();
        let code = match why {
            NotADomain::TooLong => Code::NameTooLong,
            NotADomain::Address | NotADomain::Ipv6Address => Code::ReservedName,
            NotADomain::OneLabel if RESERVED.contains(&label.as_str()) => Code::ReservedName,
            _ => {
                let what = format!("`{text}` is not a domain name: {why}");
                return Err(
                    Failure::could_not(what).hint("write the bare name, like `shop.example.com`")
                );
            }
        };
        let said = Said { source: "closte-sync".to_owned(), said: why.to_string(), at: now };
        let finding = Finding::new(code).with(Fact::Name, text).evidence([said]);
        Ok(Self::Unmappable(Unmappable { text: text.to_owned(), findings: vec![finding] }))
    }

    fn domain(&self) -> Option<&DomainName> {
        match self {
            Self::Domain(name) => Some(name),
            Self::Unmappable(_) => None,
        }
    }
}

/// What the ledger remembers.
#[derive(Default)]
struct History {
    memory: Option<Memory>,
    /// Of the domains that were asked for, in their order.
    entries: Vec<Option<Entry>>,
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
    at: Time,
}

impl Explaining<'_> {
    async fn history(&self, asked: &[Asked]) -> Result<History, LedgerError> {
        let Some(ledger) = self.ledger else { return Ok(History::default()) };
        let mut entries = Vec::new();
        for name in asked.iter().filter_map(Asked::domain) {
            entries.push(ledger.entry(name).await?.filter(|entry| !entry.is_retired()));
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
        let targets = crate::targets(&basis, before, self.probe, self.env.now()).await;
        let wanted = Wanted::of(&network);
        let looks = asked.iter().filter_map(Asked::domain).map(|name| {
            let asking = self.asking(name, &network, &wanted);
            let targets = &targets;
            async move { self.see(name, targets, &asking).await }
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

    async fn see(&self, name: &DomainName, targets: &Targets, asking: &Asking) -> Seen {
        let label = random_label(self.env);
        let (concrete, inquiry) = (name.checked_as(&label), Inquiry { targets, label: &label });
        let check = see(self.probe, &concrete, targets, asking);
        let (check, deep) = future::join(check, self.probe.investigate(name, &inquiry)).await;
        Seen { check, deep, at: self.env.now() }
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
    fn explained(&self, asked: Vec<Asked>, list: Option<&AliasList>) -> (Vec<Named>, Vec<Finding>) {
        let settings = self.with.settings;
        let Observed { network, targets, domains } = self.observed;
        let memory = self.history.memory.as_ref();
        let ours = self.with.ledger.zip(memory);
        let ours = ours.map(|(ledger, memory)| OurLedger { id: ledger.id(), memory });
        let last_pass = memory.and_then(|memory| memory.last_pass.as_ref());
        let situation = Situation {
            network,
            rows: &Rows::of(network),
            protected: &Protected::on(network, settings.cdn.clone(), settings.protected.clone()),
            targets,
            earlier_targets: &earlier_targets(memory, targets),
            memory,
            host: &self.host,
            deferred: last_pass.map(|it| it.deferred.as_slice()).unwrap_or_default(),
            serving: self.with.serving,
            not_ours: not_ours(network, ours),
        };
        let policy = Policy {
            stages: &settings.stages,
            certificate_patience: settings.stages.certificate_patience,
            dns: settings.dns,
            dashboard: settings.dashboard.as_deref(),
            ca: settings.certificate_authority,
            now: self.with.env.now(),
        };
        let evidence: Vec<Evidence<'_>> = domains.iter().map(Seen::evidence).collect();
        let mut each = evidence.iter().enumerate();
        let named = asked.into_iter().map(|asked| match asked {
            Asked::Unmappable(text) => Named::Unmappable(text),
            Asked::Domain(name) => {
                let (at, evidence) = each.next().expect("each domain was looked at");
                let entry = self.history.entries.get(at).and_then(Option::as_ref);
                let at_host = list.map(|list| list.names.contains(&name));
                let subject = Subject { name: &name, entry, at_host };
                Named::Domain(explained(&subject, evidence, &situation, &policy))
            }
        });
        let named = named.collect();
        let all: Vec<&Evidence<'_>> = evidence.iter().collect();
        (named, explain::of_network(&all, &situation, &policy))
    }
}

impl Seen {
    fn evidence(&self) -> Evidence<'_> {
        Evidence { check: &self.check, deep: Some(&self.deep), at: self.at }
    }
}

fn explained(
    subject: &Subject<'_>,
    evidence: &Evidence<'_>,
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Explained {
    let findings = explain::explain(subject, evidence, situation, policy);
    let checked = subject.entry.filter(|entry| entry.mapped.is_some());
    Explained {
        domain: subject.name.clone(),
        mapped: situation.network.mappings.iter().any(|it| it.domain == *subject.name),
        ready: explain::is_ready(&findings, evidence, policy),
        findings,
        next_check: checked.map(|entry| entry.checks.due.max(policy.now)),
        at: evidence.at,
    }
}

/// Where domains had to point before, and not any more.
fn earlier_targets(memory: Option<&Memory>, targets: &Targets) -> BTreeSet<IpAddr> {
    let before = memory.and_then(|memory| memory.network.targets.as_ref());
    let before = before.into_iter().flat_map(|before| &before.addresses);
    before.copied().filter(|ip| !targets.contains(*ip)).collect()
}

/// What failed, and why.
fn failed(what: &str, error: &(dyn std::error::Error + 'static)) -> String {
    format!("{what}: {}", crate::error_chain(error))
}
