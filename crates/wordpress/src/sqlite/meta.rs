//! Writing the network's options, keeping what is not ours.

use rules::source::SourceError;

use super::failure;
use super::link::{Link, key};
use crate::Installation;
use crate::option_change::{Changed, OptionChange};
use crate::rows::{self, Cells};
use crate::salts::Stored;
use crate::tables::{FORGET_NONCES, MAIN_SITE};

/// WordPress takes the first row of a name.
const FIND: &str = "SELECT meta_id, meta_value FROM `{_}sitemeta` \
    WHERE site_id = ? AND meta_key = ? ORDER BY meta_id LIMIT 1";
/// Bytes that are stored as the text they are, which need not be UTF-8.
const UPDATE: &str = "UPDATE `{_}sitemeta` SET meta_value = CAST(? AS TEXT) WHERE meta_id = ?";
const INSERT: &str =
    "INSERT INTO `{_}sitemeta` (site_id, meta_key, meta_value) VALUES (?, ?, CAST(? AS TEXT))";

/// What the plugin keeps and we keep for it, but not our own mark.
const FORGET: &str = "DELETE FROM `{_}sitemeta` WHERE site_id = ? \
    AND meta_key GLOB 'closte_sync_*' AND meta_key <> 'closte_sync_home'";

/// The last that is read of a name is the one that WordPress takes.
const OPTIONS: &str = "SELECT meta_key, meta_value FROM `{_}sitemeta` \
    WHERE site_id = ? AND meta_key IN ({?}) ORDER BY meta_id DESC";

pub(super) const READING: &str = "reading options of the network";
pub(super) const WRITING: &str = "writing an option of the network";

impl Link {
    /// Change one option of our network.
    pub(super) async fn change(
        &mut self,
        installation: &Installation,
        change: OptionChange<'_>,
    ) -> Result<Changed, SourceError> {
        let network = self.network_id(installation).await?;
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

    /// Those of `names` that our network has.
    pub(super) async fn options(
        &mut self,
        installation: &Installation,
        names: &[&'static str],
    ) -> Result<Stored, SourceError> {
        let network = self.network_id(installation).await?;
        let query = sqlx::query(self.tables.sql_of(OPTIONS, names.len())).bind(key(network));
        let query = names.iter().fold(query, |query, name| query.bind(*name));
        let rows = self.fetch(READING, query).await?;
        let stored = rows::named(&rows, names);
        stored.map_err(|error| failure::failed(READING, &self.file, error))
    }

    /// Delete what the plugin keeps in the options of our network and of its main site.
    pub(super) async fn forget_plugin(
        &mut self,
        installation: &Installation,
    ) -> Result<(), SourceError> {
        let network = self.network_id(installation).await?;
        let forget = self.query(FORGET).bind(key(network));
        self.execute(WRITING, forget).await?;
        let main = self.fetch(WRITING, self.query(MAIN_SITE).bind(key(network))).await?;
        let Some(main) = main.first() else { return Ok(()) };
        let id = main.number(0).map_err(|error| failure::failed(WRITING, &self.file, error))?;
        let Some(id) = id else { return Ok(()) };
        let nonces = sqlx::query(self.tables.sql_of_site(FORGET_NONCES, id));
        match nonces.execute(&mut self.connection).await {
            // A table that is not there holds nothing.
            Err(error) if !failure::is_of_the_statement(&error) => {
                Err(failure::failed(WRITING, &self.file, error))
            }
            _ => Ok(()),
        }
    }

    async fn network_id(&mut self, installation: &Installation) -> Result<u64, SourceError> {
        let networks = self.networks().await?;
        Ok(installation.choose(&networks)?.id)
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
