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
//! answers 404, a mistake in the JSON 4xx and what is wrong.

mod closte;
mod dns;
mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{FromRef, Path, State};
use axum::http::StatusCode;
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
        .with_state(wiring)
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
