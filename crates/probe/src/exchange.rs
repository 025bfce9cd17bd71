//! One request over HTTP/1.1 on a connection that is there, and the answer to it.
//!
//! Whoever answers may be anybody: a head of more than 64 KiB is none.

use std::pin::pin;

use futures_util::future::{Either, select};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rules::DomainName;
use tokio::io::{AsyncRead, AsyncWrite};

/// A longer head or body is not read.
pub(crate) const LONGEST: usize = 64 << 10;

/// Who we say we are.
const AGENT: &str = concat!("closte-sync/", env!("CARGO_PKG_VERSION"));

/// A request for `path`, with its query, at `host`.
///
/// # Errors
///
/// It is no path.
pub(crate) fn get(host: &DomainName, path: &str) -> Result<Request<Empty<Bytes>>, String> {
    Request::get(path)
        .header(HOST, host.as_str())
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| format!("`{host}` cannot be asked for such a path"))
}

/// Send `request`, and `read` the answer; in error, what there is instead of one.
pub(crate) async fn exchange<T, F>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Empty<Bytes>>,
    read: impl FnOnce(Response<Incoming>) -> F,
) -> Result<T, String>
where
    F: Future<Output = Result<T, String>>,
{
    let handshake = http1::Builder::new().max_buf_size(LONGEST).handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(|error| broken(&error))?;
    let exchange =
        async { read(sender.send_request(request).await.map_err(|error| broken(&error))?).await };
    // The connection carries the exchange, and may end before its last bytes are read.
    match select(pin!(exchange), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, exchange)) => exchange.await,
    }
}

fn broken(error: &hyper::Error) -> String {
    if error.is_parse() {
        "it does not answer in HTTP".to_owned()
    } else {
        "it closed the connection without an answer".to_owned()
    }
}
