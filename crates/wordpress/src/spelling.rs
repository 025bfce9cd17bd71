//! Names as rows write them, and why a name cannot be mapped: the same for every database.

use rules::DomainName;
use rules::domain_name::LONGEST_MAPPING;
use rules::lookup::Spelling;
use rules::source::SourceError;

/// Whether `as_stored`, maybe with capitals, in Unicode or with a final dot, is `domain`.
pub(crate) fn is(as_stored: &str, domain: &DomainName) -> bool {
    Spelling::read(as_stored).is_ok_and(|(name, _)| name == *domain)
}

/// The ways in which rows write `domain`, without a final dot and without capitals.
pub(crate) fn both(domain: &DomainName) -> [String; 2] {
    [domain.as_str().to_owned(), domain.display().to_lowercase()]
}

/// The domain name that a row holds, if it does.
pub(crate) fn read(as_stored: Option<String>) -> Option<DomainName> {
    Spelling::read(&as_stored?).ok().map(|(name, _)| name)
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
