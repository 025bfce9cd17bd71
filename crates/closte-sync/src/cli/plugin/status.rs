//! `closte-sync plugin status`: what is there, and whether both sides agree.

use engine::ops::check::{Check, fail, failed, ok, warn};
use engine::ops::{PluginFound, PluginHello, plugin_answers};
use rules::Clock;

use super::UPDATED_THERE;
use crate::cli::{Context, Exit, Failure, checks};
use crate::clock::SystemClock;
use crate::package;
use crate::wiring::{Agreement, NetworkAccess, PLUGINS};

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
            let engine = package::carries_engine(&plugins);
            checks.push(files(package::installed(&plugins), engine));
            checks.push(match access.source.options(&[PLUGINS]).await {
                Ok(options) => active(options.get(PLUGINS)),
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

fn files(installed: Option<String>, carries_engine: bool) -> Check {
    let ours = package::version();
    let engine = if carries_engine { ", which carries its own engine" } else { "" };
    match installed {
        Some(version) if version == ours => ok("files", format!("version {version}{engine}")),
        Some(version) => warn(
            "files",
            format!("version {version}{engine}; this closte-sync brings {ours}"),
            if carries_engine {
                UPDATED_THERE
            } else {
                "`closte-sync plugin install` exchanges it"
            },
        ),
        None => fail("files", "the plugin is not there", "`closte-sync plugin install`"),
    }
}

fn active(option: Option<&Vec<u8>>) -> Check {
    if is_active(option) {
        ok("active", "is on for the network")
    } else {
        fail("active", "is not on for the network", "`closte-sync plugin install` switches it on")
    }
}

/// Whether the `option` of active plugins holds ours.
pub(in crate::cli) fn is_active(option: Option<&Vec<u8>>) -> bool {
    let key = "closte-sync/closte-sync.php";
    option.is_some_and(|it| String::from_utf8_lossy(it).contains(&format!("\"{key}\"")))
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

/// Ask the plugin, and judge what it says.
pub(super) async fn handshake(access: &NetworkAccess) -> Check {
    plugin_answers(&ask(access).await, &package::version(), SystemClock.now())
}

/// Ask the plugin.
pub(in crate::cli) async fn ask(access: &NetworkAccess) -> PluginFound {
    let Some(plugin) = &access.plugin else {
        return access.no_plugin.clone().map_or(PluginFound::Absent, PluginFound::NoWay);
    };
    match plugin.hello().await {
        Ok(hello) => PluginFound::Answers(PluginHello {
            version: hello.plugin,
            wordpress: hello.wordpress,
            php: hello.php,
            ultimate_multisite: hello.ultimate_multisite,
            mode: hello.mode,
            time: hello.time,
            refused: hello.refused.count,
        }),
        Err(error) => PluginFound::NoAnswer(error.into()),
    }
}
