//! What the host answers, played by the sandbox, and what the client makes of it.

use std::time::Duration;

use closte::{HttpHost, Timeouts};
use rules::host::{AliasHost, HostError};
use sandbox::closte::{
    Act, AlreadySo, Behaviour, CallKind, Closte, Element, Fault, RetryAfter, Settings, SuccessForm,
    WrongKey,
};
use testkit::alias_host::alias_host_contract;

use crate::{name, open, outcome, settings};

async fn start() -> (Closte, HttpHost) {
    let sandbox = Closte::start(Settings::default()).await.unwrap();
    let host = open(settings(&sandbox.api_url(), sandbox.key()));
    (sandbox, host)
}

#[tokio::test]
async fn it_keeps_the_contract_whatever_the_host_says_of_repetitions() {
    for already in [AlreadySo::Success, AlreadySo::Error("So it is already.".to_owned())] {
        let (sandbox, host) = start().await;
        sandbox.behave(|behaviour| {
            behaviour.existing = already.clone();
            behaviour.absent = already;
        });
        alias_host_contract(&host, |domain| sandbox.aliases().contains(domain.as_str())).await;
    }
}

#[tokio::test]
async fn the_calls_arrive_as_working_clients_make_them() {
    let (sandbox, host) = start().await;
    host.check_key().await.unwrap();
    host.add_alias(&name("*.shop.example")).await.unwrap();
    host.remove_alias(&name("*.shop.example")).await.unwrap();
    host.aliases().await.unwrap();

    let calls = sandbox.calls();
    let calls: Vec<_> = calls
        .iter()
        .map(|call| {
            (call.method.as_str(), call.path.as_str(), call.query.as_str(), call.body.as_str())
        })
        .collect();
    let want = [
        ("POST", "/api/client/adddomainalias", "", "apikey=[key]"),
        (
            "POST",
            "/api/client/adddomainalias",
            "",
            "apikey=[key]&domain=%2A.shop.example&wildcard=1",
        ),
        (
            "POST",
            "/api/client/deletedomainalias",
            "",
            "apikey=[key]&domain=%2A.shop.example&wildcard=1",
        ),
        ("GET", "/api/client/getdomains", "apikey=[key]", ""),
    ];
    assert_eq!(calls, want);
}

