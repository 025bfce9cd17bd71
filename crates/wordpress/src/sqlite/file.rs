//! Where the integration keeps its file, and how a URL names one.

use std::path::{Path, PathBuf};

use crate::WpConfig;
use crate::wp_config::{DropIn, WpConfigError};

const FOLDER: &str = "database";
const FILE: &str = ".ht.sqlite";

/// A URL that does not name a SQLite file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database URL must look like `sqlite:///absolute/path`, without options")]
pub struct NotAFile;

/// Whether the network of `config` is in a SQLite file: it says so, or WordPress' integration is in
/// place of the database layer. A MySQL that was left behind is never used then.
///
/// # Errors
///
/// `DB_ENGINE` is known only when PHP runs, or what replaces the database layer cannot be read.
pub fn is_meant(config: &WpConfig) -> Result<bool, WpConfigError> {
    let engine = match config.optional("DB_ENGINE", &config.db_engine)? {
        Some(engine) => Some(engine),
        None => config.optional("DATABASE_TYPE", &config.database_type)?,
    };
    match (engine.map(String::as_str), &config.drop_in) {
        (Some("sqlite"), _) => Ok(true),
        (Some("mysql"), _) => Ok(false),
        (_, Some(DropIn::Unreadable(why))) => {
            let (path, why) = (config.content.join("db.php"), why.clone());
            Err(WpConfigError::DropIn { path, why })
        }
        (_, drop_in) => Ok(*drop_in == Some(DropIn::Sqlite)),
    }
}

/// The file that `config` names: `FQDB`, or `DB_FILE` in `FQDBDIR` or `DB_DIR`.
///
/// # Errors
///
/// One of them is known only when PHP runs.
pub fn file_of(config: &WpConfig) -> Result<PathBuf, WpConfigError> {
    if let Some(file) = config.optional("FQDB", &config.fqdb)? {
        return Ok(config.root.join(file));
    }
    let folder = match config.optional("FQDBDIR", &config.fqdbdir)? {
        Some(folder) => Some(folder),
        None => config.optional("DB_DIR", &config.db_dir)?,
    };
    let folder = match (folder, &config.content_unknown) {
        (Some(folder), _) => config.root.join(folder),
        (None, None) => config.content.join(FOLDER),
        (None, Some(why)) => {
            let (name, path) = ("WP_CONTENT_DIR", config.path.clone());
            return Err(WpConfigError::Unsettled { name, path, why: why.clone() });
        }
    };
    let file = config.optional("DB_FILE", &config.db_file)?;
    // The integration joins texts: even an absolute `DB_FILE` is in the folder.
    Ok(folder.join(file.map_or(FILE, |file| file.trim_start_matches('/'))))
}

