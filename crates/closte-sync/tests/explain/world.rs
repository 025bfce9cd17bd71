//! A network, a host and an internet in which `shop.example` is as it should be, and ways to break one thing of it.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use sandbox::closte::{self, Closte};
use sandbox::wordpress::{self, WordPress};
use tempfile::TempDir;
use testkit::internet::{
    Answer, Certificate, Fault, Internet, RecordType, Scheme, Scope, Validation, Web, runtime,
    trusted_pem,
};

use crate::explained::Explained;

/// The key that is right at the host.
const KEY: &str = "k3y-0f-th3-n3tw0rk-s3cr3t";

/// The domain that is as it should be.
pub(crate) const SHOP: &str = "shop.example";
/// A domain in the same zone that is mapped too, to the same site, and has records of its own.
pub(crate) const LABEL: &str = "cafe.shop.example";

/// The servers of `shop.example`.
pub(crate) const NS1: &str = "ns1.shop.example";
pub(crate) const NS2: &str = "ns2.shop.example";
pub(crate) const SERVERS: [&str; 2] = [NS1, NS2];
/// The servers of the root.
pub(crate) const ROOTS: [&str; 2] = ["a.root", "b.root"];
/// The resolvers: the first validates, the second does not.
pub(crate) const RESOLVERS: [&str; 2] = ["r1", "r2"];

/// A network `network.example` with Closte switched on, whose site 2 has `shop.example` and `cafe.shop.example`.
pub(crate) struct World {
    pub(crate) internet: Internet,
    /// Where domains must point.
    pub(crate) here: Web,
    /// A server of somebody else.
    pub(crate) there: Web,
    pub(crate) host: Closte,
    pub(crate) network: WordPress,
    pub(crate) folder: TempDir,
    /// Servers that are ours too.
    more: Vec<Web>,
    settings: Vec<(String, String)>,
}

impl World {
    /// All as it should be, and no ledger yet.
    pub(crate) fn new() -> Self {
        let internet = Internet::start();
        for zone in ["example", "network.example", SHOP] {
            internet.zone(zone);
        }
        for (resolver, validation) in RESOLVERS.into_iter().zip([Validation::On, Validation::Off]) {
            internet.resolver(resolver, validation);
        }
        let (here, there) = (internet.web(), internet.web());
        let folder = tempfile::tempdir().unwrap();
        let host = closte::Settings { key: KEY.to_owned(), ..closte::Settings::default() };
        let host = runtime().block_on(Closte::start(host)).unwrap();
        let network = new_network(&folder.path().join("public_html"), "network.example");
        let mut world = Self {
            internet,
            here,
            there,
            host,
            network,
            folder,
            more: Vec::new(),
            settings: Vec::new(),
        };
        world.configure();
        world.sql(
            "INSERT INTO wp_blogs (site_id, domain, path) VALUES (1, 'one.network.example', '/')",
        );
        for name in [SHOP, LABEL] {
            world.map(2, name);
            world.host.insert_alias(name);
            world.points(name, &world.here);
            world.certify(name);
        }
        world.points("network.example", &world.here);
        world
    }

    /// The same with a ledger: a pass added the domains, followed them and wrote their stage.
    pub(crate) fn synced() -> Self {
        let world = Self::new();
        for name in [SHOP, LABEL] {
            world.host.drop_alias(name);
        }
        world.sync();
        world
    }

