//! What the host's answers mean: one answer in, one outcome out.
//!
//! Pure. Where nobody has published what the host says, its words are passed on
//! and never matched; where it is not clear whether something happened there,
//! the outcome says just that.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Answer, Url};
use rules::Time;
use rules::host::HostError;
use serde_json::{Map, Value};

use crate::api_key::ApiKey;

/// How the host begins when it will not take a name. The connection test names
/// none, and hears just this.
const INVALID: &str = "Invalid or empty domain";

/// What an answer is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    /// Not to be repeated, even where the host does.
    pub(crate) key: &'a ApiKey,
    /// For a `Retry-After` that is a date.
    pub(crate) now: Time,
}

impl Reader<'_> {
    /// What came of adding an alias.
    pub(crate) fn add(self, answer: &Answer) -> Result<(), HostError> {
        let said = self.said(answer)?;
        match success(&said) {
            Some(true) => Ok(()),
            _ if is_rejection(&said) => Err(HostError::Rejected { words: self.words(&said) }),
            Some(false) => Err(HostError::Refused { words: self.words(&said) }),
            None => Err(self.unclear(said)),
        }
    }

    /// What came of removing one. Never `Rejected`: no client reads this
    /// answer, so no words of it are known (facts).
    pub(crate) fn remove(self, answer: &Answer) -> Result<(), HostError> {
        let said = self.said(answer)?;
        match success(&said) {
            Some(true) => Ok(()),
            Some(false) => Err(HostError::Refused { words: self.words(&said) }),
            None => Err(self.unclear(said)),
        }
    }

    /// Whether the key is valid: only the one known answer says so.
    pub(crate) fn check(self, answer: &Answer) -> Result<(), HostError> {
        let said = self.said(answer)?;
        let rest = error(&said).and_then(|words| words.trim().strip_prefix(INVALID));
        match rest {
            Some(":") if answer.status.as_u16() < 400 => Ok(()),
            Some(_) => Err(HostError::Refused { words: self.words(&said) }),
            None if success(&said) == Some(false) => {
                Err(HostError::Refused { words: self.words(&said) })
            }
            None => Err(self.unclear(said)),
        }
    }

    /// What the host says, where the status leaves it to the body to say.
    pub(crate) fn said(self, answer: &Answer) -> Result<Map<String, Value>, HostError> {
        let status = answer.status.as_u16();
        let object = object(answer);
        match status {
            401 | 403 => Err(self.key_refused(status, object.as_ref().ok())),
            429 => Err(HostError::RateLimited { retry_after: self.retry_after(answer) }),
            300..400 => Err(unknown(self.redirect(answer))),
            503 => Err(self.unavailable(answer)),
            500.. => Err(unknown(format!("HTTP {status}"))),
            400.. => object
                .ok()
                .filter(|said| success(said) == Some(false) || is_rejection(said))
                .ok_or_else(|| unknown(format!("HTTP {status}"))),
            _ => object.map_err(unknown),
        }
    }

    /// A host that says when it will be back is busy, not broken: it is obeyed
    /// like one that limits our rate (RFC 9110, 10.2.3 gives the header the
    /// same meaning in both). Nothing is lost if the call had its effect, as
    /// writes can be repeated.
    fn unavailable(self, answer: &Answer) -> HostError {
        match self.retry_after(answer) {
            Some(wait) => HostError::RateLimited { retry_after: Some(wait) },
            None => unknown("HTTP 503".to_owned()),
        }
    }

    fn retry_after(self, answer: &Answer) -> Option<Duration> {
        answer.retry_after(self.now.into())
    }

    fn key_refused(self, status: u16, said: Option<&Map<String, Value>>) -> HostError {
        let words = said.and_then(error).filter(|words| !words.trim().is_empty());
        let words = words.map_or_else(|| format!("HTTP {status}"), |words| self.key.clean(words));
        HostError::KeyRefused { words }
    }

    /// Only where to: the rest of the address may hold what we sent.
    fn redirect(self, answer: &Answer) -> String {
        let location = answer.header(LOCATION).and_then(|to| Url::parse(to).ok());
        match location.as_ref().and_then(Url::host_str) {
            Some(host) => format!("a redirect to {}, which is not followed", self.key.clean(host)),
            None => format!("HTTP {}, which is not followed", answer.status.as_u16()),
        }
    }

    /// The host's own words; where there are none, all it said.
    pub(crate) fn words(self, said: &Map<String, Value>) -> String {
        match said.get("error") {
            Some(Value::String(words)) if !words.trim().is_empty() => self.key.clean(words),
            Some(other) if !other.is_null() && !other.is_string() => {
                self.key.clean(&other.to_string())
            }
            _ => self.key.clean(&Value::Object(said.clone()).to_string()),
        }
    }

    /// JSON that nobody has described.
    pub(crate) fn unclear(self, said: Map<String, Value>) -> HostError {
        let said = Value::Object(said).to_string();
        unknown(format!("an answer that we do not know: {}", self.key.clean(&said)))
    }
}

