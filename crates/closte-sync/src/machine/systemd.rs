//! systemd, by the program `systemctl`: which units of ours it knows, and enabling one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use engine::Failure;
use engine::ops::setup::{SERVICE, Scope, SystemdFound};

use super::{ended_well, program};

/// Says in the folder of a unit's drop-ins that it was us who enabled it.
const RECORD: &str = "closte-sync-setup.conf";

const RECORD_TEXT: &str =
    "# `closte-sync setup` enabled this unit; `closte-sync setup --remove` disables it.\n";

/// systemd on this machine.
#[derive(Debug)]
pub(crate) struct Systemd {
    /// The program `systemctl`.
    systemctl: PathBuf,
    /// Where the machine's files begin.
    root: PathBuf,
    home: Option<PathBuf>,
    user: String,
    is_root: bool,
}

impl Systemd {
    /// As `user` sees it.
    pub(crate) fn of(user: &str, home: Option<PathBuf>) -> Self {
        Self {
            systemctl: PathBuf::from("systemctl"),
            root: PathBuf::from("/"),
            home,
            user: user.to_owned(),
            is_root: rustix::process::geteuid().is_root(),
        }
    }

    /// What it knows of us; none where it does not run this machine.
    pub(crate) fn found(&self) -> Option<SystemdFound> {
        // As sd_booted(3) tells.
        if !self.root.join("run/systemd/system").is_dir() {
            return None;
        }
        let units = self.units(Scope::System);
        let is_enabled = units.values().any(|state| state == "enabled");
        let lingers = self.root.join("var/lib/systemd/linger").join(&self.user).exists();
        if self.is_root || is_enabled || !lingers {
            return Some(SystemdFound { scope: Scope::System, units });
        }
        let scope = Scope::User;
        Some(SystemdFound { scope, units: self.units(scope) })
    }

