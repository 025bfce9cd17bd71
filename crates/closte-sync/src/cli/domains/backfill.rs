//! `closte-sync domains backfill`: records for sites that were there before.

use std::fmt::Write as _;

use engine::ops::{self, Backfill, SiteRecord};
use rules::records::NewRecord;
use serde::Serialize;

use crate::cli::{Context, Exit, Failure};

/// List the sites without a domain record, and make their records with `--yes`
///
/// Sites that were there before the first pass get no record by themselves:
/// that could mean thousands of new aliases at once.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Make the records
    #[arg(long)]
    yes: bool,
}

#[derive(Serialize)]
struct View {
    records: Vec<RecordView>,
}

#[derive(Serialize)]
struct RecordView {
    site_id: u64,
    domain: String,
    outcome: &'static str,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        let (source, protected) = (access.source.as_ref(), wiring.protected_names(&access));
        let ledger = wiring.existing_ledger().await?;
        let what = if self.yes { Backfill::Create } else { Backfill::List };
        let records = ops::backfill(source, ledger.as_deref(), &protected, what).await?;
        let view = View { records: records.into_iter().map(RecordView::of).collect() };
        if context.console.is_json() {
            context.console.json(&view);
        } else {
            context.console.say(self.text(&view));
        }
        Ok(Exit::Done)
    }

    fn text(&self, view: &View) -> String {
        if view.records.is_empty() {
            return "every site that should have a record has one".to_owned();
        }
        let mut text = String::new();
        for RecordView { site_id, domain, outcome } in &view.records {
            let _ = writeln!(text, "site {site_id}  {domain}  {outcome}");
        }
        if !self.yes {
            let count = view.records.len();
            let _ = writeln!(
                text,
                "{count} records would be made by `closte-sync domains backfill --yes`"
            );
        }
        text
    }
}

impl RecordView {
    fn of(SiteRecord { record, state }: SiteRecord) -> Self {
        let NewRecord { site_id, domain, .. } = record;
        Self { site_id, domain: domain.to_string(), outcome: state.as_str() }
    }
}
