//! A URL that somebody else gave out, of which a part may be a secret.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::base_url::{BaseUrl, NotABaseUrl};

/// https, or plain http to this machine itself. A user, a password and a query may be in it, and are
/// shown nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl {
    whole: Url,
    base: BaseUrl,
}

impl SecretUrl {
    /// All of it, to be asked.
    pub fn whole(&self) -> Url {
        self.whole.clone()
    }

    /// What of it may be shown.
    pub fn base(&self) -> &BaseUrl {
        &self.base
    }
}

impl FromStr for SecretUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let mut whole = Url::parse(text.trim()).map_err(NotABaseUrl::Url)?;
        whole.set_fragment(None);
        let mut shown = whole.clone();
        shown.set_query(None);
        // Where there can be neither, there is none.
        _ = shown.set_username("");
        _ = shown.set_password(None);
        Ok(Self { base: shown.as_str().parse()?, whole })
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({})", self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_asked_and_not_shown() {
        let table = [
            ("https://hooks.example/a/b", "https://hooks.example/a/b"),
            ("https://me:s3cret@hooks.example/a?key=s3cret#s3cret", "https://hooks.example/a"),
            ("http://127.0.0.1:8080/?s3cret", "http://127.0.0.1:8080"),
        ];
        for (text, shown) in table {
            let url: SecretUrl = text.parse().unwrap();
            assert_eq!(url.base().to_string(), shown);
            assert_eq!(url.whole().as_str(), text.trim_end_matches("#s3cret"));
            assert!(!format!("{url:?}").contains("s3cret"), "{url:?}");
        }
        for text in ["http://hooks.example/", "ftp://127.0.0.1/", "hooks.example", "data:s3cret"] {
            let error = text.parse::<SecretUrl>().unwrap_err();
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
