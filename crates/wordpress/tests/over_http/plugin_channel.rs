//! The engine talks to its plugin as the protocol says, against a stand-in that checks each
//! signature.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::multisite::endpoint;
use rules::clock::ManualClock;
use rules::plugin_client::{
    PageAnswer, PageAsked, PluginClient, PluginDomain, PluginReport, Standby,
};
use rules::request;
use rules::source::{NetworkSource, Replaces, SourceError, StageWrite, StageWriter, Written};
use rules::{Clock, Entry, Home, Stage, Tally, Time, Whereabouts};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testkit::http_server::{Answer, Asked, Server};
use wordpress::plugin::{Engine, Left, PluginChannel, Settings, Timeouts};
use wordpress::rest::{self, Credentials, RestNetwork};
use wordpress::signature::{Direction, Headers, Message, Secret, Verifier};
use wordpress::web::Endpoint;

const SOON: Duration = Duration::from_secs(2);
const NOW: Time = Time::from_millis(1_795_000_000_000);
const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a plugin answers to a call that it accepts: by its name and its body.
type Calls = dyn Fn(&str, &Value) -> Value + Send + Sync;

/// A plugin that checks signatures, and whose clock shows [`NOW`].
fn plugin(calls: Box<Calls>) -> impl Fn(&Asked) -> Answer + Send + Sync {
    let secret = Secret::parse(SECRET).unwrap();
    let verifier = Mutex::new(Verifier::new(Some(secret), NOW - Duration::from_hours(1)));
    move |asked| {
        let Some(call) = asked.route().strip_prefix("/closte-sync/v1/") else {
            return Answer::fault(404, "rest_no_route", "No route was found.");
        };
        let message = Message {
            direction: Direction::ToPlugin,
            method: asked.method.as_str(),
            path: asked.route(),
            body: &asked.body,
        };
        let headers = Headers::find(|name| asked.header(name));
        match verifier.lock().unwrap().check(&message, headers.as_ref(), NOW) {
            Ok(()) => Answer::json(200, &calls(call, &asked.json())),
            Err(refusal) => Answer::fault(refusal.status(), refusal.code(), &refusal.to_string()),
        }
    }
}

async fn serve(calls: impl Fn(&str, &Value) -> Value + Send + Sync + 'static) -> Server {
    Server::start(plugin(Box::new(calls))).await
}

fn settings(endpoint: Endpoint) -> Settings {
    Settings {
        endpoint,
        secret: Secret::parse(SECRET).unwrap(),
        engine: Engine {
            version: "0.1.0".into(),
            silence: Duration::from_hours(1),
            nudge_url: Some("http://127.0.0.1:9780/v1/nudge".into()),
            nudge_file: None,
            panel: None,
        },
        timeouts: Timeouts { call: SOON, network: SOON, stages: SOON },
    }
}

fn channel_at(endpoint: Endpoint, now: Time) -> PluginChannel {
    PluginChannel::new(settings(endpoint), Arc::new(ManualClock::at(now)))
}

fn channel(server: &Server) -> PluginChannel {
    channel_at(endpoint(server), NOW)
}

