//! What we may do: each right tried with a statement that can change nothing.

use rules::source::{Right, SourceError};

use super::failure::within;
use super::link::Link;

/// Purpose, privilege, tables, and statements that need it and touch no row.
const NEEDED: [(&str, &str, &[&str], &[&str]); 5] = [
    (
        "read the network",
        "SELECT",
        &["blogs", "site", "sitemeta", "wu_domain_mappings"],
        &[
            "SELECT blog_id FROM `{_}blogs` WHERE FALSE",
            "SELECT id FROM `{_}site` WHERE FALSE",
            "SELECT meta_id FROM `{_}sitemeta` WHERE FALSE",
            "SELECT id FROM `{_}wu_domain_mappings` WHERE FALSE",
        ],
    ),
    (
        "write stages",
        "UPDATE",
        &["wu_domain_mappings"],
        &["UPDATE `{_}wu_domain_mappings` SET stage = stage, secure = secure, \
            primary_domain = primary_domain, date_modified = date_modified WHERE FALSE"],
    ),
    (
        "make domain records",
        "INSERT",
        &["wu_domain_mappings"],
        &[
            "INSERT INTO `{_}wu_domain_mappings` (blog_id, domain) SELECT 0, '' FROM DUAL WHERE FALSE",
        ],
    ),
    (
        "remove mappings",
        "DELETE",
        &["wu_domain_mappings"],
        &["DELETE FROM `{_}wu_domain_mappings` WHERE FALSE"],
    ),
    (
        "keep the switch and its own mark",
        "INSERT, UPDATE",
        &["sitemeta"],
        &[
            "INSERT INTO `{_}sitemeta` (site_id, meta_key) SELECT 0, '' FROM DUAL WHERE FALSE",
            "UPDATE `{_}sitemeta` SET meta_value = meta_value WHERE FALSE",
        ],
    ),
];

const TRYING: &str = "trying what is allowed";

impl Link {
    pub(super) async fn rights(&mut self) -> Result<Vec<Right>, SourceError> {
        let mut rights = Vec::new();
        for (purpose, privilege, tables, statements) in NEEDED {
            let tables: Vec<_> =
                tables.iter().map(|table| format!("`{}`", self.tables.name(table))).collect();
            let purpose = format!("{purpose} ({privilege} on {})", tables.join(", "));
            rights.push(Right { purpose, missing: self.refusal(statements).await? });
        }
        Ok(rights)
    }

    /// The database's words, where it refuses one of `statements`.
    async fn refusal(
        &mut self,
        statements: &[&'static str],
    ) -> Result<Option<String>, SourceError> {
        for statement in statements {
            let sql = self.tables.sql(statement);
            let tried = sqlx::raw_sql(sql).execute(&mut self.connection);
            match within(TRYING, tried).await {
                Ok(_) => {}
                Err(SourceError::Denied { what }) => return Ok(Some(what)),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
