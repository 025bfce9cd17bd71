//! An internet in a few lines: DNS servers on loopback that share one port, with zones written as
//! text and the faults that servers have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CAA, CNAME, NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use probe::{NetProbe, Settings};
use rules::Targets;
use rules::clock::ManualClock;
use rules::evidence::{Deep, Inquiry};
use rules::probe::Probe;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long one question may take in these tests.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(1);

/// The label that nobody has by chance.
pub(crate) const LABEL: &str = "zq7";

/// How many servers there may be: `127.0.0.1` and on.
const SERVERS: u8 = 9;

/// What a server does wrong, or unlike others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Quirk {
    Silent,
    NoUdp,
    NoTcp,
    Truncates,
    Refuses,
    NoAuthority,
    RefersUpwards,
    /// It answers SERVFAIL to questions of this type.
    Fails(RecordType),
    /// It drops what has EDNS.
    DropsEdns,
    /// It complains of EDNS.
    DislikesEdns,
    /// It is a resolver.
    Recursive,
    /// It sets AD.
    Validates,
    /// It answers SERVFAIL for this name, unless it shall not validate.
    Bogus(&'static str),
    /// The same for its addresses only.
    BogusAddress(&'static str),
}

/// A question as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) name: String,
    pub(crate) kind: RecordType,
    pub(crate) tcp: bool,
    pub(crate) signed: bool,
}

#[derive(Debug, Default)]
struct State {
    /// Which server it is.
    number: u8,
    zones: BTreeMap<Name, Vec<Record>>,
    quirks: Vec<Quirk>,
    asked: Vec<Asked>,
    /// Questions whose answers wait for each other.
    together: Vec<(Question, Missing)>,
}

/// A name and a type.
type Question = (Name, RecordType);

/// Of questions that wait for each other, those that have not come, each with its server.
type Missing = Arc<watch::Sender<BTreeSet<(u8, Question)>>>;

/// The servers.
pub(crate) struct World {
    pub(crate) port: u16,
    states: Vec<Arc<Mutex<State>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub(crate) fn address(server: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, server).into()
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no server panics")
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

impl World {
    /// Servers that know nothing yet.
    pub(crate) async fn start() -> Self {
        let (port, sockets) = bind().await;
        let mut world = Self { port, states: Vec::new(), tasks: Vec::new() };
        for (number, (udp, tcp)) in (1..).zip(sockets) {
            let state = Arc::new(Mutex::new(State { number, ..State::default() }));
            world.states.push(Arc::clone(&state));
            world.tasks.push(tokio::spawn(serve_udp(Arc::new(udp), Arc::clone(&state))));
            world.tasks.push(tokio::spawn(serve_tcp(tcp, state)));
        }
        world
    }

    /// The root at 1, `test` at 2, and a resolver at 9.
    pub(crate) async fn with_top() -> Self {
        let world = Self::start().await;
        world.zone(1, ".", &["test. NS ns.nic.test.", "ns.nic.test. A 127.0.0.2"]);
        world.zone(2, "test.", &["test. NS ns.nic.test.", "ns.nic.test. A 127.0.0.2"]);
        world.zone(9, ".", &[". NS ns.root."]);
        world.quirk(9, Quirk::Recursive);
        world
    }

    /// The same, with `shop.test` at 3 and 4.
    pub(crate) async fn with_shop(records: &[&str]) -> Self {
        let world = Self::with_top().await;
        world.delegate("shop.test.", &[3, 4]);
        for server in [3, 4] {
            world.zone(server, "shop.test.", records);
        }
        world
    }

    /// Delegate a zone below `test` to servers whose addresses are told.
    pub(crate) fn delegate(&self, zone: &str, servers: &[u8]) {
        for server in servers {
            let host = format!("ns{server}.{zone}");
            self.zone(
                2,
                "test.",
                &[&format!("{zone} NS {host}"), &format!("{host} A 127.0.0.{server}")],
            );
        }
    }

