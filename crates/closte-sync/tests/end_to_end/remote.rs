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
struct Remote {
    world: World,
    there: Multisite,
}

impl Remote {
    /// `network.example` with its main site, and nothing but what docs/remote.md says is set.
    async fn new() -> Self {
        let mut world = World::around(MariaDb::shared().fresh_database()).await;
        fs::create_dir(world.root()).unwrap();
        let there = Multisite::start(Tables::of("network.example")).await;
        world.set("network.source", "rest");
        world.set("network.url", &there.server.url());
        world.set("network.host", "network.example");
        let mut remote = Self { world, there };
        remote.credentials(&format!("{KEY}:{SECRET}\n"));
        let key = remote.write("api-key", API_KEY);
        remote.world.set("closte.api_key_file", key.to_str().unwrap());
        remote
    }

    /// One with these domains mapped to its main site, ids from 5 on, all of them served.
    async fn with(domains: &[&str]) -> Self {
        let remote = Self::new().await;
        for (domain, id) in domains.iter().zip(5..) {
            remote.there.tables().add_mapping(id, 1, domain, "checking-dns");
            remote.world.here(domain);
        }
        remote
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
    let remote = Remote::with(&["shop.example", "late.example"]).await;
    remote.world.elsewhere("late.example");
    let report = remote.world.json("sync");
    assert_eq!(problems(&report), Vec::<String>::new());
    assert_eq!(remote.world.aliases(), ["late.example", "shop.example"]);
    let rows = ["5 1 shop.example 1 0 1 done", "6 1 late.example 1 0 0 checking-dns"];
    assert_eq!(remote.there.rows(), rows);
    assert_eq!(remote.was_asked(&Method::PUT), ["domain/5"]);
    for method in [Method::POST, Method::DELETE] {
        assert_eq!(remote.was_asked(&method), Vec::<String>::new());
    }
    assert_eq!(remote.world.done("sync").out, "nothing to do\n");

    let status = remote.world.json("status");
    assert_eq!(
        (&status["counts"]["done"], &status["counts"]["checking-dns"]),
        (&1.into(), &1.into())
    );
    assert_eq!(remote.world.states("shop.example"), "present here valid");
    assert_eq!(remote.world.json("domains list")["domains"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_that_goes_there_takes_its_alias_with_it_on_the_second_good_read() {
    let remote = Remote::with(&["shop.example", "stays.example"]).await;
    remote.world.done("sync");
    remote.there.tables().domain.remove(&5);
    let first = remote.world.done("sync");
    assert!(first.out.contains("deferred: remove-alias shop.example (mapping-gone)"), "{first:?}");
    assert_eq!(remote.world.aliases().len(), 2);
    remote.world.done("sync");
    assert_eq!(remote.world.aliases(), ["stays.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_keeps_moving_adds_and_neither_removes_nor_makes_records() {
    let remote = Remote::new().await;
    for id in 1..=150 {
        remote.there.tables().add_mapping(id, 1, &format!("d{id}.example"), "checking-dns");
    }
    remote.world.done("sync");
    {
        let mut tables = remote.there.tables();
        tables.domain.remove(&1);
        tables.add_site(2, "new.network.example");
    }
    // Between the two pages of every read one more comes.
    let mut last = 150;
    remote.there.before(move |_, asked, tables| {
        if asked.route() == "/wu/v2/domain" && asked.query.get("page").is_some_and(|it| it == "2") {
            last += 1;
            tables.add_mapping(last, 1, &format!("d{last}.example"), "checking-dns");
        }
        None
    });
    for pass in 1..=3 {
        let report = remote.world.json("sync");
        let found = problems(&report);
        assert!(found.len() == 1 && found[0].starts_with(MOVED), "{found:?}");
        let deferred = report["deferred"].as_array().unwrap().iter();
        let deferred: Vec<_> =
            deferred.map(|it| (&it["action"], &it["domain"], &it["reason"])).collect();
        let (record, alias) = (json!("create-record"), json!("remove-alias"));
        let (site, gone, doubt) =
            (json!("new.network.example"), json!("d1.example"), json!("doubt"));
        assert_eq!(deferred, [(&record, &site, &doubt), (&alias, &gone, &doubt)]);
        assert_eq!(remote.world.aliases().len(), 150 + 2 * pass, "what is seen is added");
    }
    assert!(remote.world.aliases().contains(&"d1.example".to_owned()));
    assert_eq!(remote.was_asked(&Method::POST), Vec::<String>::new());

    remote.calm();
    for _ in 0..2 {
        assert_eq!(problems(&remote.world.json("sync")), Vec::<String>::new());
    }
    assert!(!remote.world.aliases().contains(&"d1.example".to_owned()));
    assert_eq!(remote.was_asked(&Method::POST), ["domain"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_is_reported_and_costs_nothing() {
    let remote = Remote::with(&["shop.example", "stays.example"]).await;
    remote.world.done("sync");
    remote.there.tables().domain.remove(&5);
    let broken = Answer::fault(500, "internal_server_error", "There has been a critical error.");
    for (transient, why) in [
        (Answer::html(500), "because: HTTP 500\n"),
        (Answer::html(503), "because: HTTP 503\n"),
        (broken, "There has been a critical error."),
        (Answer::html(200), "HTTP 200, and not what was asked for"),
        (Answer::json(200, &json!([])), "a list without `X-WP-Total`"),
    ] {
        remote.answering(transient, |_| true);
        let ran = remote.world.run("sync");
        ran.fails(2, &["could not read the network", "WordPress failed while reading", why]);
        assert_eq!(remote.world.aliases().len(), 2);
    }
    remote.calm();
    remote.world.done("sync");
    assert_eq!(remote.world.aliases().len(), 2, "none of them was a good read");
    remote.world.done("sync");
    assert_eq!(remote.world.aliases(), ["stays.example"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn transient_between_two_pages_is_no_half_read() {
    let remote = Remote::new().await;
    for id in 1..=150 {
        remote.there.tables().add_mapping(id, 1, &format!("d{id}.example"), "checking-dns");
    }
    remote.world.done("sync");
    let is_second = |asked: &Asked| asked.query.get("page").is_some_and(|it| it == "2");
    remote.answering(Answer::html(502), is_second);
    for _ in 0..2 {
        remote.world.run("sync").fails(2, &["reading mappings over REST", "HTTP 502"]);
    }
    remote.calm();
    remote.world.done("sync");
    assert_eq!(remote.world.aliases().len(), 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_reported_once_and_the_others_are_written() {
    let remote = Remote::with(&["a.example", "refused.example", "z.example"]).await;
    let refusal = Answer::fault(500, "wu_validation", "Not this one.");
    remote.answering(refusal, |asked| {
        asked.method == Method::PUT && asked.route() == "/wu/v2/domain/6"
    });
    let report = remote.world.json("sync");
    let problem = ["WordPress will not save `done` for refused.example: Not this one."];
    assert_eq!(problems(&report), problem);
    let stages: Vec<_> = remote.there.rows().iter().map(|it| it[2..].to_owned()).collect();
    let done = |name: &str| format!("1 {name} 1 0 1 done");
    let refused = "1 refused.example 1 0 0 checking-dns".to_owned();
    assert_eq!(stages, [done("a.example"), refused, done("z.example")]);
    let put = remote.was_asked(&Method::PUT);
    assert_eq!(put.iter().filter(|it| *it == "domain/6").count(), 1);
    assert_eq!(remote.world.done("sync --quiet").out.lines().count(), 1, "the refusal itself");
    assert_eq!(problems(&remote.world.json("status")), problem);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_site_gets_its_record_after_its_first_minute() {
    let remote = Remote::new().await;
    remote.there.tables().add_site(2, "old.network.example");
    remote.world.done("sync");
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
    {
        let mut tables = remote.there.tables();
        tables.add_site(3, "new.network.example");
        tables.site.get_mut(&3).unwrap().insert("registered".into(), json!(now));
    }
    remote.world.here("new.network.example");
    remote.world.done("sync");
    assert_eq!(remote.was_asked(&Method::POST), Vec::<String>::new(), "it is too young");
    remote.there.tables().add_site(3, "new.network.example");
    remote.world.done("sync");
    assert_eq!(remote.was_asked(&Method::POST), ["domain"]);
    assert_eq!(remote.there.rows(), ["1 3 new.network.example 1 1 1 done"]);
    assert_eq!(remote.world.aliases(), ["new.network.example"]);

    remote.there.tables().domain.clear();
    remote.world.done("sync");
    remote.world.done("sync");
    assert_eq!(remote.there.rows(), Vec::<String>::new(), "what a person removed stays removed");
    assert_eq!(remote.world.aliases(), ["new.network.example"], "a site has it as its own");
    remote.there.tables().site.remove(&3);
    remote.world.done("sync");
    remote.world.done("sync");
    assert_eq!(remote.world.aliases(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_added_and_removed_by_command() {
    let remote = Remote::with(&["shop.example"]).await;
    remote.world.done("sync");
    remote.there.tables().add_site(2, "s2.network.example");
    remote.world.done("domains add new.example --site s2.network.example --primary");
    let twice = remote.world.run("domains add shop.example --site 2");
    twice.fails(1, &["`shop.example` is mapped to site 1 already (mapping 5)"]);
    remote.world.run("domains add x.example --site 9").fails(1, &["the network has no site `9`"]);
    let rows = ["5 1 shop.example 1 0 1 done", "6 2 new.example 1 1 0 checking-dns"];
    assert_eq!(remote.there.rows(), rows);
    remote.world.done("domains remove shop.example");
    assert_eq!(remote.there.rows(), [rows[1]]);
    remote.world.run("domains remove shop.example").fails(1, &["no such domain: `shop.example`"]);
    remote.world.done("sync");
    assert_eq!(remote.world.aliases(), ["new.example"], "the command was the first good read");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_program_notices_what_comes_and_goes() {
    let mut remote = Remote::with(&["shop.example"]).await;
    remote.world.set("run.poll", "1s");
    remote.world.set("removal.confirmations", "1");
    let run = remote.world.command("run").spawn().unwrap();
    let stands = |row: &str| remote.there.rows().iter().any(|it| it == row);
    eventually("the first is done", || stands("5 1 shop.example 1 0 1 done"));
    remote.world.here("new.example");
    remote.there.tables().add_mapping(6, 1, "new.example", "checking-dns");
    eventually("the new one is done", || stands("6 1 new.example 1 0 1 done"));
    remote.there.tables().domain.remove(&5);
    eventually("the alias is gone", || remote.world.aliases() == ["new.example"]);
    let (ran, _) = stop(run);
    assert_eq!(ran.code, 0, "{ran:?}");
}
