//! The host's list of aliases, whose elements nobody has described.
//!
//! Whatever has a name is taken (facts: strings, and objects with one of four fields); whatever
//! has none is counted, and the first few are kept as they came, for people to look at.
//!
//! It is parsed while it comes: a long list takes the memory of its names, and not that of its
//! text many times over.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, BufReader, Read};

use http::{Answer, NoAnswer};
use rules::DomainName;
use rules::host::{AliasList, HostError, Unreadable};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::answer::{Reader, success, unknown};

/// Where an element may keep its name.
const NAME_FIELDS: [&str; 4] = ["domain", "name", "hostname", "host"];

/// A list of more elements is not ours.
const MOST_ELEMENTS: usize = 4_000_000;

/// Nor is one that has so many octets without the next element.
const LONGEST_ELEMENT: usize = 32 << 20;

/// No name is in an element of more octets, and no word in such a field.
const LONGEST_VALUE: usize = 1 << 20;

/// The most octets that are kept of an element until the key is taken out of it.
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
    names: BTreeSet<DomainName>,
    /// As they came: the key may be in them.
    unreadable: Unreadable,
}

/// Parse an answer while it comes.
pub(crate) fn parse(text: impl Read) -> Result<Parsed, Unparsed> {
    let meter = Meter::default();
    let text = BufReader::new(Metered { text, meter: &meter });
    let mut json = serde_json::Deserializer::from_reader(text);
    let parsed = json.deserialize_map(Outline(&meter)).and_then(|parsed| {
        json.end()?;
        Ok(parsed)
    });
    parsed.map_err(|_| meter.met.get().map_or(Unparsed::NoList, Unparsed::TooMuch))
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
        AliasList { names, unreadable }
    }
}

impl Found {
    fn take(&mut self, element: &RawValue) {
        let value = value(element);
        match value.as_ref().and_then(name) {
            Some(name) => _ = self.names.insert(name),
            None => self.unreadable.add(|| {
                let mut text = match value {
                    Some(Value::String(text)) => text,
                    _ => element.get().to_owned(),
                };
                text.truncate(text.floor_char_boundary(LONGEST_SHOWN));
                text
            }),
        }
    }
}

/// What `raw` is; none where it is too long to be looked into.
fn value(raw: &RawValue) -> Option<Value> {
    let text = Some(raw.get()).filter(|text| text.len() <= LONGEST_VALUE)?;
    serde_json::from_str(text).ok()
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
struct Outline<'m>(&'m Meter);

impl<'de> Visitor<'de> for Outline<'_> {
    type Value = Parsed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Parsed, A::Error> {
        let mut parsed = Parsed::default();
        while let Some(field) = fields.next_key::<String>()? {
            self.0.since.set(0);
            match field.as_str() {
                "domains" => parsed.domains = Some(fields.next_value_seed(Elements(self.0))?),
                "success" => {
                    let said = value(fields.next_value::<Box<RawValue>>()?.as_ref());
                    parsed.said.insert(field, said.unwrap_or_default());
                }
                _ => _ = fields.next_value::<IgnoredAny>()?,
            }
        }
        Ok(parsed)
    }
}

/// The list in it.
struct Elements<'m>(&'m Meter);

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
        while let Some(element) = elements.next_element::<Box<RawValue>>()? {
            self.0.element()?;
            found.take(&element);
        }
        Ok(found)
    }

    /// PHP writes a list with gaps in its numbering as an object.
    fn visit_map<A: MapAccess<'de>>(self, mut elements: A) -> Result<Found, A::Error> {
        let mut found = Found::default();
        while let Some((_, element)) = elements.next_entry::<IgnoredAny, Box<RawValue>>()? {
            self.0.element()?;
            found.take(&element);
        }
        Ok(found)
    }
}

/// What was parsed so far, and the limit that was met.
#[derive(Debug, Default)]
struct Meter {
    elements: Cell<usize>,
    /// Octets since the last element.
    since: Cell<usize>,
    met: Cell<Option<&'static str>>,
}

impl Meter {
    /// One more element was parsed.
    fn element<E: serde::de::Error>(&self) -> Result<(), E> {
        self.since.set(0);
        self.elements.update(|count| count + 1);
        if MOST_ELEMENTS < self.elements.get() {
            self.met.set(Some("a list of more than 4000000 elements"));
            return Err(E::custom("too many elements"));
        }
        Ok(())
    }
}

/// A text whose elements may not be too long.
struct Metered<'m, R> {
    text: R,
    meter: &'m Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if LONGEST_ELEMENT < self.meter.since.get() {
            self.meter.met.set(Some("a list with an element of more than 32 MiB"));
            return Err(io::Error::other("too long an element"));
        }
        let read = self.text.read(buffer)?;
        self.meter.since.update(|since| since + read);
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
        let names: Vec<_> = list.names.iter().map(DomainName::as_str).collect();
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
    fn a_list_has_a_limit_and_so_has_an_element() {
        let begun = || r#"{"domains":["a.example""#.as_bytes();
        let many = begun().chain(Again(b",1"));
        let too_many = Unparsed::TooMuch("a list of more than 4000000 elements");
        assert_eq!(parse(many).unwrap_err(), too_many);
        let too_long = Unparsed::TooMuch("a list with an element of more than 32 MiB");
        let long = begun().chain(&b",[0"[..]).chain(Again(b",0"));
        assert_eq!(parse(long).unwrap_err(), too_long);
        let other_field = br#"{"x":""#.chain(io::repeat(b'x'));
        assert_eq!(parse(other_field).unwrap_err(), too_long);
    }
}
