//! Every kind of certificate that a visitor can be shown, issued by authorities of this process.
//!
//! One key serves all good certificates: thousands of names cost thousands of signatures, not keys.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{Error, ServerConfig, SignatureAlgorithm, SignatureScheme};

use super::locked;
use super::signing::since_the_epoch;

const DAY: Duration = Duration::from_hours(24);

/// Which name a certificate for other names is for.
const OTHER_NAME: &str = "other.test";
/// Which name the web server's own certificate is for.
const DEFAULT_NAME: &str = "default.test";

/// The key of 1024 bits that `certificates/make` made.
const SHORT_KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/short-key.key");

/// What visitors of a name are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// A good one, for so many days in all, of which so many are over.
    Good {
        /// From its first to its last moment, in days.
        days: u32,
        /// Since its first moment, in days.
        age: u32,
    },
    /// A good one whose intermediate comes with it.
    Chained,
    /// The same whose intermediate does not come, with or without an address where it is (AIA).
    Incomplete(Aia),
    /// One that ended a day ago.
    Expired,
    /// One that begins in a day.
    NotYetValid,
    /// A good one for another name.
    OtherName,
    /// The web server's own, for another name.
    Default,
    /// One that is its own issuer.
    SelfSigned,
    /// One of an authority that nobody trusts.
    UnknownIssuer,
    /// One with a weakness; only for `shop.example` and what is right below it.
    Weak(Weakness),
    /// None: the handshake ends with the alert `unrecognized_name`.
    Alert,
    /// None: the handshake ends with the alert `internal_error`.
    InternalError,
    /// None: the connection closes.
    Close,
    /// Nothing at all: the handshake never continues.
    Silence,
}

/// Whether a certificate tells where its issuer's is (RFC 5280, 4.2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aia {
    /// It does.
    Named,
    /// It does not.
    Missing,
}

/// What is weak in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// An RSA key of 1024 bits.
    ShortKey,
    /// A signature with SHA-1.
    Sha1,
    /// A signature with MD5.
    Md5,
}

impl Certificate {
    /// A good one for 90 days, a day old.
    pub fn good() -> Self {
        Self::Good { days: 90, age: 1 }
    }
}

/// The certificates of the authorities to trust, as PEM.
pub fn trusted_pem() -> String {
    authorities().root.pem() + include_str!("../../certificates/root.pem")
}

struct Authorities {
    root: CertifiedIssuer<'static, KeyPair>,
    intermediate: CertifiedIssuer<'static, KeyPair>,
    unknown: CertifiedIssuer<'static, KeyPair>,
    leaf_key: KeyPair,
}

fn authorities() -> &'static Authorities {
    static AUTHORITIES: OnceLock<Authorities> = OnceLock::new();
    AUTHORITIES.get_or_init(|| {
        let root = CertifiedIssuer::self_signed(authority("Test Root"), key()).expect("a root");
        let intermediate = authority("Test Intermediate");
        let intermediate = CertifiedIssuer::signed_by(intermediate, key(), &root);
        let unknown = CertifiedIssuer::self_signed(authority("Nobody's Root"), key());
        Authorities {
            root,
            intermediate: intermediate.expect("an intermediate"),
            unknown: unknown.expect("a root"),
            leaf_key: key(),
        }
    })
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = called(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = since_the_epoch();
    set_period(&mut params, now.saturating_sub(3650 * DAY), 7300 * DAY);
    params
}

/// What shows `certificate` to visitors of `name`; none where it is no certificate. Whoever shows the same to the
/// same name shows one certificate.
pub(super) fn config(name: &str, certificate: &Certificate) -> Option<Arc<ServerConfig>> {
    static ISSUED: Mutex<BTreeMap<String, Arc<ServerConfig>>> = Mutex::new(BTreeMap::new());
    let name = if *certificate == Certificate::Default { DEFAULT_NAME } else { name };
    let key = format!("{name} {certificate:?}");
    if let Some(config) = locked(&ISSUED).get(&key) {
        return Some(Arc::clone(config));
    }
    let config = issue(name, certificate)?;
    locked(&ISSUED).insert(key, Arc::clone(&config));
    Some(config)
}

fn issue(name: &str, certificate: &Certificate) -> Option<Arc<ServerConfig>> {
    let shown = match certificate {
        Certificate::Alert
        | Certificate::InternalError
        | Certificate::Close
        | Certificate::Silence => return None,
        Certificate::Weak(weakness) => weak(*weakness),
        certificate => certified(name, certificate),
    };
    let resolver = SingleCertAndKey::from(shown);
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    // A resumed session would show yesterday's certificate.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Some(Arc::new(config))
}

