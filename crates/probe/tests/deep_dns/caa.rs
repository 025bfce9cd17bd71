//! CAA: the climb from the name to its parents (RFC 8659, section 3), through CNAME records.

use std::time::Instant;

use hickory_proto::rr::RecordType;
use rules::evidence::{Caa, CaaSaid, CaaStep};

use crate::world::{Quirk, TIMEOUT, World, investigate, probe_with};

/// The climb as text: `www.shop.test via x.test: none`.
fn climb(steps: &[CaaStep]) -> Vec<String> {
    let step = |step: &CaaStep| {
        let via = step.through.iter().map(|it| format!(" via {it}")).collect::<Vec<_>>().concat();
        let said = match &step.said {
            CaaSaid::None => "none".to_owned(),
            CaaSaid::Failed { .. } => "failed".to_owned(),
            CaaSaid::Records(records) => {
                let record =
                    |it: &Caa| format!("{} {} {}", u8::from(it.critical), it.tag, it.value);
                records.iter().map(record).collect::<Vec<_>>().join(", ")
            }
        };
        format!("{}{via}: {said}", step.name)
    };
    steps.iter().map(step).collect()
}

#[tokio::test]
async fn the_climb_ends_at_the_first_records() {
    let world = World::with_top().await;
    world.zone(
        9,
        ".",
        &[
            "www.shop.test. A 192.0.2.1",
            "shop.test. CAA 0 issue letsencrypt.org",
            "shop.test. CAA 128 ISSUEWILD ;",
            "a.b.else.test. A 192.0.2.1",
            "alias.test. CNAME target.other.",
            "target.other. CAA 0 issue ca.other",
            "hollow.alias2.test. CNAME target2.other.",
            "target2.other. A 192.0.2.1",
            "other. CAA 0 issue never.other",
            "alias2.test. CAA 0 issue parent.test",
        ],
    );
    let probe = world.probe();
    let records = "shop.test: 0 issue letsencrypt.org, 1 issuewild ;";
    #[rustfmt::skip] // One case a line.
    let table: [(&str, &[&str]); 6] = [
        ("shop.test",          &[records]),
        ("www.shop.test",      &["www.shop.test: none", records]),
        ("*.shop.test",        &[records]),
        ("a.b.else.test",      &["a.b.else.test: none", "b.else.test: none", "else.test: none", "test: none"]),
        ("alias.test",         &["alias.test via target.other: 0 issue ca.other"]),
        ("hollow.alias2.test", &["hollow.alias2.test via target2.other: none", "alias2.test: 0 issue parent.test"]),
    ];
    for (name, want) in table {
        assert_eq!(climb(&investigate(&probe, name).await.caa), want, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_climb() {
    let world = World::with_top().await;
    world.zone(9, ".", &["test. CAA 0 issue letsencrypt.org"]);
    world.quirk(9, Quirk::Fails(RecordType::CAA));
    let deep = world.investigate("www.shop.test").await;
    let detail = format!("{}: SERVFAIL", world.at(9));
    let want = CaaStep {
        name: "www.shop.test".to_owned(),
        through: Vec::new(),
        said: CaaSaid::Failed { detail },
    };
    assert_eq!(deep.caa, [want]);
}

#[tokio::test]
async fn one_resolver_that_answers_is_enough() {
    let world = World::with_top().await;
    world.quirk(8, Quirk::Refuses);
    world.quirk(7, Quirk::Silent);
    let resolvers = Some([7, 8, 9].map(|server| world.at(server)).to_vec());
    let probe = probe_with(probe::Settings { resolvers, ..world.settings() });
    assert_eq!(
        climb(&investigate(&probe, "shop.test").await.caa),
        ["shop.test: none", "test: none"]
    );
}

#[tokio::test]
async fn silence_is_a_failure_after_its_time() {
    let world = World::with_top().await;
    world.quirk(9, Quirk::Silent);
    let began = Instant::now();
    assert_eq!(climb(&world.investigate("a.b.shop.test").await.caa), ["a.b.shop.test: failed"]);
    assert!(began.elapsed() < TIMEOUT * 2, "all steps at once: {:?}", began.elapsed());
}
