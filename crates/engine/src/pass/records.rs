//! Making the records of new sites in WordPress.

use std::collections::BTreeMap;

use rules::action::{Action, Outcome};
use rules::entry::{Call, Entry, Mapped};
use rules::records::NewRecord;
use rules::{DomainName, Problem, Stage, Time};

use super::work::Work;
use super::{Change, Entries, describe_failure};

impl Work<'_> {
    /// Make `records`, those of new sites; their domains go on in the same pass.
    pub(super) async fn make_records(
        &self,
        records: &[NewRecord],
        entries: &mut Entries,
        calls: &mut BTreeMap<DomainName, Call>,
    ) {
        let journal = self.journal;
        for record in records {
            if !self.deadline.is_open() {
                return;
            }
            let outcome =
                match self.engine.source.create_record(record.site_id, &record.domain).await {
                    Ok(Some(id)) => {
                        let now = self.engine.env.now();
                        let before = entries.remove(&record.domain);
                        let entry = recorded(before.clone(), record, id, now);
                        journal.entry(before.as_ref(), &entry);
                        journal.mapped([(record.site_id, record.registered)].into());
                        if entry.due_call(now) == Some(Call::Add) {
                            calls.insert(record.domain.clone(), Call::Add);
                        }
                        entries.insert(record.domain.clone(), entry);
                        Outcome::Done
                    }
                    // Somebody else made it, or a mapping came meanwhile: the next read shows it.
                    Ok(None) => Outcome::Overtaken,
                    Err(error) => {
                        let what = format!("could not make the record of site {}", record.site_id);
                        journal.problem(Problem::of_all(describe_failure(&what, &error)));
                        Outcome::Failed
                    }
                };
            let change = Change {
                action: Action::CreateRecord,
                domain: record.domain.clone(),
                outcome,
                reason: None,
                finding: None,
                detail: Some(format!("site {}", record.site_id)),
            };
            journal.change(change, false);
        }
    }
}

/// The entry of a name whose record was made, where it was `known` before.
fn recorded(known: Option<Entry>, record: &NewRecord, mapping_id: u64, now: Time) -> Entry {
    let mapped = Mapped {
        mapping_id,
        site_id: record.site_id,
        stage: Some(Stage::CheckingDns),
        secure: false,
        left_alone: None,
    };
    let mut entry = known.unwrap_or_else(|| Entry::new(record.domain.clone(), None, now));
    entry.want(mapped, now);
    entry
}
