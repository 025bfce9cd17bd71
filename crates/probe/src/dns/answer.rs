//! Questions and answers of DNS: what one message says about one name.
//!
//! Pure. Records for other names, types and classes than the ones asked for
//! are not checked.

use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// The most names that a chain of CNAME records may have.
const LONGEST_PATH: usize = 16;

/// The most octets that an answer over UDP should have (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// How a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryForm {
    /// With EDNS (RFC 6891), as everybody asks today.
    Edns,
    /// As in 1987, for servers that fail on it.
    Plain,
}

/// Whom a question is for, and what it asks for besides the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A resolver, which asks others.
    Resolver,
    /// The same, and it shall not validate (CD, RFC 4035).
    Unvalidated,
    /// The same, and it shall say whether it validated (DO and AD, RFC 6840).
    Proving,
    /// An authoritative server, which says what it knows itself.
    Authority,
    /// The same, with the signatures (DO).
    Signed,
}

impl Manner {
    /// Whether records of DNSSEC are asked for; only with EDNS can they be.
    pub(crate) fn wants_signatures(self) -> bool {
        matches!(self, Self::Proving | Self::Signed)
    }
}

/// The message that asks for `kind` of `name`; its id is 0.
pub(crate) fn query(
    name: &Name,
    kind: RecordType,
    manner: Manner,
    form: QueryForm,
) -> Option<Vec<u8>> {
    let mut message = Message::new(0, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = !matches!(manner, Manner::Authority | Manner::Signed);
    message.metadata.checking_disabled = manner == Manner::Unvalidated;
    message.metadata.authentic_data = manner == Manner::Proving;
    message.add_query(Query::query(name.clone(), kind));
    if form == QueryForm::Edns {
        let mut edns = Edns::new();
        edns.set_max_payload(PAYLOAD);
        edns.set_dnssec_ok(manner.wants_signatures());
        message.set_edns(edns);
    }
    message.to_vec().ok()
}

/// The name asked for, and those that the CNAME records passed through from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    names: Vec<Name>,
}

impl Path {
    pub(crate) fn from(name: Name) -> Self {
        Self { names: vec![name] }
    }

    /// Where it has led to.
    pub(crate) fn end(&self) -> &Name {
        self.names.last().expect("a path begins with the name asked for")
    }

    /// The names it led through, for people.
    pub(crate) fn through(&self) -> Vec<String> {
        self.names[1..].iter().map(written).collect()
    }

    pub(crate) fn has_led_on(&self) -> bool {
        1 < self.names.len()
    }

    /// Continue with `target`, unless the chain is too long or a loop.
    pub(crate) fn lead(&mut self, target: Name) -> Result<(), Refusal> {
        if self.names.contains(&target) {
            let detail =
                format!("its CNAME records lead in a circle, back to `{}`", written(&target));
            return Err(Refusal::last(detail));
        }
        if self.names.len() == LONGEST_PATH {
            return Err(Refusal::last(format!(
                "more than {} CNAME records in a row",
                LONGEST_PATH - 1
            )));
        }
        self.names.push(target);
        Ok(())
    }
}

/// What a message says about the name at the end of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It has these addresses.
    Addresses(Vec<IpAddr>),
    /// It has none of the type asked for.
    NoAddress,
    /// It does not exist.
    NoSuchName,
    /// Nothing yet: ask for the new end of the path.
    LedOn,
}

/// A server that does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Whether it might answer the same in another dialect.
    pub(super) again: bool,
    /// What it said.
    pub(super) detail: String,
}

impl Refusal {
    fn last(detail: String) -> Self {
        Self { again: false, detail }
    }
}

