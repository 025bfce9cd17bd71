//! PHP's `serialize()` format, read and written over bytes.
//!
//! It is read as tolerantly as PHP reads it, and written as PHP writes it. What we have no use for
//! (objects, references to more than a short scalar) is kept verbatim and never interpreted.
//! WordPress options are bytes, not text: `s:N` counts bytes, and Latin-1 occurs.

mod read;

pub use read::ParseError;

/// A value as PHP's `serialize()` writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhpValue {
    /// `N;`
    Null,
    /// `b:1;`
    Bool(bool),
    /// `i:5;`
    Int(i64),
    /// `d:0.5;`, by its text: PHP writes as many digits as its settings say.
    Float(Vec<u8>),
    /// `s:2:"id";`
    Str(Vec<u8>),
    /// `a:1:{…}`, in its order.
    Array(Vec<(Key, PhpValue)>),
    /// `R:2;`: the same value as another one before it, a scalar.
    Reference {
        /// Which one that is: PHP counts from 1, keys and other references left out.
        number: usize,
        /// What it is.
        value: Box<PhpValue>,
    },
    /// An object or another reference: its bytes as they were.
    Raw(Vec<u8>),
}

/// A key of a PHP array.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `i:0;`
    Int(i64),
    /// `s:2:"id";`
    Str(Vec<u8>),
}

/// An array could not be changed without changing what its references point to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value contains PHP references that a change would break")]
pub struct WouldBreakReferences;

impl PhpValue {
    /// Read the value that `bytes` begin with. PHP's `unserialize()` does not mind what follows it.
    ///
    /// # Errors
    ///
    /// [`ParseError`] says at which byte it became invalid.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        read::parse(bytes)
    }

    /// Read an option as WordPress does (`maybe_unserialize()`): white space around it does not
    /// count, and what is not serialized is a string.
    ///
    /// # Errors
    ///
    /// It looks serialized, and is not: PHP makes `false` of it, and we cannot know what was meant.
    pub fn of_option(bytes: &[u8]) -> Result<Self, ParseError> {
        let trimmed = trim(bytes);
        if looks_serialized(trimmed) { Self::parse(trimmed) } else { Ok(Self::str(bytes)) }
    }

    /// A string value.
    pub fn str(text: impl Into<Vec<u8>>) -> Self {
        Self::Str(text.into())
    }

    /// Write the value as `serialize()` does.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// The value of `key`, if this is an array that has it. Of two equal keys PHP takes the last.
    pub fn at(&self, key: &str) -> Option<&Self> {
        let Self::Array(entries) = self else {
            return None;
        };
        let mut found = entries.iter().rev().filter(|(it, _)| it.is(key));
        found.next().map(|(_, value)| value)
    }

    /// The values of an array; none of anything else.
    pub fn values(&self) -> impl Iterator<Item = &Self> {
        let entries = match self {
            Self::Array(entries) => entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(_, value)| value)
    }

    /// The value, a reference followed.
    fn followed(&self) -> &Self {
        if let Self::Reference { value, .. } = self { value } else { self }
    }

    /// The bytes of a string.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self.followed() {
            Self::Str(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// What PHP's `if` makes of it.
    pub fn is_truthy(&self) -> bool {
        match self.followed() {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(text) => !is_zero(text),
            Self::Str(text) => !matches!(text.as_slice(), b"" | b"0"),
            Self::Array(entries) => !entries.is_empty(),
            // A reference to a reference does not occur: PHP counts none.
            Self::Raw(_) | Self::Reference { .. } => true,
        }
    }

    /// Whether it is another value of the same text.
    pub fn is_reference(&self) -> bool {
        matches!(self, Self::Reference { .. }) || self.is_not_followed()
    }

    /// Whether it is another value of the same text, which only PHP's own reading finds.
    pub fn is_not_followed(&self) -> bool {
        matches!(self, Self::Raw(bytes) if bytes.first() == Some(&b'R'))
    }

    /// The whole number that it is or spells; settings mix `300`, `"300"` and `true`.
    pub fn as_int(&self) -> Option<i64> {
        match self.followed() {
            Self::Bool(value) => Some(i64::from(*value)),
            Self::Int(value) => Some(*value),
            Self::Str(text) | Self::Float(text) => {
                std::str::from_utf8(text).ok()?.trim().parse().ok()
            }
            Self::Null | Self::Array(_) | Self::Raw(_) | Self::Reference { .. } => None,
        }
    }

    /// Give `key` of this array the scalar `value`: in place, or at the end.
    ///
    /// References (`R:3;`) count the values before them, so nothing may come in between.
    ///
    /// # Errors
    ///
    /// Where the value replaced is more than a scalar and references follow.
    pub fn set(&mut self, key: &str, value: Self) -> Result<(), WouldBreakReferences> {
        let has_references = self.has_references();
        let Self::Array(entries) = self else {
            *self = Self::Array(vec![(Key::Str(key.into()), value)]);
            return Ok(());
        };
        match entries.iter_mut().rev().find(|(it, _)| it.is(key)) {
            Some((_, old)) if has_references && !old.is_scalar() => Err(WouldBreakReferences),
            Some((_, old)) => {
                *old = value;
                Ok(())
            }
            None => {
                entries.push((Key::Str(key.into()), value));
                Ok(())
            }
        }
    }

    /// Remove `key` from this array, if it is there.
    ///
    /// # Errors
    ///
    /// Where there are references: they count the values before them.
    pub fn remove(&mut self, key: &str) -> Result<(), WouldBreakReferences> {
        if self.has_references() {
            return Err(WouldBreakReferences);
        }
        if let Self::Array(entries) = self {
            entries.retain(|(it, _)| !it.is(key));
        }
        Ok(())
    }

    fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Raw(_) | Self::Reference { .. })
    }

    /// Objects may contain references, so they count as such.
    fn has_references(&self) -> bool {
        match self {
            Self::Raw(_) | Self::Reference { .. } => true,
            Self::Array(_) => self.values().any(Self::has_references),
            _ => false,
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend(b"N;"),
            Self::Bool(value) => out.extend([b'b', b':', b'0' + u8::from(*value), b';']),
            Self::Int(value) => write_int(*value, out),
            Self::Float(text) => {
                out.extend(b"d:");
                out.extend(text);
                out.push(b';');
            }
            Self::Str(text) => write_str(text, out),
            Self::Array(entries) => write_array(entries, out),
            Self::Reference { number, .. } => out.extend(format!("R:{number};").bytes()),
            Self::Raw(bytes) => out.extend(bytes),
        }
    }
}

