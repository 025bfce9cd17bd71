//! `closte-sync plugin remove`: everything of the plugin away.

use std::path::Path;

use engine::ops::check::{Check, fail, ok};

use super::leave::give_back;
use super::refuse_not_ours;
use crate::cli::{Context, Exit, Failure, checks};
use crate::package;
use crate::wiring::NetworkAccess;

/// Take away the plugin, what it keeps, and the secret
///
/// The built-in integration works again, and checks the domains that wait.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        refuse_not_ours(&wiring, &access).await?;
        let (left, given) = give_back(&access).await;
        let mut checks: Vec<Check> = given.into_iter().collect();
        match access.plugins() {
            Some(plugins) => checks.extend(local(&access, &plugins, left).await?),
            None => checks.push(fail(
                "files",
                "they are out of reach",
                "remove the plugin in WordPress' network admin under Plugins",
            )),
        }
        let had = wiring.forget_secret()?;
        let said = if had { "removed" } else { "there was none" };
        checks.push(ok("secret", said));
        Ok(checks::answer(context.console, &checks))
    }
}

/// `left` is whether WordPress has deactivated it already.
async fn local(access: &NetworkAccess, plugins: &Path, left: bool) -> Result<Vec<Check>, Failure> {
    let was_on = access.source.activate_plugin(false).await? || left;
    access.source.forget_plugin().await?;
    let active = ok("active", if was_on { "switched off" } else { "was not on" });
    let files = match package::remove(plugins) {
        Ok(true) => ok("files", "removed"),
        Ok(false) => ok("files", "were not there"),
        Err(error) => fail(
            "files",
            format!("could not remove `{}`: {error}", plugins.join(package::FOLDER).display()),
            "delete the plugin in WordPress' network admin under Plugins",
        ),
    };
    Ok(vec![active, files])
}
