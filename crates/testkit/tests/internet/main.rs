//! The stand-in internet itself: what it says on the wire, right or wrong, is what a test asked for.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod answers;
mod client;
mod dnssec;
mod faults;
mod resolvers;
mod unbound;
mod web;
