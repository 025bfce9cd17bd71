//! What was found on a machine, judged one thing after the other.

use rules::network::Switch;
use rules::plain;

use super::{
    CrontabFound, MachineFound, PluginHere, Proposal, Scope, SystemdFound, Way, WordPressFound,
    crontab as lines, late,
};
use crate::failure::Failure;
use crate::ops::check::{Check, failed, ok, warn};

/// All of it, in the order in which it decides.
pub(super) fn checks(found: &MachineFound, proposal: Option<&Proposal>) -> Vec<Check> {
    let program = format!("{}, run by `{}`", found.program.display(), found.user);
    let mut checks = vec![ok("program", program)];
    checks.extend(wordpress(&found.wordpress));
    checks.extend(found.switch.as_ref().map(switch));
    checks.extend([plugin(found), crontab(found, proposal), systemd(found.systemd.as_ref())]);
    if !found.only_here.is_empty() {
        let what = format!("{} count in this process only", found.only_here.join(", "));
        checks.push(warn("settings", what, "write them into a settings file; `closte-sync config default` prints one to start from"));
    }
    checks
}

fn wordpress(found: &Result<WordPressFound, Failure>) -> Vec<Check> {
    let (config, root, app) = match found {
        Err(failure) => return vec![failed("wp-config.php", failure)],
        Ok(WordPressFound::Remote(url)) => return vec![ok("network.url", url)],
        Ok(WordPressFound::Here { config, root, app }) => (config, root, app),
    };
    let closte = match app {
        Some(app) if found.as_ref().is_ok_and(WordPressFound::is_closte) => {
            ok("closte", format!("this is the app `{app}` at Closte"))
        }
        Some(app) => warn(
            "closte",
            format!(
                "wp-config.php is that of the app `{app}` at Closte, but `{}` is not its folder",
                root.display()
            ),
            "a copy of a network acts for nobody; on Closte WordPress is in `APP/public_html`",
        ),
        None => ok("closte", "`CLOSTE_APP_ID` is not defined, so this is not Closte"),
    };
    vec![ok("wp-config.php", config.display().to_string()), closte]
}

fn switch(found: &Result<Switch, Failure>) -> Check {
    let hint = "`closte-sync enable` switches it on";
    match found {
        Ok(Switch::On) => ok("database", "answers, and Closte is switched on"),
        Ok(Switch::Off) => warn("database", "answers, and Closte is switched off", hint),
        Ok(Switch::Unreadable) => {
            warn("database", "answers, and Closte's switch cannot be read", hint)
        }
        Err(failure) => failed("database", failure),
    }
}

fn plugin(found: &MachineFound) -> Check {
    let page = "Network Admin > Ultimate Multisite > closte-sync";
    match &found.plugin {
        PluginHere::Absent => ok("plugin", "not installed"),
        PluginHere::WithoutEngine => ok("plugin", "installed, and carries no engine"),
        PluginHere::Broken(why) => warn(
            "plugin",
            format!("the engine that it carries is of no use: {why}"),
            "upload the zip again; until then, what is proposed below does the work",
        ),
        PluginHere::Carries { active: Some(true), obstacle: Some(code), .. } => warn(
            "plugin",
            format!("carries an engine that WordPress cannot start (`{code}`)"),
            format!("{page} says what to do; until then, what is proposed below does the work"),
        ),
        PluginHere::Carries { active: Some(true), .. } if late(found).is_none() => {
            ok("plugin", "active for the network, and carries an engine")
        }
        PluginHere::Carries { active: Some(true), .. } => {
            warn("plugin", "carries an engine that makes no pass", format!("{page} says why"))
        }
        PluginHere::Carries { active: Some(false), .. } => warn(
            "plugin",
            "carries an engine, and is not active for the network",
            "activate it for the network under Plugins in the network admin",
        ),
        PluginHere::Carries { active: None, .. } => {
            warn("plugin", "carries an engine; whether it is active is not known", page)
        }
    }
}

fn crontab(found: &MachineFound, proposal: Option<&Proposal>) -> Check {
    let text = match &found.crontab {
        CrontabFound::Read(text) => text,
        CrontabFound::NoProgram => return ok("crontab", "there is no program `crontab`"),
        CrontabFound::Refused(words) => {
            return warn("crontab", plain::words(words), "ask whoever runs this machine");
        }
    };
    let passes = lines::lines_of_passes(text);
    if passes.is_empty() {
        return ok("crontab", "no line runs closte-sync");
    }
    let what = passes.join("; ");
    if proposal.is_some_and(|it| it.way != Way::Cron) {
        return warn(
            "crontab",
            what,
            "not needed beside what is proposed below; `closte-sync setup --remove` takes away a line \
             that `setup` wrote",
        );
    }
    ok("crontab", what)
}

fn systemd(found: Option<&SystemdFound>) -> Check {
    let Some(found) = found else { return ok("systemd", "does not run this machine") };
    let whose = match found.scope {
        Scope::System => "runs this machine",
        Scope::User => "runs this machine, and this user's services when nobody is logged in",
    };
    let units: Vec<String> =
        found.units.iter().map(|(unit, state)| format!("`{unit}` ({state})")).collect();
    let units = if units.is_empty() { "no unit of ours".to_owned() } else { units.join(", ") };
    ok("systemd", format!("{whose}; {units}"))
}
