//! Records as tests and control calls write them, and what they are on the wire.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_server::proto::ProtoError;
use hickory_server::proto::rr::rdata::{self, CAA, SOA, TXT};
use hickory_server::proto::rr::{Name, RData};
use serde::{Deserialize, Serialize};

pub use hickory_server::proto::rr::RecordType;

/// One record of a name. In JSON: `{"A":"127.0.0.1"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE", deny_unknown_fields)]
pub enum Record {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name that this one is an alias of.
    Cname(String),
    /// A name server.
    Ns(String),
    /// The primary name server of a zone; the numbers do not matter here.
    Soa(String),
    /// Who may issue certificates (RFC 8659).
    Caa {
        /// Whether an issuer that does not know the tag must refuse.
        #[serde(default)]
        critical: bool,
        /// `issue`, `issuewild`, `iodef` or something newer.
        tag: String,
        /// What the tag says.
        value: String,
    },
    /// Free text.
    Txt(String),
}

/// An A record.
///
/// # Panics
///
/// The text is not an IPv4 address.
pub fn a(address: &str) -> Record {
    Record::A(address.parse().expect("an IPv4 address"))
}

/// An AAAA record.
///
/// # Panics
///
/// The text is not an IPv6 address.
pub fn aaaa(address: &str) -> Record {
    Record::Aaaa(address.parse().expect("an IPv6 address"))
}

/// A CNAME record.
pub fn cname(target: &str) -> Record {
    Record::Cname(target.to_owned())
}

/// A CAA record that is not critical.
pub fn caa(tag: &str, value: &str) -> Record {
    Record::Caa { critical: false, tag: tag.to_owned(), value: value.to_owned() }
}

impl Record {
    /// The type of the record.
    pub fn record_type(&self) -> RecordType {
        match self {
            Self::A(_) => RecordType::A,
            Self::Aaaa(_) => RecordType::AAAA,
            Self::Cname(_) => RecordType::CNAME,
            Self::Ns(_) => RecordType::NS,
            Self::Soa(_) => RecordType::SOA,
            Self::Caa { .. } => RecordType::CAA,
            Self::Txt(_) => RecordType::TXT,
        }
    }

    pub(super) fn wire(&self) -> Result<RData, ProtoError> {
        Ok(match self {
            Self::A(address) => RData::A((*address).into()),
            Self::Aaaa(address) => RData::AAAA((*address).into()),
            Self::Cname(target) => RData::CNAME(rdata::CNAME(wire_name(target)?)),
            Self::Ns(server) => RData::NS(rdata::NS(wire_name(server)?)),
            Self::Soa(primary) => RData::SOA(soa(wire_name(primary)?)),
            Self::Caa { critical, tag, value } => {
                let mut caa = CAA::new_issue(*critical, None, Vec::new());
                caa.tag.clone_from(tag);
                caa.value = value.clone().into_bytes();
                RData::CAA(caa)
            }
            Self::Txt(text) => RData::TXT(TXT::new(vec![text.clone()])),
        })
    }
}

/// An SOA whose negative answers are not cached for long (RFC 2308).
pub(super) fn soa(primary: Name) -> SOA {
    SOA::new(primary, Name::root(), 1, 3600, 600, 86400, 1)
}

/// A fully qualified name on the wire.
pub(super) fn wire_name(name: &str) -> Result<Name, ProtoError> {
    let mut name = Name::from_ascii(name)?;
    name.set_fqdn(true);
    Ok(name)
}
