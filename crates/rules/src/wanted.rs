//! What the mappings of a network ask for, name by name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::entry::Mapped;
use crate::{DomainName, Mapping, Network, Problem, Problems};

/// The names of a network's mappings.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The names to keep at the host, each with the row that wants it.
    pub names: BTreeMap<DomainName, Mapped>,
    /// Names in rows that lead to no site of ours: neither added nor removed.
    pub kept: BTreeSet<DomainName>,
    /// The rows that have a name besides the one that wants it.
    pub others: BTreeMap<DomainName, Vec<u64>>,
    /// How many rows have a text that is no name.
    unreadable: usize,
    /// Rows that contradict others, or lead to no site; as many as [`Problems`] keeps.
    pub problems: Vec<Problem>,
}

impl Wanted {
    /// Sort the mappings of `network`.
    pub fn of(network: &Network) -> Self {
        let table = format!("{}wu_domain_mappings", network.identity.prefix);
        let (mut wanted, mut problems) = (Self::default(), Problems::default());
        let mut rows: BTreeMap<&DomainName, Vec<&Mapping>> = BTreeMap::new();
        for mapping in &network.mappings {
            match network.sites.get(&mapping.site_id) {
                Some(site) if network.has_site(site) => {
                    rows.entry(&mapping.domain).or_default().push(mapping);
                }
                // Another network's of the same installation.
                Some(_) => wanted.keep(mapping),
                None => {
                    wanted.keep(mapping);
                    problems.push(no_site(&table, mapping));
                }
            }
        }
        for rows in rows.values_mut() {
            // As WordPress picks: its own order, then the older row.
            rows.sort_by_key(|row| (Reverse((row.primary, row.active, row.secure)), row.id));
            for other in &rows[1..] {
                problems.push(twice(&table, rows[0], other));
                wanted.others.entry(other.domain.clone()).or_default().push(other.id);
            }
            wanted.names.insert(rows[0].domain.clone(), mapped(rows[0], 1 < rows.len()));
        }
        wanted.contest_twins(&table, &rows, &mut problems);
        wanted.unreadable = network.unreadable.len();
        wanted.problems = problems.into_vec();
        wanted.kept.retain(|name| !wanted.names.contains_key(name));
        wanted
    }

    fn keep(&mut self, mapping: &Mapping) {
        self.kept.insert(mapping.domain.clone());
        self.others.entry(mapping.domain.clone()).or_default().push(mapping.id);
    }

    /// How many names have a row at all; one whose text is no name is there too.
    pub fn count(&self) -> u64 {
        (self.names.len() + self.kept.len() + self.unreadable) as u64
    }

    /// `X` and `www.X` on different sites, whichever of their rows lead there: to WordPress each
    /// answers for both.
    fn contest_twins(
        &mut self,
        table: &str,
        rows: &BTreeMap<&DomainName, Vec<&Mapping>>,
        problems: &mut Problems,
    ) {
        for (www, of_www) in rows.iter().filter(|(name, _)| name.as_str().starts_with("www.")) {
            let Some((apex, of_apex)) = www.twin().and_then(|it| rows.get_key_value(&it)) else {
                continue;
            };
            let pairs = of_www.iter().flat_map(|row| of_apex.iter().map(move |other| (row, other)));
            let Some((row, other)) =
                pairs.into_iter().find(|(row, other)| row.site_id != other.site_id)
            else {
                continue;
            };
            let reason = format!(
                "`{www}` leads to site {} and `{apex}` (id {}) to site {}, and WordPress treats \
                 them as one; delete one of the two mappings",
                row.site_id, other.id, other.site_id
            );
            problems.push(Problem::in_row(table, "domain", row.id, reason));
            for name in [www, apex] {
                if let Some(mapped) = self.names.get_mut(*name) {
                    mapped.contested = true;
                }
            }
        }
    }
}

fn mapped(row: &Mapping, contested: bool) -> Mapped {
    Mapped {
        mapping_id: row.id,
        site_id: row.site_id,
        stage: row.stage,
        secure: row.secure,
        contested,
    }
}

fn no_site(table: &str, row: &Mapping) -> Problem {
    let reason = format!(
        "`{}` is mapped to site {}, which does not exist; delete the mapping, or map it to a site",
        row.domain, row.site_id
    );
    Problem::in_row(table, "blog_id", row.id, reason)
}

fn twice(table: &str, first: &Mapping, other: &Mapping) -> Problem {
    let reason = format!(
        "`{}` is mapped twice: to site {} (id {}) and to site {} (id {}); delete one of the two",
        other.domain, first.site_id, first.id, other.site_id, other.id
    );
    Problem::in_row(table, "domain", other.id, reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mapping, network};

    fn contested(wanted: &Wanted) -> Vec<&str> {
        let names = wanted.names.iter().filter(|(_, mapped)| mapped.contested);
        names.map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn a_name_on_two_mappings_is_reported_and_the_row_that_wordpress_picks_speaks_for_it() {
        let mut rows = vec![mapping(1, 2, "a.example"), mapping(2, 3, "a.example")];
        rows[1].primary = true;
        let wanted = Wanted::of(&network(rows));
        assert_eq!(wanted.names[&"a.example".parse().unwrap()].mapping_id, 2);
        assert_eq!(contested(&wanted), ["a.example"]);
        let [problem] = &wanted.problems[..] else { panic!("{:?}", wanted.problems) };
        assert_eq!(problem.id, Some(1));
        assert_eq!(
            problem.reason,
            "`a.example` is mapped twice: to site 3 (id 2) and to site 2 (id 1); delete one of the two"
        );
    }

    #[test]
    fn twins_are_reported_only_where_they_lead_to_different_sites() {
        let same = vec![mapping(1, 2, "a.example"), mapping(2, 2, "www.a.example")];
        let wanted = Wanted::of(&network(same));
        assert!(wanted.problems.is_empty() && contested(&wanted).is_empty());
        let different = vec![mapping(1, 2, "a.example"), mapping(2, 3, "www.a.example")];
        let wanted = Wanted::of(&network(different));
        assert_eq!(contested(&wanted), ["a.example", "www.a.example"]);
        assert_eq!(wanted.problems.len(), 1);
    }

    #[test]
    fn a_twin_is_seen_in_whichever_row_it_is() {
        let rows = vec![
            mapping(1, 2, "a.example"),
            mapping(2, 3, "a.example"),
            mapping(3, 2, "www.a.example"),
        ];
        let wanted = Wanted::of(&network(rows));
        assert_eq!(contested(&wanted), ["a.example", "www.a.example"]);
        assert_eq!(wanted.problems.len(), 2, "{:?}", wanted.problems);
    }

    #[test]
    fn a_row_that_leads_nowhere_is_reported_and_its_name_is_kept() {
        let wanted = Wanted::of(&network(vec![mapping(1, 99, "a.example")]));
        assert!(wanted.names.is_empty());
        assert_eq!(wanted.count(), 1);
        assert_eq!(wanted.problems[0].column.as_deref(), Some("blog_id"));
    }

    #[test]
    fn another_networks_row_is_kept_and_no_problem() {
        let mut network = network(vec![mapping(1, 2, "a.example")]);
        network.sites.get_mut(&2).unwrap().network_id = 5;
        let wanted = Wanted::of(&network);
        assert!(wanted.names.is_empty() && wanted.problems.is_empty());
        assert_eq!(wanted.kept.len(), 1);
    }
}
