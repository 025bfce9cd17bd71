//! Settings with their types.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http::{BaseUrl, NotABaseUrl, SecretUrl};
use jiff::{Span, SpanRelativeTo};
use rules::DomainName;
use rules::explain::DnsRule;
use rules::records::Records;
use rules::removal::{Brake, RemovalPolicy};
use rules::schedule::SHORTEST_INTERVAL;
use rules::telling::Patience;
use rules::twins::Www;

use super::{ConfigError, Written, keys};

/// Where sites and mappings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The database that wp-config.php names.
    Database,
    /// Ultimate Multisite's REST API, or the plugin.
    Rest,
}

/// Who writes stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The first of the others that can.
    Auto,
    /// The plugin, asked by a signed call.
    Plugin,
    /// Ultimate Multisite's REST API.
    Rest,
    /// We, in the database.
    Sql,
}

/// What is made of the question that WordPress answers at its own domains only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoutingProof {
    /// It is asked, and what it says is told.
    Ask,
    /// A domain is not `done` without the answer.
    Require,
    /// It is not asked.
    Never,
}

/// `notify.mail`: whether WordPress mails what is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mail {
    /// Where the plugin starts the engine.
    Auto,
    On,
    Off,
}

/// `network.domain`: which network is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetworkDomain {
    /// Its own domain.
    pub(crate) domain: DomainName,
    /// Its path, with a slash at both ends, where that was given.
    pub(crate) path: Option<String>,
}

/// Every setting, typed.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) source: Source,
    pub(crate) network_url: Option<BaseUrl>,
    pub(crate) network_host: Option<String>,
    pub(crate) network_domain: Option<NetworkDomain>,
    pub(crate) table_prefix: Option<String>,
    pub(crate) rest_credentials_file: Option<PathBuf>,
    pub(crate) write: Write,
    pub(crate) wp_config: Option<PathBuf>,
    pub(crate) database_url: Option<secrecy::SecretString>,
    pub(crate) api_url: BaseUrl,
    pub(crate) api_key_file: Option<PathBuf>,
    pub(crate) app_id: Option<String>,
    pub(crate) requests_per_second: u32,
    pub(crate) concurrency: usize,
    pub(crate) interval: Option<Duration>,
    pub(crate) dns_patience: Duration,
    pub(crate) certificate_patience: Duration,
    pub(crate) resolvers: Vec<SocketAddr>,
    pub(crate) targets: BTreeSet<IpAddr>,
    pub(crate) dns: DnsRule,
    pub(crate) roots: Vec<SocketAddr>,
    pub(crate) https_port: u16,
    pub(crate) http_port: u16,
    pub(crate) dns_port: u16,
    pub(crate) timeout: Duration,
    pub(crate) trusted_ca: Option<PathBuf>,
    pub(crate) allow_private: bool,
    pub(crate) demote: bool,
    pub(crate) routing_proof: RoutingProof,
    pub(crate) records: Records,
    pub(crate) www: Option<Www>,
    pub(crate) confirmations: u32,
    pub(crate) removal_gap: Duration,
    pub(crate) removal_grace: Duration,
    pub(crate) removal: RemovalPolicy,
    pub(crate) brake: Brake,
    pub(crate) telling: Patience,
    pub(crate) protected: Vec<String>,
    pub(crate) ledger_url: Option<String>,
    pub(crate) keep_events: Duration,
    pub(crate) pass_limit: Duration,
    pub(crate) poll: Duration,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) listen_url: Option<BaseUrl>,
    pub(crate) plugin_secret_file: Option<PathBuf>,
    pub(crate) plugin_silence: Duration,
    pub(crate) webhooks: Vec<SecretUrl>,
    pub(crate) webhook_secret_file: Option<PathBuf>,
    pub(crate) command: Vec<String>,
    pub(crate) mail: Mail,
    pub(crate) log_level: tracing::Level,
    pub(crate) log_json: bool,
}

