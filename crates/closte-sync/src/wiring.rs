//! Where every adapter is made and joined: the one place that names them.
//!
//! The network's side is in [`access`], the secrets in [`api_key`] and [`secret`], who is told outside in
//! [`notices`], what explains a domain in [`explaining`].

mod access;
mod api_key;
mod explaining;
mod notices;
mod secret;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use closte::{HttpHost, Timeouts};
use ledger::{Acquired, CreateIfMissing, LedgerPath, Lock, SqliteLedger};
use probe::NetProbe;
use rules::explain::Serving;
use rules::ledger::{Ledger, LedgerError};
use rules::stage::StagePolicy;
use rules::{Clock, DomainName, Problem, plain};
use rustls::pki_types::CertificateDer;
use secrecy::SecretString;
use wordpress::WpConfig;
use wordpress::plugin::Pipes;
use wordpress::wp_config::{Found, NotFound, Setting, WpConfigError, find};

use crate::clock::{SystemClock, system_env};
use crate::config::{Environment, Loaded, NetworkDomain, RoutingProof, Settings, Source};
pub(crate) use access::NetworkAccess;
use engine::ops::ProtectedNames;
use engine::pass::{Engine, PassSettings, PluginSync, Writers};
use engine::{Failure, Notices};
pub(crate) use explaining::{Explainer, Host};
pub(crate) use ledger::Owner;
pub(crate) use secret::Agreement;
pub(crate) use wordpress::options::{NEXT_PASS, PLUGINS};

/// The settings, ready to make adapters of.
///
/// However many there are, they share what one load of the settings led to.
pub(crate) struct Wiring<'a> {
    pub(crate) settings: &'a Settings,
    environment: &'a Environment,
    caller: &'a Caller,
    found: &'a FoundOnce,
}

/// Who started this process.
#[derive(Debug, Default)]
pub(crate) struct Caller {
    /// Whether it was the plugin inside WordPress, which carries this program.
    pub(crate) is_plugin: bool,
    /// The way to the plugin, where it waits for us.
    pub(crate) pipes: Option<Arc<Pipes>>,
}

impl Caller {
    /// The plugin, which waits for us on standard input and output.
    pub(crate) fn waits(self) -> Self {
        let pipes = Pipes::new(tokio::io::stdout(), tokio::io::stdin());
        Self { pipes: Some(Arc::new(pipes)), ..self }
    }
}

/// What a load of the settings led to. It goes with them when they are read again.
#[derive(Debug, Default)]
pub(crate) struct FoundOnce {
    /// wp-config.php, once it was asked for: parsing it is most of a start.
    wp_config: OnceCell<Box<WpConfig>>,
}

/// The ledger with the right to write, or who has that right.
pub(crate) enum LockedLedger {
    /// The lock is ours as long as the second is kept.
    Ours(SqliteLedger, Lock),
    /// Somebody else's.
    LockedBy(Option<Owner>),
}

impl<'a> Wiring<'a> {
    pub(crate) fn new(
        loaded: &'a Loaded,
        environment: &'a Environment,
        caller: &'a Caller,
    ) -> Self {
        Self { settings: &loaded.settings, environment, caller, found: &loaded.found }
    }

    /// Whether neither the database nor the files of WordPress are in reach.
    pub(crate) fn is_remote(&self) -> bool {
        self.settings.source == Source::Rest
    }

    /// wp-config.php, where it is set or found; as it was when it was first asked for.
    pub(crate) fn wp_config(&self) -> Result<WpConfig, Failure> {
        if let Some(wp) = self.found.wp_config.get() {
            return Ok(WpConfig::clone(wp));
        }
        let wp = Box::new(self.load_wp_config()?);
        Ok(WpConfig::clone(self.found.wp_config.get_or_init(|| wp)))
    }

    fn load_wp_config(&self) -> Result<WpConfig, Failure> {
        let found = match &self.settings.wp_config {
            Some(path) => Found::at(path),
            None => self.find_wp_config().map_err(|error| {
                let hint = error.hint();
                Failure::could_not(error).hint(hint)
            })?,
        };
        let mut wp = WpConfig::load(&found, &self.environment.variables).map_err(of_wp_config)?;
        // What an operator sets counts before what the file says.
        if let Some(prefix) = &self.settings.table_prefix {
            let prefix = prefix
                .parse()
                .map_err(|error| Failure::could_not(error).hint("check `network.table_prefix`"))?;
            wp.table_prefix = Setting::Known(prefix);
        }
        if let Some(NetworkDomain { domain, path }) = &self.settings.network_domain {
            wp.domain_current_site = Setting::Known(domain.to_string());
            wp.path_current_site = path.clone().map_or(Setting::Absent, Setting::Known);
            wp.site_id_current_site = Setting::Absent;
        }
        if let Some(app) = &self.settings.app_id {
            wp.closte_app_id = Setting::Known(app.clone());
        }
        Ok(wp)
    }

