//! The network's tables, as the SQLite integration makes them from those of MySQL.
//!
//! Numbers are INTEGER, all else is TEXT without regard to capitals, and the types that SQLite lacks are noted in a
//! table of the integration's own.

use sqlx::{Connection, Error, SqliteConnection};

const TABLES: &str = "
CREATE TABLE _mysql_data_types_cache (`table` TEXT NOT NULL, column_or_index TEXT NOT NULL, mysql_type TEXT NOT NULL,
  PRIMARY KEY (`table`, column_or_index));
CREATE TABLE wp_blogs (
  blog_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, site_id INTEGER NOT NULL DEFAULT 0,
  domain TEXT NOT NULL DEFAULT '' COLLATE NOCASE, path TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
  registered TEXT NOT NULL DEFAULT '0000-00-00 00:00:00' COLLATE NOCASE,
  last_updated TEXT NOT NULL DEFAULT '0000-00-00 00:00:00' COLLATE NOCASE,
  public INTEGER NOT NULL DEFAULT 1, archived INTEGER NOT NULL DEFAULT 0, mature INTEGER NOT NULL DEFAULT 0,
  spam INTEGER NOT NULL DEFAULT 0, deleted INTEGER NOT NULL DEFAULT 0, lang_id INTEGER NOT NULL DEFAULT 0);
CREATE TABLE wp_site (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  domain TEXT NOT NULL DEFAULT '' COLLATE NOCASE, path TEXT NOT NULL DEFAULT '' COLLATE NOCASE);
CREATE TABLE wp_sitemeta (
  meta_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, site_id INTEGER NOT NULL DEFAULT 0,
  meta_key TEXT DEFAULT NULL COLLATE NOCASE, meta_value TEXT DEFAULT NULL COLLATE NOCASE);
CREATE TABLE wp_wu_domain_mappings (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, blog_id INTEGER NOT NULL, domain TEXT NOT NULL COLLATE NOCASE,
  active INTEGER DEFAULT 1, primary_domain INTEGER DEFAULT 0, secure INTEGER DEFAULT 0,
  stage TEXT DEFAULT 'checking-dns' COLLATE NOCASE,
  date_created TEXT DEFAULT NULL COLLATE NOCASE, date_modified TEXT DEFAULT NULL COLLATE NOCASE);
CREATE TABLE wp_wu_forms (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL COLLATE NOCASE, slug TEXT COLLATE NOCASE,
  active INTEGER DEFAULT 1, settings TEXT COLLATE NOCASE, date_created TEXT DEFAULT NULL COLLATE NOCASE);
CREATE INDEX wp_blogs__domain ON wp_blogs (domain, path);
CREATE INDEX wp_sitemeta__meta_key ON wp_sitemeta (meta_key);
CREATE INDEX wp_wu_domain_mappings__blog_id ON wp_wu_domain_mappings (blog_id, domain, active);
CREATE INDEX wp_wu_domain_mappings__domain ON wp_wu_domain_mappings (domain);
INSERT INTO _mysql_data_types_cache VALUES ('wp_wu_domain_mappings', 'stage',
  'enum(''checking-dns'',''checking-ssl-cert'',''done-without-ssl'',''done'',''failed'',''ssl-failed'')');
INSERT INTO wp_site (id, path) VALUES (1, '/');
INSERT INTO wp_blogs (blog_id, site_id, path, registered) VALUES (1, 1, '/', '2025-01-01 00:00:00');
INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, 'wu_host_integrations_enabled', 'a:1:{s:6:\"closte\";b:1;}'),
  (1, 'wp-ultimo_v2_settings', 'a:1:{s:21:\"enable_domain_mapping\";s:1:\"1\";}');
";

const NAME_NETWORK: &str = "UPDATE wp_site SET domain = ?";
const NAME_MAIN_SITE: &str = "UPDATE wp_blogs SET domain = ?";

/// Make the tables of a network whose own domain is `domain`, Closte switched on.
pub(super) async fn make(connection: &mut SqliteConnection, domain: &str) -> Result<(), Error> {
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
    for name in [NAME_NETWORK, NAME_MAIN_SITE] {
        sqlx::query(name).bind(domain).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
