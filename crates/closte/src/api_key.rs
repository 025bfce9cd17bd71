//! The API key: sent to the host and shown to nobody.
//!
//! Whatever came from outside goes through [`ApiKey::clean`] before a person
//! sees it: hosts echo what they were sent, the key too.

use rules::plain;
use secrecy::{ExposeSecret, SecretString};

use crate::call::encoded;

/// What stands where the key stood.
const PLACEHOLDER: &str = "[key]";

/// A key that can be sent.
#[derive(Debug)]
pub(crate) struct ApiKey {
    key: SecretString,
    /// The key as others may write it, the longest form first.
    forms: Vec<SecretString>,
}

/// Why a key cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// There is nothing.
    #[error("the API key is empty")]
    Empty,
    /// More than one word, or characters that no key has.
    #[error("the API key holds a space, a line break or a control character inside")]
    Characters,
}

impl ApiKey {
    /// Take a key as it was found; space around it, such as a line end, is dropped.
    pub(crate) fn parse(found: &SecretString) -> Result<Self, UnusableKey> {
        let key = found.expose_secret().trim();
        if key.is_empty() {
            return Err(UnusableKey::Empty);
        }
        if key.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(UnusableKey::Characters);
        }
        Ok(Self { key: key.into(), forms: forms(key) })
    }

    /// The value that goes over the wire.
    pub(crate) fn encoded(&self) -> String {
        encoded(self.key.expose_secret())
    }

    /// `text` without the key, in whatever form it stands there.
    pub(crate) fn redact(&self, text: &str) -> String {
        let forms = self.forms.iter().map(SecretString::expose_secret);
        forms.fold(text.to_owned(), |text, form| without(&text, form))
    }

    /// Somebody else's words, fit to be shown in one line and without the key.
    pub(crate) fn clean(&self, words: &str) -> String {
        // The key goes first: a cut, or a character less, would hide it from us.
        plain::words(&self.redact(words))
    }

    /// `text`, of which the end is missing, without the key and without what
    /// may be the first half of it.
    pub(crate) fn redact_cut(&self, text: &str) -> String {
        let text = self.redact(text);
        let longest = self.forms.first().map_or(0, |form| form.expose_secret().len());
        let end = text.floor_char_boundary(text.len().saturating_sub(longest));
        text[..end].to_owned()
    }
}

/// `text` with a placeholder for every `form` in it, in capitals or not: the
/// names of hosts lose their capitals, and escapes come with either.
fn without(text: &str, form: &str) -> String {
    // Only ASCII letters change, so every octet keeps its place.
    let (lower, form) = (text.to_ascii_lowercase(), form.to_ascii_lowercase());
    let mut result = String::with_capacity(text.len());
    let mut rest = 0;
    for (start, found) in lower.match_indices(&form) {
        result += &text[rest..start];
        result += PLACEHOLDER;
        rest = start + found.len();
    }
    result + &text[rest..]
}

/// As it is, percent-encoded, and as JSON (PHP escapes `/`).
fn forms(key: &str) -> Vec<SecretString> {
    let json = serde_json::Value::from(key).to_string();
    let json = json.trim_matches('"');
    let mut forms = vec![key.to_owned(), encoded(key), json.replace('/', r"\/"), json.to_owned()];
    forms.sort();
    forms.dedup();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.into_iter().map(SecretString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ApiKey {
        ApiKey::parse(&text.into()).unwrap()
    }

    #[test]
    fn a_key_is_one_word() {
        assert_eq!(key(" k3y\r\n").encoded(), "k3y");
        let table = [
            ("", UnusableKey::Empty),
            (" \n", UnusableKey::Empty),
            ("two words", UnusableKey::Characters),
            ("two\nlines", UnusableKey::Characters),
            ("a\0b", UnusableKey::Characters),
        ];
        for (text, why) in table {
            assert_eq!(ApiKey::parse(&text.into()).unwrap_err(), why, "{text:?}");
        }
    }

    #[test]
    fn the_key_is_replaced_in_every_form() {
        let key = key("s3cret+/\"=");
        for echo in [
            "s3cret+/\"=",
            "s3cret%2B%2F%22%3D",
            "s3cret%2b%2f%22%3d",
            r#"s3cret+/\"="#,
            r#"s3cret+\/\"="#,
            "S3CRET%2b%2F%22%3D",
        ] {
            assert_eq!(key.clean(&format!("no: {echo}!")), "no: [key]!", "{echo}");
        }
        assert!(!format!("{key:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_cut_off_holds_no_half_of_the_key() {
        let key = key("s3cret");
        let at_the_edge = format!("{}s3cret", "x".repeat(497));
        assert!(!key.clean(&at_the_edge).contains("s3c"), "a cut leaves no half of the key");
        assert_eq!(key.redact_cut("0123456789 s3cret 0123456 s3cr"), "0123456789 [key] 012345");
    }
}
