//! What is judged of everything that a pass needs.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use engine::Failure;
use engine::memory::MemoryHost;
use engine::ops::check::any_failed;
use engine::ops::{
    Findings, HostAnswers, LedgerFound, NetworkFound, PluginFound, PluginHello, Probing, Route,
    examine,
};
use rules::host::{AliasList, HostError};
use rules::ledger::{HostHealth, Memory, Recorded};
use rules::network::{Switch, WwwTwins};
use rules::probe::RootsSilent;
use rules::source::{Right, SourceError};
use rules::twins::Www;
use rules::{Network, Stage, Targets};

use crate::world::{NOW, Source, copy, network};

/// All is well, and no plugin is there.
async fn findings(network: Network) -> Findings {
    let found = NetworkFound::read(&Source::of(network)).await.unwrap();
    Findings {
        route: Route::Local,
        found_at: Ok("/wp-config.php".to_owned()),
        ledger: Ok(LedgerFound { at: "ledger.db".to_owned(), recorded: None }),
        www: None,
        host: Ok(HostAnswers::ask(&MemoryHost::default()).await),
        drop_in: None,
        receivers: Vec::new(),
        maps_nothing: None,
        network: Some(Ok(NetworkFound { files: true, writers: vec!["sql"], ..found })),
        probing: Ok(Probing {
            resolvers: vec![("9.9.9.9:53".to_owned(), Ok(()))],
            roots: vec![("198.41.0.4:53".to_owned(), Ok(()))],
            targets: BTreeSet::from(["192.0.2.1".parse().unwrap()]).into(),
            no_address: None,
        }),
        plugin_version: "1.0".to_owned(),
        now: NOW,
    }
}

/// `state check: detail`, a line each.
fn text(findings: &Findings) -> String {
    let mut text = String::new();
    for check in examine(findings) {
        let _ = writeln!(text, "{} {}: {}", check.state.as_str(), check.check, check.detail);
    }
    text
}

/// That this line is among them.
#[track_caller]
fn says(findings: &Findings, line: &str) {
    let text = text(findings);
    assert!(text.lines().any(|it| it == line), "no `{line}` in: {text}");
}

/// What was found of the network, to change it.
fn found(findings: &mut Findings) -> &mut NetworkFound {
    findings.network.as_mut().unwrap().as_mut().unwrap()
}

