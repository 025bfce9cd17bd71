//! The control API's routes for the DNS servers.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};

use super::{After, Wiring, rest};
use crate::dns::{Dns, Failure, Query as DnsQuery, Record};
use crate::sandbox::Parts;

pub(super) fn routes() -> Router<Wiring> {
    Router::new()
        .route("/records", get(records))
        .route("/records/{name}", put(set).delete(remove))
        .route("/failures", get(failures))
        .route("/failures/{name}", post(fail).delete(heal))
        .route("/queries", get(queries))
}

/// The server that a path names.
fn server(parts: &Parts, number: usize) -> Result<&Dns, StatusCode> {
    parts.dns.get(number).ok_or(StatusCode::NOT_FOUND)
}

async fn records(
    State(parts): State<Arc<Parts>>,
    Path(number): Path<usize>,
) -> Result<Json<BTreeMap<String, Vec<Record>>>, StatusCode> {
    Ok(Json(server(&parts, number)?.records()))
}

async fn set(
    State(parts): State<Arc<Parts>>,
    Path((number, name)): Path<(usize, String)>,
    Json(records): Json<Vec<Record>>,
) -> Result<StatusCode, StatusCode> {
    server(&parts, number)?.set(&name, records);
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    State(parts): State<Arc<Parts>>,
    Path((number, name)): Path<(usize, String)>,
) -> Result<StatusCode, StatusCode> {
    server(&parts, number)?.remove(&name);
    Ok(StatusCode::NO_CONTENT)
}

async fn failures(
    State(parts): State<Arc<Parts>>,
    Path(number): Path<usize>,
) -> Result<Json<BTreeMap<String, Vec<Failure>>>, StatusCode> {
    Ok(Json(server(&parts, number)?.failures()))
}

async fn fail(
    State(parts): State<Arc<Parts>>,
    Path((number, name)): Path<(usize, String)>,
    Json(failure): Json<Failure>,
) -> Result<StatusCode, StatusCode> {
    server(&parts, number)?.fail(&name, failure);
    Ok(StatusCode::NO_CONTENT)
}

async fn heal(
    State(parts): State<Arc<Parts>>,
    Path((number, name)): Path<(usize, String)>,
) -> Result<StatusCode, StatusCode> {
    server(&parts, number)?.heal(&name);
    Ok(StatusCode::NO_CONTENT)
}

async fn queries(
    State(parts): State<Arc<Parts>>,
    Path(number): Path<usize>,
    Query(after): Query<After>,
) -> Result<Json<Vec<DnsQuery>>, StatusCode> {
    Ok(rest(server(&parts, number)?.queries(), &after))
}
