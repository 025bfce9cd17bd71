//! Asking everybody who can say why a name is as it is: each resolver, the servers from the root down,
//! CAA, and the records of DNSSEC.
//!
//! Nothing is judged here, and what could not be reached is told as that. Questions that do not depend
//! on each other run together: the whole takes as long as its longest chain, and a silent server keeps
//! nobody waiting but itself.
//!
//! [`Inquirer::investigate`] is where to start reading; `deep/walk.rs` is the walk from the root,
//! `deep/reading.rs` what a message says.

mod caa;
mod cut;
mod dnssec;
mod exchange;
mod kept;
mod race;
mod reading;
mod resolvers;
mod root_watch;
mod roots;
mod routes;
mod servers;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use hickory_proto::rr::Name;
use rules::evidence::{Answer, CaaStep, Dnssec, Inquiry, ResolverSaid, ZoneSaid};
use rules::probe::RootsSilent;
use rules::{Clock, DomainName};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::dns::server::Server;
use crate::dns::{Dns, absolute};
use crate::guard::Guard;
use crate::nat64::Nat64;
use dnssec::Bogus;
use exchange::Asking;
use kept::lock;
use resolvers::{Resolvers, Validating};
use root_watch::RootWatch;
use routes::Routes;
use walk::{Walker, Way};

/// How many names are investigated at once; more wait.
const NAMES_AT_ONCE: usize = 64;

/// The most zones that CNAME records are followed into.
const ZONES: usize = 8;

/// What DNS said, see [`rules::evidence::Deep`].
#[derive(Debug, Default)]
pub(crate) struct DeepDns {
    pub(crate) resolvers: Vec<ResolverSaid>,
    pub(crate) sibling: Option<Answer>,
    pub(crate) zones: Vec<ZoneSaid>,
    pub(crate) dnssec: Option<Dnssec>,
    pub(crate) caa: Vec<CaaStep>,
}

/// How it asks.
pub(crate) struct Means {
    /// Where walks begin; none for the root's own servers.
    pub(crate) roots: Option<Vec<SocketAddr>>,
    /// The port of authoritative servers.
    pub(crate) port: u16,
    /// How long one question may take.
    pub(crate) timeout: Duration,
    pub(crate) guard: Guard,
    pub(crate) nat64: Arc<Nat64>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Who asks, and what it learned that other names share.
pub(crate) struct Inquirer {
    walker: Walker,
    validating: Validating,
    timeout: Duration,
    turns: Semaphore,
}

/// What others wait for, told as soon as a resolver says it; dropped when all have spoken.
struct Heard<'a> {
    addresses: Mutex<Option<oneshot::Sender<BTreeSet<IpAddr>>>>,
    bogus: Mutex<Option<oneshot::Sender<Bogus<'a>>>>,
}

impl Inquirer {
    pub(crate) fn new(means: Means) -> Self {
        let Means { roots, port, timeout, guard, nat64, clock } = means;
        let roots = roots.filter(|it| !it.is_empty()).unwrap_or_else(roots::of_the_internet);
        let watch = RootWatch::new(roots, clock);
        let walker = Walker::new(watch, Routes { guard, port, nat64 }, timeout);
        Self {
            walker,
            validating: Validating::default(),
            timeout,
            turns: Semaphore::new(NAMES_AT_ONCE),
        }
    }

    /// That no server of the root answered when they were asked last.
    pub(crate) fn roots_silent(&self) -> Option<RootsSilent> {
        self.walker.watch.silent()
    }

    /// What was known of that before counts until they are asked.
    pub(crate) fn recall_roots(&self, silent: RootsSilent) {
        self.walker.watch.recall(silent);
    }

    /// Whether each server of the root answers; in error, how it failed.
    pub(crate) async fn check_roots(&self) -> Vec<(SocketAddr, Result<(), String>)> {
        self.walker.watch.check(self.timeout).await
    }

