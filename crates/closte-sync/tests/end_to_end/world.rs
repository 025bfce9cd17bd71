//! A network, a host and an internet of their own for every test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rules::plain::is_plain;
use sandbox::closte::CallKind;
use sandbox::dns::a;
use sandbox::{Sandbox, Settings};
use serde_json::Value;
use tempfile::TempDir;
use testkit::mariadb::{Database, MariaDb, PASSWORD, Stages, USER};
use testkit::rest_api;

/// The key that is right at the sandbox; no output may ever hold it.
pub(crate) const KEY: &str = "k3y-0f-th3-n3tw0rk-s3cr3t";

/// A network `network.example` with one site, which Closte is switched on for.
pub(crate) struct World {
    pub(crate) database: Database<'static>,
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    pub(crate) settings: Vec<(String, String)>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl World {
    /// All as it should be.
    pub(crate) async fn new() -> Self {
        Self::with(Stages::Now).await
    }

    /// The same, with a table of mappings of some age.
    pub(crate) async fn with(stages: Stages) -> Self {
        let world = Self::around(MariaDb::shared().fresh_database()).await;
        world.database.create_network("wp_", stages);
        world.database.create_main_site("wp_");
        world.write_wp_config(&world.wp_config());
        world.option("wu_host_integrations_enabled", "a:1:{s:6:\"closte\";b:1;}");
        world.option("wp-ultimo_v2_settings", "a:1:{s:21:\"enable_domain_mapping\";s:1:\"1\";}");
        world
    }

    /// A host and an internet for `network.example`, whoever makes the network.
    pub(crate) async fn around(database: Database<'static>) -> Self {
        let mut settings = Settings::default();
        KEY.clone_into(&mut settings.closte.key);
        let sandbox = Sandbox::start(settings).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let settings =
            sandbox.settings_env().into_iter().filter(|(name, _)| !name.ends_with("_API_KEY_FILE"));
        let mut settings: Vec<_> = settings.collect();
        settings.push(("CLOSTE_SYNC_CLOSTE_REQUESTS_PER_SECOND".to_owned(), "0".to_owned()));
        settings.push(("CLOSTE_SYNC_REMOVAL_GAP".to_owned(), "0s".to_owned()));
        let world = Self { database, sandbox, folder, settings };
        world.here("network.example");
        world
    }

    /// A wp-config.php that leads to the database.
    pub(crate) fn wp_config(&self) -> String {
        format!(
            "<?php\n\
             define('DB_NAME', '{}');\ndefine('DB_USER', '{USER}');\n\
             define('DB_PASSWORD', '{}');\ndefine('DB_HOST', 'localhost:{}');\n\
             $table_prefix = 'wp_';\n\
             define('MULTISITE', true);\ndefine('SUBDOMAIN_INSTALL', true);\n\
             define('SUNRISE', true);\n\
             define('DOMAIN_CURRENT_SITE', 'network.example');\n\
             define('SITE_ID_CURRENT_SITE', 1);\n\
             define('CLOSTE_CLIENT_API_KEY', '{KEY}');\ndefine('CLOSTE_APP_ID', 'app1');\n\
             require_once ABSPATH . 'wp-settings.php';\n",
            self.database.name,
            PASSWORD.replace('\'', "\\'"),
            self.database.server.socket().display(),
        )
    }

    pub(crate) fn write_wp_config(&self, text: &str) {
        let content = self.root().join("wp-content");
        std::fs::create_dir_all(&content).unwrap();
        std::fs::write(content.join("sunrise.php"), "<?php").unwrap();
        std::fs::write(self.root().join("wp-config.php"), text).unwrap();
    }

    /// The folder of WordPress.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("public_html")
    }

