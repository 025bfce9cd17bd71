//! What was seen of the routing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::View;
use crate::entry::{Entry, Routing, ZoneFails};
use crate::explain::DnsRule;
use crate::planted;
use crate::probe::{DnsObservation, RecordKind, Unanswered};
use crate::proxy::is_proxy;
use crate::reason::Reason;
use crate::{Targets, Time};

/// Set the routing; whether the check told anything.
pub(super) fn judge(entry: &mut Entry, dns: &DnsObservation, view: &View<'_>) -> bool {
    let now = view.now;
    if dns.is_answer() {
        entry.checks.zone_fails = None;
    }
    // What was right of a record type that is not answered for is not taken for gone.
    let right: Vec<IpAddr> =
        kept(entry, dns.unanswered()).filter(|ip| view.targets.contains(*ip)).collect();
    let mut elsewhere = |found, reason, detail| {
        entry.found = found;
        entry.routing.see(now, Routing::Elsewhere, Some(reason), detail);
        true
    };
    match dns {
        DnsObservation::NoSuchName => elsewhere(Vec::new(), Reason::NoSuchName, None),
        DnsObservation::NoAddress { through } => {
            elsewhere(Vec::new(), Reason::NoAddress, led_through(through))
        }
        DnsObservation::Failed { .. } | DnsObservation::NoAnswer { .. }
            if planted!(StageOnUnseen) =>
        {
            elsewhere(Vec::new(), Reason::NoSuchName, None)
        }
        DnsObservation::Failed { detail } => {
            could_not_ask(entry, Reason::DnsFailed, Some(detail), now);
            if view.others_answer {
                let since = entry.checks.zone_fails.map_or(now, |it| it.since.min(now));
                entry.checks.zone_fails = Some(ZoneFails { since, last: now });
            }
            false
        }
        DnsObservation::NoAnswer { detail } => {
            could_not_ask(entry, Reason::NoResolver, Some(detail), now);
            false
        }
        DnsObservation::Addresses { .. } if view.targets.is_empty() => {
            could_not_ask(entry, Reason::NoTargets, None, now);
            false
        }
        DnsObservation::Addresses { found, through, .. } if is_enough(found, view) => {
            entry.found = found.iter().map(IpAddr::to_canonical).collect();
            entry.routing.see(now, Routing::Here, None, led_through(through));
            true
        }
        DnsObservation::Addresses { found, through, unanswered } => {
            let mut found: Vec<IpAddr> = found.iter().map(IpAddr::to_canonical).collect();
            if let Some(reason) = wrong_address(&found, view.targets) {
                found.extend(right);
                let reason = wrong_address(&found, view.targets).unwrap_or(reason);
                let detail = wanted_detail(&found, through, view.targets);
                return elsewhere(found, reason, Some(detail));
            }
            if let Some((reason, detail)) = not_sure(entry, &found, unanswered.as_ref(), view) {
                could_not_ask(entry, reason, Some(&detail), now);
                return false;
            }
            entry.found = found;
            entry.routing.see(now, Routing::Here, None, led_through(through));
            true
        }
    }
}

/// Whether one right address is enough, and there is one.
fn is_enough(found: &BTreeSet<IpAddr>, view: &View<'_>) -> bool {
    view.dns == DnsRule::Any && found.iter().any(|ip| view.targets.contains(*ip))
}

/// What is wrong with the addresses of a domain; none where none is somebody else's for sure.
fn wrong_address(found: &[IpAddr], targets: &Targets) -> Option<Reason> {
    let (here, elsewhere): (Vec<&IpAddr>, Vec<&IpAddr>) =
        found.iter().partition(|ip| targets.contains(**ip));
    if !elsewhere.iter().any(|ip| targets.is_foreign(**ip)) {
        return None;
    }
    let proxied = elsewhere.iter().any(|ip| is_proxy(**ip));
    Some(match (here.is_empty(), elsewhere.iter().all(|ip| ip.is_ipv6())) {
        _ if proxied => Reason::Proxied,
        (true, _) => Reason::OtherAddress,
        (false, true) => Reason::Ipv6Elsewhere,
        (false, false) => Reason::PartlyElsewhere,
    })
}

/// Why `found`, of which nothing is wrong for sure, does not show that all is right: it is not
/// known whether an address is the network's, or the domain had a wrong one of the record type that
/// is `unanswered` now.
fn not_sure(
    entry: &Entry,
    found: &[IpAddr],
    unanswered: Option<&Unanswered>,
    view: &View<'_>,
) -> Option<(Reason, String)> {
    let is_other = |ip: &&IpAddr| !view.targets.contains(**ip);
    if let Some(ip) = found.iter().find(is_other) {
        let missed = view.targets.missed.as_deref().unwrap_or("DNS did not answer for it");
        let detail = format!(
            "it points to {ip}, and whether that is the network's is not known: of the network's \
             own domain, {missed}"
        );
        return Some((Reason::NoTargets, detail));
    }
    let had = kept(entry, unanswered).find(|ip| is_other(&ip))?;
    let unanswered = unanswered?;
    Some((Reason::DnsFailed, format!("it pointed to {had} too; now {unanswered}")))
}

/// The addresses that it had of the record type that is `unanswered` now.
pub(super) fn kept(entry: &Entry, unanswered: Option<&Unanswered>) -> impl Iterator<Item = IpAddr> {
    let kind = unanswered.map(|it| it.kind);
    entry.found.iter().copied().filter(move |ip| Some(RecordKind::of(*ip)) == kind)
}

fn led_through(through: &[String]) -> Option<String> {
    (!through.is_empty()).then(|| format!("by way of {}", through.join(", ")))
}

fn wanted_detail(found: &[IpAddr], through: &[String], targets: &Targets) -> String {
    let list = |ips: &mut dyn Iterator<Item = &IpAddr>| {
        ips.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    let wrong = list(&mut found.iter().filter(|ip| !targets.contains(**ip)));
    let right = list(&mut targets.addresses.iter());
    let by_way = led_through(through).map(|way| format!(", {way}")).unwrap_or_default();
    format!("it points to {wrong}{by_way}; it must point to {right} only")
}

/// Say why nothing could be seen: without an answer of DNS there is nowhere to look for the
/// certificate.
pub(super) fn could_not_ask(entry: &mut Entry, reason: Reason, detail: Option<&str>, now: Time) {
    if entry.routing.state == Routing::Unknown {
        let detail = detail.map(str::to_owned);
        entry.routing.set(now, Routing::Unknown, Some(reason), detail);
    }
    entry.routing.miss(now, entry.checks.last, reason, detail);
    entry.certificate.miss(now, entry.checks.last, reason, detail);
}
