//! Ultimate Multisite's REST API: a network read and written over HTTP, where neither its database
//! nor its files can be reached.
//!
//! What the API does not say is tolerated: numbers that are strings, ids under two names, filters
//! that are not followed. Its answers are never taken for more than they say: a read during which
//! the network changed says so, and a list without one of its pages is an error.
//!
//! Where to start: [`RestNetwork`], a source; [`RestWriter`], a writer of stages.

mod client;
mod credentials;
mod meaning;
mod network;
mod pages;
mod records;
mod row;
mod snapshot;
mod writer;

pub use client::{RestClient, Timeouts};
pub use credentials::{Credentials, KeyPair};
pub use network::{RestNetwork, Settings};
pub(crate) use writer::INVALID_NAME;
pub use writer::RestWriter;