    /// Give a server records of a zone: `www.shop.test. 60 A 192.0.2.1`; without a time, 300 s.
    pub(crate) fn zone(&self, server: u8, zone: &str, records: &[&str]) {
        let records = records.iter().map(|text| record(text));
        let mut state = self.state(server);
        state.zones.entry(name(zone)).or_default().extend(records);
    }

    pub(crate) fn records(&self, server: u8, zone: &str, records: Vec<Record>) {
        let mut state = self.state(server);
        state.zones.entry(name(zone)).or_default().extend(records);
    }

    pub(crate) fn quirk(&self, server: u8, quirk: Quirk) {
        self.state(server).quirks.push(quirk);
    }

    /// Withhold the answers to these questions until all of them have come: who asks one after the other never
    /// gets any.
    pub(crate) fn together(&self, questions: &[(u8, &str, RecordType)]) {
        let questions = questions.iter().map(|(server, of, kind)| (*server, (name(of), *kind)));
        let all: BTreeSet<_> = questions.collect();
        let missing = Arc::new(watch::Sender::new(all.clone()));
        for (server, question) in all {
            self.state(server).together.push((question, Arc::clone(&missing)));
        }
    }

    /// What a server was asked for so far.
    pub(crate) fn asked(&self, server: u8) -> Vec<Asked> {
        self.state(server).asked.clone()
    }

    fn state(&self, server: u8) -> MutexGuard<'_, State> {
        locked(&self.states[usize::from(server) - 1])
    }

    pub(crate) fn at(&self, server: u8) -> SocketAddr {
        SocketAddr::new(address(server), self.port)
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            resolvers: Some(vec![self.at(9)]),
            roots: Some(vec![self.at(1)]),
            dns_port: self.port,
            timeout: TIMEOUT,
            allow_private: true,
            ..Settings::default()
        }
    }

    pub(crate) fn probe(&self) -> NetProbe {
        probe_with(self.settings())
    }

    pub(crate) async fn investigate(&self, name: &str) -> Deep {
        investigate(&self.probe(), name).await
    }
}

pub(crate) fn probe_with(settings: Settings) -> NetProbe {
    NetProbe::new(settings, Arc::new(ManualClock::default())).expect("settings that make sense")
}

pub(crate) async fn investigate(probe: &NetProbe, name: &str) -> Deep {
    let targets = Targets::default();
    let inquiry = Inquiry { targets: &targets, label: LABEL, within: Inquiry::WHOLE };
    probe.investigate(&name.parse().expect("a domain name"), &inquiry).await
}

/// One port that is free at each address, for UDP and TCP.
async fn bind() -> (u16, Vec<(UdpSocket, TcpListener)>) {
    loop {
        let first = TcpListener::bind((address(1), 0)).await.expect("a free port");
        let port = first.local_addr().expect("it is bound").port();
        let mut sockets = Vec::new();
        let mut listener = Some(first);
        for server in 1..=SERVERS {
            let tcp = match listener.take() {
                Some(first) => Ok(first),
                None => TcpListener::bind((address(server), port)).await,
            };
            let udp = UdpSocket::bind((address(server), port)).await;
            sockets.extend(udp.ok().zip(tcp.ok()));
        }
        if sockets.len() == usize::from(SERVERS) {
            return (port, sockets);
        }
    }
}

async fn serve_udp(socket: Arc<UdpSocket>, state: Arc<Mutex<State>>) {
    let mut query = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut query).await {
        let Some((answer, others)) = locked(&state).answer(&query[..length], false) else {
            continue;
        };
        let socket = Arc::clone(&socket);
        tokio::spawn(async move {
            have_come(others).await;
            // Who asked may be gone.
            let _ = socket.send_to(&answer, from).await;
        });
    }
}

async fn serve_tcp(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_stream(stream, Arc::clone(&state)));
    }
}

