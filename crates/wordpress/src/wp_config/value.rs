//! The few kinds of value that a wp-config.php is made of, and "unknown".

use std::path::Path;
use std::sync::Arc;

/// Longer texts are not followed: `$a .= $a` doubles with every line.
pub(super) const LONGEST_TEXT: usize = 1 << 20;

/// Nor are arrays of more elements.
pub(super) const LONGEST_ARRAY: usize = 10_000;

/// A PHP value, as far as it is known without running PHP.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))] // Only there: it holds passwords.
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Str(Vec<u8>),
    Array(Array),
    Unknown(Why),
}

/// A PHP array: its elements in order.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Array {
    elements: Vec<(Key, Value)>,
    /// The number that the next element without a key gets.
    next: i64,
}

/// The key of an element.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub(super) enum Key {
    Int(i64),
    Str(Vec<u8>),
}

/// What makes a value known only when PHP runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Why {
    /// The file, where it is not the wp-config.php itself.
    pub(super) file: Option<Arc<Path>>,
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
            Self::Array(array) => Ok(!array.elements.is_empty()),
            Self::Unknown(why) => Err(why.clone()),
        }
    }

    /// What `.` and `(string)` make of it; none of an array, where PHP warns.
    pub(super) fn text(self) -> Result<Vec<u8>, Option<Why>> {
        match self {
            Self::Null | Self::Bool(false) => Ok(Vec::new()),
            Self::Bool(true) => Ok(b"1".to_vec()),
            Self::Int(value) => Ok(value.to_string().into_bytes()),
            Self::Str(text) => Ok(text),
            Self::Array(_) => Err(None),
            Self::Unknown(why) => Err(Some(why)),
        }
    }

    /// `self . other`, at `at`.
    pub(super) fn concat(self, other: Self, at: &dyn Fn(&str) -> Why) -> Self {
        match (self.text(), other.text()) {
            (Ok(left), Ok(right)) if LONGEST_TEXT < left.len() + right.len() => {
                Self::Unknown(at("very long text"))
            }
            (Ok(left), Ok(right)) => Self::Str([left, right].concat()),
            (Err(why), _) | (_, Err(why)) => Self::Unknown(why.unwrap_or_else(|| at("array"))),
        }
    }

    /// `self === other`
    pub(super) fn identical(&self, other: &Self) -> Self {
        match (self.unknown().or(other.unknown()), self, other) {
            (Some(why), ..) => Self::Unknown(why.clone()),
            (None, ..) => Self::Bool(self == other),
        }
    }

    /// `self == other`, where PHP's versions agree on it; `at` tells where that is.
    pub(super) fn equal(&self, other: &Self, at: &dyn Fn(&str) -> Why) -> Self {
        match (self, other) {
            _ if self.unknown().is_some() || other.unknown().is_some() => self.identical(other),
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
            (Self::Array(left), Self::Array(right)) if left == right => Self::Bool(true),
            (Self::Array(_), Self::Array(_)) => Self::Unknown(at("comparison of arrays")),
            (Self::Array(_), _) | (_, Self::Array(_)) => Self::Bool(false),
            _ => Self::Unknown(at("comparison of numbers and text")),
        }
    }

    /// `!self`
    pub(super) fn not(&self) -> Self {
        match self.truth() {
            Ok(truth) => Self::Bool(!truth),
            Err(why) => Self::Unknown(why),
        }
    }

    /// Why it is unknown: itself, or something in it.
    pub(super) fn unknown(&self) -> Option<&Why> {
        match self {
            Self::Unknown(why) => Some(why),
            Self::Array(array) => array.elements.iter().find_map(|(_, value)| value.unknown()),
            _ => None,
        }
    }
}

