//! Why a network could not be read: which tables are missing, and under which prefix others are.

use std::collections::BTreeSet;

use rules::source::SourceError;
use sqlx::Row;

use super::MysqlNetwork;
use super::failure::{is_missing_table, within};
use super::link::Link;
use crate::missing;

const TABLES: &str = "SELECT table_name FROM information_schema.tables \
    WHERE table_schema = DATABASE() AND (table_name LIKE '%blogs' OR table_name LIKE '%site' \
    OR table_name LIKE '%sitemeta' OR table_name LIKE '%wu\\_domain\\_mappings')";

impl MysqlNetwork {
    /// Say more about a read that failed because a table is missing, where more can be found out.
    pub(super) async fn explain(&self, error: SourceError) -> SourceError {
        if !is_missing_table(&error) {
            return error;
        }
        let lack =
            |there| missing::lack(&self.installation, self.database.name(), "`DB_NAME`", &there);
        self.tables_there().await.ok().and_then(lack).unwrap_or(error)
    }

    async fn tables_there(&self) -> Result<BTreeSet<String>, SourceError> {
        let mut link = Link::connect(&self.database, &self.installation).await?;
        let rows = sqlx::query(TABLES).fetch_all(&mut link.connection);
        let rows = within("listing the tables", rows).await?;
        let name = |row: &sqlx::mysql::MySqlRow| row.try_get_unchecked::<String, _>(0).ok();
        Ok(rows.iter().filter_map(name).collect())
    }
}
