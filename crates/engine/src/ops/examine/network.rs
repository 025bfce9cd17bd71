//! What was read of the network, and of what we may do in it.

use std::time::Duration;

use rules::acting::not_ours;
use rules::network::{Switch, WwwTwins};
use rules::source::{NetworkSource, Right, SourceError};
use rules::twins::Www;
use rules::{Network, Stage, Time};

use super::plugin::{self, PluginFound};
use super::{Check, Findings, LedgerFound, State, fail, failed, ok, warn};
use crate::failure::Failure;
use crate::pass::Off;
use crate::rough::rough;
use crate::texts;

/// What the plugin is called among the ways to write stages.
const PLUGIN: &str = "plugin";

/// How the network is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// By its database and files.
    Local,
    /// From another machine, over HTTP.
    Remote,
}

/// What was read of a network.
#[derive(Debug)]
pub struct NetworkFound {
    pub network: Network,
    pub rights: Result<Vec<Right>, SourceError>,
    /// Whether WordPress' files are here.
    pub files: bool,
    pub plugin: PluginFound,
    /// The ways to write stages that have what they need, the best first.
    pub writers: Vec<&'static str>,
}

impl NetworkFound {
    /// Read the network, and what we may do in it; nothing is known of its plugin and of who writes
    /// stages yet.
    pub async fn read(source: &dyn NetworkSource) -> Result<Self, Failure> {
        let network = source.read().await?;
        let rights = source.rights().await;
        let (plugin, writers) = (PluginFound::Absent, Vec::new());
        Ok(Self { network, rights, files: false, plugin, writers })
    }

    /// Whether anything tells of WordPress' files and options: the REST API by itself does not.
    fn is_seen_from_inside(&self) -> bool {
        self.files || matches!(self.plugin, PluginFound::NoAnswer(_) | PluginFound::Answers(_))
    }
}

impl Route {
    /// What the network is found by.
    pub(super) fn found_by(self) -> &'static str {
        match self {
            Self::Local => "wp-config.php",
            Self::Remote => "network.url",
        }
    }

    /// What sites and mappings are read from.
    fn read_from(self) -> &'static str {
        match self {
            Self::Local => "database",
            Self::Remote => "network",
        }
    }
}

/// All that is judged of the network, in its order.
pub(super) fn checks(findings: &Findings) -> Vec<Check> {
    let (route, now) = (findings.route, findings.now);
    let found = match &findings.network {
        None => return Vec::new(),
        Some(Err(failure)) => return vec![failed(route.read_from(), failure)],
        Some(Ok(found)) => found,
    };
    let network = &found.network;
    let mut checks = vec![
        ok(route.read_from(), in_short(network, findings)),
        rights(&found.rights, route),
        switch(network),
        words(network),
        clock(network, route, now),
    ];
    let plugin = plugin::check(&found.plugin, &findings.plugin_version, now);
    if found.is_seen_from_inside() {
        let answers =
            plugin.state != State::Fail && matches!(found.plugin, PluginFound::Answers(_));
        let mut writers = found.writers.iter().copied();
        let writer = writers.find(|way| answers || *way != PLUGIN);
        checks.extend([home(network, findings), writes(writer), object_cache(network, writer)]);
    }
    checks.push(plugin);
    checks
}

fn in_short(network: &Network, findings: &Findings) -> String {
    let (identity, sites) = (&network.identity, network.sites.len());
    let (domain, mappings) = (&identity.domain, network.mappings.len());
    let read = format!("{domain}, {sites} sites, {mappings} mappings");
    if findings.route == Route::Remote {
        return read;
    }
    let www = twins(network.settings.www, findings);
    let (database, prefix) = (&identity.database, &identity.prefix);
    format!("`{database}` with prefix `{prefix}`: network {read}, www twins: {www}")
}

/// Which twins are added, and who says so; `wordpress` is what Ultimate Multisite says.
fn twins(wordpress: WwwTwins, findings: &Findings) -> &'static str {
    let of_ledger = || findings.ledger.as_ref().map_or_else(|_| Www::default(), LedgerFound::www);
    match (findings.www.unwrap_or_else(of_ledger), wordpress) {
        (Www::WhenDnsReady, _) => "added once their DNS is here",
        (Www::AsWordpress, WwwTwins::Always) => {
            "added once their DNS is here, as Ultimate Multisite says"
        }
        (Www::AsWordpress, WwwTwins::MainOnly) => {
            "those of primary domains added once their DNS is here, as Ultimate Multisite says"
        }
        (Www::AsWordpress, WwwTwins::Never) => "not added, as Ultimate Multisite says",
        (Www::Never, _) if findings.www.is_some() => "not added, as `domains.www` is never",
        (Www::Never, _) => {
            "not added, as an older closte-sync made the ledger; `domains.www` changes that"
        }
    }
}

