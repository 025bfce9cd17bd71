//! Writing stages back to WordPress, where they are not what they should be: as checks end, a few
//! at a time.
//!
//! A check is in the ledger before the stage that follows from it is in WordPress. So no crash
//! leaves an older check whose stage would be written over it.

use std::collections::VecDeque;
use std::time::Duration;

use rules::action::{Action, Outcome};
use rules::ledger::LedgerError;
use rules::source::{StageWrite, Written};
use rules::stage::project;
use rules::{DomainName, Entry, Network, Problem};
use tokio::sync::mpsc::UnboundedReceiver;

use super::deadline::Deadline;
use super::journal::Journal;
use super::writers::{AT_ONCE, Came, Writing};
use super::{Change, Engine, Entries, describe_failure};

/// The stages of checks that end within this time are written together.
const TOGETHER: Duration = Duration::from_millis(500);

/// The stages of one pass.
pub(super) struct Stages<'a> {
    engine: &'a Engine,
    network: &'a Network,
    journal: &'a Journal<'a>,
    deadline: &'a Deadline<'a>,
    writing: Option<Writing<'a>>,
    /// Whether any is written: not once one could not be, as the next pass tries again.
    are_written: bool,
    /// Why the ledger could not be written.
    failed: Option<LedgerError>,
}

impl<'a> Stages<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        network: &'a Network,
        journal: &'a Journal<'a>,
        deadline: &'a Deadline<'a>,
        are_written: bool,
    ) -> Self {
        Self { engine, network, journal, deadline, writing: None, are_written, failed: None }
    }

    /// Write the stage of everything that comes in, soon after it came, and meanwhile those of
    /// `entries`, until no more can come; every entry as it is afterwards.
    pub(super) async fn run(
        &mut self,
        mut entries: Entries,
        mut incoming: UnboundedReceiver<Entry>,
    ) -> Entries {
        let wrong = entries.values().filter(|entry| self.of(entry).is_some());
        let mut waiting: VecDeque<DomainName> = wrong.map(|entry| entry.domain.clone()).collect();
        let mut came: Vec<DomainName> = Vec::new();
        let mut at = (!waiting.is_empty()).then(|| self.engine.env.now());
        loop {
            tokio::select! {
                biased;
                entry = incoming.recv(), if came.len() < AT_ONCE => {
                    let Some(entry) = entry else { break };
                    if self.of(&entry).is_some() {
                        at.get_or_insert_with(|| self.engine.env.now() + TOGETHER);
                        came.push(entry.domain.clone());
                    }
                    entries.insert(entry.domain.clone(), entry);
                    continue;
                }
                () = self.until(at) => (),
            }
            let more = (AT_ONCE - came.len()).min(waiting.len());
            came.extend(waiting.drain(..more));
            self.write(&mut entries, &came).await;
            came.clear();
            at = (!waiting.is_empty()).then(|| self.engine.env.now());
        }
        came.extend(waiting);
        for names in came.chunks(AT_ONCE) {
            self.write(&mut entries, names).await;
        }
        entries
    }

    /// Wait until `at`, or without end where there is nothing to wait for.
    async fn until(&self, at: Option<rules::Time>) {
        match at {
            Some(at) => self.engine.env.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// What is to be written of `entry`.
    fn of(&self, entry: &Entry) -> Option<StageWrite> {
        if !self.are_written {
            return None;
        }
        let (policy, domain) = (&self.engine.settings.stages, &self.network.identity.domain);
        project(entry, policy, &self.network.stage_words, domain, self.engine.env.now())
    }

    /// Write the stages of `names`, at most [`AT_ONCE`] of them, where they are not as they should be.
    async fn write(&mut self, entries: &mut Entries, names: &[DomainName]) {
        let write = |name: &DomainName| Some((name.clone(), self.of(entries.get(name)?)?));
        let (domains, writes): (Vec<DomainName>, Vec<StageWrite>) =
            names.iter().filter_map(write).unzip();
        if writes.is_empty() || !self.deadline.is_open() {
            return;
        }
        if let Err(error) = self.journal.flush().await {
            (self.are_written, self.failed) = (false, Some(error));
            return;
        }
        let writing = match &mut self.writing {
            Some(writing) => writing,
            none => {
                let now = self.engine.env.now();
                none.insert(Writing::begin(&self.engine.writers, self.network, now).await)
            }
        };
        let written = writing.write(&writes).await;
        for problem in std::mem::take(&mut writing.problems) {
            self.journal.problem(problem);
        }
        match written {
            Ok(written) => {
                for ((domain, write), came) in domains.iter().zip(&writes).zip(&written) {
                    let entry = entries.get_mut(domain).expect("its entry asked for it");
                    self.take_in(entry, write, came);
                }
            }
            Err(error) => {
                self.journal.change(change(&domains[0], &writes[0], None), false);
                let what = "could not write a stage to WordPress, so none was written after it";
                self.journal.problem(Problem::of_all(describe_failure(what, &error)));
                self.are_written = false;
            }
        }
    }

    /// Write what stands of `names` now that everything else is done.
    ///
    /// # Errors
    ///
    /// The ledger could not be written, now or before.
    pub(super) async fn finish(
        mut self,
        entries: &mut Entries,
        names: &[DomainName],
    ) -> Result<(), LedgerError> {
        for names in names.chunks(AT_ONCE) {
            self.write(entries, names).await;
        }
        self.failed.map_or(Ok(()), Err)
    }

    /// What became of writing the stage of `entry`.
    fn take_in(&self, entry: &mut Entry, write: &StageWrite, came: &Came) {
        let Came { written, refused_before } = came;
        if *written == Written::Done {
            let before = entry.clone();
            if let Some(mapped) = &mut entry.mapped {
                mapped.stage = Some(write.to);
                mapped.secure |= write.secure;
            }
            self.journal.entry(Some(&before), entry);
        }
        if let Some(words) = written.refusal() {
            self.journal.problem(refused(entry, write, words));
        }
        self.journal.change(change(&entry.domain, write, Some(written)), *refused_before);
    }
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
            Some(Written::Refused { .. } | Written::NameRefused { .. }) => Outcome::Refused,
            None => Outcome::Failed,
        },
        reason: None,
        finding: None,
        detail: Some(write.to.to_string()),
    }
}
