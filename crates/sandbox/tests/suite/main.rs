//! The sandbox from outside: every suite speaks to it over real sockets, as those do whom it is there to test.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it calls")]

mod common;
mod conformance;
mod control;
mod dns;
mod faults;
mod issuing;
mod web;
mod wordpress;
