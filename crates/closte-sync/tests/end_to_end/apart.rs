//! On another machine: only the REST API is in reach, neither database nor files.

mod setup;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::http_server::{Answer, Asked, Method};
use testkit::mariadb::MariaDb;
use testkit::rest_api::{KEY, Multisite, SECRET, Tables};

use crate::running::{eventually, stop};
use crate::world::{KEY as API_KEY, World, exists};

const MOVED: &str = "the network changed while it was read";

/// A network of which only the REST API is in reach, seen from an empty folder.
struct Apart {
    world: World,
    there: Multisite,
}

impl Apart {
    /// `network.example` with its main site, and nothing but what docs/apart.md says is set.
    async fn new() -> Self {
        let mut world = World::around(MariaDb::shared().fresh_database()).await;
        fs::create_dir(world.root()).unwrap();
        let there = Multisite::start(Tables::of("network.example")).await;
        world.set("network.source", "rest");
        world.set("network.url", &there.server.url());
        world.set("network.host", "network.example");
        let mut apart = Self { world, there };
        apart.credentials(&format!("{KEY}:{SECRET}\n"));
        let key = apart.write("api-key", API_KEY);
        apart.world.set("closte.api_key_file", key.to_str().unwrap());
        apart
    }

    /// One with these domains mapped to its main site, ids from 5 on, all of them served.
    async fn with(domains: &[&str]) -> Self {
        let apart = Self::new().await;
        for (domain, id) in domains.iter().zip(5..) {
            apart.there.tables().add_mapping(id, 1, domain, "checking-dns");
            apart.world.here(domain);
        }
        apart
    }

    fn credentials(&mut self, text: &str) {
        let file = self.write("rest-credentials", text);
        self.world.set("network.rest_credentials_file", file.to_str().unwrap());
    }

    /// A file that is not in the folder where commands run.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.world.folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    /// Answer every request that `is_hit`.
    fn answering(&self, answer: Answer, is_hit: impl Fn(&Asked) -> bool + Send + 'static) {
        self.there.before(move |_, asked, _| is_hit(asked).then(|| answer.clone()));
    }

    fn calm(&self) {
        self.there.before(|_, _, _| None);
    }

    fn was_asked(&self, method: &Method) -> Vec<String> {
        let asked = self.there.server.asked();
        let of = asked.iter().filter(|it| it.method == *method);
        of.map(|it| it.route().trim_start_matches("/wu/v2/").to_owned()).collect()
    }

    /// Nothing was asked of anybody, and nothing kept.
    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(self.there.server.asked().len(), 0);
        assert_eq!(self.world.sandbox.closte().calls().len(), 0);
        assert!(!exists(&self.world.ledger()));
    }
}

