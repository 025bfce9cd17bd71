//! Everything that a pass needs, judged one thing after the other.
//!
//! Whoever asks opens and tries the parts, which changes nothing anywhere, and hands over what
//! came of it as [`Findings`]. What that means, and what a person can do, is decided here.

mod network;
mod plugin;

use std::fmt::Write as _;

use rules::acting::OurLedger;
use rules::host::{AliasHost, AliasList, HostError};
use rules::host_state::HostState;
use rules::ledger::Recorded;
use rules::probe::RootsSilent;
use rules::twins::Www;
use rules::{Problem, Targets, Time, answer};

pub use network::{NetworkFound, Route};
pub use plugin::{PluginFound, PluginHello, plugin_answers};

use super::check::{Check, State, fail, failed, ok, warn};
use crate::failure::Failure;
use crate::rough::rough;
use crate::texts;

/// What came of trying everything that a pass needs.
#[derive(Debug)]
pub struct Findings {
    /// How the network is reached.
    pub route: Route,
    /// Where it was found.
    pub found_at: Result<String, Failure>,
    pub ledger: Result<LedgerFound, Failure>,
    /// `domains.www`, where it is set.
    pub www: Option<Www>,
    /// What the host answered; an error where there is nothing to ask it with.
    pub host: Result<HostAnswers, Failure>,
    /// That something replaces WordPress' database layer which knows more than we do.
    pub drop_in: Option<String>,
    /// Why WordPress maps no domain, and what to do.
    pub maps_nothing: Option<(String, &'static str)>,
    /// Who is told outside, each with what is wrong with it.
    pub receivers: Vec<(String, Option<Problem>)>,
    /// What was read of the network; none where it was not found.
    pub network: Option<Result<NetworkFound, Failure>>,
    pub probing: Result<Probing, Failure>,
    /// The version of the plugin that this closte-sync brings.
    pub plugin_version: String,
    pub now: Time,
}

/// The ledger, or the place for one.
#[derive(Debug)]
pub struct LedgerFound {
    pub at: String,
    /// Its name and what it holds; none where there is none yet.
    pub recorded: Option<(String, Recorded)>,
}

impl LedgerFound {
    /// Whether it has twins added where nobody says; what a ledger starts with where there is none.
    fn www(&self) -> Www {
        self.recorded.as_ref().map_or_else(Www::default, |(_, it)| it.memory.network.www)
    }

    /// As it is compared with the network's mark.
    fn ours(&self) -> Option<OurLedger<'_>> {
        self.recorded.as_ref().map(|(id, recorded)| OurLedger { id, memory: &recorded.memory })
    }
}

/// What the host answered.
#[derive(Debug)]
pub struct HostAnswers {
    /// Whether it accepts the key.
    pub key: Result<(), HostError>,
    /// Its list; none where it was not asked for, as the key is of no use.
    pub list: Option<Result<AliasList, HostError>>,
}

impl HostAnswers {
    /// Ask the host what changes nothing there.
    pub async fn ask(host: &dyn AliasHost) -> Self {
        let key = host.check_key().await;
        let list = if key.is_ok() { Some(host.aliases().await) } else { None };
        Self { key, list }
    }
}

/// What domains are checked with.
#[derive(Debug)]
pub struct Probing {
    /// Each resolver, and in error how it failed.
    pub resolvers: Vec<(String, Result<(), String>)>,
    /// Each server of the root that there is a way to, likewise.
    pub roots: Vec<(String, Result<(), String>)>,
    /// Where domains must point.
    pub targets: Targets,
    /// What is named as an address of the network's and is none.
    pub no_address: Option<String>,
}

/// What works and what does not.
pub fn examine(findings: &Findings) -> Vec<Check> {
    let found_by = findings.route.found_by();
    let mut checks = vec![match &findings.found_at {
        Ok(at) => ok(found_by, at),
        Err(failure) => failed(found_by, failure),
    }];
    checks.push(ledger(&findings.ledger));
    checks.extend(host(findings));
    checks.extend(rests(findings));
    let hint = "compare what `doctor` says of the database with what WordPress shows";
    checks.extend(findings.drop_in.as_ref().map(|drop_in| warn("db.php", drop_in, hint)));
    let sunrise = findings.maps_nothing.as_ref();
    checks.extend(sunrise.map(|(what, hint)| warn("SUNRISE", what, *hint)));
    checks.extend(network::checks(findings));
    checks.extend(findings.receivers.iter().map(receiver));
    match &findings.probing {
        Ok(probing) => checks.extend([
            resolvers(&probing.resolvers),
            roots(probing, findings),
            targets(probing, findings.network.as_ref()),
        ]),
        Err(failure) => checks.push(failed("resolvers", failure)),
    }
    checks
}

fn ledger(found: &Result<LedgerFound, Failure>) -> Check {
    match found {
        Ok(LedgerFound { at, recorded: Some((_, recorded)) }) => {
            let domains = recorded.entries.values().filter(|entry| entry.is_listed()).count();
            ok("ledger", format!("{at}, {domains} domains"))
        }
        Ok(LedgerFound { at, recorded: None }) => {
            ok("ledger", format!("{at} will be made by the first pass"))
        }
        Err(failure) => failed("ledger", failure),
    }
}

