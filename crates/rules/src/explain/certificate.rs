//! The certificate: what each address presents, and what a browser says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Case, alias, list};
use crate::entry::Routing;
use crate::finding::{Code, Fact, Finding, Said, Severity};
use crate::probe::{Age, Presented, TlsObservation, TlsVerdict, Unreached};
use crate::{DomainName, Time};

/// What is wrong with the certificate of a domain that is routed here; `found` is what was found so
/// far.
pub(super) fn of(case: &Case<'_>, found: &[Finding]) -> Vec<Finding> {
    let visited = case.visited();
    let mut by_code: BTreeMap<Code, Vec<IpAddr>> = BTreeMap::new();
    for (ip, seen) in &visited {
        if let Some(code) = fault(case, *ip, seen) {
            by_code.entry(code).or_default().push(*ip);
        }
    }
    let faults = by_code.iter().map(|(code, ips)| of_fault(case, *code, ips));
    let faults: Vec<Finding> = faults.filter_map(|fault| instead(case, fault, found)).collect();
    faults.into_iter().chain(differs(case, &visited)).collect()
}

/// What is wrong with what one address presents.
fn fault(case: &Case<'_>, ip: IpAddr, seen: &TlsObservation) -> Option<Code> {
    let name = case.subject.name;
    match seen {
        TlsObservation::NoCertificate { .. } => Some(Code::NoCertificate),
        TlsObservation::NoAnswer { how: Unreached::Refused, .. } => Some(Code::Port443Closed),
        TlsObservation::NoAnswer { how: Unreached::Silent, .. } => Some(Code::Port443Filtered),
        TlsObservation::NoAnswer { how: Unreached::Broken, .. }
        | TlsObservation::Forbidden { .. } => None,
        TlsObservation::Presented { certificate, verdict } => {
            let covers = certificate.names.iter().any(|it| covers(it, name));
            match verdict {
                _ if !covers && is_the_default(case, ip, certificate) => {
                    Some(Code::DefaultCertificate)
                }
                TlsVerdict::OtherName => Some(Code::OtherName),
                TlsVerdict::Trusted => match certificate.age(case.policy.now) {
                    Age::Young => None,
                    Age::Overdue => Some(Code::RenewalOverdue),
                    Age::Ending => Some(Code::ExpiresSoon),
                },
                _ if !covers => Some(Code::OtherName),
                TlsVerdict::Expired => Some(Code::Expired),
                TlsVerdict::NotYetValid => Some(Code::NotYetValid),
                TlsVerdict::SelfSigned => Some(Code::SelfSigned),
                TlsVerdict::Weak => Some(Code::WeakCertificate),
                TlsVerdict::UnknownIssuer if is_incomplete(case, certificate) => {
                    Some(Code::IncompleteChain)
                }
                TlsVerdict::UnknownIssuer | TlsVerdict::Bad => Some(Code::UnknownIssuer),
            }
        }
    }
}

/// Whether a name of a certificate covers `domain`: a wildcard is the whole first label and stands for
/// exactly one (RFC 9525, 6.3).
pub(crate) fn covers(pattern: &str, domain: &DomainName) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    let pattern = pattern.trim_end_matches('.');
    let name = domain.as_str();
    let of_one_label = || {
        let below = pattern.strip_prefix("*.")?;
        let (_, parent) = name.split_once('.')?;
        Some(below == parent)
    };
    pattern == name || of_one_label().unwrap_or(false)
}

/// Whether the address shows the same to a name that nobody has.
fn is_the_default(case: &Case<'_>, ip: IpAddr, certificate: &Presented) -> bool {
    let stranger = case.deep().and_then(|deep| deep.stranger.get(&ip));
    matches!(stranger, Some(TlsObservation::Presented { certificate: other, .. })
        if other.fingerprint == certificate.fingerprint)
}

/// Whether only an intermediate certificate is missing: the last one names where its issuer's is, or
/// another address sends it.
fn is_incomplete(case: &Case<'_>, certificate: &Presented) -> bool {
    let Some(issuer) = &certificate.last_issuer else { return false };
    let sends_it = |(_, seen): &(IpAddr, &TlsObservation)| matches!(seen, TlsObservation::Presented { certificate, .. } if certificate.chain.contains(issuer));
    certificate.issuer_url.is_some() || case.visited().iter().any(sends_it)
}

/// The finding of one fault at `ips`.
fn of_fault(case: &Case<'_>, code: Code, ips: &[IpAddr]) -> Finding {
    let visited = case.visited();
    let at_fault = || visited.iter().filter(|(ip, _)| ips.contains(ip));
    let certificate = at_fault().find_map(|(_, seen)| match seen {
        TlsObservation::Presented { certificate, .. } => Some(certificate),
        _ => None,
    });
    let names = certificate.map(some_names).unwrap_or_default();
    let end = certificate.map(|it| match code {
        Code::NotYetValid => it.not_before,
        _ => it.not_after,
    });
    // One address of several is named; where all are alike, none is special.
    let address = if ips.len() < visited.len() { list(ips) } else { String::new() };
    let finding = Finding::new(code).with(Fact::Address, address).with(Fact::Detail, names);
    let issuer = certificate.map(|it| it.issuer.clone()).unwrap_or_default();
    let finding =
        finding.with(Fact::Authority, issuer).evidence(at_fault().map(|it| said(case, it)));
    match end {
        Some(end) => finding.with(Fact::End, end.date()),
        None => finding,
    }
}

