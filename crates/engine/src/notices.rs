//! Telling receivers outside what a pass found out.
//!
//! What is told is decided as for cron's mails, remembered apart from them, and written into the
//! outbox together with that memory; `courier.rs` sends it from there. Where nobody is to be told,
//! nothing is read or written.

mod courier;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rules::ledger::LedgerError;
use rules::notice::{
    DIGEST_EVERY, Known, Message, NoticeMemory, Post, Receiver, Written, digest, grouped,
};
use rules::telling::{self, Pass, Patience, Telling};
use rules::{Problem, Time};
use tokio::sync::Notify;

use crate::ops::Found;
use crate::pass::{Engine, Entries, PassError, Report};
use crate::texts;

/// So many of the newest events are looked through for a digest.
const MOST_EVENTS: u32 = 5_000;

/// Who is told, and after how much patience.
pub struct Notices {
    /// Each with a name of its own.
    pub receivers: Vec<Arc<dyn Receiver>>,
    pub patience: Patience,
    /// That something was put into the outbox.
    queued: Notify,
}

impl Notices {
    pub fn new(receivers: Vec<Arc<dyn Receiver>>, patience: Patience) -> Self {
        Self { receivers, patience, queued: Notify::new() }
    }

    fn names(&self) -> Vec<String> {
        self.receivers.iter().map(|receiver| receiver.name().to_owned()).collect()
    }
}

/// Nobody is told.
impl Default for Notices {
    fn default() -> Self {
        let patience = Patience { broken: Duration::ZERO, unseen: Duration::ZERO };
        Self::new(Vec::new(), patience)
    }
}

impl Engine {
    /// Tell what a pass that acted found out and left.
    pub(crate) async fn announce_pass(
        &self,
        report: &Report,
        entries: &Entries,
    ) -> Result<(), LedgerError> {
        let (now, patience) = (self.env.now(), self.notices.patience);
        if self.notices.receivers.is_empty() {
            return Ok(());
        }
        let found = Found::of_pass(report, entries, patience, now);
        let mut memory = self.ledger.outbox().notice_memory().await?;
        let before = memory.clone();
        let digest = self.digest(&mut memory, &found.muted, now).await?;
        let mut messages = self.tell(&mut memory, found, |name| {
            name.parse().ok().and_then(|name: rules::DomainName| entries.get(&name))
        });
        messages.extend(digest);
        self.put(before, memory, messages).await
    }

    /// Tell the alerts of a pass that did not act for the network.
    pub(crate) async fn announce_alerts(&self, report: &Report) -> Result<(), LedgerError> {
        self.announce(Found::of_alerts(report)).await
    }

    /// Tell that a pass failed, where none ran to its end for as long as a served domain may be
    /// broken: what is put right by the next try is no news.
    pub(crate) async fn announce_failure(&self, error: &PassError) -> Result<(), LedgerError> {
        let is_of_the_network = matches!(error, PassError::Read(_) | PassError::Write(_));
        if self.notices.receivers.is_empty() || !is_of_the_network {
            return Ok(());
        }
        let last = self.ledger.memory().await?.last_pass;
        let is_recent = |at: Time| self.env.now().since(at) < self.notices.patience.broken;
        if last.is_some_and(|last| is_recent(last.at)) {
            return Ok(());
        }
        self.announce(Found::of_failure(&crate::error_chain(error))).await
    }

    async fn announce(&self, found: Found) -> Result<(), LedgerError> {
        if self.notices.receivers.is_empty() {
            return Ok(());
        }
        let mut memory = self.ledger.outbox().notice_memory().await?;
        let before = memory.clone();
        let messages = self.tell(&mut memory, found, |_| None);
        self.put(before, memory, messages).await
    }

    /// The messages about what was `found`, and that it is remembered as told.
    fn tell<'a>(
        &self,
        memory: &mut NoticeMemory,
        mut found: Found,
        entry: impl Fn(&str) -> Option<&'a rules::Entry>,
    ) -> Vec<Message> {
        let (now, patience) = (self.env.now(), self.notices.patience);
        telling::leave_out(&found.muted, &mut memory.told, &mut found.signs);
        let pass = Pass { scope: found.scope, patience, now };
        let (tellings, told) = telling::tell(&memory.told, &found.signs, &pass);
        memory.told = told;
        let message = |group: Vec<Telling>| {
            let of = group.first().and_then(|first| entry(&first.topic.about));
            let written = self.written(texts::tellings(&group).join("\n"));
            Message::of(&group, of, written)
        };
        grouped(tellings).into_iter().map(message).collect()
    }

    /// The digest, where a day is over and there is anything in it.
    async fn digest(
        &self,
        memory: &mut NoticeMemory,
        muted: &BTreeSet<String>,
        now: Time,
    ) -> Result<Option<Message>, LedgerError> {
        let Some(after) = memory.digest_at.map(|at| at.min(now)) else {
            memory.digest_at = Some(now);
            return Ok(None);
        };
        if now.since(after) < DIGEST_EVERY {
            return Ok(None);
        }
        memory.digest_at = Some(now);
        let events = self.ledger.events(None, MOST_EVENTS).await?;
        let digest = digest(&events, (after, now), muted);
        Ok(digest.map(|digest| {
            let written = self.written(texts::digest(&digest));
            Message::of_digest(digest, written)
        }))
    }

    /// Write down what is told, and that it was.
    async fn put(
        &self,
        before: NoticeMemory,
        memory: NoticeMemory,
        messages: Vec<Message>,
    ) -> Result<(), LedgerError> {
        if memory == before && messages.is_empty() {
            return Ok(());
        }
        let is_news = !messages.is_empty();
        let post = Post { memory, messages, receivers: self.notices.names() };
        self.ledger.outbox().post(&post).await?;
        if is_news {
            self.notices.queued.notify_one();
        }
        Ok(())
    }

    /// Whether messages wait that were tried in vain, or that this process cannot send.
    pub(crate) async fn has_unsent_messages(&self) -> Result<bool, LedgerError> {
        if self.notices.receivers.is_empty() {
            return Ok(false);
        }
        let known = self.ledger.outbox().receivers().await?;
        Ok(self.notices.receivers.iter().any(|receiver| {
            known.get(receiver.name()).is_some_and(|Known { state, waiting }| {
                let is_failing = state.failing_since.is_some() && state.off_since.is_none();
                0 < *waiting && (is_failing || !receiver.can_send())
            })
        }))
    }

    /// What is wrong with receivers.
    pub(crate) async fn receiver_problems(&self) -> Result<Vec<Problem>, LedgerError> {
        if self.notices.receivers.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.ledger.outbox().receivers().await?;
        let problem = |name: &String| known.get(name)?.state.problem(name);
        Ok(self.notices.names().iter().filter_map(problem).collect())
    }

    fn written(&self, text: String) -> Written {
        written(&self.env, text)
    }
}

/// A message of now, with a name that no other has.
pub(crate) fn written(env: &crate::Env, text: String) -> Written {
    let id = format!("msg_{:016x}{:016x}", env.random.next(), env.random.next());
    Written { id, at: env.now(), text }
}
