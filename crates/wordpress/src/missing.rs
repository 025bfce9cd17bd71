//! What to say about a database without a network: which tables are missing, and which others are
//! there.

use std::collections::BTreeSet;

use rules::source::SourceError;

use crate::Installation;
use crate::tables::NEEDED;

/// Why a database with the tables `there` is not that of `installation`'s network; none where it
/// is. `named_by` are the constants of wp-config.php that lead to it.
pub(crate) fn lack(
    installation: &Installation,
    database: &str,
    named_by: &str,
    there: &BTreeSet<String>,
) -> Option<SourceError> {
    let prefix = installation.prefix.as_str();
    let name = |table: &&str| format!("`{prefix}{table}`");
    let is_there = |prefix: &str, table: &str| there.contains(&format!("{prefix}{table}"));
    let missing: Vec<_> = NEEDED.iter().filter(|it| !is_there(prefix, it)).map(name).collect();
    if missing.is_empty() {
        return None;
    }
    let others = there.iter().filter_map(|it| it.strip_suffix("wu_domain_mappings"));
    let mut others = others.chain(there.iter().filter_map(|it| it.strip_suffix("sitemeta")));
    let hint = match others.find(|other| *other != prefix && is_there(other, "blogs")) {
        Some(other) => format!(
            "tables of a network with the prefix `{other}` are there: check \
             `$table_prefix`, or `network.table_prefix` where that is set"
        ),
        None if is_there(prefix, "sitemeta") && is_there(prefix, "blogs") => {
            "is Ultimate Multisite installed and its setup done?".to_owned()
        }
        None => format!(
            "is this a WordPress multisite network, and {named_by} its database, or \
             `network.database_url` where that is set?"
        ),
    };
    let what = format!("the database `{database}` lacks {}", missing.join(", "));
    Some(SourceError::NotANetwork { what, hint })
}
