//! A network is written over REST: under conditions, and never twice for one answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::multisite::{SHORT, endpoint, localhost, name, network, write, write_to};
use async_trait::async_trait;
use rules::source::{
    NetworkSource, Primary, Replaces, Right, SourceError, StageWrite, StageWriter, Written,
};
use rules::{DomainName, Home, Network, Stage, Whereabouts};
use serde_json::json;
use testkit::http_server::{Answer, Asked, Method};
use testkit::rest_api::{Multisite, Tables};
use wordpress::rest::{Credentials, RestClient, RestWriter};

use Stage::{CheckingDns, CheckingSslCert, Done, Failed, SslFailed};

async fn with_mapping(stage: &str) -> Multisite {
    let multisite = localhost().await;
    multisite.tables().add_mapping(5, 2, "a.example", stage);
    multisite
}

#[tokio::test]
async fn a_stage_is_written_only_over_the_one_that_was_read() {
    let multisite = with_mapping("checking-dns").await;
    let network = network(&multisite);
    assert!(!network.write_stage(&write(5, Some(Failed), Done)).await.unwrap());
    assert!(!network.write_stage(&write(5, None, Done)).await.unwrap());
    assert!(!network.write_stage(&write(99, Some(Failed), Done)).await.unwrap());
    assert_eq!(multisite.rows(), ["5 2 a.example 1 0 0 checking-dns"]);
    assert!(network.write_stage(&write(5, Some(CheckingDns), CheckingSslCert)).await.unwrap());
    assert_eq!(multisite.rows(), ["5 2 a.example 1 0 0 checking-ssl-cert"]);
    multisite.server.take_routes();
    assert!(network.write_stage(&write(5, Some(CheckingSslCert), Done)).await.unwrap());
    assert_eq!(multisite.rows(), ["5 2 a.example 1 0 1 done"]);
    assert!(network.write_stage(&write(5, Some(Done), Failed)).await.unwrap());
    assert_eq!(multisite.rows(), ["5 2 a.example 1 0 1 failed"], "`secure` is never lowered");
    let one = ["GET /wu/v2/domain/5", "PUT /wu/v2/domain/5"];
    assert_eq!(multisite.server.take_routes(), [one, one].concat());
    multisite.tables().domain.get_mut(&5).unwrap().insert("stage".into(), json!(null));
    assert!(network.write_stage(&write(5, None, Done)).await.unwrap());
}

#[tokio::test]
async fn only_what_is_asked_for_is_sent() {
    let multisite = with_mapping("checking-dns").await;
    let network = network(&multisite);
    network.write_stage(&write(5, Some(CheckingDns), CheckingSslCert)).await.unwrap();
    network.write_stage(&write(5, Some(CheckingSslCert), Done)).await.unwrap();
    let put = |asked: &Asked| (asked.method == Method::PUT).then(|| asked.json());
    let bodies: Vec<_> = multisite.server.asked().iter().filter_map(put).collect();
    let done = json!({"stage": "done", "secure": true});
    assert_eq!(bodies, [json!({"stage": "checking-ssl-cert"}), done]);
}

#[tokio::test]
async fn an_answer_that_does_not_show_the_stage_is_checked_after() {
    let multisite = with_mapping("checking-dns").await;
    let is_put = |asked: &Asked| asked.method == Method::PUT;
    multisite.before(move |_, asked, tables| {
        let row = tables.domain.get_mut(&5).filter(|_| is_put(asked))?;
        row.insert("stage".into(), json!("done"));
        Some(Answer::json(200, &json!({"success": true})))
    });
    let network = network(&multisite);
    assert!(network.write_stage(&write(5, Some(CheckingDns), Done)).await.unwrap());
    multisite.before(move |_, asked, _| {
        is_put(asked).then(|| Answer::json(200, &json!({"success": true})))
    });
    let overtaken = network.write_stage(&write(5, Some(Done), Failed)).await.unwrap();
    assert!(!overtaken, "another stage stands there");
}