impl Settings {
    /// Give every value its type.
    pub(super) fn parse(written: &BTreeMap<&'static str, Written>) -> Result<Self, ConfigError> {
        let values = Values(written);
        Ok(Self {
            source: values.required("network.source", |text| {
                one_of(text, &[("database", Source::Database), ("rest", Source::Rest)])
            })?,
            network_url: values.optional("network.url", safe_url)?,
            network_host: values.optional("network.host", |text| {
                let host = DomainName::parse_host(text).map_err(|why| why.to_string())?;
                Ok(host.to_string())
            })?,
            network_domain: values.optional("network.domain", network_domain)?,
            table_prefix: values.optional("network.table_prefix", word)?,
            rest_credentials_file: values.path("network.rest_credentials_file"),
            write: values.required("network.write", |text| {
                use Write::{Auto, Plugin, Rest, Sql};
                one_of(text, &[("auto", Auto), ("plugin", Plugin), ("rest", Rest), ("sql", Sql)])
            })?,
            wp_config: values.path("network.wp_config"),
            database_url: values.text("network.database_url").map(Into::into),
            api_url: values.required("closte.api_url", safe_url)?,
            api_key_file: values.path("closte.api_key_file"),
            app_id: values.text("closte.app_id"),
            requests_per_second: values.required("closte.requests_per_second", number)?,
            concurrency: values.required("closte.concurrency", at_least_one)? as usize,
            interval: values.optional("checks.interval", interval)?,
            dns_patience: values.required("checks.dns_patience", duration)?,
            certificate_patience: values.required("checks.certificate_patience", duration)?,
            resolvers: values.list("checks.resolvers", socket)?,
            dns: values.required("checks.dns", |text| {
                one_of(text, &[("all", DnsRule::All), ("any", DnsRule::Any)])
            })?,
            roots: values.list("checks.roots", socket)?,
            targets: values.list("checks.targets", target)?.into_iter().collect(),
            https_port: values.required("checks.https_port", port)?,
            http_port: values.required("checks.http_port", port)?,
            dns_port: values.required("checks.dns_port", port)?,
            timeout: values.required("checks.timeout", timeout)?,
            trusted_ca: values.path("checks.trusted_ca"),
            allow_private: values.required("checks.allow_private", truth)?,
            demote: values.required("checks.demote", truth)?,
            routing_proof: values.required("checks.routing_proof", |text| {
                use RoutingProof::{Ask, Never, Require};
                one_of(text, &[("ask", Ask), ("require", Require), ("never", Never)])
            })?,
            records: values.required("domains.records", |text| {
                one_of(
                    text,
                    &[("new", Records::New), ("all", Records::All), ("never", Records::Never)],
                )
            })?,
            www: values.optional("domains.www", |text| {
                let known = [Www::Never, Www::AsWordpress, Www::WhenDnsReady];
                one_of(text, &known.map(|www| (www.as_str(), www)))
            })?,
            confirmations: values.required("removal.confirmations", at_least_one)?,
            removal_gap: values.required("removal.gap", duration)?,
            removal_grace: values.required("removal.grace", duration)?,
            removal: values.required("removal.policy", |text| {
                let known = [RemovalPolicy::Sync, RemovalPolicy::AddOnly];
                one_of(text, &known.map(|policy| (policy.as_str(), policy)))
            })?,
            brake: values.required("removal.brake", brake)?,
            telling: Patience {
                broken: values.required("report.broken_after", duration)?,
                unseen: values.required("report.unseen_after", duration)?,
            },
            protected: values.list("protected.names", |text| Ok(text.to_lowercase()))?,
            ledger_url: values.optional("ledger.url", ledger_url)?,
            keep_events: values.required("ledger.keep_events", duration)?,
            pass_limit: values.required("run.pass_limit", duration)?,
            poll: values.required("run.poll", poll)?,
            listen: values.optional("run.listen", socket)?,
            listen_url: values.optional("run.url", safe_url)?,
            plugin_secret_file: values.path("plugin.secret_file"),
            plugin_silence: values.required("plugin.silence", silence)?,
            webhooks: values.list("notify.webhooks", |text| {
                text.parse().map_err(|error: NotABaseUrl| error.to_string())
            })?,
            webhook_secret_file: values.path("notify.webhook_secret_file"),
            command: values.list("notify.command", |text| Ok(text.to_owned()))?,
            mail: values.required("notify.mail", |text| match text {
                "auto" => Ok(Mail::Auto),
                text => {
                    let known = truth(text).map_err(|why| format!("{why}, nor auto"))?;
                    Ok(if known { Mail::On } else { Mail::Off })
                }
            })?,
            log_level: values.required("log.level", |text| {
                use tracing::Level;
                let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
                let names = ["error", "warn", "info", "debug", "trace"];
                one_of(text, &names.into_iter().zip(levels).collect::<Vec<_>>())
            })?,
            log_json: values
                .required("log.format", |text| one_of(text, &[("text", false), ("json", true)]))?,
        })
    }
}

struct Values<'a>(&'a BTreeMap<&'static str, Written>);

impl Values<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.0[name].texts.first().cloned()
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    fn list<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, ConfigError> {
        let written = &self.0[name];
        let one = |text: &String| {
            parse(text).map_err(|why| ConfigError::BadValue {
                key: name,
                value: keys::find(name).expect("a known key").shown(text),
                origin: written.origin.clone(),
                why,
            })
        };
        written.texts.iter().map(one).collect()
    }

    fn optional<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        Ok(self.list(name, parse)?.into_iter().next())
    }

    /// Something that has a default: an empty value is that.
    fn required<T>(
        &self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, ConfigError> {
        let default = || parse(keys::find(name).expect("a known key").default);
        match self.optional(name, &parse)? {
            Some(value) => Ok(value),
            None => Ok(default().expect("defaults parse")),
        }
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it is not a whole number".to_owned())
}

/// A text of letters, digits and underscores, as WordPress accepts them in a table prefix.
fn word(text: &str) -> Result<String, String> {
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(text.to_owned());
    }
    Err("it may hold letters, digits and underscores only".to_owned())
}

