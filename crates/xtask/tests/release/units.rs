//! The units for systemd, as the package has them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{VERSION, names, out, ran};

/// Where the package puts them.
const PLACE: &str = "usr/lib/systemd/system";

/// A unit file: every value of every key, in their order.
pub(crate) struct Unit(BTreeMap<String, Vec<String>>);

impl Unit {
    /// The unit of this name below `root`; `%i` is `instance`.
    pub(crate) fn installed(root: &Path, name: &str, instance: &str) -> Self {
        let path = root.join(PLACE).join(name);
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let lines = text.lines().filter(|line| !line.starts_with(['#', '[']));
        for (key, value) in lines.filter_map(|line| line.split_once('=')) {
            values.entry(key.to_owned()).or_default().push(value.replace("%i", instance));
        }
        Self(values)
    }

    /// The one value of a key.
    pub(crate) fn one(&self, key: &str) -> &str {
        match self.all(key) {
            [value] => value,
            several => panic!("`{key}=` has one value, and not {several:?}"),
        }
    }

    /// All values of a key.
    pub(crate) fn all(&self, key: &str) -> &[String] {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }
}

#[test]
fn every_service_is_closed_up_as_far_as_its_work_allows() {
    let package = tempfile::tempdir().expect("a temporary folder");
    let deb = out().join(format!("closte-sync_{VERSION}_amd64.deb"));
    ran(Command::new("dpkg-deb").arg("--extract").arg(deb).arg(package.path()));
    let units = package.path().join(PLACE);
    let services: Vec<_> =
        names(&units).into_iter().filter(|name| name.ends_with(".service")).collect();
    let expected = ["closte-sync-sync.service", "closte-sync.service", "closte-sync@.service"];
    assert_eq!(services, expected);
    for name in services {
        // A template is judged as one of its instances.
        let instance = name.replace("@.", "@network.");
        if instance != name {
            fs::rename(units.join(&name), units.join(&instance)).expect("it is ours");
        }
        ran(Command::new("systemd-analyze")
            .args(["security", "--no-pager", "--offline=yes", "--threshold=20"])
            .arg(units.join(&instance)));
    }
}

#[test]
fn the_services_are_closed_up_alike() {
    let package = tempfile::tempdir().expect("a temporary folder");
    let deb = out().join(format!("closte-sync_{VERSION}_amd64.deb"));
    ran(Command::new("dpkg-deb").arg("--extract").arg(deb).arg(package.path()));
    let block = |name: &str| {
        let path = package.path().join(PLACE).join(name);
        let text = fs::read_to_string(path).expect("a text");
        let (_, from) = text.split_once("# What the process may do").expect("the block");
        from.split("\n[").next().unwrap_or_default().trim().to_owned()
    };
    let first = block("closte-sync.service");
    assert_eq!(block("closte-sync@.service"), first);
    assert_eq!(block("closte-sync-sync.service"), first);
}

#[test]
fn a_key_that_is_not_there_keeps_no_service_from_starting() {
    // Of a path, systemd insists on the file; of a name, it looks into /etc/credstore and goes on.
    let package = tempfile::tempdir().expect("a temporary folder");
    let deb = out().join(format!("closte-sync_{VERSION}_amd64.deb"));
    ran(Command::new("dpkg-deb").arg("--extract").arg(deb).arg(package.path()));
    for name in names(&package.path().join(PLACE)) {
        let unit = Unit::installed(package.path(), &name, "network");
        if !name.ends_with(".service") {
            continue;
        }
        let handed: Vec<_> =
            unit.all("LoadCredential").iter().filter_map(|it| it.split_once(':')).collect();
        let ids: Vec<_> = handed.iter().map(|(id, _)| *id).collect();
        let all = ["closte-api-key", "rest-credentials", "plugin-secret", "webhook-secret"];
        assert_eq!(ids, all, "{name}");
        assert!(handed.iter().all(|(_, source)| !source.contains('/')), "{name}: {handed:?}");
    }
}
