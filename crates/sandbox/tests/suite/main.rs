//! The sandbox from outside: every suite talks to it over real sockets, as the tested programs do.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod common;
mod conformance;
mod control;
mod dns;
mod faults;
mod issuing;
mod web;
mod wordpress;
