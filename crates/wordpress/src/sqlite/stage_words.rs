//! The words that `stage` can have: SQLite has no enums, so the integration notes them elsewhere.

use std::collections::BTreeSet;

use rules::Stage;
use rules::source::SourceError;

use super::failure;
use super::link::Link;
use super::read::READING;
use crate::rows::Cells;
use crate::snapshot::quoted_stages;

/// Where the integration's present driver notes MySQL's types.
const SCHEMA: &str = "SELECT column_type FROM _wp_sqlite_mysql_information_schema_columns \
    WHERE table_name = '{_}wu_domain_mappings' COLLATE NOCASE \
    AND column_name = 'stage' COLLATE NOCASE";

/// Where its earlier translator did; what the driver kept from it can still be there.
const CACHE: &str = "SELECT mysql_type FROM _mysql_data_types_cache \
    WHERE `table` = '{_}wu_domain_mappings' COLLATE NOCASE \
    AND column_or_index = 'stage' COLLATE NOCASE";

impl Link {
    /// From the first place that lists them; a column that is listed nowhere can have all six.
    /// `made_by` is the statement that made the table.
    pub(super) async fn stage_words(
        &mut self,
        made_by: &str,
    ) -> Result<BTreeSet<Stage>, SourceError> {
        for place in [SCHEMA, CACHE] {
            let words = self.noted(place).await?;
            if !words.is_empty() {
                return Ok(words);
            }
        }
        let checked = checked_words(made_by);
        Ok(if checked.is_empty() { Stage::ALL.into() } else { checked })
    }

    /// None where the place is not there, or has changed its form.
    async fn noted(&mut self, place: &'static str) -> Result<BTreeSet<Stage>, SourceError> {
        let mut words = BTreeSet::new();
        let read = self.rows_or(place, |row| {
            words.extend(quoted_stages(&row.text(0)?));
            Ok(())
        });
        match read.await {
            Err(error) if !failure::is_of_the_statement(&error) => {
                Err(failure::failed(READING, &self.file, error))
            }
            Ok(()) | Err(_) => Ok(words),
        }
    }
}

/// The words in `CHECK (stage IN ('…', …))`, if the table was made with one.
fn checked_words(made_by: &str) -> BTreeSet<Stage> {
    let made_by = made_by.to_ascii_lowercase();
    let after = made_by.match_indices("check").map(|(at, check)| &made_by[at + check.len()..]);
    // What continues differently is a stage that begins with "checking".
    let checks = after.filter_map(|it| it.trim_start().strip_prefix('(')?.split(')').next());
    checks.filter(|it| it.contains("stage")).flat_map(quoted_stages).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_check_are_read_and_a_default_is_none() {
        let words = |sql: &str| {
            let words = checked_words(sql);
            words.into_iter().map(Stage::as_str).collect::<Vec<_>>().join(" ")
        };
        let table = [
            ("stage TEXT DEFAULT 'checking-dns'", ""),
            ("stage TEXT CHECK(stage IN ('done','failed'))", "done failed"),
            ("`stage` text Check ( `stage` in ('checking-dns', 'done') ), x", "checking-dns done"),
            ("stage TEXT DEFAULT 'done', CHECK (active IN (0, 1))", ""),
            ("stage TEXT, CHECK (length(stage) < 30)", ""),
            ("CHECK (stage", ""),
        ];
        for (sql, want) in table {
            assert_eq!(words(sql), want, "{sql}");
        }
    }
}
