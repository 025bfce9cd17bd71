//! What is wrong with the whole network, and where that is why one domain is not ready.

use std::collections::BTreeSet;
use std::time::Duration;

use super::alias::is_owed;
use super::dns::calls_bogus;
use super::{Case, Evidence, Policy, Serving, Situation, Subject, dns, list};
use crate::Time;
use crate::acting::NotOurs;
use crate::doubt::Lasting;
use crate::evidence::ResolverSaid;
use crate::finding::{Code, Fact, Finding};
use crate::host_state::HostState;
use crate::network::Switch;
use crate::reason::Reason;

/// Clocks that are further apart than this are not both right.
const CLOCKS: Duration = Duration::from_mins(10);

/// What is wrong with the whole, seen at these domains.
pub fn of_network(
    evidence: &[Evidence<'_>],
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = acting(situation).into_iter().collect();
    found.extend(clock(evidence, situation, policy));
    found.extend(no_resolver(evidence));
    found.extend(no_targets(situation));
    found.extend(key_refused(situation));
    found.extend(held_back(situation));
    found.extend(switches(situation));
    let resolvers = || evidence.iter().filter_map(|it| it.deep).flat_map(|deep| &deep.resolvers);
    // Of one that is silent it is not known.
    let validates = |it: &ResolverSaid| it.validates != Some(false) || calls_bogus(it);
    if resolvers().next().is_some() && !resolvers().any(validates) {
        let who = list(resolvers().map(|it| it.resolver).collect::<BTreeSet<_>>());
        found.push(Finding::new(Code::NotValidated).with(Fact::Server, who));
    }
    super::in_order(found)
}

/// The same, as far as it is why one domain is not ready.
pub(super) fn of_domain(case: &Case<'_>) -> Vec<Finding> {
    let Case { subject, evidence, situation, policy } = case;
    let mut found: Vec<Finding> =
        clock(std::slice::from_ref(evidence), situation, policy).into_iter().collect();
    found.extend(no_resolver(std::slice::from_ref(evidence)));
    found.extend(no_targets(situation));
    if is_anything_owed(case) {
        found.extend(acting(situation));
        found.extend(key_refused(situation));
    }
    if is_owed(case) {
        found.extend(held_for(subject, situation));
    }
    found
}

/// Whether a call to the host or a stage in WordPress is still to be made for it.
fn is_anything_owed(case: &Case<'_>) -> bool {
    is_owed(case) || case.is_mapped() && !case.is_served()
}

/// Why this installation does not act, or does not yet.
fn acting(situation: &Situation<'_>) -> Option<Finding> {
    let memory = situation.memory;
    let put_back = memory.is_some_and(|it| {
        it.network.doubts.contains_key(&Lasting::Restored)
            || it.home.is_older(situation.network.home.as_ref())
    });
    match situation.not_ours {
        Some(NotOurs::Copy(home, _)) => Some(
            Finding::new(Code::Copy)
                .with(Fact::Other, &home.domain)
                .with(Fact::Detail, home.place.to_string()),
        ),
        Some(NotOurs::OtherNetwork { differs }) => {
            Some(Finding::new(Code::OtherNetwork).with(Fact::Detail, differs))
        }
        None if situation.network.switch == Switch::Off => Some(Finding::new(Code::SwitchedOff)),
        None => put_back.then(|| Finding::new(Code::DatabaseRestored)),
    }
}

/// Our clock beside the database's and the web's.
fn clock(
    evidence: &[Evidence<'_>],
    situation: &Situation<'_>,
    policy: &Policy<'_>,
) -> Option<Finding> {
    let database = situation.network.database_time.map(|time| ("database".to_owned(), time));
    let of_web = evidence.iter().filter_map(|it| it.deep).flat_map(|deep| {
        let fronts = deep.front.iter().map(|(ip, page)| (ip, page.date));
        // Only what answers at a target itself: behind a redirect it may be anybody's clock.
        let plain =
            deep.http.iter().map(|(ip, visit)| (ip, visit.hops.first().and_then(|it| it.date)));
        fronts.chain(plain).filter_map(|(ip, date)| Some((ip.to_string(), date?)))
    });
    let theirs: Vec<(String, Time)> = database.into_iter().chain(of_web).collect();
    let wrong = theirs.iter().find(|(_, time)| CLOCKS <= time.distance(policy.now))?;
    let minutes = wrong.1.distance(policy.now).as_secs() / 60;
    let said = theirs.iter().map(|(who, time)| crate::finding::Said {
        source: who.clone(),
        said: format!("{} s after 1970", time.as_millis().div_euclid(1000)),
        at: policy.now,
    });
    let finding = Finding::new(Code::ClockWrong).with(Fact::Other, &wrong.0);
    Some(finding.with(Fact::Count, minutes.to_string()).evidence(said))
}

fn no_resolver(evidence: &[Evidence<'_>]) -> Option<Finding> {
    let is_blind = !evidence.is_empty() && evidence.iter().all(dns::is_blind);
    let resolvers = evidence.iter().filter_map(|it| it.deep).flat_map(|deep| &deep.resolvers);
    is_blind.then(|| {
        let who: BTreeSet<_> = resolvers.map(|it| it.resolver).collect();
        Finding::new(Code::Blind).with(Fact::Server, list(who))
    })
}

fn no_targets(situation: &Situation<'_>) -> Option<Finding> {
    let why = situation.targets.missed.clone().unwrap_or_default();
    situation.targets.is_empty().then(|| Finding::new(Code::NoTargets).with(Fact::Detail, why))
}

fn key_refused(situation: &Situation<'_>) -> Option<Finding> {
    match situation.host {
        HostState::KeyRefused { words } => {
            Some(Finding::new(Code::KeyRefused).with(Fact::Detail, words))
        }
        HostState::Ok | HostState::Paused { .. } => None,
    }
}

/// What waits for somebody to apply a plan.
fn held_back(situation: &Situation<'_>) -> Vec<Finding> {
    let count = |reason| situation.deferred.iter().filter(|it| it.reason == reason).count();
    let codes = [
        (Reason::ListDoubt, Code::ListDoubt),
        (Reason::Doubt, Code::Doubt),
        (Reason::Brake, Code::Brake),
    ];
    let of = |(reason, code)| {
        let held = count(reason);
        (0 < held).then(|| Finding::new(code).with(Fact::Count, held.to_string()))
    };
    codes.into_iter().filter_map(of).collect()
}

/// What of that holds this domain back.
fn held_for(subject: &Subject<'_>, situation: &Situation<'_>) -> Option<Finding> {
    let held = situation.deferred.iter().find(|it| it.domain == *subject.name)?;
    let code = match held.reason {
        Reason::ListDoubt => Code::ListDoubt,
        Reason::Doubt => Code::Doubt,
        Reason::Brake => Code::Brake,
        Reason::DatabaseRestored => Code::DatabaseRestored,
        _ => return None,
    };
    Some(Finding::new(code).until(held.until))
}

/// What keeps WordPress from mapping any domain.
fn switches(situation: &Situation<'_>) -> Vec<Finding> {
    let off = situation.network.settings.domain_mapping == Switch::Off;
    let nothing = situation.serving == Serving::MapsNothing;
    let codes = [(off, Code::MappingDisabled), (nothing, Code::NoSunrise)];
    codes.into_iter().filter(|it| it.0).map(|it| Finding::new(it.1)).collect()
}
