//! From SQLite's errors to [`LedgerError`].

use std::error::Error;
use std::path::Path;

use rules::ledger::LedgerError;

/// What went wrong, without the words that sqlx puts around it.
pub(crate) fn cause(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        sqlx::Error::Database(error) => error.into_error(),
        sqlx::Error::Io(error) => error.into(),
        other => other.into(),
    }
}

pub(crate) fn read(error: sqlx::Error) -> LedgerError {
    LedgerError::Read(cause(error))
}

pub(crate) fn write(error: sqlx::Error) -> LedgerError {
    LedgerError::Write(cause(error))
}

/// `file` could not be opened or made.
pub(crate) fn open(file: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> LedgerError {
    LedgerError::Open { at: file.display().to_string(), source: source.into() }
}
