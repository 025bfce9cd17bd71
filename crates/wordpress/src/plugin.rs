//! The channel to the plugin inside WordPress.
//!
//! Each call is one of `docs/protocol.md`. Over HTTP it is a signed `POST`, and never sent without a
//! signature of its own; where the plugin started this process and waits for it, it is a line on the
//! [`Pipes`] between them. The secret is not shown, logged or sent; a new one is sent only to the
//! plugin itself.
//!
//! Where to start: [`PluginChannel::new`], then [`PluginChannel::hello`].

mod answer;
mod cache;
mod hello;
mod listing;
mod mail;
mod pipes;
mod report;
mod signed;
mod source;
mod stages;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rules::source::{Replaces, SourceError};
use rules::{Clock, Home, plain};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

use crate::signature::Secret;
use crate::web::{Endpoint, not_meant};

pub use hello::{Hello, Refusals};
pub use mail::Mails;
pub use pipes::Pipes;
use signed::Signed;
pub(crate) use source::Listed;

/// The most octets of an answer: of a listing of a hundred thousand rows, and of all others.
const MOST_OF_A_LISTING: usize = 64 << 20;
const MOST: usize = 1 << 20;

/// What we report about ourselves to the plugin in every report.
#[derive(Clone, Debug)]
pub struct Engine {
    /// The version of the program.
    pub version: String,
    /// After so long without a report the plugin steps aside.
    pub silence: Duration,
    /// Where it reports changes to us over HTTP.
    pub nudge_url: Option<String>,
    /// The file that it touches instead.
    pub nudge_file: Option<PathBuf>,
    /// Where the control panel is.
    pub panel: Option<String>,
}

/// How long the plugin may take, counted from when a call is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// A call.
    pub call: Duration,
    /// The call for the whole network.
    pub network: Duration,
    /// The call that saves stages: each runs all of WordPress' hooks.
    pub stages: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { call: seconds(3), network: seconds(30), stages: seconds(15) }
    }
}

/// What is needed to talk to the plugin over HTTP.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the network answers.
    pub endpoint: Endpoint,
    /// What both sides sign with.
    pub secret: Secret,
    /// What we report about ourselves to the plugin.
    pub engine: Engine,
    /// How long it may take.
    pub timeouts: Timeouts,
}

/// The way to the plugin.
pub struct PluginChannel {
    way: Way,
    engine: Engine,
    timeouts: Timeouts,
}

/// How a call reaches the plugin.
enum Way {
    /// Over HTTP.
    Signed(Box<Signed>),
    /// It started us.
    Pipes(Arc<Pipes>),
}

/// A call, and what is being done by it.
#[derive(Clone, Copy, Debug)]
struct Call {
    name: &'static str,
    doing: &'static str,
}

const HOME: Call = Call { name: "home", doing: "writing who acts for the network" };
const SWITCH: Call = Call { name: "switch", doing: "switching Closte" };
const SECRET: Call = Call { name: "secret", doing: "writing the plugin's secret" };
const LEAVE: Call = Call { name: "leave", doing: "having WordPress deactivate the plugin" };

/// What the plugin said when it was deactivated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Whether the built-in integration checks the domains that wait again.
    pub given: bool,
    /// Domains whose mapping went, and whose removal nobody may have sent.
    pub removed: Vec<String>,
}

