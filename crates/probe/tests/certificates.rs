//! The kinds of certificates that badssl.com shows, minted here, and what is told of each.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use probe::{NetProbe, Settings};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, IsCa, KeyPair, date_time_ymd,
};
use rules::Time;
use rules::clock::ManualClock;
use rules::probe::{Presented, Probe, TlsObservation, TlsVerdict};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const URL: &str = "http://pki.test/authority.crt";

type Der = CertificateDer<'static>;
type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A site, what is presented after it, and what is told: subjects, last issuer, its URL.
type Case<'a> = ((Der, KeyPair), &'a [&'a Der], &'a [&'a str], [Option<&'a str>; 2]);

/// 2060, when all certificates here are valid that are not made to be otherwise.
fn now() -> Time {
    Time::default() + Duration::from_hours(90 * 365 * 24)
}

fn key() -> KeyPair {
    KeyPair::generate().expect("randomness")
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).expect("no name");
    params.distinguished_name = subject(&[(DnType::CommonName, name)]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn subject(entries: &[(DnType, &str)]) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    for (kind, text) in entries {
        subject.push(kind.clone(), *text);
    }
    subject
}

/// A root, and an authority below it.
fn authorities() -> (Issuer, Issuer) {
    let root = Issuer::self_signed(authority("root"), key()).expect("a certificate");
    let middle = Issuer::signed_by(authority("middle"), key(), &root).expect("a certificate");
    (root, middle)
}

/// Where the certificate of its issuer is (RFC 5280, 4.2.2.1): one description, id-ad-caIssuers.
fn with_url(params: &mut CertificateParams) {
    let length = |octets: usize| u8::try_from(octets).expect("it is short");
    let method = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02";
    let location = [&[0x86, length(URL.len())], URL.as_bytes()].concat();
    let description = [&method[..], &location].concat();
    let description = [&[0x30, length(description.len())], &description[..]].concat();
    let access = [&[0x30, length(description.len())], &description[..]].concat();
    let extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access);
    params.custom_extensions.push(extension);
}

/// A certificate of `issuer` for `a.test`, as `change` wants it, and its key.
fn site(issuer: &Issuer, change: impl FnOnce(&mut CertificateParams)) -> (Der, KeyPair) {
    let (mut params, key) = (site_params(), key());
    change(&mut params);
    (params.signed_by(&key, issuer).expect("a certificate").der().clone(), key)
}

fn site_params() -> CertificateParams {
    let mut params = CertificateParams::new(["a.test".to_owned()]).expect("a name");
    params.distinguished_name = subject(&[(DnType::CommonName, "a.test")]);
    params
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key.serialize_der().into())
}

/// What is told of `a.test` where a server presents `chain`, has `key`, and `root` is trusted.
async fn shown_by(
    chain: Vec<Der>,
    key: PrivateKeyDer<'static>,
    root: &Der,
) -> (Presented, TlsVerdict) {
    let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("a good key");
    let shown: Arc<dyn ResolvesServerCert> =
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key)));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports them")
        .with_no_client_auth()
        .with_cert_resolver(shown);
    let listener = TcpListener::bind((HERE, 0)).await.expect("a free port");
    let https_port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a visitor");
        drop(TlsAcceptor::from(Arc::new(config)).accept(stream).await);
    });
    let extra_roots = vec![root.clone()];
    let settings = Settings { https_port, extra_roots, allow_private: true, ..Settings::default() };
    let probe = NetProbe::new(settings, Arc::new(ManualClock::at(now()))).expect("settings");
    match probe.handshake(&"a.test".parse().expect("a name"), HERE).await {
        TlsObservation::Presented { certificate, verdict } => (certificate, verdict),
        other => panic!("no certificate: {other:?}"),
    }
}