impl Key {
    /// As PHP keeps it: a whole number in decimal is one.
    fn of(text: &[u8]) -> Self {
        let number = std::str::from_utf8(text).ok().and_then(|it| it.parse::<i64>().ok());
        match number.filter(|number| number.to_string().as_bytes() == text) {
            Some(number) => Self::Int(number),
            None => Self::Str(text.into()),
        }
    }

    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Str(bytes) if bytes == name.as_bytes())
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Int(value) => write_int(*value, out),
            Self::Str(text) => write_str(text, out),
        }
    }
}

fn write_int(value: i64, out: &mut Vec<u8>) {
    out.extend(format!("i:{value};").bytes());
}

fn write_str(text: &[u8], out: &mut Vec<u8>) {
    out.extend(format!("s:{}:\"", text.len()).bytes());
    out.extend(text);
    out.extend(b"\";");
}

fn write_array(entries: &[(Key, PhpValue)], out: &mut Vec<u8>) {
    out.extend(format!("a:{}:{{", entries.len()).bytes());
    for (key, value) in entries {
        key.write(out);
        value.write(out);
    }
    out.push(b'}');
}

/// PHP's `trim()`.
fn trim(bytes: &[u8]) -> &[u8] {
    let is_kept = |byte: &u8| !b" \n\r\t\x0b\0".contains(byte);
    let start = bytes.iter().position(is_kept).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(is_kept).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// WordPress' `is_serialized()` of what is trimmed: it looks at both ends only.
fn looks_serialized(bytes: &[u8]) -> bool {
    let [kind, b':', rest @ ..] = bytes else { return bytes == b"N;" };
    let after_digits = || {
        let digits = rest.iter().take_while(|it| it.is_ascii_digit()).count();
        (digits != 0).then(|| rest.get(digits)) == Some(Some(&b':'))
    };
    let is_number = |text: &[u8]| {
        !text.is_empty() && text.iter().all(|it| it.is_ascii_digit() || b".E+-".contains(it))
    };
    match kind {
        _ if rest.len() < 2 => false,
        b's' => rest.ends_with(b"\";") && after_digits(),
        b'a' | b'O' | b'E' => matches!(rest.last(), Some(b';' | b'}')) && after_digits(),
        b'b' | b'i' | b'd' => rest.strip_suffix(b";").is_some_and(is_number),
        _ => false,
    }
}

fn is_zero(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).unwrap_or_default();
    text.parse::<f64>().is_ok_and(|value| value == 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> PhpValue {
        PhpValue::parse(text.as_bytes()).unwrap()
    }

    fn any_value() -> impl Strategy<Value = PhpValue> {
        let leaf = prop_oneof![
            Just(PhpValue::Null),
            any::<bool>().prop_map(PhpValue::Bool),
            any::<i64>().prop_map(PhpValue::Int),
            any::<f64>().prop_map(|it| PhpValue::Float(format!("{it:?}").into())),
            any::<Vec<u8>>().prop_map(PhpValue::Str),
            Just(PhpValue::Raw(b"O:1:\"A\":1:{s:1:\"x\";a:0:{}}".to_vec())),
        ];
        let text = || any::<Vec<u8>>().prop_map(|it| Key::of(&it));
        let key = move || prop_oneof![any::<i64>().prop_map(Key::Int), text()];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop::collection::vec((key(), inner), 0..6).prop_map(PhpValue::Array)
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(value in any_value()) {
            prop_assert_eq!(PhpValue::parse(&value.to_bytes()).unwrap(), value);
        }

        #[test]
        fn no_input_panics_and_what_is_written_means_the_same(bytes: Vec<u8>) {
            if let Ok(value) = PhpValue::of_option(&bytes) {
                prop_assert_eq!(PhpValue::parse(&value.to_bytes()), Ok(value));
            }
        }

        #[test]
        fn a_damaged_value_never_panics(value in any_value(), at: prop::sample::Index, byte: u8) {
            let mut bytes = value.to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(value) = PhpValue::parse(&bytes) {
                prop_assert_eq!(PhpValue::parse(&value.to_bytes()), Ok(value));
            }
        }
    }

    #[test]
    fn what_we_do_not_interpret_is_kept_verbatim() {
        for text in [
            r#"O:8:"stdClass":1:{s:1:"a";i:1;}"#,
            r#"C:3:"Foo":5:{a;b}c}"#,
            "a:2:{i:0;a:0:{}i:1;R:2;}",
            "a:2:{i:0;i:5;i:1;R:2;}",
            r#"a:2:{i:0;O:1:"A":0:{}i:1;r:2;}"#,
            "d:1.0E+25;",
            "d:-INF;",
        ] {
            assert_eq!(parsed(text).to_bytes(), text.as_bytes(), "{text}");
        }
    }

    #[test]
    fn what_is_not_one_whole_value_is_an_error() {
        let deep = format!("{}i:1;{}", "a:1:{i:0;".repeat(20_000), "}".repeat(20_000));
        for text in [
            "",
            "a",
            "i:1",
            "i:;",
            "b:2;",
            "N",
            "d:abc;",
            r#"s:3:"ab";"#,
            r#"s:1:"ab";"#,
            r#"s:18446744073709551615:"a";"#,
            "a:999999999:{}",
            "a:1:{i:0;}",
            "a:1:{b:1;i:0;}",
            "a:-1:{}",
            "d:inf;",
            r#"S:1:"\4g";"#,
            r#"O:8:"stdClass":1:{}"#,
            r#"C:3:"Foo":9999:{}"#,
            r#"E:11:"Suit:Hearts";"#,
            "r:1;",
            "R:1;",
            "a:2:{i:0;i:5;i:1;R:3;}",
            "a:2:{i:0;i:5;i:1;r:2;}",
            deep.as_str(),
        ] {
            let shown = &text[..text.len().min(40)];
            assert!(PhpValue::parse(text.as_bytes()).is_err(), "{shown}");
        }
    }

    #[test]
    fn a_scalar_is_set_in_place_or_at_the_end() {
        let mut value = parsed(r#"a:2:{s:3:"ovh";b:1;s:6:"closte";b:0;}"#);
        value.set("closte", PhpValue::Bool(true)).unwrap();
        value.set("new", PhpValue::Int(3)).unwrap();
        assert_eq!(value.to_bytes(), br#"a:3:{s:3:"ovh";b:1;s:6:"closte";b:1;s:3:"new";i:3;}"#);
    }

    #[test]
    fn a_change_that_would_shift_references_is_refused() {
        let mut value = parsed(r#"a:2:{s:1:"x";a:1:{i:0;i:1;}s:1:"y";R:3;}"#);
        let before = value.clone();
        assert_eq!(value.set("x", PhpValue::Bool(true)), Err(WouldBreakReferences));
        assert_eq!(value, before);
        value.set("z", PhpValue::Bool(true)).expect("the end is safe");
    }

    #[test]
    fn numbers_and_switches_come_in_many_spellings() {
        for (text, int, truthy) in [
            ("i:300;", Some(300), true),
            (r#"s:3:"300";"#, Some(300), true),
            ("b:1;", Some(1), true),
            ("b:0;", Some(0), false),
            (r#"s:1:"0";"#, Some(0), false),
            (r#"s:2:"on";"#, None, true),
            ("d:0;", Some(0), false),
            ("N;", None, false),
            ("a:0:{}", None, false),
        ] {
            let value = parsed(text);
            assert_eq!((value.as_int(), value.is_truthy()), (int, truthy), "{text}");
        }
    }
}
