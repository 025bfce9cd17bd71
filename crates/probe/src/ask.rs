//! The routing proof: asking WordPress for which mapping it answers at a name.
//!
//! One request over TLS that a browser would trust, to the address that the guard
//! judged; no redirect is followed. The question is never sent to anybody else, and
//! only the one answer that WordPress gives counts.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rules::DomainName;
use rules::plain::{plain, shortened};
use rules::probe::{ProofObservation, TlsObservation};
use tokio::time::timeout;

use crate::tls::{Connection, Tls};

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A longer head or body is not the answer.
const LONGEST: usize = 64 << 10;

/// So much of a foreign text is shown.
const SHOWN: usize = 200;

/// All but the unreserved characters (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Who we say we are.
const AGENT: &str = concat!("closte-sync/", env!("CARGO_PKG_VERSION"));

/// Ask at `address` for the proof of `name`.
pub(crate) async fn ask(
    tls: &Tls,
    name: &DomainName,
    address: IpAddr,
    question: &str,
) -> ProofObservation {
    let asked = async {
        let stream =
            tls.connect(name, address).await.map_err(|observation| untrusted(&observation))?;
        answer(stream, request(name, question)?).await
    };
    let answer = timeout(PATIENCE, asked).await;
    match answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs()))) {
        Ok(id) => ProofObservation::Answered(id),
        Err(detail) => ProofObservation::NoProof { detail },
    }
}

fn request(name: &DomainName, question: &str) -> Result<Request<Empty<Bytes>>, String> {
    let question = utf8_percent_encode(question, ESCAPED);
    Request::get(format!("/?async_check_dns_nonce={question}"))
        .header(HOST, name.as_str())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "application/json")
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| format!("`{name}` is not a name to ask for"))
}

/// Send the request, and read the id in its answer; else what there is instead.
async fn answer(stream: Connection, request: Request<Empty<Bytes>>) -> Result<u64, String> {
    let handshake = http1::Builder::new().max_buf_size(LONGEST).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| broken(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| broken(&error))?;
        id_in(&body(response).await?)
    };
    // The connection carries the exchange, and may end before its last bytes are read.
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, exchange)) => exchange.await,
    }
}

async fn body(response: Response<Incoming>) -> Result<Bytes, String> {
    if response.status() != StatusCode::OK {
        return Err(other_status(&response));
    }
    let body = Limited::new(response.into_body(), LONGEST).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() {
            format!("it answered with more than {} KiB", LONGEST >> 10)
        } else {
            "its answer broke off".to_owned()
        }
    })
}

fn other_status(response: &Response<Incoming>) -> String {
    let status = response.status().as_u16();
    let to = response.headers().get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()));
    // The query often repeats the question, which must not go to anybody else.
    let to = to.map(|to| to.split('?').next().unwrap_or_default().to_owned());
    match to.filter(|_| response.status().is_redirection()) {
        Some(to) => format!("it redirects to `{}` (status {status})", shown(&to)),
        None => format!("it answered with status {status}"),
    }
}

/// The text comes from the server that answered: little of it is shown.
fn shown(text: &str) -> String {
    shortened(&plain(text), SHOWN)
}

/// The `id` in a JSON object, as a number or as the text of one; ids begin at 1.
fn id_in(body: &[u8]) -> Result<u64, String> {
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Err("it answered with something else than JSON, such as a page".to_owned());
    };
    let id = json.get("id");
    let id = id.and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
    id.filter(|id| *id != 0).ok_or_else(|| "it answered with JSON that has no `id`".to_owned())
}

fn broken(error: &hyper::Error) -> String {
    if error.is_parse() {
        "it does not answer in HTTP".to_owned()
    } else {
        "it closed the connection without an answer".to_owned()
    }
}

/// Why it is not asked at all.
fn untrusted(observation: &TlsObservation) -> String {
    match observation {
        TlsObservation::Presented { .. } => "its certificate is not trusted".to_owned(),
        TlsObservation::NoCertificate { detail }
        | TlsObservation::NoAnswer { detail, .. }
        | TlsObservation::Forbidden { detail } => detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn an_id_is_a_number_or_its_text_in_an_object() {
        let table: [(&str, Option<u64>); 14] = [
            (r#"{"id":41,"domain":"shop.example"}"#,  Some(41)),
            (r#" {"id":"41"} "#,                      Some(41)),
            (r#"{"id":18446744073709551615}"#,        Some(u64::MAX)),
            (r#"{"id":0}"#,                           None),
            (r#"{"id":-1}"#,                          None),
            (r#"{"id":1.5}"#,                         None),
            (r#"{"id":"41 "}"#,                       None),
            (r#"{"id":null}"#,                        None),
            (r#"{"id":{"id":41}}"#,                   None),
            (r#"[{"id":41}]"#,                        None),
            ("false",                                 None),
            ("",                                      None),
            ("<!DOCTYPE html>",                       None),
            (r#"{"id":41}<!-- cached -->"#,           None),
        ];
        for (body, id) in table {
            assert_eq!(id_in(body.as_bytes()).ok(), id, "{body}");
        }
        assert!(id_in("[".repeat(100_000).as_bytes()).is_err(), "and no depth ends us");
    }

    #[test]
    fn a_question_cannot_leave_its_place() {
        let name = "shop.example".parse().unwrap();
        let request = request(&name, "09afAF-._~a b&c=d\r\n#ü").unwrap();
        let query = "async_check_dns_nonce=09afAF-._~a%20b%26c%3Dd%0D%0A%23%C3%BC";
        assert_eq!(request.uri().query(), Some(query));
    }
}