fn cause(error: &SourceError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn a_handshake_hands_over_what_people_want_checked() {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&taken);
    let server = serve(move |call, body| {
        assert_eq!(call, "hello");
        heard.lock().unwrap().push(body["take"].clone());
        json!({
            "plugin": "0.1.0", "protocol": 1, "time": 1_795_000_007, "wordpress": "6.1",
            "php": "8.2.0", "ultimate_multisite": "2.4.13", "mode": "registry",
            "locale": "nl_NL", "switched_on": true, "object_cache": false, "new": "ignored",
            "rechecks": ["Shop.example", "no host!"],
            "requests": [
                { "id": "1", "do": "apply", "plan": "0123", "ledger": "l-1", "at": 1_795_000_000 },
                { "id": "2", "do": "keep", "domain": "shop.example", "ledger": "l-1", "at": 0 },
                { "id": "3", "do": "here", "ledger": "l-2", "at": 1_795_000_000 },
                { "id": "4", "do": "dance", "ledger": "l-1", "at": 1_795_000_000 },
                { "id": "5", "do": "keep", "domain": "no host!", "ledger": "l-1", "at": 0 },
                { "id": "6", "do": "explain", "domain": "no host!", "ledger": "l-1", "at": 0 },
                { "id": "7", "do": "explain", "ledger": "l-1", "at": 0 },
                7,
            ],
            "status_pages": [41, "7", 41, "no", -1],
            "refused": { "count": "2", "last": "closte_sync_forged", "at": 1_795_000_000 },
        })
    })
    .await;
    let handshake = channel(&server).handshake().await.unwrap();
    assert_eq!((handshake.version.as_str(), handshake.protocol), ("0.1.0", 1));
    assert_eq!(handshake.time, Some(NOW + Duration::from_secs(7)));
    assert_eq!(handshake.rechecks, ["shop.example".parse().unwrap()]);
    let asked: Vec<_> =
        handshake.requests.iter().map(|it| (it.id.as_str(), it.asked.clone())).collect();
    let keep = PageAsked::Decision(request::Asked::Keep("shop.example".parse().unwrap()));
    let apply = PageAsked::Decision(request::Asked::Apply("0123".to_owned()));
    let here = PageAsked::Decision(request::Asked::EnableHere);
    // What is no name is answered, so that who asked learns it.
    let explain = PageAsked::Explain("no host!".to_owned());
    assert_eq!(asked, [("1", apply), ("2", keep), ("3", here), ("6", explain)]);
    assert_eq!(handshake.status_pages, [7, 41].into());
    assert_eq!((handshake.requests[2].ledger.as_str(), handshake.requests[2].at), ("l-2", NOW));
    let told = (handshake.refused, handshake.mode.as_str(), handshake.locale.as_str());
    assert_eq!(told, (2, "registry", "nl_NL"));
    let hello = channel(&server).hello().await.unwrap();
    assert_eq!((hello.wordpress.as_str(), hello.php.as_str()), ("6.1", "8.2.0"));
    assert_eq!(hello.rechecks, ["Shop.example", "no host!"]);
    assert_eq!(hello.refused.last.as_deref(), Some("closte_sync_forged"));
    assert_eq!(*taken.lock().unwrap(), [true, false], "who only asks takes nothing away");
}

#[tokio::test]
async fn what_a_handshake_leaves_out_is_empty() {
    let server = serve(|_, _| json!([])).await;
    let handshake = channel(&server).handshake().await.unwrap();
    assert_eq!(handshake, rules::plugin_client::Handshake::default());
}

#[tokio::test]
async fn who_does_not_act_says_so_takes_nothing_and_hears_what_is_asked() {
    let home = Home {
        app: None,
        domain: "network.example".to_owned(),
        ledger: "l-2".to_owned(),
        serial: Some(3),
        place: Whereabouts {
            host: "web2".to_owned(),
            user: "app2".to_owned(),
            path: "/home/app2/ledger.db".to_owned(),
        },
    };
    let server = serve(|call, body| {
        assert_eq!((call, &body["take"]), ("hello", &json!(false)));
        let standby = json!({
            "at": 1_795_000_000, "ledger": "l-2", "app": null, "domain": "network.example",
            "host": "web2", "user": "app2", "path": "/home/app2/ledger.db",
            "alert": { "code": "copy", "text": "this is a copy", "hint": "enable it" },
            "answers": [{ "id": "7", "done": true, "text": null, "hint": null }],
        });
        assert_eq!(body["standby"], standby);
        json!({ "requests": [{ "id": "8", "do": "here", "ledger": "l-2", "at": 1_795_000_000 }] })
    })
    .await;
    let answers = [PageAnswer { id: "7".to_owned(), refused: None, explained: None }];
    let standby = Standby {
        at: NOW,
        home: &home,
        code: "copy",
        text: "this is a copy",
        hint: "enable it",
        answers: &answers,
    };
    let requests = channel(&server).stand_by(&standby).await.unwrap();
    assert_eq!(requests[0].asked, PageAsked::Decision(request::Asked::EnableHere));
}