#[tokio::test]
async fn a_refusal_is_reported_in_its_own_words_and_a_table_without_ssl_failed_is_remembered() {
    let multisite = with_mapping("checking-dns").await;
    let refuse = |asked: &Asked| {
        let is_put = asked.method == Method::PUT;
        is_put.then(|| Answer::fault(500, "wu_validation", "The stage is not allowed."))
    };
    multisite.before(move |_, asked, _| refuse(asked));
    let network = network(&multisite);
    let error = network.write_stage(&write(5, Some(CheckingDns), Done)).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    assert_eq!(error.to_string(), "The stage is not allowed.");
    assert!(network.read().await.unwrap().stage_words.contains(&SslFailed));
    let words = "The stage is not allowed.".to_owned();
    let writes = [write(5, Some(CheckingDns), SslFailed)];
    let written = network.writer().write_stages(&writes).await.unwrap();
    assert_eq!(written, [Written::Refused { words }]);
    assert!(!network.read().await.unwrap().stage_words.contains(&SslFailed));
}

#[tokio::test]
async fn a_row_that_is_refused_for_its_name_says_nothing_about_stages() {
    for name in ["*.shop.example", "shop.xn--p1ai", "bücher.example"] {
        let multisite = localhost().await;
        multisite.tables().add_mapping(5, 2, name, "checking-ssl-cert");
        let network = network(&multisite);
        let writes = [write_to(5, name, Some(CheckingSslCert), SslFailed)];
        let written = network.writer().write_stages(&writes).await.unwrap();
        let words = "The Domain is not valid.".to_owned();
        assert_eq!(written, [Written::NameRefused { words }], "{name}");
        let error = network.write_stage(&writes[0]).await.unwrap_err();
        assert_eq!(error.to_string(), "The Domain is not valid.", "{name}");
        let row = format!("5 2 {name} 1 0 0 checking-ssl-cert");
        assert_eq!(multisite.rows(), [row], "nothing was written");
        assert!(network.read().await.unwrap().stage_words.contains(&SslFailed), "{name}");
    }
}

#[tokio::test]
async fn a_table_that_keeps_no_unknown_word_has_refused_it() {
    let multisite = with_mapping("checking-ssl-cert").await;
    multisite.before(|_, asked, tables| {
        (asked.method == Method::PUT).then(|| {
            tables.domain.get_mut(&5).unwrap().insert("stage".into(), json!(""));
            Answer::json(200, &json!({}))
        })
    });
    let network = network(&multisite);
    let error = network.write_stage(&write(5, Some(CheckingSslCert), SslFailed)).await.unwrap_err();
    assert_eq!(error.to_string(), "`ssl-failed` was saved, but no stage is there");
    assert!(!network.read().await.unwrap().stage_words.contains(&SslFailed));
}

#[tokio::test]
async fn a_write_is_sent_once_whatever_becomes_of_it() {
    let multisite = with_mapping("checking-dns").await;
    multisite.before(|_, asked, _| (asked.method == Method::PUT).then(|| Answer::html(502)));
    let network = network(&multisite);
    let error = network.write_stage(&write(5, Some(CheckingDns), Done)).await.unwrap_err();
    assert_eq!(error.to_string(), "WordPress failed while writing a stage over REST");
    let sent = multisite.server.asked();
    assert_eq!(sent.iter().filter(|it| it.method == Method::PUT).count(), 1);
}

#[tokio::test]
async fn many_are_written_in_order() {
    let multisite = localhost().await;
    for id in 1..=30 {
        let stage = if id % 3 == 0 { "failed" } else { "checking-dns" };
        multisite.tables().add_mapping(id, 2, &format!("d{id}.example"), stage);
    }
    let write = |id| write_to(id, &format!("d{id}.example"), Some(CheckingDns), Done);
    let writes: Vec<StageWrite> = (1..=30).map(write).collect();
    let written = network(&multisite).writer().write_stages(&writes).await.unwrap();
    let want = |id| if id % 3 == 0 { Written::Overtaken } else { Written::Done };
    assert_eq!(written, (1..=30).map(want).collect::<Vec<_>>());
}

#[tokio::test]
async fn credentials_may_come_from_the_settings_each_time() {
    let multisite = with_mapping("checking-dns").await;
    let settings = r#"a:2:{s:7:"api_key";s:3:"k3y";s:10:"api_secret";s:6:"s3cret";}"#;
    let (good, none) = (writer(&multisite, settings), writer(&multisite, "a:0:{}"));
    assert!(good.0.is_set_up().await && !none.0.is_set_up().await);
    let writes = [write(5, Some(CheckingDns), Done)];
    assert_eq!(good.0.write_stages(&writes).await.unwrap(), [Written::Done]);
    assert_eq!(good.1.asked.load(Ordering::Relaxed), 2, "once for each, not for each request");
    let error = none.0.write_stages(&writes).await.unwrap_err();
    assert!(matches!(error, SourceError::NotAdmitted { .. }), "{error:?}");
}

