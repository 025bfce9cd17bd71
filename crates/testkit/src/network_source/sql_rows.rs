//! The rows of a network in a database, changed and seen by SQL.

use async_trait::async_trait;

use super::RawSql;
use crate::network_meaning::{Change, Rows};

/// The rows behind a source in a database.
pub(super) struct SqlRows(pub(super) Box<dyn RawSql>);

#[async_trait]
impl Rows for SqlRows {
    async fn change(&self, change: Change<'_>) {
        self.0.run(&sql(change)).await;
    }

    async fn mappings(&self) -> String {
        let columns = "SELECT id, blog_id, domain, active, primary_domain, secure, stage \
            FROM wp_wu_domain_mappings ORDER BY id";
        self.0.run(columns).await.replace('\t', " ")
    }

    async fn homes(&self) -> usize {
        let sql = "SELECT meta_id FROM wp_sitemeta WHERE meta_key = 'closte_sync_home'";
        self.0.run(sql).await.lines().count()
    }
}

fn sql(change: Change<'_>) -> String {
    match change {
        Change::Site { id, domain, path } => format!(
            "DELETE FROM wp_blogs WHERE blog_id = {id}; INSERT INTO wp_blogs \
             (blog_id, site_id, domain, path, registered) VALUES \
             ({id}, 1, '{domain}', '{path}', '2025-01-01 00:00:00')"
        ),
        Change::Hide { id, how } => format!("UPDATE wp_blogs SET {how} = 1 WHERE blog_id = {id}"),
        Change::DropSite { id } => format!("DELETE FROM wp_blogs WHERE blog_id = {id}"),
        Change::Mapping { id, site, domain, primary } => format!(
            "DELETE FROM wp_wu_domain_mappings WHERE id = {id}; \
             INSERT INTO wp_wu_domain_mappings (id, blog_id, domain, primary_domain) VALUES \
             ({id}, {site}, '{domain}', {})",
            u8::from(primary)
        ),
        Change::NoStage { id } => {
            format!("UPDATE wp_wu_domain_mappings SET stage = NULL WHERE id = {id}")
        }
        Change::Deactivate => "UPDATE wp_wu_domain_mappings SET active = 0".to_owned(),
        Change::DropMapping { id } => {
            format!("DELETE FROM wp_wu_domain_mappings WHERE id = {id}")
        }
    }
}
