//! What we may do: SQLite has no users, so it depends on the file and its folder.

use rules::source::{Right, SourceError};

use super::SqliteNetwork;
use super::link::Link;

const TRYING: &str = "trying what is allowed";

const READ: &str = "SELECT blog_id FROM `{_}blogs` WHERE FALSE; \
    SELECT id FROM `{_}site` WHERE FALSE; SELECT meta_id FROM `{_}sitemeta` WHERE FALSE; \
    SELECT id FROM `{_}wu_domain_mappings` WHERE FALSE";

/// It is never committed. A statement that touches no row would not need the journal, which is
/// next to the file: only a change shows whether that can be written.
const WRITE: &str = "CREATE TABLE closte_sync_may_write (x INTEGER)";

pub(super) async fn of(network: &SqliteNetwork) -> Result<Vec<Right>, SourceError> {
    let read = async || Link::to_read(network, TRYING).await?.run(TRYING, READ).await;
    let write = async || Link::to_write(network, TRYING).await?.run(TRYING, WRITE).await;
    Ok(vec![
        Right {
            purpose: "read the network (its file)".to_owned(),
            missing: refusal(read().await)?,
        },
        Right {
            purpose: "write stages, mappings and the switch (its file and its folder)".to_owned(),
            missing: refusal(write().await)?,
        },
    ])
}

/// The words of a refusal; other failures say nothing about rights.
fn refusal(tried: Result<(), SourceError>) -> Result<Option<String>, SourceError> {
    match tried {
        Ok(()) => Ok(None),
        Err(SourceError::NotANetwork { what, .. }) => Ok(Some(what)),
        Err(error) => Err(error),
    }
}
