//! Beside WordPress: stages go over Ultimate Multisite's REST API, and by SQL where that fails.
//!
//! Database and API are two here, so that it shows which of them was written.

use testkit::http_server::{Answer, Method};
use testkit::rest_api::{Multisite, Tables};

use crate::world::World;

/// The settings of Ultimate Multisite, with the credentials of its API.
const SETTINGS: &str = r#"a:3:{s:21:"enable_domain_mapping";b:1;s:7:"api_key";s:3:"k3y";s:10:"api_secret";s:6:"s3cret";}"#;

const WAITS: &str = "1 1 shop.example 1 0 0 checking-dns";
const DONE: &str = "1 1 shop.example 1 0 1 done";

/// A world whose network holds `shop.example`, and so does the API.
async fn world() -> (World, Tables) {
    let world = World::new().await;
    world.option("wp-ultimo_v2_settings", SETTINGS);
    let id = world.map(1, "shop.example");
    world.here("shop.example");
    let mut tables = Tables::of("network.example");
    tables.add_mapping(id, 1, "shop.example", "checking-dns");
    (world, tables)
}

/// The same over http on this machine.
async fn over_http() -> (World, Multisite) {
    let (mut world, tables) = world().await;
    let there = Multisite::start(tables).await;
    world.set("network.url", &there.server.url());
    (world, there)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_written_with_the_credentials_of_the_settings() {
    for write in ["rest", "auto"] {
        let (mut world, there) = over_http().await;
        world.set("network.write", write);
        world.done("sync --set log.level=trace");
        assert_eq!(there.rows(), [DONE], "{write}");
        assert_eq!(world.stage("shop.example"), "checking-dns 0", "by the API alone");
        let asked = there.server.asked();
        assert!(asked.iter().all(|it| it.header("host").as_deref() == Some("network.example")));
        let routes: Vec<_> =
            asked.iter().map(|it| format!("{} {}", it.method, it.route())).collect();
        assert_eq!(routes, ["GET /wu/v2/domain/1", "PUT /wu/v2/domain/1"], "nothing else is asked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_credentials_wins_over_the_settings() {
    let (mut world, there) = over_http().await;
    world.set("network.write", "rest");
    let file = world.folder.path().join("rest-credentials");
    std::fs::write(&file, "k3y:another-secret").unwrap();
    world.set("network.rest_credentials_file", file.to_str().unwrap());
    let ran = world.done("sync");
    let problem = "problem: could not write a stage to WordPress";
    assert!(ran.out.contains(problem) && ran.out.contains("HTTP 401"), "{ran:?}");
    assert!(!ran.out.contains("another-secret"), "{ran:?}");
    assert_eq!(
        (there.rows(), world.stage("shop.example")),
        (vec![WAITS.into()], "checking-dns 0".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_sql_writes_and_rest_says_that_it_cannot() {
    let (mut world, there) = over_http().await;
    world.option("wp-ultimo_v2_settings", "a:1:{s:21:\"enable_domain_mapping\";b:1;}");
    world.set("network.write", "rest");
    let ran = world.done("sync");
    assert!(ran.out.contains("the way that `network.write` names is not set up"), "{ran:?}");
    assert_eq!(world.stage("shop.example"), "checking-dns 0");
    world.set("network.write", "auto");
    world.done("sync");
    assert_eq!(world.stage("shop.example"), "done 1");
    assert_eq!(there.server.asked().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn auto_goes_on_by_sql_where_the_api_fails() {
    let gone = Answer::fault(404, "rest_no_route", "No route was found.");
    let forbidden = Answer::fault(403, "rest_forbidden", "The API is switched off: s3cret.");
    for fails in [Answer::html(502), Answer::html(403), gone, forbidden, Answer::Hang] {
        let (world, there) = over_http().await;
        let shown = format!("{fails:?}");
        there.before(move |_, _, _| Some(fails.clone()));
        let ran = world.done("sync --set log.level=info");
        assert_eq!(world.stage("shop.example"), "done 1", "{shown}");
        assert!(ran.err.contains("`rest` could not write stages"), "{shown}: {ran:?}");
        assert!(!ran.out.contains("problem"), "without an object cache it is as good: {ran:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_an_answer_and_sql_does_not_overrule_it() {
    let (world, there) = over_http().await;
    let refusal = Answer::fault(500, "wu_validation", "Not this one.");
    there.before(move |_, asked, _| (asked.method == Method::PUT).then(|| refusal.clone()));
    let ran = world.done("sync");
    assert!(ran.out.contains("will not save `done` for shop.example: Not this one."), "{ran:?}");
    assert_eq!(world.stage("shop.example"), "checking-dns 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn https_is_used_where_its_certificate_is_trusted_and_else_sql() {
    let (mut world, tables) = world().await;
    let (there, authority) = Multisite::start_with_tls(tables).await;
    world.set("network.url", &there.server.url());
    world.set("network.write", "rest");
    let ran = world.done("sync");
    assert!(
        ran.out.contains("could not reach WordPress") && ran.out.contains("certificate"),
        "{ran:?}"
    );
    assert_eq!(there.server.asked().len(), 0, "no credentials were sent");
    assert_eq!(world.stage("shop.example"), "checking-dns 0");

    world.set("network.write", "auto");
    world.done("sync");
    assert_eq!(world.stage("shop.example"), "done 1");
    assert_eq!((there.server.asked().len(), there.rows()), (0, vec![WAITS.to_owned()]));

    let both = world.folder.path().join("both.pem");
    let sandbox = std::fs::read_to_string(world.sandbox.ca_file()).unwrap();
    std::fs::write(&both, sandbox + &authority.pem()).unwrap();
    world.set("checks.trusted_ca", both.to_str().unwrap());
    world.database.execute("UPDATE wp_wu_domain_mappings SET stage = 'checking-dns', secure = 0");
    world.done("sync");
    assert_eq!(there.rows(), [DONE]);
    assert_eq!(world.stage("shop.example"), "checking-dns 0", "by the API alone");
}
