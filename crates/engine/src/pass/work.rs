//! The steps of a pass: records, calls to the host, looks.
//!
//! ```text
//!   due calls ──▶ intent written ──▶ call ──▶ outcome ─┐
//!                                                      ├─▶ look ──▶ judged
//!   due looks ─────────────────────────────────────────┘
//! ```
//!
//! Calls and looks run beside each other: a slow host does not keep domains
//! from being checked, and a domain that was just added is checked next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use rules::action::{Action, Outcome};
use rules::answer;
use rules::breaker::Allowed;
use rules::doubt;
use rules::entry::{Call, Entry, Mapped};
use rules::host::{AliasList, HostError};
use rules::judge;
use rules::ledger::LedgerError;
use rules::planted;
use rules::reason::Reason;
use rules::records::NewRecord;
use rules::{DomainName, Network, Problem, Stage};
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use super::acting::Mark;
use super::checks::Checker;
use super::deadline::{self, Deadline};
use super::journal::Journal;
use super::{Change, Engine, Entries, PassObserver};

/// So many intents are written in one transaction.
const CHUNK: usize = 128;

/// The work of one pass.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) network: &'a Network,
    pub(super) mark: &'a Mark<'a>,
    pub(super) journal: &'a Journal<'a>,
    pub(super) deadline: &'a Deadline<'a>,
    pub(super) observer: &'a dyn PassObserver,
    /// Removals that a person let through.
    pub(super) approved: BTreeSet<DomainName>,
    /// Whether the host answered again after an outage.
    pub(super) recovered: AtomicBool,
}

/// Which checks are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checks {
    /// Those that are due.
    Due,
    /// None, and those that are due say that the clock is wrong.
    ByAWrongClock,
    /// None.
    None,
}

/// An entry that waits for a call.
struct Due {
    entry: Entry,
    call: Call,
}

/// An entry whose intent is written; `before` is what it was without it.
struct Intended {
    before: Entry,
    entry: Entry,
    call: Call,
    /// Whether an earlier call for the same is without a clear outcome.
    open: bool,
}

