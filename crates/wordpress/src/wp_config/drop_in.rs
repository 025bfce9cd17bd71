//! `wp-content/db.php`: a file that replaces WordPress' database layer, where it is there.

use std::path::Path;

use super::{Unsettled, disk};

/// What replaces the database layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DropIn {
    /// WordPress' SQLite integration, with nothing in wp-config.php (facts: it says
    /// `SQLITE_DB_DROPIN_VERSION`).
    Sqlite,
    /// Something else: which server holds what is known to it alone.
    Other {
        /// A well-known name, where its text has one.
        name: Option<&'static str>,
    },
    /// It is not known whether there is one, as it is not known where it would be.
    Perhaps(Unsettled),
    /// It could not be read, and why.
    Unreadable(String),
}

impl DropIn {
    /// The one at `path`; none where there is none.
    pub(super) fn at(path: &Path) -> Option<Self> {
        let text = match disk::content(path) {
            Ok(None) => return None,
            Ok(Some(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(why) => return Some(Self::Unreadable(why)),
        };
        if text.contains("SQLITE_DB_DROPIN_VERSION") {
            return Some(Self::Sqlite);
        }
        let names = ["LudicrousDB", "HyperDB", "Query Monitor", "W3 Total Cache"];
        let text = text.to_ascii_lowercase();
        let name = names.into_iter().find(|name| text.contains(&name.to_ascii_lowercase()));
        Some(Self::Other { name })
    }
}
