//! What each configured resolver says of a name, and what any of them says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use rules::evidence::{Answer, ResolverSaid};
use tokio::time::Instant;

use super::exchange::{Asking, Question};
use super::kept::lock;
use super::reading::{self, Reading, Trail};
use crate::dns::answer::Manner;
use crate::dns::server::Server;

/// How long it is remembered whether a resolver validates.
const KEPT: Duration = Duration::from_hours(1);

/// Which resolvers validate DNSSEC.
#[derive(Debug, Default)]
pub(super) struct Validating {
    known: Mutex<BTreeMap<SocketAddr, (bool, Instant)>>,
}

impl Validating {
    /// Whether `server` validates: the root is signed for sure, so it says so of its records (AD).
    async fn of(&self, server: &Server, asking: &Asking) -> Option<bool> {
        if let Some((known, since)) = lock(&self.known).get(&server.address)
            && since.elapsed() < KEPT
        {
            return Some(*known);
        }
        let root = Name::root();
        let question = Question { name: &root, kind: RecordType::SOA, manner: Manner::Proving };
        let message = asking.ask(server, question).await.ok()?;
        if message.metadata.response_code != ResponseCode::NoError {
            return None;
        }
        let validates = message.metadata.authentic_data;
        lock(&self.known).insert(server.address, (validates, Instant::now()));
        Some(validates)
    }
}

/// Asking resolvers about a name.
#[derive(Clone, Copy)]
pub(super) struct Resolvers<'a> {
    pub(super) servers: &'a [Server],
    pub(super) validating: &'a Validating,
    pub(super) asking: &'a Asking,
}

impl Resolvers<'_> {
    /// What `server` says of `name`.
    pub(super) async fn said(&self, server: &Server, name: &Name) -> ResolverSaid {
        let answered = async {
            let (a, aaaa) = self.both(server, name, Manner::Resolver).await;
            let fails = [&a, &aaaa].into_iter().any(is_servfail);
            let unvalidated = if fails {
                let (a, aaaa) = self.both(server, name, Manner::Unvalidated).await;
                Some(reading::together(a, aaaa))
            } else {
                None
            };
            (reading::together(a, aaaa), unvalidated)
        };
        let ((answer, unvalidated), validates) =
            tokio::join!(answered, self.validating.of(server, self.asking));
        ResolverSaid { resolver: server.address, answer, unvalidated, validates }
    }

    async fn both(&self, server: &Server, name: &Name, manner: Manner) -> (Answer, Answer) {
        tokio::join!(
            self.records(server, name, (RecordType::A, manner)),
            self.records(server, name, (RecordType::AAAA, manner)),
        )
    }

    async fn records(
        &self,
        server: &Server,
        name: &Name,
        (kind, manner): (RecordType, Manner),
    ) -> Answer {
        let mut trail = Trail::within(Name::root(), name.clone());
        loop {
            let name = trail.path.end().clone();
            let question = Question { name: &name, kind, manner };
            let message = match self.asking.ask(server, question).await {
                Ok(message) => message,
                Err(detail) => return Answer::Silent { detail },
            };
            if let Reading::Said(answer) = reading::of_resolver(&message, kind, &mut trail) {
                return answer;
            }
        }
    }

    /// What the first of them that can answer says of `name`; without one, the failure that tells most.
    pub(super) async fn any_said(&self, name: &Name) -> Option<Answer> {
        let said = self.servers.iter().map(async |server| {
            let (a, aaaa) = self.both(server, name, Manner::Resolver).await;
            match reading::together(a, aaaa) {
                it @ Answer::Failed { .. } => Err((Weight::Word, it)),
                it @ Answer::Silent { .. } => Err((Weight::Silence, it)),
                it => Ok(it),
            }
        });
        any(said).await.map_or_else(|failure| failure, Some)
    }
}

/// How much a failure tells: that nothing came, that a server cannot, or that it tried and failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    Silence,
    Word,
    ServFail,
}

/// The first good answer; without one, the failure that tells most, none where nobody was asked.
pub(super) async fn any<T, E, F>(asked: impl IntoIterator<Item = F>) -> Result<T, Option<E>>
where
    F: Future<Output = Result<T, (Weight, E)>>,
{
    let mut running: FuturesUnordered<F> = asked.into_iter().collect();
    let mut worst: Option<(Weight, E)> = None;
    while let Some(said) = running.next().await {
        match said {
            Ok(answer) => return Ok(answer),
            Err(failure) if worst.as_ref().is_none_or(|worst| worst.0 < failure.0) => {
                worst = Some(failure);
            }
            Err(_) => {}
        }
    }
    Err(worst.map(|(_, failure)| failure))
}

/// Whether it said SERVFAIL, as it does of what it found to be forged or badly signed.
pub(super) fn is_servfail(answer: &Answer) -> bool {
    matches!(answer, Answer::Failed { code } if code == "SERVFAIL")
}
