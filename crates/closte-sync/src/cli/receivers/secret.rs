//! `closte-sync notify secret`: the secret that webhooks are signed with.

use crate::cli::{Context, Exit, Failure};

/// Make the secret that webhooks are signed with, where there is none
///
/// It is never printed: this says in which file it is. Give it to whoever
/// receives the webhooks. To exchange it, delete the file and run this again.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    #[expect(clippy::unused_self, reason = "a command is run by its arguments")]
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (path, is_new) = context.wiring().make_webhook_secret()?;
        let what = if is_new { "a new secret is" } else { "the secret is, as before," };
        context.console.tell(format!("{what} in this file:"));
        context.console.say(path.display().to_string());
        Ok(Exit::Done)
    }
}
