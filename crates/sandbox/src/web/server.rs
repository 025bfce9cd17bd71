//! The wire of the web server: a TLS hello decides which certificate is shown, or that none is.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::StartHandshake;

use super::{Question, Shared, Visit, answer};
use crate::ca::Certificate;
use crate::connection::{accept, reset};
use crate::locked;

/// The fatal alert `unrecognized_name` (RFC 6066, 3) as a TLS record.
const UNRECOGNIZED_NAME: [u8; 7] = [21, 3, 3, 0, 2, 2, 112];

/// More head than any client sends.
const HEAD_LIMIT: usize = 16 << 10;

pub(super) async fn https(listener: TcpListener, shared: Arc<Shared>) {
    each(listener, shared, |tcp, shared| async move { visit_https(tcp, &shared).await }).await;
}

pub(super) async fn http(listener: TcpListener, shared: Arc<Shared>) {
    each(listener, shared, |tcp, shared| async move {
        shared.log(&tcp, None, None);
        serve(tcp, |_| Some(text())).await
    })
    .await;
}

/// Serve each connection in a task of its own until the server stops.
async fn each<F>(
    listener: TcpListener,
    shared: Arc<Shared>,
    serve: impl Fn(TcpStream, Arc<Shared>) -> F,
) where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let stop = shared.stop.clone();
    while let Some((tcp, from)) = stop.run_until_cancelled(accept(&listener)).await {
        locked(&shared.state).connections += 1;
        if shared.switch.is_dead() {
            reset(tcp);
            continue;
        }
        let visit = serve(tcp, Arc::clone(&shared));
        let stop = stop.clone();
        shared.visitors.spawn(async move {
            if let Some(Err(error)) = stop.run_until_cancelled(visit).await {
                tracing::debug!(%from, %error, "a visit ended early");
            }
        });
    }
}

async fn visit_https(tcp: TcpStream, shared: &Shared) -> io::Result<()> {
    let _ = tcp.set_nodelay(true);
    let hello = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
    let asked = hello.client_hello().server_name().unwrap_or_default().to_ascii_lowercase();
    let (name, certificate) = shared.certificate(&asked);
    shared.log(&hello.io, Some(&asked), Some(&certificate));
    match certificate {
        Certificate::None => refuse(hello).await,
        Certificate::NoAnswer => wait_for_the_end(hello.io).await,
        shown => {
            let config = shared.authority.config(&name, &shown).map_err(io::Error::other)?;
            serve(hello.into_stream(config).await?, |head| shared.response(&asked, head)).await
        }
    }
}

async fn refuse(mut hello: StartHandshake<TcpStream>) -> io::Result<()> {
    hello.io.write_all(&UNRECOGNIZED_NAME).await?;
    hello.io.shutdown().await
}

/// Say nothing until the visitor gives up.
async fn wait_for_the_end(mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
    let mut ignored = [0; 512];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Answer one request. A visitor who came for the certificate only sends none.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    response: impl FnOnce(&[u8]) -> Option<String>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        if stream.read_buf(&mut head).await? == 0 {
            return stream.shutdown().await;
        }
    }
    match response(&head) {
        Some(response) => {
            stream.write_all(response.as_bytes()).await?;
            stream.shutdown().await
        }
        None => wait_for_the_end(stream).await,
    }
}

fn text() -> String {
    answer::respond("200 OK", "content-type: text/plain", "This is the sandbox of closte-sync.\n")
}

impl Shared {
    /// What a visitor of `name` who sent this head gets; none for no answer.
    fn response(&self, name: &str, head: &[u8]) -> Option<String> {
        let Some(nonce) = answer::nonce(head) else { return Some(text()) };
        let mut state = locked(&self.state);
        state.questions.push(Question { name: name.to_owned(), nonce });
        state.answers.get(name).map_or_else(|| Some(text()), |answer| answer.response(name))
    }

    fn log(&self, tcp: &TcpStream, name: Option<&str>, certificate: Option<&Certificate>) {
        let address =
            tcp.local_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |address| address.ip());
        let name = name.map(str::to_owned).filter(|name| !name.is_empty());
        let visit = Visit {
            at: self.started.elapsed(),
            address,
            name,
            https: certificate.is_some(),
            certificate: certificate.cloned(),
        };
        locked(&self.state).visits.push(visit);
    }
}
