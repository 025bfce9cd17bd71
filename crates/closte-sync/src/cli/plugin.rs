//! `closte-sync plugin`: the plugin inside WordPress, and the secret shared with it.

mod install;
mod leave;
mod remove;
mod rotate;
mod status;

use clap::Subcommand;
pub(super) use status::{ask, is_active};

use super::{Context, Exit, Failure};
use crate::wiring::{NetworkAccess, Wiring};

/// Put the plugin into WordPress, and look after it
///
/// With it, WordPress tells of changes at once, writes stages itself and shows
/// in its network admin why a domain waits.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Install(install::Args),
    Status(status::Args),
    Rotate(rotate::Args),
    Remove(remove::Args),
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Install(args) => args.run(context).await,
            Command::Status(args) => args.run(context).await,
            Command::Rotate(args) => args.run(context).await,
            Command::Remove(args) => args.run(context).await,
        }
    }
}

/// Who does not act for the network changes nothing. From another machine the plugin may be the very thing
/// that keeps the network from being read: then its own side is all that changes.
async fn refuse_not_ours(wiring: &Wiring<'_>, access: &NetworkAccess) -> Result<(), Failure> {
    match access.source.read().await {
        Ok(network) => {
            let ledger = wiring.existing_ledger().await?;
            engine::ops::refuse_not_ours(&network, ledger.as_deref()).await
        }
        Err(_) if access.wp.is_none() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How a plugin that carries its own engine gets another version.
const UPDATED_THERE: &str = "upload the zip `closte-sync-VERSION.zip` of the version that you want \
                             in WordPress' network admin under Plugins > Add New > Upload Plugin: it \
                             brings plugin and engine";

/// Where to upload a zip.
const UPLOAD: &str = "in WordPress' network admin under Plugins > Add New > Upload Plugin";
