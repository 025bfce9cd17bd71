//! The control API: everything that a test can do to the sandbox in Rust can be done over HTTP with JSON.
//!
//! | call | what it does |
//! | --- | --- |
//! | `GET /settings` | the settings that point closte-sync at the sandbox, by their names in the environment |
//! | `POST /seed` | set up what a [`Seed`] names, in addition to what is there |
//! | `POST /parts/{part}/kill`, `…/revive` | stop answering, answer again; a part is `closte`, `dns` or `web` |
//! | `GET /closte/aliases` | the names that the host has |
//! | `PUT`, `DELETE /closte/aliases/{name}` | add or remove one by hand |
//! | `GET /closte/calls?after=N` | the calls so far, without the first N |
//! | `GET`, `PUT /closte/behaviour` | how the host answers: a [`Behaviour`](crate::closte::Behaviour); what is left out gets its default |
//! | `GET`, `POST`, `DELETE /closte/faults` | the faults to come; add a [`Fault`](crate::closte::Fault); remove all |
//! | `GET /dns/{server}/records` | all records by name; servers count from 0 |
//! | `PUT`, `DELETE /dns/{server}/records/{name}` | set all records of a name: a list such as `[{"A":"127.0.0.1"}]`; remove the name |
//! | `GET /dns/{server}/failures` | misbehaviour by name |
//! | `POST`, `DELETE /dns/{server}/failures/{name}` | add a [`Failure`](crate::dns::Failure) such as `{"behaviour":"serv_fail"}`; remove all of the name |
//! | `GET /dns/{server}/queries?after=N` | the queries so far, without the first N |
//! | `GET /web/certificates` | what was set by name |
//! | `PUT`, `DELETE /web/certificates/{name}` | show a [`Certificate`](crate::Certificate) such as `"expired"` or `{"valid":{}}`; remove it |
//! | `PUT /web/otherwise` | show this certificate to visitors of names without one |
//! | `GET /web/shown/{name}` | what a visitor of the name would be shown now |
//! | `GET /web/visits?after=N` | the visits so far, without the first N |
//! | `GET /web/answers` | what names answer to the question for WordPress' routing proof |
//! | `PUT`, `DELETE /web/answers/{name}` | answer it with an [`Answer`](crate::web::Answer) such as `{"id":41}` or `"html"`; with the short text again |
//! | `GET /web/questions?after=N` | the questions so far, without the first N |
//! | `GET /issuing` | how many seconds a certificate takes, and the finished wildcards |
//! | `PUT /issuing/after` | a number: how many seconds a certificate takes |
//! | `PUT /issuing/wildcards/{name}` | the step on the dashboard that a wildcard needs |
//!
//! What is read comes as JSON with status 200; what is changed answers 204; an unknown server or path
//! answers 404, a mistake in the JSON 4xx and what is wrong. What a page in a browser asks, or whoever
//! calls this machine by another name than `localhost` or an address, is answered with 403.

mod closte;
mod dns;
mod web;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{FromRef, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::uri::Authority;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;

use crate::sandbox::{Part, Parts};
use crate::seed::{IssuingSeed, Seconds};
use crate::tasks::Tasks;
use crate::{Seed, StartError};

/// A running control API. It stops when dropped.
#[derive(Debug)]
pub(crate) struct Control {
    address: SocketAddr,
    tasks: Tasks,
}

/// What the routes work on.
#[derive(Clone)]
struct Wiring {
    parts: Arc<Parts>,
    settings: Arc<BTreeMap<String, String>>,
}

impl FromRef<Wiring> for Arc<Parts> {
    fn from_ref(wiring: &Wiring) -> Self {
        Arc::clone(&wiring.parts)
    }
}

/// From which item on a log is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: usize,
}

impl Control {
    pub(crate) async fn start(
        address: SocketAddr,
        parts: Arc<Parts>,
        settings: Vec<(String, String)>,
    ) -> Result<Self, StartError> {
        let (tcp, address) = crate::listen("the control API", address).await?;
        let router = router(Wiring { parts, settings: Arc::new(settings.into_iter().collect()) });
        let tasks = Tasks::default();
        let stop = tasks.token();
        tasks.spawn(async move {
            let served =
                axum::serve(tcp, router).with_graceful_shutdown(stop.cancelled_owned()).await;
            tracing::debug!(?served, "the control API ended");
        });
        Ok(Self { address, tasks })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) async fn stopped(&self) {
        self.tasks.stopped().await;
    }
}

