//! What an answer of DNS means: no name, no address, or somebody else's.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::super::records::{add_addresses, instead_of_cname, right_addresses};
use super::super::{Case, DnsRule, list};
use super::{answer_text, is_here};
use crate::address::is_public;
use crate::evidence::{Answer, Deep};
use crate::finding::{Code, Fact, Finding, RecordChange, Severity};
use crate::probe::TlsObservation;
use crate::proxy::is_proxy;
use crate::targets::canonical;

/// Name servers, and names that CNAME records lead to, of companies that park domains.
const PARKING: [&str; 12] = [
    "sedoparking.com",
    "parkingcrew.net",
    "bodis.com",
    "above.com",
    "parklogic.com",
    "dan.com",
    "afternic.com",
    "uniregistrymarket.link",
    "domaincontrol-parking.com",
    "cashparking.com",
    "hugedomains.com",
    "dns-parking.com",
];

/// Addresses where they show their pages.
const PARKING_NETWORKS: [&str; 5] =
    ["91.195.240.0/23", "185.53.176.0/22", "199.59.240.0/22", "103.224.182.0/23", "64.190.62.0/23"];

/// What is wrong with the `answer` of `source`; nothing where all of it is here, or nothing is said
/// for sure.
pub(super) fn of(case: &Case<'_>, answer: &Answer, source: String) -> Option<Finding> {
    let (name, targets) = (case.subject.name.as_str(), case.situation.targets);
    let through = answer.through();
    let add = || match through.first() {
        Some(target) => instead_of_cname(name, target, targets),
        None => add_addresses(name, targets),
    };
    let finding = |code, records: Vec<RecordChange>| {
        let said = case.said(source, answer_text(answer));
        Some(Finding::new(code).records(records).evidence([said]).with(Fact::Name, list(through)))
    };
    match answer {
        Answer::NoSuchName { .. } => finding(Code::NoSuchName, add()),
        Answer::NoAddress { .. } => finding(Code::NoAddress, add()),
        Answer::Dangling { .. } => finding(Code::CnameDangling, add()),
        Answer::Circle { .. } => finding(Code::CnameLoop, add()),
        Answer::Failed { .. } => finding(Code::Servfail, Vec::new()),
        Answer::LedOut { .. } | Answer::Silent { .. } => None,
        Answer::Addresses { found, .. } => {
            let code = code_of(case, found, through)?;
            let wrong = found.iter().filter(|ip| !targets.contains(**ip));
            let records = match code {
                Code::CnameElsewhere => add(),
                Code::WildcardRecordOnly => add_addresses(name, targets),
                // Addresses behind a CNAME are records of its last target.
                _ => right_addresses(through.last().map_or(name, String::as_str), found, targets),
            };
            let finding = finding(code, records)?.with(Fact::Address, list(wrong));
            Some(finding.with(Fact::Target, list(&targets.addresses)))
        }
    }
}

/// What is wrong with these addresses.
fn code_of(case: &Case<'_>, found: &BTreeSet<IpAddr>, through: &[String]) -> Option<Code> {
    let Case { situation, policy, .. } = case;
    let targets = situation.targets;
    let (here, wrong): (Vec<&IpAddr>, Vec<&IpAddr>) =
        found.iter().partition(|ip| targets.contains(**ip));
    let is_private = |ip: &&IpAddr| !policy.allow_private && !is_public(**ip);
    // A target that is not public is none that may be visited.
    let is_forbidden =
        |(_, seen): &(IpAddr, &TlsObservation)| matches!(seen, TlsObservation::Forbidden { .. });
    if wrong.is_empty() && case.visited().iter().any(is_forbidden) {
        return Some(Code::PrivateAddress);
    }
    // Whether it is the network's is not known of every address.
    if !wrong.iter().any(|ip| targets.is_foreign(**ip)) {
        return None;
    }
    if policy.dns == DnsRule::Any && !here.is_empty() {
        return None;
    }
    let all = |is: &dyn Fn(&IpAddr) -> bool| wrong.iter().all(|ip| is(ip));
    let is_alone = here.is_empty();
    let wildcard = case.deep().is_some_and(|deep| is_of_wildcard(deep, found, through));
    Some(match () {
        () if is_alone && wildcard => Code::WildcardRecordOnly,
        () if is_alone && !through.is_empty() => Code::CnameElsewhere,
        () if wrong.iter().any(|ip| is_proxy(canonical(**ip))) => Code::Proxied,
        () if !is_alone && all(&|ip| ip.to_canonical().is_ipv6()) => Code::Ipv6Elsewhere,
        () if !is_alone => Code::PartlyElsewhere,
        () if all(&|ip| situation.earlier_targets.contains(&canonical(*ip))) => Code::OldAddress,
        () if wrong.iter().any(is_private) => Code::PrivateAddress,
        () if is_parked(case, &wrong) => Code::Parked,
        () => Code::OtherAddress,
    })
}

/// Whether a sibling that nobody made gets the same.
fn is_of_wildcard(deep: &Deep, found: &BTreeSet<IpAddr>, through: &[String]) -> bool {
    let sibling = deep.sibling.as_ref();
    sibling.is_some_and(|it| it.found() == Some(found) && it.through() == through)
}

/// That a domain which is here has no record of its own: the zone's wildcard answers.
pub(super) fn wildcard_only(case: &Case<'_>, deep: &Deep) -> Option<Finding> {
    let mut here = deep.resolvers.iter().filter(|it| is_here(&it.answer, case.situation.targets));
    let here = here.find(|it| {
        it.answer.found().is_some_and(|found| is_of_wildcard(deep, found, it.answer.through()))
    })?;
    let finding = Finding::new(Code::WildcardRecordOnly).as_bad_as(Severity::Info);
    let said = case.said(here.resolver.to_string(), answer_text(&here.answer));
    let name = case.subject.name;
    // A wildcard mapping wants just that.
    (!name.is_wildcard()).then(|| {
        finding.records(add_addresses(name.as_str(), case.situation.targets)).evidence([said])
    })
}

/// Whether a company that parks domains answers for it.
fn is_parked(case: &Case<'_>, wrong: &[&IpAddr]) -> bool {
    let is_theirs = |name: &str| {
        PARKING.iter().any(|theirs| name == *theirs || name.ends_with(&format!(".{theirs}")))
    };
    let zone = case.deep().and_then(|deep| deep.zones.first());
    let servers = zone.into_iter().flat_map(|zone| &zone.servers);
    let networks =
        || PARKING_NETWORKS.iter().map(|it| it.parse::<ipnet::IpNet>().expect("it is a network"));
    servers.into_iter().any(|it| is_theirs(&it.server))
        || wrong.iter().any(|ip| networks().any(|network| network.contains(*ip)))
}
