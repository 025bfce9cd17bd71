//! A receiver that keeps what it was told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rules::Time;
use rules::notice::{Delivery, Message, Receiver};

use crate::Timer;

/// How a receiver answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiverMood {
    /// It takes what comes.
    #[default]
    Takes,
    /// It does not answer.
    Silent,
    /// It refuses what comes.
    Refuses,
}

/// A [`Receiver`] in memory; its clones are the same one.
#[derive(Clone)]
pub struct MemoryReceiver {
    name: String,
    clock: Arc<dyn Timer>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    mood: ReceiverMood,
    takes: Duration,
    asked: usize,
    got: Vec<(Time, Message)>,
}

impl MemoryReceiver {
    /// One of this name that takes everything at once.
    pub fn new(name: impl Into<String>, clock: Arc<dyn Timer>) -> Self {
        Self { name: name.into(), clock, state: Arc::default() }
    }

    /// How it answers from now on.
    pub fn becomes(&self, mood: ReceiverMood) {
        self.state().mood = mood;
    }

    /// How long an answer takes from now on; a message is there before it.
    pub fn takes(&self, time: Duration) {
        self.state().takes = time;
    }

    /// How often something was sent to it.
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    /// What it took, and when, each time that it came.
    pub fn got(&self) -> Vec<(Time, Message)> {
        self.state().got.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Receiver for MemoryReceiver {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send(&self, messages: &[Message]) -> Delivery {
        let now = self.clock.now();
        let (mood, takes) = {
            let mut state = self.state();
            state.asked += 1;
            if state.mood == ReceiverMood::Takes {
                state.got.extend(messages.iter().map(|message| (now, message.clone())));
            }
            (state.mood, state.takes)
        };
        self.clock.sleep_until(now + takes).await;
        match mood {
            ReceiverMood::Takes => Delivery::Delivered,
            ReceiverMood::Silent => Delivery::Failed("no answer".to_owned()),
            ReceiverMood::Refuses => Delivery::Refused("410 Gone".to_owned()),
        }
    }
}
