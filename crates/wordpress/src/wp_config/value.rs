//! The few kinds of value that a wp-config.php is made of, and "unknown".

/// Longer texts are not followed: `$a .= $a` doubles with every line.
const LONGEST_TEXT: usize = 1 << 20;

/// A PHP value, as far as it is known without running PHP.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))] // Only there: it holds passwords.
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Str(Vec<u8>),
    Unknown(Why),
}

/// What makes a value known only when PHP runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    pub(super) line: u32,
    pub(super) what: String,
}

impl Value {
    /// What `if` makes of it.
    pub(super) fn truth(&self) -> Result<bool, Why> {
        match self {
            Self::Null => Ok(false),
            Self::Bool(value) => Ok(*value),
            Self::Int(value) => Ok(*value != 0),
            Self::Str(text) => Ok(!matches!(text.as_slice(), b"" | b"0")),
            Self::Unknown(why) => Err(why.clone()),
        }
    }

    /// What `.` and `(string)` make of it.
    pub(super) fn text(self) -> Result<Vec<u8>, Why> {
        match self {
            Self::Null | Self::Bool(false) => Ok(Vec::new()),
            Self::Bool(true) => Ok(b"1".to_vec()),
            Self::Int(value) => Ok(value.to_string().into_bytes()),
            Self::Str(text) => Ok(text),
            Self::Unknown(why) => Err(why),
        }
    }

    /// `self . other`
    pub(super) fn concat(self, other: Self, line: u32) -> Self {
        match (self.text(), other.text()) {
            (Ok(left), Ok(right)) if LONGEST_TEXT < left.len() + right.len() => {
                Self::Unknown(Why { line, what: "very long text".to_owned() })
            }
            (Ok(left), Ok(right)) => Self::Str([left, right].concat()),
            (Err(why), _) | (_, Err(why)) => Self::Unknown(why),
        }
    }

    /// `self === other`
    pub(super) fn identical(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why.clone()),
            _ => Self::Bool(self == other),
        }
    }

    /// `self == other`, where PHP's versions agree on it.
    pub(super) fn equal(&self, other: &Self, line: u32) -> Self {
        match (self, other) {
            (Self::Unknown(why), _) | (_, Self::Unknown(why)) => Self::Unknown(why.clone()),
            (Self::Null, Self::Str(text)) | (Self::Str(text), Self::Null) => {
                Self::Bool(text.is_empty())
            }
            (Self::Bool(_) | Self::Null, _) | (_, Self::Bool(_) | Self::Null) => {
                Self::Bool(self.truth() == other.truth())
            }
            (Self::Int(left), Self::Int(right)) => Self::Bool(left == right),
            (Self::Str(left), Self::Str(right)) if left == right => Self::Bool(true),
            (Self::Str(left), Self::Str(right)) if !(is_numeric(left) && is_numeric(right)) => {
                Self::Bool(false)
            }
            _ => Self::Unknown(Why { line, what: "comparison of numbers and text".to_owned() }),
        }
    }

    /// `!self`
    pub(super) fn not(&self) -> Self {
        match self.truth() {
            Ok(truth) => Self::Bool(!truth),
            Err(why) => Self::Unknown(why),
        }
    }
}

/// Whether PHP might read the text as a number.
fn is_numeric(text: &[u8]) -> bool {
    text.iter().any(u8::is_ascii_digit)
        && text.iter().all(|b| b.is_ascii_digit() || b" \t\r\n\x0b\x0c+-.eE".contains(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_as_in_php_or_not_at_all() {
        let text = |text: &str| Value::Str(text.into());
        let table = [
            (text("prod"), text("prod"), Some(true)),
            (text("prod"), text("dev"), Some(false)),
            (text("1"), text("01"), None),
            (text("1"), text("a"), Some(false)),
            (Value::Bool(false), text("prod"), Some(false)),
            (Value::Bool(true), text("prod"), Some(true)),
            (Value::Bool(false), text("0"), Some(true)),
            (Value::Null, text("0"), Some(false)),
            (Value::Null, text(""), Some(true)),
            (Value::Null, Value::Int(0), Some(true)),
            (Value::Int(1), text("1"), None),
            (Value::Int(1), Value::Int(1), Some(true)),
        ];
        for (left, right, equal) in table {
            assert_eq!(left.equal(&right, 1).truth().ok(), equal, "{left:?} == {right:?}");
            assert_eq!(right.equal(&left, 1).truth().ok(), equal, "{right:?} == {left:?}");
        }
    }

    #[test]
    fn values_become_text_as_in_php() {
        let joined = Value::Int(-5).concat(Value::Bool(true), 1).concat(Value::Bool(false), 1);
        assert_eq!(joined.concat(Value::Null, 1), Value::Str(b"-51".to_vec()));
        let long = Value::Str(vec![b'a'; LONGEST_TEXT]);
        assert!(long.clone().concat(long, 3).truth().is_err());
    }
}
