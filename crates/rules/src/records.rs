//! Which sites get their domain record made, as Ultimate Multisite would make it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::protected::Protected;
use crate::{DomainName, Network, Site, Time};

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
    /// When that was registered, where it is known.
    pub registered: Option<Time>,
    /// Its own domain.
    pub domain: DomainName,
}

/// Sites that were ever seen mapped, each with the time of its registration, where that is known.
pub type MappedSites = BTreeMap<u64, Option<Time>>;

/// Which sites were there before us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SiteMark {
    /// The highest of their ids.
    pub id: u64,
    /// When the newest of them was registered; none where that is not known.
    pub registered: Option<Time>,
}

impl SiteMark {
    /// Before every site.
    const NOTHING: Self = Self { id: 0, registered: None };

    /// Every site of `network` that is settled was there before us.
    pub fn of(network: &Network) -> Self {
        let settled = network.sites.iter().filter(|(_, site)| is_settled(site));
        let ours = settled.filter(|(_, site)| network.has_site(site)).map(|(id, _)| *id);
        Self { id: ours.max().unwrap_or(0), registered: None }.timed(network)
    }

    /// The same with a time: where it has none, the one that is read first.
    #[must_use]
    pub fn timed(self, network: &Network) -> Self {
        let before = network.sites.range(..=self.id).map(|(_, site)| site);
        let ours = before.filter(|site| network.has_site(site) && is_settled(site));
        let newest = || ours.filter_map(|site| site.registered).max();
        Self { registered: self.registered.or_else(newest), ..self }
    }

    /// Whether a site was not there, or another one was under its id.
    fn is_after(self, id: u64, site: &Site) -> bool {
        let later = self.registered.zip(site.registered).is_some_and(|(mark, it)| mark < it);
        self.id < id || later
    }
}

/// Whether two times of registration may be the same site's: one that is not known says nothing.
fn is_same(one: Option<Time>, other: Option<Time>) -> bool {
    one.zip(other).is_none_or(|(one, other)| one == other)
}

/// What is news about the sites that were ever seen mapped: those that are mapped now and were not
/// `known`, as the same site; and when one was registered of which that was not known.
pub fn newly_mapped(network: &Network, known: &MappedSites) -> MappedSites {
    let registered = |id: &u64| network.sites.get(id).and_then(|site| site.registered);
    let mapped = network.mappings.iter().map(|mapping| mapping.site_id);
    let mapped = mapped.chain(network.unreadable.values().copied());
    let is_news = |id: &u64| known.get(id).is_none_or(|time| !is_same(*time, registered(id)));
    let untimed = known.iter().filter(|(_, time)| time.is_none()).map(|(id, _)| *id);
    let timed = untimed.filter(|id| registered(id).is_some());
    mapped.filter(is_news).chain(timed).map(|id| (id, registered(&id))).collect()
}

