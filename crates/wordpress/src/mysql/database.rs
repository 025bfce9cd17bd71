//! Where the database is, and as which user we connect.

use std::fmt;

use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::database_host::Route;
use crate::wp_config::WpConfigError;
use crate::{DatabaseHost, WpConfig};

/// A MySQL or MariaDB database and a user of it. Its `Debug` shows no password.
#[derive(Clone)]
pub struct Database {
    routes: Vec<Route>,
    options: MySqlConnectOptions,
}

/// A URL that does not name a database.
#[derive(Debug, thiserror::Error)]
pub enum NotADatabase {
    /// It is not a `mysql://` URL.
    #[error("the database URL must look like `mysql://user:password@host:3306/name`")]
    Form,
    /// The name of the database is missing.
    #[error("the database URL names no database: it must end in `/name`")]
    NoName,
}

impl Database {
    /// The database that `config` names.
    ///
    /// # Errors
    ///
    /// A value that is needed is missing, or known only when PHP runs.
    pub fn of(config: &WpConfig) -> Result<Self, WpConfigError> {
        let host = config.require("DB_HOST", &config.db_host)?;
        let user = config.require("DB_USER", &config.db_user)?;
        let password = config.require("DB_PASSWORD", &config.db_password)?;
        let name = config.require("DB_NAME", &config.db_name)?;
        let charset = config.db_charset.known().map_or("", String::as_str);
        let database = Self::new(host, user, password.expose_secret(), name);
        Ok(Self { options: database.options.charset(connection_charset(charset)), ..database })
    }

    /// The database `name` on `host`.
    pub fn new(host: &DatabaseHost, user: &str, password: &str, name: &str) -> Self {
        let options = MySqlConnectOptions::new().username(user).database(name);
        // Without one, the driver must not even try.
        let options = if password.is_empty() { options } else { options.password(password) };
        Self { routes: host.routes().to_vec(), options: options.charset("utf8mb4") }
    }

    /// The database that a `mysql://` URL names, as `network.database_url` does.
    ///
    /// # Errors
    ///
    /// [`NotADatabase`], which never repeats the URL: it contains a password.
    pub fn from_url(url: &str) -> Result<Self, NotADatabase> {
        if !["mysql://", "mariadb://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(NotADatabase::Form);
        }
        let options: MySqlConnectOptions = url.parse().map_err(|_| NotADatabase::Form)?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err(NotADatabase::NoName);
        }
        let host = match options.get_socket() {
            Some(path) => DatabaseHost::socket(path),
            None => DatabaseHost::tcp(options.get_host(), Some(options.get_port())),
        };
        Ok(Self { routes: host.routes().to_vec(), options })
    }

    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    pub(super) fn name(&self) -> &str {
        self.options.get_database().unwrap_or_default()
    }

    /// The driver's options for one route. A socket needs no TLS.
    pub(super) fn over(&self, route: &Route) -> MySqlConnectOptions {
        // The link sets its own modes, so the driver need not set its own.
        let options = self.options.clone();
        let options = options.pipes_as_concat(false).no_engine_substitution(false).timezone(None);
        match route {
            Route::Socket(path) => options.socket(path).ssl_mode(MySqlSslMode::Disabled),
            Route::Tcp(host, port) => options.host(host).port(*port),
        }
    }
}

/// The character set that WordPress uses: for `utf8` it takes `utf8mb4`. The lengths in
/// serialized options count bytes of that set.
fn connection_charset(wanted: &str) -> &str {
    let is_word = wanted.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match wanted {
        "" | "utf8" | "utf8mb3" => "utf8mb4",
        _ if !is_word || 32 < wanted.len() => "utf8mb4",
        _ => wanted,
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Database");
        shown.field("routes", &self.routes).field("user", &self.options.get_username());
        shown.field("name", &self.name()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_database_and_its_password_never_shows() {
        let database = Database::from_url("mysql://u:s%40cret@db.example:3307/shop").unwrap();
        let shown = format!("{database:?}");
        assert!(shown.contains("db.example") && shown.contains("shop"), "{shown}");
        assert!(!shown.contains("cret"), "{shown}");
    }

    #[test]
    fn a_url_that_names_none_is_refused_without_repeating_it() {
        for url in
            ["postgres://u:secret@h/x", "mysql://u:secret@h:port/x", "secret", "mysql://u:secret@h"]
        {
            let error = Database::from_url(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_connection_speaks_what_wordpress_speaks() {
        for (wanted, spoken) in [
            ("", "utf8mb4"),
            ("utf8", "utf8mb4"),
            ("utf8mb4", "utf8mb4"),
            ("latin1", "latin1"),
            ("utf8'; DROP", "utf8mb4"),
        ] {
            assert_eq!(connection_charset(wanted), spoken);
        }
    }
}
