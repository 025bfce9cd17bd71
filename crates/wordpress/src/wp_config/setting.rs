//! From PHP values to typed settings: known, unknown and why, or absent.

use std::fmt::{self, Display};
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::run::Run;
use super::state::Slot;
use super::value::{Value, Why};
use crate::{DatabaseHost, TablePrefix};

/// What a wp-config.php says about one name.
#[derive(Clone, Debug)]
pub enum Setting<T> {
    /// It has this value.
    Known(T),
    /// It has a value that is unknown or cannot be used.
    Unknown(Unsettled),
    /// The file does not define it.
    Absent,
}

impl<T> Setting<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) | Self::Absent => None,
        }
    }

    /// Why the value is not known, where there is one.
    pub fn unknown(&self) -> Option<&Unsettled> {
        match self {
            Self::Unknown(why) => Some(why),
            Self::Known(_) | Self::Absent => None,
        }
    }
}

/// A place in a wp-config.php, or in a file that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The file, where it is not the wp-config.php itself.
    pub file: Option<Arc<Path>>,
}

impl Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        self.file.as_ref().map_or(Ok(()), |file| write!(f, " of `{}`", file.display()))
    }
}

/// Why a value that is there is not known. Reads on after the name: "`DB_NAME` is only …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// It depends on more than the file.
    #[error("is only known when PHP runs ({at}: {what})")]
    RunTime {
        /// Where.
        at: Position,
        /// What it depends on.
        what: String,
    },
    /// Nothing that could be followed defines it, and something that could not be may do so.
    #[error("may be defined by what cannot be followed ({at}: {what})")]
    Perhaps {
        /// Where.
        at: Position,
        /// What that is.
        what: String,
    },
    /// It is not UTF-8; neither MySQL's driver nor the host's API could be given it.
    #[error("contains bytes that are not UTF-8 ({at})")]
    NotText {
        /// Where.
        at: Position,
    },
    /// It is not what it should be.
    #[error("cannot be used ({at}): {why}")]
    Invalid {
        /// Where.
        at: Position,
        /// Why; never the value of a secret.
        why: String,
    },
}

impl Unsettled {
    /// Something that could not be followed, which may give it its value.
    pub(super) fn perhaps(why: &Why) -> Self {
        Self::Perhaps { at: why.position(), what: why.what.clone() }
    }
}

impl Why {
    fn position(&self) -> Position {
        Position { line: self.line, file: self.file.clone() }
    }
}

/// A value that is not of the kind wanted.
pub(super) enum Unfit {
    NotText,
    Invalid(String),
}

impl Run<'_> {
    pub(super) fn constant_as<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Unfit>,
    ) -> Setting<T> {
        match (self.state.constants.get(name), self.state.may_be_skipped(name)) {
            (None, Some(why)) => Setting::Unknown(Unsettled::perhaps(why)),
            (slot, _) => settle(slot, read),
        }
    }

    pub(super) fn variable_as<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, Unfit>,
    ) -> Setting<T> {
        match (self.state.global(name), &self.state.any_variable) {
            (None, Some(why)) => Setting::Unknown(Unsettled::perhaps(why)),
            (slot, _) => settle(slot, read),
        }
    }
}

fn settle<T>(slot: Option<&Slot>, read: impl FnOnce(&Value) -> Result<T, Unfit>) -> Setting<T> {
    let Some(Slot { value, file, line, .. }) = slot else {
        return Setting::Absent;
    };
    if let Some(why) = value.unknown() {
        return Setting::Unknown(Unsettled::RunTime { at: why.position(), what: why.what.clone() });
    }
    let at = Position { line: *line, file: file.clone() };
    match read(value) {
        Ok(value) => Setting::Known(value),
        Err(Unfit::NotText) => Setting::Unknown(Unsettled::NotText { at }),
        Err(Unfit::Invalid(why)) => Setting::Unknown(Unsettled::Invalid { at, why }),
    }
}

pub(super) fn text(value: &Value) -> Result<String, Unfit> {
    if matches!(value, Value::Bool(_) | Value::Null) {
        // What `getenv` of an unset name gives.
        return Err(Unfit::Invalid(
            "it is not a text; if it comes from the environment, set that variable here too".into(),
        ));
    }
    let bytes = value.clone().text().map_err(|_| Unfit::Invalid("it is a list".to_owned()))?;
    let text = String::from_utf8(bytes).map_err(|_| Unfit::NotText)?;
    if text.contains('\u{fffd}') { Err(Unfit::NotText) } else { Ok(text) }
}

pub(super) fn secret(value: &Value) -> Result<SecretString, Unfit> {
    text(value).map(SecretString::from)
}

pub(super) fn switch(value: &Value) -> Result<bool, Unfit> {
    value.truth().map_err(|why| Unfit::Invalid(why.what))
}

pub(super) fn id(value: &Value) -> Result<u64, Unfit> {
    text(value)?.trim().parse().map_err(invalid)
}

pub(super) fn host(value: &Value) -> Result<DatabaseHost, Unfit> {
    DatabaseHost::parse(&text(value)?).map_err(invalid)
}

pub(super) fn prefix(value: &Value) -> Result<TablePrefix, Unfit> {
    text(value)?.parse().map_err(invalid)
}

fn invalid(why: impl Display) -> Unfit {
    Unfit::Invalid(why.to_string())
}
