//! The routing proof: whether it is WordPress that answers at a domain, and for
//! which mapping.
//!
//! An address and a certificate may be shared by many sites; only WordPress
//! knows its mappings. Any other kind of answer says nothing: a page
//! cache, a firewall or a redirect is never read as a "no".

use std::net::IpAddr;
use std::time::Duration;

use crate::entry::{Entry, Mapped, Proof, Routing};
use crate::judge::View;
use crate::probe::ProofObservation;
use crate::reason::Reason;
use crate::records::SETTLED_AFTER;
use crate::{DomainName, Mapping, Network};

/// Why nothing can be proven where the proof is required and the question is
/// not known, and what to do.
const UNKNOWN_QUESTION: &str = "`checks.routing_proof` is `require`, and the question that only \
    WordPress can answer is not known: it needs AUTH_KEY and AUTH_SALT in wp-config.php, or the \
    plugin (`closte-sync plugin install`)";

/// Whether WordPress is asked in a check at a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// It is, this question.
    Now {
        /// The question.
        question: String,
    },
    /// Not yet.
    Later {
        /// After how long it can be.
        after: Duration,
        /// Why not now, for people.
        why: &'static str,
    },
    /// It is not known what to ask.
    Unknown,
    /// It never is.
    Never,
}

/// Whether WordPress is asked about `entry`; `question` knows what to ask.
pub fn asking(
    entry: &Entry,
    network: &Network,
    question: impl FnOnce(&Mapped) -> Option<String>,
) -> Asking {
    let mapped = entry.mapped.as_ref().filter(|mapped| mapped.left_alone.is_none());
    let Some(mapped) = mapped.filter(|_| !entry.domain.is_wildcard()) else {
        return Asking::Never;
    };
    let Some(question) = question(mapped) else { return Asking::Unknown };
    let age = network.sites.get(&mapped.site_id).and_then(|site| site.age);
    let young = age.and_then(|age| SETTLED_AFTER.checked_sub(age)).filter(|left| !left.is_zero());
    match young {
        Some(after) => Asking::Later { after, why: "its site is in its first minute" },
        // Rows may be missing, and with them the one that explains an answer.
        None if network.moved => {
            Asking::Later { after: SETTLED_AFTER, why: "the network changed while it was read" }
        }
        None => Asking::Now { question },
    }
}

/// Apply what was answered at the addresses that were asked.
pub(crate) fn judge(entry: &mut Entry, answers: &[(IpAddr, ProofObservation)], view: &View<'_>) {
    let now = view.now;
    if entry.routing.state != Routing::Here || *view.asking == Asking::Never {
        return entry.proof.set(now, Proof::Unproven, None, None);
    }
    let Some(mapped) = &entry.mapped else { return };
    let (right, wrong): (Vec<_>, Vec<_>) = answers
        .iter()
        .filter_map(|(ip, observation)| Some((ip, id_of(observation)?)))
        .partition(|(_, id)| is_right(*id, &entry.domain, mapped, view.mappings));
    if !wrong.is_empty() {
        let detail = list(wrong.iter().map(|(ip, id)| contradiction(**ip, *id, view.mappings)));
        entry.proof.set(now, Proof::Contradicted, Some(Reason::OtherMapping), Some(detail));
    } else if !right.is_empty() {
        entry.proof.set(now, Proof::Proven, None, None);
    } else if entry.proof.state == Proof::Unproven {
        could_not_ask(entry, answers, view);
    }
}

/// Whether checks should go on as at a domain that is not ready.
pub(crate) fn is_awaited(entry: &Entry, view: &View<'_>) -> bool {
    entry.proof.state == Proof::Contradicted || view.stages.require_proof && entry.lacks_proof()
}

fn id_of(observation: &ProofObservation) -> Option<u64> {
    match observation {
        ProofObservation::Answered(id) => Some(*id),
        ProofObservation::NoProof { .. } => None,
    }
}

/// Whether `id` is the mapping's, or of its twin on the same site: WordPress
/// finds a name with and without `www.` (facts: the lookup).
fn is_right(id: u64, domain: &DomainName, mapped: &Mapped, mappings: &[Mapping]) -> bool {
    id == mapped.mapping_id
        || known(id, mappings).is_some_and(|other| {
            other.site_id == mapped.site_id && other.domain.without_www() == domain.without_www()
        })
}

