//! Connections that can be made to break, so that a fault is a real one on the wire.
//!
//! An HTTP server alone can only answer. Here the handler marks its connection, and the next
//! write fails the way the mark says: with a reset, a close, or in the middle of the body.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Whether a part of the sandbox is alive; shared by all its users.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    pub(crate) fn kill(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn revive(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How a connection ends at its next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Break {
    /// With a TCP reset, before a byte of the answer.
    Reset = 1,
    /// With a close, before a byte of the answer.
    Close = 2,
    /// With a close in the middle of the answer's body.
    MidBody = 3,
}

/// The handler's end of a connection: the place to say that it must break.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line(Arc<AtomicU8>);

impl Line {
    pub(crate) fn sever(&self, how: Break) {
        self.0.store(how as u8, Ordering::SeqCst);
    }

    fn severed(&self) -> Option<Break> {
        match self.0.load(Ordering::SeqCst) {
            1 => Some(Break::Reset),
            2 => Some(Break::Close),
            3 => Some(Break::MidBody),
            _ => None,
        }
    }
}

impl Connected<IncomingStream<'_, SeverableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, SeverableListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A listener whose connections can be severed, and which resets all of them while it is dead.
#[derive(Debug)]
pub(crate) struct SeverableListener {
    tcp: TcpListener,
    switch: Switch,
}

impl SeverableListener {
    pub(crate) fn new(tcp: TcpListener, switch: Switch) -> Self {
        Self { tcp, switch }
    }
}

impl Listener for SeverableListener {
    type Io = SeverableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (SeverableStream, SocketAddr) {
        loop {
            let (tcp, from) = accept(&self.tcp).await;
            if self.switch.is_dead() {
                reset(tcp);
                continue;
            }
            // Many small answers on few connections: Nagle's algorithm would stall them.
            let _ = tcp.set_nodelay(true);
            return (
                SeverableStream { tcp, line: Line::default(), switch: self.switch.clone() },
                from,
            );
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Accept, and retry if needed: a machine without free descriptors gets them back soon.
pub(crate) async fn accept(tcp: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match tcp.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::debug!(%error, "could not accept a connection");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Drop a connection with a TCP reset instead of a close.
pub(crate) fn reset(tcp: TcpStream) {
    let _ = tcp.set_zero_linger();
    drop(tcp);
}

/// A connection that breaks on request.
#[derive(Debug)]
pub(crate) struct SeverableStream {
    tcp: TcpStream,
    line: Line,
    switch: Switch,
}

impl SeverableStream {
    fn broken(&self, how: Break) -> io::Error {
        if how == Break::Reset {
            let _ = self.tcp.set_zero_linger();
        }
        io::Error::new(io::ErrorKind::ConnectionAborted, "the sandbox breaks this connection")
    }

    fn check(&self) -> io::Result<Option<Break>> {
        if self.switch.is_dead() {
            return Err(self.broken(Break::Reset));
        }
        Ok(self.line.severed())
    }
}

impl AsyncRead for SeverableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for SeverableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.check()? {
            None => Pin::new(&mut self.tcp).poll_write(cx, buf),
            Some(Break::MidBody) => {
                // After the part that is sent, the connection breaks at the next write.
                let part = until_mid_body(buf);
                let written = Pin::new(&mut self.tcp).poll_write(cx, part);
                if written.is_ready() {
                    self.line.sever(Break::Close);
                }
                written
            }
            Some(how) => Poll::Ready(Err(self.broken(how))),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// The head of an HTTP answer and the first half of its body.
fn until_mid_body(answer: &[u8]) -> &[u8] {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").map_or(0, |at| at + 4);
    &answer[..head + (answer.len() - head) / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_cut_in_the_middle_of_its_body() {
        assert_eq!(until_mid_body(b"HTTP/1.1 200 OK\r\n\r\nabcd"), b"HTTP/1.1 200 OK\r\n\r\nab");
        assert_eq!(until_mid_body(b"abcd"), b"ab");
    }
}