async fn serve_stream(mut stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let mut query = vec![0; usize::from(stream.read_u16().await.ok()?)];
    stream.read_exact(&mut query).await.ok()?;
    let answered = locked(&state).answer(&query, true);
    let Some((answer, others)) = answered else { std::future::pending().await };
    have_come(others).await;
    stream.write_u16(u16::try_from(answer.len()).ok()?).await.ok()?;
    stream.write_all(&answer).await.ok()
}

/// Wait until all questions have come that one waits for.
async fn have_come(others: Option<Missing>) {
    if let Some(others) = others {
        // It is kept as long as it is waited for.
        let _ = others.subscribe().wait_for(BTreeSet::is_empty).await;
    }
}

impl State {
    /// The answer, and the questions that it waits for; none of a server that says nothing.
    fn answer(&mut self, query: &[u8], tcp: bool) -> Option<(Vec<u8>, Option<Missing>)> {
        use Quirk::{
            Bogus, BogusAddress, DislikesEdns, DropsEdns, Fails, NoAuthority, NoTcp, NoUdp,
            Recursive, RefersUpwards, Refuses, Silent, Truncates, Validates,
        };
        let query = Message::from_vec(query).ok()?;
        let question = query.queries.first()?.clone();
        let (asked, kind) = (question.name().to_lowercase(), question.query_type());
        let signed = query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok);
        self.asked.push(Asked { name: asked.to_ascii(), kind, tcp, signed });
        let mut answer = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
        answer.add_query(question);
        let recursive = self.quirks.contains(&Recursive);
        self.look_up(&mut answer, &asked, kind);
        if recursive {
            answer.metadata.authoritative = false;
            answer.metadata.recursion_available = true;
        }
        for quirk in &self.quirks {
            match quirk {
                Silent => return None,
                NoUdp if !tcp => return None,
                NoTcp if tcp => return None,
                DropsEdns if query.edns.is_some() => return None,
                DislikesEdns if query.edns.is_some() => empty(&mut answer, ResponseCode::FormErr),
                Truncates if !tcp => {
                    empty(&mut answer, ResponseCode::NoError);
                    answer.metadata.truncation = true;
                }
                Refuses => empty(&mut answer, ResponseCode::Refused),
                NoAuthority => answer.metadata.authoritative = false,
                RefersUpwards => {
                    empty(&mut answer, ResponseCode::NoError);
                    answer.metadata.authoritative = false;
                    answer.add_authority(record(". NS a.root-servers.test."));
                }
                Fails(fails) if *fails == kind => empty(&mut answer, ResponseCode::ServFail),
                Bogus(bogus) if name(bogus) == asked && !query.metadata.checking_disabled => {
                    empty(&mut answer, ResponseCode::ServFail);
                }
                BogusAddress(bogus)
                    if name(bogus) == asked
                        && matches!(kind, RecordType::A | RecordType::AAAA)
                        && !query.metadata.checking_disabled =>
                {
                    empty(&mut answer, ResponseCode::ServFail);
                }
                Validates => answer.metadata.authentic_data = query.metadata.authentic_data,
                _ => {}
            }
        }
        if !signed {
            let is_plain = |it: &Record| it.record_type() != RecordType::RRSIG;
            answer.answers.retain(is_plain);
            answer.authorities.retain(is_plain);
        }
        let mut together = self.together.iter();
        let others = together.find(|(question, _)| *question == (asked.clone(), kind));
        let others = others.map(|(question, missing)| {
            missing.send_modify(|all| all.retain(|it| *it != (self.number, question.clone())));
            Arc::clone(missing)
        });
        Some((answer.to_vec().ok()?, others))
    }

    /// What the zones say of `asked`.
    fn look_up(&self, answer: &mut Message, asked: &Name, kind: RecordType) {
        let known = self.zones.iter().filter(|(origin, _)| origin.zone_of(asked));
        // DS is the parent's.
        let known = known.filter(|(origin, _)| kind != RecordType::DS || *origin != asked);
        let Some((origin, records)) = known.max_by_key(|(origin, _)| origin.num_labels()) else {
            return empty(answer, ResponseCode::Refused);
        };
        if let Some(cut) = cut(origin, records, asked, kind) {
            return refer(answer, records, &cut);
        }
        answer.metadata.authoritative = true;
        let mut end = asked.clone();
        for links in 0.. {
            let found = || records.iter().filter(|it| it.name == end);
            if found().any(|it| it.record_type() == kind) {
                answer.add_answers(found().filter(|it| is_of(it, kind)).cloned());
                return;
            }
            let is_alias = |it: &&Record| is_of(it, RecordType::CNAME);
            let target = found().find_map(|it| match &it.data {
                RData::CNAME(target) => Some(target.0.clone()),
                _ => None,
            });
            let Some(target) = target else { break };
            answer.add_answers(found().filter(is_alias).cloned());
            end = target;
            // It gives the first links of a long chain only.
            if links == 8 || !origin.zone_of(&end) || cut_at(origin, records, &end) {
                return;
            }
        }
        if !records.iter().any(|it| end.zone_of(&it.name)) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        let soa = SOA::new(origin.clone(), origin.clone(), 1, 1, 1, 1, 60);
        answer.add_authority(Record::from_rdata(origin.clone(), 120, RData::SOA(soa)));
    }
}

