//! The host's list of aliases, whose elements nobody has described.
//!
//! Whatever has a name is taken (facts: strings, and objects with one of four fields); whatever
//! has none is counted, and the first few are kept as they came, for people to look at.
//!
//! It is parsed while it comes: a long list takes the memory of its names, and not that of its
//! text many times over.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io::{self, BufReader, Read};

use http::{Answer, NoAnswer};
use rules::host::{AliasList, HostError, Unreadable};
use rules::{DomainName, names};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::answer::{Reader, success, unknown};

/// Where an element may keep its name.
const NAME_FIELDS: [&str; 4] = ["domain", "name", "hostname", "host"];

/// A list of more elements is not ours.
const MOST_ELEMENTS: usize = 4_000_000;

/// No name is in an element of more octets, and no word in such a field.
const LONGEST_VALUE: usize = 1 << 20;

/// The most octets that are kept of an unreadable one until the key is taken out of it.
const LONGEST_SHOWN: usize = 64 << 10;

/// An answer that should be a list.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The list in it.
    pub(crate) parsed: Result<Parsed, Unparsed>,
    /// The answer, with the beginning of its body.
    pub(crate) answer: Answer,
    /// Whether that is not the whole body.
    pub(crate) is_cut: bool,
}

/// What was parsed of an answer.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The field that says whether it is one.
    said: Map<String, Value>,
    /// What it lists; none where it lists nothing at all.
    domains: Option<Found>,
}

/// Why an answer could not be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// It is larger than a list may be.
    TooMuch(&'static str),
    /// It is no JSON, or of another form.
    NoList,
}

/// The elements of a list.
#[derive(Debug, Default)]
struct Found {
    names: names::Building,
    /// As they came: the key may be in them.
    unreadable: Unreadable,
}

/// Parse an answer while it comes.
pub(crate) fn parse(text: impl Read) -> Result<Parsed, Unparsed> {
    let seen = Seen::default();
    let text = Tee { text: BufReader::new(text), seen: &seen };
    let mut json = serde_json::Deserializer::from_reader(text);
    let parsed = json.deserialize_map(Outline(&seen)).and_then(|parsed| {
        json.end()?;
        Ok(parsed)
    });
    parsed.map_err(|_| seen.met.get().map_or(Unparsed::NoList, Unparsed::TooMuch))
}

impl Reader<'_> {
    /// What the host's list shows.
    pub(crate) fn list(self, listed: Listed) -> Result<AliasList, HostError> {
        let Listed { parsed, mut answer, is_cut } = listed;
        if answer.flaw.is_none() && answer.status.is_success() {
            match parsed {
                Ok(Parsed { said, domains: Some(found) }) if success(&said) != Some(false) => {
                    return Ok(self.aliases(found));
                }
                Err(Unparsed::TooMuch(what)) => return Err(unknown(what.to_owned())),
                Ok(_) | Err(Unparsed::NoList) => (),
            }
        }
        if is_cut && answer.flaw.is_none() {
            answer.flaw = Some(NoAnswer::Broken("a long answer that is no list".to_owned()));
        }
        let said = self.said(&answer)?;
        if success(&said) == Some(false) {
            return Err(HostError::Refused { words: self.words(&said) });
        }
        Err(self.unclear(said))
    }

    fn aliases(self, found: Found) -> AliasList {
        let Found { names, mut unreadable } = found;
        for text in &mut unreadable.shown {
            *text = self.key.clean(text);
        }
        AliasList { names: names.finish(), unreadable }
    }
}

impl Found {
    fn take(&mut self, element: Piece) {
        let value = element.value();
        match value.as_ref().and_then(name) {
            Some(name) => self.names.add(&name),
            None => self.unreadable.add(|| {
                let mut text = match value {
                    Some(Value::String(text)) => text,
                    _ => element.text,
                };
                text.truncate(text.floor_char_boundary(LONGEST_SHOWN));
                text
            }),
        }
    }
}

fn name(element: &Value) -> Option<DomainName> {
    let text = match element {
        Value::String(text) => text,
        Value::Object(fields) => {
            NAME_FIELDS.iter().find_map(|field| fields.get(*field)?.as_str())?
        }
        _ => return None,
    };
    text.trim().parse().ok()
}

/// The whole answer: an object.
struct Outline<'s>(&'s Seen);

