//! One healthy domain, and what is told of it once something is wrong.

mod details;

use std::time::Duration;

use super::*;
use crate::entry::{Alias, Mapped, Owned, OwnedAs};
use crate::evidence::{
    Answer, Authority, Caa, CaaSaid, CaaStep, Dnssec, FrontPage, HttpEnd, HttpVisit, ResolverSaid,
    ServerSaid, Signature, WalkEnd, ZoneSaid,
};
use crate::lookup::Spelling;
use crate::network::{Hidden, Switch};
use crate::probe::{Presented, ProofObservation};
use crate::reason::Reason;
use crate::testing::{POLICY, mapping, network};
use crate::{Home, Whereabouts};

const DAY: Duration = Duration::from_hours(24);
const NOW: Time = Time::from_millis(1_795_000_000_000);
const TTL: Duration = Duration::from_hours(1);
const HERE: &str = "203.0.113.7";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn ips(text: &str) -> BTreeSet<IpAddr> {
    text.split_whitespace().map(ip).collect()
}

fn at(text: &str) -> Answer {
    Answer::Addresses { found: ips(text), through: vec![], ttl: TTL }
}

fn by(cname: &str, text: &str) -> Answer {
    Answer::Addresses { found: ips(text), through: vec![cname.to_owned()], ttl: TTL }
}

fn gone() -> Answer {
    Answer::NoSuchName { ttl: TTL }
}

fn servfail() -> Answer {
    Answer::Failed { code: "SERVFAIL".to_owned() }
}

fn silent() -> Answer {
    Answer::Silent { detail: "no answer within 5 s".to_owned() }
}

/// All that is known of `shop.example`, in which everything is right at first.
struct World {
    name: DomainName,
    entry: Option<Entry>,
    written: Option<Stage>,
    at_host: Option<bool>,
    check: Check,
    deep: Deep,
    network: Network,
    targets: Targets,
    earlier: BTreeSet<IpAddr>,
    memory: Memory,
    host: HostState,
    deferred: Vec<Deferred>,
    serving: Serving,
    budgets: BTreeMap<DomainName, Budget>,
    stages: StagePolicy,
    dns: DnsRule,
    allow_private: bool,
}

/// Something of the four that everything is explained with.
type Explains<T> = fn(&Subject<'_>, &Evidence<'_>, &Situation<'_>, &Policy<'_>) -> T;

impl World {
    fn new() -> Self {
        let name: DomainName = "shop.example".parse().unwrap();
        let mut row = mapping(7, 2, "shop.example");
        (row.stage, row.secure, row.active) = (Some(Stage::Done), true, true);
        let mut network = network(vec![row]);
        network.database_time = Some(NOW);
        let mapped = Mapped {
            mapping_id: 7,
            site_id: 2,
            stage: Some(Stage::Done),
            secure: true,
            left_alone: None,
        };
        let mut entry = Entry::new(name.clone(), Some(mapped), NOW - DAY * 30);
        entry.alias.set(NOW - DAY * 30, Alias::Present, None, None);
        entry.routing.see(NOW - DAY * 20, Routing::Here, None, None);
        entry.certificate.see(NOW - DAY * 20, Certificate::Valid, None, None);
        entry.owned = Some(Owned { how: OwnedAs::Added, since: NOW - DAY * 30 });
        let mut world = Self {
            name,
            entry: Some(entry),
            written: Some(Stage::Done),
            at_host: Some(true),
            check: Check {
                dns: DnsObservation::NoSuchName,
                tls: vec![],
                proof: vec![(ip(HERE), ProofObservation::Answered(7))],
            },
            deep: Deep::default(),
            network,
            targets: ips(HERE).into(),
            earlier: BTreeSet::new(),
            memory: Memory::default(),
            host: HostState::Ok,
            deferred: vec![],
            serving: Serving::Maps,
            budgets: BTreeMap::new(),
            stages: POLICY,
            dns: DnsRule::All,
            allow_private: false,
        };
        world.everybody(at(HERE));
        world.presents(TlsVerdict::Trusted, "shop.example");
        world
    }

    /// What both resolvers and both servers say from now on.
    fn everybody(&mut self, answer: Answer) {
        self.servers(vec![answered(answer.clone()), answered(answer.clone())]);
        self.resolvers(vec![answer.clone(), answer]);
    }