/// `network.example`, or `network.example/two/`; a scheme, a port and a query do not count.
fn network_domain(text: &str) -> Result<NetworkDomain, String> {
    let domain = DomainName::parse_host(text).map_err(|why| why.to_string())?;
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let path = rest.split_once('/').map(|(_, path)| match path.trim_matches('/') {
        "" => "/".to_owned(),
        path => format!("/{path}/"),
    });
    Ok(NetworkDomain { domain, path })
}

fn at_least_one(text: &str) -> Result<u32, String> {
    match number(text)? {
        0 => Err("it must be at least 1".to_owned()),
        number => Ok(number),
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| "it is not a port".to_owned())
}

fn socket(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it is not an address with a port".to_owned())
}

/// All questions of one check end within 15 s.
fn timeout(text: &str) -> Result<Duration, String> {
    let (shortest, longest) = (Duration::from_millis(100), Duration::from_secs(15));
    let timeout = duration(text)?;
    let fits = (shortest..=longest).contains(&timeout);
    fits.then_some(timeout).ok_or_else(|| "it is not between 100ms and 15s".to_owned())
}

fn target(text: &str) -> Result<IpAddr, String> {
    let ip: IpAddr = text.parse().map_err(|_| "it is not an IP address".to_owned())?;
    Ok(ip.to_canonical())
}

fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("it is neither true nor false".to_owned()),
    }
}

fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, String> {
    let found = choices.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        format!("it is not one of {}", names.join(", "))
    })
}

/// `90s`, `1h30m`, `2h 30m`, `7d`, as people write durations; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let is_bare = text.bytes().all(|byte| byte.is_ascii_digit());
    let span = if is_bare { format!("{text}s").parse() } else { text.parse::<Span>() };
    let odd = || "it is not a duration like `300s`, `5m` or `48h`".to_owned();
    let span = span.map_err(|_| odd())?;
    if span.get_years() != 0 || span.get_months() != 0 {
        return Err("months and years differ in length; write it in days, like `30d`".to_owned());
    }
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok();
    length.and_then(|length| length.try_into().ok()).ok_or_else(odd)
}

fn interval(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        short if short < SHORTEST_INTERVAL => Err("it is below 10 seconds".to_owned()),
        interval => Ok(interval),
    }
}

fn poll(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        short if short < Duration::from_secs(1) => Err("it is below a second".to_owned()),
        poll => Ok(poll),
    }
}

fn silence(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        short if short < Duration::from_mins(1) => Err("it is below a minute".to_owned()),
        silence => Ok(silence),
    }
}

/// https, or http to this machine: what is sent there is signed or a password.
fn safe_url(text: &str) -> Result<BaseUrl, String> {
    text.parse().map_err(|error: NotABaseUrl| error.to_string())
}

fn brake(text: &str) -> Result<Brake, String> {
    let parsed = match text.strip_suffix('%') {
        Some(share) => share.trim().parse().ok().filter(|it| *it <= 100).map(Brake::Percent),
        None => text.parse().ok().map(Brake::Count),
    };
    parsed.ok_or_else(|| "it is neither a number nor a share in percent".to_owned())
}

fn ledger_url(text: &str) -> Result<String, String> {
    let known = text.starts_with("sqlite:///");
    known.then(|| text.to_owned()).ok_or_else(|| "it does not begin with `sqlite:///`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_what_people_write() {
        let table = [
            ("0", 0),
            ("0s", 0),
            ("300", 300),
            ("90s", 90),
            ("10m", 600),
            ("1h30m", 5_400),
            ("2h 30m", 9_000),
            ("48h", 172_800),
            ("7d", 604_800),
            ("1w 1d", 691_200),
        ];
        for (text, seconds) in table {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("1500ms"), Ok(Duration::from_millis(1500)));
    }

    #[test]
    fn a_network_is_named_by_its_domain_and_maybe_its_path() {
        let table = [
            ("network.example", None),
            ("network.example/", Some("/")),
            ("network.example/two", Some("/two/")),
            ("https://www.network.example:8443/two/sub/?x=/y", Some("/two/sub/")),
        ];
        for (text, path) in table {
            let NetworkDomain { domain, path: found } = network_domain(text).unwrap();
            assert_eq!((domain.as_str(), found.as_deref()), ("network.example", path), "{text}");
        }
        assert!(network_domain("/two/").is_err());
    }

    #[test]
    fn what_has_no_length_is_no_duration() {
        for text in ["", "soon", "-1h", "1h ago", "5 x", "1.5", "99999999999999999999"] {
            let why = duration(text).unwrap_err();
            assert_eq!(why, "it is not a duration like `300s`, `5m` or `48h`", "{text}");
        }
        for text in ["1mo", "2 years", "1y 3d"] {
            let why = duration(text).unwrap_err();
            assert_eq!(why, "months and years differ in length; write it in days, like `30d`");
        }
    }
}
