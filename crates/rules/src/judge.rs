//! What a check means: the routing, the certificate and the proof of a domain.
//!
//! A check that could not be made changes nothing and uses up nothing.

mod certificate;
mod routing;

use std::net::IpAddr;
use std::time::Duration;

use crate::entry::{Certificate, Entry, Routing};
use crate::explain::DnsRule;
use crate::probe::{DnsObservation, ProofObservation, TlsObservation, TlsVerdict};
use crate::proof::{self, Asking};
use crate::reason::Reason;
use crate::schedule::{Standing, next_check};
use crate::stage::StagePolicy;
use crate::twins;
use crate::{Mapping, Targets, Time};

/// A certificate whose end has come is looked at again so soon.
const AFTER_ITS_END: Duration = Duration::from_secs(1);

/// What one check at a domain saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What DNS said.
    pub dns: DnsObservation,
    /// What each address of [`visits`] presented.
    pub tls: Vec<TlsObservation>,
    /// What those answered that were asked for the routing proof.
    pub proof: Vec<(IpAddr, ProofObservation)>,
}

/// What a check is judged against.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// Where domains must point.
    pub targets: &'a Targets,
    /// The network's interval between checks a hot domain.
    pub interval: Duration,
    /// Where a person finishes a wildcard certificate, if that is known.
    pub dashboard: Option<&'a str>,
    /// Whether WordPress was to be asked for the routing proof.
    pub asking: &'a Asking,
    /// How long a domain is waited for, and whether it is `done` without that proof.
    pub stages: &'a StagePolicy,
    /// Whether resolvers answer for other names, so that a zone which fails does so by itself.
    pub others_answer: bool,
    /// How many of the addresses must be right.
    pub dns: DnsRule,
    /// The mappings of the network, to tell whose an answer is.
    pub mappings: &'a [Mapping],
    /// The time of the check.
    pub now: Time,
    /// A random number from 0 to 1, for the schedule.
    pub chance: f64,
}

/// The addresses of a domain to shake hands with: those that are the network's.
pub fn visits(dns: &DnsObservation, targets: &Targets) -> Vec<IpAddr> {
    match dns {
        DnsObservation::Addresses { found, .. } => {
            found.iter().map(IpAddr::to_canonical).filter(|ip| targets.contains(*ip)).collect()
        }
        _ => Vec::new(),
    }
}

/// What counts of `check` where those resolvers that answer must agree, and said `each`: the first
/// answer that leads elsewhere, where nobody is visited.
pub fn agreed(check: Check, each: Vec<DnsObservation>, targets: &Targets) -> Check {
    let leads_elsewhere = |dns: &DnsObservation| match dns {
        DnsObservation::Addresses { found, .. } => !found.iter().all(|ip| targets.contains(*ip)),
        other => other.is_answer(),
    };
    match each.into_iter().find(leads_elsewhere) {
        Some(dns) if dns != check.dns => Check { dns, tls: Vec::new(), proof: Vec::new() },
        _ => check,
    }
}

/// Take in what a check saw: new states, and when to check next.
pub fn judge(entry: &mut Entry, check: &Check, view: &View<'_>) {
    let states = |entry: &Entry| (entry.routing.state, entry.certificate.state, entry.proof.state);
    let before = states(entry);
    let mut is_seen = routing::judge(entry, &check.dns, view);
    if is_seen {
        is_seen = certificate::judge(entry, &check.tls, check.dns.unanswered(), view);
        proof::judge(entry, &check.proof, view);
        entry.checks.last = Some(view.now);
    }
    passes_by(entry, view.now);
    twins::withdraw(entry, view.now);
    if is_seen {
        entry.checks.made = entry.checks.made.saturating_add(1);
        count_bad(entry, view.now);
    }
    // Nobody waits for a twin that is elsewhere.
    let is_news = !entry.is_candidate() || entry.routing.state == Routing::Here;
    if before != states(entry) && is_news {
        entry.heat(view.now);
    }
    let standing = standing(entry, &check.dns, is_seen, view);
    let (due, gap) = next_check(standing, &entry.checks, view.interval, view.now, view.chance);
    (entry.checks.due, entry.checks.gap) = (due, gap);
    if let (true, Some(end)) = (entry.certificate.state.is_good(), entry.not_after) {
        entry.checks.due = entry.checks.due.min(end.max(view.now) + AFTER_ITS_END);
    }
    if let Asking::Later { after, .. } = view.asking
        && entry.is_ready()
        && entry.lacks_proof()
    {
        entry.checks.due = entry.checks.due.min(view.now + *after);
    }
}

