//! The names of the network's tables, and SQL made with them.

use sqlx::AssertSqlSafe;

use crate::TablePrefix;

/// The network-wide tables of one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Tables(TablePrefix);

/// Tables that a network with Ultimate Multisite must have.
pub(crate) const NEEDED: [&str; 4] = ["blogs", "site", "sitemeta", "wu_domain_mappings"];

impl Tables {
    pub(crate) fn new(prefix: TablePrefix) -> Self {
        Self(prefix)
    }

    /// The full name of a table, such as `wp_blogs` for `blogs`.
    pub(crate) fn name(&self, table: &str) -> String {
        format!("{}{table}", self.0)
    }

    /// `template` with `{_}` for the prefix: the one way by which foreign text gets into
    /// SQL, and it is letters, digits and underscores.
    pub(crate) fn sql(&self, template: &'static str) -> AssertSqlSafe<String> {
        AssertSqlSafe(template.replace("{_}", self.0.as_str()))
    }

    /// [`sql`](Self::sql) with `{?}` for so many parameters.
    pub(crate) fn sql_of(&self, template: &'static str, count: usize) -> AssertSqlSafe<String> {
        let AssertSqlSafe(sql) = self.sql(template);
        AssertSqlSafe(sql.replace("{?}", &vec!["?"; count].join(", ")))
    }
}
