//! What the DNSSEC records around a name say, where a resolver called it bogus.
//!
//! Nothing is validated here: a resolver did. The records are read to say what is wrong with them.

use std::sync::Arc;

use futures_util::future::join_all;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_proto::dnssec::{DigestType, PublicKey};
use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RData, Record, RecordType};
use rules::Time;
use rules::evidence::{Dnssec, Signature};

use super::cut::Zone;
use super::exchange::Question;
use super::reading::{is_answer, not_authoritative};
use super::resolvers::Resolvers;
use super::servers::Query;
use super::walk::{Walker, Way, labels};
use crate::dns::answer::{self, Manner, word_of, written};
use crate::dns::server::Server;

/// Names of which one is bogus, and who said so.
pub(super) struct Bogus<'a> {
    pub(super) by: &'a Server,
    /// The name, and those that CNAME records led through.
    pub(super) chain: Vec<Name>,
}

impl Bogus<'_> {
    /// The first name whose CNAME record the resolver calls bogus; else it is the last.
    async fn culprit(&self, resolvers: Resolvers<'_>) -> Option<&Name> {
        let (last, aliases) = self.chain.split_last()?;
        let asked = aliases.iter().map(async |name| {
            let question = Question { name, kind: RecordType::CNAME, manner: Manner::Resolver };
            let answered = resolvers.asking.ask(self.by, question).await;
            answered.is_ok_and(|message| !is_answer(message.metadata.response_code))
        });
        let bogus = join_all(asked).await;
        aliases.iter().zip(bogus).find(|(_, bogus)| *bogus).map(|(name, _)| name).or(Some(last))
    }
}

impl Walker {
    /// The records of the zone that the bogus one of some names lies in; none where the walk does not
    /// lead to it.
    ///
    /// A zone without DS cannot be bogus itself, so then it is the one above: its "there is no DS".
    pub(super) async fn dnssec(
        &self,
        bogus: &Bogus<'_>,
        resolvers: Resolvers<'_>,
    ) -> Option<Dnssec> {
        let way = Way::new(resolvers.asking);
        let name = bogus.culprit(resolvers).await?;
        let mut zone = self.walk(name, way).await.ok()?;
        let mut records = self.records_of(&zone, (name, RecordType::A), way).await;
        while records.as_ref().is_some_and(|it| it.ds.is_empty())
            && let Some(parent) = zone.parent.clone()
            && 1 < labels(&parent.name)
        {
            records = self.records_of(&parent, (&zone.name, RecordType::DS), way).await;
            zone = parent;
        }
        records
    }

    /// The records of `zone`, and the signatures of what it says of `asked`.
    async fn records_of(
        &self,
        zone: &Arc<Zone>,
        (name, kind): (&Name, RecordType),
        way: Way<'_>,
    ) -> Option<Dnssec> {
        let parent = zone.parent.as_ref()?;
        let (ds, keys, said) = tokio::join!(
            self.signed(parent, (&zone.name, RecordType::DS), way),
            self.signed(zone, (&zone.name, RecordType::DNSKEY), way),
            self.signed(zone, (name, kind), way),
        );
        // Without it nothing is known; an empty list would say that there is none.
        Some(describe(&zone.name, &ds?, (keys.as_ref(), said.as_ref())))
    }

    async fn signed(
        &self,
        zone: &Zone,
        (name, kind): (&Name, RecordType),
        way: Way<'_>,
    ) -> Option<Message> {
        let question = Question { name, kind, manner: Manner::Signed };
        let read = |message: &Message| {
            let code = message.metadata.response_code;
            match message.metadata.authoritative {
                true if is_answer(code) => Ok(message.clone()),
                false if is_answer(code) => Err(not_authoritative(message, &zone.name, name)),
                _ => Err(word_of(code)),
            }
        };
        let said = self.first(zone, &Query { question, read: &read, way }).await;
        said.ok().map(|(message, _)| message)
    }
}

/// What the answers for DS, for DNSKEY and for the records asked for say of `zone`.
fn describe(
    zone: &Name,
    ds: &Message,
    (keys, said): (Option<&Message>, Option<&Message>),
) -> Dnssec {
    let ds: Vec<&DS> = records(ds, zone).filter_map(as_ds).collect();
    let known: Option<Vec<&DNSKEY>> = keys.map(|it| records(it, zone).filter_map(as_key).collect());
    let signatures = said.zip(keys).map(|(said, keys)| {
        let all = said.answers.iter().chain(&said.authorities).chain(&keys.answers);
        all.filter_map(signature).collect()
    });
    let all: &[&DNSKEY] = known.as_deref().unwrap_or_default();
    Dnssec {
        zone: written(zone),
        ds: ds.iter().map(ToString::to_string).collect(),
        fitting_ds: fitting(zone, all),
        matches: ds.iter().any(|ds| all.iter().any(|key| is_of(ds, zone, key))),
        keys: known.map(|keys| keys.iter().map(ToString::to_string).collect()),
        signatures,
    }
}

/// Whether `ds` is of `key`; never where its kind of digest is not known.
fn is_of(ds: &DS, zone: &Name, key: &DNSKEY) -> bool {
    key.zone_key()
        && !key.revoke()
        && ds.algorithm() == key.public_key().algorithm()
        && key.calculate_key_tag().is_ok_and(|tag| tag == ds.key_tag())
        && ds.covers(zone, key).unwrap_or(false)
}

