//! Names as rows write them, and why a name cannot be mapped: the same for every database.

use std::collections::BTreeSet;

use rules::domain_name::LONGEST_MAPPING;
use rules::source::SourceError;
use rules::{DomainName, Entry};

/// Whether `as_stored`, maybe with capitals, in Unicode or with a final dot, is `domain`.
pub(crate) fn is(as_stored: &str, domain: &DomainName) -> bool {
    as_stored.parse::<DomainName>().is_ok_and(|it| it == *domain)
}

/// The ways in which rows write `domain`, without a final dot and without capitals.
pub(crate) fn both(domain: &DomainName) -> [String; 2] {
    [domain.as_str().to_owned(), domain.display().to_lowercase()]
}

/// Those of `gone` that one of `rows`, ids with what they hold, has; a row that had the name and
/// holds no domain name counts.
pub(crate) fn came_back(
    rows: impl IntoIterator<Item = (u64, Option<String>)>,
    gone: &[&Entry],
) -> BTreeSet<DomainName> {
    let read = |text: Option<String>| text.and_then(|text| text.parse::<DomainName>().ok());
    let rows: Vec<_> = rows.into_iter().map(|(id, text)| (id, read(text))).collect();
    let is_back = |entry: &&&Entry| {
        rows.iter().any(|(id, name)| match name {
            Some(name) => *name == entry.domain,
            None => entry.rows().any(|row| row == *id),
        })
    };
    gone.iter().filter(is_back).map(|entry| entry.domain.clone()).collect()
}

/// That the column can store the whole name.
pub(crate) fn fits(domain: &DomainName) -> Result<(), SourceError> {
    if domain.as_str().len() <= LONGEST_MAPPING {
        return Ok(());
    }
    let what =
        format!("`{domain}` is longer than the {LONGEST_MAPPING} octets that WordPress keeps");
    Err(SourceError::Refused { what })
}

/// Why no mapping of `domain` to `site` was added.
pub(crate) fn not_added(site: u64, domain: &DomainName, site_is_there: bool) -> SourceError {
    let what = if site_is_there {
        format!("`{domain}` is mapped already")
    } else {
        format!("there is no site {site}")
    };
    SourceError::Refused { what }
}
