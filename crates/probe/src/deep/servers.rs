//! The servers that a zone is delegated to: where they are, and asking them.
//!
//! [`Walker::first`] is for what any of them can say, [`Walker::zone_said`] for what each of them says.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, join_all, select};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RecordType};
use rand::seq::SliceRandom;
use rules::evidence::{Answer, Authority, ServerSaid, WalkEnd, ZoneSaid};
use tokio::sync::mpsc::UnboundedSender;

use super::cut::{Host, Servers, Zone};
use super::exchange::Question;
use super::race;
use super::reading::{self, Reading, Trail};
use super::routes::{Closed, has_route};
use super::walk::{Walker, Way, registered_domain};
use crate::dns::answer::{Manner, written};
use crate::dns::server::Server;

/// The addresses of a server.
#[derive(Debug)]
enum Addresses {
    /// These; where there are none, that is sure.
    Known(Vec<IpAddr>),
    /// They could not be found, and why.
    Unknown(String),
}

/// A question that any server of a zone can answer.
pub(super) struct Query<'a, T> {
    pub(super) question: Question<'a>,
    /// How an answer is read; in error, why the next server should be asked.
    pub(super) read: &'a (dyn Fn(&Message) -> Result<T, String> + Sync),
    pub(super) way: Way<'a>,
}

/// What one server said, and which it was.
type Said<T> = Result<(T, String), String>;

impl<T> Query<'_, T> {
    async fn ask(&self, target: SocketAddr, by: String) -> Said<T> {
        let answered = self.way.asking.ask(&Server::new(target), self.question).await;
        match answered.and_then(|message| (self.read)(&message)) {
            Ok(said) => Ok((said, by)),
            Err(detail) => Err(format!("{by}: {detail}")),
        }
    }
}

impl Walker {
    /// The first good word of a server of `zone`, and whose it is.
    ///
    /// # Errors
    ///
    /// None gave one, and how each failed.
    pub(super) async fn first<T: Send>(&self, zone: &Zone, query: &Query<'_, T>) -> Said<T> {
        let mut candidates: Vec<BoxFuture<'_, Said<T>>> = Vec::new();
        let mut unknown = Vec::new();
        match &zone.servers {
            Servers::Root(addresses) => {
                let reached = addresses.iter().filter(|address| has_route(**address));
                let ask = |address: &SocketAddr| query.ask(*address, address.to_string()).boxed();
                candidates.extend(reached.map(ask));
            }
            Servers::Delegated(hosts) => {
                for host in hosts {
                    let ask = |address: &IpAddr| self.ask_at(host, *address, query).boxed();
                    candidates.extend(host.glue.iter().map(ask));
                    if host.glue.is_empty() {
                        unknown.push(self.find_and_ask(zone, host, query));
                    }
                }
            }
        }
        candidates.shuffle(&mut rand::rng());
        candidates.extend(unknown);
        if candidates.is_empty() {
            return Err("it has no server that can be asked".to_owned());
        }
        race::first(candidates).await
    }

    async fn ask_at<T>(&self, host: &Host, address: IpAddr, query: &Query<'_, T>) -> Said<T> {
        let by = format!("{} ({address})", written(&host.name));
        match self.routes.to(address).await {
            Ok(target) => query.ask(target, by).await,
            Err(closed) => Err(format!("{by}: {}", closed.into_detail())),
        }
    }

    /// The type is written out, as this leads back to [`Walker::first`].
    fn find_and_ask<'a, T: Send>(
        &'a self,
        zone: &'a Zone,
        host: &'a Host,
        query: &'a Query<'_, T>,
    ) -> BoxFuture<'a, Said<T>> {
        let found = async move {
            match self.addresses_of(zone, host, query.way).await {
                Addresses::Known(found) if found.is_empty() => {
                    Err(format!("{}: it has no address", written(&host.name)))
                }
                Addresses::Known(found) => {
                    let ask = |address: IpAddr| self.ask_at(host, address, query);
                    race::first(found.into_iter().map(ask).collect()).await
                }
                Addresses::Unknown(detail) => Err(detail),
            }
        };
        found.boxed()
    }

    /// Where `host`, a server of `zone`, is.
    async fn addresses_of(&self, zone: &Zone, host: &Host, way: Way<'_>) -> Addresses {
        if !host.glue.is_empty() {
            return Addresses::Known(host.glue.clone());
        }
        if let Some(kept) = self.hosts.of(&host.name) {
            return Addresses::Known(kept);
        }
        let name = written(&host.name);
        let Some(way) = way.deeper() else {
            let detail = format!("{name}: its address needs too many servers' addresses");
            return Addresses::Unknown(detail);
        };
        // A name within the zone itself can only be told by who delegates it.
        if let Some(parent) = &zone.parent
            && zone.name.zone_of(&host.name)
        {
            return self.look_up(parent, host, way).await;
        }
        match self.walk(&host.name, way).await {
            Ok(zone) => self.look_up(&zone, host, way).await,
            Err(WalkEnd::Unreachable { detail, .. }) => {
                Addresses::Unknown(format!("{name}: its address could not be found: {detail}"))
            }
            Err(_) => Addresses::Known(Vec::new()),
        }
    }

    /// The addresses of `host` as the servers of the zone that it lies in say.
    async fn look_up(&self, zone: &Zone, host: &Host, way: Way<'_>) -> Addresses {
        let ask = async |kind| {
            let read = |message: &Message| {
                let mut trail = Trail::within(zone.name.clone(), host.name.clone());
                match reading::of_authority(message, kind, &mut trail) {
                    Reading::Said(Authority::Answered(answer)) => Ok(answer),
                    Reading::Said(Authority::Lame { detail }) => Err(detail),
                    Reading::Said(Authority::Failed { code }) => Err(code),
                    _ => Err("it is an alias".to_owned()),
                }
            };
            let question = Question { name: &host.name, kind, manner: Manner::Authority };
            self.first(zone, &Query { question, read: &read, way }).await
        };
        let said: [Said<Answer>; 2] =
            tokio::join!(ask(RecordType::A), ask(RecordType::AAAA)).into();
        let answers: Vec<_> = said.iter().flatten().map(|(answer, _)| answer).collect();
        let found: Vec<_> = answers.iter().filter_map(|it| it.found()).flatten().copied().collect();
        match said.iter().find_map(|it| it.as_ref().err()) {
            Some(detail) if found.is_empty() => {
                Addresses::Unknown(format!("{}: {detail}", written(&host.name)))
            }
            _ => {
                let ttl = answers.iter().filter_map(|it| it.ttl()).min().unwrap_or_default();
                self.hosts.keep(host.name.clone(), found.clone(), ttl);
                Addresses::Known(found)
            }
        }
    }

    /// How far the walk to `name` comes, and what each server there says of it. A name in another zone
    /// that one of them leads to is sent to `led_out` at once.
    ///
    /// Below the registrable domain the servers are asked about the name at the same time as whether
    /// they delegate it further: those that fail say by themselves how.
    pub(super) async fn zone_said(
        &self,
        name: &Name,
        way: Way<'_>,
        led_out: &UnboundedSender<Name>,
    ) -> ZoneSaid {
        let mut zone = match self.walk(&registered_domain(name), way).await {
            Ok(zone) => zone,
            Err(end) => return ZoneSaid { name: written(name), end, servers: Vec::new() },
        };
        loop {
            let visit = Visit { walker: self, zone: &zone, name, way, led_out };
            let (servers, lower) = visit.said_or_lower().await;
            let Some(lower) = lower else {
                let parent = zone.parent.as_ref().map(|it| written(&it.name)).unwrap_or_default();
                let end = WalkEnd::Reached { zone: written(&zone.name), parent };
                return ZoneSaid { name: written(name), end, servers };
            };
            zone = lower;
        }
    }
}

