//! A stand-in for a recursive resolver: it walks the zones in memory, from the root, as a real one does on the wire.
//!
//! It believes what a real one would: a server that is silent, fails or is not authoritative is passed over for the
//! next. It verifies no signature, but looks whether there is one, for how long it holds, and whether the parent
//! vouches for the key.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::signing::{holds_now, is_vouched_for};
use super::state::State;
use super::zone::{Question, Reply, server_name};

/// More than any chain of aliases or delegations that is meant to work.
const STEPS: usize = 12;

/// How often finding a server may need finding another.
const DEPTH: u8 = 3;

/// A resolver, and what it remembers.
#[derive(Clone, Debug)]
pub(super) struct Resolver {
    pub(super) validates: bool,
    /// Old answers, with the seconds for which they are still good.
    pub(super) held: BTreeMap<(Name, u16), (Vec<RData>, u32)>,
}

/// What the chain of trust down to an answer is worth; the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    Secure,
    Insecure,
    Bogus,
}

/// What was found for a question.
struct Found {
    reply: Reply,
    trust: Trust,
}

impl Resolver {
    pub(super) fn answer(&self, world: &State, question: &Question, unchecked: bool) -> Reply {
        if let Some((data, ttl)) = self.held.get(&(question.name.clone(), question.kind.into())) {
            let record =
                |data: &RData| Record::from_rdata(question.name.clone(), *ttl, data.clone());
            let answers = data.iter().map(record).collect();
            return Reply { answers, ..Reply::bare(ResponseCode::NoError) };
        }
        let Some(found) = world.resolve(question, 0) else {
            return Reply::bare(ResponseCode::ServFail);
        };
        match found.trust {
            Trust::Bogus if self.validates && !unchecked => Reply::bare(ResponseCode::ServFail),
            // What a wire calls AD travels in this reply's place for AA.
            trust => {
                Reply { authoritative: self.validates && trust == Trust::Secure, ..found.reply }
            }
        }
    }
}

impl State {
    /// Follow aliases until there is an answer; none where no server gives one.
    fn resolve(&self, question: &Question, depth: u8) -> Option<Found> {
        let mut asked = Question { dnssec: true, ..question.clone() };
        let mut answers = Vec::new();
        let mut trust = Trust::Secure;
        for _ in 0..STEPS {
            let found = self.walk(&asked, depth)?;
            trust = trust.max(found.trust);
            let leads_on = take_chain(&mut asked, &found.reply, &mut answers)?;
            if leads_on && found.reply.code == ResponseCode::NoError {
                continue;
            }
            let is_kept = |it: &Record| question.dnssec || it.record_type() == RecordType::SOA;
            let authorities = found.reply.authorities.into_iter().filter(is_kept).collect();
            let code = found.reply.code;
            answers.retain(|it| question.dnssec || it.record_type() != RecordType::RRSIG);
            let reply = Reply { answers, authorities, ..Reply::bare(code) };
            return Some(Found { reply, trust });
        }
        None
    }

    /// Go down from the root to the servers of the name, and ask them.
    fn walk(&self, asked: &Question, depth: u8) -> Option<Found> {
        let (mut zone, mut servers, mut trust) = (Name::root(), self.roots.clone(), Trust::Secure);
        for _ in 0..STEPS {
            let reply = servers.iter().find_map(|it| self.usable(*it, asked, &zone))?;
            let Some(cut) = referral(&reply, &zone, &asked.name) else {
                let signed = trust != Trust::Secure || is_signed_now(&reply);
                return Some(Found { reply, trust: if signed { trust } else { Trust::Bogus } });
            };
            servers = self.addresses(&reply, depth);
            if trust == Trust::Secure {
                trust = self.trust(&cut, &reply, &servers);
            }
            zone = cut;
        }
        None
    }

    /// What a server says, where that can be believed.
    fn usable(&self, server: Ipv4Addr, asked: &Question, zone: &Name) -> Option<Reply> {
        let reply = self.ask(server, asked)?;
        let answers = [ResponseCode::NoError, ResponseCode::NXDomain].contains(&reply.code);
        let leads_on = reply.authoritative || referral(&reply, zone, &asked.name).is_some();
        (answers && leads_on).then_some(reply)
    }

    /// Where the servers of a referral are.
    fn addresses(&self, reply: &Reply, depth: u8) -> Vec<Ipv4Addr> {
        let names = reply.authorities.iter().filter_map(|it| server_name(&it.data));
        let found = names.flat_map(|name| {
            let glue = ipv4(&reply.additionals, &name);
            if !glue.is_empty() || depth == DEPTH {
                return glue;
            }
            let question = Question { name: name.clone(), kind: RecordType::A, dnssec: false };
            let found = self.resolve(&question, depth + 1);
            found.map_or_else(Vec::new, |found| ipv4(&found.reply.answers, &name))
        });
        found.collect()
    }

    fn trust(&self, cut: &Name, reply: &Reply, servers: &[Ipv4Addr]) -> Trust {
        let ds = of(&reply.authorities, RecordType::DS);
        if ds.is_empty() {
            return Trust::Insecure;
        }
        let keys = Question { name: cut.clone(), kind: RecordType::DNSKEY, dnssec: true };
        let said = servers.iter().find_map(|server| self.usable(*server, &keys, cut));
        let vouched = said.is_some_and(|said| {
            is_vouched_for(cut, &ds, &of(&said.answers, RecordType::DNSKEY)) && is_signed_now(&said)
        });
        if vouched { Trust::Secure } else { Trust::Bogus }
    }
}

/// Take the aliases from a reply, and what they lead to; whether they lead on to what it does not have, and none
/// where they lead in a circle.
fn take_chain(asked: &mut Question, reply: &Reply, answers: &mut Vec<Record>) -> Option<bool> {
    let mut leads_on = false;
    loop {
        let here: Vec<_> =
            reply.answers.iter().filter(|it| it.name == asked.name).cloned().collect();
        let alias = here.iter().find_map(|it| match &it.data {
            RData::CNAME(CNAME(target)) => Some(target.to_lowercase()),
            _ => None,
        });
        let is_empty = here.is_empty();
        answers.extend(here);
        let Some(target) = alias.filter(|_| asked.kind != RecordType::CNAME) else {
            return Some(leads_on && is_empty);
        };
        if answers.iter().any(|it| it.name == target) {
            return None;
        }
        (asked.name, leads_on) = (target, true);
    }
}

/// Where a reply sends one, further down towards the name.
fn referral(reply: &Reply, zone: &Name, name: &Name) -> Option<Name> {
    let is_one = !reply.authoritative && reply.answers.is_empty();
    let servers = reply.authorities.iter().find(|it| it.record_type() == RecordType::NS);
    let cut = servers.filter(|_| is_one)?.name.clone();
    (zone.zone_of(&cut) && cut != *zone && cut.zone_of(name)).then_some(cut)
}

fn is_signed_now(reply: &Reply) -> bool {
    let all = [&reply.answers[..], &reply.authorities[..]].concat();
    let signatures = of(&all, RecordType::RRSIG);
    !signatures.is_empty() && signatures.iter().all(holds_now)
}

fn of(records: &[Record], kind: RecordType) -> Vec<RData> {
    records.iter().filter(|it| it.record_type() == kind).map(|it| it.data.clone()).collect()
}

fn ipv4(records: &[Record], name: &Name) -> Vec<Ipv4Addr> {
    let found = records.iter().filter_map(|it| match &it.data {
        RData::A(A(address)) if it.name == *name => Some(*address),
        _ => None,
    });
    found.collect()
}
