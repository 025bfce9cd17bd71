//! `wp-config.php`: what closte-sync needs of it, read and never run.
//!
//! Start with [`find()`], then [`WpConfig::load`]. A value that is known only when PHP runs is named
//! as such ([`Setting::Unknown`]); nothing is guessed, and secrets never reach `Debug`.

mod calls;
mod disk;
mod drop_in;
mod error;
mod expression;
mod find;
mod functions;
mod run;
mod salts;
mod setting;
mod skipped;
mod state;
mod sunrise;
mod value;
mod written;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use php_rs_parser::bumpalo::Bump;
use secrecy::{ExposeSecret, SecretString};

pub use disk::Decided;
pub use drop_in::DropIn;
pub use error::{NotFound, WpConfigError};
pub use find::{Found, find};
pub use setting::{Position, Setting, Unsettled};
pub use sunrise::MapsNothing;

use crate::{DatabaseHost, TablePrefix};
use disk::LARGEST;
use run::Run;
use skipped::Functions;
use state::State;
use value::{Value, Why};

/// The parser recurses up to its own limit, which debug builds exceed on a usual stack.
const STACK: usize = 32 << 20;

/// A real file takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a wp-config.php says.
#[derive(Clone, Debug)]
pub struct WpConfig {
    /// The file.
    pub path: PathBuf,
    /// The folder of WordPress itself.
    pub root: PathBuf,
    /// `WP_CONTENT_DIR` where it is known, else `wp-content` below the root.
    pub content: PathBuf,
    /// Why that is only where it mostly is.
    pub content_unknown: Option<Unsettled>,
    /// `DB_NAME`.
    pub db_name: Setting<String>,
    /// `DB_USER`.
    pub db_user: Setting<String>,
    /// `DB_PASSWORD`.
    pub db_password: Setting<SecretString>,
    /// `DB_HOST`.
    pub db_host: Setting<DatabaseHost>,
    /// `DB_CHARSET`.
    pub db_charset: Setting<String>,
    /// `$table_prefix`.
    pub table_prefix: Setting<TablePrefix>,
    /// `MULTISITE`.
    pub multisite: Setting<bool>,
    /// `SUBDOMAIN_INSTALL`.
    pub subdomain_install: Setting<bool>,
    /// `SUNRISE`.
    pub sunrise: Setting<bool>,
    /// `DOMAIN_CURRENT_SITE`.
    pub domain_current_site: Setting<String>,
    /// `SITE_ID_CURRENT_SITE`.
    pub site_id_current_site: Setting<u64>,
    /// `PATH_CURRENT_SITE`.
    pub path_current_site: Setting<String>,
    /// `CLOSTE_CLIENT_API_KEY`.
    pub closte_client_api_key: Setting<SecretString>,
    /// `CLOSTE_APP_ID`.
    pub closte_app_id: Setting<String>,
    /// `CLOSTE_PUBLIC_IP_ADDRESS`.
    pub closte_public_ip_address: Setting<String>,
    /// `CLOSTE_CDN_HOSTNAME`.
    pub closte_cdn_hostname: Setting<String>,
    /// `AUTH_KEY`, or `SECRET_KEY` of old: the first that WordPress uses. Absent where it uses
    /// none, as with the text of its sample and with one that several constants share.
    pub auth_key: Setting<SecretString>,
    /// `AUTH_SALT`, or `SECRET_SALT`, likewise.
    pub auth_salt: Setting<SecretString>,
    /// `DB_ENGINE`: `sqlite` for WordPress' SQLite integration.
    pub db_engine: Setting<String>,
    /// `DATABASE_TYPE`, the same of old.
    pub database_type: Setting<String>,
    /// `FQDB`: the file of SQLite, whole.
    pub fqdb: Setting<String>,
    /// `FQDBDIR`: its folder.
    pub fqdbdir: Setting<String>,
    /// `DB_DIR`.
    pub db_dir: Setting<String>,
    /// `DB_FILE`.
    pub db_file: Setting<String>,
    /// Whether WordPress has a persistent object cache.
    pub object_cache: bool,
    /// What replaces WordPress' database layer.
    pub drop_in: Option<DropIn>,
    /// What in it could not be followed, and may define what it does not: files that it reads
    /// besides `wp-settings.php`, code that is computed.
    pub not_followed: Vec<Unsettled>,
    /// Its conditions that were decided by what is on the disk.
    pub decided: Vec<Decided>,
}