/// How `entry` stands after a check that answered `dns`, and in which it was seen or not.
fn standing(entry: &Entry, dns: &DnsObservation, is_seen: bool, view: &View<'_>) -> Standing {
    let was_ready = entry.was_ready() && !proof::is_awaited(entry, view);
    // Resolvers answer, and the domain's zone does not: waiting for its owner is no outage.
    let zone_is_broken = matches!(dns, DnsObservation::Failed { .. }) && !was_ready;
    if !is_seen && !zone_is_broken {
        Standing::Unseen
    } else if was_ready {
        Standing::Ready
    } else if view.stages.is_patient(&entry.routing, view.now) && !entry.is_candidate() {
        Standing::Awaited
    } else {
        Standing::Overdue
    }
}

/// Whether WordPress may be asked at the address of `observation`: only where a browser
/// would trust what presents itself.
pub fn may_ask(observation: &TlsObservation) -> bool {
    matches!(observation, TlsObservation::Presented { verdict: TlsVerdict::Trusted, .. })
}

/// What needs nobody to be asked: a certificate whose end has passed by `now` is refused by every
/// browser.
pub fn passes_by(entry: &mut Entry, now: Time) {
    certificate::judge_end(entry, now);
}

/// A check could not be made at all, for `reason`. It stays due.
pub fn unobservable(entry: &mut Entry, reason: Reason, now: Time) {
    routing::could_not_ask(entry, reason, None, now);
}

