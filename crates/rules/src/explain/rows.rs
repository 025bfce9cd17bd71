//! The name itself, and the rows in WordPress that decide whose it is.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Case, list};
use crate::domain_name::{LONGEST_MAPPING, NotADomain};
use crate::finding::{Code, Fact, Finding};
use crate::network::Hidden;
use crate::protected::{Protection, special_use};
use crate::twins::Twin;
use crate::{DomainName, Mapping, Network};

/// The mappings of a network by name, made once for many domains.
#[derive(Debug)]
pub struct Rows<'a> {
    network: &'a Network,
    named: BTreeMap<&'a DomainName, Vec<&'a Mapping>>,
    /// Rows that WordPress may find for another name than the one that they mean.
    found_as: BTreeMap<&'a DomainName, Vec<&'a Mapping>>,
}

impl<'a> Rows<'a> {
    /// All rows of `network`, each name's in the order in which WordPress picks them.
    pub fn of(network: &'a Network) -> Self {
        let (mut named, mut found_as) = (BTreeMap::new(), BTreeMap::new());
        for row in &network.mappings {
            named.entry(&row.domain).or_insert_with(Vec::new).push(row);
            for other in row.found_for_others() {
                found_as.entry(other).or_insert_with(Vec::new).push(row);
            }
        }
        for rows in named.values_mut() {
            rows.sort_by(|a: &&Mapping, b: &&Mapping| {
                let spelling = b.spelling.is_plain().cmp(&a.spelling.is_plain());
                spelling.then(b.rank(a)).then(a.id.cmp(&b.id))
            });
        }
        Self { network, named, found_as }
    }

    /// The rows of `name` that lead to sites of this network; the first one speaks for it.
    pub fn ours(&self, name: &DomainName) -> Vec<&'a Mapping> {
        self.named(name).iter().copied().filter(|row| self.is_ours(row)).collect()
    }

    /// Whether a row of this network asks for `name`.
    pub fn is_mapped(&self, name: &DomainName) -> bool {
        !self.ours(name).is_empty()
    }

    fn named(&self, name: &DomainName) -> &[&'a Mapping] {
        self.named.get(name).map_or(&[], Vec::as_slice)
    }

    fn is_ours(&self, row: &Mapping) -> bool {
        let site = self.network.sites.get(&row.site_id);
        site.is_some_and(|site| self.network.has_site(site))
    }

    /// The rows that none of our sites asks for by this name, and that WordPress may find for it.
    fn strangers(&self, name: &DomainName) -> impl Iterator<Item = &'a Mapping> {
        let not_ours = self.named(name).iter().copied().filter(|row| !self.is_ours(row));
        let odd = self.found_as.get(name).into_iter().flatten().copied();
        not_ours.chain(odd).filter(|_| !name.is_wildcard())
    }
}

/// What is wrong with a text that is no name, where that is a finding: it is too long, an IP address
/// or a name of special use.
pub fn of_text(text: &str) -> Option<Finding> {
    let bare = text.trim().trim_end_matches('.').trim_start_matches('[').trim_end_matches(']');
    let is_long = LONGEST_MAPPING < bare.len() || bare.split('.').any(|label| 63 < label.len());
    let why = text.trim().parse::<DomainName>().err();
    if matches!(why, Some(NotADomain::Address | NotADomain::Ipv6Address)) {
        Some(Finding::new(Code::ReservedName).with(Fact::Detail, "IP"))
    } else if is_long {
        Some(too_long(bare))
    } else {
        let top = special_use(&bare.to_ascii_lowercase())?;
        Some(Finding::new(Code::ReservedName).with(Fact::Zone, top))
    }
}

fn too_long(name: &str) -> Finding {
    Finding::new(Code::NameTooLong).with(Fact::Count, name.chars().count().to_string())
}

