//! What SQLite says, in the terms of [`SourceError`].

use std::io;
use std::path::Path;

use rules::source::SourceError;
use sqlx::Error;

/// SQLite's primary result codes that we distinguish.
mod code {
    /// A statement that does not fit these tables.
    pub(super) const ERROR: i32 = 1;
    /// No permission; read-only; cannot be opened, or no file can be made next to it.
    pub(super) const DENIED: [i32; 3] = [3, 8, 14];
    pub(super) const NOT_A_DATABASE: i32 = 26;
}

const WHERE_IT_IS: &str =
    "check `DB_DIR` and `DB_FILE` in wp-config.php, or `network.database_url` where that is set";

const WHO_MAY: &str = "run closte-sync as the user that owns it; that user must be able to write to it and its folder";

/// A statement that failed on the database in `file`.
pub(super) fn failed(doing: &'static str, file: &Path, error: Error) -> SourceError {
    match code(&error) {
        Some(code) if code::DENIED.contains(&code) => denied(file, &cause(error)),
        Some(code::NOT_A_DATABASE) => SourceError::NotANetwork {
            what: format!("`{}` is not a SQLite database", file.display()),
            hint: WHERE_IT_IS.to_owned(),
        },
        _ => SourceError::Failed { doing, source: cause(error) },
    }
}

/// No file at `path` could be opened.
pub(super) fn no_file(path: &Path, why: &io::Error) -> SourceError {
    match why.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            SourceError::NotANetwork {
                what: format!("there is no SQLite database at `{}`", path.display()),
                hint: WHERE_IT_IS.to_owned(),
            }
        }
        _ => denied(path, why),
    }
}

/// Not [`SourceError::Denied`], whose hint is about users, which SQLite does not have.
fn denied(file: &Path, why: &(impl ToString + ?Sized)) -> SourceError {
    SourceError::NotANetwork {
        what: format!("the database `{}` refused: {}", file.display(), why.to_string()),
        hint: WHO_MAY.to_owned(),
    }
}

/// Whether a table or column is not there.
pub(super) fn is_of_the_statement(error: &Error) -> bool {
    code(error) == Some(code::ERROR)
}

fn code(error: &Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

/// The driver's errors repeat their cause in their text: take the cause alone.
fn cause(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::Database(error) => error.into_error(),
        Error::Io(error) => error.into(),
        error => error.into(),
    }
}
