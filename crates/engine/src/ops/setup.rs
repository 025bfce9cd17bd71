//! The right way to run on a machine, decided from what was found there.
//!
//! Whoever asks looks at the machine, and does what is proposed. Here nothing is looked at and
//! nothing written.

mod checks;
pub mod crontab;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rules::network::Switch;
use rules::{Time, plain};

use super::check::Check;
use crate::failure::Failure;
use crate::rough::rough;
use crontab::{Change, CronLine, Edited};

/// The unit that runs closte-sync as a service.
pub const SERVICE: &str = "closte-sync.service";

/// Where the units have their settings: [`SERVICE`] the first, an instance for one of several networks
/// the file of its name.
const SETTINGS: &str = "/etc/closte-sync/closte-sync.toml";

/// A pass that is due for longer than this is made by nobody: what starts one in WordPress waits 15
/// minutes at most after a failure.
const LATE: Duration = Duration::from_hours(1);

/// What was found where closte-sync is to run.
#[derive(Debug)]
pub struct MachineFound {
    /// This program.
    pub program: PathBuf,
    /// Who runs it.
    pub user: String,
    /// Whether that is root.
    pub is_root: bool,
    pub wordpress: Result<WordPressFound, Failure>,
    /// The one settings file that was asked for.
    pub config: Option<PathBuf>,
    /// Whether Closte is switched on; none where WordPress was not found.
    pub switch: Option<Result<Switch, Failure>>,
    pub plugin: PluginHere,
    pub crontab: CrontabFound,
    pub systemd: Option<SystemdFound>,
    /// What this process is told by flags and variables, which no other process will be.
    pub only_here: Vec<String>,
    pub now: Time,
}

/// Where WordPress is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WordPressFound {
    /// On this machine.
    Here {
        /// Its wp-config.php, as `--wp-config` takes it.
        config: PathBuf,
        /// Its own folder.
        root: PathBuf,
        /// `CLOSTE_APP_ID`.
        app: Option<String>,
    },
    /// On another one, at this address.
    Remote(String),
}

/// The plugin, and the engine that it may carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PluginHere {
    /// It is not here.
    Absent,
    /// It carries no engine.
    WithoutEngine,
    /// The engine that it carries is of no use, for this reason.
    Broken(String),
    /// It carries an engine that can be started.
    Carries {
        /// Whether it is active for the network; none where nobody could be asked.
        active: Option<bool>,
        /// What keeps WordPress from starting it: the plugin's own code for that.
        obstacle: Option<String>,
        /// `closte_sync_next`: when the next pass is due.
        next: Option<Time>,
    },
}

/// The crontab of this user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrontabFound {
    /// What is in it; nothing where there is none.
    Read(Vec<u8>),
    /// There is no program `crontab`.
    NoProgram,
    /// The program refuses, in these words.
    Refused(String),
}

/// systemd, where it runs this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemdFound {
    pub scope: Scope,
    /// Units of ours that it knows, and the state of each (`enabled`, `disabled`, …).
    pub units: BTreeMap<String, String>,
}

/// Which manager of systemd a unit belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The machine's.
    System,
    /// That of this user, which goes on when nobody is logged in (lingering).
    User,
}

/// A way to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The plugin in WordPress makes the passes.
    Plugin,
    /// Cron starts one every five minutes.
    Cron,
    /// systemd keeps `closte-sync run` running.
    Systemd,
}

impl Way {
    /// The word that scripts read.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Cron => "cron",
            Self::Systemd => "systemd",
        }
    }
}

/// What is left to do for a way to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remaining {
    /// Nothing.
    Nothing,
    /// To write this crontab.
    Crontab(Edited),
    /// To enable [`SERVICE`].
    Enable(Scope),
    /// What only a person can do: why, and what.
    ByHand(String),
}

/// How closte-sync should run here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub way: Way,
    /// Why so, in a sentence.
    pub why: String,
    /// The lines of the crontab, or the commands.
    pub lines: Vec<String>,
    pub remaining: Remaining,
}

