//! `closte-sync plugin status`: what is there, and whether both sides agree.

use rules::Clock;

use crate::cli::checks::{self, Check, fail, failed, ok, warn};
use crate::cli::{Context, Exit, Failure};
use crate::clock::{SystemClock, rough};
use crate::package;
use crate::wiring::{Agreement, NetworkAccess};

/// Say what is there, and whether both sides agree
///
/// Changes nothing. Ends with 1 where something is missing or differs.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let wiring = context.wiring();
        let access = wiring.access()?;
        let mut checks = Vec::new();
        if let Some(plugins) = access.plugins() {
            checks.push(files(package::installed(&plugins)));
            checks.push(match access.source.options(&["active_sitewide_plugins"]).await {
                Ok(options) => active(options.get("active_sitewide_plugins")),
                Err(error) => failed("active", &error.into()),
            });
            checks.push(match wiring.agreement(&access).await {
                Ok(agreement) => secret(agreement),
                Err(failure) => failed("secret", &failure),
            });
        }
        checks.push(handshake(&access).await);
        Ok(checks::answer(context.console, &checks))
    }
}

fn files(installed: Option<String>) -> Check {
    let ours = package::version();
    match installed {
        Some(version) if version == ours => ok("files", format!("version {version}")),
        Some(version) => warn(
            "files",
            format!("version {version}; this closte-sync brings {ours}"),
            "`closte-sync plugin install` exchanges it",
        ),
        None => fail("files", "the plugin is not there", "`closte-sync plugin install`"),
    }
}

fn active(option: Option<&Vec<u8>>) -> Check {
    let key = "closte-sync/closte-sync.php";
    let on = option.is_some_and(|it| String::from_utf8_lossy(it).contains(&format!("\"{key}\"")));
    if on {
        ok("active", "is on for the network")
    } else {
        fail("active", "is not on for the network", "`closte-sync plugin install` switches it on")
    }
}

fn secret(agreement: Agreement) -> Check {
    let hint = "`closte-sync plugin install` makes them agree";
    match agreement {
        Agreement::Same => ok("secret", "both sides have the same"),
        Agreement::Different => fail("secret", "WordPress has another one than closte-sync", hint),
        Agreement::NoneThere => fail("secret", "WordPress has none", hint),
        Agreement::NoneHere => fail("secret", "there is none yet", hint),
    }
}

/// Ask the plugin.
pub(in crate::cli) async fn handshake(access: &NetworkAccess) -> Check {
    let check = "answers";
    let Some(plugin) = &access.plugin else {
        let why = access.no_plugin.clone().unwrap_or_else(|| "there is no secret yet".to_owned());
        return fail(check, why, "`closte-sync plugin install`");
    };
    let hello = match plugin.hello().await {
        Ok(hello) => hello,
        Err(error) => return failed(check, &error.into()),
    };
    let described = format!(
        "plugin {} on WordPress {}, PHP {}, Ultimate Multisite {}; {}; {} requests refused",
        hello.plugin,
        hello.wordpress,
        hello.php,
        hello.ultimate_multisite.as_deref().unwrap_or("is not there"),
        takes_over(&hello.mode),
        hello.refused.count,
    );
    let ours = package::version();
    let difference = hello.time.map(|time| {
        let now = SystemClock.now();
        now.since(time).max(time.since(now))
    });
    match difference {
        _ if hello.ultimate_multisite.is_none() => {
            fail(check, described, "activate Ultimate Multisite for the network")
        }
        _ if hello.plugin != ours => warn(
            check,
            format!("{described}; this closte-sync brings {ours}"),
            "`closte-sync plugin install` exchanges it",
        ),
        Some(difference) if 30 <= difference.as_secs() => warn(
            check,
            format!("{described}; the clocks differ by {}", rough(difference)),
            "set the clocks: beyond a minute, requests are refused",
        ),
        _ => ok(check, described),
    }
}

fn takes_over(mode: &str) -> &str {
    match mode {
        "registry" | "hooks" => "it replaces the built-in integration",
        _ => "the built-in integration is at work until the next pass of closte-sync",
    }
}
