//! Where the integration keeps its file, and how a URL names one.

use std::path::{Path, PathBuf};

use crate::WpConfig;
use crate::wp_config::{Setting, WpConfigError};

const FOLDER: &str = "database";
const FILE: &str = ".ht.sqlite";

/// A URL that does not name a SQLite file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database URL must look like `sqlite:///absolute/path`, without options")]
pub struct NotAFile;

/// Whether `config` says that the network is in a SQLite file.
///
/// # Errors
///
/// `DB_ENGINE` is known only when PHP runs.
pub fn is_meant(config: &WpConfig) -> Result<bool, WpConfigError> {
    let engine = optional(config, "DB_ENGINE", &config.db_engine)?;
    Ok(engine.is_some_and(|engine| engine == "sqlite"))
}

/// The file that `config` names: `DB_FILE` in `DB_DIR`.
///
/// # Errors
///
/// One of them is known only when PHP runs.
pub fn file_of(config: &WpConfig) -> Result<PathBuf, WpConfigError> {
    let folder = match optional(config, "DB_DIR", &config.db_dir)? {
        Some(folder) => config.root.join(folder),
        None => config.content.join(FOLDER),
    };
    let file = optional(config, "DB_FILE", &config.db_file)?;
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

fn optional<'a, T>(
    config: &'a WpConfig,
    name: &'static str,
    setting: &'a Setting<T>,
) -> Result<Option<&'a T>, WpConfigError> {
    match setting {
        Setting::Absent => Ok(None),
        Setting::Known(_) | Setting::Unknown(_) => config.require(name, setting).map(Some),
    }
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
    fn only_the_word_sqlite_means_it() {
        for (php, meant) in [
            ("define('DB_ENGINE', 'sqlite');", true),
            ("define('DB_ENGINE', 'mysql');", false),
            ("", false),
        ] {
            assert_eq!(is_meant(&config(php)).unwrap(), meant, "{php}");
        }
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