/// The records to make for sites after `mark`, or for all, given the sites that were ever seen
/// mapped: what a person removed stays removed.
pub fn missing(
    network: &Network,
    protected: &Protected,
    mark: Option<SiteMark>,
    ever_mapped: &MappedSites,
) -> Vec<NewRecord> {
    let mark = mark.unwrap_or(SiteMark::NOTHING);
    let mapped: BTreeSet<u64> = network.mappings.iter().map(|mapping| mapping.site_id).collect();
    let unreadable: BTreeSet<u64> = network.unreadable.values().copied().collect();
    let was_mapped = |id: &u64, site: &Site| {
        ever_mapped.get(id).is_some_and(|registered| is_same(*registered, site.registered))
    };
    let new = network.sites.iter().filter(|(id, site)| {
        mark.is_after(**id, site)
            && network.has_site(site)
            && is_settled(site)
            && site.hidden.is_none()
            && site.path == "/"
            && !mapped.contains(id)
            && !unreadable.contains(id)
            && !was_mapped(id, site)
    });
    let candidates: Vec<NewRecord> = new
        .filter_map(|(id, site)| {
            let (domain, registered) = (site.domain.clone()?, site.registered);
            Some(NewRecord { site_id: *id, registered, domain })
        })
        .filter(|record| protected.why(&record.domain).is_none())
        .collect();
    if candidates.is_empty() {
        return candidates;
    }
    let taken = Taken::on(network);
    candidates.into_iter().filter(|record| taken.is_free(record)).collect()
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
    use crate::network::Hidden;
    use crate::testing::{mapping, network, site};

    fn made(network: &Network, mark: u64, ever_mapped: &[u64]) -> Vec<u64> {
        let globs = vec!["secret.*".to_owned()];
        let protected = Protected::on(network, None, globs);
        let ever_mapped = ever_mapped.iter().map(|id| (*id, None)).collect();
        let mark = (mark != 0).then_some(SiteMark { id: mark, registered: None });
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
        let mark = |network: &Network| SiteMark::of(network).id;
        assert_eq!(mark(&network(vec![])), 4);
        assert_eq!(mark(&with(|site| site.age = Some(Duration::from_secs(59)), vec![])), 4);
        assert_eq!(mark(&with(|site| site.age = Some(SETTLED_AFTER), vec![])), 9);
        assert_eq!(mark(&with(|site| site.age = None, vec![])), 9, "a zero date is old");
        assert_eq!(mark(&with(|site| site.network_id = 2, vec![])), 4);
    }

    fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    #[test]
    fn an_id_that_wordpress_gives_again_is_another_site() {
        // Site 9 is registered at 7 now.
        let again = with(|site| site.registered = Some(at(7)), vec![]);
        let protected = Protected::on(&again, None, Vec::new());
        let table = [
            // the mark, its time     once mapped, and when registered   gets a record
            (9, Some(at(0)), None, true),
            (9, Some(at(7)), None, false),
            (9, None, None, false),
            (4, None, None, true),
            (4, Some(at(0)), Some(Some(at(5))), true),
            (4, Some(at(0)), Some(Some(at(7))), false),
            (4, Some(at(0)), Some(None), false),
            (9, Some(at(0)), Some(Some(at(5))), true),
        ];
        for (id, registered, once, gets) in table {
            let ever_mapped = once.map(|time| (9, time)).into_iter().collect();
            let mark = Some(SiteMark { id, registered });
            let made = missing(&again, &protected, mark, &ever_mapped);
            assert_eq!(!made.is_empty(), gets, "up to {id} and {registered:?}, mapped {once:?}");
        }
    }

    #[test]
    fn a_site_that_was_remembered_without_a_time_takes_the_one_read_first() {
        let network = network(vec![mapping(1, 3, "a.example")]);
        let of = |known: &[(u64, Option<Time>)]| -> Vec<_> {
            newly_mapped(&network, &known.iter().copied().collect()).into_iter().collect()
        };
        assert_eq!(of(&[]), [(3, Some(at(0)))]);
        assert_eq!(of(&[(3, Some(at(0)))]), []);
        assert_eq!(of(&[(3, None)]), [(3, Some(at(0)))]);
        assert_eq!(
            of(&[(3, Some(at(5)))]),
            [(3, Some(at(0)))],
            "another site has the id and is mapped"
        );
        assert_eq!(
            of(&[(2, None), (3, Some(at(0)))]),
            [(2, Some(at(0)))],
            "also one that is not mapped now"
        );
        assert_eq!(
            of(&[(2, Some(at(5))), (3, Some(at(0)))]),
            [],
            "one that is not mapped waits for its record"
        );
        assert_eq!(of(&[(99, None), (3, Some(at(0)))]), [], "one that is gone has none");
        let old = SiteMark { id: 4, registered: None };
        assert_eq!(old.timed(&network), SiteMark { id: 4, registered: Some(at(0)) });
        assert_eq!(
            SiteMark { registered: Some(at(5)), ..old }.timed(&network).registered,
            Some(at(5))
        );
    }

    #[test]
    fn a_new_site_gets_its_record_only_where_nothing_speaks_against_it() {
        type Change = fn(&mut Site);
        let table: [(&str, Change, &str, bool); 12] = [
            ("a new site", |_| (), "", true),
            ("a zero date", |site| site.age = None, "", true),
            ("half a minute old", |site| site.age = Some(SETTLED_AFTER / 2), "", false),
            ("under a path", |site| site.path = "/shop/".to_owned(), "", false),
            ("archived, spam or deleted", |site| site.hidden = Some(Hidden::Archived), "", false),
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