#[tokio::test]
async fn every_form_of_success_and_of_a_list_is_understood() {
    for success in [SuccessForm::True, SuccessForm::Text, SuccessForm::One] {
        let (sandbox, host) = start().await;
        sandbox.behave(|behaviour| behaviour.success = success);
        host.add_alias(&name("a.example")).await.unwrap();
        host.remove_alias(&name("a.example")).await.unwrap();
    }
    for element in [Element::Text, Element::Domain, Element::Name, Element::Hostname, Element::Host]
    {
        let (sandbox, host) = start().await;
        sandbox.insert_alias("a.example");
        sandbox.behave(|behaviour| behaviour.element = element);
        let list = host.aliases().await.unwrap();
        assert_eq!(list.names, [name("a.example")].into_iter().collect(), "{element:?}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_in_three_ways() {
    let (sandbox, _) = start().await;
    let host = open(settings(&sandbox.api_url(), "another-key"));
    let refused = "the host's API refused our key: Invalid API key.";
    let table = [
        (WrongKey::Unauthorized, refused),
        (WrongKey::Forbidden, refused),
        (WrongKey::Error("Who are you?".to_owned()), "the host said no: Who are you?"),
    ];
    for (how, want) in table {
        sandbox.behave(|behaviour| behaviour.wrong_key = how);
        assert_eq!(outcome(host.check_key().await), want);
        assert_eq!(outcome(host.add_alias(&name("a.example")).await), want);
        assert_eq!(outcome(host.remove_alias(&name("a.example")).await), want);
        assert_eq!(outcome(host.aliases().await), want);
    }
    assert!(sandbox.aliases().is_empty());
}

#[tokio::test]
async fn a_refused_name_comes_with_the_hosts_own_words() {
    let (sandbox, host) = start().await;
    let error = host.add_alias(&name("app.closte.com")).await.unwrap_err();
    assert_eq!(error.words(), Some("Invalid or empty domain: app.closte.com"));
    assert!(matches!(error, HostError::Rejected { .. }), "{error:?}");

    sandbox.behave(|behaviour| *behaviour = Behaviour::default());
    let error = host.remove_alias(&name("not-there.example")).await.unwrap_err();
    assert!(matches!(error, HostError::Refused { .. }), "{error:?}");
    assert_eq!(error.words(), Some("Domain not found."));
}

#[tokio::test]
async fn on_a_bad_day_it_says_what_came_and_no_more_than_it_knows() {
    let unclear = |what| format!("the host's API gave no clear answer: {what}");
    let limited = "the host's API is limiting our rate".to_owned();
    let table = [
        (Fault::status(500), unclear("HTTP 500")),
        (Fault::body(502, "<h1>Bad Gateway</h1>"), unclear("HTTP 502")),
        (Fault::status(404), unclear("HTTP 404")),
        (Fault::new(Act::Html), unclear("an HTML page")),
        (Fault::new(Act::Empty), unclear("an empty answer")),
        (Fault::new(Act::HalfJson), unclear("half a JSON")),
        (Fault::new(Act::HalfJson).after_effect(), unclear("half a JSON")),
        (Fault::new(Act::Cut).after_effect(), unclear("the answer broke off")),
        (Fault::new(Act::Close), unclear("connection closed before message completed")),
        (Fault::new(Act::Reset), unclear("the connection was reset")),
        (Fault::new(Act::Reset).after_effect(), unclear("the connection was reset")),
        (
            Fault::redirect("http://other.example/x?y"),
            unclear("a redirect to other.example, which is not followed"),
        ),
        (Fault::rate_limited(None), limited),
    ];
    for (fault, want) in table {
        let (sandbox, host) = start().await;
        sandbox.fault(fault.clone().once());
        assert_eq!(outcome(host.add_alias(&name("a.example")).await), want, "{fault:?}");
        assert_eq!(sandbox.aliases().contains("a.example"), fault.effect, "{fault:?}");
        assert_eq!(sandbox.calls().len(), 1, "nothing is sent twice: {fault:?}");
        assert_eq!(outcome(host.aliases().await), "done", "and the next call goes through");
    }
}

#[tokio::test]
async fn a_limited_rate_says_for_how_long() {
    let table = [
        (None, 0..=0),
        (Some(RetryAfter::Seconds(7)), 7..=7),
        // The answer's own date may be a second later than this one.
        (Some(RetryAfter::DateIn(3_600)), 3_598..=3_600),
    ];
    for (says, seconds) in table {
        let (sandbox, host) = start().await;
        sandbox.fault(Fault::rate_limited(says).on(CallKind::Delete));
        let error = host.remove_alias(&name("a.example")).await.unwrap_err();
        let HostError::RateLimited { retry_after } = error else { panic!("{error:?}") };
        assert_eq!(retry_after.is_some(), says.is_some());
        assert!(seconds.contains(&retry_after.unwrap_or_default().as_secs()), "{retry_after:?}");
    }
}

#[tokio::test]
async fn a_host_that_hangs_is_left_after_a_while() {
    let (sandbox, _) = start().await;
    let timeouts = Timeouts { write: Duration::from_millis(200), ..Timeouts::default() };
    let host = open(closte::Settings { timeouts, ..settings(&sandbox.api_url(), sandbox.key()) });
    sandbox.fault(Fault::new(Act::Hang).after_effect().once());
    let hung = outcome(host.add_alias(&name("a.example")).await);
    assert_eq!(hung, "the host's API gave no clear answer: no answer within 200 ms");
    let list = host.aliases().await.unwrap();
    assert!(list.names.contains(&name("a.example")), "the list settles it");
}
