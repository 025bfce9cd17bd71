//! Whether the root answers this machine at all. Where it does not, port 53 is most likely closed on
//! the way, and every walk would wait for nothing: so no walk is made for an hour.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::rr::{Name, RecordType};
use rules::Clock;
use rules::probe::RootsSilent;

use super::exchange::{Asking, Question};
use super::kept::lock;
use super::routes::has_route;
use crate::dns::answer::Manner;
use crate::dns::server::Server;

/// The root's servers, and what is known of them.
pub(super) struct RootWatch {
    pub(super) servers: Vec<SocketAddr>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    NotAsked,
    Answers,
    Silent(RootsSilent),
}

impl RootWatch {
    pub(super) fn new(servers: Vec<SocketAddr>, clock: Arc<dyn Clock>) -> Self {
        Self { servers, clock, state: Mutex::default() }
    }

    /// That none of them answered when they were asked last.
    pub(super) fn silent(&self) -> Option<RootsSilent> {
        match *lock(&self.state) {
            State::Silent(silent) => Some(silent),
            State::NotAsked | State::Answers => None,
        }
    }

    /// What was known before counts until they are asked.
    pub(super) fn recall(&self, silent: RootsSilent) {
        let mut state = lock(&self.state);
        if let State::NotAsked = *state {
            *state = State::Silent(silent);
        }
    }

    /// Why they are not asked now.
    pub(super) fn left_alone(&self) -> Option<String> {
        let silent = self.silent().filter(|it| self.clock.now() < it.until);
        silent.map(|_| "not asked: no server of the root answered within the last hour".to_owned())
    }

    /// Remember whether one of them answered.
    pub(super) fn heard(&self, answered: bool) {
        let silent = RootsSilent::at(self.clock.now(), self.silent());
        *lock(&self.state) = if answered { State::Answers } else { State::Silent(silent) };
    }

    /// Ask each of them that this machine has a way to, and remember whether one answered.
    pub(super) async fn check(&self, timeout: Duration) -> Vec<(SocketAddr, Result<(), String>)> {
        let (asking, root) = (Asking::new(timeout, timeout), Name::root());
        let question = Question { name: &root, kind: RecordType::NS, manner: Manner::Authority };
        let reached = self.servers.iter().filter(|address| has_route(**address));
        let checks = reached.map(|address| {
            let asking = &asking;
            async move {
                let answered = asking.ask(&Server::new(*address), question).await;
                (*address, answered.map(drop))
            }
        });
        let checked = join_all(checks).await;
        self.heard(checked.iter().any(|(_, it)| it.is_ok()));
        checked
    }
}