    fn find_wp_config(&self) -> Result<Found, NotFound> {
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        find(&here, self.environment.home().as_deref(), rustix::process::geteuid().as_raw())
    }

    /// The host, with that key.
    pub(crate) fn host(&self, api_key: SecretString) -> Result<HttpHost, Failure> {
        let concurrency = u16::try_from(self.settings.concurrency).unwrap_or(u16::MAX);
        let settings = closte::Settings {
            api_url: self.settings.api_url.clone(),
            api_key,
            requests_per_second: self.settings.requests_per_second,
            concurrency: NonZeroU16::new(concurrency).unwrap_or(NonZeroU16::MIN),
            timeouts: Timeouts::default(),
        };
        HttpHost::open(settings, Arc::new(SystemClock)).map_err(|error| {
            Failure::could_not(error).hint(
                "check `CLOSTE_CLIENT_API_KEY` in wp-config.php, or the file that has the key instead",
            )
        })
    }

    /// Names that are never sent, whatever network it is.
    pub(crate) fn protected_names(&self, access: &NetworkAccess) -> ProtectedNames {
        ProtectedNames { cdn: cdn(access.wp.as_ref()).0, patterns: self.settings.protected.clone() }
    }

    /// The eyes.
    pub(crate) fn probe(&self) -> Result<NetProbe, Failure> {
        let extra_roots = self.extra_roots()?;
        let resolvers = Some(self.settings.resolvers.clone()).filter(|it| !it.is_empty());
        let settings = probe::Settings {
            resolvers,
            roots: Some(self.settings.roots.clone()).filter(|it| !it.is_empty()),
            dns_port: self.settings.dns_port,
            http_port: self.settings.http_port,
            https_port: self.settings.https_port,
            timeout: self.settings.timeout,
            extra_roots,
            allow_private: self.settings.allow_private,
        };
        NetProbe::new(settings, Arc::new(SystemClock))
            .map_err(|error| Failure::could_not(error).hint("check the settings under `checks`"))
    }

