//! What the records of DNSSEC say where a resolver calls a name bogus. The signatures here are none:
//! nobody validates them, only their times are read.

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, RRSIG, SigInput};
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKeyBuf};
use hickory_proto::rr::{RData, Record, RecordType, SerialNumber};
use rules::Time;
use rules::evidence::{Dnssec, Signature};

use crate::world::{Quirk, World, name};

const FROM: u32 = 1_700_000_000;
const UNTIL: u32 = 1_800_000_000;

fn key(octet: u8, entry: bool) -> DNSKEY {
    let public = PublicKeyBuf::new(vec![octet; 64], Algorithm::ECDSAP256SHA256);
    DNSKEY::new(true, entry, false, public)
}

fn ds(zone: &str, key: &DNSKEY) -> DS {
    let digest = key.to_digest(&name(zone), DigestType::SHA256).expect("a digest");
    let (tag, digest) = (key.calculate_key_tag().expect("a tag"), digest.as_ref().to_vec());
    DS::new(tag, Algorithm::ECDSAP256SHA256, DigestType::SHA256, digest)
}

fn record(owner: &str, data: DNSSECRData) -> Record {
    Record::from_rdata(name(owner), 300, RData::DNSSEC(data))
}

fn signed(owner: &str, type_covered: RecordType) -> Record {
    let input = SigInput {
        type_covered,
        algorithm: Algorithm::ECDSAP256SHA256,
        num_labels: 2,
        original_ttl: 300,
        sig_expiration: SerialNumber::new(UNTIL),
        sig_inception: SerialNumber::new(FROM),
        key_tag: 1,
        signer_name: name("shop.test."),
    };
    record(owner, DNSSECRData::RRSIG(RRSIG::from_sig(input, vec![1; 64])))
}

fn signature(covers: &str) -> Signature {
    let at = |seconds: u32| Time::from_millis(i64::from(seconds) * 1000);
    Signature { covers: covers.to_owned(), from: at(FROM), until: at(UNTIL) }
}

/// `shop.test` with an address, which the resolver calls bogus.
async fn bogus_shop() -> World {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    world.zone(9, ".", &["shop.test. A 192.0.2.1"]);
    world.quirk(9, Quirk::Bogus("shop.test."));
    world
}

impl World {
    fn sign(&self, zone: &str, servers: &[u8], records: &[Record]) {
        for server in servers {
            self.records(*server, zone, records.to_vec());
        }
    }
}

async fn dnssec(world: &World, name: &str) -> Dnssec {
    world.investigate(name).await.dnssec.expect("it is bogus")
}

#[tokio::test]
async fn a_zone_that_is_not_called_bogus_is_not_asked() {
    let world = World::with_shop(&["shop.test. A 192.0.2.1"]).await;
    world.zone(9, ".", &["shop.test. A 192.0.2.1"]);
    assert_eq!(world.investigate("shop.test").await.dnssec, None);
    world.quirk(9, Quirk::Fails(RecordType::A));
    world.quirk(9, Quirk::Fails(RecordType::AAAA));
    assert_eq!(
        world.investigate("shop.test").await.dnssec,
        None,
        "SERVFAIL without validation too"
    );
    assert!(world.asked(3).iter().all(|asked| asked.kind != RecordType::DNSKEY));
}

#[tokio::test]
async fn keys_digests_and_signatures_are_all_told() {
    let world = bogus_shop().await;
    let (entry, other) = (key(1, true), key(2, false));
    world.records(
        2,
        "test.",
        vec![record("shop.test.", DNSSECRData::DS(ds("shop.test.", &entry)))],
    );
    world.sign(
        "shop.test.",
        &[3, 4],
        &[
            record("shop.test.", DNSSECRData::DNSKEY(entry.clone())),
            record("shop.test.", DNSSECRData::DNSKEY(other.clone())),
            signed("shop.test.", RecordType::DNSKEY),
            signed("shop.test.", RecordType::A),
        ],
    );
    let fitting = ds("shop.test.", &entry).to_string();
    let want = Dnssec {
        zone: "shop.test".to_owned(),
        ds: vec![fitting.clone()],
        keys: Some(vec![entry.to_string(), other.to_string()]),
        fitting_ds: vec![fitting.clone()],
        matches: true,
        signatures: Some(vec![signature("A"), signature("DNSKEY")]),
    };
    assert_eq!(dnssec(&world, "shop.test").await, want);
    let tag = entry.calculate_key_tag().unwrap();
    assert!(fitting.starts_with(&format!("{tag} 13 2 ")), "as in a zone file: {fitting}");
    assert!(want.keys.unwrap()[0].starts_with("257 3 13 AQEB"));
}