fn rights(rights: &Result<Vec<Right>, SourceError>, route: Route) -> Check {
    let rights = match rights {
        Ok(rights) => rights,
        Err(error) => return failed_to_read(error, route),
    };
    let missing: Vec<String> = rights
        .iter()
        .filter_map(|it| Some(format!("may not {}: {}", it.purpose, it.missing.as_ref()?)))
        .collect();
    let hint = match route {
        Route::Remote => {
            "check `network.rest_credentials_file`, and Ultimate Multisite > Settings > API"
        }
        Route::Local => {
            "GRANT them to `DB_USER` of wp-config.php, or to the user of `network.database_url` where that is set; \
             this user must be able to write to a file of SQLite and to its folder"
        }
    };
    match missing[..] {
        [] => ok("rights", "all that are needed"),
        _ => fail("rights", missing.join("; "), hint),
    }
}

fn failed_to_read(error: &SourceError, route: Route) -> Check {
    let detail = crate::error_chain(error);
    let hint = error.hint().map(str::to_owned);
    Check { check: route.read_from(), state: State::Fail, detail, hint }
}

fn switch(network: &Network) -> Check {
    let mut not_on = Off::switches(network).into_iter().filter(|(_, switch)| *switch != Switch::On);
    match not_on.next() {
        None => ok("switch", "Closte is switched on"),
        Some((off, Switch::Unreadable)) => {
            let (what, hint) = off.unreadable();
            fail("switch", format!("{what}; a pass does nothing"), hint)
        }
        Some((off, _)) => {
            let what = format!("{} is switched off, so a pass does nothing", off.what());
            warn("switch", what, off.hint())
        }
    }
}

fn words(network: &Network) -> Check {
    let missing: Vec<&str> = Stage::ALL
        .into_iter()
        .filter(|stage| !network.stage_words.contains(stage))
        .map(Stage::as_str)
        .collect();
    match missing[..] {
        [] => ok("stages", "the column has all six words"),
        ["ssl-failed"] => ok(
            "stages",
            "an older table without `ssl-failed`: `done-without-ssl` is written instead",
        ),
        _ => warn(
            "stages",
            format!("the column lacks {}", missing.join(", ")),
            "update Ultimate Multisite; a stage that the column lacks is not written",
        ),
    }
}

fn clock(network: &Network, route: Route, now: Time) -> Check {
    let whose = route.read_from();
    let Some(theirs) = network.database_time else {
        let what = format!("the {whose} did not report its time");
        return warn("clock", what, "compare this machine's clock by hand");
    };
    let difference = now.distance(theirs);
    if difference <= Duration::from_mins(1) {
        return ok("clock", format!("as the {whose}'s"));
    }
    fail(
        "clock",
        format!("{} from the {whose}'s", rough(difference)),
        "set this machine's clock; if the clocks differ by more than 10 minutes, no domain is checked",
    )
}

fn home(network: &Network, findings: &Findings) -> Check {
    let ledger = findings.ledger.as_ref().ok();
    let ours = ledger.and_then(LedgerFound::ours);
    match (not_ours(network, ours), &network.home) {
        (Some(why), _) => {
            let what = texts::not_ours(&network.identity, &why);
            fail("home", format!("{what}; it sends and writes nothing"), texts::not_ours_hint(&why))
        }
        (None, Some(_)) if !network.keeps_serial => warn(
            "home",
            "this installation acts for the network; WordPress does not keep the number by which \
             a database that was put back is told",
            "update the plugin (`closte-sync plugin install`); until then, take care after a \
             backup of the database is restored: see `closte-sync plan` first",
        ),
        (None, Some(_)) => ok("home", "this installation acts for the network"),
        (None, None) => ok("home", "no installation acts for the network yet; the first pass will"),
    }
}

/// By whom stages are written now; none where `network.write` names only ways that cannot.
fn writes(writer: Option<&str>) -> Check {
    let who = match writer {
        Some(PLUGIN) => "the plugin, so WordPress itself saves them".to_owned(),
        Some("rest") => "Ultimate Multisite's REST API, so WordPress itself saves them".to_owned(),
        Some("sql") => "closte-sync, in the database".to_owned(),
        Some(other) => other.to_owned(),
        None => {
            let what = "nobody: what `network.write` names is not set up, or does not answer";
            return warn(
                "stages by",
                what,
                "see what `doctor` says of the plugin; or set it to `auto`",
            );
        }
    };
    ok("stages by", who)
}

fn object_cache(network: &Network, writer: Option<&str>) -> Check {
    let by_sql = writer.is_none_or(|way| way == "sql");
    if !network.object_cache {
        ok("object cache", "none: WordPress shows a new stage at once")
    } else if by_sql {
        let detail = "wp-content/object-cache.php is there: WordPress may show a new stage late";
        let hint = format!(
            "{}; `closte-sync plugin install` and `network.write = \"auto\"` end it",
            texts::FLUSH
        );
        warn("object cache", detail, hint)
    } else {
        ok("object cache", "there is one, and stages are written through it")
    }
}
