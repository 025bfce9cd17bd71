//! What a stranger is shown, and the front page.

use std::sync::Arc;
use std::time::Duration;

use rules::evidence::FrontPage;
use rules::probe::{TlsObservation, TlsVerdict, Unreached};
use sandbox::Certificate;
use sandbox::dns::a;
use sandbox::web::Web;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::world::{ALSO_HERE, HERE, LABEL, Server, World, answers, closed, moved, ok};

#[tokio::test]
async fn a_stranger_is_shown_what_the_server_has_for_nobody() {
    let web = Web::start(sandbox::web::Settings::default()).await.expect("free ports");
    let mut world = World::with_http(|_| ok()).await;
    world.settings.https_port = web.https_port();
    web.set("*.shop.test", Certificate::valid());
    let deep = world.investigated("shop.test").await;
    let TlsObservation::Presented { certificate, .. } = &deep.stranger[&HERE] else {
        panic!("{deep:?}")
    };
    assert_eq!(certificate.names, ["default.closte.test"]);
    let names: Vec<_> = web.visits().into_iter().filter_map(|visit| visit.name).collect();
    assert!(names.contains(&format!("{LABEL}.invalid")), "{names:?}");

    web.otherwise(Certificate::None);
    let deep = world.investigated("shop.test").await;
    assert!(matches!(deep.stranger[&HERE], TlsObservation::NoCertificate { .. }), "{deep:?}");
}

#[tokio::test]
async fn a_front_page_is_told_by_its_head() {
    let to_sign_up = "https://main.test/wp-signup.php?new=shop.test";
    let https = Server::https(&["shop.test"], |_| {
        answers(
            "302 Found",
            "location: https://main.test/wp-signup.php?new=shop.test\r\ndate: Thu, 01 Jan 1970 00:00:07 GMT\r\n",
        )
    });
    let world = World::new(Server::http(|_| ok()).await, https.await).await;
    let deep = world.investigated("shop.test").await;
    let date = Some(rules::Time::default() + Duration::from_secs(7));
    let want = FrontPage { status: 302, location: Some(to_sign_up.to_owned()), date };
    assert_eq!(deep.front[&HERE], want);
    let asked = world.https.asked();
    assert_eq!(asked.len(), 1, "no redirect is followed");
    assert_eq!(asked[0].url(), "shop.test/");

    let plain = World::with_http(|_| ok()).await;
    let deep = plain.investigated("shop.test").await;
    assert_eq!(deep.front[&HERE], FrontPage { status: 200, location: None, date: None });

    let strange = Server::https(&["shop.test"], |_| moved("/\u{9b}2J")).await;
    let world = World::new(Server::http(|_| ok()).await, strange).await;
    let deep = world.investigated("shop.test").await;
    assert_eq!(deep.front[&HERE].location.as_deref(), Some(r"/\u009b2J"));
}

#[tokio::test]
async fn whoever_a_browser_would_not_trust_is_asked_for_no_page() {
    let https = Server::https(&["other.test"], |_| ok()).await;
    let world = World::new(Server::http(|_| ok()).await, https).await;
    let deep = world.investigated("shop.test").await;
    assert!(deep.front.is_empty());
    assert!(world.https.asked().is_empty());
    assert!(matches!(
        deep.stranger[&HERE],
        TlsObservation::Presented { verdict: TlsVerdict::OtherName, .. }
    ));
}

#[tokio::test]
async fn nobody_at_port_443_is_no_page_and_how_a_stranger_failed() {
    let mut world = World::with_http(|_| ok()).await;
    let (_kept, port) = closed();
    world.settings.https_port = port;
    let deep = world.investigated("shop.test").await;
    assert!(deep.front.is_empty());
    let detail = "connection refused".to_owned();
    let refused = TlsObservation::NoAnswer { how: Unreached::Refused, detail };
    assert_eq!(deep.stranger[&HERE], refused);
}

/// A server that ends each connection once this many have come.
async fn once_all_came(barrier: &Arc<Barrier>) -> u16 {
    let listener = TcpListener::bind(("0.0.0.0", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let barrier = Arc::clone(barrier);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let barrier = Arc::clone(&barrier);
            tokio::spawn(async move {
                barrier.wait().await;
                drop(stream);
            });
        }
    });
    port
}

#[tokio::test]
async fn everything_is_asked_at_once() {
    // At each of two addresses: port 80, a stranger's handshake, the front page.
    let barrier = Arc::new(Barrier::new(6));
    let mut world = World::with_http(|_| ok()).await;
    world.settings.http_port = once_all_came(&barrier).await;
    world.settings.https_port = once_all_came(&barrier).await;
    let world = world.name_is_at("shop.test", ["127.0.0.1", "127.0.0.2"].map(a));
    let deep = world.targets([HERE, ALSO_HERE]).investigated("shop.test").await;
    for stranger in deep.stranger.values() {
        let silent = TlsObservation::NoAnswer {
            how: Unreached::Silent,
            detail: "no handshake within 5 s".to_owned(),
        };
        assert_ne!(*stranger, silent, "who waits for its turn keeps all waiting");
    }
    assert_eq!(deep.stranger.len(), 2);
}
