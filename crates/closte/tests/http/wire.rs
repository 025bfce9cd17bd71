//! A server of bytes: it shows what came over the wire, and says what it is told to say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A server that answers every request with the same bytes.
pub(crate) struct Wire {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Vec<u8>,
    /// How many requests a connection serves before the server closes it.
    patience: usize,
    seen: Mutex<Seen>,
    /// Told when the client has closed a connection after the server did.
    closed: Notify,
}

#[derive(Default)]
struct Seen {
    connections: usize,
    requests: Vec<String>,
}

impl Wire {
    /// Answer with `body` as JSON.
    pub(crate) async fn json(body: &str) -> Self {
        Self::start(with_head("200 OK", body), usize::MAX).await
    }

    /// Answer with `status` and `headers`, such as `location: /\r\n`.
    pub(crate) async fn head(status: &str, headers: &str, body: &str) -> Self {
        let head = format!("{status}\r\n{}", headers.trim_end());
        Self::start(with_head(&head, body), usize::MAX).await
    }

    /// Answer with JSON and close each connection after `patience` requests.
    pub(crate) async fn that_closes_after(patience: usize, body: &str) -> Self {
        Self::start(with_head("200 OK", body), patience).await
    }

    /// Say `answer` to every request; with an empty one, say nothing.
    pub(crate) async fn start(answer: Vec<u8>, patience: usize) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared =
            Arc::new(Shared { answer, patience, seen: Mutex::default(), closed: Notify::new() });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { port, shared }
    }

    /// Answer one request with `begin`, blanks with a gap after each, and `end`.
    pub(crate) async fn slow(begin: &str, blanks: usize, gap: Duration, end: &str) -> Self {
        let wire = Self::start(Vec::new(), 0).await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        let (begin, end) = (format!("{head}{begin}"), end.to_owned());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            request(&mut stream).await.unwrap();
            stream.write_all(begin.as_bytes()).await.unwrap();
            for _ in 0..blanks {
                // Whoever has waited long enough hangs up.
                if stream.write_all(b" ").await.is_err() {
                    return;
                }
                tokio::time::sleep(gap).await;
            }
            stream.write_all(end.as_bytes()).await.ok();
        });
        Self { port, ..wire }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api/client", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.seen.lock().unwrap().connections
    }

    /// Every request so far, byte for byte.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.seen.lock().unwrap().requests.clone()
    }

    /// Wait until the client has noticed that a connection was closed.
    pub(crate) async fn client_closed(&self) {
        self.shared.closed.notified().await;
    }
}

fn with_head(head: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        shared.seen.lock().unwrap().connections += 1;
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    for _ in 0..shared.patience {
        let Some(request) = request(&mut stream).await else { return };
        shared.seen.lock().unwrap().requests.push(request);
        if stream.write_all(&shared.answer).await.is_err() {
            return;
        }
    }
    // Half-closed, then until the client has closed its half.
    if stream.shutdown().await.is_ok() && stream.read_u8().await.is_err() {
        shared.closed.notify_one();
    }
}

/// One whole request, or `None` where the client has gone.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        text.push(stream.read_u8().await.ok()?.into());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
            return Some(text);
        }
    }
}
