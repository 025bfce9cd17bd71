//! What is recorded of a domain: the findings of its last check, and what its alias says since.

use std::borrow::Cow;
use std::time::Duration;

use super::rows::about_row;
use super::{alias, in_order};
use crate::entry::{Certificate, Entry, LeftAlone, Proof, Routing};
use crate::finding::{Code, Fact, Finding, Severity};
use crate::judge::Check;
use crate::probe::{DnsObservation, ProofObservation, TlsObservation};
use crate::reason::Reason;
use crate::{Stage, Time};

/// The deep questions about a domain are asked again so often, unless a person asks.
pub const DEEP_AGAIN: Duration = Duration::from_hours(1);

/// The last deep look at a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// When.
    pub at: Time,
    /// What the check beside it saw, in short: while checks see the same, what the deep look found
    /// stands.
    pub saw: String,
}

/// All that is known of an entry without asking anybody, what must be mended first standing first.
/// Nothing of one that is neither mapped nor a twin any more: what was found is over.
pub fn of_entry(entry: &Entry) -> Vec<Finding> {
    in_order(all(entry).map(Cow::into_owned).collect())
}

/// The same, in no order.
pub(super) fn all(entry: &Entry) -> impl Iterator<Item = Cow<'_, Finding>> {
    let wrong_clock = entry.unseen().is_some_and(|it| it.reason == Reason::ClockWrong);
    let clock = wrong_clock.then(|| Finding::new(Code::ClockWrong));
    let is_served = entry.mapped.as_ref().is_some_and(|it| it.stage.is_some_and(Stage::is_served));
    let unseen = entry.unseen().filter(|_| is_served && !wrong_clock);
    let unseen = unseen.map(|it| {
        Finding::new(Code::Unseen).with(Fact::Detail, it.detail.clone().unwrap_or_default())
    });
    let recorded = [alias::of_recorded(entry), misspelled(entry), clock, unseen];
    let recorded = recorded.into_iter().flatten();
    let found = entry.findings.iter().map(Cow::Borrowed);
    found.chain(recorded.map(Cow::Owned)).filter(|_| entry.is_followed())
}

/// That WordPress does not surely find the row as it is written; a check knows more.
fn misspelled(entry: &Entry) -> Option<Finding> {
    let row = entry.mapped.as_ref()?;
    let is_so = row.left_alone == Some(LeftAlone::Misspelled);
    let code = Code::SpellingNeverMatched;
    is_so.then(|| about_row(code, &entry.domain, row.mapping_id, row.site_id))
}

/// Why a domain that is served is broken: the first error of its last check.
pub fn first_error(entry: &Entry) -> Option<&Finding> {
    entry.findings.iter().find(|it| it.severity == Severity::Error)
}

/// Whether the deep questions are asked in a check at `now`: something is not as it
/// should be, and they were not asked lately. Nobody waits for a twin that is not at the host.
pub fn asks_deeper(entry: &Entry, now: Time) -> bool {
    let is_good = entry.routing.state == Routing::Here
        && entry.certificate.state == Certificate::Valid
        && entry.proof.state != Proof::Contradicted
        && entry.unseen().is_none();
    let is_lately = |looked: &Looked| {
        now.since(looked.at) < DEEP_AGAIN && entry.rechecked_at.is_none_or(|at| at < looked.at)
    };
    !is_good && !entry.is_candidate() && !entry.looked.as_ref().is_some_and(is_lately)
}