/// Read an answer to the question for `kind` of the end of `path`, and follow
/// the path along the CNAME records in it.
///
/// NXDOMAIN is about the last name of a chain (RFC 6604). A domain that points
/// to a name that does not exist does exist itself, so it has no address.
pub(crate) fn read(
    message: &Message,
    kind: RecordType,
    path: &mut Path,
) -> Result<Reading, Refusal> {
    let code = message.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Err(refusal(code));
    }
    let start = path.names.len();
    while let Some(target) = cname(message, path.end()) {
        path.lead(target)?;
    }
    let addresses: Vec<_> = addresses(message, kind, path.end()).collect();
    if !addresses.is_empty() {
        return Ok(Reading::Addresses(addresses));
    }
    match code {
        ResponseCode::NXDomain if path.has_led_on() => Ok(Reading::NoAddress),
        ResponseCode::NXDomain => Ok(Reading::NoSuchName),
        _ if start < path.names.len() && !is_final(message) => Ok(Reading::LedOn),
        _ if is_referral(message) => {
            Err(Refusal::last("a referral: it does not ask others for us".to_owned()))
        }
        _ => Ok(Reading::NoAddress),
    }
}

fn refusal(code: ResponseCode) -> Refusal {
    let again = matches!(code, ResponseCode::FormErr | ResponseCode::NotImp);
    Refusal { again, detail: word_of(code) }
}

/// A response code in its own word.
pub(crate) fn word_of(code: ResponseCode) -> String {
    let word = match code {
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::NotAuth => "NOTAUTH",
        _ => return format!("response code {}", u16::from(code)),
    };
    word.to_owned()
}

/// Whether a recursive server followed the chain to its end and found nothing
/// there (RFC 2308): asking for that end again would only cost time.
pub(crate) fn is_final(message: &Message) -> bool {
    message.metadata.recursion_available && has_authority(message, RecordType::SOA)
}

/// Whether a server only named others that should be asked.
pub(crate) fn is_referral(message: &Message) -> bool {
    let meta = &message.metadata;
    !meta.recursion_available
        && !meta.authoritative
        && has_authority(message, RecordType::NS)
        && !has_authority(message, RecordType::SOA)
}

pub(crate) fn has_authority(message: &Message, kind: RecordType) -> bool {
    message.authorities.iter().any(|record| record.record_type() == kind)
}

fn cname(message: &Message, name: &Name) -> Option<Name> {
    answers(message, name).find_map(|record| match &record.data {
        RData::CNAME(target) => Some(target.0.clone()),
        _ => None,
    })
}

pub(crate) fn addresses<'a>(
    message: &'a Message,
    kind: RecordType,
    name: &'a Name,
) -> impl Iterator<Item = IpAddr> {
    answers(message, name).filter_map(move |record| match (&record.data, kind) {
        (RData::A(found), RecordType::A) => Some(IpAddr::V4(found.0)),
        (RData::AAAA(found), RecordType::AAAA) => Some(IpAddr::V6(found.0)),
        _ => None,
    })
}

pub(crate) fn answers<'a>(
    message: &'a Message,
    name: &'a Name,
) -> impl Iterator<Item = &'a Record> {
    let wanted = move |record: &&Record| record.dns_class == DNSClass::IN && record.name == *name;
    message.answers.iter().filter(wanted)
}