fn known(id: u64, mappings: &[Mapping]) -> Option<&Mapping> {
    mappings.iter().find(|mapping| mapping.id == id)
}

fn contradiction(ip: IpAddr, id: u64, mappings: &[Mapping]) -> String {
    match known(id, mappings) {
        Some(other) => {
            format!("{ip} answers for mapping {id}, `{}` of site {}", other.domain, other.site_id)
        }
        None => format!("{ip} answers for mapping {id}, which this network does not have"),
    }
}

/// Say why nothing was proven, where nothing was known before either.
fn could_not_ask(entry: &mut Entry, answers: &[(IpAddr, ProofObservation)], view: &View<'_>) {
    let described = answers.iter().filter_map(|(ip, observation)| match observation {
        ProofObservation::NoProof { detail } => Some(format!("{ip}: {detail}")),
        ProofObservation::Answered(_) => None,
    });
    let detail = match view.asking {
        Asking::Now { .. } if answers.is_empty() => return,
        Asking::Now { .. } => list(described),
        Asking::Later { why, .. } if view.stages.require_proof => {
            format!("{why}; WordPress is asked after that")
        }
        Asking::Later { .. } => return,
        Asking::Unknown | Asking::Never if view.stages.require_proof => UNKNOWN_QUESTION.to_owned(),
        // It is not required.
        Asking::Unknown | Asking::Never => {
            return entry.proof.set(view.now, Proof::Unproven, None, None);
        }
    };
    entry.proof.set(view.now, Proof::Unproven, Some(Reason::NoProof), Some(detail));
}

