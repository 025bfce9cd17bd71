//! One zone as one server has it, and what that server says to a question (RFC 1034, 4.3.2): pure.
//!
//! A name below the apex that has NS records is cut off: it belongs to another zone, and what lies
//! at or below it is glue.

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::{CNAME, NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::signing::{Signing, nsec};

/// The time to live of every record, in seconds.
pub(super) const TTL: u32 = 300;

/// No real chain is longer.
const CHAIN_LIMIT: usize = 16;

/// The records of a zone, and its signatures where it has any.
#[derive(Clone, Debug)]
pub(super) struct Zone {
    pub(super) apex: Name,
    pub(super) records: BTreeMap<(Name, u16), Vec<RData>>,
    pub(super) signing: Option<Signing>,
}

/// What a server says, before it is a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: ResponseCode,
    pub(super) authoritative: bool,
    /// Nothing is said but that there is more (TC).
    pub(super) truncated: bool,
    pub(super) answers: Vec<Record>,
    pub(super) authorities: Vec<Record>,
    pub(super) additionals: Vec<Record>,
}

impl Reply {
    pub(super) fn bare(code: ResponseCode) -> Self {
        Self {
            code,
            authoritative: false,
            truncated: false,
            answers: Vec::new(),
            authorities: Vec::new(),
            additionals: Vec::new(),
        }
    }
}

/// A question to a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) kind: RecordType,
    /// Whether signatures are wanted too (DO).
    pub(super) dnssec: bool,
}

/// Records of one name and type.
struct Set<'a> {
    owner: Name,
    /// The owner in the zone: of what a wildcard answers, the wildcard.
    source: &'a Name,
    kind: u16,
    data: &'a [RData],
}

/// Where a name was found.
enum Located<'a> {
    Itself,
    Wildcard(&'a Name),
    Nowhere,
}

impl Zone {
    pub(super) fn new(apex: &Name) -> Self {
        let mut zone = Self { apex: apex.clone(), records: BTreeMap::new(), signing: None };
        // Negative answers are not cached for long (RFC 2308).
        let soa = SOA::new(apex.clone(), apex.clone(), 1, 3600, 600, 86400, 60);
        zone.set(apex, RecordType::SOA, vec![RData::SOA(soa)]);
        zone
    }

    /// Set all records of a name and type; none: there are none.
    pub(super) fn set(&mut self, name: &Name, kind: RecordType, data: Vec<RData>) {
        let key = (name.clone(), u16::from(kind));
        if data.is_empty() {
            self.records.remove(&key);
        } else {
            self.records.insert(key, data);
        }
    }

    /// Remove a name with all that is below it.
    pub(super) fn remove(&mut self, name: &Name) {
        self.records.retain(|(owner, _), _| !name.zone_of(owner));
    }

    pub(super) fn of(&self, name: &Name, kind: RecordType) -> &[RData] {
        self.records.get(&(name.clone(), kind.into())).map_or(&[], Vec::as_slice)
    }

    /// What an authoritative server of this zone says.
    pub(super) fn answer(&self, question: &Question) -> Reply {
        let mut reply = Reply::bare(ResponseCode::NoError);
        let mut asked = question.clone();
        for _ in 0..CHAIN_LIMIT {
            match self.step(&asked, &mut reply) {
                Some(target) if self.follows(&target, &reply) => asked.name = target,
                _ => break,
            }
        }
        reply
    }

    /// Whether the server goes on with what an alias means: in its own zone, and not in a circle.
    fn follows(&self, target: &Name, reply: &Reply) -> bool {
        self.apex.zone_of(target) && !reply.answers.iter().any(|it| it.name == *target)
    }

    /// Add what the zone says of one name; of an alias, return what it is an alias of.
    fn step(&self, asked: &Question, reply: &mut Reply) -> Option<Name> {
        if let Some(cut) = self.cut(asked) {
            self.refer(&cut, asked, reply);
            return None;
        }
        reply.authoritative = true;
        let source = match self.place(&asked.name) {
            Located::Itself => asked.name.clone(),
            Located::Wildcard(wildcard) => {
                self.prove([asked.name.clone()], asked, reply);
                wildcard.clone()
            }
            Located::Nowhere => {
                reply.code = ResponseCode::NXDomain;
                self.deny(asked, reply);
                self.prove(self.closest_wildcard(&asked.name), asked, reply);
                return None;
            }
        };
        self.tell(&source, asked, reply)
    }

    /// Add what the name at `source` has.
    fn tell(&self, source: &Name, asked: &Question, reply: &mut Reply) -> Option<Name> {
        for kind in [asked.kind, RecordType::CNAME] {
            let key = (source.clone(), u16::from(kind));
            let keys = self.keys(source, kind);
            let data = if keys.is_empty() { self.of(source, kind) } else { &keys };
            if data.is_empty() {
                continue;
            }
            let set = Set { owner: asked.name.clone(), source: &key.0, kind: key.1, data };
            self.write(&set, asked, &mut reply.answers);
            let alias = data.first().filter(|_| asked.kind != RecordType::CNAME);
            return match alias {
                Some(RData::CNAME(CNAME(target))) => Some(target.to_lowercase()),
                _ => None,
            };
        }
        self.deny(&Question { name: source.clone(), ..asked.clone() }, reply);
        None
    }

    /// The zone's keys, where `name` is the apex and they are asked for.
    fn keys(&self, name: &Name, kind: RecordType) -> Vec<RData> {
        let asked = kind == RecordType::DNSKEY && *name == self.apex;
        self.signing.iter().filter(|_| asked).map(Signing::dnskey).collect()
    }

