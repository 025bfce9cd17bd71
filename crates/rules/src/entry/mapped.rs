//! What is remembered of the mapping behind a domain.

use crate::Stage;
use crate::reason::Reason;

/// The mapping behind a domain, as last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// Its id.
    pub mapping_id: u64,
    /// The site it leads to.
    pub site_id: u64,
    /// Its stage; none for a word that is not a stage.
    pub stage: Option<Stage>,
    /// Whether links use `https`.
    pub secure: bool,
    /// Why its stage is left alone, where it is.
    pub left_alone: Option<LeftAlone>,
}

/// Why the stage of a mapping is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftAlone {
    /// WordPress picks another row for the name, or may once this one is raised.
    Contested,
    /// As the row is spelled WordPress does not surely find it.
    Misspelled,
}

impl LeftAlone {
    /// The same, as it is told of a domain.
    pub fn reason(self) -> Reason {
        match self {
            Self::Contested => Reason::Contested,
            Self::Misspelled => Reason::Misspelled,
        }
    }
}
