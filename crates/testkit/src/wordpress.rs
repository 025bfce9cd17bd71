//! A real WordPress for tests: Debian's package, made a network with sub-domains by its own
//! functions, in a private MariaDB and a folder of its own.
//!
//! Ultimate Multisite is not a Debian package. Its table of mappings and its options are made as
//! observed on real networks, and a small plugin deletes a site's mappings when the site is
//! deleted. Nothing leaves the machine: that plugin answers all mail, and all HTTP except to
//! 127.0.0.1. A stand-in for Ultimate Multisite, our own plugin and a web server are installed
//! where a test asks for them.
//!
//! It never skips: where a package is not installed, tests fail and name it.
//!
//! ```text
//! let wordpress = testkit::wordpress::WordPress::install(&database, &folder, &[]);
//! let site = wordpress.create_site("shop.network.example", "/");
//! assert_eq!(wordpress.php("echo count(get_sites());"), "2");
//! ```

mod browser;
mod nginx;
mod plugins;
mod server;

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::mariadb::{Database, MariaDb, PASSWORD, Stages, USER};

pub use browser::Browser;
pub use nginx::{Fpm, Listen, Nginx};
pub use plugins::{UltimateMultisite, pack, shipped};
pub use server::Server;

/// Where the package puts WordPress.
const PACKAGE: &str = "/usr/share/wordpress";

/// What belongs to the installation, not to the package.
const OWN: [&str; 3] = ["wp-config.php", "wp-content", ".htaccess"];

/// Runs a script inside the WordPress of a folder.
const RUNNER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/php/run.php");

/// An installed network `network.example` whose one site has the id 1.
#[derive(Debug)]
pub struct WordPress {
    root: PathBuf,
}

impl WordPress {
    /// Install one into an empty `database` and the folder `root`, which is made.
    ///
    /// `constants` are defined in its `wp-config.php`, as a host does.
    ///
    /// # Panics
    ///
    /// If a package is missing, or an installer of WordPress fails.
    pub fn install(database: &Database, root: &Path, constants: &[(&str, &str)]) -> Self {
        let wordpress = Self { root: root.to_owned() };
        wordpress.lay_out();
        wordpress.configure(database, constants, ALONE);
        wordpress.script(include_str!("../php/install.php"), &[]);
        wordpress.script(include_str!("../php/install_network.php"), &[]);
        wordpress.configure(database, constants, NETWORK);
        database.create_ultimate_multisite("wp_", Stages::Now);
        wordpress.script(include_str!("../php/switch_on.php"), &[]);
        wordpress
    }

    /// The same on [`MariaDb::shared`]: a copy of one that is installed once in this process, which is
    /// much faster than to install another.
    ///
    /// # Panics
    ///
    /// If that one cannot be installed, or the server does not answer.
    pub fn copy(database: &Database, root: &Path, constants: &[(&str, &str)]) -> Self {
        let (source, wordpress) = (installed(), Self { root: root.to_owned() });
        wordpress.lay_out();
        wordpress.configure(database, constants, NETWORK);
        let (from, to) = (&source.name, &database.name);
        let tables = source.execute("SHOW TABLES");
        let copies = tables.lines().map(|table| {
            format!(
                "CREATE TABLE `{to}`.`{table}` LIKE `{from}`.`{table}`; \
                 INSERT INTO `{to}`.`{table}` SELECT * FROM `{from}`.`{table}`;"
            )
        });
        let copies: String = copies.collect();
        database.execute(&format!("SET sql_mode = ''; {copies}"));
        wordpress
    }

    /// Its folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Make a site by `wpmu_create_blog()`, as of an hour ago; its id.
    ///
    /// # Panics
    ///
    /// If WordPress refuses it.
    pub fn create_site(&self, domain: &str, path: &str) -> u64 {
        let id = self.script(include_str!("../php/create_site.php"), &[domain, path]);
        id.parse().unwrap_or_else(|_| panic!("no id of a site: {id}"))
    }

    /// The same, and fill it with all that the site `source` has, as duplicators do; its id.
    ///
    /// # Panics
    ///
    /// If WordPress refuses it.
    pub fn duplicate_site(&self, source: u64, domain: &str) -> u64 {
        let copy = self.create_site(domain, "/");
        let sites = [source.to_string(), copy.to_string()];
        self.script(include_str!("../php/copy_site.php"), &[&sites[0], &sites[1]]);
        copy
    }

    /// Delete a site, its tables and its mappings by `wpmu_delete_blog()`.
    ///
    /// # Panics
    ///
    /// If PHP reports anything.
    pub fn drop_site(&self, site: u64) {
        self.script(include_str!("../php/drop_site.php"), &[&site.to_string()]);
    }

    /// Run PHP with WordPress loaded; what it echoes.
    ///
    /// # Panics
    ///
    /// If it does not finish, or has warnings.
    pub fn php(&self, code: &str) -> String {
        self.try_php(code).unwrap_or_else(|said| panic!("{said}"))
    }

