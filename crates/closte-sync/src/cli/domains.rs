//! `closte-sync domains`: single domains.

mod add;
mod adopt;
mod backfill;
mod keep;
pub(super) mod list;
mod move_to;
mod mute;
mod recheck;
mod remove;
mod show;

use clap::Subcommand;
use rules::DomainName;

use super::{Context, Exit, Failure};

/// Look at single domains, and change them
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Add(add::Args),
    Remove(remove::Args),
    Move(move_to::Args),
    Keep(keep::Args),
    Adopt(adopt::Args),
    Recheck(recheck::Args),
    Mute(mute::Args),
    Backfill(backfill::Args),
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::List(args) => args.run(context).await,
            Command::Show(args) => args.run(context).await,
            Command::Add(args) => args.run(context).await,
            Command::Remove(args) => args.run(context).await,
            Command::Move(args) => args.run(context).await,
            Command::Keep(args) => args.run(context).await,
            Command::Adopt(args) => args.run(context).await,
            Command::Recheck(args) => args.run(context).await,
            Command::Mute(args) => args.run(context).await,
            Command::Backfill(args) => args.run(context).await,
        }
    }
}

/// A domain as somebody typed it on the command line.
fn domain_name(text: &str) -> Result<DomainName, String> {
    text.trim().parse().map_err(|error| format!("`{text}` is not a domain name: {error}"))
}
