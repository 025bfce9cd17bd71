//! Findings: why a domain is not as it should be, whose turn it is, and what exactly to change.
//!
//! The table declares every code with its severity and its actor, in the order in which they are told:
//! what must be mended first stands first. Codes are a contract with scripts and are never renamed; what a
//! code means to people is in `engine::texts`, in each language.

use std::collections::BTreeMap;

use crate::words::words;
use crate::{Time, plain};

words! {
    /// How bad it is.
    Severity {
        /// The domain is not served as it should be, or will not get there.
        Error = "error",
        /// It works and something will break, or half of it is wrong.
        Warn = "warn",
        /// Worth knowing.
        Info = "info",
    }
}

words! {
    /// Who must act.
    Actor {
        /// The owner of the domain.
        Owner = "owner",
        /// The network's admin.
        Admin = "admin",
        /// The hosting platform.
        Host = "host",
        /// Nobody: it comes right by waiting.
        Nobody = "nobody",
    }
}

words! {
    /// What to do with a record.
    RecordAction {
        /// Make it.
        Add = "add",
        /// Replace what is there.
        Change = "change",
        /// Delete it.
        Remove = "remove",
        /// It is right as it is.
        Keep = "keep",
    }
}

words! {
    /// What a text about a finding needs to know besides its code.
    Fact {
        /// The name of which something is told, where that is not the domain: a CNAME's target, a parent.
        Name = "name",
        /// The zone.
        Zone = "zone",
        /// The name server, or the resolver.
        Server = "server",
        /// The addresses of which something is told.
        Address = "address",
        /// Where domains must point.
        Target = "target",
        /// The certificate authority.
        Authority = "authority",
        /// What somebody said, or what exactly is wrong.
        Detail = "detail",
        /// The other mapping, site or installation.
        Other = "other",
        /// A page where somebody can act.
        Link = "link",
        /// The day when it ends, ended or begins, in UTC.
        End = "end",
        /// A count.
        Count = "count",
    }
}

/// Why a domain, or the whole network, is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is here: most codes have one severity, some are milder where the domain works all
    /// the same.
    pub severity: Severity,
    /// What its text needs to know.
    pub facts: BTreeMap<Fact, String>,
    /// What to change in DNS.
    pub records: Vec<RecordChange>,
    /// Who said what.
    pub evidence: Vec<Said>,
    /// When waiting is over, where that is known.
    pub wait_until: Option<Time>,
}

/// A DNS record, as it is and as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordChange {
    /// What to do with it.
    pub action: RecordAction,
    /// The whole name, without a final dot.
    pub name: String,
    /// Its type, such as `AAAA`.
    pub kind: String,
    /// What is there, as in a zone file without TTL.
    pub found: Vec<String>,
    /// What should be there, likewise.
    pub wanted: Vec<String>,
}

/// One thing that somebody said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who: a resolver, a name server, an address, the host, the ledger.
    pub source: String,
    /// What, in one line.
    pub said: String,
    /// When.
    pub at: Time,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident, $actor:ident;)*) => {
        /// The code of a finding. Their order is that in which they are told.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code: lower case, hyphens, never renamed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// The finding of a code; none for one that nobody knows.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($code => Some(Self::$name),)* _ => None }
            }

            /// How bad it is, where nothing makes it milder.
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity),* }
            }

            /// Who must act.
            pub fn actor(self) -> Actor {
                match self { $(Self::$name => Actor::$actor),* }
            }
        }
    };
}

