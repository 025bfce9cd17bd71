//! Keeping a network's domains in step with its host: what joins the rules to the world.
//!
//! The engine is given a clock, chance, a name for its process ([`Env`]) and the traits to the
//! outside that `rules` declares. It is deterministic given those: nothing here asks the system
//! for the time, waits by another clock, or draws a number of its own.
//!
//! # Where to start
//!
//! 1. [`Engine::pass`]: one round of read, plan, apply.
//! 2. [`Controller::run`]: the loop that makes passes, and between them only what is due.
//! 3. [`ops`]: what people ask for, each as one function that returns a value.
//! 4. [`memory`]: everything outside in memory, to run it all in a test.
//!
//! # Invariants
//!
//! - Nothing is sent that is not written down first.
//! - What a person reads is made at the edge: here are types.

pub mod controller;
pub mod env;
pub mod error_chain;
pub mod failure;
pub mod memory;
pub mod notices;
pub mod ops;
pub mod pass;
mod rough;
mod targets;
pub mod texts;

pub use controller::Controller;
pub use env::{Env, Random, Timer};
pub use error_chain::error_chain;
pub use failure::{Exit, Failure};
pub use notices::Notices;
pub use pass::{Engine, PassSettings};
pub use rough::rough;
pub use targets::targets;
