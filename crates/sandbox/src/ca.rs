//! The sandbox's own certificate authority: every certificate that a browser can meet, good and bad.
//!
//! One key serves all certificates of sites: thousands of names cost thousands of signatures, not key pairs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SerialNumber,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use serde::{Deserialize, Serialize};

use crate::locked;

const DAY: Duration = Duration::from_hours(24);

/// The name in certificates for other names.
const OTHER_NAME: &str = "other.closte.test";
/// The name in the certificate of a web server that has none for the name asked for.
const DEFAULT_NAME: &str = "default.closte.test";
/// The longest common name (RFC 5280, ub-common-name).
const COMMON_NAME_LIMIT: usize = 64;

/// What a name's visitors are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Certificate {
    /// A good certificate of the sandbox's CA.
    Valid(Validity),
    /// One that ended a day ago.
    Expired,
    /// One that begins in a day.
    NotYetValid,
    /// One for another name.
    OtherName,
    /// One that no authority signed.
    SelfSigned,
    /// The one that the web server shows for names it does not know.
    #[default]
    Default,
    /// None: the handshake ends with the alert `unrecognized_name`.
    None,
    /// Nothing at all: the handshake never continues.
    NoAnswer,
}

/// How long a certificate is valid in all, and how much of that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Validity {
    /// From its first to its last moment, in seconds.
    #[serde(with = "crate::seconds")]
    pub lifetime: Duration,
    /// From its first moment until now, in seconds.
    #[serde(with = "crate::seconds")]
    pub elapsed: Duration,
}

impl Default for Validity {
    fn default() -> Self {
        Self { lifetime: 90 * DAY, elapsed: Duration::from_hours(1) }
    }
}

impl Certificate {
    /// A good certificate for 90 days, an hour old.
    pub fn valid() -> Self {
        Self::Valid(Validity::default())
    }

    /// A good certificate for 90 days, with ten left.
    pub fn expiring() -> Self {
        Self::Valid(Validity { lifetime: 90 * DAY, elapsed: 80 * DAY })
    }
}

/// The sandbox's CA, new at each start.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    leaf_key: KeyPair,
    serial: AtomicU64,
    issued: Mutex<BTreeMap<(String, Certificate), Arc<ServerConfig>>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("serial", &self.serial).finish_non_exhaustive()
    }
}

impl Authority {
    /// Make a CA and its keys.
    ///
    /// # Errors
    ///
    /// The system has no randomness for the keys.
    pub fn new() -> Result<Self, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "closte-sync sandbox CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        set_period(&mut params, now().saturating_sub(3650 * DAY), 7300 * DAY);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self {
            issuer,
            leaf_key: KeyPair::generate()?,
            serial: AtomicU64::new(1),
            issued: Mutex::default(),
        })
    }

    /// The CA's certificate, for those who are to trust it.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What the web server needs to show `name` (or a wildcard) this certificate.
    ///
    /// # Errors
    ///
    /// The name cannot be in a certificate.
    pub(crate) fn config(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<Arc<ServerConfig>, rcgen::Error> {
        let name = if *certificate == Certificate::Default { DEFAULT_NAME } else { name };
        let key = (name.to_owned(), certificate.clone());
        let mut issued = locked(&self.issued);
        if let Some(config) = issued.get(&key) {
            return Ok(Arc::clone(config));
        }
        let config = self.server_config(self.issue(name, certificate)?);
        issued.insert(key, Arc::clone(&config));
        Ok(config)
    }

    fn issue(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        let mut params = CertificateParams::new(vec![covered_name(name, certificate).to_owned()])?;
        params.distinguished_name = subject(name);
        let (begin, lifetime) = period(certificate);
        set_period(&mut params, begin, lifetime);
        // One key for all would give all the same serial number otherwise.
        params.serial_number =
            Some(SerialNumber::from(self.serial.fetch_add(1, Ordering::Relaxed)));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let signed = match certificate {
            Certificate::SelfSigned => params.self_signed(&self.leaf_key)?,
            _ => params.signed_by(&self.leaf_key, &self.issuer)?,
        };
        Ok(signed.der().clone())
    }

    fn server_config(&self, certificate: CertificateDer<'static>) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(self.leaf_key.serialize_der().into());
        let key = ring::sign::any_supported_type(&key).expect("ring made this key");
        let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring supports TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver));
        // A resumed session would show yesterday's certificate.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

/// The name that the certificate really covers (RFC 9525: by its subjectAltName only).
fn covered_name<'a>(name: &'a str, certificate: &Certificate) -> &'a str {
    match certificate {
        Certificate::OtherName => OTHER_NAME,
        _ => name,
    }
}

/// A subject to catch clients that still use it: it names the site also where the certificate
/// does not cover it.
fn subject(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    if name.len() <= COMMON_NAME_LIMIT {
        subject.push(DnType::CommonName, name);
    }
    subject
}

/// When the certificate begins, since the epoch, and how long it is valid.
fn period(certificate: &Certificate) -> (Duration, Duration) {
    let usual = Validity::default();
    match certificate {
        Certificate::Valid(validity) => (now().saturating_sub(validity.elapsed), validity.lifetime),
        Certificate::Expired => (now().saturating_sub(usual.lifetime + DAY), usual.lifetime),
        Certificate::NotYetValid => (now() + DAY, usual.lifetime),
        _ => (now().saturating_sub(usual.elapsed), usual.lifetime),
    }
}

/// Certificates and HTTP dates count from the Unix epoch.
fn set_period(params: &mut CertificateParams, begin: Duration, lifetime: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + begin;
    params.not_after = epoch + begin + lifetime;
}

/// The system's time: clients that judge our certificates use it too.
#[expect(
    clippy::disallowed_methods,
    reason = "the sandbox plays the outside world, which has its own clock"
)]
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
