//! Which database the network is in: one call that picks MySQL or SQLite.

use rules::source::NetworkSource;
use secrecy::{ExposeSecret, SecretString};

use crate::mysql::{Database, NotADatabase};
use crate::sqlite::{self, NotAFile};
use crate::wp_config::WpConfigError;
use crate::{Installation, MysqlNetwork, SqliteNetwork, WpConfig};

/// Why it is not known which database the network is in.
#[derive(Debug, thiserror::Error)]
pub enum OpenNetworkError {
    /// wp-config.php does not say.
    #[error(transparent)]
    Config(#[from] WpConfigError),
    /// The URL names no database of MySQL.
    #[error(transparent)]
    Url(#[from] NotADatabase),
    /// The URL names no file of SQLite.
    #[error(transparent)]
    File(#[from] NotAFile),
}

impl OpenNetworkError {
    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Config(error) => error.hint(),
            Self::Url(_) | Self::File(_) => {
                "check `network.database_url`, such as `mysql://user:password@localhost/wordpress` \
                 or `sqlite:///absolute/path`"
            }
        }
    }
}

/// The network of `config` in the database that it names, or in that of `database_url` instead.
///
/// Nothing is connected or opened yet.
///
/// # Errors
///
/// It is not known where the database is.
pub fn network_of(
    config: &WpConfig,
    database_url: Option<&SecretString>,
) -> Result<Box<dyn NetworkSource>, OpenNetworkError> {
    let installation = Installation::of(config)?;
    let Some(url) = database_url.map(ExposeSecret::expose_secret) else {
        return Ok(if sqlite::is_meant(config)? {
            Box::new(SqliteNetwork::new(sqlite::file_of(config)?, installation))
        } else {
            Box::new(MysqlNetwork::new(Database::of(config)?, installation))
        });
    };
    Ok(if url.starts_with("sqlite:") {
        Box::new(SqliteNetwork::new(sqlite::file_in_url(url)?, installation))
    } else {
        Box::new(MysqlNetwork::new(Database::from_url(url)?, installation))
    })
}
