//! The wire of the web server: a TLS hello decides which certificate is shown, or that none is.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::StartHandshake;

use super::{Shared, Visit};
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
        serve_text(tcp).await
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
            serve_text(hello.into_stream(config).await?).await
        }
    }
}

async fn refuse(mut hello: StartHandshake<TcpStream>) -> io::Result<()> {
    hello.io.write_all(&UNRECOGNIZED_NAME).await?;
    hello.io.shutdown().await
}

/// Say nothing until the visitor gives up.
async fn wait_for_the_end(mut tcp: TcpStream) -> io::Result<()> {
    let mut ignored = [0; 512];
    while tcp.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// Answer one request with a short text. A visitor who came for the certificate only sends none.
async fn serve_text(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_LIMIT {
        if stream.read_buf(&mut head).await? == 0 {
            return stream.shutdown().await;
        }
    }
    let text = "This is the sandbox of closte-sync.\n";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

impl Shared {
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