codes! {
    // What keeps us from seeing or acting at all.

    /// Our clock, the database's and the web's disagree by ten minutes.
    ClockWrong = "clock-wrong", Error, Admin;
    /// No resolver answers.
    Blind = "blind", Error, Admin;
    /// The mark names another installation.
    Copy = "copy", Error, Admin;
    /// The ledger was filled from another network.
    OtherNetwork = "other-network", Error, Admin;
    /// The mark is older than the ledger: the database was put back.
    DatabaseRestored = "database-restored", Error, Admin;
    /// Closte is switched off in Ultimate Multisite.
    SwitchedOff = "switched-off", Error, Admin;
    /// The host refuses the key.
    KeyRefused = "key-refused", Error, Admin;
    /// Nobody knows where domains must point.
    NoTargets = "no-targets", Error, Admin;
    /// The host's list is in doubt.
    ListDoubt = "list-doubt", Error, Admin;
    /// More would be removed than one hour may remove.
    Brake = "brake", Error, Admin;
    /// The read of the network is in doubt.
    Doubt = "doubt", Error, Admin;
    /// No configured resolver validates DNSSEC.
    NotValidated = "not-validated", Info, Admin;

    // The name itself.

    /// Longer than WordPress' column, or a label longer than DNS allows.
    NameTooLong = "name-too-long", Error, Admin;
    /// A name of special use, or an IP address.
    ReservedName = "reserved-name", Error, Admin;
    /// The row's text is not what WordPress looks up.
    SpellingNeverMatched = "spelling-never-matched", Error, Admin;
    /// It is never sent to the host.
    ProtectedName = "protected-name", Info, Admin;

    // Rows in WordPress that decide whose the name is.

    /// Its site does not exist.
    SiteMissing = "site-missing", Error, Admin;
    /// Its site is deleted or spam.
    SiteDeleted = "site-deleted", Error, Admin;
    /// The same name twice.
    TwoMappings = "two-mappings", Error, Admin;
    /// `X` and `www.X` on different sites.
    TwinOnOtherSite = "twin-on-other-site", Error, Admin;
    /// A row outside this network, or of a dead site, is picked first.
    OtherRowWins = "other-row-wins", Error, Admin;

    // The host's refusal.

    /// The host refuses the name for good.
    InvalidDomain = "invalid-domain", Error, Admin;
    /// The host said no in its own words.
    HostSaidNo = "host-said-no", Error, Admin;
    /// At the host, not owned, not mapped.
    NotOurs = "not-ours", Info, Admin;
    /// Mapped, and it was at the host before us.
    AlreadyAtHost = "already-at-host", Info, Nobody;

    // DNS, from the top down.

    /// The registrable domain has no name servers at its parent.
    NoDelegation = "no-delegation", Error, Owner;
    /// A delegated server refuses, is not authoritative, or fails while another answers.
    LameDelegation = "lame-delegation", Error, Owner;
    /// Authoritative servers are silent.
    DnsTimeout = "dns-timeout", Error, Owner;
    /// DNSSEC signatures do not fit.
    DnssecBogus = "dnssec-bogus", Error, Owner;
    /// All servers fail, and no finer cause is proved.
    Servfail = "servfail", Error, Owner;
    /// The name does not exist.
    NoSuchName = "no-such-name", Error, Owner;
    /// The CNAME records lead in a circle.
    CnameLoop = "cname-loop", Error, Owner;
    /// The CNAME's target does not exist.
    CnameDangling = "cname-dangling", Error, Owner;
    /// The name has no address.
    NoAddress = "no-address", Error, Owner;
    /// It has no record of its own, the zone's wildcard answers.
    WildcardRecordOnly = "wildcard-record-only", Error, Owner;
    /// A known proxy is in front.
    Proxied = "proxied", Error, Owner;
    /// The CNAME's target points elsewhere.
    CnameElsewhere = "cname-elsewhere", Error, Owner;
    /// An address that was a target of this network before.
    OldAddress = "old-address", Error, Owner;
    /// An address that is not public.
    PrivateAddress = "private-address", Error, Owner;
    /// Elsewhere, and a well-known parking page.
    Parked = "parked", Error, Owner;
    /// None of its addresses is here.
    OtherAddress = "other-address", Error, Owner;
    /// A here, AAAA not.
    Ipv6Elsewhere = "ipv6-elsewhere", Error, Owner;
    /// Right and wrong addresses in one answer.
    PartlyElsewhere = "partly-elsewhere", Error, Owner;
    /// Authoritative servers differ among themselves.
    ServersDisagree = "servers-disagree", Error, Owner;

    // What stops issuing.

    /// CAA does not allow the host's authority.
    CaaForbids = "caa-forbids", Error, Owner;
    /// CAA does not allow it for wildcards.
    CaaWildcard = "caa-wildcard", Error, Owner;
    /// CAA cannot be read.
    CaaUnreadable = "caa-unreadable", Error, Owner;
    /// Port 80 is refused or silent.
    Port80Closed = "port-80-closed", Error, Host;
    /// Port 80 redirects to a name that is not here.
    Port80Elsewhere = "port-80-elsewhere", Error, Owner;
    /// Port 80 redirects in a circle, or too often.
    RedirectLoop = "redirect-loop", Error, Admin;

    // The certificate.

    /// A wildcard without its certificate.
    WildcardByHand = "wildcard-by-hand", Error, Admin;
    /// Port 443 is refused.
    Port443Closed = "port-443-closed", Error, Host;
    /// Port 443 is silent.
    Port443Filtered = "port-443-filtered", Error, Host;
    /// The handshake ends without a certificate.
    NoCertificate = "no-certificate", Error, Host;
    /// The server's default one.
    DefaultCertificate = "default-certificate", Error, Host;
    /// It is for other names.
    OtherName = "other-name", Error, Host;
    /// It has expired.
    Expired = "expired", Error, Host;
    /// It is not valid yet.
    NotYetValid = "not-yet-valid", Error, Host;
    /// It is signed by itself.
    SelfSigned = "self-signed", Error, Host;
    /// An intermediate certificate is missing.
    IncompleteChain = "incomplete-chain", Error, Host;
    /// Its algorithms are too weak.
    WeakCertificate = "weak-certificate", Error, Host;
    /// No known authority signed it.
    UnknownIssuer = "unknown-issuer", Error, Host;
    /// Addresses present different certificates.
    DiffersByAddress = "differs-by-address", Warn, Host;
    /// It should have been renewed.
    RenewalOverdue = "renewal-overdue", Warn, Host;
    /// It ends soon.
    ExpiresSoon = "expires-soon", Warn, Host;

    // The web.

    /// WordPress answers for another mapping.
    OtherMapping = "other-mapping", Error, Admin;
    /// What answers is proved not to be this WordPress.
    OtherServer = "other-server", Error, Host;

    // Service in WordPress.

    /// Domain mapping is switched off.
    MappingDisabled = "mapping-disabled", Error, Admin;
    /// `SUNRISE` or `sunrise.php` is missing.
    NoSunrise = "no-sunrise", Error, Admin;
    /// The mapping is switched off.
    MappingInactive = "mapping-inactive", Error, Admin;
    /// Its site is archived.
    SiteArchived = "site-archived", Error, Admin;
    /// The stage is neither what we wrote nor what the states give.
    StageByHand = "stage-by-hand", Error, Admin;
    /// WordPress still answers with what its object cache holds.
    CacheStale = "cache-stale", Error, Admin;
    /// WordPress sends visitors to its sign-up page.
    SignUpPage = "sign-up-page", Error, Admin;
    /// There is no mapping.
    NotMapped = "not-mapped", Info, Admin;

    // Waits.

    /// The host asked for a pause.
    RateLimited = "rate-limited", Error, Nobody;
    /// The host cannot be reached.
    HostUnreachable = "host-unreachable", Error, Nobody;
    /// Calls to the host rest.
    Paused = "paused", Error, Nobody;
    /// A call's outcome is not known yet.
    OutcomeUnknown = "outcome-unknown", Error, Nobody;
    /// The alias was there and is gone.
    Vanished = "vanished", Error, Nobody;
    /// The host was not asked yet.
    NotAddedYet = "not-added-yet", Error, Nobody;
    /// Resolvers still hold an old answer.
    NotPropagated = "not-propagated", Error, Nobody;
    /// The week's certificates of the registrable domain are spent.
    BudgetSpent = "budget-spent", Error, Nobody;
    /// The certificate is being issued.
    Issuing = "issuing", Error, Nobody;
    /// The last check could not be made.
    Unseen = "unseen", Warn, Nobody;
    /// Nothing proved that WordPress answers.
    NoProof = "no-proof", Info, Nobody;
}

