//! The certificates that an authority gives to one registrable domain within a week, and what is left of
//! them (facts: certificates; Let's Encrypt's limit, over all accounts).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::entry::{Entry, Routing};
use crate::{DomainName, Network, Time};

/// So many certificates a week has a registrable domain.
pub const A_WEEK: usize = 50;

/// From so many on people are told, before nothing is left.
pub const TELL_FROM: usize = 40;

/// More new names of one parent within a week than these would be spared by a wildcard.
pub const WORTH_A_WILDCARD: usize = 25;

const WEEK: Duration = Duration::from_hours(7 * 24);

/// What one registrable domain needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Names that got their first certificate within the last week.
    pub issued: usize,
    /// Names whose DNS is here and that have none.
    pub waiting: usize,
    /// When the oldest of the week's certificates does not count any more.
    pub next: Option<Time>,
}

impl Budget {
    /// Whether nothing is left this week.
    pub fn is_spent(&self) -> bool {
        A_WEEK <= self.issued
    }

    /// Whether somebody should know.
    pub fn is_short(&self) -> bool {
        0 < self.waiting && TELL_FROM <= self.issued + self.waiting
    }
}

/// What each registrable domain of `entries` needs at `now`; of those that need nothing, nothing.
pub fn of<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    now: Time,
) -> BTreeMap<DomainName, Budget> {
    let mut budgets: BTreeMap<DomainName, Budget> = BTreeMap::new();
    for entry in entries {
        if entry.mapped.is_none() || entry.routing.state != Routing::Here {
            continue;
        }
        // A renewal counts for nothing: it is of a name that has long been here.
        let since = entry.certificate.since;
        let is_issued = entry.certificate.state.is_good();
        let is_new = now.since(since) < WEEK && now.since(entry.routing.since) < WEEK * 2;
        if is_issued && !is_new {
            continue;
        }
        let Some(registrable) = entry.domain.registrable() else { continue };
        let budget = budgets.entry(registrable).or_default();
        if is_issued {
            let ends = since + WEEK;
            budget.issued += 1;
            budget.next = Some(budget.next.map_or(ends, |next| next.min(ends)));
        } else {
            budget.waiting += 1;
        }
    }
    budgets
}

/// A wildcard that would spare certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The wildcard.
    pub wildcard: DomainName,
    /// How many names of the last week it would have covered.
    pub spares: usize,
}

/// Wildcards that would have covered many of the names that came within the week before `now`, most
/// first. A name came when its site was made, or where that is not known when we saw it first.
pub fn suggestions<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    network: &Network,
    now: Time,
) -> Vec<Suggestion> {
    let mut new: BTreeMap<DomainName, usize> = BTreeMap::new();
    for entry in entries {
        let Some(mapped) = &entry.mapped else { continue };
        let site = network.sites.get(&mapped.site_id);
        let came = site.and_then(|site| site.registered).unwrap_or(entry.first_seen);
        if WEEK <= now.since(came) || entry.domain.is_wildcard() {
            continue;
        }
        if let Some(wildcard) = wildcard_over(&entry.domain) {
            *new.entry(wildcard).or_default() += 1;
        }
    }
    let is_mapped =
        |wildcard: &DomainName| network.mappings.iter().any(|mapping| mapping.domain == *wildcard);
    let worth = new
        .into_iter()
        .filter(|(wildcard, count)| WORTH_A_WILDCARD < *count && !is_mapped(wildcard));
    let mut suggestions: Vec<_> =
        worth.map(|(wildcard, spares)| Suggestion { wildcard, spares }).collect();
    suggestions.sort_by_key(|it| std::cmp::Reverse(it.spares));
    suggestions
}

/// The wildcard that covers `name`; none of a registrable domain, as nobody gets one of a whole suffix.
fn wildcard_over(name: &DomainName) -> Option<DomainName> {
    let (_, parent) = name.as_str().split_once('.')?;
    let registrable = name.registrable()?;
    let is_below = registrable != *name;
    is_below.then(|| format!("*.{parent}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Certificate, Mapped};
    use crate::testing::{mapping, network};

    const DAY: Duration = Duration::from_hours(24);
    const NOW: Time = Time::from_millis(100 * 24 * 3_600_000);

    fn entry(name: &str, certificate: Certificate, days_ago: u32) -> Entry {
        let mapped =
            Mapped { mapping_id: 7, site_id: 99, stage: None, secure: false, left_alone: None };
        let since = NOW - DAY * days_ago;
        let mut entry = Entry::new(name.parse().unwrap(), Some(mapped), since);
        entry.routing.see(since, Routing::Here, None, None);
        entry.certificate.see(since, certificate, None, None);
        entry
    }

    fn many(count: usize, parent: &str, certificate: Certificate, days_ago: u32) -> Vec<Entry> {
        let name = |number: usize| format!("s{number}.{parent}");
        (0..count).map(|number| entry(&name(number), certificate, days_ago)).collect()
    }

    #[test]
    fn a_week_has_fifty_certificates_for_a_registrable_domain() {
        let mut entries = many(45, "net.example", Certificate::Valid, 3);
        entries.extend(many(20, "old.net.example", Certificate::Valid, 8));
        entries.push(entry("other.example", Certificate::Missing, 1));
        let name: DomainName = "net.example".parse().unwrap();
        let budget = |entries: &[Entry]| of(entries, NOW).remove(&name).unwrap();
        let issued = budget(&entries);
        assert_eq!((issued.issued, issued.waiting), (45, 0));
        assert!(!issued.is_short(), "nothing waits");
        assert_eq!(issued.next, Some(NOW - DAY * 3 + WEEK));
        entries.extend(many(3, "new.net.example", Certificate::Missing, 1));
        assert!(budget(&entries).is_short() && !budget(&entries).is_spent());
        entries.extend(many(5, "next.net.example", Certificate::Valid, 2));
        assert!(budget(&entries).is_spent());
    }

    #[test]
    fn a_wildcard_is_suggested_where_it_would_spare_more_than_twenty_five_a_week() {
        let network = network(vec![mapping(1, 2, "*.mapped.example")]);
        let of = |count, parent: &str, days_ago| {
            let entries = many(count, parent, Certificate::Valid, days_ago);
            suggestions(&entries, &network, NOW)
        };
        let found = of(26, "net.example", 3);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].wildcard.as_str(), found[0].spares), ("*.net.example", 26));
        assert_eq!(of(25, "net.example", 3), []);
        assert_eq!(of(26, "net.example", 8), [], "not this week");
        assert_eq!(of(26, "mapped.example", 3), [], "there is one");
        assert_eq!(of(26, "example", 3), [], "no wildcard of a suffix");
    }
}
