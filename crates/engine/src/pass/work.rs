//! The steps of a pass: calls to the host, checks, stages.
//!
//! ```text
//!   due calls ──▶ intent written ──▶ call ──▶ outcome ─┐
//!                                                      ├─▶ check ──▶ judged ──▶ stage
//!   due checks ────────────────────────────────────────┘
//! ```
//!
//! All three run beside each other: a slow host does not keep domains from being checked, a domain
//! that was just added is checked next, and the stage of one that was checked waits for no other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use rules::action::Outcome;
use rules::answer;
use rules::breaker::Allowed;
use rules::doubt;
use rules::entry::{Call, Entry};
use rules::finding::Code;
use rules::host::{AliasList, HostError};
use rules::judge;
use rules::ledger::LedgerError;
use rules::plain;
use rules::planted;
use rules::reason::Reason;
use rules::schedule;
use rules::twins;
use rules::{DomainName, Network, Problem, Time};
use tokio::sync::{OnceCell, mpsc};
use tokio_util::sync::CancellationToken;

use super::acting::Mark;
use super::checks::Checker;
use super::deadline::{self, Deadline};
use super::host::refusal_of_key;
use super::journal::Journal;
use super::stages::Stages;
use super::{Change, Engine, Entries, PassObserver};
use crate::texts;

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
    /// Whether stages are written.
    pub(super) stages: bool,
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
        let due_calls =
            schedule::order_calls(due_calls, self.deadline.began(), |due: &Due| &due.entry);
        if checks == Checks::ByAWrongClock {
            self.skip_checks(&mut entries);
        }
        let checks = checks == Checks::Due;
        let is_due = |entry: &Entry| checks && entry.is_check_due(now);
        let mut due_checks: Vec<Entry> =
            entries.extract_if(.., |_, it| is_due(it)).map(|it| it.1).collect();
        schedule::order_checks(&mut due_checks);
        self.observer.total(due_calls.len() + due_checks.len());

        let (to_check, checking) = mpsc::unbounded_channel();
        for entry in due_checks {
            to_check.send(entry).expect("the receiver is ours");
        }
        let (to_stage, staging) = mpsc::unbounded_channel();
        let next = Next { to_check: checks.then_some(to_check), to_stage: to_stage.clone() };
        let Self { engine, network, journal, deadline, observer, .. } = self;
        let checker = Checker::new(engine, network, journal, deadline, *observer);
        let mut stages = Stages::new(engine, network, journal, deadline, self.stages);
        let done = CancellationToken::new();
        let steps = Box::pin(async {
            let steps = tokio::join!(
                self.calls(due_calls, list, next),
                checker.run(checking, to_stage),
                stages.run(entries, staging),
            );
            done.cancel();
            steps
        });
        let ((after_calls, (), mut entries), written) =
            tokio::join!(steps, self.journal.keep_writing(&done));
        written?;
        after_calls?;
        self.recover(&mut entries);
        let settled = self.settle(&mut entries).await;
        stages.finish(&mut entries, &settled).await?;
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

    /// Make the calls; each entry goes on to what is `next`.
    async fn calls(
        &self,
        mut due: Vec<Due>,
        list: Option<&AliasList>,
        next: Next,
    ) -> Result<(), LedgerError> {
        let key = OnceCell::new();
        let pass_on = |entry: Entry| {
            self.observer.advances();
            next.of(entry, self.engine.env.now());
        };
        // After an outage one call finds out whether the host is back.
        if self.allowed() == Allowed::Probe && !due.is_empty() {
            let probe = self.intend(vec![due.remove(0)], list).await?;
            for intended in probe {
                pass_on(self.call(intended, &key).await);
            }
        }
        let chunks = in_chunks(due, |rest| self.chunk_of(rest));
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
        self.deadline.called();
        Ok(())
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
        // A twin stays where the mapping of its parent is back.
        let as_parent = |entry: &&Entry| {
            let domain = entry.twin_of().filter(|_| !planted!(ForgetParent))?;
            Some(Entry { domain, ..(*entry).clone() })
        };
        let parents: Vec<Entry> = gone.iter().filter_map(as_parent).collect();
        let asked: Vec<&Entry> = gone.iter().copied().chain(&parents).collect();
        let mut back = self.engine.source.came_back(&asked).await.unwrap_or_else(|error| {
            let what = "the mappings could not be read again, so nothing was removed";
            self.journal.problem(Problem::of_all(super::describe_failure(what, &error)));
            gone.iter().map(|entry| entry.domain.clone()).collect()
        });
        let twins = gone.iter().filter(|it| it.twin_of().is_some_and(|name| back.contains(&name)));
        let twins: Vec<DomainName> = twins.map(|entry| entry.domain.clone()).collect();
        back.extend(twins);
        back
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
                        self.journal.removes(&twins::counted_as(&entry));
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
            if intended.iter().any(|it| it.call == Call::Remove && it.entry != it.before) {
                self.mark.forward_again(self.journal).await;
            } else {
                self.mark.forward(self.journal).await;
            }
            if self.mark.is_lost() {
                self.deadline.close();
            }
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
        let turn = tokio::select! {
            biased;
            () = self.deadline.cut_short() => None,
            turn = self.engine.host.turn() => Some(turn),
            () = self.deadline.over() => None,
        };
        let may_not = call == Call::Remove && self.mark.is_old();
        if may_not || turn.is_none() || self.allowed() == Allowed::None || !self.deadline.is_open()
        {
            self.journal.undone(&entry, &before);
            return before;
        }
        self.deadline.called();
        if call == Call::Remove && !self.approved.contains(&entry.domain) {
            // Its hour begins with the call: the intent is older by all that went before it.
            self.journal.removes(&twins::counted_as(&entry));
        }
        let answer = match call {
            Call::Add => self.engine.host.add_alias(&entry.domain).await,
            Call::Remove => self.engine.host.remove_alias(&entry.domain).await,
        };
        drop(turn);
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
        let change = called(&entry, call, &answer);
        let refused_before = is_refused_again(&before, &change);
        self.journal.change(change, refused_before);
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
        let host = self.engine.host.as_ref();
        let refused = key.get_or_init(async || refusal_of_key(host).await.flatten()).await;
        match refused {
            Some(words) => Err(HostError::KeyRefused { words: words.clone() }),
            None => answer,
        }
    }

    fn allowed(&self) -> Allowed {
        let now = self.engine.env.now();
        self.journal.host(|host| deadline::may_write(host, now))
    }

    /// Ask the list once more, where calls were left without a clear outcome; of which domains.
    async fn settle(&self, entries: &mut Entries) -> Vec<DomainName> {
        let now = self.engine.env.now();
        let open = |entry: &Entry| entry.step.intent.is_some();
        if !entries.values().any(open) || !self.deadline.is_open() {
            return Vec::new();
        }
        if !self.journal.host(|host| deadline::may_ask(host, now)) {
            return Vec::new();
        }
        let Ok(list) = self.engine.host.aliases().await else { return Vec::new() };
        let allowed = self.engine.settings.brake.allows_of(entries.values());
        let doubtful = doubt::lacking(&list, entries.values(), &self.approved, allowed).doubtful;
        let proven = answer::proves_itself(&list, entries.values());
        let believed = self.journal.host(|host| {
            host.list_believed |= proven;
            host.list_believed && !doubtful
        });
        let mut settled = Vec::new();
        for entry in entries.values_mut().filter(|entry| open(entry)) {
            let before = entry.clone();
            answer::listed(entry, &list, believed, false, now);
            self.journal.entry(Some(&before), entry);
            settled.push(entry.domain.clone());
        }
        settled
    }
}