fn list(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::entry::{Alias, Certificate, HOT, LeftAlone};
    use crate::judge::{self, Check};
    use crate::probe::{DnsObservation, Presented, TlsObservation, TlsVerdict};
    use crate::schedule::LONGEST_GAP;
    use crate::stage::StagePolicy;
    use crate::testing::{POLICY, mapping, network};
    use crate::{Targets, Time};

    const MINUTE: Duration = Duration::from_mins(1);
    /// Long after every entry here was new, so that none is hot.
    const NOW: Time = Time::from_millis(1_000_000_000);

    const REQUIRE: StagePolicy = StagePolicy { require_proof: true, ..POLICY };

    /// `shop.example`, the mapping 7 of site 2, present at the host.
    fn entry(domain: &str) -> Entry {
        let mapped =
            Mapped { mapping_id: 7, site_id: 2, stage: None, secure: false, left_alone: None };
        let mut entry = Entry::new(domain.parse().unwrap(), Some(mapped), Time::from_millis(0));
        entry.alias.set(Time::from_millis(0), Alias::Present, None, None);
        entry
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn now_asked() -> Asking {
        Asking::Now { question: "0123".to_owned() }
    }

    fn later() -> Asking {
        Asking::Later { after: MINUTE, why: "its site is in its first minute" }
    }

    fn is(id: u64) -> ProofObservation {
        ProofObservation::Answered(id)
    }

    fn page() -> ProofObservation {
        ProofObservation::NoProof { detail: "a page".to_owned() }
    }

    /// Check `entry`, which has a good certificate, at an address for each answer.
    fn check(
        entry: &mut Entry,
        answers: Vec<ProofObservation>,
        asking: &Asking,
        require_proof: bool,
    ) {
        let addresses = [ip(1), ip(2)];
        let targets = BTreeSet::from(addresses);
        let valid = (NOW, NOW + MINUTE * 60 * 24 * 90);
        let certificate = Presented::new("Test CA", valid, Vec::new());
        let check = Check {
            dns: DnsObservation::Addresses {
                found: targets.clone(),
                through: Vec::new(),
                unanswered: None,
            },
            tls: vec![TlsObservation::Presented { certificate, verdict: TlsVerdict::Trusted }],
            proof: addresses.into_iter().zip(answers).collect(),
        };
        judge::judge(entry, &check, &view(&targets.into(), asking, require_proof, &mappings()));
    }

    fn view<'a>(
        targets: &'a Targets,
        asking: &'a Asking,
        require_proof: bool,
        mappings: &'a [Mapping],
    ) -> View<'a> {
        let (interval, dashboard, now, chance) = (MINUTE, None, NOW, 0.0);
        let stages = if require_proof { &REQUIRE } else { &POLICY };
        let others_answer = true;
        View { targets, interval, dashboard, asking, stages, others_answer, mappings, now, chance }
    }

    fn mappings() -> Vec<Mapping> {
        vec![
            mapping(7, 2, "shop.example"),
            mapping(8, 2, "www.shop.example"),
            mapping(9, 3, "other.example"),
            mapping(10, 2, "second.example"),
            mapping(11, 3, "www.shop.example"),
            mapping(12, 2, "shop.example"),
        ]
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn one_wrong_answer_contradicts_and_what_is_no_answer_says_nothing() {
        use Proof::{Contradicted, Proven, Unproven};
        let (other, none) = (Some(Reason::OtherMapping), Some(Reason::NoProof));
        let table = [
            // what it shows                        it was        answers               it is         reason
            ("its own id",                          Unproven,     vec![is(7)],          Proven,       None),
            ("its twin's, on the same site",        Unproven,     vec![is(8)],          Proven,       None),
            ("a second row of its name",            Unproven,     vec![is(12)],         Proven,       None),
            ("its twin's, on another site",         Unproven,     vec![is(11)],         Contradicted, other),
            ("another site's",                      Unproven,     vec![is(9)],          Contradicted, other),
            ("another name's of the same site",     Unproven,     vec![is(10)],         Contradicted, other),
            ("nobody's",                            Unproven,     vec![is(99)],         Contradicted, other),
            ("one right, one wrong",                Unproven,     vec![is(7), is(9)],   Contradicted, other),
            ("wrong after it was right",            Proven,       vec![is(9)],          Contradicted, other),
            ("right after it was wrong",            Contradicted, vec![is(7)],          Proven,       None),
            ("one right, one silent",               Unproven,     vec![is(7), page()],  Proven,       None),
            ("one wrong, one silent",               Unproven,     vec![page(), is(9)],  Contradicted, other),
            ("a page",                              Unproven,     vec![page()],         Unproven,     none),
            ("a page after it was proven",          Proven,       vec![page()],         Proven,       None),
            ("a page after a contradiction",        Contradicted, vec![page()],         Contradicted, None),
            ("nothing was asked",                   Unproven,     vec![],               Unproven,     None),
        ];
        for (shows, was, answers, state, reason) in table {
            for required in [false, true] {
                let mut entry = entry("shop.example");
                entry.proof.set(NOW, was, None, None);
                check(&mut entry, answers.clone(), &now_asked(), required);
                assert_eq!((entry.proof.state, entry.proof.reason), (state, reason), "{shows}");
            }
        }
    }

    #[test]
    fn a_contradiction_names_addresses_ids_and_whose_they_are() {
        let mut entry = entry("shop.example");
        check(&mut entry, vec![is(9), is(99)], &now_asked(), false);
        assert_eq!(
            entry.proof.detail.as_deref(),
            Some(
                "192.0.2.1 answers for mapping 9, `other.example` of site 3; \
                 192.0.2.2 answers for mapping 99, which this network does not have"
            )
        );
        check(&mut entry, vec![is(7), is(99)], &now_asked(), false);
        let detail = entry.proof.detail.as_deref();
        assert_eq!(
            detail,
            Some("192.0.2.2 answers for mapping 99, which this network does not have")
        );
    }

    #[test]
    fn no_proof_names_what_each_address_answered_instead() {
        let mut entry = entry("shop.example");
        check(&mut entry, vec![page(), page()], &now_asked(), false);
        assert_eq!(entry.proof.detail.as_deref(), Some("192.0.2.1: a page; 192.0.2.2: a page"));
    }

    #[test]
    fn a_domain_that_is_routed_elsewhere_has_to_be_proven_anew() {
        let mut entry = entry("shop.example");
        check(&mut entry, vec![is(7)], &now_asked(), false);
        let (elsewhere, asking) = (Targets::default(), now_asked());
        let away = Check { dns: DnsObservation::NoSuchName, tls: vec![], proof: vec![] };
        judge::judge(&mut entry, &away, &view(&elsewhere, &asking, false, &[]));
        assert_eq!(entry.proof.state, Proof::Unproven);
        let unobservable = DnsObservation::NoAnswer { detail: String::new() };
        let unobservable = Check { dns: unobservable, tls: vec![], proof: vec![] };
        check(&mut entry, vec![is(7)], &now_asked(), false);
        judge::judge(&mut entry, &unobservable, &view(&elsewhere, &asking, false, &[]));
        assert_eq!(entry.proof.state, Proof::Proven, "could not ask is not a no");
    }

    #[test]
    fn what_keeps_a_required_proof_away_is_reported_and_else_nobody_learns_of_it() {
        for asking in [Asking::Unknown, later()] {
            let mut entry = entry("shop.example");
            check(&mut entry, vec![], &asking, true);
            assert_eq!(entry.proof.reason, Some(Reason::NoProof), "{asking:?}");
            assert!(entry.proof.detail.is_some(), "{asking:?}");
        }
        let mut entry = entry("shop.example");
        check(&mut entry, vec![], &Asking::Unknown, true);
        check(&mut entry, vec![], &Asking::Unknown, false);
        assert_eq!((entry.proof.reason, &entry.proof.detail), (None, &None));
    }

    #[test]
    fn what_never_is_asked_is_neither_proven_nor_waited_for() {
        let mut entry = entry("*.shop.example");
        entry.proof.set(NOW, Proof::Proven, None, None);
        check(&mut entry, vec![], &Asking::Never, true);
        assert_eq!((entry.proof.state, entry.proof.reason), (Proof::Unproven, None));
        assert!(!entry.lacks_proof());
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn checks_go_on_where_a_proof_is_waited_for_and_until_a_contradiction_ends() {
        let rests = LONGEST_GAP;
        let table = [
            // what it shows                        answers         asking            required  next check
            ("proven",                              vec![is(7)],    now_asked(),      true,     rests),
            ("not proven, and nobody waits for it", vec![page()],   now_asked(),      false,    rests),
            ("required",                            vec![page()],   now_asked(),      true,     MINUTE),
            ("contradicted",                        vec![is(9)],    now_asked(),      false,    MINUTE),
            ("its site is young",                   vec![],         later(),          false,    MINUTE),
            ("nobody knows the question",           vec![],         Asking::Unknown,  false,    rests),
        ];
        for (shows, answers, asking, required, next) in table {
            let mut entry = entry("shop.example");
            // The certificate is known already: only the proof can make it hot.
            entry.routing.set(NOW, Routing::Here, None, None);
            entry.certificate.set(NOW, Certificate::Expiring, None, None);
            entry.checks.hot_until = NOW + HOT;
            check(&mut entry, answers, &asking, required);
            assert!(entry.is_ready(), "{shows}");
            assert_eq!(entry.checks.due.since(NOW), next, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn it_is_asked_of_settled_sites_whose_name_is_theirs_alone() {
        let known = |_: &Mapped| Some("0123".to_owned());
        let network = network(mappings());
        let aged = |seconds: Option<u64>| {
            let mut network = network.clone();
            network.sites.get_mut(&2).unwrap().age = seconds.map(Duration::from_secs);
            network
        };
        let later = |seconds| Asking::Later {
            after: Duration::from_secs(seconds),
            why: "its site is in its first minute",
        };
        let shop = entry("shop.example");
        let mut contested = shop.clone();
        contested.mapped.as_mut().unwrap().left_alone = Some(LeftAlone::Contested);
        let gone = Entry { mapped: None, ..shop.clone() };
        let table = [
            // what it shows      entry                     network            asked
            ("settled",           &shop,                    aged(Some(60)),    now_asked()),
            ("of unknown age",    &shop,                    aged(None),        now_asked()),
            ("just made",         &shop,                    aged(Some(0)),     later(60)),
            ("nearly settled",    &shop,                    aged(Some(59)),    later(1)),
            ("contested",         &contested,               aged(None),        Asking::Never),
            ("a wildcard",        &entry("*.shop.example"), aged(None),        Asking::Never),
            ("not mapped",        &gone,                    aged(None),        Asking::Never),
        ];
        for (shows, entry, network, asked) in table {
            assert_eq!(asking(entry, &network, known), asked, "{shows}");
        }
        assert_eq!(asking(&shop, &network, |_| None), Asking::Unknown);
        let moved = Network { moved: true, ..network.clone() };
        assert!(matches!(asking(&shop, &moved, known), Asking::Later { .. }), "rows may be missing");
    }
}
