//! Sending what waits in the outbox, to each receiver in its order.
//!
//! A message leaves the outbox once what became of it is known; a crash before that sends it again
//! under the same name. Receivers do not wait for each other, and nothing waits for them: in `run`
//! they are served beside the loop, after a single pass for what is left of its time.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::future::join_all;
use rules::Time;
use rules::ledger::LedgerError;
use rules::notice::{Attempt, Delivery, Known, Receiver};
use tokio_util::sync::CancellationToken;

use crate::pass::Engine;

/// How soon it is noticed that somebody switched a receiver on again, or that the ledger can be read.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// After a single pass that took all of its time, so much is left for messages.
const AT_LEAST: Duration = Duration::from_secs(5);

/// What ends a round of sending.
#[derive(Clone)]
pub(crate) struct Until {
    at: Option<Time>,
    stop: CancellationToken,
}

impl Engine {
    /// Send what waits after a single pass that began at `began`, in what is left of its time.
    ///
    /// # Errors
    ///
    /// The ledger failed: what was not taken out is sent again.
    pub async fn deliver(&self, began: Time, stop: &CancellationToken) -> Result<(), LedgerError> {
        let end = (began + self.settings.limit).max(self.env.now() + AT_LEAST);
        self.round(&Until { at: Some(end), stop: stop.clone() }).await.map(drop)
    }

    /// Send what is put into the outbox, whenever that is.
    pub(crate) async fn courier(&self) -> Infallible {
        let until = Until { at: None, stop: CancellationToken::new() };
        loop {
            let again = self.env.now() + LOOK_AGAIN;
            // A ledger that cannot be read is told by the loop.
            let next = self.round(&until).await.unwrap_or(Some(again));
            let due = async {
                match next {
                    Some(at) => self.env.clock.sleep_until(at.min(again)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.notices.queued.notified() => (),
                () = due => (),
            }
        }
    }

    /// Send what is due to each receiver; when to go on, where anything waits.
    async fn round(&self, until: &Until) -> Result<Option<Time>, LedgerError> {
        let receivers = &self.notices.receivers;
        if receivers.is_empty() {
            return Ok(None);
        }
        let known = self.ledger.outbox().receivers().await?;
        let of = |receiver: &dyn Receiver| known.get(receiver.name()).cloned().unwrap_or_default();
        let able = receivers.iter().filter(|it| it.can_send());
        let each = able.map(|it| self.serve(it.as_ref(), of(it.as_ref()), until));
        let mut next = None;
        for at in join_all(each).await {
            next = [next, at?].into_iter().flatten().min();
        }
        Ok(next)
    }

    /// Send what waits for `receiver` until that fails or `until` says so; when to go on, where
    /// anything is left.
    async fn serve(
        &self,
        receiver: &dyn Receiver,
        known: Known,
        until: &Until,
    ) -> Result<Option<Time>, LedgerError> {
        let (outbox, mut state) = (self.ledger.outbox(), known.state);
        loop {
            let now = self.env.now();
            let messages = outbox.waiting(receiver.name(), receiver.most()).await?;
            if messages.is_empty() {
                return Ok(None);
            }
            let is_at_hand = receiver.is_at_hand() && state.off_since.is_none();
            if !state.may_try(now) && !is_at_hand {
                let due = state.due.filter(|due| now < *due && state.off_since.is_none());
                return Ok(Some(due.unwrap_or(now + LOOK_AGAIN)));
            }
            let sent = tokio::select! {
                biased;
                () = self.is_over(until) => return Ok(Some(now)),
                sent = receiver.send(&messages) => sent,
            };
            let attempt = Attempt { at: self.env.now(), chance: self.env.chance() };
            state = state.after(&sent, attempt);
            let is_over = matches!(sent, Delivery::Delivered | Delivery::Refused(_));
            let over = if is_over { &messages[..] } else { &[] };
            outbox.settle(receiver.name(), over, &state).await?;
            if !is_over && is_at_hand {
                return Ok(Some(now + LOOK_AGAIN));
            }
        }
    }

    async fn is_over(&self, until: &Until) {
        let time = async {
            match until.at {
                Some(at) => self.env.clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = until.stop.cancelled() => (),
            () = time => (),
        }
    }
}
