//! Changes of rows in WordPress, by its own pages or by hand.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use engine::memory::{MappingRow, SiteRow, SteadyClock, Tables};
use rules::{Clock, DomainName, Time};

use crate::history::Event;
use crate::world::World;

/// Change the rows as `event` says.
pub(crate) fn change(world: &World, event: &Event) {
    let now = SteadyClock(Arc::clone(&world.clock)).now();
    let mut tables = world.network.tables();
    match event {
        Event::SiteComes { site, domain } => _ = tables.sites.insert(*site, new_site(domain, now)),
        Event::SiteHides { site, hidden } => {
            if let Some(site) = tables.sites.get_mut(site) {
                site.hidden = *hidden;
            }
        }
        Event::SiteGoes { site } => _ = tables.sites.remove(site),
        Event::Mapped { site, name } => _ = tables.map(*site, *name),
        Event::Emptied => {
            let all = std::mem::take(&mut tables.mappings);
            world.state().deleted = all.into_values().collect();
        }
        Event::MappedAgain => {
            for row in std::mem::take(&mut world.state().deleted) {
                tables.insert(row);
            }
        }
        Event::Unmapped { row } => {
            let row = place(&tables, *row).and_then(|id| tables.mappings.remove(&id));
            world.state().deleted = row.into_iter().collect();
        }
        Event::BackedUp => {
            let mut state = world.state();
            state.backup = Some(tables.clone());
            state.watch.owned_at_backup = state.watch.owned();
        }
        Event::Restored => restore(world, &mut tables),
        Event::Renamed { row, name } => {
            edit(&mut tables, *row, |row| (*name).clone_into(&mut row.domain));
        }
        Event::Moved { row, site } => edit(&mut tables, *row, |row| row.site_id = *site),
        Event::Spoilt { row } => {
            edit(&mut tables, *row, |row| row.domain = format!("https://{}", row.domain));
        }
        Event::Misspelled { row } => edit(&mut tables, *row, |row| row.domain.push('.')),
        _ => (),
    }
}

/// A site that came twenty seconds ago.
fn new_site(domain: &str, now: Time) -> SiteRow {
    SiteRow {
        network_id: 1,
        domain: domain.to_owned(),
        path: "/".to_owned(),
        hidden: false,
        registered: now - Duration::from_secs(20),
    }
}

/// The id of the row that a number picks.
fn place(tables: &Tables, row: u64) -> Option<u64> {
    let place = usize::try_from(row).unwrap_or(0) % tables.mappings.len().max(1);
    tables.mappings.keys().nth(place).copied()
}

fn edit(tables: &mut Tables, row: u64, edit: impl FnOnce(&mut MappingRow)) {
    if let Some(row) = place(tables, row).and_then(|id| tables.mappings.get_mut(&id)) {
        edit(row);
    }
}

/// The backup replaces everything, the ids that come next too.
fn restore(world: &World, tables: &mut Tables) {
    let mut state = world.state();
    let Some(backup) = state.backup.clone() else { return };
    // A crash between the ledger and the mark is our own: a mark that is behind by it tells nothing.
    let serial = tables.home.as_ref().and_then(|home| home.serial);
    let away: BTreeSet<_> = names(tables).difference(&names(&backup)).cloned().collect();
    let away = away.difference(&state.watch.owned_at_backup).cloned().collect();
    let home = state.watch.main().memory.home;
    let is_told = serial == home.read_back && serial == Some(home.serial);
    state.watch.restored_away = if is_told { away } else { BTreeSet::new() };
    *tables = backup;
}

fn names(tables: &Tables) -> BTreeSet<DomainName> {
    tables.mappings.values().filter_map(|row| row.domain.parse().ok()).collect()
}
