//! The changes that we make to the network's options, in any database.
//!
//! Each is computed from the option that is there, so it must be read and written within one
//! transaction.

use rules::source::{PluginOption, Replaces, SourceError};
use rules::{Home, Time};

use crate::options::{self, CannotChange};

/// A change of one option. Some are secrets, so it has no `Debug`.
#[derive(Clone, Copy)]
pub(crate) enum OptionChange<'a> {
    /// Closte on or off.
    Switch(bool),
    /// `dns_check_interval`, in seconds.
    CheckInterval(u32),
    /// The home, where what is there is what it replaces.
    Home(&'a Home, Replaces<'a>),
    /// What our plugin reads.
    Plugin(PluginOption<'a>),
    /// Our plugin active from now on, a time in seconds since 1970.
    Activate(i64),
    /// Our plugin not active.
    Deactivate,
}

/// The result of a change. It may be of a secret, so it has no `Debug`.
pub(crate) struct Changed {
    /// Whether something was written.
    pub(crate) written: bool,
    /// What is there now.
    pub(crate) now: Vec<u8>,
}

impl Changed {
    pub(crate) fn of(new: Option<Vec<u8>>, old: Option<Vec<u8>>) -> Self {
        Self { written: new.is_some(), now: new.or(old).unwrap_or_default() }
    }

    /// The home that is there after a change of it, in the table `table`; none where none is.
    pub(crate) fn home(&self, table: &str) -> Result<Option<Home>, SourceError> {
        let unreadable = || SourceError::Refused {
            what: format!("`{}` in `{table}` cannot be read", options::HOME),
        };
        if self.now.is_empty() {
            return Ok(None);
        }
        options::home(&self.now).map(Some).ok_or_else(unreadable)
    }
}

impl OptionChange<'_> {
    /// Our plugin active, since `now` where that is known, or not.
    pub(crate) fn plugin(on: bool, now: Option<Time>) -> Self {
        let seconds = now.map_or(0, |now| now.as_millis() / 1000);
        if on { Self::Activate(seconds) } else { Self::Deactivate }
    }

    /// The option's name.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Switch(_) => options::INTEGRATIONS,
            Self::CheckInterval(_) => options::SETTINGS,
            Self::Home(..) => options::HOME,
            Self::Plugin(PluginOption::Secret(_)) => options::SECRET,
            Self::Plugin(PluginOption::NextPass(_)) => options::NEXT_PASS,
            Self::Activate(_) | Self::Deactivate => options::PLUGINS,
        }
    }

    /// What the option should become; none where it may stay as it is.
    pub(crate) fn of(self, old: &[u8]) -> Result<Option<Vec<u8>>, SourceError> {
        let refused = |why: CannotChange| SourceError::Refused {
            what: format!(
                "the option `{}` cannot be changed: {why}; it is left alone",
                self.option()
            ),
        };
        let new = self.new_value(old).map_err(refused)?;
        Ok(new.filter(|new| new != old))
    }

    fn new_value(self, old: &[u8]) -> Result<Option<Vec<u8>>, CannotChange> {
        match self {
            Self::Switch(on) if options::closte(old, &mut |_| {}) == on.into() => Ok(None),
            Self::Switch(on) => Ok(Some(options::switched(old, on))),
            Self::CheckInterval(seconds) => options::with_check_interval(old, seconds).map(Some),
            Self::Home(home, replaces) => {
                // One that cannot be read is somebody's all the same.
                let may = match replaces {
                    Replaces::Nothing => old.is_empty(),
                    _ => replaces.allows(options::home(old).as_ref()),
                };
                Ok(may.then(|| options::home_option(home)))
            }
            Self::Plugin(PluginOption::Secret(secret)) => Ok(Some(secret.into())),
            Self::Plugin(PluginOption::NextPass(at)) => {
                // Rounded up: who comes at that second finds it due.
                let seconds = at.as_millis().saturating_add(999).div_euclid(1000);
                Ok(Some(seconds.to_string().into()))
            }
            Self::Activate(at) => options::with_plugin(old, Some(at)),
            Self::Deactivate => options::with_plugin(old, None),
        }
    }
}