/// The DS records that the keys of a zone should have at its parent: those of the keys that are meant
/// to be pointed at (SEP), of all where none is.
fn fitting(zone: &Name, keys: &[&DNSKEY]) -> Vec<String> {
    let is_usable = |key: &&&DNSKEY| key.zone_key() && !key.revoke();
    let usable: Vec<_> = keys.iter().filter(is_usable).collect();
    let has_entry = usable.iter().any(|key| key.secure_entry_point());
    let entries = usable.into_iter().filter(|key| key.secure_entry_point() || !has_entry);
    let ds = |key: &&DNSKEY| {
        let digest = key.to_digest(zone, DigestType::SHA256).ok()?;
        let (tag, digest) = (key.calculate_key_tag().ok()?, digest.as_ref().to_vec());
        let algorithm = key.public_key().algorithm();
        Some(DS::new(tag, algorithm, DigestType::SHA256, digest).to_string())
    };
    entries.filter_map(ds).collect()
}

fn records<'a>(message: &'a Message, name: &'a Name) -> impl Iterator<Item = &'a DNSSECRData> {
    answer::answers(message, name).filter_map(|record| match &record.data {
        RData::DNSSEC(data) => Some(data),
        _ => None,
    })
}

fn as_ds(data: &DNSSECRData) -> Option<&DS> {
    match data {
        DNSSECRData::DS(ds) => Some(ds),
        _ => None,
    }
}

fn as_key(data: &DNSSECRData) -> Option<&DNSKEY> {
    match data {
        DNSSECRData::DNSKEY(key) => Some(key),
        _ => None,
    }
}

fn signature(record: &Record) -> Option<Signature> {
    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { return None };
    let input = signature.input();
    let at = |seconds: u32| Time::from_millis(i64::from(seconds) * 1000);
    Some(Signature {
        covers: input.type_covered.to_string(),
        from: at(input.sig_inception.get()),
        until: at(input.sig_expiration.get()),
    })
}

#[cfg(test)]
mod tests {
    use hickory_proto::dnssec::{Algorithm, PublicKeyBuf};

    use super::*;

    /// The key of the example in RFC 4034, section 5.4.
    const KEY: &str = "01039e8a247418e318903b215a848acfd5f37f026bd4062db26c774c690968d5d56df8bfda91e6f3\
        6d9a279888f41333357c5e6029990d10fdf5663062a512763326980a615ddbf17a05ddfcce7e5fb3\
        abcca05a31b0957452d4521e83870789063115bf97f6c308ccf57cdc9ce7fe10f6ed1bd0cc066003\
        8c50dcdb0feb963c2f17";

    /// Its digests as there, and as in RFC 4509, section 2.3.
    const SHA1: &str = "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118";
    const SHA256: &str =
        "60485 5 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4469DA50A";

    fn octets(hex: &str) -> Vec<u8> {
        let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(octet).collect()
    }

    fn key(entry: bool, revoked: bool) -> DNSKEY {
        let public = PublicKeyBuf::new(octets(KEY), Algorithm::from_u8(5));
        DNSKEY::new(true, entry, revoked, public)
    }

    fn ds(text: &str) -> DS {
        let words: Vec<_> = text.split(' ').collect();
        let number = |at: usize| words[at].parse::<u8>().unwrap();
        let algorithm = Algorithm::from_u8(number(1));
        DS::new(words[0].parse().unwrap(), algorithm, number(2).into(), octets(words[3]))
    }

    fn zone() -> Name {
        Name::from_ascii("dskey.example.com.").unwrap()
    }

    #[test]
    fn a_ds_is_of_the_key_that_it_is_the_digest_of() {
        #[rustfmt::skip] // One case a line.
        let table = [
            ("SHA-1",             SHA1.to_owned(),                     true),
            ("SHA-256",           SHA256.to_owned(),                   true),
            ("another tag",       SHA256.replace("60485", "60486"),    false),
            ("another algorithm", SHA256.replace(" 5 2", " 8 2"),      false),
            ("another digest",    SHA256.replace("D4B7", "D4B8"),      false),
            ("an unknown kind",   SHA256.replace(" 5 2", " 5 200"),    false),
        ];
        for (shows, text, want) in table {
            assert_eq!(is_of(&ds(&text), &zone(), &key(false, false)), want, "{shows}");
            assert_eq!(ds(&text).to_string(), text, "as in a zone file");
        }
        let other = Name::from_ascii("other.example.com.").unwrap();
        assert!(!is_of(&ds(SHA256), &other, &key(false, false)), "another zone");
    }

    #[test]
    fn the_fitting_ds_are_those_of_the_keys_meant_for_it() {
        let fitting = |keys: &[DNSKEY]| fitting(&zone(), &keys.iter().collect::<Vec<_>>());
        let (plain, entry, revoked) = (key(false, false), key(true, false), key(true, true));
        assert_eq!(
            fitting(std::slice::from_ref(&plain)),
            [SHA256],
            "where none is meant for it, all"
        );
        let of_entry = fitting(std::slice::from_ref(&entry));
        assert!(of_entry[0].starts_with("60486 5 2 "), "{of_entry:?}");
        assert_eq!(fitting(&[plain, entry, revoked.clone()]), of_entry);
        assert_eq!(fitting(&[revoked]), Vec::<String>::new());
    }
}