    fn servers(&mut self, said: Vec<Authority>) {
        let server = |(number, said): (usize, Authority)| ServerSaid {
            server: format!("ns{}.dns.example", number + 1),
            address: Some(ip(&format!("198.51.100.{}", number + 1))),
            said,
        };
        let end =
            WalkEnd::Reached { zone: "shop.example".to_owned(), parent: "example".to_owned() };
        let servers = said.into_iter().enumerate().map(server).collect();
        self.deep.zones = vec![ZoneSaid { name: "shop.example".to_owned(), end, servers }];
    }

    fn resolvers(&mut self, answers: Vec<Answer>) {
        let resolver = |(number, answer): (usize, Answer)| ResolverSaid {
            resolver: format!("192.0.2.{}:53", number + 1).parse().unwrap(),
            unvalidated: matches!(answer, Answer::Failed { .. }).then(servfail),
            answer,
            validates: Some(true),
        };
        self.check.dns = answers[0].observed();
        self.deep.resolvers = answers.into_iter().enumerate().map(resolver).collect();
    }

    fn presents(&mut self, verdict: TlsVerdict, name: &str) {
        let valid = (NOW - DAY * 10, NOW + DAY * 80);
        let certificate = Presented::new("Let's Encrypt, R11", valid, vec![name.to_owned()]);
        self.check.tls = vec![TlsObservation::Presented { certificate, verdict }];
    }

    fn certificate(&mut self) -> &mut Presented {
        match &mut self.check.tls[0] {
            TlsObservation::Presented { certificate, .. } => certificate,
            other => panic!("{other:?}"),
        }
    }

    fn stage_of_row(&mut self, stage: Stage) {
        self.network.mappings[0].stage = Some(stage);
    }

    fn stage(&mut self, stage: Stage) {
        self.stage_of_row(stage);
        self.entry.as_mut().unwrap().mapped.as_mut().unwrap().stage = Some(stage);
        self.written = Some(stage);
    }

    /// The alias is as it is after a call that came to `reason`.
    fn alias(&mut self, state: Alias, reason: Option<Reason>) {
        let entry = self.entry.as_mut().unwrap();
        entry.alias.set(NOW - DAY, state, reason, Some("No such plan".to_owned()));
        entry.owned = None;
        self.at_host = Some(false);
        self.check.tls = vec![TlsObservation::NoCertificate { detail: "alert".to_owned() }];
    }

    fn caa(&mut self, said: CaaSaid) {
        self.deep.caa = vec![CaaStep { name: "shop.example".to_owned(), through: vec![], said }];
    }

    fn port_80(&mut self, end: HttpEnd) {
        self.deep.http = [(ip(HERE), HttpVisit { hops: vec![], end })].into();
    }

    fn without_certificate(&mut self) {
        self.check.tls = vec![TlsObservation::NoCertificate { detail: "alert".to_owned() }];
        self.check.proof.clear();
    }

    fn new_domain(&mut self) {
        self.stage(Stage::CheckingSslCert);
        let entry = self.entry.as_mut().unwrap();
        entry.alias.since = NOW - Duration::from_mins(10);
        entry.routing.since = NOW - Duration::from_mins(10);
        entry.certificate.set(NOW, Certificate::Missing, None, None);
    }

    fn front(&mut self, location: &str) {
        let page = FrontPage { status: 302, location: Some(location.to_owned()), date: Some(NOW) };
        self.deep.front = [(ip(HERE), page)].into();
    }

    /// What is made of all that is known.
    fn made<T>(&self, explains: Explains<T>) -> T {
        let rows = Rows::of(&self.network);
        let protected = Protected::on(&self.network, None, vec!["mail.*".to_owned()]);
        let subject = Subject {
            name: &self.name,
            entry: self.entry.as_ref(),
            written: self.written,
            at_host: self.at_host,
        };
        let evidence =
            Evidence { check: &self.check, deep: Some(&self.deep), label: "zq7", at: NOW };
        let ours = self
            .entry
            .is_some()
            .then_some(crate::acting::OurLedger { id: "ours", memory: &self.memory });
        let not_ours = crate::acting::not_ours(&self.network, ours);
        let situation = Situation {
            network: &self.network,
            rows: &rows,
            protected: &protected,
            targets: &self.targets,
            earlier_targets: &self.earlier,
            memory: Some(&self.memory),
            host: &self.host,
            deferred: &self.deferred,
            serving: self.serving,
            budgets: &self.budgets,
            not_ours: not_ours.as_ref(),
        };
        let policy = Policy {
            stages: &self.stages,
            dns: self.dns,
            allow_private: self.allow_private,
            dashboard: Some("https://host.example/d"),
            now: NOW,
        };
        explains(&subject, &evidence, &situation, &policy)
    }

