//! Writing the network's options: each under the lock, in a transaction, keeping what is not ours.

use rules::source::SourceError;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::MySqlTypeInfo;
use sqlx::{Encode, Error, MySql, Row, Type};

use super::failure::{self, within};
use super::link::Link;
use crate::option_change::{Changed, OptionChange};
use crate::rows;
use crate::salts::Stored;
use crate::tables::{FORGET_NONCES, MAIN_SITE};

/// WordPress takes the first row of a name. Whether its ids have a sign differs between versions.
const FIND: &str = "SELECT CAST(meta_id AS UNSIGNED), meta_value FROM `{_}sitemeta` \
    WHERE site_id = ? AND meta_key = ? ORDER BY meta_id LIMIT 1 FOR UPDATE";
const UPDATE: &str = "UPDATE `{_}sitemeta` SET meta_value = ? WHERE meta_id = ?";
const INSERT: &str = "INSERT INTO `{_}sitemeta` (site_id, meta_key, meta_value) VALUES (?, ?, ?)";

/// What the plugin keeps and we keep for it, but not our own mark.
const FORGET: &str = "DELETE FROM `{_}sitemeta` WHERE site_id = ? \
    AND meta_key LIKE 'closte\\_sync\\_%' AND meta_key <> 'closte_sync_home'";

/// The last that is read of a name is the one that WordPress takes.
const OPTIONS: &str = "SELECT meta_key, meta_value FROM `{_}sitemeta` \
    WHERE site_id = ? AND meta_key IN ({?}) ORDER BY meta_id DESC";

const READING: &str = "reading options of the network";
const WRITING: &str = "writing an option of the network";

impl Link {
    /// Change one option of our network.
    pub(super) async fn change(
        &mut self,
        change: OptionChange<'_>,
    ) -> Result<Changed, SourceError> {
        self.lock().await?;
        self.run(WRITING, "START TRANSACTION").await?;
        let network = self.network_id().await?;
        let old = self.find(network, change.option()).await?;
        let new = change.of(old.as_ref().map_or(&[][..], |(_, value)| value))?;
        let query = match (&new, &old) {
            (Some(new), Some((id, _))) => {
                Some(sqlx::query(self.tables.sql(UPDATE)).bind(Text(new)).bind(*id))
            }
            (Some(new), None) => {
                let insert = sqlx::query(self.tables.sql(INSERT)).bind(network);
                Some(insert.bind(change.option()).bind(Text(new)))
            }
            (None, _) => None,
        };
        if let Some(query) = query {
            within(WRITING, query.execute(&mut self.connection)).await?;
        }
        self.run(WRITING, "COMMIT").await?;
        self.unlock().await?;
        Ok(Changed::of(new, old.map(|(_, value)| value)))
    }

    /// Those of `names` that our network has.
    pub(super) async fn options(&mut self, names: &[&'static str]) -> Result<Stored, SourceError> {
        if names.is_empty() {
            return Ok(Stored::new());
        }
        let network = self.network_id().await?;
        let query = sqlx::query(self.tables.sql_of(OPTIONS, names.len())).bind(network);
        let query = names.iter().fold(query, |query, name| query.bind(*name));
        let rows = within(READING, query.fetch_all(&mut self.connection)).await?;
        let stored = rows::named(&rows, names);
        stored.map_err(|error| failure::failed(READING, error))
    }

    /// Delete what the plugin keeps in the options of our network and of its main site.
    pub(super) async fn forget_plugin(&mut self) -> Result<(), SourceError> {
        self.lock().await?;
        let network = self.network_id().await?;
        let forget = sqlx::query(self.tables.sql(FORGET)).bind(network);
        within(WRITING, forget.execute(&mut self.connection)).await?;
        let main = sqlx::query(self.tables.sql(MAIN_SITE)).bind(network);
        if let Some(main) = within(WRITING, main.fetch_optional(&mut self.connection)).await? {
            // Whether it has a sign differs between versions.
            let id = main.try_get_unchecked::<i64, _>(0);
            let id = id.map_err(|error| failure::failed(WRITING, error))?.unsigned_abs();
            let nonces = sqlx::query(self.tables.sql_of_site(FORGET_NONCES, id));
            match within(WRITING, nonces.execute(&mut self.connection)).await {
                Err(error) if !failure::is_missing_table(&error) => return Err(error),
                _ => (),
            }
        }
        self.unlock().await
    }

    async fn network_id(&mut self) -> Result<u64, SourceError> {
        let networks = self.networks().await?;
        Ok(self.installation.choose(&networks)?.id)
    }

    async fn find(
        &mut self,
        network: u64,
        option: &'static str,
    ) -> Result<Option<(u64, Vec<u8>)>, SourceError> {
        let find = sqlx::query(self.tables.sql(FIND)).bind(network).bind(option);
        let row = within(WRITING, find.fetch_optional(&mut self.connection)).await?;
        let Some(row) = row else { return Ok(None) };
        let read = || -> Result<_, Error> {
            let value: Option<Vec<u8>> = row.try_get_unchecked(1)?;
            Ok((row.try_get::<u64, _>(0)?, value.unwrap_or_default()))
        };
        read().map(Some).map_err(|error| failure::failed(WRITING, error))
    }
}

/// Bytes that are text in the connection's character set, which need not be UTF-8.
struct Text<'a>(&'a [u8]);

impl Type<MySql> for Text<'_> {
    fn type_info() -> MySqlTypeInfo {
        <str as Type<MySql>>::type_info()
    }
}

impl<'q> Encode<'q, MySql> for Text<'q> {
    fn encode_by_ref(&self, buffer: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        <&[u8] as Encode<MySql>>::encode_by_ref(&self.0, buffer)
    }
}
