//! What keeps us from seeing or acting at all, for the whole network.

use testkit::internet::{Fault, RecordType, Scope, Validation};

use crate::explained::{Case, cases, hold};
use crate::world::{LABEL, RESOLVERS, ROOTS, SHOP, World, new_network};

#[test]
fn what_is_wrong_with_the_whole_stands_first_where_it_is_why() {
    hold(WHOLE);
}

#[test]
fn what_keeps_us_from_judging_is_the_admins() {
    hold(SEEING);
}

#[rustfmt::skip] // One case a line.
pub(crate) const SEEING: &[Case] = cases! {
    "the web is an hour ahead",   SHOP, "clock-wrong", ADMIN, [], new, |w| w.here.clock_ahead(3600);
    "the web is an hour behind",  SHOP, "clock-wrong", ADMIN, [], new, |w| w.here.clock_ahead(-3600);
    "eight minutes are nothing",  SHOP, "already-at-host", INFO, [], new, |w| w.here.clock_ahead(480);
    "no way from here to it",     SHOP, "unseen",      UNSEEN, [], synced, |w| { w.set("checks.targets", "fe80::7"); w.records(SHOP, RecordType::A, &[]); w.records(SHOP, RecordType::AAAA, &["fe80::7"]); };
    "no target is known",         SHOP, "no-targets",  ADMIN, [], new, |w| { w.set("checks.targets", ""); w.records("network.example", RecordType::A, &[]); };
};

#[rustfmt::skip] // One case a line.
pub(crate) const WHOLE: &[Case] = cases! {
    "a copy of another app",        SHOP, "copy",              ADMIN, [], synced, |w| { w.row(SHOP, "stage = 'checking-dns', secure = 0"); w.wp_config("'app1'", "'app2'"); };
    "a copy without a ledger",      SHOP, "copy",              ADMIN, [], synced, |w| { w.row(SHOP, "stage = 'checking-dns', secure = 0"); let ledger = w.folder.path().join("new/ledger.db"); w.set("ledger.url", &format!("sqlite://{}", ledger.display())); };
    "a ledger of another network",  SHOP, "other-network",     ADMIN, [], synced, another_network;
    "the database was put back",    SHOP, "database-restored", ADMIN, [], synced, put_back;
    "Closte's list is empty",       SHOP, "list-doubt",        ADMIN, [], synced, |w| { w.pass(); w.host.drop_alias(SHOP); w.host.drop_alias(LABEL); w.pass(); };
    "Closte is switched off",       SHOP, "switched-off",      ADMIN, [], new, |w| { w.row(SHOP, "stage = 'checking-dns', secure = 0"); w.option("wu_host_integrations_enabled", "a:0:{}"); };
};

#[test]
fn where_no_resolver_answers_the_exit_says_so() {
    let world = World::new();
    for resolver in RESOLVERS {
        world.internet.fault(resolver, Scope::all(), Fault::Silent);
    }
    let explained = world.explain(SHOP);
    let found = (explained.code, explained.codes()[0], explained.network());
    assert_eq!(found, (2, "blind", vec!["blind"]));
    let finding = explained.finding("blind");
    assert_eq!((&finding["severity"], &finding["actor"]), (&"error".into(), &"admin".into()));
}

#[test]
fn roots_that_answer_nobody_are_left_alone_by_passes_and_told_by_the_doctor() {
    let world = World::new();
    world.points(SHOP, &world.there);
    for root in ROOTS {
        world.internet.fault(root, Scope::all(), Fault::Silent);
    }
    // Resolvers are not behind the same firewall.
    for resolver in RESOLVERS {
        let there = world.there.address().to_string();
        world.internet.hold(resolver, (SHOP, RecordType::A), (&[&there], 900));
        world.internet.hold(resolver, (SHOP, RecordType::AAAA), (&[], 900));
    }
    let asked = || ROOTS.map(|root| world.internet.asked(root).len());
    world.pass();
    let once = asked();
    assert_ne!(once, [0, 0]);
    world.pass();
    assert_eq!(asked(), once, "the next process knows it");
    let doctor = world.run(&["doctor", "--output", "json"]);
    let doctor: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let checks = doctor["checks"].as_array().unwrap();
    let roots = checks.iter().find(|it| it["check"] == "root servers").unwrap();
    let told = roots["detail"].as_str().unwrap().starts_with("none has answered for ");
    assert!(roots["state"] == "warn" && told, "{roots}");
    let by_doctor = asked();
    let explained = world.explain(SHOP);
    assert_eq!(explained.codes()[0], "other-address", "the resolvers say so: {explained:#?}");
    assert_ne!(asked(), by_doctor, "a person asks once more");
}

