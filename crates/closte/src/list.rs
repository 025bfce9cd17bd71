//! The host's list of aliases, whose elements nobody has described.
//!
//! Whatever has a name is taken (facts: strings, and objects with one of four
//! fields); whatever has none is kept as it came, for people to look at.

use http::Answer;
use rules::DomainName;
use rules::host::{AliasList, HostError};
use serde_json::Value;

use crate::answer::{Reader, success};

/// Where an element may keep its name.
const NAME_FIELDS: [&str; 4] = ["domain", "name", "hostname", "host"];

impl Reader<'_> {
    /// What the host's list shows.
    pub(crate) fn list(self, answer: &Answer) -> Result<AliasList, HostError> {
        let said = self.said(answer)?;
        if success(&said) == Some(false) {
            return Err(HostError::Refused { words: self.words(&said) });
        }
        match said.get("domains") {
            Some(Value::Array(elements)) => Ok(self.aliases(elements)),
            // PHP writes a list with gaps in its numbering as an object.
            Some(Value::Object(elements)) => Ok(self.aliases(elements.values())),
            _ => Err(self.unclear(said)),
        }
    }

    fn aliases<'v>(self, elements: impl IntoIterator<Item = &'v Value>) -> AliasList {
        let mut list = AliasList::default();
        for element in elements {
            match name(element) {
                Some(name) => drop(list.names.insert(name)),
                None => list.unreadable.push(self.as_it_came(element)),
            }
        }
        list
    }

    fn as_it_came(self, element: &Value) -> String {
        match element {
            Value::String(text) => self.key.clean(text),
            other => self.key.clean(&other.to_string()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::ApiKey;
    use http::StatusCode;
    use http::header::HeaderMap;
    use rules::Time;

    fn read(status: u16, body: &str) -> Result<(String, String), String> {
        let key = ApiKey::parse(&"s3cret".into()).unwrap();
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
            flaw: None,
        };
        let list = Reader { key: &key, now: Time::default() }.list(&answer);
        let list = list.map_err(|error| error.to_string())?;
        let names: Vec<_> = list.names.iter().map(DomainName::as_str).collect();
        Ok((names.join(" "), list.unreadable.join(" ")))
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
            (r#"{"success":true,"domains":["a.example","no name","",null,7,{"id":1},["x.example"]]}"#, "a.example", r#"no name  null 7 {"id":1} ["x.example"]"#),
            (r#"{"success":true,"domains":[{"domain":"s3cret key\u0007"}]}"#, "", r#"{"domain":"[key] key\u0007"}"#),
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
}
