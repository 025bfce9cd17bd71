//! The quiet ending: faults stop, and within a bounded number of passes all is as it must be.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::memory::{MappingRow, Tables};
use rules::probe::{DnsObservation, TlsObservation, TlsVerdict};
use rules::twins::Www;
use rules::{DomainName, Stage};

use crate::history::{DatabaseMood, Event, HostMood, ListMood, ResolverMood};
use crate::life::Life;
use crate::world::{HERE, Who, World};

/// When passes are made, in minutes after the faults have stopped. What is asked again only after a
/// day is asked again by then.
const PASSES: [u64; 18] =
    [1, 3, 5, 8, 15, 30, 60, 120, 240, 420, 800, 1200, 1500, 1510, 1900, 2300, 2700, 3100];
/// After these a person looks at the plan and applies it.
const APPLIED: [u64; 3] = [15, 240, 1510];

impl Life {
    /// Let the faults stop, and look.
    pub(crate) fn end(&mut self) {
        self.stop_resident();
        let off = self.stop_faults();
        let wrong_clock = self.had_wrong_clock();
        self.set_clock(-off);
        let began = self.world.clock.passed() + Duration::from_mins(20);
        self.advance(began);
        self.switches(true);
        let mut writes = 0;
        for minute in PASSES {
            self.advance(began + Duration::from_mins(minute));
            writes = self.world.state().watch.writes;
            self.pass(Who::Original);
            if APPLIED.contains(&minute) {
                self.advance(began + Duration::from_mins(minute + 2));
                self.plans();
                self.advance(began + Duration::from_mins(minute + 3));
                self.apply();
            }
        }
        let over = self.world.clock.passed() + Duration::from_mins(10);
        self.advance(over);
        let left = self.world.state().watch.writes - writes;
        for (invariant, detail) in wrongs(&self.world, left) {
            let invariant = if wrong_clock { "silent-after-a-wrong-clock" } else { invariant };
            self.world.state().watch.break_(invariant, over, detail);
        }
    }

    /// By how many minutes the clock was wrong in the end.
    fn stop_faults(&self) -> i64 {
        self.world.log("* the faults stop");
        let mut state = self.world.state();
        (state.host, state.list) = (HostMood::Good, ListMood::Good);
        (state.database, state.resolver) = (DatabaseMood::Good, ResolverMood::Good);
        state.crash = None;
        state.clock_off
    }
}

/// What is not as it must be.
fn wrongs(world: &World, writes: usize) -> Vec<(&'static str, String)> {
    let tables = world.network.tables().clone();
    let present = world.host.present().clone();
    let mut wrongs = Vec::new();
    for (id, row) in &tables.mappings {
        let Ok(name) = row.domain.parse::<DomainName>() else { continue };
        if !tables.sites.contains_key(&row.site_id) {
            continue;
        }
        if is_wanted(&name) && !present.contains(&name) && !is_taken_unseen(world, &name) {
            wrongs.push(("wanted-missing", name.to_string()));
        }
        // WordPress finds no other spelling.
        let is_found = row.domain == name.as_str();
        if is_found && !is_contested(&tables, *id, &name) && !agrees(world, row, &name) {
            wrongs.push(("stage-wrong", format!("{name}: {:?}", row.stage)));
        }
    }
    wrongs.extend(missing_twins(world, &tables).into_iter().map(|name| ("twin-missing", name)));
    let state = world.state();
    for (name, entry) in &state.watch.main().entries {
        let owned = entry.owned.is_some() && is_wanted(name);
        let locked_out = state.watch.is_broken("apply-locked-out");
        let spoilt = |name| state.watch.main().spoilt(name, Some(entry), &tables);
        let names = state.watch.main().names_of(name);
        let is_kept = names.iter().any(|name| spoilt(name) || is_kept(&tables, name));
        if owned && !locked_out && present.contains(name) && !is_kept {
            wrongs.push(("gone-present", name.to_string()));
        }
    }
    if 0 < writes {
        wrongs.push(("never-quiet", format!("{writes} writes in the last pass")));
    }
    wrongs
}