fn router(wiring: Wiring) -> Router {
    Router::new()
        .route("/settings", get(settings))
        .route("/seed", post(seed))
        .route("/parts/{part}/kill", post(kill))
        .route("/parts/{part}/revive", post(revive))
        .route("/issuing", get(issuing))
        .route("/issuing/after", put(set_after))
        .route("/issuing/wildcards/{name}", put(finish_wildcard))
        .nest("/closte", closte::routes())
        .nest("/dns/{server}", dns::routes())
        .nest("/web", web::routes())
        .layer(from_fn(only_ours))
        .with_state(wiring)
}

/// Let through who is not sent by somebody's page.
async fn only_ours(request: Request, next: Next) -> Response {
    if is_ours(request.headers()) {
        return next.run(request).await;
    }
    let why = "the control API answers neither other sites' pages nor another name than localhost";
    (StatusCode::FORBIDDEN, why).into_response()
}

/// Whether the request is for this machine by a name that nobody else can give it (a page that had
/// its own name lead here says that name), and not from a page of another site.
fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| {
        let mut values = headers.get_all(name).iter();
        (values.next().map(|value| value.to_str().unwrap_or_default()), values.next().is_none())
    };
    let ((Some(host), true), (origin, true)) = (text(HOST), text(ORIGIN)) else { return false };
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_local = name.eq_ignore_ascii_case("localhost") || address.is_ok();
    is_local && origin.is_none_or(|origin| origin == format!("http://{host}"))
}

async fn settings(State(wiring): State<Wiring>) -> Json<BTreeMap<String, String>> {
    Json(wiring.settings.as_ref().clone())
}

async fn seed(
    State(parts): State<Arc<Parts>>,
    Json(seed): Json<Seed>,
) -> Result<StatusCode, (StatusCode, String)> {
    match parts.sow(seed) {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err((StatusCode::UNPROCESSABLE_ENTITY, error.to_string())),
    }
}

async fn kill(State(parts): State<Arc<Parts>>, Path(part): Path<Part>) -> StatusCode {
    parts.kill(part);
    StatusCode::NO_CONTENT
}

async fn revive(State(parts): State<Arc<Parts>>, Path(part): Path<Part>) -> StatusCode {
    parts.revive(part);
    StatusCode::NO_CONTENT
}

async fn issuing(State(parts): State<Arc<Parts>>) -> Json<IssuingSeed> {
    let after = Some(Seconds(parts.issuing.after()));
    Json(IssuingSeed { after, finished: parts.issuing.finished_wildcards() })
}

async fn set_after(
    State(parts): State<Arc<Parts>>,
    Json(Seconds(after)): Json<Seconds>,
) -> StatusCode {
    parts.issuing.set_after(after);
    StatusCode::NO_CONTENT
}

async fn finish_wildcard(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> StatusCode {
    parts.issuing.finish_wildcard(&name);
    StatusCode::NO_CONTENT
}

/// The rest of a log.
fn rest<T>(log: Vec<T>, after: &After) -> Json<Vec<T>> {
    Json(log.into_iter().skip(after.after).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip] // One case a line.
    fn no_page_of_another_site_steers_it() {
        let table: [(&[&str], &[&str], bool); 14] = [
            // Host               Origin
            (&["127.0.0.1:8053"], &[],                         true),
            (&["localhost:8053"], &[],                         true),
            (&["LOCALHOST"],      &[],                         true),
            (&["[::1]:8053"],     &[],                         true),
            (&["127.0.0.1:8053"], &["http://127.0.0.1:8053"],  true),
            (&["127.0.0.1:8053"], &["http://127.0.0.1:80"],    false),
            (&["127.0.0.1:8053"], &["https://evil.example"],   false),
            (&["127.0.0.1:8053"], &["null"],                   false),
            (&["127.0.0.1:8053"], &["http://127.0.0.1:8053", "https://evil.example"], false),
            (&["evil.example:8053"], &[],                      false),
            (&["evil.example:8053"], &["http://evil.example:8053"], false),
            (&["localhost.evil.example"], &[],                 false),
            (&["127.0.0.1", "evil.example"], &[],              false),
            (&[],                 &[],                         false),
        ];
        for (hosts, origins, want) in table {
            let mut headers = HeaderMap::new();
            for (name, values) in [(HOST, hosts), (ORIGIN, origins)] {
                for value in values {
                    headers.append(&name, value.parse().unwrap());
                }
            }
            assert_eq!(is_ours(&headers), want, "{hosts:?} {origins:?}");
        }
    }
}
