//! `$table_prefix`: the only foreign text that ever enters SQL.

use std::fmt;
use std::str::FromStr;

/// MySQL's limit for the name of a table, which the prefix alone cannot exceed.
const LONGEST: usize = 64;

/// A table prefix of letters, digits and underscores; WordPress accepts no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePrefix(String);

/// A text that WordPress would not accept as a table prefix either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a table prefix: only up to {LONGEST} letters, digits and underscores are")]
pub struct NotAPrefix(String);

impl TablePrefix {
    /// The prefix itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TablePrefix {
    type Err = NotAPrefix;

    fn from_str(text: &str) -> Result<Self, NotAPrefix> {
        let is_word = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if is_word && text.len() <= LONGEST {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAPrefix(text.chars().take(LONGEST).collect()))
        }
    }
}

impl fmt::Display for TablePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_prefixes() {
        for text in ["wp_", "", "WP_2_", &"a".repeat(64)] {
            assert_eq!(text.parse::<TablePrefix>().unwrap().as_str(), text);
        }
        for text in ["wp-", "wp_`; DROP", "wp é", "wp.", " wp_", &"a".repeat(65)] {
            assert!(text.parse::<TablePrefix>().is_err(), "{text}");
        }
    }
}