/// The key, and the list.
fn host(findings: &Findings) -> Vec<Check> {
    let answers = match &findings.host {
        Ok(answers) => answers,
        Err(failure) => return vec![failed("API key", failure)],
    };
    let key = match &answers.key {
        Ok(()) => ok("API key", "Access authorized"),
        Err(error) => of_host("API key", error),
    };
    let list = answers.list.as_ref().map(|list| match list {
        Ok(list) => believable(list, findings.ledger.as_ref().ok()),
        Err(error) => {
            let Check { detail, .. } = of_host("getdomains", error);
            let hint = "without it, outcomes that are not clear are settled by asking again";
            warn("getdomains", detail, hint)
        }
    });
    [key].into_iter().chain(list).collect()
}

fn receiver((name, problem): &(String, Option<Problem>)) -> Check {
    let hint = "`closte-sync notify status` says more, `closte-sync notify test` tries it";
    match problem {
        None => ok("notifications", format!("`{name}` is told")),
        Some(problem) => warn("notifications", problem.to_string(), hint),
    }
}

/// Whether calls rest, as the ledger remembers.
fn rests(findings: &Findings) -> Option<Check> {
    let (_, recorded) = findings.ledger.as_ref().ok()?.recorded.as_ref()?;
    let state = HostState::of(&recorded.memory.host, findings.now);
    let rests = texts::rests(&state, findings.now)?;
    Some(warn("host", rests, "the first pass after that goes on by itself"))
}

fn of_host(check: &'static str, error: &HostError) -> Check {
    let mut detail = error.to_string();
    if let Some(cause) = std::error::Error::source(error) {
        let _ = write!(detail, ": {cause}");
    }
    Check { check, state: State::Fail, detail, hint: error.hint().map(str::to_owned) }
}

/// Whether what the list lacks would be believed to be absent.
fn believable(list: &AliasList, ledger: Option<&LedgerFound>) -> Check {
    let count = list.names.len();
    let recorded = ledger.and_then(|ledger| ledger.recorded.as_ref());
    let proven = recorded.is_some_and(|(_, recorded)| {
        recorded.memory.host.list_believed || answer::proves_itself(list, recorded.entries.values())
    });
    let detail = if proven {
        format!("{count} aliases; it has shown names that we added, so it is believed")
    } else {
        format!(
            "{count} aliases; it has not shown a name that we added yet, so what it lacks is not taken as absent"
        )
    };
    ok("getdomains", detail)
}

fn resolvers(answers: &[(String, Result<(), String>)]) -> Check {
    let described = answers.iter().map(|(at, answer)| match answer {
        Ok(()) => format!("{at} answers"),
        Err(why) => format!("{at} does not ({why})"),
    });
    let described = described.collect::<Vec<_>>().join(", ");
    if answers.iter().any(|(_, answer)| answer.is_ok()) {
        return ok("resolvers", described);
    }
    let hint = "set `checks.resolvers`, such as 9.9.9.9:53, or repair /etc/resolv.conf";
    fail("resolvers", described, hint)
}

/// Whether delegations can be looked at.
fn roots(probing: &Probing, findings: &Findings) -> Check {
    let all = probing.roots.len();
    let answer = probing.roots.iter().filter(|(_, answer)| answer.is_ok()).count();
    if 0 < answer {
        return ok("root servers", format!("{answer} of {all} answer"));
    }
    let recorded = findings.ledger.as_ref().ok().and_then(|it| it.recorded.as_ref());
    let silent = recorded.and_then(|(_, it)| it.memory.network.roots_silent);
    let has = |it: RootsSilent| format!("has answered for {}", rough(findings.now.since(it.since)));
    let has = silent.map_or_else(|| "answers".to_owned(), has);
    let what =
        format!("none {has}, so delegations cannot be looked at and only the resolvers are asked");
    let hint = "a firewall most likely closes outgoing DNS: open UDP and TCP to port 53, or name \
                servers that can be reached in `checks.roots`";
    warn("root servers", what, hint)
}

fn targets(probing: &Probing, network: Option<&Result<NetworkFound, Failure>>) -> Check {
    let Probing { targets, no_address, .. } = probing;
    let hint = "`checks.targets` takes the address of your site at Closte";
    if targets.is_empty() {
        let own = network.and_then(|network| network.as_ref().ok());
        let own = own.map(|found| &found.network.identity.domain);
        let unknown = texts::no_targets(targets, own);
        let why = no_address.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        return fail("targets", unknown + &why, hint);
    }
    let known = texts::targets(targets);
    let missed = targets.missed.as_ref().map(|missed| match targets.own() {
        Some(own) if own.is_complete() => {
            format!("its last complete answer counts, as now: {missed}")
        }
        _ => format!("it never answered completely ({missed}), so other addresses are not judged"),
    });
    let doubts = texts::proxied(targets).into_iter().chain(missed).chain(no_address.clone());
    let doubts: Vec<String> = doubts.collect();
    if doubts.is_empty() {
        return ok("targets", known);
    }
    warn("targets", format!("{known}; {}", doubts.join("; ")), hint)
}
