//! `closte-sync explain` in broken worlds: a domain that is healthy but for one thing, or two, and the finding that
//! must come first.
//!
//! Network, host and internet are stand-ins on loopback (`testkit::internet`); the program is the real one.

#![expect(clippy::unwrap_used, reason = "what should be there is there, or the test fails")]

mod certificates;
mod coverage;
mod dns;
mod explained;
mod hosts;
mod issuing;
mod names;
mod rows;
mod served;
mod two_faults;
mod validating;
mod whole;
mod wildcards;
mod world;
