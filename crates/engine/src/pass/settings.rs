//! What a pass is told beforehand.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use rules::explain::{DnsRule, Policy, Serving};
use rules::protected::Protected;
use rules::records::Records;
use rules::removal::{Brake, RemovalPolicy};
use rules::schedule::SHORTEST_INTERVAL;
use rules::stage::StagePolicy;
use rules::targets::TargetBasis;
use rules::twins::Www;
use rules::{DomainName, Network, Time};

/// What a pass is told beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassSettings {
    pub stages: StagePolicy,
    pub confirmations: u32,
    /// How much time is between two good reads that count.
    pub gap: Duration,
    pub brake: Brake,
    /// How long an alias stays once its mapping is certainly gone.
    pub grace: Duration,
    /// Whether any alias is removed.
    pub removal: RemovalPolicy,
    pub records: Records,
    /// Whether twins are added, where an operator said so; else as the ledger started.
    pub www: Option<Www>,
    /// The interval between checks, where it is not the network's.
    pub interval: Option<Duration>,
    /// Where domains must point, where an operator said so.
    pub targets: BTreeSet<IpAddr>,
    /// `CLOSTE_PUBLIC_IP_ADDRESS`.
    pub public_addresses: BTreeSet<IpAddr>,
    /// `CLOSTE_CDN_HOSTNAME`.
    pub cdn: Option<DomainName>,
    /// `protected.names`.
    pub protected: Vec<String>,
    /// The host's page where a person finishes a wildcard.
    pub dashboard: Option<String>,
    /// How many of the resolvers' answers must be right.
    pub dns: DnsRule,
    /// Whether addresses that are not public are visited.
    pub allow_private: bool,
    /// Whether WordPress maps domains at all, as far as its files tell.
    pub serving: Serving,
    /// Whether WordPress is asked to prove that it is what answers at a domain.
    pub ask_proof: bool,
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// How long a pass may take.
    pub limit: Duration,
    /// How long events are kept.
    pub keep_events: Duration,
    /// Whether the plugin inside WordPress started this process, and waits to be told when to do so
    /// again.
    pub carried: bool,
}

impl PassSettings {
    /// How what was seen of a domain is judged at `now`.
    pub(crate) fn explained_at(&self, now: Time) -> Policy<'_> {
        Policy {
            stages: &self.stages,
            dns: self.dns,
            allow_private: self.allow_private,
            dashboard: self.dashboard.as_deref(),
            now,
        }
    }

    /// All that is protected on `network`.
    pub(crate) fn protected_on(&self, network: &Network) -> Protected {
        Protected::on(network, self.cdn.clone(), self.protected.clone())
    }

    /// The interval of checks of hot domains of `network`.
    pub(crate) fn interval_on(&self, network: &Network) -> Duration {
        self.interval.unwrap_or(network.settings.dns_check_interval).max(SHORTEST_INTERVAL)
    }

    /// What they say about targets.
    pub(crate) fn target_basis(&self) -> TargetBasis<'_> {
        TargetBasis { set: &self.targets, public: &self.public_addresses, own: None }
    }
}

/// What the program's settings are where nobody sets any.
impl Default for PassSettings {
    fn default() -> Self {
        Self {
            stages: StagePolicy {
                dns_patience: Duration::from_hours(48),
                certificate_patience: Duration::from_mins(100),
                demote: false,
                require_proof: false,
            },
            confirmations: 2,
            gap: Duration::from_mins(1),
            brake: Brake::default(),
            grace: Duration::ZERO,
            removal: RemovalPolicy::Sync,
            records: Records::default(),
            www: None,
            interval: None,
            targets: BTreeSet::new(),
            public_addresses: BTreeSet::new(),
            cdn: None,
            protected: Vec::new(),
            dashboard: None,
            dns: DnsRule::All,
            allow_private: false,
            serving: Serving::Unknown,
            ask_proof: true,
            concurrency: 8,
            limit: Duration::from_mins(4),
            keep_events: Duration::from_hours(90 * 24),
            carried: false,
        }
    }
}
