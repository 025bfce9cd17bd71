//! What the plugin inside WordPress says of itself.

use rules::Time;

use super::{Check, fail, failed, ok, warn};
use crate::failure::Failure;
use crate::rough::rough;

/// What came of asking the plugin.
#[derive(Debug)]
pub enum PluginFound {
    /// There is no secret to ask it with.
    Absent,
    /// There is one, and no way to the plugin, for this reason.
    NoWay(String),
    /// It did not answer, or refused us.
    NoAnswer(Failure),
    /// It answered.
    Answers(PluginHello),
}

/// What it says of itself and of what it runs in.
#[derive(Clone, Debug, Default)]
pub struct PluginHello {
    pub version: String,
    pub wordpress: String,
    pub php: String,
    /// The version of Ultimate Multisite; none where that is not there.
    pub ultimate_multisite: Option<String>,
    /// How it takes the built-in integration's place: `registry`, `hooks` or `off`.
    pub mode: String,
    /// Its clock.
    pub time: Option<Time>,
    /// How many requests it has refused.
    pub refused: u64,
}

/// The plugin as something that a pass can do without: everything works, only later.
pub(super) fn check(found: &PluginFound, ours: &str, now: Time) -> Check {
    if matches!(found, PluginFound::Absent) {
        return ok("plugin", "not installed; `closte-sync plugin install` installs it");
    }
    Check { check: "plugin", ..plugin_answers(found, ours, now) }
}

/// The plugin as something that should be there; `ours` is the version that we bring.
pub fn plugin_answers(found: &PluginFound, ours: &str, now: Time) -> Check {
    let install = "`closte-sync plugin install`";
    match found {
        PluginFound::Absent => fail("answers", "there is no secret yet", install),
        PluginFound::NoWay(why) => fail("answers", why, install),
        PluginFound::NoAnswer(failure) => failed("answers", failure),
        PluginFound::Answers(hello) => judge(hello, ours, now),
    }
}

fn judge(hello: &PluginHello, ours: &str, now: Time) -> Check {
    let check = "answers";
    let described = describe(hello);
    let difference = hello.time.map(|time| now.distance(time));
    match difference {
        _ if hello.ultimate_multisite.is_none() => {
            fail(check, described, "activate Ultimate Multisite for the network")
        }
        _ if hello.version != ours => warn(
            check,
            format!("{described}; this closte-sync brings {ours}"),
            "`closte-sync plugin install` exchanges it, and an update in WordPress one that \
             carries its own engine",
        ),
        Some(difference) if 30 <= difference.as_secs() => warn(
            check,
            format!("{described}; the clocks are {} apart", rough(difference)),
            "set the clocks: beyond a minute, requests are refused",
        ),
        _ => ok(check, described),
    }
}

fn describe(hello: &PluginHello) -> String {
    format!(
        "plugin {} on WordPress {}, PHP {}, Ultimate Multisite {}; {}; {} requests refused",
        hello.version,
        hello.wordpress,
        hello.php,
        hello.ultimate_multisite.as_deref().unwrap_or("is not there"),
        takes_over(&hello.mode),
        hello.refused,
    )
}

fn takes_over(mode: &str) -> &str {
    match mode {
        "registry" | "hooks" => "it takes the place of the built-in integration",
        _ => "the built-in integration is at work until the next pass of closte-sync",
    }
}
