//! The walk from the root to the zone that a name lies in, along what each parent delegates.
//!
//! The servers of a zone are asked for the NS records of one label more, until nothing is delegated any
//! further. An address that a parent may not tell is found by a walk of its own, so a walk can lead to
//! walks: their depth is bounded, as is what one investigation may ask.
//!
//! [`Walker::walk`] is where to start reading.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hickory_proto::rr::{Name, RecordType};
use rules::DomainName;
use rules::evidence::WalkEnd;
use tokio::sync::Mutex;

use super::cut::{self, Host, Servers, Step, Zone};
use super::exchange::{Asking, Question};
use super::kept::{Kept, lock};
use super::root_watch::RootWatch;
use super::routes::Routes;
use super::servers::Query;
use crate::dns::answer::{Manner, written};

/// How often the address of a server may need the address of another first.
const DEPTH: u8 = 4;

/// Walks, and keeps what it learns.
pub(super) struct Walker {
    root: Arc<Zone>,
    pub(super) watch: RootWatch,
    pub(super) routes: Routes,
    pub(super) hosts: Kept<Vec<IpAddr>>,
    zones: Kept<Arc<Zone>>,
    /// Who asks the root for a top-level domain: what one learns, the others need not ask.
    turns: std::sync::Mutex<BTreeMap<Name, Arc<Mutex<()>>>>,
    timeout: Duration,
}

/// One walk among those of an investigation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    pub(super) asking: &'a Asking,
    depth: u8,
}

/// Where a walk goes on.
enum Next {
    /// In a zone below.
    Lower(Arc<Zone>),
    /// In the same zone, as this server says.
    Same(Step, String),
}

impl<'a> Way<'a> {
    pub(super) fn new(asking: &'a Asking) -> Self {
        Self { asking, depth: 0 }
    }

    pub(super) fn deeper(self) -> Option<Self> {
        (self.depth < DEPTH).then(|| Self { depth: self.depth + 1, ..self })
    }
}

impl Walker {
    pub(super) fn new(watch: RootWatch, routes: Routes, timeout: Duration) -> Self {
        let servers = Servers::Root(watch.servers.clone());
        Self {
            root: Arc::new(Zone { name: Name::root(), parent: None, servers }),
            watch,
            routes,
            hosts: Kept::default(),
            zones: Kept::default(),
            turns: std::sync::Mutex::default(),
            timeout,
        }
    }

