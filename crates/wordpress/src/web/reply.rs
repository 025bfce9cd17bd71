//! An answer of WordPress' REST API, whoever asked for it.
//!
//! A failure of WordPress is JSON with a `code` and a `message`; anything else comes from what
//! stands before it.

use http::Answer;
use http::header::{DATE, LOCATION};
use rules::Time;
use rules::plain::words;
use serde_json::Value;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// What it says of a failure; none of an answer that has no such words.
    pub(crate) fault: Option<Fault>,
    answer: Answer,
}

/// WordPress' own words for a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: String,
    /// Fit to be shown.
    pub(crate) message: String,
}

impl Reply {
    pub(crate) fn new(answer: Answer) -> Self {
        let fault = if answer.status.is_success() { None } else { fault(&answer.body) };
        Self { status: answer.status.as_u16(), fault, answer }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.answer.status.is_success()
    }

    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.answer.body).ok()
    }

    /// The server's clock.
    pub(crate) fn time(&self) -> Option<Time> {
        let date = self.header(DATE.as_str())?;
        let date = jiff::fmt::rfc2822::parse(date).ok()?;
        Some(Time::from_millis(date.timestamp().as_millisecond()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    /// What came, for people.
    pub(crate) fn in_words(&self) -> String {
        let status = self.status;
        match (&self.fault, self.header(LOCATION.as_str())) {
            (Some(Fault { code, message }), _) => format!("HTTP {status}, `{code}`: {message}"),
            (None, Some(to)) if (300..400).contains(&status) => {
                format!("HTTP {status}, a redirect to `{}`, which is not followed", words(to))
            }
            _ if self.is_success() => format!("HTTP {status}, and not what was asked for"),
            _ => format!("HTTP {status}"),
        }
    }
}

/// The `code` and `message` of a failure.
fn fault(body: &[u8]) -> Option<Fault> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let text = |key| json.get(key).and_then(Value::as_str);
    let code = words(text("code")?);
    Some(Fault { code, message: words(text("message").unwrap_or_default().trim()) })
}

/// The whole number that a value is or spells.
pub(crate) fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use http::header::HeaderValue;

    fn reply(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Reply {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let (status, headers) = (StatusCode::from_u16(status).unwrap(), headers.collect());
        Reply::new(Answer { status, headers, body: body.into(), flaw: None })
    }

    #[test]
    fn a_failure_is_reported_in_its_own_words_where_it_has_some() {
        let fault = r#"{"code":"a_code","message":"<b>No</b>\nway","data":{"status":500}}"#;
        let to = [("location", "https://elsewhere.example/")];
        for (reply, words) in [
            (reply(500, &[], fault), "HTTP 500, `a_code`: <b>No</b>\\nway"),
            (reply(502, &[], "<html>"), "HTTP 502"),
            (reply(500, &[], r#"{"code":7}"#), "HTTP 500"),
            (reply(200, &[], fault), "HTTP 200, and not what was asked for"),
            (
                reply(301, &to, ""),
                "HTTP 301, a redirect to `https://elsewhere.example/`, which is not followed",
            ),
        ] {
            assert_eq!(reply.in_words(), words);
        }
    }

    #[test]
    fn the_servers_clock_is_read() {
        let date = [("date", "Mon, 16 Nov 2026 08:26:40 GMT")];
        let time = Time::from_millis(1_794_817_600_000);
        assert_eq!(reply(200, &date, "").time(), Some(time));
        assert_eq!(reply(200, &[("date", "yesterday")], "").time(), None);
        assert_eq!(reply(200, &[], "").time(), None);
    }
}