#[tokio::test]
async fn a_healthy_network_is_told_in_the_order_in_which_a_pass_needs_it() {
    let findings = findings(network()).await;
    assert!(!any_failed(&examine(&findings)));
    insta::assert_snapshot!(text(&findings), @"
    ok wp-config.php: /wp-config.php
    ok ledger: ledger.db will be made by the first pass
    ok API key: Access authorized
    ok getdomains: 0 aliases; it has not shown a name that we added yet, so what it lacks is not taken as absent
    ok database: `wp` with prefix `wp_`: network net.example, 4 sites, 0 mappings, www twins: added once their DNS is here
    ok rights: all that are needed
    ok switch: Closte is switched on
    ok stages: the column has all six words
    ok clock: as the database's
    ok home: no installation acts for the network yet; the first pass will
    ok stages by: closte-sync, in the database
    ok object cache: none: WordPress shows a new stage at once
    ok plugin: not installed; `closte-sync plugin install` installs it
    ok resolvers: 9.9.9.9:53 answers
    ok root servers: 1 of 1 answer
    ok targets: domains must point to 192.0.2.1, by `checks.targets`
    ");
}

#[tokio::test]
async fn it_is_told_which_twins_are_added_and_who_says_so() {
    use Www::{AsWordpress, Never, WhenDnsReady};
    use WwwTwins::{Always, MainOnly, Never as NotAtAll};
    let started = |www| {
        let mut recorded = Recorded::default();
        recorded.memory.network.www = www;
        let recorded = Some(("ours".to_owned(), recorded));
        Ok(LedgerFound { at: "ledger.db".to_owned(), recorded })
    };
    let (primary, as_said) = ("those of primary domains added", "as Ultimate Multisite says");
    let table = [
        // `domains.www`, the ledger's, Ultimate Multisite's, what is told
        (None, WhenDnsReady, NotAtAll, "added once their DNS is here".to_owned()),
        (None, Never, Always, "not added, as an older closte-sync made the ledger".to_owned()),
        (Some(Never), WhenDnsReady, Always, "not added, as `domains.www` is never".to_owned()),
        (Some(AsWordpress), Never, Always, format!("added once their DNS is here, {as_said}")),
        (
            Some(AsWordpress),
            Never,
            MainOnly,
            format!("{primary} once their DNS is here, {as_said}"),
        ),
        (Some(AsWordpress), WhenDnsReady, NotAtAll, format!("not added, {as_said}")),
    ];
    for (set, start, wordpress, told) in table {
        let mut findings = findings(network()).await;
        (findings.www, findings.ledger) = (set, started(start));
        found(&mut findings).network.settings.www = wordpress;
        assert!(text(&findings).contains(&format!("www twins: {told}")), "{}", text(&findings));
    }
}

#[tokio::test]
async fn without_wp_config_php_the_rest_is_examined_all_the_same() {
    let mut findings = findings(network()).await;
    findings.found_at = Err(Failure::could_not("there is none"));
    findings.network = None;
    assert!(any_failed(&examine(&findings)));
    insta::assert_snapshot!(text(&findings), @"
    fail wp-config.php: there is none
    ok ledger: ledger.db will be made by the first pass
    ok API key: Access authorized
    ok getdomains: 0 aliases; it has not shown a name that we added yet, so what it lacks is not taken as absent
    ok resolvers: 9.9.9.9:53 answers
    ok root servers: 1 of 1 answer
    ok targets: domains must point to 192.0.2.1, by `checks.targets`
    ");
}

#[tokio::test]
async fn a_key_that_is_refused_ends_what_is_asked_of_the_host() {
    let mut findings = findings(network()).await;
    let words = "Unauthorized".to_owned();
    let key = Err(HostError::KeyRefused { words });
    findings.host = Ok(HostAnswers { key, list: None });
    says(&findings, "fail API key: the host's API refused our key: Unauthorized");
    assert!(!text(&findings).contains("getdomains"));
}

#[tokio::test]
async fn it_is_told_for_how_long_calls_to_the_host_rest() {
    let mut findings = findings(network()).await;
    let quiet = |minutes| Some(NOW + Duration::from_mins(minutes));
    for (quiet_until, line) in [
        (
            quiet(5),
            "warn host: calls to the host rest for another 5 min: the host asked for a pause",
        ),
        (quiet(0), ""),
    ] {
        let host = HostHealth { quiet_until, ..HostHealth::default() };
        let memory = Memory { host, ..Memory::default() };
        let recorded = Some(("mine".to_owned(), Recorded { memory, ..Recorded::default() }));
        findings.ledger = Ok(LedgerFound { at: "ledger.db".to_owned(), recorded });
        let text = text(&findings);
        let told = text.lines().find(|line| line.starts_with("warn")).unwrap_or_default();
        assert!(told.starts_with(line) && told.is_empty() == line.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_warning_and_one_that_proved_itself_is_believed() {
    let mut findings = findings(network()).await;
    let unclear = HostError::OutcomeUnknown { what: "HTTP 502".to_owned() };
    findings.host = Ok(HostAnswers { key: Ok(()), list: Some(Err(unclear)) });
    says(&findings, "warn getdomains: the host's API gave no clear answer: HTTP 502");

    findings.host = Ok(HostAnswers { key: Ok(()), list: Some(Ok(AliasList::default())) });
    let host = HostHealth { list_believed: true, ..HostHealth::default() };
    let memory = Memory { host, ..Memory::default() };
    let recorded = Some(("mine".to_owned(), Recorded { memory, ..Recorded::default() }));
    findings.ledger = Ok(LedgerFound { at: "ledger.db".to_owned(), recorded });
    let believed = "0 aliases; it has shown names that we added, so it is believed";
    says(&findings, &format!("ok getdomains: {believed}"));
    says(&findings, "ok ledger: ledger.db, 0 domains");
}

#[tokio::test]
async fn what_is_wrong_with_the_network_is_named_one_by_one() {
    let mut broken = Network { switch: Switch::Off, object_cache: true, ..copy() };
    broken.stage_words.remove(&Stage::Failed);
    broken.database_time = Some(NOW + Duration::from_mins(5));
    let mut findings = findings(broken).await;
    let missing = Some("UPDATE command denied".to_owned());
    found(&mut findings).rights = Ok(vec![Right { purpose: "write stages".to_owned(), missing }]);
    for line in [
        "fail rights: may not write stages: UPDATE command denied",
        "warn switch: the Closte integration is switched off, so a pass does nothing",
        "warn stages: the column lacks failed",
        "fail clock: 5 min from the database's",
        "fail home: this is a copy: the network belongs to the installation at `elsewhere.example` (CLOSTE_APP_ID none), and this is `net.example` (CLOSTE_APP_ID app1); it sends and writes nothing",
        "warn object cache: wp-content/object-cache.php is there: WordPress may show a new stage late",
    ] {
        says(&findings, line);
    }
    let denied = SourceError::Denied { what: "no".to_owned() };
    found(&mut findings).rights = Err(denied);
    says(&findings, "fail database: the database refused: no");
    findings.network = Some(Err(Failure::could_not("it is gone")));
    says(&findings, "fail database: it is gone");
}

/// What a plugin says that is as it should be.
fn hello() -> PluginHello {
    PluginHello {
        version: "1.0".to_owned(),
        wordpress: "7".to_owned(),
        php: "8".to_owned(),
        ultimate_multisite: Some("2".to_owned()),
        mode: "registry".to_owned(),
        time: Some(NOW),
        refused: 0,
    }
}

#[tokio::test]
async fn the_plugin_is_judged_by_its_version_its_clock_and_what_it_runs_in() {
    let hello = hello();
    let old = PluginHello { version: "0.9".to_owned(), ..hello.clone() };
    let late = PluginHello { time: Some(NOW + Duration::from_secs(45)), ..hello.clone() };
    let alone = PluginHello { ultimate_multisite: None, ..hello.clone() };
    let table = [
        (hello, "ok", "0 requests refused"),
        (old, "warn", "this closte-sync brings 1.0"),
        (late, "warn", "the clocks are 45 s apart"),
        (alone, "fail", "Ultimate Multisite is not there"),
    ];
    for (hello, state, words) in table {
        let mut findings = findings(network()).await;
        found(&mut findings).plugin = PluginFound::Answers(hello);
        let checks = examine(&findings);
        let check = checks.iter().find(|check| check.check == "plugin").unwrap();
        assert_eq!(check.state.as_str(), state, "{check:?}");
        assert!(check.detail.contains(words), "{check:?}");
    }
    let mut findings = findings(network()).await;
    found(&mut findings).plugin = PluginFound::NoWay("set `network.url`".to_owned());
    says(&findings, "fail plugin: set `network.url`");
}

#[tokio::test]
async fn who_writes_stages_is_told_as_it_is() {
    let hello = hello();
    let old = PluginHello { version: "0.9".to_owned(), ..hello.clone() };
    let answers = |hello: &PluginHello| PluginFound::Answers(hello.clone());
    let silent = || PluginFound::NoAnswer(Failure::could_not("silent"));
    let (through, late) = ("ok object cache: there is one, and", "warn object cache: ");
    let (plugin, rest) =
        ("ok stages by: the plugin", "ok stages by: Ultimate Multisite's REST API");
    let (sql, nobody) = ("ok stages by: closte-sync, in the database", "warn stages by: nobody");
    let table: [(&[&'static str], PluginFound, &str, &str); 7] = [
        (&["plugin", "rest", "sql"], answers(&hello), plugin, through),
        (&["plugin", "sql"], answers(&old), plugin, through),
        (&["plugin", "rest", "sql"], silent(), rest, through),
        (&["plugin", "sql"], silent(), sql, late),
        (&["sql"], answers(&hello), sql, late),
        (&["plugin"], silent(), nobody, late),
        (&[], PluginFound::Absent, nobody, late),
    ];
    for (writers, plugin, by, cache) in table {
        let mut findings = findings(Network { object_cache: true, ..network() }).await;
        found(&mut findings).writers = writers.to_vec();
        found(&mut findings).plugin = plugin;
        let text = text(&findings);
        for line in [by, cache] {
            assert!(
                text.lines().any(|it| it.starts_with(line)),
                "{writers:?}: no `{line}` in {text}"
            );
        }
    }
}

#[tokio::test]
async fn from_another_machine_only_what_the_rest_api_tells_is_judged() {
    let mut findings = findings(network()).await;
    findings.route = Route::Remote;
    found(&mut findings).files = false;
    let text = text(&findings);
    assert!(text.starts_with("ok network.url: "), "{text}");
    says(&findings, "ok network: net.example, 4 sites, 0 mappings");
    assert!(!text.contains("home:") && !text.contains("object cache:"), "{text}");
}

#[tokio::test]
async fn one_resolver_that_answers_is_enough_and_targets_must_be_known() {
    let mut findings = findings(network()).await;
    let (up, down) = (("a".to_owned(), Ok(())), ("b".to_owned(), Err("no".to_owned())));
    let probing = |resolvers| Probing {
        resolvers,
        roots: Vec::new(),
        targets: Targets::default(),
        no_address: None,
    };
    findings.probing = Ok(probing(vec![up, down.clone()]));
    says(&findings, "ok resolvers: a answers, b does not (no)");
    findings.probing = Ok(probing(vec![down]));
    says(&findings, "fail resolvers: b does not (no)");
    let why =
        "`net.example` has no address in DNS and no address in CLOSTE_PUBLIC_IP_ADDRESS is known";
    let what = format!("it is not known where domains must point: {why}; set `checks.targets`");
    says(&findings, &format!("fail targets: {what}"));
}

#[tokio::test]
async fn roots_that_are_silent_are_told_with_since_when() {
    let mut findings = findings(network()).await;
    says(&findings, "ok root servers: 1 of 1 answer");
    let silent = vec![("198.41.0.4:53".to_owned(), Err("no answer".to_owned()))];
    findings.probing.as_mut().unwrap().roots = silent;
    let so = "so delegations cannot be looked at and only the resolvers are asked";
    says(&findings, &format!("warn root servers: none answers, {so}"));
    let mut recorded = Recorded::default();
    let since = NOW - Duration::from_hours(5);
    recorded.memory.network.roots_silent = Some(RootsSilent::at(since, None));
    findings.ledger.as_mut().unwrap().recorded = Some(("l".to_owned(), recorded));
    says(&findings, &format!("warn root servers: none has answered for 5 h, {so}"));
    assert!(!any_failed(&examine(&findings)), "checks go on without them");
}