/// What came instead of a clear answer.
pub(crate) fn unknown(what: String) -> HostError {
    HostError::OutcomeUnknown { what }
}

/// What `success` says, in the ways that PHP writes a boolean.
pub(crate) fn success(said: &Map<String, Value>) -> Option<bool> {
    match said.get("success")? {
        Value::Bool(success) => Some(*success),
        Value::String(text) if text == "true" || text == "1" => Some(true),
        Value::String(text) if text == "false" || text == "0" => Some(false),
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The body, if it is a whole JSON object. What its content type says is not
/// asked: PHP calls everything HTML unless told otherwise.
fn object(answer: &Answer) -> Result<Map<String, Value>, String> {
    if let Some(flaw) = &answer.flaw {
        return Err(flaw.to_string());
    }
    let text = String::from_utf8_lossy(&answer.body);
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("JSON that is no object".to_owned()),
        Err(_) if text.trim().is_empty() => Err("an empty answer".to_owned()),
        Err(_) if is_html(answer, &text) => Err("an HTML page".to_owned()),
        Err(error) if error.is_eof() => Err("half a JSON".to_owned()),
        Err(_) => Err("an answer that is not JSON".to_owned()),
    }
}

fn is_html(answer: &Answer, text: &str) -> bool {
    let content_type = answer.header(CONTENT_TYPE).unwrap_or_default();
    content_type.trim_start().starts_with("text/html") || text.trim_start().starts_with('<')
}

fn error(said: &Map<String, Value>) -> Option<&str> {
    said.get("error")?.as_str()
}

fn is_rejection(said: &Map<String, Value>) -> bool {
    error(said).is_some_and(|words| words.trim_start().starts_with(INVALID))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{DATE, HeaderName, HeaderValue, RETRY_AFTER};
    use http::{NoAnswer, StatusCode};

    fn answer(status: u16, headers: &[(HeaderName, &str)], body: &str) -> Answer {
        let pair = |(name, value): &(HeaderName, &str)| {
            (name.clone(), HeaderValue::from_str(value).unwrap())
        };
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.iter().map(pair).collect(),
            body: body.into(),
            flaw: None,
        }
    }

    fn key() -> ApiKey {
        ApiKey::parse(&"s3cret/key".into()).unwrap()
    }

    type Reading = fn(Reader<'_>, &Answer) -> Result<(), HostError>;
    const ADD: Reading = |reader, answer| reader.add(answer);
    const REMOVE: Reading = |reader, answer| reader.remove(answer);
    const CHECK: Reading = |reader, answer| reader.check(answer);

    /// The outcome in one line: `ok`, or the variant with its words.
    fn outcome(read: Reading, answer: &Answer) -> String {
        let now = Time::from_millis(784_111_777_000);
        match read(Reader { key: &key(), now }, answer) {
            Ok(()) => "ok".to_owned(),
            Err(HostError::OutcomeUnknown { what }) => format!("unknown: {what}"),
            Err(HostError::KeyRefused { words }) => format!("key refused: {words}"),
            Err(HostError::Rejected { words }) => format!("rejected: {words}"),
            Err(HostError::Refused { words }) => format!("refused: {words}"),
            Err(HostError::RateLimited { retry_after }) => {
                format!("limited: {:?}", retry_after.as_ref().map(Duration::as_secs))
            }
            Err(HostError::Unreachable(_)) => "unreachable".to_owned(),
        }
    }

    #[test]
    #[rustfmt::skip] // One answer a line.
    fn an_addition_is_read_as_the_facts_say() {
        let table = [
            (200, r#"{"success":true}"#, "ok"),
            (200, r#"{"success":"true"}"#, "ok"),
            (200, r#"{"success":1}"#, "ok"),
            (200, r#"{"success":"1"}"#, "ok"),
            (201, r#" {"success":true,"error":null} "#, "ok"),
            (200, r#"{"success":true,"error":"Invalid or empty domain: x"}"#, "ok"),
            (200, r#"{"success":false,"error":"Invalid or empty domain: a.example"}"#, "rejected: Invalid or empty domain: a.example"),
            (200, r#"{"error":"Invalid or empty domain: a.example"}"#, "rejected: Invalid or empty domain: a.example"),
            (400, r#"{"success":false,"error":"Invalid or empty domain: x"}"#, "rejected: Invalid or empty domain: x"),
            (200, r#"{"success":false,"error":"Too many domains "}"#, "refused: Too many domains "),
            (200, r#"{"success":"false","error":"no"}"#, "refused: no"),
            (200, r#"{"success":0,"error":"no"}"#, "refused: no"),
            (422, r#"{"success":false,"error":"no"}"#, "refused: no"),
            (200, r#"{"success":false}"#, r#"refused: {"success":false}"#),
            (200, r#"{"error":"","success":false}"#, r#"refused: {"error":"","success":false}"#),
            (200, r#"{"success":false,"error":{"code":7}}"#, r#"refused: {"code":7}"#),
            (200, r#"{"success":false,"error":"key s3cret/key, s3cret%2Fkey"}"#, "refused: key [key], [key]"),
            (200, r#"{"key":"s3cret/key","success":false}"#, r#"refused: {"key":"[key]","success":false}"#),
            (200, r#"{"error":"no","success":null}"#, r#"unknown: an answer that we do not know: {"error":"no","success":null}"#),
            (200, r#"{"success":2}"#, r#"unknown: an answer that we do not know: {"success":2}"#),
            (200, "{}", "unknown: an answer that we do not know: {}"),
            (200, "[]", "unknown: JSON that is no object"),
            (200, "true", "unknown: JSON that is no object"),
            (200, "", "unknown: an empty answer"),
            (204, " \n", "unknown: an empty answer"),
            (200, r#"{"success":tr"#, "unknown: half a JSON"),
            (200, r#"{"succ"#, "unknown: half a JSON"),
            (200, "\n<!doctype html><p>Sign in", "unknown: an HTML page"),
            (200, "OK", "unknown: an answer that is not JSON"),
            (400, r#"{"success":true}"#, "unknown: HTTP 400"),
            (404, "<h1>Not Found</h1>", "unknown: HTTP 404"),
            (404, r#"{"message":"no route"}"#, "unknown: HTTP 404"),
            (409, "", "unknown: HTTP 409"),
            (500, r#"{"success":false,"error":"Invalid or empty domain: x"}"#, "unknown: HTTP 500"),
            (502, "<html>", "unknown: HTTP 502"),
            (503, "", "unknown: HTTP 503"),
            (599, r#"{"success":true}"#, "unknown: HTTP 599"),
            (304, "", "unknown: HTTP 304, which is not followed"),
            (401, "", "key refused: HTTP 401"),
            (403, "<html>", "key refused: HTTP 403"),
            (401, r#"{"success":false,"error":"Unknown key s3cret/key"}"#, "key refused: Unknown key [key]"),
            (401, r#"{"success":true,"error":" "}"#, "key refused: HTTP 401"),
            (429, r#"{"success":true}"#, "limited: None"),
        ];
        for (status, body, want) in table {
            assert_eq!(outcome(ADD, &answer(status, &[], body)), want, "HTTP {status} {body}");
        }
    }

    #[test]
    #[rustfmt::skip] // One answer a line.
    fn a_removal_is_never_rejected() {
        let table = [
            (200, r#"{"success":true}"#, "ok"),
            (200, r#"{"success":"1"}"#, "ok"),
            (200, r#"{"success":false,"error":"Invalid or empty domain: x"}"#, "refused: Invalid or empty domain: x"),
            (400, r#"{"success":false,"error":"not found"}"#, "refused: not found"),
            (200, r#"{"deleted":true}"#, r#"unknown: an answer that we do not know: {"deleted":true}"#),
            (200, r#"{"error":"Invalid or empty domain: x"}"#, r#"unknown: an answer that we do not know: {"error":"Invalid or empty domain: x"}"#),
            (200, "", "unknown: an empty answer"),
            (404, "", "unknown: HTTP 404"),
            (403, "", "key refused: HTTP 403"),
        ];
        for (status, body, want) in table {
            assert_eq!(outcome(REMOVE, &answer(status, &[], body)), want, "HTTP {status} {body}");
        }
    }

    #[test]
    #[rustfmt::skip] // One answer a line.
    fn only_the_known_refusal_proves_the_key() {
        let table = [
            (200, r#"{"success":false,"error":"Invalid or empty domain: "}"#, "ok"),
            (200, r#"{"success":false,"error":"Invalid or empty domain:"}"#, "ok"),
            (200, r#"{"error":" Invalid or empty domain: "}"#, "ok"),
            (400, r#"{"success":false,"error":"Invalid or empty domain: "}"#, "refused: Invalid or empty domain: "),
            (200, r#"{"success":false,"error":"Invalid or empty domain: x"}"#, "refused: Invalid or empty domain: x"),
            (200, r#"{"success":false,"error":"Invalid or empty domain"}"#, "refused: Invalid or empty domain"),
            (200, r#"{"success":false,"error":"Invalid API key."}"#, "refused: Invalid API key."),
            (200, r#"{"success":true}"#, r#"unknown: an answer that we do not know: {"success":true}"#),
            (200, "<html>", "unknown: an HTML page"),
            (401, "", "key refused: HTTP 401"),
            (500, r#"{"error":"Invalid or empty domain: "}"#, "unknown: HTTP 500"),
        ];
        for (status, body, want) in table {
            assert_eq!(outcome(CHECK, &answer(status, &[], body)), want, "HTTP {status} {body}");
        }
    }

    #[test]
    #[rustfmt::skip] // One answer a line.
    fn headers_say_how_long_to_wait_and_where_a_redirect_goes() {
        let in_a_minute = "Sun, 06 Nov 1994 08:50:37 GMT";
        let table = [
            (429, vec![(RETRY_AFTER, "7")], "limited: Some(7)"),
            (429, vec![(RETRY_AFTER, in_a_minute)], "limited: Some(60)"),
            (429, vec![(RETRY_AFTER, in_a_minute), (DATE, "Sun, 06 Nov 1994 08:50:07 GMT")], "limited: Some(30)"),
            (429, vec![(RETRY_AFTER, "later")], "limited: None"),
            (503, vec![(RETRY_AFTER, "120")], "limited: Some(120)"),
            (503, vec![(RETRY_AFTER, "later")], "unknown: HTTP 503"),
            (502, vec![(RETRY_AFTER, "120")], "unknown: HTTP 502"),
            (302, vec![(LOCATION, "https://login.example/?apikey=s3cret%2Fkey")], "unknown: a redirect to login.example, which is not followed"),
            (307, vec![(LOCATION, "/login")], "unknown: HTTP 307, which is not followed"),
            (200, vec![(CONTENT_TYPE, "text/html; charset=utf-8")], "unknown: an HTML page"),
        ];
        for (status, headers, want) in table {
            assert_eq!(outcome(ADD, &answer(status, &headers, "Sorry")), want, "{headers:?}");
        }
        let html = answer(200, &[(CONTENT_TYPE, "text/html")], r#"{"success":true}"#);
        assert_eq!(outcome(ADD, &html), "ok", "JSON under PHP's default content type");
    }

    #[test]
    fn a_status_that_speaks_for_itself_needs_no_whole_body() {
        let broken = |status| {
            let mut answer = answer(status, &[], r#"{"success":true}"#);
            answer.flaw = Some(NoAnswer::Broken("the connection was reset".to_owned()));
            outcome(ADD, &answer)
        };
        assert_eq!(broken(200), "unknown: the connection was reset");
        assert_eq!(broken(401), "key refused: HTTP 401");
        assert_eq!(broken(404), "unknown: HTTP 404");
        assert_eq!(broken(502), "unknown: HTTP 502");
    }

    #[test]
    fn nothing_that_comes_makes_it_panic() {
        let deep = format!("{}1", r#"{"error":["#.repeat(10_000));
        let bytes: Vec<u8> = (0..=255).cycle().take(4096).collect();
        for body in [deep.into_bytes(), bytes, br#"{"success":false,"error":"\ud800"}"#.to_vec()] {
            for status in [100, 200, 299, 300, 400, 418, 500, 999] {
                let mut answer = answer(status, &[], "");
                answer.body.clone_from(&body);
                assert!(outcome(ADD, &answer).starts_with("unknown: "));
            }
        }
    }
}