/// The file that a `sqlite://` URL names. Its path is used as it is written, like that of the
/// ledger: nothing in it is encoded.
///
/// # Errors
///
/// The path is not absolute, or there is more than a path.
pub fn file_in_url(url: &str) -> Result<PathBuf, NotAFile> {
    let path = url.strip_prefix("sqlite://").ok_or(NotAFile)?;
    let is_file = Path::new(path).is_absolute() && !path.ends_with('/');
    if is_file && !path.contains(['?', '#', '\0']) { Ok(path.into()) } else { Err(NotAFile) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::wp_config::Found;

    fn config(php: &str) -> WpConfig {
        let found = Found { config: "/srv/wp-config.php".into(), root: Some("/srv/www".into()) };
        let php = format!("<?php\n{php}");
        WpConfig::parse(php.as_bytes(), &found, &BTreeMap::new()).unwrap()
    }

    #[test]
    fn the_file_is_where_the_integration_keeps_it() {
        let table = [
            ("", "/srv/www/wp-content/database/.ht.sqlite"),
            ("define('WP_CONTENT_DIR', '/data/content');", "/data/content/database/.ht.sqlite"),
            ("define('DB_DIR', '/data/db/');", "/data/db/.ht.sqlite"),
            ("define('DB_FILE', 'my net.db');", "/srv/www/wp-content/database/my net.db"),
            ("define('DB_DIR', __DIR__ . '/db'); define('DB_FILE', '/x.db');", "/srv/db/x.db"),
            ("define('DB_DIR', 'db');", "/srv/www/db/.ht.sqlite"),
            ("define('FQDB', '/data/whole.db'); define('DB_FILE', 'x');", "/data/whole.db"),
            ("define('FQDBDIR', '/data/'); define('DB_DIR', '/other');", "/data/.ht.sqlite"),
            ("define('FQDBDIR', '/data/'); define('DB_FILE', 'x.db');", "/data/x.db"),
        ];
        for (php, file) in table {
            assert_eq!(file_of(&config(php)).unwrap(), Path::new(file), "{php}");
        }
    }

    #[test]
    fn what_only_php_knows_is_named_and_not_guessed() {
        let of = |php| file_of(&config(php)).unwrap_err().to_string();
        let error = of("define('DB_FILE', secret_name());");
        assert!(error.starts_with("`DB_FILE` is only known when PHP runs"), "{error}");
        let error = of("define('DB_DIR', where());");
        assert!(error.starts_with("`DB_DIR` is only known when PHP runs"), "{error}");
        let error = is_meant(&config("define('DB_ENGINE', which());")).unwrap_err().to_string();
        assert!(error.starts_with("`DB_ENGINE` is only known when PHP runs"), "{error}");
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn the_integration_means_it_also_with_nothing_in_the_file() {
        let integration = Some("<?php define( 'SQLITE_DB_DROPIN_VERSION', '1.8.0' );");
        let other = Some("<?php /* Plugin Name: HyperDB */");
        let table = [
            ("define('DB_ENGINE', 'sqlite');", None, "sqlite"),
            ("define('DB_ENGINE', 'mysql');", None, "mysql"),
            ("define('DATABASE_TYPE', 'sqlite');", None, "sqlite"),
            ("", None, "mysql"),
            ("", integration, "sqlite"),
            ("define('DB_NAME', 'left_behind');", integration, "sqlite"),
            ("define('DB_ENGINE', 'mysql');", integration, "mysql"),
            ("define('DATABASE_TYPE', 'mysql');", integration, "mysql"),
            ("", other, "mysql"),
        ];
        for (php, drop_in, want) in table {
            let root = tempfile::tempdir().unwrap();
            std::fs::create_dir(root.path().join("wp-content")).unwrap();
            if let Some(text) = drop_in {
                std::fs::write(root.path().join("wp-content/db.php"), text).unwrap();
            }
            let config = root.path().join("wp-config.php");
            let found = Found { config, root: Some(root.path().to_owned()) };
            let php = format!("<?php\n{php}");
            let config = WpConfig::parse(php.as_bytes(), &found, &BTreeMap::new()).unwrap();
            let meant = if is_meant(&config).unwrap() { "sqlite" } else { "mysql" };
            assert_eq!(meant, want, "{php} {drop_in:?}");
            let name = config.drop_in.map(|it| format!("{it:?}")).unwrap_or_default();
            assert_eq!(name.contains("HyperDB"), drop_in == other, "{php}");
        }
        let mut config = config("");
        config.drop_in = Some(DropIn::Unreadable("it is secret".to_owned()));
        let error = is_meant(&config).unwrap_err().to_string();
        assert_eq!(error, "`/srv/www/wp-content/db.php` decides which database WordPress uses, and it is secret");
    }

    #[test]
    fn a_url_names_an_absolute_path_as_it_is_written() {
        assert_eq!(file_in_url("sqlite:///a b/c%20d.db").unwrap(), Path::new("/a b/c%20d.db"));
        for url in
            ["sqlite://a.db", "sqlite:/a.db", "sqlite::memory:", "sqlite:///a/", "sqlite:///a?b"]
        {
            assert_eq!(file_in_url(url), Err(NotAFile), "{url}");
        }
    }
}
