//! The outbox of the ledger in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rules::Time;
use rules::ledger::LedgerError;
use rules::notice::{Known, Message, NoticeMemory, Outbox, Post, ReceiverState};

use super::MemoryLedger;

/// What waits for each receiver, in order, and how each does.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryOutbox {
    memory: NoticeMemory,
    waiting: BTreeMap<String, Vec<Message>>,
    states: BTreeMap<String, ReceiverState>,
}

impl MemoryOutbox {
    /// Forget the messages from before `before`.
    pub(super) fn forget(&mut self, before: Time) {
        for waiting in self.waiting.values_mut() {
            waiting.retain(|message| before <= message.at);
        }
    }
}

#[async_trait]
impl Outbox for MemoryLedger {
    async fn notice_memory(&self) -> Result<NoticeMemory, LedgerError> {
        Ok(self.state().outbox.memory.clone())
    }

    async fn post(&self, post: &Post) -> Result<(), LedgerError> {
        let outbox = &mut self.state().outbox;
        outbox.memory = post.memory.clone();
        for receiver in &post.receivers {
            let waiting = outbox.waiting.entry(receiver.clone()).or_default();
            for message in &post.messages {
                if !waiting.iter().any(|it| it.id == message.id) {
                    waiting.push(message.clone());
                }
            }
        }
        Ok(())
    }

    async fn waiting(&self, receiver: &str, most: usize) -> Result<Vec<Message>, LedgerError> {
        let waiting = self.state().outbox.waiting.get(receiver).cloned();
        Ok(waiting.into_iter().flatten().take(most).collect())
    }

    async fn receivers(&self) -> Result<BTreeMap<String, Known>, LedgerError> {
        let outbox = &self.state().outbox;
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for (name, waiting) in outbox.waiting.iter().filter(|(_, waiting)| !waiting.is_empty()) {
            known.entry(name.clone()).or_default().waiting = waiting.len() as u64;
        }
        for (name, state) in &outbox.states {
            known.entry(name.clone()).or_default().state = state.clone();
        }
        Ok(known)
    }

    async fn settle(
        &self,
        receiver: &str,
        over: &[Message],
        state: &ReceiverState,
    ) -> Result<(), LedgerError> {
        let outbox = &mut self.state().outbox;
        if let Some(waiting) = outbox.waiting.get_mut(receiver) {
            waiting.retain(|message| !over.iter().any(|it| it.id == message.id));
        }
        outbox.states.insert(receiver.to_owned(), state.clone());
        Ok(())
    }
}
