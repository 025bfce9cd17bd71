//! The reading half: a cursor over bytes that trusts no count and no depth. Where PHP takes more
//! than one spelling, so do we.

use std::collections::BTreeSet;

use super::{Key, PhpValue};

/// A reference is followed to no longer text: else many of them to a long one would fill the memory.
const LONGEST_FOLLOWED: usize = 64;

/// Deeper than any option on a real network, and far below the limit of the stack.
const MAX_DEPTH: u32 = 100;

/// Bytes that do not begin with a serialized PHP value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a serialized PHP value (byte {position})")]
pub struct ParseError {
    /// Where it became invalid, counted from 0.
    pub position: usize,
}

type Parsed<T> = Result<T, ParseError>;

/// The value that `bytes` begin with, as `unserialize()` takes it: what follows does not count.
pub(super) fn parse(bytes: &[u8]) -> Parsed<PhpValue> {
    Reader::new(bytes).value(MAX_DEPTH)
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// Where each value begins to which a reference may lead, as PHP counts them.
    counted: Vec<usize>,
    /// Whether it is known what each of them is by now: a key that comes again takes the place of
    /// the first, and what a class reads itself may count too.
    is_sure: bool,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, counted: Vec::new(), is_sure: true }
    }

    fn value(&mut self, depth: u32) -> Parsed<PhpValue> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.error())?;
        let start = self.position;
        let kind = self.next()?;
        if kind != b'R' {
            self.counted.push(start);
        }
        if kind == b'N' {
            self.expect(b";")?;
            return Ok(PhpValue::Null);
        }
        self.expect(b":")?;
        match kind {
            b'b' => self.bool(),
            b'i' => Ok(PhpValue::Int(self.int()?)),
            b'd' => self.float(),
            b's' => Ok(PhpValue::Str(self.string_and(b";")?.to_vec())),
            b'S' => Ok(PhpValue::Str(self.escaped_string()?)),
            b'a' => self.array(depth),
            b'R' => self.reference(start),
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

    /// PHP takes a sign and zeros in front, and the nearest number where it is too large.
    fn int(&mut self) -> Parsed<i64> {
        let text = self.until(b';')?;
        let (is_negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] | digits => (false, digits),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(self.error());
        }
        let text = std::str::from_utf8(text).map_err(|_| self.error())?;
        Ok(text.parse().unwrap_or(if is_negative { i64::MIN } else { i64::MAX }))
    }

    fn float(&mut self) -> Parsed<PhpValue> {
        let text = self.until(b';')?;
        if is_float(text) { Ok(PhpValue::Float(text.to_vec())) } else { Err(self.error()) }
    }

    /// The count is checked against what is there; no memory is reserved for it.
    fn array(&mut self, depth: u32) -> Parsed<PhpValue> {
        let count = self.count()?;
        self.expect(b"{")?;
        let (mut entries, mut keys) = (Vec::new(), BTreeSet::new());
        for _ in 0..count {
            let key = self.key()?;
            self.is_sure &= keys.insert(key.clone());
            entries.push((key, self.value(depth)?));
        }
        self.expect(b"}")?;
        Ok(PhpValue::Array(entries))
    }

    fn key(&mut self) -> Parsed<Key> {
        let kind = self.next()?;
        self.expect(b":")?;
        match kind {
            b'i' => Ok(Key::Int(self.int()?)),
            b's' => Ok(Key::of(self.string_and(b";")?)),
            b'S' => Ok(Key::of(&self.escaped_string()?)),
            _ => Err(self.error()),
        }
    }

    /// What PHP code would have to interpret: only where it ends matters here.
    fn skip_rest_of(&mut self, kind: u8, depth: u32) -> Parsed<()> {
        match kind {
            b'r' => self.object_again(),
            b'O' => self.object(depth),
            b'C' => {
                self.class()?;
                self.is_sure = false;
                let length = self.count()?;
                self.expect(b"{")?;
                self.take(length)?;
                self.expect(b"}")
            }
            // An enum among them: where its class is not there, PHP reads nothing at all, and we
            // cannot know.
            _ => Err(self.error()),
        }
    }

    /// `R:2;` after its first two bytes.
    fn reference(&mut self, start: usize) -> Parsed<PhpValue> {
        let (number, at) = self.counted_value()?;
        let short = at.map(|at| &self.bytes[at..self.bytes.len().min(at + LONGEST_FOLLOWED)]);
        let scalar = short.filter(|it| matches!(it[0], b'N' | b'b' | b'i' | b'd' | b's' | b'S'));
        Ok(match scalar.map(|it| Reader::new(it).value(1)) {
            Some(Ok(value)) => PhpValue::Reference { number, value: Box::new(value) },
            Some(Err(_)) | None => PhpValue::Raw(self.bytes[start..self.position].to_vec()),
        })
    }

    /// `r:2;` after its first two bytes: PHP takes it for an object only.
    fn object_again(&mut self) -> Parsed<()> {
        let itself = self.counted.len();
        let (number, at) = self.counted_value()?;
        let is_object = at.is_none_or(|at| matches!(self.bytes[at], b'O' | b'C' | b'r'));
        if is_object && number != itself { Ok(()) } else { Err(self.error()) }
    }

    /// `2;`, and where that value begins if it is known. One that was not counted is an error to PHP.
    fn counted_value(&mut self) -> Parsed<(usize, Option<usize>)> {
        let number: usize = self.digits()?.parse().map_err(|_| self.error())?;
        self.expect(b";")?;
        let at = number.checked_sub(1).and_then(|index| self.counted.get(index)).copied();
        match (self.is_sure, at) {
            (true, None) => Err(self.error()),
            (is_sure, at) => Ok((number, at.filter(|_| is_sure))),
        }
    }

    /// The name of a class and the colon after it; PHP takes no other characters.
    fn class(&mut self) -> Parsed<()> {
        let name = self.string_and(b":")?;
        let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'\\' | 0x7f..);
        if !name.is_empty() && name.iter().all(fits) { Ok(()) } else { Err(self.error()) }
    }

    fn object(&mut self, depth: u32) -> Parsed<()> {
        self.class()?;
        let (count, mut keys) = (self.count()?, BTreeSet::new());
        self.expect(b"{")?;
        for _ in 0..count {
            let key = self.key()?;
            self.is_sure &= keys.insert(key);
            self.value(depth)?;
        }
        self.expect(b"}")
    }

    /// `S:2:"\41b";`: the count is of characters, a backslash and two digits being one.
    fn escaped_string(&mut self) -> Parsed<Vec<u8>> {
        let length = self.count()?;
        self.expect(b"\"")?;
        let mut text = Vec::new();
        for _ in 0..length {
            text.push(match self.next()? {
                b'\\' => self.hexadecimal()?,
                byte => byte,
            });
        }
        self.expect(b"\";")?;
        Ok(text)
    }

    fn hexadecimal(&mut self) -> Parsed<u8> {
        let digits = self.take(2)?;
        let digit = |at: usize| char::from(digits[at]).to_digit(16).ok_or_else(|| self.error());
        u8::try_from(digit(0)? * 16 + digit(1)?).map_err(|_| self.error())
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

    /// `2:`, also with zeros in front.
    fn count(&mut self) -> Parsed<usize> {
        let count = self.digits()?.parse().map_err(|_| self.error())?;
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

/// Whether PHP writes a float so; Rust reads more.
fn is_float(text: &[u8]) -> bool {
    let spelled = || {
        let known = |it: &u8| it.is_ascii_digit() || b".eE+-".contains(it);
        text.iter().all(known)
            && std::str::from_utf8(text).is_ok_and(|it| it.parse::<f64>().is_ok())
    };
    matches!(text, b"INF" | b"-INF" | b"NAN") || spelled()
}