impl PluginChannel {
    /// The channel of `settings`. Nothing is sent yet.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Self {
        let Settings { endpoint, secret, engine, timeouts } = settings;
        let way = Signed::new(endpoint, secret, timeouts.call, clock);
        Self { way: Way::Signed(Box::new(way)), engine, timeouts }
    }

    /// The channel on the `pipes` to the plugin that started this process.
    pub fn attached(pipes: Arc<Pipes>, engine: Engine) -> Self {
        Self { way: Way::Pipes(pipes), engine, timeouts: Timeouts::default() }
    }

    /// Write the secret that is used from the next request on. This channel keeps the old one: open
    /// another.
    ///
    /// # Errors
    ///
    /// It is not known whether the plugin stored it, unless it refused us.
    pub async fn write_secret(&self, secret: &Secret) -> Result<(), SourceError> {
        let body = json!({ "secret": secret.to_hex().expose_secret() });
        self.call(SECRET, &body).await.map(drop)
    }

    /// Have the plugin deactivate itself, so that the built-in integration gets its work back: whoever
    /// deletes its files afterwards could not do that.
    ///
    /// # Errors
    ///
    /// It did not answer or refused us, or is an older one that does not know how.
    pub async fn leave(&self) -> Result<Left, SourceError> {
        // It may have thousands of checks to enqueue.
        let answer = self.send(LEAVE, &json!({}), self.timeouts.network, MOST).await?;
        let removed = answer.get("removed").and_then(Value::as_array).into_iter().flatten();
        Ok(Left {
            given: answer.get("given").and_then(Value::as_bool).unwrap_or_default(),
            removed: removed.filter_map(Value::as_str).map(plain::words).collect(),
        })
    }

    /// Say which installation acts for the network; returns the one that is there now. An older
    /// plugin knows only `replace`.
    pub(crate) async fn write_home(
        &self,
        home: &Home,
        replaces: Replaces<'_>,
    ) -> Result<Option<Home>, SourceError> {
        let Home { app, domain, ledger, serial, place } = home;
        let over = match replaces {
            Replaces::This(home) => json!({ "ledger": home.ledger, "serial": home.serial }),
            Replaces::Nothing | Replaces::Any => Value::Null,
        };
        let body = json!({
            "app": app, "domain": domain, "ledger": ledger, "serial": serial,
            "host": place.host, "user": place.user, "path": place.path,
            "replace": !matches!(replaces, Replaces::Nothing), "over": over,
        });
        let answer = self.call(HOME, &body).await?;
        match answer.get("home") {
            // It was removed.
            Some(Value::Null) if matches!(replaces, Replaces::This(_)) => Ok(None),
            home => home
                .and_then(listing::home)
                .map(Some)
                .ok_or_else(|| not_meant(HOME.doing, "an answer without a home")),
        }
    }

    /// Switch Closte on or off; whether that changed anything.
    pub(crate) async fn switch(&self, on: bool) -> Result<bool, SourceError> {
        let answer = self.call(SWITCH, &json!({ "on": on })).await?;
        let changed = answer.get("changed").and_then(Value::as_bool);
        changed.ok_or_else(|| not_meant(SWITCH.doing, "an answer without `changed`"))
    }

    async fn call(&self, call: Call, body: &Value) -> Result<Map<String, Value>, SourceError> {
        self.send(call, body, self.timeouts.call, MOST).await
    }

    async fn send(
        &self,
        call: Call,
        body: &Value,
        limit: Duration,
        most: usize,
    ) -> Result<Map<String, Value>, SourceError> {
        let Call { name, doing } = call;
        let reply = match &self.way {
            Way::Signed(way) => way.send(call, body, limit, most).await?,
            Way::Pipes(pipes) => {
                let reply = pipes.call(name, body, limit, most).await;
                reply.map_err(|error| SourceError::BadAnswer { doing, source: error.into() })?
            }
        };
        answer::meaning(&reply, doing)
    }

    /// Where the network answers.
    pub(crate) fn place(&self) -> String {
        match &self.way {
            Way::Signed(way) => way.endpoint().to_string(),
            Way::Pipes(_) => "standard input and output".to_owned(),
        }
    }

    /// The same, and by which name: two networks may answer at one address.
    pub(crate) fn named_place(&self) -> String {
        match &self.way {
            Way::Signed(way) => format!("{} {}", self.place(), way.endpoint().name()),
            Way::Pipes(_) => self.place(),
        }
    }
}

impl fmt::Debug for PluginChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginChannel").field("place", &self.place()).finish_non_exhaustive()
    }
}
