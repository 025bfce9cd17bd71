//! Rows of any database, column by column, on their way into a [`Snapshot`].
//!
//! Each function reads the columns of one kind of row in the order that its comment gives. The
//! snapshot decides what a row means.

use std::collections::BTreeSet;
use std::str::FromStr;

use rules::network::Hidden;
use sqlx::Error;

use crate::installation::NetworkRow;
use crate::salts::Stored;
use crate::snapshot::{MappingRow, SiteRow, Snapshot};

/// A row whose cells are read as the bytes of their text.
pub(crate) trait Cells {
    /// None for NULL.
    fn cell(&self, column: usize) -> Result<Option<&[u8]>, Error>;

    fn text(&self, column: usize) -> Result<String, Error> {
        let bytes = self.cell(column)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn switch(&self, column: usize) -> Result<bool, Error> {
        Ok(self.number::<i64>(column)?.is_some_and(|it| it != 0))
    }

    /// None for NULL and for what does not fit, such as a negative id.
    fn number<T: FromStr>(&self, column: usize) -> Result<Option<T>, Error> {
        let bytes = self.cell(column)?;
        Ok(bytes.and_then(|it| std::str::from_utf8(it).ok()?.parse().ok()))
    }
}

/// `id`, `domain`, `path` of `wp_site`.
pub(crate) fn network(row: &impl Cells) -> Result<NetworkRow, Error> {
    let id = row.number(0)?.unwrap_or_default();
    Ok(NetworkRow { id, domain: row.text(1)?, path: row.text(2)? })
}

/// `blog_id`, `site_id`, `domain`, `path`, age in seconds, how it is hidden, of `wp_blogs`.
pub(crate) fn site(row: &impl Cells, snapshot: &mut Snapshot<'_>) -> Result<(), Error> {
    let (Some(id), Some(network_id)) = (row.number(0)?, row.number(1)?) else {
        snapshot.unreadable_row("blogs");
        return Ok(());
    };
    snapshot.site(&SiteRow {
        id,
        network_id,
        domain: row.cell(2)?.unwrap_or_default(),
        path: row.cell(3)?.unwrap_or_default(),
        age: row.number(4)?,
        hidden: hidden(row.number(5)?.unwrap_or_default()),
        registered: row.number(6)?,
    });
    Ok(())
}

/// As the statements say it: 1 archived, 2 spam or deleted.
fn hidden(number: u64) -> Option<Hidden> {
    match number {
        0 => None,
        1 => Some(Hidden::Archived),
        _ => Some(Hidden::Deleted),
    }
}

/// `id`, `blog_id`, `domain`, `stage`, `secure`, `active`, `primary_domain` of a mapping.
pub(crate) fn mapping(row: &impl Cells, snapshot: &mut Snapshot<'_>) -> Result<(), Error> {
    let Some(id) = row.number(0)? else {
        snapshot.unreadable_row("wu_domain_mappings");
        return Ok(());
    };
    snapshot.mapping(&MappingRow {
        id,
        site_id: row.number(1)?.unwrap_or_default(),
        domain: row.cell(2)?.unwrap_or_default(),
        stage: row.cell(3)?,
        secure: row.switch(4)?,
        active: row.switch(5)?,
        primary: row.switch(6)?,
    });
    Ok(())
}

/// `site_id`, `meta_id`, `meta_key`, `meta_value` of `wp_sitemeta`, where it is of `network` and
/// the first of its name; `seen` has the names so far.
pub(crate) fn option(
    row: &impl Cells,
    network: u64,
    seen: &mut BTreeSet<String>,
    snapshot: &mut Snapshot<'_>,
) -> Result<(), Error> {
    let name = row.text(2)?;
    if row.number(0)? == Some(network) && seen.insert(name.clone()) {
        let id = row.number(1)?.unwrap_or_default();
        snapshot.option(id, &name, row.cell(3)?.unwrap_or_default());
    }
    Ok(())
}

/// `meta_key`, `meta_value` of `wp_sitemeta`, of those of `names` that are there; of several rows
/// of a name, the last.
pub(crate) fn named(rows: &[impl Cells], names: &[&'static str]) -> Result<Stored, Error> {
    let mut stored = Stored::new();
    for row in rows {
        let key = row.cell(0)?.unwrap_or_default();
        // The database may find other spellings.
        if let Some(name) = names.iter().find(|name| name.as_bytes() == key) {
            stored.insert(name, row.cell(1)?.unwrap_or_default().to_vec());
        }
    }
    Ok(stored)
}

/// `id`, `settings` of a checkout form.
pub(crate) fn form(row: &impl Cells, snapshot: &mut Snapshot<'_>) -> Result<(), Error> {
    let id = row.number(0)?.unwrap_or_default();
    snapshot.form(id, row.cell(1)?.unwrap_or_default());
    Ok(())
}
