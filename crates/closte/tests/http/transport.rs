//! The bytes on the wire, the connections they take, and what no answer means.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::{Duration, Instant};

use closte::{Settings, Timeouts};
use rules::host::{AliasHost, HostError};

use crate::wire::Wire;
use crate::{name, open, outcome, port_of_nobody, printed, settings};

const YES: &str = r#"{"success":true,"domains":[]}"#;

#[tokio::test]
async fn the_bytes_are_those_of_the_facts() {
    let wire = Wire::json(YES).await;
    let host = open(settings(&wire.url(), "k+3/y\n"));
    host.add_alias(&name("*.bücher.example")).await.unwrap();
    host.aliases().await.unwrap();

    let version = env!("CARGO_PKG_VERSION");
    let port = wire.port();
    let [add, list] = wire.requests().try_into().unwrap();
    let want = format!(
        "POST /api/client/adddomainalias HTTP/1.1\r\n\
         content-type: application/x-www-form-urlencoded\r\n\
         accept: */*\r\n\
         user-agent: closte-sync/{version}\r\n\
         host: 127.0.0.1:{port}\r\n\
         content-length: 60\r\n\r\n\
         apikey=k%2B3%2Fy&domain=%2A.xn--bcher-kva.example&wildcard=1"
    );
    assert_eq!(add, want);
    let want = format!(
        "GET /api/client/getdomains?apikey=k%2B3%2Fy HTTP/1.1\r\n\
         accept: */*\r\n\
         user-agent: closte-sync/{version}\r\n\
         host: 127.0.0.1:{port}\r\n\r\n"
    );
    assert_eq!(list, want);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_calls_share_a_few_connections() {
    let wire = Wire::json(YES).await;
    let concurrency = NonZeroU16::new(4).unwrap();
    let host = open(Settings { concurrency, ..settings(&wire.url(), "key") });
    let host = Arc::new(host);
    let calls: Vec<_> = (0..1000)
        .map(|number| {
            let host = Arc::clone(&host);
            tokio::spawn(async move {
                let _turn = host.turn().await;
                host.add_alias(&name(&format!("s{number}.example"))).await
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(wire.requests().len(), 1000);
    // A call may start in the moment before a connection is free again, so the
    // client opens a spare now and then; one for each is the most it can need.
    assert!(wire.connections() <= 2 * 4, "{} connections", wire.connections());
}

#[tokio::test]
async fn a_connection_that_the_host_closed_is_not_used_again() {
    let wire = Wire::that_closes_after(1, YES).await;
    let host = open(settings(&wire.url(), "key"));
    for number in 1..=3 {
        host.add_alias(&name("a.example")).await.unwrap();
        wire.client_closed().await;
        assert_eq!((wire.connections(), wire.requests().len()), (number, number));
    }
}

#[tokio::test]
async fn where_no_connection_was_made_nothing_happened() {
    let unreachable = "could not reach the host's API / because: ";
    let host = open(settings(&format!("http://127.0.0.1:{}", port_of_nobody()), "key"));
    let refused = format!("{unreachable}tcp connect error: Connection refused (os error 111)");
    assert_eq!(outcome(host.add_alias(&name("a.example")).await), refused);

    // What is said then depends on the resolver.
    let host = open(settings("https://closte.invalid", "key"));
    let unknown_name = outcome(host.aliases().await);
    assert!(unknown_name.starts_with(unreachable), "{unknown_name}");
}

#[tokio::test]
async fn where_tls_fails_the_key_was_not_sent() {
    // A greeting of TLS is no request, so the one waits for more; the other closes at once.
    let waits = Wire::json(YES).await;
    let closes = Wire::that_closes_after(0, YES).await;
    for (wire, patience) in [(waits, 100), (closes, 5_000)] {
        let url = format!("https://127.0.0.1:{}", wire.port());
        let connect = Duration::from_millis(patience);
        let timeouts = Timeouts { connect, ..Timeouts::default() };
        let host = open(Settings { timeouts, ..settings(&url, "key") });
        let error = host.add_alias(&name("a.example")).await.unwrap_err();
        assert!(matches!(error, HostError::Unreachable(_)), "{error:?}");
        assert_eq!(printed(&error).contains("no connection within 100 ms"), patience == 100);
        assert!(wire.requests().is_empty());
    }
}

#[tokio::test]
async fn a_redirect_does_not_take_the_key_along() {
    let elsewhere = Wire::json(YES).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let location = format!("location: {}", elsewhere.url());
        let wire = Wire::head(status, &location, "").await;
        let host = open(settings(&wire.url(), "key"));
        let unclear =
            "the host's API gave no clear answer: a redirect to 127.0.0.1, which is not followed";
        assert_eq!(outcome(host.add_alias(&name("a.example")).await), unclear);
        assert_eq!(outcome(host.aliases().await), unclear);
        assert_eq!(outcome(host.check_key().await), unclear);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let more = |size: usize| format!(r#"{{"success":true,"domains":["{}"]}}"#, "x".repeat(size));

    let wire = Wire::json(&more(64 << 10)).await;
    let host = open(settings(&wire.url(), "key"));
    let unclear = "the host's API gave no clear answer: an answer of more than 64 KiB";
    assert_eq!(outcome(host.add_alias(&name("a.example")).await), unclear);
    assert_eq!(outcome(host.aliases().await), "done", "a list may be longer");
}

#[tokio::test]
async fn a_list_may_take_its_time_as_long_as_it_comes() {
    let millis = Duration::from_millis;
    let table = [
        // what it shows        pieces, a gap after each    silence, in all
        ("it comes slowly", 5, millis(100), millis(400), 10_000, "done"),
        ("it stops half way", 1, millis(5_000), millis(200), 10_000, "no answer within 200 ms"),
        ("it never ends", 90, millis(50), millis(400), 600, "no answer within 600 ms"),
    ];
    for (shows, pieces, gap, silence, all, want) in table {
        let wire = Wire::slow(r#"{"success":true,"domains":["a.example""#, pieces, gap, "]}").await;
        let timeouts = Timeouts { read: silence, list: millis(all), ..Timeouts::default() };
        let host = open(Settings { timeouts, ..settings(&wire.url(), "key") });
        let outcome = outcome(host.aliases().await);
        assert!(outcome.ends_with(want), "{shows}: {outcome}");
    }
}

#[tokio::test]
async fn reading_and_writing_take_turns() {
    let wire = Wire::json(YES).await;
    let host = open(Settings { requests_per_second: 50, ..settings(&wire.url(), "key") });
    let began = Instant::now();
    drop(host.turn().await);
    drop(host.turn().await);
    host.aliases().await.unwrap();
    host.check_key().await.unwrap_err();
    host.report().await;
    assert!(Duration::from_millis(5 * 20) <= began.elapsed(), "six calls, five gaps");
}

#[tokio::test]
async fn waiting_for_a_turn_is_no_part_of_the_timeout() {
    let wire = Wire::json(YES).await;
    let timeouts = Timeouts { write: Duration::from_millis(900), ..Timeouts::default() };
    let host = settings(&wire.url(), "key");
    let host = open(Settings { requests_per_second: 1, timeouts, ..host });
    let began = Instant::now();
    for _ in 0..2 {
        let _turn = host.turn().await;
        host.add_alias(&name("a.example")).await.unwrap();
    }
    assert!(timeouts.write < began.elapsed());
}
