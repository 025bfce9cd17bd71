//! The names of the network's tables, and SQL made with them.

use sqlx::AssertSqlSafe;

use crate::TablePrefix;

/// The network-wide tables of one prefix.
#[derive(Clone, Debug)]
pub(super) struct Tables(TablePrefix);

/// Tables without which there is no network with Ultimate Multisite.
pub(super) const NEEDED: [&str; 4] = ["blogs", "site", "sitemeta", "wu_domain_mappings"];

impl Tables {
    pub(super) fn new(prefix: TablePrefix) -> Self {
        Self(prefix)
    }

    /// The full name of a table, such as `wp_blogs` for `blogs`.
    pub(super) fn name(&self, table: &str) -> String {
        format!("{}{table}", self.0)
    }

    /// `template` with `{_}` for the prefix: the one way by which text that is not ours gets into
    /// SQL, and it is letters, digits and underscores.
    pub(super) fn sql(&self, template: &'static str) -> AssertSqlSafe<String> {
        AssertSqlSafe(template.replace("{_}", self.0.as_str()))
    }
}