impl WpConfig {
    /// Read the file that [`find()`] found. `env` is what PHP's `getenv` would see.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is too large, or is not PHP that would run.
    pub fn load(found: &Found, env: &BTreeMap<String, String>) -> Result<Self, WpConfigError> {
        let text = disk::read(&found.config).map_err(|error| unreadable(&found.config, error))?;
        Self::parse(&text, found, env)
    }

    /// Read a file that is at `found.config` and contains `bytes`.
    ///
    /// # Errors
    ///
    /// The bytes are too many, or not PHP that would run.
    pub fn parse(
        bytes: &[u8],
        found: &Found,
        env: &BTreeMap<String, String>,
    ) -> Result<Self, WpConfigError> {
        if LARGEST < bytes.len() {
            return Err(WpConfigError::TooLarge { path: found.config.clone() });
        }
        let (bytes, of, env) = (bytes.to_vec(), found.clone(), env.clone());
        on_a_large_stack(PATIENCE, move || follow(&bytes, &of, &env))
            .map_err(|source| unreadable(&found.config, source))?
    }

    /// The value that must be there, or why it is not.
    ///
    /// # Errors
    ///
    /// The value is missing or known only when PHP runs; the error names `name`.
    pub fn require<'a, T>(
        &self,
        name: &'static str,
        setting: &'a Setting<T>,
    ) -> Result<&'a T, WpConfigError> {
        match setting {
            Setting::Known(value) => Ok(value),
            Setting::Unknown(why) => {
                Err(WpConfigError::Unsettled { name, path: self.path.clone(), why: why.clone() })
            }
            Setting::Absent => Err(match self.not_followed.first() {
                Some(why) => {
                    WpConfigError::Unsettled { name, path: self.path.clone(), why: why.clone() }
                }
                None => WpConfigError::Missing { name, path: self.path.clone() },
            }),
        }
    }

    /// The value, or none where the file does not define it.
    ///
    /// # Errors
    ///
    /// The value is known only when PHP runs, or cannot be used; the error names `name`.
    pub fn optional<'a, T>(
        &self,
        name: &'static str,
        setting: &'a Setting<T>,
    ) -> Result<Option<&'a T>, WpConfigError> {
        match setting {
            Setting::Absent => Ok(None),
            Setting::Known(_) | Setting::Unknown(_) => self.require(name, setting).map(Some),
        }
    }

    fn of(run: &Run<'_>, found: &Found) -> Self {
        let text = |name| run.constant_as(name, setting::text);
        let secret = |name| run.constant_as(name, setting::secret);
        let switch = |name| run.constant_as(name, setting::switch);
        let root = find::root(found, &text("ABSPATH"));
        let (content, content_unknown) = match text("WP_CONTENT_DIR") {
            Setting::Known(folder) => (PathBuf::from(folder), None),
            Setting::Absent => (root.join("wp-content"), None),
            Setting::Unknown(why) => (root.join("wp-content"), Some(why)),
        };
        let drop_in = match &content_unknown {
            Some(why) => Some(DropIn::Perhaps(why.clone())),
            None => DropIn::at(&content.join("db.php")),
        };
        let secrets = ["DB_PASSWORD", "CLOSTE_CLIENT_API_KEY", "AUTH_KEY", "AUTH_SALT"].map(secret);
        let redact = |text: &str| redacted(text, &secrets);
        Self {
            object_cache: content.join("object-cache.php").exists(),
            drop_in,
            content,
            content_unknown,
            path: found.config.clone(),
            root,
            db_name: text("DB_NAME"),
            db_user: text("DB_USER"),
            db_password: secret("DB_PASSWORD"),
            db_host: run.constant_as("DB_HOST", setting::host),
            db_charset: text("DB_CHARSET"),
            table_prefix: run.variable_as("table_prefix", setting::prefix),
            multisite: switch("MULTISITE"),
            subdomain_install: switch("SUBDOMAIN_INSTALL"),
            sunrise: switch("SUNRISE"),
            domain_current_site: text("DOMAIN_CURRENT_SITE"),
            site_id_current_site: run.constant_as("SITE_ID_CURRENT_SITE", setting::id),
            path_current_site: text("PATH_CURRENT_SITE"),
            closte_client_api_key: secret("CLOSTE_CLIENT_API_KEY"),
            closte_app_id: text("CLOSTE_APP_ID"),
            closte_public_ip_address: text("CLOSTE_PUBLIC_IP_ADDRESS"),
            closte_cdn_hostname: text("CLOSTE_CDN_HOSTNAME"),
            auth_key: run.salt(["AUTH_KEY", "SECRET_KEY"]),
            auth_salt: run.salt(["AUTH_SALT", "SECRET_SALT"]),
            db_engine: text("DB_ENGINE"),
            database_type: text("DATABASE_TYPE"),
            fqdb: text("FQDB"),
            fqdbdir: text("FQDBDIR"),
            db_dir: text("DB_DIR"),
            db_file: text("DB_FILE"),
            not_followed: run
                .state
                .not_followed
                .iter()
                .map(|why| Unsettled::perhaps(&Why { what: redact(&why.what), ..why.clone() }))
                .collect(),
            decided: run
                .state
                .decided
                .iter()
                .map(|it| Decided { question: redact(&it.question), ..it.clone() })
                .collect(),
        }
    }
}