    /// Units of ours and their states; none where nobody says.
    fn units(&self, scope: Scope) -> BTreeMap<String, String> {
        let list = ["list-unit-files", "closte-sync*", "--no-legend", "--no-pager"];
        let said = self.call(scope, &list).unwrap_or_default();
        let row = |line: &str| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.to_owned()))
        };
        said.lines().filter_map(row).collect()
    }

    /// Enable and start our service, and write down that it was us.
    pub(crate) fn enable(&self, scope: Scope) -> Result<(), Failure> {
        let record = self.record(scope)?;
        let not_written =
            |error| Failure::could_not(format!("could not write `{}`: {error}", record.display()));
        let folder = record.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(folder).map_err(not_written)?;
        fs::write(&record, RECORD_TEXT).map_err(not_written)?;
        self.call(scope, &["daemon-reload"])?;
        self.call(scope, &["enable", "--now", SERVICE]).map(drop).map_err(|failure| {
            failure.hint(format!(
                "`journalctl -u {SERVICE}` says more; `closte-sync setup --remove` undoes it"
            ))
        })
    }

    /// The managers in which it was us who enabled our service.
    pub(crate) fn enabled_by_us(&self) -> Vec<Scope> {
        let written = |scope: &Scope| self.record(*scope).is_ok_and(|record| record.exists());
        [Scope::System, Scope::User].into_iter().filter(written).collect()
    }

    /// Undo what [`Self::enable`] did.
    pub(crate) fn disable(&self, scope: Scope) -> Result<(), Failure> {
        if scope == Scope::System && !self.is_root {
            let what = format!("only root may disable `{SERVICE}`");
            return Err(Failure::no(what).hint("run it with `sudo`"));
        }
        self.call(scope, &["disable", "--now", SERVICE])?;
        let record = self.record(scope)?;
        fs::remove_file(&record).map_err(|error| {
            Failure::could_not(format!("could not delete `{}`: {error}", record.display()))
        })?;
        // Other drop-ins may be there.
        _ = record.parent().map(fs::remove_dir);
        self.call(scope, &["daemon-reload"]).map(drop)
    }

    fn record(&self, scope: Scope) -> Result<PathBuf, Failure> {
        let folder = match (scope, &self.home) {
            (Scope::System, _) => self.root.join("etc/systemd/system"),
            (Scope::User, Some(home)) => home.join(".config/systemd/user"),
            (Scope::User, None) => return Err(Failure::could_not("there is no home folder")),
        };
        Ok(folder.join(format!("{SERVICE}.d")).join(RECORD))
    }

    fn call(&self, scope: Scope, arguments: &[&str]) -> Result<String, Failure> {
        let user = (scope == Scope::User).then_some("--user");
        let mut command = program(&self.systemctl);
        command.args(user).args(arguments);
        let said = user.into_iter().chain(arguments.iter().copied()).collect::<Vec<_>>().join(" ");
        ended_well(&format!("systemctl {said}"), command.output())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A machine that systemd runs, whose `systemctl` writes down how it was called.
    struct Machine {
        folder: tempfile::TempDir,
        systemd: Systemd,
    }

    impl Machine {
        fn new(is_root: bool, script: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let at = folder.path();
            fs::create_dir_all(at.join("run/systemd/system")).unwrap();
            let systemctl = at.join("systemctl");
            let calls = at.join("calls");
            let text = format!("#!/bin/sh\necho \"$*\" >> '{}'\n{script}\n", calls.display());
            fs::write(&systemctl, text).unwrap();
            fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).unwrap();
            let (root, home) = (at.to_owned(), Some(at.join("home")));
            let systemd = Systemd { systemctl, root, home, user: "app1".to_owned(), is_root };
            Self { folder, systemd }
        }

        fn calls(&self) -> Vec<String> {
            let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
            calls.lines().map(str::to_owned).collect()
        }

        /// All files but those of the machine itself.
        fn written(&self) -> Vec<PathBuf> {
            let in_etc = "etc/systemd/system/closte-sync.service.d";
            let in_home = "home/.config/systemd/user/closte-sync.service.d";
            let folders = [in_etc, in_home].map(|folder| self.folder.path().join(folder));
            folders.into_iter().filter(|folder| folder.exists()).collect()
        }
    }

    const LIST: &str = "[ \"$1\" = list-unit-files ] && printf '%s\\n' \
                        'closte-sync.service disabled enabled' 'closte-sync@.service indirect -'";

    #[test]
    fn a_machine_without_systemd_is_told_from_one_that_it_runs() {
        let machine = Machine::new(true, LIST);
        let found = machine.systemd.found().unwrap();
        assert_eq!(found.scope, Scope::System);
        let units = [("closte-sync.service", "disabled"), ("closte-sync@.service", "indirect")];
        let units = units.map(|(unit, state)| (unit.to_owned(), state.to_owned()));
        assert_eq!(found.units, BTreeMap::from(units));
        fs::remove_dir(machine.folder.path().join("run/systemd/system")).unwrap();
        assert_eq!(machine.systemd.found(), None);
    }

    #[test]
    fn a_user_whose_services_go_on_is_given_his_own() {
        let machine = Machine::new(false, LIST);
        assert_eq!(machine.systemd.found().unwrap().scope, Scope::System);
        let linger = machine.folder.path().join("var/lib/systemd/linger");
        fs::create_dir_all(&linger).unwrap();
        fs::write(linger.join("app1"), "").unwrap();
        assert_eq!(machine.systemd.found().unwrap().scope, Scope::User);
        assert!(machine.calls().last().unwrap().starts_with("--user list-unit-files "));
    }

    #[test]
    fn what_was_enabled_is_disabled_and_nothing_of_it_stays() {
        for (scope, user) in [(Scope::System, ""), (Scope::User, "--user ")] {
            let machine = Machine::new(true, "");
            assert_eq!(machine.systemd.enabled_by_us(), []);
            machine.systemd.enable(scope).unwrap();
            assert_eq!(machine.systemd.enabled_by_us(), [scope]);
            machine.systemd.disable(scope).unwrap();
            assert_eq!((machine.systemd.enabled_by_us(), machine.written()), (vec![], vec![]));
            let calls = ["daemon-reload", "enable --now", "disable --now", "daemon-reload"];
            let calls = calls.map(|call| match call {
                "daemon-reload" => format!("{user}{call}"),
                call => format!("{user}{call} closte-sync.service"),
            });
            assert_eq!(machine.calls(), calls);
        }
    }

    #[test]
    fn what_systemd_refuses_is_told_in_its_words_and_can_be_undone() {
        let machine = Machine::new(
            true,
            "[ \"$1\" = enable ] && { echo 'no such unit' >&2; exit 1; }; exit 0",
        );
        let failure = machine.systemd.enable(Scope::System).unwrap_err().render();
        assert!(
            failure.contains("`systemctl enable --now closte-sync.service` failed: no such unit"),
            "{failure}"
        );
        machine.systemd.disable(Scope::System).unwrap();
        assert_eq!(machine.written(), Vec::<PathBuf>::new());
    }

    #[test]
    fn only_root_disables_what_root_enabled() {
        let machine = Machine::new(false, "");
        machine.systemd.enable(Scope::System).unwrap();
        let failure = machine.systemd.disable(Scope::System).unwrap_err().render();
        assert!(failure.contains("only root may disable"), "{failure}");
        assert_eq!(machine.systemd.enabled_by_us(), [Scope::System]);
    }
}
