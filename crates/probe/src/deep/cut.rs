//! Where one zone ends and the next begins: what a server of a zone says of a name below it.
//!
//! Pure. [`read`] is the whole of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::reading::{below, is_answer, not_authoritative, ttl_of};
use crate::dns::answer::{self, word_of};

/// The most servers of one zone that are asked, and the most addresses of each.
const SERVERS: usize = 13;
const ADDRESSES: usize = 8;

/// A zone, as its parent delegates it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Zone {
    pub(super) name: Name,
    /// Who delegates it; none of the root.
    pub(super) parent: Option<Arc<Self>>,
    pub(super) servers: Servers,
}

/// Whom a zone is delegated to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Servers {
    /// The operator says where they are, and the guard does not judge them.
    Root(Vec<SocketAddr>),
    /// A parent says who they are.
    Delegated(Vec<Host>),
}

/// A server as a delegation names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) name: Name,
    /// Its addresses, as far as the parent may say (glue); maybe none.
    pub(super) glue: Vec<IpAddr>,
}

/// What a server of a zone says of a name below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is a cut: this zone is delegated to these, and that may be kept so long.
    Cut(Name, Vec<Host>, Duration),
    /// The name is in the zone and nothing is delegated there.
    Nothing,
    /// The name is in the zone and an alias.
    Alias,
    /// The name does not exist.
    NoSuchName,
}

/// What a server of `zone` answered when it was asked for the NS records of `asked`.
///
/// # Errors
///
/// It does not know the zone, or fails.
pub(super) fn read(message: &Message, zone: &Name, asked: &Name) -> Result<Step, String> {
    let code = message.metadata.response_code;
    if !is_answer(code) {
        return Err(word_of(code));
    }
    // A server of both the zone and the one below answers for the latter.
    if answer::answers(message, asked).any(|it| it.record_type() == RecordType::NS) {
        return Ok(cut(message, zone, asked));
    }
    if let Some(lower) = below(message, zone, asked) {
        return Ok(cut(message, zone, &lower));
    }
    if !message.metadata.authoritative {
        return Err(not_authoritative(message, zone, asked));
    }
    let is_alias = answer::answers(message, asked).any(|it| it.record_type() == RecordType::CNAME);
    Ok(match code {
        _ if is_alias => Step::Alias,
        ResponseCode::NXDomain => Step::NoSuchName,
        _ => Step::Nothing,
    })
}

fn cut(message: &Message, zone: &Name, lower: &Name) -> Step {
    let (mut hosts, mut ttl) = (BTreeSet::new(), Duration::MAX);
    for record in message.answers.iter().chain(&message.authorities) {
        if let RData::NS(server) = &record.data
            && record.name == *lower
        {
            ttl = ttl.min(ttl_of(record));
            hosts.insert(server.0.to_lowercase());
        }
    }
    let hosts = hosts.into_iter().take(SERVERS).map(|name| {
        let glue = glue(message, zone, &name);
        Host { name, glue }
    });
    Step::Cut(lower.to_lowercase(), hosts.collect(), ttl)
}

/// The addresses that a server of `zone` tells beside the names: it may of what is below it.
fn glue(message: &Message, zone: &Name, host: &Name) -> Vec<IpAddr> {
    if !zone.zone_of(host) {
        return Vec::new();
    }
    let address = |record: &Record| match &record.data {
        RData::A(found) if record.name == *host => Some(IpAddr::V4(found.0)),
        RData::AAAA(found) if record.name == *host => Some(IpAddr::V6(found.0)),
        _ => None,
    };
    let mut found: Vec<_> = message.additionals.iter().filter_map(address).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(ADDRESSES);
    found
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::OpCode;
    use hickory_proto::rr::rdata::{A, CNAME, NS};

    use super::*;

    fn name(text: &str) -> Name {
        Name::from_ascii(text).unwrap()
    }

    fn record(text: &str) -> Record {
        let words: Vec<_> = text.split_whitespace().collect();
        let data = match words[1] {
            "A" => RData::A(A(words[2].parse().unwrap())),
            "CNAME" => RData::CNAME(CNAME(name(words[2]))),
            _ => RData::NS(NS(name(words[2]))),
        };
        Record::from_rdata(name(words[0]), 60, data)
    }

    /// What a server of `test.` says of `shop.test.`, in short; sections are parted by `;`.
    fn step(code: ResponseCode, authoritative: bool, records: &str) -> Result<String, String> {
        let mut message = Message::response(0, OpCode::Query);
        message.metadata.response_code = code;
        message.metadata.authoritative = authoritative;
        let sections: Vec<Vec<Record>> = records
            .split(';')
            .map(|it| {
                it.split(',').map(str::trim).filter(|it| !it.is_empty()).map(record).collect()
            })
            .collect();
        message.add_answers(sections[0].clone());
        message.add_authorities(sections.get(1).cloned().unwrap_or_default());
        message.add_additionals(sections.get(2).cloned().unwrap_or_default());
        Ok(match read(&message, &name("test."), &name("shop.test."))? {
            Step::Cut(zone, hosts, _) => {
                let host = |it: &Host| format!(" {} {:?}", it.name, it.glue);
                format!("{zone}{}", hosts.iter().map(host).collect::<String>())
            }
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn a_server_of_a_zone_says_what_is_below_it() {
        use ResponseCode::{NXDomain, NoError, Refused, ServFail};
        let cut = |hosts: &str| Ok(format!("shop.test. {hosts}"));
        #[rustfmt::skip] // One case a line.
        let table = [
            ("a delegation",           NoError,  false, "; shop.test. NS n.test.; n.test. A 192.0.2.1",     cut("n.test. [192.0.2.1]")),
            ("of two servers",         NoError,  false, "; shop.test. NS b.test., shop.test. NS a.test.",   cut("a.test. [] b.test. []")),
            ("in any case",            NoError,  false, "; SHOP.test. NS N.Test.; n.TEST. A 192.0.2.1",     cut("n.test. [192.0.2.1]")),
            ("no glue out of bounds",  NoError,  false, "; shop.test. NS n.other.; n.other. A 192.0.2.1",   cut("n.other. []")),
            ("of the child's server",  NoError,  true,  "shop.test. NS n.test.;; n.test. A 192.0.2.1",      cut("n.test. [192.0.2.1]")),
            ("nothing there",          NoError,  true,  "",                                                 Ok("Nothing".to_owned())),
            ("an alias",               NoError,  true,  "shop.test. CNAME a.test.",                         Ok("Alias".to_owned())),
            ("an alias to nothing",    NXDomain, true,  "shop.test. CNAME a.test.",                         Ok("Alias".to_owned())),
            ("no such name",           NXDomain, true,  "",                                                 Ok("NoSuchName".to_owned())),
            ("that it does not know",  NXDomain, false, "",                                                 Err("answers without authority".to_owned())),
            ("upwards",                NoError,  false, "; . NS a.root.",                                   Err("refers upwards, to the root".to_owned())),
            ("to itself",              NoError,  false, "; test. NS n.test.",                               Err("refers upwards, to `test`".to_owned())),
            ("to somebody beside it",  NoError,  false, "; x.test. NS n.test.",                             Err("refers elsewhere, to `x.test`".to_owned())),
            ("a refusal",              Refused,  false, "",                                                 Err("REFUSED".to_owned())),
            ("an error",               ServFail, false, "",                                                 Err("SERVFAIL".to_owned())),
        ];
        for (shows, code, authoritative, records, want) in table {
            assert_eq!(step(code, authoritative, records), want, "{shows}");
        }
    }
}
