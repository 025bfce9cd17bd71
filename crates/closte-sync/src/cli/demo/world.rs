//! A network, a host and an internet in a temporary folder, and the resident
//! program between them, as a person would start it.
//!
//! Sandbox and resident program are children: this very program, with settings
//! in their environment. Nothing of the user's own settings reaches them, and
//! they end, and the folder goes, however the demo ends.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sandbox::wordpress::{Settings as NetworkSettings, WordPress};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::control::Control;
use super::story;
use crate::config::{Environment, PREFIX};
use engine::Failure;

/// The sandbox is there in a moment, or not at all.
const PATIENCE: Duration = Duration::from_secs(15);

/// A file of settings without any.
const NO_SETTINGS: &str = "no-settings.toml";
const LEDGER: &str = "closte-sync/ledger.db";

/// What makes everything happen soon enough to be watched.
const QUICK: [(&str, &str); 3] = [
    ("RUN_POLL", "1s"),
    ("CHECKS_INTERVAL", "10s"),
    // The second good read that removals wait for otherwise comes a minute later.
    ("REMOVAL_CONFIRMATIONS", "1"),
];

/// All that plays a part. The children end when it is dropped, and the folder goes.
pub(super) struct World {
    pub(super) control: Control,
    pub(super) network: WordPress,
    /// The settings by which any command joins in, as the environment has them.
    pub(super) settings: BTreeMap<String, String>,
    /// This process's environment with those settings and no others.
    pub(super) environment: Environment,
    sandbox: Child,
    resident: Option<Child>,
    // Last: the children that write into it are gone by then.
    folder: TempDir,
}

/// What the sandbox prints.
#[derive(Deserialize)]
struct Printed {
    settings: BTreeMap<String, String>,
    control_url: String,
}

impl World {
    /// Make the folder, start the sandbox, make the network with its first rows.
    pub(super) async fn make(around: &Environment) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("closte-sync-demo-").tempdir();
        let folder = folder.map_err(|error| could_not("make a temporary folder", error))?;
        // A file of settings that holds none keeps all others away.
        let empty = folder.path().join(NO_SETTINGS);
        File::create(&empty).map_err(|error| could_not("write into the folder", error))?;
        let environment = without_settings(around, folder.path());
        let (sandbox, printed) = sandbox(folder.path(), &environment).await?;
        let control = Control::at(&printed.control_url)
            .map_err(|error| could_not("speak to the sandbox", error))?;
        let mut settings = printed.settings;
        let network = network(folder.path(), &mut settings).await?;
        let ledger_url = format!("sqlite://{}", folder.path().join(LEDGER).display());
        let quick = QUICK.map(|(name, value)| (name, value.to_owned()));
        let ours = [
            ("NETWORK_WP_CONFIG", network.config().display().to_string()),
            ("LEDGER_URL", ledger_url),
        ];
        let ours = ours.into_iter().chain(quick);
        settings.extend(ours.map(|(name, value)| (format!("{PREFIX}{name}"), value)));
        let mut all = environment;
        all.variables.extend(settings.clone());
        Ok(Self { control, network, settings, environment: all, sandbox, resident: None, folder })
    }

    /// The address of the sandbox's web server, where domains must point.
    pub(super) fn address(&self) -> &str {
        &self.settings["CLOSTE_SYNC_CHECKS_TARGETS"]
    }

    /// Where the ledger is.
    pub(super) fn ledger_url(&self) -> &str {
        &self.settings["CLOSTE_SYNC_LEDGER_URL"]
    }

    /// A file of settings that holds none.
    fn no_settings(&self) -> PathBuf {
        self.folder.path().join(NO_SETTINGS)
    }

    /// What the resident program logs.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.path().join("run.log")
    }

    /// Start the resident program.
    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let log = File::create(self.log()).map_err(|error| could_not("write its log", error))?;
        let mut command = self.command(&["run"])?;
        command.stdout(Stdio::null()).stderr(log);
        let child = command.spawn().map_err(|error| could_not("start `closte-sync run`", error))?;
        self.resident = Some(child);
        Ok(())
    }

    /// Run one of our commands to its end; what it says.
    pub(super) async fn say(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = self.command(arguments)?;
        let output = timeout(PATIENCE, command.output()).await;
        let output = output.map_err(|_| {
            Failure::could_not(format!("`closte-sync {}` took too long", arguments.join(" ")))
        })?;
        let output = output.map_err(|error| could_not("start closte-sync", error))?;
        let said = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&said).trim().replace('\n', " / "))
    }

    fn command(&self, arguments: &[&str]) -> Result<Command, Failure> {
        command(&self.no_settings(), &self.environment, arguments)
    }

    /// Why one of the children is no more; none while both run.
    pub(super) fn ended(&mut self) -> Option<String> {
        let over = |name: &str, child: &mut Child| {
            let status = child.try_wait().ok().flatten()?;
            Some(format!("`closte-sync {name}` has ended ({status})"))
        };
        let resident = self.resident.as_mut().and_then(|child| over("run", child));
        over("sandbox", &mut self.sandbox).or(resident)
    }

    /// End the children and remove the folder.
    pub(super) async fn end(mut self) {
        for child in self.resident.iter_mut().chain([&mut self.sandbox]) {
            // One that has ended already needs no more.
            let _ = child.kill().await;
        }
    }
}

