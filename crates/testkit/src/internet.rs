//! An internet on loopback: root, top-level and zone servers, resolvers and web servers, each as right or as wrong as
//! a test wants it.
//!
//! Every server has an address of its own in a block of 127/8 that no other internet has. All DNS servers share one
//! port, all web servers one for https and one for http, as out there. Start at [`Internet::start`].
//!
//! ```text
//! let internet = Internet::start();
//! internet.zone("example");
//! internet.zone("shop.example");
//! internet.set("shop.example", RecordType::A, &["192.0.2.7"]);
//! internet.fault("ns2.shop.example", Scope::all(), Fault::Refused);
//! let resolver = internet.resolver("r1", Validation::On);
//! ```

mod certificate;
mod ports;
mod resolver;
mod signing;
mod state;
mod unbound;
mod web;
mod wire;
mod zone;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

pub use hickory_proto::rr::RecordType;
use hickory_proto::rr::rdata::{CNAME, NS};
use hickory_proto::rr::{Name, RData};
use tokio::net::{TcpListener, UdpSocket};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

pub use certificate::{Aia, Certificate, Weakness, trusted_pem};
pub use ports::Ports;
use resolver::Resolver;
pub use signing::Dnssec;
use signing::{Signing, ds_of, ds_text};
pub use state::{Asked, Fault, Scope, Transport};
use state::{Role, Server, State};
pub use unbound::Unbound;
pub use web::{Answer, Door, Request, Scheme, Web};
use zone::Zone;

/// The names of the root's servers.
const ROOTS: [&str; 2] = ["a.root", "b.root"];

/// Whether a resolver validates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validation {
    /// It answers SERVFAIL for what is bogus, and says what is authentic.
    On,
    /// It takes what it gets.
    Off,
}

/// A running internet. It ends when dropped.
#[derive(Debug)]
pub struct Internet {
    ports: Ports,
    state: Arc<Mutex<State>>,
    names: Mutex<BTreeMap<Name, Ipv4Addr>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Internet {
    /// Start one that has a signed root with two servers, and nothing below it.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub fn start() -> Self {
        let internet = Self {
            ports: Ports::claim(),
            state: Arc::default(),
            names: Mutex::default(),
            tasks: Mutex::default(),
        };
        internet.zone_on("", &ROOTS);
        let roots = ROOTS.map(|root| internet.at(root));
        internet.state().roots = roots.to_vec();
        internet.dnssec("", Dnssec::Good);
        internet
    }

    /// Its ports, and its addresses.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// Where the root's servers are.
    pub fn roots(&self) -> Vec<SocketAddr> {
        ROOTS.iter().map(|root| self.socket(root)).collect()
    }

    /// The root's DS record as zone files have it.
    ///
    /// # Panics
    ///
    /// If the root is not signed.
    pub fn trust_anchor(&self) -> String {
        let signing = self.server(ROOTS[0], |it| it.zones()?[&Name::root()].signing.clone());
        let ds = signing.expect("the root is signed").ds(&Name::root());
        format!(". IN DS {}", ds_text(&ds))
    }

    /// The DS record of a zone at its parent, and the one that fits its key; empty where there is none.
    pub fn ds(&self, apex: &str) -> [String; 2] {
        let zone = name(apex);
        let parent = self.parent(apex);
        let [mut at_parent, mut fitting] = [None, None];
        self.change(&parent, |it| at_parent = it.of(&zone, RecordType::DS).first().map(ds_text));
        self.change(&zone, |it| {
            fitting = it.signing.as_ref().map(|signing| ds_text(&signing.ds(&zone)));
        });
        [at_parent, fitting].map(Option::unwrap_or_default)
    }

    /// Delegate a zone to two new servers in it, `ns1` and `ns2`, with glue.
    pub fn zone(&self, apex: &str) {
        let servers = [format!("ns1.{apex}"), format!("ns2.{apex}")];
        self.zone_on(apex, &[&servers[0], &servers[1]]);
    }