/// What is wrong with the name itself.
pub(super) fn of_name(case: &Case<'_>) -> Vec<Finding> {
    let name = case.subject.name;
    let mut found = Vec::new();
    if LONGEST_MAPPING < name.as_str().len() {
        found.push(too_long(name.as_str()));
    }
    match case.situation.protected.why(name) {
        None => (),
        Some(Protection::SpecialUse(top)) => {
            found.push(Finding::new(Code::ReservedName).with(Fact::Zone, top));
        }
        Some(why) => {
            found.push(Finding::new(Code::ProtectedName).with(Fact::Detail, why.to_string()));
        }
    }
    found
}

/// What the rows say of it.
pub(super) fn of_rows(case: &Case<'_>) -> Vec<Finding> {
    let (name, rows) = (case.subject.name, case.situation.rows);
    let ours = rows.ours(name);
    let Some((first, others)) = ours.split_first() else {
        return unmapped(case).filter(|_| !case.knows_no_rows()).into_iter().collect();
    };
    let mut found = Vec::new();
    if !first.spelling.is_plain() {
        let detail = list(first.found_for_others());
        found.push(in_row(Code::SpellingNeverMatched, first).with(Fact::Detail, detail));
    }
    if let Some(Hidden::Deleted) = rows.network.sites.get(&first.site_id).and_then(|it| it.hidden) {
        found.push(in_row(Code::SiteDeleted, first));
    }
    found.extend(
        others.iter().find(|it| it.may_be_found()).map(|it| against(Code::TwoMappings, first, it)),
    );
    found.extend(twin_elsewhere(rows, name, first));
    found.extend(outranked(rows, name, first));
    found
}

/// No row of ours has the name: one leads nowhere, or there is none. A twin that is followed needs none.
fn unmapped(case: &Case<'_>) -> Option<Finding> {
    let rows = case.situation.rows;
    let leads_nowhere = |row: &&&Mapping| !rows.network.sites.contains_key(&row.site_id);
    match rows.named(case.subject.name).iter().find(leads_nowhere) {
        Some(row) => Some(in_row(Code::SiteMissing, row)),
        None if case.subject.entry.is_some_and(|it| it.twin == Some(Twin::Follows)) => None,
        None => Some(Finding::new(Code::NotMapped)),
    }
}

/// `X` and `www.X` on different sites: to WordPress each answers for both.
fn twin_elsewhere(rows: &Rows<'_>, name: &DomainName, first: &Mapping) -> Option<Finding> {
    let twin = name.twin()?;
    let of_twin = rows.ours(&twin);
    let other = of_twin.iter().find(|row| row.site_id != first.site_id && row.may_be_found())?;
    first.may_be_found().then(|| against(Code::TwinOnOtherSite, first, other))
}

/// A row that none of our sites has, which WordPress picks first or may.
fn outranked(rows: &Rows<'_>, name: &DomainName, first: &Mapping) -> Option<Finding> {
    let of_twin = name.twin();
    let of_twin = of_twin.iter().flat_map(|twin| rows.strangers(twin));
    let leads_there = |row: &&Mapping| row.site_id != first.site_id;
    let mut strangers = rows.strangers(name).chain(of_twin.filter(leads_there));
    let wins = |row: &&Mapping| row.rank(first) != Ordering::Less && row.may_be_found();
    let other = strangers.find(|row| wins(row) || row.found_for_others().any(|it| it == name))?;
    first.spelling.is_plain().then(|| against(Code::OtherRowWins, first, other))
}

/// A finding about `row`.
pub(super) fn in_row(code: Code, row: &Mapping) -> Finding {
    about_row(code, &row.domain, row.id, row.site_id)
}

/// The same, about the row `id` that maps `name`.
pub(super) fn about_row(code: Code, name: &DomainName, id: u64, site_id: u64) -> Finding {
    Finding::new(code).with(Fact::Name, format!("{name} (mapping {id}, site {site_id})"))
}

/// A finding about `row`, which contradicts `other`.
fn against(code: Code, row: &Mapping, other: &Mapping) -> Finding {
    let other = format!("{} (mapping {}, site {})", other.domain, other.id, other.site_id);
    in_row(code, row).with(Fact::Other, other)
}
