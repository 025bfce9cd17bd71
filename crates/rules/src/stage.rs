//! The words that WordPress reads, and the table that picks one.
//!
//! ```text
//!   checking-dns ──▶ checking-ssl-cert ──▶ done
//!        │                  │               ▲
//!        ▼                  ▼               │   nothing ends here: checks go on,
//!      failed           ssl-failed ─────────┘   and a domain recovers by later checks
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::entry::{Alias, Certificate, Condition, Entry, Routing};
use crate::planted;
use crate::source::StageWrite;
use crate::{DomainName, Time};

/// A served domain steps down only after so many bad checks …
const BAD_CHECKS: u32 = 3;
/// … over at least this long, and only if the operator allows it.
const BAD_FOR: Duration = Duration::from_mins(30);

/// A word in the column `stage` of a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// DNS does not point here yet.
    CheckingDns,
    /// DNS points here; no good certificate yet.
    CheckingSslCert,
    /// Served, without a certificate.
    DoneWithoutSsl,
    /// Served with a certificate.
    Done,
    /// Waiting for DNS took too long. The word is for people: checks go on.
    Failed,
    /// The same for its certificate.
    SslFailed,
}

impl Stage {
    /// All six, in the order in which a domain meets them.
    pub const ALL: [Self; 6] = [
        Self::CheckingDns,
        Self::CheckingSslCert,
        Self::DoneWithoutSsl,
        Self::Done,
        Self::Failed,
        Self::SslFailed,
    ];

