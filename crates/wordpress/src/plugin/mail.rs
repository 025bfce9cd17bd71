//! Messages, mailed by WordPress itself: the plugin is handed them with their names and says which it
//! has mailed, now or before.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use async_trait::async_trait;
use rules::notice::{Delivery, Message, Receiver};
use rules::source::SourceError;
use serde_json::{Value, json};

use super::{Call, MOST, PluginChannel, Way};

const MAIL: Call = Call { name: "mail", doing: "having WordPress send a mail" };

/// So many messages are one mail.
const AT_ONCE: usize = 50;

/// A [`Receiver`] that is WordPress' own mail to the network's admin.
#[derive(Debug)]
pub struct Mails(pub Arc<PluginChannel>);

impl Mails {
    /// Its name.
    pub const NAME: &'static str = "mail";
}

#[async_trait]
impl Receiver for Mails {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn most(&self) -> usize {
        AT_ONCE
    }

    /// A plugin that waits for us is there, whatever came of asking it over HTTP.
    fn is_at_hand(&self) -> bool {
        matches!(self.0.way, Way::Pipes(_))
    }

    async fn send(&self, messages: &[Message]) -> Delivery {
        let message = |message: &Message| {
            json!({
                "id": message.id, "type": message.kind.as_str(), "text": message.text,
                "at": message.at.as_millis().div_euclid(1000),
            })
        };
        let body = json!({ "messages": messages.iter().map(message).collect::<Vec<_>>() });
        // A server for mails may take its time.
        let answer = match self.0.send(MAIL, &body, self.0.timeouts.stages, MOST).await {
            Ok(answer) => answer,
            Err(error) => return Delivery::Failed(in_words(&error)),
        };
        let mailed = answer.get("mailed").and_then(Value::as_array).into_iter().flatten();
        let mailed: BTreeSet<&str> = mailed.filter_map(Value::as_str).collect();
        if messages.iter().all(|message| mailed.contains(message.id.as_str())) {
            Delivery::Delivered
        } else {
            Delivery::Failed("WordPress could not send the mail".to_owned())
        }
    }
}

/// The error and its cause.
fn in_words(error: &SourceError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::time::Duration;

    use testkit::receiver::{Behind, Mood, receiver_contract};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

    use super::*;
    use crate::plugin::{Engine, Pipes};

    /// A plugin at the other end of the pipes, which mails or does not.
    struct Plugin(Arc<Mutex<State>>);

    struct State {
        mood: Mood,
        mailed: Vec<String>,
    }

    impl Plugin {
        fn state(&self) -> MutexGuard<'_, State> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        /// Answer whatever comes, until nothing does.
        async fn answer(self, from: DuplexStream, mut to: DuplexStream) {
            let mut lines = BufReader::new(from).lines();
            while let Some(line) = lines.next_line().await.unwrap() {
                let asked: Value = serde_json::from_str(&line).unwrap();
                let messages = asked["body"]["messages"].as_array().unwrap().iter();
                let ids: Vec<_> =
                    messages.map(|it| it["id"].as_str().unwrap().to_owned()).collect();
                let mailed = if self.state().mood == Mood::Takes { ids } else { Vec::new() };
                self.state().mailed.extend(mailed.clone());
                let answer = json!({ "status": 200, "body": { "mailed": mailed } });
                to.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
            }
        }
    }

    #[async_trait]
    impl Behind for Plugin {
        async fn becomes(&self, mood: Mood) -> bool {
            self.state().mood = mood;
            mood != Mood::Refuses
        }

        async fn got(&self) -> Vec<String> {
            self.state().mailed.clone()
        }
    }

    #[tokio::test]
    async fn mails_by_the_plugin_keep_the_contract() {
        let (to, from) = (tokio::io::duplex(1 << 16), tokio::io::duplex(1 << 16));
        let state = Arc::new(Mutex::new(State { mood: Mood::Takes, mailed: Vec::new() }));
        tokio::spawn(Plugin(Arc::clone(&state)).answer(to.1, from.1));
        let engine = Engine {
            version: "0.1.0".to_owned(),
            silence: Duration::from_hours(1),
            nudge_url: None,
            nudge_file: None,
            panel: None,
        };
        let pipes = Arc::new(Pipes::new(to.0, from.0));
        let mails = Mails(Arc::new(PluginChannel::attached(pipes, engine)));
        assert!(mails.is_at_hand());
        receiver_contract(&mails, &Plugin(state)).await;
    }
}
