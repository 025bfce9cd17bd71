//! The host's client, tried over real sockets: against the sandbox's Closte
//! for what answers mean, against a server of bytes for what is on the wire.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

mod answers;
mod secrecy;
mod transport;
mod wire;

use std::error::Error;
use std::num::NonZeroU16;
use std::sync::Arc;

use closte::{HttpHost, Settings, Timeouts};
use rules::clock::ManualClock;
use rules::host::HostError;
use rules::{DomainName, Time};

/// Settings for a host at `url`: no pacing, the usual timeouts.
fn settings(url: &str, key: &str) -> Settings {
    Settings {
        api_url: url.parse().unwrap(),
        api_key: key.into(),
        requests_per_second: 0,
        concurrency: NonZeroU16::new(8).unwrap(),
        timeouts: Timeouts::default(),
    }
}

fn open(settings: Settings) -> HttpHost {
    let now = Time::from_millis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
    HttpHost::open(settings, Arc::new(ManualClock::at(now))).unwrap()
}

/// A port of this machine where nobody listens.
fn port_of_nobody() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// An error as the program prints it, with its causes.
fn printed(error: &HostError) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text} / because: {cause}"))
}

/// The outcome of a call in one line.
fn outcome<T>(result: Result<T, HostError>) -> String {
    result.map_or_else(|error| printed(&error), |_| "done".to_owned())
}
