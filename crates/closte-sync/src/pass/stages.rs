//! Writing stages back to WordPress, where they are not what they should be.

use rules::source::{SourceError, StageWrite};
use rules::stage::project;
use rules::{Entry, Network, Problem};

use super::journal::Journal;
use super::{Change, Engine, Entries, told};

/// Write the stage of every entry that has another one than it should.
///
/// After a failure nothing more is written: the next pass tries again.
pub(super) async fn write(
    engine: &Engine,
    network: &Network,
    entries: &mut Entries,
    journal: &Journal<'_>,
) {
    for entry in entries.values_mut() {
        let now = engine.clock.now();
        let (policy, domain) = (&engine.settings.stages, &network.identity.domain);
        let Some(write) = project(entry, policy, &network.stage_words, domain, now) else {
            continue;
        };
        let written = engine.source.write_stage(&write).await;
        if let Ok(true) = written {
            take_over(entry, &write, journal);
        }
        journal.change(change(entry, &write, &written));
        if let Err(error) = written {
            let what = "could not write a stage to WordPress, so none was written after it";
            journal.problem(Problem::of_all(told(what, &error)));
            return;
        }
    }
}

fn take_over(entry: &mut Entry, write: &StageWrite, journal: &Journal<'_>) {
    let before = entry.clone();
    if let Some(mapped) = &mut entry.mapped {
        mapped.stage = Some(write.to);
        mapped.secure |= write.secure;
    }
    journal.entry(Some(&before), entry);
}

fn change(entry: &Entry, write: &StageWrite, written: &Result<bool, SourceError>) -> Change {
    Change {
        action: "write-stage",
        domain: entry.domain.clone(),
        outcome: match written {
            Ok(true) => "done",
            // Somebody changed the row meanwhile: the next read shows how.
            Ok(false) => "overtaken",
            Err(_) => "failed",
        },
        reason: None,
        detail: Some(write.to.to_string()),
    }
}
