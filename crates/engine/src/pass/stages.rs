//! Writing stages back to WordPress, where they are not what they should be.

use rules::action::{Action, Outcome};
use rules::source::{StageWrite, Written};
use rules::stage::project;
use rules::{DomainName, Entry, Network, Problem};

use super::journal::Journal;
use super::writers::Writing;
use super::{Change, Engine, Entries, describe_failure};

/// Write the stage of every entry that has another one than it should.
///
/// After a failure nothing more is written: the next pass tries again.
pub(super) async fn write(
    engine: &Engine,
    network: &Network,
    entries: &mut Entries,
    journal: &Journal<'_>,
) {
    let (domains, writes) = wrong(engine, network, entries);
    if writes.is_empty() {
        return;
    }
    let mut writing = Writing::begin(&engine.writers, network, engine.env.now()).await;
    let (written, failure) = writing.write(&writes).await;
    for ((domain, write), written) in domains.iter().zip(&writes).zip(&written) {
        let entry = entries.get_mut(domain).expect("its entry asked for it");
        if *written == Written::Done {
            take_over(entry, write, journal);
        }
        if let Written::Refused { words } = written {
            journal.problem(refused(entry, write, words));
        }
        journal.change(change(domain, write, Some(written)));
    }
    for problem in writing.problems {
        journal.problem(problem);
    }
    if let Some(error) = failure {
        let at = written.len();
        journal.change(change(&domains[at], &writes[at], None));
        let what = "could not write a stage to WordPress, so none was written after it";
        journal.problem(Problem::of_all(describe_failure(what, &error)));
    }
}

/// What to write, and of which domains.
fn wrong(
    engine: &Engine,
    network: &Network,
    entries: &Entries,
) -> (Vec<DomainName>, Vec<StageWrite>) {
    let (policy, domain) = (&engine.settings.stages, &network.identity.domain);
    let write = |(name, entry): (&DomainName, &Entry)| {
        let now = engine.env.now();
        Some((name.clone(), project(entry, policy, &network.stage_words, domain, now)?))
    };
    entries.iter().filter_map(write).unzip()
}

fn take_over(entry: &mut Entry, write: &StageWrite, journal: &Journal<'_>) {
    let before = entry.clone();
    if let Some(mapped) = &mut entry.mapped {
        mapped.stage = Some(write.to);
        mapped.secure |= write.secure;
    }
    journal.entry(Some(&before), entry);
}

fn refused(entry: &Entry, write: &StageWrite, words: &str) -> Problem {
    Problem {
        table: Some("wu_domain_mappings".to_owned()),
        column: Some("stage".to_owned()),
        id: Some(write.mapping_id),
        reason: format!("WordPress will not save `{}` for {}: {words}", write.to, entry.domain),
    }
}

fn change(domain: &DomainName, write: &StageWrite, written: Option<&Written>) -> Change {
    Change {
        action: Action::WriteStage,
        domain: domain.clone(),
        outcome: match written {
            Some(Written::Done) => Outcome::Done,
            // Somebody changed the row meanwhile: the next read shows how.
            Some(Written::Overtaken) => Outcome::Overtaken,
            Some(Written::Refused { .. }) => Outcome::Refused,
            None => Outcome::Failed,
        },
        reason: None,
        detail: Some(write.to.to_string()),
    }
}
