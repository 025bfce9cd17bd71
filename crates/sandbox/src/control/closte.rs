//! The control API's routes for the stand-in for the host.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use axum::{Json, Router};

use super::{After, Wiring, rest};
use crate::closte::{Behaviour, Call, Fault};
use crate::sandbox::Parts;

pub(super) fn routes() -> Router<Wiring> {
    Router::new()
        .route("/aliases", get(aliases))
        .route("/aliases/{name}", put(insert_alias).delete(drop_alias))
        .route("/calls", get(calls))
        .route("/behaviour", get(behaviour).put(set_behaviour))
        .route("/faults", get(faults).post(add_fault).delete(heal))
}

async fn aliases(State(parts): State<Arc<Parts>>) -> Json<BTreeSet<String>> {
    Json(parts.closte.aliases())
}

async fn insert_alias(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> StatusCode {
    parts.closte.insert_alias(&name);
    StatusCode::NO_CONTENT
}

async fn drop_alias(State(parts): State<Arc<Parts>>, Path(name): Path<String>) -> StatusCode {
    parts.closte.drop_alias(&name);
    StatusCode::NO_CONTENT
}

async fn calls(State(parts): State<Arc<Parts>>, Query(after): Query<After>) -> Json<Vec<Call>> {
    rest(parts.closte.calls(), &after)
}

async fn behaviour(State(parts): State<Arc<Parts>>) -> Json<Behaviour> {
    Json(parts.closte.behaviour())
}

async fn set_behaviour(State(parts): State<Arc<Parts>>, Json(new): Json<Behaviour>) -> StatusCode {
    parts.closte.behave(|behaviour| *behaviour = new);
    StatusCode::NO_CONTENT
}

async fn faults(State(parts): State<Arc<Parts>>) -> Json<Vec<Fault>> {
    Json(parts.closte.faults())
}

async fn add_fault(State(parts): State<Arc<Parts>>, Json(fault): Json<Fault>) -> StatusCode {
    parts.closte.fault(fault);
    StatusCode::NO_CONTENT
}

async fn heal(State(parts): State<Arc<Parts>>) -> StatusCode {
    parts.closte.heal();
    StatusCode::NO_CONTENT
}