    /// Delegate a zone to these servers; those that are new are started. The parent has glue for those below it,
    /// and theirs is the only address that others know; servers of another zone have theirs there.
    pub fn zone_on(&self, apex: &str, servers: &[&str]) {
        let zone = name(apex);
        let addresses: Vec<_> = servers.iter().map(|it| self.authoritative(it)).collect();
        let ns: Vec<_> = servers.iter().map(|it| RData::NS(NS(name(it)))).collect();
        let mut made = Zone::new(&zone);
        made.set(&zone, RecordType::NS, ns.clone());
        for (server, address) in servers.iter().zip(&addresses) {
            if zone.zone_of(&name(server)) {
                made.set(&name(server), RecordType::A, vec![RData::A((*address).into())]);
            }
        }
        for server in servers {
            self.at_zones(server, |zones| drop(zones.insert(zone.clone(), made.clone())));
        }
        if !zone.is_root() {
            self.delegate(apex, servers);
        }
    }

    /// Have the parent send people to these servers, glue included.
    pub fn delegate(&self, apex: &str, servers: &[&str]) {
        self.undelegate(apex);
        let ns: Vec<_> = servers.iter().map(|it| RData::NS(NS(name(it)))).collect();
        let parent = self.parent(apex);
        self.change(&parent, |zone| zone.set(&name(apex), RecordType::NS, ns.clone()));
        for server in servers.iter().filter(|it| name(apex).zone_of(&name(it))) {
            let address = RData::A(self.at(server).into());
            self.change(&parent, |zone| {
                zone.set(&name(server), RecordType::A, vec![address.clone()]);
            });
        }
    }

    /// Have the parent know nothing of a zone.
    pub fn undelegate(&self, apex: &str) {
        self.change(&self.parent(apex), |zone| zone.remove(&name(apex)));
    }

    /// Sign a zone, or sign it wrongly.
    pub fn dnssec(&self, apex: &str, dnssec: Dnssec) {
        let zone = name(apex);
        let signing = Signing::new(dnssec);
        let ds = ds_of(&zone, dnssec, signing.as_ref());
        self.change(&zone, |it| it.signing.clone_from(&signing));
        if !zone.is_root() {
            self.change(&self.parent(apex), |it| it.set(&zone, RecordType::DS, ds.clone()));
        }
    }

    /// Set all records of a name and type, as zone files have them: at all servers of its zone.
    pub fn set(&self, owner: &str, kind: RecordType, texts: &[&str]) {
        let data: Vec<_> = texts.iter().map(|text| data(kind, text)).collect();
        self.change(&self.enclosing(&name(owner)), |zone| {
            zone.set(&name(owner), kind, data.clone());
        });
    }

    /// The same at one server only: it differs from its siblings.
    pub fn set_at(&self, server: &str, (owner, kind): (&str, RecordType), texts: &[&str]) {
        let zone = self.enclosing(&name(owner));
        let data = texts.iter().map(|text| data(kind, text)).collect();
        self.at_zones(server, |zones| {
            zones.entry(zone).and_modify(|it| it.set(&name(owner), kind, data));
        });
    }

    /// Remove a name and all below it.
    pub fn remove(&self, owner: &str) {
        self.change(&self.enclosing(&name(owner)), |zone| zone.remove(&name(owner)));
    }

    /// Start a resolver under a name of the test's own.
    pub fn resolver(&self, called: &str, validation: Validation) -> SocketAddr {
        let resolver = Resolver { validates: validation == Validation::On, held: BTreeMap::new() };
        self.serve(called, Role::Resolver(resolver));
        self.socket(called)
    }

    /// Have a resolver hold an answer that is good for so many seconds more.
    pub fn hold(
        &self,
        resolver: &str,
        (owner, kind): (&str, RecordType),
        (texts, ttl): (&[&str], u32),
    ) {
        let held = texts.iter().map(|text| data(kind, text)).collect();
        self.server(resolver, |server| match &mut server.role {
            Role::Resolver(it) => drop(it.held.insert((name(owner), kind.into()), (held, ttl))),
            Role::Authoritative(_) => {}
        });
    }

    /// Have a server or resolver do something wrong from now on, before what it did already.
    pub fn fault(&self, server: &str, scope: Scope, fault: Fault) {
        self.server(server, |it| it.faults.insert(0, (scope, fault)));
    }

