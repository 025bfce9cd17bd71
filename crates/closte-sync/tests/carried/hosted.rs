//! A network on a host: its document root in a home, and the host's servers.
//!
//! PHP is only run by those servers: a command line would find the home of who runs the tests.

use std::fs;

use sandbox::closte::CallKind;
use serde_json::Value;
use testkit::handed_out;
use testkit::mariadb::MariaDb;
use testkit::wordpress::{Browser, Fpm, Listen, Nginx, UltimateMultisite, WordPress};

use crate::running::eventually;
use crate::world::{KEY, World};

const CONSTANTS: [(&str, &str); 3] =
    [("CLOSTE_CLIENT_API_KEY", KEY), ("CLOSTE_APP_ID", "app1"), ("FS_METHOD", "direct")];

/// The plugin's page.
pub(crate) const PAGE: &str = "/wp-admin/network/settings.php?page=closte-sync";

/// A network for which Closte is switched off.
pub(crate) struct Hosted {
    pub(crate) world: World,
    pub(crate) server: Nginx,
}

impl Hosted {
    /// Without the plugin.
    pub(crate) async fn without_plugin(listen: Listen) -> Self {
        Self::with(listen, &[], |_| ()).await
    }

    /// Without the plugin, on a host that is unlike others by constants of wp-config.php and by how
    /// it runs PHP.
    async fn with(
        listen: Listen,
        constants: &[(&str, &str)],
        limit: impl FnOnce(&mut Fpm),
    ) -> Self {
        let mut world = World::around(MariaDb::shared().fresh_database()).await;
        let constants = [&CONSTANTS, constants].concat();
        let wordpress = WordPress::copy(&world.database, &world.root(), &constants);
        wordpress.add_ultimate_multisite(UltimateMultisite::Registry);
        fs::write(world.root().join("page.php"), include_str!("page.php")).unwrap();
        let home = world.folder.path().to_owned();
        let mut fpm = Fpm::new(listen, &home);
        limit(&mut fpm);
        let server = wordpress.serve_by_nginx(fpm);
        world.set("network.url", &format!("http://{}", server.address()));
        world.set("removal.confirmations", "1");
        let state = home.join(".local/state").display().to_string();
        world.settings.push(("XDG_STATE_HOME".to_owned(), state));
        write_settings(&world);
        let hosted = Self { world, server };
        hosted.page("do=switch&closte=off");
        hosted
    }

    /// With the plugin at work, its first pass over.
    pub(crate) async fn new(listen: Listen) -> Self {
        Self::without_plugin(listen).await.begun()
    }

    /// The same, whose ledger is on a small disk.
    pub(crate) async fn on_a_small_disk() -> Self {
        let small = |fpm: &mut Fpm| {
            let folder = fpm.home.join(".local");
            fs::create_dir_all(&folder).unwrap();
            fpm.disk = Some(folder);
        };
        Self::with(Listen::Port, &[], small).await.begun()
    }

    /// The same, that has set `DISABLE_WP_CRON`.
    pub(crate) async fn without_wp_cron() -> Self {
        Self::with(Listen::Port, &[("DISABLE_WP_CRON", "1")], |_| ()).await.begun()
    }

    /// With the plugin, but on a host that may keep the engine from its work.
    pub(crate) async fn limited(limit: impl FnOnce(&mut Fpm)) -> Self {
        let hosted = Self::with(Listen::Port, &[], limit).await;
        hosted.install();
        hosted
    }

    fn begun(self) -> Self {
        self.install();
        self.at_rest();
        self
    }

    fn install(&self) {
        self.page(&format!("do=unpack&file={}", handed_out::zip().display()));
        self.page("do=activate");
        self.page("do=switch&closte=on");
    }

    /// A browser that shows the plugin's page to the network's admin.
    pub(crate) fn browser(&self) -> Browser {
        let browser = Browser::open(self.server.address());
        browser.log_in();
        browser.go(PAGE);
        browser
    }

