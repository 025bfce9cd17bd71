//! The control API, and the sandbox as a whole.

use std::net::Ipv4Addr;
use std::time::Duration;

use reqwest::Method;
use sandbox::{Part, Sandbox, Seed, Settings};
use serde_json::{Value, json};

use crate::common::client;

/// A sandbox and a client for its control API.
struct Rehearsal {
    sandbox: Sandbox,
    client: reqwest::Client,
}

impl Rehearsal {
    async fn start() -> Self {
        let dns = vec![sandbox::dns::Settings::default(); 2];
        let sandbox = Sandbox::start(Settings { dns, ..Settings::default() })
            .await
            .expect("loopback has free ports");
        Self { sandbox, client: client() }
    }

    /// Call the control API and return the status and the body.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request =
            self.client.request(method, format!("{}{path}", self.sandbox.control_url()));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn read(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn change(&self, method: Method, path: &str, body: impl Into<Option<Value>>) {
        let (status, body) = self.call(method, path, body.into()).await;
        assert_eq!(status, 204, "{path}: {body}");
    }

    async fn list_domains(&self) -> Result<String, reqwest::Error> {
        let url =
            format!("{}/getdomains?apikey={}", self.sandbox.api_url(), self.sandbox.closte().key());
        self.client.get(url).send().await?.text().await
    }
}

#[tokio::test]
async fn the_host_is_steered() {
    let it = Rehearsal::start().await;
    it.change(Method::PUT, "/closte/aliases/a.test", None).await;
    it.change(Method::PUT, "/closte/aliases/*.b.test", None).await;
    it.change(Method::DELETE, "/closte/aliases/a.test", None).await;
    assert_eq!(it.read("/closte/aliases").await, json!(["*.b.test"]));

    let behaviour = json!({ "element": "host", "list": { "hides": ["c.test"] }, "refused": ["bad.test"], "latency": 0.01 });
    it.change(Method::PUT, "/closte/behaviour", behaviour).await;
    assert_eq!(it.read("/closte/behaviour").await["wrong_key"], json!("unauthorized"));
    assert_eq!(
        it.list_domains().await.unwrap(),
        r#"{"success":true,"domains":[{"host":"*.b.test"}]}"#
    );

    let fault = json!({ "act": { "rate_limited": { "retry_after": { "seconds": 3 } } }, "call": "list", "times": 1 });
    it.change(Method::POST, "/closte/faults", fault).await;
    assert_eq!(it.read("/closte/faults").await[0]["times"], json!(1));
    assert_eq!(it.list_domains().await.unwrap(), "");
    assert_eq!(it.read("/closte/faults").await, json!([]));

    let calls = it.read("/closte/calls?after=1").await;
    assert_eq!(calls.as_array().unwrap().len(), 1);
    assert_eq!((&calls[0]["number"], &calls[0]["query"]), (&json!(2), &json!("apikey=[key]")));
}

#[tokio::test]
async fn dns_is_steered_server_by_server() {
    let it = Rehearsal::start().await;
    it.change(Method::PUT, "/dns/0/records/a.test", json!([{ "A": "127.0.0.1" }])).await;
    it.change(Method::PUT, "/dns/1/records/a.test", json!([{ "A": "192.0.2.1" }])).await;
    assert_eq!(it.read("/dns/0/records").await, json!({ "a.test": [{ "A": "127.0.0.1" }] }));
    assert_eq!(it.read("/dns/1/records").await, json!({ "a.test": [{ "A": "192.0.2.1" }] }));
    it.change(Method::DELETE, "/dns/1/records/a.test", None).await;
    assert_eq!(it.read("/dns/1/records").await, json!({}));

    let failure = json!({ "behaviour": "serv_fail", "type": "AAAA" });
    it.change(Method::POST, "/dns/0/failures/a.test", failure).await;
    it.change(Method::POST, "/dns/0/failures/a.test", json!({ "behaviour": { "delay": 1.5 } }))
        .await;
    assert_eq!(it.read("/dns/0/failures").await["a.test"][1]["behaviour"], json!({ "delay": 1.5 }));
    it.change(Method::DELETE, "/dns/0/failures/a.test", None).await;
    assert_eq!(it.read("/dns/0/failures").await, json!({}));
    assert_eq!(it.read("/dns/0/queries").await, json!([]));
}

#[tokio::test]
async fn certificates_are_steered() {
    let it = Rehearsal::start().await;
    it.change(Method::PUT, "/web/certificates/a.test", json!("expired")).await;
    it.change(
        Method::PUT,
        "/web/certificates/b.test",
        json!({ "valid": { "lifetime": 864_000, "elapsed": 0 } }),
    )
    .await;
    it.change(Method::PUT, "/web/otherwise", json!("none")).await;
    assert_eq!(it.read("/web/shown/a.test").await, json!("expired"));
    assert_eq!(it.read("/web/shown/b.test").await["valid"]["lifetime"], json!(864_000.0));
    assert_eq!(it.read("/web/shown/c.test").await, json!("none"));
    it.change(Method::DELETE, "/web/certificates/a.test", None).await;
    assert_eq!(it.read("/web/certificates").await.as_object().unwrap().len(), 1);
    assert_eq!(it.read("/web/visits").await, json!([]));
}

#[tokio::test]
async fn answers_to_the_routing_proof_are_steered() {
    let it = Rehearsal::start().await;
    it.change(Method::PUT, "/web/answers/a.test", json!({ "id": 41 })).await;
    it.change(Method::PUT, "/web/answers/b.test", json!("html")).await;
    let to = json!({ "redirect": "https://c.test/" });
    it.change(Method::PUT, "/web/answers/c.test", to.clone()).await;
    it.change(Method::DELETE, "/web/answers/b.test", None).await;
    assert_eq!(it.read("/web/answers").await, json!({ "a.test": { "id": 41 }, "c.test": to }));
    assert_eq!(it.read("/web/questions").await, json!([]));
}

#[tokio::test]
async fn issuing_is_steered() {
    let it = Rehearsal::start().await;
    it.change(Method::PUT, "/issuing/after", json!(2.5)).await;
    it.change(Method::PUT, "/issuing/wildcards/*.b.test", None).await;
    assert_eq!(it.read("/issuing").await, json!({ "after": 2.5, "finished": ["*.b.test"] }));
}

#[tokio::test]
async fn one_document_sets_up_everything() {
    let it = Rehearsal::start().await;
    let document = json!({
        "closte": { "aliases": ["a.test"], "faults": [{ "act": "hang", "domain": "b.test" }], "behaviour": { "success": "one" } },
        "dns": [{ "records": { "a.test": [{ "A": "127.0.0.1" }] } }, { "failures": { "a.test": [{ "behaviour": "refused" }] } }],
        "web": { "certificates": { "c.test": "self_signed" }, "otherwise": "no_answer", "answers": { "f.test": "hang" } },
        "issuing": { "after": 0, "finished": ["*.d.test"] },
    });
    it.change(Method::POST, "/seed", document).await;
    assert_eq!(it.read("/closte/aliases").await, json!(["a.test"]));
    assert_eq!(it.read("/closte/faults").await[0]["act"], json!("hang"));
    assert_eq!(it.read("/closte/behaviour").await["success"], json!("one"));
    assert_eq!(it.read("/dns/1/failures").await["a.test"][0]["behaviour"], json!("refused"));
    assert!(it.read("/web/shown/a.test").await["valid"].is_object());
    assert_eq!(it.read("/web/shown/c.test").await, json!("self_signed"));
    assert_eq!(it.read("/web/shown/e.test").await, json!("no_answer"));
    assert_eq!(it.read("/web/answers").await, json!({ "f.test": "hang" }));
    assert_eq!(it.read("/issuing").await["finished"], json!(["*.d.test"]));
}

#[tokio::test]
async fn a_part_is_killed_and_revived() {
    let it = Rehearsal::start().await;
    it.change(Method::POST, "/parts/closte/kill", None).await;
    assert!(it.list_domains().await.is_err());
    it.change(Method::POST, "/parts/closte/revive", None).await;
    assert!(it.list_domains().await.is_ok());
}

#[tokio::test]
async fn mistakes_are_told() {
    let it = Rehearsal::start().await;
    for (path, body, status, word) in [
        ("/seed", json!({ "clost": {} }), 422, "clost"),
        ("/closte/faults", json!({ "act": "explode" }), 422, "explode"),
        ("/closte/faults", json!({ "act": "hang", "delay": -1 }), 422, "negative"),
        ("/dns/2/failures/a.test", json!({ "behaviour": "refused" }), 404, ""),
        ("/parts/mail/kill", json!({}), 400, "mail"),
        ("/seed", json!({ "dns": [{}, {}, {}] }), 422, "3 DNS servers"),
        ("/nothing", json!({}), 404, ""),
    ] {
        let (found, answer) = it.call(Method::POST, path, Some(body)).await;
        assert_eq!(found, status, "{path}: {answer}");
        assert!(answer.to_string().contains(word), "{path}: {answer}");
    }
}

#[tokio::test]
async fn the_settings_point_at_the_sandbox() {
    let it = Rehearsal::start().await;
    let sandbox = &it.sandbox;
    let settings = it.read("/settings").await;
    let from_rust: serde_json::Map<String, Value> =
        sandbox.settings_env().into_iter().map(|(name, value)| (name, json!(value))).collect();
    assert_eq!(settings, Value::Object(from_rust));

    let resolvers = format!("{},{}", sandbox.dns_addr(), sandbox.dns_servers()[1].address());
    assert_eq!(settings["CLOSTE_SYNC_CLOSTE_API_URL"], json!(sandbox.api_url()));
    assert_eq!(settings["CLOSTE_SYNC_CHECKS_RESOLVERS"], json!(resolvers));
    assert_eq!(settings["CLOSTE_SYNC_CHECKS_TARGETS"], json!("127.0.0.1"));
    assert_eq!(settings["CLOSTE_SYNC_CHECKS_HTTPS_PORT"], json!(sandbox.https_port().to_string()));
    assert_eq!(settings["CLOSTE_SYNC_CHECKS_ALLOW_PRIVATE"], json!("true"));
    let file = |name: &str| std::fs::read_to_string(settings[name].as_str().unwrap()).unwrap();
    assert_eq!(file("CLOSTE_SYNC_CHECKS_TRUSTED_CA"), sandbox.ca_pem());
    assert_eq!(file("CLOSTE_SYNC_CLOSTE_API_KEY_FILE"), sandbox.closte().key());
}

#[tokio::test]
async fn a_sandbox_that_is_shut_down_frees_its_ports_even_while_it_hangs() {
    let it = Rehearsal::start().await;
    let seed: Seed =
        serde_json::from_value(json!({ "closte": { "faults": [{ "act": "hang" }] } })).unwrap();
    it.sandbox.sow(seed).unwrap();
    it.sandbox.kill(Part::Dns);
    let Rehearsal { sandbox, client } = it;
    let closte = sandbox.api_url();
    let address =
        closte.trim_start_matches("http://").trim_end_matches("/api/client").parse().unwrap();
    let folder = sandbox.ca_file();

    let call = tokio::spawn(client.get(format!("{closte}/getdomains")).send());
    sandbox.closte().called(1).await;
    tokio::time::timeout(Duration::from_secs(20), sandbox.shutdown())
        .await
        .expect("nothing hangs for ever");
    assert!(call.await.unwrap().is_err());
    assert!(!folder.exists(), "the temporary folder goes too");

    let settings = sandbox::closte::Settings { address, ..Default::default() };
    let again = sandbox::closte::Closte::start(settings).await.unwrap();
    assert_eq!(again.api_url(), closte);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let error =
        Sandbox::start(Settings { control: address, ..Settings::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen at `{address}` for the control API"));
}

#[tokio::test]
async fn a_page_of_another_site_is_not_answered_and_changes_nothing() {
    let it = Rehearsal::start().await;
    let url = format!("{}/closte/aliases/a.test", it.sandbox.control_url());
    for (header, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let answer = it.client.put(&url).header(header, value).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 403, "{header}");
    }
    assert_eq!(it.read("/closte/aliases").await, json!([]));
}
