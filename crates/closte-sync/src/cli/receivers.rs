//! `closte-sync notify`: who is told outside, and how they do.

mod secret;
mod status;
mod test;

use clap::Subcommand;

use super::{Context, Exit, Failure};

/// See and try who is told of what breaks and what needs you
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Test(test::Args),
    Status(status::Args),
    Secret(secret::Args),
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Test(args) => args.run(context).await,
            Command::Status(args) => args.run(context).await,
            Command::Secret(args) => args.run(context),
        }
    }
}