    /// Have a server or resolver do nothing wrong any more.
    pub fn heal(&self, server: &str) {
        self.server(server, |it| it.faults.clear());
    }

    /// What a server or resolver was asked so far.
    pub fn asked(&self, server: &str) -> Vec<Asked> {
        self.server(server, |it| it.asked.clone())
    }

    /// Where a server or resolver listens.
    pub fn socket(&self, server: &str) -> SocketAddr {
        SocketAddr::from((self.at(server), self.ports.dns))
    }

    /// The address of a server or resolver.
    ///
    /// # Panics
    ///
    /// If there is none of that name.
    pub fn at(&self, server: &str) -> Ipv4Addr {
        let found = locked(&self.names).get(&name(server)).copied();
        found.unwrap_or_else(|| panic!("there is no server `{server}`"))
    }

    /// Start a web server at an address of its own.
    pub fn web(&self) -> Web {
        Web::start(self.ports.address(), self.ports.https, self.ports.http)
    }

    fn authoritative(&self, called: &str) -> Ipv4Addr {
        let known = locked(&self.names).get(&name(called)).copied();
        known.unwrap_or_else(|| self.serve(called, Role::Authoritative(BTreeMap::new())))
    }

    fn serve(&self, called: &str, role: Role) -> Ipv4Addr {
        let address = self.ports.address();
        locked(&self.names).insert(name(called), address);
        self.state().servers.insert(address, Server::new(role));
        let place = wire::Listening { address, state: Arc::clone(&self.state) };
        let _context = runtime().enter();
        let (udp, tcp) = self.ports.dns_sockets(address);
        let udp = UdpSocket::from_std(udp).expect("a socket of ours");
        let tcp = TcpListener::from_std(tcp).expect("a socket of ours");
        let mut tasks = locked(&self.tasks);
        tasks.spawn(wire::udp(udp, place.clone()));
        tasks.spawn(wire::tcp(tcp, place));
        address
    }

    fn server<T>(&self, called: &str, with: impl FnOnce(&mut Server) -> T) -> T {
        let at = self.at(called);
        with(self.state().servers.get_mut(&at).expect("what has a name runs"))
    }

    fn at_zones(&self, called: &str, with: impl FnOnce(&mut BTreeMap<Name, Zone>)) {
        self.server(called, |server| with(server.zones().expect("it is no resolver")));
    }

    /// Change a zone at all servers that have it.
    fn change(&self, zone: &Name, mut change: impl FnMut(&mut Zone)) {
        let mut state = self.state();
        let zones = state.servers.values_mut().filter_map(Server::zones);
        for zone in zones.filter_map(|zones| zones.get_mut(zone)) {
            change(zone);
        }
    }

    fn parent(&self, apex: &str) -> Name {
        self.enclosing(&name(apex).base_name())
    }

    /// All zones, each with the addresses of its servers.
    fn zones(&self) -> BTreeMap<Name, Vec<Ipv4Addr>> {
        let mut all: BTreeMap<Name, Vec<Ipv4Addr>> = BTreeMap::new();
        for (address, server) in &mut self.state().servers {
            for apex in server.zones().into_iter().flat_map(|zones| zones.keys()) {
                all.entry(apex.clone()).or_default().push(*address);
            }
        }
        all
    }

    /// The deepest zone that a name lies in.
    fn enclosing(&self, owner: &Name) -> Name {
        let around = self.zones().into_keys().filter(|apex| apex.zone_of(owner));
        around.max_by_key(Name::num_labels).expect("all are below the root")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// A name, in lower case and whole.
fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).expect("a name").to_lowercase();
    name.set_fqdn(true);
    name
}

/// A record as a zone file has it; names in it are whole.
fn data(kind: RecordType, text: &str) -> RData {
    match kind {
        RecordType::CNAME => RData::CNAME(CNAME(name(text))),
        RecordType::NS => RData::NS(NS(name(text))),
        _ => RData::try_from_str(kind, text).unwrap_or_else(|why| panic!("{kind} {text}: {why}")),
    }
}

/// What all internets of a process run in, so that tests need no runtime of their own.
///
/// # Panics
///
/// If the system has no threads left.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    })
}

/// The state behind a lock, also after a panic elsewhere.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
