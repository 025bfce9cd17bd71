//! Letting a mapping lead to another site.

use rules::DomainName;
use rules::ledger::Ledger;
use rules::source::NetworkSource;

use super::add::{find_site, refuse_clash};
use super::remove::rows_of;
use super::{network_to_change, unknown};
use crate::failure::Failure;

/// A mapping that was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    pub from: u64,
    pub to: u64,
}

/// Let the mapping of `domain` lead to `site`, its id or own domain. Its alias stays as it is.
///
/// # Errors
///
/// Nothing was changed: the name is not mapped, or by several rows; there is no such site; or its
/// twin is mapped to another one.
pub async fn move_to(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
    domain: &DomainName,
    site: &str,
) -> Result<Moved, Failure> {
    let mut network = network_to_change(source, ledger).await?;
    let to = find_site(&network, site)?;
    let (rows, _) = rows_of(&network, domain);
    let (row, from) = match rows[..] {
        [] => return Err(unknown(domain)),
        [row] => (row.id, row.site_id),
        _ => {
            let what = format!("`{domain}` is mapped by {} rows", rows.len());
            return Err(Failure::no(what).hint("delete all but one of them in WordPress"));
        }
    };
    if from == to {
        return Ok(Moved { from, to });
    }
    network.mappings.retain(|mapping| mapping.id != row);
    refuse_clash(&network, domain, to)?;
    if !source.move_mapping(row, from, to).await? {
        return Err(Failure::no(format!("`{domain}` was changed meanwhile; try again")));
    }
    Ok(Moved { from, to })
}