    fn configure(&mut self) {
        let joined = |all: Vec<String>| all.join(",");
        let (internet, ports) = (&self.internet, self.internet.ports());
        let ca = self.folder.path().join("ca.pem");
        std::fs::write(&ca, trusted_pem()).unwrap();
        let resolvers = RESOLVERS.map(|it| internet.socket(it).to_string());
        let settings = [
            ("closte.api_url", self.host.api_url()),
            ("closte.requests_per_second", "0".to_owned()),
            ("removal.gap", "0s".to_owned()),
            ("checks.resolvers", joined(resolvers.into())),
            ("checks.roots", joined(internet.roots().iter().map(ToString::to_string).collect())),
            ("checks.dns_port", ports.dns.to_string()),
            ("checks.http_port", ports.http.to_string()),
            ("checks.https_port", ports.https.to_string()),
            ("checks.targets", self.here.address().to_string()),
            ("checks.trusted_ca", ca.display().to_string()),
            ("checks.allow_private", "true".to_owned()),
            ("checks.timeout", "1s".to_owned()),
        ];
        for (key, value) in settings {
            self.set(key, &value);
        }
    }

    /// Set something for all commands to come.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        let name = format!("CLOSTE_SYNC_{}", key.replace('.', "_").to_uppercase());
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.to_owned()));
    }

    /// Do something to the network's tables; what it prints.
    pub(crate) fn sql(&self, sql: &str) -> String {
        runtime().block_on(self.network.execute(sql)).unwrap().trim().to_owned()
    }

    /// Map a name to a site, served; the mapping's id.
    pub(crate) fn map(&self, site: u32, name: &str) -> u64 {
        self.sql(&format!(
            "INSERT INTO wp_wu_domain_mappings (blog_id, domain, active, primary_domain, secure, stage) \
             VALUES ({site}, '{name}', 1, 0, 1, 'done')"
        ));
        self.sql("SELECT max(id) FROM wp_wu_domain_mappings").parse().unwrap()
    }

    /// Make a site; its id.
    pub(crate) fn site(&self, domain: &str) -> u32 {
        self.sql(&format!(
            "INSERT INTO wp_blogs (site_id, domain, path) VALUES (1, '{domain}', '/')"
        ));
        self.sql("SELECT max(blog_id) FROM wp_blogs").parse().unwrap()
    }

    /// Change the row of a mapping.
    pub(crate) fn row(&self, name: &str, change: &str) {
        self.sql(&format!("UPDATE wp_wu_domain_mappings SET {change} WHERE domain = '{name}'"));
    }

    /// Change a value that Ultimate Multisite keeps for the network.
    pub(crate) fn option(&self, key: &str, value: &str) {
        self.sql(&format!(
            "UPDATE wp_sitemeta SET meta_value = '{value}' WHERE meta_key = '{key}'"
        ));
    }

    /// Change wp-config.php.
    pub(crate) fn wp_config(&self, from: &str, to: &str) {
        let path = self.network.config();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(from), "wp-config.php has no `{from}`");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The folder of WordPress' own files.
    pub(crate) fn content(&self) -> PathBuf {
        self.network.config().with_file_name("wp-content")
    }

    /// Give a name one A record: the address of `web`.
    pub(crate) fn points(&self, name: &str, web: &Web) {
        self.records(name, RecordType::A, &[&web.address().to_string()]);
    }

    /// Set all records of a name and type at all servers; `{here}` and `{there}` are addresses.
    pub(crate) fn records(&self, name: &str, kind: RecordType, texts: &[&str]) {
        let texts: Vec<_> = texts.iter().map(|text| self.filled(text)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        self.internet.set(name, kind, &texts);
    }

    /// Make a name an alias of another.
    pub(crate) fn cname(&self, name: &str, target: &str) {
        self.internet.set(name, RecordType::A, &[]);
        self.internet.set(name, RecordType::CNAME, &[target]);
    }

    /// Give a name a good certificate, and have WordPress prove itself there where it is mapped.
    pub(crate) fn certify(&self, name: &str) {
        self.here.show(name, Certificate::good());
        let id =
            self.sql(&format!("SELECT max(id) FROM wp_wu_domain_mappings WHERE domain = '{name}'"));
        if let Ok(id) = id.parse() {
            self.here.answer(Scheme::Https, name, Answer::Proof(id));
        }
    }

    /// Have both servers of the zone do something wrong.
    pub(crate) fn both_servers(&self, fault: Fault) {
        for server in SERVERS {
            self.internet.fault(server, Scope::all(), fault);
        }
    }

    /// Have no server answer for CAA.
    pub(crate) fn no_caa(&self, fault: Fault) {
        for server in SERVERS {
            self.internet.fault(server, Scope::all().kind(RecordType::CAA), fault);
        }
    }

    /// Have the host do without the certificate, which it showed until now.
    pub(crate) fn uncertified(&self) {
        self.here.show(SHOP, Certificate::Alert);
    }

    /// A second server of ours, whose address the domain has too.
    pub(crate) fn second(&mut self) -> Web {
        let second = self.internet.web();
        let both = [self.here.address(), second.address()].map(|it| it.to_string());
        self.set("checks.targets", &both.join(","));
        self.records(SHOP, RecordType::A, &[&both[0], &both[1]]);
        second.show(SHOP, Certificate::good());
        let id = self.sql(&format!("SELECT id FROM wp_wu_domain_mappings WHERE domain = '{SHOP}'"));
        second.answer(Scheme::Https, SHOP, Answer::Proof(id.parse().unwrap()));
        self.more.push(second.clone());
        second
    }

    /// A name that leads here with a good certificate, and that nobody mapped.
    pub(crate) fn unmapped(&self, name: &str) {
        self.internet.zone(name);
        self.points(name, &self.here);
        self.certify(name);
    }

    /// A pass, however it ends.
    pub(crate) fn sync(&self) -> Output {
        self.run(&["sync"])
    }

    /// Make everything due, and a pass.
    pub(crate) fn pass(&self) -> Output {
        self.run(&["domains", "recheck", "--all"]);
        self.sync()
    }

    /// What `explain` says of a name.
    pub(crate) fn explain(&self, name: &str) -> Explained {
        Explained::new(&self.run(&["explain", name, "--output", "json"]))
    }

    /// Everything that people read of a name. No made-up label is in it, see [`World::run`].
    pub(crate) fn write_to_the_owner(&self, name: &str) {
        for language in ["en", "nl"] {
            self.run(&["explain", name, "--lang", language]);
            self.run(&["explain", name, "--lang", language, "--for", "owner"]);
        }
        self.sync();
        self.run(&["domains", "show", name]);
    }

    /// A text with this world's addresses and DS records in it.
    pub(crate) fn filled(&self, text: &str) -> String {
        let [ds, fitting] = self.internet.ds(SHOP);
        let text = text.replace("{here}", &self.here.address().to_string());
        let text = text.replace("{there}", &self.there.address().to_string());
        text.replace("{ds}", &ds).replace("{fitting}", &fitting)
    }

    /// Run a command to its end. Whatever it prints, no secret is in it, and no label that we made up to ask for a
    /// wildcard.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let ended = Command::new(env!("CARGO_BIN_EXE_closte-sync"))
            .args(arguments)
            .current_dir(self.network.config().parent().unwrap())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .envs(self.settings.clone())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        for printed in [&ended.stdout, &ended.stderr] {
            let printed = String::from_utf8_lossy(printed);
            assert!(!printed.contains(KEY), "{arguments:?} printed the key: {printed}");
            assert!(!printed.contains("panicked"), "{arguments:?} panicked: {printed}");
            let mut names = printed.split("closte-sync-").skip(1).filter_map(|it| it.get(..9));
            let is_made_up = |it: &str| it.trim_matches(|c: char| c.is_ascii_hexdigit()) == ".";
            assert!(!names.any(is_made_up), "{arguments:?} printed a made-up label: {printed}");
        }
        ended
    }
}

/// A network in a folder of its own.
pub(crate) fn new_network(folder: &std::path::Path, domain: &str) -> WordPress {
    let settings = wordpress::Settings {
        domain: domain.to_owned(),
        api_key: KEY.to_owned(),
        app: "app1".to_owned(),
    };
    runtime().block_on(WordPress::create(folder, &settings)).unwrap()
}