    /// The ledger's file.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.folder.path().join("state/closte-sync/ledger.db")
    }

    /// Set something for all commands to come.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let name = format!("CLOSTE_SYNC_{}", key.replace('.', "_").to_uppercase());
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_owned()));
    }

    /// Put a row into `wp_sitemeta`.
    pub(crate) fn option(&self, key: &str, value: &str) {
        let value = value.replace('\\', "\\\\").replace('\'', "''");
        self.database.execute(&format!(
            "DELETE FROM wp_sitemeta WHERE meta_key = '{key}'; \
             INSERT INTO wp_sitemeta (site_id, meta_key, meta_value) VALUES (1, '{key}', '{value}')"
        ));
    }

    /// Make a site that is an hour old; its id.
    pub(crate) fn site(&self, domain: &str) -> u64 {
        self.site_of_age(domain, 3600)
    }

    /// Make a site; its id.
    pub(crate) fn site_of_age(&self, domain: &str, seconds: u32) -> u64 {
        let id = self.database.execute(&format!(
            "INSERT INTO wp_blogs (site_id, domain, path, registered) VALUES \
             (1, '{domain}', '/', UTC_TIMESTAMP() - INTERVAL {seconds} SECOND); SELECT LAST_INSERT_ID()"
        ));
        id.trim().parse().unwrap()
    }

    /// Map a domain to a site by SQL; the mapping's id.
    pub(crate) fn map(&self, site: u64, domain: &str) -> u64 {
        let id = self.database.execute(&format!(
            "INSERT INTO wp_wu_domain_mappings (blog_id, domain) VALUES ({site}, '{domain}'); \
             SELECT LAST_INSERT_ID()"
        ));
        id.trim().parse().unwrap()
    }

    /// Delete the mappings of a domain by SQL.
    pub(crate) fn unmap(&self, domain: &str) {
        let sql = format!("DELETE FROM wp_wu_domain_mappings WHERE domain = '{domain}'");
        self.database.execute(&sql);
    }

    /// Have `count` domains added, `d00.example` and so on, so that they are owned.
    pub(crate) fn own_domains(&self, count: u32) {
        for i in 0..count {
            self.map(1, &format!("d{i:02}.example"));
        }
        self.done("sync");
        assert_eq!(self.aliases().len(), count as usize);
    }

    /// Delete the mappings of the first `count` of them, all at once.
    pub(crate) fn drop_domains(&self, count: u32) {
        let names: Vec<_> = (0..count).map(|i| format!("'d{i:02}.example'")).collect();
        let names = names.join(", ");
        let sql = format!("DELETE FROM wp_wu_domain_mappings WHERE domain IN ({names})");
        self.database.execute(&sql);
    }

    /// The hash that `plan` prints.
    pub(crate) fn plan_hash(&self) -> String {
        self.json("plan")["hash"].as_str().unwrap().to_owned()
    }

    /// Point a name at the network.
    pub(crate) fn here(&self, name: &str) {
        self.sandbox.dns().set(name, [a("127.0.0.1")]);
    }

    /// Point a name at another server.
    pub(crate) fn elsewhere(&self, name: &str) {
        self.sandbox.dns().set(name, [a("192.0.2.77")]);
    }

    /// `stage` and `secure` of a mapping as they are in the database.
    pub(crate) fn stage(&self, domain: &str) -> String {
        let sql = format!(
            "SELECT CONCAT(stage, ' ', secure) FROM wp_wu_domain_mappings WHERE domain = '{domain}'"
        );
        self.database.execute(&sql).trim().to_owned()
    }

    /// The writes that the host was asked for, such as `add shop.example`.
    pub(crate) fn asked(&self) -> Vec<String> {
        let calls = self.sandbox.closte().calls().into_iter().filter_map(|call| {
            let domain = call.domain?;
            match call.kind {
                CallKind::Add => Some(format!("add {domain}")),
                CallKind::Delete => Some(format!("remove {domain}")),
                _ => None,
            }
        });
        calls.collect()
    }

    /// The aliases that the host has.
    pub(crate) fn aliases(&self) -> Vec<String> {
        self.sandbox.closte().aliases().into_iter().collect()
    }

    /// A command, ready to run.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_closte-sync"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .envs(self.settings.clone())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Run a command to its end. Whatever it prints, no secret is in it.
    pub(crate) fn run(&self, arguments: &str) -> Ran {
        ended(self.command(arguments).spawn().unwrap(), arguments)
    }

    /// Run a command that must end with 0.
    pub(crate) fn done(&self, arguments: &str) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {ran:?}");
        ran
    }

    /// Run a command that must end with 0, and read its JSON.
    pub(crate) fn json(&self, arguments: &str) -> Value {
        self.done(&format!("{arguments} --output json")).json()
    }

    /// Make everything due and run a pass that must end with 0.
    pub(crate) fn pass(&self) -> Ran {
        self.done("domains recheck --all");
        self.done("sync")
    }

    /// What `status` says of a domain.
    pub(crate) fn domain(&self, domain: &str) -> Value {
        let status = self.json("status");
        let domains = status["domains"].as_array().unwrap();
        let found = domains.iter().find(|it| it["domain"] == domain);
        found.unwrap_or_else(|| panic!("no {domain} in {status:#}")).clone()
    }

    /// Its three states, as `present here valid`.
    pub(crate) fn states(&self, domain: &str) -> String {
        let domain = self.domain(domain);
        let state = |condition: &str| domain[condition]["state"].as_str().unwrap().to_owned();
        [state("alias"), state("routing"), state("certificate")].join(" ")
    }

    /// The reason of one of its three states.
    pub(crate) fn reason(&self, domain: &str, condition: &str) -> String {
        let reason = &self.domain(domain)[condition]["reason"];
        reason.as_str().unwrap_or("none").to_owned()
    }
}

/// Wait for a command.
pub(crate) fn ended(child: Child, arguments: &str) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    let secrets = [KEY, rest_api::SECRET, &rest_api::encoded()];
    for printed in [&out, &err] {
        let shows = |secret: &&str| printed.contains(secret);
        assert!(!secrets.iter().any(shows), "{arguments} printed a secret: {printed}");
        assert!(!printed.contains("panicked"), "{arguments} panicked: {printed}");
        // A program for a shell is ours to the last character.
        let is_fit = |c: char| c == '\n' || is_plain(c) || arguments.starts_with("completions");
        assert!(printed.chars().all(is_fit), "{arguments} printed a control: {printed:?}");
    }
    Ran { code: output.status.code().unwrap_or(-1), out, err }
}

impl Ran {
    /// Its answer as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// That it failed so, with all these words on stderr.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "no `{word}` in: {}", self.err);
        }
    }
}

/// Whether a file is there.
pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
