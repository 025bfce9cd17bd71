//! Which of a file's constants WordPress uses as the salt of its hashes.
//!
//! It never says why a constant does not count: WordPress then tries the next place, and so do
//! we.

use secrecy::SecretString;

use super::run::Run;
use super::setting::{self, Setting};
use super::value::Value;

/// All that WordPress compares with each other.
const CONSTANTS: [&str; 10] = [
    "AUTH_KEY",
    "AUTH_SALT",
    "SECURE_AUTH_KEY",
    "SECURE_AUTH_SALT",
    "LOGGED_IN_KEY",
    "LOGGED_IN_SALT",
    "NONCE_KEY",
    "NONCE_SALT",
    "SECRET_KEY",
    "SECRET_SALT",
];

/// The text of WordPress' sample. A translated one is in several constants.
const SAMPLE: &[u8] = b"put your unique phrase here";

impl Run<'_> {
    /// The first of `names` that WordPress uses.
    pub(super) fn salt(&self, names: [&'static str; 2]) -> Setting<SecretString> {
        match names.into_iter().find(|name| self.counts(name)) {
            Some(name) => self.constant_as(name, setting::secret),
            None => Setting::Absent,
        }
    }

    /// An unknown value counts: it may well be a secret.
    fn counts(&self, name: &str) -> bool {
        match self.state.constants.get(name).map(|it| &it.value) {
            None => false,
            Some(Value::Str(text)) => {
                !matches!(text.as_slice(), b"" | b"0" | SAMPLE) && !self.is_shared(name, text)
            }
            Some(_) => true,
        }
    }

    fn is_shared(&self, name: &str, text: &[u8]) -> bool {
        let mut others = CONSTANTS.iter().filter(|other| **other != name);
        others.any(|other| {
            let value = self.state.constants.get(*other).map(|it| &it.value);
            matches!(value, Some(Value::Str(it)) if it == text)
        })
    }
}
