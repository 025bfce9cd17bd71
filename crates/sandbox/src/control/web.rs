//! The control API's routes for the web server.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};

use super::{After, Wiring, rest};
use crate::Certificate;
use crate::sandbox::Parts;
use crate::web::{Answer, Question, Visit};

pub(super) fn routes() -> Router<Wiring> {
    Router::new()
        .route("/certificates", get(certificates))
        .route("/certificates/{name}", put(set).delete(unset))
        .route("/otherwise", put(otherwise))
        .route("/shown/{name}", get(shown))
        .route("/visits", get(visits))
        .route("/answers", get(answers))
        .route("/answers/{name}", put(answer).delete(unanswer))
        .route("/questions", get(questions))
}

async fn certificates(State(parts): State<Arc<Parts>>) -> Json<BTreeMap<String, Certificate>> {
    Json(parts.web.certificates())
}

async fn set(
    State(parts): State<Arc<Parts>>,
    Path(name): Path<String>,
    Json(certificate): Json<Certificate>,
) -> StatusCode {
    parts.web.set(&name, certificate);
    StatusCode::NO_CONTENT
}

async fn unset(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> StatusCode {
    parts.web.unset(&name);
    StatusCode::NO_CONTENT
}

async fn otherwise(
    State(parts): State<Arc<Parts>>,
    Json(certificate): Json<Certificate>,
) -> StatusCode {
    parts.web.otherwise(certificate);
    StatusCode::NO_CONTENT
}

async fn shown(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> Json<Certificate> {
    Json(parts.web.shown(&name))
}

async fn visits(State(parts): State<Arc<Parts>>, Query(after): Query<After>) -> Json<Vec<Visit>> {
    rest(parts.web.visits(), &after)
}

async fn answers(State(parts): State<Arc<Parts>>) -> Json<BTreeMap<String, Answer>> {
    Json(parts.web.answers())
}

async fn answer(
    State(parts): State<Arc<Parts>>,
    Path(name): Path<String>,
    Json(answer): Json<Answer>,
) -> StatusCode {
    parts.web.answer(&name, answer);
    StatusCode::NO_CONTENT
}

async fn unanswer(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> StatusCode {
    parts.web.unanswer(&name);
    StatusCode::NO_CONTENT
}

async fn questions(
    State(parts): State<Arc<Parts>>,
    Query(after): Query<After>,
) -> Json<Vec<Question>> {
    rest(parts.web.questions(), &after)
}