    fn explain(&self) -> (Vec<Finding>, Ending) {
        self.made(|subject, evidence, situation, policy| {
            let findings = explain(subject, evidence, situation, policy);
            let ending = ending(&findings, is_ready(&findings, evidence));
            (findings, ending)
        })
    }

    fn codes(&self) -> String {
        let (findings, _) = self.explain();
        let mark = |it: &Finding| match it.severity {
            Severity::Error => "",
            Severity::Warn => "!",
            Severity::Info => "?",
        };
        let codes = findings.iter().map(|it| format!("{}{}", it.code.as_str(), mark(it)));
        codes.collect::<Vec<_>>().join(" ")
    }
}

use crate::entry::{Certificate, Routing};

fn answered(answer: Answer) -> Authority {
    Authority::Answered(answer)
}

fn lame() -> Authority {
    Authority::Lame { detail: "REFUSED".to_owned() }
}

fn mute() -> Authority {
    Authority::Silent { detail: "no answer within 5 s".to_owned() }
}

fn caa(lines: &[(&str, &str)]) -> CaaSaid {
    let record = |(tag, value): &(&str, &str)| Caa {
        critical: false,
        tag: (*tag).to_owned(),
        value: (*value).to_owned(),
    };
    CaaSaid::Records(lines.iter().map(record).collect())
}

type Break = fn(&mut World);

