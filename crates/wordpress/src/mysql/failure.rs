//! What the driver and the server say, in the terms of [`SourceError`].

use std::io;
use std::time::Duration;

use rules::source::SourceError;
use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;
use tokio::time::timeout;

/// The server gives up after ten seconds; this is for a server that does not answer any more.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

/// The server's error numbers that we distinguish (MySQL and MariaDB agree on them).
mod number {
    pub(super) const NO_DATABASE_CHOSEN: u16 = 1046;
    pub(super) const NO_SUCH_DATABASE: u16 = 1049;
    pub(super) const NO_SUCH_TABLE: u16 = 1146;
    /// Of users, databases, tables, columns, routines, privileges; a locked account; a server
    /// that only reads.
    pub(super) const DENIED: [u16; 10] =
        [1044, 1045, 1130, 1142, 1143, 1227, 1290, 1698, 1836, 4151];
    /// Functions that some compatible servers lack.
    pub(super) const UNSUPPORTED: [u16; 4] = [1235, 1305, 1047, 8108];
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Do something with the database, within a time limit.
pub(super) async fn within<T>(
    doing: &'static str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, SourceError> {
    match timeout(SILENCE, work).await {
        Ok(result) => result.map_err(|error| failed(doing, error)),
        Err(_) => Err(SourceError::Failed { doing, source: silence(SILENCE).into() }),
    }
}

pub(super) fn silence(limit: Duration) -> io::Error {
    let text = format!("no answer for {} seconds", limit.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// A statement that failed.
pub(super) fn failed(doing: &'static str, error: Error) -> SourceError {
    match (number(&error), message(&error)) {
        (Some(number), what) if number::DENIED.contains(&number) => SourceError::Denied { what },
        (Some(number::NO_SUCH_TABLE | number::NO_DATABASE_CHOSEN), what) => {
            SourceError::NotANetwork {
                what,
                hint: "check `DB_NAME` and `$table_prefix` in wp-config.php, or \
                       `network.database_url` and `network.table_prefix` where they are set"
                    .to_owned(),
            }
        }
        _ => SourceError::Failed { doing, source: cause(error) },
    }
}

/// A connection that could not be made; `at` contains no password.
pub(super) fn unreachable(at: String, database: &str, error: Error) -> SourceError {
    match number(&error) {
        Some(number) if number::DENIED.contains(&number) => {
            SourceError::Denied { what: message(&error) }
        }
        Some(number::NO_SUCH_DATABASE) => SourceError::NotANetwork {
            what: format!("there is no database `{database}` at `{at}`"),
            hint: "check `DB_NAME` in wp-config.php, or `network.database_url` where that is set"
                .to_owned(),
        },
        _ => SourceError::Unreachable { at, source: cause(error) },
    }
}

pub(super) fn is_missing_table(error: &SourceError) -> bool {
    matches!(error, SourceError::NotANetwork { .. })
}

pub(super) fn is_unsupported(error: &Error) -> bool {
    number(error).is_some_and(|number| number::UNSUPPORTED.contains(&number))
}

pub(super) fn is_no_such_table(error: &Error) -> bool {
    number(error) == Some(number::NO_SUCH_TABLE)
}

fn number(error: &Error) -> Option<u16> {
    let error = error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?;
    Some(error.number())
}

fn message(error: &Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |it| it.message().to_owned())
}

/// The driver's errors repeat their cause in their text: take the cause alone.
fn cause(error: Error) -> Source {
    match error {
        Error::Database(error) => error.into_error(),
        Error::Io(error) => error.into(),
        Error::Tls(error) => error,
        error => error.into(),
    }
}
