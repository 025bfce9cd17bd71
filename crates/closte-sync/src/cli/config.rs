//! `closte-sync config`: the settings, and the one that the plugin keeps.

use std::fmt::Write as _;

use clap::Subcommand;
use engine::ops::network_to_change;
use http::SecretUrl;
use rules::plain::plain;
use serde::Serialize;

use super::{Context, Exit, Failure};
use crate::config::{KEYS, Key, default_file, duration};

/// Show and check settings, and set the network's check interval
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Print every setting with its value and where that came from
    Show,
    /// Check the settings, and say nothing if they are good
    Check,
    /// Print a settings file to start from
    Default,
    /// Set the DNS check interval of Ultimate Multisite (10s to 300s)
    SetInterval {
        /// The interval, such as `10s` or `5m`
        interval: String,
    },
}

#[derive(Serialize)]
struct SettingView {
    key: &'static str,
    value: Vec<String>,
    origin: String,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self.command {
            Command::Show => show(context),
            Command::Check => check(context),
            Command::Default => context.console.say(default_file()),
            Command::SetInterval { interval } => set_interval(context, &interval).await?,
        }
        Ok(Exit::Done)
    }
}

fn show(context: &Context) {
    let settings: Vec<SettingView> = KEYS.iter().map(|key| setting(context, key)).collect();
    if context.console.is_json() {
        return context.console.json(&settings);
    }
    let mut text = String::new();
    for SettingView { key, value, origin } in settings {
        let _ = writeln!(text, "{key} = {} ({})", plain(&value.join(", ")), plain(&origin));
    }
    context.console.say(text);
}

fn setting(context: &Context, key: &Key) -> SettingView {
    let written = &context.loaded.written[key.name];
    let value = match written.texts.as_slice() {
        [] => Vec::new(),
        _ if key.is_secret() => vec!["(hidden)".to_owned()],
        // What of a URL may be a secret is not shown.
        urls if key.name == "notify.webhooks" => {
            let shown = |text: &String| text.parse::<SecretUrl>().map(|url| url.base().to_string());
            urls.iter().map(|text| shown(text).unwrap_or_else(|_| "(hidden)".to_owned())).collect()
        }
        texts => texts.to_vec(),
    };
    SettingView { key: key.name, value, origin: written.origin.to_string() }
}

/// The settings were good, or no command would have begun.
fn check(context: &Context) {
    for warning in &context.loaded.warnings {
        context.console.tell(format!("warning: {}", plain(warning)));
    }
    context.console.tell("the settings are good");
}

/// The range that Ultimate Multisite itself allows.
const ALLOWED: std::ops::RangeInclusive<u64> = 10..=300;

async fn set_interval(context: &Context, text: &str) -> Result<(), Failure> {
    let bad = |why: String| {
        Failure::could_not(format!("`{text}` cannot be the check interval: {why}")).hint(
            "Ultimate Multisite accepts 10s to 300s; a longer one is `checks.interval` of closte-sync",
        )
    };
    let interval = duration(text).map_err(bad)?;
    if !ALLOWED.contains(&interval.as_secs()) {
        return Err(bad(format!("{} seconds are not between 10 and 300", interval.as_secs())));
    }
    let wiring = context.wiring();
    let (source, ledger) = (wiring.access()?.source, wiring.existing_ledger().await?);
    network_to_change(source.as_ref(), ledger.as_deref()).await?;
    let seconds = u32::try_from(interval.as_secs()).expect("at most 300");
    source.set_check_interval(seconds).await?;
    context.console.tell(format!("the network's DNS check interval is {seconds} s now"));
    Ok(())
}
