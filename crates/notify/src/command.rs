//! A command: each message is handed to a program, as JSON on its standard input.
//!
//! No shell reads anything of it. Its environment is what it needs to run, and what the message is
//! about; whatever it prints is dropped. Where it takes too long it is killed, with what it started.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use rules::notice::{Delivery, Message, Receiver};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command as Process};
use tokio::time::timeout;

use crate::body::body;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The program, and what it is given.
#[derive(Clone, Debug)]
pub struct Program {
    /// It and its arguments; at least the former.
    pub words: Vec<String>,
    /// Its environment, besides what it is told of the message.
    pub environment: BTreeMap<String, String>,
}

/// A [`Receiver`] that is a program on this machine.
#[derive(Debug)]
pub struct Command {
    program: Program,
    limit: Duration,
}

impl Command {
    /// Its name.
    pub const NAME: &'static str = "command";

    pub fn new(program: Program) -> Self {
        Self { program, limit: LIMIT }
    }

    /// The same with another time limit.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    async fn hand(&self, message: &Message) -> Result<(), String> {
        let child = self.start(message).map_err(|error| format!("it cannot be run: {error}"))?;
        let mut child = Killed(child);
        let ended = async {
            if let Some(mut stdin) = child.0.stdin.take() {
                // One that does not read it may still do its work.
                _ = stdin.write_all(format!("{}\n", body(message)).as_bytes()).await;
            }
            child.0.wait().await
        };
        match timeout(self.limit, ended).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(format!("it ended with {status}")),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("it took more than {} s", self.limit.as_secs_f64())),
        }
    }

    fn start(&self, message: &Message) -> std::io::Result<Child> {
        let (program, arguments) = self.program.words.split_first().expect("it has a program");
        Process::new(program)
            .args(arguments)
            .env_clear()
            .envs(&self.program.environment)
            .env("CLOSTE_SYNC_NOTICE_ID", &message.id)
            .env("CLOSTE_SYNC_NOTICE_TYPE", message.kind.as_str())
            .env("CLOSTE_SYNC_NOTICE_DOMAIN", message.domain.as_deref().unwrap_or_default())
            .env("CLOSTE_SYNC_NOTICE_SEVERITY", message.cause.severity.as_str())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }
}

#[async_trait]
impl Receiver for Command {
    fn name(&self) -> &str {
        Self::NAME
    }

    async fn send(&self, messages: &[Message]) -> Delivery {
        for message in messages {
            if let Err(why) = self.hand(message).await {
                return Delivery::Failed(why);
            }
        }
        Delivery::Delivered
    }
}

/// A program that does not outlive what waits for it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // None once it was waited for to its end: the number may be another's then.
        let id = self.0.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(group) = id {
            _ = kill_process_group(group, Signal::KILL);
        }
    }
}
