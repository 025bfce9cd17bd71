//! `closte-sync plugin remove`: everything of the plugin away.

use std::path::Path;

use super::refuse_on_copy;
use crate::cli::checks::{self, Check, bad, good};
use crate::cli::{Context, Exit, Failure};
use crate::package;
use crate::wiring::Reach;

/// Take away the plugin, what it keeps, and the secret
///
/// The built-in integration works again.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let reach = wiring.reach()?;
        refuse_on_copy(&reach).await?;
        let mut checks = match reach.plugins() {
            Some(plugins) => beside(&reach, &plugins).await?,
            None => vec![bad(
                "files",
                "they are out of reach",
                "remove the plugin in WordPress' network admin under Plugins",
            )],
        };
        let had = wiring.forget_secret()?;
        let said = if had { "removed" } else { "there was none" };
        checks.push(good("secret", said));
        Ok(checks::answer(context.console, &checks))
    }
}

async fn beside(reach: &Reach, plugins: &Path) -> Result<Vec<Check>, Failure> {
    let was_on = reach.source.activate_plugin(false).await?;
    reach.source.write_plugin_secret(None).await?;
    let active = good("active", if was_on { "switched off" } else { "was not on" });
    let files = match package::remove(plugins) {
        Ok(true) => good("files", "removed"),
        Ok(false) => good("files", "were not there"),
        Err(error) => bad(
            "files",
            format!("could not remove `{}`: {error}", plugins.join(package::FOLDER).display()),
            "delete the plugin in WordPress' network admin under Plugins",
        ),
    };
    Ok(vec![active, files])
}