    /// Run PHP with WordPress loaded; what it echoes.
    ///
    /// # Errors
    ///
    /// All that PHP and WordPress said, if it does not finish or has warnings.
    pub fn try_php(&self, code: &str) -> Result<String, String> {
        self.try_script(&format!("<?php require ABSPATH . 'wp-load.php'; {code}"), &[])
    }

    /// Run a script that loads WordPress itself; what it echoes.
    fn script(&self, script: &str, arguments: &[&str]) -> String {
        self.try_script(script, arguments).unwrap_or_else(|said| panic!("{said}"))
    }

    fn try_script(&self, script: &str, arguments: &[&str]) -> Result<String, String> {
        let output = run(script, &self.root, arguments);
        let [out, err] =
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
        // Errors of the database are only logged: the status alone does not show them.
        if output.status.success() && err.is_empty() {
            return Ok(out);
        }
        Err(format!("PHP ({}):\n{err}\n{out}\nin:\n{script}", output.status))
    }

    /// The package's files in our folder or seen from it, with content of our own.
    fn lay_out(&self) {
        let files = fs::read_dir(PACKAGE).unwrap_or_else(|error| missing(PACKAGE, &error));
        let plugins = self.root.join("wp-content/mu-plugins");
        fs::create_dir_all(&plugins).expect("a folder in ours");
        fs::create_dir(self.root.join("wp-content/plugins")).expect("a folder in ours");
        for file in files.map(|file| file.expect("the package can be read")) {
            if OWN.iter().any(|own| file.file_name() == *own) {
                continue;
            }
            let seen = self.root.join(file.file_name());
            if file.path().is_dir() {
                symlink(file.path(), seen).expect("the folder is empty");
            } else {
                // WordPress is where these are: PHP looks through links.
                fs::copy(file.path(), seen).expect("our folder");
            }
        }
        let plugin = include_str!("../php/plugin.php");
        fs::write(plugins.join("plugin.php"), plugin).expect("our folder");
        fs::write(self.root.join("wp-content/sunrise.php"), "<?php\n").expect("our folder");
    }

    fn configure(&self, database: &Database, constants: &[(&str, &str)], network: &str) {
        let host = format!("localhost:{}", database.server.socket().display());
        let access = [
            ("DB_NAME", &*database.name),
            ("DB_USER", USER),
            ("DB_PASSWORD", PASSWORD),
            ("DB_HOST", &*host),
        ];
        let defines = access.iter().chain(constants);
        let defines: String = defines.map(|(name, value)| define(name, value)).collect();
        let text = format!("<?php\n{defines}{ALWAYS}{network}{END}");
        fs::write(self.root.join("wp-config.php"), text).expect("our folder");
    }
}

const ALWAYS: &str = "
define('DB_CHARSET', 'utf8mb4');
$table_prefix = 'wp_';

define('DISABLE_WP_CRON', true);
define('WP_ALLOW_MULTISITE', true);
";

/// Before there is a network.
const ALONE: &str = "";

/// What WordPress says to add once there is one.
const NETWORK: &str = "
define('MULTISITE', true);
define('SUBDOMAIN_INSTALL', true);
define('SUNRISE', true);
define('DOMAIN_CURRENT_SITE', 'network.example');
define('PATH_CURRENT_SITE', '/');
define('SITE_ID_CURRENT_SITE', 1);
define('BLOG_ID_CURRENT_SITE', 1);
";

const END: &str = "
if (!defined('ABSPATH')) {
\tdefine('ABSPATH', __DIR__ . '/');
}
require_once ABSPATH . 'wp-settings.php';
";

/// The database of the one network that all copies are made of.
fn installed() -> &'static Database<'static> {
    static INSTALLED: OnceLock<Database<'static>> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let database = MariaDb::shared().fresh_database();
        let folder = tempfile::tempdir().expect("a folder");
        WordPress::install(&database, &folder.path().join("public_html"), &[]);
        database
    })
}

fn define(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('\'', "\\'");
    format!("define('{name}', '{value}');\n")
}

fn run(script: &str, root: &Path, arguments: &[&str]) -> Output {
    let mut php = Command::new("php");
    // Everything that it reports about a script goes to stderr, once.
    php.args(["-d", "display_errors=0", "-d", "log_errors=1", "-d", "error_log="]);
    php.arg(RUNNER).arg(root).args(arguments);
    php.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut php = php.spawn().unwrap_or_else(|error| missing("php", &error));
    let mut input = php.stdin.take().expect("it is piped");
    // PHP that ends before it reads says why on stderr.
    _ = input.write_all(script.as_bytes());
    drop(input);
    php.wait_with_output().expect("a child of ours")
}

fn missing(what: &str, error: &std::io::Error) -> ! {
    let verb = if error.kind() == ErrorKind::NotFound { "is not there" } else { "is no use" };
    panic!(
        "\n\n  These tests need a real WordPress, and `{what}` {verb} ({error}).\n  \
         Install Debian's packages: apt-get install wordpress php-cli php-mysql \
         php-fpm php-zip nginx-light chromium chromium-driver\n"
    )
}