#[tokio::test]
async fn a_record_is_made_as_the_plugin_makes_it() {
    let multisite = localhost().await;
    let network = network(&multisite);
    let shop = name("shop.example");
    let id = network.create_record(2, &shop).await.unwrap().unwrap();
    let record = [format!("{id} 2 shop.example 1 1 0 checking-dns")];
    assert_eq!(multisite.rows(), record);
    assert_eq!(network.create_record(2, &shop).await.unwrap(), None, "only once");
    assert_eq!(multisite.rows(), record);
}

#[tokio::test]
async fn no_record_is_made_where_a_condition_fails() {
    type Change = fn(&mut Tables);
    let table: [(&str, Change); 9] = [
        ("the site is gone", |it| _ = it.site.remove(&2)),
        ("it has another name", |it| it.add_site(2, "new.example")),
        ("it has a path", |it| set_site(it, "path", "/x/")),
        ("it is archived", |it| set_site(it, "archived", "1")),
        ("it has a mapping", |it| it.add_mapping(5, 2, "x.example", "done")),
        ("its name is mapped", |it| it.add_mapping(5, 3, "SHOP.example", "done")),
        ("its twin is mapped", |it| it.add_mapping(5, 3, "www.shop.example", "done")),
        ("another site has its name", |it| it.add_site(3, "shop.example")),
        ("another site has its twin", |it| it.add_site(3, "WWW.shop.example")),
    ];
    for no_filters in [false, true] {
        for (shows, change) in table {
            let multisite = localhost().await;
            multisite.tables().no_filters = no_filters;
            for id in 1000..1150 {
                multisite.tables().add_mapping(id, 3, &format!("d{id}.example"), "done");
            }
            change(&mut multisite.tables());
            let before = multisite.rows();
            let made = network(&multisite).create_record(2, &name("shop.example")).await.unwrap();
            assert_eq!((made, multisite.rows()), (None, before), "{shows}, {no_filters}");
        }
    }
}

fn set_site(tables: &mut Tables, column: &str, value: &str) {
    tables.site.get_mut(&2).unwrap().insert(column.into(), json!(value));
}

#[tokio::test]
async fn who_was_quicker_is_reported_by_the_list_and_not_by_words() {
    let is_post = |asked: &Asked| asked.method == Method::POST;
    let shop = name("shop.example");
    let quicker = localhost().await;
    quicker.before(move |_, asked, tables| {
        if is_post(asked) {
            tables.add_mapping(9, 3, "shop.example", "done");
        }
        None
    });
    assert_eq!(network(&quicker).create_record(2, &shop).await.unwrap(), None);

    let refuses = localhost().await;
    refuses.before(move |_, asked, _| {
        is_post(asked).then(|| Answer::fault(500, "wu_duplicate", "It exists."))
    });
    let error = network(&refuses).create_record(2, &shop).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    assert_eq!(error.to_string(), "It exists.");
}

#[tokio::test]
async fn a_mapping_is_added_because_a_person_asked() {
    let multisite = with_mapping("done").await;
    set_primary(&multisite, 5);
    multisite.tables().add_mapping(6, 3, "b.example", "done");
    set_primary(&multisite, 6);
    let network = network(&multisite);
    let other = network.add_mapping(2, &name("*.c.example"), Primary::No).await.unwrap();
    let first = network.add_mapping(2, &name("d.example"), Primary::Yes).await.unwrap();
    let after = [
        "5 2 a.example 1 0 0 done".to_owned(),
        "6 3 b.example 1 1 0 done".to_owned(),
        format!("{other} 2 *.c.example 1 0 0 checking-dns"),
        format!("{first} 2 d.example 1 1 0 checking-dns"),
    ];
    assert_eq!(multisite.rows(), after, "the site's other first domain steps down, no other's");
    for (site, domain, why) in
        [(2, "b.example", "`b.example` is mapped already"), (9, "e.example", "there is no site 9")]
    {
        let error = network.add_mapping(site, &name(domain), Primary::Yes).await.unwrap_err();
        assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
        assert_eq!(error.to_string(), why);
    }
    assert_eq!(multisite.rows(), after);
}

