//! DNS, from the top down: who is delegated to, what each server says, and what the answer means.
//!
//! The authoritative servers decide what is so; resolvers only what visitors see of it yet. Where the
//! servers were not asked, or could not be, the resolvers' answer stands.

mod addresses;
mod bogus;
mod servers;

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Case, DnsRule, list};
use crate::evidence::{Answer, Authority, Deep, ResolverSaid, ServerSaid, WalkEnd};
use crate::finding::{Code, Fact, Finding, Said};
use crate::probe::DnsObservation;
use crate::{Targets, Time};

pub(super) use bogus::calls_bogus;
use servers::Servers;

/// What is wrong with the DNS of a domain.
pub(super) fn of(case: &Case<'_>) -> Vec<Finding> {
    if is_blind(case.evidence) || case.situation.targets.is_empty() {
        return Vec::new(); // the whole network's, see `whole`
    }
    let asked = |deep: &&Deep| !deep.resolvers.is_empty() || !deep.zones.is_empty();
    let Some(deep) = case.deep().filter(asked) else {
        return checked(case).into_iter().collect();
    };
    let resolvers = Resolvers::of(case, deep);
    let servers = Servers::of(case, deep);
    if let Some(finding) = no_delegation(case, deep) {
        return vec![finding];
    }
    let mut found = servers.findings();
    found.extend(bogus::of(case, deep));
    match servers.agreed() {
        _ if servers.disagree() => found.push(servers.disagreement()),
        Some((by, answer)) if !is_here(answer, case.situation.targets) => {
            found.extend(addresses::of(case, answer, by));
        }
        _ if resolvers.are_right => found.extend(checked(case)),
        Some(_) => found.extend(resolvers.not_propagated(case, deep)),
        None => found.extend(by_resolvers(case, deep, &resolvers)),
    }
    // SERVFAIL says nothing more where it is known what fails.
    let is_known = found.iter().any(|it| {
        it.code < Code::Servfail
            && Code::NoDelegation <= it.code
            && it.severity == it.code.severity()
    });
    found.retain(|it| it.code != Code::Servfail || !is_known);
    found.extend(addresses::wildcard_only(case, deep).filter(|_| resolvers.are_right));
    found
}

/// Whether no resolver answers anything at all, so that nothing can be known.
pub(super) fn is_blind(evidence: &super::Evidence<'_>) -> bool {
    let silent = matches!(evidence.check.dns, DnsObservation::NoAnswer { .. });
    let mute = |it: &ResolverSaid| matches!(it.answer, Answer::Silent { .. });
    // A resolver that waits in vain for the domain's own servers says nothing either.
    let servers_are_mute = |deep: &Deep| {
        let servers = deep.zones.first().map(|zone| &zone.servers[..]).unwrap_or_default();
        let mute = |it: &ServerSaid| matches!(it.said, Authority::Silent { .. });
        !servers.is_empty() && servers.iter().all(mute)
    };
    let is_blind = |deep: &Deep| deep.resolvers.iter().all(mute) && !servers_are_mute(deep);
    silent && evidence.deep.is_none_or(is_blind)
}

/// What is wrong with what the check saw.
fn checked(case: &Case<'_>) -> Option<Finding> {
    addresses::of(case, &seen(&case.evidence.check.dns), "DNS".to_owned())
}

/// What a check saw, as an answer.
fn seen(dns: &DnsObservation) -> Answer {
    let ttl = std::time::Duration::ZERO;
    match dns {
        DnsObservation::Addresses { found, through, .. } => {
            Answer::Addresses { found: found.clone(), through: through.clone(), ttl }
        }
        DnsObservation::NoSuchName => Answer::NoSuchName { ttl },
        DnsObservation::NoAddress { through } => {
            Answer::NoAddress { through: through.clone(), ttl }
        }
        DnsObservation::Failed { detail } => Answer::Failed { code: detail.clone() },
        DnsObservation::NoAnswer { detail } => Answer::Silent { detail: detail.clone() },
    }
}

/// Whether all that an answer leads to are targets.
fn is_here(answer: &Answer, targets: &Targets) -> bool {
    answer.found().is_some_and(|found| found.iter().all(|ip| targets.contains(*ip)))
}

/// What an answer says, for people.
pub(super) fn answer_text(answer: &Answer) -> String {
    let by_way = match answer.through() {
        [] => String::new(),
        through => format!(" by way of {}", list(through)),
    };
    match answer {
        Answer::Addresses { found, .. } => format!("{}{by_way}", list(found)),
        Answer::NoSuchName { .. } => "NXDOMAIN: the name does not exist".to_owned(),
        Answer::NoAddress { .. } => format!("no address{by_way}"),
        Answer::Dangling { .. } => format!("a CNAME to a name that does not exist{by_way}"),
        Answer::Circle { .. } => format!("CNAME records in a circle{by_way}"),
        Answer::LedOut { .. } => format!("a CNAME into another zone{by_way}"),
        Answer::Failed { code } => code.clone(),
        Answer::Silent { detail } => format!("no answer: {detail}"),
    }
}

