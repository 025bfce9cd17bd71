//! The host in its moods: what it does, when, and what it says of it are three things.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rules::entry::Call;
use rules::host::{AliasHost, AliasList, HostError};
use rules::{Clock, DomainName};

use crate::history::{HostMood, ListMood};
use crate::world::{Who, World};

/// No answer comes later than this.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct FaultyHost {
    pub(crate) world: Arc<World>,
    pub(crate) who: Who,
}

/// What becomes of a call.
struct Fate {
    /// When it has its effect, from now; never where it has none.
    effects: Vec<Duration>,
    answer: Result<(), HostError>,
    takes: Duration,
}

fn unknown(what: &str) -> HostError {
    HostError::OutcomeUnknown { what: what.to_owned() }
}

fn unreachable() -> HostError {
    HostError::Unreachable("connection refused".into())
}

fn limited(wait: Option<u64>) -> HostError {
    HostError::RateLimited { retry_after: wait.map(Duration::from_secs) }
}

fn key_refused() -> HostError {
    HostError::KeyRefused { words: "Invalid API key".to_owned() }
}

impl FaultyHost {
    fn fate(&self, call: Call, name: &DomainName) -> Fate {
        let mut state = self.world.state();
        let soon = Duration::from_millis(200);
        let done = |answer| Fate { effects: vec![Duration::ZERO], answer, takes: soon };
        let not = |answer| Fate { effects: vec![], answer: Err(answer), takes: soon };
        let rejected = call == Call::Add && name.as_str() == "bad.example";
        let answers = matches!(state.host, HostMood::Good | HostMood::Slow | HostMood::Flaky);
        if rejected && answers {
            return not(HostError::Rejected { words: "Invalid or empty domain: x".to_owned() });
        }
        let mood = state.host;
        match mood {
            HostMood::Good => done(Ok(())),
            HostMood::Slow => {
                let takes = Duration::from_secs(4 + state.chance.below(15));
                Fate { takes, ..done(Ok(())) }
            }
            HostMood::Flaky => flaky(state.chance.below(20)),
            HostMood::Limiting { wait } => not(limited(wait)),
            HostMood::KeyRefused => not(key_refused()),
            HostMood::SaysNo => not(HostError::Refused { words: "not now".to_owned() }),
            HostMood::Down if state.chance.percent(50) => done(Err(unknown("HTTP 502"))),
            HostMood::Down => not(unknown("HTTP 502")),
            HostMood::Unreachable => not(unreachable()),
        }
    }

    async fn call(&self, call: Call, name: &DomainName) -> Result<(), HostError> {
        let (world, who) = (&self.world, self.who);
        world.settle_late();
        let at = world.clock.passed();
        let tables = world.network_of(who).tables().clone();
        let has = world.host.present().contains(name);
        world.state().watch.call(
            who,
            call,
            name,
            &crate::watch::Scene { at, clock: world.clock.now(), tables: &tables, has },
        );
        let _flight = Flight { world, who, name };
        world.brink(who, false).await;
        let fate = self.fate(call, name);
        for after in &fate.effects {
            world.state().late.push((at + *after, call, name.clone()));
        }
        world.settle_late();
        world.brink(who, true).await;
        world.sleep(fate.takes).await;
        let at = world.clock.passed();
        world.state().watch.answered(who, call, name, &fate.answer, at);
        fate.answer
    }
}

/// One of twenty fates of a call to a host whose answers cannot be relied on.
fn flaky(which: u64) -> Fate {
    let now = Duration::ZERO;
    let soon = Duration::from_millis(700);
    let fate =
        |effects: &[Duration], answer, takes| Fate { effects: effects.to_vec(), answer, takes };
    match which {
        0..8 => fate(&[now], Ok(()), soon),
        8..11 => fate(&[now], Err(unknown("no answer within 20 s")), TIMEOUT),
        11..14 => fate(&[], Err(unknown("no answer within 20 s")), TIMEOUT),
        14..16 => fate(&[TIMEOUT * 2], Err(unknown("no answer within 20 s")), TIMEOUT),
        16..18 => fate(&[now, TIMEOUT * 3], Ok(()), soon),
        _ => fate(&[], Err(unreachable()), soon),
    }
}

/// A call that is under way, to its end or to a crash.
struct Flight<'a> {
    world: &'a World,
    who: Who,
    name: &'a DomainName,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.world.state().watch.landed(self.who, self.name);
    }
}

#[async_trait]
impl AliasHost for FaultyHost {
    async fn add_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.call(Call::Add, domain).await
    }

    async fn remove_alias(&self, domain: &DomainName) -> Result<(), HostError> {
        self.call(Call::Remove, domain).await
    }

    async fn aliases(&self) -> Result<AliasList, HostError> {
        self.world.settle_late();
        self.world.sleep(Duration::from_millis(300)).await;
        let now = self.world.clock.passed();
        let mut state = self.world.state();
        match (state.host, state.list) {
            (HostMood::Unreachable, _) => return Err(unreachable()),
            (HostMood::KeyRefused, _) => return Err(key_refused()),
            (HostMood::Limiting { wait }, _) => return Err(limited(wait)),
            (HostMood::Down, _) | (_, ListMood::Fails) => return Err(unknown("HTTP 502")),
            _ => (),
        }
        let as_of = match state.list {
            ListMood::Lags(minutes) => now.saturating_sub(Duration::from_secs(60 * minutes)),
            _ => now,
        };
        let had = state.had.iter().rev().find(|(since, _)| *since <= as_of);
        let mut names = had.map(|(_, names)| names.clone()).unwrap_or_default();
        match state.list {
            ListMood::Empty => names.clear(),
            ListMood::Omits => names.retain(|name| !name.as_str().starts_with(['b', 'd', 'x'])),
            _ => (),
        }
        let names = names.into_iter().collect();
        let list = AliasList { names, ..AliasList::default() };
        state.watch.list(self.who, &list, now);
        Ok(list)
    }

    async fn check_key(&self) -> Result<(), HostError> {
        match self.world.state().host {
            HostMood::KeyRefused => Err(key_refused()),
            HostMood::Unreachable => Err(unreachable()),
            HostMood::Down => Err(unknown("HTTP 502")),
            HostMood::Limiting { wait } => Err(limited(wait)),
            _ => Ok(()),
        }
    }
}
