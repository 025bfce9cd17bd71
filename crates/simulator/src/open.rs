//! Invariants that today's code breaks, each with a seed that shows it.
//!
//! A seed that breaks only these is counted apart and is no violation. Whoever mends one takes its
//! line out; a test holds that each seed still breaks its invariant, so the table cannot rot.

/// An invariant that is open.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub invariant: &'static str,
    /// What is wrong, in a few words.
    pub what: &'static str,
    /// A seed that breaks it.
    pub seed: u64,
}

#[rustfmt::skip] // One invariant a line.
pub const OPEN: &[Open] = &[
];

/// Whether `invariant` is open.
pub fn is_open(invariant: &str) -> bool {
    OPEN.iter().any(|open| open.invariant == invariant)
}