/// The reasons of all problems of a report or status.
fn problems(view: &Value) -> Vec<String> {
    let problems = view["problems"].as_array().unwrap().iter();
    problems.map(|it| it["reason"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_added_followed_and_done_without_database_and_files() {
    let apart = Apart::with(&["shop.example", "late.example"]).await;
    apart.world.elsewhere("late.example");
    let report = apart.world.json("sync");
    assert_eq!(problems(&report), Vec::<String>::new());
    assert_eq!(apart.world.aliases(), ["late.example", "shop.example"]);
    let rows = ["5 1 shop.example 1 0 1 done", "6 1 late.example 1 0 0 checking-dns"];
    assert_eq!(apart.there.rows(), rows);
    assert_eq!(apart.was_asked(&Method::PUT), ["domain/5"]);
    for method in [Method::POST, Method::DELETE] {
        assert_eq!(apart.was_asked(&method), Vec::<String>::new());
    }
    assert_eq!(apart.world.done("sync").out, "nothing to do\n");

    let status = apart.world.json("status");
    assert_eq!(
        (&status["counts"]["done"], &status["counts"]["checking-dns"]),
        (&1.into(), &1.into())
    );
    assert_eq!(apart.world.states("shop.example"), "present here valid");
    assert_eq!(apart.world.json("domains list")["domains"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_goes_there_takes_its_alias_with_it_on_the_second_good_read() {
    let apart = Apart::with(&["shop.example", "stays.example"]).await;
    apart.world.done("sync");
    apart.there.tables().domain.remove(&5);
    let first = apart.world.done("sync");
    assert!(first.out.contains("held: remove-alias shop.example (mapping-gone)"), "{first:?}");
    assert_eq!(apart.world.aliases().len(), 2);
    apart.world.done("sync");
    assert_eq!(apart.world.aliases(), ["stays.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_keeps_moving_adds_and_neither_removes_nor_makes_records() {
    let apart = Apart::new().await;
    for id in 1..=150 {
        apart.there.tables().add_mapping(id, 1, &format!("d{id}.example"), "checking-dns");
    }
    apart.world.done("sync");
    {
        let mut tables = apart.there.tables();
        tables.domain.remove(&1);
        tables.add_site(2, "new.network.example");
    }
    // Between the two pages of every read one more comes.
    let mut last = 150;
    apart.there.before(move |_, asked, tables| {
        if asked.route() == "/wu/v2/domain" && asked.query.get("page").is_some_and(|it| it == "2") {
            last += 1;
            tables.add_mapping(last, 1, &format!("d{last}.example"), "checking-dns");
        }
        None
    });
    for pass in 1..=3 {
        let report = apart.world.json("sync");
        let told = problems(&report);
        assert!(told.len() == 1 && told[0].starts_with(MOVED), "{told:?}");
        let held = report["held"].as_array().unwrap().iter();
        let held: Vec<_> = held.map(|it| (&it["action"], &it["domain"], &it["reason"])).collect();
        let (record, alias) = (json!("create-record"), json!("remove-alias"));
        let (site, gone, doubt) =
            (json!("new.network.example"), json!("d1.example"), json!("doubt"));
        assert_eq!(held, [(&record, &site, &doubt), (&alias, &gone, &doubt)]);
        assert_eq!(apart.world.aliases().len(), 150 + 2 * pass, "what is seen is added");
    }
    assert!(apart.world.aliases().contains(&"d1.example".to_owned()));
    assert_eq!(apart.was_asked(&Method::POST), Vec::<String>::new());

    apart.calm();
    for _ in 0..2 {
        assert_eq!(problems(&apart.world.json("sync")), Vec::<String>::new());
    }
    assert!(!apart.world.aliases().contains(&"d1.example".to_owned()));
    assert_eq!(apart.was_asked(&Method::POST), ["domain"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn weather_is_told_and_costs_nothing() {
    let apart = Apart::with(&["shop.example", "stays.example"]).await;
    apart.world.done("sync");
    apart.there.tables().domain.remove(&5);
    let broken = Answer::fault(500, "internal_server_error", "There has been a critical error.");
    for (weather, why) in [
        (Answer::html(500), "because: HTTP 500\n"),
        (Answer::html(503), "because: HTTP 503\n"),
        (broken, "There has been a critical error."),
        (Answer::html(200), "HTTP 200, and not what was asked for"),
        (Answer::json(200, &json!([])), "a list without `X-WP-Total`"),
    ] {
        apart.answering(weather, |_| true);
        let ran = apart.world.run("sync");
        ran.fails(2, &["could not read the network", "WordPress failed while reading", why]);
        assert_eq!(apart.world.aliases().len(), 2);
    }
    apart.calm();
    apart.world.done("sync");
    assert_eq!(apart.world.aliases().len(), 2, "none of them was a good read");
    apart.world.done("sync");
    assert_eq!(apart.world.aliases(), ["stays.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn weather_between_two_pages_is_no_half_read() {
    let apart = Apart::new().await;
    for id in 1..=150 {
        apart.there.tables().add_mapping(id, 1, &format!("d{id}.example"), "checking-dns");
    }
    apart.world.done("sync");
    let is_second = |asked: &Asked| asked.query.get("page").is_some_and(|it| it == "2");
    apart.answering(Answer::html(502), is_second);
    for _ in 0..2 {
        apart.world.run("sync").fails(2, &["reading mappings over REST", "HTTP 502"]);
    }
    apart.calm();
    apart.world.done("sync");
    assert_eq!(apart.world.aliases().len(), 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_once_and_the_others_are_written() {
    let apart = Apart::with(&["a.example", "refused.example", "z.example"]).await;
    let refusal = Answer::fault(500, "wu_validation", "Not this one.");
    apart.answering(refusal, |asked| {
        asked.method == Method::PUT && asked.route() == "/wu/v2/domain/6"
    });
    let report = apart.world.json("sync");
    let told = ["WordPress will not save `done` for refused.example: Not this one."];
    assert_eq!(problems(&report), told);
    let stages: Vec<_> = apart.there.rows().iter().map(|it| it[2..].to_owned()).collect();
    let done = |name: &str| format!("1 {name} 1 0 1 done");
    let refused = "1 refused.example 1 0 0 checking-dns".to_owned();
    assert_eq!(stages, [done("a.example"), refused, done("z.example")]);
    let put = apart.was_asked(&Method::PUT);
    assert_eq!(put.iter().filter(|it| *it == "domain/6").count(), 1);
    assert_eq!(apart.world.done("sync --quiet").out.lines().count(), 1, "the refusal itself");
    assert_eq!(problems(&apart.world.json("status")), told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_site_gets_its_record_after_its_first_minute() {
    let apart = Apart::new().await;
    apart.there.tables().add_site(2, "old.network.example");
    apart.world.done("sync");
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
    {
        let mut tables = apart.there.tables();
        tables.add_site(3, "new.network.example");
        tables.site.get_mut(&3).unwrap().insert("registered".into(), json!(now));
    }
    apart.world.here("new.network.example");
    apart.world.done("sync");
    assert_eq!(apart.was_asked(&Method::POST), Vec::<String>::new(), "it is too young");
    apart.there.tables().add_site(3, "new.network.example");
    apart.world.done("sync");
    assert_eq!(apart.was_asked(&Method::POST), ["domain"]);
    assert_eq!(apart.there.rows(), ["1 3 new.network.example 1 1 1 done"]);
    assert_eq!(apart.world.aliases(), ["new.network.example"]);

    apart.there.tables().domain.clear();
    apart.world.done("sync");
    apart.world.done("sync");
    assert_eq!(apart.there.rows(), Vec::<String>::new(), "what a person removed stays removed");
    assert_eq!(apart.world.aliases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_added_and_removed_by_command() {
    let apart = Apart::with(&["shop.example"]).await;
    apart.world.done("sync");
    apart.there.tables().add_site(2, "s2.network.example");
    apart.world.done("domains add new.example --site s2.network.example --primary");
    let twice = apart.world.run("domains add shop.example --site 2");
    twice.fails(1, &["`shop.example` is mapped to site 1 already (mapping 5)"]);
    apart.world.run("domains add x.example --site 9").fails(1, &["the network has no site `9`"]);
    let rows = ["5 1 shop.example 1 0 1 done", "6 2 new.example 1 1 0 checking-dns"];
    assert_eq!(apart.there.rows(), rows);
    apart.world.done("domains remove shop.example");
    assert_eq!(apart.there.rows(), [rows[1]]);
    apart.world.run("domains remove shop.example").fails(1, &["no such domain: `shop.example`"]);
    apart.world.done("sync");
    assert_eq!(apart.world.aliases(), ["new.example"], "the command was the first good read");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_program_notices_what_comes_and_goes() {
    let mut apart = Apart::with(&["shop.example"]).await;
    apart.world.set("run.poll", "1s");
    apart.world.set("removal.confirmations", "1");
    let run = apart.world.command("run").spawn().unwrap();
    let stands = |row: &str| apart.there.rows().iter().any(|it| it == row);
    eventually("the first is done", || stands("5 1 shop.example 1 0 1 done"));
    apart.world.here("new.example");
    apart.there.tables().add_mapping(6, 1, "new.example", "checking-dns");
    eventually("the new one is done", || stands("6 1 new.example 1 0 1 done"));
    apart.there.tables().domain.remove(&5);
    eventually("the alias is gone", || apart.world.aliases() == ["new.example"]);
    let (ran, _) = stop(run);
    assert_eq!(ran.code, 0, "{ran:?}");
}
