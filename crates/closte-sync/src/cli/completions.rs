//! `closte-sync completions`: for the shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, Context, Exit};

/// Print the completions for a shell
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(super) fn run(self, context: &Context) -> Exit {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "closte-sync", &mut text);
        context.console.ours(&text);
        Exit::Done
    }
}
