//! Faults that the simulator plants, to prove that it would find them.
//!
//! Only with the feature `planted-faults`, which nobody but the simulator asks for. Without it
//! [`planted`] is always false, and nothing of this is in a program.

/// A fault that this code does not have.
#[cfg_attr(feature = "planted-faults", derive(Clone, Copy, Debug, PartialEq, Eq))]
pub enum Fault {
    SkipBrake,
    RemoveForeign,
    ActOnCopy,
    SendProtected,
    ForgetServed,
    StageOnUnseen,
    CountDoubtfulRead,
    ActBeforeIntent,
    DropOnMiss,
    DropOutcome,
    WriteContested,
}

/// Whether the code is to have `fault`.
#[cfg(not(feature = "planted-faults"))]
pub const fn planted(_: Fault) -> bool {
    false
}

#[cfg(feature = "planted-faults")]
pub use with_feature::{plant, planted};

#[cfg(feature = "planted-faults")]
mod with_feature {
    use std::cell::Cell;

    use super::Fault;

    thread_local! {
        static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Let the code have `fault` in this thread from now on, or none.
    pub fn plant(fault: Option<Fault>) {
        PLANTED.set(fault);
    }

    /// Whether the code is to have `fault`.
    pub fn planted(fault: Fault) -> bool {
        PLANTED.get() == Some(fault)
    }
}

#[cfg(feature = "planted-faults")]
impl Fault {
    /// All there are.
    pub const ALL: [Self; 11] = [
        Self::SkipBrake,
        Self::RemoveForeign,
        Self::ActOnCopy,
        Self::SendProtected,
        Self::ForgetServed,
        Self::StageOnUnseen,
        Self::CountDoubtfulRead,
        Self::ActBeforeIntent,
        Self::DropOnMiss,
        Self::DropOutcome,
        Self::WriteContested,
    ];
}
