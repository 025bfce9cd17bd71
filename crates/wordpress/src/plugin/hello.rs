//! What the plugin says about itself.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rules::Time;
use rules::plugin_client::{
    Handshake, PageAsked, PageRequest, PluginClient, PluginReport, Standby,
};
use rules::request::Asked;
use rules::source::SourceError;
use serde_json::{Map, Value, json};

use super::{Call, PluginChannel, report};
use crate::web::number_of;

const HELLO: Call = Call { name: "hello", doing: "greeting the plugin" };
const REPORT: Call = Call { name: "report", doing: "reporting to the plugin" };

/// More status pages than this are not told.
const MOST_PAGES: usize = 500;

/// What the plugin says about itself and about where it runs. What it leaves out is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Its version.
    pub plugin: String,
    /// The version of the protocol that it speaks.
    pub protocol: u64,
    /// Its clock.
    pub time: Option<Time>,
    /// WordPress' version.
    pub wordpress: String,
    /// PHP's version.
    pub php: String,
    /// Ultimate Multisite's version; none where that is not there.
    pub ultimate_multisite: Option<String>,
    /// How it replaces the built-in integration: `registry`, `hooks` or `off`.
    pub mode: String,
    /// The language of the network's main site, such as `nl_NL`.
    pub locale: String,
    /// Whether Closte is switched on.
    pub switched_on: bool,
    /// Whether WordPress has a persistent object cache.
    pub object_cache: bool,
    /// Domains that people want checked.
    pub rechecks: Vec<String>,
    /// What people decided on its page, of that which we know how to do.
    pub requests: Vec<PageRequest>,
    /// The mappings whose owners have a link to a status page.
    pub status_pages: BTreeSet<u64>,
    /// The requests that it refused.
    pub refused: Refusals,
}

/// The requests that the plugin refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// How many.
    pub count: u64,
    /// The code of the last one.
    pub last: Option<String>,
    /// When that was.
    pub at: Option<Time>,
}

impl PluginChannel {
    /// Ask the plugin for its versions. The list of what people want checked stays there.
    ///
    /// # Errors
    ///
    /// It did not answer, or refused us.
    pub async fn hello(&self) -> Result<Hello, SourceError> {
        Ok(hello(&self.call(HELLO, &json!({ "take": false })).await?))
    }
}

#[async_trait]
impl PluginClient for PluginChannel {
    async fn handshake(&self) -> Result<Handshake, SourceError> {
        let hello = hello(&self.call(HELLO, &json!({ "take": true })).await?);
        Ok(Handshake {
            version: hello.plugin,
            protocol: hello.protocol,
            time: hello.time,
            ultimate_multisite: hello.ultimate_multisite,
            mode: hello.mode,
            locale: hello.locale,
            // What is not a domain cannot be mapped, so nobody waits for it.
            rechecks: hello.rechecks.iter().filter_map(|it| it.parse().ok()).collect(),
            requests: hello.requests,
            status_pages: hello.status_pages,
            refused: hello.refused.count,
        })
    }

    async fn stand_by(&self, standby: &Standby<'_>) -> Result<Vec<PageRequest>, SourceError> {
        let body = json!({ "take": false, "standby": report::standby(standby) });
        Ok(hello(&self.call(HELLO, &body).await?).requests)
    }

    async fn report(&self, report: &PluginReport<'_>) -> Result<(), SourceError> {
        self.call(REPORT, &report::body(&self.engine, report)).await.map(drop)
    }
}

fn hello(answer: &Map<String, Value>) -> Hello {
    let text = |key| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    let is = |key| answer.get(key).and_then(Value::as_bool).unwrap_or_default();
    let list = answer.get("rechecks").and_then(Value::as_array).into_iter().flatten();
    let requests = answer.get("requests").and_then(Value::as_array).into_iter().flatten();
    let pages = answer.get("status_pages").and_then(Value::as_array).into_iter().flatten();
    let refused = answer.get("refused");
    let of_refused = |key| refused.and_then(|it| it.get(key));
    Hello {
        plugin: text("plugin").unwrap_or_default(),
        protocol: answer.get("protocol").and_then(number_of).unwrap_or_default(),
        time: answer.get("time").and_then(time),
        wordpress: text("wordpress").unwrap_or_default(),
        php: text("php").unwrap_or_default(),
        ultimate_multisite: text("ultimate_multisite"),
        mode: text("mode").unwrap_or_default(),
        locale: text("locale").unwrap_or_default(),
        switched_on: is("switched_on"),
        object_cache: is("object_cache"),
        rechecks: list.filter_map(Value::as_str).map(str::to_owned).collect(),
        requests: requests.filter_map(request).collect(),
        status_pages: pages.filter_map(number_of).take(MOST_PAGES).collect(),
        refused: Refusals {
            count: of_refused("count").and_then(number_of).unwrap_or_default(),
            last: of_refused("last").and_then(Value::as_str).map(str::to_owned),
            at: of_refused("at").and_then(time),
        },
    }
}

/// What a person asks for; none of what a newer plugin knows and we do not.
fn request(value: &Value) -> Option<PageRequest> {
    let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let asked = match value.get("do")?.as_str()? {
        "apply" => PageAsked::Decision(Asked::Apply(text("plan")?)),
        "keep" => PageAsked::Decision(Asked::Keep(text("domain")?.parse().ok()?)),
        "here" => PageAsked::Decision(Asked::EnableHere),
        "explain" => PageAsked::Explain(text("domain")?),
        _ => return None,
    };
    let at = value.get("at").and_then(time)?;
    Some(PageRequest { id: text("id")?, ledger: text("ledger")?, at, asked })
}

/// Seconds since 1970.
pub(super) fn time(value: &Value) -> Option<Time> {
    let millis = i64::try_from(number_of(value)?).ok()?.checked_mul(1000)?;
    Some(Time::from_millis(millis))
}