    /// The zone that `name` lies in.
    ///
    /// # Errors
    ///
    /// The walk did not come there, and why.
    pub(super) fn walk<'a>(
        &'a self,
        name: &'a Name,
        way: Way<'a>,
    ) -> BoxFuture<'a, Result<Arc<Zone>, WalkEnd>> {
        self.walk_on(name, way).boxed()
    }

    async fn walk_on(&self, name: &Name, way: Way<'_>) -> Result<Arc<Zone>, WalkEnd> {
        let mut zone = Arc::clone(&self.root);
        while let Some(lower) = self.lower(&zone, name, way).await? {
            zone = lower;
        }
        Ok(zone)
    }

    /// The next zone that `name` lies in below `zone`, or one further down that is known; none where
    /// nothing is delegated any further.
    pub(super) async fn lower(
        &self,
        zone: &Arc<Zone>,
        name: &Name,
        way: Way<'_>,
    ) -> Result<Option<Arc<Zone>>, WalkEnd> {
        let known = self.nearest(name);
        if labels(&zone.name) < labels(&known.name) {
            return Ok(Some(known));
        }
        let all = labels(name);
        // A server may stand in its registry's own zone, and its name be delegated to nobody.
        let registered = if way.depth == 0 { registered(name) } else { 0 };
        let mut next = labels(&zone.name) + 1;
        while next <= all {
            let asked = name.trim_to(next);
            match self.next(zone, &asked, way).await? {
                Next::Lower(lower) => return Ok(Some(lower)),
                Next::Same(Step::NoSuchName, by) if next <= registered => {
                    return Err(not_delegated(zone, &asked, by));
                }
                Next::Same(Step::Nothing, by) if next == registered => {
                    return Err(not_delegated(zone, &asked, by));
                }
                // Some servers say so of a name that has only names below it: the whole name tells.
                Next::Same(Step::NoSuchName, _) if next < all => next = all,
                Next::Same(..) => next += 1,
            }
        }
        Ok(None)
    }

    /// The lowest zone above `name` that is known.
    fn nearest(&self, name: &Name) -> Arc<Zone> {
        let mut above = (1..=labels(name)).rev().map(|count| name.trim_to(count).to_lowercase());
        let known = above.find_map(|name| self.zones.of(&name));
        known.unwrap_or_else(|| Arc::clone(&self.root))
    }

    async fn next(&self, zone: &Arc<Zone>, asked: &Name, way: Way<'_>) -> Result<Next, WalkEnd> {
        let next = match labels(&zone.name) {
            0 => self.next_of_root(zone, asked, way).await,
            1 => self.next_of_top(zone, asked, way).await,
            _ => self.ask_for_cut(zone, asked, way).await,
        };
        next.map_err(|detail| WalkEnd::Unreachable { zone: written(&zone.name), detail })
    }

    async fn next_of_root(
        &self,
        root: &Arc<Zone>,
        asked: &Name,
        way: Way<'_>,
    ) -> Result<Next, String> {
        let turn = self.turn(asked);
        let Some(_turn) = way.asking.in_time(turn.lock()).await else {
            return Err("the time was over".to_owned());
        };
        if let Some(known) = self.zones.of(&asked.to_lowercase()) {
            return Ok(Next::Lower(known));
        }
        if let Some(why) = self.watch.left_alone() {
            return Err(why);
        }
        let is_fresh = way.asking.is_fresh();
        let next = self.ask_for_cut(root, asked, way).await;
        if next.is_ok() || is_fresh {
            self.watch.heard(next.is_ok());
        }
        next
    }

    /// Where a top-level domain is silent, it may be this machine that cannot ask anybody.
    async fn next_of_top(
        &self,
        zone: &Arc<Zone>,
        asked: &Name,
        way: Way<'_>,
    ) -> Result<Next, String> {
        if let Some(why) = self.watch.left_alone() {
            return Err(why);
        }
        let is_fresh = way.asking.is_fresh();
        let next = self.ask_for_cut(zone, asked, way).await;
        if next.is_err() && is_fresh {
            way.asking.in_time(self.watch.check(self.timeout)).await;
        }
        next
    }

    fn turn(&self, top: &Name) -> Arc<Mutex<()>> {
        let mut turns = lock(&self.turns);
        turns.retain(|_, turn| 1 < Arc::strong_count(turn));
        Arc::clone(turns.entry(top.to_lowercase()).or_default())
    }

    async fn ask_for_cut(
        &self,
        zone: &Arc<Zone>,
        asked: &Name,
        way: Way<'_>,
    ) -> Result<Next, String> {
        let question = Question { name: asked, kind: RecordType::NS, manner: Manner::Authority };
        let read = |message: &_| cut::read(message, &zone.name, asked);
        let (step, by) = self.first(zone, &Query { question, read: &read, way }).await?;
        Ok(match step {
            Step::Cut(lower, hosts, ttl) => Next::Lower(self.keep(zone, lower, (hosts, ttl))),
            step => Next::Same(step, by),
        })
    }

    fn keep(
        &self,
        parent: &Arc<Zone>,
        name: Name,
        (hosts, ttl): (Vec<Host>, Duration),
    ) -> Arc<Zone> {
        let (parent, servers) = (Some(Arc::clone(parent)), Servers::Delegated(hosts));
        let zone = Arc::new(Zone { name: name.clone(), parent, servers });
        self.zones.keep(name, Arc::clone(&zone), ttl);
        zone
    }
}

fn not_delegated(parent: &Zone, name: &Name, by: String) -> WalkEnd {
    WalkEnd::NotDelegated { parent: written(&parent.name), name: written(name), by }
}

pub(super) fn labels(name: &Name) -> usize {
    name.iter().count()
}

/// How many labels the domain has that a registry delegates, of which `name` is one or lies below it;
/// 0 where there is none.
fn registered(name: &Name) -> usize {
    let parsed: Option<DomainName> = written(name).parse().ok();
    let registered = parsed.and_then(|name| name.registered());
    registered.map_or(0, |name| name.as_str().split('.').count())
}

/// The domain of `name` that a registry delegates; `name` where there is none.
pub(super) fn registered_domain(name: &Name) -> Name {
    match registered(name) {
        0 => name.clone(),
        count => name.trim_to(count),
    }
}
