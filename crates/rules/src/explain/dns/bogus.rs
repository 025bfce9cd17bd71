//! DNSSEC: what exactly does not fit, once a validating resolver has said that something does not.

use super::super::records::record;
use super::super::{Case, list};
use super::{answer_text, is_answer};
use crate::Time;
use crate::evidence::{Answer, Deep, Dnssec, ResolverSaid};
use crate::finding::{Code, Fact, Finding, RecordAction, RecordChange, Said};

/// That signatures do not fit: SERVFAIL, and an answer without validation.
pub(super) fn of(case: &Case<'_>, deep: &Deep) -> Option<Finding> {
    let said = deep.resolvers.iter().find(|it| calls_bogus(it))?;
    let unvalidated = said.unvalidated.as_ref().map(answer_text).unwrap_or_default();
    let evidence = [
        case.said(said.resolver.to_string(), answer_text(&said.answer)),
        case.said(said.resolver.to_string(), format!("without validation: {unvalidated}")),
    ];
    let finding = Finding::new(Code::DnssecBogus).evidence(evidence);
    let Some(dnssec) = &deep.dnssec else { return Some(finding) };
    let finding = finding.with(Fact::Zone, &dnssec.zone);
    let finding = finding.with(Fact::Detail, fault(dnssec, case.policy.now).unwrap_or_default());
    Some(finding.records(remedy(dnssec)).evidence(read(case, dnssec)))
}

/// Whether a resolver says that signatures do not fit, as only one that validates does.
pub(in super::super) fn calls_bogus(said: &ResolverSaid) -> bool {
    matches!(said.answer, Answer::Failed { .. }) && said.unvalidated.as_ref().is_some_and(is_answer)
}

/// What exactly does not fit, as a word that the texts know; none where that is not proved.
fn fault(dnssec: &Dnssec, now: Time) -> Option<&'static str> {
    let keys = dnssec.keys.as_ref()?;
    let signatures = dnssec.signatures.as_ref();
    if dnssec.ds.is_empty() {
        return None;
    }
    if keys.is_empty() {
        return Some(DS_WITHOUT_KEY);
    }
    if !dnssec.matches {
        return Some(NO_FITTING_DS);
    }
    let signatures = signatures?;
    let of_keys = signatures.iter().filter(|it| it.covers == "DNSKEY").count();
    if of_keys == 0 || of_keys == signatures.len() {
        Some(UNSIGNED)
    } else if signatures.iter().any(|it| it.until < now) {
        Some(EXPIRED)
    } else if signatures.iter().any(|it| now < it.from) {
        Some(NOT_YET)
    } else {
        None
    }
}

/// There are DS records at the parent and no key in the zone.
const DS_WITHOUT_KEY: &str = "ds-without-dnskey";
/// No DS record is of one of the keys.
const NO_FITTING_DS: &str = "no-matching-ds";
/// There are no signatures, of the keys or of what was asked for.
const UNSIGNED: &str = "rrsig-missing";
/// A signature's time is over.
const EXPIRED: &str = "rrsig-expired";
/// A signature's time has not come.
const NOT_YET: &str = "rrsig-not-yet-valid";

/// The DS record that fits the keys, where there is one to fit; else none at all.
fn remedy(dnssec: &Dnssec) -> Vec<RecordChange> {
    if dnssec.ds.is_empty() {
        return Vec::new();
    }
    let is_wrong_key = !dnssec.matches && !dnssec.fitting_ds.is_empty();
    let (action, wanted) = if is_wrong_key {
        (RecordAction::Change, dnssec.fitting_ds.clone())
    } else {
        (RecordAction::Remove, Vec::new())
    };
    vec![record(action, (&dnssec.zone, "DS"), dnssec.ds.clone(), wanted)]
}

fn read(case: &Case<'_>, dnssec: &Dnssec) -> Vec<Said> {
    let Dnssec { zone, ds, keys, signatures, .. } = dnssec;
    let some = |what: &str, lines: &[String]| match lines {
        [] => format!("no {what}"),
        lines => format!("{what} {}", list(lines)),
    };
    let keys = keys.as_ref().map_or("DNSKEY cannot be read".to_owned(), |it| some("DNSKEY", it));
    let signed = signatures.as_ref().map(|signatures| match &signatures[..] {
        [] => "no RRSIG".to_owned(),
        signatures => list(signatures.iter().map(|it| {
            format!("RRSIG of {}, good from {} to {}", it.covers, it.from.date(), it.until.date())
        })),
    });
    let lines = [some("DS", ds), keys].into_iter().chain(signed);
    lines.map(|line| case.said(zone, line)).collect()
}
