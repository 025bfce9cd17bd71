//! A private MariaDB for tests: its own folder, socket and port, removed when dropped.
//!
//! It never skips: where the server is not installed, tests fail and name the package.
//!
//! ```text
//! let server = testkit::mariadb::MariaDb::shared();
//! let database = server.fresh_database();
//! database.create_network("wp_", testkit::mariadb::Stages::Now);
//! ```

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The user that has a password; it may do everything too.
pub const USER: &str = "keeper";
/// Its password.
pub const PASSWORD: &str = "p'a\"ss w\u{f6}rd";

const PATIENCE: Duration = Duration::from_mins(1);

/// How often to test whether the server answers: each test costs a process.
const POLL_EVERY: Duration = Duration::from_millis(50);

/// A running server. User `root` has no password, [`USER`] has [`PASSWORD`].
#[derive(Debug)]
pub struct MariaDb {
    process: Child,
    folder: TempDir,
    port: u16,
}

/// Which words the column `stage` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stages {
    /// As tables are made now.
    Now,
    /// As they were made before 2026: without `ssl-failed`.
    Before2026,
}

/// A database of its own on a [`MariaDb`].
#[derive(Clone, Debug)]
pub struct Database<'a> {
    /// The server that it is on.
    pub server: &'a MariaDb,
    /// Its name.
    pub name: String,
}

impl MariaDb {
    /// Start a server.
    ///
    /// # Panics
    ///
    /// If the server is not installed or does not start.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("mariadb-").tempdir().expect("a folder");
        fs::create_dir(folder.path().join("tmp")).expect("a folder in ours");
        initialise(folder.path());
        make_certificate(folder.path());
        let port = free_port();
        let process = launch(folder.path(), port);
        let mut server = Self { process, folder, port };
        server.wait_until_it_answers();
        server.execute(&format!(
            "CREATE USER 'root'@'%'; GRANT ALL ON *.* TO 'root'@'%'; \
             CREATE USER '{USER}'@'%' IDENTIFIED BY '{}'; \
             GRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;",
            PASSWORD.replace('\'', "''")
        ));
        server
    }

    /// The one server that the tests of a binary share; it runs as long as their process.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<Shared> = OnceLock::new();
        &SERVER.get_or_init(Shared::start).server
    }

    /// A database that no other test has.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn fresh_database(&self) -> Database<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.create_database(&name)
    }

    /// Make the database `name`.
    ///
    /// # Panics
    ///
    /// If there is one already.
    pub fn create_database(&self, name: &str) -> Database<'_> {
        self.execute(&format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"));
        Database { server: self, name: name.to_owned() }
    }

    /// Make a user whose password is its name, with `grants` such as "SELECT ON `x`.*".
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn create_user(&self, user: &str, grants: &[&str]) {
        self.execute(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{user}'"));
        for grant in grants {
            self.execute(&format!("GRANT {grant} TO '{user}'@'%'"));
        }
    }

    /// Its Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Its port on 127.0.0.1 and `::1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Run SQL as root; returns one row per line, columns separated by tabs.
    ///
    /// # Panics
    ///
    /// If a statement fails.
    pub fn execute(&self, sql: &str) -> String {
        self.execute_in("", sql)
    }

    fn execute_in(&self, database: &str, sql: &str) -> String {
        let output = self.client(database, sql);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn client(&self, database: &str, sql: &str) -> Output {
        let mut client = Command::new("mariadb");
        client.args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"]);
        client
            .arg("--default-character-set=utf8mb4")
            .arg(format!("--socket={}", self.socket().display()));
        client.arg(format!("--execute={sql}")).arg(database);
        client.output().unwrap_or_else(|error| missing("mariadb", &error))
    }

    fn wait_until_it_answers(&mut self) {
        let start = Instant::now();
        while !(self.socket().exists() && self.client("", "SELECT 1").status.success()) {
            let ended = self.process.try_wait().expect("a child of ours");
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "{}", self.log());
            thread::sleep(POLL_EVERY);
        }
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        format!("MariaDB did not start:\n{log}")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // Nothing of it is kept, so there is nothing to shut down in order.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Database<'_> {
    /// Run SQL in it as root; returns one row per line, columns separated by tabs.
    ///
    /// # Panics
    ///
    /// If a statement fails.
    pub fn execute(&self, sql: &str) -> String {
        self.server.execute_in(&self.name, sql)
    }

    /// Its URL over TCP, as root.
    pub fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/{}", self.server.port, self.name)
    }

    /// Make the tables of a network with Ultimate Multisite, empty.
    ///
    /// # Panics
    ///
    /// If they are there already.
    pub fn create_network(&self, prefix: &str, stages: Stages) {
        self.execute(&NETWORK_TABLES.replace("{prefix}", prefix));
        self.create_ultimate_multisite(prefix, stages);
    }

    /// Make only the tables of Ultimate Multisite, empty.
    ///
    /// # Panics
    ///
    /// If they are there already.
    pub fn create_ultimate_multisite(&self, prefix: &str, stages: Stages) {
        let enum_end = match stages {
            Stages::Now => "'failed','ssl-failed'",
            Stages::Before2026 => "'failed'",
        };
        let tables = ULTIMATE_MULTISITE_TABLES.replace("{prefix}", prefix);
        self.execute(&tables.replace("{enum_end}", enum_end));
    }

    /// Make the one network `network.example` with its main site, of id 1.
    ///
    /// # Panics
    ///
    /// If the tables are not there.
    pub fn create_main_site(&self, prefix: &str) {
        self.execute(&format!(
            "INSERT INTO {prefix}site (id, domain, path) VALUES (1, 'network.example', '/'); \
             INSERT INTO {prefix}blogs (blog_id, site_id, domain, path, registered) \
             VALUES (1, 1, 'network.example', '/', '2025-01-01 00:00:00');"
        ));
    }
}