impl Work<'_> {
    /// Do everything that is due; every entry as it is afterwards.
    pub(super) async fn run(
        &self,
        mut entries: Entries,
        calls: &BTreeMap<DomainName, Call>,
        list: Option<&AliasList>,
        checks: Checks,
    ) -> Result<Entries, LedgerError> {
        let now = self.engine.env.now();
        let mut due_calls = Vec::new();
        for (name, call) in calls {
            if let Some(entry) = entries.remove(name) {
                due_calls.push(Due { entry, call: *call });
            }
        }
        // The one that waited longest goes first, so that none starves.
        due_calls.sort_by_key(|due| (due.entry.step.due, due.entry.step.tries));
        if checks == Checks::ByAWrongClock {
            self.skip_checks(&mut entries);
        }
        let checks = checks == Checks::Due;
        let is_due = |entry: &Entry| checks && entry.is_check_due(now);
        let due_checks: Vec<Entry> =
            entries.extract_if(.., |_, it| is_due(it)).map(|it| it.1).collect();
        self.observer.total(due_calls.len() + due_checks.len());

        let (to_check, checking) = mpsc::unbounded_channel();
        for entry in due_checks {
            to_check.send(entry).expect("the receiver is ours");
        }
        let checker =
            Checker::new(self.engine, self.network, self.journal, self.deadline, self.observer);
        let done = CancellationToken::new();
        let steps = async {
            let steps =
                tokio::join!(self.calls(due_calls, list, checks, to_check), checker.run(checking));
            done.cancel();
            steps
        };
        let ((after_calls, after_checks), written) =
            tokio::join!(steps, self.journal.keep_writing(&done));
        written?;
        let rest = after_calls?.into_iter().chain(after_checks);
        entries.extend(rest.map(|entry| (entry.domain.clone(), entry)));
        self.recover(&mut entries);
        self.settle(&mut entries).await;
        Ok(entries)
    }

    /// Our clock cannot be trusted: what is due is not checked, and says so.
    fn skip_checks(&self, entries: &mut Entries) {
        let now = self.engine.env.now();
        for entry in entries.values_mut().filter(|entry| entry.is_check_due(now)) {
            let before = entry.clone();
            judge::unobservable(entry, Reason::ClockWrong, now);
            self.journal.entry(Some(&before), entry);
        }
    }

    /// The host is back: what its outage had put off is due at once.
    fn recover(&self, entries: &mut Entries) {
        if !self.recovered.load(Ordering::Relaxed) {
            return;
        }
        for entry in entries.values_mut() {
            let before = entry.clone();
            answer::recovered(entry, self.engine.env.now());
            self.journal.entry(Some(&before), entry);
        }
    }

    /// Make the calls; entries to check next go to `to_check`, the others come back.
    async fn calls(
        &self,
        mut due: Vec<Due>,
        list: Option<&AliasList>,
        checks: bool,
        to_check: mpsc::UnboundedSender<Entry>,
    ) -> Result<Vec<Entry>, LedgerError> {
        let key = OnceCell::new();
        let mut rest = Vec::new();
        let mut pass_on = |entry: Entry| {
            self.observer.advances();
            if checks && entry.is_check_due(self.engine.env.now()) {
                to_check.send(entry).expect("the checks outlive the calls");
            } else {
                rest.push(entry);
            }
        };
        // After an outage one call finds out whether the host is back.
        if self.allowed() == Allowed::Probe && !due.is_empty() {
            let probe = self.intend(vec![due.remove(0)], list).await?;
            for intended in probe {
                pass_on(self.call(intended, &key).await);
            }
        }
        let mut chunks = Vec::new();
        while !due.is_empty() {
            let tail = due.split_off(self.chunk_of(&due));
            chunks.push(std::mem::replace(&mut due, tail));
        }
        let mut answers = stream::iter(chunks)
            .then(|chunk| self.intend(chunk, list))
            .map(|intended| match intended {
                Ok(intended) => stream::iter(intended.into_iter().map(Ok).collect::<Vec<_>>()),
                Err(error) => stream::iter(vec![Err(error)]),
            })
            .flatten()
            .map(async |intended| match intended {
                Ok(intended) => Ok(self.call(intended, &key).await),
                Err(error) => Err(error),
            })
            .buffer_unordered(self.engine.settings.concurrency)
            .boxed();
        while let Some(entry) = answers.next().await {
            pass_on(entry?);
        }
        Ok(rest)
    }

    /// How many of `due` are written down and sent together: no more removals than can be under
    /// way at once, as rows are read again right before them.
    fn chunk_of(&self, due: &[Due]) -> usize {
        let removals = due.iter().enumerate().filter(|(_, due)| due.call == Call::Remove);
        let over = removals.map(|(place, _)| place).nth(self.engine.settings.concurrency);
        CHUNK.min(due.len()).min(over.unwrap_or(CHUNK))
    }

    /// Those of `chunk` that may not be removed: their mapping is back, or nobody can tell.
    async fn kept(&self, chunk: &[Due]) -> BTreeSet<DomainName> {
        let gone = chunk.iter().filter(|due| due.call == Call::Remove);
        let gone: Vec<&Entry> = gone.map(|due| &due.entry).collect();
        if gone.is_empty() || planted!(RemoveOnOldRead) {
            return BTreeSet::new();
        }
        self.engine.source.came_back(&gone).await.unwrap_or_else(|error| {
            let what = "the mappings could not be read again, so nothing was removed";
            self.journal.problem(Problem::of_all(super::describe_failure(what, &error)));
            gone.iter().map(|entry| entry.domain.clone()).collect()
        })
    }

    /// Write down what is about to be asked for, with all that came in meanwhile.
    ///
    /// Where nothing may be sent, no intent is written.
    async fn intend(
        &self,
        chunk: Vec<Due>,
        list: Option<&AliasList>,
    ) -> Result<Vec<Intended>, LedgerError> {
        let now = self.engine.env.now();
        let may_send = self.allowed() != Allowed::None && self.deadline.is_open();
        let kept = if may_send { self.kept(&chunk).await } else { BTreeSet::new() };
        let intended: Vec<Intended> = chunk
            .into_iter()
            .map(|Due { entry: before, call }| {
                let mut entry = before.clone();
                let open = entry.step.intent.is_some();
                if may_send && !kept.contains(&entry.domain) {
                    if call == Call::Remove && !self.approved.contains(&entry.domain) {
                        self.journal.removes(&entry.domain);
                    }
                    let lacked = call == Call::Add && answer::lacks(list, &entry);
                    answer::intend(&mut entry, call, lacked, now);
                    self.journal.intended(&before, &entry);
                }
                Intended { before, entry, call, open }
            })
            .collect();
        if may_send && !planted!(ActBeforeIntent) {
            self.journal.flush().await?;
            self.mark.forward(self.journal).await;
        }
        Ok(intended)
    }

    /// Make one call and take in its answer.
    async fn call(&self, intended: Intended, key: &OnceCell<Option<String>>) -> Entry {
        let Intended { before, mut entry, call, open } = intended;
        if entry == before {
            return before;
        }
        let intended = entry.clone();
        let may_not = call == Call::Remove && self.mark.is_old();
        if may_not || self.allowed() == Allowed::None || !self.deadline.is_open() {
            self.journal.undone(&entry, &before);
            return before;
        }
        let answer = match call {
            Call::Add => self.engine.host.add_alias(&entry.domain).await,
            Call::Remove => self.engine.host.remove_alias(&entry.domain).await,
        };
        let answer = self.doubt_the_key(answer, key).await;
        let now = self.engine.env.now();
        self.journal.host(|host| {
            let was_out = host.breaker.open_until.is_some();
            answer::answered(&mut entry, host, call, &answer, now, open);
            if was_out && host.breaker.open_until.is_none() {
                self.recovered.store(true, Ordering::Relaxed);
            }
        });
        if let Err(error) = &answer {
            self.journal.call_failed(&entry, call.action(), error.to_string());
        }
        self.journal.change(called(&entry, call, &answer));
        if !planted!(DropOutcome) {
            self.journal.outcome(&before, &intended, &entry);
        }
        entry
    }

    /// A no in words that nobody has documented may be about the key and not the
    /// name: the first one of a pass is settled by the connection test.
    async fn doubt_the_key(
        &self,
        answer: Result<(), HostError>,
        key: &OnceCell<Option<String>>,
    ) -> Result<(), HostError> {
        if !matches!(answer, Err(HostError::Refused { .. })) {
            return answer;
        }
        let refused = key.get_or_init(async || self.engine.refusal_of_key().await.flatten()).await;
        match refused {
            Some(words) => Err(HostError::KeyRefused { words: words.clone() }),
            None => answer,
        }
    }

    fn allowed(&self) -> Allowed {
        if self.mark.is_lost() {
            return Allowed::None;
        }
        let now = self.engine.env.now();
        self.journal.host(|host| deadline::may_write(host, now))
    }

    /// Ask the list once more, where calls were left without a clear outcome.
    async fn settle(&self, entries: &mut Entries) {
        let now = self.engine.env.now();
        let open = |entry: &Entry| entry.step.intent.is_some();
        if !entries.values().any(open) || !self.deadline.is_open() {
            return;
        }
        if !self.journal.host(|host| deadline::may_ask(host, now)) {
            return;
        }
        let Ok(list) = self.engine.host.aliases().await else { return };
        let allowed = self.engine.settings.brake.allows_of(entries.values());
        let doubtful = doubt::lacking(&list, entries.values(), &self.approved, allowed).doubtful;
        let proven = answer::proves_itself(&list, entries.values());
        let believed = self.journal.host(|host| {
            host.list_believed |= proven;
            host.list_believed && !doubtful
        });
        for entry in entries.values_mut().filter(|entry| open(entry)) {
            let before = entry.clone();
            answer::listed(entry, &list, believed, false, now);
            self.journal.entry(Some(&before), entry);
        }
    }
}

