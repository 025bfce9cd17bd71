//! `closte-sync setup`: the right way to run here, shown, written where that is asked for, and
//! undone.
//!
//! Here the machine is looked at; what is right for it is decided in `engine::ops::setup`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use engine::ops::check::Check;
use engine::ops::setup::crontab::{Change, CronLine};
use engine::ops::setup::{
    CrontabFound, MachineFound, PluginHere, Proposal, Remaining, SERVICE, Scope, Way,
    WordPressFound, set_up,
};
use rules::{Clock, Time};
use serde::Serialize;

use super::console::Tone;
use super::plugin::is_active;
use super::{Console, Context, Exit, Failure, checks};
use crate::clock::SystemClock;
use crate::config::Origin;
use crate::machine::{Systemd, crontab};
use crate::package;
use crate::view::CheckView;
use crate::wiring::{NEXT_PASS, PLUGINS};

/// What the plugin found out about the engine that it carries, as JSON.
const CARRIED: &str = "closte_sync_carried";

/// Find the right way to run here, and say what it needs
///
/// Changes nothing unless it is told to. It looks at the machine: whether this is Closte, what
/// WordPress carries, what cron and systemd do already.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Write what is proposed
    #[arg(long, group = "change")]
    write: bool,

    /// Undo what `--write` wrote, and nothing else
    #[arg(long, group = "change")]
    remove: bool,

    /// Do not ask before that
    #[arg(long, requires = "change")]
    yes: bool,
}

#[derive(Serialize)]
struct View<'a> {
    checks: Vec<CheckView>,
    proposal: Option<ProposalView<'a>>,
}

#[derive(Serialize)]
struct ProposalView<'a> {
    way: &'static str,
    why: &'a str,
    lines: &'a [String],
    /// What is left to do: `nothing`, `crontab`, `enable` or `by-hand`.
    remaining: &'static str,
    hint: Option<String>,
}

#[derive(Serialize)]
struct RemovedView {
    removed: Vec<String>,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> Result<Exit, Failure> {
        let (console, systemd) = (context.console, systemd(context));
        if self.remove {
            return remove(context, &systemd, self.yes);
        }
        let found = Box::pin(examine(context, &systemd)).await;
        let (checks, proposal) = set_up(&found);
        show(console, &checks, proposal.as_ref());
        if let (true, Some(proposal)) = (self.write, &proposal) {
            write(console, &found, proposal, &systemd, self.yes)?;
        }
        Ok(checks::exit(&checks))
    }
}

fn systemd(context: &Context) -> Systemd {
    Systemd::of(&user(), context.environment.home())
}

fn user() -> String {
    // Not every user has a name.
    whoami::username().unwrap_or_else(|_| rustix::process::geteuid().as_raw().to_string())
}

/// Look at the machine, and change nothing.
async fn examine(context: &Context, systemd: &Systemd) -> MachineFound {
    let wordpress = wordpress(context);
    let mut plugins = None;
    let (switch, stored) = match context.wiring().access() {
        // Then the same is said of WordPress.
        Err(_) if wordpress.is_err() => (None, None),
        Err(failure) => (Some(Err(failure)), None),
        Ok(access) => {
            plugins = access.plugins();
            let read = access.source.read().await.map(|network| network.switch);
            let stored = access.source.options(&[PLUGINS, NEXT_PASS, CARRIED]);
            (Some(read.map_err(Failure::from)), stored.await.ok())
        }
    };
    let active = stored.as_ref().map(|stored| is_active(stored.get(PLUGINS)));
    let obstacle = stored.as_ref().and_then(|stored| obstacle(stored.get(CARRIED)?));
    let next = stored.as_ref().and_then(|stored| time(stored.get(NEXT_PASS)?));
    let plugin = match plugins.as_deref().map(|plugins| (package::installed(plugins), plugins)) {
        None | Some((None, _)) => PluginHere::Absent,
        Some((Some(_), plugins)) => match package::carried_engine(plugins) {
            None => PluginHere::WithoutEngine,
            Some(Err(why)) => PluginHere::Broken(why),
            Some(Ok(())) => PluginHere::Carries { active, obstacle, next },
        },
    };
    MachineFound {
        program: own_path(),
        user: user(),
        is_root: rustix::process::geteuid().is_root(),
        wordpress,
        config: settings_file(context),
        switch,
        plugin,
        crontab: crontab::read(),
        systemd: systemd.found(),
        only_here: only_here(context),
        now: SystemClock.now(),
    }
}

