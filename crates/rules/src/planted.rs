//! Faults that the simulator plants, to prove that it would find them.
//!
//! Only with the feature `planted-faults`, which nobody but the simulator asks for. Without it
//! [`planted!`](crate::planted!) is the word `false`, and nothing of this is in a program.

/// Whether the code is to have this fault.
#[cfg(not(feature = "planted-faults"))]
#[macro_export]
macro_rules! planted {
    ($fault:ident) => {
        false
    };
}

/// Whether the code is to have this fault.
#[cfg(feature = "planted-faults")]
#[macro_export]
macro_rules! planted {
    ($fault:ident) => {
        $crate::planted::is_planted($crate::planted::Fault::$fault)
    };
}

#[cfg(feature = "planted-faults")]
pub use with_feature::{Fault, is_planted, plant};

#[cfg(feature = "planted-faults")]
mod with_feature {
    use std::cell::Cell;

    /// A fault that this code does not have.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Fault {
        SkipBrake,
        RemoveForeign,
        ActOnCopy,
        ActOnOther,
        ForgetRestore,
        BelieveAnyList,
        RemoveOnOldRead,
        ForgetTheHour,
        RemoveAll,
        DropUnreadable,
        RemoveSitesOwn,
        SendProtected,
        ForgetServed,
        StageOnUnseen,
        CountDoubtfulRead,
        ActBeforeIntent,
        DropOnMiss,
        DropOutcome,
        WriteContested,
        AddTwinElsewhere,
        ForgetParent,
    }

    thread_local! {
        static PLANTED: Cell<Option<Fault>> = const { Cell::new(None) };
    }

    /// Let the code have `fault` in this thread from now on, or none.
    pub fn plant(fault: Option<Fault>) {
        PLANTED.set(fault);
    }

    /// Whether the code is to have `fault`.
    pub fn is_planted(fault: Fault) -> bool {
        PLANTED.get() == Some(fault)
    }

    impl Fault {
        /// All there are.
        pub const ALL: [Self; 21] = [
            Self::SkipBrake,
            Self::RemoveForeign,
            Self::ActOnCopy,
            Self::ActOnOther,
            Self::ForgetRestore,
            Self::BelieveAnyList,
            Self::RemoveOnOldRead,
            Self::ForgetTheHour,
            Self::RemoveAll,
            Self::DropUnreadable,
            Self::RemoveSitesOwn,
            Self::SendProtected,
            Self::ForgetServed,
            Self::StageOnUnseen,
            Self::CountDoubtfulRead,
            Self::ActBeforeIntent,
            Self::DropOnMiss,
            Self::DropOutcome,
            Self::WriteContested,
            Self::AddTwinElsewhere,
            Self::ForgetParent,
        ];
    }
}