#[tokio::test]
async fn a_report_arrives_signed() {
    let received = Arc::new(Mutex::new(Value::Null));
    let (heard, clock) = (Arc::clone(&received), ManualClock::at(NOW));
    let server = serve(move |call, body| {
        assert_eq!(call, "report");
        *heard.lock().unwrap() = body.clone();
        json!({})
    })
    .await;
    let entry = Entry::new("shop.example".parse().unwrap(), None, NOW);
    let report = PluginReport {
        at: clock.now(),
        ledger: "l-1",
        plan: None,
        deferred: &[],
        answers: &[],
        alerts: &[],
        problems: &[],
        tally: Tally { ready: 3, waiting: 1, stages: BTreeMap::from([(Stage::Done, 3)]) },
        entries: Some(vec![PluginDomain { entry: &entry, headline: None, text: String::new() }]),
        pages: Vec::new(),
        log: Vec::new(),
    };
    channel(&server).report(&report).await.unwrap();
    let received = received.lock().unwrap();
    assert_eq!((&received["engine"], &received["silence"]), (&json!("0.1.0"), &json!(3600)));
    assert_eq!((&received["counts"], &received["domains"]), (&json!({"done": 3}), &json!({})));
}

#[tokio::test]
async fn leaving_says_what_the_built_in_has_back() {
    let server = serve(|call, _| {
        assert_eq!(call, "leave");
        json!({"given": true, "removed": ["gone.example", "b\nad"]})
    })
    .await;
    let left = channel(&server).leave().await.unwrap();
    let removed = vec!["gone.example".to_owned(), r"b\nad".to_owned()];
    assert_eq!(left, Left { given: true, removed });
    let odd = serve(|_, _| json!({})).await;
    assert_eq!(channel(&odd).leave().await.unwrap(), Left { given: false, removed: Vec::new() });
}

#[tokio::test]
async fn stages_are_written_fifty_at_a_time() {
    let server = serve(|call, body| {
        assert_eq!(call, "stages");
        let writes = body["writes"].as_array().unwrap();
        assert!(writes.len() <= 50);
        let result = |write: &Value| match write["id"].as_u64().unwrap() {
            2 => json!({"id": 2, "result": "overtaken", "detail": null}),
            3 => json!({"id": "3", "result": "refused", "detail": "not\nallowed"}),
            4 => json!({"id": 4, "result": "refused", "detail": "not valid", "code": "domain"}),
            5 => json!({"id": 5, "result": "refused", "detail": "too many", "code": "limit"}),
            id => json!({"id": id, "result": "done"}),
        };
        json!({ "results": writes.iter().map(result).collect::<Vec<_>>() })
    })
    .await;
    let writes: Vec<_> = (1..=120).map(|id| write(id, Some(Stage::CheckingDns))).collect();
    let written = channel(&server).write_stages(&writes).await.unwrap();
    assert_eq!(written.len(), 120);
    let refused = |words: &str| Written::Refused { words: words.to_owned() };
    let name = Written::NameRefused { words: "not valid".to_owned() };
    let want =
        [Written::Done, Written::Overtaken, refused(r"not\nallowed"), name, refused("too many")];
    assert_eq!(written[..5], want);
    assert_eq!(written[5], Written::Done);
    let sizes: Vec<_> = server.asked().iter().map(|it| count(&it.json())).collect();
    assert_eq!(sizes, [50, 50, 20]);
    let first = json!({"id": 1, "domain": "shop.example", "from": "checking-dns", "to": "done", "secure": true});
    assert_eq!(server.asked()[0].json()["writes"][0], first);
    channel(&server).write_stages(&[write(1, None)]).await.unwrap();
    assert_eq!(server.asked()[3].json()["writes"][0]["from"], Value::Null);
}

fn count(body: &Value) -> usize {
    body["writes"].as_array().unwrap().len()
}

