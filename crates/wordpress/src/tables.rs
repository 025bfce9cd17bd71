//! The names of the network's tables, and SQL made with them.

use sqlx::AssertSqlSafe;

use crate::TablePrefix;

/// The network-wide tables of one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Tables(TablePrefix);

/// The main site of a network: the one at the network's own domain and path, as in WordPress.
pub(crate) const MAIN_SITE: &str = "SELECT b.blog_id FROM `{_}blogs` b JOIN `{_}site` s \
    ON s.id = b.site_id AND s.domain = b.domain AND s.path = b.path \
    WHERE s.id = ? ORDER BY b.blog_id LIMIT 1";

/// The nonces of the plugin are options of the main site.
pub(crate) const FORGET_NONCES: &str = "DELETE FROM `{site}options` \
    WHERE option_name LIKE '!_closte!_sync!_nonce!_%' ESCAPE '!'";

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

    /// [`sql`](Self::sql) with `{site}` for what comes before the names of the tables of the site
    /// `id`, such as `wp_7_`. Those of the first one are named like the network's.
    pub(crate) fn sql_of_site(&self, template: &'static str, id: u64) -> AssertSqlSafe<String> {
        let site = if id == 1 { self.0.to_string() } else { format!("{}{id}_", self.0) };
        AssertSqlSafe(template.replace("{site}", &site))
    }

    /// [`sql`](Self::sql) with `{?}` for so many parameters.
    pub(crate) fn sql_of(&self, template: &'static str, count: usize) -> AssertSqlSafe<String> {
        let AssertSqlSafe(sql) = self.sql(template);
        AssertSqlSafe(sql.replace("{?}", &vec!["?"; count].join(", ")))
    }
}