impl<'de> Visitor<'de> for Outline<'_> {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Parsed, A::Error> {
        let mut parsed = Parsed::default();
        self.0.forget();
        while fields.next_key::<IgnoredAny>()?.is_some() {
            let field = match self.0.piece().value() {
                Some(Value::String(field)) => field,
                _ => String::new(),
            };
            self.0.forget();
            match field.as_str() {
                "domains" => parsed.domains = Some(fields.next_value_seed(Elements(self.0))?),
                "success" => {
                    fields.next_value::<IgnoredAny>()?;
                    let said = self.0.piece().value().unwrap_or_default();
                    parsed.said.insert(field, said);
                }
                _ => _ = fields.next_value::<IgnoredAny>()?,
            }
            self.0.forget();
        }
        Ok(parsed)
    }
}

/// The list in it.
struct Elements<'s>(&'s Seen);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Found, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        self.0.forget();
        while elements.next_element::<IgnoredAny>()?.is_some() {
            self.0.element()?;
            found.take(self.0.piece());
        }
        Ok(found)
    }

    /// PHP writes a list with gaps in its numbering as an object.
    fn visit_map<A: MapAccess<'de>>(self, mut elements: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        while elements.next_key::<IgnoredAny>()?.is_some() {
            self.0.forget();
            elements.next_value::<IgnoredAny>()?;
            self.0.element()?;
            found.take(self.0.piece());
        }
        Ok(found)
    }
}

/// What was parsed last, and how much.
#[derive(Debug, Default)]
struct Seen {
    /// What came since the last piece, [`LONGEST_VALUE`] of it at most.
    octets: RefCell<Vec<u8>>,
    /// Whether more came.
    is_cut: Cell<bool>,
    elements: Cell<usize>,
    met: Cell<Option<&'static str>>,
}

/// A part of the answer as it came.
struct Piece {
    text: String,
    is_cut: bool,
}

impl Seen {
    fn forget(&self) {
        self.octets.borrow_mut().clear();
        self.is_cut.set(false);
    }

    /// What was parsed since the last one, without what separates it.
    fn piece(&self) -> Piece {
        let octets = std::mem::take(&mut *self.octets.borrow_mut());
        let text = String::from_utf8_lossy(&octets);
        let separates = |c: char| matches!(c, ',' | ':' | ' ' | '\t' | '\r' | '\n');
        let text = text.trim_start_matches(separates);
        // The end of a number is known by what follows it.
        let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let ends = |c: char| is_number && (separates(c) || matches!(c, ']' | '}'));
        Piece { text: text.trim_end_matches(ends).to_owned(), is_cut: self.is_cut.replace(false) }
    }

    /// One more element was parsed.
    fn element<E: serde::de::Error>(&self) -> Result<(), E> {
        self.elements.update(|count| count + 1);
        if MOST_ELEMENTS < self.elements.get() {
            self.met.set(Some("a list of more than 4000000 elements"));
            return Err(E::custom("too many elements"));
        }
        Ok(())
    }
}

impl Piece {
    /// What it is; none where it is too long to be looked into.
    fn value(&self) -> Option<Value> {
        if self.is_cut { None } else { serde_json::from_str(&self.text).ok() }
    }
}

