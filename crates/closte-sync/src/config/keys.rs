//! Every setting there is: one line each.

use std::fmt::Write as _;

use super::{ConfigError, Origin};

/// A setting.
#[derive(Debug)]
pub(crate) struct Key {
    /// `section.key`.
    pub(crate) name: &'static str,
    /// What holds where nobody set it; empty for nothing.
    pub(crate) default: &'static str,
    /// A value somebody might set.
    pub(crate) example: &'static str,
    /// What kind of value it takes.
    pub(crate) kind: Kind,
    /// What it is, in one sentence without a full stop.
    pub(crate) help: &'static str,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One text; in TOML a string.
    Text,
    /// A number or truth value; in TOML bare.
    Bare,
    /// Several texts, in the environment with commas between.
    List,
}

impl Key {
    /// Its environment variable without the common prefix.
    pub(crate) fn variable(&self) -> String {
        self.name.replace('.', "_").to_uppercase()
    }

    /// `text` as the values of this key.
    pub(crate) fn split(&self, text: &str) -> Vec<String> {
        let texts: Vec<&str> = match self.kind {
            Kind::List => text.split(',').collect(),
            Kind::Text | Kind::Bare => vec![text],
        };
        texts.into_iter().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
    }

    /// Whether its value may hold a password.
    pub(crate) fn is_secret(&self) -> bool {
        self.name == "network.database_url"
    }

    /// `value` as it may be shown although it is bad: nothing of what should be a URL, where
    /// people paste keys and passwords.
    pub(crate) fn shown(&self, value: &str) -> String {
        if self.name.ends_with("url") || self.name == "notify.webhooks" {
            "…".to_owned()
        } else {
            value.to_owned()
        }
    }
}

/// The key of a name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The key of a name that stands at `origin`.
pub(crate) fn known(name: &str, origin: &Origin) -> Result<&'static Key, ConfigError> {
    find(name).ok_or_else(|| {
        let distance = |key: &&Key| strsim::damerau_levenshtein(key.name, name);
        let nearest = KEYS.iter().min_by_key(distance).filter(|key| distance(key) <= 6);
        ConfigError::UnknownKey {
            key: name.to_owned(),
            origin: origin.clone(),
            nearest: nearest.map(|key| key.name),
        }
    })
}

/// A settings file in which everything is set to its default, commented out.
pub(crate) fn default_file() -> String {
    let mut text = String::from(
        "# Settings of closte-sync. On Closte none is needed.\n\
         # Lines that are commented out show the defaults.\n",
    );
    let mut section = "";
    for key in KEYS {
        let (its_section, name) = key.name.split_once('.').expect("keys have a section");
        if its_section != section {
            section = its_section;
            let _ = write!(text, "\n[{section}]\n");
        }
        let _ = write!(text, "# {}.\n# {name} = {}\n", key.help, toml(key));
    }
    text
}

fn toml(key: &Key) -> String {
    let quoted = |text: &String| format!("{text:?}");
    let texts = key.split(key.default);
    match key.kind {
        Kind::Bare => key.default.to_owned(),
        Kind::Text => quoted(&texts.first().cloned().unwrap_or_default()),
        Kind::List => format!("[{}]", texts.iter().map(quoted).collect::<Vec<_>>().join(", ")),
    }
}

const fn key(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    example: &'static str,
    help: &'static str,
) -> Key {
    Key { name, default, example, kind, help }
}

