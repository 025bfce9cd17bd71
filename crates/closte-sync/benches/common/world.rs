//! What every figure is measured on: a network with its host and internet, and
//! what the kernel counts of a process.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox::Sandbox;
use tempfile::TempDir;
use testkit::mariadb::{Database, MariaDb, Stages};

pub(crate) const KEY: &str = "bench-key";

/// A network and a sandbox, with the mappings `d1.example`, `d2.example` and so on.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) database: Database<'static>,
    pub(crate) folder: TempDir,
    /// What is measured.
    pub(crate) program: PathBuf,
}

impl World {
    /// One with `count` mappings; the id of each is its number.
    pub(crate) async fn new(count: u32) -> Self {
        let mut settings = sandbox::Settings::default();
        KEY.clone_into(&mut settings.closte.key);
        let sandbox = Sandbox::start(settings).await.unwrap();
        sandbox.dns().set("network.example", [sandbox::dns::a("127.0.0.1")]);
        let database = MariaDb::shared().fresh_database();
        database.create_network("wp_", Stages::Now);
        database.create_main_site("wp_");
        database.execute(
            "INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) \
             VALUES (1, 'wu_host_integrations_enabled', 'a:1:{s:6:\"closte\";b:1;}'), \
             (1, 'wp-ultimo_v2_settings', 'a:1:{s:21:\"enable_domain_mapping\";s:1:\"1\";}')",
        );
        let folder = tempfile::tempdir().unwrap();
        let program = PathBuf::from(env!("CARGO_BIN_EXE_closte-sync"));
        let world = Self { sandbox, database, folder, program };
        world.map(count);
        world.write_wp_config();
        world
    }

    fn map(&self, count: u32) {
        let rows: Vec<_> = (1..=count).map(|n| format!("({n}, 1, 'd{n}.example')")).collect();
        for rows in rows.chunks(1000) {
            self.database.execute(&format!(
                "INSERT INTO wp_wu_domain_mappings (id, blog_id, domain) VALUES {}",
                rows.join(",")
            ));
        }
    }

    fn write_wp_config(&self) {
        let config = format!(
            "<?php define('DB_NAME', '{}'); define('DB_USER', 'root'); define('DB_PASSWORD', '');\n\
             define('DB_HOST', 'localhost:{}'); $table_prefix = 'wp_';\n\
             define('MULTISITE', true); define('SUNRISE', true);\n\
             define('CLOSTE_CLIENT_API_KEY', '{KEY}');",
            self.database.name,
            self.database.server.socket().display()
        );
        std::fs::write(self.folder.path().join("wp-config.php"), config).unwrap();
    }

    /// A command of the program, ready to run.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .envs(self.sandbox.settings_env())
            .env("CLOSTE_SYNC_CLOSTE_REQUESTS_PER_SECOND", "0")
            .env("CLOSTE_SYNC_RUN_PASS_LIMIT", "1h")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        command
    }
}

/// A line of `/proc/PID/status` such as `VmRSS`, in MB; 0 once the process is gone.
pub(crate) fn memory(process: u32, what: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0) / 1024
}

/// CPU time in user and system mode: two fields of `/proc/PID/stat` from `field`
/// on, as `proc_pid_stat(5)` counts them (100 ticks a second).
pub(crate) fn cpu(process: u32, field: usize) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the command's name in brackets, which may hold spaces, comes field 3.
    let fields = text.rsplit(')').next().unwrap().split_whitespace().skip(field - 3);
    let ticks: u64 = fields.take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