fn write(mapping_id: u64, from: Option<Stage>) -> StageWrite {
    let domain = "shop.example".parse().unwrap();
    StageWrite { mapping_id, domain, from, to: Stage::Done, secure: true }
}

#[tokio::test]
async fn results_of_something_else_are_none() {
    for results in [
        json!({}),
        json!({"results": []}),
        json!({"results": [{"id": 2, "result": "done"}]}),
        json!({"results": [{"id": 1, "result": "maybe"}]}),
        json!({"results": [{"result": "done"}]}),
    ] {
        let answer = results.clone();
        let server = serve(move |_, _| answer.clone()).await;
        let error = channel(&server).write_stages(&[write(1, None)]).await.unwrap_err();
        assert!(matches!(error, SourceError::BadAnswer { .. }), "{results}: {error:?}");
    }
}

#[tokio::test]
async fn a_refusal_says_what_it_means_and_what_to_do() {
    let server = serve(|_, _| json!({})).await;
    let endpoint = endpoint(&server);
    let late = channel_at(endpoint.clone(), NOW + Duration::from_mins(5));
    let error = late.hello().await.unwrap_err();
    let words = "our clock and WordPress' differ by more than a minute (`closte_sync_late`)";
    assert_eq!(error.to_string(), format!("WordPress refused us: {words}"));
    assert!(error.hint().unwrap().contains("clocks"));

    let secret = Secret::generate().unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let other = Settings { secret: secret.clone(), ..settings(endpoint) };
    let error = PluginChannel::new(other, clock).hello().await.unwrap_err();
    assert!(matches!(error, SourceError::NotAdmitted { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("plugin rotate"), "{error:?}");
    let shown = format!("{error:?}");
    assert!(!shown.contains(secret.to_hex().expose_secret()));
}

#[tokio::test]
async fn anything_else_is_a_failure_that_is_reported() {
    let table = [
        (Answer::fault(429, "closte_sync_too_many", "Slowly"), "HTTP 429"),
        (Answer::html(200), "HTTP 200, and not what was asked for"),
        (Answer::json(200, &json!([1])), "HTTP 200, and not what was asked for"),
        (
            Answer::Said(301, vec![("location", "https://x.example/".into())], String::new()),
            "redirect",
        ),
        (Answer::html(502), "HTTP 502"),
    ];
    for (answer, why) in table {
        let server = Server::start(move |_| answer.clone()).await;
        let error = channel(&server).hello().await.unwrap_err();
        assert!(matches!(error, SourceError::BadAnswer { .. }), "{why}: {error:?}");
        assert!(cause(&error).contains(why), "{why}: {}", cause(&error));
    }
    for (answer, words) in [
        (Answer::fault(404, "rest_no_route", "No"), "no plugin closte-sync that is active"),
        (Answer::fault(401, "rest_forbidden", "No"), "HTTP 401, `rest_forbidden`: No"),
    ] {
        let server = Server::start(move |_| answer.clone()).await;
        let error = channel(&server).hello().await.unwrap_err();
        assert!(error.to_string().contains(words) && error.hint().is_some(), "{error:?}");
    }
    let entangled = |_: &Asked| Answer::fault(409, "closte_sync_unreadable", "It is left alone.");
    let server = Server::start(entangled).await;
    let error = network(&server, None).switch(true).await.unwrap_err();
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    assert_eq!(error.to_string(), "It is left alone.");

    let hangs = Server::start(|_| Answer::Hang).await;
    let short = Timeouts { call: Duration::from_millis(500), ..Timeouts::default() };
    let settings = Settings { timeouts: short, ..settings(endpoint(&hangs)) };
    let channel = PluginChannel::new(settings, Arc::new(ManualClock::at(NOW)));
    let error = channel.hello().await.unwrap_err();
    assert!(matches!(error, SourceError::NoAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn plain_permalinks_are_found_once_and_each_request_is_signed_anew() {
    let signed = plugin(Box::new(|_, _| json!({"plugin": "0.1.0"})));
    let server = Server::start(move |asked| {
        if asked.path.starts_with("/wp-json") { Answer::html(404) } else { signed(asked) }
    })
    .await;
    let channel = channel(&server);
    for _ in 0..2 {
        assert_eq!(channel.hello().await.unwrap().plugin, "0.1.0");
    }
    let asked = server.asked();
    let paths: Vec<_> = asked.iter().map(|it| it.path.as_str()).collect();
    assert_eq!(paths, ["/wp-json/closte-sync/v1/hello", "/", "/"]);
    let nonce = |asked: &Asked| asked.header("x-closte-sync-nonce").unwrap();
    assert_ne!(nonce(&asked[0]), nonce(&asked[1]));
}

#[tokio::test]
async fn a_new_secret_goes_to_the_plugin_only() {
    let new = Secret::generate().unwrap();
    let digits = new.to_hex().expose_secret().to_owned();
    let server = serve(move |call, body| {
        assert_eq!((call, body), ("secret", &json!({ "secret": digits })));
        json!({})
    })
    .await;
    channel(&server).write_secret(&new).await.unwrap();
}

#[tokio::test]
async fn https_needs_a_certificate_that_is_trusted() {
    let (server, authority) =
        Server::start_with_tls(plugin(Box::new(|_, _| json!({"plugin": "0.1.0"})))).await;
    let endpoint = endpoint(&server);
    let error = channel_at(endpoint.clone(), NOW).hello().await.unwrap_err();
    assert!(cause(&error).contains("certificate"), "{}", cause(&error));
    let trusting = channel_at(endpoint.trusting(vec![authority.der().clone()]), NOW);
    assert_eq!(trusting.hello().await.unwrap().plugin, "0.1.0");
}

/// A network that the plugin lists; its stage can be changed.
fn listing(version: &str, domain: &str) -> Value {
    json!({
        "version": version, "unchanged": false, "time": 1_795_000_000,
        "identity": { "app": null, "domain": "network.example", "database": "wp", "prefix": "wp_", "network_id": 1 },
        "home": null, "switched_on": true, "settings": {}, "network_domains": [], "shared_bases": [],
        "stage_words": ["checking-dns", "done"], "object_cache": false,
        "sites": [[1, 1, "network.example", "/", 10, false]],
        "mappings": [[41, 1, domain, "checking-dns", false, true, true, "0123"]],
    })
}

fn network(server: &Server, cache: Option<&Path>) -> RestNetwork {
    let settings = rest::Settings {
        endpoint: endpoint(server),
        credentials: Credentials::None,
        timeouts: rest::Timeouts::default(),
        plugin: Some(Arc::new(channel(server))),
        cache: cache.map(Path::to_owned),
    };
    RestNetwork::new(settings)
}

/// Answers `network` with the listing, or that it is unchanged a minute later.
async fn serve_listing(now: Arc<Mutex<Value>>) -> Server {
    serve(move |call, body| {
        assert_eq!(call, "network");
        let now = now.lock().unwrap().clone();
        if body["known"] == now["version"] {
            return json!({"version": now["version"], "unchanged": true, "time": 1_795_000_060});
        }
        now
    })
    .await
}

#[tokio::test]
async fn a_read_without_change_is_one_small_request() {
    let now = Arc::new(Mutex::new(listing("v1", "shop.example")));
    let server = serve_listing(Arc::clone(&now)).await;
    let source = network(&server, None);
    let first = source.read().await.unwrap();
    let pulse = source.pulse().await.unwrap();
    assert_eq!(first.sites[&1].age, Some(Duration::from_secs(10)));
    assert_eq!(source.routing_question(41, &"shop.example".parse().unwrap()).unwrap(), "0123");
    let second = source.read().await.unwrap();
    assert_eq!(second.mappings, first.mappings);
    assert_eq!(second.sites[&1].age, Some(Duration::from_secs(70)), "and a minute older");
    assert_eq!(second.database_time, Some(NOW + Duration::from_mins(1)));
    let known: Vec<_> = server.asked().iter().map(|it| it.json()["known"].clone()).collect();
    assert_eq!(known, [Value::Null, json!("v1"), json!("v1")]);

    *now.lock().unwrap() = listing("v2", "other.example");
    assert_ne!(source.pulse().await.unwrap(), pulse);
    assert_eq!(source.read().await.unwrap().mappings[0].domain.as_str(), "other.example");
}

#[tokio::test]
async fn a_fresh_process_begins_with_what_the_last_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("network.json");
    let now = Arc::new(Mutex::new(listing("v1", "shop.example")));
    let server = serve_listing(Arc::clone(&now)).await;
    network(&server, Some(&cache)).read().await.unwrap();
    let fresh = network(&server, Some(&cache)).read().await.unwrap();
    assert_eq!(fresh.mappings[0].domain.as_str(), "shop.example");
    assert_eq!(server.asked()[1].json(), json!({"known": "v1"}));

    std::fs::write(&cache, "damaged").unwrap();
    network(&server, Some(&cache)).read().await.unwrap();
    assert_eq!(server.asked()[2].json(), json!({"known": null}));

    let elsewhere = serve_listing(now).await;
    network(&elsewhere, Some(&cache)).read().await.unwrap();
    assert_eq!(elsewhere.asked()[0].json(), json!({"known": null}), "another network's listing");

    let nowhere = folder.path().join("none/network.json");
    let read = network(&server, Some(&nowhere)).read().await.unwrap();
    assert!(read.problems[0].reason.contains("could not be kept"), "{:?}", read.problems);
}

#[tokio::test]
async fn unchanged_since_nothing_is_no_answer() {
    let server = serve(|_, _| json!({"unchanged": true, "time": 1_795_000_000})).await;
    let error = network(&server, None).read().await.unwrap_err();
    assert!(matches!(error, SourceError::BadAnswer { .. }), "{error:?}");
}

#[tokio::test]
async fn the_plugin_writes_what_it_has_calls_for() {
    let server = serve(|call, body| match call {
        "home" if body["over"].is_null() => {
            assert_eq!(body["replace"], json!(true));
            json!({"home": {"app": null, "domain": "network.example", "ledger": "theirs"}})
        }
        "home" if body["over"] == json!({"ledger": "theirs", "serial": 4}) => {
            assert_eq!((&body["serial"], &body["path"]), (&json!(7), &json!("/home/l.db")));
            json!({"home": body})
        }
        "home" => json!({"home": null}),
        "switch" => json!({ "changed": body["on"] }),
        "stages" => json!({"results": [{"id": 41, "result": "refused", "detail": "no"}]}),
        call => panic!("{call}"),
    })
    .await;
    let source = network(&server, None);
    let home = |ledger: &str, serial| Home {
        app: None,
        domain: "network.example".into(),
        ledger: ledger.into(),
        serial,
        place: Whereabouts { path: "/home/l.db".into(), ..Whereabouts::default() },
    };
    let (ours, theirs) = (home("ours", Some(7)), home("theirs", Some(4)));
    let stands = source.write_home(&ours, Replaces::Any).await.unwrap().unwrap();
    assert_eq!((stands.ledger.as_str(), stands.serial), ("theirs", None), "an older plugin's");
    let moved = source.write_home(&ours, Replaces::This(&theirs)).await.unwrap();
    assert_eq!(moved.as_ref(), Some(&ours));
    let removed = source.write_home(&ours, Replaces::This(&ours)).await.unwrap();
    assert_eq!(removed, None, "somebody deleted it");
    assert!(source.switch(true).await.unwrap());
    assert!(!source.switch(false).await.unwrap());
    let error = source.write_stage(&write(41, None)).await.unwrap_err();
    assert_eq!(error.to_string(), "no");
    let none = source.create_record(1, &"shop.example".parse().unwrap()).await.unwrap_err();
    assert!(matches!(none, SourceError::NotAdmitted { .. }), "without credentials: {none:?}");
}