    /// Ask everybody about `name`. The addresses that a resolver gives first are sent to `addresses`
    /// at once; it is dropped where none gives any.
    pub(crate) async fn investigate(
        &self,
        dns: &Dns,
        name: &DomainName,
        inquiry: &Inquiry<'_>,
        addresses: oneshot::Sender<BTreeSet<IpAddr>>,
    ) -> DeepDns {
        let _turn = self.turns.acquire().await;
        let Some(asked) = absolute(&name.checked_as(inquiry.label)) else {
            return DeepDns::default();
        };
        let asking = Asking::new(self.timeout, inquiry.within);
        let (servers, validating) = (dns.servers(), &self.validating);
        let resolvers = Resolvers { servers, validating, asking: &asking };
        let (bogus, told) = oneshot::channel();
        let heard = Heard { addresses: Some(addresses).into(), bogus: Some(bogus).into() };
        let base = Name::from_ascii(format!("{}.", name.base())).unwrap_or_default();
        let (resolvers, sibling, zones, dnssec, caa) = tokio::join!(
            resolvers_said(resolvers, &asked, heard),
            sibling_said(resolvers, name, inquiry),
            self.zones(&asked, &asking),
            async { self.walker.dnssec(&told.await.ok()?, resolvers).await },
            resolvers.caa(&base),
        );
        DeepDns { resolvers, sibling, zones, dnssec, caa }
    }

    /// The walk to `name`, and from there to each zone that CNAME records lead into.
    async fn zones(&self, name: &Name, asking: &Asking) -> Vec<ZoneSaid> {
        let way = Way::new(asking);
        let (led_out, mut leads) = mpsc::unbounded_channel();
        let said = async |order: usize, name: Name| {
            (order, self.walker.zone_said(&name, way, &led_out).await)
        };
        let mut seen = BTreeSet::from([name.to_lowercase()]);
        let mut running = FuturesUnordered::new();
        running.push(said(0, name.clone()));
        let mut zones = BTreeMap::new();
        while !running.is_empty() {
            let mut targets = Vec::new();
            tokio::select! {
                target = leads.recv() => targets.extend(target),
                Some((order, zone)) = running.next() => { zones.insert(order, zone); }
            }
            // What came last must not be missed because nothing runs any more.
            while let Ok(target) = leads.try_recv() {
                targets.push(target);
            }
            for target in targets {
                let order = seen.len();
                if order <= ZONES && seen.insert(target.to_lowercase()) {
                    running.push(said(order, target));
                }
            }
        }
        zones.into_values().collect()
    }
}

/// What each resolver says, in their order.
async fn resolvers_said<'a>(
    resolvers: Resolvers<'a>,
    name: &Name,
    heard: Heard<'a>,
) -> Vec<ResolverSaid> {
    let said = resolvers.servers.iter().map(async |server| {
        let said = resolvers.said(server, name).await;
        heard.tell(server, name, &said);
        said
    });
    join_all(said).await
}

impl<'a> Heard<'a> {
    fn tell(&self, server: &'a Server, name: &Name, said: &ResolverSaid) {
        if let Some(found) = said.answer.found()
            && let Some(waiting) = lock(&self.addresses).take()
        {
            // Who does not wait any more needs no word.
            let _ = waiting.send(found.clone());
        }
        let has_answer =
            |it: &&Answer| !matches!(it, Answer::Failed { .. } | Answer::Silent { .. });
        if let Some(answer) = said.unvalidated.as_ref().filter(has_answer)
            && let Some(waiting) = lock(&self.bogus).take()
        {
            let led =
                answer.through().iter().filter_map(|it| Name::from_ascii(format!("{it}.")).ok());
            let chain = [name.clone()].into_iter().chain(led).collect();
            let _ = waiting.send(Bogus { by: server, chain });
        }
    }
}

/// What a resolver says of a name beside this one that nobody has by chance.
async fn sibling_said(
    resolvers: Resolvers<'_>,
    name: &DomainName,
    inquiry: &Inquiry<'_>,
) -> Option<Answer> {
    if name.is_wildcard() || name.registrable().as_ref() == Some(name) {
        return None;
    }
    let (_, rest) = name.as_str().split_once('.')?;
    let sibling = Name::from_ascii(format!("{}.{rest}.", inquiry.label)).ok()?;
    resolvers.any_said(&sibling).await
}