/// Count checks in a row that showed the domain not ready.
fn count_bad(entry: &mut Entry, now: Time) {
    if entry.routing.state == Routing::Here && entry.certificate.state.is_good() {
        (entry.checks.bad, entry.checks.bad_since) = (0, None);
    } else if entry.certificate.state != Certificate::Unknown
        || entry.routing.state == Routing::Elsewhere
    {
        entry.checks.bad = entry.checks.bad.saturating_add(1);
        entry.checks.bad_since.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::DomainName;
    use crate::entry::Unseen;
    use crate::probe::{Presented, RecordKind, Unanswered, Unreached};
    use crate::targets::TargetBasis;
    use crate::testing::POLICY;

    const DAY: Duration = Duration::from_hours(24);

    fn ips(text: &str) -> BTreeSet<IpAddr> {
        text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
    }

    fn addresses(text: &str) -> DnsObservation {
        DnsObservation::Addresses { found: ips(text), through: Vec::new(), unanswered: None }
    }

    fn failed(detail: &str) -> DnsObservation {
        DnsObservation::Failed { detail: detail.to_owned() }
    }

    fn no_answer() -> DnsObservation {
        DnsObservation::NoAnswer { detail: "192.0.2.53:53 did not answer".to_owned() }
    }

    fn presented(verdict: TlsVerdict, lifetime: u32, left: u32) -> TlsObservation {
        let now = Time::from_millis(0) + DAY * 1000;
        let valid = (now - DAY * (lifetime - left), now + DAY * left);
        let certificate = Presented::new("Test CA", valid, vec!["other.example".to_owned()]);
        TlsObservation::Presented { certificate, verdict }
    }

    fn view(targets: &Targets) -> View<'_> {
        let now = Time::from_millis(0) + DAY * 1000;
        let interval = Duration::from_mins(5);
        let dashboard = Some("https://host.example/d");
        View {
            targets,
            interval,
            dashboard,
            asking: &Asking::Unknown,
            stages: &POLICY,
            others_answer: true,
            dns: DnsRule::All,
            mappings: &[],
            now,
            chance: 0.0,
        }
    }

    fn checked(
        domain: &str,
        dns: DnsObservation,
        tls: Vec<TlsObservation>,
        targets: &str,
    ) -> Entry {
        let mut entry = Entry::new(domain.parse().unwrap(), None, Time::from_millis(0));
        judge(&mut entry, &Check { dns, tls, proof: vec![] }, &view(&ips(targets).into()));
        entry
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn routing_is_here_only_where_every_address_is_ours() {
        use Routing::{Elsewhere, Here, Unknown};
        let ours = "192.0.2.1 2001:db8::1";
        let table = [
            // what it shows                  what DNS said                         routing    reason
            ("one of our addresses",          addresses("192.0.2.1"),               Here,      None),
            ("both of them",                  addresses("192.0.2.1 2001:db8::1"),   Here,      None),
            ("an IPv4 address in IPv6 form",  addresses("::ffff:192.0.2.1"),        Here,      None),
            ("another server",                addresses("192.0.2.9"),               Elsewhere, Some(Reason::OtherAddress)),
            ("one right, one wrong",          addresses("192.0.2.1 192.0.2.9"),     Elsewhere, Some(Reason::PartlyElsewhere)),
            ("A right, AAAA wrong",           addresses("192.0.2.1 2001:db8::9"),   Elsewhere, Some(Reason::Ipv6Elsewhere)),
            ("Cloudflare in front",           addresses("104.16.3.4"),              Elsewhere, Some(Reason::Proxied)),
            ("Cloudflare's IPv6 beside ours", addresses("192.0.2.1 2606:4700::1"),  Elsewhere, Some(Reason::Proxied)),
            ("no such name is an answer",     DnsObservation::NoSuchName,                 Elsewhere, Some(Reason::NoSuchName)),
            ("no address is an answer",       DnsObservation::NoAddress { through: vec![] }, Elsewhere, Some(Reason::NoAddress)),
            ("a failing zone says nothing",   failed("SERVFAIL"),                   Unknown,   Some(Reason::DnsFailed)),
            ("dead resolvers say nothing",    no_answer(),                          Unknown,   Some(Reason::NoResolver)),
        ];
        for (shows, dns, state, reason) in table {
            let entry = checked("shop.example", dns, vec![], ours);
            assert_eq!((entry.routing.state, entry.routing.reason), (state, reason), "{shows}");
        }
        let lost = checked("shop.example", addresses("192.0.2.1"), vec![], "");
        assert_eq!(lost.routing.reason, Some(Reason::NoTargets));
    }

    #[test]
    fn one_right_address_is_enough_where_an_operator_wants_it_so() {
        let targets = ips("192.0.2.1").into();
        for (found, state) in [
            ("192.0.2.1 192.0.2.9", Routing::Here),
            ("192.0.2.1 2001:db8::9", Routing::Here),
            ("192.0.2.9", Routing::Elsewhere),
        ] {
            let mut entry = Entry::new("a.example".parse().unwrap(), None, Time::from_millis(0));
            let check = Check { dns: addresses(found), tls: vec![], proof: vec![] };
            judge(&mut entry, &check, &View { dns: DnsRule::Any, ..view(&targets) });
            assert_eq!(entry.routing.state, state, "{found}");
        }
    }

    #[test]
    fn a_domain_is_led_here_once_all_resolvers_that_answer_agree() {
        let targets: Targets = ips("192.0.2.1").into();
        let right = || addresses("192.0.2.1");
        let first = || Check { dns: right(), tls: vec![], proof: vec![] };
        let of_all = |each| agreed(first(), each, &targets).dns;
        assert_eq!(of_all(vec![]), right());
        assert_eq!(of_all(vec![right(), no_answer(), failed("SERVFAIL")]), right());
        assert_eq!(of_all(vec![right(), DnsObservation::NoSuchName]), DnsObservation::NoSuchName);
        assert_eq!(of_all(vec![addresses("192.0.2.9"), right()]), addresses("192.0.2.9"));
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_record_type_that_is_not_answered_for_changes_no_routing() {
        use RecordKind::{A, Aaaa};
        use Routing::{Elsewhere, Here, Unknown};
        let without = |kind, found| DnsObservation::Addresses {
            found: ips(found),
            through: vec![],
            unanswered: Some(Unanswered { kind, detail: "SERVFAIL".to_owned() }),
        };
        let network: DomainName = "network.example".parse().unwrap();
        let found_by = |answer: &DnsObservation| {
            let basis = TargetBasis { set: &BTreeSet::new(), public: &BTreeSet::new(), own: Some(&network) };
            basis.targets(Some(answer), None, Time::from_millis(0))
        };
        let all = || addresses("192.0.2.1 2001:db8::1");
        let (no_a, no_aaaa) = (|| without(A, "2001:db8::1"), || without(Aaaa, "192.0.2.1"));
        let table = [
            // what it shows                          before                           targets      now                              routing    reason
            ("all right, AAAA fails",                 all(),                           all(),       no_aaaa(),                       Here,      None),
            ("AAAA was wrong, and fails",             addresses("192.0.2.1 2001:db8::9"), all(),    no_aaaa(),                       Elsewhere, Some(Reason::Ipv6Elsewhere)),
            ("A was wrong, and fails",                addresses("192.0.2.9 2001:db8::1"), all(),    no_a(),                          Elsewhere, Some(Reason::PartlyElsewhere)),
            ("AAAA was right and fails, A is wrong",  all(),                           all(),       without(Aaaa, "192.0.2.9"),      Elsewhere, Some(Reason::PartlyElsewhere)),
            ("the first check, AAAA fails",           no_answer(),                     all(),       no_aaaa(),                       Here,      None),
            ("the network's AAAA fails",              no_answer(),                     no_aaaa(),   all(),                           Unknown,   Some(Reason::NoTargets)),
            ("the network's A fails",                 no_answer(),                     no_a(),      all(),                           Unknown,   Some(Reason::NoTargets)),
            ("the network's AAAA fails, A alone",     no_answer(),                     no_aaaa(),   addresses("192.0.2.1"),          Here,      None),
            ("the network's AAAA fails, A is wrong",  no_answer(),                     no_aaaa(),   addresses("192.0.2.9 2001:db8::1"), Elsewhere, Some(Reason::OtherAddress)),
            ("the network's AAAA fails, a proxy's",   no_answer(),                     no_aaaa(),   addresses("192.0.2.1 2606:4700::1"), Elsewhere, Some(Reason::Proxied)),
            ("the network is behind a proxy",         no_answer(),                     addresses("104.16.3.4"), addresses("104.16.3.4"), Unknown, Some(Reason::NoTargets)),
        ];
        for (shows, before, own, now, state, reason) in table {
            let mut entry = checked("shop.example", before, vec![], "192.0.2.1 2001:db8::1");
            let check = Check { dns: now, tls: vec![], proof: vec![] };
            judge(&mut entry, &check, &view(&found_by(&own)));
            assert_eq!((entry.routing.state, entry.routing.reason), (state, reason), "{shows}");
        }
    }

    #[test]
    fn what_was_right_of_the_record_type_that_is_not_answered_for_is_not_taken_for_gone() {
        let good = vec![presented(TlsVerdict::Trusted, 90, 80)];
        let wrong_aaaa = addresses("192.0.2.1 2001:db8::9");
        let mut entry = checked("shop.example", wrong_aaaa, good, "192.0.2.1 2001:db8::1");
        assert_eq!(entry.routing.reason, Some(Reason::Ipv6Elsewhere));
        let before = entry.clone();
        let unanswered = Some(Unanswered { kind: RecordKind::A, detail: "SERVFAIL".to_owned() });
        let found = ips("2001:db8::9");
        let dns = DnsObservation::Addresses { found, through: vec![], unanswered };
        let targets = ips("192.0.2.1 2001:db8::1").into();
        judge(&mut entry, &Check { dns, tls: vec![], proof: vec![] }, &view(&targets));
        assert_eq!(entry.routing.reason, Some(Reason::Ipv6Elsewhere), "A is as right as before");
        assert_eq!(entry.certificate.state, before.certificate.state);
        assert_eq!(entry.certificate.unseen.as_ref().map(|it| it.reason), Some(Reason::DnsFailed));
        assert_eq!(entry.routing.unseen, None);
    }

    #[test]
    fn the_end_of_a_certificate_is_looked_at_when_it_comes_and_needs_no_look() {
        let good = vec![presented(TlsVerdict::Trusted, 90, 89)];
        let mut entry = checked("shop.example", addresses("192.0.2.1"), good, "192.0.2.1");
        entry.alias.state = crate::entry::Alias::Present;
        let end = entry.not_after.unwrap();
        passes_by(&mut entry, end);
        assert_eq!(entry.certificate.state, Certificate::Valid);
        passes_by(&mut entry, end + Duration::from_millis(1));
        assert_eq!(entry.certificate.reason, Some(Reason::Expired));
        let now = view(&Targets::default()).now;
        let soon = vec![TlsObservation::Presented {
            certificate: Presented::new(
                "Test CA",
                (now - DAY, now + Duration::from_mins(2)),
                vec![],
            ),
            verdict: TlsVerdict::Trusted,
        }];
        let entry = checked("shop.example", addresses("192.0.2.1"), soon, "192.0.2.1");
        let now = view(&Targets::default()).now;
        assert_eq!(entry.checks.due, now + Duration::from_mins(2) + AFTER_ITS_END);
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_certificate_is_judged_as_a_browser_would_and_against_its_lifetime() {
        use Certificate::{Expiring, Invalid, Missing, Unknown, Valid};
        use TlsVerdict::{Bad, Expired, NotYetValid, OtherName, SelfSigned, Trusted};
        let none = || TlsObservation::NoCertificate { detail: "alert".into() };
        let dead = || TlsObservation::NoAnswer { how: Unreached::Silent, detail: "refused".into() };
        let table = [
            // what it shows              what the addresses showed                         state     reason
            ("trusted",                   vec![presented(Trusted, 90, 89)],                 Valid,    None),
            ("a third left",              vec![presented(Trusted, 90, 30)],                 Valid,    None),
            ("under a third",             vec![presented(Trusted, 90, 29)],                 Expiring, Some(Reason::ExpiresSoon)),
            ("45 days: its own third",    vec![presented(Trusted, 45, 15)],                 Valid,    None),
            ("short-lived: half",         vec![presented(Trusted, 6, 3)],                   Valid,    None),
            ("short-lived: under half",   vec![presented(Trusted, 6, 2)],                   Expiring, Some(Reason::ExpiresSoon)),
            ("expired",                   vec![presented(Expired, 90, 1)],                  Invalid,  Some(Reason::Expired)),
            ("not yet",                   vec![presented(NotYetValid, 90, 90)],             Invalid,  Some(Reason::NotYetValid)),
            ("the default one",           vec![presented(OtherName, 90, 80)],               Invalid,  Some(Reason::OtherName)),
            ("self-signed",               vec![presented(SelfSigned, 90, 80)],              Invalid,  Some(Reason::SelfSigned)),
            ("broken",                    vec![presented(Bad, 90, 80)],                     Invalid,  Some(Reason::BadCertificate)),
            ("none",                      vec![none()],                                     Missing,  Some(Reason::NoCertificate)),
            ("could not ask",             vec![dead()],                                     Unknown,  Some(Reason::NoWebAnswer)),
            ("one good, one bad",         vec![presented(Trusted, 90, 80), none()],         Missing,  Some(Reason::NoCertificate)),
            ("one good, one unreachable", vec![dead(), presented(Trusted, 90, 80)],         Valid,    None),
            ("nowhere to look",           vec![],                                           Unknown,  Some(Reason::NotRoutedHere)),
        ];
        for (shows, tls, state, reason) in table {
            let entry = checked("shop.example", addresses("192.0.2.1"), tls, "192.0.2.1");
            assert_eq!((entry.certificate.state, entry.certificate.reason), (state, reason), "{shows}");
        }
    }

    #[test]
    fn a_certificate_without_names_is_told_as_that() {
        for verdict in [TlsVerdict::SelfSigned, TlsVerdict::OtherName] {
            let mut tls = presented(verdict, 90, 80);
            if let TlsObservation::Presented { certificate, .. } = &mut tls {
                certificate.names.clear();
            }
            let entry = checked("shop.example", addresses("192.0.2.1"), vec![tls], "192.0.2.1");
            assert_eq!(entry.certificate.detail.as_deref(), Some("it names no domain"));
        }
    }

    #[test]
    fn a_wildcard_without_certificate_names_the_page_where_a_person_finishes_it() {
        let tls = vec![presented(TlsVerdict::OtherName, 90, 80)];
        let entry = checked("*.shop.example", addresses("192.0.2.1"), tls, "192.0.2.1");
        assert_eq!(entry.certificate.reason, Some(Reason::WildcardByHand));
        let detail = entry.certificate.detail.unwrap();
        assert_eq!(detail, "it is for other.example; finish it at https://host.example/d");
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_check_that_could_not_be_made_changes_nothing_and_is_told() {
        use Reason::{DnsFailed, NoResolver, NoTargets, NoWebAnswer, PrivateAddress};
        let here = || addresses("192.0.2.1");
        let good = || vec![presented(TlsVerdict::Trusted, 90, 80)];
        let silent = || vec![TlsObservation::NoAnswer { how: Unreached::Silent, detail: "timed out".into() }];
        let forbidden = || vec![TlsObservation::Forbidden { detail: "private".into() }];
        let one_silent = || [silent(), good()].concat();
        let half = || DnsObservation::Addresses {
            found: ips("192.0.2.1"),
            through: vec![],
            unanswered: Some(Unanswered { kind: RecordKind::Aaaa, detail: "SERVFAIL".into() }),
        };
        let ours = "192.0.2.1";
        let table = [
            // what it shows                     what was seen       targets  routing           certificate
            ("it is seen",                       here(), good(),        ours, None,             None),
            ("no resolver answers",              no_answer(), vec![],   ours, Some(NoResolver), Some(NoResolver)),
            ("its zone fails",                   failed("x"), vec![],   ours, Some(DnsFailed),  Some(DnsFailed)),
            ("nobody knows where it must point", here(), vec![],        "",   Some(NoTargets),  Some(NoTargets)),
            ("its web server is silent",         here(), silent(),      ours, None,             Some(NoWebAnswer)),
            ("one of its addresses is",          here(), one_silent(),  ours, None,             None),
            ("its address may not be visited",   here(), forbidden(),   ours, None,             Some(PrivateAddress)),
            ("half an answer, and all is right", half(), good(),        ours, None,             None),
        ];
        for (shows, dns, tls, targets, routing, certificate) in table {
            let before = checked("shop.example", here(), good(), ours);
            let (none, targets) = (ips("").into(), ips(targets).into());
            let mut after = before.clone();
            // Something else could not be seen an hour before.
            let earlier = View { now: view(&none).now - Duration::from_hours(1), ..view(&none) };
            judge(&mut after, &Check { dns: no_answer(), tls: vec![], proof: vec![] }, &earlier);
            judge(&mut after, &Check { dns, tls, proof: vec![] }, &view(&targets));
            let (r, c) = (after.routing.unseen.take(), after.certificate.unseen.take());
            let reason = |unseen: &Option<Unseen>| unseen.as_ref().map(|it| it.reason);
            assert_eq!((reason(&r), reason(&c)), (routing, certificate), "{shows}");
            for unseen in [r, c].into_iter().flatten() {
                assert_eq!(unseen.since, earlier.now, "{shows}: since it could last be seen");
            }
            assert_eq!((&after.routing, &after.certificate), (&before.routing, &before.certificate), "{shows}");
            assert_eq!(after.checks.bad, 0, "{shows}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_not_ready_and_says_why_first() {
        let good = || vec![presented(TlsVerdict::Trusted, 90, 80)];
        let mut entry = checked("shop.example", addresses("192.0.2.1"), good(), "192.0.2.1");
        entry.alias.state = crate::entry::Alias::Present;
        let targets = ips("192.0.2.1").into();
        assert!(entry.is_ready() && entry.why().is_none());
        let silent =
            vec![TlsObservation::NoAnswer { how: Unreached::Silent, detail: "timed out".into() }];
        let check = Check { dns: addresses("192.0.2.1"), tls: silent, proof: vec![] };
        judge(&mut entry, &check, &view(&targets));
        let why = entry.why().map(|why| (why.reason, why.detail));
        assert_eq!(why, Some((Reason::NoWebAnswer, Some("timed out"))));
        assert!(!entry.is_ready() && entry.was_ready());
        let later = View { now: view(&targets).now + DAY * 81, ..view(&targets) };
        judge(&mut entry, &check, &later);
        assert_eq!(entry.why().map(|why| why.reason), Some(Reason::Expired), "that needs no sight");
        let elsewhere = Check { dns: addresses("192.0.2.9"), tls: vec![], proof: vec![] };
        judge(&mut entry, &elsewhere, &later);
        assert_eq!(entry.unseen(), None, "there is nothing to see of its certificate");
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_zone_fails_by_itself_only_where_resolvers_answer_for_others() {
        let (fails, silent, seen) = (|| failed("SERVFAIL"), no_answer, || DnsObservation::NoSuchName);
        let table = [
            // what it shows                        the answers, and whether others are answered for    first and last
            ("it fails",                            vec![(fails(), true), (fails(), true)],             Some((0, 1))),
            ("nobody is answered for",              vec![(fails(), false), (fails(), false)],           None),
            ("nor when it ended",                   vec![(fails(), true), (fails(), false)],            Some((0, 0))),
            ("no resolver answers in between",      vec![(fails(), true), (silent(), true), (fails(), true)], Some((0, 2))),
            ("an answer ends it",                   vec![(fails(), true), (seen(), true)],              None),
            ("and it begins anew",                  vec![(fails(), true), (seen(), true), (fails(), true)], Some((2, 2))),
        ];
        let targets = ips("192.0.2.1").into();
        for (shows, answers, want) in table {
            let mut entry = Entry::new("shop.example".parse().unwrap(), None, Time::from_millis(0));
            for (hour, (dns, others_answer)) in (0..).zip(answers) {
                let now = Time::from_millis(0) + Duration::from_hours(hour);
                let view = View { others_answer, now, ..view(&targets) };
                judge(&mut entry, &Check { dns, tls: vec![], proof: vec![] }, &view);
            }
            let hour = |time: Time| time.as_millis() / 3_600_000;
            let fails = entry.checks.zone_fails.map(|it| (hour(it.since), hour(it.last)));
            assert_eq!(fails, want, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_certificate_whose_end_has_passed_is_expired_whoever_could_look() {
        use Certificate::{Expiring, Invalid, Valid};
        let silent = || vec![TlsObservation::NoAnswer { how: Unreached::Silent, detail: "timed out".into() }];
        let (here, day) = (|| addresses("192.0.2.1"), |day| DAY * day);
        let table = [
            // what it shows                      lifetime, left, later    now                          state    reason
            ("silent, and it is over",            90, 80, day(81), (here(), silent()),          Invalid, Some(Reason::Expired)),
            ("silent, and it is good",            90, 80, day(79), (here(), silent()),          Valid,   None),
            ("silent, and it was expiring",       90, 5,  day(6),  (here(), silent()),          Invalid, Some(Reason::Expired)),
            ("silent, and it is expiring",        90, 5,  day(4),  (here(), silent()),          Expiring, Some(Reason::ExpiresSoon)),
            ("its zone fails, and it is over",    90, 80, day(81), (failed("SERVFAIL"), vec![]), Invalid, Some(Reason::Expired)),
            ("nobody answers, and it is over",    90, 80, day(81), (no_answer(), vec![]),       Invalid, Some(Reason::Expired)),
        ];
        for (shows, lifetime, left, later, (dns, tls), state, reason) in table {
            let good = vec![presented(TlsVerdict::Trusted, lifetime, left)];
            let mut entry = checked("shop.example", here(), good, "192.0.2.1");
            let targets = ips("192.0.2.1").into();
            let view = View { now: view(&targets).now + later, ..view(&targets) };
            judge(&mut entry, &Check { dns, tls, proof: vec![] }, &view);
            assert_eq!((entry.certificate.state, entry.certificate.reason), (state, reason), "{shows}");
            assert_eq!(entry.routing.state, Routing::Here, "{shows}");
        }
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn what_could_not_be_seen_uses_nothing_up_and_is_checked_again_at_the_interval() {
        let minutes = |minutes| Duration::from_mins(minutes);
        let silent = || TlsObservation::NoAnswer { how: Unreached::Silent, detail: "timed out".into() };
        let forbidden = || TlsObservation::Forbidden { detail: "private".into() };
        let bad = || presented(TlsVerdict::OtherName, 90, 80);
        let good = || presented(TlsVerdict::Trusted, 90, 80);
        let (here, away, ours) = (|| addresses("192.0.2.1"), || addresses("192.0.2.9"), "192.0.2.1");
        let (long, soon) = (DAY * 9, minutes(5));
        let table = [
            // what it shows                       before                   for          now                        targets made next check
            ("ready, seen ready again",            (here(), vec![good()]),  DAY * 9,     (here(), vec![good()]),    ours, 1, minutes(360)),
            ("ready, and no resolver answers",     (here(), vec![good()]),  long,        (no_answer(), vec![]),     ours, 0, soon),
            ("ready, and its zone fails",          (here(), vec![good()]),  long,        (failed("x"), vec![]),     ours, 0, soon),
            ("ready, and its web server is silent", (here(), vec![good()]), long,        (here(), vec![silent()]),  ours, 0, soon),
            ("ready, and nobody knows where to",   (here(), vec![good()]),  long,        (here(), vec![]),          "",   0, soon),
            ("bad, and no resolver answers",       (here(), vec![bad()]),   long,        (no_answer(), vec![]),     ours, 0, soon),
            ("bad, and its web server is silent",  (here(), vec![bad()]),   long,        (here(), vec![silent()]),  ours, 0, soon),
            ("one address silent, one seen",       (here(), vec![bad()]),   long,        (here(), vec![silent(), bad()]), ours, 1, minutes(360)),
            ("an address that is never visited",   (here(), vec![forbidden()]), long,    (here(), vec![forbidden()]), ours, 1, minutes(360)),
            ("elsewhere, within patience",         (away(), vec![]),        DAY,         (away(), vec![]),          ours, 1, minutes(15)),
            ("elsewhere, after it",                (away(), vec![]),        DAY * 2,     (away(), vec![]),          ours, 1, minutes(360)),
            ("no certificate, within patience",    (here(), vec![bad()]),   minutes(99), (here(), vec![bad()]),     ours, 1, minutes(15)),
            ("no certificate, after it",           (here(), vec![bad()]),   minutes(100), (here(), vec![bad()]),    ours, 1, minutes(360)),
            ("its zone fails, within patience",    (failed("x"), vec![]),   DAY,         (failed("x"), vec![]),     ours, 0, minutes(15)),
            ("its zone fails, after it",           (failed("x"), vec![]),   long,        (failed("x"), vec![]),     ours, 0, minutes(360)),
        ];
        for (shows, before, lasted, now, targets, made, next) in table {
            let (dns, tls) = before;
            let mut entry = checked("shop.example", dns, tls, ours);
            entry.alias.state = crate::entry::Alias::Present;
            let targets = ips(targets).into();
            let view = view(&targets);
            entry.routing.since = view.now - lasted;
            let checks = &mut entry.checks;
            (checks.made, checks.gap, checks.hot_until) = (0, minutes(360), view.now);
            let bad = checks.bad;
            let (dns, tls) = now;
            judge(&mut entry, &Check { dns, tls, proof: vec![] }, &view);
            assert_eq!((entry.checks.made, entry.checks.due.since(view.now)), (made, next), "{shows}");
            assert!(entry.checks.bad <= bad + made, "{shows}: nothing bad was seen");
        }
    }

    #[test]
    fn it_is_visited_only_where_it_is_the_networks() {
        let targets = ips("192.0.2.1 2001:db8::1").into();
        let dns = addresses("192.0.2.1 192.0.2.9 2001:db8::1");
        assert_eq!(visits(&dns, &targets).len(), 2);
        assert_eq!(visits(&DnsObservation::NoSuchName, &targets), Vec::<IpAddr>::new());
    }
}
