//! What the mappings of a network ask for, name by name.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{LeftAlone, Mapped};
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
    /// Rows that contradict others, that WordPress does not surely find, or that lead to no site; as
    /// many as [`Problems`] keeps.
    pub problems: Vec<Problem>,
}

/// The rows of sites of ours that have a name; the first one speaks for it.
type Rows<'a> = BTreeMap<&'a DomainName, Vec<&'a Mapping>>;

/// A row that WordPress may find for this name although none of our sites asks for that by it.
type Stranger<'a> = (&'a DomainName, &'a Mapping);

impl Wanted {
    /// Sort the mappings of `network`.
    pub fn of(network: &Network) -> Self {
        let (mut wanted, mut finding) = (Self::default(), Finding::of(network));
        let (mut rows, mut strangers) = (Rows::new(), Vec::new());
        for mapping in &network.mappings {
            strangers.extend(mapping.found_for_others().map(|name| (name, mapping)));
            let site = network.sites.get(&mapping.site_id);
            if site.is_some_and(|site| network.has_site(site)) {
                rows.entry(&mapping.domain).or_default().push(mapping);
                continue;
            }
            wanted.kept.insert(mapping.domain.clone());
            wanted.others.entry(mapping.domain.clone()).or_default().push(mapping.id);
            // It looks no wildcard up.
            if mapping.may_be_found() && !mapping.domain.is_wildcard() {
                strangers.push((&mapping.domain, mapping));
            }
            if site.is_none() {
                finding.no_site(mapping);
            }
        }
        for rows in rows.values_mut() {
            wanted.name(rows, &mut finding);
        }
        wanted.contest_twins(&rows, &mut finding);
        wanted.contest_strangers(&rows, &strangers, &mut finding);
        finding.primaries(rows.values().flatten().copied());
        wanted.unreadable = network.unreadable.len();
        wanted.problems = finding.problems.into_vec();
        wanted.kept.retain(|name| !wanted.names.contains_key(name));
        wanted
    }

    /// How many names have a row at all; one whose text is no name is there too.
    pub fn count(&self) -> u64 {
        (self.names.len() + self.kept.len() + self.unreadable) as u64
    }

    /// All `rows` of one name.
    fn name(&mut self, rows: &mut [&Mapping], finding: &mut Finding<'_>) {
        // As WordPress picks: what it finds, in its own order, then the older row.
        rows.sort_by(|a, b| {
            let spelling = b.spelling.is_plain().cmp(&a.spelling.is_plain());
            spelling.then(b.rank(a)).then(a.id.cmp(&b.id))
        });
        let Some((first, others)) = rows.split_first() else { return };
        let mut left_alone = None;
        for other in others {
            self.others.entry(other.domain.clone()).or_default().push(other.id);
            finding.twice(first, other);
            if other.may_be_found() {
                left_alone = Some(LeftAlone::Contested);
            }
        }
        if !first.spelling.is_plain() {
            left_alone = Some(LeftAlone::Misspelled);
            finding.misspelled(first);
        }
        let Mapping { id: mapping_id, site_id, stage, secure, .. } = **first;
        let mapped = Mapped { mapping_id, site_id, stage, secure, left_alone };
        self.names.insert(first.domain.clone(), mapped);
    }

    fn contest(&mut self, name: &DomainName) {
        if let Some(mapped) = self.names.get_mut(name) {
            mapped.left_alone.get_or_insert(LeftAlone::Contested);
        }
    }

    /// `X` and `www.X` on different sites, whichever of their rows lead there: to WordPress each
    /// answers for both.
    fn contest_twins(&mut self, rows: &Rows<'_>, finding: &mut Finding<'_>) {
        for (www, of_www) in rows.iter().filter(|(name, _)| name.as_str().starts_with("www.")) {
            let Some((apex, of_apex)) = www.twin().and_then(|it| rows.get_key_value(&it)) else {
                continue;
            };
            let pairs = of_www.iter().flat_map(|row| of_apex.iter().map(move |other| (row, other)));
            let mut found = pairs.filter(|(a, b)| a.may_be_found() && b.may_be_found());
            if let Some((row, other)) = found.find(|(a, b)| a.site_id != b.site_id) {
                finding.twins(row, other);
                self.contest(www);
                self.contest(apex);
            }
        }
    }

    /// Rows that none of our sites has, or that are found for another name than their own: where
    /// such a row does not come after ours, WordPress picks it, or may once ours is raised.
    fn contest_strangers(
        &mut self,
        rows: &Rows<'_>,
        strangers: &[Stranger<'_>],
        finding: &mut Finding<'_>,
    ) {
        for (found_as, stranger) in strangers {
            let twin = found_as.twin();
            for name in [Some(*found_as), twin.as_ref()].into_iter().flatten() {
                let Some(first) = rows.get(name).and_then(|rows| rows.first()) else { continue };
                let wins = stranger.rank(first);
                let leads_there = name != *found_as && stranger.site_id == first.site_id;
                if wins != Ordering::Less && !leads_there && first.spelling.is_plain() {
                    finding.outranked(first, stranger, wins);
                    self.contest(name);
                }
            }
        }
    }
}

/// What is told of rows.
struct Finding<'a> {
    network: &'a Network,
    table: String,
    problems: Problems,
}