/// Twins that are wanted and not there although their DNS is here. A list that is empty says nothing
/// of them.
fn missing_twins(world: &World, tables: &Tables) -> Vec<String> {
    let (www, present) = (world.state().watch.www, world.host.present().clone());
    if www == Www::Never || present.is_empty() {
        return Vec::new();
    }
    let rows: BTreeSet<DomainName> =
        tables.mappings.values().filter_map(|row| row.domain.parse().ok()).collect();
    let ours = tables.mappings.values().filter(|row| tables.sites.contains_key(&row.site_id));
    let parents = ours.filter_map(|row| row.domain.parse::<DomainName>().ok());
    let twins = parents.filter(|name| !crate::watch::is_protected(name));
    let twins = twins.filter_map(|name| crate::watch::other_of(&name));
    let missing = twins.filter(|twin| !rows.contains(twin) && !present.contains(twin));
    let is_here = |name: &DomainName| {
        let found = world.probe.dns_of(name);
        matches!(found, DnsObservation::Addresses { found, .. } if found.iter().all(|ip| *ip == HERE))
    };
    missing.filter(|twin| is_wanted(twin) && is_here(twin)).map(|twin| twin.to_string()).collect()
}

/// Whether the host can have it.
fn is_wanted(name: &DomainName) -> bool {
    !crate::watch::is_protected(name) && name.as_str() != "bad.example"
}

/// Whether its absence on the list proves nothing, by decision 0003: the list has not shown a name
/// that was added, or not this one, which the host confirmed.
fn is_taken_unseen(world: &World, name: &DomainName) -> bool {
    let state = world.state();
    let facts = state.watch.main();
    let entry = facts.entries.get(name);
    !facts.memory.host.list_believed || entry.is_some_and(|entry| entry.confirmed && !entry.shown)
}

/// Whether a row or a site has the name, or had it and cannot be read.
fn is_kept(tables: &Tables, name: &DomainName) -> bool {
    let spoilt = |text: &str| text.contains(name.as_str());
    tables.mappings.values().any(|row| spoilt(&row.domain))
        || tables.sites.values().any(|site| site.domain == name.as_str())
}

fn is_contested(tables: &Tables, id: u64, name: &DomainName) -> bool {
    let mut others = tables.mappings.iter().filter(|(other, _)| **other != id);
    others.any(|(_, row)| {
        let other = row.domain.parse::<DomainName>();
        other.is_ok_and(|other| other.without_www() == name.without_www())
    })
}

/// Whether the stage says what DNS and the certificate say.
fn agrees(world: &World, row: &MappingRow, name: &DomainName) -> bool {
    let served = row.stage.is_some_and(Stage::is_served);
    let rejected = name.as_str() == "bad.example";
    let here = match world.probe.dns_of(name) {
        DnsObservation::Addresses { found, .. } => found.iter().all(|ip| *ip == HERE),
        // A zone that cannot answer says nothing of a stage.
        DnsObservation::Failed { .. } | DnsObservation::NoAnswer { .. } => return true,
        DnsObservation::NoSuchName | DnsObservation::NoAddress { .. } => false,
    };
    let certificate = world.probe.certificate_of(name, HERE);
    let good =
        matches!(certificate, TlsObservation::Presented { verdict: TlsVerdict::Trusted, .. });
    match row.stage {
        Some(Stage::Failed) if rejected => true,
        Some(Stage::Done) if here && good => row.secure,
        _ if here && good => rejected,
        _ if served => true,
        Some(Stage::SslFailed) => here,
        Some(Stage::CheckingDns | Stage::Failed) => !here,
        _ => false,
    }
}

impl Life {
    fn had_wrong_clock(&self) -> bool {
        let far =
            |event: &Event| matches!(event, Event::ClockSet { minutes } if 10 < minutes.abs());
        self.steps().any(far)
    }
}