fn is_of(record: &Record, kind: RecordType) -> bool {
    use hickory_proto::dnssec::rdata::DNSSECRData;
    match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(it)) => it.input().type_covered == kind,
        _ => record.record_type() == kind,
    }
}

fn cut_at(origin: &Name, records: &[Record], asked: &Name) -> bool {
    cut(origin, records, asked, RecordType::A).is_some()
}

/// The zone below `origin` that `asked` is delegated to.
fn cut(origin: &Name, records: &[Record], asked: &Name, kind: RecordType) -> Option<Name> {
    let leads = |it: &&Record| {
        it.record_type() == RecordType::NS
            && it.name != *origin
            && it.name.zone_of(asked)
            && (kind != RecordType::DS || it.name != *asked)
    };
    records.iter().find(leads).map(|it| it.name.clone())
}

fn refer(answer: &mut Message, records: &[Record], cut: &Name) {
    let servers = records.iter().filter(|it| it.record_type() == RecordType::NS && it.name == *cut);
    for server in servers {
        answer.add_authority(server.clone());
        let RData::NS(host) = &server.data else { continue };
        let glue = records.iter().filter(|it| it.name == host.0);
        answer.add_additionals(glue.cloned());
    }
}

fn empty(answer: &mut Message, code: ResponseCode) {
    answer.answers.clear();
    answer.authorities.clear();
    answer.additionals.clear();
    answer.metadata.response_code = code;
}

/// `www.shop.test. 60 A 192.0.2.1`; without a time, 300 s.
pub(crate) fn record(text: &str) -> Record {
    let words: Vec<_> = text.split(' ').collect();
    let (ttl, rest) = match words[1].parse() {
        Ok(ttl) => (ttl, &words[2..]),
        Err(_) => (300, &words[1..]),
    };
    let data = match rest {
        ["A", ip] => RData::A(A(ip.parse().expect("an address"))),
        ["AAAA", ip] => RData::AAAA(AAAA(ip.parse().expect("an address"))),
        ["NS", server] => RData::NS(NS(name(server))),
        ["CNAME", target] => RData::CNAME(CNAME(name(target))),
        ["CAA", flags, tag, value] => {
            let mut caa = CAA::new_issue(*flags == "128", None, Vec::new());
            (caa.tag, caa.value) = ((*tag).to_owned(), value.as_bytes().to_vec());
            RData::CAA(caa)
        }
        other => panic!("no record: {other:?}"),
    };
    Record::from_rdata(name(words[0]), ttl, data)
}