    /// Where the question belongs to another zone.
    fn cut(&self, asked: &Question) -> Option<Name> {
        let labels = usize::from(self.apex.num_labels()) + 1..=usize::from(asked.name.num_labels());
        let mut cuts = labels.map(|count| asked.name.trim_to(count));
        // The DS of a cut is the parent's (RFC 4035, 3.1.4.1).
        let is_parents = |cut: &Name| asked.kind == RecordType::DS && *cut == asked.name;
        let cut = cuts.find(|it| !self.of(it, RecordType::NS).is_empty())?;
        (!is_parents(&cut)).then_some(cut)
    }

    fn refer(&self, cut: &Name, asked: &Question, reply: &mut Reply) {
        let servers = self.of(cut, RecordType::NS);
        let bare = Question { dnssec: false, ..asked.clone() };
        let set =
            |owner, data, kind: RecordType| Set { owner, source: cut, kind: kind.into(), data };
        self.write(&set(cut.clone(), servers, RecordType::NS), &bare, &mut reply.authorities);
        let ds = self.of(cut, RecordType::DS);
        if asked.dnssec && !ds.is_empty() {
            self.write(&set(cut.clone(), ds, RecordType::DS), asked, &mut reply.authorities);
        } else {
            self.prove([cut.clone()], asked, reply);
        }
        for name in servers.iter().filter_map(server_name) {
            for kind in [RecordType::A, RecordType::AAAA] {
                let glue = Set {
                    owner: name.clone(),
                    source: &name,
                    kind: kind.into(),
                    data: self.of(&name, kind),
                };
                self.write(&glue, &bare, &mut reply.additionals);
            }
        }
    }

    /// Say that there is nothing of the kind.
    fn deny(&self, asked: &Question, reply: &mut Reply) {
        let data = self.of(&self.apex, RecordType::SOA);
        let kind = RecordType::SOA.into();
        let set = Set { owner: self.apex.clone(), source: &self.apex, kind, data };
        self.write(&set, asked, &mut reply.authorities);
        self.prove([asked.name.clone()], asked, reply);
    }

    /// Add the NSEC records that match or cover these names (RFC 4035, 3.1.3).
    fn prove(&self, names: impl IntoIterator<Item = Name>, asked: &Question, reply: &mut Reply) {
        if self.signing.is_none() || !asked.dnssec {
            return;
        }
        let owners = self.owners();
        for name in names {
            let Some((owner, types)) = owners.range(..=&name).next_back() else { continue };
            let after = owners.range(owner..).nth(1).map_or(&self.apex, |(next, _)| next);
            let data = [nsec(after, types)];
            let kind = RecordType::NSEC.into();
            let set = Set { owner: owner.clone(), source: owner, kind, data: &data };
            if !reply.authorities.iter().any(|it| it.name == *owner && it.data == data[0]) {
                self.write(&set, asked, &mut reply.authorities);
            }
        }
    }

    /// The one wildcard that could answer: at the closest parent that exists.
    fn closest_wildcard(&self, name: &Name) -> Option<Name> {
        self.closest(name)?.prepend_label("*").ok()
    }

    /// The names of the zone with their types, glue left out.
    fn owners(&self) -> BTreeMap<Name, BTreeSet<u16>> {
        let mut owners: BTreeMap<Name, BTreeSet<u16>> = BTreeMap::new();
        for (name, kind) in self.records.keys() {
            let asked = Question { name: name.clone(), kind: RecordType::A, dnssec: false };
            let cut = self.cut(&asked);
            let of_the_cut = [RecordType::NS, RecordType::DS].map(u16::from).contains(kind);
            if cut.is_none() || cut.as_ref() == Some(name) && of_the_cut {
                owners.entry(name.clone()).or_default().insert(*kind);
            }
        }
        owners.entry(self.apex.clone()).or_default().insert(RecordType::DNSKEY.into());
        for types in owners.values_mut() {
            types.extend([RecordType::RRSIG, RecordType::NSEC].map(u16::from));
        }
        owners
    }

    /// A name exists with what is at it or below it (RFC 4592, 2.2.2).
    fn exists(&self, name: &Name) -> bool {
        self.records.keys().any(|(owner, _)| name.zone_of(owner))
    }

    fn place(&self, name: &Name) -> Located<'_> {
        if self.exists(name) {
            return Located::Itself;
        }
        let Some(wildcard) = self.closest_wildcard(name) else { return Located::Nowhere };
        let found = self.records.keys().find(|(owner, _)| *owner == wildcard);
        found.map_or(Located::Nowhere, |(owner, _)| Located::Wildcard(owner))
    }

    /// The closest parent that exists (RFC 4592, 3.3.1).
    fn closest(&self, name: &Name) -> Option<Name> {
        let labels = usize::from(self.apex.num_labels())..usize::from(name.num_labels());
        labels.rev().map(|count| name.trim_to(count)).find(|parent| self.exists(parent))
    }

    fn write(&self, set: &Set<'_>, asked: &Question, to: &mut Vec<Record>) {
        let record = |data: &RData| Record::from_rdata(set.owner.clone(), TTL, data.clone());
        to.extend(set.data.iter().map(record));
        let signing = self.signing.as_ref().filter(|it| asked.dnssec && it.signs());
        if let Some(signing) = signing.filter(|_| !set.data.is_empty()) {
            let signature = signing.rrsig(&self.apex, set.source, (set.kind, set.data));
            to.push(Record::from_rdata(set.owner.clone(), TTL, signature));
        }
    }
}

/// The name in an NS record.
pub(super) fn server_name(data: &RData) -> Option<Name> {
    match data {
        RData::NS(NS(name)) => Some(name.to_lowercase()),
        _ => None,
    }
}
