//! What a finding carries besides its code: records, facts, times.

use super::*;
use crate::finding::{Fact, RecordAction};

#[test]
fn an_old_answer_is_waited_for_until_its_time_is_over() {
    let mut world = World::new();
    world.resolvers(vec![at(HERE), at("192.0.9.9")]);
    let (findings, _) = world.explain();
    assert_eq!(findings[0].wait_until, Some(NOW + TTL));
    assert_eq!(findings[0].fact(Fact::Address), "192.0.9.9");
}

#[test]
fn what_does_not_fit_in_dnssec_is_said_with_the_ds_record_to_change() {
    let mut world = World::new();
    world.resolvers(vec![servfail()]);
    world.deep.resolvers[0].unvalidated = Some(at(HERE));
    let signature =
        |covers: &str, until| Signature { covers: covers.to_owned(), from: NOW - DAY * 9, until };
    let signed = |until| Some(vec![signature("A", until), signature("DNSKEY", NOW + DAY)]);
    let key = Some(vec!["257 3 13 AAAA".to_owned()]);
    let good = Dnssec {
        zone: "shop.example".to_owned(),
        ds: vec!["1 13 2 AA".to_owned()],
        keys: key.clone(),
        fitting_ds: vec!["2 13 2 BB".to_owned()],
        matches: true,
        signatures: signed(NOW + DAY),
    };
    let table = [
        ("ds-without-dnskey", "remove", Dnssec { keys: Some(vec![]), ..good.clone() }),
        ("no-matching-ds", "change", Dnssec { matches: false, ..good.clone() }),
        ("rrsig-missing", "remove", Dnssec { signatures: Some(vec![]), ..good.clone() }),
        (
            "rrsig-missing",
            "remove",
            Dnssec { signatures: Some(vec![signature("DNSKEY", NOW + DAY)]), ..good.clone() },
        ),
        ("rrsig-expired", "remove", Dnssec { signatures: signed(NOW - DAY), ..good.clone() }),
        ("", "remove", Dnssec { keys: None, ..good }),
    ];
    for (detail, action, dnssec) in table {
        world.deep.dnssec = Some(dnssec);
        let (findings, _) = world.explain();
        assert_eq!(findings[0].fact(Fact::Detail), detail);
        assert_eq!(findings[0].records[0].action.as_str(), action, "{detail}");
    }
}

#[test]
fn the_records_to_change_are_whole() {
    let mut world = World::new();
    world.everybody(by("x.example", "192.0.9.9"));
    let (findings, _) = world.explain();
    let records: Vec<_> = findings[0]
        .records
        .iter()
        .map(|it| (it.action, it.name.as_str(), it.kind.as_str(), &it.found, &it.wanted))
        .collect();
    let (target, here) = (vec!["x.example.".to_owned()], vec![HERE.to_owned()]);
    let want = [
        (RecordAction::Remove, "shop.example", "CNAME", &target, &vec![]),
        (RecordAction::Add, "shop.example", "A", &vec![], &here),
    ];
    assert_eq!(records, want);
}

#[test]
fn a_text_that_is_no_name_may_be_a_finding_of_its_own() {
    let long = format!("{}.example", "a".repeat(64));
    let table = [
        ("192.0.2.1", Some(Code::ReservedName)),
        ("1.2.3", Some(Code::ReservedName)),
        ("2001:db8::1", Some(Code::ReservedName)),
        ("[2001:db8::1]", Some(Code::ReservedName)),
        ("localhost", Some(Code::ReservedName)),
        ("shop.onion", Some(Code::ReservedName)),
        (long.as_str(), Some(Code::NameTooLong)),
        ("shop example", None),
        ("", None),
    ];
    for (text, code) in table {
        assert_eq!(of_text(text).map(|it| it.code), code, "{text}");
    }
}

