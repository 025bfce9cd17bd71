//! The key and secret of the REST API, and where they come from. They are shown to nobody.

use std::fmt;
use std::sync::Arc;

use rules::source::{NetworkSource, SourceError};
use secrecy::{ExposeSecret, SecretString};

use crate::options;
use crate::php_value::PhpValue;

/// What HTTP Basic needs: the key is the user, the secret the password.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// `api_key`.
    pub key: SecretString,
    /// `api_secret`.
    pub secret: SecretString,
}

/// Where the key and secret come from.
#[derive(Clone)]
pub enum Credentials {
    /// They were given.
    Given(KeyPair),
    /// They are read from the network's settings each time, so that new ones are used at once.
    Stored(Arc<dyn NetworkSource>),
    /// There are none.
    None,
}

impl KeyPair {
    /// Read `KEY:SECRET`; none where that is something else.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let (key, secret) = text.expose_secret().trim().split_once(':')?;
        Self::of(key, secret)
    }

    /// Those of Ultimate Multisite's settings, as the option stores them.
    fn stored(option: &[u8]) -> Option<Self> {
        let option = PhpValue::of_option(option).ok()?;
        let text = |key| std::str::from_utf8(option.at(key)?.as_bytes()?).ok();
        Self::of(text("api_key")?, text("api_secret")?)
    }

    /// A user name of HTTP Basic has no colon (RFC 7617).
    fn of(key: &str, secret: &str) -> Option<Self> {
        let is_good = |text: &str| !text.is_empty() && !text.contains(char::is_control);
        let both = is_good(key) && is_good(secret) && !key.contains(':');
        both.then(|| Self { key: key.into(), secret: secret.into() })
    }

    /// `words` without the key and the secret: servers echo what they were sent.
    pub(super) fn redact(&self, words: &str) -> String {
        let without =
            |text: String, secret: &SecretString| text.replace(secret.expose_secret(), "[secret]");
        [&self.secret, &self.key].into_iter().fold(words.to_owned(), without)
    }
}

impl Credentials {
    /// What there is now.
    pub(super) async fn find(&self) -> Result<Option<KeyPair>, SourceError> {
        match self {
            Self::Given(pair) => Ok(Some(pair.clone())),
            Self::Stored(source) => {
                let found = source.options(&[options::SETTINGS]).await?;
                Ok(found.get(options::SETTINGS).and_then(|option| KeyPair::stored(option)))
            }
            Self::None => Ok(None),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given(_) => "Given([redacted])",
            Self::Stored(_) => "Stored",
            Self::None => "None",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pair: Option<KeyPair>) -> Option<(String, String)> {
        let pair = pair?;
        assert!(!format!("{pair:?}").contains("s3cret"));
        Some((pair.key.expose_secret().to_owned(), pair.secret.expose_secret().to_owned()))
    }

    #[test]
    fn a_pair_is_read_as_it_is_kept() {
        let good = Some(("k3y".to_owned(), "s3cret:x".to_owned()));
        assert_eq!(shown(KeyPair::parse(&" k3y:s3cret:x\n".into())), good);
        for text in ["", "k3y", ":s3cret", "k3y:", "k\ny:s3cret"] {
            assert!(KeyPair::parse(&text.into()).is_none(), "{text:?}");
        }
        let option = br#"a:2:{s:7:"api_key";s:3:"k3y";s:10:"api_secret";s:8:"s3cret:x";}"#;
        assert_eq!(shown(KeyPair::stored(option)), good);
        for option in ["", "rubbish", "a:0:{}", r#"a:1:{s:7:"api_key";s:3:"k3y";}"#] {
            assert!(KeyPair::stored(option.as_bytes()).is_none(), "{option}");
        }
    }

    #[test]
    fn an_echo_shows_neither() {
        let pair = KeyPair::parse(&"k3y:s3cret".into()).unwrap();
        assert_eq!(pair.redact("no k3y with s3cret"), "no [secret] with [secret]");
    }
}
