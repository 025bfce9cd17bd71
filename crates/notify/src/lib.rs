//! Telling: receivers of messages outside.
//!
//! [`Webhook`] posts each message, signed by Standard Webhooks; [`Command`] hands it to a program.
//! Both implement [`rules::notice::Receiver`], send one message at a time, and decide nothing: what
//! is told, in which order and how often, is decided elsewhere.
//!
//! # Invariants
//!
//! - The secret is shown to nobody, and neither is what a URL may hold of one.
//! - No redirect is followed, and no shell runs.

mod body;
mod command;
mod not_ready;
mod secret;
mod webhook;

pub use body::body;
pub use command::{Command, Program};
pub use not_ready::NotReady;
pub use secret::{NotASecret, Secret};
pub use webhook::Webhook;