/// All of them, by section.
#[rustfmt::skip] // One key a line.
pub(crate) const KEYS: &[Key] = &[
    key("network.source", Kind::Text, "database", "rest", "Where sites and mappings are read: database, or rest from a machine that reaches neither the database nor the files"),
    key("network.url", Kind::Text, "", "https://network.example", "Where the network's own site answers, for its REST API and the plugin: https, or http to this machine; else https on the network's own domain"),
    key("network.host", Kind::Text, "", "network.example", "The network's own domain, where network.url is an address of this machine, such as the end of a tunnel"),
    key("network.rest_credentials_file", Kind::Text, "", "/etc/closte-sync/rest-credentials", "A file with KEY:SECRET of Ultimate Multisite's REST API; else those of its settings in the database"),
    key("network.write", Kind::Text, "auto", "sql", "Who writes stages: plugin, rest or sql; auto takes the first of them that can"),
    key("network.wp_config", Kind::Text, "", "/home/app1/public_html/wp-config.php", "Where wp-config.php is; found automatically from the current folder upwards, in ~/public_html and in /var/www/html"),
    key("network.database_url", Kind::Text, "", "mysql://user:password@localhost/wordpress", "The database, where it is not to be reached as wp-config.php says"),
    key("network.table_prefix", Kind::Text, "", "wp_", "The prefix of WordPress' tables, where wp-config.php does not tell it"),
    key("network.domain", Kind::Text, "", "network.example", "The network's own domain, with its path where several have that domain (network.example/two/); where wp-config.php does not tell it or the database holds several networks"),
    key("closte.api_url", Kind::Text, "https://app.closte.com/api/client", "https://app.closte.com/api/client", "Where Closte's API is: https, or http to this machine"),
    key("closte.api_key_file", Kind::Text, "", "/etc/closte-sync/api-key", "A file with the API key, where it is not CLOSTE_CLIENT_API_KEY in wp-config.php"),
    key("closte.app_id", Kind::Text, "", "app1", "The value of CLOSTE_APP_ID, where wp-config.php does not tell it"),
    key("closte.requests_per_second", Kind::Bare, "5", "5", "How often Closte may be called; 0 is as often as it answers"),
    key("closte.concurrency", Kind::Bare, "8", "8", "How many calls may be under way at once"),
    key("checks.interval", Kind::Text, "", "10m", "The interval between checks, where it is not to be Ultimate Multisite's own; at least 10s"),
    key("checks.dns_patience", Kind::Text, "48h", "72h", "How long DNS may take before a domain is called failed"),
    key("checks.certificate_patience", Kind::Text, "100m", "2h", "How long a certificate may take once DNS is right"),
    key("checks.resolvers", Kind::List, "", "9.9.9.9:53, 1.1.1.1:53", "The DNS resolvers to ask, as ip:port; else the system's"),
    key("checks.dns", Kind::Text, "all", "any", "Whose word counts on where a domain points: all resolvers that answer agree, or any of them is enough"),
    key("checks.roots", Kind::List, "", "198.41.0.4:53, 199.9.14.201:53", "The DNS servers where the way to a domain's own name servers begins, as ip:port; else the root's"),
    key("checks.targets", Kind::List, "", "203.0.113.7, 2001:db8::7", "The addresses that domains must point to; else CLOSTE_PUBLIC_IP_ADDRESS and those of the network's own domain"),
    key("checks.https_port", Kind::Bare, "443", "443", "The port at which certificates are checked"),
    key("checks.http_port", Kind::Bare, "80", "80", "The port at which an authority would ask before it issues a certificate"),
    key("checks.dns_port", Kind::Bare, "53", "53", "The port at which a domain's own name servers are asked"),
    key("checks.timeout", Kind::Text, "5s", "2s", "How long each connection and each answer may take, from 100ms to 15s"),
    key("checks.trusted_ca", Kind::Text, "", "/etc/closte-sync/ca.pem", "A PEM file with authorities to trust besides the system's"),
    key("checks.allow_private", Kind::Bare, "false", "true", "Whether to visit addresses that are not public, for an intranet"),
    key("checks.demote", Kind::Bare, "false", "true", "Whether a domain that is served may be taken back when three checks over half an hour find it broken"),
    key("checks.routing_proof", Kind::Text, "ask", "require", "Whether WordPress is asked to prove that it is what answers at a domain: ask, require before done, or never"),
    key("domains.records", Kind::Text, "new", "all", "Which sites get a domain record made: new, all or never"),
    key("domains.www", Kind::Text, "", "never", "Whether the www twin of a mapped domain (www.X for a registrable X, X for www.X) is added once its DNS leads here: never, as-wordpress (as Ultimate Multisite's setting says) or when-dns-ready; else when-dns-ready, or never where the ledger was made by a closte-sync before this setting"),
    key("removal.confirmations", Kind::Bare, "2", "3", "How many good reads must see a mapping gone before its alias is removed"),
    key("removal.gap", Kind::Text, "60s", "5m", "How much time is between two good reads that count"),
    key("removal.grace", Kind::Text, "0s", "24h", "How long an alias stays once its mapping is certainly gone, in case that comes back"),
    key("removal.policy", Kind::Text, "sync", "add-only", "What becomes of an alias whose mapping goes: sync removes it, add-only removes nothing"),
    key("removal.brake", Kind::Text, "10%", "25%", "How many aliases one hour may remove without a person's word: a share of what is owned (at least three), or a number"),
    key("report.broken_after", Kind::Text, "10m", "0s", "How long a served domain must be found broken, by three checks in a row, before cron's mail says so; 0s: by one"),
    key("report.unseen_after", Kind::Text, "1h", "0s", "How long nothing can be seen of a served domain before cron's mail says so"),
    key("protected.names", Kind::List, "", "*.example.com, mail.*", "Names that are never added to or removed from the host; * stands for any letters"),
    key("ledger.url", Kind::Text, "", "sqlite:///home/app1/closte-sync/ledger.db", "Where the ledger is; else ~/.local/state/closte-sync/ledger.db"),
    key("ledger.keep_events", Kind::Text, "90d", "30d", "How long events are kept, and domains that are gone; of a mapped domain the newest 20 always"),
    key("run.pass_limit", Kind::Text, "4m", "10m", "How long a pass may take; the rest stays due"),
    key("run.poll", Kind::Text, "5s", "10s", "How often the resident program asks whether the network has changed"),
    key("run.listen", Kind::Text, "", "127.0.0.1:9780", "Where the resident program receives the plugin's nudges, as ip:port; else the plugin touches a file"),
    key("run.url", Kind::Text, "", "https://sync.example.com", "Where the plugin reaches that; else http on run.listen itself"),
    key("plugin.secret_file", Kind::Text, "", "/etc/closte-sync/plugin-secret", "The file with the secret shared with the plugin; else plugin-secret next to the ledger"),
    key("plugin.silence", Kind::Text, "1h", "24h", "After how long without a sign of life the plugin gives its place back to the built-in integration"),
    key("notify.webhooks", Kind::List, "", "https://hooks.example/closte", "URLs that messages are posted to, signed by Standard Webhooks: https, or http to this machine"),
    key("notify.webhook_secret_file", Kind::Text, "", "/etc/closte-sync/webhook-secret", "The file with the secret that webhooks are signed with, whsec_ and base64; else webhook-secret next to the ledger, made by closte-sync notify secret"),
    key("notify.command", Kind::List, "", "/usr/local/bin/tell, --all", "A program and its arguments that each message is handed to, as JSON on its standard input; no shell reads it"),
    key("notify.mail", Kind::Text, "auto", "false", "Whether WordPress mails the network's admin, by the plugin: true, false, or auto, which is where the plugin starts the engine"),
    key("log.level", Kind::Text, "warn", "debug", "How much is logged: error, warn, info, debug or trace; the resident program says info unless this is set"),
    key("log.format", Kind::Text, "text", "json", "How it is logged: text or json"),
];
