//! `closte-sync domains backfill`: records for sites that were there before.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use rules::ledger::Ledger;
use rules::records::{NewRecord, missing};
use rules::source::NetworkSource;
use serde::Serialize;

use super::add::refuse_on_copy;
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
        let source = &access.source;
        let network = source.read().await?;
        let ever_mapped = match wiring.existing_ledger().await? {
            Some(ledger) => ledger.load().await?.mapped_sites,
            None => BTreeSet::new(),
        };
        let records = missing(&network, &wiring.protected(&network, &access), 0, &ever_mapped);
        if self.yes {
            refuse_on_copy(&network)?;
        }
        let mut view = View { records: Vec::new() };
        for record in records {
            let outcome = if self.yes { make(source.as_ref(), &record).await? } else { "missing" };
            let (site_id, domain) = (record.site_id, record.domain.to_string());
            view.records.push(RecordView { site_id, domain, outcome });
        }
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

async fn make(source: &dyn NetworkSource, record: &NewRecord) -> Result<&'static str, Failure> {
    let made = source.create_record(record.site_id, &record.domain).await?;
    Ok(if made.is_some() { "made" } else { "overtaken" })
}
