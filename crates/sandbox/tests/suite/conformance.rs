//! The stand-in for the host against what is known of the real one, over raw HTTP.

use crate::common::{client, closte};
use reqwest::StatusCode;
use sandbox::closte::{AlreadySo, CallKind, Closte, Element, KeySeen, List, SuccessForm, WrongKey};

const KEY: &str = "sandbox-key";

/// POST a raw form and return the status and the body.
async fn post(closte: &Closte, call: &str, form: &str) -> (StatusCode, String) {
    let url = format!("{}/{call}", closte.api_url());
    let request = client()
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form.to_owned());
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

async fn add(closte: &Closte, domain: &str, wildcard: &str) -> String {
    let (status, body) = post(
        closte,
        "adddomainalias",
        &format!("apikey={KEY}&domain={domain}&wildcard={wildcard}"),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn delete(closte: &Closte, domain: &str, wildcard: &str) -> String {
    let (status, body) = post(
        closte,
        "deletedomainalias",
        &format!("apikey={KEY}&domain={domain}&wildcard={wildcard}"),
    )
    .await;
    assert_eq!(status, 200, "{body}");
    body
}

async fn read(closte: &Closte, call: &str, key: &str) -> (StatusCode, String) {
    let response =
        client().get(format!("{}/{call}?apikey={key}", closte.api_url())).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_valid_key_alone_is_the_connection_test() {
    let closte = closte().await;
    let (status, body) = post(&closte, "adddomainalias", &format!("apikey={KEY}")).await;
    assert_eq!(
        (status.as_u16(), body.as_str()),
        (200, r#"{"success":false,"error":"Invalid or empty domain: "}"#)
    );
}

#[tokio::test]
async fn a_name_is_added_and_removed() {
    let closte = closte().await;
    assert_eq!(add(&closte, "Shop.example.test", "0").await, r#"{"success":true}"#);
    assert_eq!(add(&closte, "%2A.example.test", "1").await, r#"{"success":true}"#);
    assert_eq!(
        closte.aliases().into_iter().collect::<Vec<_>>(),
        ["*.example.test", "shop.example.test"]
    );

    assert_eq!(delete(&closte, "%2A.example.test", "1").await, r#"{"success":true}"#);
    assert_eq!(closte.aliases().into_iter().collect::<Vec<_>>(), ["shop.example.test"]);
}

#[tokio::test]
async fn refused_names_are_named_in_the_error() {
    let closte = closte().await;
    closte.behave(|behaviour| behaviour.refused = ["refused.test".to_owned()].into());
    for name in [
        "refused.test",
        "site.closte.com",
        "closte.com",
        "nodots",
        "a..test",
        "192.0.2.1",
        "b\u{fc}cher.test",
    ] {
        let expected = format!(r#"{{"success":false,"error":"Invalid or empty domain: {name}"}}"#);
        assert_eq!(add(&closte, name, "0").await, expected);
    }
    assert!(closte.aliases().is_empty());
}

#[tokio::test]
async fn the_wildcard_flag_must_fit_the_name() {
    let closte = closte().await;
    for (name, flag) in [("%2A.example.test", "0"), ("example.test", "1"), ("%2A.example.test", "")]
    {
        assert!(add(&closte, name, flag).await.contains(r#""success":false"#), "{name} {flag}");
    }
    assert!(closte.aliases().is_empty());
}

#[tokio::test]
async fn a_fulfilled_request_is_answered_as_chosen() {
    let closte = closte().await;
    closte.insert_alias("there.test");
    assert!(add(&closte, "there.test", "0").await.contains(r#""success":false"#));
    assert!(delete(&closte, "gone.test", "0").await.contains(r#""success":false"#));

    closte.behave(|behaviour| {
        behaviour.existing = AlreadySo::Success;
        behaviour.absent = AlreadySo::Error("Not here.".to_owned());
    });
    assert_eq!(add(&closte, "there.test", "0").await, r#"{"success":true}"#);
    assert_eq!(delete(&closte, "gone.test", "0").await, r#"{"success":false,"error":"Not here."}"#);
}

#[tokio::test]
async fn success_comes_in_every_form_that_clients_accept() {
    let closte = closte().await;
    for (form, expected) in [
        (SuccessForm::True, r#"{"success":true}"#),
        (SuccessForm::Text, r#"{"success":"true"}"#),
        (SuccessForm::One, r#"{"success":1}"#),
    ] {
        closte.behave(|behaviour| behaviour.success = form);
        assert_eq!(add(&closte, "a.test", "0").await, expected);
        closte.drop_alias("a.test");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_as_chosen_and_changes_nothing() {
    let closte = closte().await;
    for (how, status) in [
        (WrongKey::Unauthorized, 401),
        (WrongKey::Forbidden, 403),
        (WrongKey::Error("No such key.".to_owned()), 200),
    ] {
        closte.behave(|behaviour| behaviour.wrong_key = how);
        let (found, body) =
            post(&closte, "adddomainalias", "apikey=guess&domain=a.test&wildcard=0").await;
        assert_eq!(found, status);
        assert!(body.contains(r#""success":false"#), "{body}");
        assert_eq!(read(&closte, "getdomains", "guess").await.0, status);
    }
    assert!(closte.aliases().is_empty());
    assert!(closte.calls().iter().all(|call| call.key == KeySeen::Wrong && !call.effect));
}

#[tokio::test]
async fn the_list_comes_in_every_shape_that_clients_accept() {
    let closte = closte().await;
    closte.insert_alias("a.test");
    for (element, expected) in [
        (Element::Text, r#"{"success":true,"domains":["a.test"]}"#),
        (Element::Domain, r#"{"success":true,"domains":[{"domain":"a.test"}]}"#),
        (Element::Name, r#"{"success":true,"domains":[{"name":"a.test"}]}"#),
        (Element::Hostname, r#"{"success":true,"domains":[{"hostname":"a.test"}]}"#),
        (Element::Host, r#"{"success":true,"domains":[{"host":"a.test"}]}"#),
    ] {
        closte.behave(|behaviour| behaviour.element = element);
        assert_eq!(read(&closte, "getdomains", KEY).await, (StatusCode::OK, expected.to_owned()));
    }
}

#[tokio::test]
async fn the_list_hides_what_it_is_reported_to_hide() {
    let closte = closte().await;
    closte.insert_alias("a.test");
    closte.insert_alias("b.test");
    let shows = async |list| {
        closte.behave(|behaviour| behaviour.list = list);
        read(&closte, "getdomains", KEY).await
    };
    let ok = |body: &str| (StatusCode::OK, body.to_owned());
    assert_eq!(
        shows(List::Complete).await,
        ok(r#"{"success":true,"domains":["a.test","b.test"]}"#)
    );
    assert_eq!(
        shows(List::Hides(["a.test".to_owned()].into())).await,
        ok(r#"{"success":true,"domains":["b.test"]}"#)
    );
    assert_eq!(shows(List::Empty).await, ok(r#"{"success":true,"domains":[]}"#));
    assert_eq!(shows(List::Forbidden).await.0, 403);
}

#[tokio::test]
async fn the_page_for_people_is_html() {
    let closte = closte().await;
    let (status, body) = read(&closte, "domainsiframe", KEY).await;
    assert_eq!(status, 200);
    assert!(body.starts_with("<!doctype html>"), "{body}");
}

#[tokio::test]
async fn guessed_calls_are_not_found_and_are_logged_as_such() {
    let closte = closte().await;
    let (status, _) = post(&closte, "ssl/install", &format!("apikey={KEY}&domain=a.test")).await;
    assert_eq!(status, 404);
    assert_eq!(closte.calls_of(CallKind::Other)[0].path, "/api/client/ssl/install");
}

#[tokio::test]
async fn a_form_of_another_type_is_no_form() {
    let closte = closte().await;
    let url = format!("{}/adddomainalias", closte.api_url());
    let request =
        client().post(url).header("content-type", "application/json").body(format!("apikey={KEY}"));
    assert_eq!(request.send().await.unwrap().status(), 401);
    assert_eq!(closte.calls()[0].key, KeySeen::Missing);
    assert_eq!(closte.calls()[0].body, "[18 octets that are no form]");
}

#[tokio::test]
async fn the_log_has_the_wire_byte_for_byte_without_the_key() {
    let closte = closte().await;
    add(&closte, "%2A.example.test", "1").await;
    read(&closte, "getdomains", KEY).await;

    let calls = closte.calls();
    let [added, listed] = calls.as_slice() else { panic!("two calls, not {}", calls.len()) };
    assert_eq!(added.body, "apikey=[key]&domain=%2A.example.test&wildcard=1");
    assert_eq!(
        (added.domain.as_deref(), added.wildcard.as_deref()),
        (Some("*.example.test"), Some("1"))
    );
    assert_eq!(added.content_type.as_deref(), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        (added.kind, added.key, added.status, added.effect),
        (CallKind::Add, KeySeen::Right, 200, true)
    );
    assert_eq!(
        (listed.kind, listed.query.as_str(), listed.effect),
        (CallKind::List, "apikey=[key]", false)
    );
    assert!(!format!("{closte:?}").contains(KEY));
    assert!(!format!("{:?}", sandbox::Settings::default()).contains(KEY));
}
