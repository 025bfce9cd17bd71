//! A network is read over REST: whole, changed meanwhile, or not at all.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use crate::multisite::{SHORT, endpoint, localhost, name, network, network_with, write};
use rules::network::Switch;
use rules::source::{NetworkSource, SourceError};
use rules::{Network, Stage};
use serde_json::{Value, json};
use testkit::http_server::{Answer, Asked, Server};
use testkit::rest_api::{Multisite, Tables};
use wordpress::rest::{Credentials, KeyPair, RestNetwork, Settings, Timeouts};
use wordpress::web::Endpoint;

/// 250 mappings: two pages and a half.
async fn with_many() -> Multisite {
    let multisite = localhost().await;
    for id in 1..=250 {
        multisite.tables().add_mapping(id, 2, &format!("d{id}.example"), "done");
    }
    multisite
}

fn ids(network: &Network) -> Vec<u64> {
    network.mappings.iter().map(|it| it.id).collect()
}

fn cause(error: &SourceError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn all_pages_are_the_whole_network() {
    let multisite = with_many().await;
    {
        let mut tables = multisite.tables();
        let typed = json!({"id": 7, "blog_id": 3, "domain": "Typed.Example", "stage": null,
            "active": false, "primary_domain": true, "secure": 1});
        tables.domain.insert(7, typed.as_object().unwrap().clone());
        tables.site.get_mut(&3).unwrap().insert("spam".into(), json!(true));
        let odd = json!({"id": 4, "domain": "named-id.example", "path": "/x/"});
        tables.site.insert(4, odd.as_object().unwrap().clone());
    }
    let network = network(&multisite).read().await.unwrap();
    assert_eq!(ids(&network), (1..=250).collect::<Vec<_>>());
    assert!(!network.moved && network.home.is_none());
    assert_eq!((network.switch, network.settings.domain_mapping), (Switch::On, Switch::On));
    let identity = &network.identity;
    let identity = (identity.domain.as_str(), identity.database.as_str(), identity.network_id);
    assert_eq!(identity, ("localhost", "", 1));
    assert_eq!(network.settings.dns_check_interval, Duration::from_mins(2));
    assert_eq!(network.stage_words.len(), 6);
    let typed = &network.mappings[6];
    assert_eq!((typed.site_id, &typed.domain, typed.stage), (3, &name("typed.example"), None));
    assert!(typed.secure && !typed.active && typed.primary);
    let first = &network.mappings[0];
    assert_eq!((first.site_id, first.stage), (2, Some(Stage::Done)));
    assert!(!first.secure && first.active && !first.primary);
    let shop = &network.sites[&2];
    assert_eq!((shop.domain.as_ref(), shop.hidden), (Some(&name("shop.example")), None));
    let now = network.database_time.unwrap().as_millis() / 1000;
    assert_eq!(i64::try_from(shop.age.unwrap().as_secs()).unwrap(), now - 1_735_689_600);
    assert!(network.sites[&3].hidden.is_some());
    assert_eq!((network.sites[&4].path.as_str(), network.sites[&4].age), ("/x/", None));
}

#[tokio::test]
async fn a_read_that_moved_is_made_once_more() {
    let multisite = with_many().await;
    // Between two pages of mappings a row comes: the last of the first page comes twice.
    multisite.before(|number, _, tables| {
        if number == 2 {
            tables.add_mapping(251, 2, "new.example", "done");
        }
        None
    });
    let network = network(&multisite).read().await.unwrap();
    assert!(!network.moved);
    assert_eq!(ids(&network), (1..=251).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_that_moved_again_says_so_and_has_each_row_once() {
    let multisite = with_many().await;
    let mut last = 250;
    multisite.before(move |_, asked, tables| {
        if asked.query.get("page").is_some_and(|page| page == "2") {
            last += 1;
            tables.add_mapping(last, 2, &format!("d{last}.example"), "done");
        }
        None
    });
    let network = network(&multisite).read().await.unwrap();
    assert!(network.moved);
    let ids = ids(&network);
    assert!(ids.is_sorted_by(|a, b| a < b), "each once, in the order of its id");
    assert_eq!(ids.last(), Some(&252), "the first page, asked for again, has the newest");
}

#[tokio::test]
async fn a_row_that_goes_while_another_comes_is_noticed_though_the_total_stays() {
    let multisite = with_many().await;
    let mut last = 250;
    // After the last page, and so that no page is shifted.
    multisite.before(move |_, asked, tables| {
        if asked.query.get("page").is_some_and(|page| page == "3") {
            tables.domain.remove(&last);
            last += 1;
            tables.add_mapping(last, 2, &format!("d{last}.example"), "done");
        }
        None
    });
    assert!(network(&multisite).read().await.unwrap().moved);
}

#[tokio::test]
async fn transient_is_waited_out_twice_and_no_longer() {
    let multisite = with_many().await;
    let bad = |times: usize| {
        let mut left = times;
        move |_: usize, asked: &Asked, _: &mut Tables| {
            let is_hit = 0 < left && asked.query.get("page").is_some_and(|page| page == "2");
            left -= usize::from(is_hit);
            is_hit.then(|| Answer::html(502))
        }
    };
    multisite.before(bad(2));
    assert_eq!(network(&multisite).read().await.unwrap().mappings.len(), 250);
    multisite.before(bad(3));
    let error = network(&multisite).read().await.unwrap_err();
    assert_eq!(error.to_string(), "WordPress failed while reading mappings over REST");
    assert_eq!(cause(&error), "HTTP 502");
}

#[tokio::test]
async fn a_server_that_hangs_or_breaks_off_is_asked_three_times() {
    let hangs = Server::start(|_| Answer::Hang).await;
    let timeouts = Timeouts { list: Duration::from_millis(500), ..SHORT };
    let error = open(&hangs, timeouts).read().await.unwrap_err();
    let at = hangs.url();
    let at = at.trim_end_matches('/');
    assert_eq!(error.to_string(), format!("could not reach WordPress at `{at}`"));
    assert_eq!(cause(&error), "no answer within 500 ms");
    assert_eq!(hangs.asked().len(), 3);

    let breaks = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", breaks.local_addr().unwrap());
    let endpoint = Endpoint::new(url.parse().unwrap()).asked_as("network.example").unwrap();
    let reading = async { open_at(endpoint, SHORT).read().await.unwrap_err() };
    let breaking = async {
        for _ in 0..3 {
            let (stream, _) = breaks.accept().await.unwrap();
            stream.readable().await.unwrap();
        }
    };
    let (error, ()) = tokio::join!(reading, breaking);
    assert!(matches!(error, SourceError::BadAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_is_not_asked_for_again_and_shows_no_secret() {
    let multisite = localhost().await;
    multisite.before(|_, _, _| Some(Answer::fault(500, "wu_error", "no s3cret here")));
    let error = network(&multisite).read().await.unwrap_err();
    assert_eq!(cause(&error), "`wu_error`: no [secret] here");
    assert_eq!(multisite.server.asked().len(), 1);
}

#[tokio::test]
async fn wrong_credentials_are_reported_as_such() {
    let multisite = localhost().await;
    let refused = network_with(&multisite, "k3y:other");
    let error = refused.read().await.unwrap_err();
    let words = "HTTP 401, `rest_forbidden`: Sorry, you are not allowed to do that.";
    assert_eq!(error.to_string(), format!("WordPress refused us: {words}"));
    assert!(error.hint().unwrap().contains("key and secret"));
    let rights = refused.rights().await.unwrap();
    assert_eq!(rights[0].missing.as_deref(), Some(words));
    assert_eq!(network(&multisite).rights().await.unwrap()[0].missing, None);
}

#[tokio::test]
async fn what_is_no_list_is_no_network() {
    let table = [
        (Answer::html(200), "HTTP 200, and not what was asked for"),
        (Answer::json(200, &json!([])), "a list without `X-WP-Total`"),
        (Answer::json(200, &json!({})), "an answer that is not a list"),
        (Answer::html(404), "HTTP 404"),
        (
            Answer::Said(301, vec![("location", "https://x.example/".into())], String::new()),
            "HTTP 301, a redirect to `https://x.example/`, which is not followed",
        ),
    ];
    for (answer, why) in table {
        let server = Server::start(move |_| answer.clone()).await;
        let error = open(&server, SHORT).read().await.unwrap_err();
        assert!(matches!(error, SourceError::BadAnswer { .. }), "{why}: {error:?}");
        assert_eq!(cause(&error), why);
    }
    let no_api = Server::start(|_| Answer::fault(404, "rest_no_route", "No route")).await;
    let error = open(&no_api, SHORT).read().await.unwrap_err();
    assert_eq!(error.to_string(), "WordPress has no REST API of Ultimate Multisite there");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = Server::start(|_| Answer::Said(200, Vec::new(), " ".repeat(17 << 20))).await;
    let error = open(&endless, SHORT).read().await.unwrap_err();
    assert_eq!(cause(&error), "an answer of more than 16384 KiB");
}

#[tokio::test]
async fn nothing_is_asked_twice_in_the_same_words_so_that_no_page_cache_answers() {
    let multisite = with_many().await;
    let network = network(&multisite);
    for _ in 0..2 {
        network.read().await.unwrap();
        network.pulse().await.unwrap();
        network.write_stage(&write(5, Some(Stage::Failed), Stage::Done)).await.unwrap();
    }
    let asked = multisite.server.asked();
    let urls: BTreeSet<_> = asked.iter().map(|it| (&it.path, &it.query)).collect();
    assert_eq!(urls.len(), asked.len());
}

#[tokio::test]
async fn plain_permalinks_are_found_once() {
    let multisite = localhost().await;
    multisite.before(|_, asked, _| asked.path.starts_with("/wp-json").then(|| Answer::html(404)));
    let network = network(&multisite);
    network.read().await.unwrap();
    let pretty = |asked: &Asked| asked.path.starts_with("/wp-json");
    assert_eq!(multisite.server.asked().iter().filter(|it| pretty(it)).count(), 1);
}

#[tokio::test]
async fn the_interval_comes_in_many_shapes_and_may_be_missing() {
    let multisite = localhost().await;
    let shapes: [Value; 6] = [
        json!(60),
        json!("60"),
        json!({"setting_value": "60"}),
        json!({"value": 60}),
        json!({"dns_check_interval": "60"}),
        json!({"setting_key": "dns_check_interval", "setting_value": 60}),
    ];
    for shape in shapes {
        multisite.tables().interval = Some(shape.clone());
        let network = network(&multisite).read().await.unwrap();
        assert_eq!(network.settings.dns_check_interval, Duration::from_mins(1), "{shape}");
        assert_eq!(network.problems, [], "{shape}");
    }
    let none =
        "`dns_check_interval` could not be read (the answer has no value); using the default 300";
    for (shape, problem) in [(Some(json!({})), Some(none)), (None, None)] {
        multisite.tables().interval = shape.clone();
        let network = network(&multisite).read().await.unwrap();
        assert_eq!(network.settings.dns_check_interval, Duration::from_mins(5));
        let problems: Vec<_> = network.problems.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(problems, problem.into_iter().collect::<Vec<_>>(), "{shape:?}");
    }
}

#[tokio::test]
async fn the_pulse_changes_with_what_comes_and_goes_and_not_with_stages() {
    let multisite = localhost().await;
    multisite.tables().add_mapping(5, 2, "a.example", "checking-dns");
    let network = network(&multisite);
    let before = network.pulse().await.unwrap();
    multisite.tables().domain.get_mut(&5).unwrap().insert("stage".into(), json!("done"));
    assert_eq!(network.pulse().await.unwrap(), before);
    multisite.tables().domain.get_mut(&5).unwrap().insert("domain".into(), json!("b.example"));
    let renamed = network.pulse().await.unwrap();
    assert_ne!(renamed, before);
    multisite.tables().add_site(9, "new.example");
    assert_ne!(network.pulse().await.unwrap(), renamed);
}

#[tokio::test]
async fn a_loopback_address_is_asked_by_the_networks_own_name() {
    let server = Server::start(|_| Answer::html(502)).await;
    let bare = Endpoint::new(format!("http://{}/", server.address).parse().unwrap());
    let error = open_at(bare.clone(), SHORT).read().await.unwrap_err();
    assert!(matches!(error, SourceError::NotANetwork { .. }), "{error:?}");
    assert_eq!(server.asked().len(), 0);
    open_at(bare.asked_as("network.example").unwrap(), SHORT).read().await.unwrap_err();
    assert_eq!(server.asked()[0].header("host").as_deref(), Some("network.example"));
}

#[tokio::test]
async fn https_needs_a_certificate_that_is_trusted() {
    let (server, authority) = Server::start_with_tls(|_| Answer::html(502)).await;
    let endpoint = endpoint(&server);
    let error = open_at(endpoint.clone(), SHORT).read().await.unwrap_err();
    assert!(matches!(error, SourceError::NoAnswer { .. }), "{error:?}");
    assert!(cause(&error).contains("certificate"), "{}", cause(&error));
    assert_eq!(server.asked().len(), 0, "no credentials were sent");
    let error =
        open_at(endpoint.trusting(vec![authority.der().clone()]), SHORT).read().await.unwrap_err();
    assert_eq!(cause(&error), "HTTP 502", "it was asked");
}

fn open(server: &Server, timeouts: Timeouts) -> RestNetwork {
    open_at(endpoint(server), timeouts)
}

fn open_at(endpoint: Endpoint, timeouts: Timeouts) -> RestNetwork {
    let credentials = Credentials::Given(KeyPair::parse(&"k:s".into()).unwrap());
    let settings = Settings { endpoint, credentials, timeouts, plugin: None, cache: None };
    RestNetwork::new(settings)
}
