//! A stand-in for the host: its client API, with every answer that the real one is known to give.
//!
//! It shares no code with the client that talks to it: a mistake in both would look right.
//! Start reading at [`Closte::start`]; the answers are in `answers`, bad days in [`Fault`].

mod answers;
mod behaviour;
mod faults;
mod log;
mod server;

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::{Line, SeverableListener, Switch};
use crate::tasks::Tasks;
use crate::{StartError, locked};
use answers::{Aliases, Answer, Change};
pub use behaviour::{AlreadySo, Behaviour, Element, List, SuccessForm, WrongKey};
pub use faults::{Act, Fault, RetryAfter};
pub use log::{Call, CallKind, KeySeen};

/// Where and how the stand-in starts.
#[derive(Clone)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// The one key that it accepts.
    pub key: String,
    /// How it answers at first.
    pub behaviour: Behaviour,
}

impl Default for Settings {
    fn default() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { address, key: "sandbox-key".to_owned(), behaviour: Behaviour::default() }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("behaviour", &self.behaviour)
            .finish_non_exhaustive()
    }
}

/// A running stand-in for the host. It stops when dropped.
#[derive(Debug)]
pub struct Closte {
    address: SocketAddr,
    shared: Arc<Shared>,
    switch: Switch,
    tasks: Tasks,
}

/// What the server and the handle share.
pub(crate) struct Shared {
    key: String,
    started: Instant,
    state: Mutex<State>,
    calls_seen: watch::Sender<usize>,
    stop: CancellationToken,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct State {
    aliases: Aliases,
    behaviour: Behaviour,
    faults: Vec<Fault>,
    calls: Vec<Call>,
}

/// What happens to one call on the wire.
struct Verdict {
    answer: Answer,
    act: Act,
    delay: Duration,
}

impl Shared {
    /// Decide about a call, apply its effect, and log it: in one step, so that the log shows the order.
    fn judge(&self, incoming: &server::Incoming) -> Verdict {
        let asked = incoming.asked(&self.key);
        let mut state = locked(&self.state);
        let fault = faults::take(&mut state.faults, asked.kind, asked.domain.as_deref());
        let (answer, change) = answers::answer(&asked, &state.aliases, &state.behaviour);
        let change = change.filter(|_| fault.as_ref().is_none_or(|fault| fault.effect));
        let number = state.calls.len() + 1;
        state.calls.push(Call {
            number,
            at: self.started.elapsed(),
            fault: fault.as_ref().map(|fault| fault.act.clone()),
            effect: change.is_some(),
            ..incoming.call(asked, &answer)
        });
        if let Some(change) = change {
            state.apply(change);
        }
        self.calls_seen.send_replace(number);
        let (act, extra) =
            fault.map_or((Act::Answer, Duration::ZERO), |fault| (fault.act, fault.delay));
        Verdict { answer, act, delay: state.behaviour.latency + extra }
    }

    /// Since when the host has this alias.
    pub(crate) fn alias_since(&self, name: &str) -> Option<Instant> {
        locked(&self.state).aliases.get(name).copied()
    }
}

impl State {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Add(name) => drop(self.aliases.entry(name).or_insert_with(Instant::now)),
            Change::Drop(name) => drop(self.aliases.remove(&name)),
        }
    }
}

impl Closte {
    /// Start the stand-in.
    ///
    /// # Errors
    ///
    /// It cannot listen at the address.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let Settings { address, key, behaviour } = settings;
        let (tcp, address) = crate::listen("Closte", address).await?;
        let tasks = Tasks::default();
        let shared = Arc::new(Shared {
            key,
            started: Instant::now(),
            state: Mutex::new(State { behaviour, ..State::default() }),
            calls_seen: watch::Sender::new(0),
            stop: tasks.token(),
        });
        let switch = Switch::default();
        tasks.spawn(serve(SeverableListener::new(tcp, switch.clone()), Arc::clone(&shared)));
        Ok(Self { address, shared, switch, tasks })
    }

    /// The base of the client API, without a slash at its end.
    pub fn api_url(&self) -> String {
        format!("http://{}{}", self.address, server::BASE)
    }

    /// The one key that it accepts.
    pub fn key(&self) -> &str {
        &self.shared.key
    }

    /// The names that the host has as aliases.
    pub fn aliases(&self) -> BTreeSet<String> {
        locked(&self.shared.state).aliases.keys().cloned().collect()
    }

    /// Add an alias by hand, as somebody on the dashboard would: no call is logged.
    pub fn insert_alias(&self, name: &str) {
        locked(&self.shared.state).apply(Change::Add(name.to_ascii_lowercase()));
    }

    /// Remove an alias by hand.
    pub fn drop_alias(&self, name: &str) {
        locked(&self.shared.state).apply(Change::Drop(name.to_ascii_lowercase()));
    }

    /// How it answers now.
    pub fn behaviour(&self) -> Behaviour {
        locked(&self.shared.state).behaviour.clone()
    }

    /// Change how it answers from now on.
    pub fn behave(&self, change: impl FnOnce(&mut Behaviour)) {
        change(&mut locked(&self.shared.state).behaviour);
    }

    /// Add a fault after those that are there.
    pub fn fault(&self, fault: Fault) {
        locked(&self.shared.state).faults.push(fault);
    }

    /// The faults that are not used up.
    pub fn faults(&self) -> Vec<Fault> {
        locked(&self.shared.state).faults.clone()
    }

    /// Remove all faults.
    pub fn heal(&self) {
        locked(&self.shared.state).faults.clear();
    }

    /// Every call so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        locked(&self.shared.state).calls.clone()
    }

    /// The calls of one kind so far, oldest first.
    pub fn calls_of(&self, kind: CallKind) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.kind == kind).collect()
    }

    /// Wait until this many calls have come since the start.
    pub async fn called(&self, times: usize) {
        let mut seen = self.shared.calls_seen.subscribe();
        // The sender is in `self`, so this cannot end early.
        let _ = seen.wait_for(|seen| *seen >= times).await;
    }

    /// Stop answering: connections are reset, new ones too.
    pub fn kill(&self) {
        self.switch.kill();
    }

    /// Answer again, with everything as it was.
    pub fn revive(&self) {
        self.switch.revive();
    }

    /// Stop permanently; dropping does the same.
    pub fn stop(&self) {
        self.tasks.stop();
    }

    /// Stop permanently, and wait until the port is free.
    pub async fn stopped(&self) {
        self.tasks.stopped().await;
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}

async fn serve(listener: SeverableListener, shared: Arc<Shared>) {
    let stop = shared.stop.clone();
    let service = server::router(shared).into_make_service_with_connect_info::<Line>();
    let served =
        axum::serve(listener, service).with_graceful_shutdown(stop.cancelled_owned()).await;
    tracing::debug!(?served, "the stand-in for Closte ended");
}
