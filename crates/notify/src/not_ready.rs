//! A receiver that lacks something of ours: its messages wait until that is there.

use async_trait::async_trait;
use rules::notice::{Delivery, Message, Receiver};

/// A [`Receiver`] that cannot be sent to yet.
#[derive(Debug)]
pub struct NotReady {
    name: String,
    why: String,
    is_tried: bool,
}

impl NotReady {
    /// One of this name, and what it lacks.
    pub fn new(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), why: why.into(), is_tried: true }
    }

    /// The same where that is no fault, as another process has it: it is not tried here.
    #[must_use]
    pub fn elsewhere(self) -> Self {
        Self { is_tried: false, ..self }
    }
}

#[async_trait]
impl Receiver for NotReady {
    fn name(&self) -> &str {
        &self.name
    }

    fn can_send(&self) -> bool {
        self.is_tried
    }

    async fn send(&self, _: &[Message]) -> Delivery {
        Delivery::Failed(self.why.clone())
    }
}