    /// A page of the network that a person asks for.
    #[track_caller]
    pub(crate) fn page(&self, query: &str) {
        let answer = self.server.get("network.example", &format!("/page.php?{query}"));
        assert!(answer.ends_with("the page is complete"), "{answer}\n{}", self.server.log());
    }

    /// That visitors are served.
    #[track_caller]
    pub(crate) fn serves(&self) {
        let answer = self.server.get("network.example", "/wp-json/");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// WP-Cron of the network's main site runs, a pass being due.
    pub(crate) fn cron(&self) {
        self.due_ago(0);
        self.server.get("network.example", "/wp-cron.php?doing_wp_cron");
    }

    /// A pass has been due for so many seconds.
    pub(crate) fn due_ago(&self, seconds: u32) {
        let due = self.world.database.execute(&format!("SELECT UNIX_TIMESTAMP() - {seconds}"));
        self.world.option("closte_sync_next", due.trim());
    }

    /// What the plugin keeps in an option.
    pub(crate) fn kept(&self, option: &str) -> String {
        let sql = format!("SELECT meta_value FROM wp_sitemeta WHERE meta_key = '{option}'");
        self.world.database.execute(&sql)
    }

    /// The last pass that WP-Cron made.
    pub(crate) fn last_pass(&self) -> Value {
        let mut runs: Value = serde_json::from_str(&self.kept("closte_sync_runs")).unwrap();
        runs["last"].take()
    }

    /// Why it failed; empty if it did not.
    pub(crate) fn failed(&self) -> String {
        self.last_pass()["error"]["what"].as_str().unwrap_or_default().to_owned()
    }

    /// Wait until a pass was made, none runs, and a nudge is let through at once.
    #[track_caller]
    pub(crate) fn at_rest(&self) {
        let rested = "SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key = 'closte_sync_runs' AND \
                      JSON_VALUE(meta_value, '$.detached.at') + 10 < UNIX_TIMESTAMP()";
        eventually("a nudge is let through", || self.world.database.execute(rested) == "1\n");
        eventually("no pass runs", || self.server.engines() == 0);
        let told = "SELECT COUNT(*) FROM wp_sitemeta WHERE meta_key = 'closte_sync_report'";
        eventually("a pass was made", || self.world.database.execute(told) == "1\n");
    }

    /// Wait until the host was asked to add a domain.
    #[track_caller]
    pub(crate) fn asked_to_add(&self, domain: &str) {
        let is_it = |call: &sandbox::closte::Call| call.domain.as_deref() == Some(domain);
        let asked = || self.world.sandbox.closte().calls_of(CallKind::Add).iter().any(is_it);
        eventually("the host is asked", asked);
    }

    /// Wait until WordPress has `stage secure` for a domain.
    #[track_caller]
    pub(crate) fn becomes(&self, domain: &str, stage: &str) {
        eventually(&format!("{domain} is {stage}"), || self.world.stage(domain) == stage);
    }

    /// What the plugin wrote into PHP's log.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.server.php_log();
        log.lines().filter(|line| line.contains("closte-sync")).map(str::to_owned).collect()
    }
}

/// The settings of all commands, as a file in the home.
fn write_settings(world: &World) {
    let folder = world.folder.path().join(".config/closte-sync");
    fs::create_dir_all(&folder).unwrap();
    let line = |(name, value): &(String, String)| {
        let name = name.strip_prefix("CLOSTE_SYNC_")?.to_lowercase().replacen('_', ".", 1);
        let is_list = ["checks.resolvers", "checks.roots", "checks.targets"].contains(&&*name);
        let is_bare = value == "true" || value.bytes().all(|it| it.is_ascii_digit());
        let value = match value.as_str() {
            list if is_list => {
                format!("[{}]", list.split(',').map(quoted).collect::<Vec<_>>().join(", "))
            }
            bare if is_bare => bare.to_owned(),
            text => quoted(text),
        };
        Some(format!("{name} = {value}\n"))
    };
    let text: String = world.settings.iter().filter_map(line).collect();
    fs::write(folder.join("closte-sync.toml"), text).unwrap();
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}