fn set_primary(multisite: &Multisite, id: u64) {
    let mut tables = multisite.tables();
    tables.domain.get_mut(&id).unwrap().insert("primary_domain".into(), json!("1"));
}

#[tokio::test]
async fn a_mapping_is_removed_however_it_is_stored() {
    let multisite = localhost().await;
    for (id, domain) in
        [(5, "BÜcher.example"), (6, "xn--bcher-kva.example."), (7, "bucher.example")]
    {
        multisite.tables().add_mapping(id, 2, domain, "done");
    }
    let network = network(&multisite);
    assert_eq!(network.remove_mappings(&name("bücher.example"), &[5, 6, 7, 8]).await.unwrap(), 2);
    assert_eq!(network.remove_mappings(&name("bücher.example"), &[5, 6, 7, 8]).await.unwrap(), 0);
    assert_eq!(multisite.rows(), ["7 2 bucher.example 1 0 0 done"]);
    multisite.before(|_, asked, _| {
        (asked.method == Method::DELETE).then(|| Answer::json(200, &json!(0)))
    });
    let error = network.remove_mappings(&name("bucher.example"), &[7]).await.unwrap_err();
    assert_eq!(error.to_string(), "WordPress failed while removing a mapping over REST");
}

#[tokio::test]
async fn what_has_no_place_in_rest_is_left_to_wordpress() {
    let multisite = localhost().await;
    let network = network(&multisite);
    let error = network.switch(true).await.unwrap_err();
    assert!(error.to_string().contains("set it in WordPress"), "{error}");
    let error = network.set_check_interval(60).await.unwrap_err();
    assert!(error.to_string().contains("set it in WordPress"), "{error}");
    let home = Home {
        app: None,
        domain: "localhost".into(),
        ledger: "l1".into(),
        serial: Some(1),
        place: Whereabouts::default(),
    };
    assert_eq!(network.write_home(&home, Replaces::Nothing).await.unwrap(), None);
    assert_eq!(network.routing_question(5, &name("a.example")), None);
    assert_eq!(multisite.server.asked().len(), 0);
}

fn writer(multisite: &Multisite, settings: &'static str) -> (RestWriter, Arc<Options>) {
    let options = Arc::new(Options { settings, asked: AtomicUsize::new(0) });
    let stored = Credentials::Stored(Arc::clone(&options) as Arc<dyn NetworkSource>);
    let client = RestClient::new(endpoint(&multisite.server), stored, SHORT);
    (RestWriter::new(Arc::new(client)), options)
}

/// A source that is only asked for its settings.
struct Options {
    settings: &'static str,
    asked: AtomicUsize,
}

#[async_trait]
impl NetworkSource for Options {
    async fn options(
        &self,
        names: &[&'static str],
    ) -> Result<BTreeMap<&'static str, Vec<u8>>, SourceError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(names.iter().map(|name| (*name, self.settings.into())).collect())
    }

    async fn read(&self) -> Result<Network, SourceError> {
        unreachable!()
    }

    async fn pulse(&self) -> Result<u64, SourceError> {
        unreachable!()
    }

    async fn write_stage(&self, _: &StageWrite) -> Result<bool, SourceError> {
        unreachable!()
    }

    async fn create_record(&self, _: u64, _: &DomainName) -> Result<Option<u64>, SourceError> {
        unreachable!()
    }

    async fn add_mapping(&self, _: u64, _: &DomainName, _: Primary) -> Result<u64, SourceError> {
        unreachable!()
    }

    async fn move_mapping(&self, _: u64, _: u64, _: u64) -> Result<bool, SourceError> {
        unreachable!()
    }

    async fn remove_mappings(&self, _: &DomainName, _: &[u64]) -> Result<u64, SourceError> {
        unreachable!()
    }

    async fn write_home(&self, _: &Home, _: Replaces<'_>) -> Result<Option<Home>, SourceError> {
        unreachable!()
    }

    async fn switch(&self, _: bool) -> Result<bool, SourceError> {
        unreachable!()
    }

    async fn set_check_interval(&self, _: u32) -> Result<(), SourceError> {
        unreachable!()
    }

    async fn rights(&self) -> Result<Vec<Right>, SourceError> {
        unreachable!()
    }
}
