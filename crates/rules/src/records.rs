//! Which sites get their domain record made, as Ultimate Multisite would make it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::protected::Protected;
use crate::{DomainName, Network, Site};

/// A site younger than this is left alone: its tables may be incomplete.
pub const SETTLED_AFTER: Duration = Duration::from_mins(1);

/// Which sites get a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Records {
    /// Those that appear after our first pass.
    #[default]
    New,
    /// All that have none.
    All,
    /// None.
    Never,
}

/// A record to make.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewRecord {
    /// For which site.
    pub site_id: u64,
    /// Its own domain.
    pub domain: DomainName,
}

/// The highest site id that was there before us: sites up to it get no record
/// automatically.
pub fn mark(network: &Network) -> u64 {
    let ours = network.sites.iter().filter(|(_, site)| is_ours(network, site));
    ours.filter(|(_, site)| is_settled(site)).map(|(id, _)| *id).max().unwrap_or(0)
}

/// The records to make for sites above `mark`, given the sites that were ever
/// seen mapped: what a person removed stays removed.
pub fn missing(
    network: &Network,
    protected: &Protected,
    mark: u64,
    ever_mapped: &BTreeSet<u64>,
) -> Vec<NewRecord> {
    let mapped: BTreeSet<u64> = network.mappings.iter().map(|mapping| mapping.site_id).collect();
    let unreadable: BTreeSet<u64> = network.unreadable.values().copied().collect();
    let new = network.sites.range(mark.saturating_add(1)..).filter(|(id, site)| {
        is_ours(network, site)
            && is_settled(site)
            && !site.hidden
            && site.path == "/"
            && !mapped.contains(id)
            && !unreadable.contains(id)
            && !ever_mapped.contains(id)
    });
    let candidates: Vec<NewRecord> = new
        .filter_map(|(id, site)| Some(NewRecord { site_id: *id, domain: site.domain.clone()? }))
        .filter(|record| protected.why(&record.domain).is_none())
        .collect();
    if candidates.is_empty() {
        return candidates;
    }
    let taken = Taken::on(network);
    candidates.into_iter().filter(|record| taken.is_free(record)).collect()
}

fn is_ours(network: &Network, site: &Site) -> bool {
    site.network_id == network.identity.network_id
}

fn is_settled(site: &Site) -> bool {
    site.age.is_none_or(|age| SETTLED_AFTER <= age)
}

/// The names that sites and mappings have, twins folded.
struct Taken<'a> {
    mapped: BTreeSet<&'a str>,
    sites: Vec<(&'a str, u64)>,
}

impl<'a> Taken<'a> {
    fn on(network: &'a Network) -> Self {
        let mapped = network.mappings.iter().map(|mapping| mapping.domain.without_www()).collect();
        let mut sites: Vec<_> = network
            .sites
            .iter()
            .filter_map(|(id, site)| Some((site.domain.as_ref()?.without_www(), *id)))
            .collect();
        sites.sort_unstable();
        Self { mapped, sites }
    }

    /// Whether neither a mapping nor another site has the name or its twin.
    fn is_free(&self, record: &NewRecord) -> bool {
        let name = record.domain.without_www();
        let first = self.sites.partition_point(|(other, _)| *other < name);
        let mut same = self.sites[first..].iter().take_while(|(other, _)| *other == name);
        !self.mapped.contains(name) && same.all(|(_, id)| *id == record.site_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mapping, network, site};

    fn made(network: &Network, mark: u64, ever_mapped: &[u64]) -> Vec<u64> {
        let globs = vec!["secret.*".to_owned()];
        let protected = Protected::on(network, None, globs);
        let ever_mapped = ever_mapped.iter().copied().collect();
        missing(network, &protected, mark, &ever_mapped).iter().map(|it| it.site_id).collect()
    }

    /// The network with one more site, number 9.
    fn with(change: impl FnOnce(&mut Site), mappings: Vec<crate::Mapping>) -> Network {
        let mut network = network(mappings);
        let mut new = site("new.example");
        change(&mut new);
        network.sites.insert(9, new);
        network
    }

    #[test]
    fn the_mark_is_the_highest_site_that_is_a_minute_old() {
        assert_eq!(mark(&network(vec![])), 4);
        assert_eq!(mark(&with(|site| site.age = Some(Duration::from_secs(59)), vec![])), 4);
        assert_eq!(mark(&with(|site| site.age = Some(SETTLED_AFTER), vec![])), 9);
        assert_eq!(mark(&with(|site| site.age = None, vec![])), 9, "a zero date is old");
        assert_eq!(mark(&with(|site| site.network_id = 2, vec![])), 4);
    }

    #[test]
    fn a_new_site_gets_its_record_only_where_nothing_speaks_against_it() {
        type Change = fn(&mut Site);
        let table: [(&str, Change, &str, bool); 12] = [
            ("a new site", |_| (), "", true),
            ("a zero date", |site| site.age = None, "", true),
            ("half a minute old", |site| site.age = Some(SETTLED_AFTER / 2), "", false),
            ("under a path", |site| site.path = "/shop/".to_owned(), "", false),
            ("archived, spam or deleted", |site| site.hidden = true, "", false),
            ("another network's", |site| site.network_id = 2, "", false),
            ("a bad name", |site| site.domain = None, "", false),
            ("the network's own name", |site| site.domain = "net.example".parse().ok(), "", false),
            ("a protected name", |site| site.domain = "secret.x".parse().ok(), "", false),
            ("another site's name", |site| site.domain = "s2.net.example".parse().ok(), "", false),
            ("its name is mapped", |_| (), "new.example", false),
            ("its twin is mapped", |_| (), "www.new.example", false),
        ];
        for (shows, change, mapped, gets) in table {
            let rows = if mapped.is_empty() { vec![] } else { vec![mapping(1, 2, mapped)] };
            let want: &[u64] = if gets { &[9] } else { &[] };
            assert_eq!(made(&with(change, rows), 4, &[]), want, "{shows}");
        }
    }

    #[test]
    fn a_site_with_a_mapping_or_that_ever_had_one_gets_none() {
        let new = |_: &mut Site| ();
        assert_eq!(made(&with(new, vec![mapping(1, 9, "own.example")]), 4, &[]), []);
        assert_eq!(made(&with(new, vec![]), 4, &[9]), [], "what a person removed stays removed");
        let mut unreadable = with(new, vec![]);
        unreadable.unreadable.insert(1, 9);
        assert_eq!(made(&unreadable, 4, &[]), []);
    }

    #[test]
    fn older_sites_are_left_alone_unless_all_are_wanted() {
        assert_eq!(made(&network(vec![]), 4, &[]), []);
        assert_eq!(made(&network(vec![]), 0, &[]), [2, 3, 4]);
    }
}
