//! Why a network could not be read: which tables are missing, and under which prefix others are.

use std::collections::BTreeSet;

use rules::source::SourceError;
use sqlx::Row;

use super::failure::{is_missing_table, within};
use super::link::Link;
use super::tables::NEEDED;
use super::{Installation, MysqlNetwork};

const TABLES: &str = "SELECT table_name FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND (table_name LIKE '%blogs' OR table_name LIKE '%site' \
    OR table_name LIKE '%sitemeta' OR table_name LIKE '%wu\\_domain\\_mappings')";

impl MysqlNetwork {
    /// Say more about a read that failed for lack of a table, where more can be found out.
    pub(super) async fn explain(&self, error: SourceError) -> SourceError {
        if !is_missing_table(&error) {
            return error;
        }
        match self.tables_there().await {
            Ok(there) => {
                explained(&self.installation, self.database.name(), &there).unwrap_or(error)
            }
            Err(_) => error,
        }
    }

    async fn tables_there(&self) -> Result<BTreeSet<String>, SourceError> {
        let mut link = Link::connect(&self.database, &self.installation).await?;
        let rows = sqlx::query(TABLES).fetch_all(&mut link.connection);
        let rows = within("listing the tables", rows).await?;
        let name = |row: &sqlx::mysql::MySqlRow| row.try_get_unchecked::<String, _>(0).ok();
        Ok(rows.iter().filter_map(name).collect())
    }
}

fn explained(
    installation: &Installation,
    database: &str,
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
            "tables of a network with the prefix `{other}` are there: check `$table_prefix`"
        ),
        None if is_there(prefix, "sitemeta") && is_there(prefix, "blogs") => {
            "is Ultimate Multisite installed and its setup done?".to_owned()
        }
        None => "is this a WordPress multisite network, and `DB_NAME` its database?".to_owned(),
    };
    let what = format!("the database `{database}` lacks {}", missing.join(", "));
    Some(SourceError::NotANetwork { what, hint })
}
