//! What was seen of a certificate.

use super::View;
use crate::entry::{Certificate, Entry};
use crate::probe::{Age, Presented, TlsObservation, TlsVerdict, Unanswered};
use crate::reason::Reason;
use crate::{DomainName, Time};

/// Set the certificate; whether what is there was seen. Where DNS leads elsewhere, nothing is there, unless
/// where it was visited may be of the record type that is `unanswered`;
/// an address that may not be visited is none that was silent.
pub(super) fn judge(
    entry: &mut Entry,
    observations: &[TlsObservation],
    unanswered: Option<&Unanswered>,
    view: &View<'_>,
) -> bool {
    let verdict = worst(
        observations.iter().map(|observation| judge_observation(observation, &entry.domain, view)),
    );
    let Some(verdict) = verdict else {
        if let Some(unanswered) = unanswered {
            let (seen, detail) = (entry.checks.last, unanswered.to_string());
            entry.certificate.miss(view.now, seen, Reason::DnsFailed, Some(&detail));
            return true;
        }
        (entry.issuer, entry.not_after) = (None, None);
        let why = Some(Reason::NotRoutedHere);
        entry.certificate.see(view.now, Certificate::Unknown, why, None);
        return true;
    };
    let is_seen = verdict.reason != Some(Reason::NoWebAnswer);
    if let (Certificate::Unknown, Some(reason)) = (verdict.state, verdict.reason) {
        let (seen, detail) = (entry.checks.last, verdict.detail.as_deref());
        entry.certificate.miss(view.now, seen, reason, detail);
        // Could not ask: what was known stays.
        if entry.certificate.state != Certificate::Unknown {
            return is_seen;
        }
    } else {
        entry.certificate.unseen = None;
    }
    (entry.issuer, entry.not_after) = (verdict.issuer, verdict.not_after);
    entry.certificate.set(view.now, verdict.state, verdict.reason, verdict.detail);
    is_seen
}

#[derive(Debug)]
struct Verdict {
    state: Certificate,
    reason: Option<Reason>,
    detail: Option<String>,
    issuer: Option<String>,
    not_after: Option<Time>,
}

/// One bad address spoils a domain; one that could not be asked does not.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Option<Verdict> {
    verdicts.min_by_key(|verdict| match verdict.state {
        Certificate::Invalid => 0,
        Certificate::Missing => 1,
        Certificate::Expiring => 2,
        Certificate::Valid => 3,
        Certificate::Unknown => 4,
    })
}

fn judge_observation(
    observation: &TlsObservation,
    domain: &DomainName,
    view: &View<'_>,
) -> Verdict {
    let without = |state, reason, detail: &str| Verdict {
        state,
        reason: Some(reason),
        detail: Some(detail.to_owned()),
        issuer: None,
        not_after: None,
    };
    match observation {
        TlsObservation::Presented { certificate, verdict } => {
            judge_presented(certificate, *verdict, domain, view)
        }
        TlsObservation::NoCertificate { detail } => {
            let (reason, detail) = operator(domain, view, Reason::NoCertificate, detail.clone());
            without(Certificate::Missing, reason, &detail)
        }
        TlsObservation::NoAnswer { detail, .. } => {
            without(Certificate::Unknown, Reason::NoWebAnswer, detail)
        }
        TlsObservation::Forbidden { detail } => {
            without(Certificate::Unknown, Reason::PrivateAddress, detail)
        }
    }
}

fn judge_presented(
    certificate: &Presented,
    verdict: TlsVerdict,
    domain: &DomainName,
    view: &View<'_>,
) -> Verdict {
    let names = || match &certificate.names[..] {
        [] => "it names no domain".to_owned(),
        names => format!("it is for {}", names.join(", ")),
    };
    let (state, reason, detail) = match verdict {
        TlsVerdict::Trusted if certificate.age(view.now) != Age::Young => {
            (Certificate::Expiring, Some(Reason::ExpiresSoon), None)
        }
        TlsVerdict::Trusted => (Certificate::Valid, None, None),
        TlsVerdict::OtherName => {
            let (reason, detail) = operator(domain, view, Reason::OtherName, names());
            (Certificate::Invalid, Some(reason), Some(detail))
        }
        TlsVerdict::Expired => (Certificate::Invalid, Some(Reason::Expired), None),
        TlsVerdict::NotYetValid => (Certificate::Invalid, Some(Reason::NotYetValid), None),
        TlsVerdict::SelfSigned => (Certificate::Invalid, Some(Reason::SelfSigned), Some(names())),
        TlsVerdict::UnknownIssuer => (Certificate::Invalid, Some(Reason::UnknownIssuer), None),
        TlsVerdict::Weak | TlsVerdict::Bad => {
            (Certificate::Invalid, Some(Reason::BadCertificate), None)
        }
    };
    let issuer = Some(certificate.issuer.clone());
    Verdict { state, reason, detail, issuer, not_after: Some(certificate.not_after) }
}

/// A wildcard without its certificate: the host may need a person for it.
fn operator(
    domain: &DomainName,
    view: &View<'_>,
    reason: Reason,
    detail: String,
) -> (Reason, String) {
    if !domain.is_wildcard() {
        return (reason, detail);
    }
    let page = view.dashboard.map(|url| format!("; finish it at {url}")).unwrap_or_default();
    (Reason::WildcardByHand, format!("{detail}{page}"))
}

/// A certificate whose end has passed is refused by every browser.
pub(super) fn judge_end(entry: &mut Entry, now: Time) {
    if entry.certificate.state.is_good() && entry.not_after.is_some_and(|end| end < now) {
        entry.certificate.set(now, Certificate::Invalid, Some(Reason::Expired), None);
    }
}
