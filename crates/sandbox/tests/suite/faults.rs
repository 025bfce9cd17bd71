//! Bad days of the host, seen from the client's end of a real connection.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::common::{PATIENCE, client, closte};
use reqwest::{Response, header};
use sandbox::closte::{Act, CallKind, Closte, Fault, RetryAfter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

async fn add(closte: &Closte, domain: &str) -> Result<Response, reqwest::Error> {
    let form = [("apikey", closte.key()), ("domain", domain), ("wildcard", "0")];
    client().post(format!("{}/adddomainalias", closte.api_url())).form(&form).send().await
}

/// Send a call by hand, and return what comes back until the connection ends, with how it ends.
async fn raw_add(closte: &Closte, domain: &str) -> (String, Result<(), ErrorKind>) {
    let address = closte.api_url().replace("http://", "").replace("/api/client", "");
    let body = format!("apikey={}&domain={domain}&wildcard=0", closte.key());
    let head = "POST /api/client/adddomainalias HTTP/1.1\r\nhost: closte.test\r\ncontent-type: application/x-www-form-urlencoded";
    let call = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut tcp = TcpStream::connect(address).await.unwrap();
    tcp.write_all(call.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.expect("the connection ends");
    (String::from_utf8(answer).unwrap(), end.map(drop).map_err(|error| error.kind()))
}

#[tokio::test]
async fn a_reset_is_a_reset_before_the_effect() {
    let closte = closte().await;
    closte.fault(Fault::new(Act::Reset));
    assert_eq!(raw_add(&closte, "a.test").await, (String::new(), Err(ErrorKind::ConnectionReset)));
    assert!(closte.aliases().is_empty());
}

#[tokio::test]
async fn a_reset_after_the_effect_leaves_the_alias() {
    let closte = closte().await;
    closte.fault(Fault::new(Act::Reset).after_effect());
    assert_eq!(raw_add(&closte, "a.test").await, (String::new(), Err(ErrorKind::ConnectionReset)));
    assert!(closte.aliases().contains("a.test"));
    assert!(closte.calls()[0].effect);
}

#[tokio::test]
async fn a_close_is_an_orderly_end_without_an_answer() {
    let closte = closte().await;
    closte.fault(Fault::new(Act::Close));
    assert_eq!(raw_add(&closte, "a.test").await, (String::new(), Ok(())));
}

#[tokio::test]
async fn a_cut_answer_ends_in_the_middle_of_its_body() {
    let closte = closte().await;
    closte.fault(Fault::new(Act::Cut));
    let (answer, end) = raw_add(&closte, "a.test").await;
    assert!(answer.contains("content-length: 16\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n{\"succes"), "{answer}");
    assert_eq!(end, Ok(()));
}

#[tokio::test]
async fn a_hanging_host_keeps_the_connection_open_until_it_stops() {
    let closte = closte().await;
    closte.fault(Fault::new(Act::Hang).after_effect());
    let call = raw_add(&closte, "a.test");
    tokio::pin!(call);
    tokio::select! {
        _ = &mut call => panic!("the host answered"),
        () = closte.called(1) => {}
    }
    assert!(closte.aliases().contains("a.test"));
    assert!(timeout(Duration::from_millis(200), &mut call).await.is_err(), "the host answered");
    closte.stop();
    assert_eq!(call.await.0, "");
}

#[tokio::test]
async fn statuses_come_with_their_headers_and_body() {
    let closte = closte().await;
    closte.fault(Fault::status(503).once());
    closte.fault(Fault::redirect("http://127.0.0.1:9/elsewhere").once());
    closte.fault(Fault::body(500, "<h1>Oops</h1>").once());
    closte.fault(Fault::new(Act::Html).once());
    closte.fault(Fault::new(Act::Empty).once());
    closte.fault(Fault::new(Act::HalfJson).once());

    let mut seen = Vec::new();
    for _ in 0..7 {
        let response = add(&closte, "a.test").await.unwrap();
        let location = response
            .headers()
            .get(header::LOCATION)
            .map(|value| value.to_str().unwrap().to_owned());
        seen.push((response.status().as_u16(), location, response.text().await.unwrap()));
    }
    let expected = [
        (503, None, ""),
        (302, Some("http://127.0.0.1:9/elsewhere".to_owned()), ""),
        (500, None, "<h1>Oops</h1>"),
        (200, None, "<!doctype html><title>Closte</title><h1>We will be back</h1>"),
        (200, None, ""),
        (200, None, "{\"succes"),
        (200, None, "{\"success\":true}"),
    ];
    assert_eq!(seen, expected.map(|(status, location, body)| (status, location, body.to_owned())));
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_back() {
    let closte = closte().await;
    closte.fault(Fault::rate_limited(None).once());
    closte.fault(Fault::rate_limited(Some(RetryAfter::Seconds(7))).once());
    closte.fault(Fault::rate_limited(Some(RetryAfter::DateIn(60))).once());
    let mut seen = Vec::new();
    for _ in 0..3 {
        let response = add(&closte, "a.test").await.unwrap();
        assert_eq!(response.status(), 429);
        seen.push(
            response
                .headers()
                .get(header::RETRY_AFTER)
                .map(|value| value.to_str().unwrap().to_owned()),
        );
    }
    assert_eq!(seen[0], None);
    assert_eq!(seen[1].as_deref(), Some("7"));
    assert!(httpdate::parse_http_date(seen[2].as_deref().unwrap()).is_ok(), "{:?}", seen[2]);
}

#[tokio::test]
async fn a_fault_hits_only_the_call_and_the_domain_that_it_names() {
    let closte = closte().await;
    closte.fault(Fault::status(500).on(CallKind::Add).domain("bad.test"));
    assert_eq!(add(&closte, "good.test").await.unwrap().status(), 200);
    assert_eq!(add(&closte, "bad.test").await.unwrap().status(), 500);
    assert_eq!(add(&closte, "bad.test").await.unwrap().status(), 500);
    closte.heal();
    assert_eq!(add(&closte, "bad.test").await.unwrap().status(), 200);
}

#[tokio::test]
async fn latency_delays_the_answer_and_not_the_effect() {
    let closte = closte().await;
    let delay = Duration::from_millis(150);
    closte.behave(|behaviour| behaviour.latency = delay);
    let start = Instant::now();
    assert_eq!(add(&closte, "a.test").await.unwrap().status(), 200);
    assert!(start.elapsed() >= delay);

    closte.behave(|behaviour| behaviour.latency = Duration::ZERO);
    closte.fault(Fault::slow(PATIENCE));
    tokio::select! {
        _ = add(&closte, "b.test") => panic!("the host answered at once"),
        () = closte.called(2) => assert!(closte.aliases().contains("b.test")),
    }
}

#[tokio::test]
async fn a_killed_host_resets_connections_until_it_is_revived() {
    let closte = closte().await;
    closte.kill();
    assert!(add(&closte, "a.test").await.is_err());
    assert!(closte.calls().is_empty());
    closte.revive();
    assert_eq!(add(&closte, "a.test").await.unwrap().status(), 200);
}

#[tokio::test]
async fn one_connection_serves_many_calls() {
    let closte = closte().await;
    let address = closte.api_url().replace("http://", "").replace("/api/client", "");
    let mut tcp = TcpStream::connect(address).await.unwrap();
    for _ in 0..3 {
        let call = format!(
            "GET /api/client/getdomains?apikey={} HTTP/1.1\r\nhost: closte.test\r\n\r\n",
            closte.key()
        );
        tcp.write_all(call.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(br#"{"success":true,"domains":[]}"#) {
            assert!(
                timeout(PATIENCE, tcp.read_buf(&mut answer)).await.expect("an answer").unwrap() > 0
            );
        }
    }
    assert_eq!(closte.calls_of(CallKind::List).len(), 3);
}
