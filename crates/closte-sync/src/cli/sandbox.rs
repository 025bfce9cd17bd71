//! `closte-sync sandbox`: a stand-in Closte, DNS and web server to rehearse with.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use sandbox::{Sandbox, Seed};
use tokio_util::sync::CancellationToken;

use super::{Context, Exit, Failure, report};
use crate::config::duration;

/// Start a stand-in Closte, a DNS server and a web server on this machine
///
/// Prints the settings that point closte-sync at it, and runs until it is
/// stopped. Its control API sets records, delays and faults while it runs.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A JSON file with aliases, records, certificates and faults to begin with
    #[arg(long, value_name = "FILE")]
    seed: Option<PathBuf>,

    /// The address that everything listens at
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    listen: IpAddr,

    /// The port of the control API; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    control_port: u16,

    /// How long a certificate takes once alias and DNS are right
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    issue_after: Duration,

    /// The API key that it accepts
    #[arg(long, value_name = "KEY", default_value = "sandbox-key")]
    key: String,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let seed = self.seed.as_deref().map(read_seed).transpose()?;
        let sandbox = Sandbox::start(self.settings()).await.map_err(|error| {
            Failure::could_not(error).hint("choose another `--listen` or `--control-port`")
        })?;
        if let Some(seed) = seed {
            sandbox
                .sow(seed)
                .map_err(|error| Failure::could_not(error).hint("correct the seed"))?;
        }
        print(context, &sandbox);
        let stop = CancellationToken::new();
        report::stop_on_signals(&stop);
        stop.cancelled().await;
        sandbox.shutdown().await;
        Ok(Exit::Done)
    }

    fn settings(&self) -> sandbox::Settings {
        let free = SocketAddr::new(self.listen, 0);
        let mut settings = sandbox::Settings::default();
        settings.closte.address = free;
        settings.closte.key.clone_from(&self.key);
        for dns in &mut settings.dns {
            dns.address = free;
        }
        settings.web.addresses = vec![self.listen];
        settings.control = SocketAddr::new(self.listen, self.control_port);
        settings.issue_after = self.issue_after;
        settings
    }
}

fn read_seed(path: &std::path::Path) -> Result<Seed, Failure> {
    let failed = |why: String| {
        let what = format!("could not read the seed `{}`: {why}", path.display());
        Failure::could_not(what).hint("docs/sandbox.md shows what a seed contains")
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(error.to_string()))
}

/// The settings for closte-sync, ready for a shell or a script.
fn print(context: &Context, sandbox: &Sandbox) {
    let settings = sandbox.settings_env();
    let control = sandbox.control_url();
    if context.console.is_json() {
        let settings: serde_json::Map<String, serde_json::Value> =
            settings.into_iter().map(|(name, value)| (name, value.into())).collect();
        let view = serde_json::json!({ "settings": settings, "control_url": control });
        return context.console.json(&view);
    }
    let exports: Vec<String> =
        settings.iter().map(|(name, value)| format!("export {name}='{value}'")).collect();
    context.console.say(exports.join("\n"));
    context.console.tell(format!("the control API is at {control}; stop with Ctrl-C"));
}
