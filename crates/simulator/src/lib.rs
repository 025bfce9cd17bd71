//! The hunter: one seeded world in one thread, which drives the real engine and looks after every
//! step whether something happened that must never happen.
//!
//! ```text
//!   seed ──▶ history (steps with times) ──▶ life: engine on the twins, with faults between
//!                   ▲                                   │ every call of a trait
//!                   │ shorter                           ▼
//!                 shrink ◀── a story ◀── violation ◀── watch
//! ```
//!
//! # Where to start
//!
//! 1. `history.rs`: what can happen. `generate.rs`: what a seed makes of it.
//! 2. `watch`: the invariants, each a few lines, checked from outside the engine.
//! 3. `ending.rs`: what must be true once the faults have stopped.
//! 4. `open.rs`: what today's code breaks, each with a seed that shows it.
//!
//! # Invariants
//!
//! - The same seed gives the same log, byte for byte: no chance and no time but the seed's.
//! - The clock moves only when no call of a trait is in flight.

pub mod chance;
mod ending;
pub mod generate;
pub mod history;
pub mod hunt;
mod life;
pub mod open;
mod operator;
mod outside;
mod rows;
pub mod shrink;
mod watch;
mod world;

pub use generate::History;
pub use life::{Keep, live};
pub use watch::{Outcome, Violation};
