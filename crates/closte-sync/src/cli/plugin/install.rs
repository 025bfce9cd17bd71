//! `closte-sync plugin install`: the plugin in its place, and both sides agreed.

use std::path::{Path, PathBuf};

use engine::ops::check::{Check, State, fail, ok, warn};
use engine::texts;
use secrecy::ExposeSecret;

use super::status::handshake;
use super::{UPDATED_THERE, UPLOAD, refuse_not_ours};
use crate::cli::{Context, Exit, Failure, checks};
use crate::package;
use crate::wiring::{NetworkAccess, Wiring};

/// Put the plugin into WordPress, activate it and share a secret with it
///
/// Can be repeated: what is right stays, and a newer closte-sync brings a newer
/// plugin; one that carries its own engine is updated in WordPress. Where the
/// folder of plugins may not be written it packs a zip and says where that is.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        refuse_not_ours(&wiring, &access).await?;
        let checks = match access.plugins() {
            Some(plugins) => local(&wiring, &access, &plugins).await?,
            None => remote(&wiring, &access).await?,
        };
        Ok(checks::answer(context.console, &checks))
    }
}

/// WordPress' files and database are here.
async fn local(
    wiring: &Wiring<'_>,
    access: &NetworkAccess,
    plugins: &Path,
) -> Result<Vec<Check>, Failure> {
    let carries_engine = package::carries_engine(plugins);
    if carries_engine {
        refuse_other_version(package::installed(plugins))?;
    }
    wiring.share_secret(access).await?;
    let at = wiring.secret_file()?;
    let mut checks = vec![ok("secret", format!("both sides have the one of `{}`", at.display()))];
    let place = plugins.join(package::FOLDER);
    if let Err(error) = package::install(plugins)
        && package::installed(plugins) != Some(package::version())
    {
        let zip = pack(wiring, None)?;
        let what = format!("it cannot be put into `{}`: {error}", plugins.display());
        let hint = format!(
            "upload `{}` {UPLOAD}, then run `closte-sync plugin install` again",
            zip.display()
        );
        checks.push(fail("files", what, hint));
        return Ok(checks);
    }
    let stays =
        if carries_engine { ", which carries its own engine and stays as it is" } else { "" };
    let what = format!("version {} in `{}`{stays}", package::version(), place.display());
    checks.push(ok("files", what));
    let newly = access.source.activate_plugin(true).await?;
    checks.push(activated(newly, access));
    checks.push(match handshake(&wiring.access()?).await {
        Check { state: State::Fail, check, detail, hint } => {
            warn(check, detail, hint.unwrap_or_default())
        }
        answered => answered,
    });
    Ok(checks)
}

/// Its engine would be lost with its folder, and would not go with another plugin.
fn refuse_other_version(installed: Option<String>) -> Result<(), Failure> {
    let ours = package::version();
    let there = match installed {
        Some(version) if version == ours => return Ok(()),
        Some(version) => format!("is version {version}"),
        None => "does not say its version".to_owned(),
    };
    let what = format!(
        "the plugin in WordPress carries its own engine and {there}, and this closte-sync is \
         {ours}; nothing was changed"
    );
    Err(Failure::no(what).hint(UPDATED_THERE))
}

fn activated(newly: bool, access: &NetworkAccess) -> Check {
    let what = if newly { "switched on for the network" } else { "is on for the network" };
    let cached = access.wp.as_ref().is_some_and(|wp| wp.object_cache);
    if newly && cached {
        warn("active", what, format!("WordPress may see it late: {}", texts::FLUSH))
    } else {
        ok("active", what)
    }
}

/// Neither is here: the zip carries the secret.
async fn remote(wiring: &Wiring<'_>, access: &NetworkAccess) -> Result<Vec<Check>, Failure> {
    let answered = handshake(access).await;
    if answered.state == State::Ok {
        return Ok(vec![answered]);
    }
    let secret = wiring.own_secret()?.to_hex();
    let zip = pack(wiring, Some(secret.expose_secret()))?;
    let what = "it must be installed in WordPress by hand".to_owned();
    let hint = format!(
        "upload `{}` {UPLOAD}, activate it for the network, delete the file (it contains the secret), \
         then run `closte-sync plugin status`",
        zip.display()
    );
    Ok(vec![warn("files", what, hint)])
}

fn pack(wiring: &Wiring<'_>, secret: Option<&str>) -> Result<PathBuf, Failure> {
    // WordPress keeps an upload where visitors can fetch it, until it is unpacked: with
    // the secret in it, nobody shall guess its name.
    let name = match secret {
        Some(_) => format!("closte-sync-plugin-{:016x}.zip", rand::random::<u64>()),
        None => "closte-sync-plugin.zip".to_owned(),
    };
    let path = wiring.beside_ledger(&name)?;
    package::clear_zips(path.parent().unwrap_or_else(|| Path::new(".")));
    package::pack(&path, secret).map_err(|error| {
        let what = format!("could not write `{}`: {error}", path.display());
        Failure::could_not(what).hint("check the folder of the ledger (`ledger.url`)")
    })
}