impl Finding {
    /// A finding of `code` in its usual severity, without anything yet.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            severity: code.severity(),
            facts: BTreeMap::new(),
            records: Vec::new(),
            evidence: Vec::new(),
            wait_until: None,
        }
    }

    /// Who must act.
    pub fn actor(&self) -> Actor {
        self.code.actor()
    }

    /// Whose turn it is; none where it is only worth knowing.
    pub fn turn(&self) -> Option<Actor> {
        (self.severity != Severity::Info).then(|| self.actor())
    }

    /// The same, `severity` bad.
    pub fn as_bad_as(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same, with a fact; an empty one is none.
    pub fn with(mut self, fact: Fact, value: impl Into<String>) -> Self {
        let value = plain::kept(value);
        if !value.is_empty() {
            self.facts.insert(fact, value);
        }
        self
    }

    /// The same, with records to change.
    pub fn records(mut self, records: impl IntoIterator<Item = RecordChange>) -> Self {
        self.records.extend(records);
        self
    }

    /// The same, with evidence.
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Said>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// The same, until `time`.
    pub fn until(self, time: Option<Time>) -> Self {
        Self { wait_until: time, ..self }
    }

    /// The same with its facts and records in other words; evidence is as it was said.
    pub fn worded(mut self, word: impl Fn(&str) -> String) -> Self {
        let records = self.records.iter_mut();
        let records = records
            .flat_map(|it| [&mut it.name].into_iter().chain(&mut it.found).chain(&mut it.wanted));
        self.facts.values_mut().chain(records).for_each(|text| *text = word(text));
        self
    }

    /// A fact; empty where it has none.
    pub fn fact(&self, fact: Fact) -> &str {
        self.facts.get(&fact).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_one_of_its_own() {
        let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            assert_eq!(Code::from_word(code.as_str()), Some(*code));
        }
        assert!(Code::ALL.is_sorted(), "the table is the order");
    }
}