/// The change that a call was.
fn called(entry: &Entry, call: Call, answer: &Result<(), HostError>) -> Change {
    let outcome = match answer {
        Ok(()) => Outcome::Done,
        Err(HostError::Rejected { .. }) => Outcome::Rejected,
        Err(HostError::Refused { .. }) => Outcome::Refused,
        Err(HostError::OutcomeUnknown { .. }) => Outcome::Unknown,
        Err(_) => Outcome::Failed,
    };
    Change {
        action: call.action(),
        domain: entry.domain.clone(),
        outcome,
        reason: answer.is_err().then_some(entry.alias.reason).flatten(),
        detail: answer.as_ref().err().map(describe),
    }
}

/// The host's own words, or else what the matter is.
fn describe(error: &HostError) -> String {
    error.words().map_or_else(|| error.to_string(), str::to_owned)
}

impl Engine {
    /// Make the records of new sites; their domains go on in the same pass.
    pub(super) async fn make_records(
        &self,
        records: &[NewRecord],
        entries: &mut Entries,
        calls: &mut BTreeMap<DomainName, Call>,
        journal: &Journal<'_>,
    ) {
        for record in records {
            let outcome = match self.source.create_record(record.site_id, &record.domain).await {
                Ok(Some(id)) => {
                    let (before, entry) =
                        recorded(entries.remove(&record.domain), record, id, self.env.now());
                    journal.entry(before.as_ref(), &entry);
                    journal.mapped([(record.site_id, record.registered)].into());
                    if entry.due_call(self.env.now()) == Some(Call::Add) {
                        calls.insert(record.domain.clone(), Call::Add);
                    }
                    entries.insert(record.domain.clone(), entry);
                    Outcome::Done
                }
                // Somebody else made it, or a mapping came meanwhile: the next read shows it.
                Ok(None) => Outcome::Overtaken,
                Err(error) => {
                    let what = format!("could not make the record of site {}", record.site_id);
                    journal.problem(Problem::of_all(super::describe_failure(&what, &error)));
                    Outcome::Failed
                }
            };
            journal.change(Change {
                action: Action::CreateRecord,
                domain: record.domain.clone(),
                outcome,
                reason: None,
                detail: Some(format!("site {}", record.site_id)),
            });
        }
    }
}

/// The entry of a name whose record was made: as it was `before`, where it was known, and as it is.
fn recorded(
    before: Option<Entry>,
    record: &NewRecord,
    mapping_id: u64,
    now: rules::Time,
) -> (Option<Entry>, Entry) {
    let mapped = Mapped {
        mapping_id,
        site_id: record.site_id,
        stage: Some(Stage::CheckingDns),
        secure: false,
        contested: false,
    };
    let mut entry = match &before {
        Some(entry) => entry.clone(),
        None => Entry::new(record.domain.clone(), None, now),
    };
    entry.want(mapped, now);
    (before, entry)
}