/// A text that is seen while it is read: the parser reads octet by octet, so that it ends where what
/// is parsed does.
struct Tee<'s, R> {
    text: R,
    seen: &'s Seen,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        let mut octets = self.seen.octets.borrow_mut();
        let kept = read.min(LONGEST_VALUE.saturating_sub(octets.len()));
        if kept < read {
            self.seen.is_cut.set(true);
        }
        octets.extend_from_slice(&buffer[..kept]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::ApiKey;
    use http::StatusCode;
    use http::header::HeaderMap;
    use rules::Time;

    /// The same octets without end.
    struct Again(&'static [u8]);

    impl Read for Again {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let times = buffer.len() / self.0.len();
            let again = self.0.repeat(times);
            buffer[..again.len()].copy_from_slice(&again);
            Ok(again.len())
        }
    }

    fn read(status: u16, body: &str) -> Result<(String, String), String> {
        let key = ApiKey::parse(&"s3cret".into()).unwrap();
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
            flaw: None,
        };
        let listed = Listed { parsed: parse(body.as_bytes()), answer, is_cut: false };
        let list = Reader { key: &key, now: Time::default() }.list(listed);
        let list = list.map_err(|error| error.to_string())?;
        let names: Vec<_> = list.names.iter().collect();
        Ok((names.join(" "), list.unreadable.shown.join(" ")))
    }

    #[test]
    #[rustfmt::skip] // One list a line.
    fn whatever_has_a_name_is_taken() {
        let table = [
            (r#"{"success":true,"domains":[]}"#, "", ""),
            (r#"{"success":true,"domains":{}}"#, "", ""),
            (r#"{"success":true,"domains":["b.example","a.example","A.example."]}"#, "a.example b.example", ""),
            (r#"{"success":true,"domains":["*.a.example"," bücher.example\n"]}"#, "*.a.example xn--bcher-kva.example", ""),
            (r#"{"domains":[{"domain":"a.example"},{"name":"b.example"},{"hostname":"c.example"},{"host":"d.example"}]}"#, "a.example b.example c.example d.example", ""),
            (r#"{"success":1,"domains":[{"domain":7,"name":"b.example","host":"c.example"}]}"#, "b.example", ""),
            (r#"{"success":true,"domains":{"0":"a.example","2":{"host":"b.example"}}}"#, "a.example b.example", ""),
            (r#"{"success":true,"domains":["a.example","no name","",null,7,{"id":1}]}"#, "a.example", r#"no name  null 7 {"id":1}"#),
            (r#"{"success":true,"domains":["x"],"more":[{}],"domains":[["x.example"],"b.example"]}"#, "b.example", r#"["x.example"]"#),
            (r#"{"success":true,"domains":[{"domain":"s3cret key\u0007"}]}"#, "", r#"{"domain":"[key] key\u0007"}"#),
            (r#"{"success":true,"domains":["a.example",1e999,[[1, 2]]]}"#, "a.example", "1e999 [[1, 2]]"),
        ];
        for (body, names, unreadable) in table {
            assert_eq!(read(200, body), Ok((names.to_owned(), unreadable.to_owned())), "{body}");
        }
    }

    #[test]
    #[rustfmt::skip] // One answer a line.
    fn what_is_no_list_says_nothing_about_aliases() {
        let table = [
            (200, r#"{"success":true}"#, r#"the host's API gave no clear answer: an answer that we do not know: {"success":true}"#),
            (200, r#"{"domains":"a.example","success":true}"#, r#"the host's API gave no clear answer: an answer that we do not know: {"domains":"a.example","success":true}"#),
            (200, r#"{"domains":null,"success":true}"#, r#"the host's API gave no clear answer: an answer that we do not know: {"domains":null,"success":true}"#),
            (200, r#"["a.example"]"#, "the host's API gave no clear answer: JSON that is no object"),
            (200, "", "the host's API gave no clear answer: an empty answer"),
            (200, r#"{"success":true,"domains":["a.exa"#, "the host's API gave no clear answer: half a JSON"),
            (200, r#"{"success":false,"error":"not for s3cret","domains":["a.example"]}"#, "the host said no: not for [key]"),
            (403, r#"{"success":false,"error":"Forbidden."}"#, "the host's API refused our key: Forbidden."),
            (500, r#"{"success":true,"domains":["a.example"]}"#, "the host's API gave no clear answer: HTTP 500"),
            (404, r#"{"success":true,"domains":["a.example"]}"#, "the host's API gave no clear answer: HTTP 404"),
        ];
        for (status, body, want) in table {
            assert_eq!(read(status, body), Err(want.to_owned()), "{body}");
        }
    }

    #[test]
    fn five_unreadable_elements_are_shown_and_all_are_counted() {
        let parsed = parse(r#"{"domains":[1,2,3,4,5,6,"a.example",7]}"#.as_bytes()).unwrap();
        let Unreadable { count, shown } = parsed.domains.unwrap().unreadable;
        assert_eq!((count, shown), (7, ["1", "2", "3", "4", "5"].map(str::to_owned).to_vec()));
    }

    #[test]
    fn an_element_that_is_too_long_or_too_deep_for_a_name_is_counted() {
        let deep = format!("{}{}", "[".repeat(9_000), "]".repeat(9_000));
        let long = format!("\"{}\"", "x".repeat(2 << 20));
        let object = format!("{{\"domain\":\"b.example\",\"x\":[{}0]}}", "0,".repeat(1 << 20));
        let list = format!("{{\"domains\":[{deep},{long},{object},\"a.example\"]}}");
        let (names, shown) = read(200, &list).unwrap();
        assert_eq!(names, "a.example");
        assert!(shown.starts_with("[[[[") && shown.chars().count() == 3 * 500 + 2, "{shown:.90}");
        let said = format!("{{\"success\":[{}0],\"domains\":[]}}", "0,".repeat(1 << 20));
        assert_eq!(read(200, &said), Ok(Default::default()), "a word that is none");
    }

    #[test]
    fn a_list_has_a_limit() {
        let begun = || r#"{"domains":["a.example""#.as_bytes();
        let many = begun().chain(Again(b",1"));
        let too_many = Unparsed::TooMuch("a list of more than 4000000 elements");
        assert_eq!(parse(many).unwrap_err(), too_many);
    }
}