#[tokio::test]
async fn a_ds_without_keys_and_a_ds_of_another_key_are_told_apart() {
    let world = bogus_shop().await;
    let (entry, gone) = (key(1, true), key(3, true));
    world.records(2, "test.", vec![record("shop.test.", DNSSECRData::DS(ds("shop.test.", &gone)))]);
    let without = dnssec(&world, "shop.test").await;
    assert_eq!((without.keys, without.matches), (Some(Vec::new()), false));
    assert_eq!(without.fitting_ds, Vec::<String>::new());
    assert_eq!(without.signatures, Some(Vec::new()), "unsigned");

    world.sign("shop.test.", &[3, 4], &[record("shop.test.", DNSSECRData::DNSKEY(entry.clone()))]);
    let other = dnssec(&world, "shop.test").await;
    assert!(!other.matches);
    assert_eq!(other.ds, [ds("shop.test.", &gone).to_string()]);
    assert_eq!(other.fitting_ds, [ds("shop.test.", &entry).to_string()]);
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_not_none() {
    let world = bogus_shop().await;
    world.records(
        2,
        "test.",
        vec![record("shop.test.", DNSSECRData::DS(ds("shop.test.", &key(1, true))))],
    );
    world.quirk(3, Quirk::Fails(RecordType::DNSKEY));
    world.quirk(4, Quirk::Fails(RecordType::DNSKEY));
    let said = dnssec(&world, "shop.test").await;
    assert_eq!((said.keys, said.signatures, said.matches), (None, None, false));
}

#[tokio::test]
async fn long_answers_come_over_tcp() {
    let world = bogus_shop().await;
    let keys = (0..9).map(|octet| record("shop.test.", DNSSECRData::DNSKEY(key(octet, true))));
    world.sign("shop.test.", &[3, 4], &keys.collect::<Vec<_>>());
    world.records(
        2,
        "test.",
        vec![record("shop.test.", DNSSECRData::DS(ds("shop.test.", &key(0, true))))],
    );
    for server in [3, 4] {
        world.quirk(server, Quirk::Truncates);
    }
    let said = dnssec(&world, "shop.test").await;
    assert_eq!(said.keys.map(|keys| keys.len()), Some(9));
    assert!(said.matches);
}

#[tokio::test]
async fn an_unsigned_zone_below_a_signed_one_leads_up_to_that() {
    let world = bogus_shop().await;
    world.zone(9, ".", &["sub.shop.test. A 192.0.2.5"]);
    world.quirk(9, Quirk::Bogus("sub.shop.test."));
    for server in [3, 4] {
        let cut = ["sub.shop.test. NS ns.sub.shop.test.", "ns.sub.shop.test. A 127.0.0.5"];
        world.zone(server, "shop.test.", &cut);
    }
    world.zone(5, "sub.shop.test.", &["sub.shop.test. A 192.0.2.5"]);
    world.records(
        2,
        "test.",
        vec![record("shop.test.", DNSSECRData::DS(ds("shop.test.", &key(1, true))))],
    );
    assert_eq!(dnssec(&world, "sub.shop.test").await.zone, "shop.test");
}

#[tokio::test]
async fn the_zone_that_is_bogus_may_be_a_targets() {
    let world = World::with_shop(&["www.shop.test. CNAME www.else.test."]).await;
    world.delegate("else.test.", &[5]);
    world.zone(5, "else.test.", &["www.else.test. A 192.0.2.5"]);
    world.zone(9, ".", &["www.shop.test. CNAME www.else.test.", "www.else.test. A 192.0.2.5"]);
    world.records(
        2,
        "test.",
        vec![record("else.test.", DNSSECRData::DS(ds("else.test.", &key(1, true))))],
    );
    world.quirk(9, Quirk::BogusAddress("www.shop.test."));
    world.quirk(9, Quirk::BogusAddress("www.else.test."));
    assert_eq!(dnssec(&world, "www.shop.test").await.zone, "else.test");

    let own = World::with_shop(&["www.shop.test. CNAME www.else.test."]).await;
    own.zone(9, ".", &["www.shop.test. CNAME www.else.test.", "www.else.test. A 192.0.2.5"]);
    own.quirk(9, Quirk::Bogus("www.shop.test."));
    assert_eq!(dnssec(&own, "www.shop.test").await.zone, "shop.test");
}