    /// The word itself.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CheckingDns => "checking-dns",
            Self::CheckingSslCert => "checking-ssl-cert",
            Self::DoneWithoutSsl => "done-without-ssl",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::SslFailed => "ssl-failed",
        }
    }

    /// The stage of a word; none for a word that is not a stage.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }

    /// Whether WordPress shows the site under a domain in this stage.
    pub fn is_served(self) -> bool {
        matches!(self, Self::Done | Self::DoneWithoutSsl)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How long to wait for a domain, and how its word is picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagePolicy {
    /// How long DNS may take.
    pub dns_patience: Duration,
    /// How long a certificate may take once DNS is right.
    pub certificate_patience: Duration,
    /// Whether a served domain may step down.
    pub demote: bool,
    /// Whether a domain becomes `done` only with its routing proof.
    pub require_proof: bool,
}

impl StagePolicy {
    /// Whether what is not right yet is still waited for: DNS, or once that is right a certificate.
    pub fn is_patient(&self, routing: &Condition<Routing>, now: Time) -> bool {
        let patience = match routing.state {
            Routing::Here => self.certificate_patience,
            Routing::Elsewhere | Routing::Unknown => self.dns_patience,
        };
        now.since(routing.since) < patience
    }
}

/// What to write to the mapping of `entry`; none where it is as it should be.
///
/// `words` are those that the column can store, `network` is the network's own
/// domain.
pub fn project(
    entry: &Entry,
    policy: &StagePolicy,
    words: &BTreeSet<Stage>,
    network: &DomainName,
    now: Time,
) -> Option<StageWrite> {
    let mapped =
        entry.mapped.as_ref().filter(|it| it.left_alone.is_none() || planted!(WriteContested))?;
    let target_stage = target_stage(entry, policy, network, now)?;
    let to = match target_stage {
        Stage::SslFailed if !words.contains(&target_stage) => Stage::DoneWithoutSsl,
        _ => target_stage,
    };
    let served = mapped.stage.is_some_and(Stage::is_served);
    let stays = served && !planted!(ForgetServed);
    if stays && to != Stage::Done && !may_demote(entry, policy, now) {
        return None;
    }
    let secure = to == Stage::Done;
    let stands = mapped.stage == Some(to) && (mapped.secure || !secure);
    let (mapping_id, from) = (mapped.mapping_id, mapped.stage);
    let write = StageWrite { mapping_id, domain: entry.domain.clone(), from, to, secure };
    (!stands && words.contains(&to)).then_some(write)
}

/// The table of the design: three states, one word. While it cannot be seen it stands as it did when
/// it was last seen: no patience ends by a check that could not be made.
fn target_stage(
    entry: &Entry,
    policy: &StagePolicy,
    network: &DomainName,
    now: Time,
) -> Option<Stage> {
    let seen = entry.unseen().map_or(now, |unseen| unseen.seen.min(now));
    let patient = policy.is_patient(&entry.routing, seen);
    let zone_is_dead =
        entry.checks.zone_fails.is_some_and(|it| policy.dns_patience <= it.last.since(it.since));
    let refused = entry.alias.state == Alias::Rejected && !entry.domain.is_below(network);
    match (entry.routing.state, entry.certificate.state) {
        _ if refused || zone_is_dead => Some(Stage::Failed),
        // Could not ask: the word stays.
        (Routing::Unknown, _) => None,
        (Routing::Elsewhere, _) if patient => Some(Stage::CheckingDns),
        (Routing::Elsewhere, _) => Some(Stage::Failed),
        // Patience does not matter here: its certificate is right.
        (Routing::Here, Certificate::Valid | Certificate::Expiring)
            if policy.require_proof && entry.lacks_proof() =>
        {
            Some(Stage::CheckingSslCert)
        }
        (Routing::Here, Certificate::Valid | Certificate::Expiring) => Some(Stage::Done),
        (Routing::Here, _) if patient => Some(Stage::CheckingSslCert),
        // DNS is right and the certificate could not be checked: never worse than waiting.
        (Routing::Here, Certificate::Unknown) => {
            let was_failed = entry.mapped.as_ref().and_then(|mapped| mapped.stage);
            (was_failed != Some(Stage::SslFailed)).then_some(Stage::CheckingSslCert)
        }
        (Routing::Here, Certificate::Missing | Certificate::Invalid) => Some(Stage::SslFailed),
    }
}

/// Served stays served, unless the operator wants otherwise and checks agree.
fn may_demote(entry: &Entry, policy: &StagePolicy, now: Time) -> bool {
    let long = entry.checks.bad_since.is_some_and(|since| BAD_FOR <= now.since(since));
    policy.demote && BAD_CHECKS <= entry.checks.bad && long
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{LeftAlone, Mapped, Proof, ZoneFails};
    use crate::testing::POLICY;

    const HOUR: Duration = Duration::from_hours(1);

    /// A domain in stage `from` whose states have lasted for `hours`.
    fn entry(
        domain: &str,
        (alias, routing, certificate): (Alias, Routing, Certificate),
        from: Option<Stage>,
    ) -> Entry {
        let start = Time::from_millis(0);
        let mapped =
            Mapped { mapping_id: 7, site_id: 3, stage: from, secure: false, left_alone: None };
        let mut entry = Entry::new(domain.parse().unwrap(), Some(mapped), start);
        entry.alias.set(start, alias, None, None);
        entry.routing.set(start, routing, None, None);
        entry.certificate.set(start, certificate, None, None);
        entry
    }

    fn all_words() -> BTreeSet<Stage> {
        BTreeSet::from(Stage::ALL)
    }

    fn projected(
        entry: &Entry,
        policy: &StagePolicy,
        words: &BTreeSet<Stage>,
        hours: u32,
    ) -> Option<(Stage, bool)> {
        let network = "net.example".parse().unwrap();
        let now = Time::from_millis(0) + HOUR * hours;
        project(entry, policy, words, &network, now).map(|write| (write.to, write.secure))
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_table_of_the_design() {
        use Alias::{Adding, Present, Protected, Rejected, Wanted};
        use Certificate::{Expiring, Invalid, Missing, Unknown, Valid};
        use Routing::{Elsewhere, Here};
        use Stage::{CheckingDns, CheckingSslCert, Done, Failed, SslFailed};
        let (shop, below) = ("shop.example", "shop.net.example");
        let dns = Some(CheckingDns);
        let table = [
            // what it shows                         domain states                             hours from             writes
            ("waiting for DNS",                      shop,  (Present, Elsewhere, Unknown),         1, Some(Failed),    Some((CheckingDns, false))),
            ("nothing new to say",                   shop,  (Present, Elsewhere, Unknown),         1, dns,             None),
            ("DNS took too long",                    shop,  (Present, Elsewhere, Unknown),        48, dns,             Some((Failed, false))),
            ("and came right later",                 shop,  (Present, Here, Missing),              1, Some(Failed),    Some((CheckingSslCert, false))),
            ("no DNS answer changes nothing",        shop,  (Present, Routing::Unknown, Unknown), 99, dns,             None),
            ("ready",                                shop,  (Present, Here, Valid),                1, dns,             Some((Done, true))),
            ("ready, and not for long",              shop,  (Present, Here, Expiring),             1, dns,             Some((Done, true))),
            ("ready though the host's answer is open", shop, (Adding, Here, Valid),                1, dns,             Some((Done, true))),
            ("ready though the host is down",        shop,  (Wanted, Here, Valid),                 1, dns,             Some((Done, true))),
            ("ready and protected",                  shop,  (Protected, Here, Valid),              1, dns,             Some((Done, true))),
            ("waiting for a certificate",            shop,  (Present, Here, Invalid),              1, dns,             Some((CheckingSslCert, false))),
            ("the certificate took too long",        shop,  (Present, Here, Invalid),              2, dns,             Some((SslFailed, false))),
            ("could not check the certificate",    shop,  (Present, Here, Unknown),              2, dns,             Some((CheckingSslCert, false))),
            ("nor later: failed is not taken back",  shop,  (Present, Here, Unknown),              2, Some(SslFailed), None),
            ("failed, and then ready by itself",     shop,  (Present, Here, Valid),               99, Some(SslFailed), Some((Done, true))),
            ("refused is never ready by luck",       shop,  (Rejected, Here, Valid),               1, dns,             Some((Failed, false))),
            ("refused needs no patience",            shop,  (Rejected, Elsewhere, Unknown),        1, dns,             Some((Failed, false))),
            ("refused below the network's domain",   below, (Rejected, Here, Valid),               1, dns,             Some((Done, true))),
            ("and still waiting for its DNS",        below, (Rejected, Elsewhere, Unknown),        1, Some(Failed),    Some((CheckingDns, false))),
            ("a word that is no stage",              shop,  (Present, Elsewhere, Unknown),         1, None,            Some((CheckingDns, false))),
        ];
        for (shows, domain, states, hours, from, writes) in table {
            assert_eq!(projected(&entry(domain, states, from), &POLICY, &all_words(), hours), writes, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_zone_that_fails_for_longer_than_patience_is_failed_where_it_is_not_served() {
        use Certificate::{Unknown, Valid};
        use Routing::{Elsewhere, Here};
        use Stage::{CheckingDns, CheckingSslCert, Done, Failed};
        let table = [
            // what it shows              states                           fails, from to  from             writes
            ("never seen",                (Routing::Unknown, Unknown),      Some((9, 57)),  CheckingDns,     Some((Failed, false))),
            ("it was elsewhere",          (Elsewhere, Unknown),             Some((9, 57)),  CheckingDns,     Some((Failed, false))),
            ("it was here",               (Here, Valid),                    Some((9, 57)),  CheckingSslCert, Some((Failed, false))),
            ("within patience",           (Routing::Unknown, Unknown),      Some((9, 56)),  CheckingDns,     None),
            ("seen to fail once",         (Routing::Unknown, Unknown),      Some((0, 0)),   CheckingDns,     None),
            ("it does not fail by itself", (Routing::Unknown, Unknown),     None,           CheckingDns,     None),
            ("it is served",              (Here, Valid),                    Some((9, 57)),  Done,            None),
        ];
        for (shows, (routing, certificate), fails, from, writes) in table {
            let mut entry = entry("shop.example", (Alias::Present, routing, certificate), Some(from));
            entry.mapped.as_mut().unwrap().secure = from == Done;
            let at = |hours| Time::from_millis(0) + HOUR * hours;
            entry.checks.zone_fails = fails.map(|(since, last)| ZoneFails { since: at(since), last: at(last) });
            assert_eq!(projected(&entry, &POLICY, &all_words(), 200), writes, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn no_patience_ends_by_a_check_that_could_not_be_made() {
        use Certificate::{Invalid, Unknown};
        use Routing::{Elsewhere, Here};
        use Stage::{CheckingDns, CheckingSslCert, Failed, SslFailed};
        let table = [
            // what it shows                    states, since 0 h   last seen     from            writes at 99 h
            ("elsewhere, and seen",             (Elsewhere, Unknown), None,      CheckingDns,     Some(Failed)),
            ("unseen before patience was over", (Elsewhere, Unknown), Some(47),  CheckingDns,     None),
            ("unseen since it was over",        (Elsewhere, Unknown), Some(48),  CheckingDns,     Some(Failed)),
            ("no certificate, and seen",        (Here, Invalid),      None,      CheckingSslCert, Some(SslFailed)),
            ("unseen before that was over",     (Here, Invalid),      Some(1),   CheckingSslCert, None),
            ("unseen since that was over",      (Here, Invalid),      Some(2),   CheckingSslCert, Some(SslFailed)),
        ];
        for (shows, (routing, certificate), unseen, from, writes) in table {
            let mut entry = entry("shop.example", (Alias::Present, routing, certificate), Some(from));
            if let Some(hours) = unseen {
                let seen = Some(Time::from_millis(0) + HOUR * hours);
                let now = Time::from_millis(0) + HOUR * 90;
                entry.certificate.miss(now, seen, crate::Reason::NoWebAnswer, None);
            }
            let stage = projected(&entry, &POLICY, &all_words(), 99).map(|(stage, _)| stage);
            assert_eq!(stage, writes, "{shows}");
        }
    }

    #[test]
    fn served_stays_served_in_every_world() {
        use Certificate as C;
        let certificates = [C::Unknown, C::Missing, C::Invalid, C::Valid, C::Expiring];
        for alias in [Alias::Wanted, Alias::Present, Alias::Rejected] {
            for routing in [Routing::Unknown, Routing::Elsewhere, Routing::Here] {
                for certificate in certificates {
                    for from in [Stage::Done, Stage::DoneWithoutSsl] {
                        let mut entry =
                            entry("shop.example", (alias, routing, certificate), Some(from));
                        entry.checks.bad = 99;
                        entry.checks.bad_since = Some(Time::from_millis(0));
                        let writes = projected(&entry, &POLICY, &all_words(), 99);
                        assert!(
                            matches!(writes, None | Some((Stage::Done, true))),
                            "{alias} {routing} {certificate} {from}: {writes:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn it_steps_down_only_on_request_and_after_three_bad_checks_over_half_an_hour() {
        let demote = StagePolicy { demote: true, ..POLICY };
        let states = (Alias::Present, Routing::Elsewhere, Certificate::Unknown);
        let mut entry = entry("shop.example", states, Some(Stage::Done));
        entry.checks.bad = 3;
        entry.checks.bad_since = Some(Time::from_millis(0));
        assert_eq!(projected(&entry, &POLICY, &all_words(), 1), None);
        assert_eq!(projected(&entry, &demote, &all_words(), 1), Some((Stage::CheckingDns, false)));
        entry.checks.bad = 2;
        assert_eq!(projected(&entry, &demote, &all_words(), 1), None, "two are not enough");
        entry.checks.bad = 3;
        assert_eq!(projected(&entry, &demote, &all_words(), 0), None, "too soon");
    }

    #[test]
    fn going_up_is_always_allowed() {
        let ready = (Alias::Present, Routing::Here, Certificate::Valid);
        let up = Some((Stage::Done, true));
        for from in [Stage::Done, Stage::DoneWithoutSsl] {
            let entry = entry("shop.example", ready, Some(from));
            assert_eq!(projected(&entry, &POLICY, &all_words(), 1), up, "{from}, not secure");
        }
        let mut secure = entry("shop.example", ready, Some(Stage::Done));
        secure.mapped.as_mut().unwrap().secure = true;
        assert_eq!(projected(&secure, &POLICY, &all_words(), 1), None, "nothing left to raise");
    }

    #[test]
    fn an_older_table_gets_the_word_it_has() {
        let mut words = all_words();
        words.remove(&Stage::SslFailed);
        let states = (Alias::Present, Routing::Here, Certificate::Missing);
        let entry = entry("shop.example", states, Some(Stage::CheckingSslCert));
        assert_eq!(projected(&entry, &POLICY, &words, 2), Some((Stage::DoneWithoutSsl, false)));
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_required_proof_holds_back_what_would_go_up_and_nothing_else() {
        use Proof::{Contradicted, Proven, Unproven};
        use Stage::{CheckingDns, CheckingSslCert, Done, DoneWithoutSsl, SslFailed};
        let require = StagePolicy { require_proof: true, ..POLICY };
        let here = |certificate| (Alias::Present, Routing::Here, certificate);
        let (shop, wild) = ("shop.example", "*.shop.example");
        let (dns, rests) = (Some(CheckingDns), Some((CheckingSslCert, false)));
        let table = [
            // what it shows                        domain  certificate           proof         from                  writes
            ("proven",                              shop,   Certificate::Valid,   Proven,       dns,                  Some((Done, true))),
            ("not proven",                          shop,   Certificate::Valid,   Unproven,     dns,                  rests),
            ("contradicted",                        shop,   Certificate::Expiring, Contradicted, dns,                 rests),
            ("the certificate came too late",       shop,   Certificate::Valid,   Unproven,     Some(SslFailed),      rests),
            ("served stays served",                 shop,   Certificate::Valid,   Contradicted, Some(Done),           None),
            ("and goes no further up",              shop,   Certificate::Valid,   Unproven,     Some(DoneWithoutSsl), None),
            ("a wildcard has no proof",             wild,   Certificate::Valid,   Unproven,     dns,                  Some((Done, true))),
            ("a bad certificate keeps its own word", shop,  Certificate::Missing, Proven,       dns,                  Some((SslFailed, false))),
        ];
        for (shows, domain, certificate, proof, from, writes) in table {
            let mut entry = entry(domain, here(certificate), from);
            entry.proof.set(Time::from_millis(0), proof, None, None);
            assert_eq!(projected(&entry, &require, &all_words(), 99), writes, "{shows}");
        }
    }

    #[test]
    fn without_being_required_the_proof_holds_nothing_back() {
        let ready = (Alias::Present, Routing::Here, Certificate::Valid);
        let mut entry = entry("shop.example", ready, Some(Stage::CheckingDns));
        for proof in [Proof::Unproven, Proof::Contradicted, Proof::Proven] {
            entry.proof.set(Time::from_millis(0), proof, None, None);
            let writes = projected(&entry, &POLICY, &all_words(), 1);
            assert_eq!(writes, Some((Stage::Done, true)), "{proof}");
        }
    }

    #[test]
    fn a_mapping_that_wordpress_does_not_surely_pick_is_left_alone() {
        let ready = (Alias::Present, Routing::Here, Certificate::Valid);
        let mut entry = entry("shop.example", ready, Some(Stage::CheckingDns));
        for why in [LeftAlone::Contested, LeftAlone::Misspelled] {
            entry.mapped.as_mut().unwrap().left_alone = Some(why);
            assert_eq!(projected(&entry, &POLICY, &all_words(), 1), None);
        }
    }
}