/// Each of these worlds is told of by these codes: `!` is a warning, `?` an info.
fn assert_codes(table: &[(&str, Break, &str)]) {
    let codes_of = |breaks: &Break| {
        let mut world = World::new();
        breaks(&mut world);
        world.codes()
    };
    let is: Vec<_> = table.iter().map(|(shows, breaks, _)| (*shows, codes_of(breaks))).collect();
    let is: Vec<_> = is.iter().map(|(shows, codes)| (*shows, codes.as_str())).collect();
    let want: Vec<_> = table.iter().map(|(shows, _, codes)| (*shows, *codes)).collect();
    let wrong: Vec<_> = is.iter().zip(&want).filter(|(is, want)| is != want).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[rustfmt::skip] // One world a line.
fn what_is_wrong_in_dns_is_told_from_the_top_down() {
    let table: Vec<(&str, Break, &str)> = vec![
        ("all is well",                      |_| (),                                                                    ""),
        ("no delegation",                    |w| { w.everybody(gone()); w.deep.zones[0].end = WalkEnd::NotDelegated { parent: "example".into(), name: "shop.example".into(), by: "a.example".into() } }, "no-delegation"),
        ("one server lame, the other right", |w| w.servers(vec![lame(), answered(at(HERE))]),                           "lame-delegation!"),
        ("all servers lame",                 |w| { w.everybody(servfail()); w.servers(vec![lame(), lame()]) },          "lame-delegation"),
        ("one lame, one wrong",              |w| { w.everybody(at("198.51.100.9")); w.servers(vec![lame(), answered(at("192.0.9.9"))]) }, "other-address lame-delegation!"),
        ("one server silent",                |w| w.servers(vec![mute(), answered(at(HERE))]),                           "dns-timeout!"),
        ("all silent",                       |w| { w.everybody(servfail()); w.servers(vec![mute(), mute()]) },          "dns-timeout"),
        ("all silent, resolvers too",        |w| { w.resolvers(vec![silent(), silent()]); w.servers(vec![mute(), mute()]) }, "dns-timeout"),
        ("all fail",                         |w| { w.everybody(servfail()); w.servers(vec![Authority::Failed { code: "SERVFAIL".into() }]) }, "servfail"),
        ("one fails, one answers",           |w| w.servers(vec![Authority::Failed { code: "SERVFAIL".into() }, answered(at(HERE))]), "lame-delegation!"),
        ("bogus",                            |w| { w.resolvers(vec![servfail()]); w.deep.resolvers[0].unvalidated = Some(at(HERE)) }, "dnssec-bogus"),
        ("nobody knows why it fails",        |w| { w.everybody(servfail()); w.deep.zones.clear() },                     "servfail"),
        ("no such name",                     |w| w.everybody(gone()),                                                   "no-such-name"),
        ("no address",                       |w| w.everybody(Answer::NoAddress { through: vec![], ttl: TTL }),          "no-address"),
        ("a CNAME to nowhere",               |w| w.everybody(Answer::Dangling { through: vec!["x.example".into()] }),   "cname-dangling"),
        ("CNAMEs in a circle",               |w| w.everybody(Answer::Circle { through: vec!["x.example".into()] }),     "cname-loop"),
        ("a CNAME to another's",             |w| w.everybody(by("x.example", "192.0.9.9")),                             "cname-elsewhere"),
        ("a CNAME to us",                    |w| w.everybody(by("x.example", HERE)),                                    ""),
        ("another server",                   |w| w.everybody(at("192.0.9.9")),                                          "other-address"),
        ("Cloudflare",                       |w| w.everybody(at("104.16.3.4 104.16.3.5")),                              "proxied"),
        ("our old address",                  |w| { w.everybody(at("192.0.9.9")); w.earlier = ips("192.0.9.9") },        "old-address"),
        ("a private address",                |w| w.everybody(at("10.0.0.7")),                                           "private-address"),
        ("the same, on an intranet",         |w| { w.everybody(at("10.0.0.7")); w.allow_private = true },               "other-address"),
        ("a parking company",                |w| { w.everybody(at("192.0.9.9")); w.deep.zones[0].servers[0].server = "ns1.sedoparking.com".into() }, "parked"),
        ("A right, AAAA wrong",              |w| w.everybody(at("203.0.113.7 2a00::9")),                                "ipv6-elsewhere"),
        ("one right, one wrong",             |w| w.everybody(at("203.0.113.7 192.0.9.9")),                              "partly-elsewhere"),
        ("the zone's wildcard, elsewhere",   |w| { w.everybody(at("192.0.9.9")); w.deep.sibling = Some(at("192.0.9.9")) }, "wildcard-record-only"),
        ("the zone's wildcard, here",        |w| w.deep.sibling = Some(at(HERE)),                                       "wildcard-record-only?"),
        ("servers disagree",                 |w| { w.servers(vec![answered(at("192.0.9.9")), answered(at(HERE))]); w.resolvers(vec![at("192.0.9.9")]) }, "servers-disagree"),
        ("they do, resolvers are right",     |w| w.servers(vec![answered(at("192.0.9.9")), answered(at(HERE))]),        "servers-disagree"),
        ("not there yet",                    |w| w.resolvers(vec![at("192.0.9.9"), at("192.0.9.9")]),                   "not-propagated"),
        ("not everywhere yet",               |w| w.resolvers(vec![at(HERE), at("192.0.9.9")]),                          "not-propagated"),
        ("the same, one is enough",          |w| { w.resolvers(vec![at(HERE), at("192.0.9.9")]); w.dns = DnsRule::Any }, ""),
        ("one right, one wrong, one is enough", |w| { w.everybody(at("203.0.113.7 192.0.9.9")); w.dns = DnsRule::Any }, ""),
        ("one resolver is silent",           |w| w.resolvers(vec![at(HERE), silent()]),                                 ""),
        ("they are moved away, resolvers still here", |w| w.servers(vec![answered(at("192.0.9.9")), answered(at("192.0.9.9"))]), "other-address"),
        ("servers give our addresses in turns", |w| { two_addresses(w); w.servers(vec![answered(at(HERE)), answered(at("203.0.113.8"))]); w.resolvers(vec![at(HERE)]) }, ""),
        ("a target that may not be visited", |w| w.check.tls = vec![TlsObservation::Forbidden { detail: "loopback".into() }], "private-address"),
        ("a CNAME into another zone",        |w| into_another_zone(w, at(HERE)),                                        ""),
        ("the same, elsewhere",              |w| { w.resolvers(vec![by("x.host.example", "192.0.9.9")]); into_another_zone(w, at("192.0.9.9")) }, "cname-elsewhere"),
        ("a CNAME into another zone and back", |w| { w.everybody(servfail()); into_another_zone(w, Answer::LedOut { through: vec!["shop.example".into()] }) }, "cname-loop"),
        ("the servers of that zone refuse",  |w| { w.everybody(servfail()); into_another_zone(w, at(HERE)); w.deep.zones[1].servers[0].said = lame() }, "lame-delegation"),
        ("no resolver answers",              |w| w.resolvers(vec![silent()]), "blind"),
        ("the same, seen before",           |w| { w.resolvers(vec![silent(), silent()]); w.deep.zones.clear() },          "blind"),
        ("no targets",                       |w| w.targets = Targets::default(),                                        "no-targets"),
    ];
    assert_codes(&table);
}

fn into_another_zone(world: &mut World, there: Answer) {
    let led = Answer::LedOut { through: vec!["x.host.example".to_owned()] };
    world.servers(vec![answered(led.clone()), answered(led)]);
    let end = WalkEnd::Reached { zone: "host.example".to_owned(), parent: "example".to_owned() };
    let server = ServerSaid {
        server: "ns.host.example".to_owned(),
        address: Some(ip("198.51.100.8")),
        said: answered(there),
    };
    world.deep.zones.push(ZoneSaid {
        name: "x.host.example".to_owned(),
        end,
        servers: vec![server],
    });
}

#[test]
#[rustfmt::skip] // One world a line.
fn what_stops_issuing_comes_before_the_certificate_that_it_keeps_away() {
    let table: Vec<(&str, Break, &str)> = vec![
        ("CAA allows",                     |w| w.caa(caa(&[("issue", "letsencrypt.org")])),                                       ""),
        ("CAA forbids, it has one",        |w| w.caa(caa(&[("issue", "digicert.com")])),                                          "caa-forbids!"),
        ("CAA forbids, it has none",       |w| { w.without_certificate(); w.caa(caa(&[("issue", "digicert.com")])) },             "caa-forbids"),
        ("CAA allows who issued",          |w| { w.certificate().issuer = "DigiCert Inc".into(); w.caa(caa(&[("issue", "digicert.com")])) }, ""),
        ("CAA cannot be read",             |w| { w.without_certificate(); w.caa(CaaSaid::Failed { detail: "SERVFAIL".into() }) }, "caa-unreadable"),
        ("the same, the zone fails",       |w| { w.everybody(servfail()); w.servers(vec![mute()]); w.caa(CaaSaid::Failed { detail: "SERVFAIL".into() }) }, "dns-timeout"),
        ("a wildcard, CAA forbids",        |w| { wildcard(w); w.without_certificate(); w.caa(caa(&[("issue", "letsencrypt.org"), ("issuewild", ";")])) }, "caa-wildcard wildcard-by-hand"),
        ("port 80 closed",                 |w| { w.without_certificate(); w.port_80(HttpEnd::Refused { detail: "refused".into() }) }, "port-80-closed"),
        ("port 80 closed, it has one",     |w| w.port_80(HttpEnd::Silent { detail: "silent".into() }),                            "port-80-closed!"),
        ("port 80 leads elsewhere",        |w| { w.without_certificate(); w.port_80(HttpEnd::Elsewhere { host: "x.example".into(), found: ips("192.0.9.9") }) }, "port-80-elsewhere"),
        ("port 80 leads in a circle",      |w| { w.without_certificate(); w.port_80(HttpEnd::Circle { url: "http://shop.example/".into() }) }, "redirect-loop"),
        ("DNS is elsewhere too",           |w| { w.everybody(at("192.0.9.9")); w.without_certificate(); w.caa(caa(&[("issue", ";")])) }, "other-address caa-forbids"),
        ("a wildcard without",             |w| { wildcard(w); w.without_certificate() },                                          "wildcard-by-hand"),
        ("being issued",                   |w| { w.without_certificate(); w.new_domain() },                                       "issuing"),
        ("the default, being issued",      |w| { w.presents(TlsVerdict::SelfSigned, "default.example"); w.new_domain() },         "issuing"),
        ("the week's are spent",           |w| { w.without_certificate(); w.new_domain(); let spent = Budget { issued: 50, waiting: 1, next: Some(NOW + DAY) }; w.budgets.insert(w.name.clone(), spent); }, "budget-spent"),
        ("not mapped, nobody issues",      |w| { w.without_certificate(); w.network.mappings.clear(); w.entry = None; w.at_host = Some(false) }, "no-certificate not-mapped?"),
        ("no certificate for long",        |w| w.without_certificate(),                                                           "no-certificate"),
        ("it is served already",           |w| { w.without_certificate(); w.new_domain(); w.stage(Stage::Done) },                 "no-certificate"),
        ("for other names",                |w| w.presents(TlsVerdict::OtherName, "other.example"),                                "other-name"),
        ("the server's default",           |w| { w.presents(TlsVerdict::SelfSigned, "default.example"); w.deep.stranger = [(ip(HERE), w.check.tls[0].clone())].into() }, "default-certificate"),
        ("port 443 closed",                |w| w.check.tls = vec![unreached(Unreached::Refused)],                                 "port-443-closed"),
        ("port 443 filtered",              |w| w.check.tls = vec![unreached(Unreached::Silent)],                                  "port-443-filtered"),
        ("expired",                        |w| w.presents(TlsVerdict::Expired, "shop.example"),                                   "expired"),
        ("not yet valid",                  |w| w.presents(TlsVerdict::NotYetValid, "shop.example"),                               "not-yet-valid"),
        ("self-signed",                    |w| w.presents(TlsVerdict::SelfSigned, "shop.example"),                                "self-signed"),
        ("weak",                           |w| w.presents(TlsVerdict::Weak, "shop.example"),                                      "weak-certificate"),
        ("an unknown issuer",              |w| w.presents(TlsVerdict::UnknownIssuer, "shop.example"),                             "unknown-issuer"),
        ("an incomplete chain",            |w| { w.presents(TlsVerdict::UnknownIssuer, "shop.example"); w.certificate().last_issuer = Some("R11".into()); w.certificate().issuer_url = Some("http://r11.example/".into()) }, "incomplete-chain"),
        ("a third of its life left",       |w| w.certificate().not_before = NOW - DAY * 400,                                      "renewal-overdue!"),
        ("a tenth of its life left",       |w| w.certificate().not_before = NOW - DAY * 1000,                                     "expires-soon!"),
        ("two addresses, one expired",     |w| { two_addresses(w); let other = w.check.tls[0].clone(); w.presents(TlsVerdict::Expired, "*.shop.example"); w.certificate().names = vec!["shop.example".into()]; w.check.tls.push(other) }, "expired differs-by-address!"),
    ];
    assert_codes(&table);
}

fn unreached(how: Unreached) -> TlsObservation {
    TlsObservation::NoAnswer { how, detail: how.to_string() }
}

fn wildcard(world: &mut World) {
    world.name = "*.shop.example".parse().unwrap();
    world.network.mappings[0].domain = world.name.clone();
    world.entry.as_mut().unwrap().domain = world.name.clone();
    world.check.proof.clear();
}

fn two_addresses(world: &mut World) {
    world.targets = ips("203.0.113.7 203.0.113.8").into();
    world.everybody(at("203.0.113.7 203.0.113.8"));
}

#[test]
#[rustfmt::skip] // One world a line.
fn what_wordpress_and_the_host_do_is_told_as_far_as_it_matters_here() {
    use Alias::{Adding, Rejected, Wanted};
    let table: Vec<(&str, Break, &str)> = vec![
        ("not mapped",                    |w| { w.network.mappings.clear(); w.entry = None; w.at_host = Some(false) },   "not-mapped?"),
        ("not mapped, a twin",            |w| { w.network.mappings.clear(); let entry = w.entry.as_mut().unwrap(); (entry.mapped, entry.twin) = (None, Some(crate::twins::Twin::Follows)) }, ""),
        ("not mapped, at the host",       |w| { w.network.mappings.clear(); w.entry = None },                            "not-ours? not-mapped?"),
        ("its site is missing",           |w| { w.network.sites.remove(&2); w.at_host = None },                          "site-missing"),
        ("its site is deleted",           |w| w.network.sites.get_mut(&2).unwrap().hidden = Some(Hidden::Deleted),       "site-deleted"),
        ("its site is archived",          |w| w.network.sites.get_mut(&2).unwrap().hidden = Some(Hidden::Archived),      "site-archived"),
        ("mapped twice",                  |w| w.network.mappings.push(mapping(8, 3, "shop.example")),                    "two-mappings"),
        ("its twin on another site",      |w| w.network.mappings.push(mapping(8, 3, "www.shop.example")),                "twin-on-other-site"),
        ("its twin on the same site",     |w| w.network.mappings.push(mapping(8, 2, "www.shop.example")),                ""),
        ("a row of a dead site wins",     |w| { let mut row = mapping(8, 99, "shop.example"); (row.primary, row.active, row.secure) = (true, true, true); w.network.mappings.push(row) }, "other-row-wins"),
        ("never found as it is spelled",  |w| w.network.mappings[0].spelling = Spelling::Odd { found_as: Box::new([]) }, "spelling-never-matched"),
        ("protected",                     |w| rename(w, "mail.example"),                                                 "protected-name?"),
        ("of special use",                |w| rename(w, "shop.internal"),                                                "reserved-name"),
        ("the same, no DNS has it",       |w| { rename(w, "shop.internal"); w.everybody(gone()) },                       "reserved-name"),
        ("inactive",                      |w| w.network.mappings[0].active = false,                                      "mapping-inactive"),
        ("mapping switched off",          |w| w.network.settings.domain_mapping = Switch::Off,                           "mapping-disabled"),
        ("no sunrise",                    |w| w.serving = Serving::MapsNothing,                                          "no-sunrise"),
        ("refused for good",              |w| w.alias(Rejected, Some(Reason::InvalidDomain)),                            "invalid-domain"),
        ("refused in words",              |w| w.alias(Rejected, Some(Reason::HostSaidNo)),                               "host-said-no"),
        ("no clear answer",               |w| w.alias(Adding, None),                                                     "outcome-unknown"),
        ("not added yet",                 |w| w.alias(Wanted, None),                                                     "not-added-yet"),
        ("vanished",                      |w| w.alias(Wanted, Some(Reason::Vanished)),                                   "vanished"),
        ("the host asked for a pause",    |w| { w.alias(Wanted, None); w.host = HostState::Paused { reason: Reason::RateLimited, until: NOW + DAY } }, "rate-limited"),
        ("calls rest",                    |w| { w.alias(Wanted, None); w.host = HostState::Paused { reason: Reason::HostUnreachable, until: NOW + DAY } }, "paused"),
        ("it vanished just now",          |w| { w.at_host = Some(false); w.memory.host.list_believed = true },           "vanished"),
        ("the list is not believed",      |w| w.at_host = Some(false),                                                   ""),
        ("just tried in vain",            |w| { w.alias(Wanted, None); w.host = HostState::Paused { reason: Reason::HostUnreachable, until: NOW } }, "host-unreachable"),
        ("no way to the web server",      |w| w.check.tls = vec![unreached(Unreached::Broken)],                          "unseen!"),
        ("the host cannot be reached",    |w| w.alias(Wanted, Some(Reason::HostUnreachable)),                            "host-unreachable"),
        ("the key is refused",            |w| { w.alias(Wanted, None); w.host = refused() },                             "key-refused"),
        ("the same, it is there",         |w| w.host = refused(),                                                        ""),
        ("the same, its stage is owed",   |w| { w.stage(Stage::CheckingDns); w.host = refused() },                       "key-refused"),
        ("no ledger, and no list",        |w| { nothing_known(w); w.host = HostState::Paused { reason: Reason::HostUnreachable, until: NOW } }, "host-unreachable"),
        ("the same, no certificate yet",  |w| { nothing_known(w); w.without_certificate(); w.host = refused() },         "key-refused"),
        ("the same, it is served",        |w| { nothing_known(w); w.stage_of_row(Stage::Done); w.host = HostState::Paused { reason: Reason::HostUnreachable, until: NOW } }, ""),
        ("switched off",                  |w| w.network.switch = Switch::Off,                                            ""),
        ("the same, it is owed",          |w| { w.alias(Wanted, None); w.network.switch = Switch::Off },                 "switched-off"),
        ("a copy",                        |w| w.network.home = Some(home("other.example")),                              ""),
        ("the same, its stage is owed",   |w| { w.stage(Stage::CheckingDns); w.network.home = Some(home("other.example")) }, "copy"),
        ("there before us",               |w| w.entry.as_mut().unwrap().owned = None,                                    "already-at-host?"),
        ("without a ledger",              |w| w.entry = None,                                                            "already-at-host?"),
        ("another mapping answers",       |w| { w.network.mappings.push(mapping(9, 3, "other.example")); answers(w, 9) }, "other-mapping"),
        ("another WordPress answers",     |w| answers(w, 99),                                                            "other-server"),
        ("nothing proved it",             |w| w.check.proof[0].1 = ProofObservation::NoProof { detail: "a page".into() }, "no-proof?"),
        ("the same, it is required",      |w| { w.check.proof[0].1 = ProofObservation::NoProof { detail: "a page".into() }; w.stages.require_proof = true }, "no-proof"),
        ("the sign-up page",              |w| w.front("https://network.example/wp-signup.php?new=shop"),                 "sign-up-page"),
        ("the same, out of a cache",      |w| { w.front("/wp-signup.php"); w.network.object_cache = true },              "cache-stale"),
        ("the stage explains it",         |w| { w.stage(Stage::CheckingSslCert); w.front("/wp-signup.php") },            ""),
        ("a stage by hand",               |w| { w.stage(Stage::Failed); w.written = Some(Stage::Done) },                 "stage-by-hand"),
        ("our clock is wrong",            |w| w.network.database_time = Some(NOW + Duration::from_mins(11)),             "clock-wrong"),
        ("the web's clock is wrong",      |w| { w.front("/"); w.deep.front.values_mut().for_each(|it| it.date = Some(NOW + DAY)) }, "clock-wrong"),
    ];
    assert_codes(&table);
}

fn rename(world: &mut World, name: &str) {
    world.name = name.parse().unwrap();
    world.network.mappings[0].domain = world.name.clone();
    world.presents(TlsVerdict::Trusted, name);
    world.at_host = Some(false);
}

/// Nothing is recorded, the host's list cannot be read, and the row is new.
fn nothing_known(world: &mut World) {
    world.stage_of_row(Stage::CheckingDns);
    (world.entry, world.at_host) = (None, None);
}

fn refused() -> HostState {
    HostState::KeyRefused { words: "no".to_owned() }
}

fn home(domain: &str) -> Home {
    let place = Whereabouts::default();
    let (domain, ledger) = (domain.to_owned(), "other".to_owned());
    Home { app: None, domain, ledger, serial: None, place }
}

fn answers(world: &mut World, id: u64) {
    world.check.proof[0].1 = ProofObservation::Answered(id);
}

#[test]
#[rustfmt::skip] // One case a line.
fn what_follows_is_said_by_the_first_error() {
    use Ending::{CouldNotFindOut, Ready, SomebodyMustAct, Wait};
    let table: Vec<(&str, Break, Ending)> = vec![
        ("all is well",              |_| (),                                                                   Ready),
        ("a warning",                |w| w.servers(vec![lame(), answered(at(HERE))]),                          Ready),
        ("somebody must act",        |w| w.everybody(gone()),                                                  SomebodyMustAct),
        ("it takes time",            |w| w.resolvers(vec![at("192.0.9.9")]),                                   Wait),
        ("no resolver answers",      |w| w.resolvers(vec![silent()]), CouldNotFindOut),
        ("no way to the web server", |w| w.check.tls = vec![unreached(Unreached::Broken)],                     CouldNotFindOut),
    ];
    for (shows, breaks, ending) in table {
        let mut world = World::new();
        breaks(&mut world);
        assert_eq!(world.explain().1, ending, "{shows}");
    }
    assert_eq!(Ending::of_all([Ready, Wait, SomebodyMustAct]), SomebodyMustAct);
    assert_eq!(Ending::of_all([Wait, CouldNotFindOut, SomebodyMustAct]), CouldNotFindOut);
    assert_eq!(Ending::of_all([Ready, Wait]), Wait);
    assert_eq!(Ending::of_all([]), Ready);
}
