//! How the network is reached: by its database and files, or from another
//! machine; and the plugin in it, where there is a secret to speak with it.

use std::path::PathBuf;
use std::sync::Arc;

use http::BaseUrl;
use rules::source::{NetworkSource, StageWriter};
use wordpress::WpConfig;
use wordpress::plugin::{self, PluginChannel};
use wordpress::rest::{self, Credentials, KeyPair, RestClient, RestNetwork, RestWriter};
use wordpress::web::Endpoint;
use wordpress::wp_config::{DropIn, MapsNothing};

use super::{Wiring, secret_text};
use crate::clock::SystemClock;
use crate::config::Write;
use crate::nudges;
use engine::Failure;
use engine::pass::{SqlWriter, Writers};

/// systemd's credential with those of Ultimate Multisite's REST API.
const CREDENTIAL: &str = "rest-credentials";

/// The ways to the network that there are.
pub(crate) struct NetworkAccess {
    /// wp-config.php, where its files are here.
    pub(crate) wp: Option<WpConfig>,
    /// What reads and writes it.
    pub(crate) source: Arc<dyn NetworkSource>,
    /// The plugin in it, where there is a secret.
    pub(crate) plugin: Option<Arc<PluginChannel>>,
    /// Why there is no way to the plugin although there is a secret.
    pub(crate) no_plugin: Option<String>,
    /// That something replaces WordPress' database layer which knows more than we do.
    pub(crate) drop_in: Option<String>,
    /// Where it answers over HTTP.
    endpoint: Option<Endpoint>,
    /// Ultimate Multisite's REST API, which writes stages.
    rest: Option<RestWriter>,
}

impl NetworkAccess {
    /// Where it was found, and what of it was not read as plain text.
    pub(crate) fn found_at(&self) -> String {
        match (&self.wp, &self.endpoint) {
            (Some(wp), _) => {
                let decided = wp.decided.iter().map(|it| {
                    let is = if it.answer { "is so" } else { "is not so" };
                    format!("the disk says that {} {is} (line {})", it.question, it.line)
                });
                let lost = wp.not_followed.iter().map(|why| format!("a value {why}"));
                let path = wp.path.display().to_string();
                [path].into_iter().chain(decided).chain(lost).collect::<Vec<_>>().join("; ")
            }
            (None, endpoint) => endpoint.as_ref().map(Endpoint::to_string).unwrap_or_default(),
        }
    }

    /// Why WordPress maps no domain, where that is known.
    pub(crate) fn maps_nothing(&self) -> Option<MapsNothing> {
        self.wp.as_ref().and_then(WpConfig::maps_nothing)
    }

    /// The folder of WordPress' plugins, where its files are here.
    pub(crate) fn plugins(&self) -> Option<PathBuf> {
        self.wp.as_ref().map(|wp| wp.content.join("plugins"))
    }
}

