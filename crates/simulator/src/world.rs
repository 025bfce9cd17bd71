//! The world outside the engine: the twins in memory, and what goes wrong between.

use rules::network::Switch;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::Timer;
use engine::memory::{
    MappingRow, MemoryHost, MemoryNetwork, MemoryProbe, SteadyClock, Tables, VirtualClock,
};
use rules::entry::Call;
use rules::{Clock, DomainName, Identity, Time};

use crate::chance::Chance;
use crate::generate::History;
use crate::history::{DatabaseMood, HostMood, ListMood, ResolverMood};
use crate::watch::Watch;

/// Where the network is.
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Where it is not.
pub(crate) const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
pub(crate) const WRONG_AAAA: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7));

/// On whose behalf a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// The installation that acts for the network.
    Original,
    /// A person's command beside it, on the same ledger.
    Operator,
    /// A clone on a copy of the database, with a ledger of its own.
    Clone,
    /// The original's ledger, with another network's wp-config.php.
    Other,
}

impl Who {
    /// Which ledger it writes.
    pub(crate) fn ledger(self) -> usize {
        usize::from(self == Self::Clone)
    }
}

pub(crate) struct World {
    pub(crate) clock: Arc<VirtualClock>,
    pub(crate) network: MemoryNetwork,
    pub(crate) clone: MemoryNetwork,
    pub(crate) other: MemoryNetwork,
    pub(crate) host: MemoryHost,
    pub(crate) probe: MemoryProbe,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) chance: Chance,
    pub(crate) host: HostMood,
    pub(crate) list: ListMood,
    pub(crate) database: DatabaseMood,
    pub(crate) resolver: ResolverMood,
    /// What the host still does, and when.
    pub(crate) late: Vec<(Duration, Call, DomainName)>,
    /// What the host had since when.
    pub(crate) had: Vec<(Duration, BTreeSet<DomainName>)>,
    /// The write that the original dies at: how many until then, and on which side of it.
    pub(crate) crash: Option<(u64, bool)>,
    pub(crate) crashed: bool,
    /// Whether the original could not read the database when it last tried.
    pub(crate) is_blind: bool,
    /// How far the clock is off.
    pub(crate) clock_off: i64,
    pub(crate) backup: Option<Tables>,
    /// The rows that were deleted last.
    pub(crate) deleted: Vec<MappingRow>,
    pub(crate) watch: Watch,
}

impl World {
    pub(crate) fn new(history: &History) -> Arc<Self> {
        let clock = VirtualClock::at(Time::from_millis(1_800_014_400_000));
        let steady: Arc<dyn Clock> = Arc::new(SteadyClock(Arc::clone(&clock)));
        let network = |app: &str, domain: &str, database: &str| {
            let network = MemoryNetwork::new(identity(app, domain, database), Arc::clone(&steady));
            network.tables().switch = Switch::On;
            network.tables().shared_bases = BTreeSet::from([name("base.example")]);
            network
        };
        let other = network("app9", "other.example", "wp9");
        other.tables().map(1, "o1.example");
        other.tables().map(1, "o2.example");
        let state = State {
            chance: Chance::of(history.seed ^ 0x5151),
            host: HostMood::Good,
            list: ListMood::Good,
            database: DatabaseMood::Good,
            resolver: ResolverMood::Good,
            late: Vec::new(),
            had: vec![(Duration::ZERO, BTreeSet::new())],
            crash: None,
            crashed: false,
            is_blind: false,
            clock_off: 0,
            backup: None,
            deleted: Vec::new(),
            watch: Watch::new(history),
        };
        Arc::new(Self {
            network: network("app1", "net.example", "wp"),
            clone: network("app2", "clone.example", "wp2"),
            other,
            host: MemoryHost::default(),
            probe: MemoryProbe::new(steady),
            clock,
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network that `who` reads.
    pub(crate) fn network_of(&self, who: Who) -> &MemoryNetwork {
        match who {
            Who::Original | Who::Operator => &self.network,
            Who::Clone => &self.clone,
            Who::Other => &self.other,
        }
    }

    pub(crate) fn log(&self, what: &str) {
        let at = self.clock.passed();
        self.state().watch.log(at, what);
    }

    pub(crate) async fn sleep(&self, time: Duration) {
        self.clock.sleep_until(self.clock.now() + time).await;
    }

    /// A write is about to be made, or was just made: the original may die here.
    pub(crate) async fn brink(&self, who: Who, after: bool) {
        if who == Who::Original && self.dies(after) {
            self.log("crash");
            self.clock.halt();
            std::future::pending::<()>().await;
        }
    }

    fn dies(&self, after: bool) -> bool {
        let mut state = self.state();
        let Some((left, side)) = &mut state.crash else { return false };
        if *side != after {
            return false;
        }
        *left = left.saturating_sub(1);
        let dies = *left == 0;
        if dies {
            (state.crash, state.crashed) = (None, true);
        }
        dies
    }

    /// Let the host do what it was still to do by now.
    pub(crate) fn settle_late(&self) {
        let now = self.clock.passed();
        let due: Vec<_> = self.state().late.extract_if(.., |it| it.0 <= now).collect();
        for (_, call, name) in due {
            self.log(&format!("host: {} of {name} happens late", verb(call)));
            self.happen(call, &name);
        }
    }

    /// A call has its effect at the host.
    pub(crate) fn happen(&self, call: Call, name: &DomainName) {
        let mut present = self.host.present();
        match call {
            Call::Add => _ = present.insert(name.clone()),
            Call::Remove => _ = present.remove(name),
        }
        let had = present.clone();
        drop(present);
        let now = self.clock.passed();
        self.state().had.push((now, had));
    }
}

fn identity(app: &str, domain: &str, database: &str) -> Identity {
    Identity {
        app: Some(app.to_owned()),
        domain: name(domain),
        database: database.to_owned(),
        prefix: "wp_".to_owned(),
        network_id: 1,
    }
}

pub(crate) fn name(text: &str) -> DomainName {
    text.parse().expect("histories hold names")
}

pub(crate) fn verb(call: Call) -> &'static str {
    match call {
        Call::Add => "add",
        Call::Remove => "remove",
    }
}
