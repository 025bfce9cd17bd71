//! The secret between the engine and its plugin: 32 random bytes, shown to nobody.

use std::fmt;

use rand::TryRng;
use rand::rngs::{SysError, SysRng};
use secrecy::{ExposeSecret, SecretBox, SecretString};

use super::{hex, unhex};

/// 32 bytes that only WordPress and the engine know.
#[derive(Clone)]
pub struct Secret(SecretBox<Key>);

/// A key of its own type, so that it can be cloned and wiped.
#[derive(Clone)]
struct Key([u8; 32]);

impl secrecy::zeroize::Zeroize for Key {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl secrecy::CloneableSecret for Key {}

/// A text is not a secret. It is not shown: it may be a damaged one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a secret: 64 hexadecimal digits are")]
pub struct NotASecret;

impl Secret {
    /// Read 64 hexadecimal digits; space around them, such as a line end, is dropped.
    ///
    /// # Errors
    ///
    /// They are not 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, NotASecret> {
        let bytes = unhex(&text.trim().to_ascii_lowercase()).ok_or(NotASecret)?;
        Ok(Self(SecretBox::new(Box::new(Key(bytes)))))
    }

    /// A new one, of the system's random numbers.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn generate() -> Result<Self, SysError> {
        let mut key = Box::new(Key([0; 32]));
        SysRng.try_fill_bytes(&mut key.0)?;
        Ok(Self(SecretBox::new(key)))
    }

    /// The 64 hexadecimal digits that both sides keep.
    pub fn to_hex(&self) -> SecretString {
        hex(self.bytes()).into()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0.expose_secret().0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_being_written_and_is_never_shown() {
        let secret = Secret::generate().unwrap();
        let digits = secret.to_hex();
        let file = format!("{}\n", digits.expose_secret().to_ascii_uppercase());
        let read = Secret::parse(&file).unwrap();
        assert_eq!(read.bytes(), secret.bytes());
        assert_eq!(format!("{read:?}"), "Secret([redacted])");
        assert_ne!(Secret::generate().unwrap().bytes(), secret.bytes());
    }

    #[test]
    fn what_is_no_secret_is_not_taken_for_one() {
        for text in ["", "00", &"0".repeat(63), &"0".repeat(65), &"g".repeat(64), &"é".repeat(32)]
        {
            assert_eq!(Secret::parse(text).unwrap_err(), NotASecret, "{text}");
        }
    }
}