fn own_path() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("closte-sync"))
}

fn wordpress(context: &Context) -> Result<WordPressFound, Failure> {
    let wiring = context.wiring();
    if wiring.is_remote() {
        let url = wiring.settings.network_url.as_ref();
        return Ok(WordPressFound::Remote(url.map(ToString::to_string).unwrap_or_default()));
    }
    let wp = wiring.wp_config()?;
    let root = wp.root.canonicalize().unwrap_or(wp.root);
    let app = wp.closte_app_id.known().cloned();
    Ok(WordPressFound::Here { config: as_given(&wp.path), root, app })
}

/// `config` as `--wp-config` takes it from any folder, and spelled in one way only. Where it is a link,
/// its folder is given: what lies beside it counts, not what lies where it leads to.
fn as_given(config: &Path) -> PathBuf {
    let folder = config.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, config.file_name()) {
        (Some(folder), Some(_)) if config.is_symlink() => folder,
        (Some(folder), Some(name)) => folder.join(name),
        _ => config.to_owned(),
    }
}

fn settings_file(context: &Context) -> Option<PathBuf> {
    context.only.as_ref().and_then(|path| std::path::absolute(path).ok())
}

/// What this process is told by flags and variables.
fn only_here(context: &Context) -> Vec<String> {
    let written = context.loaded.written.iter().filter(|(key, _)| **key != "network.wp_config");
    let settings = written.filter_map(|(key, written)| match &written.origin {
        Origin::Flag => Some(format!("`--set {key}`")),
        Origin::Variable(name) => Some(format!("`${name}`")),
        Origin::Default | Origin::File(_) => None,
    });
    let folders = ["XDG_CONFIG_HOME", "XDG_STATE_HOME"].into_iter();
    let folders = folders.filter(|name| context.environment.value(name).is_some());
    settings.chain(folders.map(|name| format!("`${name}`"))).collect()
}

/// The code of what keeps WordPress from starting the engine, where the plugin found anything.
fn obstacle(option: &[u8]) -> Option<String> {
    let found: serde_json::Value = serde_json::from_slice(option).ok()?;
    Some(found["obstacle"]["code"].as_str()?.to_owned())
}

/// Unix seconds in decimal digits.
fn time(option: &[u8]) -> Option<Time> {
    let seconds: i64 = std::str::from_utf8(option).ok()?.trim().parse().ok()?;
    Some(Time::from_millis(seconds.checked_mul(1000)?))
}

fn show(console: Console, checks: &[Check], proposal: Option<&Proposal>) {
    if console.is_json() {
        let proposal = proposal.map(|it| ProposalView {
            way: it.way.as_str(),
            why: &it.why,
            lines: &it.lines,
            remaining: match it.remaining {
                Remaining::Nothing => "nothing",
                Remaining::Crontab(_) => "crontab",
                Remaining::Enable(_) => "enable",
                Remaining::ByHand(_) => "by-hand",
            },
            hint: hint(&it.remaining),
        });
        return console.json(&View { checks: checks::views(checks), proposal });
    }
    let mut text = checks::text(console, checks);
    if let Some(Proposal { way, why, lines, remaining }) = proposal {
        let way = console.paint(way.as_str(), Tone::Good);
        let _ = writeln!(text, "\nproposal: {way}: {why}");
        if !lines.is_empty() {
            let _ = writeln!(text, "\n{}\n", lines.join("\n"));
        }
        let next = hint(remaining).unwrap_or_else(|| "nothing is left to do".to_owned());
        let _ = writeln!(text, "{next}");
    }
    console.say(text);
}