/// The tables as observed on real networks.
const NETWORK_TABLES: &str = "
SET sql_mode = '';
CREATE TABLE {prefix}blogs (
  blog_id bigint(20) unsigned NOT NULL AUTO_INCREMENT, site_id bigint(20) unsigned NOT NULL DEFAULT 0,
  domain varchar(200) NOT NULL DEFAULT '', path varchar(100) NOT NULL DEFAULT '',
  registered datetime NOT NULL DEFAULT '0000-00-00 00:00:00', last_updated datetime NOT NULL DEFAULT '0000-00-00 00:00:00',
  public tinyint(2) NOT NULL DEFAULT 1, archived tinyint(2) NOT NULL DEFAULT 0, mature tinyint(2) NOT NULL DEFAULT 0,
  spam tinyint(2) NOT NULL DEFAULT 0, deleted tinyint(2) NOT NULL DEFAULT 0, lang_id int(11) NOT NULL DEFAULT 0,
  PRIMARY KEY (blog_id), KEY domain (domain(50), path(5)), KEY lang_id (lang_id));
CREATE TABLE {prefix}site (id bigint(20) unsigned NOT NULL AUTO_INCREMENT, domain varchar(200) NOT NULL DEFAULT '',
  path varchar(100) NOT NULL DEFAULT '', PRIMARY KEY (id), KEY domain (domain(140), path(51)));
CREATE TABLE {prefix}sitemeta (meta_id bigint(20) unsigned NOT NULL AUTO_INCREMENT, site_id bigint(20) unsigned NOT NULL DEFAULT 0,
  meta_key varchar(255) DEFAULT NULL, meta_value longtext DEFAULT NULL, PRIMARY KEY (meta_id), KEY meta_key (meta_key(191)), KEY site_id (site_id));
";

/// Those of Ultimate Multisite there.
const ULTIMATE_MULTISITE_TABLES: &str = "
CREATE TABLE {prefix}wu_domain_mappings (
  id bigint(20) NOT NULL AUTO_INCREMENT, blog_id bigint(20) NOT NULL, domain varchar(191) NOT NULL,
  active tinyint(4) DEFAULT 1, primary_domain tinyint(4) DEFAULT 0, secure tinyint(4) DEFAULT 0,
  stage enum('checking-dns','checking-ssl-cert','done-without-ssl','done',{enum_end}) DEFAULT 'checking-dns',
  date_created datetime DEFAULT NULL, date_modified datetime DEFAULT NULL,
  PRIMARY KEY (id), KEY blog_id (blog_id, domain, active), KEY domain (domain));
