//! Writing the network's options, keeping what is not ours.

use rules::source::SourceError;

use super::failure;
use super::link::{Link, key};
use crate::Installation;
use crate::option_change::{Changed, OptionChange};
use crate::rows::Cells;

/// WordPress takes the first row of a name.
const FIND: &str = "SELECT meta_id, meta_value FROM `{_}sitemeta` \
    WHERE site_id = ? AND meta_key = ? ORDER BY meta_id LIMIT 1";
/// Bytes that are stored as the text they are, which need not be UTF-8.
const UPDATE: &str = "UPDATE `{_}sitemeta` SET meta_value = CAST(? AS TEXT) WHERE meta_id = ?";
const INSERT: &str =
    "INSERT INTO `{_}sitemeta` (site_id, meta_key, meta_value) VALUES (?, ?, CAST(? AS TEXT))";

pub(super) const WRITING: &str = "writing an option of the network";

impl Link {
    /// Change one option of our network.
    pub(super) async fn change(
        &mut self,
        installation: &Installation,
        change: OptionChange<'_>,
    ) -> Result<Changed, SourceError> {
        let networks = self.networks().await?;
        let network = installation.choose(&networks)?.id;
        let old = self.find(network, change.option()).await?;
        let new = change.of(old.as_ref().map_or(&[][..], |(_, value)| value))?;
        let query = match (&new, &old) {
            (Some(new), Some((id, _))) => Some(self.query(UPDATE).bind(new.clone()).bind(*id)),
            (Some(new), None) => {
                let insert = self.query(INSERT).bind(key(network));
                Some(insert.bind(change.option()).bind(new.clone()))
            }
            (None, _) => None,
        };
        if let Some(query) = query {
            self.execute(WRITING, query).await?;
        }
        Ok(Changed::of(new, old.map(|(_, value)| value)))
    }

    async fn find(
        &mut self,
        network: u64,
        option: &'static str,
    ) -> Result<Option<(Option<i64>, Vec<u8>)>, SourceError> {
        let rows = self.fetch(WRITING, self.query(FIND).bind(key(network)).bind(option)).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let read = || Ok((row.number(0)?, row.cell(1)?.unwrap_or_default().to_vec()));
        read().map(Some).map_err(|error| failure::failed(WRITING, &self.file, error))
    }
}