fn certified(name: &str, certificate: &Certificate) -> CertifiedKey {
    let authorities = authorities();
    let params = leaf(name, certificate);
    let key = &authorities.leaf_key;
    let signed = match certificate {
        Certificate::SelfSigned => params.self_signed(key),
        Certificate::UnknownIssuer => params.signed_by(key, &authorities.unknown),
        Certificate::Chained | Certificate::Incomplete(_) => {
            params.signed_by(key, &authorities.intermediate)
        }
        _ => params.signed_by(key, &authorities.root),
    };
    let mut chain = vec![signed.expect("the name fits a certificate").der().clone()];
    if *certificate == Certificate::Chained {
        chain.push(authorities.intermediate.der().clone());
    }
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    CertifiedKey::new(chain, ring::sign::any_supported_type(&key).expect("ring made this key"))
}

fn leaf(name: &str, certificate: &Certificate) -> CertificateParams {
    let covered = match certificate {
        Certificate::OtherName => OTHER_NAME,
        _ => name,
    };
    let mut params = CertificateParams::new([covered.to_owned()]).expect("a name for people");
    // The common name is the one asked for, to catch those who still read it (RFC 9525).
    params.distinguished_name = called(if name.len() > 64 { "long" } else { name });
    let serial =
        u64::try_from(since_the_epoch().as_nanos() & u128::from(u64::MAX)).expect("masked");
    params.serial_number = Some(SerialNumber::from(serial));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    if *certificate == Certificate::Incomplete(Aia::Named) {
        params.custom_extensions.push(issuer_is_at("http://aia.test/intermediate.der"));
    }
    let (begin, days) = period(certificate);
    set_period(&mut params, begin, days * DAY);
    params
}

/// When it begins, since the epoch, and for how many days it is good.
fn period(certificate: &Certificate) -> (Duration, u32) {
    let now = since_the_epoch();
    match certificate {
        Certificate::Good { days, age } => (now.saturating_sub(*age * DAY), *days),
        Certificate::Expired => (now.saturating_sub(91 * DAY), 90),
        Certificate::NotYetValid => (now + DAY, 90),
        _ => (now.saturating_sub(DAY), 90),
    }
}

fn set_period(params: &mut CertificateParams, begin: Duration, lifetime: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + begin;
    params.not_after = epoch + begin + lifetime;
}

fn called(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// The extension that says where the issuer's certificate is: one access description in DER.
fn issuer_is_at(url: &str) -> CustomExtension {
    // `id-ad-caIssuers`, then the address as a general name.
    let mut description = vec![0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02];
    description.extend(der(0x86, url.as_bytes()));
    let content = der(0x30, &der(0x30, &description));
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], content)
}

/// Tag, length and content; only for short ones.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).ok().filter(|length| *length < 128);
    [&[tag, length.expect("it is short")], content].concat()
}

fn key() -> KeyPair {
    KeyPair::generate().expect("keys of the default kind")
}

fn weak(weakness: Weakness) -> CertifiedKey {
    let (certificate, key) = match weakness {
        Weakness::ShortKey => (include_str!("../../certificates/short-key.pem"), None),
        Weakness::Sha1 => (
            include_str!("../../certificates/sha1.pem"),
            Some(include_str!("../../certificates/sha1.key")),
        ),
        Weakness::Md5 => (
            include_str!("../../certificates/md5.pem"),
            Some(include_str!("../../certificates/md5.key")),
        ),
    };
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("a fixture");
    let key: Arc<dyn SigningKey> = match key {
        None => Arc::new(ShortKey),
        Some(pem) => {
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).expect("a fixture");
            ring::sign::any_supported_type(&key).expect("a usual key")
        }
    };
    CertifiedKey::new(vec![certificate], key)
}

/// A key of 1024 bits: `ring` refuses it, so Debian's `openssl` signs.
#[derive(Debug)]
struct ShortKey;

impl SigningKey for ShortKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::RSA_PSS_SHA256)
            .then(|| Box::new(Self) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for ShortKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut openssl = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign", SHORT_KEY])
            .args(["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("`openssl` is installed: Debian has the package openssl");
        let mut input = openssl.stdin.take().expect("it is piped");
        input.write_all(message).expect("it reads");
        drop(input);
        Ok(openssl.wait_with_output().expect("it ends").stdout)
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PSS_SHA256
    }
}