/// `name` as we write names: lower case, no final dot, odd octets escaped.
pub(crate) fn written(name: &Name) -> String {
    let text = name.to_lowercase().to_ascii();
    text.strip_suffix('.').unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, AAAA, CNAME, NS, SOA};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    /// An answer with these records: `www CNAME shop`, `shop A 192.0.2.1`.
    fn message(code: ResponseCode, records: &[&str]) -> Message {
        let mut message = Message::response(0, OpCode::Query);
        message.metadata.response_code = code;
        for record in records {
            let words: Vec<_> = record.split(' ').collect();
            let owner = name(&format!("{}.test.", words[0]));
            let data = match words[1] {
                "A" => RData::A(A(words[2].parse().unwrap())),
                "AAAA" => RData::AAAA(AAAA(words[2].parse().unwrap())),
                _ => RData::CNAME(CNAME(name(&format!("{}.test.", words[2])))),
            };
            message.add_answer(Record::from_rdata(owner, 60, data));
        }
        message
    }

    fn read_a(message: &Message) -> (Result<Reading, String>, Vec<String>) {
        let mut path = Path::from(name("www.test."));
        let reading = read(message, RecordType::A, &mut path);
        (reading.map_err(|refusal| refusal.detail), path.through())
    }

    #[test]
    fn an_answer_says_what_the_name_asked_for_has() {
        use ResponseCode::{NXDomain, NoError};
        let address = || Reading::Addresses(vec!["192.0.2.1".parse().unwrap()]);
        #[rustfmt::skip]
        let table = [
            ("an address",                 NoError,  &["www A 192.0.2.1"][..],                                  address(), &[][..]),
            ("in another case",            NoError,  &["WWW A 192.0.2.1"],                                      address(), &[]),
            ("not what was not asked for", NoError,  &["www AAAA 2001:db8::1", "other A 192.0.2.9"],            Reading::NoAddress, &[]),
            ("a chain in full",            NoError,  &["www CNAME Shop", "shop CNAME b", "b A 192.0.2.1"],      address(), &["shop.test", "b.test"]),
            ("a chain in any order",       NoError,  &["b A 192.0.2.1", "shop CNAME b", "www CNAME shop"],      address(), &["shop.test", "b.test"]),
            ("its first link only",        NoError,  &["www CNAME shop"],                                       Reading::LedOn, &["shop.test"]),
            ("nothing",                    NoError,  &[],                                                       Reading::NoAddress, &[]),
            ("no such name",               NXDomain, &[],                                                       Reading::NoSuchName, &[]),
            ("a chain that leads nowhere", NXDomain, &["www CNAME shop"],                                       Reading::NoAddress, &["shop.test"]),
        ];
        for (shows, code, records, want, through) in table {
            let (reading, path) = read_a(&message(code, records));
            assert_eq!(reading.as_ref(), Ok(&want), "{shows}");
            assert_eq!(path, through, "{shows}");
        }
    }

    #[test]
    fn a_server_that_cannot_say_is_told_apart_from_one_that_says_no() {
        let said = |code, records: &[&str]| read_a(&message(code, records)).0.unwrap_err();
        assert_eq!(said(ResponseCode::ServFail, &["www CNAME shop"]), "SERVFAIL");
        assert_eq!(said(ResponseCode::Refused, &[]), "REFUSED");
        assert_eq!(said(ResponseCode::BADVERS, &[]), "response code 16");
        assert_eq!(
            said(ResponseCode::NoError, &["www CNAME shop", "shop CNAME www"]),
            "its CNAME records lead in a circle, back to `www.test`"
        );
        let links: Vec<_> = (0..20).map(|n| format!("n{n} CNAME n{}", n + 1)).collect();
        let mut chain: Vec<_> = links.iter().map(String::as_str).collect();
        chain.push("www CNAME n0");
        assert_eq!(said(ResponseCode::NoError, &chain), "more than 15 CNAME records in a row");
    }

    #[test]
    fn what_stands_in_the_authority_section_is_understood() {
        let zone = name("test.");
        let soa = SOA::new(zone.clone(), zone.clone(), 1, 1, 1, 1, 1);
        let mut whole = message(ResponseCode::NoError, &["www CNAME shop"]);
        whole.metadata.recursion_available = true;
        whole.add_authority(Record::from_rdata(zone.clone(), 60, RData::SOA(soa)));
        assert_eq!(read_a(&whole).0, Ok(Reading::NoAddress), "a chain whose end has no address");

        let mut referral = message(ResponseCode::NoError, &[]);
        referral.add_authority(Record::from_rdata(zone.clone(), 60, RData::NS(NS(zone))));
        assert_eq!(
            read_a(&referral).0,
            Err("a referral: it does not ask others for us".to_owned())
        );
    }

    #[test]
    fn a_name_is_written_lower_case_with_odd_octets_escaped() {
        assert_eq!(written(&name("Shop.Example.")), "shop.example");
        let odd = Name::from_labels([b"a\x1b[2J".as_slice(), b"test"]).unwrap();
        assert!(!written(&odd).contains('\u{1b}'), "{}", written(&odd));
    }
}