/// Asking each server of a zone about a name.
struct Visit<'a> {
    walker: &'a Walker,
    zone: &'a Arc<Zone>,
    name: &'a Name,
    way: Way<'a>,
    led_out: &'a UnboundedSender<Name>,
}

impl Visit<'_> {
    /// What all servers said; or the zone below that the name lies in, as soon as that is known.
    async fn said_or_lower(&self) -> (Vec<ServerSaid>, Option<Arc<Zone>>) {
        let said = pin!(self.all_said());
        let lower = pin!(self.walker.lower(self.zone, self.name, self.way));
        match select(said, lower).await {
            Either::Left((said, lower)) => (said, lower.await.ok().flatten()),
            Either::Right((Ok(Some(lower)), _)) => (Vec::new(), Some(lower)),
            Either::Right((_, said)) => (said.await, None),
        }
    }

    async fn all_said(&self) -> Vec<ServerSaid> {
        let hosts: &[Host] = match &self.zone.servers {
            Servers::Root(_) => &[],
            Servers::Delegated(hosts) => hosts,
        };
        join_all(hosts.iter().map(|host| self.host_said(host))).await.concat()
    }

    async fn host_said(&self, host: &Host) -> Vec<ServerSaid> {
        let server = written(&host.name);
        let alone = |said| vec![ServerSaid { server: server.clone(), address: None, said }];
        let found = match self.walker.addresses_of(self.zone, host, self.way).await {
            Addresses::Known(found) if found.is_empty() => return alone(Authority::NoAddress),
            Addresses::Known(found) => found,
            Addresses::Unknown(detail) => return alone(Authority::Silent { detail }),
        };
        let asked = join_all(found.iter().map(|address| self.address_said(*address))).await;
        let is_reached = asked.iter().any(Result::is_ok);
        let said = asked.into_iter().zip(found).filter_map(|(said, address)| {
            let said = match said {
                Ok(said) => said,
                // It is not the server's fault; where it is reached otherwise, there is nothing to say.
                Err(Closed::NoRoute(_)) if is_reached => return None,
                Err(closed) => Authority::Forbidden { detail: closed.into_detail() },
            };
            Some(ServerSaid { server: server.clone(), address: Some(address), said })
        });
        said.collect()
    }

    async fn address_said(&self, address: IpAddr) -> Result<Authority, Closed> {
        let server = Server::new(self.walker.routes.to(address).await?);
        let (a, aaaa) = tokio::join!(
            self.records_said(&server, RecordType::A),
            self.records_said(&server, RecordType::AAAA),
        );
        Ok(reading::authority_of(a, aaaa))
    }

    async fn records_said(&self, server: &Server, kind: RecordType) -> Authority {
        let mut trail = Trail::within(self.zone.name.clone(), self.name.clone());
        loop {
            let name = trail.path.end().clone();
            let question = Question { name: &name, kind, manner: Manner::Authority };
            let message = match self.way.asking.ask(server, question).await {
                Ok(message) => message,
                Err(detail) => return Authority::Silent { detail },
            };
            if let Reading::Said(said) = reading::of_authority(&message, kind, &mut trail) {
                if let Authority::Answered(Answer::LedOut { .. }) = said {
                    // Nobody listens any more where enough zones were asked.
                    let _ = self.led_out.send(trail.path.end().clone());
                }
                return said;
            }
        }
    }
}