#[test]
fn the_whole_networks_findings_stand_apart() {
    let mut world = World::new();
    world.network.switch = Switch::Off;
    world.deep.resolvers.iter_mut().for_each(|it| it.validates = Some(false));
    let rows = Rows::of(&world.network);
    let protected = Protected::on(&world.network, None, vec![]);
    let situation = Situation {
        network: &world.network,
        rows: &rows,
        protected: &protected,
        targets: &world.targets,
        earlier_targets: &world.earlier,
        memory: None,
        host: &refused(),
        deferred: &[],
        serving: Serving::Unknown,
        budgets: &world.budgets,
        not_ours: None,
    };
    let policy = Policy {
        stages: &world.stages,
        dns: DnsRule::All,
        allow_private: false,
        dashboard: None,
        now: NOW,
    };
    let codes = |deep: &Deep| {
        let evidence = Evidence { check: &world.check, deep: Some(deep), label: "zq7", at: NOW };
        let found = of_network(&[evidence], &situation, &policy);
        found.iter().map(|it| it.code.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&world.deep), ["switched-off", "key-refused", "not-validated"]);
    let silent = |it: &mut ResolverSaid| it.validates = None;
    let calls_bogus = |it: &mut ResolverSaid| {
        (it.answer, it.unvalidated) = (servfail(), Some(at(HERE)));
    };
    for change in [silent, calls_bogus] {
        let mut deep = world.deep.clone();
        change(&mut deep.resolvers[0]);
        assert_eq!(codes(&deep), ["switched-off", "key-refused"]);
    }
}

/// What it shows, what is broken, and the three lights.
type Light<'a> = (&'a str, fn(&mut World), Option<bool>, &'a str, &'a str);

#[test]
#[rustfmt::skip] // One case a line.
fn lights_are_what_a_pass_would_record_of_it_now() {
    let table: [Light<'_>; 8] = [
        ("all right",                      |_| {},                                                            Some(true), "here",      "valid"),
        ("not at the host",                |w| w.at_host = Some(false),                                       Some(false), "here",     "valid"),
        ("no list",                        |w| w.at_host = None,                                              None,       "here",      "valid"),
        ("another server",                 |w| { w.everybody(at("198.51.100.9")); w.check.tls.clear(); },     Some(true), "elsewhere", "unknown"),
        ("one resolver holds another",     |w| w.resolvers(vec![at(HERE), at("198.51.100.9")]),               Some(true), "elsewhere", "unknown"),
        ("the same where one is enough",   |w| { w.dns = DnsRule::Any; w.resolvers(vec![at(HERE), at("198.51.100.9")]); }, Some(true), "here", "valid"),
        ("nobody answers",                 |w| { w.resolvers(vec![silent(); 2]); w.check.tls.clear(); },      Some(true), "unknown",   "unknown"),
        ("it has expired",                 |w| w.presents(TlsVerdict::Expired, "shop.example"),               Some(true), "here",      "invalid"),
    ];
    for (shows, breaks, alias, routing, certificate) in table {
        let mut world = World::new();
        world.at_host = Some(true);
        breaks(&mut world);
        let lights = world.made(lights);
        let is = (lights.alias, lights.routing.as_str(), lights.certificate.as_str());
        assert_eq!(is, (alias, routing, certificate), "{shows}");
    }
}

#[test]
fn what_was_seen_is_told_of_a_domain_that_is_right_too() {
    let said: Vec<_> = World::new().made(seen).into_iter().map(|it| (it.source, it.said)).collect();
    let until = (NOW + DAY * 80).date();
    let presents =
        format!("presents a certificate of Let's Encrypt, R11 for shop.example, until {until}");
    let want = [
        ("192.0.2.1:53", HERE),
        ("192.0.2.2:53", HERE),
        (HERE, &presents),
        (HERE, "answers for mapping 7"),
    ];
    assert_eq!(said, want.map(|(source, said)| (source.to_owned(), said.to_owned())));
}

#[test]
fn what_is_out_of_reach_from_here_is_unseen_and_blamed_on_nobody() {
    let mut world = World::new();
    let detail = "network is unreachable".to_owned();
    world.check.tls =
        vec![TlsObservation::NoAnswer { how: Unreached::Broken, detail: detail.clone() }];
    world.check.proof.clear();
    world.port_80(HttpEnd::Broken { detail });
    assert_eq!(world.codes(), "unseen!");
    world.stage(Stage::CheckingSslCert);
    assert_eq!(world.codes(), "", "nobody was served before");
}

#[test]
fn a_label_that_nobody_has_is_told_as_the_wildcard_that_was_asked_about() {
    let mut world = World::new();
    world.everybody(Answer::NoSuchName { ttl: DAY });
    let end = WalkEnd::NotDelegated {
        parent: "example".to_owned(),
        name: "zq7.shop.example".to_owned(),
        by: "ns1.example (192.0.2.53)".to_owned(),
    };
    world.deep.zones[0].end = end;
    let (findings, _) = world.explain();
    assert!(!format!("{findings:?}").contains("zq7"), "{findings:?}");
    assert_eq!(findings[0].fact(Fact::Name), "*.shop.example");
}