/// Names of a certificate; some have a hundred.
fn some_names(certificate: &Presented) -> String {
    list(certificate.names.iter().take(5))
}

/// What an address presents, and how long that is good.
pub(super) fn said(case: &Case<'_>, (ip, seen): &(IpAddr, &TlsObservation)) -> Said {
    let said = match seen {
        TlsObservation::Presented { certificate, .. } => {
            let names = some_names(certificate);
            let until = certificate.not_after.date();
            format!("presents a certificate of {} for {names}, until {until}", certificate.issuer)
        }
        TlsObservation::NoCertificate { detail }
        | TlsObservation::NoAnswer { detail, .. }
        | TlsObservation::Forbidden { detail } => detail.clone(),
    };
    case.said(ip.to_string(), said)
}

/// What is told instead of a certificate that is not there yet: that it is being issued, that a person
/// makes it, or nothing where something else keeps it away.
fn instead(case: &Case<'_>, fault: Finding, found: &[Finding]) -> Option<Finding> {
    let is_missing =
        matches!(fault.code, Code::NoCertificate | Code::DefaultCertificate | Code::OtherName);
    if !is_missing {
        return Some(fault);
    }
    if case.subject.name.is_wildcard() {
        let link = case.policy.dashboard.unwrap_or_default();
        let by_hand = Finding::new(Code::WildcardByHand).with(Fact::Link, link);
        return Some(by_hand.evidence(fault.evidence));
    }
    // Nobody issues for a name that the host does not have, or may not issue for.
    let is_owed =
        alias::is_owed(case) || alias::may_be_owed(case) && found.iter().any(alias::rests);
    let is_kept = |it: &Finding| {
        it.severity == Severity::Error && (Code::CaaForbids..=Code::RedirectLoop).contains(&it.code)
    };
    if is_owed || found.iter().any(is_kept) {
        return None;
    }
    if let Some(spent) = budget_spent(case) {
        return Some(spent.evidence(fault.evidence));
    }
    let until = since_here(case) + case.policy.stages.certificate_patience;
    if case.policy.now < until && !case.is_served() && alias::may_be_there(case) {
        let issuing = Finding::new(Code::Issuing).evidence(fault.evidence);
        return Some(issuing.until(Some(until)));
    }
    Some(fault)
}

/// The week's certificates of its registrable domain are spent.
fn budget_spent(case: &Case<'_>) -> Option<Finding> {
    let registrable = case.subject.name.registrable()?;
    let budget = case.situation.budgets.get(&registrable).filter(|budget| budget.is_spent())?;
    let spent = Finding::new(Code::BudgetSpent).with(Fact::Name, registrable.as_str());
    Some(spent.with(Fact::Count, budget.issued.to_string()).until(budget.next))
}

/// Since when the host could have issued: DNS is here, and it has the name.
fn since_here(case: &Case<'_>) -> Time {
    let now = case.policy.now;
    let Some(entry) = case.subject.entry else { return now };
    match entry.routing.state {
        Routing::Here => entry.routing.since.max(entry.alias.since).min(now),
        Routing::Elsewhere | Routing::Unknown => now,
    }
}

/// That addresses present different certificates.
fn differs(case: &Case<'_>, visited: &[(IpAddr, &TlsObservation)]) -> Option<Finding> {
    let presented = visited.iter().filter_map(|(ip, seen)| match seen {
        TlsObservation::Presented { certificate, .. } => Some((ip, certificate)),
        _ => None,
    });
    let prints: BTreeSet<&str> =
        presented.clone().map(|(_, certificate)| certificate.fingerprint.as_str()).collect();
    let evidence = || visited.iter().map(|it| said(case, it));
    let ips = list(presented.map(|(ip, _)| ip));
    (1 < prints.len())
        .then(|| Finding::new(Code::DiffersByAddress).with(Fact::Address, ips).evidence(evidence()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_wildcard_of_a_certificate_stands_for_one_label() {
        let table = [
            // RFC 9525, 6.3
            ("shop.example",     "shop.example",     true),
            ("SHOP.example",     "shop.example",     true),
            ("*.example.com",    "a.example.com",    true),
            ("*.example.com",    "example.com",      false),
            ("*.example.com",    "a.b.example.com",  false),
            ("a*.example.com",   "ab.example.com",   false),
            ("*",                "example.com",      false),
            ("*.*.example.com",  "a.b.example.com",  false),
            ("*.example.com",    "*.example.com",    true),
            ("www.example.com",  "example.com",      false),
        ];
        for (pattern, name, is_covered) in table {
            assert_eq!(covers(pattern, &name.parse().unwrap()), is_covered, "{pattern} {name}");
        }
    }
}