/// `text` without the secrets that a path of the file may be made of.
fn redacted(text: &str, secrets: &[Setting<SecretString>]) -> String {
    let secrets = secrets.iter().filter_map(Setting::known).map(ExposeSecret::expose_secret);
    // What is shorter is found in any text.
    let secrets = secrets.filter(|secret| 4 <= secret.len());
    secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "[secret]"))
}

/// Do `work` on a thread with a stack for the parser's recursion; a file made to keep the parser
/// busy does not keep us waiting.
fn on_a_large_stack<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let (done, result) = mpsc::channel();
    let send = move || {
        // Nobody receives it any more after the time limit.
        _ = done.send(work());
    };
    thread::Builder::new().stack_size(STACK).spawn(send)?;
    result.recv_timeout(patience).map_err(|error| match error {
        RecvTimeoutError::Timeout => io::Error::other("it takes too long to parse"),
        RecvTimeoutError::Disconnected => io::Error::other("it cannot be parsed"),
    })
}

/// Parse and follow the file. Bytes that are not UTF-8 (a Latin-1 comment) become U+FFFD, which a
/// needed value may not contain.
fn follow(
    bytes: &[u8],
    found: &Found,
    env: &BTreeMap<String, String>,
) -> Result<WpConfig, WpConfigError> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if !bytes.windows(5).any(|it| it.eq_ignore_ascii_case(b"<?php")) {
        let path = found.config.clone();
        let is_short = run::has_short_tag(&String::from_utf8_lossy(bytes));
        return Err(if is_short { WpConfigError::ShortTag { path } } else { not_php(&path) });
    }
    let source = String::from_utf8_lossy(bytes);
    let arena = Bump::new();
    let parsed = php_rs_parser::parse_arena(&arena, &source);
    if let Some(error) = parsed.errors.first() {
        let line = parsed.source_map.offset_to_line_col(error.span().start).to_one_based().0;
        let what = error.to_string();
        return Err(WpConfigError::Syntax { path: found.config.clone(), line, what });
    }
    let functions = Functions::of(&parsed.program);
    let mut state = State::new(env);
    let file: Arc<Path> = Arc::from(disk::resolved(&found.config));
    state.read_functions(&functions, &file);
    state.following.push(file.to_path_buf());
    if let Some(root) = &found.root {
        // `wp-load.php` defines it before our file runs.
        let mut path = root.as_os_str().as_encoded_bytes().to_vec();
        path.push(b'/');
        state.define_first("ABSPATH", Value::Str(path));
    }
    let mut run = Run {
        file,
        is_main: true,
        source: &source,
        lines: &parsed.source_map,
        functions: &functions,
        state,
    };
    run.statements(&parsed.program.stmts);
    Ok(WpConfig::of(&run, found))
}

fn unreadable(path: &Path, source: io::Error) -> WpConfigError {
    WpConfigError::Unreadable { path: path.to_owned(), source }
}

fn not_php(path: &Path) -> WpConfigError {
    WpConfigError::NotPhp { path: path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_that_is_kept_busy_or_dies_is_an_error() {
        let (_keep_open, never) = mpsc::channel::<()>();
        let busy = on_a_large_stack(Duration::ZERO, move || never.recv().is_ok());
        assert_eq!(busy.unwrap_err().to_string(), "it takes too long to parse");
        let dead: io::Result<()> = on_a_large_stack(PATIENCE, || panic!("on purpose"));
        assert_eq!(dead.unwrap_err().to_string(), "it cannot be parsed");
        assert_eq!(on_a_large_stack(PATIENCE, || 5).unwrap(), 5);
    }
}
