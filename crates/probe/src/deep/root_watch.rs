//! Whether the root answers this machine at all. Where it does not, port 53 is most likely closed on
//! the way, and every walk would wait for nothing: so no walk is made for an hour.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::future::join_all;
use hickory_proto::rr::{Name, RecordType};
use tokio::time::Instant;

use super::exchange::{Asking, Question};
use super::kept::lock;
use super::routes::has_route;
use crate::dns::answer::Manner;
use crate::dns::server::Server;

/// How long the root is left alone.
const LEFT_ALONE: Duration = Duration::from_hours(1);

/// The root's servers, and what is known of them.
#[derive(Debug)]
pub(super) struct RootWatch {
    pub(super) servers: Vec<SocketAddr>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    NotAsked,
    Answers,
    Silent {
        since: Instant,
        detail: String,
    },
}

impl RootWatch {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, state: Mutex::default() }
    }

    /// Whether one of them answered when they were asked last; none where they were not asked.
    pub(super) fn answers(&self) -> Option<bool> {
        match &*lock(&self.state) {
            State::NotAsked => None,
            State::Answers => Some(true),
            State::Silent { .. } => Some(false),
        }
    }

    /// Why they are not asked now.
    pub(super) fn left_alone(&self) -> Option<String> {
        match &*lock(&self.state) {
            State::Silent { since, detail } if since.elapsed() < LEFT_ALONE => {
                Some(format!("not asked again within an hour of this: {detail}"))
            }
            _ => None,
        }
    }

    /// Remember how asking them went.
    pub(super) fn heard<T>(&self, answered: &Result<T, String>) {
        *lock(&self.state) = match answered {
            Ok(_) => State::Answers,
            Err(detail) => State::Silent { since: Instant::now(), detail: detail.clone() },
        };
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
        let none = || Err("no server of the root answers".to_owned());
        self.heard(&checked.iter().find(|(_, it)| it.is_ok()).map_or_else(none, |_| Ok(())));
        checked
    }
}