/// What is to be done next.
fn hint(remaining: &Remaining) -> Option<String> {
    match remaining {
        Remaining::Nothing => None,
        Remaining::ByHand(why) => Some(why.clone()),
        Remaining::Enable(_) => Some("`closte-sync setup --write` does it".to_owned()),
        Remaining::Crontab(edited) => {
            let mut hint = "`closte-sync setup --write` puts it into the crontab".to_owned();
            if let Change::Exchange(old) = &edited.change {
                let _ = write!(hint, ", in place of: {}", old.join("; "));
            }
            Some(hint)
        }
    }
}

/// Do what is proposed.
fn write(
    console: Console,
    found: &MachineFound,
    proposal: &Proposal,
    systemd: &Systemd,
    yes: bool,
) -> Result<(), Failure> {
    match &proposal.remaining {
        Remaining::Nothing if proposal.way == Way::Plugin => {
            console.tell("nothing was written: the plugin needs nothing here");
        }
        Remaining::Nothing => console.tell("nothing was written: it is there already"),
        Remaining::ByHand(why) => {
            return Err(Failure::no("nothing was written").hint(why));
        }
        Remaining::Enable(scope) => {
            console.confirm(&format!("Enable and start `{SERVICE}`?"), yes)?;
            systemd.enable(*scope)?;
            console.tell(format!("`{SERVICE}` is enabled; `closte-sync setup --remove` undoes it"));
        }
        Remaining::Crontab(edited) => {
            let CrontabFound::Read(before) = &found.crontab else {
                unreachable!("a crontab that was not read is not edited")
            };
            console.confirm("Write the line into the crontab?", yes)?;
            crontab::write(before, &edited.text)?;
            console.tell(match &edited.change {
                Change::Exchange(old) => {
                    format!("the line is in the crontab, in place of: {}", old.join("; "))
                }
                _ => {
                    "the line is in the crontab; `closte-sync setup --remove` undoes it".to_owned()
                }
            });
        }
    }
    Ok(())
}

/// Undo what was written.
fn remove(context: &Context, systemd: &Systemd, yes: bool) -> Result<Exit, Failure> {
    let console = context.console;
    let wp_config = match wordpress(context) {
        Ok(wordpress) => wordpress.config().map(Path::to_owned),
        // WordPress may be gone: the path still says which line is meant.
        Err(failure) => {
            let named = context.wiring().settings.wp_config.as_ref();
            Some(as_given(named.ok_or(failure)?))
        }
    };
    let config = settings_file(context);
    let line = CronLine::of(&own_path(), wp_config.as_deref(), config.as_deref());
    let line = line.map_err(Failure::could_not)?;
    let crontab = match crontab::read() {
        CrontabFound::Read(text) => Some((line.taken_out_of(&text), text)),
        CrontabFound::NoProgram => None,
        CrontabFound::Refused(words) => {
            let what = format!("could not read the crontab: {words}");
            return Err(Failure::could_not(what).hint("ask whoever runs this machine"));
        }
    };
    let edited = crontab.as_ref().and_then(|(edited, before)| match &edited.change {
        Change::Remove(lines) => Some((before, &edited.text, lines)),
        _ => None,
    });
    let scopes = systemd.enabled_by_us();
    let mut removed = edited.map(|(_, _, lines)| lines.clone()).unwrap_or_default();
    removed.extend(scopes.iter().map(|scope| match scope {
        Scope::System => format!("systemctl enable {SERVICE}"),
        Scope::User => format!("systemctl --user enable {SERVICE}"),
    }));
    if !removed.is_empty() {
        console.tell(removed.join("\n"));
        console.confirm("Undo this?", yes)?;
    }
    if let Some((before, text, _)) = edited {
        crontab::write(before, text)?;
    }
    for scope in scopes {
        systemd.disable(scope)?;
    }
    if console.is_json() {
        console.json(&RemovedView { removed });
    } else if removed.is_empty() {
        console.tell("nothing is here that `closte-sync setup` wrote");
    } else {
        console.tell("undone");
    }
    Ok(Exit::Done)
}
