//! The Debian package, through its whole life in a Debian of its own, which
//! `debootstrap` makes once below `target`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use sandbox::Sandbox;
use sandbox::wordpress::{Settings as NetworkSettings, WordPress};
use tempfile::TempDir;

use super::units::Unit;
use super::{VERSION, out, ran, root};

const KEY: &str = "key-of-the-test";
const USER: &str = "closte-sync";
const HOME: &str = "/var/lib/closte-sync";

/// A pass on two networks takes a second; a busy machine is given more.
const PATIENCE: Duration = Duration::from_mins(1);

/// A Debian in a folder, which goes with it.
struct Debian(TempDir);

/// What a unit has started; it ends with the test, however that ends.
struct Service(Child);

impl Service {
    /// Stop it as systemd does; it must end well.
    fn stop(mut self) {
        ran(Command::new("kill").arg("-TERM").arg(self.0.id().to_string()));
        self.ended_well();
    }

    fn ended_well(&mut self) {
        let status = self.0.wait().expect("it is ours");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // One that has ended is not there any more.
        _ = self.0.kill();
    }
}

impl Debian {
    /// A new one: a copy of what was fetched once.
    fn new() -> Self {
        assert!(rustix::process::geteuid().is_root(), "a Debian of its own is made by root only");
        let kept = root().join("target/debian");
        let base = kept.join("base");
        fs::create_dir_all(&kept).expect("target can be written");
        if !base.exists() {
            let unfinished = tempfile::tempdir_in(&kept).expect("target can be written");
            let (suite, mirror) = release_here();
            // What it mounts is seen by nobody else, and gone when it ends: the folder can be deleted.
            ran(Command::new("unshare")
                .args(["--mount", "--propagation=private", "debootstrap"])
                .args(["--variant=minbase", "--include=ca-certificates", &suite])
                .args([&unfinished.path().display().to_string(), &mirror]));
            fs::rename(unfinished.keep(), &base).expect("both are below target");
        }
        let copy = tempfile::tempdir_in(&kept).expect("target can be written");
        let inside = copy.path().join("debian");
        ran(Command::new("cp").arg("-a").arg(&base).arg(&inside));
        Self(copy)
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("debian")
    }

    /// A path inside, as this side names it.
    fn at(&self, path: &str) -> PathBuf {
        self.root().join(path.trim_start_matches('/'))
    }

    /// A command inside, as root, with nothing of our environment.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("chroot");
        command.arg(self.root()).args(words).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C");
        command
    }

    fn say(&self, words: &[&str]) -> String {
        ran(&mut self.command(words))
    }

    /// Install the package file `deb`, in place of whatever version is there.
    fn install(&self, deb: &Path) {
        fs::copy(deb, self.at("/tmp/package.deb")).expect("it can be written");
        // As an unattended upgrade answers: the operator's settings stay.
        self.say(&["dpkg", "--force-confdef", "--force-confold", "--install", "/tmp/package.deb"]);
        fs::remove_file(self.at("/tmp/package.deb")).expect("it was written");
    }

    /// What is there besides dpkg's own records: files, and the users.
    fn traces(&self) -> BTreeSet<String> {
        let found = ran(Command::new("find").arg(self.root()).args(["-printf", "%P\n"]));
        // dpkg's and the user database's own records, and their copies of before.
        let records = ["var/lib/dpkg/", "var/log/", "var/cache/", "etc/.pwd.lock"];
        let of_system = |path: &&str| {
            records.iter().any(|it| path.starts_with(it))
                || path.starts_with("etc/") && path.ends_with('-')
        };
        let mut traces: BTreeSet<String> =
            found.lines().filter(|path| !of_system(path)).map(str::to_owned).collect();
        for file in ["passwd", "group", "shadow", "gshadow"] {
            let text = fs::read_to_string(self.at("/etc").join(file)).expect("root may read it");
            traces.extend(text.lines().map(|line| format!("{file}: {line}")));
        }
        traces
    }

    /// Start what a unit starts, as systemd would: its user, its environment, its folder, its keys.
    fn start(&self, unit: &Unit) -> Service {
        for folder in unit.all("StateDirectory").iter().flat_map(|it| it.split(' ')) {
            let folder = format!("/var/lib/{folder}");
            self.say(&["install", "-d", "-m", "0700", "-o", USER, "-g", USER, &folder]);
        }
        let user = unit.one("User");
        let (uid, gid) = (format!("--reuid={user}"), format!("--regid={user}"));
        let mut words = vec!["setpriv", &uid, &gid, "--init-groups", "--no-new-privs", "env", "-i"];
        let (home, credentials) = (format!("HOME={HOME}"), self.credentials(unit));
        words.extend([home.as_str(), credentials.as_str(), "PATH=/usr/bin:/bin"]);
        words.extend(unit.all("Environment").iter().map(String::as_str));
        words.extend(unit.one("ExecStart").split(' '));
        Service(self.command(&words).spawn().expect("`chroot` starts"))
    }

    /// The keys that are there, where only the unit's user may read them.
    fn credentials(&self, unit: &Unit) -> String {
        let folder = "/run/credentials-of-the-unit";
        ran(Command::new("rm").arg("-rf").arg(self.at(folder)));
        fs::create_dir_all(self.at(folder)).expect("root may");
        let uid = self.say(&["id", "-u", USER]).trim().parse().expect("a number");
        for (id, name) in unit.all("LoadCredential").iter().filter_map(|it| it.split_once(':')) {
            let key = self.at("/etc/credstore").join(name);
            if key.exists() {
                let to = self.at(folder).join(id);
                fs::copy(key, &to).expect("root may");
                chown(&to, Some(uid), None).expect("root may");
            }
        }
        format!("CREDENTIALS_DIRECTORY={folder}")
    }

    /// A network of this name below `/srv` that maps `domain`, the user's to read; and its settings.
    async fn network(
        &self,
        name: &str,
        domain: &str,
        key: &str,
        sandbox: &Sandbox,
    ) -> (WordPress, String) {
        let settings = NetworkSettings {
            domain: format!("{name}.example"),
            api_key: key.to_owned(),
            app: name.to_owned(),
        };
        let place = format!("/srv/{name}");
        let network = WordPress::create(&self.at(&place), &settings).await.expect("a network");
        let hour = Duration::from_hours(1);
        let site = network.add_site(&format!("shop.{name}.example"), hour).await.expect("a site");
        network.map(site, domain).await.expect("a mapping");
        self.say(&["chown", "-R", &format!("{USER}:"), &place]);
        let settings = format!(
            "network.wp_config = '{place}/wp-config.php'\ncloste.api_url = '{}'\n\
             checks.resolvers = ['{}']\nchecks.targets = ['127.0.0.1']\nchecks.roots = ['127.0.0.1:1']\n\
             checks.https_port = {}\nchecks.allow_private = true\nrun.poll = '1s'\n",
            sandbox.api_url(),
            sandbox.dns_addr(),
            sandbox.https_port(),
        );
        (network, settings)
    }
}

