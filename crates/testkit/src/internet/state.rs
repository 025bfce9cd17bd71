//! All servers of one internet, what they hold, and what each says to a question: without sockets.
//!
//! What a server does wrong is a [`Fault`]; the first that fits a question counts.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::NS;
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::resolver::Resolver;
use super::zone::{Question, Reply, TTL, Zone};

/// What a server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answers REFUSED.
    Refused,
    /// It answers SERVFAIL.
    ServFail,
    /// It says that nothing exists.
    NxDomain,
    /// It answers as if from a cache: without the flag AA.
    NotAuthoritative,
    /// It sends one to the root.
    ReferralUp,
    /// It never answers.
    Silent,
    /// It never answers over UDP.
    SilentOverUdp,
    /// Over UDP it says only that there is more (TC), and it closes every TCP connection.
    TruncatedWithoutTcp,
    /// It answers the truth so much later.
    Late(Duration),
}

/// Which questions a fault meets: by default all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    name: Option<Name>,
    kind: Option<RecordType>,
}

impl Scope {
    /// All.
    pub fn all() -> Self {
        Self::default()
    }

    /// Those for a name and all below it.
    pub fn name(name: &str) -> Self {
        Self { name: Some(super::name(name)), kind: None }
    }

    /// Of these, those for one type.
    pub fn kind(self, kind: RecordType) -> Self {
        Self { kind: Some(kind), ..self }
    }

    fn fits(&self, question: &Question) -> bool {
        let name = self.name.as_ref().is_none_or(|name| name.zone_of(&question.name));
        name && self.kind.is_none_or(|kind| kind == question.kind)
    }
}

/// By which transport a question came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// In a datagram.
    Udp,
    /// In a connection.
    Tcp,
}

/// One question that a server was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The name, in lower case, without a dot at its end.
    pub name: String,
    /// The type.
    pub kind: RecordType,
    /// How it came.
    pub transport: Transport,
    /// Whether it is to be resolved (RD).
    pub recursion_desired: bool,
    /// Whether it is not to be validated (CD).
    pub checking_disabled: bool,
    /// Whether signatures are wanted (DO).
    pub dnssec_ok: bool,
}

/// What becomes of a question.
#[derive(Debug)]
pub(super) enum Outcome {
    /// This, so much later.
    Answer(Reply, Duration),
    Silence,
    /// The connection ends.
    Close,
}

/// What a server is.
#[derive(Debug)]
pub(super) enum Role {
    /// It has these zones.
    Authoritative(BTreeMap<Name, Zone>),
    /// It finds out.
    Resolver(Resolver),
}

#[derive(Debug)]
pub(super) struct Server {
    pub(super) role: Role,
    pub(super) faults: Vec<(Scope, Fault)>,
    pub(super) asked: Vec<Asked>,
}

impl Server {
    pub(super) fn new(role: Role) -> Self {
        Self { role, faults: Vec::new(), asked: Vec::new() }
    }

    pub(super) fn zones(&mut self) -> Option<&mut BTreeMap<Name, Zone>> {
        match &mut self.role {
            Role::Authoritative(zones) => Some(zones),
            Role::Resolver(_) => None,
        }
    }

    fn fault(&self, question: &Question) -> Option<Fault> {
        self.faults.iter().find(|(scope, _)| scope.fits(question)).map(|(_, fault)| *fault)
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) servers: BTreeMap<Ipv4Addr, Server>,
    pub(super) roots: Vec<Ipv4Addr>,
}

impl State {
    /// What a client hears from the server at `address`.
    pub(super) fn receive(
        &mut self,
        address: Ipv4Addr,
        question: &Question,
        asked: Asked,
    ) -> Outcome {
        let (transport, unchecked) = (asked.transport, asked.checking_disabled);
        let Some(server) = self.servers.get_mut(&address) else { return Outcome::Silence };
        server.asked.push(asked);
        let server = &self.servers[&address];
        let truth = || match &server.role {
            Role::Authoritative(zones) => authoritative(zones, question),
            Role::Resolver(resolver) => resolver.answer(self, question, unchecked),
        };
        with_fault(server.fault(question), transport, truth)
    }

    /// What a resolver hears from the server at `address`, which it asks for the truth of this world.
    pub(super) fn ask(&self, address: Ipv4Addr, question: &Question) -> Option<Reply> {
        let server = self.servers.get(&address)?;
        let Role::Authoritative(zones) = &server.role else { return None };
        let truth = || authoritative(zones, question);
        match with_fault(server.fault(question), Transport::Udp, truth) {
            Outcome::Answer(reply, _) if !reply.truncated => Some(reply),
            _ => None,
        }
    }
}

fn authoritative(zones: &BTreeMap<Name, Zone>, question: &Question) -> Reply {
    let is_its_parent =
        |zone: &&Zone| question.kind == RecordType::DS && zone.apex != question.name;
    let mut fitting: Vec<_> =
        zones.values().filter(|zone| zone.apex.zone_of(&question.name)).collect();
    fitting.sort_by_key(|zone| {
        (question.kind != RecordType::DS || is_its_parent(zone), zone.apex.num_labels())
    });
    fitting.last().map_or_else(|| Reply::bare(ResponseCode::Refused), |zone| zone.answer(question))
}

fn with_fault(
    fault: Option<Fault>,
    transport: Transport,
    truth: impl FnOnce() -> Reply,
) -> Outcome {
    let at_once = |reply| Outcome::Answer(reply, Duration::ZERO);
    match (fault, transport) {
        (None, _) | (Some(Fault::SilentOverUdp), Transport::Tcp) => at_once(truth()),
        (Some(Fault::Refused), _) => at_once(Reply::bare(ResponseCode::Refused)),
        (Some(Fault::ServFail), _) => at_once(Reply::bare(ResponseCode::ServFail)),
        (Some(Fault::NxDomain), _) => {
            at_once(Reply { authoritative: true, ..Reply::bare(ResponseCode::NXDomain) })
        }
        (Some(Fault::NotAuthoritative), _) => at_once(Reply { authoritative: false, ..truth() }),
        (Some(Fault::ReferralUp), _) => at_once(upwards()),
        (Some(Fault::Silent), _) | (Some(Fault::SilentOverUdp), Transport::Udp) => Outcome::Silence,
        (Some(Fault::TruncatedWithoutTcp), Transport::Udp) => {
            at_once(Reply { truncated: true, ..Reply::bare(ResponseCode::NoError) })
        }
        (Some(Fault::TruncatedWithoutTcp), Transport::Tcp) => Outcome::Close,
        (Some(Fault::Late(by)), _) => Outcome::Answer(truth(), by),
    }
}

fn upwards() -> Reply {
    let root = RData::NS(NS(super::name("a.root")));
    let authorities = vec![Record::from_rdata(Name::root(), TTL, root)];
    Reply { authorities, ..Reply::bare(ResponseCode::NoError) }
}