#[tokio::test]
async fn every_kind_gets_its_verdict() {
    let (root, middle) = authorities();
    let (stranger, _) = authorities();
    let whole = |site: (Der, KeyPair)| (vec![site.0, middle.der().clone()], site.1);
    let alone = |site: (Der, KeyPair)| (vec![site.0], site.1);
    let without_name = |params: &mut CertificateParams| params.distinguished_name = subject(&[]);
    let own_key = key();
    let own = site_params().self_signed(&own_key).expect("a certificate").der().clone();
    #[rustfmt::skip] // One case a line.
    let table = [
        ("good",                  whole(site(&middle, |_| ())), TlsVerdict::Trusted),
        ("expired",               whole(site(&middle, |it| it.not_after = date_time_ymd(2026, 1, 1))), TlsVerdict::Expired),
        ("not yet valid",         whole(site(&middle, |it| it.not_before = date_time_ymd(2070, 1, 1))), TlsVerdict::NotYetValid),
        ("wrong host",            whole(site(&middle, |it| it.subject_alt_names = CertificateParams::new(["b.test".to_owned()]).expect("a name").subject_alt_names)), TlsVerdict::OtherName),
        ("by its common name",    whole(site(&middle, |it| it.subject_alt_names.clear())), TlsVerdict::OtherName),
        ("self-signed",           (vec![own], own_key), TlsVerdict::SelfSigned),
        ("untrusted root",        alone(site(&stranger, |_| ())), TlsVerdict::UnknownIssuer),
        ("untrusted root, shown", { let (der, key) = site(&stranger, |_| ()); (vec![der, stranger.der().clone()], key) }, TlsVerdict::UnknownIssuer),
        ("incomplete chain",      alone(site(&middle, |_| ())), TlsVerdict::UnknownIssuer),
        ("chain with its root",   { let (der, key) = site(&middle, |_| ()); (vec![der, middle.der().clone(), root.der().clone()], key) }, TlsVerdict::Trusted),
        ("chain in disorder",     { let (der, key) = site(&middle, |_| ()); (vec![der, root.der().clone(), middle.der().clone()], key) }, TlsVerdict::Trusted),
        ("no common name",        whole(site(&middle, |it| it.distinguished_name = subject(&[(DnType::OrganizationName, "Shop")]))), TlsVerdict::Trusted),
        ("no subject",            whole(site(&middle, without_name)), TlsVerdict::Trusted),
    ];
    for (kind, (chain, key), want) in table {
        let (_, verdict) = shown_by(chain, private(&key), root.der()).await;
        assert_eq!(verdict, want, "{kind}");
    }
}

#[tokio::test]
async fn weak_ones_are_told_with_what_they_are() {
    let root = CertificateDer::from(&include_bytes!("weak/root.der")[..]);
    let site_key = || PrivateKeyDer::Pkcs8(include_bytes!("weak/site-key.der").to_vec().into());
    let table = [
        ("good", &include_bytes!("weak/good.der")[..], TlsVerdict::Trusted),
        ("SHA-1", &include_bytes!("weak/sha1.der")[..], TlsVerdict::Weak),
        ("MD5", &include_bytes!("weak/md5.der")[..], TlsVerdict::Weak),
        // Its key cannot be verified by us, so any key does: weak is what is known of it.
        ("RSA of 1024 bits", &include_bytes!("weak/rsa1024.der")[..], TlsVerdict::Weak),
    ];
    for (kind, der, want) in table {
        let (presented, verdict) = shown_by(vec![der.into()], site_key(), &root).await;
        assert_eq!(verdict, want, "{kind}");
        assert_eq!(
            (presented.names, presented.issuer),
            (vec!["a.test".into()], "weak root".into())
        );
    }
}

#[tokio::test]
async fn a_chain_is_told_by_its_subjects_and_by_what_is_missing() {
    let (root, middle) = authorities();
    let with_url = |params: &mut CertificateParams| with_url(params);
    let shop = |it: &mut CertificateParams| {
        it.distinguished_name =
            subject(&[(DnType::OrganizationName, "Shop"), (DnType::CommonName, "a\u{1b}.test")]);
    };
    let nobody = |it: &mut CertificateParams| it.distinguished_name = subject(&[]);
    let (middle_der, root_der) = (middle.der().clone(), root.der().clone());
    let garbage = CertificateDer::from(&b"\x30\x00"[..]);
    let table: [Case<'_>; 6] = [
        (site(&middle, with_url), &[], &["a.test"], [Some("middle"), Some(URL)]),
        (site(&middle, |_| ()), &[], &["a.test"], [Some("middle"), None]),
        (site(&middle, with_url), &[&middle_der], &["a.test", "middle"], [Some("root"), None]),
        (
            site(&middle, with_url),
            &[&middle_der, &root_der],
            &["a.test", "middle", "root"],
            [None, None],
        ),
        (
            site(&middle, shop),
            &[&garbage],
            &["Shop, a\\u001b.test", "not a readable certificate"],
            [None, None],
        ),
        (site(&middle, nobody), &[], &["a.test"], [Some("middle"), None]),
    ];
    for ((der, key), others, chain, [last_issuer, issuer_url]) in table {
        let fingerprint = Sha256::digest(&der);
        let shown = [&der].into_iter().chain(others.iter().copied()).cloned().collect();
        let (presented, _) = shown_by(shown, private(&key), &root_der).await;
        assert_eq!(presented.chain, chain);
        assert_eq!(presented.last_issuer.as_deref(), last_issuer, "{chain:?}");
        assert_eq!(presented.issuer_url.as_deref(), issuer_url, "{chain:?}");
        let octets = fingerprint.iter().map(|octet| format!("{octet:02x}"));
        assert_eq!(presented.fingerprint, octets.collect::<Vec<_>>().concat());
    }
}