impl<'a> Finding<'a> {
    fn of(network: &'a Network) -> Self {
        let table = format!("{}wu_domain_mappings", network.identity.prefix);
        Self { network, table, problems: Problems::default() }
    }

    fn push(&mut self, column: &str, row: &Mapping, reason: String) {
        self.problems.push(Problem::in_row(&self.table, column, row.id, reason));
    }

    fn no_site(&mut self, row: &Mapping) {
        let reason = format!(
            "`{}` is mapped to site {}, which does not exist; delete the mapping, or map it to a \
             site",
            row.domain, row.site_id
        );
        self.push("blog_id", row, reason);
    }

    fn twice(&mut self, first: &Mapping, other: &Mapping) {
        let delete = if first.spelling.is_plain() && !other.spelling.is_plain() {
            format!("delete id {}, which is spelled in another way than browsers ask", other.id)
        } else {
            "delete one of the two".to_owned()
        };
        let reason = format!(
            "`{}` is mapped twice: to site {} (id {}) and to site {} (id {}); {delete}",
            other.domain, first.site_id, first.id, other.site_id, other.id
        );
        self.push("domain", other, reason);
    }

    fn misspelled(&mut self, row: &Mapping) {
        let found = match (row.found_for_others().next(), row.may_be_found()) {
            (Some(other), _) => format!("never finds it, and may find it for `{other}`"),
            (None, true) => "finds it in some databases only".to_owned(),
            (None, false) => "never finds it".to_owned(),
        };
        let reason = format!(
            "browsers ask for `{0}`, and as this row spells that WordPress {found}; its stage is left \
             alone until it is written as `{0}`",
            row.domain
        );
        self.push("domain", row, reason);
    }

    fn twins(&mut self, row: &Mapping, other: &Mapping) {
        let reason = format!(
            "`{}` leads to site {} and `{}` (id {}) to site {}, and WordPress treats them as one; \
             delete one of the two mappings",
            row.domain, row.site_id, other.domain, other.id, other.site_id
        );
        self.push("domain", row, reason);
    }

    /// `stranger` wins over `row`, or is its equal. Where only some collations find it, it wins in
    /// some databases only.
    fn outranked(&mut self, row: &Mapping, stranger: &Mapping, wins: Ordering) {
        let is_sure = wins == Ordering::Greater && stranger.spelling.is_plain();
        let picks = if is_sure { "picks" } else { "may pick" };
        let whose = match self.network.sites.get(&stranger.site_id) {
            None => ", which does not exist",
            Some(site) if self.network.has_site(site) => "",
            Some(_) => ", of another network",
        };
        let reason = format!(
            "for `{}` of site {} WordPress {picks} another row, by `primary_domain`, `active` and \
             `secure`: id {}, `{}` of site {}{whose}; its stage is left alone until one of the two \
             is deleted",
            row.domain,
            row.site_id,
            stranger.id,
            stranger.domain.display(),
            stranger.site_id
        );
        self.push("domain", row, reason);
    }

