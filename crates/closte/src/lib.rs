//! The host: Closte's wire format, its answers, and pacing.
//!
//! [`HttpHost`] is Closte's client API as a [`rules::host::AliasHost`]. It knows
//! the wire and nothing of stages or retries: one method call is one request,
//! and one answer becomes one typed outcome.
//!
//! # Where to start
//!
//! 1. `call` is what goes out, to the byte.
//! 2. `answer` is what an answer means; `list` reads the one that is a list.
//! 3. `transport` is what becomes of a request that brought no answer.
//! 4. [`HttpHost`] puts them together.
//!
//! # Invariants
//!
//! - The API key goes to the host and nowhere else: no log, no error, no
//!   `Debug`, no report shows it, not even where the host echoes it.
//! - Only calls that are seen in working clients are made (facts: the Closte
//!   client API); no endpoint is guessed at.
//! - Nothing is sent twice by itself, and no redirect is followed.

mod answer;
mod api_key;
mod call;
mod http_host;
mod list;
mod pace;
mod report;
mod transport;

pub use api_key::UnusableKey;
pub use http_host::{HttpHost, OpenError, Settings};
pub use transport::Timeouts;

/// The page on Closte's dashboard that shows the domains of the app `app_id`.
pub fn dashboard_url(app_id: &str) -> String {
    format!("https://app.closte.com/sites/domains/{}", call::encoded(app_id))
}
