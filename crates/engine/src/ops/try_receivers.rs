//! Trying whether receivers get anything.

use std::sync::Arc;

use futures_util::future::join_all;
use rules::notice::{Delivery, Message, Outbox, Receiver, ReceiverState};

use crate::env::Env;
use crate::failure::Failure;
use crate::notices::written;

/// What came of trying a receiver.
#[derive(Debug)]
pub struct Tried {
    pub receiver: String,
    pub delivery: Delivery,
    /// Whether it was switched off until now.
    pub was_off: bool,
}

/// Send a message of their own to `receivers`, or to the one of the name `only`. One that takes it is
/// switched on. It needs no lock.
///
/// # Errors
///
/// There is none, or none of that name.
pub async fn try_receivers(
    receivers: &[Arc<dyn Receiver>],
    only: Option<&str>,
    (outbox, env): (Option<&dyn Outbox>, &Env),
) -> Result<Vec<Tried>, Failure> {
    let chosen = receivers.iter().filter(|it| only.is_none_or(|name| it.name() == name));
    let chosen: Vec<_> = chosen.collect();
    if chosen.is_empty() {
        return Err(nobody(receivers, only));
    }
    let known = match outbox {
        Some(outbox) => outbox.receivers().await?,
        None => std::collections::BTreeMap::default(),
    };
    let text = "this is a test of closte-sync's notifications".to_owned();
    let message = [Message::test(written(env, text))];
    let sent = join_all(chosen.iter().map(|receiver| receiver.send(&message))).await;
    let mut tried = Vec::new();
    for (receiver, delivery) in chosen.into_iter().zip(sent) {
        let name = receiver.name().to_owned();
        let was_off = known.get(&name).is_some_and(|it| it.state.off_since.is_some());
        if let (Some(outbox), Delivery::Delivered) = (outbox, &delivery) {
            let delivered_at = Some(env.now());
            let state = ReceiverState { delivered_at, ..ReceiverState::default() };
            outbox.settle(&name, &[], &state).await?;
        }
        tried.push(Tried { receiver: name, delivery, was_off });
    }
    Ok(tried)
}

fn nobody(receivers: &[Arc<dyn Receiver>], only: Option<&str>) -> Failure {
    match only.filter(|_| !receivers.is_empty()) {
        Some(name) => {
            let names: Vec<_> = receivers.iter().map(|it| format!("`{}`", it.name())).collect();
            Failure::no(format!("there is no receiver `{name}`"))
                .hint(format!("the receivers are {}", names.join(", ")))
        }
        None => Failure::no("nobody is told anything: no receiver is set")
            .hint("set `notify.webhooks`, `notify.command` or `notify.mail`"),
    }
}
