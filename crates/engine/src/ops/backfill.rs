//! Records for sites that were there before the first pass.

use rules::ledger::Ledger;
use rules::records::{MappedSites, NewRecord, missing};
use rules::source::NetworkSource;

use super::{ProtectedNames, refuse_not_ours};
use crate::failure::Failure;

/// What to do about sites without a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// Name them.
    List,
    /// Make their records.
    Create,
}

/// A site that has no record and should have one, and what became of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteRecord {
    pub record: NewRecord,
    pub state: RecordState,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordState {
    /// It is missing, and was not made.
    Missing,
    /// It is made.
    Made,
    /// Somebody else was faster, or took the name.
    Overtaken,
}

impl RecordState {
    /// The word that scripts read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Made => "made",
            Self::Overtaken => "overtaken",
        }
    }
}

/// The sites of the network, old ones too, that lack a record; with [`Backfill::Create`] they
/// get it.
///
/// A site that the ledger ever saw mapped is left out: what a person removed stays removed.
pub async fn backfill(
    source: &dyn NetworkSource,
    ledger: Option<&dyn Ledger>,
    protected: &ProtectedNames,
    what: Backfill,
) -> Result<Vec<SiteRecord>, Failure> {
    let network = source.read().await?;
    if what == Backfill::Create {
        refuse_not_ours(&network, ledger).await?;
    }
    let ever_mapped = match ledger {
        Some(ledger) => ledger.load().await?.mapped_sites,
        None => MappedSites::new(),
    };
    let mut records = Vec::new();
    for record in missing(&network, &protected.on(&network), None, &ever_mapped) {
        let state = match what {
            Backfill::List => RecordState::Missing,
            Backfill::Create => create(source, &record).await?,
        };
        records.push(SiteRecord { record, state });
    }
    Ok(records)
}

async fn create(source: &dyn NetworkSource, record: &NewRecord) -> Result<RecordState, Failure> {
    let made = source.create_record(record.site_id, &record.domain).await?;
    Ok(if made.is_some() { RecordState::Made } else { RecordState::Overtaken })
}
