//! Signatures of a zone (RFC 4034, RFC 6605), made by hand: good ones, and those that are wrong in a chosen way.
//!
//! They are made with `ring` and not with the DNSSEC of `hickory-proto`: that is a feature, and one
//! build of all crates would switch it on in the program that is tested.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hickory_proto::rr::rdata::NULL;
use hickory_proto::rr::{Name, RData, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use sha2::{Digest, Sha256};

use super::zone::TTL;

/// ECDSA over P-256 with SHA-256 (RFC 6605).
const ALGORITHM: u8 = 13;
/// SHA-256 (RFC 4509).
const DIGEST: u8 = 2;
/// A zone key that is a secure entry point.
const FLAGS: u16 = 257;
/// DNSSEC.
const PROTOCOL: u8 = 3;

const DAY: Duration = Duration::from_hours(24);

/// How the DNSSEC of a zone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dnssec {
    /// The parent has no DS, the zone no keys.
    Unsigned,
    /// All as it should be.
    Good,
    /// The parent has a DS, and the zone no DNSKEY.
    NoKey,
    /// The parent's DS is for another key.
    OtherKey,
    /// The zone has its DNSKEY, and signs nothing.
    NoSignatures,
    /// The signatures ended two days ago: validators forgive one.
    Expired,
    /// The signatures begin in two days.
    NotYetValid,
}

/// A zone's key, and how it signs.
#[derive(Clone)]
pub(super) struct Signing {
    key: Arc<EcdsaKeyPair>,
    /// First and last second of the signatures, since the epoch; none: there are none.
    period: Option<(u32, u32)>,
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("period", &self.period).finish_non_exhaustive()
    }
}

impl Signing {
    /// The zone's side; none where it has no key.
    pub(super) fn new(dnssec: Dnssec) -> Option<Self> {
        let now = since_the_epoch();
        let good = Some((now.saturating_sub(DAY), now + 20 * DAY));
        let period = match dnssec {
            Dnssec::Unsigned | Dnssec::NoKey => return None,
            Dnssec::Good | Dnssec::OtherKey => good,
            Dnssec::NoSignatures => None,
            Dnssec::Expired => Some((now.saturating_sub(20 * DAY), now.saturating_sub(2 * DAY))),
            Dnssec::NotYetValid => Some((now + 2 * DAY, now + 20 * DAY)),
        };
        let period = period.map(|(from, until)| (seconds(from), seconds(until)));
        Some(Self { key: new_key(), period })
    }

    pub(super) fn signs(&self) -> bool {
        self.period.is_some()
    }

    pub(super) fn dnskey(&self) -> RData {
        raw(RecordType::DNSKEY, self.dnskey_data())
    }

    fn dnskey_data(&self) -> Vec<u8> {
        // `ring` writes an uncompressed point with a 4 before it.
        let point = &self.key.public_key().as_ref()[1..];
        [&FLAGS.to_be_bytes()[..], &[PROTOCOL, ALGORITHM], point].concat()
    }

    /// The DS for this key at the parent.
    pub(super) fn ds(&self, apex: &Name) -> RData {
        let key = self.dnskey_data();
        let digest = Sha256::new().chain_update(encoded(apex)).chain_update(&key).finalize();
        let head = [&key_tag(&key).to_be_bytes()[..], &[ALGORITHM, DIGEST]].concat();
        raw(RecordType::DS, [&head[..], &digest[..]].concat())
    }