/// What was found, judged one thing after the other; and the proposal, where there can be one.
pub fn set_up(found: &MachineFound) -> (Vec<Check>, Option<Proposal>) {
    let proposal = found.wordpress.as_ref().ok().map(|wordpress| propose(found, wordpress));
    (checks::checks(found, proposal.as_ref()), proposal)
}

fn propose(found: &MachineFound, wordpress: &WordPressFound) -> Proposal {
    let late = late(found);
    if let PluginHere::Carries { active: Some(true), obstacle: None, .. } = found.plugin
        && late.is_none()
    {
        return settled(
            Way::Plugin,
            "the plugin in WordPress carries the engine and makes the passes itself: nothing is \
             needed here",
        );
    }
    let line = CronLine::of(&found.program, wordpress.config(), found.config.as_deref());
    let by_cron = |why: &str| by_cron(found, &line, late, why);
    let systemd = found.systemd.as_ref();
    // What is enabled may be for another network than that of a settings file that was named.
    if found.own_settings().is_none()
        && let Some(unit) = systemd.and_then(SystemdFound::enabled)
    {
        return settled(
            Way::Systemd,
            format!("`{unit}` is enabled, for the network of its settings"),
        );
    }
    if wordpress.is_closte() {
        return by_cron(
            "Closte bills every process by time and memory, and a pass that cron starts ends at once \
             where there is nothing to do",
        );
    }
    let runs_by_cron = match (&found.crontab, &line) {
        (CrontabFound::Read(text), Ok(line)) => line.is_known_in(text),
        _ => false,
    };
    match systemd {
        _ if runs_by_cron => by_cron("a line of the crontab does it already"),
        Some(systemd) if found.is_root || systemd.is_the_users() => {
            by_systemd(found, systemd, wordpress)
        }
        Some(systemd)
            if systemd.scope == Scope::System
                && !matches!(found.crontab, CrontabFound::Read(_)) =>
        {
            by_systemd(found, systemd, wordpress)
        }
        _ => by_cron("this user may set up no service here, and cron needs nobody else"),
    }
}

impl MachineFound {
    /// The settings file that was asked for, where it is not that of [`SERVICE`].
    fn own_settings(&self) -> Option<&Path> {
        self.config.as_deref().filter(|config| *config != Path::new(SETTINGS))
    }
}

impl WordPressFound {
    /// What `--wp-config` takes.
    pub fn config(&self) -> Option<&Path> {
        match self {
            Self::Here { config, .. } => Some(config),
            Self::Remote(_) => None,
        }
    }

    /// Whether this is Closte: the constant alone may be that of a copy somewhere else.
    fn is_closte(&self) -> bool {
        match self {
            Self::Here { root, app: Some(app), .. } => {
                !app.is_empty() && root.ends_with(Path::new(app).join("public_html"))
            }
            Self::Here { .. } | Self::Remote(_) => false,
        }
    }
}

impl SystemdFound {
    /// Whether it is this user's, who has our service in it. The unit that is handed out is for the
    /// machine's: much of what closes it up no user may ask for.
    fn is_the_users(&self) -> bool {
        self.scope == Scope::User && self.units.contains_key(SERVICE)
    }

    /// A unit of ours that is enabled.
    fn enabled(&self) -> Option<&str> {
        let enabled = self.units.iter().find(|(_, state)| state.as_str() == "enabled");
        enabled.map(|(unit, _)| unit.as_str())
    }
}

/// For how long a pass is due that the plugin should have made.
fn late(found: &MachineFound) -> Option<Duration> {
    let PluginHere::Carries { active: Some(true), obstacle: None, next: Some(next) } = found.plugin
    else {
        return None;
    };
    Some(found.now.since(next)).filter(|late| LATE < *late)
}

/// A way for which nothing is left to do.
fn settled(way: Way, why: impl Into<String>) -> Proposal {
    Proposal { way, why: why.into(), lines: Vec::new(), remaining: Remaining::Nothing }
}

