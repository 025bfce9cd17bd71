//! Connecting: the one place where a connection to a web server is made.
//!
//! An address is judged by the guard and then connected to as it is, so nothing that DNS says in
//! between can lead elsewhere.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rules::probe::Unreached;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::guard::Guard;
use crate::nat64::Nat64;

/// How web servers are reached.
pub(crate) struct Connector {
    guard: Guard,
    nat64: Arc<Nat64>,
    /// How long connecting may take, and each answer after it.
    pub(crate) timeout: Duration,
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum NotReached {
    /// The guard does not allow it.
    Forbidden {
        /// Which rule.
        detail: String,
    },
    /// It was tried.
    NoAnswer {
        /// How that failed.
        how: Unreached,
        /// The same for people.
        detail: String,
    },
}

impl Connector {
    pub(crate) fn new(guard: Guard, nat64: Arc<Nat64>, timeout: Duration) -> Self {
        Self { guard, nat64, timeout }
    }

    /// A connection to `target`.
    ///
    /// # Errors
    ///
    /// The guard does not allow it, or nobody answers.
    pub(crate) async fn connect(&self, target: SocketAddr) -> Result<TcpStream, NotReached> {
        let forbidden = |refusal| NotReached::Forbidden { detail: format!("{refusal}") };
        self.guard.check(target).map_err(forbidden)?;
        match timeout(self.timeout, self.connect_to(target)).await {
            Ok(Ok(stream)) => {
                // What we send is small, and would wait for the answer to what went before it.
                let _ = stream.set_nodelay(true);
                Ok(stream)
            }
            Ok(Err(error)) => {
                Err(NotReached::NoAnswer { how: unreached(&error), detail: crate::plain(&error) })
            }
            Err(_) => Err(NotReached::NoAnswer {
                how: Unreached::Silent,
                detail: format!("no answer within {}", seconds(self.timeout)),
            }),
        }
    }

    /// By the network's NAT64 where it has no IPv4 itself.
    async fn connect_to(&self, target: SocketAddr) -> io::Result<TcpStream> {
        let connected = TcpStream::connect(target).await;
        let is_cut_off = |error: &io::Error| error.kind() == io::ErrorKind::NetworkUnreachable;
        if connected.as_ref().is_err_and(is_cut_off)
            && let Some(behind) = self.nat64.behind(target.ip()).await
        {
            return TcpStream::connect((behind, target.port())).await;
        }
        connected
    }
}

/// How a connection failed.
pub(crate) fn unreached(error: &io::Error) -> Unreached {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Unreached::Refused,
        io::ErrorKind::TimedOut => Unreached::Silent,
        _ => Unreached::Broken,
    }
}

/// A time as people read it: `5 s`, `0.5 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}
