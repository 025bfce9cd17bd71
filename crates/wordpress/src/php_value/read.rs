//! The reading half: a cursor over bytes that trusts no count and no depth.

use super::{Key, PhpValue};

/// Deeper than any option on a real network, and far below the limit of the stack.
const MAX_DEPTH: u32 = 100;

/// Bytes that are not one whole serialized PHP value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a serialized PHP value (byte {position})")]
pub struct ParseError {
    /// Where it became invalid, counted from 0.
    pub position: usize,
}

type Parsed<T> = Result<T, ParseError>;

pub(super) fn parse(bytes: &[u8]) -> Parsed<PhpValue> {
    let mut reader = Reader { bytes, position: 0 };
    let value = reader.value(MAX_DEPTH)?;
    if reader.position == bytes.len() { Ok(value) } else { Err(reader.error()) }
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: u32) -> Parsed<PhpValue> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error())?;
        let start = self.position;
        let kind = self.next()?;
        if kind == b'N' {
            self.expect(b";")?;
            return Ok(PhpValue::Null);
        }
        self.expect(b":")?;
        match kind {
            b'b' => self.bool(),
            b'i' => self.int(start),
            b'd' => self.float(),
            b's' => Ok(PhpValue::Str(self.string_and(b";")?.to_vec())),
            b'a' => self.array(depth),
            _ => {
                self.skip_rest_of(kind, depth)?;
                Ok(PhpValue::Raw(self.bytes[start..self.position].to_vec()))
            }
        }
    }

    fn bool(&mut self) -> Parsed<PhpValue> {
        match self.until(b';')? {
            b"0" => Ok(PhpValue::Bool(false)),
            b"1" => Ok(PhpValue::Bool(true)),
            _ => Err(self.error()),
        }
    }

    /// A spelling that we would not write ourselves (`+5`, `007`) is kept as it is.
    fn int(&mut self, start: usize) -> Parsed<PhpValue> {
        let text = self.until(b';')?;
        if let Some(value) = canonical_int(text) {
            return Ok(PhpValue::Int(value));
        }
        let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+"));
        let digits = digits.unwrap_or(text);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.error());
        }
        Ok(PhpValue::Raw(self.bytes[start..self.position].to_vec()))
    }

    fn float(&mut self) -> Parsed<PhpValue> {
        let text = self.until(b';')?;
        let known = std::str::from_utf8(text).is_ok_and(|text| text.parse::<f64>().is_ok());
        if known { Ok(PhpValue::Float(text.to_vec())) } else { Err(self.error()) }
    }

    /// The count is checked against what is there; no memory is reserved for it.
    fn array(&mut self, depth: u32) -> Parsed<PhpValue> {
        let count = self.count()?;
        self.expect(b"{")?;
        let mut entries = Vec::new();
        for _ in 0..count {
            let key = self.key()?;
            entries.push((key, self.value(depth)?));
        }
        self.expect(b"}")?;
        Ok(PhpValue::Array(entries))
    }

    fn key(&mut self) -> Parsed<Key> {
        let kind = self.next()?;
        self.expect(b":")?;
        match kind {
            b'i' => {
                let text = self.until(b';')?;
                let value = canonical_int(text).ok_or_else(|| self.error())?;
                Ok(Key::Int(value))
            }
            b's' => Ok(Key::Str(self.string_and(b";")?.to_vec())),
            _ => Err(self.error()),
        }
    }

    /// What PHP code would have to interpret: only where it ends matters here.
    fn skip_rest_of(&mut self, kind: u8, depth: u32) -> Parsed<()> {
        match kind {
            b'r' | b'R' => self.digits().and_then(|_| self.expect(b";")),
            b'E' => self.string_and(b";").map(drop),
            b'S' => self.escaped_string(),
            b'O' => self.object(depth),
            b'C' => {
                self.string_and(b":")?;
                let length = self.count()?;
                self.expect(b"{")?;
                self.take(length)?;
                self.expect(b"}")
            }
            _ => Err(self.error()),
        }
    }

    fn object(&mut self, depth: u32) -> Parsed<()> {
        self.string_and(b":")?;
        let count = self.count()?;
        self.expect(b"{")?;
        for _ in 0..count {
            self.key()?;
            self.value(depth)?;
        }
        self.expect(b"}")
    }

    /// `S:2:"\41b";`: the count is of characters, a backslash and two digits being one.
    fn escaped_string(&mut self) -> Parsed<()> {
        let length = self.count()?;
        self.expect(b"\"")?;
        for _ in 0..length {
            if self.next()? == b'\\' {
                self.take(2)?;
            }
        }
        self.expect(b"\";")
    }

    /// `2:"id"` and what must follow.
    fn string_and(&mut self, end: &[u8]) -> Parsed<&'a [u8]> {
        let length = self.count()?;
        self.expect(b"\"")?;
        let text = self.take(length)?;
        self.expect(b"\"")?;
        self.expect(end)?;
        Ok(text)
    }

    /// `2:`, in the one spelling that PHP writes.
    fn count(&mut self) -> Parsed<usize> {
        let text = self.digits()?;
        let count = text.parse().map_err(|_| self.error())?;
        if text.len() > 1 && text.starts_with('0') {
            return Err(self.error());
        }
        self.expect(b":")?;
        Ok(count)
    }

    fn digits(&mut self) -> Parsed<&'a str> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().take_while(|it| it.is_ascii_digit()).count();
        if length == 0 {
            return Err(self.error());
        }
        let text = self.take(length)?;
        std::str::from_utf8(text).map_err(|_| self.error())
    }

    fn until(&mut self, end: u8) -> Parsed<&'a [u8]> {
        let rest = &self.bytes[self.position..];
        let length = rest.iter().position(|it| *it == end);
        let text = self.take(length.ok_or_else(|| self.error())?)?;
        self.position += 1;
        Ok(text)
    }

    fn take(&mut self, length: usize) -> Parsed<&'a [u8]> {
        let rest = &self.bytes[self.position..];
        let text = rest.get(..length).ok_or_else(|| self.error())?;
        self.position += length;
        Ok(text)
    }

    fn expect(&mut self, wanted: &[u8]) -> Parsed<()> {
        if self.take(wanted.len())? == wanted { Ok(()) } else { Err(self.error()) }
    }

    fn next(&mut self) -> Parsed<u8> {
        Ok(self.take(1)?[0])
    }

    fn error(&self) -> ParseError {
        ParseError { position: self.position }
    }
}

fn canonical_int(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let value: i64 = text.parse().ok()?;
    (value.to_string() == text).then_some(value)
}
