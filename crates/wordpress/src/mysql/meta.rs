//! Writing the network's options: each under the lock, in a transaction, keeping what is not ours.

use rules::Home;
use rules::source::SourceError;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::MySqlTypeInfo;
use sqlx::{Encode, Error, MySql, Row, Type};

use super::failure::{self, within};
use super::link::Link;
use super::read::not_ours;
use crate::options::{self, CannotChange};

/// WordPress takes the first row of a name.
const FIND: &str = "SELECT meta_id, meta_value FROM `{_}sitemeta` \
    WHERE site_id = ? AND meta_key = ? ORDER BY meta_id LIMIT 1 FOR UPDATE";
const UPDATE: &str = "UPDATE `{_}sitemeta` SET meta_value = ? WHERE meta_id = ?";
const INSERT: &str = "INSERT INTO `{_}sitemeta` (site_id, meta_key, meta_value) VALUES (?, ?, ?)";

const WRITING: &str = "writing an option of the network";

/// What an option should become.
enum Change {
    Keep,
    Write(Vec<u8>),
}

impl Link {
    pub(super) async fn switch(&mut self, on: bool) -> Result<bool, SourceError> {
        let option = options::INTEGRATIONS;
        self.change(option, |old| {
            if options::is_switched_on(old).map_err(CannotChange::Unreadable)? == on {
                Ok(Change::Keep)
            } else {
                options::switched(old, on).map(Change::Write)
            }
        })
        .await
    }

    pub(super) async fn set_check_interval(&mut self, seconds: u32) -> Result<(), SourceError> {
        let change = |old: &[u8]| options::with_check_interval(old, seconds).map(Change::Write);
        self.change(options::SETTINGS, change).await.map(drop)
    }

    pub(super) async fn write_home(
        &mut self,
        home: &Home,
        replace: bool,
    ) -> Result<Home, SourceError> {
        let mut stands = Some(home.clone());
        self.change(options::HOME, |old| {
            if !replace && !old.is_empty() {
                stands = options::home(old);
                return Ok(Change::Keep);
            }
            Ok(Change::Write(options::home_option(home)))
        })
        .await?;
        stands.ok_or_else(|| SourceError::Refused {
            what: format!(
                "`{}` in `{}` cannot be read",
                options::HOME,
                self.tables.name("sitemeta")
            ),
        })
    }

    /// Change one option of our network; whether that wrote anything.
    async fn change(
        &mut self,
        option: &'static str,
        change: impl FnOnce(&[u8]) -> Result<Change, CannotChange>,
    ) -> Result<bool, SourceError> {
        self.lock().await?;
        self.run(WRITING, "START TRANSACTION").await?;
        let network = self.network_id().await?;
        let old = self.find(network, option).await?;
        let value = old.as_ref().map_or(&[][..], |(_, value)| value);
        let change = change(value).map_err(|why| refused(option, &why))?;
        let written = match (change, &old) {
            (Change::Write(new), Some((_, old))) if new == *old => false,
            (Change::Write(new), Some((id, _))) => {
                let update = sqlx::query(self.tables.sql(UPDATE)).bind(Text(&new)).bind(*id);
                within(WRITING, update.execute(&mut self.connection)).await?;
                true
            }
            (Change::Write(new), None) => {
                let insert = sqlx::query(self.tables.sql(INSERT));
                let insert = insert.bind(network).bind(option).bind(Text(&new));
                within(WRITING, insert.execute(&mut self.connection)).await?;
                true
            }
            (Change::Keep, _) => false,
        };
        self.run(WRITING, "COMMIT").await?;
        self.unlock().await?;
        Ok(written)
    }

    async fn network_id(&mut self) -> Result<u64, SourceError> {
        let networks = self.networks().await?;
        Ok(self.installation.choose(&networks).map_err(|why| not_ours(&why))?.id)
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

fn refused(option: &str, why: &CannotChange) -> SourceError {
    SourceError::Refused { what: format!("the option `{option}` cannot be changed: {why}") }
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