impl Wiring<'_> {
    /// The ways to the network. Nothing is connected or sent yet.
    pub(crate) fn access(&self) -> Result<NetworkAccess, Failure> {
        if self.is_remote() { self.remote() } else { self.local() }
    }

    fn local(&self) -> Result<NetworkAccess, Failure> {
        let wp = self.wp_config()?;
        let source = wordpress::network_of(&wp, self.settings.database_url.as_ref());
        let source = source.map_err(|error| {
            let hint = error.hint();
            Failure::could_not(error).hint(hint)
        })?;
        let endpoint = self.endpoint_of(Some(&wp))?;
        let (plugin, no_plugin) = self.plugin(endpoint.as_ref());
        let source: Arc<dyn NetworkSource> = source.into();
        let rest =
            endpoint.clone().map(|endpoint| self.rest_writer(endpoint, &source)).transpose()?;
        let drop_in = drop_in(&wp).filter(|_| self.settings.database_url.is_none());
        let wp = Some(wp);
        Ok(NetworkAccess { wp, source, plugin, no_plugin, drop_in, endpoint, rest })
    }

    fn remote(&self) -> Result<NetworkAccess, Failure> {
        let Some(endpoint) = self.endpoint_of(None)? else {
            return Err(Failure::could_not("it is not known where the network answers")
                .hint("set `network.url`, such as `https://network.example`"));
        };
        let (plugin, no_plugin) = self.plugin(Some(&endpoint));
        let credentials = match self.rest_credentials()? {
            Some(pair) => Credentials::Given(pair),
            None if plugin.is_some() => Credentials::None,
            None => {
                return Err(Failure::could_not("the network's REST API needs a key and a secret")
                    .hint(
                        "put `KEY:SECRET` of Ultimate Multisite > Settings > API into a file that \
                         only you may read, and set `network.rest_credentials_file`",
                    ));
            }
        };
        let network = RestNetwork::new(rest::Settings {
            endpoint: endpoint.clone(),
            credentials,
            timeouts: rest::Timeouts::default(),
            plugin: plugin.clone(),
            cache: Some(self.beside_ledger("network.json")?),
        });
        let rest = Some(network.writer());
        let source = Arc::new(network);
        let (endpoint, drop_in) = (Some(endpoint), None);
        Ok(NetworkAccess { wp: None, source, plugin, no_plugin, drop_in, endpoint, rest })
    }

    /// Where the network's own site answers; none where that is not known. Only
    /// what an operator set is an error: whatever else wp-config.php holds, a pass
    /// can do without.
    fn endpoint_of(&self, wp: Option<&WpConfig>) -> Result<Option<Endpoint>, Failure> {
        let defined = wp.and_then(|wp| wp.domain_current_site.known());
        let domain = self.settings.network_host.as_ref().or(defined);
        let path = wp.and_then(|wp| wp.path_current_site.known());
        let url = match (&self.settings.network_url, domain) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(domain)) => {
                let path = path.map_or("/", String::as_str);
                format!("https://{domain}{path}").parse().ok()
            }
            (None, None) => None,
        };
        let Some(url): Option<BaseUrl> = url else { return Ok(None) };
        let endpoint = match domain {
            Some(domain) if url.is_this_machine() => Endpoint::new(url).asked_as(domain),
            _ => Ok(Endpoint::new(url)),
        };
        match endpoint {
            Ok(endpoint) => Ok(Some(endpoint.trusting(self.extra_roots()?))),
            Err(_) if self.settings.network_url.is_none() => Ok(None),
            Err(error) => Err(Failure::could_not(error)
                .hint("set `network.url`, such as `https://network.example`")),
        }
    }

    /// The plugin, where it waits for us or there is a secret; and why not, where that is no use. A
    /// pass goes on without it.
    fn plugin(&self, endpoint: Option<&Endpoint>) -> (Option<Arc<PluginChannel>>, Option<String>) {
        if let Some(pipes) = &self.caller.pipes {
            let channel = PluginChannel::attached(Arc::clone(pipes), self.described());
            return (Some(Arc::new(channel)), None);
        }
        let secret = match self.secret() {
            Ok(Some(secret)) => secret,
            Ok(None) => return (None, None),
            Err(failure) => {
                let (what, hint) = failure.in_one_line();
                let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                return (None, Some(format!("{what}{hint}")));
            }
        };
        let Some(endpoint) = endpoint.cloned() else {
            let why = "it is not known where the network's own site answers; set `network.url`";
            return (None, Some(why.to_owned()));
        };
        let (engine, timeouts) = (self.described(), plugin::Timeouts::default());
        let settings = plugin::Settings { endpoint, secret, engine, timeouts };
        let channel = PluginChannel::new(settings, Arc::new(SystemClock));
        (Some(Arc::new(channel)), None)
    }

    /// What the plugin is told of us. Where it starts us itself, nobody stays to be nudged.
    fn described(&self) -> plugin::Engine {
        let stays = !self.caller.is_plugin;
        plugin::Engine {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            silence: self.settings.plugin_silence,
            nudge_url: self.nudge_url().filter(|_| stays),
            nudge_file: self.nudge_file().ok().filter(|_| stays && !self.is_remote()),
            panel: None,
        }
    }

    /// Where the plugin tells of changes over HTTP, where `run` listens.
    fn nudge_url(&self) -> Option<String> {
        let listen = self.settings.listen?;
        let base = match &self.settings.listen_url {
            Some(url) => url.to_string(),
            None => format!("http://{listen}"),
        };
        Some(format!("{base}{}", nudges::PATH))
    }

    /// Ultimate Multisite's REST API, with the credentials that are set or stored.
    fn rest_writer(
        &self,
        endpoint: Endpoint,
        source: &Arc<dyn NetworkSource>,
    ) -> Result<RestWriter, Failure> {
        let credentials = match self.rest_credentials()? {
            Some(pair) => Credentials::Given(pair),
            None => Credentials::Stored(source.clone()),
        };
        let client = RestClient::new(endpoint, credentials, rest::Timeouts::default());
        Ok(RestWriter::new(Arc::new(client)))
    }

    fn rest_credentials(&self) -> Result<Option<KeyPair>, Failure> {
        let set = self.settings.rest_credentials_file.clone();
        let Some(path) = set.or_else(|| self.environment.credential(CREDENTIAL)) else {
            return Ok(None);
        };
        let hint = "check `network.rest_credentials_file`";
        let text = secret_text(&path, "the credentials of the REST API", hint)?;
        let Some(pair) = KeyPair::parse(&text) else {
            let what = format!("`{}` does not contain `KEY:SECRET` in one line", path.display());
            return Err(Failure::could_not(what).hint(hint));
        };
        Ok(Some(pair))
    }

    /// Who writes stages, as `network.write` says.
    pub(crate) fn writers(&self, access: &NetworkAccess) -> Writers {
        let plugin = access.plugin.clone().map(|it| it as Arc<dyn StageWriter>);
        let rest = access.rest.clone().map(|it| Arc::new(it) as Arc<dyn StageWriter>);
        // From another machine, the source is no third way.
        let sql = (!self.is_remote())
            .then(|| Arc::new(SqlWriter(access.source.clone())) as Arc<dyn StageWriter>);
        let ways = match self.settings.write {
            Write::Plugin => [plugin, None, None],
            Write::Rest => [None, rest, None],
            Write::Sql => [None, None, sql],
            Write::Auto => [plugin, rest, sql],
        };
        Writers::new(ways.into_iter().flatten().collect())
    }
}

fn drop_in(wp: &WpConfig) -> Option<String> {
    let name = match &wp.drop_in {
        Some(DropIn::Other { name }) => name,
        Some(DropIn::Perhaps(why)) => {
            return Some(format!(
                "`WP_CONTENT_DIR` {why}, so it is not known whether a `db.php` there replaces \
                 WordPress' database layer; if it does, set `network.database_url`"
            ));
        }
        Some(DropIn::Sqlite | DropIn::Unreadable(_)) | None => return None,
    };
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    Some(format!(
        "`{}` replaces WordPress' database layer{name}, so it is not known whether WordPress uses \
         the database of wp-config.php; if it does not, set `network.database_url`",
        wp.content.join("db.php").display()
    ))
}