CREATE TABLE {prefix}wu_forms (id bigint(20) NOT NULL AUTO_INCREMENT, name tinytext NOT NULL, slug tinytext,
  active tinyint(4) DEFAULT 1, settings longtext, date_created datetime DEFAULT NULL, PRIMARY KEY (id));
";

/// A server that is never dropped: a small shell kills it when our process has ended.
struct Shared {
    server: MariaDb,
}

impl Shared {
    fn start() -> Self {
        let server = MariaDb::start();
        guard(server.process.id(), server.folder.path());
        Self { server }
    }
}

/// Statics are never dropped. The guard waits for the end of the pipe that we keep open, so it
/// works however this process ends.
fn guard(server: u32, folder: &Path) {
    let script = "trap '' INT TERM HUP; cat >/dev/null; kill -9 \"$1\"; rm -rf \"$2\"";
    let guard = Command::new("sh")
        .args(["-c", script, "guard", &server.to_string()])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell");
    // Its end of the pipe stays open as long as this process runs.
    std::mem::forget(guard);
}

fn initialise(folder: &Path) {
    let mut install = Command::new("mariadb-install-db");
    install.args(["--no-defaults", "--skip-test-db", "--skip-name-resolve"]);
    install.arg("--auth-root-authentication-method=normal");
    install.args(own_folders(folder)).args(SMALL).args(as_root());
    let output = install.output().unwrap_or_else(|error| missing("mariadb-install-db", &error));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "mariadb-install-db failed: {said}");
}

/// In a shared folder for temporary tables, servers that start at once delete each other's.
fn own_folders(folder: &Path) -> [String; 2] {
    ["data", "tmp"].map(|name| format!("--{name}dir={}", folder.join(name).display()))
}

/// Small, and not durable: a test's data need not survive a crash of the machine.
const SMALL: [&str; 7] = [
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--skip-log-bin",
    "--sync-frm=0",
];

/// So that it offers TLS, with a certificate that nobody trusts.
fn make_certificate(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    let made = made.expect("a certificate");
    fs::write(folder.join("cert.pem"), made.cert.pem()).expect("our folder");
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("our folder");
}

fn launch(folder: &Path, port: u16) -> Child {
    let log = fs::File::create(folder.join("log")).expect("a log file");
    let mut server = Command::new(binary());
    server.args(["--no-defaults", "--bind-address=127.0.0.1,::1", "--skip-name-resolve"]);
    server.args(own_folders(folder));
    server.arg(format!("--socket={}", folder.join("socket").display()));
    server.arg(format!("--pid-file={}", folder.join("pid").display()));
    server.arg(format!("--port={port}"));
    server.arg(format!("--ssl-cert={}", folder.join("cert.pem").display()));
    server.arg(format!("--ssl-key={}", folder.join("key.pem").display()));
    server.args([
        "--performance-schema=OFF",
        "--character-set-server=utf8mb4",
        "--lc-messages=en_US",
    ]);
    server.args(SMALL).args(as_root());
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    server.spawn().unwrap_or_else(|error| missing("mariadbd", &error))
}

/// Users other than root do not have it in their path.
fn binary() -> &'static str {
    let places = ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd", "/usr/sbin/mysqld"];
    places.into_iter().find(|place| Path::new(place).exists()).unwrap_or("mariadbd")
}

/// The server refuses to run as root unless this is set explicitly.
fn as_root() -> Option<&'static str> {
    let output = Command::new("id").arg("-u").output().ok()?;
    (output.stdout.trim_ascii() == b"0").then_some("--user=root")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

fn missing(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "\n\n  These tests need a real MariaDB, and `{program}` cannot be run ({error}).\n  \
         Install Debian's package: apt-get install mariadb-server\n"
    )
}