#[test]
fn what_is_served_stays_ready_where_nobody_acts() {
    for (code, breaks) in served_anyway() {
        let mut world = World::synced();
        breaks(&mut world);
        let explained = world.explain(LABEL);
        assert_eq!((explained.code, explained.codes()), (0, vec![]), "{code}: {explained:#?}");
        assert_eq!(explained.network().first(), Some(&code), "{explained:#?}");
    }
}

type Breaks = fn(&mut World);

#[rustfmt::skip] // One case a line.
fn served_anyway() -> [(&'static str, Breaks); 3] {
    [
        ("copy",         |w| w.wp_config("'app1'", "'app2'")),
        ("switched-off", |w| w.option("wu_host_integrations_enabled", "a:0:{}")),
        ("key-refused",  |w| w.wp_config("k3y-0f-th3-n3tw0rk-s3cr3t", "another-key")),
    ]
}

#[test]
fn what_a_person_must_apply_is_told_of_the_network() {
    let owning = || {
        let world = World::new();
        for number in 0..20 {
            world.map(2, &format!("d{number}.example"));
        }
        world.sync();
        world
    };
    let dropping = |from: u32| {
        let world = owning();
        for number in from..20 {
            world.sql(&format!(
                "DELETE FROM wp_wu_domain_mappings WHERE domain = 'd{number}.example'"
            ));
        }
        world.pass();
        world.pass();
        world.explain(SHOP).network().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(dropping(14), ["brake"]);
    assert_eq!(dropping(0), ["doubt"]);
}

#[test]
fn where_nobody_validates_it_is_told_once() {
    let mut world = World::synced();
    let off = world.internet.resolver("r3", Validation::Off);
    world.set("checks.resolvers", &off.to_string());
    let explained = world.explain(SHOP);
    assert_eq!(
        (explained.code, explained.codes(), explained.network()),
        (0, vec![], vec!["not-validated"])
    );
}

#[test]
fn nothing_is_asked_that_changes_anything() {
    let world = World::new();
    let calls = world.host.calls().len();
    world.explain(SHOP);
    let changing = |call: &sandbox::closte::Call| call.domain.is_some();
    assert!(!world.host.calls()[calls..].iter().any(changing));
    assert!(!world.folder.path().join("state/closte-sync/ledger.db").exists());
    assert_eq!(
        world.sql("SELECT count(*) FROM wp_sitemeta WHERE meta_key LIKE 'closte_sync%'"),
        "0"
    );
    assert!(world.internet.asked("r1").iter().any(|it| it.kind == RecordType::A));
}

/// The same ledger beside a network of its own, which maps the same domain.
fn another_network(world: &mut World) {
    world.network = new_network(&world.folder.path().join("second"), "second.example");
    world.sql("INSERT INTO wp_blogs (site_id, domain, path) VALUES (1, 'one.second.example', '/')");
    world.map(2, SHOP);
    world.row(SHOP, "stage = 'checking-dns', secure = 0");
}

/// The database of before the last domain was added.
fn put_back(world: &mut World) {
    let mark = "SELECT meta_value FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'";
    let before = world.sql(mark);
    world.map(2, "late.shop.example");
    world.pass();
    assert_ne!(world.sql(mark), before, "the mark moves with what is owned");
    world.option("closte_sync_home", &before);
    world.row(SHOP, "stage = 'checking-dns', secure = 0");
}