    /// The signature of all records of one name and type; `owner` is the one in the zone.
    ///
    /// # Panics
    ///
    /// The zone signs nothing.
    pub(super) fn rrsig(&self, apex: &Name, owner: &Name, (kind, set): (u16, &[RData])) -> RData {
        let (from, until) = self.period.expect("asked only where it signs");
        let mut head = kind.to_be_bytes().to_vec();
        head.extend([ALGORITHM, owner.num_labels()]);
        for number in [TTL, until, from] {
            head.extend(number.to_be_bytes());
        }
        head.extend(key_tag(&self.dnskey_data()).to_be_bytes());
        head.extend(encoded(apex));
        let mut signed = head.clone();
        let data: BTreeSet<Vec<u8>> = set.iter().map(encoded).collect();
        for data in data {
            signed.extend(encoded(owner));
            signed.extend(kind.to_be_bytes());
            signed.extend([0, 1]);
            signed.extend(TTL.to_be_bytes());
            signed.extend(u16::try_from(data.len()).expect("records are short").to_be_bytes());
            signed.extend(data);
        }
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("the key signs");
        raw(RecordType::RRSIG, [&head[..], signature.as_ref()].concat())
    }
}

/// The record that says which name comes next, and which types the one before has.
pub(super) fn nsec(next: &Name, types: &BTreeSet<u16>) -> RData {
    let mut windows: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for kind in types {
        let [window, low] = kind.to_be_bytes();
        let map = windows.entry(window).or_default();
        map.resize(usize::from(low / 8) + 1, 0);
        map[usize::from(low / 8)] |= 0x80 >> (low % 8);
    }
    let mut data = encoded(next);
    for (window, map) in windows {
        data.extend([window, u8::try_from(map.len()).expect("at most 32")]);
        data.extend(map);
    }
    raw(RecordType::NSEC, data)
}

/// What the parent says of a zone: its DS.
pub(super) fn ds_of(apex: &Name, dnssec: Dnssec, signing: Option<&Signing>) -> Vec<RData> {
    let another = || Signing { key: new_key(), period: None }.ds(apex);
    match dnssec {
        Dnssec::Unsigned => Vec::new(),
        Dnssec::NoKey | Dnssec::OtherKey => vec![another()],
        _ => signing.map(|it| it.ds(apex)).into_iter().collect(),
    }
}

/// Whether one of the keys is the one that one of the DS means (RFC 4035, 5.2).
pub(super) fn is_vouched_for(apex: &Name, ds: &[RData], keys: &[RData]) -> bool {
    keys.iter().map(encoded).any(|key| {
        let digest = Sha256::new().chain_update(encoded(apex)).chain_update(&key).finalize();
        ds.iter().map(encoded).any(|ds| ds.ends_with(&digest[..]))
    })
}

/// Whether the time of a signature has begun and not ended.
pub(super) fn holds_now(rrsig: &RData) -> bool {
    let data = encoded(rrsig);
    let at = |from: usize| {
        let bytes = data.get(from..from + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_be_bytes)
    };
    (at(12)..=at(8)).contains(&seconds(since_the_epoch()))
}

/// A DS as zone files have it.
pub(super) fn ds_text(ds: &RData) -> String {
    let data = encoded(ds);
    let mut text = format!("{} {} {} ", u16::from_be_bytes([data[0], data[1]]), data[2], data[3]);
    for byte in &data[4..] {
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// RFC 4034, appendix B.
fn key_tag(dnskey: &[u8]) -> u16 {
    let sum: u32 = dnskey
        .iter()
        .enumerate()
        .map(|(at, byte)| if at % 2 == 0 { u32::from(*byte) << 8 } else { u32::from(*byte) })
        .sum();
    u16::try_from((sum + (sum >> 16)) & 0xFFFF).expect("it is masked")
}

fn new_key() -> Arc<EcdsaKeyPair> {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("there is randomness");
    let key = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random);
    Arc::new(key.expect("it was just made"))
}

fn raw(kind: RecordType, data: Vec<u8>) -> RData {
    RData::Unknown { code: kind, rdata: NULL::with(data) }
}

/// A name or data without compression, in lower case (RFC 4034, 6.2).
fn encoded(what: &impl BinEncodable) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_canonical_form(true);
    encoder.set_name_encoding(NameEncoding::UncompressedLowercase);
    what.emit(&mut encoder).expect("it is well formed");
    bytes
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).expect("until 2106")
}

/// What the time is out there.
#[expect(clippy::disallowed_methods, reason = "the internet has a clock of its own")]
pub(super) fn since_the_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