/// The registrable domain is delegated to nobody.
fn no_delegation(case: &Case<'_>, deep: &Deep) -> Option<Finding> {
    let walked = deep.zones.first()?;
    let WalkEnd::NotDelegated { parent, name, by } = &walked.end else { return None };
    // A registry may keep addresses in its own zone instead.
    if deep.resolvers.iter().any(|it| it.answer.found().is_some()) {
        return None;
    }
    let said = case.said(by, format!("`{name}` has no name servers"));
    let finding = Finding::new(Code::NoDelegation).with(Fact::Name, name).with(Fact::Zone, parent);
    Some(finding.evidence([said]))
}

/// What the resolvers say, where nobody nearer to the truth could be asked.
fn by_resolvers(case: &Case<'_>, deep: &Deep, resolvers: &Resolvers<'_>) -> Vec<Finding> {
    let answers = || deep.resolvers.iter().map(|it| (it.resolver, &it.answer));
    let unvalidated =
        deep.resolvers.iter().filter_map(|it| Some((it.resolver, it.unvalidated.as_ref()?)));
    let wrong = |it: &Answer| is_answer(it) && !is_here(it, case.situation.targets);
    if answers().any(|it| is_here(it.1, case.situation.targets)) && answers().any(|it| wrong(it.1))
    {
        return resolvers.not_propagated(case, deep).into_iter().collect();
    }
    let mut unvalidated = unvalidated.filter(|it| is_answer(it.1));
    if let Some((by, answer)) = answers().find(|it| wrong(it.1)).or_else(|| unvalidated.next()) {
        return addresses::of(case, answer, by.to_string()).into_iter().collect();
    }
    if answers().all(|it| is_answer(it.1)) {
        return checked(case).into_iter().collect();
    }
    let of_target = Servers::of_target(case, deep);
    if of_target.is_empty() {
        return vec![Finding::new(Code::Servfail).evidence(said(case, deep))];
    }
    of_target
}

/// Whether somebody answered, whatever that says.
fn is_answer(it: &Answer) -> bool {
    !matches!(it, Answer::Failed { .. } | Answer::Silent { .. })
}

/// What the configured resolvers say together.
struct Resolvers<'a> {
    /// Whether visitors get here by them, as `checks.dns` asks for.
    are_right: bool,
    /// Those that still hold another answer.
    old: Vec<&'a ResolverSaid>,
}

impl<'a> Resolvers<'a> {
    fn of(case: &Case<'_>, deep: &'a Deep) -> Self {
        let targets = case.situation.targets;
        // One that fails alone is its own matter; where all fail, nothing is right.
        let answered = deep.resolvers.iter().filter(|it| is_answer(&it.answer));
        let (right, old): (Vec<_>, Vec<_>) = answered.partition(|it| is_here(&it.answer, targets));
        let one_is_here = |it: &&ResolverSaid| {
            it.answer.found().is_some_and(|found| found.iter().any(|ip| targets.contains(*ip)))
        };
        let are_right = match case.policy.dns {
            DnsRule::All => !right.is_empty() && old.is_empty(),
            DnsRule::Any => deep.resolvers.iter().any(|it| one_is_here(&it)),
        };
        Self { are_right, old }
    }

    /// The servers are right; resolvers keep what was so before until its time is over.
    fn not_propagated(&self, case: &Case<'_>, deep: &Deep) -> Option<Finding> {
        let ttls = self.old.iter().filter_map(|it| it.answer.ttl());
        let until: Option<Time> = ttls.max().map(|ttl| case.evidence.at + ttl);
        let who = list(self.old.iter().map(|it| it.resolver));
        let held: BTreeSet<IpAddr> =
            self.old.iter().filter_map(|it| it.answer.found()).flatten().copied().collect();
        if self.old.is_empty() {
            let fails = deep.resolvers.iter().any(|it| matches!(it.answer, Answer::Failed { .. }));
            let servfail = || Finding::new(Code::Servfail).evidence(said(case, deep));
            return fails.then(servfail);
        }
        let finding = Finding::new(Code::NotPropagated).with(Fact::Server, who);
        let finding = finding.with(Fact::Address, list(held)).until(until);
        Some(finding.evidence(said(case, deep)))
    }
}

/// What each resolver says now; the one of a check where no others were asked.
pub(super) fn said_now(case: &Case<'_>) -> Vec<Said> {
    match case.deep() {
        Some(deep) if !deep.resolvers.is_empty() => said(case, deep),
        _ => vec![case.said("resolver", answer_text(&seen(&case.evidence.check.dns)))],
    }
}

/// What each resolver said.
fn said(case: &Case<'_>, deep: &Deep) -> Vec<Said> {
    deep.resolvers
        .iter()
        .map(|it| case.said(it.resolver.to_string(), answer_text(&it.answer)))
        .collect()
}
