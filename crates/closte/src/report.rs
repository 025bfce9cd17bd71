//! A call and its raw answer, as text that a person can send in.
//!
//! It shows what the host really says, so that what nobody has published gets
//! known; the key is in it nowhere.

use std::fmt::Write;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, LOCATION, RETRY_AFTER, SERVER};
use http::{Answer, BaseUrl};
use rules::host::HostError;
use rules::plain::plain_lines;

use crate::api_key::ApiKey;
use crate::call::Call;

/// As much of a body as is shown.
const MOST_SHOWN: usize = 4 << 10;

/// The headers that tell something; cookies and the like stay with us.
const HEADERS: [HeaderName; 6] =
    [DATE, SERVER, CONTENT_TYPE, CONTENT_LENGTH, RETRY_AFTER, LOCATION];

/// One call with what came of it.
pub(crate) fn section(
    call: Call<'_>,
    base: &BaseUrl,
    key: &ApiKey,
    answer: &Result<Answer, HostError>,
) -> String {
    let sent = match call.form(key) {
        Some(form) => format!("{} {base}/{} with {form}", call.method(), call.name()),
        None => format!("{} {}", call.method(), call.url(base, key)),
    };
    let came = match answer {
        Ok(answer) => received(answer, key),
        Err(HostError::Unreachable(why)) => format!("no connection: {why}\n"),
        Err(error) => format!("{error}\n"),
    };
    format!("{}\n{came}\n", key.redact(&sent))
}

fn received(answer: &Answer, key: &ApiKey) -> String {
    let mut text = format!("HTTP {}\n", answer.status.as_u16());
    for name in HEADERS {
        if let Some(value) = answer.header(&name) {
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "{name}: {}", key.clean(value));
        }
    }
    let body = body(answer, key);
    let _ = writeln!(text, "\n{body}");
    if let Some(flaw) = &answer.flaw {
        let _ = writeln!(text, "({flaw})");
    }
    text
}

/// The beginning of the body, with its lines.
fn body(answer: &Answer, key: &ApiKey) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    let text = match answer.flaw {
        Some(_) => key.redact_cut(&text),
        None => key.redact(&text),
    };
    let end = text.floor_char_boundary(MOST_SHOWN);
    let shown = plain_lines(&text[..end]);
    if end < text.len() {
        format!("{shown}\n(and {} more bytes)", text.len() - end)
    } else {
        shown.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
    use http::{NoAnswer, StatusCode};

    fn key() -> ApiKey {
        ApiKey::parse(&"s3cret/key".into()).unwrap()
    }

    fn closte() -> BaseUrl {
        "https://app.closte.com/api/client".parse().unwrap()
    }

    fn answered(body: &str, flaw: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(LOCATION, HeaderValue::from_static("/?apikey=s3cret%2fkey"));
        headers.insert(SET_COOKIE, HeaderValue::from_static("session=1"));
        let flaw = flaw.map(|why| NoAnswer::Broken(why.to_owned()));
        Answer { status: StatusCode::OK, headers, body: body.into(), flaw }
    }

    #[test]
    fn a_report_shows_the_answer_and_hides_the_key() {
        let body = "{\"success\":true,\n\"you\":\"s3cret\\/key\",\"domains\":[\"a.example\x1b\"]}";
        let report = section(Call::List, &closte(), &key(), &Ok(answered(body, None)));
        let want = "\
GET https://app.closte.com/api/client/getdomains?apikey=[key]
HTTP 200
content-type: application/json
location: /?apikey=[key]

{\"success\":true,
\"you\":\"[key]\",\"domains\":[\"a.example\\u001b\"]}

";
        assert_eq!(report, want);
    }

    #[test]
    fn no_answer_is_reported_too() {
        let error = Err(HostError::Unreachable("tcp connect error".into()));
        let report = section(Call::Check, &closte(), &key(), &error);
        let want = "POST https://app.closte.com/api/client/adddomainalias with apikey=[key]\n\
                    no connection: tcp connect error\n\n";
        assert_eq!(report, want);
    }

    #[test]
    fn a_long_body_is_cut_and_half_a_key_never_shown() {
        let long = "s3cret/key ".repeat(3_000);
        let report = section(Call::List, &closte(), &key(), &Ok(answered(&long, None)));
        assert!(report.len() < 5_000 && !report.contains("s3c"));
        assert!(report.contains("(and 13904 more bytes)"), "{report}");

        let broken = Ok(answered("body then s3cret/k", Some("the connection was reset")));
        let report = section(Call::List, &closte(), &key(), &broken);
        assert!(report.contains("(the connection was reset)") && !report.contains("s3c"));
    }
}
