//! The stand-in: a Closte, a DNS server and a web server for rehearsals and tests.
//!
//! Every fault it plays is a real one on real sockets: a reset resets, a server that hangs keeps the connection open,
//! an expired certificate has expired. It listens on loopback only unless configured otherwise, and it does not depend
//! on the crates that it tests.
//!
//! # Where to start
//!
//! [`Sandbox::start`] starts everything, linked: a name gets its certificate some time after it is an alias and its DNS
//! points at the web server. [`closte::Closte`], [`dns::Dns`] and [`web::Web`] also start alone. A rehearsal is
//! controlled from outside by the [`control`] API, and set up by a [`seed::Seed`]. [`wordpress::WordPress`] is a
//! network to rehearse on.

mod ca;
pub mod closte;
mod connection;
pub mod control;
pub mod dns;
mod issuing;
mod sandbox;
mod seconds;
pub mod seed;
mod tasks;
pub mod web;
pub mod wordpress;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::TcpListener;

pub use ca::{Authority, Certificate, Validity};
pub use sandbox::{Part, Sandbox, Settings};
pub use seed::Seed;

/// Why the sandbox, or a part of it, did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It cannot listen at an address.
    #[error("cannot listen at `{address}` for {part}")]
    Bind {
        /// Which part it is.
        part: &'static str,
        /// Where it tried to listen.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The folder for the CA and the key cannot be written.
    #[error("cannot write `{path}`")]
    Folder {
        /// What was to be written.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The CA cannot be made.
    #[error("cannot make the sandbox's own CA")]
    Authority(#[source] rcgen::Error),
    /// No address for the web server is given.
    #[error("the web server needs at least one address")]
    NoWebAddress,
    /// No DNS server is given.
    #[error("the sandbox needs at least one DNS server")]
    NoDnsServer,
}

/// The state behind a lock, also after a panic elsewhere: the next test assertion says more than a poisoned lock.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listen, and say where: a port of 0 has become a real one.
async fn listen(
    part: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { part, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
