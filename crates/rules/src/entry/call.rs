//! The calls to the host.

use crate::action::Action;

/// A call to the host that an entry is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// `adddomainalias`.
    Add,
    /// `deletedomainalias`.
    Remove,
}

impl Call {
    /// The step that it is.
    pub fn action(self) -> Action {
        match self {
            Self::Add => Action::AddAlias,
            Self::Remove => Action::RemoveAlias,
        }
    }
}
