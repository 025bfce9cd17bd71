//! The folder and its wp-config.php.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Settings, WordPressError};

const DATABASE: &str = "wp-content/database/.ht.sqlite";

/// Ultimate Multisite has it map domains; nobody visits this network.
const SUNRISE: &str = "wp-content/sunrise.php";

/// Make the folder with all but the tables; where wp-config.php and the database are.
pub(super) fn lay_out(
    folder: &Path,
    settings: &Settings,
) -> Result<(PathBuf, PathBuf), WordPressError> {
    let folder = std::path::absolute(folder).map_err(failed(folder))?;
    let (config, database) = (folder.join("wp-config.php"), folder.join(DATABASE));
    let around = database.parent().unwrap_or(&folder);
    fs::create_dir_all(around).map_err(failed(around))?;
    write_new(&config, &text(settings)).map_err(failed(&config))?;
    write_new(&database, "").map_err(failed(&database))?;
    let sunrise = folder.join(SUNRISE);
    write_new(&sunrise, "<?php\n").map_err(failed(&sunrise))?;
    Ok((config, database))
}

/// Only its owner may read it: it contains a key. An existing file is not overwritten.
fn write_new(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes())
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WordPressError {
    let path = path.to_owned();
    move |source| WordPressError::Write { path, source }
}

/// The constants that a network on Closte has, and those that put its database into a file.
fn text(settings: &Settings) -> String {
    let texts = [
        ("DB_ENGINE", "sqlite"),
        ("DB_NAME", "wordpress"),
        ("CLOSTE_CLIENT_API_KEY", &settings.api_key),
        ("CLOSTE_APP_ID", &settings.app),
        ("AUTH_KEY", "a key that protects nothing"),
        ("AUTH_SALT", "a salt that protects nothing"),
        ("DOMAIN_CURRENT_SITE", &settings.domain),
        ("PATH_CURRENT_SITE", "/"),
    ];
    let texts = texts.map(|(name, text)| define(name, &quoted(text)));
    let others = [
        ("WP_ALLOW_MULTISITE", "true"),
        ("MULTISITE", "true"),
        ("SUBDOMAIN_INSTALL", "true"),
        ("SUNRISE", "true"),
        ("SITE_ID_CURRENT_SITE", "1"),
        ("BLOG_ID_CURRENT_SITE", "1"),
    ];
    let others = others.map(|(name, value)| define(name, value));
    format!(
        "<?php\n// The sandbox's network: to rehearse on, not to be visited.\n{}{}\
         $table_prefix = 'wp_';\n\
         if (!defined('ABSPATH')) {{\n    define('ABSPATH', __DIR__ . '/');\n}}\n\
         require_once ABSPATH . 'wp-settings.php';\n",
        texts.concat(),
        others.concat(),
    )
}

fn define(name: &str, value: &str) -> String {
    format!("define('{name}', {value});\n")
}

/// A text as PHP writes it between single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_end_its_quotes() {
        assert_eq!(quoted(r"it's \ here"), r"'it\'s \\ here'");
    }
}