/// The Debian that this machine runs, and where its packages come from.
fn release_here() -> (String, String) {
    let format = ["indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Identifier: Packages"];
    let targets = ran(Command::new("apt-get").args(format));
    let os = fs::read_to_string("/etc/os-release").expect("a Debian tells what it is");
    let suite = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let suite = suite.expect("a Debian has a name").trim_matches('"').to_owned();
    let of_suite = |line: &str| Some(line.strip_prefix(&suite)?.strip_prefix(' ')?.to_owned());
    let mirror = targets.lines().find_map(of_suite);
    let mirror = mirror.unwrap_or_else(|| panic!("`apt-get update` knows no {suite}: {targets}"));
    (suite, mirror)
}

/// The package rebuilt as a later version.
fn later(deb: &Path, folder: &Path) -> PathBuf {
    let tree = folder.join("later");
    ran(Command::new("dpkg-deb").arg("--raw-extract").arg(deb).arg(&tree));
    let control = tree.join("DEBIAN/control");
    let text = fs::read_to_string(&control).expect("a package has one");
    let version = format!("\nVersion: {VERSION}\n");
    assert!(text.contains(&version), "{text}");
    fs::write(&control, text.replace(&version, "\nVersion: 999\n")).expect("it is ours");
    // So that dpkg has to choose between its own settings and the operator's.
    let settings = tree.join("etc/closte-sync/closte-sync.toml");
    let text = fs::read_to_string(&settings).expect("it has one");
    fs::write(&settings, text + "\n# More.\n").expect("it is ours");
    let file = folder.join("later.deb");
    ran(Command::new("dpkg-deb").args(["--root-owner-group", "--build"]).arg(&tree).arg(&file));
    file
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not happen within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_installs_runs_upgrades_and_goes_without_a_trace() {
    let deb = out().join(format!("closte-sync_{VERSION}_amd64.deb"));
    let debian = Debian::new();
    let before = debian.traces();

    // It installs, and starts nothing.
    debian.install(&deb);
    assert_eq!(debian.say(&["closte-sync", "--version"]), format!("closte-sync {VERSION}\n"));
    let passwd = debian.say(&["getent", "passwd", USER]);
    assert!(passwd.ends_with(&format!(":{HOME}:/usr/sbin/nologin\n")), "{passwd}");
    let state = debian.say(&["stat", "-c", "%U %G %a", HOME]);
    assert_eq!(state, "closte-sync closte-sync 700\n");
    let links = ["-type", "l", "-name", "*closte-sync*"];
    let enabled = ran(Command::new("find").arg(debian.at("/etc")).args(links));
    assert_eq!(enabled, "", "nothing is enabled");
    let conffiles = debian.say(&["dpkg-query", "-W", "-f", "${Conffiles}", USER]);
    assert!(conffiles.trim().starts_with("/etc/closte-sync/closte-sync.toml "), "{conffiles}");
    let settings = debian.at("/etc/closte-sync/closte-sync.toml");
    let text = fs::read_to_string(&settings).expect("everybody may read it");
    let comments = |line: &str| line.is_empty() || line.starts_with(['#', '[']);
    assert!(text.lines().all(comments), "{text}");
    debian.say(&["closte-sync", "config", "check"]);
    for file in [
        "man/man1/closte-sync.1.gz",
        "bash-completion/completions/closte-sync",
        "zsh/vendor-completions/_closte-sync",
        "fish/vendor_completions.d/closte-sync.fish",
        "doc/closte-sync/copyright",
    ] {
        let shared = debian.at("/usr/share").join(file);
        // A Debian without documents leaves them out; this one has them.
        assert!(shared.is_file(), "it lacks {}", shared.display());
    }

    // Its services do their work: one of several networks, whose key root keeps, ...
    let mut at = sandbox::Settings::default();
    KEY.clone_into(&mut at.closte.key);
    let sandbox = Sandbox::start(at).await.expect("a sandbox");
    let (_, one) = debian.network("one", "first.test", "not-the-key", &sandbox).await;
    fs::write(debian.at("/etc/closte-sync/one.toml"), one).expect("root may");
    fs::create_dir_all(debian.at("/etc/credstore")).expect("root may");
    fs::write(debian.at("/etc/credstore/closte-sync.one.api-key"), KEY).expect("root may");
    let unit = Unit::installed(&debian.root(), "closte-sync@.service", "one");
    let service = debian.start(&unit);
    until("the addition of first.test", || sandbox.closte().aliases().contains("first.test"));
    service.stop();
    let ledger = debian.at(HOME).join("one/closte-sync/ledger.db");
    assert!(ledger.is_file(), "it has a ledger of its own");

    // ... the one network, in a pass and resident.
    let (network, two) = debian.network("two", "second.test", KEY, &sandbox).await;
    fs::write(&settings, &two).expect("root may");
    let unit = Unit::installed(&debian.root(), "closte-sync-sync.service", "");
    debian.start(&unit).ended_well();
    assert!(sandbox.closte().aliases().contains("second.test"));
    let shell = ["su", "-s", "/bin/sh", USER, "-c", "closte-sync status"];
    let status = debian.say(&shell);
    assert!(status.contains("second.test"), "a shell has the same ledger: {status}");
    let unit = Unit::installed(&debian.root(), "closte-sync.service", "");
    let service = debian.start(&unit);
    network.map(1, "third.test").await.expect("a mapping");
    until("the addition of third.test", || sandbox.closte().aliases().contains("third.test"));
    service.stop();

    // An upgrade keeps user, settings and ledgers, also where a service does not start again.
    let systemctl = debian.at("/usr/bin/systemctl");
    fs::write(&systemctl, "#!/bin/sh\necho 'Job failed.' >&2\nexit 1\n").expect("root may");
    fs::set_permissions(&systemctl, fs::Permissions::from_mode(0o755)).expect("root may");
    let booted = debian.at("/run/systemd/system");
    fs::create_dir_all(&booted).expect("root may");
    debian.install(&later(&deb, debian.0.path()));
    assert_eq!(debian.say(&["dpkg-query", "-W", "-f", "${Version}", USER]), "999");
    assert_eq!(fs::read_to_string(&settings).ok(), Some(two));
    assert_eq!(debian.say(&["getent", "passwd", USER]), passwd);
    assert!(debian.say(&shell).contains("second.test"));

    // Purging takes everything away that it brought or made.
    ran(Command::new("rm").arg("-rf").args([debian.at("/srv/one"), debian.at("/srv/two")]));
    ran(Command::new("rm").arg("-rf").arg(debian.at("/run/credentials-of-the-unit")));
    let wants = debian.at("/etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants).expect("root may");
    let enabled = wants.join("closte-sync@one.service");
    symlink("/usr/lib/systemd/system/closte-sync@.service", &enabled).expect("root may");
    let set_up = debian.at("/etc/systemd/system/closte-sync.service.d/closte-sync-setup.conf");
    fs::create_dir_all(set_up.parent().expect("a folder")).expect("root may");
    fs::write(&set_up, "# `closte-sync setup` enabled this unit.\n").expect("root may");
    debian.say(&["dpkg", "--remove", USER]);
    assert!(ledger.is_file() && settings.is_file(), "removing keeps settings and ledgers");
    debian.say(&["dpkg", "--purge", USER]);
    fs::remove_file(&systemctl).expect("it was written");
    fs::remove_dir(&booted).expect("it was made");
    // Something else of systemd's may be there.
    _ = fs::remove_dir(debian.at("/run/systemd"));
    assert!(!set_up.exists(), "nothing says that `setup` enabled a service");
    let after = debian.traces();
    let left: Vec<_> = after.difference(&before).collect();
    // Folders of systemd's, which this Debian does without.
    let of_systemd = |path: &str| path == "etc/credstore" || path.starts_with("etc/systemd");
    assert!(left.iter().all(|path| of_systemd(path)), "{left:?}");
    assert!(fs::symlink_metadata(&enabled).is_err(), "a network that was enabled is not any more");
    let lost: Vec<_> = before.difference(&after).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