fn by_cron(
    found: &MachineFound,
    line: &Result<CronLine, String>,
    late: Option<Duration>,
    why: &str,
) -> Proposal {
    let why = match late {
        None => why.to_owned(),
        Some(late) => format!(
            "the plugin carries an engine, but a pass has been due for {} and was not made: PHP may not \
             start programs, or WP-Cron does not run; cron does it instead",
            rough(late)
        ),
    };
    let line = match line {
        Ok(line) => line,
        Err(error) => {
            let remaining = Remaining::ByHand(error.clone());
            return Proposal { way: Way::Cron, why, lines: Vec::new(), remaining };
        }
    };
    let lines = vec![line.to_string()];
    let elsewhere = "put the line where this host asks for cron jobs";
    let remaining = match &found.crontab {
        CrontabFound::Read(text) if !line.is_kept_by_hand_in(text) => {
            let edited = line.written_into(text);
            if edited.change == Change::None {
                Remaining::Nothing
            } else {
                Remaining::Crontab(edited)
            }
        }
        CrontabFound::Read(_) => Remaining::Nothing,
        CrontabFound::NoProgram => {
            Remaining::ByHand(format!("there is no program `crontab` here: {elsewhere}"))
        }
        CrontabFound::Refused(words) => {
            Remaining::ByHand(format!("`crontab` refuses ({}): {elsewhere}", plain::words(words)))
        }
    };
    Proposal { way: Way::Cron, why, lines, remaining }
}

fn by_systemd(
    found: &MachineFound,
    systemd: &SystemdFound,
    wordpress: &WordPressFound,
) -> Proposal {
    let call = match systemd.scope {
        Scope::User => "systemctl --user",
        Scope::System if found.is_root => "systemctl",
        Scope::System => "sudo systemctl",
    };
    let enable = format!("{call} enable --now {SERVICE}");
    let why = "a process may keep running here: `closte-sync run` brings a new mapping to Closte \
               within seconds";
    let (lines, remaining) = if let Some(config) = found.own_settings() {
        one_of_several(call, config)
    } else if systemd.units.contains_key(SERVICE) {
        let may = found.is_root || systemd.scope == Scope::User;
        let sudo = || Remaining::ByHand("only root may enable a unit of the machine".to_owned());
        (vec![enable], if may { Remaining::Enable(systemd.scope) } else { sudo() })
    } else {
        let sudo = if call.starts_with("sudo") { "sudo " } else { "" };
        let copy =
            format!("{sudo}install -D -m 644 systemd/{SERVICE} /etc/systemd/system/{SERVICE}");
        let wp = wordpress.config().map(|path| format!(" and `{}`", path.display()));
        let by_hand = format!(
            "`{SERVICE}` is not installed: the package brings it, and it is in the folder `systemd` of \
             the tar.gz; let its `ExecStart` name `{}`{}, and `User` who may read wp-config.php",
            found.program.display(),
            wp.unwrap_or_default(),
        );
        (vec![copy, format!("{call} daemon-reload"), enable], Remaining::ByHand(by_hand))
    };
    Proposal { way: Way::Systemd, why: why.to_owned(), lines, remaining }
}

/// The service for the network of the settings in `config`, which only a person enables.
fn one_of_several(call: &str, config: &Path) -> (Vec<String>, Remaining) {
    let is_plain =
        |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    let name = config.file_stem().and_then(OsStr::to_str).filter(is_plain);
    let is_there = config.parent() == Path::new(SETTINGS).parent()
        && config.extension().is_some_and(|it| it == "toml");
    let Some(name) = name.filter(|_| is_there) else {
        let why = format!(
            "services have their settings in /etc/closte-sync: move `{}` there",
            config.display()
        );
        return (Vec::new(), Remaining::ByHand(why));
    };
    let why = format!("`setup --write` enables only `{SERVICE}`, which is for another network");
    (vec![format!("{call} enable --now closte-sync@{name}.service")], Remaining::ByHand(why))
}