/// What a check saw, in short.
pub fn saw(check: &Check) -> String {
    let dns = match &check.dns {
        DnsObservation::Addresses { found, through, .. } => format!("{found:?} {through:?}"),
        DnsObservation::NoSuchName => "no such name".to_owned(),
        DnsObservation::NoAddress { through } => format!("no address {through:?}"),
        DnsObservation::Failed { .. } => "failed".to_owned(),
        DnsObservation::NoAnswer { .. } => "no answer".to_owned(),
    };
    let tls = check.tls.iter().map(|seen| match seen {
        TlsObservation::Presented { certificate, verdict } => {
            format!(" {verdict:?} {}", certificate.fingerprint)
        }
        TlsObservation::NoCertificate { .. } => " none".to_owned(),
        TlsObservation::NoAnswer { how, .. } => format!(" {how}"),
        TlsObservation::Forbidden { .. } => " forbidden".to_owned(),
    });
    let answers = check.proof.iter().filter_map(|(_, seen)| match seen {
        ProofObservation::Answered(id) => Some(format!(" mapping {id}")),
        ProofObservation::NoProof { .. } => None,
    });
    dns + &tls.chain(answers).collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Alias, Mapped};
    use crate::twins::Twin;

    const NOW: Time = Time::from_millis(1_000_000_000);

    fn entry() -> Entry {
        let mapped =
            Mapped { mapping_id: 7, site_id: 2, stage: None, secure: false, left_alone: None };
        let mut entry = Entry::new("shop.example".parse().unwrap(), Some(mapped), NOW);
        entry.alias.set(NOW, Alias::Present, None, None);
        entry
    }

    fn codes(entry: &Entry) -> Vec<&'static str> {
        of_entry(entry).iter().map(|it| it.code.as_str()).collect()
    }

    #[test]
    fn what_the_host_said_since_joins_what_the_last_check_found() {
        let mut entry = entry();
        assert_eq!(codes(&entry), [""; 0]);
        entry.findings = vec![Finding::new(Code::OtherAddress)];
        assert_eq!(codes(&entry), ["other-address"]);
        entry.alias.set(NOW, Alias::Wanted, None, None);
        assert_eq!(codes(&entry), ["other-address", "not-added-yet"]);
        entry.alias.set(NOW, Alias::Rejected, Some(Reason::InvalidDomain), None);
        assert_eq!(codes(&entry), ["invalid-domain", "other-address"]);
        entry.alias.set(NOW, Alias::Protected, Some(Reason::ProtectedName), None);
        assert_eq!(codes(&entry), ["other-address", "protected-name"]);
        entry.mapped = None;
        entry.alias.set(NOW, Alias::Removing, Some(Reason::MappingGone), None);
        assert_eq!(codes(&entry), [""; 0], "what was found is over");
        entry.twin = Some(Twin::Follows);
        entry.alias.set(NOW, Alias::Wanted, None, None);
        assert_eq!(codes(&entry), ["other-address", "not-added-yet"]);
    }

    #[test]
    fn a_domain_that_is_not_good_is_looked_into_once_an_hour_or_when_a_person_asks() {
        let mut entry = entry();
        assert!(asks_deeper(&entry, NOW), "never looked");
        entry.looked = Some(Looked { at: NOW, saw: String::new() });
        assert!(!asks_deeper(&entry, NOW + Duration::from_mins(59)));
        assert!(asks_deeper(&entry, NOW + DEEP_AGAIN));
        entry.rechecked_at = Some(NOW + Duration::from_mins(5));
        assert!(asks_deeper(&entry, NOW + Duration::from_mins(6)), "a person asked");
        entry.routing.see(NOW, Routing::Here, None, None);
        entry.certificate.see(NOW, Certificate::Valid, None, None);
        assert!(!asks_deeper(&entry, NOW + DEEP_AGAIN), "nothing is wrong");
        entry.certificate.see(NOW, Certificate::Expiring, None, None);
        assert!(asks_deeper(&entry, NOW + DEEP_AGAIN), "it should have been renewed");
    }

    #[test]
    fn what_was_found_is_looked_at_anew_once_rows_or_the_proof_change() {
        let mut entry = entry();
        let looked = Looked { at: NOW, saw: String::new() };
        (entry.looked, entry.checks.due) = (Some(looked), NOW + DEEP_AGAIN);
        let mut row = entry.mapped.clone().unwrap();
        entry.map(row.clone(), NOW);
        assert_eq!((entry.looked.is_some(), entry.checks.due), (true, NOW + DEEP_AGAIN));
        row.left_alone = Some(LeftAlone::Contested);
        entry.map(row, NOW);
        assert_eq!((entry.looked.is_some(), entry.checks.due), (false, NOW));

        let saw = |proof| saw(&Check { dns: DnsObservation::NoSuchName, tls: Vec::new(), proof });
        let ip = "192.0.2.7".parse().unwrap();
        let silent = || ProofObservation::NoProof { detail: "it timed out".to_owned() };
        assert_ne!(
            saw(vec![(ip, ProofObservation::Answered(7))]),
            saw(vec![(ip, ProofObservation::Answered(8))])
        );
        assert_eq!(saw(vec![(ip, silent())]), saw(Vec::new()));
    }
}