    /// A site has one primary domain.
    fn primaries<'b>(&mut self, rows: impl Iterator<Item = &'b Mapping>) {
        let mut primaries: Vec<&Mapping> = rows.filter(|row| row.primary).collect();
        primaries.sort_unstable_by_key(|row| (row.site_id, row.id));
        for pair in primaries.windows(2).filter(|pair| pair[0].site_id == pair[1].site_id) {
            let reason = format!(
                "site {} has two primary domains, `{}` (id {}) and `{}` (id {}); leave \
                 `primary_domain` to one of the two",
                pair[0].site_id, pair[0].domain, pair[0].id, pair[1].domain, pair[1].id
            );
            self.push("primary_domain", pair[1], reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{mapping, network};

    fn contested(wanted: &Wanted) -> Vec<&str> {
        let is_contested = |mapped: &Mapped| mapped.left_alone == Some(LeftAlone::Contested);
        let names = wanted.names.iter().filter(|(_, mapped)| is_contested(mapped));
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

    type Findings = (Vec<(u64, String)>, Vec<(String, LeftAlone)>);

    /// What is told, of which row, and of which names the stage is left alone.
    fn findings(network: &Network) -> Findings {
        let wanted = Wanted::of(network);
        let problems = wanted.problems.iter().map(|it| (it.id.unwrap(), it.reason.clone()));
        let names = wanted.names.iter();
        let left = names.filter_map(|(name, it)| Some((name.display().into(), it.left_alone?)));
        (problems.collect(), left.collect())
    }

    #[test]
    fn a_row_that_wordpress_does_not_surely_find_is_told_with_the_spelling_to_use() {
        let table = [
            ("a.example.", "a.example", "never finds it"),
            ("a\u{200b}.example", "a.example", "finds it in some databases only"),
            ("ä.example", "xn--4ca.example", "never finds it, and may find it for `a.example`"),
        ];
        for (text, name, found) in table {
            let (problems, left) = findings(&network(vec![mapping(7, 2, text)]));
            let reason = format!(
                "browsers ask for `{name}`, and as this row spells that WordPress {found}; its stage \
                 is left alone until it is written as `{name}`"
            );
            assert_eq!(problems, [(7, reason)]);
            assert_eq!(left.first().map(|(_, why)| *why), Some(LeftAlone::Misspelled), "{text}");
        }
    }

    #[test]
    fn a_row_that_is_never_found_contests_none_that_is() {
        let mut rows = vec![mapping(1, 3, "a.example."), mapping(2, 2, "a.example")];
        rows[0].primary = true;
        let wanted = Wanted::of(&network(rows.clone()));
        assert_eq!(wanted.names[&"a.example".parse().unwrap()].mapping_id, 2);
        let (problems, left) = findings(&network(rows.clone()));
        assert!(left.is_empty(), "{left:?}");
        let reason = "`a.example` is mapped twice: to site 2 (id 2) and to site 3 (id 1); delete id 1, \
            which is spelled in another way than browsers ask";
        assert_eq!(problems, [(1, reason.to_owned())]);

        rows[1] = mapping(2, 2, "www.a.example");
        let (_, left) = findings(&network(rows.clone()));
        assert_eq!(left, [("a.example".to_owned(), LeftAlone::Misspelled)]);

        rows[0] = mapping(1, 3, "ａ.example");
        rows[1] = mapping(2, 2, "a.example");
        let (_, left) = findings(&network(rows));
        assert_eq!(left, [("a.example".to_owned(), LeftAlone::Contested)], "one finds it");
    }

    /// Ours is row 2 at `a.example`, neither primary nor secure.
    #[test]
    fn a_row_of_nobody_of_ours_contests_where_it_does_not_come_after_ours() {
        let stranger = |site, domain: &str, change: fn(&mut Mapping)| {
            let mut row = mapping(9, site, domain);
            change(&mut row);
            let mut network = network(vec![mapping(2, 2, "a.example"), row]);
            network.sites.get_mut(&4).unwrap().network_id = 5;
            let (problems, left) = findings(&network);
            let of_ours = problems.into_iter().find(|(id, _)| *id == 2).map(|(_, reason)| reason);
            assert_eq!(of_ours.is_some(), left.iter().any(|(name, _)| name == "a.example"));
            of_ours.unwrap_or_default()
        };
        let picks = stranger(4, "a.example", |row| row.primary = true);
        assert_eq!(
            picks,
            "for `a.example` of site 2 WordPress picks another row, by `primary_domain`, `active` and \
             `secure`: id 9, `a.example` of site 4, of another network; its stage is left alone until \
             one of the two is deleted"
        );
        let whose = |text: &str, is: &str| assert!(text.contains(is), "{text:?}: {is}");
        whose(&stranger(4, "a.example", |row| row.secure = true), "WordPress picks another row");
        whose(&stranger(4, "a.example", |_| ()), "WordPress may pick another row");
        whose(&stranger(99, "a.example", |row| row.secure = true), "site 99, which does not exist");
        whose(&stranger(4, "www.a.example", |row| row.secure = true), "`www.a.example` of site 4");
        whose(&stranger(3, "ä.example", |row| row.secure = true), "`ä.example` of site 3;");
        whose(&stranger(2, "ä.example", |_| ()), "may pick");
        whose(
            &stranger(3, "ä.example", |row| row.primary = true),
            "WordPress may pick another row",
        );
        whose(
            &stranger(4, "ａ.example", |row| row.primary = true),
            "WordPress may pick another row",
        );
        for (site, domain) in
            [(4, "a.example."), (4, "b.example"), (99, "ä.example."), (4, "*.a.example")]
        {
            assert_eq!(stranger(site, domain, |row| row.primary = true), "", "{site} {domain}");
        }
        for lower in [4, 99] {
            assert_eq!(
                stranger(lower, "a.example", |row| row.active = false),
                "",
                "ours comes first"
            );
        }
    }

    #[test]
    fn two_primary_domains_of_one_site_are_told() {
        let mut rows: Vec<_> =
            (1..=4).map(|id| mapping(id, 2, &format!("d{id}.example"))).collect();
        (rows[0].primary, rows[2].primary, rows[3].primary) = (true, true, true);
        rows[3].site_id = 3;
        let (problems, left) = findings(&network(rows));
        let reason = "site 2 has two primary domains, `d1.example` (id 1) and `d3.example` (id 3); \
            leave `primary_domain` to one of the two";
        assert_eq!((problems, left), (vec![(3, reason.to_owned())], vec![]));
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