impl Array {
    pub(super) fn elements(&self) -> &[(Key, Value)] {
        &self.elements
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Value> {
        self.elements.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    /// Put `value` at `key`, or at the end; none where there are too many, or where the next key
    /// depends on PHP's version: after a negative one.
    pub(super) fn put(&mut self, key: Option<Key>, value: Value) -> Option<()> {
        let is_negative = |(key, _): &(Key, Value)| matches!(key, Key::Int(..0));
        if key.is_none() && self.next == 0 && self.elements.iter().any(is_negative) {
            return None;
        }
        let key = key.unwrap_or(Key::Int(self.next));
        if let Key::Int(number) = key {
            self.next = self.next.max(number.checked_add(1)?);
        }
        let is_full = self.elements.len() == LONGEST_ARRAY;
        match self.elements.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None if is_full => return None,
            None => self.elements.push((key, value)),
        }
        Some(())
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let elements: Vec<_> = (0..).map(Key::Int).zip(values).collect();
        Self { next: i64::try_from(elements.len()).unwrap_or(i64::MAX), elements }
    }
}

impl Key {
    /// What PHP makes of a value as a key; none of one that is no key, or unknown.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(number) => Some(Self::Int(*number)),
            Value::Bool(value) => Some(Self::Int((*value).into())),
            Value::Null => Some(Self::Str(Vec::new())),
            Value::Str(text) => {
                let number = std::str::from_utf8(text).ok().and_then(|it| it.parse::<i64>().ok());
                let number = number.filter(|number| number.to_string().as_bytes() == text);
                Some(number.map_or_else(|| Self::Str(text.clone()), Self::Int))
            }
            Value::Array(_) | Value::Unknown(_) => None,
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Int(number) => Value::Int(*number),
            Self::Str(text) => Value::Str(text.clone()),
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

    fn at(what: &str) -> Why {
        Why { file: None, line: 1, what: what.to_owned() }
    }

    #[test]
    fn values_compare_as_in_php_or_not_at_all() {
        let text = |text: &str| Value::Str(text.into());
        let list =
            |numbers: &[i64]| Value::Array(numbers.iter().copied().map(Value::Int).collect());
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
            (list(&[1, 2]), list(&[1, 2]), Some(true)),
            (list(&[1, 2]), list(&[2, 1]), None),
            (list(&[]), Value::Null, Some(true)),
            (list(&[1]), text("a"), Some(false)),
            (list(&[1]), Value::Unknown(at("x")), None),
        ];
        for (left, right, equal) in table {
            assert_eq!(left.equal(&right, &at).truth().ok(), equal, "{left:?} == {right:?}");
            assert_eq!(right.equal(&left, &at).truth().ok(), equal, "{right:?} == {left:?}");
        }
    }

    #[test]
    fn values_become_text_as_in_php() {
        let joined = Value::Int(-5).concat(Value::Bool(true), &at).concat(Value::Bool(false), &at);
        assert_eq!(joined.concat(Value::Null, &at), Value::Str(b"-51".to_vec()));
        let long = Value::Str(vec![b'a'; LONGEST_TEXT]);
        assert!(long.clone().concat(long, &at).truth().is_err());
    }

    #[test]
    fn keys_are_what_php_makes_of_them() {
        let table: [(Value, Option<Key>); 8] = [
            (Value::Int(5), Some(Key::Int(5))),
            (Value::Str(b"5".to_vec()), Some(Key::Int(5))),
            (Value::Str(b"-5".to_vec()), Some(Key::Int(-5))),
            (Value::Str(b"05".to_vec()), Some(Key::Str(b"05".to_vec()))),
            (Value::Str(b"+5".to_vec()), Some(Key::Str(b"+5".to_vec()))),
            (Value::Bool(true), Some(Key::Int(1))),
            (Value::Null, Some(Key::Str(Vec::new()))),
            (Value::Array(Array::default()), None),
        ];
        for (value, key) in table {
            assert_eq!(Key::of(&value), key, "{value:?}");
        }
        let mut array = Array::default();
        for (key, value) in [(None, 1), (Some(Key::Int(7)), 2), (None, 3), (Some(Key::Int(7)), 4)] {
            array.put(key, Value::Int(value)).unwrap();
        }
        let elements = [(0, 1), (7, 4), (8, 3)].map(|(key, it)| (Key::Int(key), Value::Int(it)));
        assert_eq!(array.elements(), elements);
    }
}
