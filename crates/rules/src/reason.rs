//! Why a domain is as it is: a code for scripts, a sentence for people.
//!
//! Codes are stored and scripts read them: they are never renamed.

use std::fmt;

use crate::finding::{Actor, Code};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        /// The coded reason of a state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code: lower case, hyphens, never renamed.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// What it means and what to do, in one line for people.
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

reasons! {
    // The alias at the host.

    /// A protected name is never sent.
    ProtectedName = "protected-name", "the name is protected: it is never added to or removed from the host";
    /// The host refuses the name permanently.
    InvalidDomain = "invalid-domain", "the host refuses this name permanently; correct or delete the mapping";
    /// The host said no in its own words.
    HostSaidNo = "host-said-no", "the host said no; its words say why";
    /// A call went out and its outcome is not known yet.
    OutcomeUnknown = "outcome-unknown", "the host gave no clear answer; its list, or asking again, will settle it";
    /// The host could not be reached.
    HostUnreachable = "host-unreachable", "the host could not be reached; will retry automatically";
    /// The host asked for a pause.
    RateLimited = "rate-limited", "the host asked for a pause; will retry automatically";
    /// The host does not accept our key.
    KeyRefused = "key-refused", "the host refuses the key: check CLOSTE_CLIENT_API_KEY, then `closte-sync test-connection`";
    /// It was there and is gone.
    Vanished = "vanished", "it was at the host and is gone there; it is added again";
    /// The mapping is gone; one more good read must agree.
    MappingGone = "mapping-gone", "its mapping is gone; it is removed once enough good reads agree";
    /// Its mapping is gone, and its grace is not over.
    Grace = "grace", "its mapping is gone; its alias stays until `removal.grace` is over, in case it comes back";
    /// Its mapping is gone, and nothing is ever removed.
    AddOnly = "add-only", "its mapping is gone and its alias stays, as `removal.policy` is add-only";
    /// Its mapping is gone, and a site has the name as its own.
    SitesOwnName = "sites-own-name", "its mapping is gone and a site has the name as its own, so its alias stays; remove it at the host if that is wrong";
    /// More would be removed than one hour may remove.
    Brake = "brake", "more would be removed than one hour may remove without a person's word; see `closte-sync plan`";
    /// The host's list is in doubt.
    ListDoubt = "list-doubt", "the host's list lacks what it had shown; nothing is removed or added again until it is right, or a plan is applied";
    /// The database was put back.
    DatabaseRestored = "database-restored", "the WordPress database was put back and lacks its mapping; its alias stays until it is mapped again, or a plan is applied";
    /// The read is in doubt.
    Doubt = "doubt", "the read of the network is in doubt; nothing is removed";
    /// It is at the host and we do not own it.
    NotOurs = "not-ours", "its mapping is gone, and closte-sync does not own it at the host";

    // Routing.

    /// NXDOMAIN.
    NoSuchName = "no-such-name", "the name does not exist in DNS; its owner must add it";
    /// No A and no AAAA record.
    NoAddress = "no-address", "the name has no A or AAAA record; its owner must add one";
    /// All addresses are somebody else's.
    OtherAddress = "other-address", "DNS points to another server; its owner must change it";
    /// Some addresses are ours, some not.
    PartlyElsewhere = "partly-elsewhere", "some of its addresses are another server's; its owner must remove those";
    /// A is right, AAAA is not.
    Ipv6Elsewhere = "ipv6-elsewhere", "its AAAA record points elsewhere, which also blocks certificates; its owner must remove it";
    /// A proxy is in front.
    Proxied = "proxied", "a proxy (Cloudflare) is in front, which Closte does not support; its owner must switch the proxy off";
    /// The zone's servers fail.
    DnsFailed = "dns-failed", "the domain's DNS servers fail; its owner must repair the zone";
    /// No resolver answered.
    NoResolver = "no-resolver", "no DNS resolver answered, so nothing is known";
    /// It is not known where domains must point.
    NoTargets = "no-targets", "it is not known where domains must point; set checks.targets";

    // The certificate.

    /// The server has none for the name.
    NoCertificate = "no-certificate", "the server has no certificate for it yet";
    /// It is for other names.
    OtherName = "other-name", "the server shows a certificate for other names";
    /// It has expired.
    Expired = "expired", "its certificate has expired";
    /// It is not valid yet.
    NotYetValid = "not-yet-valid", "its certificate is not valid yet";
    /// It is signed by itself.
    SelfSigned = "self-signed", "its certificate is self-signed";
    /// No known authority signed it.
    UnknownIssuer = "unknown-issuer", "its certificate is from an issuer that browsers do not know";
    /// Broken in some other way.
    BadCertificate = "bad-certificate", "its certificate is broken";
    /// It expires soon for its kind.
    ExpiresSoon = "expires-soon", "its certificate expires soon and has not been renewed";
    /// The web server did not answer.
    NoWebAnswer = "no-web-answer", "the web server did not answer, so nothing is known";
    /// The guard does not allow the address.
    PrivateAddress = "private-address", "the address is not public, so it is not contacted; set checks.allow_private for an intranet";
    /// A wildcard certificate is missing.
    WildcardByHand = "wildcard-by-hand", "a wildcard certificate may need a step by hand on the host's dashboard";
    /// DNS does not point here, so there is nothing to check.
    NotRoutedHere = "not-routed-here", "DNS does not point here, so there is no certificate to check";

    // The mapping.

    /// Another row of the mappings' table is picked for the name, or may be.
    Contested = "contested", "WordPress picks another mapping for the name, or may; the stage is left alone until one of the two is deleted, see `closte-sync status`";
    /// As the row is spelled WordPress does not surely find it.
    Misspelled = "misspelled", "WordPress does not surely find the mapping as the row spells its domain, so its stage is left alone; see `closte-sync status` for the spelling to use";

    // The routing proof.

    /// WordPress answers with another mapping's id.
    OtherMapping = "other-mapping", "WordPress answers there for another mapping; see which, and delete or correct one of the two";
    /// No answer proved anything, or WordPress could not be asked.
    NoProof = "no-proof", "WordPress has not proved that it answers there, which says nothing against the domain; the detail says why";

    // All of them.

    /// Our own clock cannot be trusted.
    ClockWrong = "clock-wrong", "this machine's clock differs from the database's; nothing is judged by it";
}

impl Reason {
    /// Whether it stays until the domain's owner changes the zone.
    pub fn is_for_the_owner(self) -> bool {
        use Reason::{
            DnsFailed, Ipv6Elsewhere, NoAddress, NoSuchName, OtherAddress, PartlyElsewhere, Proxied,
        };
        matches!(
            self,
            NoSuchName
                | NoAddress
                | OtherAddress
                | PartlyElsewhere
                | Ipv6Elsewhere
                | Proxied
                | DnsFailed
        )
    }

    /// Whose turn it is where waiting does not help: as the finding of the same code says.
    pub fn actor(self) -> Actor {
        let same = Code::from_word(self.code()).map(Code::actor);
        same.unwrap_or(match self {
            Self::DnsFailed => Actor::Owner,
            Self::BadCertificate => Actor::Host,
            Self::Contested | Self::Misspelled | Self::NoResolver => Actor::Admin,
            _ => Actor::Nobody,
        })
    }

    /// The reason of a code; none for an unknown code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.code() == code)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
