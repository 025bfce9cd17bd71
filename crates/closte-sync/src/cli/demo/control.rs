//! The sandbox's control API: what people outside WordPress do in the demo, and
//! what the sandbox says became of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::{Client, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// It is on this machine: whoever takes longer is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why the sandbox could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ControlError {
    /// It does not answer.
    #[error("the control API does not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// It answers something that nobody expects.
    #[error("the control API answers `{path}` with {what}")]
    BadAnswer {
        /// What was asked.
        path: String,
        /// What it said.
        what: String,
    },
}

/// The way to the control API.
#[derive(Debug)]
pub(super) struct Control {
    http: Client,
    url: String,
}

/// What the sandbox shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Stand {
    /// The names that the host has.
    pub(super) aliases: BTreeSet<String>,
    /// What the host was asked, in its order.
    pub(super) calls: Vec<Call>,
    /// The records in DNS by name.
    pub(super) records: BTreeMap<String, Vec<String>>,
    /// The wildcards that were finished on the dashboard.
    pub(super) finished: BTreeSet<String>,
}

/// A call to the host, as its log has it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Call {
    /// `add`, `delete`, `list` or another.
    pub(super) kind: String,
    pub(super) domain: Option<String>,
    pub(super) wildcard: Option<String>,
    pub(super) status: u16,
    pub(super) answer: String,
    /// Whether an alias came or went by it.
    pub(super) effect: bool,
}

#[derive(Deserialize)]
struct Issuing {
    finished: BTreeSet<String>,
}

impl Control {
    /// The control API at `url`. Nothing is asked yet.
    pub(super) fn at(url: &str) -> Result<Self, ControlError> {
        let client = Client::builder().no_proxy().tls_certs_only([]).timeout(PATIENCE).build();
        Ok(Self { http: client.map_err(ControlError::NoAnswer)?, url: url.to_owned() })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Point `names` at `address` in DNS, each in its place.
    pub(super) async fn point(&self, names: &[(&str, &str)]) -> Result<(), ControlError> {
        let records: BTreeMap<&str, Value> =
            names.iter().map(|(name, address)| (*name, json!([{ "A": address }]))).collect();
        let seed = json!({ "dns": [{ "records": records }] });
        self.ask(Method::POST, "/seed", Some(&seed)).await.map(drop)
    }

    /// Do the step on the dashboard that a wildcard needs.
    pub(super) async fn finish_wildcard(&self, name: &str) -> Result<(), ControlError> {
        self.ask(Method::PUT, &format!("/issuing/wildcards/{name}"), None).await.map(drop)
    }

    /// All that it shows now.
    pub(super) async fn stand(&self) -> Result<Stand, ControlError> {
        let records: BTreeMap<String, Vec<BTreeMap<String, Value>>> =
            self.read("/dns/0/records").await?;
        let issuing: Issuing = self.read("/issuing").await?;
        let shown = |records: Vec<BTreeMap<String, Value>>| {
            let records = records.iter().flatten();
            records.map(|(kind, value)| format!("{kind} {}", bare(value))).collect()
        };
        Ok(Stand {
            aliases: self.read("/closte/aliases").await?,
            calls: self.read("/closte/calls").await?,
            records: records.into_iter().map(|(name, records)| (name, shown(records))).collect(),
            finished: issuing.finished,
        })
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ControlError> {
        let text = self.ask(Method::GET, path, None).await?;
        serde_json::from_str(&text).map_err(|error| bad(path, error.to_string()))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<String, ControlError> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.map_err(ControlError::NoAnswer)?;
        let status = answer.status();
        let text = answer.text().await.map_err(ControlError::NoAnswer)?;
        if status.is_success() { Ok(text) } else { Err(bad(path, format!("{status} {text}"))) }
    }
}

impl Call {
    /// The call and its answer in one line.
    pub(super) fn describe(&self) -> String {
        let words = [&self.kind, self.domain.as_deref().unwrap_or_default()];
        let mut words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        if self.wildcard.as_deref() == Some("1") {
            words.push("wildcard=1");
        }
        let (status, answer) = (self.status, self.answer.trim());
        format!("{}: {status} {answer}", words.join(" "))
    }

    /// Whether it asked for `kind` of `domain`.
    pub(super) fn is(&self, kind: &str, domain: &str) -> bool {
        self.kind == kind && self.domain.as_deref() == Some(domain)
    }
}

fn bad(path: &str, what: String) -> ControlError {
    ControlError::BadAnswer { path: path.to_owned(), what }
}

/// A value as people write it: a text without its quotes.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