/// The environment without settings, and with a temporary folder that is ours:
/// a child that is killed cannot take its own away.
fn without_settings(around: &Environment, folder: &Path) -> Environment {
    let systemd = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];
    let ours = |name: &&String| name.starts_with(PREFIX) || systemd.contains(&name.as_str());
    let kept = around.variables.iter().filter(|(name, _)| !ours(name));
    let mut kept: BTreeMap<_, _> = kept.map(|(k, v)| (k.clone(), v.clone())).collect();
    kept.insert("TMPDIR".to_owned(), folder.display().to_string());
    around.with(kept)
}

/// This program, to run beside us.
fn command(
    no_settings: &Path,
    environment: &Environment,
    arguments: &[&str],
) -> Result<Command, Failure> {
    let program = std::env::current_exe().map_err(|error| could_not("find this program", error))?;
    let mut command = Command::new(program);
    command
        .args([OsStr::new("--config"), no_settings.as_os_str()])
        .args(arguments)
        .env_clear()
        .envs(&environment.variables)
        .stdin(Stdio::null())
        // Ctrl-C is for us, who end them.
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

async fn sandbox(folder: &Path, environment: &Environment) -> Result<(Child, Printed), Failure> {
    let arguments = ["sandbox", "--output", "json", "--issue-after", story::ISSUE_AFTER];
    let mut command = command(&folder.join(NO_SETTINGS), environment, &arguments)?;
    command.stdout(Stdio::piped());
    let failed = |error| could_not("start `closte-sync sandbox`", error);
    let mut child = command.spawn().map_err(failed)?;
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut text = String::new();
    let printed = async {
        // Its answer is one object over many lines; it prints nothing else.
        while let Some(line) = lines.next_line().await? {
            text.push_str(&line);
            if line == "}" {
                break;
            }
        }
        Ok::<_, std::io::Error>(())
    };
    match timeout(PATIENCE, printed).await {
        Ok(read) => read.map_err(failed)?,
        Err(_) => return Err(Failure::could_not("the sandbox did not start in time")),
    }
    let printed = serde_json::from_str(&text)
        .map_err(|_| Failure::could_not("the sandbox did not start; what it said is above"))?;
    Ok((child, printed))
}

/// WordPress on SQLite, with the key of the sandbox in its wp-config.php, as on Closte.
async fn network(
    folder: &Path,
    settings: &mut BTreeMap<String, String>,
) -> Result<WordPress, Failure> {
    let key_file = settings.remove("CLOSTE_SYNC_CLOSTE_API_KEY_FILE").unwrap_or_default();
    let key = tokio::fs::read_to_string(&key_file).await;
    let key = key.map_err(|error| could_not("read the sandbox's key", error))?;
    let network = NetworkSettings {
        domain: story::NETWORK.to_owned(),
        api_key: key.trim().to_owned(),
        app: "demo".to_owned(),
    };
    let made = WordPress::create(&folder.join("public_html"), &network).await;
    let made = made.map_err(|error| could_not("make a WordPress", error))?;
    story::populate(&made).await.map_err(|error| could_not("fill the WordPress", error))?;
    Ok(made)
}

fn could_not(what: &str, error: impl std::error::Error + 'static) -> Failure {
    let why = engine::error_chain(&error);
    Failure::could_not(format!("the demo could not {what}: {why}"))
}