/// Where an entry goes when its call is made.
struct Next {
    /// None where nothing is checked.
    to_check: Option<mpsc::UnboundedSender<Entry>>,
    to_stage: mpsc::UnboundedSender<Entry>,
}

impl Next {
    fn of(&self, entry: Entry, now: Time) {
        let to_check = self.to_check.as_ref().filter(|_| entry.is_check_due(now));
        let to = to_check.unwrap_or(&self.to_stage);
        to.send(entry).expect("checks outlive the calls, and stages the checks");
    }
}

/// `all` in chunks, each as large as `size` says of what is left. A chunk has no more memory than it
/// needs: what is left after `Vec::split_off` would keep that of the whole.
fn in_chunks<T>(all: Vec<T>, size: impl Fn(&[T]) -> usize) -> Vec<Vec<T>> {
    let (mut rest, mut chunks) = (all.into_iter(), Vec::new());
    while !rest.as_slice().is_empty() {
        let size = size(rest.as_slice());
        chunks.push(rest.by_ref().take(size).collect());
    }
    chunks
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
    let reason = answer.is_err().then_some(entry.alias.reason).flatten();
    Change {
        action: call.action(),
        domain: entry.domain.clone(),
        outcome,
        reason,
        finding: reason.and_then(|it| Code::from_word(it.code())),
        detail: answer.as_ref().map_or_else(|error| Some(describe(error)), |()| texts::twin(entry)),
    }
}

/// Whether the host refuses what it had refused `before`, in the same words.
fn is_refused_again(before: &Entry, change: &Change) -> bool {
    matches!(change.outcome, Outcome::Rejected | Outcome::Refused)
        && change.reason.is_some()
        && change.reason == before.alias.reason
        && change.detail.clone().map(plain::kept) == before.alias.detail
}

/// The host's own words, or else what the matter is.
fn describe(error: &HostError) -> String {
    error.words().map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::entry::Alias;

    #[test]
    fn chunks_take_no_more_memory_than_all_of_it() {
        let chunks = in_chunks((0..10_000).collect(), |rest: &[u32]| rest.len().min(CHUNK));
        assert_eq!(
            chunks.iter().flatten().copied().collect::<Vec<_>>(),
            (0..10_000).collect::<Vec<_>>()
        );
        assert!(chunks.iter().map(Vec::capacity).sum::<usize>() < 20_000);
    }

    #[test]
    #[rustfmt::skip] // One case a line.
    fn a_refusal_is_no_news_where_the_same_was_said_before() {
        use Outcome::{Done, Failed, Refused, Rejected};
        let no = Some(Reason::HostSaidNo);
        let table = [
            // reason and words before    came of it, with reason and words    again
            (None, None,                  Refused,  no, Some("no"),            false),
            (no,   Some("no"),            Refused,  no, Some("no"),            true),
            (no,   Some("no"),            Rejected, no, Some("no"),            true),
            (no,   Some("never"),         Refused,  no, Some("no"),            false),
            (no,   Some("no"),            Failed,   no, Some("no"),            false),
            (None, None,                  Done,     None, None,                false),
        ];
        for (was, said, outcome, reason, words, again) in table {
            let now = Time::from_millis(0);
            let mut before = Entry::new("shop.example".parse().unwrap(), None, now);
            before.alias.set(now, Alias::Rejected, was, said.map(str::to_owned));
            let (action, domain) = (Call::Add.action(), before.domain.clone());
            let detail = words.map(str::to_owned);
            let change = Change { action, domain, outcome, reason, finding: None, detail };
            assert_eq!(is_refused_again(&before, &change), again, "{was:?} {said:?}, {change:?}");
        }
    }
}