    /// Authorities to trust besides the system's.
    fn extra_roots(&self) -> Result<Vec<CertificateDer<'static>>, Failure> {
        let Some(path) = &self.settings.trusted_ca else { return Ok(Vec::new()) };
        probe::read_pem(path)
            .map_err(|error| Failure::could_not(error).hint("check `checks.trusted_ca`"))
    }

    /// Where the ledger is.
    pub(crate) fn ledger_path(&self) -> Result<LedgerPath, Failure> {
        let url = match &self.settings.ledger_url {
            Some(url) => url.clone(),
            None => self.default_ledger_url()?,
        };
        // A root below the file is known to be one; the file's own folder may be a home.
        let wp = if self.is_remote() { None } else { self.wp_config().ok() };
        let root = wp.filter(|wp| wp.path.parent() != Some(&wp.root));
        Ok(LedgerPath::at(&url, root.map(|wp| wp.root).as_slice())?)
    }

    fn default_ledger_url(&self) -> Result<String, Failure> {
        let state = self.environment.xdg("XDG_STATE_HOME", ".local/state").ok_or_else(|| {
            Failure::could_not("there is no home folder to keep the ledger in").hint(
                "set `HOME`, or `ledger.url` in /etc/closte-sync/closte-sync.toml, such as \
                     `sqlite:///var/lib/closte-sync/ledger.db`",
            )
        })?;
        Ok(format!("sqlite://{}", state.join("closte-sync/ledger.db").display()))
    }

    /// The ledger, to read.
    pub(crate) async fn ledger_to_read(&self) -> Result<SqliteLedger, Failure> {
        Ok(SqliteLedger::open_readonly(&self.ledger_path()?).await?)
    }

    /// The ledger, to read; none where there is none yet.
    pub(crate) async fn readable_ledger(&self) -> Result<Option<Box<dyn Ledger>>, Failure> {
        match SqliteLedger::open_readonly(&self.ledger_path()?).await {
            Ok(ledger) => Ok(Some(Box::new(ledger))),
            Err(LedgerError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The ledger, for a change that needs no lock.
    pub(crate) async fn ledger_to_change(&self) -> Result<SqliteLedger, Failure> {
        Ok(SqliteLedger::open(&self.ledger_path()?, CreateIfMissing::No).await?)
    }

    /// The ledger, for a change that needs no lock; none where there is none yet.
    pub(crate) async fn existing_ledger(&self) -> Result<Option<Box<dyn Ledger>>, Failure> {
        match SqliteLedger::open(&self.ledger_path()?, CreateIfMissing::No).await {
            Ok(ledger) => Ok(Some(Box::new(ledger))),
            Err(LedgerError::Missing { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The ledger with its lock.
    pub(crate) async fn locked_ledger(&self, command: &str) -> Result<LockedLedger, Failure> {
        let ledger_path = self.ledger_path()?;
        let owner = Owner {
            pid: std::process::id(),
            command: command.to_owned(),
            since: SystemClock.now(),
        };
        match Lock::acquire(&ledger_path, &owner)? {
            Acquired::LockedBy(owner) => Ok(LockedLedger::LockedBy(owner)),
            Acquired::Ours(lock) => Ok(LockedLedger::Ours(
                SqliteLedger::open(&ledger_path, CreateIfMissing::Yes).await?,
                lock,
            )),
        }
    }

    /// An engine for plans only: it makes no ledger.
    pub(crate) async fn rehearsal(&self) -> Result<Engine, Failure> {
        let parts = self.parts().await?;
        let ledger = match SqliteLedger::open_readonly(&self.ledger_path()?).await {
            Err(LedgerError::Missing { .. }) => SqliteLedger::in_memory().await?,
            opened => opened?,
        };
        Ok(parts.with(Arc::new(ledger)))
    }

    /// An engine on a ledger whose lock the caller has.
    pub(crate) async fn engine_on(&self, ledger: Arc<dyn Ledger>) -> Result<Engine, Failure> {
        Ok(self.parts().await?.with(ledger))
    }

    /// All that an engine needs but its ledger.
    pub(crate) async fn parts(&self) -> Result<Parts, Failure> {
        let host = self.host(self.api_key().await?)?;
        let access = self.access()?;
        let writers = self.writers(&access);
        let (probe, settings) = (self.probe()?, self.pass_settings(access.wp.as_ref()));
        let notices = Notices::new(self.receivers(&access), self.settings.telling);
        Ok(Parts { host, access, writers, probe, settings, notices })
    }

    fn pass_settings(&self, wp: Option<&WpConfig>) -> PassSettings {
        let settings = self.settings;
        PassSettings {
            stages: StagePolicy {
                dns_patience: settings.dns_patience,
                certificate_patience: settings.certificate_patience,
                demote: settings.demote,
                require_proof: settings.routing_proof == RoutingProof::Require,
            },
            confirmations: settings.confirmations,
            gap: settings.removal_gap,
            grace: settings.removal_grace,
            removal: settings.removal,
            brake: settings.brake,
            records: settings.records,
            www: settings.www,
            interval: settings.interval,
            targets: settings.targets.clone(),
            public_addresses: wp.map(|wp| public_addresses(wp).0).unwrap_or_default(),
            cdn: cdn(wp).0,
            protected: settings.protected.clone(),
            dashboard: dashboard(wp),
            dns: settings.dns,
            allow_private: settings.allow_private,
            serving: serving(wp),
            ask_proof: settings.routing_proof != RoutingProof::Never,
            concurrency: settings.concurrency,
            limit: settings.pass_limit,
            keep_events: settings.keep_events,
            carried: self.caller.is_plugin,
        }
    }
}

/// The host's page where a person acts, where the app is known.
pub(crate) fn dashboard(wp: Option<&WpConfig>) -> Option<String> {
    let app = wp.and_then(|wp| wp.closte_app_id.known());
    app.map(|app| closte::dashboard_url(app))
}

/// Whether WordPress maps domains at all, as far as its files tell.
fn serving(wp: Option<&WpConfig>) -> Serving {
    match wp {
        None => Serving::Unknown,
        Some(wp) if wp.maps_nothing().is_some() => Serving::MapsNothing,
        Some(_) => Serving::Maps,
    }
}

/// An engine without its ledger.
pub(crate) struct Parts {
    host: HttpHost,
    pub(crate) access: NetworkAccess,
    writers: Writers,
    probe: NetProbe,
    settings: PassSettings,
    notices: Notices,
}

impl Parts {
    /// The engine on that ledger.
    pub(crate) fn with(self, ledger: Arc<dyn Ledger>) -> Engine {
        let maps_nothing = self.access.maps_nothing();
        let maps_nothing =
            maps_nothing.map(|why| Problem::of_all(format!("{why}; {}", why.hint())));
        let no_plugin = self.access.no_plugin.map(|why| {
            Problem::of_all(format!("closte-sync's plugin in WordPress cannot be asked: {why}"))
        });
        let no_cdn = cdn(self.access.wp.as_ref()).1.map(Problem::of_all);
        // What an operator sets counts alone.
        let wp = self.access.wp.as_ref().filter(|_| self.settings.targets.is_empty());
        let no_address = wp.and_then(|wp| public_addresses(wp).1).map(Problem::of_all);
        let drop_in = self.access.drop_in.map(Problem::of_all);
        let problems = [no_plugin, no_address, no_cdn, drop_in, maps_nothing];
        let problems = problems.into_iter().flatten().collect();
        Engine {
            source: self.access.source,
            writers: self.writers,
            problems,
            plugin: self.access.plugin.map(|plugin| PluginSync::new(plugin)),
            notices: self.notices,
            host: Box::new(self.host),
            probe: Box::new(self.probe),
            ledger,
            env: system_env(),
            settings: self.settings,
        }
    }
}

/// What stands in a file that holds nothing but a secret.
fn secret_text(path: &Path, what: &str, hint: &str) -> Result<SecretString, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!("could not read {what} in `{}`: {error}", path.display());
        Failure::could_not(what).hint(hint)
    })?;
    Ok(SecretString::from(text.trim().to_owned()))
}

/// The name in `CLOSTE_CDN_HOSTNAME`, which is never sent; and what is wrong with it, as a name that
/// is not known is not protected.
fn cdn(wp: Option<&WpConfig>) -> (Option<DomainName>, Option<String>) {
    let Some(wp) = wp else { return (None, None) };
    let text = match wp.optional("CLOSTE_CDN_HOSTNAME", &wp.closte_cdn_hostname) {
        Ok(text) => text.filter(|text| !text.trim().is_empty()),
        Err(error) => return (None, Some(format!("{error}; add it to `protected.names`"))),
    };
    match text.map(|text| DomainName::parse_host(text)) {
        None => (None, None),
        Some(Ok(name)) => (Some(name), None),
        Some(Err(why)) => {
            let wrong = format!(
                "`CLOSTE_CDN_HOSTNAME` in `{}` is not a domain: {why}; correct it, or add it to \
                 `protected.names`",
                wp.path.display()
            );
            (None, Some(wrong))
        }
    }
}

/// The addresses that `CLOSTE_PUBLIC_IP_ADDRESS` names, one or several; and what is wrong with it,
/// which costs nothing but what is.
pub(crate) fn public_addresses(wp: &WpConfig) -> (BTreeSet<IpAddr>, Option<String>) {
    let text = match wp.optional("CLOSTE_PUBLIC_IP_ADDRESS", &wp.closte_public_ip_address) {
        Ok(text) => text.map(String::as_str).unwrap_or_default(),
        Err(error) => {
            let wrong = format!("{error}; define it as a plain text, or set `checks.targets`");
            return (BTreeSet::new(), Some(wrong));
        }
    };
    let parts = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
    let (mut addresses, mut others) = (BTreeSet::new(), Vec::new());
    for part in parts {
        match part.parse::<IpAddr>() {
            Ok(ip) => _ = addresses.insert(ip.to_canonical()),
            Err(_) => others.push(format!("`{}`", plain::words(part))),
        }
    }
    let wrong = (!others.is_empty()).then(|| {
        format!(
            "`CLOSTE_PUBLIC_IP_ADDRESS` in `{}` holds {}, which is not an IP address; correct it, \
             or set `checks.targets`",
            wp.path.display(),
            others.join(", ")
        )
    });
    (addresses, wrong)
}

fn of_wp_config(error: WpConfigError) -> Failure {
    let hint = error.hint();
    Failure::could_not(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn where_nobody_sets_anything_a_pass_is_told_its_own_defaults() {
        let (file, environment) = (tempfile::NamedTempFile::new().unwrap(), Environment::default());
        let loaded = load(&environment, Some(file.path().to_owned()), &[]).unwrap();
        let caller = Caller::default();
        let told = Wiring::new(&loaded, &environment, &caller).pass_settings(None);
        assert_eq!(told, PassSettings::default());
    }
}
